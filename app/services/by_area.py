"""Figures by ward, beat or other imported area: the last 28 days against the 28 before, this year against last."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from app.services.selecting import select
from data.store import Store
from geo.compare import count_change
from geo.errors import Conflict, InvalidParameter
from geo.model import AnalysisParameters, FeatureKind, Scope, TimeBasis
from geo.temporal import day_interval, local_days, local_months, midpoint_us
from geo.validate_features import POSTCODE_LEVEL

RECENT_DAYS: Final = 28
OUTSIDE: Final = "outside every area"
NO_HISTORY: Final = {"ratio": None, "low": None, "high": None, "p_value": None, "verdict": "no_history"}


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Days compared: half-open pairs of dates."""

    recent: tuple[date, date]
    before: tuple[date, date]
    this_year: tuple[date, date]
    last_year: tuple[date, date]

    @classmethod
    def up_to(cls, last: date) -> "Windows":
        """Windows that end with a day; the same day of last year is 28 February after a leap day."""
        end = last + timedelta(days=1)
        recent = end - timedelta(days=RECENT_DAYS)
        start, start_before = date(last.year, 1, 1), date(last.year - 1, 1, 1)
        day = min(last.day, 28) if (last.month, last.day) == (2, 29) else last.day
        end_before = date(last.year - 1, last.month, day) + timedelta(days=1)
        return cls(
            recent=(recent, end), before=(recent - timedelta(days=RECENT_DAYS), recent),
            this_year=(start, end), last_year=(start_before, end_before),
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ByArea:
    """Rows of areas by name, the last day they run to, and what has to be kept in mind."""

    as_of: date
    rows: list[dict[str, Any]]
    notes: list[str]


def by_area(
    store: Store, scope: Scope, parameters: AnalysisParameters, *, as_of: date | None, level: str | None = None
) -> ByArea:
    """Count the records of every imported area in four windows and compare them exactly.

    ``as_of`` is the last day counted; without it, that of the newest record.

    Raises
    ------
    Conflict
        When no areas are imported.
    InvalidParameter
        When none is of the level.
    """
    areas = _areas(store, scope, level)
    records = select(store, scope, parameters).located
    at_us = midpoint_us(records["from_us"].to_numpy(), records["to_us"].to_numpy())
    by_day = (records["time_basis"] != TimeBasis.MONTH).to_numpy(bool)
    if as_of is None:
        as_of = _last_day(records, at_us, by_day)
    windows = Windows.up_to(as_of)
    inside = _area_of(areas, records["lon"].to_numpy(float), records["lat"].to_numpy(float))
    names = [*areas["name"].where(areas["name"] != "", areas["code"]), OUTSIDE]
    counts = {
        name: np.bincount(
            inside[_within(at_us, span) & (by_day | (name in {"this_year", "last_year"}))], minlength=len(names)
        )
        for name, span in vars(windows).items()
    }
    lengths = {name: (end - start).days for name, (start, end) in vars(windows).items()}
    recent = _changes(counts, lengths, "recent", "before")
    yearly = _changes(counts, lengths, "this_year", "last_year")
    rows = [
        {"area": name, **{window: int(values[i]) for window, values in counts.items()},
         "change_28_days": recent[i], "change_this_year": yearly[i]}
        for i, name in enumerate(names)
        if name != OUTSIDE or any(values[i] for values in counts.values())
    ]  # fmt: skip
    return ByArea(as_of=as_of, rows=rows, notes=_notes(counts, by_day))


def _areas(store: Store, scope: Scope, level: str | None) -> pd.DataFrame:
    areas = store.evidence.features(scope, [FeatureKind.AREAS])
    areas = areas[areas["level"] != POSTCODE_LEVEL]
    if areas.empty:
        raise Conflict("No wards, beats or other areas are imported. Import them: lapwing import areas FILE")
    if level is not None:
        known = sorted(set(areas["level"]) - {""})
        areas = areas[areas["level"] == level]
        if areas.empty:
            raise InvalidParameter(f"No area is of level {level!r}; known are {', '.join(known) or 'none'}.")
    return areas.sort_values(["name", "code", "feature_key"]).reset_index(drop=True)


def _last_day(records: pd.DataFrame, at_us: NDArray[np.int64], by_day: NDArray[np.bool_]) -> date:
    if not len(records):
        raise Conflict("There are no records to count by area.")
    if by_day.any():
        return _date(int(local_days(at_us[by_day]).max()))
    month = np.datetime64(int(local_months(at_us).max()) + 1, "M").astype("datetime64[D]")
    return _date(int(month.astype(np.int64)) - 1)


def _date(days: int) -> date:
    return date(1970, 1, 1) + timedelta(days=days)


def _within(at_us: NDArray[np.int64], span: tuple[date, date]) -> NDArray[np.bool_]:
    return (at_us >= day_interval(span[0])[0]) & (at_us < day_interval(span[1])[0])


def _area_of(areas: pd.DataFrame, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.int64]:
    """Row of the area that holds each point; of several the first, beyond the last where none does."""
    inside = np.full(len(lon), len(areas), np.int64)
    point, area = shapely.STRtree(areas["geometry"].to_numpy(object)).query(
        shapely.points(lon, lat), predicate="intersects"
    )
    np.minimum.at(inside, point, area)
    return inside


def _changes(
    counts: dict[str, NDArray[np.int64]], lengths: dict[str, int], after: str, before: str
) -> list[dict[str, Any]]:
    """Change of every area; ``no_history`` where nothing at all is known of the earlier window."""
    if not counts[before].sum():
        return [NO_HISTORY] * len(counts[before])
    change = count_change(
        counts[after], counts[before], exposure_after=float(lengths[after]), exposure_before=float(lengths[before])
    )
    return [change.row(i) for i in range(len(change.verdict))]


def _notes(counts: dict[str, NDArray[np.int64]], by_day: NDArray[np.bool_]) -> list[str]:
    notes = ["An area has changed only where the exact 95 % interval excludes no change."]
    if months := int((~by_day).sum()):
        notes.append(f"{months:,} records are dated by month only: they count in the years and in no 28 days.")
    if not counts["before"].sum():
        notes.append("Nothing is known of the 28 days before: missing is not zero, so no change is stated.")
    if not counts["last_year"].sum():
        notes.append("Nothing is known of last year: missing is not zero, so no yearly change is stated.")
    return notes
