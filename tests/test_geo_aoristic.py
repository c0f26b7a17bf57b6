"""Aoristic weights against a walk through every minute of London time, clock changes included."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import geo.aoristic
from geo.aoristic import MAX_INTERVAL_US, MIN_PROFILE_RECORDS, aoristic_profile
from geo.temporal import parse_time

MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONDON = ZoneInfo("Europe/London")
# Around both clock changes of 2024, at an ordinary time, and before 1970.
ANCHORS = st.sampled_from(["2024-03-31T00:00Z", "2024-10-27T00:00Z", "2024-06-12T12:00Z", "1941-05-04T00:00Z"]).map(
    lambda text: parse_time(text)[0]
)
STARTS = st.builds(lambda anchor, minute: anchor + minute * MINUTE_US, ANCHORS, st.integers(-3000, 3000))
ROWS = st.lists(
    st.tuples(STARTS, st.integers(1, 3000) | st.just(MAX_INTERVAL_US // MINUTE_US + 1), st.integers(0, 2)), max_size=12
)


def _run(rows, count=3):
    start, minutes, group = np.array(rows, np.int64).reshape(-1, 3).T
    return aoristic_profile(start, start + minutes * MINUTE_US, group, count)


def _by_minutes(start_us, minutes):
    """Share of each weekday and hour, minute by minute on the London clock."""
    found = np.zeros((7, 24))
    for minute in range(minutes):
        local = (EPOCH + timedelta(microseconds=start_us + minute * MINUTE_US)).astimezone(LONDON)
        found[local.weekday(), local.hour] += 1 / minutes
    return found


@settings(max_examples=60, deadline=None)
@given(STARTS, st.integers(1, 3000))
def test_an_interval_is_spread_by_its_overlap_with_london_hours(start_us, minutes):
    found = _run([(start_us, minutes, 1)])
    assert found.weights[1] == pytest.approx(_by_minutes(start_us, minutes), abs=1e-12)
    assert (found.weights[0].sum(), found.weights[2].sum()) == (0, 0)


@settings(max_examples=150, deadline=None)
@given(ROWS)
def test_every_record_has_weight_one_or_is_counted_as_untimed(rows):
    found = _run(rows)
    group = np.array([row[2] for row in rows], int)
    assert (found.timed + found.untimed).tolist() == np.bincount(group, minlength=3).tolist()
    assert found.weights.sum(axis=(1, 2)) == pytest.approx(found.timed)
    assert (found.weights >= 0).all()


@settings(max_examples=100, deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_row_order_changes_no_bit(rows, random):
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert _run(shuffled).weights.tobytes() == _run(rows).weights.tobytes()


@settings(max_examples=60, deadline=None)
@given(ROWS, st.integers(1, 200))
def test_the_size_of_a_chunk_does_not_matter(rows, size):
    whole = _run(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(geo.aoristic, "_CHUNK_PIECES", size)
        pieces = _run(rows)
    assert pieces.weights == pytest.approx(whole.weights, abs=1e-12)


@pytest.mark.parametrize(
    ("day", "weekday", "hour_weights"),
    [
        ("2024-06-12", 2, {0: 1 / 24, 1: 1 / 24, 23: 1 / 24}),
        ("2024-03-31", 6, {0: 1 / 23, 1: 0, 23: 1 / 23}),  # 01:00 to 02:00 was skipped
        ("2024-10-27", 6, {0: 1 / 25, 1: 2 / 25, 23: 1 / 25}),  # 01:00 to 02:00 came twice
    ],
)
def test_a_london_day_fills_its_own_weekday(day, weekday, hour_weights):
    start_us, end_us, _ = parse_time(day)
    found = aoristic_profile(np.array([start_us]), np.array([end_us]), np.array([0]), 1).weights[0]
    assert found.sum() == pytest.approx(1)
    assert found[weekday].sum() == pytest.approx(1)
    assert {hour: found[weekday, hour] for hour in hour_weights} == pytest.approx(hour_weights)


def test_instants_and_empty_intervals_fall_in_one_hour():
    last_us = parse_time("2024-07-01T21:59:59")[0] + 999_999
    for length_us, at_us, hour in ((1, last_us, 21), (0, last_us, 21), (0, last_us + 1, 22)):
        at = np.array([at_us])
        found = aoristic_profile(at, at + length_us, np.array([0]), 1)
        assert found.weights[0, 0, hour] == 1
        assert (found.weights.sum(), found.timed.tolist(), found.untimed.tolist()) == (1, [1], [0])


def test_seven_days_are_the_longest_interval_that_counts():
    start_us = np.full(2, parse_time("2024-06-12T10:30")[0])
    end_us = start_us + MAX_INTERVAL_US + np.array([0, 1])
    found = aoristic_profile(start_us, end_us, np.array([0, 1]), 2)
    assert (found.timed.tolist(), found.untimed.tolist()) == ([1, 0], [0, 1])
    assert found.weights[0] == pytest.approx(np.full((7, 24), 1 / 168))
    assert found.weights[1].sum() == 0


def test_a_month_says_nothing_about_the_hour():
    start_us, end_us, _ = parse_time("2024-02")
    found = aoristic_profile(np.array([start_us]), np.array([end_us]), np.array([0]), 1)
    assert (found.weights.sum(), found.timed.tolist(), found.untimed.tolist()) == (0, [0], [1])


def test_caution_ends_at_the_twentieth_timed_record():
    group = np.repeat([0, 1, 2], [MIN_PROFILE_RECORDS - 1, MIN_PROFILE_RECORDS, MIN_PROFILE_RECORDS])
    start_us = np.zeros(len(group), np.int64)
    end_us = np.where(group == 2, MAX_INTERVAL_US + 1, HOUR_US)  # many records of unknown hour are no profile
    assert aoristic_profile(start_us, end_us, group, 4).cautious.tolist() == [True, False, True, True]


def test_nothing():
    none = np.empty(0, np.int64)
    found = aoristic_profile(none, none, none, 2)
    assert (found.weights.shape, found.weights.sum(), found.timed.tolist()) == ((2, 7, 24), 0, [0, 0])
    assert found.cautious.tolist() == [True, True]
    empty = aoristic_profile(none, none, none, 0)
    assert (empty.weights.shape, len(empty.timed), len(empty.cautious)) == ((0, 7, 24), 0, 0)


def test_arguments_are_not_changed():
    start_us, end_us, group = np.array([2 * HOUR_US, 0]), np.array([3 * HOUR_US, HOUR_US]), np.array([1, 0])
    aoristic_profile(start_us, end_us, group, 2)
    assert (start_us.tolist(), end_us.tolist(), group.tolist()) == ([2 * HOUR_US, 0], [3 * HOUR_US, HOUR_US], [1, 0])
