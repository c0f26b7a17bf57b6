"""What a tile costs: ours from a stored index, beside PostGIS's ST_AsMVT and the encoder of mapbox_vector_tile.

    python benchmarks/bench_tiles.py [CELLS ...]

Every tile of zooms 8 to 14 over so many cells of H3 resolution 9, with four properties each. PostGIS has the cells in
EPSG:3857 already, with a spatial index, on a throw-away server of this machine; it cuts at the buffer as it is wont to,
and the time includes the way to the client. mapbox_vector_tile gets shapes in units of the tile, and is only timed for
the fullest tile of a zoom that has at most 6,000 cells. Milliseconds on the wall; on a busy machine look at those of CPU.
"""

import io
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

import mapbox_vector_tile
import numpy as np
import pandas as pd
import psycopg
import shapely

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from geo import cells as h3cells
from geo.disclosure import ReleasedLayer, release
from geo.model import Layer, Profile
from maps.mercator import world_from_degrees
from maps.tiles import TileIndex
from tests.factories import CELL_STATISTICS, LAT, LON, make_run
from tests.postgres import find_binaries, running_server

PROPERTIES = ("cell", "records", "hot", "state")
ZOOMS = range(8, 15)
MOST_FOR_THEIRS = 6000
HALF_M = 20037508.342789244
TILE = """SELECT ST_AsMVT(f, 'cells', 4096, 'shape', 'row') FROM (
    SELECT ST_AsMVTGeom(geometry, ST_TileEnvelope(%s, %s, %s), 4096, 64) AS shape, row, cell, records, hot, state
    FROM cells WHERE geometry && ST_TileEnvelope(%s, %s, %s, margin => 64.0 / 4096)) f"""


def layer_of(count: int) -> ReleasedLayer:
    """So many cells in a disk, with counts."""
    rings = int((count / 3) ** 0.5) + 1
    middle = h3cells.index_points(np.array([LON]), np.array([LAT]), 9)
    cells = h3cells.disks(middle, rings)[:count]
    text, records = h3cells.cell_text(cells), np.random.default_rng(0).poisson(1.5, count)
    plain = {"id": text, "cell": text, "records": records, "days": records, "months": records, "month_only": 0}
    features = pd.DataFrame(plain | CELL_STATISTICS | {"snapped": 0, "hot": (records > 5).astype(int)})
    return release(Layer.CELLS, features, h3cells.boundaries(cells), run=make_run(), profile=Profile.OPERATIONAL)


def tiles_of(world: np.ndarray, z: int) -> tuple[list[list[int]], list[int]]:
    """Every tile that holds the middle of a cell, and how many each holds."""
    found, counts = np.unique((world * 2**z).astype(int), axis=0, return_counts=True)
    return found.tolist(), counts.tolist()


def timed(
    work: Callable[[int, int, int], bytes], tiles: list[list[int]], z: int
) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Milliseconds of each tile on the wall and of this process, and bytes."""
    wall, processor, sizes = [], [], []
    for x, y in tiles:
        began, used = time.perf_counter(), time.process_time()
        sizes.append(len(work(z, x, y)))
        wall.append(1e3 * (time.perf_counter() - began))
        processor.append(1e3 * (time.process_time() - used))
    return np.array(wall), np.array(processor), sizes


def theirs(layer: ReleasedLayer, index: TileIndex, z: int, x: int, y: int) -> float:
    """Milliseconds of mapbox_vector_tile for the features of one tile."""
    rows = [one["id"] for one in mapbox_vector_tile.decode(index.tile(z, x, y))["cells"]["features"]]
    shapes = shapely.transform(
        layer.geometry[rows], lambda lonlat: np.rint((world_from_degrees(lonlat) * 2**z - (x, y)) * 4096)
    )
    told = layer.features.loc[rows, list(PROPERTIES)].to_dict("records")
    features = [{"geometry": shape, "properties": one} for shape, one in zip(shapes, told, strict=True)]
    began = time.perf_counter()
    mapbox_vector_tile.encode(
        {"name": "cells", "features": features}, default_options={"y_coord_down": True, "extents": 4096}
    )
    return 1e3 * (time.perf_counter() - began)


def fill(connection: psycopg.Connection, layer: ReleasedLayer) -> None:
    """Make PostGIS's table of the same cells."""
    connection.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    connection.execute("DROP TABLE IF EXISTS cells")
    connection.execute(
        "CREATE TABLE cells (row int, cell text, records int, hot int, state text, geometry geometry(Polygon, 3857))"
    )
    metres = shapely.transform(layer.geometry, lambda at: (world_from_degrees(at) - 0.5) * (2 * HALF_M, -2 * HALF_M))
    hexes = shapely.to_wkb(shapely.set_srid(metres, 3857), hex=True, include_srid=True)
    rows = layer.features[list(PROPERTIES)].assign(geometry=hexes)
    text = io.StringIO()
    rows.to_csv(text, header=False)
    with connection.cursor().copy("COPY cells FROM STDIN (FORMAT csv)") as copy:
        copy.write(text.getvalue())
    connection.execute("CREATE INDEX ON cells USING GIST (geometry)")
    connection.execute("VACUUM ANALYZE cells")


def main() -> None:
    """Print the cost of the index and of the tiles."""
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}"
    )
    binaries = find_binaries()
    if binaries is None:
        sys.exit("PostgreSQL with PostGIS is not installed")
    counts = [int(one) for one in sys.argv[1:]] or [50_000, 200_000]
    with running_server(binaries) as address, psycopg.connect(address, autocommit=True) as connection:
        for count in counts:
            compare(connection, layer_of(count))


def compare(connection: psycopg.Connection, layer: ReleasedLayer) -> None:
    """Print the figures of one layer."""
    began = time.perf_counter()
    made = TileIndex.of(layer, PROPERTIES)
    making, began = time.perf_counter() - began, time.perf_counter()
    written = made.to_bytes()
    writing = time.perf_counter() - began
    loading = []
    for _ in range(5):
        began = time.perf_counter()
        index = TileIndex.from_bytes(written)
        loading.append(1e3 * (time.perf_counter() - began))
    print(
        f"\n{len(layer):,} cells: index made in {making:.1f} s, written in {writing * 1e3:.0f} ms,"
        f" {len(written) / 1e6:.1f} MB, loaded in {np.median(loading):.0f} ms"
    )
    fill(connection, layer)

    def postgis(z: int, x: int, y: int) -> bytes:
        (tile,) = connection.execute(TILE, (z, x, y, z, x, y)).fetchone() or (b"",)
        return bytes(tile)

    world = world_from_degrees(shapely.get_coordinates(shapely.centroid(layer.geometry)))
    print(
        "zoom  tiles  fullest    ours p50 p95 max        CPU p50 p95     PostGIS p50 p95 max  theirs  KB ours PostGIS"
    )
    for z in ZOOMS:
        tiles, held = tiles_of(world, z)
        ours, processor, our_sizes = timed(index.tile, tiles, z)
        there, _, their_sizes = timed(postgis, tiles, z)
        full = int(np.argmax(held))
        other = f"{theirs(layer, index, z, *tiles[full]):.0f}" if held[full] <= MOST_FOR_THEIRS else "-"
        print(
            f"{z:4}  {len(tiles):5}  {held[full]:7,}  {spread(ours):>20}  {spread(processor)[:14]:>14}  {spread(there):>20}"
            f"  {other:>6}  {max(our_sizes) // 1000:7} {max(their_sizes) // 1000:7}",
            flush=True,
        )


def spread(values: np.ndarray) -> str:
    """Median, 95th percentile and most."""
    return "".join(f"{one:7.1f}" for one in (*np.percentile(values, (50, 95)), values.max()))


if __name__ == "__main__":
    main()
