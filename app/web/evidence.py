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
    report = quality.report(store(), scope())
    return render_template("imports.html", batches=report["batches"][::-1], evidence=report["evidence"])


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
