"""Lines of delimited text without quotes, all at once by Arrow: the same fields as the csv module reads, or none."""

import csv
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv as arrow_csv

# What a line of its own, a quoted field or a character that Arrow takes for something else would begin with.
_UNUSUAL: Final = ('"', "\0", "\n\n", "\n\r")
_NEVER_FIRST: Final = ("\n", "\r", "\ufeff")


def plain_table(text: str, columns: int, delimiter: str) -> pa.Table | None:
    """Fields of whole lines as columns of text.

    None where a line needs a closer look: where there is a quote, a blank line, a line that ends by itself with a
    carriage return, a very long line, or one with another number of fields.
    """
    if text.startswith(_NEVER_FIRST) or any(mark in text for mark in _UNUSUAL):
        return None
    if text.count("\r") != text.count("\r\n"):
        return None
    raw = text.encode()
    ends = np.flatnonzero(np.frombuffer(raw, np.uint8) == ord("\n"))
    ends = ends if raw.endswith(b"\n") else np.append(ends, len(raw))
    if np.diff(ends, prepend=-1).max() > csv.field_size_limit():
        return None
    names = no_table(columns).column_names
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(raw),
            arrow_csv.ReadOptions(use_threads=False, column_names=names, block_size=len(raw) + 1),
            arrow_csv.ParseOptions(delimiter=delimiter, quote_char=False, double_quote=False, ignore_empty_lines=False),
            arrow_csv.ConvertOptions(
                check_utf8=False,
                column_types=dict.fromkeys(names, pa.string()),
                null_values=[],
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:  # not as many fields as there are columns
        return None
    return table if len(table) == len(ends) else None


def no_table(columns: int) -> pa.Table:
    """Return columns of text without rows."""
    return pa.table({str(place): pa.array([], pa.string()) for place in range(columns)})


def frame_of(table: pa.Table, header: list[str]) -> pd.DataFrame:
    """Columns of text; a column without a name is left out."""
    columns = {name: table.column(place) for place, name in enumerate(header) if name}
    return pd.DataFrame(
        {name: pd.Series(column.to_numpy(), dtype=object) for name, column in columns.items()},
        index=pd.RangeIndex(len(table)),
    )


def rows_of(table: pa.Table) -> list[list[str]]:
    """The same as rows of fields."""
    return [list(row) for row in zip(*(column.to_pylist() for column in table.columns), strict=True)]
