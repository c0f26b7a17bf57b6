"""Printing a view of an analysis."""

import io
import math

from flask import Blueprint, render_template, request, send_file
from werkzeug.wrappers import Response

from app.services.printing import PrintRequest, Sheet, print_map
from app.web.security import lapwing, scope, store
from app.web.views import asked_view, visible_run
from geo.errors import InvalidParameter
from geo.narrative import plural
from maps.picture_frame import Bounds
from maps.picture_legend import class_words
from maps.sheet import FAMILY, picture_address

pages = Blueprint("printing", __name__)


@pages.post("/runs/<run_id>/print")
def print_view(run_id: str) -> Response:
    """Hand out a view as a document or a picture, for a stated purpose."""
    run = visible_run(run_id)
    wanted = PrintRequest(
        form=request.form.get("form", ""),
        purpose=request.form.get("purpose", ""),
        view=asked_view(),
        bounds=_bounds(request.form.get("bbox", "")),
    )
    done = print_map(store(), scope(), run, wanted, _document, now_us=lapwing().clock())
    return send_file(io.BytesIO(done.body), mimetype=done.media_type, as_attachment=True, download_name=done.file_name)


def _document(sheet: Sheet) -> str:
    breaks = sheet.drawn.breaks
    return render_template(
        "print/map.html",
        sheet=sheet,
        family=FAMILY,
        picture=picture_address(sheet.drawn.png),
        alt=f"Map of {plural(sheet.counts.records, 'record')} by cell, with {plural(len(sheet.places), 'place')} of concern by their numbers in the list.",
        classes=[class_words(k, breaks) for k in range(len(breaks) - 1)],
    )


def _bounds(text: str) -> Bounds | None:
    """Read the part of the map that the screen shows; None where no script said it."""
    if not text:
        return None
    parts = text.split(",")
    try:
        west, south, east, north = (float(one) for one in parts)
    except ValueError as error:
        raise InvalidParameter("bbox: west, south, east and north in degrees, with commas.") from error
    if not all(map(math.isfinite, (west, south, east, north))):
        raise InvalidParameter("bbox: west, south, east and north in degrees, with commas.")
    return west, south, east, north
