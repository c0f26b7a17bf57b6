"""Default-deny: sessions, roles, a nonce a request and headers that let nothing in from elsewhere."""

import hashlib
import logging
import secrets
import time
from typing import TYPE_CHECKING, Any, Final

from flask import Flask, Response, current_app, g, redirect, request, url_for
from werkzeug.exceptions import Forbidden, Unauthorized

from app.logs import request_id
from app.services import accounts
from app.web.routes import PUBLIC, permitted
from data.accounts import Account
from data.audit import Verb
from data.store import Store
from geo.model import Profile, Role, Scope

if TYPE_CHECKING:
    from app.wiring import Lapwing

COOKIE: Final = "lapwing_session"
# Longer filters would not fit an index of subjects.
MAX_SUBJECT_FILTER: Final = 400

# The audience of each role from outside; all others work within operations.
PROFILES: Final = {Role.PARTNER: Profile.PARTNER, Role.BOARD: Profile.PUBLIC}

_CSP: Final = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), interest-cohort=()",
    "X-Robots-Tag": "noindex, nofollow",
}


def lapwing() -> "Lapwing":
    """Return the application behind this request."""
    found: Lapwing = current_app.extensions["lapwing"]
    return found


def store() -> Store:
    """Return the store behind this request."""
    return lapwing().store


def account() -> Account:
    """Return who is signed in; only called where somebody is."""
    found: Account = g.account
    return found


def scope() -> Scope:
    """Return what the signed-in person may touch."""
    return account().scope


def profile() -> Profile:
    """Return the audience that the signed-in person belongs to."""
    return PROFILES.get(account().role, Profile.OPERATIONAL)


def consulted(subject: str) -> None:
    """Log that the signed-in person saw something: once an hour for each subject.

    What follows a question mark is a filter; a long one stands in full in the event's detail, and as a digest in its subject.
    """
    plain, _, query = subject.partition("?")
    if len(query) > MAX_SUBJECT_FILTER:
        digest = hashlib.blake2b(query.encode(), digest_size=16).hexdigest()
        store().audit.consult(scope(), f"{plain}?filter={digest}", lapwing().clock(), filter=query)
    else:
        store().audit.consult(scope(), subject, lapwing().clock())


def protect(app: Flask) -> None:
    """Check every request before and dress every response after."""

    @app.before_request
    def authorise() -> Any:
        g.nonce = secrets.token_urlsafe(18)
        g.started = time.monotonic()
        request_id.set(secrets.token_hex(8))
        token = request.cookies.get(COOKIE, "")
        g.account = (
            accounts.session_account(
                store(), token, now_us=lapwing().clock(), idle_minutes=lapwing().settings.idle_minutes
            )
            if token
            else None
        )
        if request.endpoint in PUBLIC:
            return None
        if g.account is None:
            if wants_json():
                raise Unauthorized("Sign in first.")
            return redirect(url_for("sign_in.form"))
        if request.endpoint is not None and not permitted(request.endpoint, g.account.role):
            store().audit.append(scope(), Verb.REFUSED, request.endpoint, lapwing().clock())
            raise Forbidden("Your role does not include this page.")
        return None

    @app.after_request
    def dress(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = _CSP.format(nonce=g.get("nonce", ""))
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", "no-cache" if request.endpoint == "static" else "no-store")
        _log(response)
        return response


def wants_json() -> bool:
    """Whether the caller is a program: layers and tiles, and anything that asks for JSON and not for HTML."""
    return request.path.endswith((".geojson", ".mvt", ".pmtiles")) or (
        request.accept_mimetypes.best_match(["text/html", "application/json"], default="text/html")
        == "application/json"
    )


def _log(response: Response) -> None:
    """Log the route's name and never the address, which may hold a token."""
    if request.endpoint != "static":
        taken = round((time.monotonic() - g.get("started", time.monotonic())) * 1000)
        logging.getLogger("lapwing.web").info(
            "request", extra={"route": request.endpoint, "status": response.status_code, "duration_ms": taken}
        )


def begin_session(response: Response, token: str) -> Response:
    """Hand the browser its session."""
    settings = lapwing().settings
    response.set_cookie(
        COOKIE,
        token,
        max_age=settings.session_hours * 3600,
        httponly=True,
        samesite="Strict",
        secure=settings.secure_cookies,
        path="/",
    )
    return response
