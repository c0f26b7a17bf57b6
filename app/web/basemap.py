"""The basemap's archive, a range at a time: the browser asks for the few bytes of each tile it shows."""

from collections.abc import Iterator
from os import fstat
from typing import BinaryIO, Final

from flask import Blueprint, Response, request

from app.services.basemap import open_basemap
from app.web.security import lapwing, scope, store

pages = Blueprint("basemap", __name__)

MEDIA_TYPE: Final = "application/vnd.pmtiles"
_PIECE: Final = 1 << 16


@pages.get("/basemap.pmtiles")
def archive() -> Response:
    """Return what was asked for of the archive; 204 when maps draw none."""
    stream = open_basemap(store(), scope(), lapwing().settings.basemap_path, keys=lapwing().keys)
    if stream is None:
        return _dressed(Response(status=204))
    response = _asked(stream)
    response.call_on_close(stream.close)
    return _dressed(response)


def _asked(stream: BinaryIO) -> Response:
    """Answer with the whole, with one range, with that it has not changed, or that there is no such range."""
    found = fstat(stream.fileno())
    size, etag = found.st_size, f"{found.st_ino:x}-{found.st_mtime_ns:x}-{found.st_size:x}"
    response = Response(status=304) if request.if_none_match.contains(etag) else _bytes(stream, size, etag)
    response.set_etag(etag)
    response.headers["Accept-Ranges"] = "bytes"
    return response


def _bytes(stream: BinaryIO, size: int, etag: str) -> Response:
    wanted = request.range
    if wanted is None or wanted.units != "bytes" or not _range_holds(etag):
        start, stop, status = 0, size, 200
    elif (span := wanted.range_for_length(size)) is None:  # outside the file, or several ranges at once
        response = Response(status=416)
        response.headers["Content-Range"] = f"bytes */{size}"
        return response
    else:
        (start, stop), status = span, 206
    response = Response(_pieces(stream, start, stop), status=status, mimetype=MEDIA_TYPE, direct_passthrough=True)
    response.content_length = stop - start
    if status == 206:
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    return response


def _range_holds(etag: str) -> bool:
    """Whether the range is of the file as it now is: without If-Range it always is; a date is never exact enough."""
    told = request.if_range
    return "If-Range" not in request.headers or told.etag == etag


def _pieces(stream: BinaryIO, start: int, stop: int) -> Iterator[bytes]:
    stream.seek(start)
    while start < stop and (piece := stream.read(min(_PIECE, stop - start))):
        start += len(piece)
        yield piece


def _dressed(response: Response) -> Response:
    response.headers["Cache-Control"] = (
        "private, no-store"  # browsers muddle ranges in their caches, and keep them on disk
    )
    return response
