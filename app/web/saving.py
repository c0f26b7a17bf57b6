"""Filters kept by name, so that an address need not carry their words."""

from urllib.parse import parse_qs

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from app.services.saved_views import save_view
from app.web.security import lapwing, scope, store
from app.web.views import allowed
from geo.view import View

pages = Blueprint("views", __name__)


@pages.post("/runs/<run_id>/views")
def save(run_id: str) -> Response:
    """Keep the filter of a map under a name."""
    run = store().runs.get(scope(), run_id)
    view = allowed(View.parse(parse_qs(request.form.get("query", ""))))
    kept = save_view(store(), scope(), request.form.get("name", ""), view, now_us=lapwing().clock())
    return redirect(url_for("runs.map_page", run_id=run.run_id, saved=kept.view_id))


@pages.post("/views/<view_id>/remove")
def forget(view_id: str) -> Response:
    """Remove a kept filter."""
    store().views.forget(scope(), store().views.get(scope(), view_id).view_id)
    return redirect(url_for("runs.map_page", run_id=request.args.get("run_id", "latest")))
