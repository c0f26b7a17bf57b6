"""CSV text to columns of text, piece by piece, with the line number of every row."""

import csv
import io
import itertools
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any, BinaryIO, Final, cast

import numpy as np
import pandas as pd
import pyarrow as pa

from data.readers.plain_lines import frame_of, no_table, plain_table, rows_of
from data.readers.sniff import FileFacts
from data.readers.tables import CHUNK_ROWS, RawChunk, check_header, text_frame
from geo.errors import UnreadableFile
from geo.model import REJECTION_COLUMNS
from geo.problems import Reason

_DELIMITERS: Final = (",", ";", "\t", "|")
_MAX_FIELD_LINES: Final = 200
_BLOCK_CHARS: Final = 1 << 22
_LINE: Final = attrgetter("line_num")


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
    """Read block by block, and row by row from the first block on that is not plain lines."""
    held, first_line, chunks = no_table(len(header)), 2, 0
    while block := text.read(_BLOCK_CHARS):
        block += text.readline()
        table = plain_table(block, len(header), delimiter)
        if table is None:
            lines = itertools.chain(io.StringIO(block, newline=""), text)
            rows = _Rows(facts, csv.reader(lines, delimiter=delimiter, strict=True), first_line + len(held) - 1)
            rows.hold(rows_of(held), first_line)
            yield from _read_rows(rows, header, lambda: _share(facts, text), begun=chunks > 0)
            return
        held = pa.concat_tables([held, table])
        while len(held) >= CHUNK_ROWS:
            yield _plain_chunk(held[:CHUNK_ROWS], header, first_line, _share(facts, text))
            held, first_line, chunks = held[CHUNK_ROWS:], first_line + CHUNK_ROWS, chunks + 1
    if len(held) or not chunks:
        yield _plain_chunk(held, header, first_line, 1.0)


def _plain_chunk(table: pa.Table, header: list[str], first_line: int, share: float) -> RawChunk:
    lines = np.arange(first_line, first_line + len(table), dtype=np.int64)
    return RawChunk(frame_of(table, header), lines, share=share)


def _read_rows(rows: "_Rows", header: list[str], share: Callable[[], float], *, begun: bool) -> Iterator[RawChunk]:
    while True:
        fields, lines = rows.take(CHUNK_ROWS)
        more = len(fields) == CHUNK_ROWS
        if fields or not begun:
            yield _chunk(header, fields, lines, share=share() if more else 1.0)
            begun = True
        if not more:
            return


class _Rows:
    """Rows as the csv module reads them, blank lines left out, each with the line that it ends on."""

    def __init__(self, facts: FileFacts, reader: Any, line: int) -> None:
        self._facts = facts
        self._reader = reader
        self._before = line  # lines of the file before those of the reader
        self._line = line  # where the row before the next ended
        self._fields: list[list[str]] = []
        self._lines: list[int] = []

    def hold(self, fields: list[list[str]], first_line: int) -> None:
        """Begin with rows of one line each that have been read already."""
        self._fields, self._lines = fields, list(range(first_line, first_line + len(fields)))

    def take(self, count: int) -> tuple[list[list[str]], np.ndarray]:
        """Return the next rows, fewer where the file ends."""
        while len(self._fields) < count and self._read(count - len(self._fields)):
            pass
        fields, lines = self._fields, np.array(self._lines, np.int64)
        self._fields, self._lines = [], []
        return fields, lines

    def _read(self, count: int) -> bool:
        """Read some rows; returns whether there were any."""
        numbered: list[tuple[list[str], int]] = []
        fault = None
        try:  # the reader tells its line after each row; no Python runs between rows
            numbered.extend(
                itertools.islice(zip(self._reader, map(_LINE, itertools.repeat(self._reader)), strict=False), count)
            )
        except csv.Error as error:
            fault = error
        lines = self._before + np.fromiter((line for _, line in numbered), np.int64, len(numbered))
        spans = np.diff(lines, prepend=self._line)
        if len(long := np.flatnonzero(spans > _MAX_FIELD_LINES)):
            opened = lines[long[0]] - spans[long[0]] + 1
            raise UnreadableFile(f"{self._facts.name}: a quote opened near line {opened} is not closed; mend it.")
        self._line = int(lines[-1]) if len(lines) else self._line
        if fault is not None:
            raise UnreadableFile(
                f"{self._facts.name}: the row that begins on line {self._line + 1} has a quote that is not closed or stands"
                f" in the wrong place ({fault}); mend it."
            ) from fault
        filled = [(fields, line) for (fields, _), line in zip(numbered, lines.tolist(), strict=True) if fields]
        self._fields += [fields for fields, _ in filled]
        self._lines += [line for _, line in filled]
        return bool(numbered)


def _chunk(header: list[str], rows: list[list[str]], lines: np.ndarray, *, share: float) -> RawChunk:
    widths = np.fromiter(map(len, rows), np.int64, len(rows))
    fits = widths == len(header)
    if fits.all():
        return RawChunk(text_frame(header, rows), lines, share=share)
    malformed = [
        (int(lines[i]), "row", Reason.WRONG_COLUMN_COUNT, _wrong_count(int(widths[i]), len(header)), "{}")
        for i in np.flatnonzero(~fits)
    ]
    return RawChunk(
        text_frame(header, [rows[i] for i in np.flatnonzero(fits)]), lines[fits],
        pd.DataFrame(malformed, columns=list(REJECTION_COLUMNS)), share=share,
    )  # fmt: skip


def _wrong_count(count: int, wanted: int) -> str:
    return f"the row has {count} fields, the header has {wanted}; mend it in the file"


def _share(facts: FileFacts, text: io.TextIOWrapper) -> float:
    """How much of a plain file has been read; of a packed one only that it goes on."""
    return 0.5 if facts.packing else min(1.0, cast("BinaryIO", text.buffer).tell() / max(facts.source.size, 1))
