"""What every store promises, shown on both."""

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import psycopg
import pytest

from app.services import accounts, places
from app.services.analysis import analyse
from app.services.importing import undo_batch
from app.settings import Settings
from app.wiring import Lapwing
from data.audit import Verb
from data.migrate import available
from data.sqlite import SqliteDatabase
from data.store import Store
from geo.crs import MetricCrs
from geo.errors import Conflict, IntegrityError, LapwingError, NotFound, StoreError
from geo.model import Role, Run, Scope, Verdict
from geo.parameters import AnalysisParameters
from geo.retention import dates
from tests.conftest import NOW_US
from tests.files import load, row, square, stack, write_csv, write_geojson

if TYPE_CHECKING:
    from collections.abc import Callable

HOUR_US = 3_600_000_000
OTHER = Scope(org_id="other", actor="stranger")
REFUSED = (sqlite3.DatabaseError, psycopg.Error, LapwingError)


def total(store: Store, scope: Scope) -> int:
    return sum(one["records"] for one in store.evidence.record_counts(scope).values())


def raw(app: Lapwing, text: str) -> None:
    """SQL behind the repositories' back, as somebody with a database shell would send it."""
    app.database.script(text)


def hotspot(app: Lapwing, tmp_path: Path) -> Run:
    load(app, write_csv(tmp_path / "spot.csv", stack([(-2.36, 51.38, 8)])))
    return analyse(app.store, Scope(actor="test"), AnalysisParameters(), seed=0, now_us=NOW_US)


# --- batches and memberships ------------------------------------------------------------------------------------------


def test_counts_add_up_and_unlocated_is_within_accepted(lapwing: Lapwing, scope: Scope, tmp_path: Path) -> None:
    rows = [row(1), row(1), row(2, lon="", lat=""), row(3, date="soon"), row(4, lon=200)]
    batch = load(lapwing, write_csv(tmp_path / "a.csv", rows)).batch
    assert (batch.read, batch.accepted, batch.unlocated, batch.rejected, batch.duplicates) == (5, 3, 1, 2, 0)
    stored = lapwing.store.evidence.batch(scope, batch.batch_id)
    assert stored == batch
    again = load(lapwing, tmp_path / "a.csv").batch
    assert (again.read, again.accepted, again.unlocated, again.rejected, again.duplicates) == (5, 0, 0, 2, 3)


def test_equal_rows_of_one_file_are_separate_events(lapwing: Lapwing, scope: Scope, tmp_path: Path) -> None:
    load(lapwing, write_csv(tmp_path / "a.csv", [row()] * 4))
    assert total(lapwing.store, scope) == 4


def test_overlapping_files_give_the_maximum_not_the_sum(lapwing: Lapwing, scope: Scope, tmp_path: Path) -> None:
    load(lapwing, write_csv(tmp_path / "a.csv", [row(1)] * 3 + [row(2)]))
    batch = load(lapwing, write_csv(tmp_path / "b.csv", [row(1)] * 5)).batch
    assert (batch.accepted, batch.duplicates) == (2, 3)
    assert total(lapwing.store, scope) == 6


def test_a_record_goes_with_its_last_membership(lapwing: Lapwing, scope: Scope, tmp_path: Path) -> None:
    first = load(lapwing, write_csv(tmp_path / "a.csv", [row(1), row(2)])).batch.batch_id
    second = load(lapwing, write_csv(tmp_path / "b.csv", [row(2), row(3)])).batch.batch_id
    assert undo_batch(lapwing.store, scope, first, now_us=NOW_US) == {"records": 1, "features": 0}
    assert total(lapwing.store, scope) == 2
    assert undo_batch(lapwing.store, scope, second, now_us=NOW_US) == {"records": 2, "features": 0}
    assert total(lapwing.store, scope) == 0
    assert load(lapwing, tmp_path / "a.csv").batch.accepted == 2


def test_a_batch_is_undone_once(lapwing: Lapwing, scope: Scope, tmp_path: Path) -> None:
    batch = load(lapwing, write_csv(tmp_path / "a.csv", [row(), row(date="soon")])).batch.batch_id
    undo_batch(lapwing.store, scope, batch, now_us=NOW_US)
    assert lapwing.store.evidence.batch(scope, batch).undone_at_us == NOW_US
    assert lapwing.store.evidence.quarantine(scope).empty
    with pytest.raises(Conflict, match="undone before"):
        undo_batch(lapwing.store, scope, batch, now_us=NOW_US)


def test_quarantine_is_kept_with_row_field_and_reason(lapwing: Lapwing, scope: Scope, tmp_path: Path) -> None:
    load(lapwing, write_csv(tmp_path / "a.csv", [row(1), row(2, date="soon"), row(3, lat="north")]))
    kept = lapwing.store.evidence.quarantine(scope)
    assert kept[["row_number", "field", "reason"]].to_numpy().tolist() == [
        [3, "date", "bad_date"],
        [4, "latitude", "bad_number"],
    ]


def test_one_file_is_one_transaction(
    lapwing: Lapwing, scope: Scope, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_csv(tmp_path / "a.csv", [row(1), row(2, date="soon")])
    break_insert(lapwing, monkeypatch, "quarantine")
    with pytest.raises(RuntimeError):
        load(lapwing, path)
    assert total(lapwing.store, scope) == 0
    assert lapwing.store.evidence.batches(scope) == []


# --- features and areas -----------------------------------------------------------------------------------------------


def test_features_come_back_by_kind_and_box(lapwing: Lapwing, scope: Scope, tmp_path: Path) -> None:
    near, far = ({"name": "near"}, square(-2.37, 51.37, 0.01)), ({"name": "far"}, square(-1.0, 52.0, 0.01))
    batch = load(lapwing, write_geojson(tmp_path / "parks.geojson", [near, far]), "parks").batch
    evidence = lapwing.store.evidence
    assert (batch.read, batch.accepted) == (2, 2)
    assert evidence.feature_counts(scope) == {"parks": 2}
    assert evidence.features(scope, ["parks"], (-2.4, 51.3, -2.3, 51.4))["name"].tolist() == ["near"]
    assert evidence.features(scope, ["roads"]).empty
    assert undo_batch(lapwing.store, scope, batch.batch_id, now_us=NOW_US)["features"] == 2


@pytest.mark.parametrize("name", ["Council", "edges", "Bath", "E06"])
def test_an_area_is_known_by_source_stem_name_and_code(
    lapwing: Lapwing, scope: Scope, tmp_path: Path, name: str
) -> None:
    path = write_geojson(tmp_path / "edges.geojson", [({"name": "Bath", "code": "E06"}, square(-2.4, 51.3, 0.1))])
    load(lapwing, path, "boundary", source="Council")
    assert lapwing.store.evidence.area(scope, name).bounds == pytest.approx((-2.4, 51.3, -2.3, 51.4))


def test_an_unknown_area_says_which_are_known(lapwing: Lapwing, scope: Scope, tmp_path: Path) -> None:
    load(
        lapwing,
        write_geojson(tmp_path / "edges.geojson", [({"name": "Bath"}, square(-2.4, 51.3, 0.1))]),
        "areas",
        source="Council",
    )
    with pytest.raises(NotFound, match=r"'Wells'.*Council, edges"):
        lapwing.store.evidence.area(scope, "Wells")


# --- runs and decisions -----------------------------------------------------------------------------------------------


def break_insert(app: Lapwing, monkeypatch: pytest.MonkeyPatch, table: str) -> None:
    whole: Callable[..., int] = app.database.insert

    def insert(name: str, columns: Any, **options: Any) -> int:
        if name == table:
            raise RuntimeError(f"no room for {table}")
        return whole(name, columns, **options)

    monkeypatch.setattr(app.database, "insert", insert)


@pytest.mark.parametrize("table", ["run_place", "run_place_record", "place"])
def test_a_run_is_stored_whole_or_not_at_all(
    lapwing: Lapwing, scope: Scope, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    with monkeypatch.context() as broken:
        break_insert(lapwing, broken, table)
        with pytest.raises(RuntimeError):
            hotspot(lapwing, tmp_path)
    runs = lapwing.store.runs
    assert runs.runs(scope) == []
    assert lapwing.store.places.known_places(scope) == []
    run = analyse(lapwing.store, scope, AnalysisParameters(), seed=0, now_us=NOW_US)
    assert len(runs.places(scope, run.run_id)) == 1


def test_a_failed_replacement_leaves_the_old_run(
    lapwing: Lapwing, scope: Scope, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = hotspot(lapwing, tmp_path)
    before = lapwing.store.runs.places(scope, run.run_id)
    with monkeypatch.context() as broken:
        break_insert(lapwing, broken, "run_place")
        with pytest.raises(RuntimeError):
            analyse(lapwing.store, scope, AnalysisParameters(), seed=0, now_us=NOW_US, as_of_us=NOW_US + HOUR_US)
    assert lapwing.store.runs.get(scope, "latest") == run
    assert lapwing.store.runs.places(scope, run.run_id) == before


def test_a_run_comes_back_as_it_was_stored(lapwing: Lapwing, scope: Scope, tmp_path: Path) -> None:
    run = hotspot(lapwing, tmp_path)
    assert lapwing.store.runs.get(scope, run.run_id) == run
    cells = lapwing.store.runs.cells(scope, run.run_id)
    assert cells["records"].sum() == 16  # eight records, at each of the two stored resolutions
    (place,) = lapwing.store.runs.places(scope, run.run_id)
    assert len(lapwing.store.runs.place_records(scope, run.run_id, place.place_id)) == 8


def test_the_newest_decision_stands_and_history_stays(lapwing: Lapwing, scope: Scope, tmp_path: Path) -> None:
    run = hotspot(lapwing, tmp_path)
    (place,) = lapwing.store.runs.places(scope, run.run_id)
    for i, verdict in enumerate((Verdict.ACCEPT, Verdict.REJECT)):
        places.decide(lapwing.store, scope, place.place_id, verdict, "seen it", now_us=NOW_US + i)
    assert [d.verdict for d in lapwing.store.places.decisions(scope, place.place_id)] == ["accept", "reject"]
    assert lapwing.store.places.standing(scope)[place.place_id].verdict == "reject"


def test_the_later_decision_stands_within_one_moment(lapwing: Lapwing, scope: Scope, tmp_path: Path) -> None:
    """Two decisions in one microsecond (or a clock put back) must not be ordered by chance."""
    run = hotspot(lapwing, tmp_path)
    (place,) = lapwing.store.runs.places(scope, run.run_id)
    for turn in range(12):
        verdict = (Verdict.ACCEPT, Verdict.REJECT)[turn % 2]
        places.decide(lapwing.store, scope, place.place_id, verdict, "seen it", now_us=NOW_US)
        assert lapwing.store.places.standing(scope)[place.place_id].verdict == verdict


# --- organisations ----------------------------------------------------------------------------------------------------


def test_another_organisation_sees_nothing(lapwing: Lapwing, scope: Scope, tmp_path: Path) -> None:
    run = hotspot(lapwing, tmp_path)
    bad = load(lapwing, write_csv(tmp_path / "bad.csv", [row(date="soon")])).batch.batch_id
    edges = write_geojson(tmp_path / "edges.geojson", [({"name": "Bath"}, square(-2.4, 51.3, 0.1))])
    load(lapwing, edges, "boundary")
    (place,) = lapwing.store.runs.places(scope, run.run_id)
    places.decide(lapwing.store, scope, place.place_id, Verdict.ACCEPT, "seen it", now_us=NOW_US)
    accounts.add_user(lapwing.store, scope, "ann", Role.ANALYST, now_us=NOW_US)
    evidence, runs, store = lapwing.store.evidence, lapwing.store.runs, lapwing.store
    spot = evidence.batches(scope)[0].batch_id
    seen: list[Any] = [
        evidence.batches(OTHER), evidence.quarantine(OTHER), evidence.quarantine(OTHER, bad), evidence.quarantine_reasons(OTHER, bad),
        evidence.records(OTHER, ["incidents"]), evidence.batch_records(OTHER, spot), evidence.record_counts(OTHER),
        evidence.feature_counts(OTHER), evidence.categories(OTHER), evidence.features(OTHER, ["boundary"]),
        evidence.input_hashes(OTHER, ["incidents"]), runs.runs(OTHER), runs.cells(OTHER, run.run_id), runs.places(OTHER, run.run_id),
        runs.place_records(OTHER, run.run_id, place.place_id), store.places.known_places(OTHER), runs.seen_in(OTHER, place.place_id),
        store.places.decisions(OTHER), store.places.standing(OTHER), store.places.nominations(OTHER), store.accounts.all(OTHER), store.audit.events(OTHER), store.audit.disclosures(OTHER),
    ]  # fmt: skip
    assert [len(one) for one in seen] == [0] * len(seen)
    assert runs.find(OTHER, run.run_id) is None
    refused: list[Callable[[], Any]] = [
        lambda: evidence.batch(OTHER, spot), lambda: evidence.area(OTHER, "Bath"), lambda: runs.get(OTHER, run.run_id),
        lambda: runs.get(OTHER, "latest"), lambda: store.places.known_place(OTHER, place.place_id),
        lambda: undo_batch(store, OTHER, spot, now_us=NOW_US), lambda: places.view_place(store, OTHER, place.place_id),
        lambda: places.decide(store, OTHER, place.place_id, Verdict.REJECT, "not mine", now_us=NOW_US),
        lambda: accounts.disable_user(store, OTHER, "ann", now_us=NOW_US),
    ]  # fmt: skip
    for attempt in refused:
        with pytest.raises(NotFound):
            attempt()


def test_organisations_hold_the_same_file_apart(lapwing: Lapwing, scope: Scope, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [row(1), row(2)])
    mine, theirs = load(lapwing, path).batch, load(lapwing, path, scope=OTHER).batch
    assert (mine.accepted, theirs.accepted) == (2, 2)
    undo_batch(lapwing.store, scope, mine.batch_id, now_us=NOW_US)
    assert (total(lapwing.store, scope), total(lapwing.store, OTHER)) == (0, 2)


# --- audit ------------------------------------------------------------------------------------------------------------


def log(store: Store, scope: Scope, count: int = 3) -> None:
    for i in range(count):
        store.audit.append(scope, Verb.CONSULTATION, f"run:{i}", NOW_US + i, page=i)


def test_the_chain_verifies_and_names_who_did_what(store: Store, scope: Scope) -> None:
    log(store, scope)
    assert store.audit.verify() == 3
    assert next((e["actor"], e["verb"], e["subject"]) for e in store.audit.events(scope)) == (
        "test",
        "consultation",
        "run:0",
    )


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_event SET actor = 'nobody' WHERE seq = 2;\n",
        "DELETE FROM audit_event WHERE seq = 2;\n",
        "DELETE FROM audit_event;\n",
    ],
)
def test_the_database_refuses_to_change_the_log(lapwing: Lapwing, scope: Scope, change: str) -> None:
    log(lapwing.store, scope)
    with pytest.raises(REFUSED, match="append-only"):
        raw(lapwing, change)
    assert lapwing.store.audit.verify() == 3


def test_the_log_cannot_be_emptied_or_replaced_at_once(lapwing: Lapwing, scope: Scope) -> None:
    """TRUNCATE fires no row trigger in PostgreSQL, and REPLACE no delete trigger in SQLite."""
    log(lapwing.store, scope)
    replace_row = (
        "INSERT OR REPLACE INTO audit_event SELECT seq, at_us, org_id, 'nobody', verb, subject, detail, previous_hash, hash"
        " FROM audit_event WHERE seq = 2;\n"
    )
    with pytest.raises(REFUSED, match="append-only"):
        raw(lapwing, "TRUNCATE audit_event;\n" if lapwing.database.dialect == "postgis" else replace_row)


@pytest.mark.parametrize(
    "change",
    ["UPDATE audit_event SET actor = 'nobody' WHERE seq = 2;\n", "DELETE FROM audit_event WHERE seq = 2;\n"],
)
def test_tampering_with_the_triggers_off_is_found(lapwing: Lapwing, scope: Scope, change: str) -> None:
    log(lapwing.store, scope)
    if lapwing.database.dialect == "postgis":
        raw(lapwing, "ALTER TABLE audit_event DISABLE TRIGGER ALL;\n")
    else:
        raw(lapwing, "DROP TRIGGER audit_event_no_update;\nDROP TRIGGER audit_event_no_delete;\n")
    raw(lapwing, change)
    with pytest.raises(IntegrityError, match=r"tampered with at event [23]"):
        lapwing.store.audit.verify()


def test_a_view_is_logged_once_an_hour(store: Store, scope: Scope) -> None:
    hour = NOW_US - NOW_US % HOUR_US
    for at in (hour + 1, hour + 2, hour + HOUR_US + 1):
        store.audit.consult(scope, "run:1", at)
    assert len(store.audit.events(scope)) == 2


# --- migrations -------------------------------------------------------------------------------------------------------


def test_migrating_twice_changes_nothing(lapwing: Lapwing, scope: Scope, tmp_path: Path) -> None:
    load(lapwing, write_csv(tmp_path / "a.csv", [row()]))
    assert lapwing.migrate(None) == []
    assert lapwing.migrate(MetricCrs(27700)) == []
    assert total(lapwing.store, scope) == 1


def test_another_crs_is_refused(lapwing: Lapwing) -> None:
    with pytest.raises(Conflict, match="EPSG:27700"):
        lapwing.migrate(MetricCrs(32630))


def test_a_changed_migration_is_refused(lapwing: Lapwing) -> None:
    raw(lapwing, "UPDATE lapwing_migration SET checksum = 'other' WHERE number = 1;\n")
    with pytest.raises(StoreError, match="Migration 1 was changed"):
        lapwing.migrate(None)


def test_a_failed_migration_leaves_nothing(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = Lapwing(Settings(home=tmp_path, store=store_url), clock=lambda: NOW_US)
    monkeypatch.setattr(
        "data.migrate.available", lambda _: {1: "CREATE TABLE good (a BIGINT);\nCREATE TABLE bad bad;\n"}
    )
    with pytest.raises(REFUSED):
        app.migrate(None)
    assert "good" not in app.database.tables()
    assert "lapwing_migration" not in app.database.tables()
    app.database.close()


def test_an_unmigrated_server_says_what_to_run(postgis_url: str, tmp_path: Path) -> None:
    app = Lapwing(Settings(home=tmp_path, store=postgis_url))
    with pytest.raises(StoreError, match="run: lapwing migrate"):
        _ = app.store
    app.database.close()


def test_an_older_store_says_what_to_run(lapwing: Lapwing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.migrate.available", lambda dialect: available(dialect) | {99: ""})
    with pytest.raises(StoreError, match="lacks migration 99; run: lapwing migrate"):
        _ = lapwing.store


def test_a_store_of_the_first_version_keeps_its_records_and_gets_dates(
    store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = Lapwing(Settings(home=tmp_path, store=store_url), clock=lambda: NOW_US)
    monkeypatch.setattr("data.migrate.available", lambda dialect: {1: available(dialect)[1]})
    app.migrate(None)
    kinds = {"incidents": 24, "sightings": 6}
    for number, kind in enumerate(kinds):
        counts = dict.fromkeys(("read", "accepted"), 1) | dict.fromkeys(("unlocated", "rejected", "duplicates"), 0)
        texts = dict.fromkeys(("source", "file_name", "stem", "file_sha256", "format", "imported_by"), "x")
        row = {"batch_id": f"b{number}", "org_id": "default", "kind": kind, "imported_at_us": NOW_US, **counts, **texts}
        app.database.insert("batch", {name: [value] for name, value in row.items()})
        texts = dict.fromkeys(("source", "agency", "urn", "category", "time_basis", "vehicle_hash"), "x")
        record = {
            "org_id": "default",
            "record_key": bytes([number]) * 32,
            "event_id": f"e{number}",
            "kind": kind,
            "from_us": 0,
            "to_us": 1,
        }
        record |= {
            "lon": -2.36,
            "lat": 51.38,
            "x_m": 1.0,
            "y_m": 1.0,
            "cell7": 1,
            "location_basis": "exact",
            "precision_m": 10.0,
            **texts,
        }
        app.database.insert("record", {name: [value] for name, value in record.items()})
        membership = {"org_id": "default", "batch_id": f"b{number}", "record_key": record["record_key"]}
        app.database.insert("batch_record", {name: [value] for name, value in membership.items()})
    monkeypatch.undo()
    assert app.migrate(None) == sorted(available(app.database.dialect))[1:]
    for number, (kind, months) in enumerate(kinds.items()):
        found = app.store.evidence.record(Scope(), bytes([number]) * 32)
        review_us, delete_us = dates(kind, now_us=NOW_US, months=kinds)
        assert (found["method"], found["delete_us"], found["review_us"]) == ("given", delete_us, review_us), months
        assert found["superseded"] == 0
    assert [batch.batch_id for batch in app.store.evidence.batches(Scope())] == ["b0", "b1"]
    app.database.close()


def test_a_file_that_is_no_store_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_bytes(b"These are my notes, not a database.\n" * 50)
    before = path.read_bytes()
    with pytest.raises(StoreError):
        SqliteDatabase(path).tables()
    assert path.read_bytes() == before


# --- accounts ---------------------------------------------------------------------------------------------------------


def test_an_outer_failure_takes_inner_work_back(lapwing: Lapwing, scope: Scope, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [row()])

    def both() -> None:
        with lapwing.database.transaction():
            load(lapwing, path)
            with lapwing.database.transaction():
                log(lapwing.store, scope, 1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        both()
    assert total(lapwing.store, scope) == 0
    assert lapwing.store.audit.verify() == 0
    assert load(lapwing, path).batch.accepted == 1


def test_frames_are_the_same_shape_in_both_stores(lapwing: Lapwing, scope: Scope, tmp_path: Path) -> None:
    load(lapwing, write_csv(tmp_path / "a.csv", [row(), row(2, lon="", lat="")]))
    frame = lapwing.store.evidence.records(scope, ["incidents"])
    assert frame["from_us"].dtype == "int64"
    assert all(pd.api.types.is_float_dtype(frame[name]) for name in ("lon", "lat", "x_m", "y_m", "precision_m"))
    assert frame["x_m"].isna().sum() == 1
    assert all(isinstance(key, bytes) for key in frame["record_key"])


def test_a_run_of_one_organisation_does_not_replace_another_s(lapwing: Lapwing, scope: Scope, tmp_path: Path) -> None:
    run = hotspot(lapwing, tmp_path)
    load(lapwing, tmp_path / "spot.csv", scope=OTHER)
    theirs = analyse(lapwing.store, OTHER, AnalysisParameters(), seed=0, now_us=NOW_US)
    assert theirs.run_id == run.run_id
    assert lapwing.store.runs.get(scope, run.run_id) == run
    assert replace(theirs, created_by=run.created_by, summary=run.summary) == run
