"""Single reports of weight, facilities, routes and linked places: what is told, and what nobody may ever see."""

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from app.services.analysis import analyse, run_dict
from app.services.exporting import ExportRequest, export_file
from app.services.layers import released_layer
from app.services.purging import purge
from app.services.route_layers import link_dict, places_of, route_dict
from app.settings import Settings
from app.wiring import Lapwing
from data.export.geojson import write_geojson as geojson_bytes
from geo.errors import DisclosureError
from geo.model import Layer, Profile, RecordKind, Run, Scope
from geo.parameters import AnalysisParameters
from geo.retention import DAY_US
from tests.conftest import NOW_US
from tests.files import TERMS, command, load, square, stack, write_csv, write_geojson

SCOPE = Scope(actor="test")
LATER = replace(TERMS, now_us=NOW_US + 800 * DAY_US)
BESIDES = (Layer.ROUTES, Layer.NETWORK)
FORMATS = ("geojson", "gpkg", "csv")
GRADED = ("id", "date", "longitude", "latitude", "kind", "agency", "source_grade", "information_grade", "handling")
SEEN = ("date", "longitude", "latitude", "registration", "precision_m")
WEST, SOUTH, BLOCK, BLOCKS = -2.40, 51.36, 0.005, 12  # a town in blocks of some 350 x 550 m


def run_of(app: Lapwing, **told: Any) -> Run:
    return analyse(app.store, SCOPE, AnalysisParameters(**{"simulations": 19} | told), seed=0, now_us=NOW_US)


def graded(number: int, lon: float, lat: float, grade: str, *, agency: str = "Haven Council") -> list[Any]:
    return [number, f"2024-03-{number % 28 + 1:02d}", lon, lat, "x", agency, grade[0], grade[1], "C"]


def single(run: Run) -> list[dict[str, Any]]:
    return list(run.summary["needs_decision"])


# --- single reports ---------------------------------------------------------------------------------------------------

LONELY = {"1A": (-2.10, 51.30), "1B": (-2.12, 51.31), "1C": (-2.14, 51.32), "2A": (-2.16, 51.33), "3E": (-2.18, 51.34)}


def test_single_reports_of_high_grade_are_listed_once_and_no_others(lapwing: Lapwing, tmp_path: Path) -> None:
    rows = [graded(i, lon, lat, grade) for i, (grade, (lon, lat)) in enumerate(LONELY.items())]
    rows += [graded(10 + i, -2.36, 51.38, "1A") for i in range(7)]
    load(lapwing, write_csv(tmp_path / "a.csv", rows, GRADED))
    run = run_of(lapwing)
    assert run.summary["places"] == 1
    assert sorted(one["grade"] for one in single(run)) == ["1A", "1B"]
    assert len({one["record"] for one in single(run)}) == 2
    behind = {
        bytes(key).hex()
        for place in lapwing.store.runs.places(SCOPE, run.run_id)
        for key in lapwing.store.runs.place_records(SCOPE, run.run_id, place.place_id)["record_key"]
    }
    assert behind.isdisjoint(one["record"] for one in single(run))


def test_a_single_report_is_told_by_its_cell_and_not_its_position(embedded: Lapwing, tmp_path: Path) -> None:
    load(embedded, write_csv(tmp_path / "a.csv", [graded(1, -2.1037, 51.3041, "1A")], GRADED))
    (one,) = single(run_of(embedded))
    assert (one["lon"], one["lat"]) != (-2.1037, 51.3041)
    assert abs(one["lon"] + 2.1037) < 0.002
    assert abs(one["lat"] - 51.3041) < 0.001
    assert (one["day"], one["agency"]) == ("2024-03-02", "Haven Council")


def test_a_single_report_at_a_protected_place_is_never_listed(lapwing: Lapwing, tmp_path: Path) -> None:
    rows = [graded(i, lon, lat, grade) for i, (grade, (lon, lat)) in enumerate(LONELY.items())]
    load(lapwing, write_csv(tmp_path / "a.csv", rows, GRADED))
    before = run_of(lapwing)
    lon, lat = LONELY["1A"]
    point = {"type": "Point", "coordinates": [lon + 0.0005, lat]}
    load(lapwing, write_geojson(tmp_path / "r.geojson", [({"name": "R"}, point)]), "protected")
    after = run_of(lapwing)
    assert [one["grade"] for one in single(after)] == ["1B"]
    load(lapwing, write_csv(tmp_path / "b.csv", [graded(50, lon, lat, "1A")], GRADED))
    assert [one["grade"] for one in single(run_of(lapwing))] == ["1B"]
    held = lapwing.store.runs.get(SCOPE, before.run_id)
    assert all(one["grade"] != "1A" for one in held.summary.get("needs_decision", []))


def test_one_event_that_two_agencies_tell_of_is_one_line_of_the_higher_grade(embedded: Lapwing, tmp_path: Path) -> None:
    """Whichever of the reports stands for the event, that one of them is of high grade is not lost."""
    header = (*GRADED, "time")
    for number, (agency, grade) in enumerate((("Haven Council", "3E"), ("Haven Police", "1A"))):
        line = [*graded(1, -2.10, 51.30, grade, agency=agency), "21:00"]
        load(embedded, write_csv(tmp_path / f"{number}.csv", [line], header), source=agency)
    run = run_of(embedded)
    assert run.summary["counted_once"] == 1
    assert [one["grade"] for one in single(run)] == ["1A"]


def test_one_report_never_names_a_home(embedded: Lapwing, tmp_path: Path) -> None:
    load(embedded, write_csv(tmp_path / "a.csv", [graded(1, -2.10, 51.30, "1A")], GRADED))
    house = ({"name": "12 Quokka Road", "type": "house"}, square(-2.10005, 51.29995, 0.0001))
    load(embedded, write_geojson(tmp_path / "h.geojson", [house]), "buildings")
    run = run_of(embedded)
    assert [one["name"] for one in single(run)] == [None]
    assert "Quokka" not in json.dumps(run.summary)


@pytest.mark.parametrize("profile", [Profile.PARTNER, Profile.PUBLIC])
def test_a_single_report_is_in_no_layer_of_others(embedded: Lapwing, tmp_path: Path, profile: Profile) -> None:
    load(embedded, write_csv(tmp_path / "a.csv", [graded(1, -2.10, 51.30, "1A")], GRADED))
    run = run_of(embedded)
    for layer in (Layer.CELLS, Layer.PLACES):
        assert len(released_layer(embedded.store, SCOPE, run, layer, profile)) == 0


# --- facilities -------------------------------------------------------------------------------------------------------


def facility_city(app: Lapwing, folder: Path) -> None:
    """Five takeaways with 9, 4, 0, 0 and 0 records, two parks with 6 and 0, and a home with 8."""
    shops = [(-2.36 + 0.01 * i, 51.38) for i in range(5)]
    spots = [(*shops[0], 9), (*shops[1], 4), (-2.34, 51.405, 6), (-2.36, 51.42, 8)]
    load(app, write_csv(folder / "a.csv", stack(spots)))
    points = [
        ({"name": f"Takeaway {i}", "kind": "takeaway"}, square(lon - 0.0001, lat - 0.0001, 0.0002))
        for i, (lon, lat) in enumerate(shops)
    ]
    load(app, write_geojson(folder / "s.geojson", points), "premises")
    parks = [({"name": f"Park {i}"}, square(-2.341 + 0.02 * i, 51.404, 0.002)) for i in range(2)]
    load(app, write_geojson(folder / "p.geojson", parks), "parks")
    home = [({"name": "1 Quokka Road", "kind": "house"}, square(-2.36005, 51.41995, 0.0001))]
    load(app, write_geojson(folder / "h.geojson", home), "buildings")
    load(app, write_geojson(folder / "b.geojson", [({"name": "Town"}, square(-2.40, 51.36, 0.1))]), "boundary")


def test_facilities_are_counted_exactly_and_homes_never_compared(lapwing: Lapwing, tmp_path: Path) -> None:
    facility_city(lapwing, tmp_path)
    run = run_of(lapwing, area="Town")
    found = lapwing.store.runs.facilities(SCOPE, run.run_id)
    assert {(one.kind, one.name): one.records for one in found} == {
        ("takeaway", "Takeaway 0"): 9, ("takeaway", "Takeaway 1"): 4, ("park", "Park 0"): 6,
    }  # fmt: skip
    kinds = run.summary["facilities"]
    assert set(kinds) == {"park", "takeaway"}
    assert {name: (told["facilities"], told["records"]) for name, told in kinds.items()} == {
        "park": (2, 6),
        "takeaway": (5, 13),
    }
    assert kinds["takeaway"]["hold_80_percent"] == 2
    assert "Quokka" not in json.dumps([kinds, *(vars(one) | {"feature_key": ""} for one in found)], default=str)
    expected = {one.name: one.evidence["expected"] for one in found}
    # Against its own kind: the mean of the four others, since places of a kind are alike without a reason.
    assert expected["Takeaway 0"] == pytest.approx(4 / 4, rel=1e-6) or expected["Takeaway 0"] == pytest.approx(13 / 5)


# --- a town with roads and vehicles -----------------------------------------------------------------------------------


def fresh(folder: Path, store: str = "sqlite:///lapwing.db") -> Lapwing:
    folder.mkdir(exist_ok=True)
    app = Lapwing(Settings(home=folder, store=store), clock=lambda: NOW_US)
    app.migrate(None)
    return app


def roads(folder: Path) -> Path:
    lines, end = [], BLOCKS * BLOCK
    for i in range(BLOCKS + 1):
        lon, lat = WEST + i * BLOCK, SOUTH + i * BLOCK
        lines.append(({"name": f"Lane {i}"}, {"type": "LineString", "coordinates": [[lon, SOUTH], [lon, SOUTH + end]]}))
        lines.append(({"name": f"Road {i}"}, {"type": "LineString", "coordinates": [[WEST, lat], [WEST + end, lat]]}))
    return write_geojson(folder / "roads.geojson", lines)


def drive(vehicle: int, day: int, *, road: int = 2, jitter: int = 0) -> list[list[Any]]:
    """Five sightings three minutes apart of a vehicle that drives east along a road and turns into the last lane."""
    rng = np.random.default_rng([vehicle, day, jitter])
    corner = (WEST + 5 * BLOCK, SOUTH + road * BLOCK)
    way = shapely.LineString([(WEST, corner[1]), corner, (corner[0], corner[1] + 3 * BLOCK)])
    share = (np.arange(5) + rng.uniform(0.1, 0.9, 5)) / 5
    at = shapely.get_coordinates(shapely.line_interpolate_point(way, share, normalized=True)) + rng.uniform(
        2e-5, 6e-5, (5, 2)
    )
    return [
        [f"2026-04-{day:02d}T20:{3 * i:02d}:00Z", round(lon, 6), round(lat, 6), mark(vehicle), 10]
        for i, (lon, lat) in enumerate(at.tolist())
    ]


def mark(vehicle: int) -> str:
    return f"QX{vehicle:02d} ZZK"


def at_places(vehicle: int, day: int) -> list[list[Any]]:
    """One vehicle at both ends of the road within an hour."""
    ends = (WEST + BLOCK, WEST + 4 * BLOCK)
    lat = SOUTH + 2 * BLOCK
    return [
        [f"2026-04-{day:02d}T21:{10 + 20 * i}:00Z", round(lon + 1e-5 * vehicle + 3e-6, 6), lat, mark(vehicle), 10]
        for i, lon in enumerate(ends)
    ]


def town(app: Lapwing, folder: Path, rows: list[list[Any]], *, with_roads: bool = True) -> Run:
    """Records at both ends of the road, parks round them, roads and these sightings; returns the analysis."""
    ends = [(WEST + BLOCK, SOUTH + 2 * BLOCK, 9), (WEST + 4 * BLOCK, SOUTH + 2 * BLOCK, 8)]
    load(app, write_csv(folder / "records.csv", stack(ends)))
    parks = [
        ({"name": f"Park {i}"}, square(lon - 0.0008, lat - 0.0008, 0.0016)) for i, (lon, lat, _) in enumerate(ends)
    ]
    load(app, write_geojson(folder / "parks.geojson", parks), "parks")
    if with_roads:
        load(app, roads(folder), "roads")
    load(app, write_csv(folder / "seen.csv", rows, SEEN), "sightings")
    return run_of(app, simulations=99)


def seen_by(vehicles: int, *, days: int = 1) -> list[list[Any]]:
    rows = [
        row for vehicle in range(vehicles) for day in range(1, days + 1) for row in drive(vehicle, day + vehicle % 5)
    ]
    return rows + [row for vehicle in range(vehicles) for row in at_places(vehicle, 10 + vehicle)]


def exports(app: Lapwing, run: Run, folder: Path) -> bytes:
    """Every layer in every format for operations, as bytes; the two besides must be allowed to operations only."""
    content = b""
    for layer in (Layer.CELLS, Layer.PLACES, *BESIDES, Layer.TASKING):
        for name in FORMATS:
            request = ExportRequest(layer=layer, format=name, profile=Profile.OPERATIONAL, purpose="review")
            path = folder / f"{layer}-{run.run_id}.{name}"
            export_file(app.store, SCOPE, run, request, path, now_us=NOW_US)
            content += path.read_bytes()
    return content


def routes_json(app: Lapwing, run: Run) -> list[dict[str, Any]]:
    return [route_dict(route) for route in app.store.runs.routes(SCOPE, run.run_id)]


def links_json(app: Lapwing, run: Run) -> list[dict[str, Any]]:
    named = places_of(app.store, SCOPE, run)
    return [link_dict(link, named) for link in app.store.runs.links(SCOPE, run.run_id)]


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


def no_sighting_in(rows: list[list[Any]], shapes: list[shapely.Geometry], *, digits: int = 6) -> bool:
    seen = {(round(row[1], digits), round(row[2], digits)) for row in rows}
    told = shapely.get_coordinates(shapes).round(digits).tolist() if shapes else []
    return seen.isdisjoint(map(tuple, told))


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


def test_no_registration_hash_or_sighting_is_in_any_export_log_or_answer(
    lapwing: Lapwing, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = seen_by(6)
    with caplog.at_level(logging.DEBUG):
        run = town(lapwing, tmp_path, rows)
        content = exports(lapwing, run, tmp_path)
    hashes = lapwing.store.evidence.records(SCOPE, [RecordKind.SIGHTINGS])["vehicle_hash"].unique()
    assert len(hashes) == 6
    told = "\n".join(
        [
            content.decode("utf-8", "replace"), json.dumps(run_dict(run)), json.dumps(routes_json(lapwing, run)),
            json.dumps(links_json(lapwing, run)), json.dumps(lapwing.store.audit.events(SCOPE), default=str), caplog.text,
        ]
    )  # fmt: skip
    for secret in [
        *hashes,
        *(hash_[:12] for hash_ in hashes),
        *(mark(v) for v in range(6)),
        *(mark(v).replace(" ", "") for v in range(6)),
    ]:
        assert secret not in told
    for lon, lat in ((str(row[1]), str(row[2])) for row in rows if len(str(row[2])) == len("51.123456")):
        assert lon not in told or lat not in told
    assert no_sighting_in(rows, [route.geometry for route in lapwing.store.runs.routes(SCOPE, run.run_id)])


def test_sightings_at_a_protected_place_make_no_route_or_link_there(lapwing: Lapwing, tmp_path: Path) -> None:
    point = {"type": "Point", "coordinates": [WEST + BLOCK, SOUTH + 2 * BLOCK]}
    load(lapwing, write_geojson(tmp_path / "r.geojson", [({"name": "R"}, point)]), "protected")
    run = town(lapwing, tmp_path, seen_by(6))
    assert links_json(lapwing, run) == []
    assert [place.name for place in lapwing.store.runs.places(SCOPE, run.run_id)] == ["Park 1"]


def test_both_stores_export_the_same_bytes(tmp_path: Path, postgis_url: str) -> None:
    found = []
    for name, store in (("lite", "sqlite:///lapwing.db"), ("post", postgis_url)):
        app, folder = fresh(tmp_path / name, store), tmp_path / f"{name}-files"
        folder.mkdir()
        run = town(app, folder, seen_by(6))
        facilities = [
            (one.kind, one.name, one.records, one.weight, one.evidence)
            for one in app.store.runs.facilities(SCOPE, run.run_id)
        ]
        layers = [
            geojson_bytes(released_layer(app.store, SCOPE, run, layer, Profile.OPERATIONAL))
            for layer in (Layer.CELLS, Layer.PLACES, *BESIDES)
        ]
        for layer in BESIDES:
            for format_name in FORMATS:
                request = ExportRequest(layer=layer, format=format_name, profile=Profile.OPERATIONAL, purpose="review")
                path = folder / f"{layer}.{format_name}"
                export_file(app.store, SCOPE, run, request, path, now_us=NOW_US)
                layers.append(path.read_bytes())
        found.append((run.run_id, run.summary["network"], run.summary["sightings"], facilities, layers))
        app.database.close()
    assert found[0] == found[1]


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


# --- purge ------------------------------------------------------------------------------------------------------------


def test_a_purge_takes_routes_links_facilities_and_single_reports_with_it(lapwing: Lapwing, tmp_path: Path) -> None:
    load(lapwing, write_csv(tmp_path / "g.csv", [graded(1, -2.10, 51.30, "1A", agency="QuokkaAgency")], GRADED))
    run = town(lapwing, tmp_path, seen_by(6))
    facilities = lapwing.store.runs.facilities(SCOPE, run.run_id)
    assert facilities
    (one,) = single(run)
    purge(lapwing.store, SCOPE, LATER)
    held = lapwing.store.runs.get(SCOPE, run.run_id)
    assert held.purged_at_us is not None
    for left in (lapwing.store.runs.routes, lapwing.store.runs.links, lapwing.store.runs.facilities):
        assert left(SCOPE, run.run_id) == []
    text = json.dumps(run_dict(held))
    for told in (one["record"], one["cell"], "QuokkaAgency", "needs_decision", *(p.name for p in facilities)):
        assert told not in text
    assert held.summary.get("network") is None


def test_a_purge_of_sightings_alone_takes_the_routes(lapwing: Lapwing, tmp_path: Path) -> None:
    """Sightings are held for half a year, incidents for two: the run loses its layers when the first of them go."""
    run = town(lapwing, tmp_path, seen_by(6))
    report = purge(lapwing.store, SCOPE, replace(TERMS, now_us=NOW_US + 220 * DAY_US))
    assert set(report.records) == {"sightings"}
    assert lapwing.store.runs.routes(SCOPE, run.run_id) == []
    assert lapwing.store.runs.links(SCOPE, run.run_id) == []
    later = run_of(lapwing, simulations=99)
    assert later.run_id != run.run_id
    assert later.summary["routes"] == 0
    assert later.summary["sightings"]["sightings"] == 0


def test_the_bytes_of_a_single_report_are_gone(embedded: Lapwing, tmp_path: Path) -> None:
    load(embedded, write_csv(tmp_path / "g.csv", [graded(1, -2.10, 51.30, "1A", agency="QuokkaAgency")], GRADED))
    (one,) = single(run_of(embedded))
    purge(embedded.store, SCOPE, LATER)
    (tmp_path / "g.csv").unlink()
    left = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    for word in (b"QuokkaAgency", one["record"].encode(), one["cell"].encode()):
        assert word not in left


# --- the command line -------------------------------------------------------------------------------------------------


def test_routes_links_and_facilities_on_the_command_line(tmp_path: Path) -> None:
    home = tmp_path / "home"
    app = fresh(home, "sqlite:///var/lapwing.db")
    run = town(app, tmp_path, seen_by(6)).run_id
    app.database.close()
    routes = command(home, "routes", run, "--json").json
    assert [one["vehicles"] for one in routes["routes"]] == [6]
    assert not {"geometry", "vehicle", "vehicle_hash", "lon", "lat"} & set(routes["routes"][0])
    linked = command(home, "linked", "latest", "--json").json["links"]
    assert [one["vehicles"] for one in linked] == [6]
    explained = command(home, "explain", linked[0]["first"])
    assert "Linked: Park" in explained.out
    kinds = command(home, "facilities", run, "--json").json["kinds"]
    assert set(kinds) == {"park"}
    assert command(home, "facilities", run, "--kind", "house").code == 2  # homes are never compared
    for words in (["routes", run], ["linked", run], ["facilities", run], ["places", run]):
        done = command(home, *words)
        assert (done.code, done.err) == (0, "")
        assert "ZZK" not in done.out


def test_a_kind_of_facility_that_does_not_exist_is_not_called_empty(tmp_path: Path) -> None:
    home = tmp_path / "home"
    app = fresh(home, "sqlite:///var/lapwing.db")
    town(app, tmp_path, seen_by(1), with_roads=False)
    app.database.close()
    done = command(home, "facilities", "latest", "--kind", "takeawy")
    assert done.code in {1, 2}


def test_without_sightings_the_answer_says_how_to_get_some(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    command(home, "import", "incidents", write_csv(tmp_path / "a.csv", stack([(-2.36, 51.38, 6)])))
    command(home, "analyse", "--simulations", 19)
    assert "lapwing import sightings FILE" in command(home, "routes", "latest").out
    assert "No two places" in command(home, "linked", "latest").out
    assert command(home, "routes", "nope").code == 1
