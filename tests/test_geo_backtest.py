import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.backtest import accuracy, compare_with_best_peer, mean_interval


@pytest.mark.parametrize(("coverage", "expected"), [(1.0, 1.0), (0.5, 0.5), (0.49, 0.375), (0.05, 0.0)])
def test_hit_rates_are_those_of_predictcodes_tests(coverage, expected):
    """Eight cells of rising risk and one record in each (QuantCrimAtLeeds/PredictCode, tests/evaluation_test.py)."""
    found = accuracy(np.arange(1.0, 9.0), np.ones(8, int), area_fraction=coverage, seed=0)
    assert found.hit_rate == expected


def test_pai_is_that_of_the_national_institute_of_justice():
    later = np.array([9, 3, 0, 0, 8, 0, 0, 0, 0, 0])
    found = accuracy(np.arange(10.0, 0.0, -1.0), later, area_fraction=0.2, seed=0)
    assert (found.hits, found.records) == (12, 20)
    assert found.pai == pytest.approx((12 / 20) / (2 / 10))
    assert found.pei == pytest.approx(12 / 17)


def test_nothing_to_find_or_to_choose_is_no_accuracy():
    quiet = accuracy(np.arange(10.0), np.zeros(10, int), area_fraction=0.2, seed=0)
    assert (quiet.hit_rate, quiet.pai, quiet.pei) == (None, None, None)
    tiny = accuracy(np.arange(10.0), np.ones(10, int), area_fraction=0.01, seed=0)
    assert (tiny.hit_rate, tiny.pai, tiny.pei) == (0.0, None, None)
    assert accuracy(np.empty(0), np.empty(0, int), area_fraction=0.5, seed=0).pai is None


def test_ties_are_drawn_and_not_read_off_the_order_of_cells():
    later = np.r_[np.ones(500, int), np.zeros(500, int)]
    hits = [accuracy(np.zeros(1000), later, area_fraction=0.1, seed=seed).hits for seed in range(40)]
    assert np.mean(hits) == pytest.approx(50, abs=4)


@given(st.lists(st.integers(0, 9), min_size=2, max_size=30).map(np.array))
def test_the_best_possible_order_has_a_pei_of_one(later):
    found = accuracy(later.astype(float), later, area_fraction=0.5, seed=0)
    assert found.pei in {1.0, None}


def test_intervals_cover_the_mean_and_need_two_periods():
    values = np.random.default_rng(0).normal(5, 1, 50).tolist()
    low, high = mean_interval(values, seed=0)
    assert low < np.mean(values) < high
    assert high - low == pytest.approx(2 * 1.96 * np.std(values) / np.sqrt(50), rel=0.15)
    assert mean_interval([1.0], seed=0) is None


def test_not_worse_means_that_the_interval_reaches_zero():
    peers = {"ours": [5.0, 6.0, 5.5], "counts": [5.1, 5.9, 5.5], "kde": [3.0, 3.0, 3.0]}
    close = compare_with_best_peer(peers, own="ours", area_fraction=0.01, seed=0)
    assert (close.peer, close.not_worse) == ("counts", True)
    worse = compare_with_best_peer(peers | {"ours": [4.0, 4.5, 4.2]}, own="ours", area_fraction=0.01, seed=0)
    assert worse.not_worse is False
    assert compare_with_best_peer({"ours": [], "kde": []}, own="ours", area_fraction=0.01, seed=0) is None
