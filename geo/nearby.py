"""What lies near which points: discs by a grid of sorted keys, in chunks of bounded size; shapes by compiled loops."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.nearby_outlines import outlines

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Candidate pairs held at once: 2 million are about 100 MB with what is worked out from them.
CHUNK_PAIRS: Final = 2_000_000
_SMALLEST_M: Final = 16.0
_MAX_TABLE: Final = 4_000_000


class DiscIndex:
    """Discs sorted into grids of squares, one grid for each doubling of their radius.

    Parameters
    ----------
    centres_m : ndarray of float, shape (m, 2)
        Finite metres.
    radius_m : ndarray of float, shape (m,)

    Examples
    --------
    >>> index = DiscIndex(np.array([[0.0, 0.0], [90.0, 0.0]]), np.array([10.0, 10.0]))
    >>> [(p.tolist(), d.tolist()) for p, d, _ in index.within(np.array([[15.0, 0.0]]), 6.0)]
    [([0], [0])]
    """

    def __init__(self, centres_m: Floats, radius_m: Floats) -> None:
        self._centres_m, self._radius_m = np.asarray(centres_m, float), np.asarray(radius_m, float)
        size = np.ceil(np.log2(np.maximum(self._radius_m, _SMALLEST_M) / _SMALLEST_M)).astype(np.int64)
        self._classes = [np.flatnonzero(size == one) for one in np.unique(size)]

    def within(self, points_m: Floats, distance_m: float) -> Iterator[tuple[Ints, Ints, Floats]]:
        """Yield (point, disc, distance to its centre) of all discs that come within a distance of each point.

        Parameters
        ----------
        points_m : ndarray of float, shape (n, 2)
        distance_m : float

        Yields
        ------
        point, disc : ndarray of int64
        centre_m : ndarray of float
            Every pair of a point is in one chunk; points come in ascending order from chunk to chunk.
        """
        grids = [
            _Grid(self._centres_m, discs, distance_m + float(self._radius_m[discs].max())) for discs in self._classes
        ]
        if not grids or not len(points_m):
            return
        x_m, y_m = np.ascontiguousarray(points_m.T)
        disc_x_m, disc_y_m = np.ascontiguousarray(self._centres_m.T)
        found = [grid.ranges(points_m) for grid in grids]
        candidates = np.cumsum(sum((stop - start).sum(axis=1) for start, stop in found))
        begin = 0
        while begin < len(points_m):
            before = candidates[begin - 1] if begin else 0
            end = max(begin + 1, int(np.searchsorted(candidates, before + CHUNK_PAIRS, side="right")))
            parts = [
                grid.expand(start[begin:end], stop[begin:end]) for grid, (start, stop) in zip(grids, found, strict=True)
            ]
            point = np.concatenate([own for own, _ in parts]) + begin
            disc = np.concatenate([own for _, own in parts])
            apart_m = np.hypot(x_m[point] - disc_x_m[disc], y_m[point] - disc_y_m[disc])
            near = np.flatnonzero(apart_m <= distance_m + self._radius_m[disc])
            yield point[near], disc[near], apart_m[near]
            begin = end


class _Grid:
    """Discs of similar radius by square; three by three squares hold all that may be near a point."""

    def __init__(self, centres_m: Floats, discs: Ints, side_m: float) -> None:
        self._side_m = max(side_m, 1e-6)
        square = np.floor(centres_m[discs] / self._side_m).astype(np.int64)
        self._low = square.min(axis=0) - 1
        self._width = int(np.ptp(square[:, 0])) + 3
        self._height = int(np.ptp(square[:, 1])) + 3
        keys = self._keys(square)
        order = np.argsort(keys, kind="stable")
        self._discs, self._sorted = discs[order], keys[order]
        squares = self._width * self._height
        # Where the squares are few, a table says at once what a search would.
        self._first = np.searchsorted(self._sorted, np.arange(squares + 1)) if squares <= _MAX_TABLE else None

    def _keys(self, square: Ints) -> Ints:
        return (square[:, 1] - self._low[1]) * self._width + square[:, 0] - self._low[0]

    def ranges(self, points_m: Floats) -> tuple[Ints, Ints]:
        """Start and stop among the sorted discs, for the three rows of squares round each point; shape (n, 3)."""
        square = np.floor(points_m / self._side_m).astype(np.int64)
        column = square[:, 0] - self._low[0]
        outside = (column < 0) | (column >= self._width)
        first = np.clip(column - 1, 0, self._width - 1)
        last = np.clip(column + 1, 0, self._width - 1)
        start, stop = np.zeros((len(points_m), 3), np.int64), np.zeros((len(points_m), 3), np.int64)
        for i, shift in enumerate((-1, 0, 1)):
            row = square[:, 1] - self._low[1] + shift
            nowhere = outside | (row < 0) | (row >= self._height)
            row = np.where(nowhere, 0, row) * self._width
            start[:, i] = self._position(row + first)
            stop[:, i] = self._position(row + last + 1)
            stop[nowhere, i] = start[nowhere, i]
        return start, stop

    def _position(self, key: Ints) -> Ints:
        return np.searchsorted(self._sorted, key) if self._first is None else self._first[key]

    def expand(self, start: Ints, stop: Ints) -> tuple[Ints, Ints]:
        """(point, disc) of every candidate in the ranges."""
        count = (stop - start).ravel()
        point = np.repeat(np.arange(len(start)), (stop - start).sum(axis=1))
        within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        return point, self._discs[np.repeat(start.ravel(), count) + within]


def features_within(points_m: Floats, geometry_m: NDArray[np.object_], distance_m: float) -> tuple[Ints, Ints]:
    """Pairs of a point and a feature at most so far from it, by point and feature.

    Parameters
    ----------
    points_m : ndarray of float, shape (n, 2)
        What is not finite is near nothing.
    geometry_m : ndarray of shapely geometry, shape (f,)
        Metres, of any type.
    distance_m : float

    Returns
    -------
    point, feature : ndarray of int64

    Notes
    -----
    The same pairs as a spatial join with ``dwithin``: where rounding could decide, shapely does. The first join of a process
    imports numba, and compiles the loops if they were not kept (:mod:`geo.nearby_kernel`).

    Examples
    --------
    >>> park = np.array([shapely.box(0, 0, 100, 100)])
    >>> features_within(np.array([[50.0, 120.0], [50.0, 130.0]]), park, 25.0)[0].tolist()
    [0]
    """
    finite = np.isfinite(points_m[:, 0]) & np.isfinite(points_m[:, 1])
    if not finite.any() or not len(geometry_m) or not distance_m >= 0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    from geo.nearby_kernel import join

    kept = np.flatnonzero(finite)
    own_m = np.ascontiguousarray(points_m, float).take(kept, axis=0)

    def ask(point: Ints, feature: Ints) -> NDArray[np.bool_]:
        return shapely.dwithin(geometry_m[feature], shapely.points(own_m[point]), distance_m)

    point, feature = join(own_m, outlines(geometry_m), distance_m, ask)
    return kept[point], feature
