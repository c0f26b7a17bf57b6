"""The first page after signing in: what there is and what waits."""

from flask import Blueprint, render_template

from app.services import tasking
from app.web.security import scope, store

pages = Blueprint("dashboard", __name__)


@pages.get("/")
def home() -> str:
    """Show the newest analysis, what waits for a decision and what came in."""
    runs = store().runs.runs(scope())
    newest = tasking.accepted_places(store(), scope(), runs[0]) if runs else None
    return render_template(
        "dashboard.html",
        newest=newest,
        runs=runs[:10],
        records=store().evidence.record_counts(scope()),
        features=store().evidence.feature_counts(scope()),
    )
