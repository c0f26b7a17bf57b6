"""What is protected, purged, undone or supplied again while something else happens: nothing exact, lost or double."""

import json
import struct
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.services import corroborating, locating
from app.services.analysis import analyse
from app.services.entering import correct
from app.services.import_request import ImportReport, ImportRequest
from app.services.importing import check_file, import_file, store_checked, undo_batch
from app.services.purging import purge
from app.services.quarantine import corrections_csv
from app.services.terms import Terms
from app.wiring import Lapwing
from data.supplies import Supplies
from geo.model import Scope
from geo.parameters import AnalysisParameters
from geo.retention import DAY_US
from tests.conftest import NOW_US
from tests.council import HEADER, save_mapping, supply
from tests.files import TERMS, load, row, square, stack, write_csv, write_geojson
from tests.runs import SCOPE
from tests.snapshots import everything_stored

REFUGE = (-2.3591234, 51.3812345)
FAR = (-2.33, 51.37)


def at(months: float) -> Terms:
    return replace(TERMS, now_us=NOW_US + round(months * 30.5 * DAY_US))


def protect(app: Lapwing, folder: Path, spot: tuple[float, float] = REFUGE) -> ImportReport:
    refuge = [({"name": "refuge"}, {"type": "Point", "coordinates": list(spot)})]
    return load(app, write_geojson(folder / "refuge.geojson", refuge), "protected")


def reports(*types: str, lon: float = FAR[0], lat: float = FAR[1]) -> list[list[Any]]:
    return [[f"R{i}", f"2026-01-0{i + 1}", lon + i / 100_000, lat, text] for i, text in enumerate(types)]


def stored(app: Lapwing, table: str) -> list[dict[str, Any]]:
    return everything_stored(app)[table]


def counting(app: Lapwing) -> int:
    return sum(one["records"] for one in app.store.evidence.record_counts(SCOPE).values())


def newest_key(app: Lapwing, kind: str = "incidents") -> bytes:
    return bytes(app.store.evidence.newest_records(SCOPE, [kind], count=1)[0]["record_key"])


def exact_near(app: Lapwing, spot: tuple[float, float] = REFUGE) -> list[dict[str, Any]]:
    """Versions, counting or not, within about a hundred metres of a spot."""
    located = [one for one in stored(app, "record") if one["lon"] is not None]
    return [one for one in located if abs(one["lon"] - spot[0]) < 0.0014 and abs(one["lat"] - spot[1]) < 0.0009]


@pytest.fixture
def council(lapwing: Lapwing) -> Lapwing:
    save_mapping(lapwing)
    return lapwing


# Protected places that come later


def test_earlier_versions_become_coarse_too_and_stay_so(lapwing: Lapwing, tmp_path: Path) -> None:
    load(lapwing, write_csv(tmp_path / "a.csv", [row(1, lon=REFUGE[0], lat=REFUGE[1])]))
    before = {bytes(one["record_key"]) for one in stored(lapwing, "record")}
    done = correct(lapwing.store, SCOPE, newest_key(lapwing), {"kind": "shouting"}, TERMS)
    assert done.report is not None
    assert protect(lapwing, tmp_path).batch.coarsened == 2
    assert exact_near(lapwing) == []
    named = {bytes(one[name]) for one in stored(lapwing, "revision") for name in ("identity", "old_key", "new_key")}
    held = {bytes(one["record_key"]) for one in stored(lapwing, "record")}
    assert named <= held
    assert not before & (held | {bytes(one["supply_key"] or b"") for one in stored(lapwing, "record")})
    undo_batch(lapwing.store, SCOPE, done.report.batch.batch_id, now_us=NOW_US)
    (left,) = stored(lapwing, "record")
    assert (left["location_basis"], left["superseded"]) == ("cell", 0)


def test_what_was_moved_away_leaves_nothing_at_the_refuge(council: Lapwing, tmp_path: Path) -> None:
    types = ["x"] * 8
    supply(council, write_csv(tmp_path / "a.csv", reports(*types, lon=REFUGE[0], lat=REFUGE[1]), HEADER))
    run = analyse(council.store, SCOPE, AnalysisParameters(), seed=0, now_us=NOW_US)
    supply(council, write_csv(tmp_path / "b.csv", reports(*types), HEADER))
    report = protect(council, tmp_path)
    assert report.runs_affected == [run.run_id]
    assert exact_near(council) == []
    told = [json.loads(one["changes"]) for one in stored(council, "revision")]
    assert len(told) == 8
    assert not {"lon", "lat", "precision_m"} & {name for changes in told for name in changes}
    assert counting(council) == 8
    again = supply(council, write_csv(tmp_path / "c.csv", reports(*types)[::-1], HEADER)).batch
    assert (again.unchanged, again.updated, counting(council)) == (8, 0, 8)


def test_layers_go_even_when_their_file_was_undone_before(lapwing: Lapwing, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", stack([(*REFUGE, 8), (*FAR, 8)]))
    batch = load(lapwing, path).batch
    elsewhere = load(lapwing, write_csv(tmp_path / "b.csv", stack([(-2.30, 51.36, 8)], date="2024-04-{:02d}"))).batch
    near = analyse(lapwing.store, SCOPE, AnalysisParameters(), seed=0, now_us=NOW_US)
    undo_batch(lapwing.store, SCOPE, batch.batch_id, now_us=NOW_US)
    far = analyse(lapwing.store, SCOPE, AnalysisParameters(), seed=0, now_us=NOW_US)
    undo_batch(lapwing.store, SCOPE, elsewhere.batch_id, now_us=NOW_US)
    report = protect(lapwing, tmp_path)
    assert (report.batch.coarsened, report.runs_affected) == (0, [near.run_id])
    assert lapwing.store.runs.places(SCOPE, near.run_id) == []
    assert lapwing.store.runs.get(SCOPE, far.run_id).purged_at_us is None


def test_what_a_person_said_of_two_reports_outlives_the_coarsening(lapwing: Lapwing, tmp_path: Path) -> None:
    rows = [row(i, lon=REFUGE[0], lat=REFUGE[1]) for i in (1, 2, 3)]
    load(lapwing, write_csv(tmp_path / "a.csv", rows))
    keys = sorted(bytes(one["record_key"]) for one in stored(lapwing, "record"))
    for first, second in ((0, 1), (1, 2), (0, 2)):
        corroborating.split_reports(lapwing.store, SCOPE, keys[first], keys[second], reason="two cars", now_us=NOW_US)
    protect(lapwing, tmp_path)
    splits = lapwing.store.supplies.splits(SCOPE)
    held = {bytes(one["record_key"]) for one in stored(lapwing, "record")}
    assert len(splits) == 3
    assert {key for pair in splits for key in pair} == held
    assert all(low < high for low, high in splits)


def test_the_exact_position_is_in_no_file_of_the_store(embedded: Lapwing, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [row(1, lon=REFUGE[0], lat=REFUGE[1]), row(2)])
    load(embedded, path)
    correct(embedded.store, SCOPE, newest_key(embedded), {"kind": "shouting"}, TERMS)
    protect(embedded, tmp_path, (REFUGE[0] + 0.0003, REFUGE[1] + 0.0001))
    needles = [struct.pack(">d", value) for value in REFUGE]
    for file in tmp_path.glob("lapwing.db*"):
        assert not [needle for needle in needles if needle in file.read_bytes()], file.name


@pytest.mark.parametrize("correction", [False, True])
def test_a_file_that_was_checked_before_the_place_was_known_is_stored_coarse(
    lapwing: Lapwing, tmp_path: Path, *, correction: bool
) -> None:
    request = ImportRequest(kind="incidents")
    path = write_csv(tmp_path / "a.csv", [row(1, lon=REFUGE[0], lat=REFUGE[1]), row(2, lon=FAR[0], lat=FAR[1])])
    if correction:
        load(lapwing, path)
    checked = check_file(lapwing.store, SCOPE, path, request, TERMS)
    protect(lapwing, tmp_path)
    batch = store_checked(lapwing.store, SCOPE, checked, request, TERMS).batch
    assert exact_near(lapwing) == []
    assert (batch.coarsened, counting(lapwing)) == (1, 2)
    assert (batch.accepted, batch.duplicates) == ((0, 2) if correction else (2, 0))


def test_a_file_that_was_checked_before_a_purge_brings_nothing_back(lapwing: Lapwing, tmp_path: Path) -> None:
    request, path = ImportRequest(kind="incidents"), write_csv(tmp_path / "a.csv", [row(1), row(2)])
    load(lapwing, path)
    checked = check_file(lapwing.store, SCOPE, path, request, at(30))
    purge(lapwing.store, SCOPE, at(30))
    report = store_checked(lapwing.store, SCOPE, checked, request, at(30))
    assert (report.batch.read, report.batch.accepted, report.reasons) == (2, 0, {"purged": 2})


# What was coarse once is known again


@pytest.mark.parametrize("undone", [False, True])
def test_what_was_purged_near_a_refuge_does_not_come_back(lapwing: Lapwing, tmp_path: Path, *, undone: bool) -> None:
    place = protect(lapwing, tmp_path)
    path = write_csv(tmp_path / "a.csv", [row(1, lon=REFUGE[0], lat=REFUGE[1]), row(2, lon=FAR[0], lat=FAR[1])])
    load(lapwing, path)
    assert purge(lapwing.store, SCOPE, at(30)).records == {"incidents": 2}
    if undone:
        undo_batch(lapwing.store, SCOPE, place.batch.batch_id, now_us=NOW_US)
    report = import_file(lapwing.store, SCOPE, path, ImportRequest(kind="incidents"), at(30))
    assert (report.batch.accepted, report.reasons) == (0, {"purged": 2})


def test_a_record_near_a_place_that_was_undone_is_known_again(lapwing: Lapwing, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [row(1, lon=REFUGE[0], lat=REFUGE[1])])
    load(lapwing, path)
    place = protect(lapwing, tmp_path)
    undo_batch(lapwing.store, SCOPE, place.batch.batch_id, now_us=NOW_US)
    batch = load(lapwing, write_csv(tmp_path / "b.csv", [row(1, lon=REFUGE[0], lat=REFUGE[1]), row(2)])).batch
    assert (batch.accepted, batch.duplicates, counting(lapwing)) == (1, 1, 2)
    assert exact_near(lapwing) == []
    protect(lapwing, tmp_path)
    assert counting(lapwing) == 2


def test_an_exact_copy_of_a_coarse_record_is_joined_to_it(lapwing: Lapwing, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [row(1, lon=REFUGE[0], lat=REFUGE[1])])
    request = ImportRequest(kind="incidents")
    first = load(lapwing, path).batch
    exact = lapwing.store.evidence.record(SCOPE, newest_key(lapwing))
    protect(lapwing, tmp_path)
    checked = check_file(lapwing.store, SCOPE, path, request, TERMS)
    (frame,) = checked.prepared.records
    same = {name: [exact[name]] for name in ("lon", "lat", "x_m", "y_m", "location_basis", "precision_m", "record_key")}
    checked.prepared.records[0] = frame.assign(**same)  # as stores have them that were written before
    second = store_checked(lapwing.store, SCOPE, checked, request, TERMS).batch
    assert counting(lapwing) == 2
    protect(lapwing, tmp_path)
    assert (counting(lapwing), exact_near(lapwing)) == (1, [])
    for batch in (first, second):
        undo_batch(lapwing.store, SCOPE, batch.batch_id, now_us=NOW_US)
    assert stored(lapwing, "record") == []


def test_a_name_can_be_placed_near_a_refuge_again_and_again(lapwing: Lapwing, tmp_path: Path) -> None:
    spots = [(-2.36, 51.38), (-2.35, 51.39)]
    parks = [({"name": "Alice Park"}, square(*spot, 0.002)) for spot in spots]
    load(lapwing, write_geojson(tmp_path / "parks.geojson", parks), "parks")
    for lon, lat in spots:
        protect(lapwing, tmp_path, (lon + 0.001, lat + 0.001))
    path = write_csv(tmp_path / "o.csv", [["2026-01-05", "Alice Park"]], ("date", "place"))
    for accepted in (1, 0):
        batch = load(lapwing, path, "observations").batch
        assert (batch.accepted, batch.duplicates, counting(lapwing)) == (accepted, 1 - accepted, 1)
        report = locating.preview(lapwing.store, SCOPE, batch.batch_id, TERMS)
        if accepted:
            choices = {"Alice Park": next(iter(report.candidates))}
            locating.locate(lapwing.store, SCOPE, batch.batch_id, TERMS, choices=choices)
        else:
            assert report.candidates == {}
    (held,) = stored(lapwing, "record")
    assert held["location_basis"] == "cell"
    assert stored(lapwing, "location_hint") == []


# Which version counts


def test_undoing_a_change_that_was_supplied_again_leaves_one_version(council: Lapwing, tmp_path: Path) -> None:
    supply(council, write_csv(tmp_path / "1.csv", reports("a", "b", "c"), HEADER))
    changed = reports("new", "b", "c")
    second = supply(council, write_csv(tmp_path / "2.csv", changed, HEADER)).batch
    third = supply(council, write_csv(tmp_path / "3.csv", changed[::-1], HEADER)).batch
    assert third.unchanged == 3
    undo_batch(council.store, SCOPE, second.batch_id, now_us=NOW_US)
    assert counting(council) == 3
    assert "new" in council.store.evidence.categories(SCOPE)
    undo_batch(council.store, SCOPE, third.batch_id, now_us=NOW_US)
    assert council.store.evidence.categories(SCOPE) == ["a", "b", "c"]


def test_a_change_supplied_after_a_correction_outlives_the_undo_of_its_first_file(
    council: Lapwing, tmp_path: Path
) -> None:
    supply(council, write_csv(tmp_path / "1.csv", reports("a"), HEADER))
    correct(council.store, SCOPE, newest_key(council), {"kind": "by hand"}, TERMS)
    changed = supply(council, write_csv(tmp_path / "2.csv", reports("new"), HEADER)).batch
    supply(council, write_csv(tmp_path / "3.csv", [*reports("new"), *reports("new")], HEADER))
    undo_batch(council.store, SCOPE, changed.batch_id, now_us=NOW_US)
    assert (counting(council), council.store.evidence.categories(SCOPE)) == (1, ["new"])


def test_a_correction_outlives_the_undo_of_one_of_two_files(lapwing: Lapwing, tmp_path: Path) -> None:
    first = load(lapwing, write_csv(tmp_path / "a.csv", [row(1)])).batch
    correct(lapwing.store, SCOPE, newest_key(lapwing), {"kind": "by hand"}, TERMS)
    load(lapwing, write_csv(tmp_path / "b.csv", [row(1), row(2, kind="b")]))
    undo_batch(lapwing.store, SCOPE, first.batch_id, now_us=NOW_US)
    assert lapwing.store.evidence.categories(SCOPE) == ["b", "by hand"]


def test_corrections_go_with_the_last_file_of_their_record(lapwing: Lapwing, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [row(1), row(2)])
    empty = everything_stored(lapwing)
    batch = load(lapwing, path).batch
    key = newest_key(lapwing)
    for kind in ("y", "z"):
        key = correct(lapwing.store, SCOPE, key, {"kind": kind}, TERMS).record_key
    assert counting(lapwing) == 2
    assert undo_batch(lapwing.store, SCOPE, batch.batch_id, now_us=NOW_US) == {"records": 2, "features": 0}
    assert everything_stored(lapwing) == empty | {"batch": stored(lapwing, "batch")}
    assert load(lapwing, path).batch.accepted == 2
    assert (counting(lapwing), lapwing.store.evidence.categories(SCOPE)) == (2, ["x"])


def test_two_supplies_of_one_mapping_at_once_count_once(
    council: Lapwing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = write_csv(tmp_path / "1.csv", reports("a", "b", "c"), HEADER)
    real, started = Supplies.supplied, []

    def supplied(self: Supplies, scope: Scope, mapping: str) -> dict[bytes, bytes]:
        before = real(self, scope, mapping)
        if not started:
            started.append(threading.Thread(target=in_its_own_thread))
            started[0].start()
            started[0].join(1)  # it is done by now, or it waits for us
        return before

    def in_its_own_thread() -> None:
        supply(council, other)
        council.database.close()

    monkeypatch.setattr(Supplies, "supplied", supplied)
    supply(council, write_csv(tmp_path / "2.csv", reports("new", "b", "c"), HEADER))
    started[0].join()
    assert counting(council) == 3


def test_a_row_that_cannot_be_read_is_no_removal(council: Lapwing, tmp_path: Path) -> None:
    rows = reports("a", "b", "c")
    supply(council, write_csv(tmp_path / "1.csv", rows, HEADER))
    report = supply(council, write_csv(tmp_path / "2.csv", [*rows[1:], [*rows[0], "too many"]], HEADER))
    assert (report.reasons, report.batch.missing) == ({"wrong_column_count": 1}, 0)
    assert supply(council, write_csv(tmp_path / "3.csv", rows[1:], HEADER)).batch.missing == 1


# Purging


def test_two_purges_at_once_count_once(lapwing: Lapwing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.services import purging

    load(lapwing, write_csv(tmp_path / "a.csv", [row(1)]))
    real, started = purging._old_batches, []

    def old_batches(*words: Any) -> Any:
        if not started:
            started.append(threading.Thread(target=in_its_own_thread))
            started[0].start()
            started[0].join(1)
        return real(*words)

    def in_its_own_thread() -> None:
        purge(lapwing.store, SCOPE, at(30))
        lapwing.database.close()

    monkeypatch.setattr(purging, "_old_batches", old_batches)
    purge(lapwing.store, SCOPE, at(30))
    started[0].join()
    assert lapwing.store.retention.coarse_counts(SCOPE)["records"].tolist() == [1]


def test_versions_of_one_record_are_one_record(lapwing: Lapwing, tmp_path: Path) -> None:
    load(lapwing, write_csv(tmp_path / "a.csv", [row(1)]))
    correct(lapwing.store, SCOPE, newest_key(lapwing), {"kind": "y"}, TERMS)
    assert lapwing.store.retention.due(SCOPE, at(20).now_us) == {"review": 1, "deletion": 0}
    assert lapwing.store.retention.due(SCOPE, at(30).now_us) == {"review": 0, "deletion": 1}
    assert purge(lapwing.store, SCOPE, at(30), dry_run=True).records == {"incidents": 1}
    assert purge(lapwing.store, SCOPE, at(30)).records == {"incidents": 1}
    assert stored(lapwing, "record") == []
    assert lapwing.store.retention.coarse_counts(SCOPE)["records"].tolist() == [1]


def test_changed_and_changed_back_and_purged_is_counted_once(council: Lapwing, tmp_path: Path) -> None:
    first, second = reports("a"), reports("b")
    supply(council, write_csv(tmp_path / "1.csv", first, HEADER))
    supply(council, write_csv(tmp_path / "2.csv", second, HEADER), at(20))
    supply(council, write_csv(tmp_path / "3.csv", [*first, *first], HEADER), at(21))
    purge(council.store, SCOPE, at(25))
    assert (counting(council), len(council.store.retention.coarse_counts(SCOPE))) == (1, 0)
    again = supply(council, write_csv(tmp_path / "4.csv", [*second, *second], HEADER), at(26)).batch
    assert (again.unchanged, counting(council)) == (1, 1)
    purge(council.store, SCOPE, at(50))
    assert counting(council) == 0
    assert council.store.retention.coarse_counts(SCOPE)["records"].tolist() == [1]


def test_rejected_rows_go_in_time_though_they_were_corrected(lapwing: Lapwing, tmp_path: Path) -> None:
    load(lapwing, write_csv(tmp_path / "a.csv", [row(1, date="soon")]))
    text = corrections_csv(lapwing.store, SCOPE)
    (tmp_path / "c.csv").write_text(text.replace("soon", "2024-03-09"), encoding="utf-8")
    request = ImportRequest(kind="incidents")
    assert import_file(lapwing.store, SCOPE, tmp_path / "c.csv", request, at(7)).corrected == 1
    assert purge(lapwing.store, SCOPE, at(25)).rejected_rows == 1
    assert stored(lapwing, "quarantine") == []
    assert counting(lapwing) == 1


def test_layers_of_an_undone_file_go_when_its_time_is_over(lapwing: Lapwing, tmp_path: Path) -> None:
    batch = load(lapwing, write_csv(tmp_path / "a.csv", stack([(*FAR, 8)]))).batch
    run = analyse(lapwing.store, SCOPE, AnalysisParameters(), seed=0, now_us=NOW_US)
    undo_batch(lapwing.store, SCOPE, batch.batch_id, now_us=NOW_US)
    assert purge(lapwing.store, SCOPE, at(20)).runs == []
    assert purge(lapwing.store, SCOPE, at(30)).runs == [run.run_id]
    assert len(lapwing.store.runs.cells(SCOPE, run.run_id)) == 0


def test_after_an_undo_nothing_of_the_file_is_readable(embedded: Lapwing, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [row(1, kind="ZEBRAWORD")])
    batch = load(embedded, path).batch
    undo_batch(embedded.store, SCOPE, batch.batch_id, now_us=NOW_US)
    for file in tmp_path.glob("lapwing.db*"):
        assert b"ZEBRAWORD" not in file.read_bytes(), file.name


def test_every_table_that_loses_rows_is_rewritten(postgis_url: str, tmp_path: Path) -> None:
    from app.settings import Settings

    app = Lapwing(Settings(home=tmp_path, store=postgis_url), clock=lambda: NOW_US)
    app.migrate(None)
    load(app, write_csv(tmp_path / "a.csv", [row(i, date="soon") for i in range(300)]))
    assert purge(app.store, SCOPE, at(30)).rejected_rows == 300
    sizes = app.database._connection().execute("SELECT pg_relation_size('quarantine')").fetchone()
    app.database.close()
    assert np.array_equal(sizes, [0])
