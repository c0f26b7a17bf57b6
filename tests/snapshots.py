"""Everything that a store holds, to compare before and after."""

from typing import Any

from app.wiring import Lapwing

# The append-only log, and what a session leaves behind.
NOT_COMPARED = {"audit_event", "web_session", "lapwing_migration"}


def everything_stored(app: Lapwing) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of every table but the log, sorted."""
    database = app.database
    found = {}
    for table in sorted(
        database.tables() - NOT_COMPARED - {"spatial_ref_sys", "geography_columns", "geometry_columns"}
    ):
        rows = _rows(database, table)
        found[table] = sorted((_plain(row) for row in rows), key=repr)
    return found


def _rows(database: Any, table: str) -> list[dict[str, Any]]:
    connection = database._connection()
    cursor = connection.execute(f'SELECT * FROM "{table}"')
    names = [column[0] for column in cursor.description]
    return [
        dict(row) if isinstance(row, dict) else dict(zip(names, tuple(row), strict=True)) for row in cursor.fetchall()
    ]


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: bytes(value) if isinstance(value, memoryview) else value for name, value in row.items()}
