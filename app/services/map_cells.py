"""The cells of an analysis as its map needs them, kept as one table when it is made and counted anew under a filter."""

from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from app.services.run_parts import load_table, pack_table
from app.services.run_records import run_records
from data.store import Store
from geo import cells as h3cells
from geo.bias import CellState
from geo.model import Run, Scope
from geo.view import View
from geo.view_filter import group_shown

NAME: Final = "cells"
COLUMNS: Final = ("cell", "records", "hot", "looked")


def pack_cells(store: Store, scope: Scope, run: Run) -> bytes:
    """Write the cells of a stored analysis as Parquet: counts, and whether hot, looked at and quiet, or not known."""
    cells = store.runs.cells(scope, run.run_id)[["cell", "records"]]
    told = store.runs.statistics(scope, run.run_id)[["cell", "hot", "state"]]
    cells = cells.merge(told, on="cell")
    table = cells[["cell", "records", "hot"]].assign(
        looked=(cells["state"] == CellState.LOOKED_QUIET).astype("int64"),
        unknown=((cells["state"] == CellState.NOT_LOOKED) & (cells["records"] == 0)).astype("int64"),
    )
    return pack_table(pa.Table.from_pandas(table, preserve_index=False))


def run_cells(store: Store, scope: Scope, run: Run) -> pd.DataFrame:
    """Return every cell of an analysis, ordered by cell: ``COLUMNS`` and ``unknown``, all whole numbers."""
    return load_table(store, scope, run, NAME)


def view_cells(store: Store, scope: Scope, run: Run, view: View) -> pd.DataFrame:
    """Return the cells of an analysis that a view shows: ``COLUMNS``, ordered by cell.

    Under a filter that leaves out records they are counted anew and bear no marks, which speak of the whole analysis.
    """
    if view.chooses_records or view.new_since:
        records = run_records(store, scope, run)
        cells, number = np.unique(records["cell"].to_numpy(np.int64), return_inverse=True)
        found, shown = group_shown(records, number, len(cells), view)
        return pd.DataFrame({"cell": cells[shown], "records": found[shown], "hot": 0, "looked": 0})
    every = run_cells(store, scope, run)
    full = every["records"] >= view.min_records
    keep = full if view.min_records > 1 else full | (every["looked"] > 0) | (every["hot"] > 0)
    return every.loc[keep, list(COLUMNS)].reset_index(drop=True)


def unknown_cells(store: Store, scope: Scope, run: Run, *, resolution: int) -> pd.DataFrame:
    """Return the cells where nothing is recorded and nobody is known to have looked; a coarser one when all of it is."""
    every = run_cells(store, scope, run)
    every = coarser(every.assign(looked=1 - every["unknown"]), resolution)
    return every[every["looked"] == 0].reset_index(drop=True)


def coarser(cells: pd.DataFrame, resolution: int) -> pd.DataFrame:
    """Sum cells by their parents, ordered by cell; a parent was looked at where any of its cells was."""
    parent = h3cells.parents(cells["cell"].to_numpy(np.int64), resolution)
    grouped = cells.assign(cell=parent).groupby("cell", as_index=False, sort=True)
    return grouped.agg({"records": "sum", "hot": "sum", "looked": "max"}).astype("int64")
