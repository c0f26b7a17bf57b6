"""What came in: files, and rows needing attention."""

from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for

from app.services import entering, quality, quarantine, stacks
from app.web.security import consulted, lapwing, scope, store
from geo.errors import InvalidParameter

pages = Blueprint("evidence", __name__)

MAX_ROWS = 200


@pages.get("/imports")
def imports() -> str:
    """List imported files with their counts."""
    consulted("imports")
    by_hand = {one.batch_id for one in store().evidence.batches(scope()) if one.format == entering.FORMAT}
    batches = [one for one in quality.list_batches(store(), scope())[::-1] if one["batch"] not in by_hand]
    return render_template("imports.html", batches=batches, counts=store().evidence.record_counts(scope()))


@pages.get("/quality", endpoint="quality")
def quality_page() -> str:
    """Show what all the evidence is worth."""
    return _quality(None)


@pages.get("/quality/<batch_id>")
def quality_of_batch(batch_id: str) -> str:
    """Show what one file is worth."""
    return _quality(batch_id)


def _quality(batch_id: str | None) -> str:
    consulted(f"quality:{batch_id or 'all'}")
    found = quality.report(store(), scope(), batch_id, now_us=lapwing().clock())
    return render_template("quality.html", found=found, batch=found["batches"][0] if batch_id else None)


@pages.get("/stacks", endpoint="stacks")
def stacks_page() -> str:
    """List coordinates that several reports share, with what each is taken for."""
    consulted("stacks")
    return _stacks_page()


def _stacks_page(error: str = "") -> str:
    found = stacks.list_stacks(store(), scope())
    return render_template(
        "stacks.html", stacks=found[:MAX_ROWS], total=len(found), classes=list(stacks.RULED), error=error
    )


@pages.post("/stacks/<stack_id>")
def rule_stack(stack_id: str) -> Any:
    """Say what a coordinate is, whatever the detector says."""
    stack_class, reason = request.form.get("class", ""), request.form.get("reason", "")
    try:
        stacks.rule_stack(store(), scope(), stack_id, stack_class, reason=reason, now_us=lapwing().clock())
    except InvalidParameter as error:
        return _stacks_page(str(error)), 422
    return redirect(url_for("evidence.stacks"))


@pages.get("/quarantine", endpoint="quarantine")
def quarantine_page() -> str:
    """List rows needing attention."""
    batch = request.args.get("batch") or None
    rows = quarantine.rows_needing_attention(store(), scope(), batch)
    consulted("quarantine")
    return render_template(
        "quarantine.html",
        rows=rows.head(MAX_ROWS).to_dict("records"),
        total=len(rows),
        shown=MAX_ROWS,
        batch=batch,
        kinds=sorted(rows["kind"].unique()),
    )


@pages.post("/quarantine/download")
def download_quarantine() -> Response:
    """Hand them out as CSV to correct and import again."""
    batch = request.form.get("batch") or None
    kind = request.form.get("kind") or None
    text, _ = quarantine.hand_out_corrections(store(), scope(), batch, kind, now_us=lapwing().clock())
    response = Response(text.encode("utf-8-sig"), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="OFFICIAL-SENSITIVE_rows-needing-attention.csv"'
    return response
