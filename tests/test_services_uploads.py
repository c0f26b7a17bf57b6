"""Uploads between two steps: unreadable on disk, unforgeable, and gone in time."""

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.services.uploads import UploadVault
from geo.errors import NotFound
from tests.bytewatch import watching
from tests.conftest import NOW_US, PROJECT

CHUNK = 1 << 20
HOUR_US = 3_600_000_000
NOTHING = "00000000-0000-7000-8000-000000000000"
in_one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "var" / "uploads"


@pytest.fixture
def vault(folder: Path) -> UploadVault:
    return UploadVault(folder)


def part(folder: Path, upload_id: str, name: str) -> Path:
    return folder / f"{upload_id}.{name}"


def refused(vault: UploadVault, upload_id: str, key: str, now_us: int = NOW_US) -> str:
    with pytest.raises(NotFound) as caught:
        vault.open(upload_id, key, now_us=now_us)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return str(caught.value)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 17])
def test_what_is_kept_comes_back_at_every_chunk_boundary(vault: UploadVault, folder: Path, size: int) -> None:
    content = os.urandom(size)
    upload_id, key = vault.keep(content, {"name": "a.csv"}, now_us=NOW_US)
    upload = vault.open(upload_id, key, now_us=NOW_US + HOUR_US - 1001)
    assert (upload.upload_id, upload.content, upload.about) == (upload_id, content, {"name": "a.csv"})
    chunks = max(1, -(-size // CHUNK))
    assert part(folder, upload_id, "content").stat().st_size == size + 16 * chunks


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@in_one_folder
@given(content=st.binary(max_size=2000), about=st.dictionaries(st.text(), JSON, max_size=5))
def test_any_bytes_and_any_plain_values_come_back(vault: UploadVault, content: bytes, about: dict) -> None:
    upload = vault.open(*vault.keep(content, about, now_us=NOW_US), now_us=NOW_US)
    assert (upload.content, upload.about) == (content, about)


@pytest.mark.alone
def test_nothing_readable_is_ever_written_and_no_key(vault: UploadVault, folder: Path, tmp_path: Path) -> None:
    needles = [f"planted-{secrets.token_hex(8)}".encode() for _ in range(3)]
    content = needles[0] + os.urandom(2 * CHUNK) + needles[0]
    with watching(needles, folders=[tmp_path], processes=[os.getpid()]) as watch:
        upload_id, key = vault.keep(content, {"name": needles[1].decode()}, now_us=NOW_US)
        vault.amend(upload_id, key, {"correction": needles[2].decode()}, now_us=NOW_US)
        upload = vault.open(upload_id, key, now_us=NOW_US)
    assert watch.hits == []
    assert len(key) == 43
    on_disk = b"".join(file.read_bytes() + file.name.encode() for file in folder.iterdir())
    assert key.encode() not in on_disk
    assert needles[0].decode() not in repr(upload)
    assert needles[2].decode() not in repr(upload)


def test_only_the_owner_may_read_folder_and_files(vault: UploadVault, folder: Path) -> None:
    folder.mkdir(parents=True, mode=0o755)
    before = os.umask(0)
    try:
        upload_id, key = vault.keep(b"x", {}, now_us=NOW_US)
        vault.amend(upload_id, key, {"a": 1}, now_us=NOW_US)
    finally:
        os.umask(before)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}


def test_two_uploads_of_the_same_bytes_share_nothing(vault: UploadVault, folder: Path) -> None:
    (one, key), (two, other) = (vault.keep(b"same" * 99, {"a": 1}, now_us=NOW_US) for _ in range(2))
    assert (one, key) != (two, other)
    assert part(folder, one, "content").read_bytes() != part(folder, two, "content").read_bytes()


def test_unknown_expired_wrong_and_tampered_are_refused_in_the_same_words(vault: UploadVault, folder: Path) -> None:
    upload_id, key = vault.keep(b"secret text", {"a": 1}, now_us=NOW_US)
    other_id, other_key = vault.keep(b"other text", {"a": 2}, now_us=NOW_US)
    said = {
        refused(vault, NOTHING, key),
        refused(vault, upload_id, other_key),
        refused(vault, upload_id, ""),
        refused(vault, upload_id, key[:-1]),
        refused(vault, upload_id, f"{key}="),
        refused(vault, upload_id, "é" * 43),
        refused(vault, f"../uploads/{upload_id}", key),
        refused(vault, f"{upload_id}\n", key),
        refused(vault, upload_id.upper(), key),
        refused(vault, "", key),
        refused(vault, other_id, other_key, NOW_US + HOUR_US),
    }
    assert len(said) == 1
    assert said.pop().endswith("Choose the file again.")
    assert vault.open(upload_id, key, now_us=NOW_US).content == b"secret text"
    assert not list(folder.glob(f"{other_id}*"))  # the expired one went as it was asked for


def test_any_changed_byte_of_any_part_is_noticed(vault: UploadVault, folder: Path) -> None:
    upload_id, key = vault.keep(b"row,row", {"kind": "incident"}, now_us=NOW_US)
    for name in ("content", "about"):
        file = part(folder, upload_id, name)
        good = file.read_bytes()
        for at in range(len(good)):
            file.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
            refused(vault, upload_id, key)
        for short in range(len(good)):
            file.write_bytes(good[:short])
            refused(vault, upload_id, key)
        file.write_bytes(good + b"\0")
        refused(vault, upload_id, key)
        file.write_bytes(good)
    assert vault.open(upload_id, key, now_us=NOW_US).content == b"row,row"


def test_chunks_can_be_neither_moved_nor_dropped_nor_repeated(vault: UploadVault, folder: Path) -> None:
    upload_id, key = vault.keep(os.urandom(3 * CHUNK), {}, now_us=NOW_US)
    file = part(folder, upload_id, "content")
    good = file.read_bytes()
    first, second, third = (good[at : at + CHUNK + 16] for at in range(0, len(good), CHUNK + 16))
    for forged in (second + first + third, first + second, first + third, second + third, good + third, first * 3, b""):
        file.write_bytes(forged)
        refused(vault, upload_id, key)


def test_parts_of_other_uploads_do_not_fit(vault: UploadVault, folder: Path) -> None:
    upload_id, key = vault.keep(b"mine", {}, now_us=NOW_US)
    other, other_key = vault.keep(b"not!", {}, now_us=NOW_US)
    for name in ("about", "content"):
        part(folder, upload_id, name).write_bytes(part(folder, other, name).read_bytes())
        refused(vault, upload_id, key)
    refused(vault, upload_id, other_key)  # whole, but under another id, which would be its age too


def test_an_amendment_leaves_content_and_age_alone(vault: UploadVault, folder: Path) -> None:
    upload_id, key = vault.keep(b"rows", {"step": 1}, now_us=NOW_US)
    before = part(folder, upload_id, "content").stat()
    old = part(folder, upload_id, "about").read_bytes()
    vault.amend(upload_id, key, {"step": 2, "row 7": "corrected"}, now_us=NOW_US + HOUR_US // 2)
    vault.amend(upload_id, key, {"step": 1}, now_us=NOW_US + HOUR_US // 2)
    assert part(folder, upload_id, "about").read_bytes()[:12] != old[:12]  # a nonce is never used twice
    after = part(folder, upload_id, "content").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert vault.open(upload_id, key, now_us=NOW_US).about == {"step": 1}
    assert len(list(folder.iterdir())) == 2
    with pytest.raises(NotFound):
        vault.amend(upload_id, key, {}, now_us=NOW_US + HOUR_US)
    other, _ = vault.keep(b"", {}, now_us=NOW_US)
    with pytest.raises(NotFound):
        vault.amend(other, key, {"taken": "over"}, now_us=NOW_US)


def test_a_discarded_upload_is_gone_and_may_be_discarded_again(vault: UploadVault, folder: Path) -> None:
    vault.discard(NOTHING)  # before there is a folder
    upload_id, key = vault.keep(b"rows", {}, now_us=NOW_US)
    kept, other = vault.keep(b"rows", {}, now_us=NOW_US)
    for _ in range(2):
        vault.discard(upload_id)
        refused(vault, upload_id, key)
        with pytest.raises(NotFound):
            vault.amend(upload_id, key, {}, now_us=NOW_US)
    assert vault.open(kept, other, now_us=NOW_US).content == b"rows"
    assert {file.name for file in folder.iterdir()} == {f"{kept}.about", f"{kept}.content"}


def test_discarding_deletes_nothing_but_uploads(vault: UploadVault, folder: Path) -> None:
    upload_id, key = vault.keep(b"rows", {}, now_us=NOW_US)
    outside = folder.parent / "lapwing.db"
    outside.write_bytes(b"store")
    (folder / "note.txt").write_bytes(b"note")
    for trick in (
        "../lapwing",
        "..",
        "*",
        "",
        f"{upload_id[:-1]}?",
        f"{upload_id[:-1]}*",
        "note",
        str(outside),
        "a\0b",
    ):
        vault.discard(trick)
    assert vault.open(upload_id, key, now_us=NOW_US).content == b"rows"
    assert outside.exists()
    vault.sweep(now_us=NOW_US + 2 * HOUR_US)
    assert [file.name for file in folder.iterdir()] == ["note.txt"]


def test_sweeping_takes_the_old_and_the_half_written_only(folder: Path) -> None:
    vault = UploadVault(folder, lifetime_us=60_000_000)
    assert vault.sweep(now_us=NOW_US) == 0
    old, _ = vault.keep(b"old", {}, now_us=NOW_US - 60_000_000)
    half, _ = vault.keep(b"half", {}, now_us=NOW_US - 90_000_000)
    part(folder, half, "about").unlink()
    part(folder, half, "content").rename(part(folder, half, "content-0a0b0c0d"))
    ahead, _ = vault.keep(b"clock was wrong", {}, now_us=NOW_US + 60_000_000)
    fresh, key = vault.keep(b"fresh", {}, now_us=NOW_US - 59_000_000)
    soon, _ = vault.keep(b"another thread's", {}, now_us=NOW_US + 5_000)
    assert vault.sweep(now_us=NOW_US) == 3
    assert {file.name[:36] for file in folder.iterdir()} == {fresh, soon}
    assert vault.open(fresh, key, now_us=NOW_US).content == b"fresh"
    assert old != ahead
    assert vault.sweep(now_us=NOW_US) == 0


def test_a_failure_amid_writing_leaves_nothing(
    vault: UploadVault, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TypeError):
        vault.keep(b"rows", {"not plain": object()}, now_us=NOW_US)
    assert list(folder.iterdir()) == []
    upload_id, key = vault.keep(b"rows", {"step": 1}, now_us=NOW_US)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(OSError, match="No space"):
            vault.amend(upload_id, key, {"step": 2}, now_us=NOW_US)
        with pytest.raises(OSError, match="No space"):
            vault.keep(b"more", {}, now_us=NOW_US)
    assert {file.name for file in folder.iterdir()} == {f"{upload_id}.about", f"{upload_id}.content"}
    assert vault.open(upload_id, key, now_us=NOW_US).about == {"step": 1}


def test_a_killed_writer_leaves_only_what_a_sweep_takes(vault: UploadVault, folder: Path) -> None:
    script = f"""
import os, signal
from pathlib import Path
from app.services.uploads import UploadVault
Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
UploadVault(Path({str(folder)!r})).keep(b"rows" * 9999, {{}}, now_us={NOW_US})
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, check=False)
    assert done.returncode == -9
    (left,) = folder.iterdir()
    assert not left.name.endswith((".content", ".about"))
    assert b"rows" not in left.read_bytes()
    assert vault.sweep(now_us=NOW_US + HOUR_US - 1) == 0  # another may be at it
    assert vault.sweep(now_us=NOW_US + HOUR_US) == 1
    assert list(folder.iterdir()) == []


def test_the_cipher_is_loaded_only_when_it_is_needed() -> None:
    probe = "import sys, app.services.uploads; print('cryptography' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", probe], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
