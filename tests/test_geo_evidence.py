"""Evidence of clusters against a plain computation group by group; tallies; usual days and hours."""

from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import evidence as ev
from geo.model import CELL_COLUMNS
from geo.quality import describe
from geo.tally import tally_cells
from geo.temporal import WEEKDAYS
from tests.factories import NOW_US, make_records

DATES = st.sampled_from(
    [
        "2025-03", "2025-04", "2025-03-09", "2025-03-30", "2025-10-26", "2025-03-09T23:30", "2025-03-10T00:30", "2025-06-30T23:30",
        "2025-10-26T01:30", "2025-07-01T00:15", "2025-07-01T12:00Z",
    ]
)  # fmt: skip
ROWS = st.lists(
    st.tuples(DATES, st.integers(0, 3), st.sampled_from(["", "Avon", "Outreach"]), st.booleans(), st.sampled_from(["incidents", "observations"])),
    min_size=1,
    max_size=40,
)  # fmt: skip


def frame_of(rows):
    dates, group, agency, snapped, kind = zip(*rows, strict=True)
    records = make_records(
        dates,
        agency=list(agency),
        kind=list(kind),
        location_basis=np.where(snapped, "snapped", "exact"),
        precision_m=np.arange(len(rows)) + 1.0,
    )
    _, number = np.unique(group, return_inverse=True)
    return records, number.astype(np.int64)


def _plain(part, as_of_us):
    """One group's evidence, the slow way."""
    middle = pd.to_datetime((part["from_us"] + part["to_us"]) // 2, unit="us", utc=True).dt.tz_convert("Europe/London")
    month_only = part["time_basis"] == "month"
    said_by = sorted(set(part["agency"].where(part["agency"] != "", part["source"])))
    hours = (part["to_us"] - part["from_us"]) / 3.6e9
    weekdays = middle[hours <= 26].dt.day_name().value_counts()
    timed = middle[(hours <= 6) & part["time_basis"].isin(["instant", "interval"])].dt.hour.value_counts()
    return {
        "records": len(part),
        "reports": len(part),
        "days": middle[~month_only].dt.date.nunique(),
        "months": middle.dt.strftime("%Y-%m").nunique(),
        "month_only": int(month_only.sum()),
        "snapped": int((part["location_basis"] == "snapped").sum()),
        "sources": len(said_by),
        "agencies": said_by,
        "kinds": part["kind"].value_counts().sort_index().to_dict(),
        "first_day": str(middle[~month_only].min().date()) if (~month_only).any() else None,
        "last_day": str(middle[~month_only].max().date()) if (~month_only).any() else None,
        "first_month": f"{middle.min():%Y-%m}",
        "last_month": f"{middle.max():%Y-%m}",
        "recency_days": max(0, (as_of_us - int(part["to_us"].max())) // (24 * 3_600_000_000)),
        "weekdays": {d: int(weekdays.get(d, 0)) for d in WEEKDAYS} if weekdays.sum() >= ev.MIN_TIMED else None,
        "hours": [int(timed.get(h, 0)) for h in range(24)] if timed.sum() >= ev.MIN_TIMED else None,
        "precision_m": float(part["precision_m"].median()),
    }


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_summaries_equal_the_plain_computation(rows):
    records, group = frame_of(rows)
    count = int(group.max()) + 1
    found = ev.summarise(records, group, count, as_of_us=NOW_US)
    assert found == [_plain(records[group == i], NOW_US) for i in range(count)]


def test_no_clusters():
    assert ev.summarise(make_records([]), np.empty(0, np.int64), 0, as_of_us=NOW_US) == []


def test_the_future_is_not_a_negative_recency():
    records = make_records(["2025-03-09"])
    assert ev.summarise(records, np.zeros(1, np.int64), 1, as_of_us=0)[0]["recency_days"] == 0


def test_one_agency_reporting_often_is_one_source():
    records = make_records(["2025-03-09"] * 9, agency=["Avon"] * 9, source=[f"file {i}" for i in range(9)])
    assert ev.summarise(records, np.zeros(9, np.int64), 1, as_of_us=NOW_US)[0]["sources"] == 1


@settings(max_examples=40, deadline=None)
@given(ROWS, st.lists(st.integers(0, 9), max_size=5))
def test_tallies_equal_the_plain_computation(rows, empty):
    records, group = frame_of(rows)
    cells, study = group * 3, np.array(empty, np.int64)
    found = tally_cells(records, cells, study)
    assert list(found.columns) == list(CELL_COLUMNS)
    assert found["cell"].tolist() == sorted({*cells.tolist(), *empty})
    assert found["records"].sum() == len(records)
    for row in found.itertuples():
        part = records[cells == row.cell]
        plain = _plain(part, NOW_US) if len(part) else dict.fromkeys(CELL_COLUMNS, 0)
        assert {name: getattr(row, name) for name in CELL_COLUMNS[1:]} == {
            name: plain[name] for name in CELL_COLUMNS[1:]
        }


def test_mostly_moved_is_more_than_half():
    assert [ev.basis_of({"snapped": n, "records": 10, "precision_m": 100.0}) for n in (0, 5, 6)] == [
        "exact",
        "exact",
        "snapped",
    ]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ({23: 5, 0: 5}, (23, 1)),
        ({21: 6, 22: 3, 3: 1}, (21, 23)),
        ({23: 9}, (23, 0)),
        ({0: 3}, (0, 1)),
        ({22: 3, 23: 3, 0: 3, 1: 3}, (22, 1)),
    ],
)
def test_busiest_hours_pass_midnight(at, expected):
    assert ev.busiest_hours([at.get(hour, 0) for hour in range(24)]) == expected


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=24, max_size=24).filter(any))
def test_busiest_hours_are_the_shortest_window_with_two_thirds(hours):
    start, end = ev.busiest_hours(hours)
    length = (end - start) % 24

    def held(first, count):
        return sum((hours * 2)[first : first + count])

    assert 3 * held(start, length) >= 2 * sum(hours)
    assert all(3 * held(first, length - 1) < 2 * sum(hours) for first in range(24))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=7, max_size=7).filter(any))
def test_busiest_days_are_fewest_with_two_thirds_in_order(counts):
    chosen = ev.busiest_days(dict(zip(WEEKDAYS, counts, strict=True)))
    held = sorted((counts[WEEKDAYS.index(day)] for day in chosen), reverse=True)
    assert 3 * sum(held) >= 2 * sum(counts) > 3 * sum(held[:-1])
    assert held == sorted(counts, reverse=True)[: len(held)]
    assert all(WEEKDAYS.index(a) < WEEKDAYS.index(b) for a, b in pairwise(chosen))


def test_unknown_times_stay_unknown():
    assert (ev.busiest_days(None), ev.busiest_hours(None)) == ([], None)
    days = [(date(2025, 3, 3) + timedelta(days=i)).isoformat() for i in range(9)]
    dated = ev.summarise(make_records(days), np.zeros(9, np.int64), 1, as_of_us=NOW_US)[0]
    assert dated["weekdays"]["Monday"] == 2
    assert dated["hours"] is None


def test_quality_of_a_batch():
    records = make_records(
        ["2025-03-09"] * 4 + ["2025-03"], lon=[-2.36, -2.36, -2.3, np.nan, np.nan], precision_m=[5, 10, 2000, np.nan, np.nan],
        location_basis=["exact", "snapped", "exact", "none", "none"],
    )  # fmt: skip
    found = describe(records)
    assert {name: found[name] for name in ("records", "unlocated", "distinct_points", "on_shared_points", "snapped")} == {
        "records": 5, "unlocated": 2, "distinct_points": 2, "on_shared_points": 2, "snapped": 1,
    }  # fmt: skip
    assert found["time_basis"] == {"date": 4, "month": 1}
    assert found["precision_m"] == {"<=10": 2, "<=50": 0, "<=150": 0, "<=1000": 0, ">1000": 1}
    assert describe(records.iloc[:0])["distinct_points"] == 0


def test_further_reports_of_an_event_count_for_who_says_so_and_for_nothing_else():
    records = make_records(["2025-03-09", "2025-03-10"], agency=["Avon", "Avon"])
    also = pd.DataFrame({"group": [0, 0], "agency": ["Council", ""], "source": ["x", "Youth team"]})
    alone, told = (
        ev.summarise(records, np.zeros(2, np.int64), 1, as_of_us=NOW_US, also=more)[0] for more in (None, also)
    )
    assert (told["records"], told["reports"], told["sources"]) == (2, 4, 3)
    assert told["agencies"] == ["Avon", "Council", "Youth team"]
    changed = {"reports", "sources", "agencies"}
    assert {n: v for n, v in told.items() if n not in changed} == {n: v for n, v in alone.items() if n not in changed}
