"""What the repositories ask of a database, whichever it is."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import pandas as pd


class Database(Protocol):
    """A transactional SQL database. Connections belong to threads; everything outside a transaction commits at once."""

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing; nested use joins the outer transaction."""

    def execute(self, name: str, /, **parameters: Any) -> int:
        """Run a named statement and return how many rows it touched."""

    def rows(self, name: str, /, **parameters: Any) -> list[dict[str, Any]]:
        """Rows of a named query."""

    def frame(self, name: str, /, **parameters: Any) -> pd.DataFrame:
        """Rows of a named query as a frame."""

    def insert(self, table: str, columns: Mapping[str, Sequence[Any]], *, ignore_existing: bool = False) -> int:
        """Insert columns of values in bulk and return how many rows are new."""

    def filling(self, tables: Sequence[str], *, rows: int) -> AbstractContextManager[None]:
        """Expect so many rows in tables that are only inserted into meanwhile; inside a transaction."""

    def script(self, text: str) -> None:
        """Run several statements."""

    def lock(self, name: str) -> None:
        """Let one process at a time do what ``name`` names; released at the end of the transaction."""

    def tables(self) -> set[str]:
        """Names of the tables that exist."""

    def backup_names(self) -> Iterable[str]:
        """Files or database that hold the data, for messages."""

    def compact(self) -> None:
        """Give back the space of removed rows, so that nothing of them stays readable; not within a transaction."""

    def close(self) -> None:
        """Close this thread's connection."""

    @property
    def dialect(self) -> str:
        """Suffix of dialect-specific migrations."""
