"""Records and nominated places whose time is over: gone with all that was made of them, leaving a tombstone and coarse counts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from app.services.purging_nominations import OldNominations, remove_nominations
from app.services.sharing import end_if_shared
from app.services.terms import Terms
from data.audit import Verb
from data.ids import uuid7
from data.store import Store
from geo.model import Batch, RecordKind, Scope, content_hash
from geo.retention import coarse_counts, dates


@dataclass(frozen=True, kw_only=True)
class PurgeReport:
    """What a purge removed, or would remove."""

    dry_run: bool
    records: dict[str, int]
    rejected_rows: int
    nominations: int
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
            "nominations": self.nominations,
            "runs_without_layers": self.runs,
            "recalled_disclosures": self.recalled,
            "coarse_counts": self.coarse_counts,
            "due_for_review": self.due_for_review,
        }


@dataclass(frozen=True, kw_only=True)
class _Expired:
    """What is past its time, as the store stands."""

    versions: pd.DataFrame
    counts: pd.DataFrame
    batches: list[str]
    rejected: int
    runs: list[str]
    named: OldNominations

    @classmethod
    def of(cls, store: Store, scope: Scope, terms: Terms) -> "_Expired":
        versions = store.retention.expired(scope, terms.now_us)
        keys = [bytes(key) for key in versions["record_key"]]
        old = _old_batches(store, scope, terms)
        batches = [batch.batch_id for batch in old]
        undone = [batch.batch_id for batch in old if batch.undone_at_us is not None]
        return cls(
            versions=versions,
            # One version of each record, when its last one goes.
            counts=coarse_counts(versions[(versions["superseded"] == 0) & (versions["outlived"] == 0)]),
            batches=batches,
            rejected=store.retention.rejected_rows(scope, batches),
            runs=affected_runs(store, scope, keys, undone),
            named=OldNominations.of(store, scope, terms),
        )

    @property
    def any_evidence(self) -> bool:
        return bool(len(self.versions) or self.rejected or self.runs)

    @property
    def anything(self) -> bool:
        return self.any_evidence or bool(self.named.nominations)

    def by_kind(self) -> dict[str, int]:
        """How many records of each kind, whatever the number of their versions."""
        records = self.versions.assign(identity=self.versions["identity"].map(bytes)).drop_duplicates("identity")
        return {str(kind): int(n) for kind, n in records["kind"].value_counts().sort_index().items()}


def purge(store: Store, scope: Scope, terms: Terms, *, dry_run: bool = False) -> PurgeReport:
    """Remove every record past its date of deletion.

    With it go its positions, the layers of analyses it went into, and what hints at it; a copy that was already handed
    out gets a recall in the ledger. A keyed tombstone keeps its file from bringing it back. Layers of analyses go, too,
    when they rest on files that were undone and whose records would be past their time. Places that people named go when
    they were withdrawn, or not reviewed, for as long as observations are held.
    """
    if dry_run:
        return _report(store, scope, terms, _Expired.of(store, scope, terms), dry_run=True)
    with store.database.transaction():
        store.database.lock("import")
        store.database.lock("place")  # nobody decides about a place that goes
        expired = _Expired.of(store, scope, terms)
        report = _report(store, scope, terms, expired, dry_run=False)
        if expired.any_evidence:
            _remove(store, scope, terms, expired)
        if expired.named.nominations:
            remove_nominations(store, scope, terms, expired.named)
    if expired.anything:
        store.database.compact()
    return report


def _report(store: Store, scope: Scope, terms: Terms, expired: _Expired, *, dry_run: bool) -> PurgeReport:
    return PurgeReport(
        dry_run=dry_run,
        records=expired.by_kind(),
        rejected_rows=expired.rejected,
        nominations=len(expired.named.nominations),
        runs=expired.runs,
        recalled=sorted({*_disclosures(store, scope, expired.runs), *expired.named.handed_out}),
        due_for_review=store.retention.due(scope, terms.now_us)["review"],
        coarse_counts=len(expired.counts),
    )


def _remove(store: Store, scope: Scope, terms: Terms, expired: _Expired) -> None:
    versions = expired.versions
    keys = [bytes(key) for key in versions["record_key"]]
    tombs = [terms.keys.raw("tomb", key) for key in keys]
    drop_layers_of(store, scope, expired.runs, terms.now_us)
    store.retention.bury(scope, tombs, versions["kind"].tolist(), terms.now_us)
    store.retention.add_counts(scope, expired.counts)
    store.retention.drop_records(scope, keys, versions.loc[versions["outlived"] == 1, "identity"])
    rejected = store.retention.drop_quarantine(scope, expired.batches)
    subject = f"purged:{content_hash(*(tomb.hex() for tomb in tombs))}"
    store.supplies.alter(scope, uuid7(terms.now_us), subject, terms.now_us)
    store.audit.append(scope, Verb.ERASURE, "purge", terms.now_us, **expired.by_kind(), rejected_rows=rejected)


def _old_batches(store: Store, scope: Scope, terms: Terms) -> list[Batch]:
    """Files whose rejected rows have been kept as long as their records may be."""
    months = terms.retention_months
    return [
        batch
        for batch in store.evidence.batches(scope)
        if batch.kind in set(RecordKind)
        and dates(batch.kind, now_us=batch.imported_at_us, months=months)[1] <= terms.now_us
    ]


def affected_runs(store: Store, scope: Scope, record_keys: Sequence[bytes], batch_ids: Sequence[str] = ()) -> list[str]:
    """Analyses that still have their layers and counted one of some files, or one that any of these records came in."""
    batches = {*batch_ids, *(store.retention.batches_of(scope, record_keys) if record_keys else ())}
    return [
        run.run_id
        for run in store.runs.runs(scope)
        if run.purged_at_us is None and batches & set(run.summary.get("batches", ()))
    ]


def drop_layers_of(store: Store, scope: Scope, runs: Sequence[str], now_us: int) -> None:
    """Remove the layers of some analyses, stop sharing one that is among them, and recall what was handed out of them."""
    store.database.lock("run")  # nobody shares one that goes
    for run_id in runs:  # sharing ends with the layers
        end_if_shared(store, scope, run_id, now_us, reason="records it rests on are no longer held")
    recalled = {entry["disclosure_id"] for entry in store.retention.recalls(scope)}
    for disclosure in _disclosures(store, scope, runs):
        if disclosure not in recalled:
            store.retention.recall(scope, disclosure, "records it rests on are no longer held", now_us)
    for run_id in runs:
        store.retention.drop_layers(scope, run_id, now_us)


def _disclosures(store: Store, scope: Scope, runs: Sequence[str]) -> list[str]:
    return [one.disclosure_id for one in store.audit.disclosures(scope) if one.run_id in set(runs)]
