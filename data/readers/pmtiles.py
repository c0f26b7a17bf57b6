"""What a PMTiles archive says of itself: its header and its metadata, read without touching a tile.

Source: PMTiles specification, version 3 (127 bytes of header, little endian; metadata is JSON, gzipped or plain).
"""

import gzip
import json
import os
import struct
import zlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Final

from geo.errors import UnreadableFile

HEADER_BYTES: Final = 127
MAX_METADATA_BYTES: Final = 4 << 20  # packed and unpacked: a few names of layers, never a bomb
_MAGIC: Final = b"PMTiles\x03"
_HEADER: Final = struct.Struct("<8s11Q6B4iB2i")
_PLAIN, _GZIP, _VECTOR = 1, 2, 1


@dataclass(frozen=True, kw_only=True)
class Pmtiles:
    """Header and metadata of an archive of vector tiles; ``bounds`` are west, south, east, north in degrees."""

    size: int
    tiles: int
    min_zoom: int
    max_zoom: int
    bounds: tuple[float, float, float, float]
    name: str
    description: str
    layers: tuple[str, ...]


def describe_pmtiles(stream: BinaryIO, where: str) -> Pmtiles:
    """Read header and metadata of an open archive; ``where`` names it in errors.

    Raises
    ------
    UnreadableFile
        When it is no PMTiles archive of version 3 that holds vector tiles.
    """
    size = os.fstat(stream.fileno()).st_size
    stream.seek(0)
    head = stream.read(HEADER_BYTES)
    if len(head) < HEADER_BYTES or not head.startswith(_MAGIC):
        raise UnreadableFile(f"{where} is not a PMTiles archive of version 3.")
    _, *offsets, _clustered, internal, _tile, kind, low, high, west, south, east, north, _, _, _ = _HEADER.unpack(head)
    if kind != _VECTOR:
        raise UnreadableFile(f"{where} holds pictures; the basemap is drawn from vector tiles.")
    start, length = offsets[2], offsets[3]
    if start + length > size:
        raise UnreadableFile(f"{where} is cut short.")
    metadata = _metadata(stream, where, start, length, internal)
    listed = metadata.get("vector_layers")
    layers = (
        tuple(str(one.get("id", "")) for one in listed if isinstance(one, dict)) if isinstance(listed, list) else ()
    )
    return Pmtiles(
        size=size,
        tiles=offsets[8],
        min_zoom=low,
        max_zoom=high,
        bounds=(west / 1e7, south / 1e7, east / 1e7, north / 1e7),
        name=str(metadata.get("name", "")),
        description=str(metadata.get("description", "")),
        layers=layers,
    )


def describe_pmtiles_file(path: Path) -> Pmtiles:
    """Read header and metadata of a file.

    Raises
    ------
    UnreadableFile
    """
    try:
        with path.open("rb") as stream:
            return describe_pmtiles(stream, str(path))
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {error.strerror}.") from error


def _metadata(stream: BinaryIO, where: str, start: int, length: int, packing: int) -> dict[str, Any]:
    if packing not in {_PLAIN, _GZIP} or length > MAX_METADATA_BYTES:
        raise UnreadableFile(f"{where} keeps its metadata in a way that is not understood.")
    stream.seek(start)
    content = stream.read(length)
    try:
        if packing == _GZIP:
            with gzip.open(BytesIO(content)) as packed:
                content = packed.read(MAX_METADATA_BYTES)
        found = json.loads(content or b"{}")
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise UnreadableFile(f"{where} has metadata that cannot be read.") from error
    if not isinstance(found, dict):
        raise UnreadableFile(f"{where} has metadata that is not an object.")
    return found
