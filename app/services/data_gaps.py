"""What is missing from what comes in: late files, records without a position, rows that wait for a correction."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from app.services.reviewing import local_day
from data.store import Store
from geo.model import Batch, RecordKind, Scope
from geo.rhythm import is_late, usual_gap_days


@dataclass(frozen=True, kw_only=True)
class LateFile:
    """Files of a kind, from one source or from any (blank), that used to come and do not: since when, and how often."""

    kind: str
    source: str
    waited_days: int
    usual_days: int


@dataclass(frozen=True, kw_only=True)
class DataGaps:
    """What is missing: ``unlocated`` has the records of each kind without a position, and how many there are."""

    late: tuple[LateFile, ...]
    unlocated: dict[str, tuple[int, int]]
    attention: int

    def __bool__(self) -> bool:
        """Whether anything is."""
        return bool(self.late or self.unlocated or self.attention)


def data_gaps(store: Store, scope: Scope, counts: Mapping[str, Mapping[str, int]], *, now_us: int) -> DataGaps:
    """Look at what came in, and when; ``counts`` are the store's records by kind."""
    batches = [one for one in store.evidence.batches(scope) if one.undone_at_us is None]
    return DataGaps(
        late=late_files(batches, now_us=now_us),
        unlocated={kind: (one["unlocated"], one["records"]) for kind, one in counts.items() if one["unlocated"]},
        attention=store.evidence.quarantine_count(scope),
    )


def late_files(batches: list[Batch], *, now_us: int) -> tuple[LateFile, ...]:
    """Kinds of records of which no file has come for longer than usual: by source, else of the kind as a whole."""
    days: dict[tuple[str, str], list[int]] = {}
    for one in batches:
        if one.kind in set(RecordKind):
            for key in {(one.kind, one.source), (one.kind, "")}:
                days.setdefault(key, []).append(_day(one.imported_at_us))
    today = _day(now_us)
    late = {key for key, own in days.items() if is_late(np.asarray(own, np.int64), today=today)}
    told = [key for key in sorted(late) if key[1] or not any(kind == key[0] and source for kind, source in late)]
    return tuple(
        LateFile(
            kind=kind,
            source=source,
            waited_days=today - max(days[kind, source]),
            usual_days=round(usual_gap_days(np.asarray(days[kind, source], np.int64)) or 0),
        )
        for kind, source in told
    )


def _day(at_us: int) -> int:
    return local_day(at_us).toordinal()
