"""The compiled grid against scikit-learn, in one piece and in strips."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import cluster_grid
from geo.cluster import dbscan
from geo.cluster_merge import strips
from geo.distinct import distinct_points
from geo.errors import InvalidParameter
from geo.model import ClusterAlgorithm

SPOTS = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 8), st.sampled_from([0.5, 1, 2])), min_size=1, max_size=80
)


def city(rng, n, *, extent_m, snap_m=None):
    """Snapped stacks, dense spots and open land; ``snap_m`` puts all on a lattice, so that many lie at exactly eps."""
    snaps = rng.uniform(0, extent_m, (max(n // 100, 1), 2))
    spots = rng.uniform(0, extent_m, (30, 2))
    parts = [
        snaps[rng.integers(0, len(snaps), int(n * 0.4))],
        spots[rng.integers(0, 30, int(n * 0.3))] + rng.normal(0, 60, (int(n * 0.3), 2)),
        rng.uniform(0, extent_m, (n - int(n * 0.4) - int(n * 0.3), 2)),
    ]
    points = np.concatenate(parts) + np.array([350_000, 150_000])
    if snap_m:
        points = np.round(points / snap_m) * snap_m
    return points.T


def same(one, other):
    assert np.array_equal(one.core, other.core)
    assert np.array_equal(one.point_labels, other.point_labels)
    assert np.array_equal(one.labels, other.labels)


def settings_at_random(count, most):
    """Sizes, radii, thresholds and weights drawn once, so that a failure can be repeated."""
    rng, drawn = np.random.default_rng(7), []
    for number in range(count):
        eps_m = float(rng.choice([5, 20, 50, 97.3, 150]))
        drawn.append(
            (
                int(rng.integers(most // 10, most)),
                float(rng.uniform(2_000, 40_000)),
                eps_m,
                int(rng.choice([1, 2, 5, 10, 20, 60])),
                [None, eps_m / 5, 1.0][number % 3],
                [None, "whole", "halves"][number // 3 % 3],
            )
        )
    return drawn


def compare(n, extent_m, eps_m, min_weight, snap_m, weighted):
    rng = np.random.default_rng(n)
    x_m, y_m = city(rng, n, extent_m=extent_m, snap_m=snap_m)
    weights = {"whole": rng.integers(0, 4, n).astype(float), "halves": rng.integers(0, 6, n) / 2}.get(weighted)
    asked = {"eps_m": eps_m, "min_weight": min_weight, "weights": weights}
    expected = dbscan(x_m, y_m, algorithm=ClusterAlgorithm.SKLEARN, **asked)
    found = dbscan(x_m, y_m, **asked)
    assert found.core.any()
    same(found, expected)
    same(dbscan(x_m, y_m, workers=3, **asked), expected)


@pytest.mark.parametrize(("n", "extent_m", "eps_m", "min_weight", "snap_m", "weighted"), settings_at_random(24, 12_000))
def test_labels_equal_those_of_scikit_learn(n, extent_m, eps_m, min_weight, snap_m, weighted):
    compare(n, extent_m, eps_m, min_weight, snap_m, weighted)


@pytest.mark.full
@pytest.mark.parametrize(
    ("n", "extent_m", "eps_m", "min_weight", "snap_m", "weighted"), settings_at_random(24, 300_000)
)
def test_labels_equal_those_of_scikit_learn_on_many_points(n, extent_m, eps_m, min_weight, snap_m, weighted):
    compare(n, 4 * extent_m, eps_m, min_weight, snap_m, weighted)


@settings(max_examples=200, deadline=None)
@given(SPOTS, st.sampled_from([1.0, 2.0, 5.0]), st.sampled_from([1, 2, 3.5, 6]), st.integers(2, 9))
def test_strips_give_the_labels_of_one_piece(rows, eps_m, min_weight, workers):
    x_m, y_m, weights = np.array(rows, float).T
    asked = {"eps_m": eps_m, "min_weight": min_weight, "weights": weights}
    same(dbscan(x_m, y_m, workers=workers, **asked), dbscan(x_m, y_m, **asked))


@settings(max_examples=60, deadline=None)
@given(SPOTS, st.integers(1, 12), st.floats(0.1, 40))
def test_strips_hold_every_point_once_and_see_two_radii(rows, count, eps_m):
    x_m = np.sort(np.array(rows, float)[:, 0])
    cut = strips(x_m, eps_m=eps_m, count=count)
    assert [place for strip in cut for place in range(strip.begin, strip.end)] == list(range(len(x_m)))
    for strip in cut:
        own = x_m[strip.begin : strip.end]
        seen = np.flatnonzero((x_m >= own[0] - 2 * eps_m) & (x_m <= own[-1] + 2 * eps_m))
        assert strip.seen_begin <= seen[0] <= seen[-1] < strip.seen_end


@pytest.mark.parametrize(("beyond_m", "clusters"), [(0.001, 2), (-0.001, 1)])
def test_two_dense_crowds_round_one_centre_are_parted_by_a_millimetre(beyond_m, clusters):
    across = np.tile(np.linspace(-0.4, 0.4, 3000), 2)
    radius_m = np.repeat([100, 150 + beyond_m], 3000)
    asked = {"eps_m": 50, "min_weight": 10}
    found = dbscan(radius_m * np.cos(across), radius_m * np.sin(across), **asked)
    assert found.n_clusters == clusters
    same(
        found,
        dbscan(radius_m * np.cos(across), radius_m * np.sin(across), algorithm=ClusterAlgorithm.SKLEARN, **asked),
    )


@pytest.mark.parametrize("shift", [0.0, 5e5, -3e6, 1e9])
def test_land_far_from_the_origin_and_wide_gaps_change_nothing(shift):
    x_m = np.array([0.0, 3, 6, 2e6, 2e6 + 3]) + shift
    y_m = np.array([0.0, 4, 8, -3e6, -3e6 + 4]) + shift
    found = dbscan(x_m, y_m, eps_m=5, min_weight=2)
    assert found.labels.tolist() == [0, 0, 0, 1, 1]
    narrow = dbscan(x_m, y_m, eps_m=4.999, min_weight=2)
    assert set(narrow.labels.tolist()) == {-1}


def test_bad_weights_and_radii_are_refused():
    one = np.zeros(1)
    for weights in (np.array([-1.0]), np.array([np.nan]), np.array([np.inf])):
        with pytest.raises(InvalidParameter, match="weights"):
            dbscan(one, one, eps_m=1, min_weight=1, weights=weights)
    for eps_m in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(InvalidParameter, match="eps_m"):
            dbscan(one, one, eps_m=eps_m, min_weight=1)
    for min_weight in (0.0, np.nan):
        with pytest.raises(InvalidParameter, match="min_weight"):
            dbscan(one, one, eps_m=1, min_weight=min_weight)
    with pytest.raises(InvalidParameter, match="finite"):
        dbscan(np.array([np.nan]), one, eps_m=1, min_weight=1)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([0.0, -0.0, 1, 2, 0.5]), st.sampled_from([-0.0, 0.0, 3, 1])), max_size=40))
def test_distinct_points_are_those_of_numpy(rows):
    x, y = np.array(rows, float).reshape(-1, 2).T
    distinct, inverse = np.unique(np.column_stack([x + 0.0, y + 0.0]), axis=0, return_inverse=True)
    found_x, found_y, found_inverse = distinct_points(x, y)
    assert np.column_stack([found_x, found_y]).tolist() == distinct.tolist()
    assert found_inverse.tolist() == inverse.reshape(-1).tolist()
    assert not np.signbit(np.concatenate([found_x, found_y])[np.concatenate([found_x, found_y]) == 0]).any()


def test_nothing_is_compiled_anew_by_what_an_analysis_does():
    """One signature each: what `make setup` compiled is all that is ever needed."""
    dbscan(np.array([0, 1.0]), np.array([0, 1.0]), eps_m=2, min_weight=1)
    dbscan(
        *np.random.default_rng(0).uniform(0, 99, (2, 5000)), eps_m=2, min_weight=3.5, weights=np.ones(5000), workers=2
    )
    loops = [one for one in vars(cluster_grid).values() if hasattr(one, "signatures")]
    assert len(loops) > 8
    assert max(len(one.signatures) for one in loops) == 1


TENTHS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 6), st.sampled_from([0.1, 0.2, 0.3, 0.7])), min_size=2, max_size=120
)


@settings(max_examples=300, deadline=None)
@given(TENTHS, st.sampled_from([1.0, 2.0, 3.0]), st.sampled_from([0.6, 0.9, 1.1, 2.0]), st.integers(2, 8))
def test_strips_agree_also_where_sums_are_rounded(rows, eps_m, min_weight, workers):
    x_m, y_m, weights = np.array(rows, float).T
    asked = {"eps_m": eps_m, "min_weight": min_weight, "weights": weights}
    same(dbscan(x_m, y_m, workers=workers, **asked), dbscan(x_m, y_m, **asked))


@pytest.mark.parametrize("eps_m", [2e-3, 4e-4, 1e-5, 1e-9])
def test_a_radius_too_small_for_the_land_is_refused_and_never_answered_wrongly(eps_m):
    rng = np.random.default_rng(3)
    middle = rng.uniform(0, 1e6, (2, 300))
    x_m, y_m = np.repeat(middle, 3, axis=1) + rng.uniform(-eps_m / 4, eps_m / 4, (2, 900))
    if eps_m < 1e-3:
        with pytest.raises(InvalidParameter, match="too small"):
            dbscan(x_m, y_m, eps_m=eps_m, min_weight=3)
    else:
        expected = dbscan(x_m, y_m, eps_m=eps_m, min_weight=3, algorithm=ClusterAlgorithm.SKLEARN)
        same(dbscan(x_m, y_m, eps_m=eps_m, min_weight=3), expected)
