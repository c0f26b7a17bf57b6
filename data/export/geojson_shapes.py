"""The geometries of a GeoJSON file as text: six decimals, longitude first, right-hand rule, and as valid as before.

Most of what leaves are H3 cells, and rounding to a tenth of a metre leaves a cell convex. A ring that is strictly convex
after rounding needs no repair, and so much is seen for many rings at once; every other shape goes through GEOS.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from geo.disclosure import COORDINATE_DECIMALS
from geo.errors import DisclosureError

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_POLYGON: Final = 3
_TYPES: Final = {
    0: b"Point",
    1: b"LineString",
    _POLYGON: b"Polygon",
    4: b"MultiPoint",
    5: b"MultiLineString",
    6: b"MultiPolygon",
}
_DEGREES: Final = np.array([180.0, 90.0])
# Points of a closed ring: a triangle has four; an H3 cell has ten corners where edges of the icosahedron cross it.
_RING_POINTS: Final = range(4, 12)
# As a share of the two products whose difference says which way a corner turns: a thousand times the error of rounding.
_SAFE_TURN: Final = 1e-12


class Written(NamedTuple):
    """The text of each geometry, and the least and greatest longitude and latitude in them; infinite without any."""

    texts: list[bytes]
    low: Floats
    high: Floats


def write_shapes(geometries: Geometries) -> Written:
    """Return WGS 84 geometries as JSON; what is missing or empty is null."""
    texts, rest = np.empty(len(geometries), object), np.ones(len(geometries), bool)
    low, high = np.full(2, np.inf), np.full(2, -np.inf)
    for where, rings in _convex_rings(geometries):
        texts[where], rest[where] = _polygons(rings), False
        low, high = np.fmin(low, rings.min(axis=(1, 2))), np.fmax(high, rings.max(axis=(1, 2)))
    if rest.any():
        rounded = _rounded(geometries[rest])
        bounds = shapely.total_bounds(rounded)
        low, high = np.fmin(low, bounds[:2]), np.fmax(high, bounds[2:])
        texts[rest] = _encode(rounded)
    return Written(texts.tolist(), low, high)


def _convex_rings(geometries: Geometries) -> Iterator[tuple[NDArray[np.intp], Floats]]:
    """Yield polygons of one small ring that is convex after rounding: where they are, and their (2, points, n) degrees."""
    single = (shapely.get_type_id(geometries) == _POLYGON) & (shapely.get_num_interior_rings(geometries) == 0)
    sizes = np.where(single, shapely.get_num_coordinates(geometries), 0)
    for size in np.unique(sizes).tolist():
        if size in _RING_POINTS:
            where = np.flatnonzero(sizes == size)
            points = shapely.get_coordinates(geometries[where]).reshape(-1, size, 2)
            rings = np.ascontiguousarray(points.transpose(2, 1, 0))
            inside = (np.abs(rings).max(axis=1) <= _DEGREES[:, None]).all(axis=0)
            if not inside.all():  # not in degrees at all, or not a number: the way round says so
                where, rings = where[inside], rings[..., inside]
            rings = _round_coordinates(rings, COORDINATE_DECIMALS)
            good = _is_convex(*rings)
            if good.any():
                yield where[good], rings[..., good]


def _is_convex(lon: Floats, lat: Floats) -> Flags:
    """Whether each closed ring (points, n) turns left at every corner and once round: it is simple and counter-clockwise.

    A turn counts only where it is too great for the rounding of the arithmetic to have changed its sign.
    """
    east, north = np.diff(lon, axis=0), np.diff(lat, axis=0)
    one, other = east * np.roll(north, -1, axis=0), north * np.roll(east, -1, axis=0)
    left = (one - other > _SAFE_TURN * (np.abs(one) + np.abs(other))).all(axis=0)
    upward = (north > 0) | ((north == 0) & (east > 0))
    rounds = (upward & ~np.roll(upward, 1, axis=0)).sum(axis=0)
    return np.asarray(left & (rounds == 1), bool)


def _polygons(rings: Floats) -> list[bytes]:
    """Encode rings of one size by a single call, and cut the text between them."""
    head, tail = b'{"type":"Polygon","coordinates":[[[', b"]]]}"
    points = np.ascontiguousarray(rings.transpose(2, 1, 0))
    text = orjson.dumps(points, option=orjson.OPT_SERIALIZE_NUMPY)[3:-3]
    return (head + text.replace(b"]],[[", tail + b"\n" + head) + tail).split(b"\n")


def _rounded(geometries: Geometries) -> Geometries:
    """Round to six decimals (11 cm), 2D, right-hand rule; empty becomes None.

    What rounding would break is snapped to the same grid by GEOS, which keeps it valid; what is too small even for that
    keeps more decimals.
    """
    geometries = np.array(shapely.force_2d(geometries), dtype=object)
    geometries[shapely.is_empty(geometries)] = None
    bounds = shapely.bounds(geometries)
    with np.errstate(invalid="ignore"):
        if (np.abs(bounds) > np.tile(_DEGREES, 2)).any() or np.isinf(bounds).any():
            raise DisclosureError("GeoJSON wants longitude and latitude in degrees; this layer is in something else.")
    result = _round(geometries, COORDINATE_DECIMALS)
    bad = _broken(result, geometries)
    if bad.any():
        result[bad] = _round(shapely.set_precision(geometries[bad], 10.0**-COORDINATE_DECIMALS), COORDINATE_DECIMALS)
        for decimals in (COORDINATE_DECIMALS + 3, COORDINATE_DECIMALS + 6, 17):
            bad[bad] = _broken(result[bad], geometries[bad])
            if not bad.any():
                break
            result[bad] = _round(geometries[bad], decimals)
    return np.asarray(shapely.orient_polygons(result), dtype=object)


def _round(geometries: Geometries, decimals: int) -> Geometries:
    result = shapely.transform(geometries, lambda c: _round_coordinates(c, decimals))
    coordinates = shapely.get_coordinates(result)
    if (coordinates[1:] == coordinates[:-1]).all(axis=1).any():
        valid = shapely.is_valid(result)  # GEOS raises on a ring that collapsed
        result[valid] = shapely.remove_repeated_points(result[valid])
    return np.asarray(result, dtype=object)


def _round_coordinates(coordinates: Floats, decimals: int) -> Floats:
    rounded: Floats = np.round(coordinates, decimals) + 0.0  # + 0.0: no "-0.0"
    return rounded


def _broken(result: Geometries, original: Geometries) -> Flags:
    wrong = ~shapely.is_valid(result) & ~shapely.is_missing(result)
    if wrong.any():
        wrong[wrong] = shapely.is_valid(original[wrong])  # what was invalid before is not ours to change
    lost = shapely.is_empty(result) | (shapely.get_dimensions(result) != shapely.get_dimensions(original))
    return np.asarray(wrong | lost, bool)


def _encode(geometries: Geometries) -> list[bytes]:
    """Encode every coordinate in one call a type and cut the text at the offsets."""
    result = np.full(len(geometries), b"null", dtype=object)
    kinds = shapely.get_type_id(geometries)
    for kind in np.unique(kinds[kinds >= 0]).tolist():
        if kind not in _TYPES:
            raise DisclosureError(f"GeoJSON layers hold no {geometries[kinds == kind][0].geom_type}.")
        where = np.flatnonzero(kinds == kind)
        _, coordinates, offsets = shapely.to_ragged_array(geometries[where], include_z=False)
        points = orjson.dumps(np.ascontiguousarray(coordinates), option=orjson.OPT_SERIALIZE_NUMPY)[2:-2].split(b"],[")
        if offsets:
            first = offsets[0].tolist()
            parts = [b"[[" + b"],[".join(points[a:b]) + b"]]" for a, b in pairwise(first)]
        else:
            parts = [b"[" + point + b"]" for point in points]
        for level in offsets[1:]:
            parts = [b"[" + b",".join(parts[a:b]) + b"]" for a, b in pairwise(level.tolist())]
        head = b'{"type":"' + _TYPES[kind] + b'","coordinates":'
        result[where] = [head + part + b"}" for part in parts]
    pieces: list[bytes] = result.tolist()
    return pieces
