"""The middle of a cluster: what lies aside does not pull it, and how far it is told to be known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.cluster_centre import centres, weighted_medians

# Radius that holds 95 % of an isotropic Gaussian, in sigmas.
RADIUS_95 = 2.448


def middle_of(points, precision_m=10.0, weights=None):
    points_m = np.array(points, float)
    count = len(points_m)
    return centres(
        points_m,
        np.ones(count) if weights is None else np.array(weights, float),
        np.broadcast_to(np.asarray(precision_m, float), count),
        np.zeros(count, np.int64),
        1,
    )


def simulated(groups, size, sigma_m, *, seed, precision_m=None, aside=0):
    """Centres of clusters about the origin, with so many of the records of each half a kilometre aside."""
    rng = np.random.default_rng(seed)
    points_m = rng.normal(0, 1, (groups, size, 2)) * sigma_m
    points_m[:, :aside] += 500.0
    stated_m = np.full(groups * size, RADIUS_95 * sigma_m if precision_m is None else precision_m)
    own = np.repeat(np.arange(groups), size)
    return centres(points_m.reshape(-1, 2), np.ones(groups * size), stated_m, own, groups)


def within(found):
    """Share of the centres that lie within their stated precision of the truth."""
    return float((np.hypot(*found.points_m.T) <= found.precision_m).mean())


def test_a_fifth_of_the_records_aside_does_not_pull_the_middle():
    clean, mixed = simulated(2_000, 15, 20.0, seed=1), simulated(2_000, 15, 20.0, seed=1, aside=3)
    error_m = [np.sqrt((found.points_m**2).sum(axis=1).mean()) for found in (clean, mixed)]
    assert error_m[0] < 8.5
    assert error_m[1] < 12.0  # the mean would lie 141 m away
    assert np.median(mixed.precision_m) < 1.6 * np.median(clean.precision_m)


def test_one_record_is_its_own_middle_known_as_well_as_stated():
    found = middle_of([(3.0, -4.0)], precision_m=7.5)
    np.testing.assert_allclose(found.points_m, [[3, -4]])
    np.testing.assert_allclose([found.precision_m[0], found.typical_precision_m[0]], 7.5)


def test_a_thousand_records_on_one_coordinate_tell_no_more_than_one():
    one, many = middle_of([(5.0, 5.0)]), middle_of([(5.0, 5.0)] * 1_000)
    weighed = middle_of([(5.0, 5.0)], weights=[1_000])
    np.testing.assert_allclose(many.points_m, one.points_m, atol=1e-9)
    np.testing.assert_allclose(weighed.precision_m, one.precision_m)
    assert one.precision_m[0] <= many.precision_m[0] < 1.2 * one.precision_m[0]


def test_repeats_weigh_but_do_not_sharpen():
    spots = [(0, 0), (30, 0), (0, 30), (30, 30)]
    plain, repeated = middle_of(spots), middle_of(spots * 50)
    np.testing.assert_allclose(repeated.points_m, plain.points_m, atol=1e-6)
    np.testing.assert_allclose(repeated.precision_m, plain.precision_m)
    heaped = middle_of(spots, weights=[1, 1, 1, 97])
    np.testing.assert_allclose(heaped.points_m, [[30, 30]], atol=1.5)
    # One heap is known as well as one position is stated, whatever little lies beside it.
    assert heaped.precision_m[0] == pytest.approx(10, rel=0.15)


@pytest.mark.parametrize("sigma_m", [4.0, 60.0])
@pytest.mark.parametrize("size", [2, 3, 5, 10, 40])
def test_the_middle_is_known_as_well_as_it_is_told(size, sigma_m):
    assert 0.93 <= within(simulated(4_000, size, sigma_m, seed=size)) <= (0.99 if size > 5 else 0.999)


@pytest.mark.parametrize(("size", "least"), [(20, 0.86), (40, 0.90), (80, 0.92)])
def test_the_spread_speaks_where_many_records_lie_wider_than_stated(size, least):
    assert least <= within(simulated(4_000, size, 60.0, seed=size, precision_m=1.0)) <= 0.97


@pytest.mark.parametrize("size", [2, 3, 4, 5, 7, 10])
def test_few_records_that_lie_wider_than_stated_are_told_honestly(size):
    assert within(simulated(4_000, size, 60.0, seed=size, precision_m=1.0)) >= 0.90


@pytest.mark.parametrize("size", [5, 10, 20])
def test_a_fifth_aside_leaves_the_middle_as_well_known_as_told(size):
    assert 0.92 <= within(simulated(4_000, size, 20.0, seed=size, aside=size // 5)) <= 0.995


def test_the_precision_of_the_records_is_the_one_half_of_their_weight_reaches():
    precision_m = [5.0, 10.0, 200.0]
    spots = [(0, 0), (1, 0), (0, 1)]
    assert middle_of(spots, precision_m).typical_precision_m.tolist() == [10]
    assert middle_of(spots, precision_m, weights=[1, 1, 3]).typical_precision_m.tolist() == [200]
    assert middle_of(spots, precision_m, weights=[3, 1, 1]).typical_precision_m.tolist() == [5]
    assert middle_of(spots[:2], precision_m[:2]).typical_precision_m.tolist() == [5]


def test_no_group_gives_no_centre():
    found = centres(np.empty((0, 2)), np.empty(0), np.empty(0), np.empty(0, np.int64), 0)
    assert found.points_m.shape == (0, 2)
    assert len(found.precision_m) == len(found.typical_precision_m) == 0


RECORDS = st.lists(
    st.tuples(
        st.integers(-300, 300), st.integers(-300, 300), st.integers(1, 9), st.sampled_from([1.0, 10.0, 150.0]), st.integers(0, 3)
    ),
    min_size=1,
    max_size=30,
)  # fmt: skip


def _centred(rows):
    table = np.array(rows, float)
    groups, own = np.unique(table[:, 4], return_inverse=True)
    return centres(table[:, :2], table[:, 2], table[:, 3], own.astype(np.int64), len(groups))


@settings(max_examples=150, deadline=None)
@given(RECORDS, st.randoms(use_true_random=False))
def test_the_order_of_records_does_not_matter(rows, random):
    found = _centred(rows)
    random.shuffle(rows)
    again = _centred(rows)
    np.testing.assert_allclose(again.points_m, found.points_m, atol=1e-6)
    np.testing.assert_allclose(again.precision_m, found.precision_m, rtol=1e-6)
    np.testing.assert_allclose(again.typical_precision_m, found.typical_precision_m)


@settings(max_examples=100, deadline=None)
@given(RECORDS, st.integers(-1_000, 1_000), st.integers(-1_000, 1_000))
def test_a_moved_cluster_has_a_moved_middle_within_its_box(rows, dx_m, dy_m):
    found = _centred(rows)
    moved = _centred([(x + dx_m, y + dy_m, *rest) for x, y, *rest in rows])
    np.testing.assert_allclose(moved.points_m, found.points_m + np.array([dx_m, dy_m]), atol=1e-5)
    np.testing.assert_allclose(moved.precision_m, found.precision_m, rtol=1e-5)
    table = np.array(rows, float)
    for i, group in enumerate(np.unique(table[:, 4])):
        own = table[table[:, 4] == group, :2]
        assert (own.min(axis=0) - 1e-6 <= found.points_m[i]).all()
        assert (found.points_m[i] <= own.max(axis=0) + 1e-6).all()


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20), st.integers(1, 5)), min_size=1, max_size=40),
)
def test_the_lower_weighted_median_is_that_of_the_values_written_out(rows):
    table = np.array(rows)
    groups, own = np.unique(table[:, 0], return_inverse=True)
    found = weighted_medians(table[:, 1].astype(float), table[:, 2].astype(float), own.astype(np.int64), len(groups))
    for i in range(len(groups)):
        written = np.sort(np.repeat(table[own == i, 1], table[own == i, 2]))
        assert found[i] == written[(len(written) - 1) // 2]
