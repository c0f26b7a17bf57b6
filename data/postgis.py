"""The production store: PostgreSQL with PostGIS, through psycopg 3 and binary COPY."""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import pandas as pd
import psycopg
from psycopg import sql
from psycopg.copy import QueuedLibpqWriter
from psycopg.rows import tuple_row

from data.pgcopy import ROWS_PER_CHUNK, binary_rows
from data.queries import statement
from geo.errors import StoreError

# So many rows are worth making all of an index for at once.
_MANY_ROWS: Final = 20_000
_OURS: Final = "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass(%(table)s)"
# Not those that keep rows apart.
_PLAIN_INDEXES: Final = """SELECT format('DROP INDEX %%s', indexrelid::regclass), pg_get_indexdef(indexrelid)
    FROM pg_index WHERE indrelid = to_regclass(%(table)s) AND NOT indisunique ORDER BY 1"""
# Tables that a purge, a refuge or a position given later takes rows from or rewrites, each with what hangs on it.
_COMPACTED: Final = (
    "record",
    "batch_record",
    "feature",
    "batch_feature",
    "location_hint",
    "revision",
    "quarantine",
    "event_split",
    "run",
    "run_cell",
    "run_place",
    "run_place_record",
    "run_match",
    "run_facility",
    "run_route",
    "run_link",
    "run_view",
    "sharing",
    "nomination",
    "decision",
    "place",
)


class PostgisDatabase:
    """One PostgreSQL database; each thread has its own connection."""

    dialect = "postgis"

    def __init__(self, url: str) -> None:
        try:
            info = psycopg.conninfo.conninfo_to_dict(url)
        except psycopg.Error as error:  # its text may quote the password
            raise StoreError(
                "The store's address is not one that PostgreSQL understands; write postgresql://user@host/name."
            ) from error
        self._url = url
        self._where = f"postgresql://{info.get('host', 'localhost')}/{info.get('dbname', '')}"
        self._local = threading.local()
        self._types: dict[str, dict[str, str]] = {}

    def _connection(self) -> psycopg.Connection[tuple[Any, ...]]:
        connection: psycopg.Connection[tuple[Any, ...]] | None = getattr(self._local, "connection", None)
        if connection is None or connection.closed:
            try:
                connection = psycopg.connect(self._url, autocommit=True, row_factory=tuple_row, client_encoding="UTF8")
            except psycopg.Error as error:
                raise StoreError(
                    f"The store at {self._where} cannot be reached: {str(error).splitlines()[0]}."
                ) from error
            self._local.connection = connection
        return connection

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing."""
        connection = self._connection()
        if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            yield
            return
        with connection.transaction():
            yield

    def execute(self, name: str, /, **parameters: Any) -> int:
        """Run a named statement."""
        text, bound = statement(name, parameters, style="pyformat")
        with self._translated():
            return self._connection().execute(text.encode(), bound).rowcount

    def rows(self, name: str, /, **parameters: Any) -> list[dict[str, Any]]:
        """Rows of a named query."""
        names, values = self._select(name, parameters)
        return [dict(zip(names, row, strict=True)) for row in values]

    def frame(self, name: str, /, **parameters: Any) -> pd.DataFrame:
        """Rows of a named query as a frame."""
        names, values = self._select(name, parameters)
        return pd.DataFrame.from_records(values, columns=names)

    def _select(self, name: str, parameters: Mapping[str, Any]) -> tuple[list[str], list[tuple[Any, ...]]]:
        text, bound = statement(name, parameters, style="pyformat")
        with self._translated(), self._connection().cursor(binary=True) as cursor:
            cursor.execute(text.encode(), bound)
            return [column.name for column in cursor.description or ()], cursor.fetchall()

    def insert(self, table: str, columns: Mapping[str, Sequence[Any]], *, ignore_existing: bool = False) -> int:
        """Insert in bulk by binary COPY; through a temporary table where existing rows are to be kept."""
        names = list(columns)
        types = self._column_types(table, names)
        with self._translated(), self.transaction(), self._connection().cursor() as cursor:
            target = sql.Identifier(table)
            into = target
            if ignore_existing:
                into = sql.Identifier("incoming")
                cursor.execute(sql.SQL("CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
                    into, _names(names), target))  # fmt: skip
            rows = len(next(iter(columns.values())))
            # One piece is sent at once; of several, the next is made while the server works on the last.
            writer = QueuedLibpqWriter(cursor) if rows > ROWS_PER_CHUNK else None
            statement_text = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(into, _names(names))
            with cursor.copy(statement_text, writer=writer) as copy:
                for piece in binary_rows(columns, types):
                    copy.write(piece)
            if not ignore_existing:
                return cursor.rowcount
            cursor.execute(sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {} ON CONFLICT DO NOTHING").format(
                target, _names(names), _names(names), into))  # fmt: skip
            inserted = cursor.rowcount
            cursor.execute(sql.SQL("DROP TABLE {}").format(into))
            return inserted

    def _column_types(self, table: str, names: Sequence[str]) -> dict[str, str]:
        """Types of a table's columns, asked once and again when a name is new: a migration may have added it."""
        if not self._types.get(table, {}).keys() >= set(names):
            self._types[table] = {
                row["column_name"]: row["udt_name"] for row in self.rows("column_types", table_name=table)
            }
        missing = [name for name in names if name not in self._types[table]]
        if missing:
            raise StoreError(f"Table {table} of the store at {self._where} has no column {missing[0]}.")
        return self._types[table]

    @contextmanager
    def filling(self, tables: Sequence[str], *, rows: int) -> Iterator[None]:
        """Index rows of tables that were empty after they are in, and tell the planner of them: else it may join them row by row."""
        if rows < _MANY_ROWS or self._connection().info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
            yield
            return
        made_again = self._without_indexes(tables)
        yield
        with self._translated():
            for definition in made_again:
                self._connection().execute(definition)
            for table in tables:
                self._connection().execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table)))

    def _without_indexes(self, tables: Sequence[str]) -> list[bytes]:
        """Drop what empty tables of our own are searched by; returns what makes it again.

        Nobody else sees the tables without: whoever reads them waits for the end of the transaction.
        """
        found = []
        for table in tables:
            rows = self._connection().execute(sql.SQL("SELECT FROM {} LIMIT 1").format(sql.Identifier(table))).rowcount
            ours = self._connection().execute(_OURS, {"table": table}).fetchone()
            if rows or ours != (True,):
                return []
            found += self._connection().execute(_PLAIN_INDEXES, {"table": table}).fetchall()
        for drop, _ in found:
            self._connection().execute(drop.encode())
        return [make.encode() for _, make in found]

    def script(self, text: str) -> None:
        """Run several statements."""
        with self._translated():
            self._connection().execute(text.encode())

    def lock(self, name: str) -> None:
        """Take the advisory lock until the transaction ends."""
        self._connection().execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"lapwing:{name}",))

    def tables(self) -> set[str]:
        """Names of the tables that exist."""
        found = self._connection().execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        return {row[0] for row in found.fetchall()}

    def backup_names(self) -> Iterable[str]:
        """Name the database."""
        return [self._where]

    def compact(self) -> None:
        """Rewrite the tables of evidence, analyses and places without what was removed."""
        with self._translated():
            for table in _COMPACTED:
                self._connection().execute(sql.SQL("VACUUM FULL {}").format(sql.Identifier(table)))

    def close(self) -> None:
        """Close this thread's connection."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except psycopg.IntegrityError:
            raise
        except psycopg.errors.RaiseException:
            raise
        except psycopg.Error as error:
            raise StoreError(f"The store at {self._where} refused the work: {str(error).splitlines()[0]}.") from error


def _names(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))
