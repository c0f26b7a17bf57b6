"""The outreach list: accepted places only."""

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from app.services import tasking
from app.services.exporting import ExportRequest
from app.web.downloads import hand_out
from app.web.security import consulted, scope, store
from geo.model import Layer, Profile

pages = Blueprint("tasking", __name__, url_prefix="/tasking")


@pages.get("")
def latest() -> BaseResponse:
    """Go to the list of the newest analysis."""
    runs = store().runs.runs(scope())
    if not runs:
        return make_response(render_template("no_runs.html"))
    return redirect(url_for("tasking.page", run_id=runs[0].run_id))


@pages.get("/<run_id>")
def page(run_id: str) -> str:
    """Show the list."""
    run = store().runs.get(scope(), run_id)
    consulted(f"run:{run.run_id}/tasking")
    found = tasking.accepted_places(store(), scope(), run)
    return render_template("tasking.html", run=run, tasking=found, rows=[one.columns() for one in found.accepted])


@pages.post("/<run_id>/download")
def download(run_id: str) -> BaseResponse:
    """Hand the list out as CSV for a stated purpose."""
    run = store().runs.get(scope(), run_id)
    return hand_out(
        run,
        ExportRequest(
            layer=Layer.TASKING,
            profile=Profile.OPERATIONAL,
            format="csv",
            purpose=request.form.get("purpose", ""),
        ),
    )
