"""Uploads between two steps of an import: sealed on disk, with a key that only the browser holds.

An upload is two files named by its id: ``.content`` never changes, ``.about`` (the file's name, the choices made so far) is
replaced whole. Its age is that of its id, a version 7 UUID, which is authenticated with everything sealed under it.
"""

import base64
import json
import os
import re
import secrets
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from data.ids import uuid7
from geo.errors import NotFound

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_HOUR_US: Final = 3_600_000_000
_CHUNK: Final = 1 << 20
_TAG: Final = 16
_NONCE: Final = 12
_ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_GONE: Final = (
    "This upload is no longer here: it is kept for an hour at most, and only until it is confirmed or cancelled."
    " Choose the file again."
)


@dataclass(frozen=True, kw_only=True)
class Upload:
    """An opened upload; its content and what is known about it stay out of its repr."""

    upload_id: str
    content: bytes = field(repr=False)
    about: dict[str, Any] = field(repr=False)


class UploadVault:
    """A folder of sealed uploads, which nobody can open without the key handed out with each."""

    def __init__(self, folder: Path, *, lifetime_us: int = _HOUR_US) -> None:
        self._folder = folder
        self._lifetime_us = lifetime_us

    def keep(self, content: bytes, about: dict[str, Any], *, now_us: int) -> tuple[str, str]:
        """Seal an upload; returns its id and its key, which is stored nowhere."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        upload_id, key = uuid7(now_us), secrets.token_bytes(32)
        cipher = _cipher(key)
        try:
            self._write(upload_id, "content", _seal_content(cipher, upload_id, content))
            self._write(upload_id, "about", _seal_about(cipher, upload_id, about))
        except BaseException:  # half an upload is of no use to anybody
            self.discard(upload_id)
            raise
        return upload_id, base64.urlsafe_b64encode(key).rstrip(b"=").decode()

    def open(self, upload_id: str, key_text: str, *, now_us: int) -> Upload:
        """Open an upload.

        Raises
        ------
        NotFound
            When it is unknown, expired or tampered with, or the key is another's: in the same words.
        """
        cipher, about = self._about(upload_id, key_text, now_us)
        return Upload(upload_id=upload_id, content=self._content(cipher, upload_id), about=about)

    def amend(self, upload_id: str, key_text: str, about: dict[str, Any], *, now_us: int) -> None:
        """Replace what is known about an upload; its content and its age stay as they are.

        Raises
        ------
        NotFound
            As :meth:`open` does.
        """
        cipher, _ = self._about(upload_id, key_text, now_us)
        try:
            self._write(upload_id, "about", _seal_about(cipher, upload_id, about))
        except FileNotFoundError:  # discarded meanwhile, in another window
            raise NotFound(_GONE) from None

    def discard(self, upload_id: str) -> None:
        """Delete an upload; one that is not there, or no id at all, is no mistake."""
        if _ID.fullmatch(upload_id):
            for file in sorted(self._folder.glob(f"{upload_id}.*")):  # "about" first: without it nothing opens
                file.unlink(missing_ok=True)

    def sweep(self, *, now_us: int) -> int:
        """Delete what has outlived its time, half-written uploads too; returns the number of uploads."""
        held = {found[0] for file in self._folder.glob("*.*") if (found := _ID.match(file.name))}
        expired = [upload_id for upload_id in held if self._is_expired(upload_id, now_us)]
        for upload_id in expired:
            self.discard(upload_id)
        return len(expired)

    def _is_expired(self, upload_id: str, now_us: int) -> bool:
        """Whether an id is too old; one from a future as far away comes from a clock that was wrong."""
        made_us = (uuid.UUID(upload_id).int >> 80) * 1000
        return abs(now_us - made_us) >= self._lifetime_us

    def _about(self, upload_id: str, key_text: str, now_us: int) -> tuple["AESGCM", dict[str, Any]]:
        from cryptography.exceptions import InvalidTag

        if not _ID.fullmatch(upload_id) or not _KEY.fullmatch(key_text):
            raise NotFound(_GONE)
        if self._is_expired(upload_id, now_us):
            self.discard(upload_id)
            raise NotFound(_GONE)
        cipher = _cipher(base64.urlsafe_b64decode(f"{key_text}="))
        try:
            sealed = self._path(upload_id, "about").read_bytes()
            plain = cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], _bound(upload_id, "about"))
        except (FileNotFoundError, InvalidTag, ValueError):  # ValueError: too short to hold a nonce
            raise NotFound(_GONE) from None
        found: dict[str, Any] = json.loads(plain)
        return cipher, found

    def _content(self, cipher: "AESGCM", upload_id: str) -> bytes:
        from cryptography.exceptions import InvalidTag

        try:
            return _open_content(cipher, upload_id, self._path(upload_id, "content"))
        except (FileNotFoundError, InvalidTag):
            raise NotFound(_GONE) from None

    def _path(self, upload_id: str, part: str) -> Path:
        return self._folder / f"{upload_id}.{part}"

    def _write(self, upload_id: str, part: str, pieces: Iterable[bytes]) -> None:
        """Write beside and rename: a part is there whole or not at all. After a power cut it may fail to open, no more."""
        scratch = self._path(upload_id, f"{part}-{secrets.token_hex(4)}")
        try:
            scratch.touch(mode=0o600, exist_ok=False)
            with scratch.open("wb") as file:
                file.writelines(pieces)
            scratch.replace(self._path(upload_id, part))
        finally:
            scratch.unlink(missing_ok=True)


def _cipher(key: bytes) -> "AESGCM":
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


def _seal_content(cipher: "AESGCM", upload_id: str, content: bytes) -> Iterator[bytes]:
    """Seal chunk by chunk: the nonce counts them and the last one says so, hence none can be moved, added or cut off."""
    view = memoryview(content)
    starts = range(0, max(len(view), 1), _CHUNK)
    for index, start in enumerate(starts):
        last = index == len(starts) - 1
        yield cipher.encrypt(
            _counted(index), view[start : start + _CHUNK], _bound(upload_id, "last" if last else "more")
        )


def _open_content(cipher: "AESGCM", upload_id: str, path: Path) -> bytes:
    plain = BytesIO()  # whose value is handed out without a copy
    with path.open("rb") as file:
        left = os.fstat(file.fileno()).st_size
        for index in count():
            sealed = file.read(_CHUNK + _TAG)
            left -= len(sealed)
            last = left <= 0
            plain.write(cipher.decrypt(_counted(index), sealed, _bound(upload_id, "last" if last else "more")))
            if last:
                break
    return plain.getvalue()


def _seal_about(cipher: "AESGCM", upload_id: str, about: dict[str, Any]) -> Iterator[bytes]:
    nonce = b"\xff" + secrets.token_bytes(_NONCE - 1)  # the counted nonces of the content begin with a zero byte
    yield nonce
    yield cipher.encrypt(nonce, json.dumps(about).encode(), _bound(upload_id, "about"))


def _counted(index: int) -> bytes:
    return index.to_bytes(_NONCE, "big")


def _bound(upload_id: str, part: str) -> bytes:
    """Return what is authenticated beside the text: a piece opens only in its own upload and in its own place."""
    return f"lapwing upload 1 {upload_id} {part}".encode()
