"""Points, lines and rings of many features as flat arrays, fit to be written into a vector tile."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, Self

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.errors import InvalidParameter
from maps.ragged import Offsets, offsets_of, owners, take_rows


class Kind(IntEnum):
    """What a feature consists of; the numbers are those of the vector tile specification."""

    NOTHING = 0
    POINT = 1
    LINE = 2
    POLYGON = 3


# By shapely's number of a type: point, line, ring, polygon.
_KINDS: Final = (Kind.POINT, Kind.LINE, Kind.LINE, Kind.POLYGON)


@dataclass(frozen=True, eq=False)
class TileGeometry:
    """Features of a tile, or of a whole index in its own units; y grows to the south.

    Parameters
    ----------
    xy : ndarray, shape (v, 2)
        Vertices; rings without the closing one.
    pieces : ndarray of int, shape (p + 1,)
        Where each piece begins in ``xy``: a ring, a line, or all points of one feature.
    features : ndarray of int, shape (n + 1,)
        Where each feature begins among the pieces.
    kind : ndarray of uint8, shape (n,)
        `Kind` of each feature.
    hole : ndarray of bool, shape (p,)
        Whether a ring is a hole; holes follow the ring that they are in.
    """

    xy: NDArray[Any]
    pieces: Offsets
    features: Offsets
    kind: NDArray[np.uint8]
    hole: NDArray[np.bool_]

    @classmethod
    def of(cls, geometry: NDArray[np.object_]) -> Self:
        """Take geometries apart; a feature without geometry has no pieces.

        Raises
        ------
        InvalidParameter
            When one is a mixture of points, lines and polygons.
        """
        parts, feature = shapely.get_parts(np.asarray(geometry, object), return_index=True)
        return cls.of_parts(parts, feature, len(geometry))

    @classmethod
    def of_parts(cls, parts: NDArray[np.object_], feature: Offsets, count: int) -> Self:
        """Take simple geometries apart, each a part of one of so many features; parts of a feature lie together.

        Raises
        ------
        InvalidParameter
            When a feature is a mixture of points, lines and polygons.
        """
        parts, feature = parts[~shapely.is_empty(parts)], feature[~shapely.is_empty(parts)]
        types = shapely.get_type_id(parts)
        if (types >= len(_KINDS)).any():
            raise InvalidParameter("A collection of geometries has no place in a tile: give its parts one by one.")
        part_kind = np.array(_KINDS, np.uint8)[types]
        kind = np.zeros(count, np.uint8)
        kind[feature] = part_kind
        if (kind[feature] != part_kind).any():
            raise InvalidParameter("A feature of a tile is of points, of lines or of polygons, not a mixture.")
        pieces, part, hole = _pieces(parts, part_kind)
        xy, piece = shapely.get_coordinates(pieces, return_index=True)
        counts = np.bincount(piece, minlength=len(pieces))
        polygon = (part_kind == Kind.POLYGON)[part]
        xy = np.delete(xy, np.cumsum(counts)[polygon] - 1, axis=0)  # the closing vertices
        owner = feature[part]
        again = np.zeros(len(pieces), bool)  # a further point of the same feature is no piece of its own
        again[1:] = (owner[1:] == owner[:-1]) & (kind[owner[1:]] == Kind.POINT)
        starts = np.append(offsets_of(counts - polygon)[:-1][~again], len(xy))
        per_feature = np.bincount(owner[~again], minlength=len(kind))
        return cls(xy, starts, offsets_of(per_feature), kind, hole[~again])

    def __len__(self) -> int:
        """Return the number of features."""
        return len(self.kind)

    def take(self, rows: Offsets) -> "TileGeometry":
        """Return some features, in the order asked for."""
        pieces, features = take_rows(self.features, rows)
        vertices, starts = take_rows(self.pieces, pieces)
        return TileGeometry(self.xy[vertices], starts, features, self.kind[rows], self.hole[pieces])

    def joined(self, other: "TileGeometry") -> "TileGeometry":
        """Return these features and then the others."""
        return TileGeometry(
            np.concatenate([self.xy, other.xy]),
            np.concatenate([self.pieces, other.pieces[1:] + self.pieces[-1]]),
            np.concatenate([self.features, other.features[1:] + self.features[-1]]),
            np.concatenate([self.kind, other.kind]),
            np.concatenate([self.hole, other.hole]),
        )

    def boxes(self) -> NDArray[Any]:
        """Least x and y and greatest x and y of each feature, shape (4, n); 0 for one without vertices."""
        some = self.kind != Kind.NOTHING
        boxes = np.zeros((4, len(self)), self.xy.dtype)
        if some.any():
            first = self.pieces[self.features[:-1][some]]
            boxes[:2, some] = np.minimum.reduceat(self.xy, first).T
            boxes[2:, some] = np.maximum.reduceat(self.xy, first).T
        return boxes

    def as_shapes(self) -> NDArray[np.object_]:
        """Put the features together again, each a collection of points, lines or polygons."""
        shapes = np.full(len(self), None, object)
        for kind in (Kind.POINT, Kind.LINE, Kind.POLYGON):
            rows = np.flatnonzero(self.kind == kind)
            if len(rows):
                shapes[rows] = _assembled(self.take(rows), kind)
        return shapes


def _assembled(geometry: TileGeometry, kind: Kind) -> NDArray[np.object_]:
    """Features of one kind as shapes."""
    feature, piece = owners(geometry.features), owners(geometry.pieces)
    if kind == Kind.POINT:
        shapes = shapely.multipoints(shapely.points(geometry.xy), indices=feature[piece])
    elif kind == Kind.LINE:
        shapes = shapely.multilinestrings(shapely.linestrings(geometry.xy, indices=piece), indices=feature)
    else:
        rings = shapely.linearrings(geometry.xy, indices=piece)
        polygons = shapely.polygons(rings, indices=np.cumsum(~geometry.hole) - 1)
        shapes = shapely.multipolygons(polygons, indices=feature[~geometry.hole])
    return np.asarray(shapes, object)


def _pieces(
    parts: NDArray[np.object_], kind: NDArray[np.uint8]
) -> tuple[NDArray[np.object_], Offsets, NDArray[np.bool_]]:
    """Rings of polygons, and lines and points as they are, with the part each is of and whether it is a hole."""
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    plain = np.flatnonzero(kind != Kind.POLYGON)
    hole = np.zeros(len(rings) + len(plain), bool)
    hole[1 : len(rings)] = ring_part[1:] == ring_part[:-1]
    part = np.concatenate([ring_part, plain])
    order = np.argsort(part, kind="stable")
    return np.concatenate([rings, parts[plain]])[order], part[order], hole[order]
