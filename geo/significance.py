"""Hot or not: the exact test of what was counted round a cell against what its exposure leads one to expect.

Sources: Clopper and Pearson (1934), *The use of confidence or fiducial limits*; Benjamini and Hochberg (1995),
*Controlling the false discovery rate*. Tails and quantiles of the binomial are those of the incomplete beta function
(DLMF 8.17.5).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaincinv

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class WindowTest:
    """Exact test of every window, arrays of shape (n,).

    Parameters
    ----------
    observed : ndarray of int64
        Records in the window.
    expected : ndarray of float
        All records times the window's share of the exposure.
    rate_ratio, ratio_low, ratio_high : ndarray of float
        Observed over expected with its exact interval; 0 where nothing is expected (see ``tested``).
    p_value : ndarray of float
        Probability of so many records or more, had they fallen by exposure alone.
    q_value : ndarray of float
        Benjamini-Hochberg over the tested windows.
    tested : ndarray of bool
        False where the window has no exposure at all: there is nothing to compare it with, and p and q are 1.
    """

    observed: NDArray[np.int64]
    expected: Floats
    rate_ratio: Floats
    ratio_low: Floats
    ratio_high: Floats
    p_value: Floats
    q_value: Floats
    tested: NDArray[np.bool_]


def exact_test(observed: NDArray[np.int64], share: Floats, total: int, *, alpha: float = 0.05) -> WindowTest:
    """Test every window's count against its share of the exposure.

    Parameters
    ----------
    observed : ndarray of int64, shape (n,)
        Records in each window.
    share : ndarray of float, shape (n,)
        The window's share of all exposure, 0 to 1.
    total : int
        Records in the study area.
    alpha : float
        One minus the level of the intervals.

    Returns
    -------
    WindowTest

    Notes
    -----
    Given ``total``, a window's count under the null is binomial whatever the overall rate is. The interval is that of
    Clopper and Pearson for the window's share of records, divided by its share of exposure.

    Examples
    --------
    >>> exact_test(np.array([6, 0]), np.array([0.01, 0.5]), 60).p_value.round(6).tolist()
    [3.2e-05, 1.0]
    """
    observed, share = np.asarray(observed, np.int64), np.clip(np.asarray(share, float), 0.0, 1.0)
    tested = share > 0
    expected = total * share
    p_value = upper_tail(observed, total, share)
    p_value[~tested] = 1.0
    low, high = _share_interval(observed, total, alpha)
    safe = np.where(tested, share, 1.0)
    ratio, low, high = (np.where(tested, value / safe, 0.0) for value in (observed / max(total, 1), low, high))
    return WindowTest(observed, expected, ratio, low, high, p_value, benjamini_hochberg(p_value, tested), tested)


def upper_tail(observed: NDArray[np.int64], total: int | NDArray[np.int64], share: Floats) -> Floats:
    """P(X >= observed) for X binomial(total, share); exact, and one where nothing was observed."""
    observed, total, share = np.broadcast_arrays(observed, total, share)
    p_value = np.ones(observed.shape)
    some = observed > 0
    cases, which = _cases(observed[some], total[some], share[some])
    c, n, share = cases
    p_value[some] = betainc(c, n - c + 1, share)[which]
    return p_value


def _cases(
    observed: NDArray[np.int64], total: NDArray[np.int64], share: Floats
) -> tuple[tuple[Floats, Floats, Floats], NDArray[np.int64] | slice]:
    """Distinct cases and which is whose, where all have one share and few counts; else each its own."""
    wide = int(total.max(initial=0)) + 1
    codes = (int(observed.max(initial=0)) + 1) * wide
    if codes > len(observed) or total.min(initial=0) < 0 or (share != share[:1]).any():
        return (observed.astype(float), total.astype(float), share), slice(None)
    code = observed * wide + total
    there = np.bincount(code, minlength=codes) > 0
    distinct = np.flatnonzero(there)
    c, n = np.divmod(distinct, wide)
    return (c.astype(float), n.astype(float), share[: len(distinct)]), (np.cumsum(there) - 1)[code]


def _share_interval(observed: NDArray[np.int64], total: int, alpha: float) -> tuple[Floats, Floats]:
    """Clopper-Pearson interval of observed / total; each distinct count is worked out once."""
    counts, inverse = np.unique(observed, return_inverse=True)
    c = counts.astype(float)
    low, high = np.zeros(len(c)), np.ones(len(c))
    some, short = c > 0, c < total
    low[some] = betaincinv(c[some], total - c[some] + 1, alpha / 2)
    high[short] = betaincinv(c[short] + 1, total - c[short], 1 - alpha / 2)
    return low[inverse], high[inverse]


def benjamini_hochberg(p_value: Floats, tested: NDArray[np.bool_] | None = None) -> Floats:
    """Adjusted p-values that control the false discovery rate; 1 where ``tested`` is False.

    Examples
    --------
    >>> benjamini_hochberg(np.array([0.01, 0.04, 0.03, 0.5])).round(4).tolist()
    [0.04, 0.0533, 0.0533, 0.5]
    """
    p_value = np.asarray(p_value, float)
    q_value = np.ones(p_value.shape)
    where = np.ones(p_value.shape, bool) if tested is None else tested
    p = p_value[where]
    order = np.argsort(p, kind="stable")
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    q_value[where] = adjusted
    return q_value
