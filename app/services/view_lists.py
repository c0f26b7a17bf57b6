"""The places and cells that a view shows, as lists: the same rows as on the map and in the files."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.services.layers import PlaceFilter, require_layers
from app.services.map_cells import COLUMNS, view_cells
from app.services.map_layers import map_layer, release_cells
from app.services.rulings import rulings
from app.services.run_records import run_records
from app.services.shared_cells import shared_months
from data.store import Store
from geo import cells as h3cells
from geo.decisions import Standing, as_decided
from geo.model import Place, Profile, Run, Scope
from geo.parameters import AnalysisParameters
from geo.temporal import local_months, midpoint_us
from geo.view import View
from geo.view_filter import group_shown, matching, without_time

PAGE_ROWS: Final = 50


@dataclass(frozen=True)
class ListedPlace:
    """A place with what stands of it and how many of its records a view shows."""

    place: Place
    standing: Standing
    in_view: int


@dataclass(frozen=True)
class Page:
    """Rows of one page of a list, of how many in all."""

    rows: list[Any]
    total: int
    number: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // PAGE_ROWS))

    @classmethod
    def of(cls, rows: list[Any], number: int) -> "Page":
        """Return one page, the nearest where there is no such number."""
        last = max(1, -(-len(rows) // PAGE_ROWS))
        number = min(max(number, 1), last)
        return cls(rows[(number - 1) * PAGE_ROWS : number * PAGE_ROWS], len(rows), number)


@dataclass(frozen=True)
class ViewCounts:
    """What a view shows in figures: records on the map, by month (``YYYY-MM``) ignoring its dates, and those left out unseen."""

    records: int
    of: int
    months: dict[str, int]
    without_time: int
    choices: dict[str, dict[str, int]]


def listed_places(store: Store, scope: Scope, run: Run, view: View) -> list[ListedPlace]:
    """Places that a view shows, in the order of the analysis."""
    require_layers(run)
    decided_on = rulings(store, scope)
    found = [as_decided(place, decided_on) for place in store.runs.places(scope, run.run_id)]
    shown = places_in_view(store, scope, run, view, [place for place, _ in found])
    return [ListedPlace(place, one, shown[place.place_id]) for place, one in found if place.place_id in shown]


def as_filter(listed: Sequence[ListedPlace]) -> PlaceFilter:
    """Return listed places as what chooses them in a released layer."""
    return {one.place.place_id: one.in_view for one in listed}


def places_in_view(store: Store, scope: Scope, run: Run, view: View, found: list[Place]) -> PlaceFilter:
    """Records of each shown place that match a view, by identity."""
    kept = [place for place in found if not view.place_kinds or place.kind in view.place_kinds]
    if not (view.chooses_records or view.new_since):
        return {place.place_id: place.records for place in kept if place.records >= view.min_records}
    records = run_records(store, scope, run)
    cluster = records["place"].to_numpy(np.int64)
    count = int(cluster.max(initial=-1)) + 1
    matched, shown = group_shown(records, cluster, count, view)
    return {
        place.place_id: int(matched[place.cluster]) for place in kept if place.cluster < count and shown[place.cluster]
    }


def listed_cells(
    store: Store, scope: Scope, run: Run, view: View, profile: Profile, *, order: Sequence[str], number: int
) -> Page:
    """One page of the cells that a view shows at the finest resolution of the audience, as plain values.

    ``order`` names the columns to order by, each with a minus sign where the largest comes first.
    """
    if profile is Profile.OPERATIONAL:  # every cell may be seen: only those of the page are made into a layer
        require_layers(run)
        every = view_cells(store, scope, run, view)
    else:
        shared = AnalysisParameters.from_json(run.parameters).shared_resolution
        every = map_layer(store, scope, run, view, profile, resolution=shared).features.assign(hot=0, looked=0)
    down = [not one.startswith("-") for one in order]
    every = every.sort_values([one.removeprefix("-") for one in order], ascending=down, ignore_index=True)
    page = Page.of(every.index.to_list(), number)
    rows = every.iloc[page.rows]
    if profile is Profile.OPERATIONAL:
        released = release_cells(store, scope, run, rows, profile).features.set_index("cell")
        rows = released.loc[h3cells.cell_text(rows["cell"])].reset_index()
    return replace(page, rows=rows[list(COLUMNS)].to_dict("records"))


def count_view(store: Store, scope: Scope, run: Run, view: View, profile: Profile = Profile.OPERATIONAL) -> ViewCounts:
    """Count what a view shows of an analysis, and offer what could be chosen.

    The counts are for operations; the months are those that an audience may be offered.
    """
    records = run_records(store, scope, run)
    undated = matching(records, replace(view, date_from=None, date_to=None))
    months = by_month(records, undated)
    if profile is not Profile.OPERATIONAL:
        months = {name: months[name] for name in shared_months(store, scope, run, profile)}
    return ViewCounts(
        records=count_shown(store, scope, run, view),
        of=len(records),
        months=months,
        without_time=without_time(records, view),
        choices={name: _choices(records[name]) for name in ("kind", "category", "source_type", "grade", "agency")},
    )


def count_shown(store: Store, scope: Scope, run: Run, view: View) -> int:
    """Count the records that match a view and lie in a cell that it shows: those of the map."""
    if view.min_records > 1 or view.new_since:
        return int(view_cells(store, scope, run, view)["records"].sum())
    return int(matching(run_records(store, scope, run), view).sum())


def by_month(records: pd.DataFrame, inside: NDArray[np.bool_]) -> dict[str, int]:
    """Count the chosen records in every month (``YYYY-MM``) from the first to the last of the analysis, zeros included."""
    if records.empty:
        return {}
    months = local_months(midpoint_us(records["from_us"].to_numpy(np.int64), records["to_us"].to_numpy(np.int64)))
    first = int(months.min())
    counts = np.bincount(months[inside] - first, minlength=int(months.max()) - first + 1)
    names = np.arange(first, first + len(counts)).astype("datetime64[M]").astype(str)
    return dict(zip(names.tolist(), counts.tolist(), strict=True))


def _choices(values: pd.Series) -> dict[str, int]:
    """Values of a column by how many records have them, the most first; ``""`` where they do not say."""
    counted = values.astype("category").value_counts()
    ordered = sorted(counted.items(), key=lambda one: (-one[1], one[0]))
    return {str(value): int(count) for value, count in ordered if count}
