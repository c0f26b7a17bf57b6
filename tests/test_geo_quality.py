"""What records are worth: bands that add up, lags in calendar days, shares of coordinates, and words that are true."""

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import InvalidParameter
from geo.quality import count_outside, in_ten, precision_classes, report_lag, source_types, stack_figures
from geo.temporal import parse_time
from tests.factories import make_records

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US


def told(*pairs):
    """Records of (event, report) as written; an empty report says nothing."""
    reported_us = [parse_time(report)[0] if report else np.nan for _, report in pairs]
    return make_records([event for event, _ in pairs], reported_us=reported_us)


def test_a_limit_belongs_to_the_finer_class_and_no_precision_to_none():
    found = precision_classes(np.array([0.0, 10.0, 10.1, 50.0, 150.0, 1000.0, 1000.1, np.nan]))
    assert found == {"<=10": 2, "<=50": 2, "<=150": 1, "<=1000": 1, ">1000": 1}
    assert set(precision_classes(np.array([])).values()) == {0}


@pytest.mark.parametrize(
    ("event", "report", "band"),
    [
        ("2025-03-09T23:50", "2025-03-09T23:55", "same day"),
        ("2025-03-09T23:50", "2025-03-10T00:10", "1-2 days"),
        ("2025-03-09", "2025-03-09T08:00", "same day"),  # the day has not ended, but it was that day
        ("2025-03-09", "2025-03-11", "1-2 days"),
        ("2025-03-09", "2025-03-12", "3-7 days"),
        ("2025-03-09", "2025-03-16", "3-7 days"),
        ("2025-03-09", "2025-03-17", "8-28 days"),
        ("2025-03-09", "2025-04-06", "8-28 days"),
        ("2025-03-09", "2025-04-07", "over 28 days"),
        ("2025-03-09", "2025-03-08", "before the event"),
        ("2025-03-30T00:30", "2025-03-30T23:30", "same day"),  # the clocks go forward in between
        ("2025-07-01T00:30", "2025-07-01T10:00", "same day"),  # still June in UTC
        ("2025-03", "2025-04-20", "month only"),
        ("2025-03", "", "not said"),
        ("2025-03-09", "", "not said"),
    ],
)
def test_lag_is_counted_in_days_of_the_calendar(event, report, band):
    assert {name: n for name, n in report_lag(told((event, report)))["bands"].items() if n} == {band: 1}


def test_quantiles_are_days_within_which_that_share_was_reported():
    events = [("2025-03-01", f"2025-03-{day:02d}") for day in (1, 2, 3, 5, 9)]
    found = report_lag(told(*events, ("2025-03-01", "2025-02-20"), ("2025-03", "2025-05-01"), ("2025-03-01", "")))
    assert (found["records"], found["known"]) == (8, 5)
    assert (found["median_days"], found["quartiles_days"], found["p90_days"]) == (2, [1, 4], 8)


def test_no_lag_is_null_and_never_zero():
    for records in (told(("2025-03", "2025-04-01"), ("2025-03-09", "")), told()):
        found = report_lag(records)
        assert (found["known"], found["median_days"], found["quartiles_days"], found["p90_days"]) == (
            0,
            None,
            None,
            None,
        )


@given(
    st.lists(
        st.tuples(
            st.integers(-40, 90) | st.none(),
            st.sampled_from(["date", "instant", "month"]),
        ),
        max_size=30,
    )
)
def test_every_record_is_in_one_band_in_any_order(rows):
    end_us = parse_time("2025-03-09T12:00")[0]
    frame = pd.DataFrame(
        {
            "to_us": np.full(len(rows), end_us, np.int64),
            "time_basis": [basis for _, basis in rows],
            "reported_us": np.array([np.nan if d is None else end_us + d * DAY_US for d, _ in rows], float),
        }
    )
    found = report_lag(frame)
    assert sum(found["bands"].values()) == found["records"] == len(rows)
    assert found == report_lag(frame.iloc[::-1])
    days = [d for d, basis in rows if d is not None and d >= 0 and basis != "month"]
    assert found["known"] == len(days)
    if days:
        assert sum(d <= found["median_days"] for d in days) * 2 >= len(days)
        assert sum(d < found["median_days"] for d in days) * 2 < len(days) + 1
        assert sum(d <= found["p90_days"] for d in days) * 10 >= len(days) * 9


def test_source_types_are_all_named_and_add_up():
    records = make_records(["2025-03-09"] * 4, source_type=["outreach", "reported", "", "outreach"])
    assert source_types(records) == {"reported": 1, "discovered": 0, "outreach": 2, "not said": 1}
    assert set(source_types(records.iloc[:0]).values()) == {0}


def test_stacks_are_shared_out_over_records_and_not_over_points():
    stacks = pd.DataFrame(
        {
            "records": [6, 2, 1, 1],
            "stack_class": ["default", "snap_point", "single", "single"],
            "method": ["not_a_place", "snapped", "snapped", "as_given"],
        }
    )
    found = stack_figures(stacks)
    assert {name: found[name] for name in ("records", "coordinates", "repeated", "on_repeated", "moved", "set_aside")} == {
        "records": 10, "coordinates": 4, "repeated": 2, "on_repeated": 8, "moved": 3, "set_aside": 6,
    }  # fmt: skip
    assert [(one["stack_class"], one["coordinates"], one["records"], one["share"]) for one in found["classes"]] == [
        ("snap_point", 1, 2, 0.2), ("default", 1, 6, 0.6), ("single", 2, 2, 0.2),
    ]  # fmt: skip
    nothing = stack_figures(stacks.iloc[:0])
    assert (nothing["records"], nothing["classes"]) == (0, [])


def test_the_edge_of_an_area_belongs_to_it_and_each_record_counts():
    square = shapely.box(-2.4, 51.3, -2.3, 51.4)
    hole = shapely.Polygon(square.exterior, [shapely.box(-2.36, 51.34, -2.34, 51.36).exterior])
    lon, lat = np.array([-2.4, -2.35, -2.35, -2.5]), np.array([51.35, 51.35, 51.35, 51.35])
    areas = {"square": square, "ring": hole, "nothing": shapely.Polygon()}
    assert count_outside(lon, lat, areas) == {"square": 1, "ring": 3, "nothing": 4}
    assert count_outside(lon[:0], lat[:0], areas) == {"square": 0, "ring": 0, "nothing": 0}
    with pytest.raises(InvalidParameter, match="finite"):
        count_outside(np.array([np.nan]), np.array([51.0]), areas)


@given(st.integers(0, 500), st.integers(0, 500))
def test_a_share_in_words_is_never_said_wrongly(count, more):
    total = count + more
    words = in_ten(count, total)
    if words in {"all", "none"}:
        assert count == (total if words == "all" and total else 0)
        return
    assert 0 < count < total
    if words == "more than 9 of 10":
        assert 10 * count > 9 * total
    elif words == "fewer than 1 of 10":
        assert 10 * count < total
    else:
        tenths = int(words.removeprefix("about ").split()[0])
        assert (10 * count == tenths * total) == (not words.startswith("about "))
        assert abs(count / total - tenths / 10) <= 0.05 + 1e-9
