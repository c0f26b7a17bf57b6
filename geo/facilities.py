"""Which facilities stand out against their own kind, and how few of them hold most of the records.

Sources: Clopper and Pearson (1934); Bernasco and Steenbeek (2017), *More places than crimes: implications for evaluating the
law of crime concentration at place*, J. Quant. Criminol. 33; Eck, Clarke and Guerette (2007), *Risky facilities*.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.errors import InvalidParameter
from geo.significance import exact_test

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

COMPARISON_COLUMNS: Final = (
    "records", "expected", "rate_ratio", "ratio_low", "ratio_high", "p_value", "q_value", "tested",
)  # fmt: skip


@dataclass(frozen=True)
class Concentration:
    """How unevenly records lie over facilities, against facilities of equal rates.

    Parameters
    ----------
    cumulative : ndarray of float, shape (n,)
        Share of records at the 1, 2, ... n facilities with most.
    facilities_needed : int
        Facilities that together hold ``share`` of the records.
    share_needed : float
        The same as a share of all facilities.
    share_needed_equal : float
        Mean of it over draws with equal rates.
    gini : float
        Generalised Gini: 0 when records are spread as evenly as whole records can be, 1 - 1 / min(c, n) when all c are at one of n.
    gini_equal : float
        Mean of it over draws with equal rates; with few records this is well above 0.
    p_value : float
        Share of {draws, the records} with at least this Gini.
    """

    cumulative: Floats
    facilities_needed: int
    share_needed: float
    share_needed_equal: float
    gini: float
    gini_equal: float
    p_value: float


def compare_facilities(
    records: Ints, *, kind: Ints, exposure: Floats | None = None, alpha: float = 0.05
) -> pd.DataFrame:
    """Test every facility's records against the rest of its own kind.

    Parameters
    ----------
    records : ndarray of int64, shape (n,)
        Records attributed to each facility.
    kind : ndarray of int64, shape (n,)
        Code of the kind; only facilities of one kind are compared with each other.
    exposure : ndarray of float, shape (n,), optional
        What records are expected in proportion to, such as the area of a park; 1 by default.
    alpha : float
        One minus the level of the intervals.

    Returns
    -------
    DataFrame
        ``COMPARISON_COLUMNS`` in the order of the facilities. ``rate_ratio`` is the facility's rate over that of the rest
        of its kind with its exact interval; ``inf`` where the rest has no records. ``tested`` is False for the
        only facility of its kind with exposure, a facility without exposure and a kind without records: there is nothing
        to compare, p and q are 1 and the ratio and its interval are 0.

    Raises
    ------
    InvalidParameter
        When lengths differ, a count or exposure is negative or not finite, or a record lies where there is no exposure.

    Notes
    -----
    Given the records of a kind, those at one facility are binomial with its share of the exposure if its rate is that of
    the rest. The interval is that of Clopper and Pearson for its share of records, as odds over the odds of its share
    of exposure. q is Benjamini-Hochberg within the kind.

    Examples
    --------
    >>> found = compare_facilities(np.array([8, 1, 0, 1]), kind=np.zeros(4, int))
    >>> found[["expected", "rate_ratio"]].round(3).values[0].tolist()
    [2.5, 12.0]
    """
    records, kind = np.asarray(records, np.int64), np.asarray(kind)
    exposure = np.ones(len(records)) if exposure is None else np.asarray(exposure, float)
    _check(records, kind, exposure)
    result = pd.DataFrame(0.0, index=pd.RangeIndex(len(records)), columns=list(COMPARISON_COLUMNS))
    result = result.astype({"records": np.int64, "tested": bool})
    result["records"] = records
    columns = list(COMPARISON_COLUMNS[1:])
    for code in np.unique(kind):
        rows = np.flatnonzero(kind == code)
        result.iloc[rows, 1:] = _within_kind(records[rows], exposure[rows], alpha)[columns].to_numpy()
    return result.astype({"tested": bool} | dict.fromkeys(columns[:-1], float))


def _check(records: Ints, kind: Ints, exposure: Floats) -> None:
    """Refuse what cannot be counts and exposures of the same facilities."""
    if not len(records) == len(kind) == len(exposure):
        raise InvalidParameter(
            f"{len(records)} counts, {len(kind)} kinds and {len(exposure)} exposures must be as many."
        )
    if (records < 0).any() or not (np.isfinite(exposure) & (exposure >= 0)).all():
        raise InvalidParameter("Records and exposure must be 0 or more and finite.")
    if (records[exposure == 0] > 0).any():
        raise InvalidParameter("A facility with records has exposure 0; give its exposure or leave its records out.")


def _within_kind(records: Ints, exposure: Floats, alpha: float) -> pd.DataFrame:
    """Compare the facilities of one kind."""
    total = int(records.sum())
    share = exposure / (exposure.sum() or 1.0)
    comparable = (total > 0) & (share > 0) & (share < 1)
    found = exact_test(records, np.where(comparable, share, 0.0), total, alpha=alpha)
    # ratio of rates to the rest = odds of its share of records over odds of its share of exposure
    ratio, low, high = (
        _odds_ratio(value, share, comparable)
        for value in (records / max(total, 1), found.ratio_low * share, found.ratio_high * share)
    )
    return pd.DataFrame(
        {
            "expected": total * share,
            "rate_ratio": ratio,
            "ratio_low": low,
            "ratio_high": high,
            "p_value": found.p_value,
            "q_value": found.q_value,
            "tested": comparable,
        }
    )


def _odds_ratio(part: Floats, share: Floats, comparable: NDArray[np.bool_]) -> Floats:
    """Odds of ``part`` over odds of ``share``; infinite for all of the records, 0 where nothing is compared."""
    result = np.zeros(len(part))
    whole = comparable & (part >= 1)
    result[whole] = np.inf
    some = comparable & ~whole
    result[some] = part[some] / (1 - part[some]) * (1 - share[some]) / share[some]
    return result


def concentration(records: Ints, *, share: float = 0.8, draws: int = 999, seed: int) -> Concentration:
    """Say how few facilities hold most of the records, and how few would by chance alone.

    Parameters
    ----------
    records : ndarray of int64, shape (n,)
        Records of each facility of one kind.
    share : float
        Share of the records, above 0 and at most 1.
    draws : int
        Multinomial draws with equal rates.
    seed : int

    Returns
    -------
    Concentration
        All zero with p 1 where there is no facility or no record.

    Raises
    ------
    InvalidParameter
        When a count is negative, ``share`` is out of range or ``draws`` is below 1.

    Notes
    -----
    With c records at n facilities at most min(c, n) of them can have any, so the Lorenz curve is compared with the line
    of that maximum and not with the diagonal (Bernasco and Steenbeek 2017): G' = max(1/c, 1/n) (2 sum(i y_i) -
    n - 1) - max(n/c, 1) + 1, with y_i the shares of records in rising order. It is the ordinary Gini when
    records are at least as many as facilities. Equal rates still give a Gini above 0, hence the draws.

    Examples
    --------
    >>> found = concentration(np.array([8, 1, 1, 0, 0]), draws=99, seed=1)
    >>> found.facilities_needed, found.cumulative.round(1).tolist(), round(found.gini, 2)
    (1, [0.8, 0.9, 1.0, 1.0, 1.0], 0.68)
    """
    records = np.asarray(records, np.int64)
    if (records < 0).any() or not 0 < share <= 1 or draws < 1:
        raise InvalidParameter(f"Records must be 0 or more, share {share} above 0 to 1 and draws {draws} 1 or more.")
    count, total = len(records), int(records.sum())
    if not total:
        return Concentration(np.zeros(count), 0, 0.0, 0.0, 0.0, 0.0, 1.0)
    equal = np.random.default_rng(seed).multinomial(total, np.full(count, 1 / count), size=draws)
    own_gini, gini = float(_gini(records[None, :])[0]), _gini(equal)
    needed = int(_needed(records[None, :], share)[0])
    return Concentration(
        cumulative=np.cumsum(np.sort(records)[::-1]) / total,
        facilities_needed=needed,
        share_needed=needed / count,
        share_needed_equal=float(_needed(equal, share).mean() / count),
        gini=own_gini,
        gini_equal=float(gini.mean()),
        p_value=float((1 + (gini >= own_gini - 1e-12).sum()) / (draws + 1)),
    )


def _gini(records: Ints) -> Floats:
    """Generalised Gini of every row: area between the Lorenz curve and the line of greatest possible evenness."""
    count, total = records.shape[1], records[0].sum()
    rising = np.sort(records, axis=1) @ np.arange(1, count + 1)
    result: Floats = max(1 / total, 1 / count) * (2 * rising / total - count - 1) - max(count / total, 1) + 1
    return result


def _needed(records: Ints, share: float) -> Ints:
    """Facilities with most records that together hold the share, of every row."""
    held = np.cumsum(np.sort(records, axis=1)[:, ::-1], axis=1)
    # a share such as 0.8 of 10 is not exactly 8
    return (held < share * held[:, -1:] - 1e-9).sum(axis=1) + 1
