"""The embedded store: SQLite in WAL mode, every commit flushed to disk."""

import gc
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from data.queries import statement
from geo.errors import StoreError

_BUSY_TIMEOUT_MS = 30_000
# Large pages are fewer to split, write twice and search; a million records go in in four fifths of the time of 4 KiB.
_PAGE_BYTES = 16 * 1024
# So many rows are worth making all of an index for at once, and so much memory keeps its pages from being written twice.
_MANY_ROWS = 20_000
_FILLING_KIB = 64 * 1024
# Not those that keep rows apart.
_PLAIN_INDEXES = """SELECT made.name, made.sql FROM pragma_index_list(?) AS listed JOIN sqlite_master AS made
    ON made.name = listed.name WHERE listed.origin = 'c' AND NOT listed."unique" ORDER BY made.name"""


class SqliteDatabase:
    """One SQLite file; each thread has its own connection."""

    dialect = "sqlite"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._open()
            self._local.connection = connection
            self._local.depth = 0
        return connection

    def _open(self) -> sqlite3.Connection:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self._path, isolation_level=None)
            self._path.chmod(0o600)
            for pragma in (
                f"page_size={_PAGE_BYTES}",  # of a store that is new
                "journal_mode=WAL",
                "synchronous=FULL",
                "foreign_keys=ON",
                "secure_delete=ON",
                f"busy_timeout={_BUSY_TIMEOUT_MS}",
            ):
                connection.execute(f"PRAGMA {pragma}")
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"The store {self._path} cannot be opened: {error}.") from error
        return connection

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Begin at once for writing, so that a busy store is found out first."""
        connection = self._connection()
        if self._local.depth:
            yield
            return
        with _translated(self._path):
            connection.execute("BEGIN IMMEDIATE")
        self._local.depth = 1
        self._local.removed = False
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        finally:
            self._local.depth = 0
        if self._local.removed:  # the main file overwrites what is deleted; the write-ahead log would still have it
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def execute(self, name: str, /, **parameters: Any) -> int:
        """Run a named statement."""
        text, bound = statement(name, parameters, style="named")
        with _translated(self._path):
            touched = self._connection().execute(text, bound).rowcount
        if touched and text.startswith("DELETE"):
            self._local.removed = True
        return touched

    def rows(self, name: str, /, **parameters: Any) -> list[dict[str, Any]]:
        """Rows of a named query."""
        names, values = self._select(name, parameters)
        return [dict(zip(names, row, strict=True)) for row in values]

    def frame(self, name: str, /, **parameters: Any) -> pd.DataFrame:
        """Rows of a named query as a frame."""
        names, values = self._select(name, parameters)
        return pd.DataFrame.from_records(values, columns=names)

    def _select(self, name: str, parameters: Mapping[str, Any]) -> tuple[list[str], list[tuple[Any, ...]]]:
        text, bound = statement(name, parameters, style="named")
        with _translated(self._path):
            cursor = self._connection().execute(text, bound)
            with _without_collection():
                return [column[0] for column in cursor.description], cursor.fetchall()

    def insert(self, table: str, columns: Mapping[str, Sequence[Any]], *, ignore_existing: bool = False) -> int:
        """Insert in bulk."""
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        conflict = " ON CONFLICT DO NOTHING" if ignore_existing else ""
        connection = self._connection()
        before = connection.total_changes
        with _translated(self._path):
            connection.executemany(
                f"INSERT INTO {table} ({names}) VALUES ({marks}){conflict}",
                zip(*columns.values(), strict=True),
            )
        return connection.total_changes - before

    @contextmanager
    def filling(self, tables: Sequence[str], *, rows: int) -> Iterator[None]:
        """Hold more pages meanwhile; where the tables were empty, index the rows after they are in, sorted, all at once."""
        connection = self._connection()
        if rows < _MANY_ROWS or not connection.in_transaction:
            yield
            return
        (usual,) = connection.execute("PRAGMA cache_size").fetchone()
        with _translated(self._path):
            connection.execute(f"PRAGMA cache_size=-{_FILLING_KIB}")
            try:
                indexes = self._without_indexes(tables)
                yield
                for definition in indexes:
                    connection.execute(definition)
            finally:
                connection.execute(f"PRAGMA cache_size={usual}")

    def _without_indexes(self, tables: Sequence[str]) -> list[str]:
        """Drop what tables without rows are only searched by, until the transaction ends or it is made again."""
        connection = self._connection()
        if any(connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() for table in tables):
            return []
        found = [row for table in tables for row in connection.execute(_PLAIN_INDEXES, (table,))]
        for name, _ in found:
            connection.execute(f"DROP INDEX {name}")
        return [definition for _, definition in found]

    def script(self, text: str) -> None:
        """Run several statements inside the transaction that is open (``executescript`` would commit it)."""
        pending = ""
        for line in text.splitlines(keepends=True):
            pending += line
            if sqlite3.complete_statement(pending):
                self._connection().execute(pending)
                pending = ""

    def lock(self, name: str) -> None:
        """BEGIN IMMEDIATE already holds the one write lock."""

    def tables(self) -> set[str]:
        """Names of the tables that exist."""
        return {row[0] for row in self._connection().execute("SELECT name FROM sqlite_master WHERE type = 'table'")}

    def backup_names(self) -> Iterable[str]:
        """Name the file."""
        return [str(self._path)]

    def compact(self) -> None:
        """Rewrite the file without what was removed, and empty the write-ahead log."""
        with _translated(self._path):
            self._connection().execute("VACUUM")
            self._connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close this thread's connection."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None


@contextmanager
def _without_collection() -> Iterator[None]:
    """Look for no cycles meanwhile: a million new rows have none, and Python would go through them again and again."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise StoreError(f"The store {path} refused the work: {error}.") from error
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.IntegrityError):
            raise
        raise StoreError(f"The store {path} is not a Lapwing store or is damaged: {error}.") from error
