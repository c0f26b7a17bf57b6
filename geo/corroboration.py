"""Which records report the same event: one event counts once, however many agencies or repeats tell of it.

Three rules, all of them careful: two real events taken for one lose evidence, and one event taken for two makes a
place look busier than it is. What is not matched stays separate; a person can split what is.
"""

from collections.abc import Collection
from typing import Final

import numpy as np
import pandas as pd

from geo.same_event_groups import from_both_ends, group_events
from geo.same_event_pairs import find_matches, judge
from geo.same_event_rules import MINUTE_US, NO_MATCH, REASONS, Ints, MatchReason, Reports, SameEventRules, order_reports

__all__ = ["MATCH_COLUMNS", "MatchReason", "SameEventRules", "same_events"]

MATCH_COLUMNS: Final = ("record_key", "event_key", "reason", "words")


def same_events(
    records: pd.DataFrame, *, rules: SameEventRules | None = None, splits: Collection[tuple[bytes, bytes]] = ()
) -> pd.DataFrame:
    """Find the records that report an event which another record represents.

    Parameters
    ----------
    records : DataFrame
        ``record_key`` (distinct bytes), ``kind, source, agency, urn, category`` (text, may be empty), ``from_us,
        to_us`` (int64 microseconds UTC, half-open), ``time_basis``, ``x_m, y_m`` (metres in one projected CRS, NaN
        where unlocated), ``location_basis``, ``precision_m`` (metres), ``urn_is_key`` (bool: whether the source's
        references are keys; those of data.police.uk are not) and, where there are vehicles, ``vehicle_hash``.
    rules : SameEventRules, optional
    splits : collection of (bytes, bytes)
        Unordered pairs of ``record_key`` that a person has separated; they are never in one event. Pairs of records
        that are not here change nothing.

    Returns
    -------
    DataFrame
        ``MATCH_COLUMNS``, one row for each record that is not the representative of its event: its key, that of the
        representative, the reason as :class:`MatchReason` and in words. The representative is the most precisely
        located, then the earliest, then the one of the smallest key. Neither result nor order depends on row order.

    Raises
    ------
    InvalidParameter
        When a ``record_key`` occurs twice.

    Notes
    -----
    Only records of one kind are ever one event. *Same reference*: one reference with a letter or seven digits, times
    and positions that do not contradict, and, of sightings, one vehicle. *Other agency* (its agency, else its source)
    and *repeated by source*: the same category and vehicle, an exact position, and a time known to six hours, or for a
    repeat to the quarter of an hour within which it must come: an agency that gives two reports the same evening means
    two events. Outreach sessions are never alike, for each was effort of its own.

    Matches join into an event, which stands unless a person has split it, another agency's record is all that joins
    two reports of one agency, or it is more than three times as long or wide (diagonal of the bounding box) as its
    matches may be. Then each representative in turn takes only the records that match itself, the nearest first, none
    that makes the event too long, and never two that one agency keeps apart. These rules are Lapwing's own.

    Work grows with the pairs that are near, never with the square of a stack: of more than 10 rows of one agency in a
    cell of about 17 m and a quarter of an hour only the first is compared with others, agencies are not compared in
    cells of 150 m and an hour where more than 20 reports stand, and a record is compared with the 8 of its reference
    before it in time.

    Examples
    --------
    >>> common = {"kind": "incidents", "source": "x", "category": "ASB", "urn": "AV-123", "urn_is_key": True}
    >>> common |= {"from_us": 0, "to_us": 1, "time_basis": "instant", "precision_m": 10.0}
    >>> common |= {"x_m": 375_000.0, "y_m": 165_000.0, "location_basis": "exact"}
    >>> rows = [{"record_key": b"a", "agency": "Police"}, {"record_key": b"b", "agency": "Council"}]
    >>> same_events(pd.DataFrame(rows).assign(**common))["words"].tolist()
    ['same reference AV-123 from two agencies']
    """
    if records.empty:
        return pd.DataFrame(columns=list(MATCH_COLUMNS), dtype=object)
    reports = order_reports(records, rules=rules or SameEventRules(), splits=splits)
    matches, unit = find_matches(reports)
    return _tell(reports, matches, group_events(reports, matches, unit))


def _tell(reports: Reports, matches: pd.DataFrame, event: Ints) -> pd.DataFrame:
    """One row for each record that is represented by another, with the match that says so."""
    members = np.flatnonzero(event != np.arange(len(event)))
    members = members[np.argsort(event[members], kind="stable")]
    told = judge(reports, np.column_stack([members, event[members]])).assign(direct=True)
    distant = (told["reason"] == NO_MATCH).to_numpy()
    inside = matches[event[matches["a"]] == event[matches["b"]]]
    nearest = from_both_ends(inside).drop_duplicates("a").set_index("a")
    links = nearest.loc[members[distant]].reset_index().assign(direct=False)
    told = pd.concat([told[~distant], links]).set_index("a").loc[members]
    keys = reports.table["record_key"].to_numpy(object)
    urns = reports.table["urn"].to_numpy(object)[members]
    columns = ["reason", "same_agency", "distance_m", "gap_us", "direct"]
    words = [_words(urn, *row) for urn, *row in zip(urns, *(told[name].tolist() for name in columns), strict=True)]
    reasons = [str(REASONS[reason]) for reason in told["reason"]]
    content = dict(zip(MATCH_COLUMNS, (keys[members], keys[event[members]], reasons, words), strict=True))
    return pd.DataFrame(content, dtype=object)


def _words(urn: str, reason: int, same_agency: bool, distance_m: float, gap_us: int, direct: bool) -> str:
    """Say in a plain sentence why a record was matched."""
    minutes = round(gap_us / MINUTE_US)
    apart = f"{distance_m:.0f} m and {minutes} minute{'' if minutes == 1 else 's'} apart"
    match REASONS[reason]:
        case MatchReason.SAME_REFERENCE:
            text = f"same reference {urn.strip()} {'twice from one agency' if same_agency else 'from two agencies'}"
        case MatchReason.OTHER_AGENCY:
            text = f"same kind of report from another agency, {apart}"
        case MatchReason.REPEATED_BY_SOURCE:
            text = f"same kind of report again from one agency, {apart}"
    return text if direct else f"{text}, matched through a further report of the event"
