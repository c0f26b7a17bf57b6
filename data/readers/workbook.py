"""One sheet of an Excel workbook to columns of text. Dates become ISO text, whole numbers lose their ``.0``."""

import warnings
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from typing import Any, Final

import numpy as np

from data.readers.sniff import FileFacts
from data.readers.tables import CHUNK_ROWS, RawChunk, check_header, text_frame
from geo.errors import UnreadableFile

MAX_EMPTY_ROWS: Final = 1_000
# Sheets of explanations in workbooks that `lapwing template` writes: none of them holds evidence.
ABOUT_SHEET: Final = "About"
LISTS_SHEET: Final = "Lists"
EXAMPLE_SHEET: Final = "Example"
TEMPLATE_SHEETS: Final = frozenset({ABOUT_SHEET, LISTS_SHEET, EXAMPLE_SHEET})


def read_workbook(facts: FileFacts, *, sheet: str | None = None) -> Iterator[RawChunk]:
    """Read one sheet: its first row with content is the header.

    Raises
    ------
    UnreadableFile
        When it cannot be read, has several sheets and none was named, or has no header.
    """
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with facts.source.open() as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # remarks about drop-downs and styles that we do not need
            book = load_workbook(stream, read_only=True, data_only=True)
            yield from _read_sheet(facts, book[_sheet(facts, book, sheet)])
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        why = str(error).splitlines()[0][:150] if str(error) else type(error).__name__
        raise UnreadableFile(
            f"{facts.name}: cannot be read as an Excel workbook ({why}); save it as CSV (UTF-8)."
        ) from error


def _sheet(facts: FileFacts, book: Any, wanted: str | None) -> str:
    names = [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible"]
    if wanted is not None:
        if wanted not in book.sheetnames:
            raise UnreadableFile(f"{facts.name}: no sheet {wanted!r}; it has {', '.join(names)}.")
        return wanted
    names = [name for name in names if name not in TEMPLATE_SHEETS]
    if len(names) != 1:
        raise UnreadableFile(f"{facts.name}: has sheets {', '.join(names) or 'none'}; name one with --layer.")
    return str(names[0])


def _read_sheet(facts: FileFacts, sheet: Any) -> Iterator[RawChunk]:
    header: list[str] = []
    rows: list[list[str]] = []
    numbers: list[int] = []
    empty, chunks = 0, 0
    for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
        texts = [_as_text(cell) for cell in cells]
        if not any(texts):
            empty += 1
            if empty > MAX_EMPTY_ROWS:  # formatting that runs on to the last row of the sheet
                break
            continue
        empty = 0
        if not header:
            header = texts
            check_header(facts.name, header)
            continue
        rows.append(_fitted(texts, len(header)))
        numbers.append(number)
        if len(rows) == CHUNK_ROWS:
            yield RawChunk(text_frame(header, rows), np.asarray(numbers, np.int64), share=0.5)
            rows, numbers, chunks = [], [], chunks + 1
    if not header:
        raise UnreadableFile(f"{facts.name}: the sheet is empty; nothing was imported.")
    if rows or not chunks:
        yield RawChunk(text_frame(header, rows), np.asarray(numbers, np.int64))


def _fitted(texts: Sequence[str], width: int) -> list[str]:
    """A row as wide as the header: trailing empty cells are not written into the file."""
    return [*texts[:width], *[""] * (width - len(texts))]


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        whole_day = value.time() == time(0)
        return value.date().isoformat() if whole_day else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value).strip()
