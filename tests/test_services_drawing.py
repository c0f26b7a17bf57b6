"""Areas that people draw: which cells they take in, what is said of them, and how they are kept."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from app.services.analysis import analyse
from app.services.area_view import view_area
from app.services.basemap import reference_features
from app.services.by_area import by_area
from app.services.drawing import MAX_KM2, read_outline, save_area
from app.services.importing import undo_batch
from app.services.map_layers import map_layer
from app.services.offering import offer
from app.services.places import decide
from app.services.tasking import accepted_places
from app.services.view_lists import count_view
from app.wiring import Lapwing
from data.demo import SOURCE as SYNTHETIC_SOURCE
from geo import cells as h3cells
from geo.drawn_area import DRAWN_LEVEL, middles_within
from geo.errors import Conflict, InvalidParameter, NotFound, NotPermitted
from geo.model import FeatureKind, Place, Profile, Role, Run, Scope, Verdict
from geo.parameters import AnalysisParameters
from geo.view import View
from tests.conftest import NOW_US
from tests.files import BATH, load, row, square, terms_of, write_csv, write_geojson
from tests.runs import SCOPE, run_of

WEST, SOUTH = BATH[0] - 0.02, BATH[1] - 0.02
LEFT = shapely.box(WEST, SOUTH, BATH[0] + 0.002, SOUTH + 0.04)  # the first of three spots
BERLIN = "POLYGON ((13.4 52.5, 13.5 52.5, 13.45 52.6, 13.4 52.5))"


def fill(app: Lapwing, folder: Path) -> None:
    """Store ten incidents on each of three spots 280 m apart: afternoons of drugs, nights of noise, and both by day only."""
    spots = [(BATH[0] + 0.004 * i, BATH[1]) for i in range(3)]
    rows = [row(i, f"2024-03-{4 + i:02d}T15:10", *spots[0], "drugs") for i in range(10)]
    rows += [row(100 + i, f"2024-04-{4 + i:02d}T23:40", *spots[1], "noise") for i in range(10)]
    rows += [row(200 + i, f"2024-03-{4 + i:02d}", *spots[2], "drugs" if i < 4 else "noise") for i in range(10)]
    load(app, write_csv(folder / "reports.csv", rows))
    load(app, write_geojson(folder / "council.geojson", [({"name": "Bath"}, square(WEST, SOUTH, 0.05))]), "boundary")


@pytest.fixture
def run(lapwing: Lapwing, tmp_path: Path) -> Run:
    fill(lapwing, tmp_path)
    return run_of(lapwing, area="Bath")


def ring(*corners: tuple[float, float]) -> str:
    return shapely.to_wkt(shapely.Polygon(corners), rounding_precision=7)


# Which cells.


@settings(max_examples=40)
@given(
    west=st.floats(-2.5, -2.3), south=st.floats(51.3, 51.5), width=st.floats(0.0005, 0.2), height=st.floats(0.0005, 0.2),
    resolution=st.sampled_from([2, 7, 8]),
)  # fmt: skip
def test_a_cell_is_in_an_outline_when_its_middle_is(
    west: float, south: float, width: float, height: float, resolution: int
) -> None:
    cells = h3cells.cells_within(shapely.box(-2.6, 51.2, -2.2, 51.6), resolution)
    lon, lat = h3cells.centres(cells)
    outline = shapely.box(west, south, west + width, south + height)
    by_hand = (lon > west) & (lon < west + width) & (lat > south) & (lat < south + height)
    assert middles_within(cells, outline).tolist() == by_hand.tolist()


def test_parts_of_an_area_share_no_cell_and_lose_none() -> None:
    cells = h3cells.cells_within(shapely.box(-2.4, 51.3, -2.3, 51.4), 9)
    parts = [shapely.box(-3, 51, -2.3512345, 52), shapely.box(-2.3512345, 51, -2, 52)]
    held = np.sum([middles_within(cells, part) for part in parts], axis=0)
    assert held.tolist() == [1] * len(cells)


def test_nothing_is_in_no_cells_and_in_an_empty_outline() -> None:
    assert middles_within(np.empty(0, np.int64), LEFT).tolist() == []
    cell = h3cells.index_points(np.array([BATH[0]]), np.array([BATH[1]]), 9)
    assert middles_within(cell, shapely.Polygon()).tolist() == [False]


# What is said of them.


def test_an_area_has_the_records_of_its_whole_cells(lapwing: Lapwing, run: Run) -> None:
    found = view_area(lapwing.store, SCOPE, run, LEFT, View())
    assert (found.records, found.unfiltered, found.of) == (10, 10, 30)
    assert found.kinds == {"incidents": 10}
    assert found.categories == {"drugs": 10}
    assert found.months == {"2024-03": 10, "2024-04": 0}
    assert (found.timed, found.cautious) == (10, True)
    assert sum(hours[15] for hours in found.weights) == 10
    degree_km = 111.32  # of the equator; 0.022 by 0.04 degrees
    assert found.area_km2 == pytest.approx(0.022 * 0.04 * degree_km**2 * np.cos(np.radians(BATH[1])), rel=0.01)
    assert found.cells_km2 == pytest.approx(found.area_km2, rel=0.1)
    assert [one.in_view for one in found.places] == [10]


def test_a_point_inside_does_not_count_where_the_middle_of_its_cell_is_outside(lapwing: Lapwing, run: Run) -> None:
    tiny = shapely.Point(BATH).buffer(0.00002)  # round ten records, and no middle of a cell
    found = view_area(lapwing.store, SCOPE, run, tiny, View())
    assert (found.cells, found.records, found.places, found.hot) == (0, 0, [], [])
    cell = h3cells.index_points(np.array([BATH[0]]), np.array([BATH[1]]), 9)
    lon, lat = h3cells.centres(cell)
    middle = shapely.Point(lon[0], lat[0]).buffer(0.00002)  # no record lies in it
    assert not shapely.contains_xy(middle, *BATH)
    found = view_area(lapwing.store, SCOPE, run, middle, View())
    assert (found.cells, found.records) == (1, 10)


def test_it_holds_what_the_map_shows_under_the_same_filter(lapwing: Lapwing, run: Run) -> None:
    everywhere = shapely.box(-3, 51, -2, 52)
    views = (
        View(), View(kinds=("drugs",)), View(date_from=date(2024, 4, 1)), View(hours=(22, 2)), View(kinds=("drugs",), min_records=5),
        View(new_since=date(2024, 4, 1)), View(weekdays=(0,)),
    )  # fmt: skip
    for view in views:
        found = view_area(lapwing.store, SCOPE, run, everywhere, view)
        cells = map_layer(lapwing.store, SCOPE, run, view, Profile.OPERATIONAL, resolution=9).features
        assert found.records == cells["records"].sum(), view
        assert found.of == count_view(lapwing.store, SCOPE, run, view).records
        assert found.unfiltered == 30
        assert sum(found.months.values()) == sum(found.kinds.values()) == found.records
    assert view_area(lapwing.store, SCOPE, run, everywhere, View(kinds=("drugs",))).records == 14
    assert view_area(lapwing.store, SCOPE, run, everywhere, View(kinds=("drugs",), min_records=5)).records == 10
    assert view_area(lapwing.store, SCOPE, run, everywhere, View(hours=(22, 2))).without_time == 10


def test_hot_cells_are_those_of_the_analysis_the_fullest_first(city: Lapwing) -> None:
    (run,) = city.store.runs.runs(SCOPE)
    told = city.store.runs.statistics(SCOPE, run.run_id)
    lon, lat = h3cells.centres(told["cell"].to_numpy(np.int64))
    whole = shapely.box(lon.min() - 0.01, lat.min() - 0.01, lon.max() + 0.01, lat.max() + 0.01)
    found = view_area(city.store, SCOPE, run, whole, View())
    assert found.cells == len(told)
    assert found.hot_cells == told["hot"].sum() == run.summary["hot_cells"] > 0
    assert len(found.hot) == min(10, found.hot_cells)
    assert [one.records for one in found.hot] == sorted((one.records for one in found.hot), reverse=True)
    assert len(found.places) == run.summary["places"]
    parts = [
        shapely.box(lon.min() - 0.01, -1, np.median(lon), 60),
        shapely.box(np.median(lon), -1, lon.max() + 0.01, 60),
    ]
    halves = [view_area(city.store, SCOPE, run, shapely.intersection(part, whole), View()) for part in parts]
    assert all(half.records for half in halves)
    assert sum(half.records for half in halves) == found.records == run.summary["records"]
    assert sum(half.cells for half in halves) == found.cells
    assert len({one.place.place_id for half in halves for one in half.places}) == len(found.places)


# Which outlines.


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Draw an outline first"),
        ("hello", "could not be read"),
        ("POINT (-2.36 51.38)", "one outline"),
        ("LINESTRING (-2.36 51.38, -2.35 51.38)", "one outline"),
        (ring((-2.36, 51.38), (-2.35, 51.39), (-2.35, 51.38), (-2.36, 51.39)), "crosses or touches itself"),
        (BERLIN, "reaches outside"),
        ("POLYGON ((-2.36 51.38, 200 51.38, -2.36 51.39, -2.36 51.38))", "could not be read"),
        (ring((-3, 51), (-2, 51), (-2, 52), (-3, 52)), "km²; at most 2,500"),
        (shapely.to_wkt(shapely.Point(BATH).buffer(0.1, quad_segs=60), rounding_precision=7), "3 to 200 corners; this one has 240"),
        ("POLYGON ((" + "-2.36 51.38, " * 3000 + "-2.36 51.38))", "more than 200 corners"),
        ("MULTIPOLYGON (((-2.36 51.38, -2.35 51.38, -2.35 51.39, -2.36 51.38)), ((-2.3 51.3, -2.2 51.3, -2.2 51.4, -2.3 51.3)))",
         "one outline"),
        ("POLYGON ((-2.4 51.3, -2.3 51.3, -2.3 51.4, -2.4 51.3), (-2.34 51.32, -2.32 51.32, -2.32 51.34, -2.34 51.32))", "one outline"),
    ],
)  # fmt: skip
def test_an_outline_that_cannot_be_counted_is_refused_in_words(embedded: Lapwing, text: str, words: str) -> None:
    with pytest.raises(InvalidParameter, match=words.replace("(", r"\(")) as refused:
        read_outline(embedded.store, text)
    assert "--" not in str(refused.value)


def test_the_largest_outline_is_about_fifty_kilometres_square(embedded: Lapwing) -> None:
    """0.71 by 0.44 degrees at this latitude are 49.3 by 48.9 km."""
    shape = read_outline(embedded.store, ring((-2.8, 51.1), (-2.09, 51.1), (-2.09, 51.54), (-2.8, 51.54)))
    assert len(shape.exterior.coords) == 5
    assert MAX_KM2 == 2500


# Keeping them.


def saved(app: Lapwing, name: str, outline: shapely.Polygon = LEFT, scope: Scope = SCOPE) -> str:
    return save_area(app.store, scope, name, outline, terms_of(app)).batch_id


def test_a_kept_area_is_a_batch_that_can_be_analysed_and_undone(lapwing: Lapwing, run: Run) -> None:
    batch_id = saved(lapwing, "  Round the   station ")
    batch = lapwing.store.evidence.batch(SCOPE, batch_id)
    assert (batch.kind, batch.accepted, batch.imported_by) == (FeatureKind.AREAS, 1, SCOPE.actor)
    (area,) = lapwing.store.evidence.features(SCOPE, [FeatureKind.AREAS]).to_dict("records")
    assert (area["name"], area["level"]) == ("Round the station", DRAWN_LEVEL)
    assert shapely.equals(area["geometry"], LEFT)
    assert offer(lapwing.store, SCOPE, now_us=NOW_US).areas[DRAWN_LEVEL] == ("Round the station",)
    own = run_of(lapwing, area="Round the station")
    assert own.summary["records"] == 10
    undo_batch(lapwing.store, SCOPE, batch_id, now_us=NOW_US)
    with pytest.raises(NotFound):
        lapwing.store.evidence.area(SCOPE, "Round the station")
    saved(lapwing, "Round the station")  # the name is free again


def test_by_area_leaves_drawn_areas_out_unless_they_are_asked_for(lapwing: Lapwing, run: Run, tmp_path: Path) -> None:
    parameters, day = AnalysisParameters(), date(2024, 4, 30)
    saved(lapwing, "Round the station")
    with pytest.raises(Conflict, match="No wards"):
        by_area(lapwing.store, SCOPE, parameters, as_of=day)
    ward = ({"name": "Abbey", "level": "ward"}, square(WEST, SOUTH, 0.05))
    load(lapwing, write_geojson(tmp_path / "wards.geojson", [ward]), "areas")
    assert {row["area"] for row in by_area(lapwing.store, SCOPE, parameters, as_of=day).rows} == {"Abbey"}
    drawn = by_area(lapwing.store, SCOPE, parameters, as_of=day, level=DRAWN_LEVEL)
    assert {row["area"]: row["this_year"] for row in drawn.rows} == {"Round the station": 10, "outside every area": 20}


@pytest.mark.parametrize(
    "name", ["Bath", "bath", "council", "Round the Station", "round  the station", "drawn on a map"]
)
def test_a_name_by_which_an_analysis_would_find_another_area_is_refused(
    embedded: Lapwing, tmp_path: Path, name: str
) -> None:
    fill(embedded, tmp_path)
    saved(embedded, "Round the station")
    before = len(embedded.store.evidence.batches(SCOPE))
    with pytest.raises(InvalidParameter, match=r"There is an area called .* already; choose another name\."):
        saved(embedded, name, shapely.box(-2.3, 51.3, -2.2, 51.4))
    assert len(embedded.store.evidence.batches(SCOPE)) == before


@pytest.mark.parametrize(
    ("name", "words"),
    [("", "1 to 120 characters"), ("x" * 121, "1 to 120"), ("Round 07700 900123", "personal data"), ("a@b.example", "personal data")],
)  # fmt: skip
def test_a_name_that_is_none_or_a_persons_detail_is_refused(embedded: Lapwing, name: str, words: str) -> None:
    with pytest.raises(InvalidParameter, match=words):
        saved(embedded, name)
    assert embedded.store.evidence.batches(SCOPE) == []


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ANALYST}))
def test_only_analysts_keep_areas(embedded: Lapwing, role: Role) -> None:
    with pytest.raises(NotPermitted):
        saved(embedded, "Round the station", scope=Scope(actor="c", role=role))


def test_on_the_synthetic_city_a_kept_area_is_synthetic_too(city: Lapwing) -> None:
    batch = city.store.evidence.batch(SCOPE, saved(city, "Round the station"))
    assert batch.source == SYNTHETIC_SOURCE


def test_a_kept_area_changes_no_analysis_and_names_nothing(city: Lapwing) -> None:
    """An outline round a spot that stands out is a question: its middle is no published map point, its name no ward's."""
    before = city.store.runs.runs(SCOPE)[0]
    found = city.store.runs.places(SCOPE, before.run_id)
    first, places = found[0], [told(one) for one in found]
    decide(city.store, SCOPE, first.place_id, Verdict.ACCEPT, "known to two agencies", now_us=NOW_US)
    (lon,), (lat,) = h3cells.centres(np.asarray([first.peak_cell], np.int64))
    area = {one.place.place_id: one.area for one in accepted_places(city.store, SCOPE, before).accepted}
    save_area(
        city.store,
        SCOPE,
        "Round the first",
        shapely.box(lon - 1e-3, lat - 1e-3, lon + 1e-3, lat + 1e-3),
        terms_of(city),
    )
    assert {one.place.place_id: one.area for one in accepted_places(city.store, SCOPE, before).accepted} == area
    parameters = AnalysisParameters.from_json(before.parameters)
    again = analyse(city.store, SCOPE, parameters, seed=before.seed, now_us=NOW_US, as_of_us=NOW_US + 1)
    assert [told(one) for one in city.store.runs.places(SCOPE, again.run_id)] == places
    names = reference_features(city.store, SCOPE, before, (FeatureKind.AREAS,), as_labels=True).features["name"]
    assert "Round the first" not in set(names)


def told(place: Place) -> tuple[object, ...]:
    return place.place_id, place.kind, place.name, place.basis, place.records
