"""Times read many at once say what each says when it is read by itself."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from geo.temporal import LONDON, BadDate, parse_time, parse_times
from geo.usual_times import read_usual

DAY = timedelta(days=1)
ZONES = [LONDON, *map(ZoneInfo, ("UTC", "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu"))]
DATES = st.one_of(
    st.dates(),
    st.dates(date(2000, 1, 1), date(2030, 12, 31)),
    # About the clock changes of London, Apia's lost day, and midnights that Brazil skipped.
    st.sampled_from([date(2024, 3, 31), date(2024, 10, 27), date(2011, 12, 30), date(2018, 11, 4), date(1968, 10, 26)]),
)
TWO_DIGITS = st.one_of(st.integers(0, 25), st.integers(55, 61)).map("{:02d}".format)


@st.composite
def written(draw: st.DrawFn) -> str:
    """A time as people and machines write it, and sometimes as they get it wrong."""
    day = draw(DATES)
    numbers = {"Y": f"{day.year:04d}", "M": f"{day.month:02d}", "D": f"{day.day:02d}"}
    if draw(st.booleans()):
        numbers["D" if draw(st.booleans()) else "M"] = draw(st.integers(0, 35).map("{:02d}".format))
    text = "".join(numbers.get(one, one) for one in draw(st.sampled_from(["Y-M-D", "D/M/Y", "D.M.Y", "YMD", "Y-M"])))
    if draw(st.booleans()):
        clock = [draw(TWO_DIGITS) for _ in range(draw(st.integers(1, 3)))]
        text += (
            draw(st.sampled_from("T t_")) + ":".join(clock) + draw(st.sampled_from(["", "Z", "+00:00", "-05:30", ".5"]))
        )
    if draw(st.integers(0, 9)) == 0 and text:
        place, odd = draw(st.integers(0, len(text) - 1)), draw(st.sampled_from(" ?x-:/\u0663\u00a0é\ud800\0\n"))
        text = text[:place] + odd + text[place + draw(st.integers(0, 1)) :]
    return text


def _alone(text: str, zone: ZoneInfo) -> tuple[object, ...]:
    try:
        return parse_time(text, zone)
    except BadDate as error:
        return 0, 0, "", str(error)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.one_of(written(), st.text(max_size=25)), max_size=30), st.sampled_from(ZONES))
@example(
    ["2016-12-31T23:59:60", "2024-02-29", "2023-02-29", "1900-02-29", "0000-01-01", "0001-01-01", "9999-12-31"], LONDON
)
@example(["2024-03-31T00:59", "2024-03-31T01:00", "2024-10-27T01:30", "2024-10-27T02:00", " 2024-03-09 ", ""], LONDON)
@example(["2024-03-09T00:00", "2024-03-09T00:00Z", "2024-03-09 00:00:00", "09/03/2024", "09/03/2024 00:00"], LONDON)
@example(["2011-12-29T12:00", "2011-12-30", "2011-12-30T12:00", "2011-12-31T00:00"], ZoneInfo("Pacific/Apia"))
@example(["1847-12-01T00:00:15", "1847-11-30T12:00", "1940-06-01T10:00", "1968-10-27T00:00"], LONDON)
def test_many_at_once_say_what_each_says_by_itself(texts: list[str], zone: ZoneInfo) -> None:
    from_us, to_us, basis, problems = parse_times(texts, zone)
    for i, text in enumerate(texts):
        found = (from_us[i], to_us[i], basis[i], *([problems[i]] if i in problems else []))
        assert found == _alone(text, zone)
        assert type(basis[i]) is type(_alone(text, zone)[2])


@settings(max_examples=200, deadline=None)
@given(st.lists(written(), max_size=30), st.sampled_from(ZONES))
def test_what_is_left_is_left_untouched(texts: list[str], zone: ZoneInfo) -> None:
    from_us, to_us, basis, known = read_usual(np.array(texts, dtype=object), zone)
    assert not from_us[~known].any()
    assert not to_us[~known].any()
    assert set(basis[~known]) <= {""}
    assert all(parse_time(text, zone) for text in np.array(texts, dtype=object)[known])


def test_every_hour_of_two_years_in_every_usual_form() -> None:
    hours = [datetime(2023, 1, 1) + timedelta(minutes=61 * i) for i in range(17_500)]  # noqa: DTZ001 - local times
    texts = [hour.strftime(form) for hour in hours for form in ("%Y-%m-%dT%H:%M", "%d/%m/%Y %H:%M:%S")]
    texts += [hour.strftime("%Y-%m-%d %H:%M:00Z") for hour in hours[::50]]
    _, _, _, known = read_usual(np.array(texts, dtype=object), LONDON)
    changing = {"2023-03-26", "2023-10-29", "2024-03-31", "2024-10-27"}
    left = {text[:10] for text in np.array(texts, dtype=object)[~known]}
    assert left == changing | {"/".join(reversed(day.split("-"))) for day in changing}
    from_us, to_us, basis, problems = parse_times(texts)
    some = range(0, len(texts), 37)
    assert [(from_us[i], to_us[i], basis[i]) for i in some if i not in problems] == [
        parse_time(texts[i]) for i in some if i not in problems
    ]
    assert {texts[i][:10] for i in problems} == {"2023-03-26", "26/03/2023", "2024-03-31", "31/03/2024"}


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_a_day_on_which_the_clocks_change_is_left(zone: ZoneInfo) -> None:
    """Every day of forty years: it is read at once only where all its hours have one offset."""
    days = [date(1985, 1, 1) + i * DAY for i in range(40 * 365)]
    _, _, _, known = read_usual(np.array([f"{day}T12:00" for day in days], dtype=object), zone)
    for day, read in zip(days, known.tolist(), strict=True):
        hours = [datetime(day.year, day.month, day.day, hour, tzinfo=zone) for hour in range(24)]
        if read:
            assert len({hour.replace(fold=fold).utcoffset() for hour in hours for fold in (0, 1)}) == 1
