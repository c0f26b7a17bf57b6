"""One record from a form, entered or corrected: under the same checks and the same guard as a file of one row."""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pandas as pd

from app.services.import_request import ImportReport, ImportRequest
from app.services.importing import Checked, check_file, store_checked
from app.services.supplying import COMPARED
from app.services.terms import Terms
from data.readers import FileSource
from data.store import Store
from data.supplies import Revision
from geo.errors import InvalidParameter
from geo.model import LocationBasis, Scope, TimeBasis
from geo.temporal import LONDON, from_micros

SOURCE: Final = "entered by hand"
FILE_NAME: Final = "entered by hand.csv"
_POSITION: Final = ("lon", "lat", "x_m", "y_m", "cell7", "location_basis", "precision_m", "method")
_POSITION_FIELDS: Final = frozenset({"longitude", "latitude", "precision_m", "grid_ref", "place", "postcode"})


@dataclass(frozen=True, kw_only=True)
class Entered:
    """What became of a form: a ``report`` when it was stored, else what is wrong with each field."""

    report: ImportReport | None = None
    record_key: bytes = b""
    problems: dict[str, str] = field(default_factory=dict)
    repeated: bool = False


def enter(store: Store, scope: Scope, kind: str, fields: Mapping[str, str], terms: Terms) -> Entered:
    """Store one record; the same record a second time changes nothing."""
    request = ImportRequest(kind=kind, source=SOURCE)
    checked = _check(store, scope, request, fields, terms)
    if problems := _problems(checked):
        return Entered(problems=problems)
    key = _only(checked)
    report = store_checked(store, scope, checked, request, terms)
    return Entered(report=report, record_key=key, repeated=not report.batch.accepted)


def correct(store: Store, scope: Scope, record_key: bytes, fields: Mapping[str, str], terms: Terms) -> Entered:
    """Store a corrected version of a record; the earlier one is kept and no longer counts.

    Fields that are not handed in keep what they say. The record is held no longer than it would have been.

    Raises
    ------
    InvalidParameter
        When another version has taken the record's place meanwhile.
    """
    old = store.evidence.record(scope, record_key)
    if old["superseded"]:
        raise InvalidParameter("Somebody has corrected this record meanwhile; open its newest version.")
    hints = store.locations.hints_of(scope, record_key)
    before = fields_of(old, hints)
    changed = {name for name, text in fields.items() if text != before.get(name, "")}
    if not changed:
        return Entered(problems={"": "Nothing was changed."})
    request = ImportRequest(kind=old["kind"], source=old["source"])
    checked = _check(store, scope, request, {**before, **fields}, terms)
    if problems := _problems(checked):
        return Entered(problems=problems)
    frame = checked.prepared.records[0].astype(object)
    identity = bytes(old["supply_key"] or record_key)
    kept = {name: old[name] for name in ("review_us", "delete_us")} | {"supply_key": identity}
    if not changed & _POSITION_FIELDS:
        kept |= {name: old[name] for name in _POSITION}
    if old["vehicle_hash"] and not fields.get("registration"):
        kept["vehicle_hash"] = old["vehicle_hash"]
    frame = frame.assign(**{name: pd.Series([value], index=frame.index, dtype=object) for name, value in kept.items()})
    checked.prepared.records[0] = frame.astype({"precision_m": float})
    new_key = _only(checked)
    with store.database.transaction():
        report = store_checked(store, scope, checked, request, terms)
        new = store.evidence.record(scope, new_key)
        difference = {name: [old[name], new[name]] for name in COMPARED if old[name] != new[name]}
        difference = {n: ["another", "another"] if n == "vehicle_hash" else pair for n, pair in difference.items()}
        revision = Revision(identity=identity, old_key=record_key, new_key=new_key, changes=difference)
        store.supplies.revise(scope, report.batch.batch_id, [revision])
        if hints and not changed & _POSITION_FIELDS:
            told = {"record_key": new_key, "method": list(hints), "hint": list(hints.values())}
            store.locations.remember(scope, pd.DataFrame(told))
        report = replace(report, batch=replace(report.batch, updated=1))
        store.intake.finish(scope, report.batch)
    return Entered(report=report, record_key=new_key)


def _check(store: Store, scope: Scope, request: ImportRequest, fields: Mapping[str, str], terms: Terms) -> Checked:
    told = {name: " ".join(text.split("\x00")) for name, text in fields.items() if text.strip()}
    if not {"date", "from"} & set(told):
        told = {"date": "", **told}
    text = io.StringIO()
    writer = csv.DictWriter(text, list(told))
    writer.writeheader()
    writer.writerow(told)
    request = replace(request, column_map={name: name for name in told}, only_told=True)
    return check_file(store, scope, FileSource(FILE_NAME, content=text.getvalue().encode()), request, terms)


def _problems(checked: Checked) -> dict[str, str]:
    rejected = checked.prepared.all_rejected()
    details = [detail.partition(" or import with")[0] for detail in rejected["detail"]]
    return dict(zip(rejected["field"], details, strict=True))


def _only(checked: Checked) -> bytes:
    return bytes(checked.prepared.records[0]["record_key"].iloc[0])


def fields_of(record: Mapping[str, Any], hints: Mapping[str, str] | None = None) -> dict[str, str]:
    """Fields of a stored record as a form has them, with what it says of its place; a vehicle is never among them."""
    names = {
        "kind": "category", "agency": "agency", "urn": "urn", "notes": "notes", "source_type": "source_type", "regime": "regime",
        "handling_conditions": "handling_conditions", "source_grade": "grade_source", "information_grade": "grade_information",
        "handling": "grade_handling",
    }  # fmt: skip
    found = {name: str(record[column]) for name, column in names.items() if record[column]}
    found |= _times(record)
    if record["location_basis"] in {LocationBasis.EXACT, LocationBasis.SNAPPED}:
        found |= {"longitude": repr(record["lon"]), "latitude": repr(record["lat"])}
        found |= {"precision_m": f"{record['precision_m']:g}", "location_basis": record["location_basis"]}
    if record["reported_us"] is not None:
        found["reported"] = _moment(int(record["reported_us"]))
    found |= {name: text for name, text in (hints or {}).items() if name in {"place", "road"}}
    for name, value in json.loads(record["detail"] or "{}").items():
        found[name] = "; ".join(value) if isinstance(value, list) else str(value)
    return found


def _times(record: Mapping[str, Any]) -> dict[str, str]:
    begin_us, end_us = int(record["from_us"]), int(record["to_us"])
    local = from_micros(begin_us).astimezone(LONDON)
    match record["time_basis"]:
        case TimeBasis.MONTH:
            return {"date": f"{local:%Y-%m}"}
        case TimeBasis.DATE:
            return {"date": f"{local:%Y-%m-%d}"}
        case TimeBasis.INTERVAL:
            return {"from": _moment(begin_us), "to": _moment(end_us - 1)}  # half-open: its last microsecond
    return {"date": _moment(begin_us)}


def _moment(at_us: int) -> str:
    return from_micros(at_us).astimezone(LONDON).isoformat()
