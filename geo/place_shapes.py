"""Reference features cut into simple shapes whose blurred density is known in closed form.

A record speaks of a feature; its true position lies anywhere on it with equal chance; its stated position is blurred by a
Gaussian. The density of stated positions is then the feature's own uniform density convolved with the Gaussian, exact for a
segment and a square. A small shape seen from afar is a Gaussian of the same moments, and a large one seen sharply is its
edge: ``Phi(signed distance / sigma) / area``. Each shape says for which blur it holds, so that every feature is covered
once at any blur. Against simulated positions the density is within a fifth for houses, premises, streets, gates and long or round parks;
at the corners of a large angular park, and within a blur of its edge, it may be up to three times too high (tests hold both).
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from enum import IntEnum
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.model import SIGMAS_IN_95_PERCENT_RADIUS, FeatureKind
from geo.reference import Reference

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# How far from a feature people still mean it, as the sigma of a Gaussian: the pavement outside a takeaway, the
# railings of a park, half the width of a street.
REACH_M: Final = {
    FeatureKind.PARKS: 10.0,
    FeatureKind.PREMISES: 8.0,
    FeatureKind.BUILDINGS: 4.0,
    FeatureKind.ROADS: 4.0,
}
# What a bare point stands for: the half-width of the park, premises or building round it.
# A record known no better than this names nothing of the kind, however alone it stands; of such records the kind is
# weighed in whole squares, as a crowd without names.
MAX_PRECISION_M: Final = {
    FeatureKind.PARKS: 250.0,
    FeatureKind.PREMISES: 100.0,
    FeatureKind.BUILDINGS: 50.0,
    FeatureKind.ROADS: 250.0,
}
CROWD: Final = -1
POINT_SPREAD_M: Final = {
    FeatureKind.PARKS: 50.0,
    FeatureKind.PREMISES: 6.0,
    FeatureKind.BUILDINGS: 4.0,
    FeatureKind.ROADS: 10.0,
}
GATE_SPREAD_M: Final = 5.0
SEGMENT_M: Final = 100.0
# From this many times smaller than the blur on, the moments of a shape are enough.
_FAR: Final = 3.5
_FAR_OF_COARSE: Final = 2.0
# Reach alone blurs a smaller shape enough.
_SMALL_M: Final = 40.0
_SQUARES_ACROSS: Final = 8
_EVERY_BLUR: Final = np.inf
_CROWD_SIDE_M: Final = {FeatureKind.BUILDINGS: 30.0, FeatureKind.PREMISES: 60.0}


class Shape(IntEnum):
    """What a part is drawn as."""

    BLOB = 0
    SEGMENT = 1
    SQUARE = 2
    EDGE = 3


@dataclass(frozen=True)
class Parts:
    """Simple shapes in metres; columns of equal length m.

    Parameters
    ----------
    feature : ndarray of int64
        ``CROWD`` for squares that stand for all the buildings or premises in them.
    shape : ndarray of int64
        Values of :class:`Shape`.
    mass : ndarray of float
        Prior probability that a record speaks of this part.
    centre_m : ndarray of float, shape (m, 2)
    radius_m : ndarray of float
        Of the disc round the centre that holds the part.
    form : ndarray of float, shape (m, 4)
        Blob: variances xx, xy, yy. Segment: half of its vector dx, dy. Square: half of its side. Edge: nothing.
    reach_m : ndarray of float
    from_sigma_m, to_sigma_m : ndarray of float
        The part counts for records whose own sigma lies in [from, to).
    """

    feature: Ints
    shape: Ints
    mass: Floats
    centre_m: Floats
    radius_m: Floats
    form: Floats
    reach_m: Floats
    from_sigma_m: Floats
    to_sigma_m: Floats

    @classmethod
    def of(cls, reference: Reference) -> "Parts":
        """Cut every feature of a reference into parts."""
        dimension = shapely.get_dimensions(reference.geometry_m)
        named = cls.joined(
            [
                _blobs(reference, np.flatnonzero(dimension == 0)),
                _segments(reference, np.flatnonzero(dimension == 1)),
                *_polygons(reference, np.flatnonzero(dimension == 2)),
            ]
        )
        crowds = [_crowd(reference, kind, side_m) for kind, side_m in _CROWD_SIDE_M.items()]
        return cls.joined([_named_to_the_limit(reference, named), *crowds])

    @classmethod
    def joined(cls, several: Sequence["Parts"]) -> "Parts":
        """All parts of several."""
        return cls(*(np.concatenate([getattr(one, f.name) for one in several]) for f in fields(cls)))

    def take(self, rows: NDArray) -> "Parts":
        """Some of the parts, by number or by flag."""
        return Parts(*(getattr(self, f.name)[rows] for f in fields(self)))


def _parts(
    reference: Reference,
    feature: Ints,
    shape: Shape,
    share: Floats,
    centre_m: Floats,
    radius_m: Floats,
    form: list[Floats],
    blur_m: tuple[Floats | float, Floats | float] = (0.0, _EVERY_BLUR),
) -> Parts:
    """Parts of one shape; ``share`` is that of the feature's mass, ``blur_m`` the blur with reach that it holds for."""
    count = len(feature)
    padded = np.zeros((count, 4))
    for i, values in enumerate(form):
        padded[:, i] = values
    reach_m = np.asarray([REACH_M[FeatureKind(kind)] for kind in reference.kinds[feature].tolist()], float)
    own = [np.sqrt(np.maximum(np.broadcast_to(blur, count) ** 2 - reach_m**2, 0.0)) for blur in blur_m]
    return Parts(
        feature, np.full(count, int(shape)), reference.mass[feature] * share, centre_m.reshape(count, 2), radius_m, padded,
        reach_m, own[0], own[1],
    )  # fmt: skip


def _blobs(reference: Reference, features: Ints) -> Parts:
    """Points: premises and parks of unknown outline, and gates."""
    points, own = shapely.get_coordinates(reference.geometry_m[features], return_index=True)
    feature = features[own]
    spread_m = np.asarray([POINT_SPREAD_M[FeatureKind(kind)] for kind in reference.kinds[feature].tolist()], float)
    spread_m = np.where(reference.gate[feature], GATE_SPREAD_M, spread_m)
    share = 1.0 / np.bincount(own, minlength=1)[own] if len(own) else np.empty(0)
    variance = spread_m**2
    return _parts(reference, feature, Shape.BLOB, share, points, 2 * spread_m, [variance, np.zeros(len(own)), variance])


def _segments(reference: Reference, features: Ints) -> Parts:
    """Lines, in pieces of at most a hundred metres."""
    lines = shapely.segmentize(reference.geometry_m[features], SEGMENT_M)
    pieces, line = shapely.get_parts(lines, return_index=True)
    points, piece = shapely.get_coordinates(pieces, return_index=True)
    joined = np.flatnonzero(piece[1:] == piece[:-1])
    half = (points[joined + 1] - points[joined]) / 2
    length_m = 2 * np.hypot(half[:, 0], half[:, 1])
    own = line[piece[joined]]
    keep = length_m > 0
    joined, half, length_m, own = joined[keep], half[keep], length_m[keep], own[keep]
    share = length_m / np.maximum(np.bincount(own, length_m, minlength=1)[own], 1e-9)
    return _parts(
        reference, features[own], Shape.SEGMENT, share, points[joined] + half, length_m / 2, [half[:, 0], half[:, 1]]
    )


def _polygons(reference: Reference, features: Ints) -> list[Parts]:
    """Each polygon three ways: sharp edge, squares, and blob, for ever more blur."""
    shapes = reference.geometry_m[features]
    centre_m, variances = _moments(shapes)
    trace, gap = variances[:, 0] + variances[:, 2], variances[:, 0] - variances[:, 2]
    widest = np.sqrt((trace + np.sqrt(gap**2 + 4 * variances[:, 1] ** 2)) / 2)
    extent_m = np.sqrt(12.0) * widest
    side_m = np.sqrt(np.maximum(shapely.area(shapes), 1.0)) / _SQUARES_ACROSS
    # A small shape needs no squares: between its edge and its moments lies little blur.
    coarse = (extent_m > _SMALL_M) & (extent_m / _FAR > 2 * side_m)
    far_m = np.where(coarse, extent_m / _FAR_OF_COARSE, extent_m / _FAR)
    narrow_m = shapely.area(shapes) / np.maximum(2 * shapely.length(shapes), 1e-9)
    sharp_m = np.where(coarse, np.minimum(side_m, narrow_m), far_m)
    ones = np.ones(len(features))
    corners_m, own = shapely.get_coordinates(shapes, return_index=True)
    radius_m = np.zeros(len(features))
    np.maximum.at(radius_m, own, np.hypot(*(corners_m - centre_m[own]).T))
    edges = _parts(reference, features, Shape.EDGE, ones, centre_m, radius_m, [], (0.0, sharp_m))
    blobs = _parts(reference, features, Shape.BLOB, ones, centre_m, 2 * widest, list(variances.T), (far_m, _EVERY_BLUR))
    own, corner, share = _squares(shapes[coarse], side_m[coarse])
    which = np.flatnonzero(coarse)[own]
    half_m = side_m[which] / 2
    squares = _parts(
        reference, features[which], Shape.SQUARE, share, corner + half_m[:, None], half_m * np.sqrt(2), [half_m],
        (sharp_m[which], far_m[which]),
    )  # fmt: skip
    return [edges, squares, blobs]


def _moments(shapes: NDArray[np.object_]) -> tuple[Floats, Floats]:
    """Centre, shape (n, 2), and variances xx, xy, yy, shape (n, 3), of positions spread evenly over each polygon."""
    if not len(shapes):
        return np.empty((0, 2)), np.empty((0, 3))
    rings, polygon = shapely.get_parts(shapes, return_index=True)
    rings, own = shapely.get_rings(shapely.orient_polygons(rings), return_index=True)
    polygon = polygon[own]
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    origin = shapely.get_coordinates(shapely.centroid(shapes))
    xy = xy - origin[polygon[ring]]
    joined = np.flatnonzero(ring[1:] == ring[:-1])
    (ax, ay), (bx, by) = xy[joined].T, xy[joined + 1].T
    cross = ax * by - bx * ay
    of, count = polygon[ring[joined]], len(shapes)
    area = np.maximum(np.bincount(of, cross / 2, minlength=count), 1e-9)
    xx = np.bincount(of, cross * (ax**2 + ax * bx + bx**2) / 12, minlength=count) / area
    xy2 = np.bincount(of, cross * (ax * by + 2 * ax * ay + 2 * bx * by + bx * ay) / 24, minlength=count) / area
    yy = np.bincount(of, cross * (ay**2 + ay * by + by**2) / 12, minlength=count) / area
    return origin, np.column_stack([np.maximum(xx, 1e-6), xy2, np.maximum(yy, 1e-6)])


def _squares(shapes: NDArray[np.object_], side_m: Floats) -> tuple[Ints, Floats, Floats]:
    """Squares that cover each polygon: polygon, lower left corner, and share of the polygon's area."""
    if not len(shapes):
        return np.empty(0, np.int64), np.empty((0, 2)), np.empty(0)
    bounds = shapely.bounds(shapes)
    across = np.ceil((bounds[:, 2:] - bounds[:, :2]) / side_m[:, None]).astype(np.int64)
    count = across.prod(axis=1)
    own = np.repeat(np.arange(len(shapes)), count)
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    column, row = within % across[own, 0], within // across[own, 0]
    corner = bounds[own, :2] + np.column_stack([column, row]) * side_m[own, None]
    boxes = shapely.box(corner[:, 0], corner[:, 1], corner[:, 0] + side_m[own], corner[:, 1] + side_m[own])
    shapely.prepare(shapes)
    touched = shapely.intersects(shapes[own], boxes)
    own, corner, boxes = own[touched], corner[touched], boxes[touched]
    whole = shapely.contains_properly(shapes[own], boxes)
    area = np.where(whole, side_m[own] ** 2, 0.0)
    area[~whole] = shapely.area(shapely.intersection(shapes[own][~whole], boxes[~whole]))
    share = area / np.bincount(own, area)[own]
    keep = area > 0
    return own[keep], corner[keep], share[keep]


def _named_to_the_limit(reference: Reference, named: Parts) -> Parts:
    """Parts that hold for no coarser record than their kind may be named by."""
    worst_m = np.asarray(
        [MAX_PRECISION_M[FeatureKind(kind)] for kind in reference.kinds[named.feature].tolist()], float
    )
    limit = worst_m / SIGMAS_IN_95_PERCENT_RADIUS * (1 + 1e-9)  # the limit itself still names
    return replace(named, to_sigma_m=np.minimum(named.to_sigma_m, limit)).take(named.from_sigma_m < limit)


def _crowd(reference: Reference, kind: FeatureKind, side_m: float) -> Parts:
    mine = np.flatnonzero(reference.kinds == kind)
    centre_m = shapely.get_coordinates(shapely.centroid(reference.geometry_m[mine])) if len(mine) else np.empty((0, 2))
    square, own = np.unique(np.floor(centre_m / side_m), axis=0, return_inverse=True)
    count = len(square)
    half_m = np.full(count, side_m / 2)
    form = np.column_stack([half_m, np.zeros((count, 3))])
    from_sigma = MAX_PRECISION_M[kind] / SIGMAS_IN_95_PERCENT_RADIUS * (1 + 1e-9)
    mass = np.bincount(own.ravel(), reference.mass[mine], minlength=count).astype(float)
    return Parts(
        np.full(count, CROWD), np.full(count, int(Shape.SQUARE)), mass,
        (square + 0.5) * side_m, half_m * np.sqrt(2), form, np.full(count, REACH_M[kind]), np.full(count, from_sigma),
        np.full(count, _EVERY_BLUR),
    )  # fmt: skip
