"""Files in: read, map, check, pseudonymise and store, one file at a time and each all or nothing."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from app.services import supplying
from app.services.import_request import ImportReport, ImportRequest
from app.services.preparing import Prepared, Standing, bring_up_to_date, guarded, prepare
from app.services.protection import coarsen_stored, runs_drawn_near
from app.services.purging import affected_runs, drop_layers_of
from app.services.quarantine import with_repeats
from app.services.terms import Edits, Progress, Terms, no_progress
from data.audit import Verb
from data.demo import SOURCE as SYNTHETIC_SOURCE
from data.ids import uuid7
from data.intake import unlocated
from data.readers import FileSource, ReadFile, read_file
from data.store import Store
from geo.errors import Conflict, InvalidParameter, MappingError
from geo.guard import ALL_RULES, RULE_WORDS, Rule, scan
from geo.model import Batch, FeatureKind, Scope, content_hash
from geo.temporal import from_micros
from geo.validate_features import validate_features


@dataclass(frozen=True)
class Checked:
    """A file of records read and checked, and not yet stored."""

    read: ReadFile
    source: str
    prepared: Prepared

    def as_dict(self) -> dict[str, Any]:
        """Return what would become of the file, as plain values; rejected rows as they may be kept."""
        prepared, rejected = self.prepared, self.prepared.all_rejected()
        return {
            "read": prepared.valid + len(rejected),
            "usable": prepared.valid,
            "rejected": len(rejected),
            "reasons": _reasons(rejected),
            "unlocated": sum(unlocated(frame) for frame in prepared.records),
            "redacted": prepared.redacted,
            "coarsened": prepared.coarsened,
            "columns_used": self.read.used,
            "columns_not_kept": self.read.unused,
            "rows": rejected,
        }


def check_file(
    store: Store,
    scope: Scope,
    file: Path | FileSource,
    request: ImportRequest,
    terms: Terms,
    *,
    edits: Edits | None = None,
    progress: Progress = no_progress,
) -> Checked:
    """Read and check a file of records; nothing of it is stored."""
    read = read_file(file, request.kind, request.reading(terms), crs=store.crs)
    if request.key and read.publisher:
        raise MappingError(
            f"{read.facts.name}: has no key; a data.police.uk Crime ID does not name one event for ever."
        )
    source = (request.source or read.default_source).strip()
    _refuse_personal_name("--source", source, terms)
    _keep_apart(store, scope, source, synthetic=terms.synthetic)
    _check_kind(store, scope, read, request.kind)
    prepared = prepare(store, scope, read, request.shape(source), terms, edits=edits, progress=progress)
    return Checked(read, source, prepared)


def import_file(
    store: Store,
    scope: Scope,
    file: Path | FileSource,
    request: ImportRequest,
    terms: Terms,
    *,
    edits: Edits | None = None,
    progress: Progress = no_progress,
) -> ImportReport:
    """Import one file; on any failure nothing of it is kept.

    ``edits`` gives corrected fields by row number; ``progress`` is told the share that has been read.
    """
    if request.is_feature:
        return _import_features(store, scope, file, request, terms)
    checked = check_file(store, scope, file, request, terms, edits=edits, progress=progress)
    return store_checked(store, scope, checked, request, terms)


def store_checked(store: Store, scope: Scope, checked: Checked, request: ImportRequest, terms: Terms) -> ImportReport:
    """Store a checked file in one transaction."""
    read, prepared = checked.read, checked.prepared
    batch = _batch(read, request, checked.source, scope, terms)
    with store.database.transaction():
        store.intake.begin(scope, batch)  # what is read from here on is what the file is stored beside
        bring_up_to_date(prepared, Standing.of(store, scope, request.kind, terms.keys))
        repeats = supplying.without_repeats(prepared) if request.key else 0
        rejected = prepared.all_rejected()
        before = store.supplies.supplied(scope, request.mapping) if request.key else {}
        new, new_unlocated = _store_records(store, scope, batch, prepared)
        store.intake.quarantine(scope, batch, rejected)
        supplied = supplying.Supplied()
        if request.key:
            supplied = supplying.compare(store, scope, batch, prepared, before, full=request.full_supply)
            new = len(supplied.accepted)
            new_unlocated = sum(
                unlocated(frame[frame["record_key"].isin(supplied.accepted)]) for frame in prepared.records
            )
        valid = prepared.valid + repeats
        batch = replace(
            batch, read=valid + len(rejected), accepted=new, unlocated=new_unlocated, rejected=len(rejected), duplicates=valid - new,
            updated=supplied.updated, unchanged=supplied.unchanged, missing=supplied.missing, redacted=prepared.redacted,
            coarsened=prepared.coarsened,
        )  # fmt: skip
        store.intake.finish(scope, batch)
        corrected = _mark_corrected(store, scope, batch, prepared, rejected)
        _log(store, scope, batch, terms)
    return ImportReport(
        batch=batch,
        reasons=_reasons(rejected),
        used_columns=read.used,
        unused_columns=read.unused,
        corrected=corrected,
        changes=supplied.changes,
        places_affected=supplied.places,
        same_file=same_file(store, scope, batch),
    )


def same_file(store: Store, scope: Scope, batch: Batch) -> str | None:
    """Return an earlier batch of the same bytes that brought records, if this one brought new ones besides."""
    if batch.accepted <= batch.updated:
        return None
    earlier = [
        one.batch_id
        for one in store.evidence.batches(scope)
        if one.file_sha256 == batch.file_sha256
        and one.batch_id != batch.batch_id
        and one.accepted
        and one.undone_at_us is None
    ]
    return earlier[0] if earlier else None


def _store_records(store: Store, scope: Scope, batch: Batch, prepared: Prepared) -> tuple[int, int]:
    """Store every piece; returns how many records are new, and how many of those have no position."""
    new = new_unlocated = 0
    with store.intake.filling(prepared.valid):
        for frame in prepared.records:
            without = (frame["location_basis"] == "none").to_numpy(bool)
            new += store.intake.records(scope, batch, frame[~without])
            fresh = store.intake.records(scope, batch, frame[without])
            new, new_unlocated = new + fresh, new_unlocated + fresh
    for hints in prepared.hints:
        if len(hints):
            store.locations.remember(scope, hints)
    return new, new_unlocated


def _batch(read: ReadFile, request: ImportRequest, source: str, scope: Scope, terms: Terms) -> Batch:
    return Batch(
        batch_id=uuid7(terms.now_us), kind=request.kind, source=source, file_name=_safe_name(read.facts.name, request, terms),
        stem=_safe_name(read.facts.stem, request, terms), file_sha256=read.facts.sha256, format=read.format, read=0, accepted=0, unlocated=0,
        rejected=0, duplicates=0, imported_at_us=terms.now_us, imported_by=scope.actor, mapping=request.mapping,
    )  # fmt: skip


def _safe_name(name: str, request: ImportRequest, terms: Terms) -> str:
    """Name of a file of records, without what the guard finds in it; reference files are asked for by their names."""
    words = name.replace("_", " ").replace("-", " ")
    rules = ALL_RULES - {Rule.DATE_OF_BIRTH}
    found = scan(words, this_year=from_micros(terms.now_us).year, rules=rules)
    return f"[removed: {found[0].rule}]" if found and not request.is_feature else name


def _refuse_personal_name(what: str, text: str, terms: Terms) -> None:
    if found := scan(text, this_year=from_micros(terms.now_us).year, bare_names=False):
        raise InvalidParameter(
            f"{what} seems to hold {RULE_WORDS[found[0].rule]}; name the organisation or system instead."
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
    if not read.corrects:
        return
    corrects = read.whole().corrects
    wanted = set(corrects["batch"]) if corrects is not None else set()
    kinds = {batch.kind for batch in store.evidence.batches(scope) if batch.batch_id in wanted} - {kind}
    if kinds:
        raise MappingError(f"{read.facts.name}: corrects rows of {', '.join(sorted(kinds))}, not {kind}.")


def _import_features(
    store: Store, scope: Scope, file: Path | FileSource, request: ImportRequest, terms: Terms
) -> ImportReport:
    read = read_file(file, request.kind, request.reading(terms), crs=store.crs)
    source = (request.source or read.default_source).strip()
    _keep_apart(store, scope, source, synthetic=terms.synthetic)
    _check_kind(store, scope, read, request.kind)
    batch = _batch(read, request, source, scope, terms)
    chunk = read.whole()
    geometry = chunk.geometry if chunk.geometry is not None else np.full(len(chunk.rows), None, dtype=object)
    accepted, rejected = validate_features(
        chunk.rows, geometry, chunk.row_numbers, kind=FeatureKind(request.kind), crs=store.crs
    )
    malformed = guarded(chunk.malformed, this_year=from_micros(terms.now_us).year)
    both = [frame for frame in (rejected, malformed) if len(frame)]
    rejected = pd.concat(both, ignore_index=True).sort_values("row_number", ignore_index=True) if both else rejected
    with store.database.transaction():
        store.intake.begin(scope, batch)
        new = store.intake.features(scope, batch, accepted)
        store.intake.quarantine(scope, batch, rejected)
        coarse: list[bytes] = []
        runs: list[str] = []
        if request.kind == FeatureKind.PROTECTED:
            coarse, runs = _forget_exact_positions(store, scope, terms)
        batch = replace(
            batch, read=len(accepted) + len(rejected), accepted=new, rejected=len(rejected), duplicates=len(accepted) - new,
            coarsened=len(coarse),
        )  # fmt: skip
        store.intake.finish(scope, batch)
        corrected = _mark_corrected(store, scope, batch, _corrections_of(chunk.corrects, chunk.row_numbers), rejected)
        _log(store, scope, batch, terms)
    if coarse or runs:
        store.database.compact()
    return ImportReport(
        batch=batch,
        reasons=_reasons(rejected),
        used_columns=read.used,
        unused_columns=read.unused,
        repaired=int(accepted["repaired"].sum()),
        corrected=corrected,
        runs_affected=runs,
        waiting_for_place=store.locations.waiting(scope),
    )


def _forget_exact_positions(store: Store, scope: Scope, terms: Terms) -> tuple[list[bytes], list[str]]:
    """Coarsen what is stored near protected places and drop the layers that showed it; an undo brings nothing back.

    Returns the keys of the records and the analyses.
    """
    coarse = coarsen_stored(store, scope, terms.keys)
    if coarse:
        subject = f"coarsened:{content_hash(*(key.hex() for key in coarse))}"
        store.supplies.alter(scope, uuid7(terms.now_us), subject, terms.now_us)
    runs = list(dict.fromkeys([*affected_runs(store, scope, coarse), *runs_drawn_near(store, scope)]))
    drop_layers_of(store, scope, runs, terms.now_us)
    return coarse, runs


def _corrections_of(corrects: pd.DataFrame | None, numbers: np.ndarray) -> Prepared:
    return Prepared(corrects=[] if corrects is None else [corrects.assign(own_number=numbers)])


def _mark_corrected(store: Store, scope: Scope, batch: Batch, prepared: Prepared, rejected: pd.DataFrame) -> int:
    """Take the rows that this file corrects off the list; those rejected again stand on it anew, once."""
    if not prepared.corrects:
        return 0
    corrects = pd.concat(prepared.corrects, ignore_index=True)
    good = ~corrects["own_number"].isin(rejected["row_number"]).to_numpy(bool)
    marked = []
    for part in (~good, good):
        rows = with_repeats(store, scope, corrects[part])
        rows = rows[rows["batch"] != batch.batch_id]  # what this file itself brought stays listed
        marked.append(store.intake.mark_corrected(scope, batch.batch_id, rows))
    return marked[1]


def _reasons(rejected: pd.DataFrame) -> dict[str, int]:
    return {str(reason): int(n) for reason, n in rejected["reason"].value_counts().sort_index().items()}


def _log(store: Store, scope: Scope, batch: Batch, terms: Terms) -> None:
    counts = {"kind": batch.kind, "read": batch.read, "accepted": batch.accepted}
    store.audit.append(scope, Verb.COLLECTION, f"batch:{batch.batch_id}", terms.now_us, **counts)


def undo_batch(store: Store, scope: Scope, batch_id: str, *, now_us: int) -> dict[str, int]:
    """Take one imported file back; where a protected place was stays nowhere in the store."""
    batch = store.evidence.batch(scope, batch_id)
    with store.database.transaction():
        gone = store.intake.undo(scope, batch_id, now_us)
        store.audit.append(scope, Verb.ERASURE, f"batch:{batch_id}", now_us, **gone)
    if batch.kind == FeatureKind.PROTECTED:
        store.database.compact()
    return gone
