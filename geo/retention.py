"""How long each kind of record may be held, and the coarse counts that outlive it."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from geo.cells import index_points
from geo.model import RecordKind
from geo.temporal import local_months, midpoint_us

DAY_US: Final = 86_400_000_000
# Months held from the day of import, unless the settings say otherwise: an incident here is a copy of another system's.
DEFAULT_MONTHS: Final[Mapping[str, int]] = {
    RecordKind.INCIDENTS: 24,
    RecordKind.OBSERVATIONS: 12,
    RecordKind.SIGHTINGS: 6,
    RecordKind.EFFORT: 24,
}
DAYS_IN_A_MONTH: Final = 30.4375
# Somebody looks at a record when this share of its time is left.
REVIEW_SHARE: Final = 0.25
# Cells of 36 km2: never one house, not on the moor either.
COARSE_RESOLUTION: Final = 6
NOWHERE: Final = 0


def dates(kind: str, *, now_us: int, months: Mapping[str, int] = DEFAULT_MONTHS) -> tuple[int, int]:
    """When a record imported now is to be reviewed, and when it must go, in microseconds UTC.

    Examples
    --------
    >>> review_us, delete_us = dates("sightings", now_us=0)
    >>> round(delete_us / DAY_US), round(review_us / DAY_US)
    (183, 137)
    """
    held_us = round(months[kind] * DAYS_IN_A_MONTH * DAY_US)
    return now_us + round(held_us * (1 - REVIEW_SHARE)), now_us + held_us


def coarse_counts(records: pd.DataFrame) -> pd.DataFrame:
    """Counts of records by kind, Europe/London month and coarse cell: all that is kept of what is purged.

    Parameters
    ----------
    records : DataFrame
        ``kind``, ``from_us``, ``to_us``, ``lon``, ``lat`` (NaN where unlocated).

    Returns
    -------
    DataFrame
        ``kind``, ``month`` (YYYY-MM), ``cell`` (int64; 0 for unlocated), ``records``.
    """
    lon, lat = records["lon"].to_numpy(float), records["lat"].to_numpy(float)
    located = np.isfinite(lon)
    cells = np.full(len(records), NOWHERE, np.int64)
    cells[located] = index_points(lon[located], lat[located], COARSE_RESOLUTION)
    months = local_months(midpoint_us(records["from_us"].to_numpy("int64"), records["to_us"].to_numpy("int64")))
    frame = pd.DataFrame(
        {"kind": records["kind"].to_numpy(object), "month": months.astype("datetime64[M]").astype(str), "cell": cells}
    )
    return frame.groupby(["kind", "month", "cell"], sort=True).size().reset_index(name="records")
