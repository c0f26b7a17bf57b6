"""JSON lines on stderr with the request or run they belong to; never coordinates, marks, names or free text."""

import json
import logging
import os
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Final

request_id: ContextVar[str] = ContextVar("request_id", default="")

# Only these may be attached with ``extra=``: whatever else a caller passes is not written.
_FIELDS: Final = ("run", "batch", "route", "status", "duration_ms", "count")


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON, with the type of an exception but not its text, which may quote data."""
        entry: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id.get():
            entry["request"] = request_id.get()
        entry |= {name: getattr(record, name) for name in _FIELDS if hasattr(record, name)}
        if record.exc_info and record.exc_info[0]:
            entry["exception"] = record.exc_info[0].__name__
            entry["where"] = _where(record)
        return json.dumps(entry)


def _where(record: logging.LogRecord) -> list[str]:
    traceback = record.exc_info[2] if record.exc_info else None
    places = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        places.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return places[-6:]


def configure_logging(level: int = logging.INFO) -> None:
    """Send the application's log to stderr, and what GDAL would print beside it nowhere: it quotes files."""
    os.environ["CPL_LOG"] = os.devnull
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger("lapwing")
    root.handlers[:] = [handler]
    root.setLevel(level)
    root.propagate = False
