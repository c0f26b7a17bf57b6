"""Answers in gzip for browsers that take it: scripts, styles, tiles and layers, and never a page.

Pages have the token of their forms beside what the address says, and the length of the two compressed together would tell
of the token (BREACH: Gluck, Harris and Prado 2013); Flask-WTF signs the token anew for each page but does not mask it.

Notes
-----
What left in gzip has the weak form of its entity tag, as the two forms mean the same and differ in bytes (RFC 9110, 8.8.1
and 8.8.3.3). A 304 repeats the form that the browser has, and Vary says that the answer was chosen (15.4.5).
"""

import gzip
import hashlib
from typing import Final

from flask import Flask, Response, request
from werkzeug.datastructures import ETags
from werkzeug.http import parse_etags

from app.services.shelf import Shelf

MEDIA_TYPES: Final = frozenset(
    {
        "text/css",
        "text/javascript",
        "application/javascript",
        "application/json",
        "application/geo+json",
        "application/vnd.mapbox-vector-tile",
        "image/svg+xml",
    }
)
LEAST_BYTES: Final = 1024
_LEVEL: Final = 6
_KEPT_BYTES: Final = 32 * 1024 * 1024


def compress(app: Flask) -> None:
    """Send what is large and may be compressed in gzip to who takes it; what was compressed once is kept for the next."""
    shelf = Shelf(_KEPT_BYTES)

    @app.before_request
    def compare() -> None:
        """Have ``W/"x"`` match ``"x"`` for If-None-Match (RFC 9110, 13.1.2), and hold no range for If-Range (13.1.5)."""
        told = request.if_none_match
        request.if_none_match = ETags(told.as_set(include_weak=True), star_tag=told.star_tag)
        if request.headers.get("If-Range", "").startswith("W/"):
            request.environ.pop("HTTP_RANGE", None)

    @app.after_request
    def encode(response: Response) -> Response:
        if request.method not in {"GET", "HEAD"} or response.mimetype not in MEDIA_TYPES:
            return response
        response.vary.add("Accept-Encoding")
        tag, _ = response.get_etag()
        if response.status_code == 304 and parse_etags(request.headers.get("If-None-Match")).is_weak(tag or ""):
            response.set_etag(tag or "", weak=True)
        elif response.status_code == 200 and _takes_gzip() and _is_whole(response):
            _put_gzip(response, shelf)
        return response


def _takes_gzip() -> bool:
    accepted = request.accept_encodings
    return accepted["gzip"] > 0 and accepted["gzip"] >= accepted["identity"]


def _is_whole(response: Response) -> bool:
    """Whether the answer lies ready or is one of our own files, large enough, and in no other form already."""
    ready = not response.is_streamed or request.endpoint == "static"
    return ready and "Content-Encoding" not in response.headers and (response.content_length or 0) >= LEAST_BYTES


def _put_gzip(response: Response, shelf: Shelf) -> None:
    response.direct_passthrough = False
    body = response.get_data()
    key = hashlib.blake2b(body, digest_size=16).digest()  # of the content itself: nobody can be given another's
    packed = shelf.get(key, lambda: gzip.compress(body, _LEVEL, mtime=0), len)
    response.set_data(packed)
    response.headers["Content-Encoding"] = "gzip"
    for name in ("Accept-Ranges", "Last-Modified"):  # a range would be of the plain bytes, and If-Range takes dates
        response.headers.pop(name, None)
    tag, _ = response.get_etag()
    if tag:
        response.set_etag(tag, weak=True)
