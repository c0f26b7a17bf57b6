"""The same on PostgreSQL: a first large file goes in before its indexes, of tables that are empty and our own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app.settings import Settings
from app.wiring import Lapwing
from data import postgis
from tests.conftest import NOW_US
from tests.files import load, row, write_csv

ROWS = 120
INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexname"


@pytest.fixture
def app(postgis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lapwing]:
    monkeypatch.setattr(postgis, "_MANY_ROWS", ROWS)
    app = Lapwing(Settings(home=tmp_path, store=postgis_url), clock=lambda: NOW_US)
    app.migrate(None)
    yield app
    app.database.close()


def _indexes(app: Lapwing) -> list[tuple[Any, ...]]:
    database: Any = app.database
    found: list[tuple[Any, ...]] = database._connection().execute(INDEXES).fetchall()
    return found


def _file(folder: Path, name: str, kind: str = "x") -> Path:
    return write_csv(folder / name, [row(i, lon=-2.3 - i * 1e-4, kind=kind) for i in range(ROWS)])


def _records(app: Lapwing) -> int:
    return int(app.database.rows("changes_so_far", org_id="default")[0]["records"])


@pytest.fixture
def seen(app: Lapwing, monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """Names of the indexes at each insert of records."""
    names: list[set[str]] = []
    insert = app.database.insert

    def spy(table: str, *args: Any, **kwargs: Any) -> int:
        if table == "record":
            names.append({name for name, _ in _indexes(app)})
        return insert(table, *args, **kwargs)

    monkeypatch.setattr(app.database, "insert", spy)
    return names


def test_the_indexes_of_a_first_file_are_made_after_it(app: Lapwing, seen: list[set[str]], tmp_path: Path) -> None:
    before = _indexes(app)
    load(app, _file(tmp_path, "a.csv"))
    assert _indexes(app) == before
    first = len(seen)
    assert not {"record_by_geom", "record_by_cell", "batch_record_by_key"} & set.union(*seen)
    assert {"record_pkey", "batch_record_pkey"} <= set.intersection(*seen)
    load(app, _file(tmp_path, "b.csv", "y"))
    assert _indexes(app) == before
    assert seen[first:]
    assert {"record_by_geom", "batch_record_by_key"} <= set.intersection(*seen[first:])  # there were rows by then


def test_a_failure_midway_leaves_the_indexes_and_no_rows(
    app: Lapwing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, insert = _indexes(app), app.database.insert

    def break_off(table: str, *args: Any, **kwargs: Any) -> int:
        if table == "batch_record":
            raise RuntimeError("the disk is gone")
        return insert(table, *args, **kwargs)

    monkeypatch.setattr(app.database, "insert", break_off)
    with pytest.raises(RuntimeError, match="the disk is gone"):
        load(app, _file(tmp_path, "a.csv"))
    assert _indexes(app) == before
    monkeypatch.undo()
    assert load(app, _file(tmp_path, "a.csv")).batch.accepted == ROWS


def test_tables_of_another_owner_keep_their_indexes(
    app: Lapwing, seen: list[set[str]], postgis_url: str, tmp_path: Path
) -> None:
    before = _indexes(app)
    with psycopg.connect(postgis_url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS writer_only")
        connection.execute("CREATE ROLE writer_only")
        connection.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO writer_only")
    database: Any = app.database
    database._connection().execute("SET ROLE writer_only")
    load(app, _file(tmp_path, "a.csv"))
    assert _indexes(app) == before
    assert all("record_by_geom" in names for names in seen)
    database._connection().execute("RESET ROLE")
    with psycopg.connect(postgis_url, autocommit=True) as connection:
        connection.execute("DROP OWNED BY writer_only")
        connection.execute("DROP ROLE writer_only")


def test_outside_a_transaction_no_index_is_touched(app: Lapwing) -> None:
    before = _indexes(app)
    with app.database.filling(("record",), rows=ROWS):
        assert _indexes(app) == before
