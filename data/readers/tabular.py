"""CSV text to columns of text, piece by piece, with the line number of every row."""

import csv
import io
import json
from collections.abc import Iterator
from typing import BinaryIO, Final, cast

import numpy as np
import pandas as pd

from data.readers.sniff import FileFacts
from data.readers.tables import CHUNK_ROWS, RawChunk, check_header, text_frame
from geo.errors import UnreadableFile
from geo.model import REJECTION_COLUMNS
from geo.problems import Reason

_DELIMITERS: Final = (",", ";", "\t", "|")
_MAX_FIELD_LINES: Final = 200


def read_csv(facts: FileFacts) -> Iterator[RawChunk]:
    """Read a delimited file; there is always at least one chunk, and every chunk has all columns.

    Raises
    ------
    UnreadableFile
        When there is no header, a column name is used twice, or a quote is never closed.
    """
    with facts.open() as binary:
        text = io.TextIOWrapper(binary, encoding=facts.encoding, errors="replace", newline="")
        first_line = text.readline()
        delimiter = max(_DELIMITERS, key=first_line.count)
        header = [name.strip() for name in next(csv.reader([first_line], delimiter=delimiter), [])]
        check_header(facts.name, header)
        yield from _read_body(facts, text, header, delimiter)


def _read_body(facts: FileFacts, text: io.TextIOWrapper, header: list[str], delimiter: str) -> Iterator[RawChunk]:
    piece = _Piece(header)
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    previous, chunks, seen = 1, 0, 0
    try:
        for row in reader:
            line, spanned = reader.line_num + 1, reader.line_num + 1 - previous
            previous = line
            if spanned > _MAX_FIELD_LINES:
                raise UnreadableFile(
                    f"{facts.name}: a quote opened near line {line - spanned + 1} is not closed; mend it."
                )
            piece.add(line, row)
            if len(piece) == CHUNK_ROWS:
                seen += len(piece)
                yield piece.chunk(_share(facts, text))
                piece, chunks = _Piece(header), chunks + 1
    except csv.Error as error:
        raise UnreadableFile(
            f"{facts.name}: the row that begins on line {previous + 1} has a quote that is not closed or stands in"
            f" the wrong place ({error}); mend it."
        ) from error
    if len(piece) or not chunks:
        yield piece.chunk(1.0)


class _Piece:
    """Rows gathered for the next chunk."""

    def __init__(self, header: list[str]) -> None:
        self._header = header
        self._rows: list[list[str]] = []
        self._numbers: list[int] = []
        self._malformed: list[tuple[int, str, str, str, str]] = []

    def __len__(self) -> int:
        return len(self._rows) + len(self._malformed)

    def add(self, line: int, row: list[str]) -> None:
        if len(row) == len(self._header):
            self._rows.append(row)
            self._numbers.append(line)
        elif row:  # a blank line is no row
            detail = f"the row has {len(row)} fields, the header has {len(self._header)}; mend it in the file"
            self._malformed.append((line, "row", Reason.WRONG_COLUMN_COUNT, detail, json.dumps({})))

    def chunk(self, share: float) -> RawChunk:
        malformed = pd.DataFrame(self._malformed, columns=list(REJECTION_COLUMNS))
        return RawChunk(
            text_frame(self._header, self._rows), np.asarray(self._numbers, np.int64), malformed, share=share
        )


def _share(facts: FileFacts, text: io.TextIOWrapper) -> float:
    """How much of a plain file has been read; of a packed one only that it goes on."""
    return 0.5 if facts.packing else min(1.0, cast("BinaryIO", text.buffer).tell() / max(facts.source.size, 1))
