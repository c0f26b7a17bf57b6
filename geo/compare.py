"""Two counts side by side: how much more or less, between which bounds, and whether that can be said at all.

Sources: Przyborowski and Wilenski (1940), *Homogeneity of results in testing samples from Poisson series* (given their
sum, one of two Poisson counts is binomial), and the E-test.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from geo.rate_test import check_exposures, e_test

Floats = NDArray[np.float64]

# Fewer records than this on both sides together say nothing, unless the interval does.
MIN_COUNT: Final = 10


class Change(StrEnum):
    """What may be said of two counts."""

    UP = "up"
    DOWN = "down"
    NO_CLEAR_CHANGE = "no_clear_change"
    TOO_FEW = "too_few"


@dataclass(frozen=True)
class CountChange:
    """Change of every pair of counts, arrays of shape (n,).

    Parameters
    ----------
    ratio, low, high : ndarray of float
        Rate after over rate before with its exact interval; infinite where there was none before, NaN where there is none
        on either side.
    p_value : ndarray of float
        Two-sided E-test of one rate behind both counts.
    verdict : ndarray of str
        :class:`Change`.
    """

    ratio: Floats
    low: Floats
    high: Floats
    p_value: Floats
    verdict: NDArray[np.object_]

    def row(self, i: int) -> dict[str, float | str | None]:
        """Return one pair as plain values, None where a ratio is not a number or has no bound."""
        ends = {name: float(getattr(self, name)[i]) for name in ("ratio", "low", "high")}
        plain: dict[str, float | str | None] = {
            name: round(end, 4) if np.isfinite(end) else None for name, end in ends.items()
        }
        return plain | {"p_value": round(float(self.p_value[i]), 6), "verdict": str(self.verdict[i])}


def count_change(
    after: NDArray[np.int64],
    before: NDArray[np.int64],
    *,
    exposure_after: Floats | float = 1.0,
    exposure_before: Floats | float = 1.0,
    alpha: float = 0.05,
) -> CountChange:
    """Compare counts of two periods.

    Parameters
    ----------
    after, before : ndarray of int64, shape (n,)
    exposure_after, exposure_before : ndarray of float, shape (n,), or float
        Days, or whatever the counts are for; above zero.
    alpha : float
        One minus the level of the intervals.

    Returns
    -------
    CountChange
        ``too_few`` where both together are fewer than ten and the interval does not exclude no change.

    Raises
    ------
    InvalidParameter
        When an exposure is zero, negative or not a number.

    Examples
    --------
    >>> [str(word) for word in count_change(np.array([30, 2]), np.array([10, 1])).verdict]
    ['up', 'too_few']
    """
    after, before = np.asarray(after, np.int64), np.asarray(before, np.int64)
    check_exposures(exposure_after, exposure_before)
    scale = np.broadcast_to(np.asarray(exposure_before, float) / np.asarray(exposure_after, float), after.shape)
    a, b = after.astype(float), before.astype(float)
    low, high = np.zeros(len(a)), np.full(len(a), np.inf)
    some, both = after > 0, before > 0
    low[some] = _odds(betaincinv(a[some], b[some] + 1, alpha / 2))
    high[both] = _odds(betaincinv(a[both] + 1, b[both], 1 - alpha / 2))
    ratio = np.full(len(a), np.nan)
    ratio[some] = np.inf
    ratio[both] = a[both] / b[both]
    low, high, ratio = low * scale, high * scale, ratio * scale
    verdict = np.where(after + before < MIN_COUNT, Change.TOO_FEW, Change.NO_CLEAR_CHANGE).astype(object)
    verdict[low > 1] = Change.UP
    verdict[high < 1] = Change.DOWN
    return CountChange(ratio, low, high, _e_tests(after, before, scale), verdict)


def _e_tests(after: NDArray[np.int64], before: NDArray[np.int64], scale: Floats) -> Floats:
    """E-test of each pair; ``scale`` is the exposure before over that after."""
    each = zip(after.tolist(), before.tolist(), scale.tolist(), strict=True)
    return np.asarray([e_test(a, b, n2=s) for a, b, s in each], float)


def _odds(share: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        return share / (1 - share)
