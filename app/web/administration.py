"""The audit log, for the auditor, and the users, for the administrator."""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from app.services import accounts
from app.web.security import lapwing, scope, store
from geo.errors import IntegrityError

pages = Blueprint("administration", __name__)

MAX_EVENTS = 500


@pages.get("/audit")
def audit() -> str:
    """Show the newest events, whether the chain holds, and the ledger of disclosures."""
    try:
        length, broken = store().audit.verify(), None
    except IntegrityError as error:
        length, broken = 0, str(error)
    events = store().audit.events(scope())[-MAX_EVENTS:][::-1]
    return render_template(
        "audit.html",
        events=events,
        length=length,
        broken=broken,
        disclosures=store().audit.disclosures(scope())[::-1],
        sharings=store().sharings.all(scope())[::-1],
    )


@pages.get("/admin/users")
def users() -> str:
    """List users."""
    return render_template("users.html", accounts=store().accounts.all(scope()))


@pages.post("/admin/users/disable")
def disable_user() -> BaseResponse:
    """Disable one and end their sessions."""
    accounts.disable_user(store(), scope(), request.form.get("name", ""), now_us=lapwing().clock())
    return redirect(url_for("administration.users"))
