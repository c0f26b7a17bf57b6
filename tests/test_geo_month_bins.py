"""Months beside the whole: nothing that can be subtracted from anything tells of a handful of records."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from geo.disclosure import THRESHOLDS
from geo.errors import InvalidParameter
from geo.model import Profile
from geo.month_bins import MonthTable, released_months

counts = hnp.arrays(np.int64, st.tuples(st.integers(1, 6), st.integers(1, 5)), elements=st.integers(0, 14))


def table(records: np.ndarray, share_of_days: float = 1.0, month_only: np.ndarray | None = None) -> MonthTable:
    days = np.minimum(np.ceil(records * share_of_days).astype(np.int64), 28)
    return MonthTable(records, days, np.zeros_like(records) if month_only is None else month_only)


@pytest.mark.parametrize("profile", [Profile.PARTNER, Profile.PUBLIC])
@settings(max_examples=300)
@given(counts, st.sampled_from([0.2, 0.5, 1.0]), st.booleans())
def test_every_difference_of_two_released_counts_passes_the_threshold_or_is_nothing(
    profile: Profile, records: np.ndarray, share_of_days: float, month_only: bool
) -> None:
    given_ = table(records, share_of_days, records.copy() if month_only else None)
    threshold = THRESHOLDS[profile]
    released = released_months(given_, profile)
    for row in range(len(records)):
        shown = np.flatnonzero(released[row])
        # The whole less any set of released months: what an attacker with all the layers can work out.
        for size in range(1, len(shown) + 1):
            for taken in combinations(shown, size):
                left = np.setdiff1d(np.flatnonzero(records[row]), taken)
                if not len(left):
                    continue
                assert records[row, left].sum() >= threshold.records
                if month_only:
                    assert len(left) >= threshold.months
                else:
                    assert given_.days[row, left].sum() >= threshold.days


@given(counts)
def test_a_month_below_the_threshold_and_a_cell_below_it_are_never_told(records: np.ndarray) -> None:
    released = released_months(table(records), Profile.PARTNER)
    assert (records[released] >= 5).all()
    assert not released[records.sum(axis=1) < 5].any()


def test_nothing_is_kept_back_without_need() -> None:
    assert released_months(table(np.array([[9, 8, 0]])), Profile.PARTNER).tolist() == [[True, True, False]]
    assert released_months(table(np.array([[9, 3, 3]])), Profile.PARTNER).tolist() == [[True, False, False]]


def test_the_smallest_released_month_joins_what_is_kept_back() -> None:
    assert released_months(table(np.array([[20, 6, 2]])), Profile.PARTNER).tolist() == [[True, False, False]]


def test_operations_have_no_threshold_to_ask_for() -> None:
    with pytest.raises(InvalidParameter, match="every count"):
        released_months(table(np.array([[1]])), Profile.OPERATIONAL)
