"""When a row says that something happened."""

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.problems import Problems, Reason
from geo.temporal import micros, parse_times

_EARLIEST_US: Final = micros(datetime(1900, 1, 1, tzinfo=UTC))


def read_times(
    rows: pd.DataFrame, problems: Problems, *, now_us: int, zone: ZoneInfo
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.object_]]:
    """Interval and basis of each row from its fields ``date``, ``time``, ``from`` and ``to``.

    Returns
    -------
    from_us, to_us : ndarray of int64, shape (n,)
        Microseconds UTC, half-open; zero where a problem was noted.
    basis : ndarray of str, shape (n,)
    """
    begins_at = (rows["from"] != "").to_numpy(bool)
    start_text = _dates_and_times(rows)
    start_text[begins_at] = rows["from"].to_numpy(object)[begins_at]
    end_text = rows["to"].to_numpy(object)
    undated = start_text == ""
    problems.add(undated, "date", Reason.MISSING_FIELD, "the row has no date")
    start_text[undated] = "1970-01-01"
    from_us, to_us, basis, bad = parse_times(start_text.tolist(), zone)
    problems.add_each({row: detail for row, detail in bad.items() if begins_at[row]}, "from", Reason.BAD_DATE)
    problems.add_each(bad, "date", Reason.BAD_DATE)
    ending = (end_text != "") & problems.good
    if ending.any():
        at = np.flatnonzero(ending)
        last_from_us, last_us, last_basis, bad = parse_times(end_text[at].tolist(), zone)
        problems.add_each({int(at[i]): detail for i, detail in bad.items()}, "to", Reason.BAD_DATE)
        to_us = to_us.copy()
        to_us[at] = last_us
        basis = basis.copy()
        same_month = (basis[at] == "month") & (last_basis == "month") & (from_us[at] == last_from_us)
        basis[at] = np.where(same_month, "month", "interval")
        ends_later = np.zeros(len(rows), bool)
        ends_later[at] = last_from_us > now_us
        problems.add(ends_later, "to", Reason.FUTURE_DATE, "the row ends in the future")
        problems.add(ending & (to_us <= from_us), "to", Reason.BAD_DATE, "the row ends before it begins")
    problems.add(from_us < _EARLIEST_US, "date", Reason.BAD_DATE, "the year is before 1900; is it right?")
    problems.add(from_us > now_us, "date", Reason.FUTURE_DATE, "the row lies in the future")
    return from_us, to_us, basis


def _dates_and_times(rows: pd.DataFrame) -> NDArray[np.object_]:
    """Date and time of day of each row as one text; shape (n,)."""
    days, times = rows["date"].to_numpy(object, copy=True), rows["time"].to_numpy(object)
    timed = np.flatnonzero(times != "")
    days[timed] = np.where(days[timed] != "", days[timed] + " " + times[timed], times[timed])
    return days


def read_reported(
    texts: pd.Series, from_us: NDArray[np.int64], problems: Problems, *, now_us: int, zone: ZoneInfo
) -> NDArray[np.object_]:
    """Moment that each row was reported, as int or None; an event cannot be reported before it begins."""
    reported = np.full(len(texts), None, dtype=object)
    at = np.flatnonzero((texts != "").to_numpy(bool) & problems.good)
    if not len(at):
        return reported
    begin_us, end_us, _, bad = parse_times(texts.iloc[at].tolist(), zone)
    problems.add_each({int(at[i]): detail for i, detail in bad.items()}, "reported", Reason.BAD_DATE)
    early, late = np.zeros(len(texts), bool), np.zeros(len(texts), bool)
    early[at], late[at] = end_us <= from_us[at], begin_us > now_us
    problems.add(early, "reported", Reason.BAD_DATE, "reported before it happened; is one of the dates wrong?")
    problems.add(late, "reported", Reason.FUTURE_DATE, "reported in the future")
    reported[at] = [max(int(begin), int(start)) for begin, start in zip(begin_us, from_us[at], strict=True)]
    return reported
