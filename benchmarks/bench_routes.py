"""What routes find and cost: planted routes among decoys, bus route 14 of Liverpool thinned, sightings on Bath's roads."""

import os
import platform
import resource
import sys
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.corridors import corridors
from geo.crs import MetricCrs
from geo.road_graph import RoadGraph, road_graph
from geo.sightings import od_pairs
from geo.track_corridor import track_corridors

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.planted_routes import planted_city, town

DATA = Path(os.environ.get("LAPWING_REAL_DATA") or Path(__file__).resolve().parents[2] / "shared/data")
CITIES = 20
FIRST_SEED = 9000
NEAR_M = 50.0
STEP_M = 5.0


def main() -> None:
    """Print the three tables."""
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    planted()
    liverpool()
    bath()


def planted() -> None:
    """Recall, precision and false corridors of cities with and without planted routes."""
    print(f"\n{CITIES} cities, 20 decoys each\nroutes  decoys within  recall  precision  false a city")
    for routes in (2, 0):
        for minutes in (None, 60):
            recalled, right = [], []
            for seed in range(FIRST_SEED, FIRST_SEED + CITIES):
                truth, sightings = planted_city(seed, routes=routes, decoy_minutes=minutes)
                found = corridors(town(), od_pairs(sightings).pairs).corridors
                near = shapely.union_all([one.geometry_m for one in found]).buffer(NEAR_M)
                there = shapely.union_all(np.array(truth, object)).buffer(NEAR_M)
                recalled += [one.intersection(near).length / one.length >= 0.8 for one in truth]
                right += [one.geometry_m.intersection(there).length / one.length_m >= 0.8 for one in found]
            told = [f"{np.mean(each):.2f}" if each else "-" for each in (recalled, right)]
            false = (len(right) - sum(right)) / CITIES
            print(
                f"{routes:6}  {'a year' if minutes is None else 'an hour':>13}  {told[0]:>6}  {told[1]:>9}  {false:.2f}"
            )


def liverpool() -> None:
    """Cover and Hausdorff distance of the bus route, from all fixes and from one in ten."""
    table = pd.read_csv(DATA / "trajectories/liverpool-bus-route14.csv.gz")
    x_m, y_m = MetricCrs().project(table["longitude"].to_numpy(), table["latitude"].to_numpy())
    moment = pd.to_datetime(table["timestamp"]).dt.as_unit("us").astype("int64")
    fixes = pd.DataFrame({"x_m": x_m, "y_m": y_m, "at_us": moment, "precision_m": 10.0})
    fixes = fixes.assign(trip=table["trip_id"], vehicle=table["vehicle_id"]).sort_values(
        ["trip", "at_us"], ignore_index=True
    )
    points = shapely.points(fixes["x_m"], fixes["y_m"])
    whole = lines_of(fixes)
    print("\nLiverpool        within 30 m  farther than 50 m  p95 to whole  p95 from whole")
    for offset in (None, *range(10)):
        thinned = fixes if offset is None else fixes[fixes.groupby("trip").cumcount() % 10 == offset]
        line = lines_of(thinned)
        cover = (shapely.distance(line, points) <= 30).mean()
        far = (shapely.distance(shapely.union_all(points), along(line)) > NEAR_M).mean()
        to_m, from_m = (
            np.percentile(shapely.distance(one, along(other)), 95) for one, other in ((whole, line), (line, whole))
        )
        label = "all fixes" if offset is None else f"one in ten, {offset}"
        print(f"{label:15}  {cover:10.1%}  {far:16.1%}  {to_m:10.1f} m  {from_m:12.1f} m")


def lines_of(fixes: pd.DataFrame) -> shapely.Geometry:
    """All corridors of some fixes."""
    return shapely.union_all([shapely.LineString(one.line_m) for one in track_corridors(fixes)])


def along(line: shapely.Geometry) -> np.ndarray:
    """Points every five metres along a line."""
    parts = shapely.get_parts(line)
    return np.concatenate(
        [shapely.line_interpolate_point(part, np.arange(0, part.length + STEP_M, STEP_M)) for part in parts]
    )


def bath() -> None:
    """False corridors and cost of vehicles seen at random places on the roads of Bath."""
    table = gpd.read_file(f"/vsigzip/{DATA}/bath/os_roads.geojson.gz").to_crs(27700)
    roads = road_graph(table.geometry.to_numpy(), table["distname"].fillna("").to_numpy(object))
    print(f"\nBath, {len(roads.length_m):,} edges, five sightings a vehicle within an hour")
    for vehicles in (200, 2000):
        pairs = od_pairs(random_sightings(roads, vehicles)).pairs
        for draws in (0, 39):
            began = time.perf_counter()
            found = corridors(roads, pairs, draws=draws, max_chance=0.05 if draws else 1)
            took = time.perf_counter() - began
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
            print(
                f"{vehicles:5} vehicles, {draws:2} draws: {len(found.corridors)} corridors, {took:.0f} s, {peak:.1f} GiB",
                flush=True,
            )


def random_sightings(roads: RoadGraph, vehicles: int) -> pd.DataFrame:
    """Five sightings of each vehicle at random along the roads, within an hour of a day of its own."""
    rng = np.random.default_rng(FIRST_SEED)
    count = 5 * vehicles
    edge = rng.choice(len(roads.length_m), count, p=roads.length_m / roads.length_m.sum())
    share = rng.uniform(0, 1, count)
    at_m = shapely.get_coordinates(shapely.line_interpolate_point(roads.geometry_m[edge], share, normalized=True))
    at_m = at_m + rng.normal(0, 4, (count, 2))
    at_us = (np.repeat(rng.integers(0, 300, vehicles), 5) * 86_400 + rng.integers(0, 3600, count)) * 1_000_000
    owner = np.repeat([f"V{number}" for number in range(vehicles)], 5)
    seen = {"vehicle_hash": owner, "from_us": at_us, "to_us": at_us, "x_m": at_m[:, 0], "y_m": at_m[:, 1]}
    return pd.DataFrame(seen).assign(precision_m=10.0)


if __name__ == "__main__":
    main()
