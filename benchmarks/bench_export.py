"""GeoJSON of many cells: Lapwing's writer beside ``GeoDataFrame.to_json`` and ``pyogrio``, same features, same run.

    python benchmarks/bench_export.py [--write] [--rows N] [--repeats N]

Two layers of the same H3 cells: that of a filtered map, which has eight attributes, and that of a whole analysis with all
that the statistics say. Both are released first, and the peers get a GeoDataFrame of what was released, made beforehand.
Lapwing, and GDAL with RFC7946=YES, turn rings and round coordinates (to 6 and 7 decimals), which the others leave out.
Afterwards Lapwing's text is validated, and its attributes and coordinates are compared with those of every peer.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import orjson
import pandas as pd
import pyogrio
import shapely

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.beside import Figures, Way, arguments, machine, missing, race, report, table
from data.export.geojson import geojson_pieces, write_geojson
from geo import cells as h3cells
from geo.disclosure import ReleasedLayer, release
from geo.model import Layer, Profile
from tests.factories import CELL_STATISTICS, LAT, LON, make_run

RESOLUTION = 9
BYTES, FILE, RELEASE, CHAIN = (
    "Lapwing, in memory",
    "Lapwing, to a file",
    "release() alone",
    "cells to file: outlines, release(), writing",
)
TO_JSON, PYOGRIO, RFC = "gdf.to_json(), in memory", "pyogrio, to a file", "pyogrio, RFC7946=YES, to a file"
TITLES = {Layer.MAP: "8 attributes (a filtered map)", Layer.CELLS: "{} attributes (the whole analysis)"}


def features_of(layer: Layer, cells: np.ndarray) -> pd.DataFrame:
    """What an analysis says of each cell."""
    rng = np.random.default_rng(0)
    text, records = h3cells.cell_text(cells), rng.poisson(1.5, len(cells))
    plain = {"id": text, "cell": text, "records": records, "hot": (records > 5).astype(int)}
    if layer is Layer.MAP:
        return pd.DataFrame(plain | {"looked": rng.integers(0, 2, len(cells))})
    told = {
        name: rng.gamma(2.0, value, len(cells)) if isinstance(value, float) else value
        for name, value in CELL_STATISTICS.items()
    }
    return pd.DataFrame(told | plain | {"days": records, "months": records, "month_only": 0, "snapped": 0})


def released(layer: Layer, features: pd.DataFrame, shapes: np.ndarray) -> ReleasedLayer:
    return release(layer, features, shapes, run=make_run(), profile=Profile.OPERATIONAL)


def stream(layer: ReleasedLayer, path: Path) -> None:
    with path.open("wb") as file:
        file.writelines(geojson_pieces(layer))


def ways_of(kind: Layer, cells: np.ndarray, folder: Path) -> tuple[dict[str, Way], ReleasedLayer, gpd.GeoDataFrame]:
    """Everything that is measured, and what it is measured on; a file goes to the page cache of this machine, for all alike."""
    features, shapes = features_of(kind, cells), h3cells.boundaries(cells)
    layer = released(kind, features, shapes)
    frame = gpd.GeoDataFrame(layer.features.drop(columns="id"), geometry=layer.geometry, crs=4326)
    ways: dict[str, Way] = {
        BYTES: lambda: write_geojson(layer),
        FILE: lambda: stream(layer, folder / "ours.geojson"),
        TO_JSON: frame.to_json,
        PYOGRIO: lambda: pyogrio.write_dataframe(frame, folder / "pyogrio.geojson", driver="GeoJSON"),
        RFC: lambda: pyogrio.write_dataframe(frame, folder / "rfc.geojson", driver="GeoJSON", RFC7946="YES"),
        RELEASE: lambda: released(kind, features, shapes),
        CHAIN: lambda: stream(released(kind, features, h3cells.boundaries(cells)), folder / "chain.geojson"),
    }
    return ways, layer, frame


def lines(figures: dict[str, Figures]) -> list[tuple[str, ...]]:
    """A line a way; in memory is set against in memory, and file against file."""
    ours = {TO_JSON: BYTES, PYOGRIO: FILE, RFC: FILE}
    return [
        (
            name,
            f"{one.cpu_s:.3f}",
            f"{one.wall_s:.3f}",
            f"{one.growth_mib:.0f}",
            f"{one.cpu_s / figures[ours[name]].cpu_s:.1f}" if name in ours else "",
        )
        for name, one in figures.items()
    ]


def coordinates_of(document: dict[str, Any]) -> np.ndarray:
    """Corners of every polygon, in an order of their own: GDAL begins and turns rings as it likes."""
    rings = [feature["geometry"]["coordinates"] for feature in document["features"]]
    shapes = shapely.normalize(shapely.polygons([shapely.linearrings(ring[0]) for ring in rings]))
    return shapely.get_coordinates(shapes)


def differing(ours: dict[str, Any], theirs: dict[str, Any], *, within_degrees: float) -> int:
    """How many features differ in an attribute, and whether any corner is farther off than rounding explains."""
    pairs = zip(ours["features"], theirs["features"], strict=True)
    wrong = sum(one["properties"] != other["properties"] for one, other in pairs)
    apart = np.abs(coordinates_of(ours) - coordinates_of(theirs)).max()
    return wrong + int(apart > within_degrees)


def checked(layer: ReleasedLayer, frame: gpd.GeoDataFrame, folder: Path) -> str:
    """Say what validator and peers make of our text."""
    document = orjson.loads(write_geojson(layer))
    if orjson.loads((folder / "ours.geojson").read_bytes()) != document:
        return "The file and the text in memory differ."
    peers = {
        "gdf.to_json()": orjson.loads(frame.to_json()),
        "pyogrio": orjson.loads((folder / "pyogrio.geojson").read_bytes()),
        "pyogrio, RFC7946=YES": orjson.loads((folder / "rfc.geojson").read_bytes()),
    }
    wrong = {name: differing(document, other, within_degrees=6e-7) for name, other in peers.items()}
    compared = "; ".join(f"{name}: {count:,}" for name, count in wrong.items())
    opened = pyogrio.read_info(folder / "ours.geojson")["features"]
    said = f"Features whose attributes or corners differ from the peer's: {compared}. GDAL opens {opened:,} features of ours."
    return f"{said} {validated(document)}"


def validated(document: dict[str, Any]) -> str:
    """Say what an independent validator finds."""
    if missing("geojson_validator"):
        return "Not validated: geojson-validator is not installed."
    import geojson_validator

    structure = geojson_validator.validate_structure(document, check_crs=True)
    shapes = geojson_validator.validate_geometries(document)
    found = len(structure) + sum(len(where) for where in shapes["invalid"].values())
    doubts = ", ".join(f"{name} {len(where):,}" for name, where in shapes["problematic"].items()) or "none"
    return f"geojson-validator: {found:,} invalid; problematic: {doubts}."


def compare(kind: Layer, cells: np.ndarray, repeats: int) -> str:
    """Measure one layer and return its part of the page."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ways, layer, frame = ways_of(kind, cells, folder)
        warm, *_ = ways_of(kind, cells[:100], folder)
        figures = race(ways, warm=warm, repeats=repeats)
        size = (folder / "ours.geojson").stat().st_size / 1e6
        remarks = checked(layer, frame, folder)
    title = TITLES[kind].format(len(layer.fields))
    head = (f"{len(layer):,} cells, {title}, {size:.0f} MB", "CPU s", "wall s", "memory MiB", "times the CPU of ours")
    return f"{table(head, lines(figures))}\n\n{remarks}"


def main() -> None:
    """Measure and print."""
    asked = arguments(__doc__, rows=100_000, repeats=5)
    middle = h3cells.index_points(np.array([LON]), np.array([LAT]), RESOLUTION)
    cells = h3cells.disks(middle, int((asked.rows / 3) ** 0.5) + 1)[: asked.rows]
    parts = [machine("geopandas", "pyogrio", "shapely", "orjson", "geojson-validator")]
    parts += [compare(kind, cells, asked.repeats) for kind in (Layer.MAP, Layer.CELLS)]
    report("export", "\n\n".join(parts), write=asked.write)


if __name__ == "__main__":
    main()
