"""What a cluster rests on: how many records, from whom, when and how recently."""

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.model import LocationBasis, TimeBasis
from geo.tally import group_counts
from geo.temporal import KNOWN_HOUR_US, WEEKDAYS, local_days, local_hours, local_months, local_weekdays, midpoint_us

_HOUR_US: Final = 3_600_000_000
_DAY_US: Final = 24 * _HOUR_US
# Fewer timed records than this say nothing about a usual weekday or hour.
MIN_TIMED: Final = 5
APPROXIMATE: Final = "approximate"
APPROXIMATE_ABOVE_M: Final = 100.0


def summarise(
    records: pd.DataFrame, group: NDArray[np.int64], count: int, *, as_of_us: int, also: pd.DataFrame | None = None
) -> list[dict[str, Any]]:
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
    also : DataFrame, optional
        Further reports of the same events, which count for who says so and for nothing else: ``group``, ``agency`` and
        ``source``.

    Returns
    -------
    list of dict, length count
        ``records, reports, sources, agencies, kinds, days, months, month_only, snapped, first_day, last_day, first_month,
        last_month, recency_days, weekdays, hours, precision_m``. Days are those of records dated to the day, None where
        there is none: a month is not its middle day. ``weekdays`` and ``hours`` are None where too few times are known.
    """
    if not count:
        return []
    from_us, to_us = records["from_us"].to_numpy(), records["to_us"].to_numpy()
    at_us = midpoint_us(from_us, to_us)
    counts = group_counts(records, group, count)
    if also is None:
        also = pd.DataFrame({"group": np.empty(0, np.int64), "agency": [], "source": []})
    everyone = pd.concat([records[["agency", "source"]], also[["agency", "source"]]])
    further = also["group"].to_numpy(np.int64)
    agencies = _said_by(everyone, np.concatenate([group, further]), count)
    kinds = _values_by_group(records["kind"].to_numpy(object), group, count)
    reports = counts["records"].to_numpy() + np.bincount(further, minlength=count)
    by_day = (records["time_basis"] != TimeBasis.MONTH).to_numpy(bool)
    first_day, last_day = _span(group[by_day], local_days(at_us[by_day]), count, "datetime64[D]")
    first_month, last_month = _span(group, local_months(at_us), count, "datetime64[M]")
    recency_days = _recency_days(to_us, group, count, as_of_us)
    dated = to_us - from_us <= _DAY_US + 2 * _HOUR_US  # a day of 25 hours still is a day
    weekdays = _profile(group[dated], local_weekdays(at_us[dated]), count, 7)
    timed = (to_us - from_us <= KNOWN_HOUR_US) & records["time_basis"].isin(
        [TimeBasis.INSTANT, TimeBasis.INTERVAL]
    ).to_numpy(bool)
    hours = _profile(group[timed], local_hours(at_us[timed]), count, 24)
    precision_m = records["precision_m"].groupby(group).median().to_numpy()
    told = {name: counts[name].tolist() for name in ("records", "days", "months", "month_only", "snapped")}
    return [
        {
            **{name: int(told[name][i]) for name in told},
            "reports": int(reports[i]),
            "sources": len(agencies[i]),
            "agencies": sorted(agencies[i]),
            "kinds": dict(sorted(kinds[i].items())),
            "first_day": first_day[i],
            "last_day": last_day[i],
            "first_month": first_month[i],
            "last_month": last_month[i],
            "recency_days": int(recency_days[i]),
            "weekdays": dict(zip(WEEKDAYS, weekdays[i].tolist(), strict=True))
            if weekdays[i].sum() >= MIN_TIMED
            else None,
            "hours": hours[i].tolist() if hours[i].sum() >= MIN_TIMED else None,
            "precision_m": float(precision_m[i]),
        }
        for i in range(count)
    ]


def scored_facts(
    records: pd.DataFrame, group: NDArray[np.int64], count: int, *, as_of_us: int
) -> list[dict[str, Any] | None]:
    """``recency_days`` and ``sources`` of each group as :func:`summarise` tells them; None where a group has no record."""
    if not len(records):
        return [None] * count
    recency_days = _recency_days(records["to_us"].to_numpy(), group, count, as_of_us)
    return [
        {"recency_days": int(recency_days[i]), "sources": len(agencies)} if agencies else None
        for i, agencies in enumerate(_said_by(records, group, count))
    ]


def _said_by(records: pd.DataFrame, group: NDArray[np.int64], count: int) -> list[dict[str, int]]:
    """Who says so: the agency that recorded it, else the source of the file. One agency reporting often is one source."""
    said_by = records["agency"].where(records["agency"] != "", records["source"])
    return _values_by_group(said_by.to_numpy(object), group, count)


def _recency_days(to_us: NDArray[np.int64], group: NDArray[np.int64], count: int, as_of_us: int) -> NDArray[np.int64]:
    """Whole days since the last record of each group ended."""
    end_us = np.full(count, to_us.min())
    np.maximum.at(end_us, group, to_us)
    days: NDArray[np.int64] = np.maximum(0, (as_of_us - end_us) // _DAY_US)
    return days


def _span(
    group: NDArray[np.int64], values: NDArray[np.int64], count: int, unit: str
) -> tuple[list[str | None], list[str | None]]:
    """First and last date of each group as ISO text; None where a group has none."""
    if not len(values):
        return [None] * count, [None] * count
    first, last = np.full(count, np.iinfo(np.int64).max), np.full(count, np.iinfo(np.int64).min)
    np.minimum.at(first, group, values)
    np.maximum.at(last, group, values)
    known = np.bincount(group, minlength=count) > 0
    first_text, last_text = (
        ends.astype(unit).astype(str) for ends in (np.where(known, first, 0), np.where(known, last, 0))
    )
    return _known_only(first_text, known), _known_only(last_text, known)


def _known_only(texts: NDArray[np.str_], known: NDArray[np.bool_]) -> list[str | None]:
    return [str(text) if ok else None for text, ok in zip(texts, known, strict=True)]


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
    """``snapped``, ``approximate`` where positions are known no better than 100 m, or ``exact``."""
    if is_snapped(evidence):
        return LocationBasis.SNAPPED.value
    return APPROXIMATE if evidence["precision_m"] > APPROXIMATE_ABOVE_M else LocationBasis.EXACT.value


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
