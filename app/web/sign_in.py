"""Signing in and out: one-time links, passphrases, health."""

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from app.services import accounts
from app.services.synthetic import is_synthetic
from app.web.security import COOKIE, account, begin_session, lapwing, scope, store
from geo.errors import InvalidParameter

pages = Blueprint("sign_in", __name__)


@pages.get("/healthz")
def health() -> Response:
    """Say that the service and its store answer."""
    store().database.tables()
    return Response("ok\n", mimetype="text/plain")


@pages.get("/sign-in")
def form() -> str:
    """Ask who is there."""
    return render_template("sign_in.html", error=None)


@pages.post("/sign-in")
def sign_in() -> BaseResponse:
    """Check a passphrase."""
    found = accounts.sign_in_by_passphrase(
        store(),
        request.form.get("name", "").strip(),
        request.form.get("passphrase", ""),
        now_us=lapwing().clock(),
        session_hours=lapwing().settings.session_hours,
    )
    if found is None:
        words = "The name or passphrase is not right, or it was tried too often. Wait a quarter of an hour or ask for a new link."
        return make_response(render_template("sign_in.html", error=words), 403)
    return begin_session(make_response(redirect(url_for("dashboard.home"))), found[1])


@pages.get("/sign-in/link/<token>")
def link(token: str) -> tuple[str, int]:
    """Show the button; opening the page alone uses nothing up, so that a link preview cannot."""
    good = accounts.link_is_good(store(), token, now_us=lapwing().clock())
    return render_template("link.html", token=token, good=good), 200 if good else 410


@pages.post("/sign-in/link/<token>")
def use_link(token: str) -> BaseResponse:
    """Sign in once."""
    found = accounts.sign_in_by_link(
        store(), token, now_us=lapwing().clock(), session_hours=lapwing().settings.session_hours
    )
    if found is None:
        return make_response(render_template("link.html", token=token, good=False), 410)
    who, session = found
    target = "dashboard.home" if who.passphrase_hash or is_synthetic(store(), who.scope) else "sign_in.passphrase"
    return begin_session(make_response(redirect(url_for(target))), session)


@pages.post("/sign-out")
def sign_out() -> BaseResponse:
    """End the session here and in the store, and clear what the browser kept."""
    accounts.sign_out(store(), scope(), request.cookies.get(COOKIE, ""), now_us=lapwing().clock())
    response = make_response(redirect(url_for("sign_in.form")))
    response.delete_cookie(COOKIE)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


@pages.get("/account/passphrase")
def passphrase() -> str:
    """Ask for a passphrase."""
    return render_template("passphrase.html", error=None)


@pages.post("/account/passphrase")
def set_passphrase() -> BaseResponse:
    """Set it."""
    new = request.form.get("passphrase", "")
    if new != request.form.get("again", ""):
        return _not_set("The two passphrases are not the same.")
    try:
        accounts.set_passphrase(
            store(), account(), new, now_us=lapwing().clock(), session=request.cookies.get(COOKIE, "")
        )
    except InvalidParameter as error:
        return _not_set(str(error))
    return redirect(url_for("dashboard.home"))


def _not_set(words: str) -> BaseResponse:
    return make_response(render_template("passphrase.html", error=words), 422)
