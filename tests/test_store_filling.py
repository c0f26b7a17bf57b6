"""A large file: in key order, with its indexes made afterwards, and nothing else different from a small one."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from app.settings import Settings
from app.wiring import Lapwing
from data import sqlite
from data.ids import uuid7s
from data.sqlite import SqliteDatabase
from geo.model import OPTIONAL_TEXTS, RECORD_COLUMNS, Scope
from tests.conftest import NOW_US
from tests.files import load, row, write_csv

INDEXES = "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index' ORDER BY name"
ROWS = 120


@pytest.fixture
def small_is_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "_MANY_ROWS", ROWS)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[tuple[Lapwing, Path]]:
    path = tmp_path / "a.db"
    app = Lapwing(Settings(home=tmp_path, store=f"sqlite:///{path}"), clock=lambda: NOW_US)
    app.migrate(None)
    yield app, path
    app.database.close()


def _ask(path: Path, text: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(text).fetchall()
    finally:
        connection.close()


def _file(tmp_path: Path, name: str, count: int = ROWS) -> Path:
    """Rows of which every seventh has no position."""
    spots = [(-2.3 - i * 1e-4, 51.38) if i % 7 else ("", "") for i in range(count)]
    return write_csv(tmp_path / name, [row(i, lon=lon, lat=lat) for i, (lon, lat) in enumerate(spots)])


def _records(app: Lapwing) -> pd.DataFrame:
    return app.store.evidence.records(Scope(), ["incidents"])


def test_the_indexes_are_back_and_whole(store: tuple[Lapwing, Path], tmp_path: Path, small_is_many: None) -> None:
    app, path = store
    before = _ask(path, INDEXES)
    seen: list[set[str]] = []
    insert = app.database.insert

    def spy(table: str, *args: Any, **kwargs: Any) -> int:
        if table == "record":
            names = app.database._connection().execute("SELECT name FROM sqlite_master WHERE type = 'index'")
            seen.append({name for (name,) in names})
        return insert(table, *args, **kwargs)

    app.database.insert = spy  # type: ignore[method-assign]
    for name, kind in (("a.csv", "x"), ("b.csv", "y")):
        load(app, write_csv(tmp_path / name, [row(i, lon=-2.3 - i * 1e-4, kind=kind) for i in range(ROWS)]))
        assert _ask(path, INDEXES) == before
    assert "record_by_cell" not in seen[0]
    assert "sqlite_autoindex_record_1" in seen[0]
    assert all("record_by_cell" in names for names in seen[len(seen) // 2 :])  # there were rows by then
    assert _ask(path, "PRAGMA integrity_check") == [("ok",)]
    assert (
        app.database._connection().execute("PRAGMA cache_size").fetchone()
        == sqlite3.connect(":memory:").execute("PRAGMA cache_size").fetchone()
    )


def test_rows_are_the_same_with_and_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = []
    for many in (ROWS // 2, 10**9):
        monkeypatch.setattr(sqlite, "_MANY_ROWS", many)
        home = tmp_path / str(many)
        home.mkdir()
        app = Lapwing(Settings(home=home, store=f"sqlite:///{home / 'a.db'}"), clock=lambda: NOW_US)
        app.migrate(None)
        load(app, _file(tmp_path, "a.csv"))
        load(app, _file(tmp_path, "b.csv", ROWS + 9))
        frames.append(_records(app).drop(columns="event_id", errors="ignore"))
        app.database.close()
    pd.testing.assert_frame_equal(*frames)
    assert len(frames[0]) == ROWS + 9


def test_a_failure_midway_leaves_indexes_and_no_rows(
    store: tuple[Lapwing, Path], tmp_path: Path, small_is_many: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, path = store
    before = _ask(path, INDEXES)
    insert, calls = app.database.insert, []

    def break_off(table: str, *args: Any, **kwargs: Any) -> int:
        calls.append(table)
        if table == "batch_record":
            raise RuntimeError("the disk is gone")
        return insert(table, *args, **kwargs)

    monkeypatch.setattr(app.database, "insert", break_off)
    with pytest.raises(RuntimeError, match="the disk is gone"):
        load(app, _file(tmp_path, "a.csv"))
    assert "record" in calls
    assert _ask(path, INDEXES) == before
    assert _records(app).empty
    monkeypatch.undo()
    assert load(app, _file(tmp_path, "a.csv")).batch.accepted == ROWS


def test_outside_a_transaction_no_index_is_touched(store: tuple[Lapwing, Path], small_is_many: None) -> None:
    app, path = store
    before = _ask(path, INDEXES)
    database = app.database
    assert isinstance(database, SqliteDatabase)
    with database.filling(("record",), rows=ROWS):
        assert _ask(path, INDEXES) == before


def test_others_read_the_store_as_it_was_meanwhile(store: tuple[Lapwing, Path], small_is_many: None) -> None:
    app, path = store
    before = _ask(path, INDEXES)
    with app.database.transaction(), app.database.filling(("record", "batch_record"), rows=ROWS):
        assert _ask(path, INDEXES) == before


def test_a_record_that_says_nothing_more_has_the_defaults(lapwing: Lapwing, tmp_path: Path) -> None:
    load(lapwing, write_csv(tmp_path / "a.csv", [row(1), row(2)]))
    texts, others = [*OPTIONAL_TEXTS], ["reported_us", "supply_key"]
    assert {*texts, *others} < set(RECORD_COLUMNS)
    counted = [f"SUM(CASE WHEN {name} = '' THEN 1 ELSE 0 END)" for name in texts]
    counted += [f"SUM(CASE WHEN {name} IS NULL THEN 1 ELSE 0 END)" for name in others]
    app_database: Any = lapwing.database
    (found,) = app_database._connection().execute(f"SELECT {', '.join(counted)} FROM record").fetchall()
    assert set(found) == {2}


def test_some_rows_with_words_and_some_without(lapwing: Lapwing, tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "a.csv",
        [
            [1, "2024-03-09", -2.36, 51.38, "x", "", ""],
            [2, "2024-03-09", -2.36, 51.38, "x", "by the swings", "2024-03-10"],
        ],
        ("id", "date", "longitude", "latitude", "kind", "notes", "reported"),
    )
    load(lapwing, path)
    (batch,) = lapwing.store.evidence.batches(Scope())
    found = lapwing.database.frame("records_of_batch", org_id=Scope().org_id, batch_id=batch.batch_id)
    assert sorted(found["reported_us"].isna()) == [False, True]


def test_ids_are_uuids_of_version_7_in_order_of_time() -> None:
    import uuid

    ids = [uuid.UUID(text) for text in uuid7s(500, NOW_US)]
    assert {(one.version, one.variant) for one in ids} == {(7, uuid.RFC_4122)}
    assert {one.int >> 80 for one in ids} == {NOW_US // 1000}
    assert len(set(ids)) == 500
    assert max(uuid7s(50, NOW_US)) < min(uuid7s(50, NOW_US + 1000))
    random = [one.int & ((1 << 62) - 1) for one in ids] + [(one.int >> 64) & 0xFFF for one in ids]
    for bit in range(62):  # no bit is stuck
        assert 100 < sum(value >> bit & 1 for value in random[:500]) < 400
    for bit in range(12):
        assert 100 < sum(value >> bit & 1 for value in random[500:]) < 400
    assert uuid7s(0, NOW_US) == []
