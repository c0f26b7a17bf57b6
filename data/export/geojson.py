"""RFC 7946 GeoJSON as bytes, some features at a time; each column and all coordinates are encoded in one call.

Source: RFC 7946 (longitude first, WGS 84, counter-clockwise exteriors, no ``crs`` member).
"""

from collections.abc import Iterator, Mapping
from datetime import date, time
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from data.export.geojson_shapes import write_shapes
from geo.disclosure import ReleasedLayer
from geo.errors import DisclosureError

_CHUNK: Final = 2048
_OPTIONS: Final = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_STRICT_INTEGER
_TEXT_OPTIONS: Final = orjson.OPT_INDENT_2 | orjson.OPT_PASSTHROUGH_DATETIME


def write_geojson(layer: ReleasedLayer) -> bytes:
    """Return a released layer as one FeatureCollection; marking, run and audience are its members."""
    return b"".join(geojson_pieces(layer))


def geojson_pieces(layer: ReleasedLayer) -> Iterator[bytes]:
    """Yield the FeatureCollection piece by piece; the bbox comes last, because only then is it known exactly."""
    if not isinstance(layer, ReleasedLayer):
        raise TypeError("only a ReleasedLayer can be exported")
    ids = layer.features["id"].tolist()
    columns = {field.name: _column(layer.features[field.name].to_numpy()) for field in layer.fields}
    template, varying = _template(columns)
    yield orjson.dumps({"type": "FeatureCollection", **layer.metadata})[:-1] + b',"features":['
    low, high, separator = np.full(2, np.inf), np.full(2, -np.inf), b""
    for start in range(0, len(ids), _CHUNK):
        part = slice(start, start + _CHUNK)
        shapes = write_shapes(layer.geometry[part])
        low, high = np.fmin(low, shapes.low), np.fmax(high, shapes.high)
        rows = zip(_encode(ids[part]), shapes.texts, *(_encode(column[part]) for column in varying), strict=True)
        yield separator + b",".join(map(template.__mod__, rows))
        separator = b","
    box = b',"bbox":' + orjson.dumps([*low.tolist(), *high.tolist()]) if np.isfinite(low).all() else b""
    yield b"]" + box + b"}"


def _template(columns: Mapping[str, Any]) -> tuple[bytes, list[Any]]:
    """Return a feature with gaps, and the columns for the gaps; what is the same in every feature is in it already."""
    properties, varying = [], []
    for name, column in columns.items():
        value = b"%b"
        if _is_constant(column):
            value = _encode(column[:1])[0].replace(b"%", b"%%")
        else:
            varying.append(column)
        properties.append(orjson.dumps(name).replace(b"%", b"%%") + b":" + value)
    return b'{"type":"Feature","id":%b,"geometry":%b,"properties":{' + b",".join(properties) + b"}}", varying


def _is_constant(column: Any) -> bool:
    """Whether all values of a column are one number, to the bit (0.0 is not -0.0), one text, or missing."""
    if not len(column):
        return False
    if isinstance(column, np.ndarray):
        return column.tobytes() == column[:1].tobytes() * len(column)
    return (column[0] is None or isinstance(column[0], str)) and column.count(column[0]) == len(column)


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
    pieces = orjson.dumps(values, _text_of, _OPTIONS | _TEXT_OPTIONS)[4:-2].split(b",\n  ")
    if len(pieces) != len(values):
        raise DisclosureError("A property of a released layer is not a plain value.")
    return pieces


def _text_of(value: Any) -> str | None:
    """Return a day or moment, of pandas or not, as ISO 8601; a missing one, which is unlike itself, as null."""
    if isinstance(value, date | time):
        return value.isoformat() if value == value else None
    raise TypeError(f"{type(value).__name__} is not a plain value.")
