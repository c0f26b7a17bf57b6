"""An area of a map: how many, of what kinds, when, and which places lie in it; by whole cells and never by points."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from app.services.layers import require_layers
from app.services.nominated import NominatedPlace, nominated_places
from app.services.run_records import run_records
from app.services.spots import spots_words
from app.services.view_lists import ListedPlace, by_month, count_shown, listed_places
from data.store import Store
from geo import cells as h3cells
from geo.aoristic import aoristic_profile
from geo.drawn_area import middles_within
from geo.model import Run, Scope
from geo.validate_features import project_geometries
from geo.view import View
from geo.view_filter import group_shown, matching, without_time

MAX_HOT: Final = 10


@dataclass(frozen=True)
class HotCell:
    """A cell of the area that is hot in the whole analysis, and how many records it holds there."""

    cell: str
    where: str
    records: int


@dataclass(frozen=True, kw_only=True)
class AreaView:
    """What is known of an area under a view.

    ``records`` match the view and lie in ``cells`` whole cells of the analysis; ``unfiltered`` counts those of the same
    cells without the view, ``of`` those of the view everywhere. ``weights`` has records by weekday and hour, ``cautious``
    says that they are too few to plan by. ``months`` has every month of the analysis. ``hot`` are the first of ``hot_cells``.
    """

    area_km2: float
    cells: int
    cells_km2: float
    records: int
    unfiltered: int
    of: int
    without_time: int
    kinds: dict[str, int]
    categories: dict[str, int]
    months: dict[str, int]
    weights: list[list[float]]
    timed: int
    cautious: bool
    hot_cells: int
    hot: list[HotCell]
    places: list[ListedPlace]
    nominated: list[NominatedPlace]


def view_area(store: Store, scope: Scope, run: Run, outline: shapely.Geometry, view: View) -> AreaView:
    """Describe the cells of an analysis whose middle lies inside an outline.

    Raises
    ------
    Conflict
        When the analysis has lost its layers, or an earlier version made it.
    """
    require_layers(run)
    told = store.runs.statistics(scope, run.run_id)
    told = told[middles_within(told["cell"].to_numpy(np.int64), outline)]
    cells = told["cell"].to_numpy(np.int64)
    records = run_records(store, scope, run)
    number = _numbers(records["cell"].to_numpy(np.int64), cells)
    _, shown = group_shown(records, number, len(cells), view)
    everywhere, here = matching(records, view), number >= 0
    inside = here & everywhere & np.append(shown, False)[number]  # -1 falls on what was appended
    (outline_m,) = project_geometries(np.asarray([outline], object), store.crs)
    counted = records[inside]
    weights, timed, cautious = _week(counted)
    places = set(counted["place"].to_numpy(np.int64).tolist()) - {-1}
    return AreaView(
        area_km2=float(shapely.area(outline_m)) / 1e6, cells=len(cells), cells_km2=float(h3cells.areas_km2(cells).sum()),
        records=len(counted), unfiltered=int(here.sum()), of=count_shown(store, scope, run, view), without_time=without_time(records[here], view),
        kinds=_counted(counted["kind"]), categories=_counted(counted["category"]), months=by_month(records, inside),
        weights=weights, timed=timed, cautious=cautious, hot_cells=int(told["hot"].sum()),
        hot=_hot(store, told, np.bincount(number[here], minlength=len(cells))),
        places=[one for one in listed_places(store, scope, run, view) if one.place.cluster in places],
        nominated=_nominated(store, scope, run, outline, view),
    )  # fmt: skip


def _numbers(of_records: NDArray[np.int64], cells: NDArray[np.int64]) -> NDArray[np.int64]:
    """Row of each record's cell among sorted cells, -1 where it is none of them."""
    if not len(cells):
        return np.full(len(of_records), -1, np.int64)
    at = np.minimum(np.searchsorted(cells, of_records), len(cells) - 1)
    return np.where(cells[at] == of_records, at, -1)


def _week(records: pd.DataFrame) -> tuple[list[list[float]], int, bool]:
    profile = aoristic_profile(
        records["from_us"].to_numpy(np.int64), records["to_us"].to_numpy(np.int64), np.zeros(len(records), np.int64), 1
    )
    return np.round(profile.weights[0], 3).tolist(), int(profile.timed[0]), bool(profile.cautious[0])


def _counted(values: pd.Series) -> dict[str, int]:
    """How often each text stands, the most often first; those that are empty are left to the total."""
    counts = values.astype(str).value_counts()
    return {str(one): int(n) for one, n in sorted(counts.items(), key=lambda each: (-each[1], each[0])) if n and one}


def _hot(store: Store, told: pd.DataFrame, records: NDArray[np.int64]) -> list[HotCell]:
    """The fullest hot cells."""
    hot = told.assign(records=records)[told["hot"].to_numpy(bool)]
    hot = hot.sort_values(["records", "cell"], ascending=[False, True]).head(MAX_HOT)
    cells = hot["cell"].to_numpy(np.int64)
    if not len(cells):
        return []
    words = spots_words(store, *h3cells.centres(cells))
    rows = zip(h3cells.cell_text(cells), words, hot["records"].tolist(), strict=True)
    return [HotCell(cell, where, int(count)) for cell, where, count in rows]


def _nominated(store: Store, scope: Scope, run: Run, outline: shapely.Geometry, view: View) -> list[NominatedPlace]:
    """Places that people named and whose point lies in the outline, of the kinds that the view shows."""
    named = nominated_places(store, scope, run, kinds=view.place_kinds)
    inside = shapely.contains_xy(outline, np.asarray([one.point for one in named], float).reshape(-1, 2))
    return [one for one, kept in zip(named, inside.tolist(), strict=True) if kept]
