"""RFC 7946 GeoJSON as bytes, a chunk of features at a time, each column and all coordinates encoded in one call.

Source: RFC 7946 (longitude first, WGS 84, counter-clockwise exteriors, no ``crs`` member).
"""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import Any, Final

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from geo.disclosure import COORDINATE_DECIMALS, ReleasedLayer
from geo.errors import DisclosureError

Geometries = NDArray[np.object_]

_CHUNK: Final = 2048
_OPTIONS: Final = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_STRICT_INTEGER
_TYPES: Final = {
    0: b"Point",
    1: b"LineString",
    3: b"Polygon",
    4: b"MultiPoint",
    5: b"MultiLineString",
    6: b"MultiPolygon",
}


def write_geojson(layer: ReleasedLayer) -> bytes:
    """Return a released layer as one FeatureCollection; marking, run and audience are its members."""
    return b"".join(geojson_pieces(layer))


def geojson_pieces(layer: ReleasedLayer) -> Iterator[bytes]:
    """Yield the FeatureCollection piece by piece; the bbox comes last, because only then is it known exactly."""
    if not isinstance(layer, ReleasedLayer):
        raise TypeError("only a ReleasedLayer can be exported")
    ids = layer.features["id"].tolist()
    columns = [_column(layer.features[field.name].to_numpy()) for field in layer.fields]
    keys = [orjson.dumps(field.name).replace(b"%", b"%%") + b":%b" for field in layer.fields]
    template = b'{"type":"Feature","id":%b,"geometry":%b,"properties":{' + b",".join(keys) + b"}}"
    yield orjson.dumps({"type": "FeatureCollection", **layer.metadata})[:-1] + b',"features":['
    low, high, separator = np.full(2, np.inf), np.full(2, -np.inf), b""
    for start in range(0, len(ids), _CHUNK):
        part = slice(start, start + _CHUNK)
        rounded = _rounded(layer.geometry[part])
        bounds = shapely.total_bounds(rounded)
        low, high = np.fmin(low, bounds[:2]), np.fmax(high, bounds[2:])
        encoded = (_encode(column[part]) for column in columns)
        rows = zip(_encode(ids[part]), _encode_geometries(rounded), *encoded, strict=True)
        yield separator + b",".join([template % row for row in rows])
        separator = b","
    box = b',"bbox":' + orjson.dumps([*low.tolist(), *high.tolist()]) if np.isfinite(low).all() else b""
    yield b"]" + box + b"}"


def _rounded(geometries: Geometries) -> Geometries:
    """Round to six decimals (11 cm), 2D, right-hand rule; empty becomes None.

    What rounding would break is snapped to the same grid by GEOS, which keeps it valid; what is too small even for that
    keeps more decimals.
    """
    geometries = np.array(shapely.force_2d(geometries), dtype=object)
    geometries[shapely.is_empty(geometries)] = None
    bounds = shapely.bounds(geometries)
    with np.errstate(invalid="ignore"):
        if (np.abs(bounds) > (180, 90, 180, 90)).any() or np.isinf(bounds).any():
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
    result = shapely.transform(geometries, lambda c: np.round(c, decimals) + 0.0)  # + 0.0: no "-0.0"
    coordinates = shapely.get_coordinates(result)
    if (coordinates[1:] == coordinates[:-1]).all(axis=1).any():
        valid = shapely.is_valid(result)  # GEOS raises on a ring that collapsed
        result[valid] = shapely.remove_repeated_points(result[valid])
    return np.asarray(result, dtype=object)


def _broken(result: Geometries, original: Geometries) -> NDArray[np.bool_]:
    wrong = ~shapely.is_valid(result) & ~shapely.is_missing(result)
    if wrong.any():
        wrong[wrong] = shapely.is_valid(original[wrong])  # what was invalid before is not ours to change
    lost = shapely.is_empty(result) | (shapely.get_dimensions(result) != shapely.get_dimensions(original))
    return np.asarray(wrong | lost, bool)


def _encode_geometries(geometries: Geometries) -> list[bytes]:
    """Encode every coordinate of a chunk in one call and cut the text at the offsets."""
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


def _column(values: NDArray[Any]) -> Any:
    """Return a numeric array as it is and anything else as a list of what orjson knows."""
    return np.ascontiguousarray(values) if values.dtype.kind in "iufb" else values.tolist()


def _encode(values: Any) -> list[bytes]:
    """Encode one column's slice by a single call and cut it at the separators; NaN and infinity become null."""
    if not len(values):
        return []
    if isinstance(values, np.ndarray):
        return orjson.dumps(values, option=_OPTIONS)[1:-1].split(b",")
    # Indented output puts each element on its own line, and no JSON string holds a raw line break: the cut is safe.
    pieces = orjson.dumps(_plain(values), option=_OPTIONS | orjson.OPT_INDENT_2)[4:-2].split(b",\n  ")
    if len(pieces) != len(values):
        raise DisclosureError("A property of a released layer is not a plain value.")
    return pieces


def _plain(values: Sequence[Any]) -> list[Any]:
    return [value.isoformat() if isinstance(value, date) else value for value in values]
