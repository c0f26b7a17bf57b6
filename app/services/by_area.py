"""Figures by ward, beat or other imported area: the last 28 days against the 28 before, this year against last."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from app.services.selecting import Selection, select
from data.store import Store
from geo import cells as h3cells
from geo.compare import count_change
from geo.drawn_area import DRAWN_LEVEL
from geo.errors import Conflict, InvalidParameter
from geo.model import FeatureKind, Scope, TimeBasis
from geo.narrative import plural
from geo.parameters import AnalysisParameters
from geo.temporal import day_interval, local_days, local_months, midpoint_us
from geo.validate_features import POSTCODE_LEVEL
from geo.view import LATEST

RECENT_DAYS: Final = 28
EARLIEST: Final = date(1971, 1, 1)
OUTSIDE: Final = "outside every area"
_YEARS: Final = ("this_year", "last_year")
_WORDS: Final = {
    "recent": "the last 28 days",
    "before": "the 28 days before",
    "this_year": "this year",
    "last_year": "last year",
}
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
    """Rows of areas by level and name, the last day they run to, windows of which nothing is known, and notes.

    ``shapes`` are the outlines of the rows, WGS 84, None for what lies outside every area; ``levels`` has all levels with
    how many areas each has, whichever were asked for.
    """

    as_of: date
    rows: list[dict[str, Any]]
    notes: list[str]
    unknown: dict[str, bool]
    shapes: list[shapely.Geometry | None]
    levels: dict[str, int]


def by_area(
    store: Store,
    scope: Scope,
    parameters: AnalysisParameters,
    *,
    as_of: date | None,
    level: str | None = None,
    finest: bool = False,
) -> ByArea:
    """Count the records of every imported area in four windows and compare them exactly.

    ``as_of`` is the last day counted; without it, that of the newest record. Without a ``level`` there are the areas of
    all of them but those that people drew, or with ``finest`` of the one that has most areas.

    Raises
    ------
    Conflict
        When no areas are imported.
    InvalidParameter
        When none is of the level.
    """
    if as_of is not None and not EARLIEST <= as_of <= LATEST:
        raise InvalidParameter(f"--as-of lies between {EARLIEST} and {LATEST}.")
    areas = _areas(store, scope)
    levels = {str(name): int(count) for name, count in areas["level"].value_counts().sort_index().items()}
    areas = _of_level(areas, level, finest=finest)
    selection = select(store, scope, parameters)
    records = selection.located
    at_us = midpoint_us(records["from_us"].to_numpy(), records["to_us"].to_numpy())
    by_day = (records["time_basis"] != TimeBasis.MONTH).to_numpy(bool)
    if as_of is None:
        as_of = _last_day(at_us, by_day)
    windows = Windows.up_to(as_of)
    known = {name: _within(at_us, span) & (by_day | (name in _YEARS)) for name, span in vars(windows).items()}
    lon, lat = records["lon"].to_numpy(float), records["lat"].to_numpy(float)
    rows: list[dict[str, Any]] = []
    shapes: list[shapely.Geometry | None] = []
    for one in sorted(set(areas["level"])):
        own = areas[areas["level"] == one].reset_index(drop=True)
        found = _rows_of_level(own, one, lon, lat, known, windows)
        rows += found
        shapes += [*own["geometry"], None][: len(found)]
    unknown = {name: not within.any() for name, within in known.items()}
    notes = _notes(known, by_day, selection)
    return ByArea(as_of=as_of, rows=rows, notes=notes, unknown=unknown, shapes=shapes, levels=levels)


def _rows_of_level(
    areas: pd.DataFrame,
    level: str,
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    known: dict[str, NDArray[np.bool_]],
    windows: Windows,
) -> list[dict[str, Any]]:
    """Rows of the areas of one level, and one for what lies outside all of them."""
    names = [*areas["name"].where(areas["name"] != "", areas["code"]), OUTSIDE]
    if level == DRAWN_LEVEL:
        record, area = _in_drawn(areas, lon, lat)
    else:
        record, area = np.arange(len(lon)), _area_of(areas, lon, lat)
    counts = {name: np.bincount(area[within[record]], minlength=len(names)) for name, within in known.items()}
    lengths = {name: (end - start).days for name, (start, end) in vars(windows).items()}
    recent = _changes(counts, lengths, "recent", "before")
    yearly = _changes(counts, lengths, "this_year", "last_year")
    return [
        {"area": name, "level": level, **{window: int(values[i]) for window, values in counts.items()},
         "change_28_days": recent[i], "change_this_year": yearly[i]}
        for i, name in enumerate(names)
        if i < len(areas) or any(values[i] for values in counts.values())
    ]  # fmt: skip


def _areas(store: Store, scope: Scope) -> pd.DataFrame:
    """Every area, those that people drew included, by name; postcodes are no areas to compare."""
    areas = store.evidence.features(scope, [FeatureKind.AREAS])
    areas = areas[areas["level"] != POSTCODE_LEVEL]
    return areas.sort_values(["name", "code", "feature_key"]).reset_index(drop=True)


def _of_level(areas: pd.DataFrame, level: str | None, *, finest: bool) -> pd.DataFrame:
    """Areas of a level; without one all but those that people drew, or the level that has most areas: drawn ones, if need be."""
    imported = areas[areas["level"] != DRAWN_LEVEL]
    if level is None and finest and len(areas):
        level = str((imported if len(imported) else areas)["level"].value_counts().sort_index().idxmax())
    chosen = imported if level is None else areas[areas["level"] == level]
    if len(chosen):
        return chosen
    if level is None or areas.empty:
        raise Conflict("No wards, beats or other areas are imported. Import them: lapwing import areas FILE")
    known = sorted(set(areas["level"]) - {""})
    raise InvalidParameter(f"No area is of level {level!r}; known are {', '.join(known) or 'none'}.")


def _last_day(at_us: NDArray[np.int64], by_day: NDArray[np.bool_]) -> date:
    """Newest day of the records; of those dated by month only, the last day of the newest month."""
    if not len(at_us):
        raise Conflict("There are no records with a position to count by area.")
    days = local_days(at_us[by_day])
    after = (local_months(at_us[~by_day]) + 1).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    return _date(int(max(days.max(initial=-(10**6)), (after - 1).max(initial=-(10**6)))))


def _date(days: int) -> date:
    return date(1970, 1, 1) + timedelta(days=days)


def _within(at_us: NDArray[np.int64], span: tuple[date, date]) -> NDArray[np.bool_]:
    return (at_us >= day_interval(span[0])[0]) & (at_us < day_interval(span[1])[0])


def _in_drawn(
    areas: pd.DataFrame, lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(record, area) of every drawn area that holds the middle of a record's cell; of the row beyond the last where none does.

    Drawn areas lie over each other, and as small as somebody drew them: nothing in them is counted by its point.
    """
    cells = h3cells.index_points(lon, lat, AnalysisParameters().resolution)
    middles = shapely.points(np.column_stack(h3cells.centres(cells)))
    record, area = shapely.STRtree(areas["geometry"].to_numpy(object)).query(middles, predicate="intersects")
    nowhere = np.setdiff1d(np.arange(len(lon)), record)
    return np.concatenate([record, nowhere]), np.concatenate([area, np.full(len(nowhere), len(areas))])


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
    """Change of every area; ``no_history`` where nothing at all is known of one of the windows: missing is not zero."""
    if not counts[before].sum() or not counts[after].sum():
        return [NO_HISTORY] * len(counts[before])
    change = count_change(
        counts[after], counts[before], exposure_after=float(lengths[after]), exposure_before=float(lengths[before])
    )
    return [change.row(i) for i in range(len(change.verdict))]


def _notes(known: dict[str, NDArray[np.bool_]], by_day: NDArray[np.bool_], selection: Selection) -> list[str]:
    notes = ["An area has changed only where the exact 95 % interval excludes no change."]
    if months := int((~by_day & (known["this_year"] | known["last_year"])).sum()):
        notes.append(f"{plural(months, 'record')} dated by month only: in the years, and in no 28 days.")
    for window, words in _WORDS.items():
        if not known[window].any():
            notes.append(f"Nothing is known of {words}: missing is not zero, so no change is stated.")
    for count, words in (
        (selection.unlocated, "without a position"),
        (selection.set_aside, "on a coordinate that stands for no place"),
        (selection.protected, "at or near protected places"),
    ):
        if count:
            notes.append(f"{plural(count, 'record')} {words}: in no area.")
    return notes
