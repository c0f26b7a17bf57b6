"""Events out of matches: what is tied together stands, unless it would make one event of two."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.same_event_rules import REASONS, Ints, MatchReason, Reports

# An event is never more than this many times as long or wide as the rules that tie it together allow two records to be.
_MAX_STRETCH: Final = 3.0
_BY_REFERENCE: Final = REASONS.index(MatchReason.SAME_REFERENCE)


def group_events(reports: Reports, matches: pd.DataFrame, unit: Ints) -> Ints:
    """Row of the representative of each row's event, shape (n,).

    Parameters
    ----------
    reports : Reports
    matches : DataFrame
    unit : ndarray of int64, shape (n,)
        As of :func:`geo.same_event_pairs.find_matches`.
    """
    table, count = reports.table, len(reports.table)
    by_likeness = matches[matches["reason"] != _BY_REFERENCE]
    whole, near = _joined(count, matches), _joined(count, by_likeness)
    own = _joined(count, matches[matches["same_agency"]])

    refused = np.zeros(count, bool)
    refused[whole[_too_wide(table, whole, matches)]] = True
    refused[whole[_too_wide(table, near, by_likeness)]] = True
    accounts = pd.DataFrame({"whole": whole, "who": table["who"], "own": own}).drop_duplicates()
    refused[accounts.loc[accounts.duplicated(["whole", "who"]), "whole"]] = True
    one, two = whole[reports.apart].T
    refused[one[one == two]] = True

    event = np.where(refused[whole], unit, whole)
    disputed = matches[refused[whole[matches["a"]]]]
    members, leaders = _settle(reports, disputed.assign(a=unit[disputed["a"]], b=unit[disputed["b"]]), own)
    event[members] = leaders
    return event[unit]


def from_both_ends(matches: pd.DataFrame) -> pd.DataFrame:
    """Matches of each row ``a``, the surest and nearest first; each match is there twice."""
    both = pd.concat([matches, matches.rename(columns={"a": "b", "b": "a"})])
    return both.sort_values(["a", "reason", "gap_us", "distance_m", "b"])


def _joined(count: int, matches: pd.DataFrame) -> Ints:
    """Smallest row that each row is joined with."""
    graph = coo_array((np.ones(len(matches), bool), (matches["a"], matches["b"])), shape=(count, count))
    _, label = connected_components(graph, directed=False)
    return np.unique(label, return_index=True)[1][label]


def _too_wide(table: pd.DataFrame, group: Ints, matches: pd.DataFrame) -> Ints:
    """First rows of the groups that are much longer or wider than the matches in them may be."""
    limit_m, limit_us = np.zeros(len(table)), np.zeros(len(table))
    np.maximum.at(limit_m, group[matches["a"]], matches["limit_m"])
    np.maximum.at(limit_us, group[matches["a"]], matches["limit_us"])
    rows = table[limit_us[group] > 0].groupby(group[limit_us[group] > 0])
    low, high = rows[["x_m", "y_m", "to_us"]].min(), rows[["x_m", "y_m", "from_us"]].max()
    width_m = np.hypot(high["x_m"] - low["x_m"], high["y_m"] - low["y_m"])
    first = low.index.to_numpy(np.int64)
    long = high["from_us"] - low["to_us"] + 1 > _MAX_STRETCH * limit_us[first]
    return first[(width_m > _MAX_STRETCH * limit_m[first]) | long]


@dataclass
class _Event:
    """An event that is being made: its rows, each agency's account of it, and when its like reports begin and end."""

    members: list[int]
    accounts: dict[int, int]
    first_end_us: int
    last_start_us: int
    limit_us: float = field(default=0.0)

    def stretch(self, from_us: int, to_us: int, limit_us: float) -> bool:
        """Take a like report's time in, unless that makes the event too long."""
        end_us, start_us = min(self.first_end_us, to_us), max(self.last_start_us, from_us)
        limit_us = max(self.limit_us, limit_us)
        if start_us - end_us + 1 > _MAX_STRETCH * limit_us:
            return False
        self.first_end_us, self.last_start_us, self.limit_us = end_us, start_us, limit_us
        return True


def _settle(reports: Reports, matches: pd.DataFrame, own: Ints) -> tuple[list[int], list[int]]:
    """Rows that another takes, and which: each in turn takes only what matches itself and contradicts nothing in it."""
    both = from_both_ends(matches[matches["a"] != matches["b"]])
    columns = (both[name].tolist() for name in ("a", "b", "reason", "limit_us"))
    from_us, to_us, who = (reports.table[name].tolist() for name in ("from_us", "to_us", "who"))
    apart = set(map(tuple, np.concatenate([reports.apart, reports.apart[:, ::-1]]).tolist()))
    separated = {row for row, _ in apart}
    taken: dict[int, int] = {}
    events: dict[int, _Event] = {}
    for leader, other, reason, limit_us in zip(*columns, strict=True):
        if leader in taken or other in taken or other <= leader:  # smaller rows have had their turn
            continue
        if leader not in events:
            events[leader] = _Event([leader], {who[leader]: own[leader]}, to_us[leader], from_us[leader])
        event = events[leader]
        if event.accounts.get(who[other], own[other]) != own[other]:
            continue
        if other in separated and any((member, other) in apart for member in event.members):
            continue
        if reason != _BY_REFERENCE and not event.stretch(from_us[other], to_us[other], limit_us):
            continue
        event.members.append(other)
        event.accounts[who[other]] = own[other]
        taken[other] = leader
    return list(taken), list(taken.values())
