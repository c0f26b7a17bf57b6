"""What a second reading of routes and links found: no line from two cameras, no stop nobody made, no link from afar."""

import numpy as np
import pandas as pd
import pytest
import shapely

from app.services import movements as moving
from app.services.linking import MAX_VISIT_PRECISION_M, _prisms, _visits
from app.services.movements import movements
from app.services.routing import LEAST_FIXES, TRACED_S, Sightings, find_routes, fixes_of
from geo.crs import MetricCrs
from geo.parameters import AnalysisParameters
from geo.road_graph import road_graph

CRS = MetricCrs()
EAST_M, NORTH_M = 375_000.0, 165_000.0
SECOND_US = 1_000_000


def frame(rows, precision_m=10.0):
    """Sightings of (vehicle, second, x, y) from a corner."""
    vehicle, second, x_m, y_m = zip(*rows, strict=True)
    at_us = (np.array(second) * SECOND_US).astype(np.int64)
    seen = {"vehicle_hash": vehicle, "from_us": at_us, "to_us": at_us, "precision_m": precision_m}
    return pd.DataFrame(seen).assign(x_m=EAST_M + np.array(x_m, float), y_m=NORTH_M + np.array(y_m, float))


def cameras(seconds, xs_m, vehicles=3):
    """Each vehicle passes the same cameras, a day after the other."""
    return frame(
        [
            (f"car {car}", 86_400 * car + at, x, 3 * car)
            for car in range(vehicles)
            for at, x in zip(seconds, xs_m, strict=True)
        ]
    )


def routes(seen):
    return find_routes(Sightings(seen, None), AnalysisParameters(), CRS, seed=1)


@pytest.mark.parametrize(
    ("seconds", "apart_m"),
    [(300, 2_000), (300, 6_250), (60, 71_700), (0, 2_000), (20, 300)],
    ids=["5 min", "5 min, 6 km", "1 min, 72 km", "at once", "near"],
)
def test_two_cameras_make_no_line(seconds, apart_m):
    assert routes(cameras([0, seconds], [0, apart_m]))[0] == []


def test_three_fixes_round_a_corner_make_no_line():
    rows = [(f"car {car}", 86_400 * car + at, x, y) for car in range(3) for at, x, y in CORNER]
    assert routes(frame(rows))[0] == []


CORNER = [(0, 0, 0), (300, 2_000, 0), (600, 2_000, 2_200)]


@pytest.mark.parametrize("apart_m", [400, 650, 1_000, 2_000])
def test_a_chain_of_cameras_makes_no_line_however_many_pass_it(apart_m):
    """Ten cameras are fixes enough, but most of the line would be made up."""
    number = np.arange(10)
    found, told = routes(cameras(200 * number, apart_m * number, vehicles=12))
    assert found == []
    assert told["impossible"] == 0


def dense(car, start_s=0, *, start_m=0.0, fixes=40):
    """A fix every ten seconds at 36 km/h."""
    return [(f"car {car}", start_s + 10 * i, start_m + 100.0 * i, 3.0 * car) for i in range(fixes)]


def test_a_dense_track_is_still_a_line_and_what_nobody_can_have_driven_is_none_of_it():
    """Half a minute after the end of the first stretch each is seen on a second one, nine kilometres on."""
    rows = [row for car in range(3) for row in [*dense(car), *dense(car, 420, start_m=13_000)]]
    found, told = routes(frame(rows))
    assert [one["vehicles"] for one in found] == [3, 3]
    assert all(3_500 <= one["evidence"]["length_m"] <= 4_100 for one in found)
    assert told["impossible"] == 3


def test_a_hole_in_dense_tracks_is_not_drawn_however_well_the_rest_is_seen():
    rows = [row for car in range(3) for row in [*dense(car), *dense(car, 700, start_m=7_000)]]
    found, told = routes(frame(rows))
    assert told["impossible"] == 0
    assert [one["vehicles"] for one in found] == [3, 3]
    assert all(one["confidence"] == 1.0 and one["evidence"]["length_m"] <= 4_100 for one in found)


def test_a_line_of_which_little_was_seen_is_left_out_and_counted():
    """Cameras every 650 m: near enough to be led over, but only 180 m round each were seen."""
    number = np.arange(8)
    found, told = routes(cameras(100 * number, 650 * number))
    assert (found, told["little_seen"]) == ([], 1)


@pytest.mark.parametrize(("fixes", "kept"), [(LEAST_FIXES - 1, 0), (LEAST_FIXES, LEAST_FIXES)])
def test_a_track_has_a_least_number_of_fixes(fixes, kept):
    assert len(fixes_of(frame(dense(0, fixes=fixes)), TRACED_S)) == kept


def test_a_sighting_known_to_an_hour_only_is_no_fix():
    seen = frame(dense(0, fixes=20))
    seen.loc[7, "to_us"] = seen.loc[7, "from_us"] + 3_600 * SECOND_US
    assert 7 not in set(fixes_of(seen, TRACED_S)["row"])


def test_fixes_do_not_depend_on_the_order_of_rows():
    seen = frame([*dense(0), ("car 0", 50, 4_000, 0), ("car 0", 50, 9_000, 0), *dense(1)])
    mixed = seen.iloc[np.random.default_rng(1).permutation(len(seen))].reset_index(drop=True)
    columns = ["x_m", "y_m", "at_us", "vehicle", "trip"]
    pd.testing.assert_frame_equal(fixes_of(seen, TRACED_S)[columns], fixes_of(mixed, TRACED_S)[columns])


def test_nobody_stood_between_two_trips_with_a_sighting_elsewhere_between_them():
    """A trip ends where, two days later, the next begins; on the day between the car was 50 km away."""
    rows = []
    for car in range(3):
        rows += [(f"car {car}", 60 * i, 200 * i, 3 * car) for i in range(6)]
        rows += [(f"car {car}", 86_400, 50_000, 0)]
        rows += [(f"car {car}", 172_800 + 60 * i, 1_000 - 200 * i, 3 * car) for i in range(6)]
    assert movements(Sightings(frame(rows), None), CRS, k=3)["stops"] == []


def test_one_vehicle_on_three_trips_is_one_vehicle_at_a_stop():
    day = [(60 * i, min(i, 5) * 200 + max(i - 11, 0) * 200) for i in range(16)]
    rows = [("car", 86_400 * trip + at, x, 0) for trip in range(3) for at, x in day]
    assert movements(Sightings(frame(rows), None), CRS, k=2)["stops"] == []


def test_a_dense_track_is_one_way_from_its_first_fix_to_its_last():
    seen = frame([row for car in range(3) for row in dense(car)])
    (told,) = movements(Sightings(seen, None), CRS, k=3)["directions"]
    assert (told["vehicles"], told["trips"]) == (3, 3)
    assert told["from_cell"] != told["to_cell"]


def test_there_and_back_is_no_direction():
    rows = [(f"car {car}", 60 * i, 300 * min(i, 20 - i), 3 * car) for car in range(3) for i in range(21)]
    assert movements(Sightings(frame(rows), None), CRS, k=3)["directions"] == []


def test_ends_in_one_cell_are_no_direction():
    assert movements(Sightings(cameras([0, 300], [0, 110], vehicles=4), None), CRS, k=3)["directions"] == []


def test_a_way_that_two_cameras_share_is_told_wherever_the_vehicles_go_on_to():
    rows = []
    for car in range(4):
        rows += [(f"car {car}", 86_400 * car, 0, 0), (f"car {car}", 86_400 * car + 900, 4_000, 0)]
        rows += [(f"car {car}", 86_400 * car + 2_700, 4_000 + 3_000 * (car - 2), 9_000)]
    told = movements(Sightings(frame(rows), None), CRS, k=4)["directions"]
    assert [(one["vehicles"], one["trips"]) for one in told] == [(4, 4)]


def test_ways_beyond_the_bound_are_left_out_oldest_first_and_said(monkeypatch):
    old = cameras([0, 1_800], [0, 4_000], vehicles=4)
    new = cameras([0, 1_800], [20_000, 29_000], vehicles=4)
    new[["from_us", "to_us"]] += 86_400 * 100 * SECOND_US
    seen = pd.concat([old, new], ignore_index=True)
    both = movements(Sightings(seen, None), CRS, k=3)
    assert (len(both["directions"]), both["notes"]) == (2, [])
    monkeypatch.setattr(moving, "MAX_WAYS", 4)
    cut = movements(Sightings(seen, None), CRS, k=3)
    assert cut["notes"] == ["Directions: only the newest 4 of 8 ways between sightings are compared."]
    assert [one["vehicles"] for one in cut["directions"]] == [4]
    assert cut["directions"][0] in both["directions"]


def test_the_same_way_again_does_not_count_against_the_bound(monkeypatch):
    """Two fixed cameras, passed every day for a month by four cars."""
    rows = [
        (f"car {car}", 86_400 * day + 60 * car + at, x, 0)
        for car in range(4)
        for day in range(30)
        for at, x in ((0, 0), (900, 4_000))
    ]
    monkeypatch.setattr(moving, "MAX_WAYS", 1)
    told = movements(Sightings(frame(rows), None), CRS, k=3)
    assert (told["directions"][0]["trips"], told["notes"]) == (120, [])


@pytest.mark.parametrize("precision_m", [MAX_VISIT_PRECISION_M, MAX_VISIT_PRECISION_M + 1, 900.0])
def test_a_prism_begins_only_where_a_visit_would_be(precision_m):
    roads = road_graph(shapely.linestrings([[(EAST_M, NORTH_M), (EAST_M + 3_000, NORTH_M)]]), np.array(["A"], object))
    outlines_m = shapely.box(
        EAST_M + np.array([-20, 2_980]), NORTH_M - 20, EAST_M + np.array([20, 3_020]), NORTH_M + 20
    )
    seen = Sightings(
        frame([(f"car {car}", at, 2.5 * at, 0) for car in range(3) for at in (0, 600)], precision_m), roads
    )
    known = precision_m <= MAX_VISIT_PRECISION_M
    assert len(_visits(seen, outlines_m)) == (3 if known else 0)
    assert sorted(_prisms(seen, outlines_m)["actor"]) == ([0, 1, 2] if known else [])


def test_a_prism_begins_at_the_nearest_place_only():
    """A sighting between two places, both within 30 m, was at the nearer one."""
    roads = road_graph(shapely.linestrings([[(EAST_M, NORTH_M), (EAST_M + 3_000, NORTH_M)]]), np.array(["A"], object))
    west = np.array([-20, 40, 2_980])
    outlines_m = shapely.box(EAST_M + west, NORTH_M - 20, EAST_M + west + 20, NORTH_M + 20)
    seen = Sightings(frame([("car", 0, 14, 0), ("car", 600, 1_500, 0)]), roads)
    assert set(_prisms(seen, outlines_m)["place"]) == {0}
