"""Bus route 14 of Liverpool through the commands: fixes imported, analysed, listed as a corridor and exported."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely

from geo.crs import MetricCrs
from tests.files import command

pytestmark = pytest.mark.real
EVERY_M = 5.0
DAY = "2026-01-26"


def corridors(home: Path, file: Path) -> list[Any]:
    """Corridors in metres that the product finds in a file of sightings."""
    home.mkdir()
    took = command(home, "import", "sightings", file, "--source", "Bus Open Data Service")
    assert took.code == 0, took.err
    analysed = command(home, "analyse", "--from", DAY, "--to", DAY)
    assert analysed.code == 0, analysed.err
    listed = command(home, "routes", "latest", "--json")
    assert listed.code == 0, listed.err
    words = ("--layer", "routes", "--purpose", "acceptance", "--output", home / "routes.geojson")
    exported = command(home, "export", "latest", *words)
    assert exported.code == 0, exported.err
    features = json.loads((home / "routes.geojson").read_text())["features"]
    assert len(features) == len(listed.json["routes"])
    assert all(one["properties"]["vehicles"] >= 3 for one in features)
    lines = np.array([shapely.geometry.shape(one["geometry"]) for one in features], object)
    return list(shapely.transform(lines, lambda at: np.column_stack(MetricCrs().project(at[:, 0], at[:, 1]))))


def points_along(lines: list[Any]) -> Any:
    parts = shapely.get_parts(np.array(lines, object))
    steps = [np.arange(0, part.length + EVERY_M, EVERY_M) for part in parts]
    return np.concatenate([shapely.line_interpolate_point(part, at) for part, at in zip(parts, steps, strict=True)])


@pytest.fixture(scope="module")
def bus(real_data: Path) -> Path:
    return real_data / "trajectories/liverpool-bus-route14.csv.gz"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, bus: Path) -> list[Any]:
    return corridors(tmp_path_factory.mktemp("routes") / "whole", bus)


def test_the_corridor_covers_the_fixes_and_little_else(whole: list[Any], bus: Path) -> None:
    table = pd.read_csv(bus)
    fixes = shapely.points(*MetricCrs().project(table["longitude"].to_numpy(), table["latitude"].to_numpy()))
    assert (shapely.distance(shapely.union_all(whole), fixes) <= 30).mean() >= 0.95
    assert (shapely.distance(shapely.union_all(fixes), points_along(whole)) > 50).mean() <= 0.05


def test_one_fix_in_ten_gives_the_same_corridor(whole: list[Any], bus: Path, tmp_path: Path) -> None:
    table = pd.read_csv(bus).sort_values(["trip_id", "timestamp"], kind="stable")
    thinned = table[table.groupby("trip_id").cumcount() % 10 == 0]
    thinned.to_csv(tmp_path / "thinned.csv", index=False)
    thin = corridors(tmp_path / "thin", tmp_path / "thinned.csv")
    assert thin, "no corridor from one fix in ten"
    assert np.percentile(shapely.distance(shapely.union_all(thin), points_along(whole)), 95) <= 100
    assert np.percentile(shapely.distance(shapely.union_all(whole), points_along(thin)), 95) <= 100
