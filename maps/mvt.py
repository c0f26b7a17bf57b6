"""Mapbox Vector Tile 2.1, written by numpy alone: a layer of thousands of features in a few milliseconds."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from geo.errors import InvalidParameter
from maps.mvt_properties import ABSENT, Properties, Value
from maps.ragged import Offsets, offsets_of, owners, spans
from maps.tile_cleaning import cleaned
from maps.tile_geometry import Kind, TileGeometry
from maps.varints import message, varint, varint_sizes, write_varints, zigzag

EXTENT: Final = 4096
# A step between two vertices must fit into 32 bits with its sign.
_FARTHEST: Final = (1 << 30) - 1
# Commands of a geometry (MVT 2.1, section 4.3.1); the count stands above the lowest three bits.
_MOVE_TO, _LINE_TO, _CLOSE_PATH = 1, 2, 15
# Tags of a tile, a layer and a feature (section 4.1); the number of the field stands above the lowest three bits.
_LAYER, _NAME, _KEY, _EXTENT, _VERSION = 0x1A, 0x0A, 0x1A, 0x28, 0x78
_FEATURE, _ID, _TAGS, _TYPE, _GEOMETRY = 0x12, 0x08, 0x12, 0x18, 0x22


def encode_layer(
    name: str,
    geometry: TileGeometry,
    properties: Properties | Mapping[str, Sequence[Value]],
    ids: Sequence[int] | Offsets | None = None,
    *,
    extent: int = EXTENT,
) -> bytes:
    """Write one layer as a tile; tiles of several layers are these one after the other.

    Values that are None are left out of their feature. What whole units made vanish is left out, see
    `cleaned`; nothing at all makes no bytes.

    Raises
    ------
    InvalidParameter
        When the vertices are no whole numbers or too far away, or geometry, properties and ids are not of one length.
    """
    if not np.issubdtype(geometry.xy.dtype, np.signedinteger):
        raise InvalidParameter("Vertices of a tile are whole numbers.")
    if not isinstance(properties, Properties):
        properties = Properties.of(properties, len(geometry))
    if len(properties) != len(geometry) or (ids is not None and len(ids) != len(geometry)):
        raise InvalidParameter("Geometry, properties and ids of a layer are not of one length.")
    if len(geometry.xy) and (geometry.xy.max() > _FARTHEST or geometry.xy.min() < -_FARTHEST):
        raise InvalidParameter("Vertices lie too far beyond the tile: cut the features to it first.")
    geometry, kept = cleaned(geometry)
    if not len(geometry):
        return b""
    properties = properties.take(kept).used()
    numbers = None if ids is None else np.asarray(ids, np.uint64)[kept]
    keys = b"".join(message(_KEY, key.encode()) for key in properties.keys)
    head = varint(_VERSION) + varint(2) + message(_NAME, name.encode())
    written = _features(geometry, properties, numbers)
    return message(
        _LAYER, b"".join([head, written, keys, properties.values.tobytes(), varint(_EXTENT), varint(extent)])
    )


def _features(geometry: TileGeometry, properties: Properties, ids: NDArray[np.uint64] | None) -> bytes:
    """All features: every byte of them is part of a varint, so that they are one array of numbers."""
    tags, tag_counts = _tags(properties)
    commands, command_counts = _commands(geometry)
    head = 4 if ids is None else 6  # feature, length, (id, its number,) tags, length
    start = offsets_of(head + tag_counts + 4 + command_counts)[:-1]
    first_tag = start + head
    after_tags = first_tag + tag_counts  # type, kind, geometry, length
    first_command = after_tags + 4
    narrow = ids is None or int(ids.max()) < 1 << 32  # then half the memory is half the time
    width: type[np.unsignedinteger[Any]] = np.uint32 if narrow else np.uint64
    stream = np.zeros(int(first_command[-1] + command_counts[-1]), width)
    stream[start] = _FEATURE
    if ids is not None:
        stream[start + 2], stream[start + 3] = _ID, ids
    stream[first_tag - 2] = _TAGS
    stream[after_tags], stream[after_tags + 1], stream[after_tags + 2] = _TYPE, geometry.kind, _GEOMETRY
    stream[spans(first_tag, tag_counts)] = tags
    stream[spans(first_command, command_counts)] = commands
    sizes = varint_sizes(stream)
    # Lengths in bytes, from the inside out; a feature's own length stands before what it counts.
    for length_at, first, count in (
        (first_tag - 1, first_tag, tag_counts),
        (first_command - 1, first_command, command_counts),
        (start + 1, start + 2, first_command + command_counts - start - 2),
    ):
        ends = offsets_of(sizes)
        stream[length_at] = ends[first + count] - ends[first]
        sizes[length_at] = varint_sizes(stream[length_at])
    return write_varints(stream, sizes).tobytes()


def _tags(properties: Properties) -> tuple[NDArray[np.uint32], Offsets]:
    """Pairs of key and value of each feature, and how many numbers each has."""
    there = properties.codes != ABSENT
    pairs = np.empty((*there.shape, 2), np.uint32)
    pairs[..., 0], pairs[..., 1] = np.arange(there.shape[1]), properties.codes
    return pairs[there].ravel(), 2 * there.sum(axis=1)


def _commands(geometry: TileGeometry) -> tuple[NDArray[np.uint32], Offsets]:
    """Commands and moves of each feature, and how many numbers each has."""
    xy = geometry.xy.astype(np.int32)
    step = xy.copy()
    step[1:] -= xy[:-1]
    first = geometry.pieces[geometry.features[:-1]]
    step[first] = xy[first]  # the pen stands at 0, 0 when a feature begins
    count = np.diff(geometry.pieces)
    kind = geometry.kind[owners(geometry.features)]
    drawn = kind != Kind.POINT
    lengths = 1 + 2 * count + drawn + (kind == Kind.POLYGON)
    start = offsets_of(lengths)
    commands = np.zeros(start[-1], np.uint32)
    commands[start[:-1]] = np.where(drawn, 1, count) << 3 | _MOVE_TO
    commands[start[:-1][drawn] + 3] = (count[drawn] - 1) << 3 | _LINE_TO
    commands[start[1:][kind == Kind.POLYGON] - 1] = _CLOSE_PATH
    # A vertex takes two numbers; before the first stands the move, before the second of a line or ring the command.
    piece = owners(geometry.pieces)
    nth = np.arange(len(piece)) - geometry.pieces[piece]
    at = start[piece] + 1 + 2 * nth + ((nth > 0) & drawn[piece])
    commands[at], commands[at + 1] = zigzag(step[:, 0]), zigzag(step[:, 1])
    return commands, np.diff(start[geometry.features])
