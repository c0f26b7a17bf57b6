"""Views: one address for one filter, and which records it shows."""

from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import DisclosureError, InvalidParameter
from geo.model import Profile, TimeBasis
from geo.temporal import micros, month_interval
from geo.view import View, month_view
from geo.view_filter import group_shown, matching, without_time

words = (
    st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=12).map(str.strip).filter(lambda one: one != "-")
)
views = st.builds(
    View,
    date_from=st.none() | st.dates(date(2020, 1, 1), date(2023, 1, 1)),
    date_to=st.none() | st.dates(date(2023, 1, 1), date(2030, 1, 1)),
    weekdays=st.sets(st.integers(0, 6)).map(tuple),
    hours=st.none() | st.tuples(st.integers(0, 23), st.integers(0, 24)).filter(lambda one: one[0] != one[1]),
    kinds=st.sets(words, max_size=3).map(tuple),
    source_types=st.sets(words, max_size=3).map(tuple),
    grades=st.sets(words, max_size=3).map(tuple),
    agencies=st.sets(words, max_size=3).map(tuple),
    place_kinds=st.sets(words, max_size=3).map(tuple),
    min_records=st.integers(1, 1000),
    new_since=st.none() | st.dates(date(2020, 1, 1), date(2030, 1, 1)),
)


@given(views)
def test_an_address_reads_back_as_the_same_view(view: View) -> None:
    assert View.parse(parse_qs(view.query())) == view
    assert View.parse(parse_qs(view.query())).query() == view.query()


def test_equal_filters_have_one_address() -> None:
    one = View.parse(
        {"weekday": ["sat", "Fri"], "kind": ["b", "a", "a"], "hours": ["0-24"], "page": ["3"], "from": [""]}
    )
    assert one == View(weekdays=(4, 5), kinds=("a", "b"))
    assert one.query() == "weekday=fri&weekday=sat&kind=a&kind=b"
    assert View.parse({}) == View()
    assert View().query() == ""
    assert not View(min_records=3, place_kinds=("park",)).chooses_records
    assert View(hours=(1, 2)).chooses_records


@pytest.mark.parametrize(
    ("name", "text"),
    [("from", "1/2/2026"), ("weekday", "someday"), ("hours", "18"), ("hours", "7-7"), ("hours", "25-3"), ("min_records", "0"),
     ("min_records", "many"), ("new_since", "2026-02-30")],
)  # fmt: skip
def test_what_cannot_be_read_is_named(name: str, text: str) -> None:
    with pytest.raises(InvalidParameter, match=name):
        View.parse({name: [text]})
    with pytest.raises(InvalidParameter, match="after"):
        View(date_from=date(2026, 2, 1), date_to=date(2026, 1, 1))


@pytest.mark.parametrize("name", ["from", "to", "new_since"])
@pytest.mark.parametrize("text", ["9999-12-31", "0001-01-01"])
def test_dates_at_the_ends_of_the_calendar_are_refused(name: str, text: str) -> None:
    with pytest.raises(InvalidParameter, match="outside"):
        View.parse({name: [text]})


def test_outside_operations_only_the_whole_and_calendar_months() -> None:
    february = month_view(2024, 2)
    assert february.date_to == date(2024, 2, 29)
    for profile in Profile:
        assert View().permitted(profile) == View()
        assert february.permitted(profile) == february
    assert View(min_records=2).permitted(Profile.OPERATIONAL).min_records == 2
    for asked in (View(min_records=2), View(date_from=date(2024, 2, 1), date_to=date(2024, 2, 28)), View(kinds=("x",))):
        with pytest.raises(DisclosureError, match="one calendar month"):
            asked.permitted(Profile.PARTNER)


def records(*rows: tuple[datetime, timedelta, TimeBasis, str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "from_us": [micros(at) for at, _, _, _ in rows],
            "to_us": [micros(at + length) for at, length, _, _ in rows],
            "time_basis": [str(basis) for _, _, basis, _ in rows],
            "kind": "incidents",
            "category": [category for _, _, _, category in rows],
            "source_type": ["school", *[""] * (len(rows) - 1)],
            "grade": "B",
            "agency": "",
        }
    )


FRIDAY = datetime(2026, 3, 6, 22, 30, tzinfo=UTC)  # also 22:30 in London
HOUR = timedelta(hours=1)
SOME = records(
    (FRIDAY, HOUR, TimeBasis.INTERVAL, "theft"),
    (FRIDAY + 4 * HOUR, HOUR, TimeBasis.INTERVAL, "noise"),  # Saturday 02:30
    (FRIDAY.replace(hour=0), 24 * HOUR, TimeBasis.DATE, "theft"),
    (datetime(2026, 3, 1, tzinfo=UTC), timedelta(days=31) - HOUR, TimeBasis.MONTH, "theft"),
)


@pytest.mark.parametrize(
    ("view", "shown", "silent"),
    [
        (View(), [1, 1, 1, 1], 0),
        (View(hours=(22, 3)), [1, 0, 0, 0], 2),
        (View(hours=(20, 4)), [1, 1, 0, 0], 2),
        (View(weekdays=(4,)), [1, 0, 1, 0], 1),
        (View(weekdays=(4,), kinds=("noise",)), [0, 0, 0, 0], 0),
        (View(kinds=("noise", "incidents")), [1, 1, 1, 1], 0),
        (View(source_types=("",)), [0, 1, 1, 1], 0),
        (View(grades=("A",)), [0, 0, 0, 0], 0),
        (View(date_from=date(2026, 3, 7)), [0, 1, 0, 0], 1),
        (View(date_to=date(2026, 3, 6)), [1, 0, 1, 0], 1),
        (View(date_from=date(2026, 3, 1), date_to=date(2026, 3, 31)), [1, 1, 1, 1], 0),
        (View(date_from=date(2026, 4, 1)), [0, 0, 0, 0], 0),
        (View(weekdays=(4,), hours=(22, 4)), [1, 1, 0, 0], 2),  # Saturday 02:30 is still Friday's night
        (View(weekdays=(5,), hours=(22, 4)), [0, 0, 0, 0], 2),
    ],
)
def test_records_shown_and_those_that_do_not_say(view: View, shown: list[int], silent: int) -> None:
    assert matching(SOME, view).astype(int).tolist() == shown
    assert without_time(SOME, view) == silent


@given(
    st.sampled_from(["Europe/London", "UTC", "America/Los_Angeles", "Pacific/Auckland"]),
    st.dates(date(2024, 1, 1), date(2025, 12, 31)),
    st.dates(date(2024, 1, 1), date(2025, 12, 31)),
)
def test_a_month_is_within_dates_when_all_of_it_is_wherever_it_was_cut(zone: str, one: date, other: date) -> None:
    months = [(year, month) for year in (2024, 2025) for month in range(1, 13)]
    cut = np.array([month_interval(*each, ZoneInfo(zone)) for each in months])
    frame = records(*[(FRIDAY, HOUR, TimeBasis.MONTH, "")] * 24).assign(from_us=cut[:, 0], to_us=cut[:, 1])
    view = View(date_from=min(one, other), date_to=max(one, other))
    whole = [month_view(*each) for each in months]
    inside = [view.date_from <= each.date_from and each.date_to <= view.date_to for each in whole]
    meets = [view.date_from <= each.date_to and each.date_from <= view.date_to for each in whole]
    assert matching(frame, view).tolist() == inside
    assert without_time(frame, view) == sum(meets) - sum(inside)
    assert sum(matching(frame, each).astype(int) for each in whole).tolist() == [1] * 24


@given(views)
def test_more_conditions_never_show_more(view: View) -> None:
    assert not (matching(SOME, view) & ~matching(SOME, View(date_from=view.date_from, date_to=view.date_to))).any()


def test_groups_that_are_too_small_or_not_new_are_left_out() -> None:
    group = np.array([0, 0, 1, -1])
    found, shown = group_shown(SOME, group, 3, View(min_records=2))
    assert found.tolist() == [2, 1, 0]
    assert shown.tolist() == [True, False, False]
    _, shown = group_shown(SOME, group, 3, View(new_since=date(2026, 3, 6)))
    assert shown.tolist() == [True, True, False]
    _, shown = group_shown(SOME, group, 3, View(new_since=date(2026, 3, 7)))
    assert shown.tolist() == [False, False, False]
