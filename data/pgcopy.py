"""Columns as the bytes of PostgreSQL's binary COPY, whole columns at a time."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from pyarrow import types as arrow

from geo.errors import StoreError

ROWS_PER_CHUNK: Final = 16_384
_SIGNATURE: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # no flags, no header extension
_TRAILER: Final = b"\xff\xff"
_NOTHING: Final = pa.scalar(b"", pa.large_binary())
_UNFIT: Final = (pa.ArrowException, TypeError, ValueError, OverflowError)

# PostgreSQL's name of a type: Arrow's type, numpy's type on the wire (None where lengths differ) and what a value must be.
_TEXT: Final = (pa.large_string(), None, "Unicode text without NUL characters")
_TYPES: Final[Mapping[str, tuple[pa.DataType, str | None, str]]] = {
    "bool": (pa.bool_(), "u1", "true or false"),
    "int2": (pa.int16(), ">i2", "a whole number from -2^15 to 2^15 - 1"),
    "int4": (pa.int32(), ">i4", "a whole number from -2^31 to 2^31 - 1"),
    "int8": (pa.int64(), ">i8", "a whole number from -2^63 to 2^63 - 1"),
    "float8": (pa.float64(), ">f8", "a number that a double holds, a whole one up to 2^53"),
    "text": _TEXT,
    "varchar": _TEXT,
    "bytea": (pa.large_binary(), None, "bytes"),
    "geometry": (pa.large_binary(), None, "a geometry or its EWKB bytes"),
}


def binary_rows(columns: Mapping[str, Sequence[Any]], types: Mapping[str, str]) -> Iterator[bytes | memoryview]:
    """Equally long columns as binary COPY, ``ROWS_PER_CHUNK`` rows at a time.

    None and the missing values of Arrow and of pandas' nullable types are NULL; NaN among floats stays NaN; geometries are
    Shapely's or EWKB. What is told of a value that does not fit names its column and row and never the value, for the server
    may log it.
    """
    lengths = {len(values) for values in columns.values()}
    if len(lengths) != 1:
        raise ValueError(f"Columns to insert must be equally long, not {sorted(lengths)}.")
    yield _SIGNATURE
    for begin in range(0, lengths.pop(), ROWS_PER_CHUNK):
        parts = {
            name: getattr(values, "iloc", values)[begin : begin + ROWS_PER_CHUNK] for name, values in columns.items()
        }
        yield _rows([_field(_checked(part, types[name], name, begin), types[name]) for name, part in parts.items()])
    yield _TRAILER


def _rows(fields: list[tuple[np.ndarray, np.ndarray | pa.Array]]) -> memoryview:
    """Interleave fields; neighbours of one width travel as one structure, and Arrow joins those with what varies."""
    count = len(fields[0][0])
    fixed = [np.full(count, len(fields), ">i2")]
    pieces = []
    for sizes, values in fields:
        fixed.append(sizes.astype(">i4"))
        if isinstance(values, np.ndarray):
            fixed.append(values)
        else:
            pieces += [_structure(fixed), values]
            fixed = []
    if fixed:
        pieces.append(_structure(fixed))
    joined = pieces[0] if len(pieces) == 1 else pc.binary_join_element_wise(*pieces, _NOTHING)
    ends = _ends(joined)
    return memoryview(joined.buffers()[2])[ends[0] : ends[-1]]


def _structure(arrays: list[np.ndarray]) -> pa.Array:
    row = np.empty(len(arrays[0]), [(str(i), one.dtype) for i, one in enumerate(arrays)])
    for i, one in enumerate(arrays):
        row[str(i)] = one
    return _binary(np.arange(len(row) + 1) * row.itemsize, row)


def _binary(ends: np.ndarray, values: np.ndarray) -> pa.Array:
    buffers = [None, pa.py_buffer(ends.astype(np.int64)), pa.py_buffer(values.tobytes())]
    return pa.Array.from_buffers(pa.large_binary(), len(ends) - 1, buffers)


def _ends(array: pa.Array) -> np.ndarray:
    return np.frombuffer(array.buffers()[1], np.int64)[array.offset : array.offset + len(array) + 1]


def _field(array: pa.Array, kind: str) -> tuple[np.ndarray, np.ndarray | pa.Array]:
    """Length of each value, -1 for NULL, and its bytes: numpy where all are equally long."""
    wire = _TYPES[kind][1]
    null = array.is_null().to_numpy(zero_copy_only=False) if array.null_count else None
    if wire is None:
        filled = array if null is None else array.fill_null(_NOTHING)
        ends = _ends(filled)
        sizes = ends[1:] - ends[:-1]
        return (sizes if null is None else np.where(null, -1, sizes)), filled
    values = (array if null is None else array.drop_null()).to_numpy(zero_copy_only=False).astype(wire)
    if null is None:
        return np.full(len(values), values.itemsize), values
    sizes = np.where(null, 0, values.itemsize)
    return np.where(null, -1, sizes), _binary(np.concatenate([[0], np.cumsum(sizes)]), values)


def _checked(values: Any, kind: str, name: str, begin: int) -> pa.Array:
    if kind not in _TYPES:
        raise StoreError(f"Column {name} has type {kind}, which Lapwing does not write.")
    try:
        return _array(values, kind)
    except _UNFIT:
        fitting: list[pa.Array] = []
    while len(fitting) < len(values):
        try:
            fitting.append(_array(values[len(fitting) : len(fitting) + 1], kind))
        except _UNFIT:
            break
    else:  # each fits by itself: Arrow refuses 1.0 beside a whole number above 2^53
        return pa.concat_arrays(fitting)
    row = begin + len(fitting) + 1
    raise StoreError(f"Column {name}, row {row}: the value must be {_TYPES[kind][2]}. Nothing was stored.")


def _array(values: Any, kind: str) -> pa.Array:
    """Values as Arrow has them without being told the type: told it, Arrow would cut 1.5 to 1 and take text for bytes."""
    given = _ewkb(values) if kind == "geometry" else values
    array = pa.array(given, from_pandas=False)
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if arrow.is_dictionary(array.type):
        array = array.dictionary_decode()
    wanted = _TYPES[kind][0]
    if _family(wanted) == "bytes" and not isinstance(given, pa.Array) and str in set(map(type, given)):
        raise TypeError(kind)  # among bytes, Arrow would take a text as its UTF-8
    if not (arrow.is_null(array.type) or _family(array.type) == _family(wanted)):
        raise TypeError(kind)
    array = array if array.type == wanted else array.cast(wanted)
    if not arrow.is_large_string(wanted):
        return array
    array = array.view(pa.large_binary())
    if not np.frombuffer(array.buffers()[2] or b"", np.uint8)[slice(*_ends(array)[[0, -1]])].all():
        raise ValueError(kind)
    return array


def _ewkb(values: Any) -> Any:
    """Geometries as EWKB, in the CRS of their series or their own SRID; points, the usual case, all in one."""
    shapes = np.asarray(values, dtype=object)
    try:
        usual = (shapely.get_type_id(shapes) == 0).all() and (shapely.get_coordinate_dimension(shapes) == 2).all()
    except TypeError:  # no geometries: EWKB, or a value that will be told
        return values
    epsg = values.crs.to_epsg() if getattr(values, "crs", None) else None
    srid = np.full(len(shapes), epsg) if epsg else shapely.get_srid(shapes)
    lon_lat = shapely.get_coordinates(shapes) if usual else np.empty((0, 2))
    if len(lon_lat) != len(shapes) or not srid[0] or (srid != srid[0]).any():  # an empty point has no coordinates
        return shapely.to_wkb(shapely.set_srid(shapes, srid), include_srid=True, byte_order=1)
    points = np.empty(len(shapes), [("head", "V9"), ("lon_lat", "<f8", 2)])
    points["head"] = np.void(b"\1" + np.array([0x20000001, srid[0]], "<u4").tobytes())
    points["lon_lat"] = lon_lat
    return pa.Array.from_buffers(pa.binary(points.itemsize), len(points), [None, pa.py_buffer(points.tobytes())])


def _family(kind: pa.DataType) -> str:
    if arrow.is_boolean(kind):
        return "truth"
    if arrow.is_integer(kind) or arrow.is_floating(kind):
        return "number"
    if arrow.is_string(kind) or arrow.is_large_string(kind) or arrow.is_string_view(kind):
        return "text"
    is_bytes = arrow.is_binary(kind) or arrow.is_large_binary(kind) or arrow.is_fixed_size_binary(kind)
    return "bytes" if is_bytes else str(kind)
