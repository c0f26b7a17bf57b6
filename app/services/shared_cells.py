"""Counts for audiences outside operations: the whole analysis, or one month where that tells nothing of the others."""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.services.run_records import run_records
from data.store import Store
from geo import cells as h3cells
from geo.errors import IntegrityError
from geo.model import Profile, Run, Scope
from geo.month_bins import MonthTable, released_months
from geo.parameters import AnalysisParameters
from geo.tally import group_counts, tally_cells
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
    column = np.flatnonzero(months == _month_number(view))
    _require_same(counted, table, column)
    keep = released_months(table, profile)[:, column].any(axis=1)
    return counted[keep].drop(columns="snapped").reset_index(drop=True)


def shared_months(store: Store, scope: Scope, run: Run, profile: Profile) -> list[str]:
    """Months (``YYYY-MM``) from the first to the last of which an audience outside operations has a cell.

    The months of all records would tell when one lies that the audience may not have.
    """
    records = run_records(store, scope, run)
    months, table = _month_table(records, np.unique(records["shared_cell"].to_numpy(np.int64)))
    told = months[released_months(table, profile).any(axis=0)]
    if not len(told):
        return []
    every: list[str] = np.arange(told[0], told[-1] + 1).astype("datetime64[M]").astype(str).tolist()
    return every


def _require_same(counted: pd.DataFrame, table: MonthTable, column: NDArray[np.int64]) -> None:
    """Refuse counts of a month that are not those which it is judged by: what is kept back could be worked out.

    Raises
    ------
    IntegrityError
    """
    for name in ("records", "days", "month_only"):
        judged = getattr(table, name)[:, column].sum(axis=1)
        if not np.array_equal(counted[name].to_numpy(np.int64), judged):
            raise IntegrityError(
                f"Counts of a month and of the whole analysis do not add up ({name}); nothing is shown."
            )


def _month_number(view: View) -> int:
    assert view.date_from is not None  # noqa: S101 - a month view has dates
    return (view.date_from.year - 1970) * 12 + view.date_from.month - 1


def _month_table(records: pd.DataFrame, cells: NDArray[np.int64]) -> tuple[NDArray[np.int64], MonthTable]:
    """Months of the records, ascending, and the counts of each cell in each."""
    at_us = midpoint_us(records["from_us"].to_numpy(np.int64), records["to_us"].to_numpy(np.int64))
    every = local_months(at_us) if len(records) else _NO_RECORDS
    months = np.unique(every)
    which = np.searchsorted(cells, records["shared_cell"].to_numpy(np.int64)) * len(months)
    counted = group_counts(records, which + np.searchsorted(months, every), len(cells) * len(months))
    shape = (len(cells), len(months))
    return months, MonthTable(
        **{name: counted[name].to_numpy(np.int64).reshape(shape) for name in ("records", "days", "month_only")}
    )
