"""Clusters of directed pairs against the written rule, and never one of fewer than k vehicles."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.corridors_free import NOISE, cluster_pairs
from geo.errors import InvalidParameter

PLACE = st.tuples(st.integers(0, 12), st.integers(0, 12))
ROWS = st.lists(
    st.tuples(PLACE, PLACE, st.integers(0, 4), st.booleans()).filter(lambda row: row[0] != row[1]),
    min_size=1,
    max_size=25,
)


def _pairs(rows):
    start, end, vehicle, possible = zip(*rows, strict=True)
    start, end = 50.0 * np.array(start), 50.0 * np.array(end)
    return pd.DataFrame(
        {"from_x_m": start[:, 0], "from_y_m": start[:, 1], "to_x_m": end[:, 0], "to_y_m": end[:, 1], "vehicle": vehicle, "possible": possible}
    )  # fmt: skip


def _distance(long, short):
    """Distance of Lee, Han and Whang, step by step as in the paper."""
    (ax, ay), (bx, by) = long
    size = math.dist(*long)
    ux, uy = (bx - ax) / size, (by - ay) / size
    off = [abs((x - ax) * uy - (y - ay) * ux) for x, y in short]
    at = [(x - ax) * ux + (y - ay) * uy for x, y in short]
    perpendicular = sum(one**2 for one in off) / sum(off) if sum(off) else 0.0
    parallel = min(min(abs(one), abs(one - size)) for one in at)
    turn = abs((short[1][0] - short[0][0]) * uy - (short[1][1] - short[0][1]) * ux)
    return perpendicular + parallel + turn


@settings(max_examples=150, deadline=None)
@given(ROWS, st.integers(1, 4), st.sampled_from([61.3, 120.7]))
def test_every_cluster_has_k_vehicles_and_holds_together(rows, k, eps_m):
    pairs = _pairs(rows)
    labels = cluster_pairs(pairs, eps_m=eps_m, k=k)
    assert (labels[~pairs["possible"]] == NOISE).all()
    assert set(labels) - {NOISE} == set(range(labels.max() + 1))
    for label in range(labels.max() + 1):
        assert pairs["vehicle"][labels == label].nunique() >= k
    again = cluster_pairs(pairs[::-1].reset_index(drop=True), eps_m=eps_m, k=k)
    assert again[::-1].tolist() == labels.tolist()


@settings(max_examples=150, deadline=None)
@given(PLACE, PLACE, PLACE, PLACE)
def test_neighbours_are_those_of_the_paper(a, b, c, d):
    one, other = [tuple(50.0 * v for v in p) for p in (a, b)], [tuple(50.0 * v for v in p) for p in (c, d)]
    if a == b or c == d or math.isclose(math.dist(*one), math.dist(*other)):
        return
    long, short = sorted((one, other), key=lambda s: -math.dist(*s))
    turn = abs(
        (math.atan2(b[1] - a[1], b[0] - a[0]) - math.atan2(d[1] - c[1], d[0] - c[0]) + math.pi) % math.tau - math.pi
    )
    near = _distance(long, short) <= 90.3 and turn <= math.radians(45.1)
    labels = cluster_pairs(_pairs([(a, b, 0, True), (c, d, 1, True)]), eps_m=90.3, max_bearing_deg=45.1, k=2)
    assert labels.tolist() == ([0, 0] if near else [NOISE, NOISE])


def test_there_and_back_are_two_clusters():
    there = [((0, i), (12, i), i, True) for i in range(3)]
    back = [((12, i), (0, i), i, True) for i in range(3)]
    assert cluster_pairs(_pairs(there + back), eps_m=101).tolist() == [0, 0, 0, 1, 1, 1]


def test_one_car_driving_daily_is_no_cluster():
    assert cluster_pairs(_pairs([((0, 0), (12, 0), 7, True)] * 20), eps_m=50, k=2).tolist() == [NOISE] * 20


def test_limits_without_meaning_are_refused():
    with pytest.raises(InvalidParameter, match="at least 1"):
        cluster_pairs(_pairs([((0, 0), (1, 0), 0, True)]), eps_m=50, k=0)
    with pytest.raises(InvalidParameter, match="length 0"):
        cluster_pairs(_pairs([((1, 1), (1, 1), 0, True)]), eps_m=50)


@settings(max_examples=100, deadline=None)
@given(ROWS, st.integers(1, 4))
def test_rows_that_come_again_change_no_label(rows, k):
    """The same way of the same vehicle once more is no more vehicles, so all labels stay."""
    labels = cluster_pairs(_pairs(rows), eps_m=120.7, k=k)
    again = cluster_pairs(_pairs([*rows, *rows, *rows]), eps_m=120.7, k=k)
    assert again.tolist() == [*labels, *labels, *labels]


def test_two_fixed_cameras_passed_a_hundred_thousand_times_are_one_segment():
    """Compared each with each they would not fit into memory."""
    passes = _pairs([((0, 0), (8, 0), vehicle, True) for vehicle in range(5)])
    pairs = pd.concat([passes] * 20_000, ignore_index=True)
    assert (cluster_pairs(pairs, eps_m=100.0, k=5) == 0).all()
    assert (cluster_pairs(pairs, eps_m=100.0, k=6) == NOISE).all()
