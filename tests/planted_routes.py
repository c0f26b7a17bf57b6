"""A town of square blocks with planted routes: six vehicles drive each, among decoys seen anywhere."""

from functools import cache

import numpy as np
import pandas as pd
import shapely

from geo.road_graph import road_graph

BLOCK_M, BLOCKS, PRECISION_M = 250.0, 20, 10.0
SIZE_M = BLOCK_M * BLOCKS


@cache
def town(blocks=BLOCKS):
    """Roads of the town."""
    at_m = np.arange(blocks + 1) * BLOCK_M
    size_m = blocks * BLOCK_M
    lines = [[(0, y), (size_m, y)] for y in at_m] + [[(x, 0), (x, size_m)] for x in at_m]
    names = [f"Road {i}" for i in range(blocks + 1)] + [f"Lane {i}" for i in range(blocks + 1)]
    return road_graph(shapely.linestrings(lines), np.array(names, object))


def sightings_at(at_m, minutes, vehicle):
    """Sightings of one vehicle at positions in metres and minutes."""
    at_us = (np.asarray(minutes) * 60_000_000).astype(np.int64)
    return pd.DataFrame(
        {"vehicle_hash": vehicle, "from_us": at_us, "to_us": at_us, "x_m": at_m[:, 0], "y_m": at_m[:, 1], "precision_m": PRECISION_M}
    )  # fmt: skip


def _route(rng):
    """An L-shaped route along streets, at least 600 m as the crow flies."""
    while True:
        start, end = rng.uniform(200, SIZE_M - 200, (2, 2))
        if np.hypot(*(end - start)) >= 600:
            y_m, x_m = round(start[1] / BLOCK_M) * BLOCK_M, round(end[0] / BLOCK_M) * BLOCK_M
            return shapely.LineString([(start[0], y_m), (x_m, y_m), (x_m, end[1])])


def planted_city(seed, *, routes=2, decoy_minutes=None):
    """Planted routes of six vehicles with five sightings each, and twenty decoys, as in the demonstration."""
    rng = np.random.default_rng(seed)
    truth, frames = [_route(rng) for _ in range(routes)], []
    for number, route in enumerate(truth):
        for vehicle in range(6):
            places = shapely.line_interpolate_point(
                route, (np.arange(5) + rng.uniform(0.1, 0.9, 5)) / 5, normalized=True
            )
            at_m = shapely.get_coordinates(places) + rng.normal(0, 5, (5, 2))
            start = rng.integers(0, 360) * 1440 + rng.integers(0, 180)
            frames.append(sightings_at(at_m, start + 3 * np.arange(5), f"R{number}{vehicle}"))
    for decoy in range(20):
        minutes = rng.integers(0, 360, 5) * 1440 if decoy_minutes is None else rng.integers(0, decoy_minutes, 5)
        frames.append(sightings_at(rng.uniform(0, SIZE_M, (5, 2)), minutes, f"D{decoy}"))
    return truth, pd.concat(frames, ignore_index=True)
