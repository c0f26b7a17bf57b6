"""Where vehicles stand and which ways they go: by cell, from three distinct vehicles on."""

import numpy as np
import pandas as pd
import pytest

from app.services.movements import movements
from app.services.routing import Sightings
from geo.crs import MetricCrs
from geo.road_graph import road_graph

CRS = MetricCrs()
EAST_M, NORTH_M = 375_000.0, 165_000.0
MINUTE_US = 60_000_000


def frame(rows):
    """Sightings of (vehicle, minute, x, y) from a corner."""
    vehicle, minute, x_m, y_m = zip(*rows, strict=True)
    at_us = np.array(minute, np.int64) * MINUTE_US
    return pd.DataFrame(
        {"vehicle_hash": vehicle, "from_us": at_us, "to_us": at_us, "x_m": np.array(x_m, float) + EAST_M, "y_m": np.array(y_m, float) + NORTH_M,
         "precision_m": 10.0}
    )  # fmt: skip


def standing(vehicles):
    """Each drives up, stands for six minutes, and drives on, a day after the other."""
    return [
        (f"car {car}", 1440 * car + minute, min(minute, 5) * 200 + max(minute - 11, 0) * 200, 3 * car)
        for car in range(vehicles)
        for minute in range(16)
    ]


@pytest.mark.parametrize(("vehicles", "told"), [(2, []), (3, [3]), (5, [5])])
def test_a_stop_is_told_from_three_vehicles_on(vehicles, told):
    found = movements(Sightings(frame(standing(vehicles)), None), CRS, k=3)
    assert [one["vehicles"] for one in found["stops"]] == told


def going(vehicles):
    """Each is seen twice, half an hour and four kilometres apart."""
    return [
        (f"car {car}", 1440 * car + 30 * step, 4000 * step, 20 * car) for car in range(vehicles) for step in range(2)
    ]


@pytest.mark.parametrize(("vehicles", "told"), [(2, []), (4, [(4, 4)])])
def test_a_direction_is_told_without_roads_from_three_vehicles_on(vehicles, told):
    found = movements(Sightings(frame(going(vehicles)), None), CRS, k=3)
    assert [(one["vehicles"], one["trips"]) for one in found["directions"]] == told
    assert all(one["from_cell"] != one["to_cell"] for one in found["directions"])


def test_with_roads_the_routes_say_more_and_without_sightings_nothing_is_said():
    import shapely

    line = shapely.LineString([(EAST_M, NORTH_M), (EAST_M + 4000, NORTH_M)])
    roads = road_graph(np.array([line], object), np.array(["Long Lane"], object))
    assert movements(Sightings(frame(going(4)), roads), CRS, k=3)["directions"] == []
    assert movements(Sightings(frame(going(1)).iloc[:0], None), CRS, k=3) == {
        "stops": [], "directions": [], "notes": [],
    }  # fmt: skip
