"""Space-time DBSCAN against the written rule done by brute force, and against the plain one where time does not matter."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from geo.cluster import NOISE, dbscan
from geo.cluster_spacetime import dbscan_spacetime
from geo.errors import InvalidParameter

DAY_US = 86_400_000_000
BASE_US = 1_700_000_000_000_000
# Small grids make stacks, chains and gaps of exactly the thresholds (3-4-5 triangles) common.
ROWS = st.lists(
    st.tuples(st.integers(0, 14), st.integers(0, 14), st.integers(0, 12), st.sampled_from([1.0, 2.0, 0.5])), max_size=50
)
EPS_M = st.sampled_from([0.0, 1.0, 5.0, 5.5])
EPS_DAYS = st.sampled_from([0, 1, 3, 3.5])
MIN_WEIGHT = st.sampled_from([0.5, 1, 2, 3, 4.5])


def _run(rows, eps_m, eps_days, min_weight):
    x_m, y_m, day, weight = np.array(rows, float).reshape(-1, 4).T
    at_us = BASE_US + day.astype(np.int64) * DAY_US
    return dbscan_spacetime(x_m, y_m, at_us, eps_m=eps_m, eps_days=eps_days, min_weight=min_weight, weights=weight)


def _by_rule(rows, eps_m, eps_days, min_weight):
    """Distinct points with weights, labels and core flags, exactly as the rule is written, one step after the other."""
    stacks = {}
    for x, y, day, weight in rows:
        stacks[x, y, day] = stacks.get((x, y, day), 0) + weight
    points = sorted(stacks)
    near = [
        [
            j
            for j, b in enumerate(points)
            if (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 <= eps_m**2 and abs(a[2] - b[2]) <= eps_days
        ]
        for a in points
    ]
    core = [sum(stacks[points[j]] for j in near[i]) >= min_weight for i in range(len(points))]
    labels, number = [NOISE] * len(points), 0
    for start in range(len(points)):
        if not core[start] or labels[start] != NOISE:
            continue
        front = [start]
        while front:
            i = front.pop()
            labels[i] = number
            front += [j for j in near[i] if core[j] and labels[j] == NOISE]
        number += 1
    for i in range(len(points)):
        if not core[i]:
            labels[i] = min((labels[j] for j in near[i] if core[j]), default=NOISE)
    return stacks, points, labels, core


@settings(max_examples=300, deadline=None)
@given(ROWS, EPS_M, EPS_DAYS, MIN_WEIGHT)
@example([(3 * i, 4 * i, 3 * i, 1.0) for i in range(5)], 5.0, 3, 3)
def test_labels_follow_the_written_rule(rows, eps_m, eps_days, min_weight):
    found = _run(rows, eps_m, eps_days, min_weight)
    stacks, points, labels, core = _by_rule(rows, eps_m, eps_days, min_weight)
    assert found.points_m.tolist() == [[x, y] for x, y, _ in points]
    assert found.weights.tolist() == [stacks[point] for point in points]
    assert found.core.tolist() == core
    assert found.point_labels.tolist() == labels
    assert found.labels.tolist() == [labels[points.index(row[:3])] for row in rows]
    assert found.inverse.tolist() == [points.index(row[:3]) for row in rows]
    assert found.n_clusters == max(labels, default=NOISE) + 1


def _by_tree(x_m, y_m, at_us, *, eps_m, eps_us, min_weight):
    """Labels and core flags of distinct points of weight one, from all pairs that a k-d tree finds."""
    i, j = cKDTree(np.column_stack([x_m, y_m])).query_pairs(eps_m * (1 + 1e-9), output_type="ndarray").T
    near = (x_m[i] - x_m[j]) ** 2 + (y_m[i] - y_m[j]) ** 2 <= eps_m * eps_m
    near &= np.abs(at_us[i] - at_us[j]) <= eps_us
    i, j, n = np.concatenate([i[near], j[near]]), np.concatenate([j[near], i[near]]), len(x_m)
    core = 1 + np.bincount(i, minlength=n) >= min_weight
    joined = core[i] & core[j]
    _, component = connected_components(coo_array((np.ones(joined.sum()), (i[joined], j[joined])), shape=(n, n)))
    labels = np.full(n, NOISE)
    _, first, inverse = np.unique(component[core], return_index=True, return_inverse=True)
    labels[core] = np.argsort(np.argsort(first))[inverse]
    lowest, touched = np.full(n, n), ~core[i] & core[j]
    np.minimum.at(lowest, i[touched], labels[j[touched]])
    return np.where(lowest < n, lowest, labels), core


@pytest.mark.parametrize("number", range(24))
def test_a_city_is_clustered_as_by_its_pairs(number):
    rng = np.random.default_rng(number)
    n, extent_m = int(rng.integers(500, 5_000)), float(rng.uniform(300, 6_000))
    eps_m, eps_days = float(rng.choice([10, 50, 97.3, 150])), float(rng.choice([0, 1, 7, 28, 400]))
    min_weight = int(rng.choice([1, 2, 5, 10, 20]))
    spots = rng.uniform(0, extent_m, (12, 2))[rng.integers(0, 12, n)] + rng.normal(0, 40, (n, 2))
    points = np.where(rng.random(n)[:, None] < 0.6, spots, rng.uniform(0, extent_m, (n, 2))) + 350_000
    if number % 3:
        points = np.round(points / (eps_m / 5)) * (eps_m / 5)  # many lie at exactly eps
    rows = np.column_stack([points, rng.integers(0, 730, n)])
    x_m, y_m, day = np.unique(rows, axis=0).T
    at_us = BASE_US + day.astype(np.int64) * DAY_US
    found = dbscan_spacetime(x_m, y_m, at_us, eps_m=eps_m, eps_days=eps_days, min_weight=min_weight)
    labels, core = _by_tree(x_m, y_m, at_us, eps_m=eps_m, eps_us=eps_days * DAY_US, min_weight=min_weight)
    assert found.core.tolist() == core.tolist()
    assert found.point_labels.tolist() == labels.tolist()


def test_a_spot_that_is_always_busy_takes_no_pairs():
    rng, n = np.random.default_rng(5), 60_000  # some two thousand million pairs are neighbours
    x_m, y_m = rng.normal(0, 3, (2, n))
    day = rng.integers(0, 28, n)
    found = dbscan_spacetime(x_m, y_m, day * DAY_US, eps_m=50, eps_days=28, min_weight=1_000)
    assert found.core.all()
    assert set(found.labels.tolist()) == {0}


@settings(max_examples=100, deadline=None)
@given(ROWS, EPS_M, EPS_DAYS, MIN_WEIGHT, st.randoms(use_true_random=False))
def test_row_order_does_not_matter(rows, eps_m, eps_days, min_weight, random):
    rows = [(x, y, day, weight / 3) for x, y, day, weight in rows]  # thirds do not add up exactly
    order = list(range(len(rows)))
    random.shuffle(order)
    found = _run(rows, eps_m, eps_days, min_weight / 3)
    shuffled = _run([rows[i] for i in order], eps_m, eps_days, min_weight / 3)
    assert shuffled.weights.tobytes() == found.weights.tobytes()
    assert shuffled.point_labels.tolist() == found.point_labels.tolist()
    assert shuffled.labels.tolist() == found.labels[order].tolist()


@settings(max_examples=100, deadline=None)
@given(
    ROWS, st.sampled_from([1.0, 5.0, 5.5]), st.sampled_from([1, 2, 3, 5]), st.sampled_from([1e4, 1e30, float("inf")])
)
def test_with_endless_time_it_is_the_plain_clustering(rows, eps_m, min_weight, eps_days):
    rows = [(x, y, day, 1.0) for x, y, day, _ in rows]
    x_m, y_m = np.array(rows, float).reshape(-1, 4)[:, :2].T
    plain = dbscan(x_m, y_m, eps_m=eps_m, min_weight=min_weight)
    assert _run(rows, eps_m, eps_days, min_weight).labels.tolist() == plain.labels.tolist()


@settings(max_examples=60, deadline=None)
@given(ROWS, st.sampled_from([1, 3]), MIN_WEIGHT)
def test_space_is_moved_and_time_shifted_without_effect(rows, eps_days, min_weight):
    x_m, y_m, day, weight = np.array(rows, float).reshape(-1, 4).T
    at_us = day.astype(np.int64) * DAY_US
    kwargs = {"eps_m": 5.0, "eps_days": eps_days, "min_weight": min_weight, "weights": weight}
    near = dbscan_spacetime(x_m, y_m, at_us - 3 * BASE_US, **kwargs)
    far = dbscan_spacetime(x_m + 655_360, y_m + 1_048_576, at_us + BASE_US, **kwargs)
    assert near.labels.tolist() == far.labels.tolist()


def test_both_thresholds_are_inclusive_to_the_microsecond():
    two = np.array([0, 3.0]), np.array([0, 4.0])
    for gap_us, labels in ((2 * DAY_US, [0, 0]), (2 * DAY_US + 1, [NOISE, NOISE]), (-2 * DAY_US, [0, 0])):
        at_us = BASE_US + np.array([0, gap_us])
        assert dbscan_spacetime(*two, at_us, eps_m=5, eps_days=2, min_weight=2).labels.tolist() == labels
    at_us = np.full(2, BASE_US)
    assert dbscan_spacetime(*two, at_us, eps_m=4.999, eps_days=2, min_weight=2).labels.tolist() == [NOISE, NOISE]
    east = np.array([375041.622, 375191.622])  # 150 m apart in real coordinates
    assert dbscan_spacetime(
        east, np.full(2, 164611.882), at_us, eps_m=150, eps_days=0, min_weight=2
    ).labels.tolist() == [0, 0]


def test_a_place_busy_twice_is_two_clusters():
    day = np.array([0, 1, 2, 200, 201, 202])
    found = dbscan_spacetime(np.zeros(6), np.zeros(6), day * DAY_US, eps_m=50, eps_days=7, min_weight=3)
    assert found.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert dbscan(np.zeros(6), np.zeros(6), eps_m=50, min_weight=3).n_clusters == 1


def test_a_stack_keeps_its_weight():
    stack = dbscan_spacetime(
        np.full(1000, 7.0), np.full(1000, 7.0), np.full(1000, BASE_US), eps_m=1, eps_days=1, min_weight=1000
    )
    assert (len(stack.points_m), stack.weights.tolist(), set(stack.labels)) == (1, [1000.0], {0})
    zeros = dbscan_spacetime(
        np.array([0.0, -0.0]), np.array([-0.0, 0.0]), np.zeros(2, int), eps_m=0, eps_days=0, min_weight=2
    )
    assert (zeros.labels.tolist(), len(zeros.points_m)) == ([0, 0], 1)


def test_nothing_and_one():
    nothing = dbscan_spacetime(np.empty(0), np.empty(0), np.empty(0, int), eps_m=1, eps_days=1, min_weight=1)
    assert (len(nothing.labels), nothing.n_clusters, nothing.points_m.shape) == (0, 0, (0, 2))
    one = np.array([1.0]), np.array([1.0]), np.array([BASE_US])
    assert dbscan_spacetime(*one, eps_m=1, eps_days=1, min_weight=2).labels.tolist() == [NOISE]
    assert dbscan_spacetime(*one, eps_m=1, eps_days=1, min_weight=0.5).labels.tolist() == [0]


@pytest.mark.parametrize(
    "wrong", [{"eps_m": -1}, {"eps_days": -1}, {"min_weight": 0}, {"eps_m": float("nan")}, {"eps_days": float("nan")}]
)
def test_thresholds_outside_their_meaning_are_refused(wrong):
    kwargs = {"eps_m": 1, "eps_days": 1, "min_weight": 1} | wrong
    with pytest.raises(InvalidParameter, match="0 or more"):
        dbscan_spacetime(np.zeros(2), np.zeros(2), np.zeros(2, int), **kwargs)


def test_arguments_are_not_changed():
    x_m, at_us, weight = np.array([2.0, 1, 0]), np.array([3, 2, 1]), np.ones(3)
    dbscan_spacetime(x_m, np.zeros(3), at_us, eps_m=1, eps_days=1, min_weight=2, weights=weight)
    assert (x_m.tolist(), at_us.tolist(), weight.tolist()) == ([2, 1, 0], [3, 2, 1], [1, 1, 1])
