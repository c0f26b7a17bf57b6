"""One table from exceptions to status codes; problem+json (RFC 9457) for programs, a page for people."""

import logging
from typing import Any, Final

from flask import Flask, Response, jsonify, render_template
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from app.logs import request_id
from app.web.security import wants_json
from geo.errors import (
    Conflict,
    DisclosureError,
    InvalidParameter,
    LapwingError,
    NotFound,
    NotPermitted,
    StoreError,
)

STATUS: Final[dict[type[LapwingError], int]] = {
    NotFound: 404,
    NotPermitted: 403,
    DisclosureError: 403,
    Conflict: 409,
    InvalidParameter: 422,
    StoreError: 503,
}
_TITLES: Final = {
    400: "That form could not be read",
    401: "Sign in first",
    403: "You cannot open this",
    404: "Not found",
    405: "Not found",
    409: "That does not fit",
    413: "That is too much",
    422: "Something needs correcting",
    500: "Something went wrong here",
    503: "The store cannot be reached",
}


def explain(app: Flask) -> None:
    """Answer every failure in the caller's language."""

    @app.errorhandler(LapwingError)
    def known(error: LapwingError) -> Any:
        status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 422)
        return _answer(status, str(error))

    @app.errorhandler(CSRFError)
    def stale_form(_: CSRFError) -> Any:
        return _answer(
            400,
            "The page was open too long or cookies are off. Go back, load it again and send it once more.",
        )

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Any:
        status = error.code or 500
        words = (
            error.description if status in {401, 403, 413} else {404: "There is nothing at this address."}.get(status)
        )
        return _answer(status, words or "The request could not be carried out.")

    @app.errorhandler(Exception)
    def unknown(error: Exception) -> Any:
        logging.getLogger("lapwing.web").error("unhandled", exc_info=error)
        return _answer(500, f"The failure is in the log under request {request_id.get()}. Nothing was half-saved.")


def _answer(status: int, words: str) -> tuple[Response | str, int]:
    title = _TITLES.get(status, "That did not work")
    if wants_json():
        response = jsonify({"type": "about:blank", "title": title, "status": status, "detail": words})
        response.mimetype = "application/problem+json"
        return response, status
    return render_template("error.html", title=title, words=words), status
