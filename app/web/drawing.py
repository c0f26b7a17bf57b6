"""An area of a map, drawn or stored: what is in it, and keeping a drawn one by name."""

from typing import Any
from urllib.parse import urlencode

import shapely
from flask import Blueprint, redirect, render_template, request, url_for

from app.services.area_view import view_area
from app.services.drawing import level_of, read_outline, save_area
from app.web.security import consulted, lapwing, scope, store
from app.web.views import as_query, asked_view
from geo.errors import InvalidParameter, NotFound
from geo.model import Run
from geo.temporal import WEEKDAYS
from geo.view_words import view_words

pages = Blueprint("drawing", __name__)


@pages.post("/runs/<run_id>/area")
def summary(run_id: str) -> Any:
    """Say what is in an outline that was drawn; the outline is in no address."""
    run = store().runs.get(scope(), run_id)
    try:
        outline = read_outline(store(), request.form.get("geometry", ""))
    except InvalidParameter as error:
        return _page(run, fault=str(error)), 422
    return _page(run, outline)


@pages.get("/runs/<run_id>/area")
def stored(run_id: str) -> Any:
    """Say what is in an area that is known by a name."""
    run = store().runs.get(scope(), run_id)
    name = request.args.get("name", "").strip()
    if not name:
        return redirect(url_for("runs.map_page", run_id=run.run_id) + as_query(asked_view()))
    if not store().evidence.areas_called(scope(), name):  # names of files and sources are for those who import
        raise NotFound("There is no area of that name.")
    return _page(run, store().evidence.area(scope(), name), name=name, level=level_of(store(), scope(), name))


@pages.post("/runs/<run_id>/area/save")
def save(run_id: str) -> Any:
    """Keep a drawn outline as an area of its own."""
    run = store().runs.get(scope(), run_id)
    name = request.form.get("name", "")
    try:
        outline = read_outline(store(), request.form.get("geometry", ""))
    except InvalidParameter as error:
        return _page(run, fault=str(error)), 422
    try:
        batch = save_area(store(), scope(), name, outline, lapwing().terms)
    except InvalidParameter as error:
        return _page(run, outline, name_fault=str(error), name_said=name), 422
    pairs = [("name", " ".join(name.split())), ("batch", batch.batch_id), *asked_view().pairs()]
    return redirect(f"{url_for('drawing.stored', run_id=run.run_id)}?{urlencode(pairs)}")


def _page(run: Run, outline: shapely.Geometry | None = None, **told: Any) -> str:
    """Show what is in an area; without one, what was wrong with it."""
    view = asked_view()
    stored = f"/{told['name']}" if told.get("name") else ""
    consulted(f"run:{run.run_id}/area{stored}{as_query(view)}")
    return render_template(
        "area_summary.html",
        run=run,
        area=view_area(store(), scope(), run, outline, view) if outline is not None else None,
        geometry=shapely.to_wkt(outline, rounding_precision=7) if outline is not None else "",
        view=view,
        query=as_query(view),
        filtered=view_words(view),
        weekday_names=WEEKDAYS,
        batch=request.args.get("batch", ""),
        **told,
    )
