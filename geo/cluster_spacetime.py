"""DBSCAN in metres and days: places that were busy for a while, on distinct points with weights.

Source: Birant and Kut (2007), *ST-DBSCAN: an algorithm for clustering spatial-temporal data*, with time as its one
non-spatial attribute; the conventions are those of ``geo.cluster``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from geo.cluster import NOISE, Clustering
from geo.errors import InvalidParameter

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_DAY_US: Final = 86_400_000_000
_FOREVER_US: Final = 2.0**62
# Candidate pairs are looked at about this many at a time, which bounds memory.
_BLOCK_PAIRS: Final = 2_000_000


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
    by its month has no time that this could use: the caller leaves it out.

    Examples
    --------
    >>> day_us, x_m = 86_400_000_000, np.array([0.0, 1.0, 2.0, 0.0, 1.0, 2.0])
    >>> at_us = np.array([0, 1, 2, 90, 95, 97]) * day_us
    >>> dbscan_spacetime(x_m, np.zeros(6), at_us, eps_m=5, eps_days=2, min_weight=3).labels.tolist()
    [0, 0, 0, -1, -1, -1]
    """
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
    pairs = _Pairs.of(x_m, y_m, at_us, eps_m, round(min(eps_days * _DAY_US, _FOREVER_US)))
    point_labels, core = _label(pairs, total, min_weight)
    return Clustering(point_labels[inverse], np.column_stack([x_m, y_m]), total, point_labels, core, inverse)


@dataclass(frozen=True)
class _Pairs:
    """Finds the neighbours of distinct points in blocks, each small enough for memory.

    Space and time are divided by their thresholds, so that a cube of side 2 round a point holds all its neighbours; what
    the cube holds besides is then left out by exact comparison.
    """

    x_m: Floats
    y_m: Floats
    at_us: Ints
    eps_m: float
    eps_us: int
    scaled: Floats
    tree: cKDTree
    reach: float
    cuts: Ints

    @classmethod
    def of(cls, x_m: Floats, y_m: Floats, at_us: Ints, eps_m: float, eps_us: int) -> "_Pairs":
        metres, us = eps_m or 1.0, eps_us or 1
        scaled = np.column_stack([(x_m - x_m[0]) / metres, (y_m - y_m[0]) / metres, (at_us - at_us[0]) / us])
        rounding = 1e-9 + 8 * np.finfo(float).eps * float(np.abs(scaled).max())
        tree, reach = cKDTree(scaled), 1.0 + rounding
        held = tree.query_ball_point(scaled, reach, p=np.inf, return_length=True)
        cuts = np.append(np.flatnonzero(np.diff(np.cumsum(held) // _BLOCK_PAIRS, prepend=-1)), len(held))
        return cls(x_m, y_m, at_us, eps_m, eps_us, scaled, tree, reach, cuts)

    def blocks(self) -> Iterator[tuple[Ints, Ints]]:
        """Both ends of every neighbouring pair, each pair in both directions and each point with itself."""
        for start, end in pairwise(self.cuts):
            here = cKDTree(self.scaled[start:end])
            found = here.sparse_distance_matrix(self.tree, self.reach, p=np.inf, output_type="ndarray")
            i, j = found["i"] + start, found["j"]
            east_m, north_m = self.x_m[i] - self.x_m[j], self.y_m[i] - self.y_m[j]
            near = east_m * east_m + north_m * north_m <= self.eps_m * self.eps_m
            near &= np.abs(self.at_us[i] - self.at_us[j]) <= self.eps_us
            yield i[near], j[near]


def _label(pairs: _Pairs, total: Floats, min_weight: float) -> tuple[Ints, NDArray[np.bool_]]:
    """Labels and core flags of the points."""
    count = len(total)
    held = np.zeros(count)
    for i, j in pairs.blocks():
        held += np.bincount(i, total[j], minlength=count)
    core = held >= min_weight
    component = np.arange(count)
    borders, cores = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for i, j in pairs.blocks():
        joined = core[i] & core[j] & (i < j)
        component = _merge(component, i[joined], j[joined])
        touched = ~core[i] & core[j]
        borders.append(i[touched])
        cores.append(j[touched])
    labels = np.full(count, NOISE)
    _, first, inverse = np.unique(component[core], return_index=True, return_inverse=True)
    labels[core] = np.argsort(np.argsort(first))[inverse]
    lowest = np.full(count, count)
    np.minimum.at(lowest, np.concatenate(borders), labels[np.concatenate(cores)])
    return np.where(lowest < count, lowest, labels), core


def _merge(component: Ints, i: Ints, j: Ints) -> Ints:
    """Components after points ``i`` and ``j`` have been joined."""
    edges = coo_array((np.ones(len(i), bool), (component[i], component[j])), shape=(len(component), len(component)))
    _, merged = connected_components(edges, directed=False)
    return merged[component].astype(np.int64)
