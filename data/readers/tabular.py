"""CSV text to columns of text, with the line number of every row."""

import csv
import io
import json
from typing import Final

import numpy as np
import pandas as pd

from data.readers.sniff import FileFacts, open_binary
from geo.errors import UnreadableFile
from geo.model import REJECTION_COLUMNS
from geo.validate import Reason

_DELIMITERS: Final = (",", ";", "\t", "|")
_MAX_FIELD_LINES: Final = 200


def read_csv(facts: FileFacts) -> tuple[pd.DataFrame, np.ndarray, pd.DataFrame]:
    """Read a delimited file.

    Returns
    -------
    rows : DataFrame of str
        Every column of the file, stripped.
    row_numbers : ndarray of int64
        Line on which each row ends.
    malformed : DataFrame
        ``REJECTION_COLUMNS``: rows with more or fewer fields than the header. Their text is not kept, because it
        cannot be said which column it belongs to.

    Raises
    ------
    UnreadableFile
        When there is no header, a column name is used twice, or a quote is never closed.
    """
    with open_binary(facts.path, compressed=facts.compressed) as binary:
        text = io.TextIOWrapper(binary, encoding=facts.encoding, errors="replace", newline="")
        first_line = text.readline()
        delimiter = max(_DELIMITERS, key=first_line.count)
        header = [name.strip() for name in next(csv.reader([first_line], delimiter=delimiter), [])]
        _check_header(facts, header)
        return _read_body(facts, text, header, delimiter)


def _check_header(facts: FileFacts, header: list[str]) -> None:
    named = [name for name in header if name]
    if not named:
        raise UnreadableFile(f"{facts.path.name}: line 1 has no column names; add a header row.")
    if twice := sorted({name for name in named if named.count(name) > 1}):
        raise UnreadableFile(f"{facts.path.name}: column {twice[0]!r} stands twice in the header; rename one of them.")


def _read_body(
    facts: FileFacts, text: io.TextIOWrapper, header: list[str], delimiter: str
) -> tuple[pd.DataFrame, np.ndarray, pd.DataFrame]:
    rows: list[list[str]] = []
    numbers: list[int] = []
    malformed: list[tuple[int, str, str, str, str]] = []
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    previous = 1
    try:
        for row in reader:
            line, spanned = reader.line_num + 1, reader.line_num + 1 - previous
            previous = line
            if spanned > _MAX_FIELD_LINES:
                raise UnreadableFile(
                    f"{facts.path.name}: a quote opened near line {line - spanned + 1} is not closed; mend it."
                )
            if len(row) == len(header):
                rows.append(row)
                numbers.append(line)
            elif row:  # a blank line is no row
                detail = f"the row has {len(row)} fields, the header has {len(header)}; mend it in the file"
                malformed.append((line, "row", Reason.WRONG_COLUMN_COUNT, detail, json.dumps({})))
    except csv.Error as error:
        raise UnreadableFile(
            f"{facts.path.name}: the row that begins on line {previous + 1} has a quote that is not closed or stands in"
            f" the wrong place ({error}); mend it."
        ) from error
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(header)
    frame = pd.DataFrame(
        {name: pd.Series(column, dtype=object) for name, column in zip(header, columns, strict=True) if name}
    )
    return frame, np.asarray(numbers, np.int64), pd.DataFrame(malformed, columns=list(REJECTION_COLUMNS))
