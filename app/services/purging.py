"""Records whose time is over: gone with all that was made of them, leaving a tombstone and coarse counts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from app.services.terms import Terms
from data.audit import Verb
from data.ids import uuid7
from data.store import Store
from geo.model import RecordKind, Scope, content_hash
from geo.retention import coarse_counts, dates


@dataclass(frozen=True, kw_only=True)
class PurgeReport:
    """What a purge removed, or would remove."""

    dry_run: bool
    records: dict[str, int]
    rejected_rows: int
    runs: list[str]
    recalled: list[str]
    due_for_review: int
    coarse_counts: int = field(default=0)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for machine-readable output."""
        return {
            "dry_run": self.dry_run,
            "records": self.records,
            "purged": sum(self.records.values()),
            "rejected_rows": self.rejected_rows,
            "runs_without_layers": self.runs,
            "recalled_disclosures": self.recalled,
            "coarse_counts": self.coarse_counts,
            "due_for_review": self.due_for_review,
        }


def purge(store: Store, scope: Scope, terms: Terms, *, dry_run: bool = False) -> PurgeReport:
    """Remove every record past its date of deletion.

    With it go its positions, the layers of analyses it went into, and what hints at it; a copy that was already handed
    out gets a recall in the ledger. A keyed tombstone keeps its file from bringing it back.
    """
    expired = store.retention.expired(scope, terms.now_us)
    keys = [bytes(key) for key in expired["record_key"]]
    counts = coarse_counts(expired[expired["superseded"] == 0])  # one version of each record
    by_kind = {str(kind): int(n) for kind, n in expired["kind"].value_counts().sort_index().items()}
    runs = affected_runs(store, scope, keys)
    recalled = _disclosures(store, scope, runs)
    due = store.retention.due(scope, terms.now_us)["review"]
    old = _old_batches(store, scope, terms)
    rejected = int(store.evidence.quarantine(scope)["batch_id"].isin(old).sum())
    if (keys or rejected) and not dry_run:
        with store.database.transaction():
            store.database.lock("import")
            drop_layers_of(store, scope, keys, terms.now_us)
            tombs = [terms.keys.raw("tomb", key) for key in keys]
            store.retention.bury(scope, tombs, expired["kind"].tolist(), terms.now_us)
            store.retention.add_counts(scope, counts)
            store.retention.drop_records(scope, keys)
            rejected = store.retention.drop_quarantine(scope, old)
            store.supplies.alter(
                scope, uuid7(terms.now_us), f"purged:{content_hash(*(t.hex() for t in tombs))}", terms.now_us
            )
            store.audit.append(scope, Verb.ERASURE, "purge", terms.now_us, **by_kind, rejected_rows=rejected)
        store.database.compact()
    return PurgeReport(
        dry_run=dry_run, records=by_kind, rejected_rows=rejected, runs=runs, recalled=recalled, due_for_review=due,
        coarse_counts=len(counts),
    )  # fmt: skip


def _old_batches(store: Store, scope: Scope, terms: Terms) -> list[str]:
    """Files whose rejected rows have been kept as long as their records may be."""
    months = terms.retention_months
    return [
        batch.batch_id
        for batch in store.evidence.batches(scope)
        if batch.kind in set(RecordKind)
        and dates(batch.kind, now_us=batch.imported_at_us, months=months)[1] <= terms.now_us
    ]


def affected_runs(store: Store, scope: Scope, record_keys: Sequence[bytes]) -> list[str]:
    """Analyses that still have their layers and counted a file that any of these records came in."""
    batches = set(store.retention.batches_of(scope, record_keys)) if record_keys else set()
    return [
        run.run_id
        for run in store.runs.runs(scope)
        if run.purged_at_us is None and batches & set(run.summary.get("batches", ()))
    ]


def drop_layers_of(store: Store, scope: Scope, record_keys: Sequence[bytes], now_us: int) -> list[str]:
    """Remove the layers of every analysis that these records went into and recall what was handed out of them."""
    runs = affected_runs(store, scope, record_keys)
    recalled = {entry["disclosure_id"] for entry in store.retention.recalls(scope)}
    for disclosure in _disclosures(store, scope, runs):
        if disclosure not in recalled:
            store.retention.recall(scope, disclosure, "records it rests on are no longer held", now_us)
    for run_id in runs:
        store.retention.drop_layers(scope, run_id, now_us)
    return runs


def _disclosures(store: Store, scope: Scope, runs: Sequence[str]) -> list[str]:
    return [one.disclosure_id for one in store.audit.disclosures(scope) if one.run_id in set(runs)]
