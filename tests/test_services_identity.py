"""A place is the same place: after a new import, in another order, a month later, with other parameters, on either store."""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.services.analysis import analyse
from app.services.deciding import Change, change_place
from app.services.importing import undo_batch
from app.services.layers import released_layer
from app.services.tasking import accepted_places
from app.settings import Settings
from app.wiring import Lapwing
from data.export.geojson import write_geojson as geojson_bytes
from geo import cells as h3cells
from geo.model import Layer, Place, Profile, Run, Scope, Verdict
from geo.parameters import AnalysisParameters
from geo.retention import DAY_US
from tests.conftest import NOW_US
from tests.files import load, stack, write_csv

SCOPE = Scope(actor="test")
SIZES = {"one": (-2.36, 51.38, 12), "two": (-2.30, 51.40, 11), "three": (-2.25, 51.35, 10)}


def scattered(seed: int, *, date: str = "2024-03-{:02d}", first: int = 0) -> list[list[Any]]:
    """Rows in three places, each some 60 m across and so of several cells."""
    rng = np.random.default_rng(seed)
    rows = []
    for lon, lat, count in SIZES.values():
        for i in range(3 * count):
            east, north = rng.normal(0, 30, 2)
            number = first + len(rows)
            rows.append(
                [number, date.format(1 + i % 28), round(lon + east / 69_600, 6), round(lat + north / 111_200, 6), "x"]
            )
    return rows


def run_of(app: Lapwing, *, as_of_us: int | None = None, **told: Any) -> Run:
    parameters = AnalysisParameters(**{"simulations": 19, "eps_m": 100.0} | told)
    return analyse(app.store, SCOPE, parameters, seed=0, now_us=NOW_US, as_of_us=as_of_us)


def listed(app: Lapwing, run: Run) -> list[Place]:
    return app.store.runs.places(SCOPE, run.run_id)


def by_spot(app: Lapwing, run: Run) -> dict[str, str]:
    """Id of the place at each of the three spots: the one whose fullest cell lies nearest."""
    found = {}
    for place in listed(app, run):
        (lon,), (lat,) = h3cells.centres(np.asarray([place.peak_cell]))
        spot = min(SIZES, key=lambda name: abs(SIZES[name][0] - lon) + abs(SIZES[name][1] - lat))
        assert spot not in found, f"two places at spot {spot}"
        found[spot] = place.place_id
    return found


def decide(app: Lapwing, place_id: str, verdict: Verdict, **told: Any) -> None:
    change_place(app.store, SCOPE, place_id, Change(verdict=verdict, reason="seen", **told), now_us=NOW_US)


def tasked(app: Lapwing, run: Run) -> list[str]:
    return [one.place.place_id for one in accepted_places(app.store, SCOPE, run).accepted]


def fresh(folder: Path, store: str = "sqlite:///lapwing.db") -> Lapwing:
    folder.mkdir()
    app = Lapwing(Settings(home=folder, store=store), clock=lambda: NOW_US)
    app.migrate(None)
    return app


@pytest.fixture
def worked(lapwing: Lapwing, tmp_path: Path) -> Lapwing:
    load(lapwing, write_csv(tmp_path / "march.csv", scattered(1)))
    return lapwing


@pytest.fixture
def alone(embedded: Lapwing, tmp_path: Path) -> Lapwing:
    load(embedded, write_csv(tmp_path / "march.csv", scattered(1)))
    return embedded


def test_ids_and_decisions_survive_a_file_that_is_undone_and_imported_again(lapwing: Lapwing, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "march.csv", scattered(1))
    batch = load(lapwing, path).batch.batch_id
    before = by_spot(lapwing, run_of(lapwing))
    decide(lapwing, before["two"], Verdict.ACCEPT)
    undo_batch(lapwing.store, SCOPE, batch, now_us=NOW_US)
    assert listed(lapwing, run_of(lapwing)) == []
    load(lapwing, path)
    run = run_of(lapwing)
    assert by_spot(lapwing, run) == before
    assert tasked(lapwing, run) == [before["two"]]


def test_ids_survive_the_same_rows_in_another_order_and_file(lapwing: Lapwing, tmp_path: Path) -> None:
    rows = scattered(1)
    batch = load(lapwing, write_csv(tmp_path / "a.csv", rows)).batch.batch_id
    before = by_spot(lapwing, run_of(lapwing))
    decide(lapwing, before["one"], Verdict.ACCEPT)
    for seed in range(3):
        undo_batch(lapwing.store, SCOPE, batch, now_us=NOW_US)
        order = np.random.default_rng(seed).permutation(len(rows))
        batch = load(lapwing, write_csv(tmp_path / f"{seed}.csv", [rows[i] for i in order])).batch.batch_id
        run = run_of(lapwing)
        assert by_spot(lapwing, run) == before
        assert tasked(lapwing, run) == [before["one"]]


def test_ids_survive_month_after_month(worked: Lapwing, tmp_path: Path) -> None:
    before = by_spot(worked, run_of(worked))
    decide(worked, before["three"], Verdict.ACCEPT)
    for month in range(4, 8):
        rows = scattered(month, date=f"2024-{month:02d}-{{:02d}}", first=1000 * month)
        load(worked, write_csv(tmp_path / f"{month}.csv", rows))
        run = run_of(worked)
        assert by_spot(worked, run) == before
        assert tasked(worked, run) == [before["three"]]


@pytest.mark.parametrize("resolution", [7, 8, 10])
def test_ids_survive_a_change_of_resolution_and_back(worked: Lapwing, resolution: int) -> None:
    before = by_spot(worked, run_of(worked))
    decide(worked, before["two"], Verdict.ACCEPT)
    for chosen in (resolution, 9):
        run = run_of(worked, resolution=chosen)
        assert by_spot(worked, run) == before
        assert tasked(worked, run) == [before["two"]]


@pytest.mark.parametrize(
    "told", [{"eps_m": 60.0}, {"eps_m": 150.0}, {"eps_m": 400.0}, {"min_weight": 8.0}, {"min_weight": 3.0}]
)
def test_ids_survive_other_ways_of_clustering_and_back(worked: Lapwing, told: dict[str, Any]) -> None:
    before = by_spot(worked, run_of(worked))
    decide(worked, before["two"], Verdict.ACCEPT)
    usual: dict[str, Any] = {}
    for chosen in (told, usual):
        run = run_of(worked, **chosen)
        assert set(before.values()) <= {place.place_id for place in listed(worked, run)}
        assert tasked(worked, run) == [before["two"]]


def test_both_stores_give_the_same_ids_and_bytes(tmp_path: Path, postgis_url: str) -> None:
    outcome = []
    for name, store in (("lite", "sqlite:///lapwing.db"), ("post", postgis_url)):
        app = fresh(tmp_path / name, store)
        load(app, write_csv(tmp_path / f"{name}.csv", scattered(1)))
        first = run_of(app)
        spots = by_spot(app, first)
        decide(app, spots["one"], Verdict.MERGE, into=spots["two"])
        decide(app, spots["two"], Verdict.RENAME, name="Victoria Park")
        decide(app, spots["two"], Verdict.ACCEPT)
        load(app, write_csv(tmp_path / f"{name}2.csv", scattered(2, date="2024-04-{:02d}", first=1000)))
        later = run_of(app)
        layers = [
            geojson_bytes(released_layer(app.store, SCOPE, run, layer, Profile.OPERATIONAL))
            for run in (first, later)
            for layer in (Layer.CELLS, Layer.PLACES, Layer.ROUTES, Layer.NETWORK)
        ]
        outcome.append((spots, first.run_id, later.run_id, [place.place_id for place in listed(app, later)], layers))
        app.database.close()
    assert outcome[0] == outcome[1]


def test_one_part_of_the_year_does_not_take_the_ids_of_another(worked: Lapwing, tmp_path: Path) -> None:
    """A look at one month, in which only one place was active, leaves the others as they are."""
    before = by_spot(worked, run_of(worked))
    for name in before:
        decide(worked, before[name], Verdict.ACCEPT)
    only = [row for row in scattered(5, date="2024-05-{:02d}", first=5000) if abs(row[2] + 2.30) < 0.01]
    load(worked, write_csv(tmp_path / "may.csv", only))
    may = run_of(worked, date_from=date(2024, 5, 1), date_to=date(2024, 5, 31))
    assert by_spot(worked, may) == {"two": before["two"]}
    assert by_spot(worked, run_of(worked)) == before


def strip(lon: float, lat: float, steps: range, *, each: int = 6) -> list[tuple[float, float, int]]:
    """Spots in a row to the east, 70 m apart."""
    return [(round(lon + 0.001 * step, 6), lat, each) for step in steps]


def test_a_wide_look_does_not_move_an_accepted_place_onto_its_neighbour(lapwing: Lapwing, tmp_path: Path) -> None:
    """Two places 350 m apart, one accepted; somebody tries a wide eps; then the other place grows by a month."""
    accepted, other = strip(-2.36, 51.38, range(4)), strip(-2.36, 51.38, range(9, 12))
    thin = strip(-2.36, 51.38, range(12, 17), each=1)
    load(lapwing, write_csv(tmp_path / "a.csv", stack([*accepted, *other, *thin])))
    first = {place.records: place for place in listed(lapwing, run_of(lapwing))}
    decide(lapwing, first[24].place_id, Verdict.ACCEPT)
    run_of(lapwing, eps_m=500.0)
    grown = strip(-2.36, 51.38, range(12, 17))
    load(lapwing, write_csv(tmp_path / "b.csv", stack(grown, date="2024-04-{:02d}")))
    run = run_of(lapwing)
    (task,) = accepted_places(lapwing.store, SCOPE, run).accepted
    assert task.place.peak_cell in first[24].footprint
    assert task.place.records == 24


def test_a_wide_look_does_not_take_the_id_of_what_it_swallows_for_good(lapwing: Lapwing, tmp_path: Path) -> None:
    near, far = strip(-2.36, 51.38, range(4)), strip(-2.36, 51.38, range(9, 12))
    load(lapwing, write_csv(tmp_path / "a.csv", stack([*near, *far])))
    first = {place.records: place.place_id for place in listed(lapwing, run_of(lapwing))}
    decide(lapwing, first[24], Verdict.ACCEPT)
    decide(lapwing, first[18], Verdict.REJECT)
    run_of(lapwing, eps_m=500.0)
    load(lapwing, write_csv(tmp_path / "b.csv", stack([*near, *far], date="2024-04-{:02d}")))
    again = {place.records: place.place_id for place in listed(lapwing, run_of(lapwing))}
    assert again == {48: first[24], 36: first[18]}


def test_a_run_under_a_merge_is_the_same_when_it_is_made_again_after_other_runs(alone: Lapwing, tmp_path: Path) -> None:
    first = by_spot(alone, run_of(alone))
    decide(alone, first["one"], Verdict.MERGE, into=first["two"])
    merged = run_of(alone)
    layers = (Layer.CELLS, Layer.PLACES)

    def told(run: Run) -> list[bytes]:
        return [geojson_bytes(released_layer(alone.store, SCOPE, run, one, Profile.OPERATIONAL)) for one in layers]

    before = told(merged)
    decide(alone, first["one"], Verdict.UNDO)
    batch = load(alone, write_csv(tmp_path / "b.csv", scattered(2, date="2024-04-{:02d}", first=1000))).batch.batch_id
    run_of(alone)
    run_of(alone, eps_m=60.0)
    undo_batch(alone.store, SCOPE, batch, now_us=NOW_US)
    decide(alone, first["one"], Verdict.MERGE, into=first["two"])
    run_of(alone, as_of_us=NOW_US + DAY_US)
    again = run_of(alone, as_of_us=NOW_US)
    assert again.run_id == merged.run_id
    assert told(again) == before


def test_an_organisation_does_not_know_the_places_of_another(lapwing: Lapwing, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", scattered(1))
    load(lapwing, path)
    mine = {place.place_id for place in listed(lapwing, run_of(lapwing))}
    other = Scope(actor="other", org_id="elsewhere")
    load(lapwing, path, scope=other)
    parameters = AnalysisParameters(simulations=19, eps_m=100.0)
    run = analyse(lapwing.store, other, parameters, seed=0, now_us=NOW_US)
    theirs = {place.place_id for place in lapwing.store.runs.places(other, run.run_id)}
    assert len(theirs) == 3
    assert mine.isdisjoint(theirs)
