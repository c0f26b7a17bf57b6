"""Facilities against their own kind: scipy's exact test, the published Gini, and the empty cases."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from geo.errors import InvalidParameter
from geo.facilities import COMPARISON_COLUMNS, compare_facilities, concentration
from geo.significance import benjamini_hochberg

COUNTS = st.lists(st.integers(0, 12), min_size=2, max_size=12)


def test_p_and_interval_are_those_of_scipys_exact_binomial_test():
    records, area = np.array([12, 3, 0, 5, 1]), np.array([2.0, 1.5, 4.0, 0.5, 2.0])
    found = compare_facilities(records, kind=np.zeros(5, int), exposure=area)
    total, share = records.sum(), area / area.sum()
    odds = share / (1 - share)
    for i, row in enumerate(found.itertuples()):
        test = stats.binomtest(int(records[i]), int(total), share[i], alternative="greater")
        both = stats.binomtest(int(records[i]), int(total), share[i]).proportion_ci(0.95, "exact")
        assert row.p_value == pytest.approx(test.pvalue, rel=1e-12)
        assert row.ratio_low == pytest.approx(both.low / (1 - both.low) / odds[i], rel=1e-8)
        assert row.ratio_high == pytest.approx(both.high / (1 - both.high) / odds[i], rel=1e-8)
        rest = (total - records[i]) / (area.sum() - area[i])
        assert row.rate_ratio == pytest.approx(records[i] / area[i] / rest)
        assert row.expected == pytest.approx(total * share[i])
    assert found["q_value"].tolist() == benjamini_hochberg(found["p_value"].to_numpy()).tolist()


@settings(max_examples=30, deadline=None)
@given(COUNTS, COUNTS, st.randoms(use_true_random=False))
def test_kinds_are_compared_apart_and_order_does_not_matter(one, two, random):
    records, kind = np.array(one + two), np.repeat([4, 2], [len(one), len(two)])
    order = np.array(random.sample(range(len(records)), len(records)))
    both = compare_facilities(records, kind=kind)
    alone = compare_facilities(np.array(one), kind=np.zeros(len(one), int))
    assert both.iloc[: len(one)].equals(alone)
    shuffled = compare_facilities(records[order], kind=kind[order])
    assert shuffled.equals(both.iloc[order].reset_index(drop=True))
    assert not both.isna().any(axis=None)
    assert ((both["ratio_low"] <= both["rate_ratio"]) & (both["rate_ratio"] <= both["ratio_high"])).all()


def test_all_records_at_one_facility():
    found = compare_facilities(np.array([6, 0, 0]), kind=np.zeros(3, int))
    assert (found.at[0, "rate_ratio"], found.at[0, "ratio_high"]) == (np.inf, np.inf)
    low = 0.025 ** (1 / 6)  # Clopper and Pearson in closed form
    assert found.at[0, "ratio_low"] == pytest.approx(low / (1 - low) * 2)
    assert found.at[0, "p_value"] == pytest.approx(3.0**-6)
    assert found["rate_ratio"].tolist()[1:] == [0.0, 0.0]


def test_nothing_to_compare_is_said_and_not_invented():
    assert compare_facilities(np.empty(0, int), kind=np.empty(0, int)).columns.tolist() == list(COMPARISON_COLUMNS)
    found = compare_facilities(
        np.array([5, 0, 0, 3, 3, 0]), kind=np.array([1, 2, 2, 3, 3, 3]), exposure=np.array([1, 1, 1, 1, 1, 0.0])
    )
    assert found["tested"].tolist() == [False, False, False, True, True, False]
    untested = found[~found["tested"]]
    assert (untested[["p_value", "q_value"]] == 1).all(axis=None)
    assert (untested[["rate_ratio", "ratio_low", "ratio_high"]] == 0).all(axis=None)
    assert found["expected"].tolist() == [5, 0, 0, 3, 3, 0]


@pytest.mark.parametrize(
    ("records", "kind", "exposure", "message"),
    [
        ([1, 2], [0], [1, 1], "must be as many"),
        ([-1, 2], [0, 0], [1, 1], "0 or more"),
        ([1, 2], [0, 0], [1, np.inf], "finite"),
        ([1, 2], [0, 0], [1, 0], "exposure 0"),
    ],
)
def test_what_cannot_be_counts_is_refused(records, kind, exposure, message):
    with pytest.raises(InvalidParameter, match=message):
        compare_facilities(np.array(records), kind=np.array(kind), exposure=np.array(exposure, float))


def _area_gini(records):
    """One minus the area below the Lorenz curve over that below the line of greatest evenness, scaled as published."""
    count, total = len(records), sum(records)
    curve = np.concatenate([[0], np.cumsum(np.sort(records)) / total])
    below = np.trapezoid(curve, dx=1 / count)
    most = min(count, total) / count
    return (most / 2 - below) * 2 / most


@given(COUNTS.filter(sum))
def test_gini_is_the_area_between_the_curve_and_the_most_even_line(records):
    found = concentration(np.array(records), draws=9, seed=1)
    assert found.gini == pytest.approx(_area_gini(records), abs=1e-12)


@given(COUNTS.filter(sum))
def test_cumulative_share_rises_to_one_and_the_needed_hold_the_share(records):
    found = concentration(np.array(records), draws=9, seed=1)
    assert found.cumulative[-1] == pytest.approx(1)
    assert (np.diff(found.cumulative) >= 0).all()
    top = sorted(records, reverse=True)
    held = [10 * sum(top[:k]) >= 8 * sum(records) for k in range(1, len(top) + 1)]
    assert found.facilities_needed == held.index(True) + 1
    assert found.share_needed == found.facilities_needed / len(records)
    again = concentration(np.array(records)[::-1], draws=9, seed=1)
    assert (again.gini, again.p_value, again.share_needed_equal) == (
        found.gini,
        found.p_value,
        found.share_needed_equal,
    )


def test_few_records_spread_evenly_are_not_concentrated():
    spread = concentration(np.repeat([1, 0], [10, 90]), seed=1)
    assert (spread.gini, spread.p_value) == (pytest.approx(0, abs=1e-12), 1.0)
    assert spread.share_needed == 0.08  # "8 % of the places hold 80 %" says nothing here
    assert spread.share_needed_equal == pytest.approx(0.08, abs=0.005)
    ten = concentration(np.repeat([40, 1], [10, 90]), seed=1)
    assert (ten.facilities_needed, ten.p_value) == (10, 0.001)


@pytest.mark.parametrize("records", [[], [0], [0, 0, 0]])
def test_no_records_are_not_concentrated(records):
    found = concentration(np.array(records, int), seed=1)
    assert (found.cumulative.tolist(), found.gini, found.p_value) == ([0.0] * len(records), 0.0, 1.0)


def test_one_facility_and_wrong_parameters():
    found = concentration(np.array([9]), seed=1)
    assert (found.facilities_needed, found.share_needed_equal, found.gini, found.p_value) == (1, 1.0, 0.0, 1.0)
    for wrong in ({"share": 0.0}, {"share": 1.1}, {"draws": 0}):
        with pytest.raises(InvalidParameter):
            concentration(np.array([9]), seed=1, **wrong)
