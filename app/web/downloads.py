"""Handing a released layer to a browser."""

import tempfile
from pathlib import Path

from flask import send_file
from werkzeug.wrappers import Response

from app.services import exporting
from app.web.security import lapwing, scope, store
from geo.model import Run


def hand_out(run: Run, wanted: exporting.ExportRequest) -> Response:
    """Export into a folder of its own, enter the ledger and send the file."""
    with tempfile.TemporaryDirectory(prefix="lapwing-") as folder:
        done = exporting.export_file(store(), scope(), run, wanted, Path(folder), now_us=lapwing().clock())
        stream = done.path.open("rb")  # the name goes with the folder, the open file stays readable
    return send_file(
        stream,
        mimetype=exporting.MEDIA_TYPES[wanted.format],
        as_attachment=True,
        download_name=done.path.name,
    )
