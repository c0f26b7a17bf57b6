"""How often something usually comes, and whether it is late."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

# Fewer days than this have no rhythm.
MIN_DAYS: Final = 4
# A wait longer than this many usual ones is late.
LATE: Final = 1.5


def usual_gap_days(days: NDArray[np.int64]) -> float | None:
    """Median number of days between one arrival and the next.

    Parameters
    ----------
    days : ndarray of int64, shape (n,)
        Day of each arrival, counted from any one day; several on one day are one.

    Returns
    -------
    float or None
        None with fewer than four distinct days.

    Examples
    --------
    >>> usual_gap_days(np.array([0, 7, 7, 14, 22])), usual_gap_days(np.array([0, 7, 14]))
    (7.0, None)
    """
    distinct = np.unique(np.asarray(days, np.int64))
    return float(np.median(np.diff(distinct))) if len(distinct) >= MIN_DAYS else None


def is_late(days: NDArray[np.int64], *, today: int) -> bool:
    """Whether nothing has come for more than one and a half times as long as usual.

    Examples
    --------
    >>> weekly = np.array([0, 7, 14, 21])
    >>> is_late(weekly, today=31), is_late(weekly, today=32)
    (False, True)
    """
    usual = usual_gap_days(days)
    return usual is not None and today - int(np.max(days)) > LATE * usual
