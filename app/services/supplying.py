"""Supplies that come again: which records are new, changed, unchanged or missing."""

from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd

from app.services.preparing import Prepared
from data.store import Store
from data.supplies import Revision
from geo.errors import NotFound
from geo.model import Batch, Scope

# What a person is shown of a change. A vehicle's hash says nothing to anybody but that it is another.
COMPARED: Final = (
    "agency", "urn", "category", "from_us", "to_us", "time_basis", "lon", "lat", "precision_m", "vehicle_hash", "source_type", "grade_source",
    "grade_information", "grade_handling", "handling_conditions", "regime", "reported_us", "notes", "detail",
)  # fmt: skip


@dataclass(frozen=True)
class Supplied:
    """What a supply changed; ``accepted`` are the keys of records that are new or new versions."""

    accepted: frozenset[bytes] = frozenset()
    updated: int = 0
    unchanged: int = 0
    missing: int = 0
    changes: list[dict[str, Any]] = field(default_factory=list)
    places: list[dict[str, Any]] = field(default_factory=list)


def compare(
    store: Store,
    scope: Scope,
    batch: Batch,
    prepared: Prepared,
    supplied: dict[bytes, bytes],
    *,
    full: bool,
) -> Supplied:
    """Compare a stored file with what was supplied before it, and keep what it changed as revisions.

    A row that says what its last supply said changes nothing, so that a person's correction outlives it. In a full
    supply a record that is not there is flagged, never deleted; none is while a row could not be read, which may be it.
    """
    fresh, changed, unchanged = _sorted(prepared, supplied)
    gone = sorted(set(supplied) - prepared.supplied) if full and not prepared.malformed else []
    # What counts now: what was supplied last, or what a person made of it since.
    counting = {one: supplied[one] for one in (*changed, *gone)}
    counting |= store.supplies.current(scope, [*changed, *gone], without=changed.values())
    revisions = [
        Revision(
            identity=identity,
            old_key=counting[identity],
            new_key=key,
            changes=_difference(store, scope, counting[identity], key),
        )
        for identity, key in sorted(changed.items())
    ]
    missing = [Revision(identity=identity, old_key=counting[identity], new_key=None, changes={}) for identity in gone]
    places = store.supplies.places_resting_on(scope, list(counting.values()))
    store.supplies.revise(scope, batch.batch_id, [*revisions, *missing])
    return Supplied(
        accepted=frozenset(fresh | set(changed.values())),
        updated=len(revisions),
        unchanged=unchanged,
        missing=len(missing),
        changes=[_listed(store, scope, one) for one in (*revisions, *missing)],
        places=places,
    )


def _sorted(prepared: Prepared, supplied: dict[bytes, bytes]) -> tuple[set[bytes], dict[bytes, bytes], int]:
    """Keys of records that are new, identity to key of those that changed, and how many are as they were."""
    fresh: set[bytes] = set()
    changed: dict[bytes, bytes] = {}
    unchanged = 0
    for frame in prepared.records:
        for one, key in zip(frame["supply_key"], frame["record_key"], strict=True):
            before = supplied.get(one)
            if before is None:
                fresh.add(key)
            elif before != key:
                changed[one] = key
            else:
                unchanged += 1
    return fresh, changed, unchanged


def _difference(store: Store, scope: Scope, old_key: bytes, new_key: bytes) -> dict[str, list[Any]]:
    old, new = store.evidence.record(scope, old_key), store.evidence.record(scope, new_key)
    found: dict[str, list[Any]] = {}
    for name in COMPARED:
        if old[name] != new[name]:
            found[name] = ["another", "another"] if name == "vehicle_hash" else [old[name], new[name]]
    return found


def _listed(store: Store, scope: Scope, revision: Revision) -> dict[str, Any]:
    record = store.evidence.record(scope, revision.old_key)
    what = "missing" if revision.new_key is None else "updated"
    return {"what": what, "urn": record["urn"], "record": revision.old_key.hex()[:16], "changes": revision.changes}


def changes_of(store: Store, scope: Scope, batch_id: str) -> list[dict[str, Any]]:
    """List what a batch changed, for reading again later; records purged since are left out."""
    held = []
    for revision in store.supplies.revisions(scope, batch_id):
        try:
            held.append(_listed(store, scope, revision))
        except NotFound:
            continue
    return held


def without_repeats(prepared: Prepared) -> int:
    """Leave each record of a keyed file in once; returns how many rows said the same again."""
    seen: set[bytes] = set()
    repeats = 0
    for i, frame in enumerate(prepared.records):
        keys = pd.Series([bytes(key) for key in frame["record_key"]], dtype=object)
        again = (keys.isin(seen) | keys.duplicated()).to_numpy(bool)
        seen |= set(keys)
        repeats += int(again.sum())
        prepared.records[i] = frame[~again] if again.any() else frame
    return repeats
