"""The upload whose key the browser holds: one at a time, and every form names the one that it is about."""

import hashlib
import json
from dataclasses import dataclass
from typing import Final

from flask import Response, request
from werkzeug.wrappers import Response as Redirect

from app.services.staging import Choices
from app.services.uploads import Upload
from app.web.security import lapwing, scope
from geo.errors import Conflict, NotFound

COOKIE: Final = "lapwing_upload"
ANOTHER: Final = (
    "This page is about another file than the one that was uploaded last in this browser, or its choices were changed in"
    " another window. Nothing was stored. Open Files and choose the file again."
)
_NO_UPLOAD: Final = "Choose a file first: an upload is kept for an hour at most."


@dataclass(frozen=True)
class Held:
    """An opened upload, its key, and what was chosen about it so far."""

    upload: Upload
    key: str
    choices: Choices

    @property
    def upload_id(self) -> str:
        """Name of the upload, as forms hand it in."""
        return self.upload.upload_id

    @property
    def content(self) -> bytes:
        """Content of the file."""
        return self.upload.content

    @property
    def mark(self) -> str:
        """Tell one state of the choices from another: what is confirmed is what was checked."""
        return hashlib.sha256(json.dumps(self.choices.as_dict(), sort_keys=True).encode()).hexdigest()

    @property
    def check(self) -> str:
        """Name the check of the file as it was chosen."""
        return f"check:{self.upload_id}:{self.mark}"


def _of_cookie() -> tuple[str, str]:
    upload_id, _, key = request.cookies.get(COOKIE, "").partition(".")
    return upload_id, key


def keep(content: bytes, choices: Choices, response: Response | Redirect) -> None:
    """Seal a file and hand its key to the browser, which alone keeps it; the file before it goes."""
    upload_id, key = lapwing().uploads.keep(content, choices.as_dict(), now_us=lapwing().clock())
    lapwing().uploads.discard(_of_cookie()[0])
    response.set_cookie(
        COOKIE, f"{upload_id}.{key}", max_age=3600, httponly=True, samesite="Strict", path="/imports",
        secure=lapwing().settings.secure_cookies,
    )  # fmt: skip


def held() -> Held:
    """Return the upload whose key the browser holds.

    Raises
    ------
    NotFound
        When there is none, or it is another person's.
    Conflict
        When a form is about another: in another window another file was chosen meanwhile.
    """
    upload_id, key = _of_cookie()
    if not key:
        raise NotFound(_NO_UPLOAD)
    _require_same(upload_id)
    opened = lapwing().uploads.open(upload_id, key, now_us=lapwing().clock())
    choices = Choices(**opened.about)
    if choices.owner != scope().actor:  # somebody else signed in on this browser
        raise NotFound(_NO_UPLOAD)
    return Held(opened, key, choices)


def checked() -> Held:
    """Return the upload of a form whose page showed what its present choices come to.

    Raises
    ------
    NotFound, Conflict
        As :func:`held` does; Conflict also when its choices were changed since.
    """
    found = held()
    if found.choices.columns is None or request.form.get("checked") != found.mark:
        raise Conflict(ANOTHER)
    return found


def amend(found: Held, choices: Choices) -> Held:
    """Keep what was chosen about an upload."""
    lapwing().uploads.amend(found.upload_id, found.key, choices.as_dict(), now_us=lapwing().clock())
    return Held(found.upload, found.key, choices)


def forget(response: Response | Redirect, upload_id: str | None = None) -> Response | Redirect:
    """Delete an upload and the browser's key to it: the form's own, or the named one unless another is held by now."""
    kept = _of_cookie()[0]
    if upload_id is None and kept:
        _require_same(kept)
    if upload_id in {None, kept}:
        lapwing().uploads.discard(kept)
        response.delete_cookie(COOKIE, path="/imports")
    return response


def _require_same(upload_id: str) -> None:
    if request.method == "POST" and request.form.get("upload") != upload_id:
        raise Conflict(ANOTHER)
