"""Importing a file in the browser: upload, look at its columns, see what would be rejected and why, confirm."""

import json
from collections.abc import Callable
from typing import Any, Final

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for

from app.services import import_request, importing, locating, staging, supplying
from app.services.jobs import Job
from app.services.staging import Choices
from app.web import held_upload
from app.web.held_upload import Held
from app.web.security import consulted, lapwing, scope, store
from app.web.work import PATIENCE_S, Work, begin
from geo.errors import Conflict, InvalidParameter, LapwingError, NotFound
from geo.model import FeatureKind, RecordKind
from geo.validate import RECORD_FIELDS

pages = Blueprint("imports", __name__, url_prefix="/imports")

MAX_ROWS: Final = 20
_NO_CHECK: Final = "This address is not about the check or the import of a file."


@pages.get("/new")
def new() -> str:
    """Ask for a file and what it holds."""
    consulted("imports")
    return _new_page()


def _new_page(error: str = "", chosen: Choices | None = None) -> str:
    return render_template(
        "import_new.html",
        error=error,
        chosen=chosen or Choices(owner="", name="", kind=request.args.get("kind", "")),
        records=list(RecordKind),
        features=list(FeatureKind),
        mappings=sorted({one.name for one in store().supplies.mappings(scope())}),
        max_mb=lapwing().settings.max_file_mb,
    )


@pages.post("/upload")
def upload() -> Any:
    """Seal the file and hand its key to the browser, which alone keeps it."""
    form = request.form
    file = request.files.get("file")
    chosen = Choices(
        owner=scope().actor,
        name=_file_name(file.filename if file else ""),
        kind=form.get("kind", ""),
        source=form.get("source", "").strip(),
        mapping=form.get("mapping", ""),
        layer=form.get("layer", "").strip(),
    )
    if file is None or not file.filename:
        return _new_page("Choose a file.", chosen), 422
    if chosen.kind not in {*RecordKind, *FeatureKind}:
        return _new_page("Say what the file holds.", chosen), 422
    content: bytes = file.stream.getvalue()  # type: ignore[attr-defined]  # kept in memory by app.web.spooling
    try:
        staging.preview(store(), scope(), content, chosen, lapwing().terms)
    except LapwingError as error:
        return _new_page(str(error), chosen), 422
    response = redirect(url_for("imports.columns"))
    held_upload.keep(content, chosen, response)
    return response


def _file_name(text: str | None) -> str:
    """Name of a file without the folder that some browsers send."""
    return (text or "").replace("\\", "/").rsplit("/", 1)[-1]


@pages.get("/columns")
def columns() -> str:
    """Show the first rows and which column would be which field."""
    return _columns_page(held_upload.held())


def _columns_page(held: Held, error: str = "") -> str:
    choices = held.choices
    read = staging.preview(store(), scope(), held.content, choices, lapwing().terms)
    return render_template(
        "import_columns.html",
        error=error,
        upload=held.upload_id,
        choices=choices,
        read=read,
        used={column: field for field, column in read.used.items()},
        fields=sorted(RECORD_FIELDS),
        is_feature=choices.kind in set(FeatureKind),
        crs=store().crs,
    )


@pages.post("/columns")
def choose_columns() -> Any:
    """Keep what was chosen about the columns and check every row."""
    if job := _begun():
        return _go_on(job, "imports.imported")
    held = held_upload.held()
    form = request.form
    try:
        changed = Choices(
            **(
                held.choices.as_dict()
                | {
                    "source": form.get("source", "").strip(),
                    "agency": form.get("agency", "").strip(),
                    "crs": form.get("crs", "").strip(),
                    "timezone": form.get("timezone", "").strip() or import_request.LONDON_NAME,
                    "precision_m": form.get("precision_m", "").strip(),
                    "columns": _chosen_columns(held.content, held.choices),
                }
            )
        )
        staging.preview(store(), scope(), held.content, changed, lapwing().terms, complete=True)
    except LapwingError as error:
        words = str(error).partition(" Name one with --map")[0]  # here columns are chosen above
        return _columns_page(held, words), 422
    held = held_upload.amend(held, changed)
    return _import(held) if changed.kind in set(FeatureKind) else _check(held)


def _chosen_columns(content: bytes, choices: Choices) -> dict[str, str] | None:
    """Field to column, as the form says; None for reference geography, whose columns nobody chooses."""
    if choices.kind in set(FeatureKind):
        return None
    names = staging.preview(store(), scope(), content, choices, lapwing().terms).columns
    found: dict[str, str] = {}
    for number, column in enumerate(names):
        chosen = request.form.get(f"column-{number}", "")
        if not chosen:
            continue
        if chosen in found:
            raise InvalidParameter(f"Two columns, {found[chosen]} and {column}, cannot both be the {chosen}.")
        found[chosen] = column
    return found


def _checker(held: Held) -> Work:
    there, who, terms = store(), scope(), lapwing().terms
    return lambda seen: staging.check(there, who, held.content, held.choices, terms, seen)


def _importer(held: Held) -> Work:
    """Import an upload and delete it, also when nobody waits for the outcome."""
    there, who, terms, uploads = store(), scope(), lapwing().terms, lapwing().uploads

    def work(seen: Callable[[float], None]) -> import_request.ImportReport:
        report = staging.confirm(there, who, held.content, held.choices, terms, seen)
        uploads.discard(held.upload_id)
        return report

    return work


def _check(held: Held) -> Any:
    lapwing().uploads.sweep(now_us=lapwing().clock())
    job = begin(_checker(held))
    job.subject = held.check
    return _go_on(job, "imports.check")


def _import(held: Held) -> Any:
    """Import an upload, once: a second press leads to the same outcome."""
    lapwing().uploads.sweep(now_us=lapwing().clock())
    subject, work = f"import:{held.upload_id}", _importer(held)
    return _go_on(lapwing().jobs.once(scope().actor, subject, lambda: begin(work)), "imports.imported")


def _begun() -> Job | None:
    """Return the import of the form's upload that was begun before, if any."""
    return lapwing().jobs.about(scope().actor, f"import:{request.form.get('upload', '')}")


def _go_on(job: Job, then: str) -> Any:
    """Go on to the outcome of work; a page shows how far it is when that takes long."""
    if job.wait(PATIENCE_S):
        return redirect(url_for(then, job_id=job.job_id))
    return redirect(url_for("imports.progress", job_id=job.job_id, then=then.partition(".")[2]))


def _job(job_id: str, kind: str = "") -> Job:
    """Return one of the user's jobs, of a kind."""
    job = lapwing().jobs.get(job_id, scope().actor)
    if kind and job.subject.partition(":")[0] != kind:
        raise NotFound(_NO_CHECK)
    return job


_OUTCOMES: Final = {"check": "imports.check", "imported": "imports.imported"}


@pages.get("/progress/<job_id>/<any(check, imported):then>")
def progress(job_id: str, then: str) -> Any:
    """Show how far the work is."""
    job = _job(job_id)
    if job.done:
        return redirect(url_for(_OUTCOMES[then], job_id=job_id))
    heading = "Checking every row" if then == "check" else "Importing"
    return render_template("progress.html", job=job, heading=heading, share_url=url_for("imports.share", job_id=job_id))


@pages.get("/progress/<job_id>.json")
def share(job_id: str) -> Response:
    """Say how far the work is, to the page that shows it."""
    job = _job(job_id)
    return jsonify({"done": job.done, "share": round(job.share, 3)})


@pages.get("/check/<job_id>")
def check(job_id: str) -> Any:
    """Show what would become of every row."""
    job = _job(job_id, "check")
    if not job.done:
        return redirect(url_for("imports.progress", job_id=job_id, then="check"))
    if job.error:
        return _failed(job)
    held = held_upload.held()
    if job.subject != held.check:
        raise Conflict(held_upload.ANOTHER)
    rows = job.result["rows"]
    shown = [
        row
        | {"said": _said(row), "detail": row["detail"].partition(" or import with")[0]}  # the page has a button for it
        for row in rows.head(MAX_ROWS).to_dict("records")
    ]
    return render_template(
        "import_check.html",
        found=job.result,
        rows=shown,
        shown=MAX_ROWS,
        choices=held.choices,
        fields=set(RECORD_FIELDS),
        upload=held.upload_id,
        checked=held.mark,
    )


def _failed(job: Job) -> tuple[str, int]:
    upload_id = job.subject.split(":")[1]
    page = render_template("import_failed.html", words=job.error, back=url_for("imports.columns"), upload=upload_id)
    return page, 422


def _said(row: dict[str, Any]) -> str:
    """Return what a rejected row said in the field at fault, as far as that may be shown."""
    text = str(json.loads(row["row"]).get(row["field"], ""))
    return "" if text.startswith("[removed") else text


@pages.post("/correct")
def correct() -> Any:
    """Take corrections into memory, never to the disk as they are, and check again."""
    held = held_upload.checked()
    new: dict[str, dict[str, str]] = {}
    for name, text in request.form.items():
        part, _, rest = name.partition("-")
        number, _, field = rest.partition("-")
        if part == "row" and number.isdecimal() and field in RECORD_FIELDS and text.strip():
            new.setdefault(number, {})[field] = text.strip()
    changed = held.choices.with_edits(new)
    if "redact" in request.form:
        changed = Choices(**(changed.as_dict() | {"redact": request.form["redact"] == "yes"}))
    return _check(held_upload.amend(held, changed))


@pages.post("/confirm")
def confirm() -> Any:
    """Import the file as chosen; the upload goes when it is stored."""
    if job := _begun():
        return _go_on(job, "imports.imported")
    held = held_upload.checked()
    name = request.form.get("mapping_name", "").strip()
    if name:
        staging.save_mapping(store(), scope(), name, held.choices, now_us=lapwing().clock())
    return _import(held)


@pages.get("/imported/<job_id>")
def imported(job_id: str) -> Any:
    """Forget the upload's key and show what became of the file."""
    job = _job(job_id, "import")
    if not job.done:
        return redirect(url_for("imports.progress", job_id=job_id, then="imported"))
    if job.error:
        return _failed(job)
    done = redirect(url_for("imports.batch", batch_id=job.result.batch.batch_id, job=job_id))
    return held_upload.forget(done, job.subject.partition(":")[2])


@pages.post("/cancel")
def cancel() -> Any:
    """Delete the upload; nothing was stored."""
    return held_upload.forget(redirect(url_for("evidence.imports")))


@pages.get("/batch/<batch_id>")
def batch(batch_id: str) -> str:
    """Show what became of one file, with what can be done about it."""
    consulted(f"batch:{batch_id}")
    return _batch_page(batch_id)


def _batch_page(batch_id: str, placed: locating.LocateReport | None = None) -> str:
    found = store().evidence.batch(scope(), batch_id)
    open_hints = store().locations.hints(scope(), batch_id)
    located = placed
    if placed is None and len(open_hints) and not found.undone_at_us:
        located = locating.preview(store(), scope(), batch_id, lapwing().terms)
    return render_template(
        "batch.html",
        batch=found,
        reasons=store().evidence.quarantine_reasons(scope(), batch_id),
        changes=supplying.changes_of(store(), scope(), batch_id),
        report=_report_of(batch_id),
        located=located,
        placed=placed,
        waiting=open_hints["record_key"].map(bytes).nunique() if len(open_hints) else 0,
    )


def _report_of(batch_id: str) -> import_request.ImportReport | None:
    """Return the report of an import that has just ended, if this page comes from it."""
    try:
        job = _job(request.args.get("job", ""))
    except NotFound:
        return None
    result = job.result
    return result if isinstance(result, import_request.ImportReport) and result.batch.batch_id == batch_id else None


@pages.post("/batch/<batch_id>/undo")
def undo(batch_id: str) -> Any:
    """Take a file back."""
    importing.undo_batch(store(), scope(), batch_id, now_us=lapwing().clock())
    return redirect(url_for("imports.batch", batch_id=batch_id))


@pages.post("/batch/<batch_id>/locate")
def locate(batch_id: str) -> Any:
    """Place what is certain, and what was chosen among candidates."""
    chosen = {
        request.form[f"text-{number}"]: candidate
        for name, candidate in request.form.items()
        if (number := name.removeprefix("choice-")) != name and candidate and f"text-{number}" in request.form
    }
    report = locating.locate(store(), scope(), batch_id, lapwing().terms, choices=chosen)
    return _batch_page(batch_id, report)


@pages.get("/template/<kind>")
def template(kind: str) -> Response:
    """Hand out a workbook to fill in."""
    from app.services.templates import template_workbook

    if kind not in {*RecordKind, *FeatureKind}:
        raise NotFound(f"There is no template for {kind!r}.")
    response = Response(
        template_workbook(kind), mimetype="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    )
    response.headers["Content-Disposition"] = f'attachment; filename="lapwing-{kind}.xlsx"'
    return response
