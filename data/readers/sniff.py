"""What a file really is, by its content and never by its name; refuses what cannot be read before reading it."""

import codecs
import gzip
import hashlib
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, cast

from data.readers.source import FileSource
from geo.errors import UnreadableFile

MAX_LINE_BYTES: Final = 1 << 20
MAX_FILE_BYTES: Final = 200_000_000
# A packed file may be as many times larger than a plain one.
_UNPACKED_TIMES: Final = 10
_BLOCK: Final = 1 << 20
_START: Final = 65_536
_CONTROLS: Final = bytes(code for code in range(32) if code not in b"\t\n\r\f\x1a")  # 0x1a ends old DOS files
_MAGIC: Final = {
    b"\xd0\xcf\x11\xe0": "an old Excel or Word file, whatever its name says; save it as XLSX or CSV (UTF-8) first",
    b"%PDF": "a PDF; export the table behind it as CSV first",
    b"PAR1": "a Parquet file; save it as CSV, GeoJSON or GeoPackage first",
}
_SQLITE: Final = b"SQLite format 3\0"
_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = b"PK\x03\x04"
_XML_ROOT: Final = re.compile(rb"<(?:\w+:)?(kml|gpx|osm)[\s>]")
_GEOJSON: Final = re.compile(r'"type"\s*:\s*"(?:Feature|FeatureCollection)"|"features"\s*:')
# Long lines are normal where the text is not made of lines.
_UNLINED: Final = frozenset({"geojson", "json", "kml", "gpx", "osm"})
VECTOR_FORMATS: Final = frozenset({"geojson", "gpkg", "shapefile", "kml", "gpx", "osm"})


@dataclass(frozen=True, kw_only=True)
class FileFacts:
    """Content type and identity of a file. ``packing`` is empty, gzip or zip; ``member`` is the packed file."""

    source: FileSource
    sha256: str
    format: str
    packing: str = ""
    member: str = ""
    encoding: str = "utf-8"

    @property
    def name(self) -> str:
        """File name."""
        return self.source.name

    @property
    def stem(self) -> str:
        """File name without any extension."""
        return self.source.name.split(".", 1)[0]

    def open(self) -> IO[bytes]:
        """Open the bytes of the file itself, out of whatever it is packed in."""
        return _unpacked(self.source, self.packing, self.member)


def inspect_file(
    file: Path | FileSource, *, max_line_bytes: int = MAX_LINE_BYTES, max_file_bytes: int = MAX_FILE_BYTES
) -> FileFacts:
    """Find out what a file is by streaming through it once.

    Raises
    ------
    UnreadableFile
        When it is missing, empty, binary, of an unsupported format, too large, or has an unreasonable line.
    """
    source = FileSource.of(file)
    source.require(max_file_bytes)
    digest = hashlib.sha256()
    with source.open() as stream:
        head = stream.read(32)
        digest.update(head)
        while block := stream.read(_BLOCK):
            digest.update(block)
    sha256 = digest.hexdigest()
    if head.startswith(_SQLITE):
        return FileFacts(source=source, sha256=sha256, format="gpkg")
    packing, member = "", ""
    if head.startswith(_GZIP):
        packing = "gzip"
    elif head.startswith(_ZIP):
        packing, member, known = _look_into_zip(source)
        if known:
            return FileFacts(source=source, sha256=sha256, format=known, packing=packing, member=member)
    kind, encoding = _scan(source, packing, member, (max_line_bytes, max_file_bytes * _UNPACKED_TIMES))
    return FileFacts(source=source, sha256=sha256, format=kind, packing=packing, member=member, encoding=encoding)


def _look_into_zip(source: FileSource) -> tuple[str, str, str]:
    """Packing, the one member to read, and the format where the archive itself is it."""
    try:
        with source.open() as stream, zipfile.ZipFile(stream) as archive:
            names = [one.filename for one in archive.infolist() if not one.is_dir()]
    except (zipfile.BadZipFile, EOFError) as error:
        raise UnreadableFile(
            f"{source.name}: the zip archive is damaged or cut short; fetch the file again."
        ) from error
    if "[Content_Types].xml" in names and "xl/workbook.xml" in names:
        return "", "", "xlsx"
    names = [name for name in names if not name.startswith("__MACOSX/")]
    if shapes := [name for name in names if name.lower().endswith(".shp")]:
        return "zip", _place_of(source, shapes), "shapefile"
    if len(names) != 1:
        listed = ", ".join(names[:5])[:200] or "nothing"
        raise UnreadableFile(f"{source.name}: the archive holds {listed}; unpack it and import the files by name.")
    return "zip", names[0], ""


def _place_of(source: FileSource, shapes: list[str]) -> str:
    """Path of the one Shapefile in an archive, or of the folder that holds several."""
    folders = sorted({name.rpartition("/")[0] for name in shapes})
    if len(shapes) > 1 and len(folders) > 1:
        raise UnreadableFile(
            f"{source.name}: the archive has Shapefiles in the folders {', '.join(folders)[:200]}; zip each by itself."
        )
    return shapes[0] if len(shapes) == 1 else folders[0]


def _unpacked(source: FileSource, packing: str, member: str) -> IO[bytes]:
    if packing == "gzip":
        return cast("IO[bytes]", gzip.open(source.path or source.open(), "rb"))  # closes what it opened itself
    if packing == "zip" and member:
        with zipfile.ZipFile(source.path or source.open()) as archive:
            return archive.open(member)  # keeps the file open until it is closed itself
    return source.open()


def _blocks(source: FileSource, packing: str, member: str, max_bytes: int) -> Iterator[bytes]:
    total = 0
    try:
        with _unpacked(source, packing, member) as stream:
            while block := stream.read(_BLOCK):
                total += len(block)
                if total > max_bytes:
                    raise UnreadableFile(f"{source.name}: unpacks to more than {max_bytes / 1e6:g} MB; split the file.")
                yield block
    except (EOFError, gzip.BadGzipFile, zlib.error, zipfile.BadZipFile) as error:
        stream_words = "zip archive" if packing == "zip" else "gzip stream"
        raise UnreadableFile(
            f"{source.name}: the {stream_words} is damaged or cut short; fetch the file again."
        ) from error
    except (RuntimeError, NotImplementedError) as error:  # an encrypted or exotic archive
        raise UnreadableFile(f"{source.name}: the archive cannot be unpacked ({error}); unpack it yourself.") from error


def _scan(source: FileSource, packing: str, member: str, limits: tuple[int, int]) -> tuple[str, str]:
    """Format and encoding of a file, checking encoding and line lengths on the way."""
    max_line_bytes, max_bytes = limits
    start, kind, encoding, decoder = b"", "", "", None
    run, line_number = 0, 1
    for block in _blocks(source, packing, member, max_bytes):
        if not kind:
            start = block[:_START]
            if _is_pbf(start):
                return "osm", "binary"
            if start.startswith(_SQLITE):
                raise UnreadableFile(f"{source.name}: a packed GeoPackage; unpack it first.")
            encoding = _encoding(source, start)
            decoder = codecs.getincrementaldecoder(encoding)()
            kind = _text_format(start, start.decode(encoding, errors="ignore"))
        assert decoder is not None  # noqa: S101 - set with the encoding, in the first block
        try:
            decoder.decode(block)
        except UnicodeDecodeError:
            encoding, decoder = _fallback(source, encoding)
        if not encoding.startswith("utf-16") and len(block.translate(None, _CONTROLS)) < len(block):
            raise UnreadableFile(
                f"{source.name}: this is a binary file, not text; export it as CSV, XLSX, GeoJSON or GeoPackage."
            )
        if kind not in _UNLINED:
            run, line_number = _check_lines(source, block, run, line_number, max_line_bytes)
    if not start.strip():
        raise UnreadableFile(f"{source.name}: the file holds nothing but white space; nothing was imported.")
    return kind, encoding


def _is_pbf(start: bytes) -> bool:
    """OpenStreetMap's binary format begins with the length of a header block of that name."""
    return start[4:6] == b"\n\t" and start[6:15] == b"OSMHeader"


def _text_format(raw: bytes, text: str) -> str:
    plain = text.lstrip("\ufeff \t\r\n")
    if plain[:1] == "<":
        root = _XML_ROOT.search(raw[:4096])
        return root[1].decode() if root else "xml"
    if plain[:1] == "[":
        return "json" if plain[1:].lstrip()[:1] == "{" else "geojson"
    if plain[:1] != "{":
        return "csv"
    if _GEOJSON.search(plain):
        return "geojson"
    lines = [line for line in plain.split("\n", 2)[:2] if line.strip()]
    return (
        "jsonl"
        if lines and all(line.lstrip().startswith("{") and _is_object(line) for line in lines[:1])
        else "geojson"
    )


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _encoding(source: FileSource, start: bytes) -> str:
    for magic, words in _MAGIC.items():
        if start.startswith(magic):
            raise UnreadableFile(f"{source.name}: this is {words}.")
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig"


def _fallback(source: FileSource, encoding: str) -> tuple[str, codecs.IncrementalDecoder]:
    """Windows text that is not UTF-8; a second failure means the file is not text."""
    if encoding != "utf-8-sig":
        raise UnreadableFile(
            f"{source.name}: this is a binary file or its encoding is damaged; save it as CSV (UTF-8)."
        )
    return "cp1252", codecs.getincrementaldecoder("cp1252")(errors="ignore")


def _check_lines(source: FileSource, block: bytes, run: int, line_number: int, limit: int) -> tuple[int, int]:
    """Length of the unfinished line after this block, and its number."""
    lines = block.split(b"\n")
    lengths = [len(line) for line in lines]
    lengths[0] += run
    if max(lengths) > limit:
        number = line_number + next(i for i, n in enumerate(lengths) if n > limit)
        raise UnreadableFile(
            f"{source.name}: line {number} is longer than {_size_words(limit)}; this is not a table of records."
        )
    return lengths[-1], line_number + len(lines) - 1


def _size_words(size: int) -> str:
    return f"{size >> 20} MiB" if size >= 1 << 20 else f"{size:,} bytes"
