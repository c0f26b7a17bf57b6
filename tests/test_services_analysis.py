"""The main job: reproducible runs, places that keep their identity, honest filters and study areas."""

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

import geo
from app.services import places
from app.services.analysis import analyse
from app.services.exporting import ExportRequest, export_file
from app.services.importing import undo_batch
from app.services.layers import released_layer
from app.services.tasking import accepted_places
from app.settings import Settings
from app.wiring import Lapwing
from data.export.geojson import write_geojson as geojson_bytes
from geo import cells as h3cells
from geo.errors import NotFound
from geo.model import Layer, Place, Profile, Run, Scope, Verdict
from geo.parameters import AnalysisParameters
from tests.conftest import NOW_US
from tests.files import (
    BATH,
    HEADER,
    POLICE_HEADER,
    load,
    police_row,
    row,
    square,
    stack,
    write_csv,
    write_geojson,
    write_gpkg,
)

SCOPE = Scope(actor="test")
SPOTS = [(-2.36, 51.38, 9), (-2.30, 51.40, 7), (-2.25, 51.35, 6)]
DAY_US = 86_400_000_000


def run_of(app: Lapwing, *, seed: int = 0, now_us: int = NOW_US, as_of_us: int | None = None, **told: Any) -> Run:
    return analyse(app.store, SCOPE, AnalysisParameters(**told), seed=seed, now_us=now_us, as_of_us=as_of_us)


def places_of(app: Lapwing, run: Run) -> list[Place]:
    return app.store.runs.places(SCOPE, run.run_id)


def fresh(folder: Path) -> Lapwing:
    folder.mkdir()
    return Lapwing(Settings(home=folder, store="sqlite:///lapwing.db"), clock=lambda: NOW_US)


def everything(app: Lapwing, run: Run) -> bytes:
    layers = (Layer.CELLS, Layer.PLACES)
    return b"".join(
        geojson_bytes(released_layer(app.store, SCOPE, run, layer, Profile.OPERATIONAL)) for layer in layers
    )


# --- identity of runs -------------------------------------------------------------------------------------------------


def test_a_file_read_in_two_ways_is_two_inputs(embedded: Lapwing, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "partner.csv", stack(SPOTS), ("Ref", "When", "X", "Y", "What"))
    load(embedded, path, column_map={"date": "When"})
    first = run_of(embedded)
    assert first.summary["unlocated"] == 22
    load(embedded, path, column_map={"date": "When", "longitude": "X", "latitude": "Y"})
    second = run_of(embedded)
    assert second.run_id != first.run_id
    assert embedded.store.runs.get(SCOPE, first.run_id).summary["unlocated"] == 22


def test_a_run_is_named_by_the_hash_of_what_went_in(embedded: Lapwing, tmp_path: Path) -> None:
    files = [write_csv(tmp_path / name, stack([spot])) for name, spot in zip("abc", SPOTS, strict=True)]
    for path in files:
        load(embedded, path)
    run = run_of(embedded, seed=4)
    digest = hashlib.sha256()
    hashes = sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in files)
    for part in (AnalysisParameters().as_json(), *hashes, geo.__version__, "4"):
        digest.update(len(part.encode()).to_bytes(8, "big") + part.encode())
    assert run.run_id == digest.hexdigest()[:16]


def test_order_of_import_and_time_of_day_change_nothing_in_a_run(tmp_path: Path) -> None:
    files = [write_csv(tmp_path / f"{name}.csv", stack([spot])) for name, spot in zip("abc", SPOTS, strict=True)]
    one, two = fresh(tmp_path / "one"), fresh(tmp_path / "two")
    for path in files:
        load(one, path)
    for path in reversed(files):
        load(two, path)
    first, second = run_of(one), run_of(two)
    assert first.run_id == second.run_id == run_of(two, now_us=NOW_US + DAY_US).run_id
    assert everything(one, first) == everything(two, run_of(two))


@pytest.mark.parametrize(
    "told", [{"seed": 1}, {"eps_m": 151.0}, {"resolution": 8}, {"date_from": date(2024, 3, 1)}, {"min_weight": 4.0}]
)
def test_everything_asked_for_is_in_the_name(embedded: Lapwing, tmp_path: Path, told: dict[str, Any]) -> None:
    load(embedded, write_csv(tmp_path / "a.csv", stack(SPOTS)))
    assert run_of(embedded).run_id != run_of(embedded, **told).run_id


def test_whole_numbers_and_order_of_kinds_are_no_difference(embedded: Lapwing, tmp_path: Path) -> None:
    load(embedded, write_csv(tmp_path / "a.csv", stack(SPOTS)))
    told = {"eps_m": 150, "min_weight": 5, "record_kinds": ("observations", "incidents")}
    assert run_of(embedded, **told).run_id == run_of(embedded).run_id


def test_the_same_run_twice_is_the_same_bytes(lapwing: Lapwing, tmp_path: Path) -> None:
    load(lapwing, write_csv(tmp_path / "a.csv", stack(SPOTS)))
    first = run_of(lapwing)
    before = everything(lapwing, first)
    again = run_of(lapwing)
    assert (again, everything(lapwing, again)) == (first, before)
    assert len(lapwing.store.runs.runs(SCOPE)) == 1
    assert run_of(lapwing, now_us=NOW_US + 400 * DAY_US) == first  # nobody asked for another moment
    later = run_of(lapwing, as_of_us=NOW_US + 400 * DAY_US)
    assert everything(lapwing, later) != before  # recency is counted from the later moment


def test_another_reading_of_the_same_file_is_computed_anew(embedded: Lapwing, tmp_path: Path) -> None:
    rows = [[f"2024-03-{i + 1:02d}", f"2024-06-{i + 1:02d}", *BATH] for i in range(8)]
    path = write_csv(tmp_path / "a.csv", rows, ("seen", "told", "longitude", "latitude"))
    first = load(embedded, path, column_map={"date": "seen"}).batch.batch_id
    one = run_of(embedded)
    undo_batch(embedded.store, SCOPE, first, now_us=NOW_US)
    load(embedded, path, column_map={"date": "told"})
    two = run_of(embedded)
    assert one.run_id == two.run_id  # the name is of files, not of readings
    assert places_of(embedded, two)[0].evidence["first_day"] == "2024-06-01"


# --- identity of places -----------------------------------------------------------------------------------------------


def test_place_ids_do_not_depend_on_the_order_of_rows(tmp_path: Path) -> None:
    rows = stack(SPOTS)
    ids = []
    for number in range(3):
        app = fresh(tmp_path / str(number))
        order = np.random.default_rng(number).permutation(len(rows))
        load(app, write_csv(tmp_path / f"{number}.csv", [rows[i] for i in order]))
        listed = places_of(app, run_of(app))
        ids.append([(place.cluster, place.records, place.footprint, place.rank) for place in listed])
    assert ids[0] == ids[1] == ids[2]


def test_places_keep_their_ids_when_files_come_again_and_time_goes_on(lapwing: Lapwing, tmp_path: Path) -> None:
    march = write_csv(tmp_path / "march.csv", stack(SPOTS))
    load(lapwing, march)
    before = {place.peak_cell: place.place_id for place in places_of(lapwing, run_of(lapwing))}
    load(lapwing, march)
    assert {place.peak_cell: place.place_id for place in places_of(lapwing, run_of(lapwing))} == before
    load(lapwing, write_csv(tmp_path / "april.csv", stack([*SPOTS[:2], (-2.45, 51.42, 30)], date="2024-04-{:02d}")))
    run = run_of(lapwing)
    after = {place.peak_cell: place.place_id for place in places_of(lapwing, run)}
    assert len(after) == 4
    assert before.items() <= after.items()
    assert len(set(after.values())) == 4


def test_a_decision_follows_its_place_into_the_next_run(lapwing: Lapwing, tmp_path: Path) -> None:
    load(lapwing, write_csv(tmp_path / "a.csv", stack(SPOTS)))
    chosen = places_of(lapwing, run_of(lapwing))[0]
    places.decide(lapwing.store, SCOPE, chosen.place_id, Verdict.ACCEPT, "seen it", now_us=NOW_US)
    load(lapwing, write_csv(tmp_path / "b.csv", stack(SPOTS, date="2024-04-{:02d}")))
    tasking = accepted_places(lapwing.store, SCOPE, run_of(lapwing))
    assert [one.place.place_id for one in tasking.accepted] == [chosen.place_id]
    assert tasking.waiting == 2


def test_a_second_layer_of_one_file_brings_new_places_and_not_old_names(lapwing: Lapwing, tmp_path: Path) -> None:
    """Same file hash, hence the same run; the new layer's cluster lies west and so takes the old one's number."""
    path = tmp_path / "a.gpkg"
    for layer, (lon, lat, count) in zip(("east", "west"), SPOTS[::-1][:2], strict=True):
        days = [f"2024-03-{i + 1:02d}" for i in range(count)]
        write_gpkg(path, [shapely.Point(lon, lat)] * count, 4326, layer, date=days)
    load(lapwing, path, layer="east")
    (old,) = places_of(lapwing, run_of(lapwing))
    places.decide(lapwing.store, SCOPE, old.place_id, Verdict.ACCEPT, "seen it", now_us=NOW_US)
    load(lapwing, path, layer="west")
    found = {place.peak_cell: place.place_id for place in places_of(lapwing, run_of(lapwing))}
    assert len(set(found.values())) == 2
    assert found[old.peak_cell] == old.place_id


def test_a_place_elsewhere_does_not_inherit_a_decision(lapwing: Lapwing, tmp_path: Path) -> None:
    """A file read by the wrong columns and then by the right ones: acceptance of the wrong place must not move."""
    header = ("date", "seen_lon", "seen_lat", "home_lon", "home_lat")
    path = write_csv(
        tmp_path / "a.csv", [[f"2024-03-{i + 1:02d}", -2.36, 51.38, -2.25, 51.35] for i in range(8)], header
    )
    first = load(lapwing, path, column_map={"longitude": "home_lon", "latitude": "home_lat"}).batch.batch_id
    (wrong,) = places_of(lapwing, run_of(lapwing))
    places.decide(lapwing.store, SCOPE, wrong.place_id, Verdict.ACCEPT, "seen it", now_us=NOW_US)
    undo_batch(lapwing.store, SCOPE, first, now_us=NOW_US)
    load(lapwing, path, column_map={"longitude": "seen_lon", "latitude": "seen_lat"})
    run = run_of(lapwing)
    (right,) = places_of(lapwing, run)
    assert right.peak_cell != wrong.peak_cell
    assert right.place_id != wrong.place_id
    assert accepted_places(lapwing.store, SCOPE, run).accepted == []


# --- filters ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "last", "count"),
    [
        (date(2024, 7, 1), date(2024, 7, 1), 3),
        (date(2024, 7, 1), None, 4),
        (None, date(2024, 6, 30), 1),
        (date(2024, 6, 30), date(2024, 7, 2), 5),
    ],
)
def test_dates_are_inclusive_days_in_london(
    embedded: Lapwing, tmp_path: Path, first: date | None, last: date | None, count: int
) -> None:
    moments = [
        "2024-06-30T22:59:59Z",
        "2024-06-30T23:00:00Z",
        "2024-07-01",
        "2024-07-01T22:59:59Z",
        "2024-07-01T23:00:00Z",
    ]
    load(
        embedded,
        write_csv(tmp_path / "a.csv", [row(i, date=moment, kind=f"kind {i}") for i, moment in enumerate(moments)]),
    )
    assert run_of(embedded, date_from=first, date_to=last).summary["records"] == count


def test_a_month_counts_where_its_middle_lies(embedded: Lapwing, tmp_path: Path) -> None:
    load(embedded, write_csv(tmp_path / "p.csv", [police_row("2018-11")] * 6, POLICE_HEADER))
    assert run_of(embedded, date_from=date(2018, 11, 10), date_to=date(2018, 11, 20)).summary["records"] == 6
    assert run_of(embedded, date_from=date(2018, 11, 20), date_to=date(2018, 12, 20)).summary["records"] == 0


def test_kinds_choose_records_and_categories(embedded: Lapwing, tmp_path: Path) -> None:
    load(embedded, write_csv(tmp_path / "a.csv", [row(1, kind="fight"), row(2, kind="drugs")]))
    load(embedded, write_csv(tmp_path / "b.csv", [row(3, kind="drugs")]), "observations")
    load(embedded, write_csv(tmp_path / "c.csv", [row(4)]), "effort")
    assert run_of(embedded).summary["records"] == 3
    assert run_of(embedded, categories=("drugs",)).summary["records"] == 2
    assert run_of(embedded, record_kinds=("observations",)).summary["records"] == 1


def test_protected_places_never_become_places(lapwing: Lapwing, tmp_path: Path) -> None:
    refuge = write_geojson(tmp_path / "r.geojson", [({"name": "R"}, {"type": "Point", "coordinates": [-2.36, 51.38]})])
    load(lapwing, write_csv(tmp_path / "a.csv", stack([(-2.36, 51.38, 9), (-2.3593, 51.38, 9), (-2.30, 51.40, 7)])))
    assert len(places_of(lapwing, run_of(lapwing))) == 2
    load(lapwing, refuge, "protected")
    run = run_of(lapwing)
    assert run.summary["protected"] == 18  # 70 m off is too near as well
    assert [place.records for place in places_of(lapwing, run)] == [7]
    assert any("protected places" in warning for warning in run.summary["warnings"])


# --- study area, months, widths ---------------------------------------------------------------------------------------


def area_file(folder: Path) -> Path:
    return write_geojson(folder / "town.geojson", [({"name": "Town"}, square(-2.38, 51.37, 0.05))])


def test_a_chosen_area_has_its_zero_cells_and_nothing_outside(lapwing: Lapwing, tmp_path: Path) -> None:
    load(lapwing, write_csv(tmp_path / "a.csv", stack(SPOTS)))
    load(lapwing, area_file(tmp_path), "boundary")
    run = run_of(lapwing, area="Town")
    cells = lapwing.store.runs.cells(SCOPE, run.run_id)
    own = cells[h3cells.resolutions(cells["cell"].to_numpy()) == 9]
    wanted = h3cells.cells_within(shapely.geometry.shape(square(-2.38, 51.37, 0.05)), 9)
    assert own["cell"].tolist() == wanted.tolist()
    assert (own["records"].sum(), (own["records"] == 0).sum()) == (9, len(wanted) - 1)
    assert (run.summary["records"], run.summary["outside_area"], run.summary["study_area"]) == (9, 13, "Town")


def test_without_an_area_the_study_is_what_was_observed(lapwing: Lapwing, tmp_path: Path) -> None:
    load(lapwing, write_csv(tmp_path / "a.csv", stack(SPOTS[:1])))
    run = run_of(lapwing)
    cells = lapwing.store.runs.cells(SCOPE, run.run_id)
    assert (h3cells.resolutions(cells["cell"].to_numpy()) == 9).sum() == 19  # one cell and two rings
    assert run.summary["study_area"] == "observed"
    layer = released_layer(lapwing.store, SCOPE, run, Layer.CELLS, Profile.OPERATIONAL)
    assert json.loads(geojson_bytes(layer))["study_area"] == "observed"
    assert any("surroundings of what was observed" in warning for warning in run.summary["warnings"])


def test_an_area_that_is_not_there_stores_no_run(lapwing: Lapwing, tmp_path: Path) -> None:
    load(lapwing, write_csv(tmp_path / "a.csv", stack(SPOTS)))
    with pytest.raises(NotFound, match="Atlantis"):
        run_of(lapwing, area="Atlantis")
    assert lapwing.store.runs.runs(SCOPE) == []


def test_missing_months_and_unlocated_records_are_stated(embedded: Lapwing, tmp_path: Path) -> None:
    rows = [row(1, date="2023-11-05"), row(2, date="2024-02-05"), row(3, date="2024-02-06", lon="", lat="")]
    load(embedded, write_csv(tmp_path / "a.csv", rows))
    summary = run_of(embedded).summary
    assert summary["missing_months"] == ["2023-12", "2024-01"]
    assert (summary["records"], summary["unlocated"]) == (2, 1)
    assert any("2023-12, 2024-01" in warning for warning in summary["warnings"])


def test_a_wide_cluster_is_an_area_with_its_peaks(lapwing: Lapwing, tmp_path: Path) -> None:
    chain = [(-2.36 + 0.0015 * i, 51.38, 12 if i == 4 else 5) for i in range(8)]  # about 105 m apart, 730 m in all
    load(lapwing, write_csv(tmp_path / "a.csv", stack(chain)))
    load(lapwing, write_geojson(tmp_path / "p.geojson", [({"name": "Park"}, square(-2.37, 51.37, 0.03))]), "parks")
    (place,) = places_of(lapwing, run_of(lapwing))
    assert (place.kind, place.name, place.probability) == ("area", None, None)
    assert place.evidence["width_m"] > 500
    peaks = place.evidence["peak_cells"]
    assert [peak["records"] for peak in peaks] == sorted((peak["records"] for peak in peaks), reverse=True)
    busiest = h3cells.cell_text(h3cells.index_points(np.array([chain[4][0]]), np.array([51.38]), 9))[0]
    assert peaks[0]["cell"] == busiest


def test_snapped_places_say_so_and_are_never_a_house(lapwing: Lapwing, tmp_path: Path) -> None:
    load(lapwing, write_csv(tmp_path / "p.csv", [police_row()] * 9, POLICE_HEADER))
    house = square(BATH[0] - 0.00005, BATH[1] - 0.00005, 0.0001)
    load(lapwing, write_geojson(tmp_path / "h.geojson", [({"name": "No 1", "type": "house"}, house)]), "buildings")
    run = run_of(lapwing)
    (place,) = places_of(lapwing, run)
    assert (place.kind, place.basis, place.name) == ("unattributed", "snapped", None)
    assert accepted_places(lapwing.store, SCOPE, run).waiting_snapped == 1


def test_points_beside_a_park_find_the_park(lapwing: Lapwing, tmp_path: Path) -> None:
    load(lapwing, write_csv(tmp_path / "a.csv", stack([(-2.3602, 51.385, 8)])))  # 14 m west of the fence
    load(lapwing, write_geojson(tmp_path / "p.geojson", [({"name": "Park"}, square(-2.36, 51.384, 0.003))]), "parks")
    beside = {"type": "LineString", "coordinates": [[-2.36025, 51.38], [-2.36025, 51.39]]}
    others = {"type": "LineString", "coordinates": [[-2.345, 51.37], [-2.345, 51.40], [-2.344, 51.40], [-2.344, 51.37]]}
    roads = [({"name": "Park Road"}, beside), *(({"name": f"Road {i}"}, others) for i in range(12))]
    load(lapwing, write_geojson(tmp_path / "r.geojson", roads), "roads")
    (place,) = places_of(lapwing, run_of(lapwing))
    assert (place.kind, place.name) == ("park", "Park")


def test_no_position_precision_loses_no_record(lapwing: Lapwing, tmp_path: Path) -> None:
    rows = [[*one, 300] for one in stack([(-2.36, 51.38, 6)])]
    load(lapwing, write_csv(tmp_path / "a.csv", rows, (*HEADER, "precision_m")))
    (place,) = places_of(lapwing, run_of(lapwing))
    assert (place.records, place.kind) == (6, "unattributed")


# --- all or nothing with the log --------------------------------------------------------------------------------------


class LogIsFull(RuntimeError):
    pass


def fill_log(app: Lapwing, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise LogIsFull

    monkeypatch.setattr(type(app.store.audit), "append", refuse)


def test_no_import_without_its_entry_in_the_log(
    lapwing: Lapwing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_csv(tmp_path / "a.csv", [row()])
    fill_log(lapwing, monkeypatch)
    with pytest.raises(LogIsFull):
        load(lapwing, path)
    assert lapwing.store.evidence.batches(SCOPE) == []


def test_no_undo_without_its_entry_in_the_log(
    lapwing: Lapwing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = load(lapwing, write_csv(tmp_path / "a.csv", [row()])).batch.batch_id
    fill_log(lapwing, monkeypatch)
    with pytest.raises(LogIsFull):
        undo_batch(lapwing.store, SCOPE, batch, now_us=NOW_US)
    assert lapwing.store.evidence.record_counts(SCOPE)["incidents"]["records"] == 1


def test_no_export_without_its_entry_in_the_log(
    lapwing: Lapwing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(lapwing, write_csv(tmp_path / "a.csv", stack(SPOTS)))
    run = run_of(lapwing)
    fill_log(lapwing, monkeypatch)
    request = ExportRequest(layer=Layer.PLACES, format="geojson", profile=Profile.OPERATIONAL, purpose="review")
    with pytest.raises(LogIsFull):
        export_file(lapwing.store, SCOPE, run, request, tmp_path / "out.geojson", now_us=NOW_US)
    assert not (tmp_path / "out.geojson").exists()
    assert lapwing.store.audit.disclosures(SCOPE) == []


def test_a_run_made_again_after_another_keeps_its_place_ids(embedded: Lapwing, tmp_path: Path) -> None:
    """A, then B over part of the data, then A again: the same inputs are the same run, ids and all."""
    load(embedded, write_csv(tmp_path / "a.csv", stack(SPOTS)))
    before = [place.place_id for place in places_of(embedded, run_of(embedded))]
    run_of(embedded, eps_m=600, min_weight=2)
    again = run_of(embedded, as_of_us=NOW_US + DAY_US)
    assert [place.place_id for place in places_of(embedded, again)] == before
