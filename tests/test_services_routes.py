"""Routes and linked places: what three vehicles share is told, and what fewer share nowhere."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from app.services.analysis import run_dict
from app.services.exporting import ExportRequest, export_file
from app.services.layers import released_layer
from app.wiring import Lapwing
from data.export.geojson import write_geojson as geojson_bytes
from geo.errors import DisclosureError
from geo.model import Layer, Profile
from tests.besides import (
    BESIDES,
    BLOCK,
    FORMATS,
    SOUTH,
    WEST,
    at_places,
    drive,
    fresh,
    links_json,
    mark,
    no_sighting_in,
    routes_json,
    seen_by,
    town,
)
from tests.conftest import NOW_US
from tests.files import load, write_geojson
from tests.runs import SCOPE


def test_six_vehicles_on_one_road_are_a_route_and_link_the_places_at_its_ends(lapwing: Lapwing, tmp_path: Path) -> None:
    run = town(lapwing, tmp_path, seen_by(6))
    route = routes_json(lapwing, run)[0]
    assert (route["vehicles"], route["kind"], route["name"]) == (6, "driven", "Road 2 and Lane 5")
    assert run_dict(run)["routes"] == 1
    (link,) = links_json(lapwing, run)
    assert {link["first_name"], link["second_name"]} == {"Park 0", "Park 1"}
    assert link["vehicles"] == 6
    for layer in BESIDES:
        assert len(released_layer(lapwing.store, SCOPE, run, layer, Profile.OPERATIONAL)) == 1
    for layer in BESIDES:
        for profile in (Profile.PARTNER, Profile.PUBLIC):
            for name in FORMATS:
                request = ExportRequest(layer=layer, format=name, profile=profile, purpose="review")
                with pytest.raises(DisclosureError, match="operational audience only"):
                    export_file(lapwing.store, SCOPE, run, request, tmp_path / f"no.{name}", now_us=NOW_US)
                assert not (tmp_path / f"no.{name}").exists()


@pytest.mark.parametrize("with_roads", [True, False], ids=["roads", "no roads"])
@pytest.mark.parametrize("vehicles", [1, 2])
def test_one_or_two_vehicles_are_nowhere_however_often_they_drive(
    embedded: Lapwing, tmp_path: Path, vehicles: int, with_roads: bool
) -> None:
    rows = [row for vehicle in range(vehicles) for day in range(1, 25) for row in drive(vehicle, day)]
    rows += [row for vehicle in range(vehicles) for day in range(1, 25) for row in at_places(vehicle, day)]
    run = town(embedded, tmp_path, rows, with_roads=with_roads)
    assert run.summary["sightings"]["sightings"] > 0
    assert routes_json(embedded, run) == []
    assert all(link["vehicles"] == link["prism_vehicles"] == 0 for link in links_json(embedded, run))
    assert len(released_layer(embedded.store, SCOPE, run, Layer.ROUTES, Profile.OPERATIONAL)) == 0


@pytest.mark.parametrize("vehicles", [2, 3, 5])
def test_a_dense_track_without_roads_needs_three_vehicles_too(embedded: Lapwing, tmp_path: Path, vehicles: int) -> None:
    rows = []
    for vehicle in range(vehicles):
        rng = np.random.default_rng(vehicle)
        for i in range(60):
            lon, lat = WEST + 0.0002 * i + rng.normal(0, 3e-5), SOUTH + rng.normal(0, 3e-5)
            rows.append(
                [
                    f"2026-04-{vehicle + 1:02d}T20:{i // 2:02d}:{30 * (i % 2):02d}Z",
                    round(lon, 6),
                    round(lat, 6),
                    mark(vehicle),
                    10,
                ]
            )
    run = town(embedded, tmp_path, rows, with_roads=False)
    routes = embedded.store.runs.routes(SCOPE, run.run_id)
    assert len(routes) == (1 if vehicles >= 3 else 0)
    assert all(3 <= route.vehicles <= vehicles for route in routes)
    assert no_sighting_in(rows, [route.geometry for route in routes])


@pytest.mark.parametrize("seed", range(4))
def test_no_route_or_link_of_fewer_than_three_vehicles_leaves_in_any_way(tmp_path: Path, seed: int) -> None:
    """Two roads far apart, each driven by one to seven vehicles, some of them daily; only what three or more share is told."""
    rng = np.random.default_rng(seed)
    app = fresh(tmp_path / "home")
    rows: list[list[Any]] = []
    drivers = {2: int(rng.integers(1, 8)), 8: 2 if seed % 2 else int(rng.integers(5, 8))}
    for road, count in drivers.items():
        for vehicle in range(count):
            for day in range(1, 2 + int(rng.integers(0, 3))):
                rows += drive(10 * road + vehicle, day + 3 * (vehicle % 7), road=road, jitter=seed)
    run = town(app, tmp_path, rows)
    for route in app.store.runs.routes(SCOPE, run.run_id):
        assert route.vehicles >= 3
        for road, count in drivers.items():
            lat = SOUTH + road * BLOCK
            area = shapely.box(WEST - BLOCK, lat - BLOCK / 2, WEST + 6 * BLOCK, lat + 3.5 * BLOCK)
            assert count >= route.vehicles or not shapely.intersects(route.geometry, area)
    for link in links_json(app, run):
        assert link["vehicles"] == 0 or link["vehicles"] >= 3
        assert link["prism_vehicles"] == 0 or link["prism_vehicles"] >= 3
    for layer in BESIDES:
        features = json.loads(geojson_bytes(released_layer(app.store, SCOPE, run, layer, Profile.OPERATIONAL)))[
            "features"
        ]
        for feature in features:
            count = feature["properties"]["vehicles"]
            assert count >= 3 or (layer is Layer.NETWORK and count == 0)
    assert no_sighting_in(rows, [route.geometry for route in app.store.runs.routes(SCOPE, run.run_id)])
    app.database.close()


def test_sightings_at_a_protected_place_make_no_route_or_link_there(lapwing: Lapwing, tmp_path: Path) -> None:
    point = {"type": "Point", "coordinates": [WEST + BLOCK, SOUTH + 2 * BLOCK]}
    load(lapwing, write_geojson(tmp_path / "r.geojson", [({"name": "R"}, point)]), "protected")
    run = town(lapwing, tmp_path, seen_by(6))
    assert links_json(lapwing, run) == []
    assert [place.name for place in lapwing.store.runs.places(SCOPE, run.run_id)] == ["Park 1"]


def test_rows_in_another_order_give_the_same_routes_and_links(tmp_path: Path) -> None:
    found = []
    for seed in range(2):
        app, folder = fresh(tmp_path / f"home{seed}"), tmp_path / f"files{seed}"
        folder.mkdir()
        rows = seen_by(5)
        run = town(app, folder, [rows[i] for i in np.random.default_rng(seed).permutation(len(rows))])
        routes = app.store.runs.routes(SCOPE, run.run_id)
        found.append(
            (
                [(r.route_id, r.vehicles, r.confidence, r.evidence) for r in routes],
                [link["q_value"] for link in links_json(app, run)],
            )
        )
        app.database.close()
    assert found[0] == found[1]
    assert found[0][0]
