"""Sharing an analysis with partners and boards, and taking it back."""

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from app.services.sharing import share_run, stop_sharing
from app.web.security import lapwing, scope, store

pages = Blueprint("sharing", __name__)


@pages.post("/runs/<run_id>/share")
def share(run_id: str) -> Response:
    """Have partners and boards see this analysis and no other."""
    sooner = request.form.get("sooner") == "yes"
    purpose = request.form.get("purpose", "")
    made = share_run(store(), scope(), run_id, purpose, sooner=sooner, now_us=lapwing().clock())
    return redirect(url_for("runs.map_page", run_id=made.run_id, _anchor="share"))


@pages.post("/runs/<run_id>/stop-sharing")
def stop(run_id: str) -> Response:
    """Take it from them at once."""
    run = store().runs.get(scope(), run_id)
    purpose = request.form.get("purpose", "")
    stop_sharing(store(), scope(), purpose, run_id=run.run_id, now_us=lapwing().clock())
    return redirect(url_for("runs.map_page", run_id=run.run_id, _anchor="share"))
