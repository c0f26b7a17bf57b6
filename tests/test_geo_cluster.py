"""DBSCAN against scikit-learn, against the raw rows, and against the written rule done by brute force."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist
from sklearn.cluster import DBSCAN

from geo.cluster import NOISE, dbscan, width_m
from geo.model import ClusterAlgorithm

# Small grids make ties, stacks, chains and distances of exactly eps (3-4-5 triangles) common.
POINTS = st.lists(st.tuples(st.integers(0, 24), st.integers(0, 24), st.integers(1, 3)), min_size=0, max_size=60)
EPS = st.sampled_from([1.0, 2.0, 5.0, 5.5])
MIN_WEIGHT = st.sampled_from([1, 2, 3, 4, 6, 2.5])


def _by_both(points, weights, eps_m, min_weight):
    """Core flags of the grid, and of scikit-learn, whose labels must be the grid's too."""
    x_m, y_m = np.array(points, float).T
    asked = {"eps_m": eps_m, "min_weight": min_weight, "weights": np.asarray(weights, float)}
    grid, other = (
        dbscan(x_m, y_m, algorithm=one, **asked) for one in (ClusterAlgorithm.GRID, ClusterAlgorithm.SKLEARN)
    )
    assert grid.labels.tolist() == other.labels.tolist()
    return grid.core.tolist(), other.core.tolist()


def _run(rows, eps_m, min_weight):
    x_m, y_m, weight = np.array(rows, float).reshape(-1, 3).T
    return x_m, y_m, weight, dbscan(x_m, y_m, eps_m=eps_m, min_weight=min_weight, weights=weight)


def _by_rule(points, weights, eps_m, min_weight):
    """Labels and core flags exactly as the rule is written, one step after the other."""
    near = ((points[:, None] - points[None]) ** 2).sum(axis=2) <= eps_m**2
    core = near @ weights >= min_weight
    labels = np.full(len(points), NOISE)
    number = 0
    for start in range(len(points)):
        if not core[start] or labels[start] != NOISE:
            continue
        front = [start]
        while front:
            labels[front] = number
            front = np.flatnonzero(near[front].any(axis=0) & core & (labels == NOISE)).tolist()
        number += 1
    for border in np.flatnonzero(~core):
        reached = labels[near[border] & core]
        labels[border] = reached.min(initial=number) if len(reached) else NOISE
    return labels, core


@settings(max_examples=250, deadline=None)
@given(POINTS, EPS, MIN_WEIGHT)
@example([(0, 0, 1), (5, 0, 1), (10, 0, 1), (15, 0, 1), (20, 0, 1)], 5.0, 3)
def test_labels_follow_the_written_rule(rows, eps_m, min_weight):
    x_m, y_m, weight, found = _run(rows, eps_m, min_weight)
    order = np.lexsort((found.points_m[:, 1], found.points_m[:, 0]))
    assert order.tolist() == list(range(len(order)))
    assert {tuple(p) for p in found.points_m} == set(zip(x_m, y_m, strict=True))
    assert found.weights.sum() == weight.sum()
    labels, core = _by_rule(found.points_m, found.weights, eps_m, min_weight)
    assert found.core.tolist() == core.tolist()
    assert found.point_labels.tolist() == labels.tolist()
    assert found.labels.tolist() == labels[found.inverse].tolist()
    assert found.n_clusters == labels.max(initial=NOISE) + 1


@settings(max_examples=80, deadline=None)
@given(POINTS.filter(len), EPS, st.sampled_from([1, 2, 3, 4, 6]))
def test_labels_equal_scikit_learn_in_canonical_order(rows, eps_m, min_weight):
    _, _, _, found = _run(rows, eps_m, min_weight)
    model = DBSCAN(eps=eps_m, min_samples=min_weight, algorithm="kd_tree")
    model.fit(found.points_m, sample_weight=found.weights)
    assert found.point_labels.tolist() == model.labels_.tolist()


# Sums of halves and quarters are exact; what they are held against need not be, and lies just above or below a sum.
EXACT_WEIGHT = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0, 2.0, 3.25])
TENTHS = [0.1, 0.3, 0.7, 1.1, 1.2, 1.3, 2.3, 4.1]
BESIDE = [float(np.nextafter(sum_, side)) for sum_ in (0.25, 1.5, 2.0, 2.75) for side in (0, 9)]
THRESHOLD = st.sampled_from([0.25, 0.75, 1.25, 1.5, 1.75, 2.25, 2.5, 2.75, 3.0, *TENTHS, *BESIDE])


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12), EXACT_WEIGHT), min_size=1, max_size=40), EPS, THRESHOLD
)
@example([(0, 0, 0.5), (1, 0, 0.75), (0, 1, 0.5)], 5.0, 1.75)
def test_a_fractional_threshold_is_the_same_for_scikit_learn(rows, eps_m, min_weight):
    points, weights = [row[:2] for row in rows], [row[2] for row in rows]
    core, other = _by_both(points, weights, eps_m, min_weight)
    assert core == other


@pytest.mark.parametrize("min_weight", TENTHS)
def test_a_threshold_in_tenths_is_met_by_as_much_and_by_no_less(min_weight):
    points, less = [(0, 0), (900, 0), (901, 0)], np.nextafter(min_weight, 0)
    for algorithm_core in _by_both(points, [min_weight, less, 0], 5.0, min_weight):
        assert algorithm_core == [True, False, False]


@pytest.mark.parametrize("min_weight", [5e-324, 1e-300, 1e-9, 1e300])
def test_thresholds_and_weights_of_any_size_do_not_overflow(min_weight):
    core, other = _by_both([(0, 0), (900, 0), (1800, 0)], [1e305, 1e-310, 0], 5.0, min_weight)
    assert core == other == [True, min_weight <= 1e-310, False]


@settings(max_examples=80, deadline=None)
@given(POINTS.filter(len), EPS, st.sampled_from([1, 2, 3, 4, 6]))
def test_core_partition_and_noise_equal_those_of_the_raw_rows(rows, eps_m, min_weight):
    x_m, y_m, weight, found = _run(rows, eps_m, min_weight)
    repeat = np.repeat(np.arange(len(x_m)), weight.astype(int))
    raw = DBSCAN(eps=eps_m, min_samples=min_weight, algorithm="kd_tree").fit(np.column_stack([x_m, y_m])[repeat])
    raw_core = np.isin(np.arange(len(repeat)), raw.core_sample_indices_)
    assert raw_core.tolist() == found.core[found.inverse][repeat].tolist()
    assert (raw.labels_ == NOISE).tolist() == (found.labels[repeat] == NOISE).tolist()
    pairs = set(zip(raw.labels_[raw_core].tolist(), found.labels[repeat][raw_core].tolist(), strict=True))
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


@settings(max_examples=80, deadline=None)
@given(POINTS, EPS, MIN_WEIGHT, st.randoms(use_true_random=False))
def test_row_order_does_not_matter(rows, eps_m, min_weight, random):
    order = list(range(len(rows)))
    random.shuffle(order)
    _, _, _, found = _run(rows, eps_m, min_weight)
    _, _, _, shuffled = _run([rows[i] for i in order], eps_m, min_weight)
    assert shuffled.point_labels.tolist() == found.point_labels.tolist()
    assert shuffled.labels.tolist() == found.labels[order].tolist()


def test_exactly_at_eps_is_a_neighbour_and_a_millimetre_more_is_not():
    assert dbscan(np.array([0, 3.0]), np.array([0, 4.0]), eps_m=5, min_weight=2).labels.tolist() == [0, 0]
    assert dbscan(np.array([0, 3.001]), np.array([0, 4.0]), eps_m=5, min_weight=2).labels.tolist() == [
        NOISE,
        NOISE,
    ]
    east = np.array([375041.622, 375191.622])  # 150 m apart in real coordinates
    assert dbscan(east, np.full(2, 164611.882), eps_m=150, min_weight=2).labels.tolist() == [0, 0]


def test_a_border_point_between_two_clusters_joins_the_lower():
    x_m, weight = np.array([12, 8, 4, 0, -4.0]), np.array([3, 1, 1, 1, 3.0])
    found = dbscan(x_m, np.zeros(5), eps_m=4, min_weight=5, weights=weight)
    assert found.core.tolist() == [False, True, False, True, False]
    assert found.labels.tolist() == [1, 1, 0, 0, 0]


def test_stacks_and_nothing():
    stack = dbscan(np.full(1000, 7.0), np.full(1000, 7.0), eps_m=1, min_weight=1000)
    assert (len(stack.points_m), stack.n_clusters, set(stack.labels)) == (1, 1, {0})
    assert dbscan(np.full(999, 7.0), np.full(999, 7.0), eps_m=1, min_weight=1000).n_clusters == 0
    nothing = dbscan(np.empty(0), np.empty(0), eps_m=1, min_weight=1)
    assert (len(nothing.labels), nothing.n_clusters, nothing.points_m.shape) == (0, 0, (0, 2))
    assert dbscan(np.array([1.0]), np.array([1.0]), eps_m=1, min_weight=2).labels.tolist() == [NOISE]
    assert dbscan(np.array([1.0]), np.array([1.0]), eps_m=1, min_weight=0.5).labels.tolist() == [0]
    zeros = dbscan(np.array([0.0, -0.0]), np.array([-0.0, 0.0]), eps_m=1, min_weight=2)
    assert zeros.labels.tolist() == [0, 0]


def test_arguments_are_not_changed():
    x_m, y_m, weight = np.array([2.0, 1, 0]), np.zeros(3), np.ones(3)
    dbscan(x_m, y_m, eps_m=1, min_weight=2, weights=weight)
    assert (x_m.tolist(), weight.tolist()) == ([2, 1, 0], [1, 1, 1])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-999, 999), st.integers(-999, 999)), min_size=2, max_size=90),
    st.booleans(),
)
def test_width_is_the_largest_distance(points, flat):
    points = np.array(points, float)
    if flat:
        points[:, 1] = 2 * points[:, 0]
    assert width_m(points) == pytest.approx(pdist(points).max())


@pytest.mark.parametrize("angle", [0.0, 0.1, np.pi / 4, np.pi / 2, 3.0])
def test_width_of_a_long_straight_road(angle):
    along = np.linspace(0, 800, 200)
    points = np.round(np.column_stack([375_000 + along * np.cos(angle), 165_000 + along * np.sin(angle)]), 3)
    assert width_m(points) == pytest.approx(pdist(points).max(), abs=0.002)
    assert width_m(points[:1]) == width_m(points[:0]) == 0


@pytest.mark.parametrize("algorithm", list(ClusterAlgorithm))
def test_rows_that_weigh_nothing_are_all_noise(algorithm):
    spots = np.array([0.0, 0.0, 1.0, 900.0])
    found = dbscan(spots, spots, eps_m=5, min_weight=1, weights=np.zeros(4), algorithm=algorithm)
    assert found.labels.tolist() == [NOISE] * 4
    assert not found.core.any()
