"""Counts per cell, with what disclosure control needs to know about them."""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.model import CELL_COLUMNS, LocationBasis, TimeBasis
from geo.temporal import local_days, local_months, midpoint_us

# Where groups and values are few beside the records, a flag of each pair costs less than sorting.
_MOST_FLAGS_A_RECORD: Final = 50


def tally_cells(records: pd.DataFrame, cells: NDArray[np.int64], study: NDArray[np.int64]) -> pd.DataFrame:
    """Count records in every cell of the study area, zeros included.

    Parameters
    ----------
    records : DataFrame
        Located records (``from_us``, ``to_us``, ``time_basis``, ``location_basis``).
    cells : ndarray of int64, shape (n,)
        Cell of each record.
    study : ndarray of int64, shape (m,)
        Cells of the study area.

    Returns
    -------
    DataFrame
        ``CELL_COLUMNS`` ordered by cell: ``days`` counts distinct Europe/London days among records dated to the day,
        ``months`` distinct months among all, ``month_only`` records known only by month, ``snapped`` records at
        snapped positions.
    """
    every = np.union1d(study, cells)
    return group_counts(records, np.searchsorted(every, cells), len(every)).assign(cell=every)[list(CELL_COLUMNS)]


def group_counts(records: pd.DataFrame, group: NDArray[np.int64], count: int) -> pd.DataFrame:
    """Records, distinct days, distinct months, month-only and snapped records of each of ``count`` groups."""
    at_us = midpoint_us(records["from_us"].to_numpy(), records["to_us"].to_numpy())
    dated = (records["time_basis"] != TimeBasis.MONTH).to_numpy(bool)
    snapped = (records["location_basis"] == LocationBasis.SNAPPED).to_numpy(bool)
    return pd.DataFrame(
        {
            "records": np.bincount(group, minlength=count),
            "days": _distinct(group[dated], local_days(at_us[dated]), count),
            "months": _distinct(group, local_months(at_us), count),
            "month_only": np.bincount(group[~dated], minlength=count),
            "snapped": np.bincount(group[snapped], minlength=count),
        }
    )


def _distinct(group: NDArray[np.int64], value: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Count distinct values in each group."""
    if not len(group):
        return np.zeros(count, np.int64)
    low, values = value.min(), int(value.max() - value.min()) + 1
    code = group * values + (value - low)
    if count * values <= _MOST_FLAGS_A_RECORD * len(code):
        there = np.zeros((count, values), bool)
        there.ravel()[code] = True
        return there.sum(axis=1)
    return np.bincount(np.unique(code) // values, minlength=count)
