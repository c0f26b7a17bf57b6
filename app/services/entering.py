"""One record from a form, entered or corrected: under the same checks and the same guard as a file of one row."""

import csv
import hashlib
import io
import json
import re
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
from geo.errors import InvalidParameter, NotFound
from geo.model import LocationBasis, RecordKind, Scope, TimeBasis
from geo.temporal import LONDON, from_micros

SOURCE: Final = "entered by hand"
FILE_NAME: Final = "entered by hand.csv"
# The format of a batch that came from a form: a file may have any name, but never this format.
FORMAT: Final = "form"
MAX_LENGTH: Final = 20_000
_POSITION: Final = ("lon", "lat", "x_m", "y_m", "cell7", "location_basis", "precision_m", "method")
# Fields that say where: whoever corrects one moves the record.
_WHERE: Final = frozenset(
    {
        "longitude", "latitude", "easting", "northing", "wkt", "grid_ref", "uprn", "postcode", "place", "road", "area",
    }
)  # fmt: skip
_POSITION_FIELDS: Final = (_WHERE - {"area"}) | {"precision_m", "location_basis"}
_UNPRINTABLE: Final = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f\ud800-\udfff]")
_MEANWHILE: Final = "Somebody has corrected this record meanwhile; open its newest version."
_UNCHANGED: Final = "Nothing was changed."


@dataclass(frozen=True, kw_only=True)
class Entered:
    """What became of a form: a ``report`` when it was stored, else what is wrong with each field."""

    report: ImportReport | None = None
    record_key: bytes = b""
    problems: dict[str, str] = field(default_factory=dict)
    repeated: bool = False


def enter(store: Store, scope: Scope, kind: str, fields: Mapping[str, str], terms: Terms) -> Entered:
    """Store one record; the same record a second time changes nothing and is no batch of its own."""
    request = ImportRequest(kind=kind, source=SOURCE)
    if problems := _too_long(fields):
        return Entered(problems=problems)
    checked = _check(store, scope, request, fields, terms)
    if problems := _problems(checked):
        return Entered(problems=problems)
    key = _only(checked)
    with store.database.transaction():
        store.database.lock("import")
        if (held := _held(store, scope, key)) is not None:
            return Entered(record_key=held, repeated=True)
        report = store_checked(store, scope, checked, request, terms)
        return Entered(report=report, record_key=_only(checked))


def _held(store: Store, scope: Scope, record_key: bytes) -> bytes | None:
    """Key of the version that counts of a record that is stored already; None where it is new."""
    try:
        held = store.evidence.record(scope, record_key)
    except NotFound:
        return None
    identity = bytes(held["supply_key"] or record_key)
    return store.supplies.current(scope, [identity], without=()).get(identity, record_key)


def correct(store: Store, scope: Scope, record_key: bytes, fields: Mapping[str, str], terms: Terms) -> Entered:
    """Store a corrected version of a record; the earlier one is kept and no longer counts.

    Fields that are not handed in keep what they say. The record is held no longer than it would have been.

    Raises
    ------
    InvalidParameter
        When another version has taken the record's place, also while this one was being checked.
    """
    old = store.evidence.record(scope, record_key)
    if old["superseded"]:
        raise InvalidParameter(_MEANWHILE)
    hints = store.locations.hints_of(scope, record_key)
    before = fields_of(old, hints)
    if old["kind"] == RecordKind.EFFORT and "place" in fields:  # a session is where its area is
        fields = {"area": fields["place"], **fields}
    changed = _changed(before, fields, str(old["kind"]))
    if not changed:
        return Entered(problems={"": _UNCHANGED})
    if problems := _too_long(fields):
        return Entered(problems=problems)
    request = ImportRequest(kind=old["kind"], source=old["source"])
    moved = bool(changed & _WHERE)
    checked = _check(store, scope, request, _merged(before, fields, moved=moved), terms)
    if problems := _problems(checked):
        return Entered(problems=problems)
    _keep_of(old, checked, fields, changed)
    if not moved and not _difference(old, checked.prepared.records[0].iloc[0].to_dict()):
        return Entered(problems={"": _UNCHANGED})
    identity = bytes(old["supply_key"] or record_key)
    with store.database.transaction():
        store.database.lock("import")
        if store.evidence.record(scope, record_key) != old:
            raise InvalidParameter(_MEANWHILE)
        report = store_checked(store, scope, checked, request, terms)
        new_key = _only(checked)  # another one where a protected place came meanwhile
        changes = _difference(old, store.evidence.record(scope, new_key))
        revision = Revision(identity=identity, old_key=record_key, new_key=new_key, changes=changes)
        store.supplies.revise(scope, report.batch.batch_id, [revision])
        if hints and not moved:
            told = {"record_key": new_key, "method": list(hints), "hint": list(hints.values())}
            store.locations.remember(scope, pd.DataFrame(told))
        report = replace(report, batch=replace(report.batch, updated=1))
        store.intake.finish(scope, report.batch)
    return Entered(report=report, record_key=new_key)


def _changed(before: Mapping[str, str], fields: Mapping[str, str], kind: str) -> set[str]:
    """Fields that say something else than before; a session is where its area is, also when it has been placed."""
    said = dict(before)
    if kind == RecordKind.EFFORT:
        said = {"place": before.get("area", ""), "area": before.get("place", "")} | said
    return {name for name, text in fields.items() if _words(text) != _words(said.get(name, ""))}


def _words(text: str) -> str:
    return " ".join(text.split())


def _merged(before: Mapping[str, str], fields: Mapping[str, str], *, moved: bool) -> dict[str, str]:
    """What the new version says: of a place that was corrected, nothing of the old one."""
    kept = {name: text for name, text in before.items() if not (moved and name in _POSITION_FIELDS)}
    return {**kept, **fields}


def _keep_of(old: Mapping[str, Any], checked: Checked, fields: Mapping[str, str], changed: set[str]) -> None:
    """Give the checked version what a correction leaves alone, and a key of its own.

    The key rests on the record that is corrected: two equal rows corrected alike stay two.
    """
    frame = checked.prepared.records[0].astype(object)
    identity, key = bytes(old["supply_key"] or old["record_key"]), _only(checked)
    kept = {name: old[name] for name in ("review_us", "delete_us")} | {"supply_key": identity}
    if not changed & _WHERE:
        kept |= {name: old[name] for name in _POSITION if name not in changed}
    if old["vehicle_hash"] and not fields.get("registration"):
        kept["vehicle_hash"] = old["vehicle_hash"]
    kept["record_key"] = hashlib.sha256(b"correction" + identity + key).digest()
    frame = frame.assign(**{name: pd.Series([value], index=frame.index, dtype=object) for name, value in kept.items()})
    checked.prepared.records[0] = frame.where(frame.notna(), None)  # a store knows no NaN
    checked.prepared.hints[0] = checked.prepared.hints[0].assign(record_key=kept["record_key"])


def _difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Old and new value of each field that differs; a vehicle's hash says nothing but that it is another."""
    found = {name: [old[name], new[name]] for name in COMPARED if old[name] != new[name]}
    return {name: ["another", "another"] if name == "vehicle_hash" else pair for name, pair in found.items()}


def _check(store: Store, scope: Scope, request: ImportRequest, fields: Mapping[str, str], terms: Terms) -> Checked:
    told = {name: _UNPRINTABLE.sub(" ", text) for name, text in fields.items() if text.strip()}
    if not {"date", "from"} & set(told):
        told = {"date": "", **told}
    text = io.StringIO()
    writer = csv.DictWriter(text, list(told))
    writer.writeheader()
    writer.writerow(told)
    request = replace(request, column_map={name: name for name in told}, only_told=True)
    checked = check_file(store, scope, FileSource(FILE_NAME, content=text.getvalue().encode()), request, terms)
    return replace(checked, read=replace(checked.read, format=FORMAT))


def _too_long(fields: Mapping[str, str]) -> dict[str, str]:
    """Texts that no form asks for; what a field may hold at most is checked with the rest."""
    words = f"this is longer than {MAX_LENGTH:,} characters"
    return {name: words for name, text in fields.items() if len(text) > MAX_LENGTH}


def _problems(checked: Checked) -> dict[str, str]:
    rejected = checked.prepared.all_rejected()
    details = [detail.partition(" or import with")[0] for detail in rejected["detail"]]
    return dict(zip(rejected["field"], details, strict=True))


def _only(checked: Checked) -> bytes:
    keys = checked.prepared.records[0]["record_key"]
    if keys.empty:
        raise InvalidParameter("This record was purged meanwhile; nothing was stored.")
    return bytes(keys.iloc[0])


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
