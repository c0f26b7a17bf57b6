"""The web service: parse, authorise, call one use case, present."""

from typing import TYPE_CHECKING

from flask import Flask
from flask_wtf.csrf import CSRFProtect
from jinja2 import ChoiceLoader, PackageLoader, PrefixLoader

from app.web import (
    administration,
    analysing,
    basemap,
    besides,
    cells,
    compressing,
    dashboard,
    deciding,
    drawing,
    errors,
    evidence,
    imports,
    places,
    presentation,
    printing,
    proving,
    records,
    runs,
    saving,
    security,
    sharing,
    sign_in,
    spooling,
    tasking,
    tiles,
)

if TYPE_CHECKING:
    from app.wiring import Lapwing

BLUEPRINTS = (
    sign_in.pages,
    dashboard.pages,
    runs.pages,
    tiles.pages,
    cells.pages,
    drawing.pages,
    saving.pages,
    sharing.pages,
    analysing.pages,
    places.pages,
    deciding.pages,
    basemap.pages,
    printing.pages,
    besides.pages,
    proving.pages,
    tasking.pages,
    evidence.pages,
    imports.pages,
    records.pages,
    administration.pages,
)
MAX_FORM_BYTES = 1 << 20


def make_app(lapwing: "Lapwing") -> Flask:
    """Assemble the service over an application."""
    app = Flask("app", static_folder="static", template_folder="templates")
    app.request_class = spooling.InMemoryRequest
    app.config.update(
        SECRET_KEY=lapwing.secret("web"),
        SESSION_COOKIE_NAME="lapwing_form",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_SECURE=lapwing.settings.secure_cookies,
        MAX_CONTENT_LENGTH=MAX_FORM_BYTES,
        MAX_FILE_BYTES=lapwing.settings.max_file_bytes,  # of endpoints that take a file: app.web.spooling.UPLOADS
        WTF_CSRF_SSL_STRICT=False,  # it wants a Referer, which our own policy keeps from every server; the token decides
        WTF_CSRF_TIME_LIMIT=None,  # a token lives as long as the form's session
    )
    app.extensions["lapwing"] = lapwing
    govuk = PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})
    app.jinja_options = {"loader": ChoiceLoader([govuk, app.jinja_loader])} if app.jinja_loader else {}
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    security.protect(app)  # before the forms are checked, so that their refusals wear nonce and headers too
    compressing.compress(app)
    CSRFProtect(app)
    errors.explain(app)
    presentation.prepare(app)
    return app
