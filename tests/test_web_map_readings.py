"""What a second reader of the map found: each fault once, so that it stays mended."""

import json
import re
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import shapely

from app.services.analysis import analyse
from app.services.by_area import by_area
from app.services.drawing import save_area
from app.services.exporting import ExportRequest, export_file
from app.services.importing import undo_batch
from app.services.layers import released_layer
from app.services.map_tiles import display
from app.services.sharing import share_run, shared_run
from app.wiring import Lapwing
from geo import cells as h3cells
from geo.drawn_area import DRAWN_LEVEL
from geo.errors import Conflict
from geo.model import Layer, Profile, Role, Run, Scope
from geo.parameters import AnalysisParameters
from geo.place_changes import compare_places
from geo.view import View
from tests.clients import client_of
from tests.conftest import NOW_US
from tests.files import terms_of

SCOPE = Scope(actor="test")


@pytest.fixture
def run(city: Lapwing) -> Run:
    return city.store.runs.runs(SCOPE)[0]


def shared_cells_of(city: Lapwing, run: Run, profile: Profile) -> set[str]:
    return set(released_layer(city.store, SCOPE, run, Layer.CELLS, profile).features["cell"])


@pytest.mark.parametrize("profile", [Profile.PARTNER, Profile.PUBLIC])
def test_bounds_outside_operations_tell_of_released_cells_only(city: Lapwing, run: Run, profile: Profile) -> None:
    west, south, east, north = display(city.store, SCOPE, run, profile).bounds
    assert [round(one / 0.05, 6) % 1 for one in (west, south, east, north)] == [0, 0, 0, 0]
    shown = [h3cells.cell_number(one) for one in shared_cells_of(city, run, profile)]
    least_west, least_south, most_east, most_north = shapely.total_bounds(
        h3cells.boundaries(np.asarray(shown, np.int64))
    ).tolist()
    assert west <= least_west < west + 0.05
    assert south <= least_south < south + 0.05
    assert east - 0.05 < most_east <= east
    assert north - 0.05 < most_north <= north


@pytest.mark.parametrize("profile", [Profile.PARTNER, Profile.PUBLIC])
def test_outlines_outside_operations_lie_in_released_cells(city: Lapwing, run: Run, profile: Profile) -> None:
    shown = [h3cells.cell_number(one) for one in shared_cells_of(city, run, profile)]
    ground = shapely.buffer(h3cells.union_geometry(shown), 1e-9)
    layer = released_layer(city.store, SCOPE, run, Layer.PLACES, profile)
    assert len(layer) or profile is Profile.PUBLIC
    assert all(shapely.covers(ground, shape) and not shape.is_empty for shape in layer.geometry)


def test_outsiders_see_no_analysis_of_part_of_a_month_of_one_kind_or_of_a_drawn_area(city: Lapwing, run: Run) -> None:
    assert shared_run(city.store, SCOPE).run_id == run.run_id
    box = shapely.box(*display(city.store, SCOPE, run, Profile.OPERATIONAL).bounds)
    save_area(city.store, SCOPE, "Flat in Mill Lane", box, terms_of(city))
    whole = AnalysisParameters.from_json(run.parameters)
    asked = [
        AnalysisParameters(date_from=date(2026, 2, 3), simulations=19),
        AnalysisParameters(record_kinds=("incidents",), simulations=19),
        AnalysisParameters(area="Flat in Mill Lane", simulations=19),
    ]
    made = [analyse(city.store, SCOPE, one, seed=0, now_us=NOW_US + i) for i, one in enumerate(asked, 1)]
    for one, why in zip(made, ("not whole months", "not over all usual kinds", "was drawn"), strict=True):
        with pytest.raises(Conflict, match=f"^Analysis {one.run_id} cannot be shared: .*{why}"):
            share_run(city.store, SCOPE, one.run_id, "meeting", sooner=True, now_us=NOW_US)
    assert shared_run(city.store, SCOPE).run_id == run.run_id
    client = client_of(city, Role.PARTNER)
    page = client.get("/runs", follow_redirects=True)
    assert page.status_code == 200
    assert run.run_id in page.text
    assert "Mill Lane" not in page.text
    answers = {
        client.get(f"/runs/{one}/map").text.count("There is no such analysis") for one in (made[0].run_id, "0" * 16)
    }
    assert answers == {1}  # one that is there and one that is not are answered alike
    months = analyse(
        city.store, SCOPE, AnalysisParameters(date_from=date(2026, 1, 1), date_to=date(2026, 3, 31), area=whole.area, simulations=19),
        seed=0, now_us=NOW_US + 9,
    )  # fmt: skip
    share_run(city.store, SCOPE, months.run_id, "meeting", sooner=True, now_us=NOW_US)
    assert shared_run(city.store, SCOPE).run_id == months.run_id


def test_an_analysis_of_what_was_drawn_stays_inside_by_any_name_and_after_undo(city: Lapwing, run: Run) -> None:
    box = shapely.box(*display(city.store, SCOPE, run, Profile.OPERATIONAL).bounds)
    batch = save_area(city.store, SCOPE, "Quay", box, terms_of(city))
    made = [
        analyse(city.store, SCOPE, AnalysisParameters(area=name, simulations=19), seed=0, now_us=NOW_US + i)
        for i, name in enumerate(("Quay", batch.stem), 1)
    ]
    assert len(city.store.runs.runs(SCOPE)) == 3
    undo_batch(city.store, SCOPE, batch.batch_id, now_us=NOW_US)  # what the area was is not known any more
    loose = AnalysisParameters(eps_m=5, min_weight=1, simulations=19)
    made.append(analyse(city.store, SCOPE, loose, seed=0, now_us=NOW_US + 9))
    for one, why in zip(made, ("was drawn", "was drawn", "parameters are not the usual"), strict=True):
        with pytest.raises(Conflict, match=f"cannot be shared: its .*{why}"):
            share_run(city.store, SCOPE, one.run_id, "meeting", sooner=True, now_us=NOW_US)
    assert shared_run(city.store, SCOPE).run_id == run.run_id


def test_drawn_areas_that_lie_over_each_other_each_have_their_records(city: Lapwing, run: Run) -> None:
    west, south, east, north = display(city.store, SCOPE, run, Profile.OPERATIONAL).bounds
    for name, more in (("All of it", 0.01), ("All of it again", 0.02)):
        box = shapely.box(west - more, south - more, east + more, north + more)
        save_area(city.store, SCOPE, name, box, terms_of(city))
    parameters = AnalysisParameters(crs_epsg=city.store.crs.epsg)
    rows = {row["area"]: row for row in by_area(city.store, SCOPE, parameters, as_of=None, level=DRAWN_LEVEL).rows}
    assert rows["All of it"]["this_year"] == rows["All of it again"]["this_year"] > 0
    assert set(rows) == {"All of it", "All of it again"}  # nothing lies outside


def test_an_earlier_analysis_that_found_nothing_is_not_no_earlier_analysis(city: Lapwing, run: Run) -> None:
    found = city.store.runs.places(SCOPE, run.run_id)
    day = date(2026, 5, 23)
    assert len(compare_places(found, [], newer_last_day=day, older_last_day=day).new) == len(found)
    assert compare_places(found, None, newer_last_day=day, older_last_day=None).new == ()


def test_names_of_files_and_sources_are_not_told_to_whoever_guesses(city: Lapwing, run: Run) -> None:
    client = client_of(city, Role.COORDINATOR)
    for name in ("no such area", city.store.evidence.batches(SCOPE)[0].source):
        answer = client.get(f"/runs/{run.run_id}/area", query_string={"name": name})
        assert answer.status_code == 404
        assert "imported" not in answer.text


def test_what_others_saved_is_replaced_by_analysts_only(city: Lapwing, run: Run) -> None:
    form = {"name": "Ours", "query": "weekday=fri"}
    assert client_of(city, Role.ANALYST).post(f"/runs/{run.run_id}/views", data=form).status_code == 302
    kept = city.store.views.saved(SCOPE)[0].view_id
    coordinator = client_of(city, Role.COORDINATOR)
    assert coordinator.post(f"/runs/{run.run_id}/views", data=form).status_code == 422
    assert [one.view_id for one in city.store.views.saved(SCOPE)] == [kept]
    assert "/remove" not in coordinator.get(f"/runs/{run.run_id}/map?weekday=fri").text


@pytest.mark.parametrize("purpose", ["x" * 301, "two\nlines", "nul\x00"])
def test_a_purpose_is_one_readable_line(city: Lapwing, run: Run, purpose: str) -> None:
    client = client_of(city, Role.ANALYST)
    form = {"layer": "cells", "format": "csv", "profile": "operational", "form": "png", "purpose": purpose}
    for path in (f"/runs/{run.run_id}/download", f"/runs/{run.run_id}/print", "/areas.csv"):
        assert client.post(path, data=form).status_code == 422, path
    assert city.store.audit.disclosures(SCOPE) == []


@pytest.mark.parametrize(
    "address",
    ["/tiles/cells/{run}/5000/0/0.mvt", "/tiles/cells/{run}/9999999999/0/0.mvt", "/tiles/cells/{run}/5/99/0.mvt"],
)
@pytest.mark.parametrize("role", [Role.ANALYST, Role.PARTNER])
def test_what_is_no_tile_is_refused_at_once(city: Lapwing, run: Run, role: Role, address: str) -> None:
    assert client_of(city, role).get(address.format(run=run.run_id)).status_code == 422


@pytest.mark.parametrize(
    "query", ["from=9999-12-01&to=9999-12-31", "to=9999-12-31", "new_since=0001-01-01", "compare_from=9999-12-01"]
)
def test_dates_at_the_ends_of_the_calendar_get_a_line(city: Lapwing, run: Run, query: str) -> None:
    for role in (Role.ANALYST, Role.PARTNER):
        assert client_of(city, role).get(f"/runs/{run.run_id}/map?{query}").status_code in {403, 422}


def test_a_long_filter_is_logged_whole_under_a_short_subject(city: Lapwing, run: Run) -> None:
    kinds = [f"kind-{i}-{'x' * 100}" for i in range(40)]
    query = View(kinds=tuple(kinds)).query()
    assert client_of(city, Role.ANALYST).get(f"/runs/{run.run_id}/map?{query}").status_code == 200
    event = next(
        e for e in reversed(city.store.audit.events(SCOPE)) if e["subject"].startswith(f"run:{run.run_id}/map")
    )
    assert len(event["subject"]) < 100
    assert json.loads(event["detail"])["filter"] == query


def test_looking_at_a_cell_is_logged_for_each_filter(city: Lapwing, run: Run) -> None:
    client = client_of(city, Role.ANALYST)
    cell = h3cells.cell_text(city.store.runs.statistics(SCOPE, run.run_id)["cell"].head(1))[0]
    for query in ("", "?weekday=fri", "?weekday=fri", "?weekday=sat"):
        assert client.get(f"/runs/{run.run_id}/cells/{cell}/panel{query}").status_code == 200
    seen = [e["subject"] for e in city.store.audit.events(SCOPE) if f"/cells/{cell}" in e["subject"]]
    assert [re.sub(r".*/cells/\w+", "", one) for one in seen] == ["", "?weekday=fri", "?weekday=sat"]


def test_the_log_says_that_a_file_was_filtered(city: Lapwing, run: Run, tmp_path: Path) -> None:
    view = View(hours=(18, 2))
    wanted = ExportRequest(layer=Layer.CELLS, format="csv", profile=Profile.OPERATIONAL, purpose="x", view=view)
    export_file(city.store, SCOPE, run, wanted, tmp_path / "a.csv", now_us=NOW_US)
    event = city.store.audit.events(SCOPE)[-1]
    assert (event["verb"], json.loads(event["detail"])["filter"]) == ("disclosure", "hours=18-2")


def test_a_filter_by_agency_is_saved_by_analysts_only(city: Lapwing, run: Run) -> None:
    form = {"name": "Ours", "query": View(agencies=("Haven Council",)).query()}
    assert client_of(city, Role.COORDINATOR).post(f"/runs/{run.run_id}/views", data=form).status_code == 403
    assert client_of(city, Role.ANALYST).post(f"/runs/{run.run_id}/views", data=form).status_code == 302
