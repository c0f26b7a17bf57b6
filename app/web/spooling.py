"""Requests and answers in memory from socket to view and back: nothing that is sent or shown lies on disk on its way.

Waitress would write bodies above 512 KiB and answers above 1 MiB to temporary files, Werkzeug files above 500 kB. Memory
is bounded instead: a body above the largest limit is counted and dropped while it arrives.
"""

import sys
from io import BytesIO
from typing import IO, Any, Final

from flask import Flask, Request, current_app
from waitress import create_server
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import BaseWSGIServer
from waitress.utilities import RequestEntityTooLarge as BodyTooLarge
from werkzeug.exceptions import RequestEntityTooLarge

UPLOADS: Final = frozenset({"imports.upload"})
"""Endpoints that take a file; every other form has MAX_CONTENT_LENGTH to itself."""

_NEVER: Final = sys.maxsize
_PATIENCE: Final = 10  # times the limit: the most that is taken and dropped so that the browser reads our answer


def largest_body(app: Flask) -> int:
    """Bytes of the largest body that any endpoint takes: a file, and beside it as much as any form may hold."""
    return int(app.config["MAX_FILE_BYTES"]) + int(app.config["MAX_CONTENT_LENGTH"])


class InMemoryRequest(Request):
    """A request whose files are kept in memory, and which says in one line what was too large.

    A view takes a file's bytes by ``request.files[name].stream.getvalue()``, which copies nothing.
    """

    @property
    def max_content_length(self) -> int | None:
        """Bytes that the body may have: by endpoint, known before the first byte of the form is read."""
        if self._max_content_length is None and self.endpoint in UPLOADS:
            return largest_body(current_app)
        return super().max_content_length

    @max_content_length.setter
    def max_content_length(self, value: int | None) -> None:
        self._max_content_length = value

    def _get_file_stream(
        self,
        total_content_length: int | None,  # noqa: ARG002  (Werkzeug decides the signature)
        content_type: str | None,  # noqa: ARG002
        filename: str | None = None,  # noqa: ARG002
        content_length: int | None = None,  # noqa: ARG002
    ) -> IO[bytes]:
        return _BoundedFile(int(current_app.config["MAX_FILE_BYTES"]))

    def _load_form_data(self) -> None:
        try:
            super()._load_form_data()
        except _FileTooLarge:
            raise
        except RequestEntityTooLarge as error:
            is_file = self.endpoint in UPLOADS and (self.content_length or 0) > (self.max_content_length or 0)
            raise (_FileTooLarge() if is_file else RequestEntityTooLarge("The form is too large.")) from error


class _FileTooLarge(RequestEntityTooLarge):
    def __init__(self) -> None:
        limit = current_app.config["MAX_FILE_BYTES"] / 1_000_000
        super().__init__(f"The file is larger than {limit:g} MB; split it, or have max_file_mb raised in lapwing.toml.")


class _BoundedFile(BytesIO):
    """A file in memory that refuses to outgrow the limit, which the body's length bounds only roughly."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit

    def write(self, data: Any) -> int:
        if self.tell() + len(data) > self._limit:
            raise _FileTooLarge
        return super().write(data)


# A browser asks for six tiles of a map at a time.
THREADS: Final = 8


def make_server(app: Flask, *, host: str, port: int, **others: Any) -> Any:
    """Listen with a Waitress server that keeps everything in memory and lets the application refuse large bodies.

    Raises
    ------
    OSError
        When the address cannot be had.
    """
    sockets: dict[int, Any] = {}
    options = in_memory_options(app) | others
    server = create_server(app, map=sockets, host=host, port=port, ident=None, threads=THREADS, **options)
    for one in sockets.values():  # "localhost" has two: IPv4 and IPv6
        if isinstance(one, BaseWSGIServer):
            one.channel_class = _Channel
    return server


def in_memory_options(app: Flask) -> dict[str, int]:
    """Waitress's options with which it never writes a temporary file."""
    return {
        "inbuf_overflow": _NEVER,
        "outbuf_overflow": _NEVER,  # an answer waits in memory for the reader; views pause at outbuf_high_watermark
        "max_request_body_size": largest_body(app) + 1,  # Waitress refuses what reaches it, we what exceeds it
    }


class _Parser(HTTPRequestParser):  # type: ignore[misc]  # Waitress has no types
    """Takes a body that is too large without keeping it.

    Waitress alone would answer in its own words and hang up amid the sending, which clients report as a lost connection.
    Without a body but with its length, the application refuses it like any other, with a page and words of ours.
    """

    error: Any

    def received(self, data: bytes) -> int:
        consumed = int(super().received(data))
        length = max(self.content_length, self.body_bytes_received)
        if isinstance(self.error, BodyTooLarge) and length <= _PATIENCE * self.adj.max_request_body_size:
            body = self.body_rcv
            body.buf = _Dropped()
            self.error = body.error
            self.completed = body.completed or body.error is not None
            self.headers["CONTENT_LENGTH"] = str(length)
        return consumed


class _Channel(HTTPChannel):  # type: ignore[misc]
    parser_class = _Parser


class _Dropped:
    """Stands where a body was gathered, and gathers nothing."""

    def append(self, data: bytes) -> None:
        """Forget what came."""

    def getfile(self) -> IO[bytes]:
        """Return nothing."""
        return BytesIO()

    def close(self) -> None:
        """Nothing is open."""

    def __len__(self) -> int:
        return 0
