"""A place's page: why it is listed, what else it could be, and the analyst's decision."""

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from app.services import corroborating, dossier
from app.services import places as service
from app.services.deciding import Change, change_place
from app.services.nominated import nominated_place
from app.services.reviewing import usual_review_by
from app.services.route_layers import link_dict, places_of
from app.services.spots import spot_words
from app.services.tasking import place_point
from app.services.wording import place_words
from app.web.routes import MAY_SEE_RECORDS, permitted
from app.web.security import account, consulted, lapwing, scope, store
from geo.decisions import RejectCode, newest_standing
from geo.errors import Conflict, InvalidParameter, NotFound
from geo.model import Verdict
from geo.narrative import usual_hours, usual_weekdays
from geo.temporal import WEEKDAYS, local_days, midpoint_us

pages = Blueprint("places", __name__, url_prefix="/places")

MAX_RECORDS = 500


@pages.get("/<place_id>")
def page(place_id: str) -> str:
    """Show one place: found by an analysis, or named by a person."""
    return render_place(place_id, error=None)


@pages.post("/<place_id>/decide")
def decide(place_id: str) -> BaseResponse:
    """Accept or reject."""
    try:
        verdict = Verdict(request.form.get("verdict", ""))
    except ValueError:
        verdict = Verdict.UNDO
    if verdict not in {Verdict.ACCEPT, Verdict.REJECT}:
        return make_response(render_place(place_id, error="Choose whether to accept or reject this place."), 422)
    change = Change(verdict=verdict, reason=request.form.get("reason", ""), code=request.form.get("code", ""))
    try:
        change_place(store(), scope(), place_id, change, now_us=lapwing().clock())
    except (InvalidParameter, Conflict) as error:
        return make_response(render_place(place_id, error=str(error)), 422)
    return redirect(url_for("places.page", place_id=place_id))


def render_place(place_id: str, *, error: str | None) -> str:
    """Show one place, with what was wrong about the form that was sent."""
    named = nominated_place(store(), scope(), place_id, run_id=request.args.get("run"))
    if named is not None:
        now_us = lapwing().clock()
        consulted(f"place:{place_id}")
        return render_template(
            "nominated.html",
            named=named,
            decisions=(own := store().places.decisions(scope(), place_id)),
            newest=newest_standing(own, place_id),
            now_us=now_us,
            usual_review_by=usual_review_by(now_us),
            found=bool(store().runs.seen_in(scope(), place_id)),
            **_form(error),
        )
    view = service.view_place(store(), scope(), place_id, run_id=request.args.get("run"))
    consulted(f"place:{place_id}")
    records = _records(view) if account().role in MAY_SEE_RECORDS else None
    return render_template(
        "place.html",
        view=view,
        place=view.place,
        evidence=view.place.evidence,
        why=place_words(view.place, view.run),
        weekdays=usual_weekdays(view.place.evidence),
        hours=usual_hours(view.place.evidence),
        weekday_names=WEEKDAYS,
        records=records,
        shown=MAX_RECORDS,
        newest=newest_standing(view.decisions, place_id),
        where=_where(view),
        links=_links(view),
        months=dossier.place_months(store(), scope(), view.run, view.place),
        near=dossier.neighbours(store(), scope(), view.run, view.place),
        others=[one for one in store().runs.places(scope(), view.run.run_id) if one.place_id != view.place.place_id],
        **_form(error),
    )


def _form(error: str | None) -> dict[str, Any]:
    form = request.form
    said = {name: form.get(name, "") for name in ("reason", "verdict", "code", "to", "name", "into", "at", "review_by")}
    return {"error": error, "said": said, "codes": [str(one) for one in RejectCode]}


def _where(view: service.PlaceView) -> str:
    """Say where to look: the exact point to those who decide about it, to everybody else as coarsely as the outreach list does."""
    lon, lat = place_point(view.place, view.standing)
    return f"{lon:.5f}, {lat:.5f}" if permitted("places.decide", account().role) else spot_words(store(), lon, lat)


def _links(view: service.PlaceView) -> list[dict[str, Any]]:
    """What this place goes together with, the surest first."""
    known, own = places_of(store(), scope(), view.run), view.place.place_id
    links = [
        link_dict(link, known)
        for link in store().runs.links(scope(), view.run.run_id)
        if own in {link.first_place, link.second_place}
    ]
    return sorted(links, key=lambda link: (not link["significant"], link["q_value"]))


@pages.post("/<place_id>/split")
def split(place_id: str) -> BaseResponse:
    """Say that two reports which were counted once tell of two events, or take that back."""
    first, second = (_key(request.form.get(name, "")) for name in ("first", "second"))
    if request.form.get("undo"):
        corroborating.join_reports(store(), scope(), first, second, now_us=lapwing().clock())
    else:
        reason = request.form.get("reason", "")
        try:
            corroborating.split_reports(store(), scope(), first, second, reason=reason, now_us=lapwing().clock())
        except InvalidParameter as error:
            return make_response(render_place(place_id, error=str(error)), 422)
    return redirect(url_for("places.page", place_id=place_id, run=request.args.get("run"), _anchor="records"))


def _key(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise NotFound("There is no such record.") from error


def _records(view: service.PlaceView) -> Any:
    frame = service.reports_of(store(), scope(), view)
    at_us = midpoint_us(frame["from_us"].to_numpy("int64"), frame["to_us"].to_numpy("int64"))
    days = local_days(at_us).astype("datetime64[D]").astype(str)
    rows = frame.assign(day=days).iloc[::-1].head(MAX_RECORDS)
    split = {frozenset(pair) for pair in store().supplies.splits(scope())}
    keys = zip(rows["record_key"], rows["event_key"], strict=True)
    rows = rows.assign(
        is_split=[frozenset(pair) in split for pair in keys],
        record_key=rows["record_key"].map(bytes.hex),
        event_key=rows["event_key"].map(bytes.hex),
    )
    return rows[
        [
            "day", "time_basis", "kind", "category", "agency", "source", "urn", "location_basis", "precision_m", "record_key", "event_key",
            "words", "is_split",
        ]
    ].to_dict("records")  # fmt: skip
