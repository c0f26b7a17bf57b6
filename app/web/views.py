"""What an address asks to see: the view in its parameters, and the analysis if the reader may see it."""

from dataclasses import replace
from urllib.parse import parse_qs

from flask import request

from app.services.sharing import shared_run
from app.web.routes import MAY_SEE_RECORDS
from app.web.security import account, profile, scope, store
from geo.errors import InvalidParameter, NotFound, NotPermitted
from geo.model import Profile, Run
from geo.view import View


def asked_view() -> View:
    """Return the view that the parameters of the address ask for, a saved one where they name it."""
    saved = request.values.get("saved", "")
    if saved:
        view = View.parse(parse_qs(store().views.get(scope(), saved).query))
    else:
        view = View.parse(request.values.to_dict(flat=False))
    return allowed(view)


def allowed(view: View) -> View:
    """Return the view where the reader's role may have it.

    Raises
    ------
    NotPermitted
        When it chooses by agency and the reader may not know which agency said what.
    """
    if view.agencies and account().role not in MAY_SEE_RECORDS:
        raise NotPermitted("Which agency said what is for analysts.")
    return view


def visible_run(run_id: str) -> Run:
    """Return an analysis that the reader may see: outside operations the one that is shared, so that no two can be compared.

    Raises
    ------
    NotFound
    """
    if profile() is Profile.OPERATIONAL:
        return store().runs.get(scope(), run_id)
    run = shared_run(store(), scope())
    if run is None or run_id not in {run.run_id, "latest"}:
        raise NotFound(
            "There is no such analysis among what is shared with you. An analyst may have stopped sharing it, or shared another."
        )
    return run


def readers_runs() -> list[Run]:
    """Return the analyses that the reader may see, newest first."""
    if profile() is Profile.OPERATIONAL:
        return store().runs.runs(scope())
    run = shared_run(store(), scope())
    return [run] if run else []


def compared_view() -> View | None:
    """Return the view to compare with: the same filter over the dates that the address names; None without them."""
    first, last = (request.args.get(name, "").strip() for name in ("compare_from", "compare_to"))
    if not (first or last):
        return None
    try:
        dates = View.parse({"from": [first], "to": [last]})
    except InvalidParameter as error:  # it says from and to
        raise InvalidParameter(f"compare_{error}") from error
    return replace(asked_view(), date_from=dates.date_from, date_to=dates.date_to)


def as_query(view: View) -> str:
    """Return what makes an address ask for a view: a question mark and its parameters, or nothing."""
    query = view.query()
    return f"?{query}" if query else ""
