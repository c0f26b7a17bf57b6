"""Times against the standard library: clock changes, months, London days and intervals."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import temporal
from geo.model import TimeBasis
from geo.temporal import BadDate, parse_time

HOUR_US = 3_600_000_000
LONDON = ZoneInfo("Europe/London")
MOMENTS = st.integers(2 * 10**15 // 32, 4 * 10**15).map(
    lambda us: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
)


def _utc(*parts):
    return int(datetime(*parts, tzinfo=UTC).timestamp() * 1_000_000)


def test_summer_and_winter_time():
    assert parse_time("2024-07-01T12:00") == (
        _utc(2024, 7, 1, 11),
        _utc(2024, 7, 1, 11) + 1,
        TimeBasis.INSTANT,
    )
    assert parse_time("2024-01-01 12:00")[0] == _utc(2024, 1, 1, 12)
    assert parse_time("2024-07-01T12:00+05:30")[0] == _utc(2024, 7, 1, 6, 30)


def test_an_hour_the_clocks_skipped_is_refused():
    for text in ("2024-03-31T01:00", "2024-03-31T01:59:59", "31/03/2024 01:30"):
        with pytest.raises(BadDate, match="clocks went forward"):
            parse_time(text)
    assert parse_time("2024-03-31T00:59:59")[0] + 1_000_000 == parse_time("2024-03-31T02:00")[0]
    assert parse_time("2024-03-31T01:30Z")[2] is TimeBasis.INSTANT


def test_an_hour_the_clocks_repeat_becomes_an_interval():
    first, last, basis = parse_time("2024-10-27T01:30")
    assert (first, last, basis) == (
        _utc(2024, 10, 27, 0, 30),
        _utc(2024, 10, 27, 1, 30) + 1,
        TimeBasis.INTERVAL,
    )
    assert parse_time("2024-10-27T01:30+01:00")[2] is TimeBasis.INSTANT
    assert parse_time("2024-10-27T02:00")[2] is TimeBasis.INSTANT


@pytest.mark.parametrize(
    ("day", "hours"), [("2024-03-31", 23), ("2024-10-27", 25), ("2024-02-29", 24), ("20240601", 24)]
)
def test_london_days_have_their_true_length(day, hours):
    first, last, basis = parse_time(day)
    assert (last - first, basis) == (hours * HOUR_US, TimeBasis.DATE)


def test_day_first_dates():
    assert parse_time("09/03/2024") == parse_time("9.3.2024") == parse_time("2024-03-09")
    assert parse_time("09/03/2024 21:30") == parse_time("2024-03-09T21:30")


def test_months():
    first, last, basis = parse_time("2024-03")
    assert (first, basis) == (_utc(2024, 3, 1), TimeBasis.MONTH)
    assert last == _utc(2024, 3, 31, 23)  # April begins in summer time
    assert parse_time("2023-12")[1] == parse_time("2024-01")[0] == _utc(2024, 1, 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2024",
        "2024-13",
        "2024-02-30",
        "31/02/2024",
        "03/13/2024",
        "yesterday",
        "12:30",
        "2024-03-09T25:00",
        "9/3/24",
    ],
)
def test_what_is_no_date(text):
    with pytest.raises(BadDate):
        parse_time(text)


@pytest.mark.parametrize("text", ["0001-01-01T00:00+01:00", "9999-12-31T23:59-01:00", "9999-12-31", "9999-12"])
def test_the_ends_of_the_calendar_are_refused_and_do_not_crash(text):
    with pytest.raises(BadDate):
        parse_time(text)


@pytest.mark.parametrize("text", ["2024-W10", "2024-W10-1"])
def test_a_week_is_not_taken_for_an_instant(text):
    with pytest.raises(BadDate):
        parse_time(text)


@settings(max_examples=100, deadline=None)
@given(MOMENTS)
def test_a_moment_survives_text_and_micros(moment):
    assert temporal.from_micros(temporal.micros(moment)) == moment
    assert parse_time(moment.isoformat())[0] == temporal.micros(moment)
    first, last, _ = parse_time(moment.astimezone(LONDON).replace(tzinfo=None).isoformat())
    assert first <= temporal.micros(moment) < last


@settings(max_examples=60, deadline=None)
@given(st.lists(MOMENTS, min_size=1, max_size=20))
def test_local_parts_are_those_of_the_standard_library(moments):
    at_us = np.array([temporal.micros(moment) for moment in moments])
    local = [moment.astimezone(LONDON) for moment in moments]
    epoch = date(1970, 1, 1)
    assert temporal.local_days(at_us).tolist() == [(one.date() - epoch).days for one in local]
    assert temporal.local_months(at_us).tolist() == [(one.year - 1970) * 12 + one.month - 1 for one in local]
    assert temporal.local_hours(at_us).tolist() == [one.hour for one in local]
    assert temporal.local_weekdays(at_us).tolist() == [one.weekday() for one in local]


@settings(max_examples=60, deadline=None)
@given(st.dates(date(1972, 1, 1), date(2100, 1, 1)))
def test_days_and_months_follow_each_other_without_gap(day):
    first, last = temporal.day_interval(day)
    assert temporal.day_interval(day + timedelta(days=1))[0] == last
    month_first, month_last = temporal.month_interval(day.year, day.month)
    assert month_first <= first < last <= month_last
    assert (
        temporal.local_days(temporal.midpoint_us(np.array([first]), np.array([last]))) == (day - date(1970, 1, 1)).days
    )
    assert parse_time(day.isoformat())[:2] == (first, last)


def test_many_at_once_equal_one_by_one():
    texts = ["2024-03", "nonsense", "2024-03-09", "2024-03", "2024-03-31T01:30"]
    from_us, to_us, basis, problems = temporal.parse_times(texts)
    assert sorted(problems) == [1, 4]
    for i in (0, 2, 3):
        assert (from_us[i], to_us[i], basis[i]) == parse_time(texts[i])
    assert from_us[1] == to_us[1] == 0
    assert [len(part) for part in temporal.parse_times([])] == [0, 0, 0, 0]


def test_midpoint_does_not_overflow():
    high = np.array([2**62 + 10], np.int64)
    assert temporal.midpoint_us(high, high + 4) == 2**62 + 12


def test_missing_months():
    months = np.array([date_months(2023, 11), date_months(2024, 2), date_months(2024, 2)])
    assert temporal.missing_months(months) == ["2023-12", "2024-01"]
    assert temporal.missing_months(months[1:]) == temporal.missing_months(np.empty(0, np.int64)) == []


def date_months(year, month):
    return (year - 1970) * 12 + month - 1
