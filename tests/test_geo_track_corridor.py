"""Corridors without a road network: planted ways, the rule of k vehicles, and a bus route found again when thinned."""

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from geo.crs import MetricCrs
from geo.errors import InvalidParameter
from geo.track_corridor import JITTER_M, track_corridors

REACH_M, PRECISION_M = 40.0, 10.0


def _trip(way, number, vehicle, *, spacing_m=60.0, start_m=0.0, noise_m=5.0):
    """Fixes along a way, a fix every 8 s, with seeded Gaussian noise."""
    line = shapely.LineString(way)
    at_m = shapely.get_coordinates(line.interpolate(np.arange(start_m, line.length, spacing_m)))
    at_m = at_m + np.random.default_rng(number).normal(0, noise_m, at_m.shape)
    return pd.DataFrame(
        {
            "x_m": at_m[:, 0],
            "y_m": at_m[:, 1],
            "at_us": np.arange(len(at_m)) * 8_000_000 + number * 10**9,
            "trip": number,
            "vehicle": vehicle,
            "precision_m": PRECISION_M,
        }
    )


def _fixes(*ways, vehicles=4, first=0):
    trips = [
        _trip(way, first + 100 * number + vehicle, first + 100 * number + vehicle, start_m=7.0 * vehicle)
        for number, way in enumerate(ways)
        for vehicle in range(vehicles)
    ]
    return pd.concat(trips, ignore_index=True)


def _lines(corridors):
    return shapely.linestrings(
        np.concatenate([one.line_m for one in corridors]),
        indices=np.repeat(np.arange(len(corridors)), [len(one.line_m) for one in corridors]),
    )


def _sampled(lines):
    return np.concatenate(
        [shapely.points(shapely.get_coordinates(line.interpolate(np.arange(0, line.length, 5)))) for line in lines]
    )


BEND = [(0, 0), (1200, 0), (1200, 1200)]


def test_a_bend_is_followed():
    (found,) = track_corridors(_fixes(BEND))
    way, line = shapely.LineString(BEND), shapely.LineString(found.line_m)
    assert shapely.distance(way, _sampled([line])).max() < 25  # the corner is rounded
    assert shapely.distance(line, _sampled([way])).max() < 60
    assert (found.vehicles, found.trips, found.directed, found.vehicles_along.min()) == (4, 4, True, 4)
    assert found.confidence == 1.0
    assert 10 < found.width_m < 50
    assert np.hypot(*(found.line_m[0] - [0, 0])) < 100  # drawn the way it was driven


def test_two_crossing_corridors_stay_two():
    east, north = [(0, 0), (2000, 0)], [(1000, -1000), (1000, 1000)]
    found = track_corridors(_fixes(east, north))
    assert len(found) == 2
    for one in found:
        apart = [shapely.distance(shapely.LineString(way), shapely.points(one.line_m)).max() for way in (east, north)]
        assert min(apart) < 15
        assert one.vehicles == 4
        assert len(one.line_m) * 25 > 1700


def test_a_decoy_of_one_vehicle_and_one_of_two_never_appear():
    lone = pd.concat([_trip([(0, 900), (2000, 900)], 900 + n, 900, start_m=n) for n in range(6)])
    two = _fixes([(0, -900), (2000, -900)], vehicles=2, first=800)
    found = track_corridors(pd.concat([_fixes([(0, 0), (2000, 0)]), lone, two], ignore_index=True))
    assert len(found) == 1
    assert np.abs(found[0].line_m[:, 1]).max() < 15


def test_a_stretch_of_fewer_vehicles_is_cut_off():
    whole = pd.concat([_trip([(0, 0), (3000, 0)], n, n) for n in (1, 2)])
    part = _trip([(1000, 0), (2000, 0)], 3, 3)
    (found,) = track_corridors(pd.concat([whole, part], ignore_index=True))
    assert 930 < found.line_m[0, 0] < found.line_m[-1, 0] < 2070
    assert (found.vehicles_along == 3).all()


def test_both_ways_along_one_road_are_one_undirected_corridor():
    back = [(2000, 0), (0, 0)]
    (found,) = track_corridors(_fixes([(0, 0), (2000, 0)], back, vehicles=2))
    assert not found.directed
    assert found.vehicles == 4
    (reversed_,) = track_corridors(_fixes(back))
    assert reversed_.directed
    assert reversed_.line_m[0, 0] > reversed_.line_m[-1, 0]


def test_sparse_fixes_follow_the_road_of_all_and_say_that_they_infer():
    sparse = [_trip(BEND, n, n, spacing_m=700, start_m=90.0 * n) for n in range(8)]
    (found,) = track_corridors(pd.concat(sparse, ignore_index=True))
    assert shapely.distance(shapely.LineString(BEND), shapely.points(found.line_m)).max() < 60
    assert found.confidence < 0.9


def test_a_long_silence_is_not_bridged():
    ends = [_trip([(0, 0), (3000, 0)], n, n, spacing_m=3000 - 1e-6).assign(at_us=[0, 10**9]) for n in range(4)]
    assert track_corridors(pd.concat(ends, ignore_index=True)) == []


def test_stops_do_not_make_corridors():
    rng = np.random.default_rng(5)
    parked = [
        pd.DataFrame(
            {"x_m": rng.normal(0, 5, 80), "y_m": rng.normal(0, 5, 80), "at_us": np.arange(80) * 10**7, "trip": n}
        )
        for n in range(4)
    ]
    fixes = pd.concat(parked, ignore_index=True)
    assert track_corridors(fixes.assign(vehicle=fixes["trip"], precision_m=PRECISION_M)) == []


def test_no_vertex_is_a_fix_even_where_fixes_lie_on_the_very_line():
    exact = [_trip([(0, 0), (1000, 0)], n, n, spacing_m=25, noise_m=0) for n in range(3)]
    fixes = pd.concat(exact, ignore_index=True)
    (found,) = track_corridors(fixes)
    assert cKDTree(fixes[["x_m", "y_m"]]).query(found.line_m)[0].min() >= 0.3


def test_row_order_and_arguments():
    rng = np.random.default_rng(1)
    fixes = _fixes(BEND, [(0, 600), (2000, 500)])
    before = fixes.copy()
    found = track_corridors(fixes)
    again = track_corridors(fixes.iloc[rng.permutation(len(fixes))])
    assert [one.line_m.tolist() for one in again] == [one.line_m.tolist() for one in found]
    pd.testing.assert_frame_equal(fixes, before)


def test_a_trip_number_that_vehicles_share_does_not_join_their_tracks():
    alike = pd.concat([_trip(BEND, 1, vehicle, start_m=7.0 * vehicle) for vehicle in range(3)], ignore_index=True)
    (found,) = track_corridors(alike)
    assert (found.vehicles, found.directed, found.confidence) == (3, True, 1.0)


@pytest.mark.parametrize("wrong", [{"k": 1}, {"reach_m": 0}, {"min_length_m": -1.0}])
def test_parameters_outside_their_meaning(wrong):
    with pytest.raises(InvalidParameter):
        track_corridors(_fixes(BEND), **wrong)


def test_a_fix_without_position_is_refused_and_nothing_is_nothing():
    with pytest.raises(InvalidParameter, match="finite"):
        track_corridors(_fixes(BEND).assign(x_m=np.nan))
    assert track_corridors(_fixes(BEND).iloc[:0]) == []
    assert track_corridors(_fixes(BEND).groupby("trip").head(1)) == []


CORNER = st.tuples(st.integers(0, 8), st.integers(0, 8))
JOURNEYS = st.lists(
    st.tuples(st.integers(0, 4), st.lists(CORNER, min_size=2, max_size=4, unique=True)), min_size=3, max_size=9
)


@settings(max_examples=60, deadline=None)
@given(JOURNEYS, st.integers(2, 4))
def test_no_stretch_with_fewer_than_k_distinct_vehicles_is_ever_returned(journeys, k):
    trips = [_trip(np.array(way) * 200.0, n, vehicle) for n, (vehicle, way) in enumerate(journeys)]
    fixes = pd.concat(trips, ignore_index=True)
    driven = fixes.groupby(["vehicle", "trip"])[["x_m", "y_m"]].apply(lambda at: shapely.LineString(at.to_numpy()))
    driven = driven.groupby("vehicle").agg(lambda lines: shapely.MultiLineString(list(lines)))
    for one in track_corridors(fixes, k=k):
        away_m = shapely.distance(driven.to_numpy()[:, None], shapely.points(one.line_m)[None])
        assert (away_m <= REACH_M + PRECISION_M + JITTER_M).sum(axis=0).min() >= k
        assert one.vehicles >= one.vehicles_along.max() >= one.vehicles_along.min() >= k
        assert cKDTree(fixes[["x_m", "y_m"]]).query(one.line_m)[0].min() > 0


@pytest.fixture(scope="module")
def bus(real_data):
    table = pd.read_csv(real_data / "trajectories/liverpool-bus-route14.csv.gz")
    x_m, y_m = MetricCrs().project(table["longitude"].to_numpy(), table["latitude"].to_numpy())
    fixes = pd.DataFrame(
        {
            "x_m": x_m,
            "y_m": y_m,
            "at_us": pd.to_datetime(table["timestamp"]).to_numpy().astype("datetime64[us]").astype(np.int64),
            "trip": table["trip_id"],
            "vehicle": table["vehicle_id"],
            "precision_m": PRECISION_M,
        }
    )
    return fixes.sort_values(["trip", "at_us"], ignore_index=True)


@pytest.mark.real
def test_the_bus_route_is_found(bus):
    found = track_corridors(bus)
    lines = _lines(found)
    fixes = shapely.points(bus["x_m"], bus["y_m"])
    assert (shapely.distance(shapely.union_all(lines), fixes) <= 30).mean() >= 0.95
    far = cKDTree(bus[["x_m", "y_m"]]).query(shapely.get_coordinates(_sampled(lines)))[0] > 50
    assert far.mean() <= 0.05
    assert (len(found), found[0].vehicles, found[0].directed) == (1, 8, True)


@pytest.mark.real
@pytest.mark.parametrize("offset", range(10))
def test_the_bus_route_thinned_to_one_fix_in_ten_is_the_same(bus, offset):
    thinned = bus[bus.groupby("trip").cumcount() % 10 == offset]
    full, thin = (_lines(track_corridors(fixes)) for fixes in (bus, thinned))
    assert np.percentile(shapely.distance(shapely.union_all(thin), _sampled(full)), 95) <= 100
    assert np.percentile(shapely.distance(shapely.union_all(full), _sampled(thin)), 95) <= 100


@pytest.mark.parametrize(("hole_m", "lines"), [(600, 1), (900, 2)])
def test_a_hole_where_no_track_was_seen_is_not_led_over(hole_m, lines):
    """Three vehicles are seen every 60 m on both sides of a hole; a fourth is nowhere near it."""
    trips = [_trip([(0, 0), (1500, 0)], n, n, start_m=5.0 * n) for n in range(3)]
    trips += [
        _trip([(1500 + hole_m, 0), (3000 + hole_m, 0)], n, n, start_m=5.0 * n).assign(
            at_us=lambda one: one["at_us"] + 400_000_000
        )
        for n in range(3)
    ]
    apart = _trip([(0, 5000), (1000, 5000)], 9, 9)
    found = track_corridors(pd.concat([*trips, apart], ignore_index=True))
    assert len(found) == lines
    assert (min(one.seen for one in found) < 1) == (lines == 1)


def test_what_anybody_was_seen_on_is_told_beside_what_k_were_seen_on():
    ends = [_trip(BEND, n, n, spacing_m=600, start_m=30.0 + 150 * (n % 4)) for n in range(4)]
    (found,) = track_corridors(pd.concat(ends, ignore_index=True))
    assert found.seen == 1.0
    assert found.confidence < 0.5
