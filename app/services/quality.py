"""The data-quality report of one batch or of everything."""

from typing import Any

from data.store import Store
from geo.model import RecordKind, Scope
from geo.quality import describe


def report(store: Store, scope: Scope, batch_id: str | None = None) -> dict[str, Any]:
    """Batches with their counts and reasons, and the completeness and precision of the records behind them."""
    batches = store.evidence.batches(scope)
    if batch_id is not None:
        batches = [store.evidence.batch(scope, batch_id)]
    listed = [
        {
            "batch": batch.batch_id,
            "file": batch.file_name,
            "kind": batch.kind,
            "source": batch.source,
            "read": batch.read,
            "accepted": batch.accepted,
            "unlocated": batch.unlocated,
            "rejected": batch.rejected,
            "duplicates": batch.duplicates,
            "reasons": store.evidence.quarantine_reasons(scope, batch.batch_id),
            "undone": batch.undone_at_us is not None,
        }
        for batch in batches
    ]
    records = (
        store.evidence.batch_records(scope, batch_id) if batch_id else store.evidence.records(scope, list(RecordKind))
    )
    return {
        "batches": listed,
        "evidence": describe(records),
        "features": store.evidence.feature_counts(scope),
    }
