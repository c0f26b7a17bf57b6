"""What two analyses of one question say of places: which are new, which are gone and which are fading."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from geo.model import Place
from geo.parameters import AnalysisParameters
from geo.trend import TrendClass

# Shorter than this nothing is called quiet, and a longer silence only where chance seldom makes one as long.
QUIET_DAYS: Final = 28
MAX_P_VALUE: Final = 0.05
# Periods such as the last three months are as long as each other but for the lengths of months.
_SAME_LENGTH_DAYS: Final = 3
_COOLING: Final = (TrendClass.DIMINISHING, TrendClass.HISTORIC)


@dataclass(frozen=True)
class PlaceChanges:
    """Places by what became of them, each list in the order of its own analysis."""

    new: tuple[Place, ...]
    gone: tuple[Place, ...]
    fading: tuple[Place, ...]


def same_question(newer: AnalysisParameters, older: AnalysisParameters) -> bool:
    """Whether two analyses differ in nothing but how far their days run, so that their places can be compared.

    The days begin together, or are as many (within three); the newer ones do not end before the older.

    Examples
    --------
    >>> week = AnalysisParameters(date_from=date(2026, 1, 1), date_to=date(2026, 1, 28))
    >>> later = AnalysisParameters(date_from=date(2026, 1, 8), date_to=date(2026, 2, 4))
    >>> same_question(later, week), same_question(week, later), same_question(later, AnalysisParameters())
    (True, False, False)
    """
    if replace(newer, date_from=older.date_from, date_to=older.date_to) != older:
        return False
    if (newer.date_to or date.max) < (older.date_to or date.max):
        return False
    if newer.date_from == older.date_from:
        return True
    new_days, old_days = _length_days(newer), _length_days(older)
    return new_days is not None and old_days is not None and abs(new_days - old_days) <= _SAME_LENGTH_DAYS


def _length_days(parameters: AnalysisParameters) -> int | None:
    if parameters.date_from is None or parameters.date_to is None:
        return None
    return (parameters.date_to - parameters.date_from).days


def compare_places(
    newer: Sequence[Place],
    older: Sequence[Place] | None,
    *,
    newer_last_day: date | None,
    older_last_day: date | None,
    moved: Collection[str] = (),
) -> PlaceChanges:
    """Compare the places of two analyses by their identity.

    Parameters
    ----------
    newer, older : sequence of Place
        In listing order; ``older`` is None where there is nothing to compare with.
    newer_last_day, older_last_day : date or None
        Last day of the records of each analysis: silence is counted to it and not to today, because what came in late
        is not quiet.
    moved : collection of str
        Places that people merged, split or made by splitting: they did not come or go by themselves.

    Returns
    -------
    PlaceChanges
        ``fading`` are those of ``newer`` that were not fading in ``older`` already.

    Examples
    --------
    >>> compare_places([], [], newer_last_day=None, older_last_day=None)
    PlaceChanges(new=(), gone=(), fading=())
    """
    known, older = older is not None, older or ()
    faded = {one.place_id for one in older if is_fading(one.evidence, older_last_day)}
    now, then = ({one.place_id for one in places} | set(moved) for places in (newer, older))
    return PlaceChanges(
        new=tuple(one for one in newer if one.place_id not in then) if known else (),
        gone=tuple(one for one in older if one.place_id not in now),
        fading=tuple(
            one
            for one in newer
            if one.place_id not in faded and one.place_id not in moved and is_fading(one.evidence, newer_last_day)
        ),
    )


def is_fading(evidence: Mapping[str, Any], last_day: date | None) -> bool:
    """Whether a place has gone quiet, or its trend says that it cools.

    Parameters
    ----------
    evidence : mapping
        As stored with the place: ``records, month_only, first_day, last_day, last_month``, and ``trend`` where it was made.
    last_day : date or None
        Last day of the records of the analysis.

    Notes
    -----
    Quiet is 28 days or more without a record, longer than chance makes in one of twenty places: were its n records
    dated to the day spread evenly from the first of them to ``last_day``, T days later, the last q days would be empty
    with probability (1 - q / T) ** (n - 1). A place with few records is never called quiet, whose silence says nothing.
    It is a guide to what to look at and no test over all places.

    Examples
    --------
    >>> often = {
    ...     "records": 30,
    ...     "month_only": 0,
    ...     "first_day": "2026-01-01",
    ...     "last_day": "2026-05-01",
    ...     "last_month": "2026-05",
    ... }
    >>> is_fading(often, date(2026, 6, 1)), is_fading(often | {"records": 3}, date(2026, 6, 1))
    (True, False)
    """
    if evidence.get("trend") in _COOLING:
        return True
    quiet, dated = quiet_days(evidence, last_day), evidence["records"] - evidence["month_only"]
    if last_day is None or quiet is None or quiet < QUIET_DAYS or dated < 2:
        return False
    length = (last_day - date.fromisoformat(evidence["first_day"])).days
    return bool((1 - quiet / length) ** (dated - 1) <= MAX_P_VALUE)


def quiet_days(evidence: Mapping[str, Any], last_day: date | None) -> int | None:
    """Days from a place's last record to the last day of the analysis; None where either is not known to the day.

    Records dated by month only may be newer than the last one dated to the day: then it is not known either.
    """
    if last_day is None or evidence["last_day"] is None or evidence["last_month"] > evidence["last_day"][:7]:
        return None
    return max(0, (last_day - date.fromisoformat(evidence["last_day"])).days)
