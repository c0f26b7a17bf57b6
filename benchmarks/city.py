"""A city of points for the benchmarks: snapped stacks, dense spots and open land, as police files have them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SNAPPED, SPOTTED = 0.4, 0.3
EAST_M, NORTH_M = 350_000.0, 150_000.0
KINDS = np.array(["anti-social behaviour", "violence", "drugs", "missing", "theft"])


@dataclass(frozen=True)
class City:
    """How dense a city is for each hundred thousand rows: its side, its snap points, its spots and how wide these are."""

    extent_m: float = 20_000.0
    snap_points: int = 1_000
    spots: int = 30
    spread_m: float = 60.0


WIDE, DENSE = City(), City(extent_m=10_000.0, snap_points=200, spots=20, spread_m=30.0)


def points(rows: int, city: City = WIDE, *, seed: int = 1) -> tuple[Floats, Floats]:
    """Eastings and northings in no order: 40 % on snap points, 30 % in spots, 30 % anywhere; as dense for any number of rows."""
    rng = np.random.default_rng(seed)
    snapped, spotted = int(rows * SNAPPED), int(rows * SPOTTED)
    share = rows / 100_000
    extent_m = city.extent_m * share**0.5
    snaps = rng.uniform(0, extent_m, (max(round(city.snap_points * share), 1), 2))
    middles = rng.uniform(0, extent_m, (max(round(city.spots * share), 1), 2))
    parts = [
        snaps[rng.integers(0, len(snaps), snapped)],
        middles[rng.integers(0, len(middles), spotted)] + rng.normal(0, city.spread_m, (spotted, 2)),
        rng.uniform(0, extent_m, (rows - snapped - spotted, 2)),
    ]
    x_m, y_m = rng.permutation(np.concatenate(parts)).T
    return x_m + EAST_M, y_m + NORTH_M


def write_csv(path: Path, rows: int, *, seed: int = 1) -> Path:
    """A file of incidents of two years at such points, to six decimals of a degree, a hundredth of them without a position."""
    import pandas as pd
    import pyproj

    rng = np.random.default_rng(seed)
    x_m, y_m = points(rows, seed=seed)
    lon, lat = pyproj.Transformer.from_crs(27700, 4326, always_xy=True).transform(x_m, y_m)
    minute = rng.integers(0, 2 * 365 * 24 * 60, rows).astype("timedelta64[m]")
    frame = pd.DataFrame(
        {
            "id": [f"R{i:07d}" for i in range(rows)],
            "date": np.datetime_as_string(np.datetime64("2024-01-01T00:00") + minute, unit="m"),
            "longitude": lon,
            "latitude": lat,
            "kind": rng.choice(KINDS, rows),
        }
    )
    frame.loc[::100, ["longitude", "latitude"]] = np.nan
    frame.to_csv(path, index=False, float_format="%.6f")
    return path
