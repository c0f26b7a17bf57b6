"""What every reader of rows hands on: columns of text with the row's number in its file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from geo.errors import UnreadableFile
from geo.model import REJECTION_COLUMNS

CHUNK_ROWS = 50_000


def nothing_malformed() -> pd.DataFrame:
    """Return an empty frame of ``REJECTION_COLUMNS``."""
    return pd.DataFrame(columns=list(REJECTION_COLUMNS))


@dataclass(frozen=True)
class RawChunk:
    """Some rows of a file as they are: every named column as text.

    ``malformed`` holds, as ``REJECTION_COLUMNS``, rows with more or fewer fields than the header. Their text is not
    kept, because it cannot be said which column it belongs to. ``share`` is how much of the file has been read.
    """

    rows: pd.DataFrame
    row_numbers: np.ndarray
    malformed: pd.DataFrame = field(default_factory=nothing_malformed)
    geometry: np.ndarray | None = None
    share: float = 1.0


def text_frame(header: Sequence[str], rows: Sequence[Sequence[str]]) -> pd.DataFrame:
    """Columns of text; a column without a name is left out."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(header)
    return pd.DataFrame(
        {name: pd.Series(column, dtype=object) for name, column in zip(header, columns, strict=True) if name}
    )


def check_header(file_name: str, header: Sequence[str]) -> None:
    """Refuse a table without column names, or with one used twice.

    Raises
    ------
    UnreadableFile
    """
    named = [name for name in header if name]
    if not named:
        raise UnreadableFile(f"{file_name}: line 1 has no column names; add a header row.")
    if twice := sorted({name for name in named if named.count(name) > 1}):
        raise UnreadableFile(f"{file_name}: column {twice[0]!r} stands twice in the header; rename one of them.")


def slices(chunk: RawChunk, size: int = CHUNK_ROWS) -> Iterator[RawChunk]:
    """Cut one large chunk into pieces; an empty one stays one piece."""
    count = len(chunk.rows)
    for begin in range(0, max(count, 1), size):
        part = slice(begin, begin + size)
        yield RawChunk(
            chunk.rows.iloc[part].reset_index(drop=True),
            chunk.row_numbers[part],
            chunk.malformed if begin == 0 else nothing_malformed(),
            None if chunk.geometry is None else chunk.geometry[part],
            min(1.0, (begin + size) / max(count, 1)),
        )
