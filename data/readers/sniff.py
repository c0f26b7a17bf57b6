"""What a file really is, by its content and never by its name; refuses what cannot be read before reading it."""

import codecs
import gzip
import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from geo.errors import UnreadableFile

MAX_LINE_BYTES: Final = 1 << 20
MAX_TEXT_BYTES: Final = 4 << 30
_BLOCK: Final = 1 << 20
_CONTROLS: Final = bytes(code for code in range(32) if code not in b"\t\n\r\f\x1a")  # 0x1a ends old DOS files
_MAGIC: Final = {
    b"PK\x03\x04": "an Excel workbook or zip archive, whatever its name says; save it as CSV (UTF-8) first",
    b"\xd0\xcf\x11\xe0": "an old Excel or Word file, whatever its name says; save it as CSV (UTF-8) first",
    b"%PDF": "a PDF; export the table behind it as CSV first",
    b"PAR1": "a Parquet file; save it as CSV, GeoJSON or GeoPackage first",
}


@dataclass(frozen=True, kw_only=True)
class FileFacts:
    """Content type and identity of a file."""

    path: Path
    sha256: str
    format: str
    compressed: bool
    encoding: str

    @property
    def stem(self) -> str:
        """File name without any extension."""
        return self.path.name.split(".", 1)[0]


def inspect_file(path: Path) -> FileFacts:
    """Find out what a file is by streaming through it once.

    Raises
    ------
    UnreadableFile
        When it is missing, empty, binary, of an unsupported format, or has an unreasonable line.
    """
    if path.is_dir():
        raise UnreadableFile(f"{path}: is a folder; name the files in it.")
    if not path.is_file():
        raise UnreadableFile(f"{path}: no such file.")
    if path.stat().st_size == 0:
        raise UnreadableFile(f"{path.name}: the file is empty; nothing was imported.")
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        head = stream.read(16)
        stream.seek(0)
        while block := stream.read(_BLOCK):
            digest.update(block)
    compressed = head[:2] == b"\x1f\x8b"
    kind, encoding = "gpkg", "utf-8"
    if not head.startswith(b"SQLite format 3\0"):
        start, encoding = _scan_text(path, compressed=compressed)
        kind = "geojson" if start.lstrip("\ufeff \t\r\n")[:1] in {"{", "["} else "csv"
    return FileFacts(path=path, sha256=digest.hexdigest(), format=kind, compressed=compressed, encoding=encoding)


def open_binary(path: Path, *, compressed: bool) -> BinaryIO:
    """Open a file, through gzip when it is compressed."""
    return cast("BinaryIO", gzip.open(path, "rb")) if compressed else path.open("rb")


def _blocks(path: Path, *, compressed: bool) -> Iterator[bytes]:
    total = 0
    try:
        with open_binary(path, compressed=compressed) as stream:
            while block := stream.read(_BLOCK):
                total += len(block)
                if total > MAX_TEXT_BYTES:
                    raise UnreadableFile(f"{path.name}: more than {MAX_TEXT_BYTES >> 30} GiB of text; split the file.")
                yield block
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UnreadableFile(f"{path.name}: the gzip stream is damaged or cut short; fetch the file again.") from error


def _scan_text(path: Path, *, compressed: bool) -> tuple[str, str]:
    """First text and encoding of a text file; checks encoding and line lengths on the way."""
    start, encoding, decoder = b"", "", None
    long_lines_allowed, run, line_number = False, 0, 1
    for block in _blocks(path, compressed=compressed):
        if not encoding:
            start = block[:65536]
            encoding = _encoding(path, start)
            decoder = codecs.getincrementaldecoder(encoding)()
            long_lines_allowed = start.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in {b"{", b"["}
        assert decoder is not None  # noqa: S101 - set with the encoding, in the first block
        try:
            decoder.decode(block)
        except UnicodeDecodeError:
            encoding, decoder = _fallback(path, encoding)
        if not encoding.startswith("utf-16") and len(block.translate(None, _CONTROLS)) < len(block):
            raise UnreadableFile(
                f"{path.name}: this is a binary file, not text; export it as CSV, GeoJSON or GeoPackage."
            )
        if not long_lines_allowed:
            run, line_number = _check_lines(path, block, run, line_number)
    if not start.strip():
        raise UnreadableFile(f"{path.name}: the file holds nothing but white space; nothing was imported.")
    return start.decode(encoding, errors="ignore"), encoding


def _encoding(path: Path, start: bytes) -> str:
    for magic, words in _MAGIC.items():
        if start.startswith(magic):
            raise UnreadableFile(f"{path.name}: this is {words}.")
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig"


def _fallback(path: Path, encoding: str) -> tuple[str, codecs.IncrementalDecoder]:
    """Windows text that is not UTF-8; a second failure means the file is not text."""
    if encoding != "utf-8-sig":
        raise UnreadableFile(f"{path.name}: this is a binary file or its encoding is damaged; save it as CSV (UTF-8).")
    return "cp1252", codecs.getincrementaldecoder("cp1252")(errors="ignore")


def _check_lines(path: Path, block: bytes, run: int, line_number: int) -> tuple[int, int]:
    """Length of the unfinished line after this block, and its number."""
    lines = block.split(b"\n")
    lengths = [len(line) for line in lines]
    lengths[0] += run
    if max(lengths) > MAX_LINE_BYTES:
        number = line_number + next(i for i, n in enumerate(lengths) if n > MAX_LINE_BYTES)
        raise UnreadableFile(
            f"{path.name}: line {number} is longer than {MAX_LINE_BYTES >> 20} MiB; this is not a table of records."
        )
    return lengths[-1], line_number + len(lines) - 1
