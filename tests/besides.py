"""A town with roads, vehicles and single reports, and what an analysis tells of them besides places."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from app.services.exporting import ExportRequest, export_file
from app.services.route_layers import link_dict, places_of, route_dict
from app.settings import Settings
from app.wiring import Lapwing
from geo.model import Layer, Profile, Run
from geo.retention import DAY_US
from tests.conftest import NOW_US
from tests.files import TERMS, load, square, stack, write_csv, write_geojson
from tests.runs import SCOPE, run_of

LATER = replace(TERMS, now_us=NOW_US + 800 * DAY_US)
BESIDES = (Layer.ROUTES, Layer.NETWORK)
FORMATS = ("geojson", "gpkg", "csv")
GRADED = ("id", "date", "longitude", "latitude", "kind", "agency", "source_grade", "information_grade", "handling")
SEEN = ("date", "longitude", "latitude", "registration", "precision_m")
WEST, SOUTH, BLOCK, BLOCKS = -2.40, 51.36, 0.005, 12  # a town in blocks of some 350 x 550 m


def graded(number: int, lon: float, lat: float, grade: str, *, agency: str = "Haven Council") -> list[Any]:
    return [number, f"2024-03-{number % 28 + 1:02d}", lon, lat, "x", agency, grade[0], grade[1], "C"]


def single(run: Run) -> list[dict[str, Any]]:
    return list(run.summary["needs_decision"])


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


def no_sighting_in(rows: list[list[Any]], shapes: list[shapely.Geometry], *, digits: int = 6) -> bool:
    seen = {(round(row[1], digits), round(row[2], digits)) for row in rows}
    told = shapely.get_coordinates(shapes).round(digits).tolist() if shapes else []
    return seen.isdisjoint(map(tuple, told))
