"""The robust middle of each cluster, and how well it is known."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.model import SIGMAS_IN_95_PERCENT_RADIUS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ROUNDS: Final = 12
# The spatial median of a Gaussian in the plane has 78.5 % of the efficiency of the mean (Brown 1983).
_EFFICIENCY: Final = 0.785
# The median distance from the middle of a Gaussian in the plane, in sigmas.
_MEDIAN_DISTANCE: Final = 1.1774


@dataclass(frozen=True)
class Centres:
    """Middle of each group.

    Parameters
    ----------
    points_m : ndarray of float, shape (g, 2)
    precision_m : ndarray of float, shape (g,)
        Radius that holds the true middle with 95 % probability.
    typical_precision_m : ndarray of float, shape (g,)
        Precision that the records themselves reach: the weighted median.
    """

    points_m: Floats
    precision_m: Floats
    typical_precision_m: Floats


def centres(points_m: Floats, weights: Floats, precision_m: Floats, group: Ints, count: int) -> Centres:
    """Robust middle of each group of positions.

    Parameters
    ----------
    points_m : ndarray of float, shape (n, 2)
    weights, precision_m : ndarray of float, shape (n,)
    group : ndarray of int64, shape (n,)
        0 to count - 1; every group has a position.
    count : int

    Returns
    -------
    Centres

    Notes
    -----
    Weiszfeld's iteration for the spatial median from the weighted mean, then a Cauchy M-estimate, which leaves what lies
    aside out of account. The standard error is that of the spread, at least that of the records' own precision, over the
    effective number of *distinct* positions: a thousand records on one coordinate tell its error no better than one.

    Examples
    --------
    >>> x = np.array([[0.0, 0], [2, 0], [0, 2], [2, 2], [900, 900]])
    >>> centres(x, np.ones(5), np.full(5, 5.0), np.zeros(5, np.int64), 1).points_m.round().tolist()
    [[1.0, 1.0]]
    """
    total = np.bincount(group, weights, minlength=count).astype(float)
    middle = _means(points_m, weights, group, total)
    sigma_m = precision_m / SIGMAS_IN_95_PERCENT_RADIUS
    for _ in range(_ROUNDS):
        pull = weights / np.maximum(_apart(points_m, middle, group), 0.1)
        middle = _means(points_m, pull, group, np.bincount(group, pull, minlength=count).astype(float))
    distinct = _distinct(points_m, weights, group, count)
    spread_m = _spread(points_m, weights, sigma_m, middle, group, distinct)
    for _ in range(_ROUNDS):
        pull = weights / (1 + (_apart(points_m, middle, group) / spread_m[group]) ** 2)
        middle = _means(points_m, pull, group, np.bincount(group, pull, minlength=count).astype(float))
    error_m = _spread(points_m, weights, sigma_m, middle, group, distinct) / np.sqrt(_EFFICIENCY * distinct)
    single = np.bincount(group, minlength=count) == 1
    error_m = np.where(single, np.bincount(group, sigma_m, minlength=count), error_m)
    return Centres(middle, error_m * SIGMAS_IN_95_PERCENT_RADIUS, weighted_medians(precision_m, weights, group, count))


def _means(points_m: Floats, weights: Floats, group: Ints, total: Floats) -> Floats:
    return np.column_stack([np.bincount(group, weights * points_m[:, i], minlength=len(total)) / total for i in (0, 1)])


def _apart(points_m: Floats, middle: Floats, group: Ints) -> Floats:
    return np.hypot(*(points_m - middle[group]).T)


# A spread seen in few records is too small: it is measured round a middle that they chose themselves. Found by simulation.
_SMALL_SAMPLE: Final = (2.0, 6.0)


def _spread(
    points_m: Floats, weights: Floats, sigma_m: Floats, middle: Floats, group: Ints, distinct: Floats
) -> Floats:
    """Sigma of each group by the median distance from its middle, larger for few records, at least the records' own."""
    count = len(middle)
    seen = weighted_medians(_apart(points_m, middle, group), weights, group, count, upper=True) / _MEDIAN_DISTANCE
    seen *= 1 + _SMALL_SAMPLE[0] / distinct + _SMALL_SAMPLE[1] / distinct**2
    return np.maximum(seen, np.maximum(weighted_medians(sigma_m, weights, group, count), 0.05))


def _distinct(points_m: Floats, weights: Floats, group: Ints, count: int) -> Floats:
    """Effective number of distinct positions of each group (Kish)."""
    places, own = np.unique(np.column_stack([group, points_m]), axis=0, return_inverse=True)
    held = np.bincount(own.ravel(), weights)
    of = places[:, 0].astype(np.int64)
    return np.bincount(of, held, minlength=count) ** 2 / np.bincount(of, held**2, minlength=count)


def weighted_medians(values: Floats, weights: Floats, group: Ints, count: int, *, upper: bool = False) -> Floats:
    """Lower, or upper, weighted median of each group."""
    order = np.lexsort((values, group))
    ranked, own = values[order], group[order]
    running = np.cumsum(weights[order])
    ends = np.searchsorted(own, np.arange(count), side="right") - 1
    totals = np.diff(running[ends], prepend=0.0)
    half = running[ends] - totals / 2
    at = np.searchsorted(running, half + (1e-9 if upper else -1e-9) * totals)
    return ranked[np.clip(at, 0, len(ranked) - 1)]
