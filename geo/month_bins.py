"""Which months of which cells may be told beside the whole: what is left when they are subtracted must be safe too."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.disclosure import THRESHOLDS, Threshold
from geo.errors import InvalidParameter
from geo.model import Profile

_NEVER: Final = np.iinfo(np.int64).max
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class MonthTable:
    """Records of cells by calendar month.

    Parameters
    ----------
    records, days, month_only : ndarray of int64, shape (cells, months)
        Records, distinct days among those dated to the day, and records known by month only.
    """

    records: Ints
    days: Ints
    month_only: Ints


def released_months(table: MonthTable, profile: Profile) -> NDArray[np.bool_]:
    """Whether an audience outside operations may have each cell's count of each month, beside the cell's whole count.

    Parameters
    ----------
    table : MonthTable
    profile : Profile
        Not ``operational``, which has no threshold.

    Returns
    -------
    ndarray of bool, shape (cells, months)

    Notes
    -----
    Primary suppression: months below the threshold, and all months of a cell whose whole count is below it. Complementary
    suppression: as long as the months kept back do not pass the threshold together, the smallest released one joins them,
    for the whole minus the released months tells exactly their sum. Days of different months are different days, so
    their numbers add up. There is one total a cell and no other, so nothing besides can be subtracted.

    Examples
    --------
    >>> one = MonthTable(np.array([[9, 8, 2]]), np.array([[9, 8, 2]]), np.zeros((1, 3), int))
    >>> released_months(one, Profile.PARTNER).tolist()  # 2 alone would be the whole less 9 and 8
    [[True, False, False]]
    """
    threshold = THRESHOLDS[profile]
    if threshold is None:
        raise InvalidParameter("Operations see every count; months are kept back from others only.")
    there = table.records > 0
    released = _each(table, threshold) & _together(table, there, threshold)[:, None]
    while True:
        hidden = there & ~released
        unsafe = hidden.any(axis=1) & ~_together(table, hidden, threshold) & released.any(axis=1)
        if not unsafe.any():
            return np.asarray(released, bool)
        size = np.where(released, table.records, _NEVER)
        rows = np.flatnonzero(unsafe)
        released[rows, size[rows].argmin(axis=1)] = False


def _each(table: MonthTable, threshold: Threshold) -> NDArray[np.bool_]:
    """Whether each month of each cell passes the threshold by itself, shape (cells, months)."""
    by_month = table.month_only >= table.records
    often = np.where(by_month, threshold.months <= 1, table.days >= threshold.days)
    return np.asarray((table.records >= threshold.records) & often, bool)


def _together(table: MonthTable, chosen: NDArray[np.bool_], threshold: Threshold) -> NDArray[np.bool_]:
    """Whether the chosen months of each cell pass the threshold together, shape (cells,)."""
    records = (table.records * chosen).sum(axis=1)
    by_month = (table.month_only * chosen).sum(axis=1) >= records
    months = ((table.records > 0) & chosen).sum(axis=1)
    often = np.where(by_month, months >= threshold.months, (table.days * chosen).sum(axis=1) >= threshold.days)
    return np.asarray((records >= threshold.records) & often, bool)
