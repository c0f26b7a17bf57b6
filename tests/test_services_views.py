"""Filtered maps: counted anew from the records of an analysis, the same in lists, tiles and files, and safe outside."""

from collections import Counter
from dataclasses import replace
from datetime import date
from itertools import combinations
from pathlib import Path

import mapbox_vector_tile
import numpy as np
import pandas as pd
import pytest

from app.services import filtered_tiles
from app.services.analysis import analyse
from app.services.cell_view import view_cell
from app.services.exporting import ExportRequest, export_file
from app.services.import_request import ImportRequest
from app.services.importing import import_file
from app.services.map_layers import coverage_layer, map_layer, resolutions_of
from app.services.map_tiles import cell_tile, display
from app.services.run_records import run_records
from app.services.saved_views import save_view
from app.services.shelf import Shelf
from app.services.view_lists import count_view, listed_cells, listed_places
from app.wiring import Lapwing
from geo import cells as h3cells
from geo.disclosure import THRESHOLDS
from geo.errors import Conflict, DisclosureError, InvalidParameter, NotFound
from geo.model import Layer, Profile, Run, Scope
from geo.parameters import AnalysisParameters
from geo.temporal import local_days, local_hours, local_months, local_weekdays, midpoint_us
from geo.view import View, month_view
from geo.zoom import display_resolution
from maps.tiles import tile_bounds
from tests.conftest import NOW_US
from tests.files import TERMS

SCOPE = Scope(actor="test")
OPERATIONAL, PARTNER = Profile.OPERATIONAL, Profile.PARTNER


@pytest.fixture
def run(city: Lapwing) -> Run:
    return city.store.runs.runs(SCOPE)[0]


def own_resolution(run: Run) -> int:
    return AnalysisParameters.from_json(run.parameters).resolution


def cells_of(city: Lapwing, run: Run, view: View) -> pd.DataFrame:
    return map_layer(city.store, SCOPE, run, view, OPERATIONAL, resolution=own_resolution(run)).features


@pytest.mark.parametrize("view", [View(), View(hours=(18, 2))])
@pytest.mark.parametrize("profile", [OPERATIONAL, PARTNER])
def test_pages_of_cells_are_the_layer_in_order(city: Lapwing, run: Run, view: View, profile: Profile) -> None:
    if profile is PARTNER and view != View():
        with pytest.raises(DisclosureError):
            listed_cells(city.store, SCOPE, run, view, profile, order=["cell"], number=1)
        return
    first = listed_cells(city.store, SCOPE, run, view, profile, order=["-records", "-cell"], number=1)
    rows = [
        row
        for number in range(1, first.pages + 1)
        for row in listed_cells(city.store, SCOPE, run, view, profile, order=["-records", "-cell"], number=number).rows
    ]
    layer = map_layer(city.store, SCOPE, run, view, profile, resolution=resolutions_of(run, profile)[-1]).features
    assert first.total == len(rows) == len(layer)
    assert [(row["records"], row["cell"]) for row in rows] == sorted(
        zip(layer["records"], layer["cell"], strict=True), reverse=True
    )


def test_the_whole_view_is_the_analysis_itself(city: Lapwing, run: Run) -> None:
    layer = map_layer(city.store, SCOPE, run, View(), OPERATIONAL, resolution=own_resolution(run)).features
    cells = city.store.runs.cells(SCOPE, run.run_id, min_records=1)
    cells = cells[h3cells.resolutions(cells["cell"].to_numpy()) == own_resolution(run)]
    held = layer[layer["records"] > 0]
    assert dict(zip(held["cell"], held["records"], strict=True)) == dict(
        zip(h3cells.cell_text(cells["cell"]), cells["records"], strict=True)
    )
    assert layer["hot"].sum() == run.summary["hot_cells"]
    assert layer["records"].sum() == run.summary["records"]
    places = listed_places(city.store, SCOPE, run, View())
    assert [(one.place.rank, one.in_view) for one in places] == [
        (i, one.place.records) for i, one in enumerate(places, 1)
    ]


@pytest.mark.parametrize("resolution", [4, 6, 8])
def test_a_zoomed_out_cell_is_the_sum_of_what_is_in_it(city: Lapwing, run: Run, resolution: int) -> None:
    for view in (View(), View(weekdays=(4, 5))):
        fine = map_layer(city.store, SCOPE, run, view, OPERATIONAL, resolution=own_resolution(run)).features
        coarse = map_layer(city.store, SCOPE, run, view, OPERATIONAL, resolution=resolution).features
        parent = h3cells.parents(np.asarray([h3cells.cell_number(one) for one in fine["cell"]], np.int64), resolution)
        summed = fine.groupby(h3cells.cell_text(parent))[["records", "hot"]].sum()
        assert coarse.set_index("cell")[["records", "hot"]].to_dict() == summed.to_dict()


def test_a_filter_counts_what_a_plain_loop_counts(city: Lapwing, run: Run) -> None:
    view = View(weekdays=(4, 5), hours=(18, 2), kinds=("incidents",), min_records=2)
    records = run_records(city.store, SCOPE, run)
    at_us = midpoint_us(records["from_us"].to_numpy(), records["to_us"].to_numpy())
    told = zip(
        h3cells.cell_text(records["cell"]), records["kind"], records["to_us"] - records["from_us"], local_weekdays(at_us),
        local_hours(at_us), strict=True,
    )  # fmt: skip
    expected = Counter(
        cell for cell, kind, length, day, hour in told
        if kind == "incidents" and length <= 6 * 3600 * 1_000_000 and day in (4, 5) and (hour >= 18 or hour < 2)
    )  # fmt: skip
    expected = {cell: count for cell, count in expected.items() if count >= 2}
    found = cells_of(city, run, view)
    assert dict(zip(found["cell"], found["records"], strict=True)) == expected
    assert expected  # the synthetic city has evenings
    assert not found["hot"].any()  # what stands out was tested on the whole analysis


def test_records_of_an_analysis_hold_no_position(city: Lapwing, run: Run) -> None:
    records = run_records(city.store, SCOPE, run)
    assert len(records) == run.summary["records"]
    assert not {"lon", "lat", "x_m", "y_m", "record_key", "notes", "vehicle_hash", "urn"} & set(records.columns)


def test_months_and_choices_are_those_of_the_records(city: Lapwing, run: Run) -> None:
    counts = count_view(city.store, SCOPE, run, View())
    assert sum(counts.months.values()) == counts.records == counts.of == run.summary["records"]
    assert sum(counts.choices["kind"].values()) == counts.of
    month = next(iter(counts.months))
    view = month_view(int(month[:4]), int(month[5:]))
    assert count_view(city.store, SCOPE, run, view).records == counts.months[month]
    assert count_view(city.store, SCOPE, run, view).months == counts.months  # the slider shows all months


@pytest.mark.parametrize(
    "view",
    [
        View(), View(min_records=5), View(min_records=1_000), View(new_since=date(2025, 6, 1)), View(place_kinds=("area",)),
        View(weekdays=(4, 5), hours=(18, 2), min_records=2), View(kinds=("incidents",), new_since=date(2025, 6, 1)),
    ],
)  # fmt: skip
def test_the_records_counted_are_those_of_the_cells_on_the_map(city: Lapwing, run: Run, view: View) -> None:
    counts = count_view(city.store, SCOPE, run, view)
    assert counts.records == cells_of(city, run, view)["records"].sum()
    assert counts.of == run.summary["records"]
    assert counts.months == count_view(city.store, SCOPE, run, replace(view, min_records=1, new_since=None)).months


def test_few_records_of_their_cell_are_not_counted_with_those_on_the_map(city: Lapwing, run: Run) -> None:
    records = run_records(city.store, SCOPE, run)
    full = records.groupby("cell")["cell"].transform("size") >= 5
    assert count_view(city.store, SCOPE, run, View(min_records=5)).records == full.sum()
    assert 0 < full.sum() < len(records)


@pytest.mark.parametrize("layer", [Layer.PLACES, Layer.CELLS])
def test_a_file_has_exactly_the_rows_of_the_list(city: Lapwing, run: Run, tmp_path: Path, layer: Layer) -> None:
    view = View(kinds=("incidents",), hours=(18, 2), min_records=2)
    wanted = ExportRequest(layer=layer, format="csv", profile=OPERATIONAL, purpose="a test", view=view)
    done = export_file(city.store, SCOPE, run, wanted, tmp_path / "out.csv", now_us=NOW_US)
    rows = pd.read_csv(done.path, comment="#", encoding="utf-8-sig")
    if layer is Layer.PLACES:
        listed = {one.place.place_id: one.in_view for one in listed_places(city.store, SCOPE, run, view)}
        assert dict(zip(rows["place"], rows["in_view"], strict=True)) == listed
    else:
        listed = cells_of(city, run, view)
        assert sorted(zip(rows["cell"], rows["records"], strict=True)) == sorted(
            zip(listed["cell"], listed["records"], strict=True)
        )
    assert listed is not None and len(rows)  # noqa: PT018 - the filter leaves something


def test_a_filtered_file_is_for_operations_only(city: Lapwing) -> None:
    with pytest.raises(InvalidParameter, match="whole"):
        ExportRequest(layer=Layer.CELLS, format="csv", profile=PARTNER, purpose="x", view=View(min_records=2))
    with pytest.raises(InvalidParameter, match="cannot be filtered"):
        ExportRequest(layer=Layer.ROUTES, format="csv", profile=OPERATIONAL, purpose="x", view=View(min_records=2))


@pytest.mark.parametrize("at_once", [20_000, 10])
@pytest.mark.parametrize("view", [View(), View(weekdays=(4, 5))])
def test_tiles_hold_what_the_list_holds(
    city: Lapwing, run: Run, view: View, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filtered_tiles, "_AT_ONCE", at_once)
    shelf, zoom = Shelf(), 12
    assert display_resolution(zoom, own_resolution(run)) == own_resolution(run)
    seen: dict[str, int] = {}
    for x in range(2044, 2056):
        for y in range(1330, 1348):
            body = cell_tile(city.store, SCOPE, run, view, OPERATIONAL, (zoom, x, y), shelf)
            for feature in mapbox_vector_tile.decode(body)["map"]["features"] if body else ():
                seen[feature["properties"]["cell"]] = feature["properties"]["records"]
    listed = cells_of(city, run, view)
    west, _, east, _ = display(city.store, SCOPE, run, OPERATIONAL).bounds
    assert tile_bounds(zoom, 2044, 1347)[0] < west
    assert tile_bounds(zoom, 2055, 1330)[2] > east
    assert seen == dict(zip(listed["cell"], listed["records"], strict=True))


def test_classes_are_those_of_the_whole_analysis(city: Lapwing, run: Run) -> None:
    shown = display(city.store, SCOPE, run, OPERATIONAL)
    assert set(shown.breaks) == set(resolutions_of(run, OPERATIONAL))
    assert all(limits == sorted(set(limits)) and limits[0] == 1 for limits in shown.breaks.values())


def test_not_looked_is_what_is_neither_recorded_nor_looked_at(city: Lapwing, run: Run) -> None:
    blank = set(coverage_layer(city.store, SCOPE, run, resolution=own_resolution(run)).features["cell"])
    shown = set(cells_of(city, run, View())["cell"])
    every = set(h3cells.cell_text(city.store.runs.statistics(SCOPE, run.run_id)["cell"]))
    assert blank
    assert not blank & shown
    assert blank | shown == every
    coarse = coverage_layer(city.store, SCOPE, run, resolution=7).features["cell"]
    parent = h3cells.parents(np.asarray([h3cells.cell_number(one) for one in shown], np.int64), 7)
    assert not set(coarse) & set(h3cells.cell_text(parent))  # partly looked at is not unlooked


def test_new_since_shows_cells_without_an_earlier_record(city: Lapwing, run: Run) -> None:
    records = run_records(city.store, SCOPE, run)
    days = local_days(midpoint_us(records["from_us"].to_numpy(), records["to_us"].to_numpy()))
    since = int(np.quantile(days, 0.7))
    first = pd.Series(days).groupby(h3cells.cell_text(records["cell"])).min()
    view = View(new_since=date.fromordinal(date(1970, 1, 1).toordinal() + since))
    assert set(cells_of(city, run, view)["cell"]) == set(first[first >= since].index)


# Outside operations.


@pytest.mark.parametrize("profile", [Profile.PARTNER, Profile.PUBLIC])
def test_no_two_released_maps_differ_by_a_handful(city: Lapwing, run: Run, profile: Profile) -> None:
    """Subtract every pair of maps that an audience can ask for, cell by cell, from the true counts behind them."""
    records = run_records(city.store, SCOPE, run)
    months = local_months(midpoint_us(records["from_us"].to_numpy(), records["to_us"].to_numpy()))
    cell = np.asarray(h3cells.cell_text(records["shared_cell"]))
    (shared,) = resolutions_of(run, profile)
    views = {None: View()} | {
        int(month): month_view(1970 + int(month) // 12, int(month) % 12 + 1) for month in np.unique(months)
    }
    released = {
        month: map_layer(city.store, SCOPE, run, view, profile, resolution=shared).features.set_index("cell")["records"]
        for month, view in views.items()
    }
    least = THRESHOLDS[profile].records
    assert any(len(layer) for month, layer in released.items() if month is not None) or profile is Profile.PUBLIC
    for one, other in combinations(released, 2):
        for name in set(released[one].index) & set(released[other].index):
            assert (released[one][name] - released[other][name]) % least == 0
            inside = cell == name
            true = [int((inside & ((months == month) if month is not None else True)).sum()) for month in (one, other)]
            if one is None:  # the rest of the whole is nothing, or enough
                assert true[0] == true[1] or true[0] - true[1] >= least
    for layer in released.values():
        assert (layer >= least).all()


def test_outside_operations_there_is_one_resolution_and_no_filter(city: Lapwing, run: Run) -> None:
    for zoom in (5, 10, 14):
        assert resolutions_of(run, PARTNER) == (8,), zoom
    with pytest.raises(InvalidParameter, match="no map"):
        map_layer(city.store, SCOPE, run, View(), PARTNER, resolution=9)
    with pytest.raises(DisclosureError):
        map_layer(city.store, SCOPE, run, View(kinds=("incidents",)), PARTNER, resolution=8)
    layer = map_layer(city.store, SCOPE, run, View(), PARTNER, resolution=8)
    assert set(layer.features.columns) == {"id", "cell", "records", "marking", "profile", "run", "generated"}


# One cell.


def test_a_cell_tells_its_counts_and_its_places(city: Lapwing, run: Run) -> None:
    records = run_records(city.store, SCOPE, run)
    fullest = int(records["cell"].value_counts().index[0])
    (text,) = h3cells.cell_text([fullest])
    own = records[records["cell"] == fullest]
    found = view_cell(city.store, SCOPE, run, text, View())
    assert found.records == len(own) == sum(found.months.values()) == sum(found.kinds.values())
    assert found.statistics["observed"] >= found.records
    assert {place.cluster for place in found.places} == set(own["place"]) - {-1}
    assert np.sum(found.weights) == pytest.approx(found.timed, abs=0.1)
    (parent,) = h3cells.cell_text(h3cells.parents(np.asarray([fullest]), 7))
    coarse = view_cell(city.store, SCOPE, run, parent, View())
    assert coarse.statistics is None
    assert coarse.records >= found.records
    assert coarse.parts > 1


@pytest.mark.parametrize("text", ["", "x", "zz", "8919", "<b>", "8a1969b4bb1ffff", "ffffffffffffffff", "1" * 40])
def test_what_is_no_cell_of_the_analysis_is_not_found(city: Lapwing, run: Run, text: str) -> None:
    with pytest.raises(NotFound):
        view_cell(city.store, SCOPE, run, text, View())


# Keeping, remaking and dropping.


def test_a_view_is_saved_by_name_and_replaced_by_the_same_name(city: Lapwing) -> None:
    kept = save_view(city.store, SCOPE, " Friday  nights ", View(weekdays=(4,)), now_us=NOW_US)
    assert city.store.views.get(SCOPE, kept.view_id).name == "Friday nights"
    again = save_view(city.store, SCOPE, "friday nights", View(weekdays=(4,), hours=(18, 22)), now_us=NOW_US + 1)
    assert [one.view_id for one in city.store.views.saved(SCOPE)] == [again.view_id]
    assert city.store.views.saved(Scope(org_id="other")) == []
    with pytest.raises(NotFound):
        city.store.views.get(Scope(org_id="other"), again.view_id)
    with pytest.raises(InvalidParameter, match="no filter"):
        save_view(city.store, SCOPE, "All", View(), now_us=NOW_US)
    with pytest.raises(InvalidParameter, match="personal data"):
        save_view(city.store, SCOPE, "call 07700 900123", View(weekdays=(4,)), now_us=NOW_US)


def small_run(app: Lapwing, folder: Path) -> Run:
    rows = [f"{i},2026-03-{i % 28 + 1:02d},{-2.36 + i * 1e-4},51.38,theft" for i in range(30)]
    file = folder / "points.csv"
    file.write_text("id,date,longitude,latitude,kind\n" + "\n".join(rows))
    import_file(app.store, SCOPE, file, ImportRequest(kind="incidents"), TERMS)
    return analyse(app.store, SCOPE, AnalysisParameters(), seed=0, now_us=NOW_US)


def test_both_stores_keep_and_drop_what_maps_are_drawn_from(lapwing: Lapwing, tmp_path: Path) -> None:
    run = small_run(lapwing, tmp_path)
    shelf = Shelf()
    assert run_records(lapwing.store, SCOPE, run)["category"].astype(str).tolist() == ["theft"] * 30
    west, _, _, north = display(lapwing.store, SCOPE, run, OPERATIONAL).bounds
    x, y = (
        int((west + 180) / 360 * 2**8),
        int((1 - np.log(np.tan(np.radians(north)) + 1 / np.cos(np.radians(north))) / np.pi) / 2 * 2**8),
    )
    tiles = [
        cell_tile(lapwing.store, SCOPE, run, View(), OPERATIONAL, (8, x + i, y + j), shelf)
        for i in (0, 1)
        for j in (0, 1)
    ]
    features = [f for body in tiles if body for f in mapbox_vector_tile.decode(body)["map"]["features"]]
    assert sum({f["properties"]["cell"]: f["properties"]["records"] for f in features}.values()) == 30
    lapwing.store.retention.drop_layers(SCOPE, run.run_id, NOW_US)
    purged = lapwing.store.runs.get(SCOPE, run.run_id)
    with pytest.raises(Conflict):
        run_records(lapwing.store, SCOPE, purged)
    with pytest.raises(Conflict):
        display(lapwing.store, SCOPE, purged, OPERATIONAL)


def test_an_analysis_of_an_earlier_version_is_made_again_whole(embedded: Lapwing, tmp_path: Path) -> None:
    run = small_run(embedded, tmp_path)
    embedded.store.views.keep(SCOPE, run.run_id, {})
    with pytest.raises(Conflict, match="lapwing analyse"):
        count_view(embedded.store, SCOPE, run, View())
    again = analyse(embedded.store, SCOPE, AnalysisParameters(), seed=0, now_us=NOW_US)
    assert again.run_id == run.run_id
    assert count_view(embedded.store, SCOPE, again, View()).of == 30
