"""One record at a time: an outreach session, an observation, an incident; entered or corrected."""

import hashlib
from datetime import date
from typing import Any, Final

from flask import Blueprint, redirect, render_template, request, url_for

from app.services import entering
from app.web import fields
from app.web.security import account, consulted, lapwing, scope, store
from geo.errors import InvalidParameter, NotFound, NotPermitted
from geo.model import LocationBasis, RecordKind, Role
from geo.temporal import LONDON, from_micros

pages = Blueprint("records", __name__, url_prefix="/records")

MAX_LISTED: Final = 50
# Whether something was seen, as the form asks it, and whether nothing was, as a record says it: each way round.
_SEEN: Final = {"yes": "no", "no": "yes", "": ""}
_ON_MAP: Final = {
    LocationBasis.NONE: "no: no imported place answers to these words for certain",
    LocationBasis.CELL: "no: this is at a protected place, and only a coarse cell is kept",
}
# What each role may enter, see and correct here; reports to the police are the analysts' business.
_OF_ROLE: Final = {
    Role.ANALYST: (RecordKind.EFFORT, RecordKind.OBSERVATIONS, RecordKind.INCIDENTS),
    Role.COORDINATOR: (RecordKind.EFFORT, RecordKind.OBSERVATIONS),
}


def _kinds() -> tuple[RecordKind, ...]:
    return _OF_ROLE.get(account().role, ())


def _require(kind: str) -> RecordKind:
    if kind not in fields.ENTERED:
        raise NotFound(f"There is no form for {kind!r}.")
    if kind not in _kinds():
        raise NotPermitted("Your role does not include these records.")
    return RecordKind(kind)


@pages.get("")
def index() -> str:
    """List what was entered or imported last, to correct it."""
    kind = _require(request.args.get("kind", RecordKind.EFFORT))
    consulted(f"records:{kind}")
    found = store().evidence.newest_records(scope(), [kind], count=MAX_LISTED)
    listed = [
        {
            "key": bytes(one["record_key"]).hex(),
            "fields": shown,
            "where": _where(one, shown),
            "what": _what(kind, shown),
        }
        for one in found
        for shown in [_shown(one)]
    ]
    return render_template("records.html", kind=kind, kinds=_kinds(), records=listed, shown=MAX_LISTED)


def _where(record: dict[str, Any], shown: dict[str, str]) -> str:
    """Name of the place, else its rounded position, as far as that is known."""
    if named := shown.get("area") or shown.get("place") or shown.get("road"):
        return named
    if record["location_basis"] == LocationBasis.NONE:
        return "not known"
    about = "" if record["location_basis"] == LocationBasis.EXACT else "about "
    return f"{about}{record['lon']:.3f}, {record['lat']:.3f}"


def _what(kind: str, shown: dict[str, str]) -> str:
    """Say in a few words what a record tells, beside the number of workers."""
    if kind == RecordKind.EFFORT:
        return {"yes": "nothing seen", "no": "something seen"}.get(shown.get("nothing_seen", ""), "")
    found = shown.get("indicators") or shown.get("strengths") if kind == RecordKind.OBSERVATIONS else ""
    return found or shown.get("kind", "") or "not said"


@pages.get("/new/<kind>")
def new(kind: str) -> str:
    """Ask for one record, with what can be known beforehand filled in."""
    kind = _require(kind)
    values = {"day": _today().isoformat()}
    if request.args.get("copy") == "last":
        values = _last(kind) | values
    values |= {name: text for name, text in request.args.items() if name in {"place", "day", "start", "session_id"}}
    return _form(kind, values)


def _today() -> date:
    return from_micros(lapwing().clock()).astimezone(LONDON).date()


def _last(kind: str) -> dict[str, str]:
    """Return what the newest record of a kind says, as a form has it."""
    found = store().evidence.newest_records(scope(), [kind], count=1)
    return fields.shown(kind, entering.fields_of(found[0])) if found else {}


def _form(kind: str, values: dict[str, str], problems: dict[str, str] | None = None, record: str = "") -> str:
    return render_template(
        "record_form.html",
        kind=kind,
        title=fields.TITLES[RecordKind(kind)],
        fields=fields.FIELDS[RecordKind(kind)],
        values=values,
        problems=problems or {},
        record=record,
        seen=values.get("seen", _SEEN.get(values.get("nothing_seen", ""), "")),
        can_copy=not record and bool(_last(kind)),
        session_id=values.get("session_id", ""),
    )


@pages.post("/new/<kind>")
def add(kind: str) -> Any:
    """Store one record under the same checks as a file."""
    kind = _require(kind)
    told = _told(kind)
    done = entering.enter(store(), scope(), kind, told, lapwing().terms)
    if done.problems:
        return _form(kind, _values(), fields.faults(kind, done.problems)), 422
    seen = kind == RecordKind.EFFORT and told.get("nothing_seen") == "no"
    if seen:
        place, day, session_id = told["area"], request.form.get("day", ""), told["session_id"]
        address = url_for("records.new", kind=RecordKind.OBSERVATIONS, place=place, day=day, session_id=session_id)
        return redirect(address)
    return redirect(url_for("records.stored", record_key=done.record_key.hex(), again=int(done.repeated)))


def _values() -> dict[str, str]:
    return {name: "; ".join(request.form.getlist(name)) for name in request.form}


def _told(kind: str) -> dict[str, str]:
    several = {name: request.form.getlist(name) for name in request.form}
    told = fields.told(kind, request.form, several)
    if kind == RecordKind.EFFORT:
        told |= {"place": told["area"], "source_type": "outreach"}
        told["nothing_seen"] = _SEEN[request.form.get("seen") or "no"]
        told["session_id"] = _session_id(told)
    elif kind == RecordKind.OBSERVATIONS:
        told |= {"source_type": "outreach", "session_id": request.form.get("session_id", "")}
    return told


def _session_id(told: dict[str, str]) -> str:
    """Name a session by what it was, so that the same form sent twice is one session."""
    text = "\x1f".join((told["area"], told.get("from", ""), told.get("to", ""), told.get("date", "")))
    return f"S-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


@pages.get("/<record_key>/stored")
def stored(record_key: str) -> str:
    """Say that a record was stored, and what can be done next."""
    record, kind = _record(record_key)
    consulted(f"record:{record_key[:16]}")
    batch = store().evidence.newest_batch_of(scope(), bytes(record["record_key"]))
    return render_template(
        "record_stored.html",
        kind=kind,
        record=record_key,
        fields=fields.FIELDS[kind],
        values=_shown(record),
        again=request.args.get("again") == "1",
        corrected=request.args.get("corrected") == "1",
        on_map=_ON_MAP.get(record["location_basis"], "yes"),
        by_hand=batch is not None and batch.format == entering.FORMAT,
    )


def _record(record_key: str) -> tuple[dict[str, Any], RecordKind]:
    try:
        key = bytes.fromhex(record_key)
    except ValueError as error:
        raise NotFound("There is no such record.") from error
    record = store().evidence.record(scope(), key)
    if record["kind"] not in _kinds():
        raise NotFound("There is no such record.")
    return record, RecordKind(record["kind"])


@pages.get("/<record_key>/correct")
def correct(record_key: str) -> str:
    """Ask what should be different."""
    record, kind = _record(record_key)
    consulted(f"record:{record_key[:16]}")
    return _form(kind, _shown(record), record=record_key)


def _shown(record: dict[str, Any]) -> dict[str, str]:
    unlocated = record["location_basis"] == LocationBasis.NONE  # only those have hints
    hints = store().locations.hints_of(scope(), bytes(record["record_key"])) if unlocated else {}
    return fields.shown(record["kind"], entering.fields_of(record, hints))


@pages.post("/<record_key>/correct")
def save_correction(record_key: str) -> Any:
    """Store the corrected version; the earlier one is kept and no longer counts."""
    record, kind = _record(record_key)
    before = entering.fields_of(record)
    told = _corrections(kind)
    was = fields.shown(kind, before)
    if was.get("day", "") == request.form.get("day", "") and _same_times(was):
        told = {name: text for name, text in told.items() if name not in {"date", "from", "to"}}
    else:
        told = {"date": "", "from": "", "to": ""} | told
    done = entering.correct(store(), scope(), bytes(record["record_key"]), told, lapwing().terms)
    if done.problems:
        month = {"month": was["month"]} if "month" in was else {}
        return _form(kind, month | _values(), fields.faults(kind, done.problems), record=record_key), 422
    return redirect(url_for("records.stored", record_key=done.record_key.hex(), corrected=1))


def _corrections(kind: str) -> dict[str, str]:
    """Fields of the form that a correction may change: what it does not ask stays as it is."""
    told = _told(kind)
    if kind != RecordKind.INCIDENTS:
        del told["source_type"], told["session_id"]
    if kind == RecordKind.EFFORT:
        del told["nothing_seen"], told["place"]
        if request.form.get("seen") in _SEEN:
            told["nothing_seen"] = _SEEN[request.form["seen"]]
    return told


def _same_times(was: dict[str, str]) -> bool:
    """Whether the form's times are those it was filled in with: what is more exact in the record then stays."""
    return all(request.form.get(name, "") == was.get(name, "") for name in ("start", "end") if name in request.form)


@pages.post("/<record_key>/undo")
def undo(record_key: str) -> Any:
    """Take back what was entered last about a record."""
    from app.services.importing import undo_batch

    record, kind = _record(record_key)
    batch = store().evidence.newest_batch_of(scope(), bytes(record["record_key"]))
    if batch is None or batch.format != entering.FORMAT:
        raise InvalidParameter("This record came with a file; undo the file, or correct the record.")
    undo_batch(store(), scope(), batch.batch_id, now_us=lapwing().clock())
    return redirect(url_for("records.index", kind=kind))
