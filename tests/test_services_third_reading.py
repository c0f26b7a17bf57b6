"""What a second reader of places, routes and links found: each fault once, so that it stays mended."""

import numpy as np
import pandas as pd
import pytest
import shapely

from app.services import analysis
from app.services.analysis import analyse
from app.services.deciding import Change, change_place
from app.services.layers import released_layer
from app.services.linking import AT_PLACE_M, _visits
from app.services.nominating import nominate
from app.services.route_layers import link_words, route_words
from app.services.routing import Sightings
from app.services.tasking import accepted_places
from app.wiring import Lapwing
from geo.attribution import Stated, attribute, odds
from geo.attribution_check import plant
from geo.disclosure import MARKING
from geo.errors import InvalidParameter
from geo.fields import MAX_TEXT
from geo.given_geometry import read_geometry
from geo.identity import match_places, next_footprint
from geo.model import Layer, Profile, Scope, Verdict
from geo.outcome import Link, Route
from geo.parameters import AnalysisParameters
from geo.place_kinds import place_kind
from geo.reference import Reference
from geo.whole_shapes import without_empty_parts
from tests.factories import NOW_US, make_reference
from tests.files import load, stack, write_csv, write_geojson

SCOPE = Scope()


# --- geometry that kills ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("MULTIPOINT (EMPTY, (-2.3 51.4))", "MULTIPOINT ((-2.3 51.4))"),
        ("MULTILINESTRING (EMPTY, (-2.3 51.4, -2.31 51.4))", "MULTILINESTRING ((-2.3 51.4, -2.31 51.4))"),
        ("POLYGON ((0 0, 1 0, 1 1, 0 0), EMPTY)", "POLYGON ((0 0, 1 0, 1 1, 0 0))"),
        ("MULTIPOLYGON (EMPTY, ((0 0, 1 0, 1 1, 0 0)))", "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)))"),
        ("POINT (1 2)", "POINT (1 2)"),
    ],
)
def test_empty_parts_are_left_out(text, whole):
    (found,) = without_empty_parts(np.array([shapely.from_wkt(text)], object))
    assert found.wkt == whole
    shapely.segmentize(found, 0.5)  # which a part without coordinates does not survive
    assert read_geometry(whole) == shapely.from_wkt(whole)


def test_a_nominated_shape_with_an_empty_part_is_taken_without_it(embedded: Lapwing):
    told = {"name": "Common", "kind": "park", "reason": "known", "source": "Council", "now_us": NOW_US}
    place = nominate(embedded.store, SCOPE, geometry="MULTIPOINT (EMPTY, (-2.3 51.4))", **told)
    assert len(shapely.get_parts(place.geometry)) == 1


@pytest.mark.parametrize("kind", ["parks", "roads"])
def test_an_imported_shape_with_an_empty_part_stops_no_analysis(embedded: Lapwing, tmp_path, kind):
    ring = [[-2.36, 51.38], [-2.35, 51.38], [-2.35, 51.39], [-2.36, 51.38]]
    parts = {"parks": ("MultiPolygon", [[], [ring]]), "roads": ("MultiLineString", [[], ring])}
    shape = dict(zip(("type", "coordinates"), parts[kind], strict=True))
    load(embedded, write_geojson(tmp_path / "f.geojson", [({"name": "Odd"}, shape)]), kind)
    load(embedded, write_csv(tmp_path / "a.csv", stack([(-2.355, 51.385, 8)])))
    run = analyse(embedded.store, SCOPE, AnalysisParameters(), seed=0, now_us=NOW_US)
    assert run.summary["places"] == 1


# --- a refuge does not give its neighbours away -----------------------------------------------------------------------


def houses(nameable=None):
    shapes = np.array([shapely.box(x, 0, x + 8, 7) for x in (0, 11, 140)], object)
    columns = [np.array(one, object) for one in (["buildings"] * 3, ["house"] * 3, ["1", "2", "3"])]
    return Reference.of(shapes, *columns, nameable=None if nameable is None else np.array(nameable))


def test_what_may_not_be_named_keeps_its_odds_and_its_place_in_the_row():
    at = Stated(np.full((9, 2), 4.0), np.full(9, 20.0), np.zeros(9, bool))
    every, hidden = (
        attribute(at, np.ones(9), np.zeros(9, np.int64), one)[0] for one in (houses(), houses([True, False, True]))
    )
    assert (every.kind, hidden.kind) == ("unattributed", "unattributed")
    finely = Stated(np.array([[15.0, 3.0]]), np.array([4.0]), np.zeros(1, bool))
    seen, unseen = odds(finely, houses()), odds(finely, houses([True, False, True]))
    assert seen.probability[0] > 0.9
    assert 1 not in unseen.entity
    assert unseen.unattributed[0] > 0.9


@pytest.mark.parametrize("subtype", ["flat", "HMO", "bedsit", "Semi-detached house"])
def test_a_home_among_the_premises_is_a_home(subtype):
    assert place_kind("premises", subtype) == "house"
    assert place_kind("premises", "guest house") == "hotel"
    row = [(shapely.box(x, 0, x + 8, 7), "premises", subtype, str(x)) for x in range(0, 100, 10)]
    reference = make_reference(*row)
    assert reference.spacing_m.tolist() == [10.0] * 10
    coarse = Stated(np.array([[4.0, 3.0]]), np.array([40.0]), np.zeros(1, bool))
    assert not len(odds(coarse, reference).entity)


# --- identity ---------------------------------------------------------------------------------------------------------


def test_a_cluster_somewhere_in_a_nominated_outline_does_not_take_its_acceptance(embedded: Lapwing, tmp_path):
    told = {"name": "Common", "kind": "park", "reason": "known", "source": "Council", "now_us": NOW_US}
    outline = shapely.box(-2.372, 51.372, -2.348, 51.388).wkt
    one = nominate(embedded.store, SCOPE, geometry=outline, **told)
    change_place(embedded.store, SCOPE, one.place_id, Change(verdict=Verdict.ACCEPT, reason="known"), now_us=NOW_US)
    load(embedded, write_csv(tmp_path / "a.csv", stack([(-2.369, 51.374, 9), (-2.351, 51.386, 8)])))
    run = analyse(embedded.store, SCOPE, AnalysisParameters(), seed=0, now_us=NOW_US)
    listed = accepted_places(embedded.store, SCOPE, run)
    assert [(task.place.place_id, task.place.basis) for task in listed.accepted] == [(one.place_id, "nominated")]
    assert listed.waiting == 2


def test_a_small_place_may_grow_by_its_neighbours_and_drift():
    from geo.cells import disks, index_points

    start = index_points(np.array([-2.36]), np.array([51.38]), 11)
    known, at = tuple(start.tolist()), start
    for _ in range(4):
        ring = disks(at, 1)
        found = tuple(ring[:3].tolist())
        assert next_footprint(known, found) == found or set(found) <= set(known) | set(ring.tolist())
        known = next_footprint(known, found)
        assert match_places([found], {"a": known}, org_id="o", run_id="r") == ["a"]
        at = np.asarray(known[:1], np.int64)


def test_a_decision_made_while_an_analysis_runs_is_not_in_it(embedded: Lapwing, tmp_path):
    load(embedded, write_csv(tmp_path / "a.csv", stack([(-2.36, 51.38, 9), (-2.30, 51.40, 7)])))
    first = analyse(embedded.store, SCOPE, AnalysisParameters(), seed=0, now_us=NOW_US)
    one, other = embedded.store.runs.places(SCOPE, first.run_id)
    merge = Change(verdict=Verdict.MERGE, reason="one place", into=other.place_id)

    def decide_meanwhile(step: str) -> None:
        if step == "Naming places":
            change_place(embedded.store, SCOPE, one.place_id, merge, now_us=NOW_US)

    during = analyse(embedded.store, SCOPE, AnalysisParameters(), seed=1, now_us=NOW_US, progress=decide_meanwhile)
    assert len(embedded.store.runs.places(SCOPE, during.run_id)) == 2
    after = analyse(embedded.store, SCOPE, AnalysisParameters(), seed=1, now_us=NOW_US)
    assert after.run_id != during.run_id
    assert len(embedded.store.runs.places(SCOPE, after.run_id)) == 1


# --- links and words --------------------------------------------------------------------------------------------------


def test_long_names_break_no_layer():
    told = {
        "vehicles": 12, "vehicles_expected": 10.25, "report_pairs": 12345, "reports_expected": 12000.5, "prism_vehicles": 14, "q_value": 0.00001,
        "length_m": 900, "width_m": 100, "trips": 40, "roads": ["A very long name of a road indeed " * 3] * 3,
    }  # fmt: skip
    name = "The long and winding name of a place that nobody can remember (a park or green space) " * 3
    link = Link(first_place="a", second_place="b", significant=True, evidence=told)
    assert len(link_words(link, name, name)) <= MAX_TEXT
    route = Route(
        route_id="r",
        rank=1,
        kind="on_foot",
        name=name,
        vehicles=5,
        confidence=0.9,
        geometry=shapely.Point(),
        evidence=told,
    )
    assert len(route_words(route)) <= MAX_TEXT


def test_a_sighting_is_at_the_nearest_place_and_a_vague_one_at_none():
    outlines = np.array([shapely.box(0, 0, 50, 50), shapely.box(60, 0, 110, 50)], object)
    frame = pd.DataFrame(
        {"x_m": [53.0, 57.0, 53.0, 300.0], "y_m": 20.0, "precision_m": [10.0, 10.0, 500.0, 10.0], "vehicle_hash": ["a", "b", "c", "d"],
         "from_us": 0, "to_us": 1}
    )  # fmt: skip
    visits = _visits(Sightings(frame, None), outlines)
    assert visits[["place", "actor"]].values.tolist() == [[0, 0], [1, 1]]
    assert AT_PLACE_M >= 10


def test_the_words_of_a_nomination_leave_without_its_source(embedded: Lapwing, tmp_path):
    told = {"name": "Common", "kind": "park", "reason": "known", "source": "Quokka Outreach", "now_us": NOW_US}
    nominate(embedded.store, SCOPE, geometry="-2.3,51.4", **told)
    load(embedded, write_csv(tmp_path / "a.csv", stack([(-2.36, 51.38, 9)])))
    run = analyse(embedded.store, SCOPE, AnalysisParameters(), seed=0, now_us=NOW_US)
    layer = released_layer(embedded.store, SCOPE, run, Layer.PLACES, Profile.OPERATIONAL)
    assert "nominated" in layer.features["basis"].tolist()
    assert not layer.features.astype(str).apply(lambda column: column.str.contains("Quokka")).any().any()
    assert layer.metadata["marking"].startswith(MARKING)


def test_the_summary_that_is_told_holds_no_single_report_and_no_facility(embedded: Lapwing, tmp_path):
    load(embedded, write_csv(tmp_path / "a.csv", stack([(-2.36, 51.38, 9)])))
    run = analyse(embedded.store, SCOPE, AnalysisParameters(), seed=0, now_us=NOW_US)
    told = analysis.run_dict(run)
    assert {"needs_decision", "network", "facilities"}.isdisjoint(told)
    embedded.store.retention.drop_layers(SCOPE, run.run_id, NOW_US)
    left = embedded.store.runs.get(SCOPE, run.run_id).summary
    assert {"needs_decision", "network", "facilities"}.isdisjoint(left)


def test_a_position_at_a_protected_place_is_refused_without_saying_why(embedded: Lapwing, tmp_path):
    load(
        embedded,
        write_geojson(tmp_path / "p.geojson", [({"name": "Refuge"}, {"type": "Point", "coordinates": [-2.3, 51.4]})]),
        "protected",
    )
    told = {"name": "Common", "kind": "park", "reason": "known", "source": "Council", "now_us": NOW_US}
    with pytest.raises(InvalidParameter, match="cannot be used") as refused:
        nominate(embedded.store, SCOPE, geometry="-2.3002,51.4", **told)
    assert "protected" not in str(refused.value)


def test_planting_is_even_over_what_may_not_be_named_too():
    planted = plant(houses([True, False, True]), 300, precision_m=1.0, seed=1)
    assert set(planted.entity.tolist()) >= {0, 1, 2}
