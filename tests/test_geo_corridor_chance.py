"""Chance of corridors: moved trips keep what traffic does by itself, and the greatest score of each set decides."""

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from geo.corridor_chance import AWAY, Meetings, chances, followers, moved
from geo.road_graph import road_graph, snap

BLOCK_M, BLOCKS = 200.0, 15


def _town():
    at_m, size_m = np.arange(BLOCKS + 1) * BLOCK_M, BLOCKS * BLOCK_M
    lines = [[(0, y), (size_m, y)] for y in at_m] + [[(x, 0), (x, size_m)] for x in at_m]
    return road_graph(shapely.linestrings(lines), np.full(len(lines), "", object))


TOWN = _town()


def _trips(seed, vehicles=6, trips=2, steps=3):
    rng = np.random.default_rng(seed)
    at_m = rng.uniform(0, BLOCKS * BLOCK_M, (vehicles * trips, steps + 1, 2))
    begin, end = at_m[:, :-1].reshape(-1, 2), at_m[:, 1:].reshape(-1, 2)
    trip = np.repeat(np.arange(vehicles * trips), steps)
    return pd.DataFrame(
        {"vehicle": trip // trips, "trip": trip, "seconds": 60.0, "from_x_m": begin[:, 0], "from_y_m": begin[:, 1],
         "to_x_m": end[:, 0], "to_y_m": end[:, 1]}
    )  # fmt: skip


def _ends(pairs):
    return pairs[["from_x_m", "from_y_m"]].to_numpy(), pairs[["to_x_m", "to_y_m"]].to_numpy()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_moved_trips_are_as_many_as_long_and_on_the_roads(seed):
    pairs = _trips(seed)
    other = moved(TOWN, pairs, np.random.default_rng(seed))
    assert other[["vehicle", "trip", "seconds"]].equals(pairs[["vehicle", "trip", "seconds"]])
    (begin, end), (moved_begin, moved_end) = _ends(pairs), _ends(other)
    length_m = np.hypot(*(end - begin).T)
    ratio = np.hypot(*(moved_end - moved_begin).T) / length_m
    assert (np.abs(ratio - 1) <= AWAY + 1e-9)[(length_m > 300) & (length_m < 1500)].all()  # others find no place as far
    same = np.diff(other["trip"].to_numpy()) == 0
    assert (moved_end[:-1][same] == moved_begin[1:][same]).all()
    assert np.nanmax(snap(TOWN, np.concatenate([moved_begin, moved_end]), 1.0)[2]) < 1e-6


def test_what_a_vehicle_does_daily_stays_one_way():
    daily = pd.concat([_trips(1, 1, 1, 1).assign(trip=day) for day in range(8)], ignore_index=True)
    begin, end = _ends(moved(TOWN, daily, np.random.default_rng(2)))
    ways = {tuple(np.round([*a, *b])) for a, b in zip(begin, end, strict=True)}
    assert len(ways) <= 2  # about its one end or about the other


def test_the_same_seed_gives_the_same_trips_and_another_seed_others():
    pairs = _trips(3)
    first, again, other = (moved(TOWN, pairs, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.equals(again)
    assert not first.equals(other)


def test_directions_are_all_alike_in_the_middle_of_a_town():
    middle = BLOCKS * BLOCK_M / 2
    pairs = pd.DataFrame(
        {"vehicle": range(400), "trip": range(400), "from_x_m": middle, "from_y_m": middle, "to_x_m": middle + 900, "to_y_m": middle}
    )  # fmt: skip
    begin, end = _ends(moved(TOWN, pairs, np.random.default_rng(0)))
    quarter = np.floor(np.arctan2(*(end - begin).T[::-1]) / (np.pi / 2)).astype(int) % 4
    assert np.bincount(quarter, minlength=4).min() >= 60


def _set(vehicles_on_edge, parts):
    most = max(vehicles_on_edge, default=0)
    dense = np.array([[1.0] * many + [0.0] * (most - many) for many in vehicles_on_edge])
    return Meetings(sparse.csr_array(dense), [np.array(part) for part in parts])


def test_a_busy_road_needs_more_than_a_quiet_one():
    length_m = np.array([500.0, 500.0])
    seen = _set([12, 6], [[0], [1]])
    draws = [_set([11 + i % 2, 0], [[0]]) for i in range(19)]
    busy, quiet = chances(length_m, seen, draws)
    assert (busy, quiet) == (1, 1 / 20)


def test_the_best_meeting_anywhere_counts():
    length_m = np.array([500.0, 500.0])
    draws = [_set([0, 6 if i < 4 else 0], [[1]] if i < 4 else []) for i in range(19)]
    assert chances(length_m, _set([5, 0], [[0]]), draws).tolist() == [5 / 20]


def test_followers_use_half_of_the_length():
    used = sparse.csr_array(np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]))
    assert followers(np.array([60.0, 40.0]), np.array([0, 1]), used).tolist() == [0, 2]


@pytest.mark.parametrize("draws", [0, 5])
def test_nothing_seen_has_no_chance(draws):
    assert chances(np.array([500.0]), _set([3], []), [_set([3], [[0]])] * draws).tolist() == []
