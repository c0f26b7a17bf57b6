"""The data-quality report of one batch or of everything."""

import json
from typing import Any

import pandas as pd
import shapely

from app.services.corroborating import match_reports
from app.services.stacks import REPORTS, find_stacks, weigh_by
from data.store import Store
from geo.model import Batch, FeatureKind, LocationBasis, RecordKind, Scope
from geo.quality import count_outside, describe, report_lag, source_types, stack_figures
from geo.vocabulary import DETAIL_FIELDS

_COUNTS = (
    "read", "accepted", "unlocated", "rejected", "duplicates", "updated", "unchanged", "missing", "redacted", "coarsened",
)  # fmt: skip


def list_batches(store: Store, scope: Scope, batch_id: str | None = None) -> list[dict[str, Any]]:
    """Files with their counts and the reasons of their rejected rows, in order of import."""
    batches = store.evidence.batches(scope) if batch_id is None else [store.evidence.batch(scope, batch_id)]
    return [_batch_dict(store, scope, batch) for batch in batches]


def _batch_dict(store: Store, scope: Scope, batch: Batch) -> dict[str, Any]:
    return {
        "batch": batch.batch_id,
        "file": batch.file_name,
        "kind": batch.kind,
        "source": batch.source,
        **{name: getattr(batch, name) for name in _COUNTS},
        "reasons": store.evidence.quarantine_reasons(scope, batch.batch_id) if batch.rejected else {},
        "undone": batch.undone_at_us is not None,
    }


def report(store: Store, scope: Scope, batch_id: str | None = None, *, now_us: int) -> dict[str, Any]:
    """What came in, how complete, precise and timely it is, and what of it tells the same twice."""
    batches = list_batches(store, scope, batch_id)
    everything = store.evidence.records(scope, list(RecordKind))
    records = everything if batch_id is None else store.evidence.batch_records(scope, batch_id)
    reports = records[records["kind"].isin(REPORTS)]
    found = find_stacks(store, scope, everything)
    waiting = store.evidence.quarantine(scope, batch_id)["reason"].value_counts()
    return {
        "batches": batches,
        "evidence": describe(records),
        "completeness": completeness(store, scope, batch_id),
        "stacks": _stacks(found, reports),
        "lag": report_lag(reports),
        "source_types": source_types(reports),
        "counted_once": _counted_once(store, scope, weigh_by(everything, found), None if batch_id is None else records),
        "outside": _outside(store, scope, records),
        "quarantine": {str(reason): int(n) for reason, n in waiting.items()},
        "due": store.retention.due(scope, now_us),
        "features": store.evidence.feature_counts(scope),
    }


def completeness(store: Store, scope: Scope, batch_id: str | None = None) -> dict[str, dict[str, int]]:
    """How many records of each kind say something in each field, those of the kind included."""
    found = {
        kind: counts | dict.fromkeys(DETAIL_FIELDS[RecordKind(kind)], 0)
        for kind, counts in store.evidence.completeness(scope, batch_id).items()
    }
    for kind, detail, count in store.evidence.details(scope, batch_id):
        for name in json.loads(detail):
            found[kind][name] = found[kind].get(name, 0) + count
    return {
        kind: {
            "vehicle" if name == "vehicle_hash" else name: n
            for name, n in counts.items()
            if name != "vehicle_hash" or kind == RecordKind.SIGHTINGS
        }
        for kind, counts in found.items()
    }


def _stacks(found: pd.DataFrame, reports: pd.DataFrame) -> dict[str, Any]:
    """What the coordinates of some reports stand for, judged over all reports of the store."""
    here = reports.groupby([reports["x_m"].round(3), reports["y_m"].round(3)]).size().rename("here")
    joined = found.join(here, on=["x_m", "y_m"], how="inner")
    return stack_figures(joined.assign(records=joined["here"].astype("int64")))


def _counted_once(store: Store, scope: Scope, weighed: pd.DataFrame, of: pd.DataFrame | None) -> dict[str, int]:
    """Reports of events that others tell of too, by reason, as an analysis finds them over the whole store.

    Of one file are those where it has either report: the other one is often another file's.
    """
    place = ~weighed["set_aside"]
    known = weighed.assign(**{name: weighed[name].where(place) for name in ("x_m", "y_m")})
    matches = match_reports(store, scope, known[known["location_basis"] != LocationBasis.CELL])
    if of is not None:
        keys = set(of["record_key"].map(bytes))
        matches = matches[matches["record_key"].isin(keys) | matches["event_key"].isin(keys)]
    return {str(reason): int(n) for reason, n in matches["reason"].value_counts().sort_index().items()}


def _outside(store: Store, scope: Scope, records: pd.DataFrame) -> list[dict[str, Any]]:
    """How many located records lie outside each imported boundary; features of one name are one boundary, in pieces."""
    located = records[records["location_basis"].isin([LocationBasis.EXACT, LocationBasis.SNAPPED])]
    features = store.evidence.features(scope, [FeatureKind.BOUNDARY])
    pieces = features["geometry"].groupby(features["name"].where(features["name"] != "", "unnamed boundary"))
    areas = {str(name): shapely.union_all(shapes.to_numpy(object)) for name, shapes in pieces}
    outside = count_outside(located["lon"].to_numpy(float), located["lat"].to_numpy(float), areas)
    return [{"boundary": name, "located": len(located), "outside": count} for name, count in outside.items()]
