"""What people do with a place beyond accepting it: move, rename, merge, split, take back; name, review and withdraw their own."""

import re
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from app.services.deciding import Change, change_place
from app.services.nominating import nominate
from app.services.reviewing import usual_review_by
from app.web.places import render_place
from app.web.security import consulted, lapwing, scope, store
from geo.errors import Conflict, InvalidParameter, NotFound
from geo.given_geometry import read_point
from geo.model import Verdict
from geo.place_kinds import PLACE_KINDS

pages = Blueprint("deciding", __name__, url_prefix="/places")

_OFFERED = (
    Verdict.MOVE, Verdict.RENAME, Verdict.MERGE, Verdict.SPLIT, Verdict.REVIEW, Verdict.WITHDRAW, Verdict.UNDO,
)  # fmt: skip


@pages.post("/<place_id>/change")
def change(place_id: str) -> BaseResponse:
    """Move, rename, merge or split a place, review or withdraw one that a person named, or take the newest decision back."""
    try:
        change_place(store(), scope(), place_id, _change(), now_us=lapwing().clock())
    except (InvalidParameter, Conflict, NotFound) as error:
        return make_response(render_place(place_id, error=in_words(error)), 422)
    return redirect(url_for("places.page", place_id=place_id, run=request.args.get("run")))


def _change() -> Change:
    form = request.form
    verdict = form.get("verdict", "")
    if verdict not in set(_OFFERED):
        raise InvalidParameter("Choose what to do with this place.")
    at = [part for part in form.get("at", "").replace("\n", ";").split(";") if part.strip()]
    return Change(
        verdict=Verdict(verdict),
        reason=form.get("reason", ""),
        to=read_point("Where it is", form["to"]) if form.get("to", "").strip() else None,
        name=form.get("name", ""),
        into=form.get("into", "").strip(),
        at=[read_point("Where the parts are", part) for part in at],
        review_by=form.get("review_by", ""),
    )


@pages.get("/add")
def new() -> str:
    """Ask for a place that no analysis found."""
    consulted("places/add")
    day = usual_review_by(lapwing().clock()).isoformat()
    return _form({"geometry": request.args.get("at", ""), "review_by": day}, error="")


@pages.post("/add")
def add() -> BaseResponse:
    """Add it; it waits for a decision like any other."""
    said = {name: request.form.get(name, "") for name in _SAID}
    try:
        place = nominate(store(), scope(), **said, now_us=lapwing().clock())
    except InvalidParameter as error:
        return make_response(_form(said, error=in_words(error)), 422)
    return redirect(url_for("places.page", place_id=place.place_id))


_SAID = ("name", "kind", "geometry", "reason", "source", "review_by")


def _form(said: dict[str, Any], *, error: str) -> str:
    return render_template("place_add.html", said=said, kinds=PLACE_KINDS, error=error)


_FIELDS = (
    ("--at LON,LAT for each, two or more", "longitude, latitude of each part, two or more"), ("--to LON,LAT", "longitude, latitude"),
    ("--into PLACE", "choose it"), ("--name", "The name"), ("--geometry", "Where it is"), ("--source", "Who says so"),
    ("--to", "Where it is"), ("--at", "The middle of a part"), ("--review-by", "Review by"),
)  # fmt: skip


def in_words(error: Exception) -> str:
    """Say what was wrong in the words of the form; commands are for the terminal."""
    words = re.sub(r":? lapwing [a-z -]+?(?: [0-9a-f]{16})?(?: undo| --reason TEXT)*(?=[.]|$)", "", str(error))
    for option, label in _FIELDS:
        words = words.replace(option, label)
    return words
