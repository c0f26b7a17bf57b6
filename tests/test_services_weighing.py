"""What records are worth: reports of one event, coordinates that are no places, protected places, and vehicles' keys."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.services import stacks
from app.services.analysis import analyse
from app.services.corroborating import join_reports, split_reports
from app.services.import_request import ImportRequest
from app.services.importing import import_file, undo_batch
from app.services.places import reports_of, view_place
from app.services.pseudonyms import Keyring
from app.services.rotating import rotate_vehicle_key
from app.wiring import Lapwing
from geo.errors import InvalidParameter, NotFound
from geo.model import Place, Run, Scope
from geo.parameters import AnalysisParameters
from tests.conftest import NOW_US
from tests.files import (
    BATH,
    KEYS,
    POLICE_HEADER,
    TERMS,
    command,
    load,
    police_row,
    square,
    stack,
    write_csv,
    write_geojson,
)

SCOPE = Scope(actor="test")
HEADER = ("id", "date", "longitude", "latitude", "kind", "agency")


def report(number: int, at: str, agency: str, lon: float = BATH[0], kind: str = "ASB") -> list[Any]:
    return [f"{agency[:2]}-{number:05d}", at, lon, BATH[1], kind, agency]


def run_of(app: Lapwing, **told: Any) -> Run:
    return analyse(app.store, SCOPE, AnalysisParameters(**told), seed=0, now_us=NOW_US)


def places_of(app: Lapwing, run: Run) -> list[Place]:
    return app.store.runs.places(SCOPE, run.run_id)


@pytest.fixture
def told_thrice(lapwing: Lapwing, tmp_path: Path) -> Lapwing:
    """Six events of the police; two of them are told of by the council too, and one by the council twice."""
    police = [report(i, f"2026-03-{i + 1:02d}T21:00", "Police") for i in range(6)]
    council = [
        report(10, "2026-03-01T21:20", "Council", -2.3603),
        report(11, "2026-03-02T21:10", "Council", -2.3603),
        report(12, "2026-03-02T21:15", "Council", -2.3603),
    ]
    load(lapwing, write_csv(tmp_path / "police.csv", police, HEADER))
    load(lapwing, write_csv(tmp_path / "council.csv", council, HEADER), source="Council")
    return lapwing


def test_one_event_told_by_three_counts_once_and_for_two_sources(told_thrice: Lapwing) -> None:
    run = run_of(told_thrice)
    (place,) = places_of(told_thrice, run)
    assert (place.records, place.evidence["reports"], place.evidence["sources"]) == (6, 9, 2)
    assert (run.summary["records"], run.summary["counted_once"]) == (6, 3)
    assert told_thrice.store.runs.cells(SCOPE, run.run_id)["records"].max() == 6
    reports = reports_of(told_thrice.store, SCOPE, view_place(told_thrice.store, SCOPE, place.place_id))
    assert len(reports) == 9
    assert sorted(word.split(",")[0] for word in reports["words"] if word) == [
        "same kind of report from another agency", "same kind of report from another agency", "same kind of report from another agency",
    ]  # fmt: skip


def test_a_person_splits_and_takes_it_back(told_thrice: Lapwing) -> None:
    store = told_thrice.store
    run = run_of(told_thrice)
    matches = store.runs.matches(SCOPE, run.run_id)
    first = matches[matches["words"].str.contains("20 minutes")].iloc[0]
    pair = bytes(first["record_key"]), bytes(first["event_key"])
    with pytest.raises(InvalidParameter, match="Say why"):
        split_reports(store, SCOPE, *pair, reason=" ", now_us=NOW_US)
    with pytest.raises(NotFound):
        split_reports(store, SCOPE, pair[0], b"x" * 32, reason="two", now_us=NOW_US)
    split_reports(store, SCOPE, *pair, reason="two groups, seen on camera", now_us=NOW_US)
    again = run_of(told_thrice)
    assert again.run_id != run.run_id
    assert (again.summary["records"], again.summary["counted_once"]) == (7, 2)
    join_reports(store, SCOPE, *reversed(pair), now_us=NOW_US)
    last = run_of(told_thrice)
    assert (last.summary["records"], last.summary["counted_once"]) == (6, 3)


def test_a_crime_id_of_data_police_uk_is_no_key(embedded: Lapwing, tmp_path: Path) -> None:
    crime = "a1" * 32
    load(
        embedded,
        write_csv(tmp_path / "p.csv", [police_row(crime=crime), police_row("2018-12", crime=crime)], POLICE_HEADER),
    )
    assert run_of(embedded, min_weight=2.0).summary["counted_once"] == 0


def test_a_busy_default_is_set_aside_until_a_person_says_otherwise(lapwing: Lapwing, tmp_path: Path) -> None:
    """Three hundred reports of all kinds on one coordinate, in a town where no other has more than two."""
    kinds = ["ASB", "theft", "drugs", "violence", "missing", "fraud"]
    default = [
        [f"{i}", f"2025-{1 + i % 12:02d}-{1 + i % 27:02d}", -2.41, 51.41, kinds[i % 6], "Police"] for i in range(300)
    ]
    usual = [
        [
            f"9{i}",
            f"2025-{1 + i % 12:02d}-{1 + i % 27:02d}",
            -2.36 + (i // 2) * 0.0007,
            51.37 + (i // 2 % 7) * 0.0009,
            kinds[i % 6],
            "Police",
        ]
        for i in range(300)
    ]
    load(lapwing, write_csv(tmp_path / "a.csv", [*default, *usual], HEADER))
    run = run_of(lapwing)
    assert run.summary["set_aside"] == 300
    assert any("stands for no place" in warning for warning in run.summary["warnings"])
    assert not [place for place in places_of(lapwing, run) if place.records >= 250]
    (found,) = [one for one in stacks.list_stacks(lapwing.store, SCOPE) if one["records"] == 300]
    assert (found["stack_class"], found["share"]) == ("default", 0.5)
    with pytest.raises(InvalidParameter, match="choose from"):
        stacks.rule_stack(lapwing.store, SCOPE, found["stack_id"], "hotel", reason="x", now_us=NOW_US)
    stacks.rule_stack(lapwing.store, SCOPE, found["stack_id"], "address", reason="the bus station", now_us=NOW_US)
    after = run_of(lapwing)
    assert after.summary["set_aside"] == 0
    assert places_of(lapwing, after)[0].records == 300
    assert stacks.list_stacks(lapwing.store, SCOPE)[0]["ruled"]


def test_reports_at_the_police_station_are_no_hotspot(lapwing: Lapwing, tmp_path: Path) -> None:
    station = [({"name": "Central", "kind": "Police Station"}, square(-2.36, 51.38, 0.0004))]
    load(lapwing, write_geojson(tmp_path / "p.geojson", station), "premises")
    load(lapwing, write_csv(tmp_path / "a.csv", stack([(-2.3598, 51.3802, 12), (-2.33, 51.37, 6)])))
    run = run_of(lapwing)
    assert run.summary["set_aside"] == 12
    assert [place.records for place in places_of(lapwing, run)] == [6]


def test_a_postcode_centroid_never_names_a_house(lapwing: Lapwing, tmp_path: Path) -> None:
    codes = [["BA1 6AA", "postcode", -2.35, 51.39], ["BA1 6AB", "postcode", -2.3513, 51.39]]
    load(lapwing, write_csv(tmp_path / "pc.csv", codes, ("postcode", "level", "longitude", "latitude")), "areas")
    load(
        lapwing,
        write_geojson(tmp_path / "b.geojson", [({"name": "4 Elm Row"}, square(-2.35005, 51.38995, 0.0001))]),
        "buildings",
    )
    load(lapwing, write_csv(tmp_path / "a.csv", stack([(-2.35, 51.39, 8)])))
    (place,) = places_of(lapwing, run_of(lapwing))
    assert place.kind == "unattributed"
    assert place.basis == "snapped"
    assert place.evidence["precision_m"] >= 25


def test_what_happens_at_a_refuge_is_kept_as_a_coarse_cell_only(lapwing: Lapwing, tmp_path: Path) -> None:
    refuge = write_geojson(tmp_path / "r.geojson", [({"name": ""}, {"type": "Point", "coordinates": [-2.36, 51.38]})])
    load(lapwing, refuge, "protected")
    report = load(lapwing, write_csv(tmp_path / "a.csv", stack([(-2.3601, 51.3801, 8), (-2.33, 51.37, 6)])))
    assert report.batch.coarsened == 8
    _coarse(lapwing)


def test_a_refuge_that_is_named_later_coarsens_what_is_there_for_good(lapwing: Lapwing, tmp_path: Path) -> None:
    load(lapwing, write_csv(tmp_path / "a.csv", stack([(-2.3601, 51.3801, 8), (-2.33, 51.37, 6)])))
    before = run_of(lapwing)
    refuge = write_geojson(tmp_path / "r.geojson", [({"name": ""}, {"type": "Point", "coordinates": [-2.36, 51.38]})])
    report = load(lapwing, refuge, "protected")
    assert (report.batch.coarsened, report.runs_affected) == (8, [before.run_id])
    assert lapwing.store.runs.get(SCOPE, before.run_id).purged_at_us == NOW_US
    _coarse(lapwing)
    undo_batch(lapwing.store, SCOPE, report.batch.batch_id, now_us=NOW_US)
    records = lapwing.store.evidence.records(SCOPE, ["incidents"])
    assert (records["location_basis"] == "cell").sum() == 8
    after = run_of(lapwing)
    assert after.run_id != before.run_id
    assert after.summary["records"] == 6


def _coarse(app: Lapwing) -> None:
    records = app.store.evidence.records(SCOPE, ["incidents"])
    coarse = records[records["location_basis"] == "cell"]
    assert len(coarse) == 8
    assert coarse["precision_m"].min() > 1_000
    assert len(coarse[["lon", "lat"]].drop_duplicates()) == 1
    run = run_of(app)
    assert (run.summary["records"], run.summary["protected"]) == (6, 8)


def test_a_new_key_hashes_what_is_stored_and_vehicles_stay_the_same(lapwing: Lapwing, tmp_path: Path) -> None:
    header = ("date", "longitude", "latitude", "registration")
    rows = [["2026-03-09", *BATH, "AB12 CDE"], ["2026-03-10", *BATH, "ab12cde"], ["2026-03-11", *BATH, "XY99 ZZZ"]]
    path = write_csv(tmp_path / "s.csv", rows, header)
    load(lapwing, path, "sightings")
    before = lapwing.store.evidence.vehicle_hashes()["vehicle_hash"].tolist()
    both = Keyring((*KEYS.keys, b"n" * 32))
    assert rotate_vehicle_key(lapwing.store, SCOPE, both, now_us=NOW_US) == 3
    after = lapwing.store.evidence.vehicle_hashes()["vehicle_hash"].tolist()
    assert not set(before) & set(after)
    assert len(set(after)) == 2
    terms = replace(TERMS, keys=both)
    again = import_file(lapwing.store, SCOPE, path, ImportRequest(kind="sightings"), terms)
    assert again.batch.accepted == 0  # the same file is the same records
    more = write_csv(tmp_path / "t.csv", [["2026-04-01", *BATH, "AB12CDE"]], header)
    import_file(lapwing.store, SCOPE, more, ImportRequest(kind="sightings"), terms)
    assert len(set(lapwing.store.evidence.vehicle_hashes()["vehicle_hash"])) == 2


def test_the_key_is_rotated_on_the_command_line(tmp_path: Path) -> None:
    header = ("date", "longitude", "latitude", "registration")
    command(tmp_path, "import", "sightings", write_csv(tmp_path / "s.csv", [["2026-03-09", *BATH, "AB12 CDE"]], header))
    assert command(tmp_path, "vehicle-key", "rotate", "--json").json == {"keys": 2, "records": 1}
    assert (tmp_path / "var/secrets/vehicle.key").stat().st_size == 64
    again = command(tmp_path, "import", "sightings", tmp_path / "s.csv", "--json")
    assert (again.json["accepted"], again.json["duplicates"]) == (0, 1)
    (tmp_path / "var/secrets/vehicle.key").write_bytes(b"k" * 32)
    lost = command(tmp_path, "import", "sightings", tmp_path / "s.csv")
    assert lost.code == 1
    assert "restore that file" in lost.err
