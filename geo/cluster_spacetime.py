"""DBSCAN in metres and days: places that were busy for a while, on distinct points with weights.

Source: Birant and Kut (2007), *ST-DBSCAN: an algorithm for clustering spatial-temporal data*, with time as its one
non-spatial attribute; the conventions are those of ``geo.cluster``.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.cluster import NOISE, Clustering
from geo.errors import InvalidParameter

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_DAY_US: Final = 86_400_000_000
_FOREVER_US: Final = 2.0**62


def dbscan_spacetime(
    x_m: Floats,
    y_m: Floats,
    at_us: Ints,
    *,
    eps_m: float,
    eps_days: float,
    min_weight: float,
    weights: Floats | None = None,
) -> Clustering:
    """Cluster points that are near each other both in space and in time.

    Parameters
    ----------
    x_m, y_m : ndarray of float, shape (n,)
        Projected metres, finite.
    at_us : ndarray of int64, shape (n,)
        Microseconds UTC: the midpoint of each record's interval.
    eps_m : float
        Two points are neighbours when at most this far apart, 0 or more,
    eps_days : float
        and at most this many times 24 hours apart, 0 or more.
    min_weight : float
        Weight among the neighbours (a point's own included) that makes a point core, above 0.
    weights : ndarray of float, shape (n,), optional
        Weight of each row; 1 by default.

    Returns
    -------
    Clustering
        Of the distinct (x_m, y_m, at_us), in this order; ``points_m`` has a place once for each of its times.

    Raises
    ------
    InvalidParameter
        When a threshold is outside its meaning.

    Notes
    -----
    Clusters are numbered by the smallest index of a core point; a border point joins the lowest-numbered cluster with a
    core point among its neighbours. Rows of one place and time share one point and keep their weight. A record known only
    by its month has no time that this could use: the caller leaves it out. Weights are summed as floats: whole numbers,
    halves and the like exactly, others to rounding. The loops are those of ``geo.spacetime_grid``.

    Examples
    --------
    >>> day_us, x_m = 86_400_000_000, np.array([0.0, 1.0, 2.0, 0.0, 1.0, 2.0])
    >>> at_us = np.array([0, 1, 2, 90, 95, 97]) * day_us
    >>> dbscan_spacetime(x_m, np.zeros(6), at_us, eps_m=5, eps_days=2, min_weight=3).labels.tolist()
    [0, 0, 0, -1, -1, -1]
    """
    from geo.spacetime_grid import connect_spacetime  # numba takes half a second to load

    if not (eps_m >= 0 and eps_days >= 0 and min_weight > 0):
        raise InvalidParameter("eps_m and eps_days are 0 or more and min_weight is above 0; correct them")
    x_m, y_m, at_us = np.asarray(x_m, float) + 0.0, np.asarray(y_m, float) + 0.0, np.asarray(at_us, np.int64)  # no -0.0
    weights = np.ones(len(x_m)) if weights is None else np.asarray(weights, float)
    if not x_m.size:
        none = np.empty(0, np.int64)
        return Clustering(none, np.empty((0, 2)), np.empty(0), none, np.empty(0, bool), none)
    order = np.lexsort((weights, at_us, y_m, x_m))  # by weight last: sums of floats depend on their order
    x_m, y_m, at_us = x_m[order], y_m[order], at_us[order]
    starts = np.ones(len(order), bool)
    starts[1:] = (np.diff(x_m) != 0) | (np.diff(y_m) != 0) | (np.diff(at_us) != 0)
    point = np.cumsum(starts) - 1
    inverse = np.empty(len(order), np.int64)
    inverse[order] = point
    total = np.bincount(point, weights[order]).astype(float)
    x_m, y_m, at_us = x_m[starts], y_m[starts], at_us[starts]
    eps_us = round(min(eps_days * _DAY_US, _FOREVER_US))
    core, component = connect_spacetime(x_m, y_m, at_us, total, eps_m=eps_m, eps_us=eps_us, min_weight=min_weight)
    labels = np.where(component < 0, NOISE, np.searchsorted(np.unique(component[core]), component))
    return Clustering(labels[inverse], np.column_stack([x_m, y_m]), total, labels, core, inverse)
