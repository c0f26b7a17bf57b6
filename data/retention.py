"""What must go when its time is over, and what is left of it."""

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from data.intake import settle
from data.runs import DROPS
from geo.model import Scope

if TYPE_CHECKING:
    from data.database import Database


# What a run's summary says of its cells and records one by one: it goes with the layers.
_OF_LAYERS = (
    "hot_areas",
    "near_repeats",
    "needs_decision",
    "needs_decision_total",
    "network",
    "facilities",
    "movements",
)


class Retention:
    """Expired records, tombstones, coarse counts and recalls of one store."""

    def __init__(self, database: "Database") -> None:
        self._db = database

    def expired(self, scope: Scope, now_us: int) -> pd.DataFrame:
        """Versions of records past their date of deletion: key, identity, kind, time and position.

        ``outlived`` is 1 where another version of the same record may be held longer.
        """
        frame = self._db.frame("expired_records", org_id=scope.org_id, now_us=now_us)
        return frame.astype({"lon": float, "lat": float})

    def due(self, scope: Scope, now_us: int) -> dict[str, int]:
        """How many records are due for review, and for deletion; several versions are one record."""
        row = self._db.rows("records_due", org_id=scope.org_id, now_us=now_us)[0]
        return {"review": int(row["review"] or 0), "deletion": int(row["deletion"] or 0)}

    def drop_records(self, scope: Scope, record_keys: Sequence[bytes], outlived: Iterable[bytes] = ()) -> None:
        """Remove versions of records with everything that hangs on them.

        ``outlived`` are the identities of which another version stays: it counts from now on.
        """
        for begin in range(0, len(record_keys), 500):
            part = tuple(record_keys[begin : begin + 500])
            for name in (
                "purge_hints", "purge_memberships", "purge_run_records", "purge_matches", "purge_splits", "purge_revisions", "purge_records",
            ):  # fmt: skip
                self._db.execute(name, org_id=scope.org_id, record_keys=part)
        settle(self._db, scope, outlived)

    def rejected_rows(self, scope: Scope, batch_ids: Sequence[str]) -> int:
        """How many rejected rows of some files are kept, corrected ones too."""
        rows = self._db.rows("rejected_rows", org_id=scope.org_id, batch_ids=tuple(batch_ids))
        return int(rows[0]["n"])

    def drop_quarantine(self, scope: Scope, batch_ids: Sequence[str]) -> int:
        """Remove the rejected rows of some files; the files keep their counts."""
        if not batch_ids:
            return 0
        return self._db.execute("purge_quarantine", org_id=scope.org_id, batch_ids=tuple(batch_ids))

    def batches_of(self, scope: Scope, record_keys: Sequence[bytes]) -> list[str]:
        """Files that any of these records came in."""
        found: set[str] = set()
        for begin in range(0, len(record_keys), 500):
            part = tuple(record_keys[begin : begin + 500])
            rows = self._db.rows("batches_of_records", org_id=scope.org_id, record_keys=part)
            found |= {row["batch_id"] for row in rows}
        return sorted(found)

    def drop_layers(self, scope: Scope, run_id: str, at_us: int) -> None:
        """Remove the layers of an analysis and say in it that they are gone, and when."""
        one = {"org_id": scope.org_id, "run_id": run_id}
        for name in DROPS:
            self._db.execute(name, **one)
        summary = json.loads(self._db.rows("run", **one)[0]["summary"])
        left = {name: value for name, value in summary.items() if name not in _OF_LAYERS}
        self._db.execute("mark_purged", at_us=at_us, summary=json.dumps(left, sort_keys=True), **one)

    def bury(self, scope: Scope, tombs: Sequence[bytes], kinds: Sequence[str], at_us: int) -> None:
        """Leave a tombstone for each record."""
        count = len(tombs)
        self._db.insert(
            "tombstone",
            {"org_id": [scope.org_id] * count, "tomb_key": list(tombs), "kind": list(kinds), "purged_at_us": [at_us] * count},
            ignore_existing=True,
        )  # fmt: skip

    def tombs(self, scope: Scope, kind: str) -> frozenset[bytes]:
        """Keys under which records of a kind were buried."""
        return frozenset(bytes(row["tomb_key"]) for row in self._db.rows("tombs", org_id=scope.org_id, kind=kind))

    def add_counts(self, scope: Scope, counts: pd.DataFrame) -> None:
        """Add to the coarse counts (``kind``, ``month``, ``cell``, ``records``)."""
        for row in counts[["kind", "month", "cell", "records"]].to_dict("records"):
            if not self._db.execute("add_coarse_count", org_id=scope.org_id, **row):
                self._db.insert("coarse_count", {"org_id": [scope.org_id]} | {name: [v] for name, v in row.items()})

    def coarse_counts(self, scope: Scope) -> pd.DataFrame:
        """Return what is left of purged records: counts by kind, month and coarse cell."""
        return self._db.frame("coarse_counts", org_id=scope.org_id)

    def recall(self, scope: Scope, disclosure_id: str, reason: str, at_us: int) -> None:
        """Enter in the ledger that a copy already handed out must be destroyed."""
        row: dict[str, Any] = {
            "disclosure_id": disclosure_id, "org_id": scope.org_id, "recalled_at_us": at_us, "reason": reason, "actor": scope.actor,
        }  # fmt: skip
        self._db.insert("recall", {name: [value] for name, value in row.items()}, ignore_existing=True)

    def recalls(self, scope: Scope) -> list[dict[str, Any]]:
        """Recalled disclosures, oldest first."""
        return self._db.rows("recalls", org_id=scope.org_id)
