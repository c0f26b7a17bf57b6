"""How complete, how precise and how prompt records are, as plain figures."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.errors import InvalidParameter
from geo.model import LocationBasis, TimeBasis
from geo.stack_rules import StackClass, StackMethod
from geo.temporal import local_days
from geo.vocabulary import SourceType

NOT_SAID: Final = "not said"
BEFORE_EVENT: Final = "before the event"
MONTH_ONLY: Final = "month only"
_PRECISION_M: Final = {"<=10": 10, "<=50": 50, "<=150": 150, "<=1000": 1000, ">1000": np.inf}
# Each band to its last day.
_LAG_DAYS: Final = {"same day": 0, "1-2 days": 2, "3-7 days": 7, "8-28 days": 28, "over 28 days": np.inf}


def describe(records: pd.DataFrame) -> dict[str, Any]:
    """Completeness and precision of record frames as plain values.

    Returns
    -------
    dict
        ``records``, ``unlocated``, ``distinct_points``, ``on_shared_points`` (located records that share their exact
        position with another), ``snapped`` and counts by ``time_basis``, ``kind`` and ``precision_m`` class.
    """
    located = records[records["location_basis"] != LocationBasis.NONE]
    stack = located.groupby(["x_m", "y_m"], sort=False).size() if len(located) else pd.Series(dtype="int64")
    return {
        "records": len(records),
        "unlocated": int(len(records) - len(located)),
        "distinct_points": len(stack),
        "on_shared_points": int(stack[stack > 1].sum()),
        "snapped": int((records["location_basis"] == LocationBasis.SNAPPED).sum()),
        "time_basis": _counts(records["time_basis"]),
        "kinds": _counts(records["kind"]),
        "precision_m": precision_classes(located["precision_m"].to_numpy(float)),
    }


def precision_classes(precision_m: NDArray[np.float64]) -> dict[str, int]:
    """Count positions by the radius in metres that holds the true place; a precision of NaN is in no class.

    Examples
    --------
    >>> precision_classes(np.array([10.0, 100.0, np.nan]))
    {'<=10': 1, '<=50': 0, '<=150': 1, '<=1000': 0, '>1000': 0}
    """
    return _banded(precision_m[~np.isnan(precision_m)], _PRECISION_M)


def report_lag(records: pd.DataFrame) -> dict[str, Any]:
    """Days from the end of each event to its report, by Europe/London calendar days.

    Parameters
    ----------
    records : DataFrame
        ``to_us`` (exclusive end), ``time_basis`` and ``reported_us`` (NaN where not said), microseconds UTC.

    Returns
    -------
    dict
        ``records``; ``known``, how many have a lag; ``median_days``, ``quartiles_days`` (a pair) and ``p90_days``, None
        where none is known; ``bands``, counts that add up to ``records``.

    Notes
    -----
    An event known by its month only has no lag. One that was reported before it ended is in error and has none
    either. Quantiles are the inverse of the empirical distribution function (Hyndman and Fan 1996, type 1), so that
    the given share of events was indeed reported within so many days.

    Examples
    --------
    >>> day_us = 86_400_000_000
    >>> told = {"to_us": [day_us // 2] * 2, "time_basis": ["date"] * 2, "reported_us": [3.5 * day_us, np.nan]}
    >>> found = report_lag(pd.DataFrame(told))
    >>> found["median_days"], found["bands"]["3-7 days"], found["bands"]["not said"]
    (3, 1, 1)
    """
    reported_us = records["reported_us"].to_numpy(float)
    said = np.isfinite(reported_us)
    month = (records["time_basis"] == TimeBasis.MONTH).to_numpy(bool)
    timed = said & ~month
    lag_days = local_days(reported_us[timed].astype(np.int64)) - local_days(records["to_us"].to_numpy()[timed] - 1)
    known_days = lag_days[lag_days >= 0]
    first, median, third, most = _quantiles(known_days, (0.25, 0.5, 0.75, 0.9))
    bands = _banded(known_days, _LAG_DAYS)
    bands |= {
        BEFORE_EVENT: int((lag_days < 0).sum()),
        MONTH_ONLY: int((said & month).sum()),
        NOT_SAID: int((~said).sum()),
    }
    return {
        "records": len(records),
        "known": len(known_days),
        "median_days": median,
        "quartiles_days": [first, third] if len(known_days) else None,
        "p90_days": most,
        "bands": bands,
    }


def source_types(records: pd.DataFrame) -> dict[str, int]:
    """Count records by how they came to light, every type and ``not said``.

    Examples
    --------
    >>> source_types(pd.DataFrame({"source_type": ["reported", ""]}))
    {'reported': 1, 'discovered': 0, 'outreach': 0, 'not said': 1}
    """
    counts = records["source_type"].value_counts()
    return {str(one): int(counts.get(str(one), 0)) for one in SourceType} | {NOT_SAID: int(counts.get("", 0))}


def stack_figures(stacks: pd.DataFrame) -> dict[str, Any]:
    """What the coordinates of some records stand for, and which share of the records lies on each class.

    Parameters
    ----------
    stacks : DataFrame
        ``records``, ``stack_class`` and ``method``, one row a distinct coordinate, as of
        :func:`geo.stacks.classify_stacks`; ``records`` may be those of one batch.

    Returns
    -------
    dict
        ``records``, ``coordinates``, ``repeated`` (coordinates of more than one record), ``on_repeated`` (their
        records), ``moved`` and ``set_aside`` (records on map points or centroids, and on what is no place), and
        ``classes``: ``stack_class``, ``coordinates``, ``records`` and ``share`` of each class that occurs.

    Examples
    --------
    >>> told = {"records": [3, 1], "stack_class": ["default", "single"], "method": ["not_a_place", "as_given"]}
    >>> found = stack_figures(pd.DataFrame(told))
    >>> found["set_aside"], found["classes"][0]["share"]
    (3, 0.75)
    """
    records = stacks["records"].to_numpy(np.int64)
    method = stacks["method"].to_numpy(object)
    total = int(records.sum())
    by_class = stacks.groupby("stack_class", sort=False)["records"].agg(["size", "sum"])
    classes = [
        {"stack_class": str(one), "coordinates": int(size), "records": int(count), "share": int(count) / total}
        for one in StackClass
        if str(one) in by_class.index
        for size, count in [by_class.loc[str(one)]]
    ]
    moved = np.isin(method, [StackMethod.SNAPPED.value, StackMethod.CENTROID.value])
    return {
        "records": total,
        "coordinates": len(stacks),
        "repeated": int((records > 1).sum()),
        "on_repeated": int(records[records > 1].sum()),
        "moved": int(records[moved].sum()),
        "set_aside": int(records[method == StackMethod.NOT_A_PLACE.value].sum()),
        "classes": classes,
    }


def count_outside(
    lon: NDArray[np.float64], lat: NDArray[np.float64], areas: Mapping[str, shapely.Geometry]
) -> dict[str, int]:
    """How many points lie outside each area; its edge belongs to it.

    Parameters
    ----------
    lon, lat : ndarray of float, shape (n,)
        WGS 84 degrees, finite.
    areas : mapping of str to shapely geometry
        Polygons in WGS 84.

    Raises
    ------
    InvalidParameter
        When a coordinate is not finite.

    Examples
    --------
    >>> count_outside(np.array([0.5, 1.0, 7.0]), np.zeros(3), {"Bath": shapely.box(0, -1, 1, 1)})
    {'Bath': 1}
    """
    if not (np.isfinite(lon).all() and np.isfinite(lat).all()):
        raise InvalidParameter("lon and lat must be finite; leave records without a position out.")
    points, times = np.unique(np.column_stack([lon, lat]), axis=0, return_counts=True)
    found = {}
    for name, area in areas.items():
        shapely.prepare(area)
        found[name] = int(times[~shapely.intersects_xy(area, points[:, 0], points[:, 1])].sum())
    return found


def in_ten(count: int, total: int) -> str:
    """Return a share in words that are true of it.

    Examples
    --------
    >>> in_ten(7, 10), in_ten(68, 100), in_ten(999, 1000), in_ten(1, 1000), in_ten(2, 2), in_ten(0, 2)
    ('7 of 10', 'about 7 of 10', 'more than 9 of 10', 'fewer than 1 of 10', 'all', 'none')
    """
    if not count or count == total:
        return "all" if count else "none"
    tenths = round(10 * count / total)
    if tenths in {0, 10}:
        return "more than 9 of 10" if tenths else "fewer than 1 of 10"
    return f"{'' if 10 * count == tenths * total else 'about '}{tenths} of 10"


def _banded(values: NDArray[Any], limits: Mapping[str, float]) -> dict[str, int]:
    """Count values up to and including each limit and above the one before."""
    band = np.searchsorted(list(limits.values()), values, side="left")
    return dict(zip(limits, np.bincount(band, minlength=len(limits)).tolist(), strict=True))


def _quantiles(values: NDArray[np.int64], shares: tuple[float, ...]) -> list[int | None]:
    if not len(values):
        return [None] * len(shares)
    return [int(one) for one in np.quantile(values, shares, method="inverted_cdf")]


def _counts(values: pd.Series) -> dict[str, int]:
    return {str(value): int(n) for value, n in values.value_counts(sort=False).sort_index().items()}
