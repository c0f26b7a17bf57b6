"""The first page after signing in: what changed, what is missing and what waits."""

from flask import Blueprint, render_template

from app.services.dashboard import LISTED, can_be_shown, overview
from app.services.data_gaps import data_gaps
from app.services.reviewing import local_day
from app.services.sharing import shared_run
from app.web.analysing import running
from app.web.routes import permitted
from app.web.security import account, consulted, lapwing, profile, scope, store
from app.web.views import readers_runs
from geo.model import Profile
from geo.narrative import month_words

pages = Blueprint("dashboard", __name__)

MAX_RUNS = 10


@pages.get("/")
def home() -> str:
    """Show what changed since last week and what waits, as far as the reader's role goes."""
    now_us, role = lapwing().clock(), account().role
    reads = permitted("runs.map_page", role)
    inside = reads and profile() is Profile.OPERATIONAL
    comes_in = permitted("evidence.imports", role)
    records = store().evidence.record_counts(scope()) if comes_in else {}
    runs = readers_runs() if reads else []
    found = overview(store(), scope(), runs, now_us=now_us) if inside else None
    if found:
        consulted(f"run:{found.newest.run_id}/home")
    return render_template(
        "dashboard.html",
        found=found,
        inside=inside,
        runs=runs[:MAX_RUNS],
        shared=shared_run(store(), scope()) if inside else None,
        lost=bool(runs) and not can_be_shown(runs[0]),
        listed=LISTED,
        today=local_day(now_us),
        missing=[month_words(month) for month in found.newest.summary["missing_months"]] if found else [],
        gaps=data_gaps(store(), scope(), records, now_us=now_us) if comes_in else None,
        records=records,
        features=store().evidence.feature_counts(scope()) if comes_in else {},
        under_way=running(scope().actor) if permitted("analysing.new", role) else None,
    )
