"""Ways on foot between linked places, and links of places that are not known for long enough."""

import numpy as np
import pandas as pd
import pytest
import shapely

from app.services.linking import MIN_HISTORY_DAYS, find_links
from app.services.routing import Sightings
from app.services.walking import walking_ways
from geo import cells as h3cells
from geo.crs import MetricCrs
from geo.model import Place
from geo.outcome import Link
from geo.parameters import AnalysisParameters
from geo.road_graph import road_graph

CRS = MetricCrs()
EAST_M, NORTH_M = 375_000.0, 165_000.0
DAY_US = 86_400_000_000


def place(number, x_m, y_m, kind="park"):
    lon, lat = CRS.unproject(np.array([x_m]), np.array([y_m]))
    cell = int(h3cells.index_points(lon, lat, 11)[0])
    return Place(
        place_id=f"{number:016x}", rank=number, cluster=number, kind=kind, name=f"Place {number}", probability=0.9, basis="exact", records=9,
        footprint=(cell,), peak_cell=cell, evidence={},
    )  # fmt: skip


def link(first, second, **changes):
    told = {
        "kinds": ["time"], "report_pairs": 6, "distance_m": 600.0, "q_value": 0.01, "reports_q": 0.01, "vehicles": 0, "prism_vehicles": 0,
        "reports_expected": 1.0, "vehicles_expected": 0.0,
    }  # fmt: skip
    significant = changes.pop("significant", True)
    return Link(
        first_place=first.place_id, second_place=second.place_id, significant=significant, evidence=told | changes
    )


def streets():
    """A block of four streets with a long way round to the north."""
    lines = [
        [(0, 0), (600, 0)],
        [(0, 0), (0, 20), (600, 20), (600, 0)],
        [(0, 0), (-40, 450), (0, 900), (600, 900), (640, 450), (600, 0)],
    ]
    shapes = np.array([shapely.LineString([(EAST_M + x, NORTH_M + y) for x, y in line]) for line in lines], object)
    return road_graph(shapes, np.array(["Low Street", "Back Lane", "Far Road"], object))


@pytest.fixture
def ends():
    one, other = place(1, EAST_M, NORTH_M), place(2, EAST_M + 600, NORTH_M, "takeaway")
    return {one.place_id: one, other.place_id: other}


def ways(ends, *links, roads=None):
    return walking_ways(ends, list(links), streets() if roads is None else roads, CRS, k=3)


def test_streets_that_people_can_have_walked_and_not_the_long_way_round(ends):
    (way,) = ways(ends, link(*ends.values()))
    assert way["evidence"]["roads"] == ["Back Lane", "Low Street"]
    assert (way["vehicles"], way["name"]) == (6, "Place 1 to Place 2")
    assert way["confidence"] == pytest.approx(0.99)
    assert way["evidence"]["length_m"] == pytest.approx(600, abs=60)
    west, south, east, north = way["geometry"].bounds
    x_m, y_m = CRS.project(np.array([west, east]), np.array([south, north]))
    assert y_m.max() < NORTH_M + 100
    assert x_m.min() >= EAST_M - 5


@pytest.mark.parametrize(
    "changes",
    [
        {"significant": False},
        {"report_pairs": 2},
        {"distance_m": 1_600.0},
        {"kinds": ["vehicle"], "reports_q": 1.0},
        {"reports_q": 0.4},
    ],
)
def test_what_reports_do_not_join_within_a_walk_has_no_way(ends, changes):
    assert ways(ends, link(*ends.values(), **changes)) == []


def test_without_streets_there_is_no_way(ends):
    assert walking_ways(ends, [link(*ends.values())], None, CRS, k=3) == []
    far = road_graph(np.array([shapely.LineString([(0, 0), (100, 0)])], object), np.array([""], object))
    assert ways(ends, link(*ends.values()), roads=far) == []


class Stored:
    crs = CRS


def linked(days):
    """Two places with the same eight cars among twelve others seen elsewhere, over so many days."""
    places = [place(i, EAST_M + 900 * i, NORTH_M) for i in range(6)]
    rng = np.random.default_rng(1)
    rows = []
    for car in range(8):
        at = int(rng.integers(0, days)) * DAY_US
        rows += [(f"car {car}", 0, at), (f"car {car}", 1, at + 3_600_000_000)]
    for car in range(60):
        rows += [(f"other {car}", int(rng.integers(2, 6)), int(rng.integers(0, days)) * DAY_US) for _ in range(2)]
        rows.append((f"other {car}", int(rng.integers(0, 2)), int(rng.integers(0, days)) * DAY_US))
    rows += [
        ("first", 0, 0),
        ("first", 1, 4 * DAY_US),
        ("last", 0, days * DAY_US),
        ("last", 1, days * DAY_US - 4 * DAY_US),
    ]
    hashes, number, at_us = zip(*rows, strict=True)
    x_m = EAST_M + 900.0 * np.array(number)
    frame = pd.DataFrame(
        {
            "vehicle_hash": hashes,
            "x_m": x_m,
            "y_m": NORTH_M,
            "from_us": at_us,
            "to_us": np.array(at_us) + 1,
            "precision_m": 10.0,
        }
    )
    nothing = pd.DataFrame({"from_us": [], "to_us": [], "time_basis": []})
    nowhere = np.empty(0, np.int64)
    links, summary = find_links(
        Stored(), AnalysisParameters(simulations=199), tuple(places), nowhere, nothing, Sightings(frame, None), seed=1
    )
    return [one for one in links if one.significant], summary


def test_places_known_for_less_than_half_a_year_are_not_called_linked():
    long, told = linked(720)
    assert [(one.first_place[-1], one.second_place[-1]) for one in long] == [("0", "1")]
    assert (told["notes"], len(told["groups"])) == ([], 1)
    short, told = linked(MIN_HISTORY_DAYS - 2)
    assert (short, told["groups"], told["significant"]) == ([], [], 0)
    assert "less than half a year" in told["notes"][0]
