"""What a cluster rests on: how many records, from whom, when and how recently."""

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.model import LocationBasis, TimeBasis
from geo.tally import group_counts
from geo.temporal import KNOWN_HOUR_US, WEEKDAYS, local_days, local_hours, local_weekdays, midpoint_us

_HOUR_US: Final = 3_600_000_000
_DAY_US: Final = 24 * _HOUR_US
# Fewer timed records than this say nothing about a usual weekday or hour.
MIN_TIMED: Final = 5


def summarise(records: pd.DataFrame, group: NDArray[np.int64], count: int, *, as_of_us: int) -> list[dict[str, Any]]:
    """Evidence of each cluster as plain values, ready to store as JSON.

    Parameters
    ----------
    records : DataFrame
        Records of all clusters, n rows.
    group : ndarray of int64, shape (n,)
        Cluster of each record, 0 to count - 1; every cluster has at least one record.
    count : int
        Number of clusters.
    as_of_us : int
        Moment that recency is counted from.

    Returns
    -------
    list of dict, length count
        ``records, sources, agencies, kinds, days, months, month_only, snapped, first_day, last_day, recency_days,
        weekdays, hours, precision_m``. ``weekdays`` and ``hours`` are None where too few times are known.
    """
    if not count:
        return []
    from_us, to_us = records["from_us"].to_numpy(), records["to_us"].to_numpy()
    at_us = midpoint_us(from_us, to_us)
    counts = group_counts(records, group, count)
    # Who says so: the agency that recorded it, else the source of the file. One agency reporting often is one source.
    said_by = records["agency"].where(records["agency"] != "", records["source"]).to_numpy(object)
    agencies, kinds = (
        _values_by_group(said_by, group, count),
        _values_by_group(records["kind"].to_numpy(object), group, count),
    )
    days = local_days(at_us)
    first, last, end_us = (
        np.full(count, days.max()),
        np.full(count, days.min()),
        np.full(count, to_us.min()),
    )
    np.minimum.at(first, group, days)
    np.maximum.at(last, group, days)
    np.maximum.at(end_us, group, to_us)
    dated = to_us - from_us <= _DAY_US + 2 * _HOUR_US  # a day of 25 hours still is a day
    weekdays = _profile(group[dated], local_weekdays(at_us[dated]), count, 7)
    timed = (to_us - from_us <= KNOWN_HOUR_US) & records["time_basis"].isin(
        [TimeBasis.INSTANT, TimeBasis.INTERVAL]
    ).to_numpy(bool)
    hours = _profile(group[timed], local_hours(at_us[timed]), count, 24)
    precision_m = records["precision_m"].groupby(group).median().to_numpy()
    iso_first, iso_last = (d.astype("datetime64[D]").astype(str) for d in (first, last))
    return [
        {
            **{name: int(counts[name].iat[i]) for name in ("records", "days", "months", "month_only", "snapped")},
            "sources": len(agencies[i]),
            "agencies": sorted(agencies[i]),
            "kinds": dict(sorted(kinds[i].items())),
            "first_day": str(iso_first[i]),
            "last_day": str(iso_last[i]),
            "recency_days": int(max(0, (as_of_us - end_us[i]) // _DAY_US)),
            "weekdays": dict(zip(WEEKDAYS, weekdays[i].tolist(), strict=True))
            if weekdays[i].sum() >= MIN_TIMED
            else None,
            "hours": hours[i].tolist() if hours[i].sum() >= MIN_TIMED else None,
            "precision_m": float(precision_m[i]),
        }
        for i in range(count)
    ]


def _values_by_group(values: NDArray[np.object_], group: NDArray[np.int64], count: int) -> list[dict[str, int]]:
    """How often each value occurs in each group."""
    codes, uniques = pd.factorize(values)
    pairs, n = np.unique(group * len(uniques) + codes, return_counts=True)
    found: list[dict[str, int]] = [{} for _ in range(count)]
    for pair, times in zip(pairs.tolist(), n.tolist(), strict=True):
        found[pair // len(uniques)][str(uniques[pair % len(uniques)])] = times
    return found


def _profile(group: NDArray[np.int64], slot: NDArray[np.int64], count: int, slots: int) -> NDArray[np.int64]:
    return np.bincount(group * slots + slot, minlength=count * slots).reshape(count, slots)


def is_snapped(evidence: dict[str, Any]) -> bool:
    """Whether most of the weight lies on snapped map points, which cluster by construction."""
    return bool(evidence["snapped"] * 2 > evidence["records"])


def basis_of(evidence: dict[str, Any]) -> str:
    """``snapped`` or ``exact``."""
    return LocationBasis.SNAPPED.value if is_snapped(evidence) else LocationBasis.EXACT.value


def busiest_days(weekdays: dict[str, int] | None) -> list[str]:
    """Fewest weekdays that hold at least two thirds of the dated records, in calendar order; empty when unknown.

    Examples
    --------
    >>> busiest_days({"Friday": 6, "Saturday": 3, "Monday": 1})
    ['Friday', 'Saturday']
    """
    if not weekdays:
        return []
    total, held, chosen = sum(weekdays.values()), 0, []
    for day, count in sorted(weekdays.items(), key=lambda item: (-item[1], item[0])):
        if held * 3 >= total * 2:
            break
        chosen.append(day)
        held += count
    return sorted(chosen, key=WEEKDAYS.index)


def busiest_hours(hours: list[int] | None) -> tuple[int, int] | None:
    """Shortest window of whole hours (start, end; may pass midnight) holding two thirds of the timed records."""
    if not hours:
        return None
    total = sum(hours)
    for length in range(1, 25):
        held, start = max((sum(hours[(s + i) % 24] for i in range(length)), -s) for s in range(24))
        if held * 3 >= total * 2:
            return -start, (-start + length) % 24
    return None
