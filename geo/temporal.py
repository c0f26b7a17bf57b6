"""Times: int64 microseconds UTC, half-open intervals; dates and months are Europe/London."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.errors import LapwingError
from geo.model import TimeBasis
from geo.usual_times import read_usual

LONDON: Final = ZoneInfo("Europe/London")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MONTH: Final = re.compile(r"^(\d{4})-(\d{2})$")
_SHORT_HOUR: Final = re.compile(r"(?<=\d)([T ])(\d:)")
_UK_DATE: Final = re.compile(r"^(\d{1,2})[/.](\d{1,2})[/.](\d{4})(?:[ T]+(.+))?$")
_DATE: Final = re.compile(r"^\d{4}-?\d{2}-?\d{2}$")

WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# An interval no longer than this says something about the hour of day.
KNOWN_HOUR_US: Final = 6 * 3600 * 1_000_000


class BadDate(LapwingError, ValueError):
    """Text that is not a date, or a local time that the clocks skipped."""


def micros(moment: datetime) -> int:
    """Microseconds UTC of an aware datetime."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def from_micros(value_us: int) -> datetime:
    """Aware UTC datetime of microseconds UTC."""
    return _EPOCH + timedelta(microseconds=int(value_us))


def month_interval(year: int, month: int, zone: ZoneInfo = LONDON) -> tuple[int, int]:
    """Half-open interval of a calendar month."""
    start = datetime(year, month, 1, tzinfo=zone)
    end = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=zone)
    return micros(start), micros(end)


def day_interval(day: date, zone: ZoneInfo = LONDON) -> tuple[int, int]:
    """Half-open interval of a calendar day (23, 24 or 25 hours)."""
    start = datetime(day.year, day.month, day.day, tzinfo=zone)
    after = day + timedelta(days=1)
    return micros(start), micros(datetime(after.year, after.month, after.day, tzinfo=zone))


def parse_time(text: str, zone: ZoneInfo = LONDON) -> tuple[int, int, TimeBasis]:
    """Read one time as written and return the interval it stands for.

    Accepted are a month (``2024-03``), a date (``2024-03-09`` or, day first, ``09/03/2024``) and a time in ISO 8601,
    which is local time in ``zone`` unless it carries an offset. Local midnight is how spreadsheets write a date
    without a time, so it stands for the whole day. An hour that the clocks repeat becomes an interval
    over both readings.

    Raises
    ------
    BadDate
        When the text is none of these, or names an hour the clocks skipped.

    Examples
    --------
    >>> parse_time("2024-02")[2].value
    'month'
    >>> parse_time("2024-07-01T12:00")[0] == parse_time("2024-07-01T11:00Z")[0]
    True
    """
    text = written = text.strip()
    try:
        if match := _MONTH.match(text):
            return *month_interval(int(match[1]), int(match[2]), zone), TimeBasis.MONTH
        if match := _UK_DATE.match(text):
            text = f"{match[3]}-{int(match[2]):02d}-{int(match[1]):02d}" + (f"T{match[4]}" if match[4] else "")
        text = _SHORT_HOUR.sub(r"\g<1>0\g<2>", text)
        if _DATE.match(text):
            return *day_interval(date.fromisoformat(text), zone), TimeBasis.DATE
        moment = datetime.fromisoformat("" if "W" in text.upper() else text)  # an ISO week is not a date
        if moment.tzinfo is None and moment.time() == time(0):
            return *day_interval(moment.date(), zone), TimeBasis.DATE
        return _interval_of_moment(moment, written, zone)
    except BadDate:
        raise
    except (ValueError, OverflowError) as error:
        raise BadDate(
            f"{written[:40]!r} is not a date; write 2024-03-09, 2024-03-09T21:30, 09/03/2024 or 2024-03"
        ) from error


def _interval_of_moment(moment: datetime, written: str, zone: ZoneInfo) -> tuple[int, int, TimeBasis]:
    one_us = 1
    if moment.tzinfo is not None:
        at = micros(moment.astimezone(UTC))
        return at, at + one_us, TimeBasis.INSTANT
    first = moment.replace(tzinfo=zone, fold=0).astimezone(UTC)
    second = moment.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) != moment:
        raise BadDate(f"{written[:40]!r} does not exist: the clocks went forward over it; correct the time")
    if first != second:
        return micros(min(first, second)), micros(max(first, second)) + one_us, TimeBasis.INTERVAL
    return micros(first), micros(first) + one_us, TimeBasis.INSTANT


def parse_times(
    texts: Sequence[str], zone: ZoneInfo = LONDON
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.object_], dict[int, str]]:
    """Read many times as ``parse_time`` reads each; the usual forms all at once.

    Returns
    -------
    from_us, to_us : ndarray of int64, shape (n,)
        Interval; zero where the text could not be read.
    basis : ndarray of str, shape (n,)
    problems : dict
        Position to message, for the texts that could not be read.
    """
    values = np.asarray(texts, dtype=object)
    from_us, to_us, basis, known = read_usual(values, zone)
    rest = np.flatnonzero(~known)
    if not len(rest):
        return from_us, to_us, basis, {}
    from_us[rest], to_us[rest], basis[rest], failed = _parse_each(values[rest], zone)
    return from_us, to_us, basis, {int(rest[i]): why for i, why in failed.items()}


def _parse_each(
    texts: NDArray[np.object_], zone: ZoneInfo
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.object_], dict[int, str]]:
    """Read many times one by one, each distinct text once."""
    codes, uniques = pd.factorize(texts)
    starts, ends = np.zeros(len(uniques), np.int64), np.zeros(len(uniques), np.int64)
    basis = np.full(len(uniques), "", dtype=object)
    failed: dict[int, str] = {}
    for i, text in enumerate(uniques):
        try:
            starts[i], ends[i], basis[i] = parse_time(str(text), zone)
        except BadDate as error:
            failed[i] = str(error)
    problems: dict[int, str] = {}
    if failed:
        bad = np.flatnonzero(np.isin(codes, list(failed)))
        problems = {int(row): failed[int(codes[row])] for row in bad}
    return starts[codes], ends[codes], basis[codes], problems


def midpoint_us(from_us: NDArray[np.int64], to_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """Midpoint of each half-open interval, without overflow."""
    return from_us + (to_us - from_us) // 2


def local_days(at_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """Europe/London calendar day of each moment, as days since 1970-01-01."""
    local = pd.DatetimeIndex(np.asarray(at_us).astype("datetime64[us]"), tz="UTC").tz_convert(LONDON).tz_localize(None)
    return local.to_numpy().astype("datetime64[D]").astype(np.int64)


def local_months(at_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """Europe/London calendar month of each moment, as months since 1970-01."""
    return local_days(at_us).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def local_hours(at_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """Europe/London hour of day of each moment."""
    index = pd.DatetimeIndex(np.asarray(at_us).astype("datetime64[us]"), tz="UTC").tz_convert(LONDON)
    return np.asarray(index.hour, dtype=np.int64)


def local_weekdays(at_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """Europe/London weekday of each moment, Monday = 0."""
    return (local_days(at_us) + 3) % 7


def missing_months(months: NDArray[np.int64], *, first: date | None = None, last: date | None = None) -> list[str]:
    """Months without any record, as ``YYYY-MM``: from the first to the last, or over the whole period asked for.

    Examples
    --------
    >>> missing_months(np.array([0, 2]))
    ['1970-02']
    >>> missing_months(np.array([1]), first=date(1970, 1, 1), last=date(1970, 3, 31))
    ['1970-01', '1970-03']
    """
    if not len(months):
        return []
    begin = min(months.min(), _month_number(first) if first else months.min())
    end = max(months.max(), _month_number(last) if last else months.max())
    absent = np.setdiff1d(np.arange(begin, end + 1), months)
    return [str(month) for month in absent.astype("datetime64[M]")]


def _month_number(day: date) -> int:
    return (day.year - 1970) * 12 + day.month - 1
