"""The join of points and reference features beside its peers: which lie within a distance of which.

    python benchmarks/bench_join.py [--write] [--rows 100000]

Fifty thousand houses, parks, road links and premises of a synthetic town, and the points of a city over it. All ways give the
same pairs, and the table says so; where one does not it is printed and nothing is written. Servers and engines are timed by the
wall, with their tables loaded and indexed beforehand. The server is also asked for the number of pairs alone, which no row of them
leaves for: that is its own time, without what its answer takes to arrive here.
"""

import contextlib
import sys
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench_attribution import city as town
from beside import arguments, machine, missing, race, report, table
from city import EAST_M, NORTH_M, City, points

from geo.nearby import features_within

DISTANCES_M = (25.0, 150.0)
Pairs = Callable[[], object]


def rows_of(point: object, feature: object) -> np.ndarray:
    """Pairs in one order."""
    pairs = np.column_stack([np.asarray(point, np.int64), np.asarray(feature, np.int64)])
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def sedona(left: gpd.GeoDataFrame, right: gpd.GeoDataFrame, distance_m: float) -> Pairs:
    """SedonaDB's join in this process."""
    import sedonadb

    engine = sedonadb.connect()
    engine.create_data_frame(left).to_view("points")
    engine.create_data_frame(right).to_view("features")
    asked = f"SELECT p, f FROM points, features WHERE ST_DWithin(points.geometry, features.geometry, {distance_m})"
    return lambda: engine.sql(asked).to_pandas()


def duck(left: gpd.GeoDataFrame, right: gpd.GeoDataFrame, distance_m: float) -> Pairs:
    """DuckDB's join, where its spatial extension can be loaded; raises where not."""
    import duckdb

    engine = duckdb.connect()
    engine.execute("LOAD spatial")
    for name, frame in (("points", left), ("features", right)):
        plain = pd.DataFrame({"id": np.arange(len(frame)), "wkb": frame.geometry.to_wkb()})
        engine.register("given", plain)
        engine.execute(f"CREATE TABLE {name} AS SELECT id, ST_GeomFromWKB(wkb) AS geometry FROM given")
    asked = f"SELECT p.id, f.id FROM points p, features f WHERE ST_DWithin(p.geometry, f.geometry, {distance_m})"
    return lambda: engine.execute(asked).df()


def server(url: str, left: gpd.GeoDataFrame, right: gpd.GeoDataFrame) -> Callable[[float], dict[str, Pairs]]:
    """PostGIS with both tables loaded and indexed: the pairs themselves, and their number by the server alone."""
    import psycopg

    connection = psycopg.connect(url, autocommit=True)
    connection.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    for name, frame in (("points", left), ("features", right)):
        connection.execute(f"CREATE TABLE {name} (id integer, geometry geometry)")
        with connection.cursor().copy(f"COPY {name} FROM STDIN") as copy:
            copy.write("".join(f"{i}\t{one}\n" for i, one in enumerate(frame.geometry.to_wkb(hex=True))))
        connection.execute(f"CREATE INDEX ON {name} USING GIST (geometry)")
        connection.execute(f"ANALYZE {name}")
    asked = "SELECT p.id, f.id FROM points p JOIN features f ON ST_DWithin(p.geometry, f.geometry, {})"

    def ways(distance_m: float) -> dict[str, Pairs]:
        pairs = asked.format(distance_m)
        count = f"SELECT count(*) FROM ({pairs}) AS pairs"
        return {
            "PostGIS ST_DWithin": lambda: np.asarray(connection.execute(pairs).fetchall()),
            "PostGIS ST_DWithin, counted on the server": lambda: connection.execute(count).fetchone()[0],  # type: ignore[index]
        }

    return ways


def ways_of(left: gpd.GeoDataFrame, right: gpd.GeoDataFrame, distance_m: float, absent: list[str]) -> dict[str, Pairs]:
    """Ways of this process, ours first; what keeps a peer from running is told in ``absent``."""
    points_m, features = shapely.get_coordinates(left.geometry), right.geometry.to_numpy()
    ways: dict[str, Pairs] = {
        "Lapwing": lambda: features_within(points_m, features, distance_m),
        "geopandas.sjoin(dwithin)": lambda: left.sjoin(right, predicate="dwithin", distance=distance_m)[["p", "f"]],
    }
    for name, package, make in (("SedonaDB", "sedonadb", sedona), ("DuckDB", "duckdb", duck)):
        if missing(package):
            absent.append(f"{name} was not measured: `{package}` is not installed.")
            continue
        try:
            ways[f"{name} ST_DWithin"] = make(left, right, distance_m)
        except Exception as error:  # noqa: BLE001 - whatever keeps the peer from running is told
            absent.append(
                f"{name} was not measured: its spatial extension could not be loaded ({type(error).__name__})."
            )
    return ways


def told_of(found: object, ours: np.ndarray) -> str:
    """Whether a way found our pairs, or as many where it counts them."""
    if isinstance(found, int):
        return "as many" if found == len(ours) else "DIFFER"
    return "equal" if np.array_equal(ours, rows_of(*np.asarray(found).T)) else "DIFFER"


def lines_of(ways: dict[str, Pairs], distance_m: float, wrong: list[str]) -> list[list[str]]:
    """A line a way, with what each found compared with ours; who found something else is told in ``wrong``."""
    ours = rows_of(*ways["Lapwing"]())
    same = {name: told_of(way(), ours) for name, way in ways.items() if name != "Lapwing"}
    wrong += [f"{name} finds other pairs within {distance_m:g} m" for name, told in same.items() if told == "DIFFER"]
    taken = race(ways, repeats=3, memory=False)
    base_s = taken["Lapwing"].wall_s
    return [
        [f"{distance_m:g} m, {len(ours):,} pairs", name, f"{one.cpu_s:.2f}", f"{one.wall_s:.2f}", f"{one.wall_s / base_s:.1f}", same.get(name, "")]
        for name, one in taken.items()
    ]  # fmt: skip


def measured(rows: int, absent: list[str], wrong: list[str]) -> str:
    """All ways at all distances."""
    from tests.postgres import find_binaries, running_server

    x_m, y_m = points(rows, City(extent_m=20_000.0 / (rows / 100_000) ** 0.5))
    features = town(np.random.default_rng(3)).geometry_m
    left = gpd.GeoDataFrame({"p": np.arange(rows)}, geometry=gpd.points_from_xy(x_m - EAST_M, y_m - NORTH_M))
    right = gpd.GeoDataFrame({"f": np.arange(len(features))}, geometry=features)
    lines = []
    with contextlib.ExitStack() as stack:
        ask = None
        if binaries := find_binaries():
            ask = server(stack.enter_context(running_server(binaries)), left, right)
        else:
            absent.append("PostgreSQL with PostGIS is not installed: not measured.")
        for distance_m in DISTANCES_M:
            ways = ways_of(left, right, distance_m, absent)
            lines += lines_of(ways | (ask(distance_m) if ask else {}), distance_m, wrong)
    head = (
        "within",
        f"{rows:,} points x {len(features):,} features by",
        "CPU s here",
        "wall s",
        "times ours (wall)",
        "pairs",
    )
    return table(head, lines)


def main() -> None:
    asked = arguments(__doc__, rows=100_000)
    absent: list[str] = []
    wrong: list[str] = []
    told = measured(asked.rows, absent, wrong)
    versions = machine("geopandas", "shapely", "sedonadb", "duckdb")
    report("join", "\n\n".join([versions, told, *dict.fromkeys(absent)]), write=asked.write, wrong=wrong)


if __name__ == "__main__":
    main()
