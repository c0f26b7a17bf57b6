"""Cells as a map shows them: at the resolution of a zoom, under a filter, released for an audience."""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.services.layers import is_synthetic, require_layers
from app.services.run_records import numbered, run_records
from data.store import Store
from geo import cells as h3cells
from geo.bias import CellState
from geo.disclosure import ReleasedLayer, release
from geo.errors import InvalidParameter
from geo.model import Layer, Profile, Run, Scope
from geo.month_bins import MonthTable, released_months
from geo.parameters import AnalysisParameters
from geo.tally import tally_cells
from geo.temporal import local_months, midpoint_us
from geo.view import View
from geo.view_filter import group_shown, matching
from geo.zoom import display_resolution, display_resolutions

# What a tile says of a cell.
TILE_PROPERTIES: Final = {
    Profile.OPERATIONAL: ("cell", "records", "hot", "looked"),
    Profile.PARTNER: ("cell", "records"),
    Profile.PUBLIC: ("cell", "records"),
}
_NO_RECORDS: Final = np.empty(0, np.int64)


def resolution_at(run: Run, profile: Profile, zoom: int) -> int:
    """H3 resolution of the cells that an audience sees at a zoom: outside operations the one shared resolution."""
    parameters = AnalysisParameters.from_json(run.parameters)
    if profile is not Profile.OPERATIONAL:
        return parameters.shared_resolution
    return display_resolution(zoom, parameters.resolution)


def resolutions_of(run: Run, profile: Profile) -> tuple[int, ...]:
    """All resolutions that an audience sees of an analysis."""
    parameters = AnalysisParameters.from_json(run.parameters)
    return (
        display_resolutions(parameters.resolution)
        if profile is Profile.OPERATIONAL
        else (parameters.shared_resolution,)
    )


def map_layer(store: Store, scope: Scope, run: Run, view: View, profile: Profile, *, resolution: int) -> ReleasedLayer:
    """Release the cells of a view at one resolution.

    A filter is applied to the cells of the analysis; coarser cells are sums of those that it shows. Marks of hot cells and
    of where outreach worked speak of the whole analysis and are not there under a filter that leaves out records.

    Raises
    ------
    DisclosureError
        When the audience may not have the view or the resolution.
    """
    require_layers(run)
    view = view.permitted(profile)
    if resolution not in resolutions_of(run, profile):
        raise InvalidParameter(f"Resolution {resolution} is on no map of this analysis.")
    if profile is not Profile.OPERATIONAL:
        frame = _shared(store, scope, run, view, profile)
    elif view.chooses_records or view.new_since:
        frame = _filtered(store, scope, run, view, resolution)
    else:
        frame = _whole(store, scope, run, view, resolution)
    return _released(store, scope, run, frame, profile)


def coverage_layer(store: Store, scope: Scope, run: Run, *, resolution: int) -> ReleasedLayer:
    """Release, for operations, the cells where nothing is recorded and nobody is known to have looked.

    A coarser cell is one of them when all of it is.
    """
    require_layers(run)
    cells = store.runs.cells(scope, run.run_id)[["cell", "records"]]
    told = store.runs.statistics(scope, run.run_id)[["cell", "hot", "state"]]
    cells = cells.merge(told, on="cell")
    unknown = (cells["state"] == CellState.NOT_LOOKED) & (cells["records"] == 0)
    frame = _coarser(cells.assign(looked=(~unknown).astype("int64")), resolution)
    frame = frame[frame["looked"] == 0].reset_index(drop=True)
    return _released(store, scope, run, frame, Profile.OPERATIONAL)


def _released(store: Store, scope: Scope, run: Run, frame: pd.DataFrame, profile: Profile) -> ReleasedLayer:
    cells = frame["cell"].to_numpy(np.int64)
    text = h3cells.cell_text(cells)
    return release(
        Layer.MAP, frame.assign(id=text, cell=text), h3cells.boundaries(cells), run=run, profile=profile,
        synthetic=is_synthetic(store, scope),
    )  # fmt: skip


def _whole(store: Store, scope: Scope, run: Run, view: View, resolution: int) -> pd.DataFrame:
    """Cells of the analysis itself: with records, hot, or looked at."""
    cells = store.runs.cells(scope, run.run_id)[["cell", "records"]]
    told = store.runs.statistics(scope, run.run_id)[["cell", "hot", "state"]]
    cells = cells.merge(told, on="cell")
    looked = cells["state"] == CellState.LOOKED_QUIET
    full = cells["records"] >= view.min_records
    keep = full if view.min_records > 1 else full | looked | (cells["hot"] > 0)
    cells = cells.assign(looked=looked.astype("int64"))[keep]
    return _coarser(cells[["cell", "records", "hot", "looked"]], resolution)


def _filtered(store: Store, scope: Scope, run: Run, view: View, resolution: int) -> pd.DataFrame:
    """Cells of the analysis that a filter shows, counted anew."""
    records = run_records(store, scope, run)
    cells, number = numbered(records["cell"].to_numpy(np.int64))
    found, shown = group_shown(records, number, len(cells), view)
    frame = pd.DataFrame({"cell": cells[shown], "records": found[shown], "hot": 0, "looked": 0})
    return _coarser(frame, resolution)


def _coarser(frame: pd.DataFrame, resolution: int) -> pd.DataFrame:
    """Sums by parent cell, ordered by cell; a parent was looked at where any of its cells was."""
    parent = h3cells.parents(frame["cell"].to_numpy(np.int64), resolution)
    grouped = frame.assign(cell=parent).groupby("cell", as_index=False, sort=True)
    return grouped.agg({"records": "sum", "hot": "sum", "looked": "max"}).astype("int64")


def _shared(store: Store, scope: Scope, run: Run, view: View, profile: Profile) -> pd.DataFrame:
    """Counts at the shared resolution: of the whole analysis, or of one month where that tells nothing of the others."""
    if view == View():
        cells = store.runs.cells(scope, run.run_id)
        shared = AnalysisParameters.from_json(run.parameters).shared_resolution
        cells = cells[h3cells.resolutions(cells["cell"].to_numpy()) == shared]
        return cells.drop(columns="snapped").reset_index(drop=True)
    records = run_records(store, scope, run)
    cells = np.unique(records["shared_cell"].to_numpy(np.int64))
    months, table = _month_table(records, cells)
    within = matching(records, view)
    counted = tally_cells(records[within], records["shared_cell"].to_numpy(np.int64)[within], cells)
    month = _month_number(view)
    column = int(np.searchsorted(months, month))
    if column == len(months) or months[column] != month:
        return counted.drop(columns="snapped").iloc[:0]
    keep = released_months(table, profile)[:, column]
    return counted[keep].drop(columns="snapped").reset_index(drop=True)


def _month_number(view: View) -> int:
    assert view.date_from is not None  # noqa: S101 - a month view has dates
    return (view.date_from.year - 1970) * 12 + view.date_from.month - 1


def _month_table(records: pd.DataFrame, cells: NDArray[np.int64]) -> tuple[NDArray[np.int64], MonthTable]:
    """Months of the records, ascending, and the counts of each cell in each."""
    at_us = midpoint_us(records["from_us"].to_numpy(np.int64), records["to_us"].to_numpy(np.int64))
    every = local_months(at_us) if len(records) else _NO_RECORDS
    months = np.unique(every)
    columns = {name: np.zeros((len(cells), len(months)), np.int64) for name in ("records", "days", "month_only")}
    for i, month in enumerate(months):
        own = every == month
        counted = tally_cells(records[own], records["shared_cell"].to_numpy(np.int64)[own], cells)
        for name, table in columns.items():
            table[:, i] = counted[name].to_numpy(np.int64)
    return months, MonthTable(**columns)
