"""Which records, cells and places of an analysis a view shows."""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.model import TimeBasis
from geo.temporal import KNOWN_HOUR_US, day_interval, local_hours, local_weekdays, midpoint_us, month_interval
from geo.view import View, month_view

Mask = NDArray[np.bool_]

# An interval no longer than this says something about the weekday.
KNOWN_DAY_US: Final = 36 * 3600 * 1_000_000
# Columns of record frames that a view chooses by.
RECORD_COLUMNS: Final = ("from_us", "to_us", "time_basis", "kind", "category", "source_type", "grade", "agency")


def matching(records: pd.DataFrame, view: View) -> Mask:
    """Whether a view shows each record.

    Parameters
    ----------
    records : DataFrame
        ``RECORD_COLUMNS``; empty texts where a record does not say.
    view : View

    Returns
    -------
    ndarray of bool, shape (n,)

    Notes
    -----
    Weekdays and hours are those of the midpoint, of records whose interval is short enough to say: at most 36 hours for
    a weekday, at most 6 for an hour. With a band over midnight the weekday is that on which the night began. A record
    known by month only is of the Europe/London month of its midpoint, in whatever time zone that month was cut out, and
    lies within dates when all of the month does. What does not say is not shown under such a view, and
    :func:`without_time` counts it.
    """
    keep = _of_kinds(records, view) & _within_dates(records, view) & ~_partly_within(records, view)
    at_us = midpoint_us(records["from_us"].to_numpy(np.int64), records["to_us"].to_numpy(np.int64))
    if view.weekdays:
        keep &= knows_weekday(records) & np.isin(_night_of(at_us, view), view.weekdays)
    if view.hours:
        keep &= knows_hour(records) & _in_band(local_hours(at_us), view.hours)
    return keep


def _night_of(at_us: NDArray[np.int64], view: View) -> NDArray[np.int64]:
    """Weekday of each moment; after midnight, in a band that runs over it, that of the evening before."""
    weekday = local_weekdays(at_us)
    if view.hours is None or view.hours[0] < view.hours[1]:
        return weekday
    return np.where(local_hours(at_us) < view.hours[1], (weekday - 1) % 7, weekday)


def without_time(records: pd.DataFrame, view: View) -> int:
    """Count records that fit a view but for a day, weekday or hour that they do not say."""
    partly = _partly_within(records, view)
    says = ~partly
    says &= knows_weekday(records) if view.weekdays else says
    says &= knows_hour(records) if view.hours else says
    near = _within_dates(records, view) | partly
    return int((_of_kinds(records, view) & near & ~says).sum())


def knows_weekday(records: pd.DataFrame) -> Mask:
    """Whether a record says on which weekday it happened, shape (n,)."""
    short = (records["to_us"].to_numpy(np.int64) - records["from_us"].to_numpy(np.int64)) <= KNOWN_DAY_US
    return short & (records["time_basis"] != TimeBasis.MONTH).to_numpy(bool)


def knows_hour(records: pd.DataFrame) -> Mask:
    """Whether a record says at which hour of the day it happened, shape (n,)."""
    return (records["to_us"].to_numpy(np.int64) - records["from_us"].to_numpy(np.int64)) <= KNOWN_HOUR_US


def _within_dates(records: pd.DataFrame, view: View) -> Mask:
    at_us = midpoint_us(records["from_us"].to_numpy(np.int64), records["to_us"].to_numpy(np.int64))
    keep = np.ones(len(records), bool)
    if view.date_from:
        keep &= at_us >= day_interval(view.date_from)[0]
    if view.date_to:
        keep &= at_us < day_interval(view.date_to)[1]
    return keep


def _partly_within(records: pd.DataFrame, view: View) -> Mask:
    """Whether a record is known by month only and the dates of a view hold a part of its month, but not all of it."""
    partly = np.zeros(len(records), bool)
    at_us = midpoint_us(records["from_us"].to_numpy(np.int64), records["to_us"].to_numpy(np.int64))
    for day, whole in ((view.date_from, "date_from"), (view.date_to, "date_to")):
        if day and day != getattr(month_view(day.year, day.month), whole):
            start_us, end_us = month_interval(day.year, day.month)
            partly |= (at_us >= start_us) & (at_us < end_us)
    return partly & (records["time_basis"] == TimeBasis.MONTH).to_numpy(bool)


def _of_kinds(records: pd.DataFrame, view: View) -> Mask:
    keep = np.ones(len(records), bool)
    if view.kinds:
        keep &= (records["kind"].isin(view.kinds) | records["category"].isin(view.kinds)).to_numpy(bool)
    for column, wanted in (
        ("source_type", view.source_types),
        ("grade", view.grades),
        ("agency", view.agencies),
    ):
        if wanted:
            keep &= records[column].isin(wanted).to_numpy(bool)
    return keep


def _in_band(hours: NDArray[np.int64], band: tuple[int, int]) -> Mask:
    first, last = band
    return (hours >= first) & (hours < last) if first < last else (hours >= first) | (hours < last)


def group_shown(
    records: pd.DataFrame, group: NDArray[np.int64], count: int, view: View
) -> tuple[NDArray[np.int64], Mask]:
    """Matching records of each group, and whether a view shows the group at all.

    Parameters
    ----------
    records : DataFrame
        All records of the analysis.
    group : ndarray of int64, shape (n,)
        Cell or place of each record by number; -1 for none.
    count : int
        Number of groups.
    view : View

    Returns
    -------
    records : ndarray of int64, shape (count,)
    shown : ndarray of bool, shape (count,)
    """
    inside = group >= 0
    found = np.bincount(group[inside & matching(records, view)], minlength=count)
    shown = found >= view.min_records
    if view.new_since:
        at_us = midpoint_us(records["from_us"].to_numpy(np.int64), records["to_us"].to_numpy(np.int64))
        before = inside & (at_us < day_interval(view.new_since)[0])
        shown &= np.bincount(group[before], minlength=count) == 0
    return found, shown
