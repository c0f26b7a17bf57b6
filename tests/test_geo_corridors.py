"""Corridors over roads: planted routes found among decoys, and never one of fewer than k vehicles."""

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.corridors import corridors
from geo.errors import InvalidParameter
from geo.prism import prism
from geo.sightings import od_pairs
from tests.planted_routes import PRECISION_M, SIZE_M, planted_city, sightings_at, town


def _score(seed, **city):
    truth, sightings = planted_city(seed, **city)
    found = corridors(town(), od_pairs(sightings).pairs).corridors
    near = shapely.union_all([one.geometry_m for one in found]).buffer(50)
    recalled = [route.intersection(near).length / route.length >= 0.8 for route in truth]
    planted = shapely.union_all(np.array(truth, object)).buffer(50)
    right = [one.geometry_m.intersection(planted).length / one.length_m >= 0.8 for one in found]
    return recalled, right


@pytest.mark.parametrize("decoy_minutes", [None, pytest.param(60, marks=pytest.mark.full)], ids=["a year", "an hour"])
def test_planted_routes_are_found_among_decoys(decoy_minutes):
    scores = [_score(seed, decoy_minutes=decoy_minutes) for seed in range(12)]
    assert np.mean([one for recalled, _ in scores for one in recalled]) >= 0.9
    assert np.mean([one for _, right in scores for one in right]) >= 0.9


@pytest.mark.full
def test_decoys_alone_seldom_meet():
    found = [_score(seed, routes=0, decoy_minutes=60)[1] for seed in range(6000, 6016)]
    assert sum(map(bool, found)) <= 3  # 5 % of 16 cities is 0.8, and more than 3 are seen once in 100 times


@pytest.mark.parametrize("trips", [1, 2])
@pytest.mark.parametrize("decoys", [0, 20])
def test_a_straight_road_that_six_drive_is_found_and_more_evidence_does_not_lose_it(trips, decoys):
    rng = np.random.default_rng(3)
    others = [
        sightings_at(rng.uniform(0, SIZE_M, (5, 2)), rng.integers(0, 360, 5) * 1440, f"D{d}") for d in range(decoys)
    ]
    (found,) = _found(_street_trips(6, trips=trips) + others).corridors
    assert (found.vehicles, found.chance) == (6, 1 / 40)


def _street_trips(vehicles, *, trips=1, from_m=40.0, to_m=2210.0, y_m=500.0, first=0):
    """Drives along one street of the town, from west to east where ``from_m`` is the lesser."""
    at_m = np.linspace(from_m, to_m, 4)
    places = np.column_stack([at_m, np.full(4, y_m)])
    return [
        sightings_at(places, 1440 * (trip + 1) + 3 * np.arange(4), f"S{first + vehicle}")
        for vehicle in range(vehicles)
        for trip in range(trips)
    ]


def _found(frames, **limits):
    return corridors(town(), od_pairs(pd.concat(frames, ignore_index=True)).pairs, **limits)


def test_a_corridor_says_what_it_is():
    (found,) = _found(_street_trips(4) + _street_trips(2, trips=2, from_m=2210.0, to_m=40.0, first=4)).corridors
    assert found.geometry_m.equals(shapely.LineString([(0, 500), (2250, 500)]))
    assert (found.vehicles, found.trips, found.names, found.length_m) == (6, 8, ("Road 2",), 2250)
    assert (found.bearing_deg, found.share_forward) == (pytest.approx(90), 0.5)
    assert found.confidence == pytest.approx(1 - found.chance)
    assert found.chance == 1 / 40
    assert found.width_m == pytest.approx(2 * PRECISION_M / 2.448)


def test_one_car_driving_daily_is_one_vehicle():
    assert _found(_street_trips(1, trips=30) + _street_trips(1, first=1)).corridors == ()


def test_impossible_pairs_are_counted_and_used_for_nothing():
    frames = _street_trips(6)
    for frame in frames:
        frame["from_us"] = frame["to_us"] = frame["from_us"].min() + 1_000_000 * np.arange(4)
    found = _found(frames)
    assert (found.corridors, found.counts["impossible"]) == ((), 18)


def test_vague_positions_are_no_evidence_for_a_road():
    frames = [frame.assign(precision_m=600.0) for frame in _street_trips(6)]
    assert _found(frames).corridors == ()


def test_a_grid_of_equal_ways_is_evidence_for_none_of_them():
    ends = [
        sightings_at(np.array([[130.0, 0.0], [4870.0, 5000.0]]), 1440 * (i + 1) + np.array([0, 15]), f"S{i}")
        for i in range(8)
    ]
    assert _found(ends).corridors == ()  # eight cars from corner to corner, each by whichever streets


def test_different_vehicles_one_after_the_other_are_no_corridor():
    frames = _street_trips(3, to_m=1240.0) + _street_trips(3, from_m=1260.0, to_m=2490.0, first=3)
    found = _found(frames, max_chance=1, draws=0).corridors
    assert [(one.vehicles, one.length_m) for one in found] == [(3, 1250), (3, 1250)]


def test_fewer_vehicles_than_chance_would_bring_together_are_counted():
    found = _found(_street_trips(3), max_chance=0)
    assert (found.corridors, found.counts["by_chance"]) == ((), 1)


def test_rows_in_any_order_give_the_same_corridors():
    _, sightings = planted_city(3)
    order = np.random.default_rng(1).permutation(len(sightings))
    first = corridors(town(), od_pairs(sightings).pairs).corridors
    again = corridors(town(), od_pairs(sightings.iloc[order]).pairs).corridors
    assert [one.edges.tolist() for one in again] == [one.edges.tolist() for one in first]
    assert [one.confidence for one in again] == [one.confidence for one in first]


PLACES = st.tuples(st.integers(0, 100), st.integers(0, 100)).map(lambda at: (at[0] * 10.0, at[1] * 10.0))
DRIVES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), PLACES, PLACES), min_size=1, max_size=30)


@settings(max_examples=150, deadline=None)
@given(DRIVES, st.integers(2, 4))
def test_no_corridor_ever_has_fewer_than_k_vehicles(drives, k):
    graph = town(4)
    frames = [
        sightings_at(np.array([start, end]), 1440 * i + np.array([0, 5]), f"S{vehicle}")
        for i, (vehicle, repeat, start, end) in enumerate(drives)
        for _ in range(repeat + 1)
    ]
    pairs = od_pairs(pd.concat(frames, ignore_index=True)).pairs
    found = corridors(graph, pairs, k=k, min_length_m=1, max_chance=1, draws=0).corridors
    junctions = {tuple(at) for at in graph.nodes_m.tolist()}
    for one in found:
        assert k <= one.vehicles <= pairs["vehicle"].nunique()
        assert 0 <= one.confidence <= 1
        assert len(_drivers(pairs, graph, one.edges)) >= k
        ends = shapely.get_coordinates(shapely.get_parts(one.geometry_m))
        assert {tuple(at) for at in ends.tolist()} <= junctions
    listed = np.concatenate([one.edges for one in found]) if found else np.empty(0)
    assert len(np.unique(listed)) == len(listed)
    for edge in listed:
        assert len(_drivers(pairs, graph, [edge])) >= k


def _drivers(pairs, graph, edges):
    """Vehicles whose kernel weight on an edge can be 0.5: their detour is at most 69.4 m."""
    reach = prism(graph, pairs[pairs["possible"]], detour_m=69.4)
    return set(pairs.loc[pairs["possible"], "vehicle"].to_numpy()[reach.pair[np.isin(reach.edge, edges)]])


def test_no_pairs_and_limits_without_meaning():
    none = od_pairs(sightings_at(np.zeros((1, 2)), [0], "S0")).pairs
    assert corridors(town(4), none).corridors == ()
    with pytest.raises(InvalidParameter):
        corridors(town(4), none, k=0)
