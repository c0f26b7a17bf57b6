"""Files in: read, map, validate, pseudonymise and store, one file at a time and each all or nothing."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from app.services.quarantine import with_repeats
from data.audit import Verb
from data.demo import SOURCE as SYNTHETIC_SOURCE
from data.ids import uuid7
from data.readers import ReadFile, read_file
from data.store import Store
from geo.errors import Conflict, InvalidParameter, MappingError
from geo.model import Batch, FeatureKind, RecordKind, Scope
from geo.validate import MAX_PRECISION_M, RecordRules, record_keys, validate_records
from geo.validate_features import validate_features


@dataclass(frozen=True, kw_only=True)
class ImportRequest:
    """What the person who imports said about the file."""

    kind: str
    source: str | None = None
    format_name: str = "auto"
    column_map: Mapping[str, str] = field(default_factory=dict)
    layer: str | None = None
    precision_m: float | None = None

    def __post_init__(self) -> None:
        """Refuse what no file could satisfy."""
        if self.kind not in {*RecordKind, *FeatureKind}:
            raise InvalidParameter(f"Unknown kind {self.kind!r}; choose from {', '.join([*RecordKind, *FeatureKind])}.")
        if self.precision_m is not None and not 0 < self.precision_m <= MAX_PRECISION_M:
            raise InvalidParameter(f"--precision-m must lie between 0 and {MAX_PRECISION_M:g} metres.")
        if self.source is not None and not self.source.strip():
            raise InvalidParameter("--source must not be empty.")


@dataclass(frozen=True, kw_only=True)
class ImportReport:
    """What became of one file."""

    batch: Batch
    reasons: dict[str, int]
    used_columns: dict[str, str]
    unused_columns: list[str]
    repaired: int = 0
    corrected: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for machine-readable output."""
        batch = self.batch
        return {
            "batch": batch.batch_id,
            "file": batch.file_name,
            "kind": batch.kind,
            "source": batch.source,
            "format": batch.format,
            "read": batch.read,
            "accepted": batch.accepted,
            "unlocated": batch.unlocated,
            "rejected": batch.rejected,
            "duplicates": batch.duplicates,
            "reasons": self.reasons,
            "repaired": self.repaired,
            "corrected": self.corrected,
            "columns_used": self.used_columns,
            "columns_not_kept": self.unused_columns,
        }


def import_file(
    store: Store,
    scope: Scope,
    path: Path,
    request: ImportRequest,
    *,
    now_us: int,
    vehicle_key: bytes,
    synthetic: bool = False,
) -> ImportReport:
    """Import one file; on any failure nothing of it is kept.

    ``synthetic`` marks the files of the demo, which never share a store with real ones.
    """
    read = read_file(
        path,
        request.kind,
        format_name=request.format_name,
        column_map=request.column_map,
        layer=request.layer,
        crs=store.crs,
    )
    source = (request.source or read.default_source).strip()
    _keep_apart(store, scope, source, synthetic=synthetic)
    _check_kind(store, scope, read, request.kind)
    batch = Batch(
        batch_id=uuid7(now_us), kind=request.kind, source=source, file_name=path.name, stem=read.facts.stem,
        file_sha256=read.facts.sha256, format=read.format, read=0, accepted=0, unlocated=0, rejected=0, duplicates=0,
        imported_at_us=now_us, imported_by=scope.actor,
    )  # fmt: skip
    with store.database.transaction():
        if request.kind in set(FeatureKind):
            stored, rejected, repaired = _import_features(store, scope, batch, read)
        else:
            stored, rejected = _import_records(store, scope, batch, read, request, vehicle_key)
            repaired = 0
        corrected = _mark_corrected(store, scope, stored, read, rejected)
        counts = {"kind": stored.kind, "read": stored.read, "accepted": stored.accepted}
        store.audit.append(scope, Verb.COLLECTION, f"batch:{stored.batch_id}", now_us, **counts)
    reasons = {str(reason): int(n) for reason, n in rejected["reason"].value_counts().sort_index().items()}
    return ImportReport(
        batch=stored,
        reasons=reasons,
        used_columns=read.used,
        unused_columns=read.unused,
        repaired=repaired,
        corrected=corrected,
    )


def _keep_apart(store: Store, scope: Scope, source: str, *, synthetic: bool) -> None:
    """Refuse to mix real records with the synthetic city, for ever: its runs and its user outlive an undo."""
    if (source == SYNTHETIC_SOURCE) != synthetic:
        raise InvalidParameter(f"The source name {SYNTHETIC_SOURCE!r} is kept for the synthetic city; choose another.")
    held = {batch.source for batch in store.evidence.batches(scope)}
    if not synthetic and SYNTHETIC_SOURCE in held:
        raise Conflict(
            "This store holds the synthetic city of the demo; import your files into a store of their own,"
            " for example --store sqlite:///var/own.db"
        )
    if synthetic and held - {SYNTHETIC_SOURCE}:
        raise Conflict(
            "This store holds records that are not synthetic; give the demo its own: --store sqlite:///var/demo/demo.db"
        )


def _check_kind(store: Store, scope: Scope, read: ReadFile, kind: str) -> None:
    """Refuse corrections under another kind than that of the rows they correct."""
    if read.corrects is None:
        return
    wanted = set(read.corrects["batch"])
    kinds = {batch.kind for batch in store.evidence.batches(scope) if batch.batch_id in wanted} - {kind}
    if kinds:
        raise MappingError(f"{read.facts.path.name}: corrects rows of {', '.join(sorted(kinds))}, not {kind}.")


def _import_records(
    store: Store, scope: Scope, batch: Batch, read: ReadFile, request: ImportRequest, vehicle_key: bytes
) -> tuple[Batch, pd.DataFrame]:
    rules = RecordRules(
        kind=request.kind, source=batch.source, crs=store.crs, now_us=batch.imported_at_us,
        location_basis=read.location_basis, precision_m=request.precision_m or read.precision_m,
    )  # fmt: skip
    accepted, rejected = validate_records(read.rows, read.row_numbers, rules)
    accepted["vehicle_hash"] = pseudonyms(accepted["vehicle_hash"], vehicle_key)
    accepted.insert(0, "record_key", record_keys(accepted))
    rejected = _with_malformed(rejected, read.malformed)
    return store.evidence.import_records(scope, batch, accepted, rejected), rejected


def _import_features(store: Store, scope: Scope, batch: Batch, read: ReadFile) -> tuple[Batch, pd.DataFrame, int]:
    geometry = read.geometry if read.geometry is not None else np.full(len(read.rows), None, dtype=object)
    accepted, rejected = validate_features(
        read.rows, geometry, read.row_numbers, kind=FeatureKind(batch.kind), crs=store.crs
    )
    rejected = _with_malformed(rejected, read.malformed)
    return (
        store.evidence.import_features(scope, batch, accepted, rejected),
        rejected,
        int(accepted["repaired"].sum()),
    )


def _mark_corrected(store: Store, scope: Scope, batch: Batch, read: ReadFile, rejected: pd.DataFrame) -> int:
    """Take the rows that this file corrects off the list; those rejected again stand on it anew, once."""
    if read.corrects is None:
        return 0
    good = ~np.isin(read.row_numbers, rejected["row_number"].to_numpy())
    marked = []
    for part in (~good, good):
        rows = with_repeats(store, scope, read.corrects[part])
        rows = rows[rows["batch"] != batch.batch_id]  # what this file itself brought stays listed
        marked.append(store.evidence.mark_corrected(scope, batch.batch_id, rows))
    return marked[1]


def _with_malformed(rejected: pd.DataFrame, malformed: pd.DataFrame) -> pd.DataFrame:
    both = [frame for frame in (rejected, malformed) if len(frame)]
    return pd.concat(both, ignore_index=True).sort_values("row_number", ignore_index=True) if both else rejected


def pseudonyms(registrations: pd.Series, key: bytes) -> pd.Series:
    """Replace each registration by its keyed HMAC-SHA-256 before anything is stored; empty stays empty."""
    distinct = {
        text: hmac.new(key, text.encode(), "sha256").hexdigest()[:32] if text else "" for text in registrations.unique()
    }
    return registrations.map(distinct)


def undo_batch(store: Store, scope: Scope, batch_id: str, *, now_us: int) -> dict[str, int]:
    """Take one imported file back."""
    with store.database.transaction():
        gone = store.evidence.undo_batch(scope, batch_id, now_us)
        store.audit.append(scope, Verb.ERASURE, f"batch:{batch_id}", now_us, **gone)
    return gone
