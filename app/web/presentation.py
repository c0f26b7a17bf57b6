"""What every template needs: navigation by role, the marking, the nonce and words."""

from typing import Any

from flask import Flask, g, request, url_for

from app.services.synthetic import is_synthetic
from app.web.routes import permitted
from app.web.security import store
from geo.disclosure import MARKING, SYNTHETIC_NOTICE
from geo.model import Role
from geo.narrative import day_words, kind_words, kinds_words, place_title, plural, span_words
from geo.quality import in_ten
from geo.temporal import LONDON, from_micros

_NAVIGATION = (
    ("Home", "dashboard.home"),
    ("Map and places", "runs.index"),
    ("By area", "proving.areas"),
    ("Outreach", "tasking.latest"),
    ("Sessions and records", "records.index"),
    ("Files", "evidence.imports"),
    ("Rows needing attention", "evidence.quarantine"),
    ("Data quality", "evidence.quality"),
    ("Audit", "administration.audit"),
    ("Users", "administration.users"),
)


def prepare(app: Flask) -> None:
    """Give the templates their words and surroundings."""
    app.jinja_env.filters.update(
        kind_words=kind_words,
        plural=plural,
        plural_of=lambda text, word: plural(int(text), word),
        span_words=span_words,
        day_words=day_words,
        moment=_moment,
        field_value=_field_value,
        percent=_percent,
        in_ten=in_ten,
        thousands=lambda n: f"{n:,}",
    )
    app.jinja_env.globals.update(place_title=place_title, kinds_words=kinds_words)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True

    @app.context_processor
    def surroundings() -> dict[str, Any]:
        account = g.get("account")
        return {
            "cspNonce": g.get("nonce", ""),
            "assetPath": "/static/vendor",
            "marking": MARKING,
            "account": account,
            "synthetic": SYNTHETIC_NOTICE if account and is_synthetic(store(), account.scope) else "",
            "navigation": _navigation(account.role) if account else [],
            "may": lambda endpoint: bool(account and permitted(endpoint, account.role)),
        }


def _navigation(role: Role) -> list[dict[str, Any]]:
    here = (request.endpoint or "").split(".")[0]
    return [
        {
            "text": text,
            "href": url_for(endpoint),
            "active": endpoint == request.endpoint
            or (endpoint.split(".")[0] == here and here in {"runs", "tasking", "records"}),
        }
        for text, endpoint in _NAVIGATION
        if permitted(endpoint, role)
    ]


def _percent(share: float) -> str:
    return "under 1%" if 0 < share < 0.01 else f"{share:.0%}"


def _moment(at_us: int) -> str:
    moment = from_micros(at_us).astimezone(LONDON)
    return f"{moment.day} {moment:%B %Y}, {moment:%H:%M}"


def _field_value(value: Any, field: str) -> str:
    """Value of a record's field in words."""
    if value is None or value == "":
        return "nothing"
    return _moment(int(value)) if field.endswith("_us") else f"{value:g}" if isinstance(value, float) else str(value)
