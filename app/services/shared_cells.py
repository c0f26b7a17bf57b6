"""Counts for audiences outside operations: the whole analysis, or one month where that tells nothing of the others."""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.services.run_records import run_records
from data.store import Store
from geo import cells as h3cells
from geo.model import Profile, Run, Scope
from geo.month_bins import MonthTable, released_months
from geo.parameters import AnalysisParameters
from geo.tally import tally_cells
from geo.temporal import local_months, midpoint_us
from geo.view import View
from geo.view_filter import matching

_NO_RECORDS: Final = np.empty(0, np.int64)


def shared_cells(store: Store, scope: Scope, run: Run, view: View, profile: Profile) -> pd.DataFrame:
    """Count records at the shared resolution, with what disclosure control needs to know of each cell.

    ``view`` is the whole analysis or one calendar month.
    """
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
