"""Since when, and still: classes of a cell's history, driven by the exact test of every month.

Names after Esri's emerging hot spot analysis (https://pro.arcgis.com, *How Emerging Hot Spot Analysis works*); its
Mann-Kendall test of Gi* is replaced by exact binomial tests, which sparse counts do not mislead.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

from geo.significance import benjamini_hochberg, upper_tail

MIN_PERIODS: Final = 10
ALWAYS: Final = 0.9
RECENT: Final = 3


class TrendClass(StrEnum):
    """Class of a cell's history; exactly one each."""

    EMERGING = "emerging"
    INTENSIFYING = "intensifying"
    DIMINISHING = "diminishing"
    PERSISTENT = "persistent"
    SPORADIC = "sporadic"
    HISTORIC = "historic"
    NONE = "none"
    INSUFFICIENT_HISTORY = "insufficient_history"


@dataclass(frozen=True)
class Trends:
    """Class of each cell, shape (n,), and in which of the known periods it was hot, shape (n, known periods)."""

    classes: NDArray[np.object_]
    hot: NDArray[np.bool_]


def classify_trends(
    observed: NDArray[np.int64],
    totals: NDArray[np.int64],
    share: NDArray[np.float64],
    present: NDArray[np.bool_],
    *,
    alpha: float = 0.05,
) -> Trends:
    """Class the history of every cell.

    Parameters
    ----------
    observed : ndarray of int64, shape (n, periods)
        Records in the window round each cell in each period.
    totals : ndarray of int64, shape (periods,)
        Records of the whole area.
    share : ndarray of float, shape (n,)
        Share of the exposure in each window; a sum that rounding takes above one counts as one.
    present : ndarray of bool, shape (periods,)
        False where the period is missing: it is left out and never read as zero.
    alpha : float
        False discovery rate over all cells and periods, and level of the test for change.

    Returns
    -------
    Trends

    Notes
    -----
    With fewer than ten known periods every cell has ``insufficient_history``. Else, in this order:

    - ``emerging``: hot in one of the last three periods and never before them;
    - ``intensifying``, ``diminishing``, ``persistent``: hot in at least 90 % of the periods and in the last one; the later
      half of the periods holds significantly more, or fewer, of the window's records than of the area's, or neither
      (exact two-sided binomial test, given the window's total);
    - ``sporadic``: hot in one of the last three periods, and before;
    - ``historic``: hot in at least two earlier periods, not in the last three;
    - ``none``: everything else.

    Examples
    --------
    >>> quiet = classify_trends(np.zeros((1, 12), int), np.full(12, 9), np.array([0.1]), np.ones(12, bool))
    >>> quiet.classes.tolist()
    ['none']
    """
    observed, totals, share = observed[:, present], totals[present], np.clip(share, 0.0, 1.0)
    n, periods = observed.shape
    if periods < MIN_PERIODS:
        return Trends(np.full(n, TrendClass.INSUFFICIENT_HISTORY, object), np.zeros((n, periods), bool))
    p_value = upper_tail(observed, np.broadcast_to(totals, observed.shape), share[:, None])
    tested = np.broadcast_to((share > 0)[:, None] & (totals > 0), observed.shape)
    hot = (benjamini_hochberg(p_value, tested) <= alpha) & tested
    lately, before = hot[:, -RECENT:].any(axis=1), hot[:, :-RECENT].sum(axis=1)
    always = hot[:, -1] & (hot.mean(axis=1) >= ALWAYS)
    more, fewer = _change(observed, totals, alpha)
    rules = [
        (lately & (before == 0), TrendClass.EMERGING),
        (always & more, TrendClass.INTENSIFYING),
        (always & fewer, TrendClass.DIMINISHING),
        (always, TrendClass.PERSISTENT),
        (lately, TrendClass.SPORADIC),
        (before >= 2, TrendClass.HISTORIC),
    ]
    classes = np.full(n, TrendClass.NONE, object)
    for condition, name in reversed(rules):
        classes[condition] = name
    return Trends(classes, hot)


def _change(
    observed: NDArray[np.int64], totals: NDArray[np.int64], alpha: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether the later half of the periods holds more, or fewer, of each window's records than of the area's."""
    half = len(totals) // 2
    late, total = observed[:, half:].sum(axis=1), observed.sum(axis=1)
    everyone = totals.sum()
    expected = np.full(len(total), totals[half:].sum() / everyone if everyone else 0.5)
    upper = upper_tail(late, total, expected)
    lower = np.ones(len(total))
    some = late < total
    lower[some] = betainc((total - late)[some].astype(float), late[some] + 1.0, 1 - expected[some])
    return upper <= alpha / 2, lower <= alpha / 2
