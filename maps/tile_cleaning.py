"""What becomes of geometry in whole units: repeats and what vanished go, and rings turn the right way."""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from maps.ragged import Offsets, offsets_of, owners, sums, take_rows
from maps.tile_geometry import Kind, TileGeometry

# Vertices that a piece needs, by `Kind`.
_LEAST: Final = np.array([1, 1, 2, 3])


def cleaned(geometry: TileGeometry) -> tuple[TileGeometry, Offsets]:
    """Leave out what whole units made vanish, and turn every ring as the specification wants; say which features stay.

    Vertices like the one before go, and with them lines of one place, rings without area (with the holes in them)
    and features of nothing else. Outer rings run clockwise as seen (y grows to the south), holes the other way
    (MVT 2.1, section 4.3.3.3).
    """
    kind = geometry.kind[owners(geometry.features)]
    thin = _without_closing(_without_repeats(geometry, kind == Kind.POINT), kind == Kind.POLYGON)
    area = _areas(thin)
    good = (np.diff(thin.pieces) >= _LEAST[kind]) & ((area != 0) | (kind != Kind.POLYGON))
    outer = np.flatnonzero(~geometry.hole)
    good &= good[outer[np.cumsum(~geometry.hole) - 1]]
    wrong = (kind == Kind.POLYGON) & ((area > 0) == geometry.hole)
    return _only(_turned(thin, wrong), good)


def _without_repeats(geometry: TileGeometry, points: NDArray[np.bool_]) -> TileGeometry:
    """Leave out vertices like the one before in their piece; not in those that are points."""
    x, y = geometry.xy[:, 0], geometry.xy[:, 1]
    keep = np.ones(len(x), bool)
    keep[1:] = (x[1:] != x[:-1]) | (y[1:] != y[:-1])
    keep[geometry.pieces[:-1]] = True
    if points.any():
        keep |= points[owners(geometry.pieces)]
    return _with_vertices(geometry, keep)


def _without_closing(geometry: TileGeometry, rings: NDArray[np.bool_]) -> TileGeometry:
    """Leave out last vertices of rings that are like their first."""
    first, last = geometry.pieces[:-1], geometry.pieces[1:] - 1
    closed = rings & (first < last) & (geometry.xy[first] == geometry.xy[last]).all(axis=1)
    keep = np.ones(len(geometry.xy), bool)
    keep[last[closed]] = False
    return _with_vertices(geometry, keep)


def _with_vertices(geometry: TileGeometry, keep: NDArray[np.bool_]) -> TileGeometry:
    if keep.all():
        return geometry
    pieces = offsets_of(keep.astype(np.int64))[geometry.pieces]
    return replace(geometry, xy=geometry.xy[keep], pieces=pieces)


def _areas(geometry: TileGeometry) -> NDArray[np.int64]:
    """Twice the signed area of each piece as if it were a ring, positive where it runs clockwise as seen."""
    x, y = geometry.xy.T.astype(np.int64)
    after = np.arange(1, len(x) + 1)
    after[geometry.pieces[1:] - 1] = geometry.pieces[:-1]
    return sums(x * y[after] - x[after] * y, geometry.pieces)


def _turned(geometry: TileGeometry, which: NDArray[np.bool_]) -> TileGeometry:
    """Turn some pieces round."""
    if not which.any():
        return geometry
    piece, at = owners(geometry.pieces), np.arange(len(geometry.xy))
    mirrored = (geometry.pieces[:-1] + geometry.pieces[1:] - 1)[piece] - at
    return replace(geometry, xy=geometry.xy[np.where(which[piece], mirrored, at)])


def _only(geometry: TileGeometry, good: NDArray[np.bool_]) -> tuple[TileGeometry, Offsets]:
    """Leave out the other pieces, and the features that have none left."""
    left = sums(good.astype(np.int64), geometry.features)
    kept = np.flatnonzero(left)
    if good.all() and len(kept) == len(geometry):
        return geometry, kept
    vertices, pieces = take_rows(geometry.pieces, np.flatnonzero(good))
    features = offsets_of(left[kept])
    return TileGeometry(geometry.xy[vertices], pieces, features, geometry.kind[kept], geometry.hole[good]), kept
