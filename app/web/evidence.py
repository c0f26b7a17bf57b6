"""What came in: files, and rows needing attention."""

from flask import Blueprint, Response, render_template, request

from app.services import quality, quarantine
from app.web.security import consulted, lapwing, scope, store

pages = Blueprint("evidence", __name__)

MAX_ROWS = 200


@pages.get("/imports")
def imports() -> str:
    """List imported files with their counts."""
    consulted("imports")
    batches = quality.list_batches(store(), scope())
    return render_template("imports.html", batches=batches[::-1], counts=store().evidence.record_counts(scope()))


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
