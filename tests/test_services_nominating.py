"""Places that people name: beside the ranking, for operations only, known again, and refused where they are none."""

from pathlib import Path
from typing import Any

import pytest
import shapely

from app.services import places
from app.services.exporting import ExportRequest, export_file
from app.services.layers import released_layer
from app.services.nominated import nominated_place, nominated_places
from app.wiring import Lapwing
from geo.errors import Conflict, DisclosureError, InvalidParameter
from geo.model import Layer, Profile, Verdict
from tests.conftest import NOW_US
from tests.deciding import LAYERS, WEST, decide, found, named, refuge_at, tasked, tasking
from tests.files import load, square, stack, write_csv
from tests.runs import SCOPE, run_of


def test_a_nominated_place_is_beside_the_ranking_and_waits(worked: Lapwing) -> None:
    run = run_of(worked)
    ranked = places.list_places(worked.store, SCOPE, run.run_id)
    one = named(worked)
    assert places.list_places(worked.store, SCOPE, run.run_id) == ranked
    (listed,) = [place.as_dict() for place in nominated_places(worked.store, SCOPE, run)]
    assert (listed["place"], listed["basis"], listed["decision"]) == (one.place_id, "nominated", "waiting")
    layer = released_layer(worked.store, SCOPE, run, Layer.PLACES, Profile.OPERATIONAL)
    (told,) = layer.features[layer.features["place"] == one.place_id].to_dict("records")
    assert (told["basis"], told["records"], told["rank"]) == ("nominated", 0, None)
    assert tasked(worked, run) == []
    decide(worked, one.place_id, Verdict.ACCEPT)
    assert tasked(worked, run) == [one.place_id]
    (line,) = tasking(worked, run).accepted
    assert "No cluster of records stands behind it" in line.why
    decide(worked, one.place_id, Verdict.REJECT)
    assert tasked(worked, run) == []


@pytest.mark.parametrize("profile", [Profile.PARTNER, Profile.PUBLIC])
@pytest.mark.parametrize("format_name", ["geojson", "gpkg", "csv"])
def test_a_nominated_place_never_leaves_operations(
    worked: Lapwing, tmp_path: Path, profile: Profile, format_name: str
) -> None:
    run = run_of(worked)
    one = named(worked, name="Quokka Park")
    decide(worked, one.place_id, Verdict.ACCEPT)
    for layer in LAYERS:
        request = ExportRequest(layer=layer, format=format_name, profile=profile, purpose="review")
        path = tmp_path / f"{layer}.{format_name}"
        try:
            export_file(worked.store, SCOPE, run, request, path, now_us=NOW_US)
        except DisclosureError:
            continue
        content = path.read_bytes()
        assert b"Quokka" not in content
        assert one.place_id.encode() not in content


@pytest.mark.parametrize("profile", [Profile.PARTNER, Profile.PUBLIC])
def test_routes_network_and_tasking_are_for_operations_only(worked: Lapwing, profile: Profile) -> None:
    run = run_of(worked)
    for layer in (Layer.ROUTES, Layer.NETWORK, Layer.TASKING):
        with pytest.raises(DisclosureError):
            released_layer(worked.store, SCOPE, run, layer, profile)


def test_a_nominated_place_is_known_again_when_records_gather_there(worked: Lapwing, tmp_path: Path) -> None:
    one = named(worked, geometry=f"{WEST[0]},{WEST[1]}")
    decide(worked, one.place_id, Verdict.ACCEPT)
    load(worked, write_csv(tmp_path / "w.csv", stack([(*WEST, 7)], date="2024-04-{:02d}")))
    run = run_of(worked)
    assert found(worked, run)[7].place_id == one.place_id
    assert tasked(worked, run) == [one.place_id]
    assert nominated_places(worked.store, SCOPE, run) == []
    layer = released_layer(worked.store, SCOPE, run, Layer.PLACES, Profile.OPERATIONAL)
    assert layer.features["place"].tolist().count(one.place_id) == 1


def test_the_name_and_source_of_a_nominated_place_are_kept_when_records_gather_there(
    worked: Lapwing, tmp_path: Path
) -> None:
    one = named(worked, geometry=f"{WEST[0]},{WEST[1]}", name="Quokka Park", source="the council")
    load(worked, write_csv(tmp_path / "w.csv", stack([(*WEST, 7)], date="2024-04-{:02d}")))
    run = run_of(worked)
    (listed,) = [p for p in places.list_places(worked.store, SCOPE, run.run_id) if p["place"] == one.place_id]
    assert listed["name"] == "Quokka Park"


def test_a_polygon_is_known_again_by_its_cells(worked: Lapwing, tmp_path: Path) -> None:
    park = shapely.to_wkt(shapely.geometry.shape(square(WEST[0] - 0.001, WEST[1] - 0.001, 0.002)))
    one = named(worked, geometry=park)
    load(worked, write_csv(tmp_path / "w.csv", stack([(*WEST, 7)], date="2024-04-{:02d}")))
    assert found(worked, run_of(worked))[7].place_id == one.place_id


def test_a_nominated_place_that_is_merged_is_explained_by_where_it_went(worked: Lapwing) -> None:
    into = found(worked, run_of(worked))[12].place_id
    one = named(worked)
    decide(worked, one.place_id, Verdict.MERGE, into=into)
    assert nominated_places(worked.store, SCOPE) == []
    told = nominated_place(worked.store, SCOPE, one.place_id)
    assert told is not None
    assert told.standing.merged_into == into


def test_a_nominated_place_that_nothing_found_is_not_split_but_its_parts_are_added(worked: Lapwing) -> None:
    run_of(worked)
    one = named(worked)
    with pytest.raises(Conflict, match="place add"):
        decide(worked, one.place_id, Verdict.SPLIT, at=[(-2.20, 51.42), (-2.199, 51.42)])


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"kind": "castle"}, "Unknown kind"), ({"geometry": "51.38,-2.36,1"}, "LON,LAT"), ({"geometry": "POINT (x)"}, "not WKT"),
        ({"geometry": "POINT EMPTY"}, "one point"), ({"geometry": "200,51"}, "longitude"), ({"geometry": "-2,nan"}, "longitude"),
        ({"geometry": "0,0"}, "outside"), ({"reason": " "}, "Say why"),
        ({"geometry": shapely.to_wkt(shapely.geometry.shape(square(-2.4, 51.3, 0.1)))}, "at most 5 km2"),
        ({"geometry": "POLYGON ((-2.36 51.38, -2.35 51.39, -2.35 51.38, -2.36 51.39, -2.36 51.38))"}, "not valid"),
    ],
)  # fmt: skip
def test_a_nomination_that_is_no_place_is_refused(worked: Lapwing, told: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidParameter, match=said):
        named(worked, **told)
    assert worked.store.places.nominations(SCOPE) == []


@pytest.mark.parametrize(
    "geometry", ["CIRCULARSTRING (-2.36 51.38, -2.35 51.39, -2.34 51.38)", "POLYGON ((0 0, 1 0, 1 1, 0 1, 0 0))"]
)
def test_a_shape_that_cannot_be_used_is_refused_in_plain_words(worked: Lapwing, geometry: str) -> None:
    with pytest.raises(InvalidParameter, match="--geometry"):
        named(worked, geometry=geometry)


@pytest.mark.parametrize("geometry", ["LINESTRING (-5 50, 1 55)", "MULTIPOINT ((-5 50), (1 55))"])
def test_a_place_does_not_reach_across_the_country(worked: Lapwing, geometry: str) -> None:
    with pytest.raises(InvalidParameter, match="--geometry"):
        named(worked, geometry=geometry)


def test_a_protected_place_is_not_nominated_and_later_one_hides_it(worked: Lapwing, tmp_path: Path) -> None:
    refuge_at(worked, tmp_path, -2.20, 51.42)
    for geometry in ("-2.20,51.42", "-2.2003,51.42", "LINESTRING (-2.21 51.42, -2.19 51.42)"):
        with pytest.raises(InvalidParameter, match="cannot be used"):
            named(worked, geometry=geometry)


def test_a_place_nominated_where_a_refuge_is_declared_later_is_not_listed_or_tasked(
    worked: Lapwing, tmp_path: Path
) -> None:
    run = run_of(worked)
    one = named(worked)
    decide(worked, one.place_id, Verdict.ACCEPT)
    refuge_at(worked, tmp_path, -2.20, 51.42)
    run = run_of(worked)
    assert nominated_places(worked.store, SCOPE, run) == []
    assert tasked(worked, run) == []
