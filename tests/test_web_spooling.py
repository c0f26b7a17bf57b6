"""Files sent and answers shown never lie on disk on their way, and what is too large is refused in one line."""

import hashlib
import http.client
import os
import re
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from flask import Flask
from werkzeug.test import Client

from app.settings import Settings, load_settings
from app.web import MAX_FORM_BYTES, make_app
from app.web.spooling import InMemoryRequest, largest_body
from app.wiring import Lapwing
from geo.errors import InvalidParameter
from tests.browser import free_port, lapwing_command
from tests.bytewatch import Tree, watching
from tests.conftest import PROJECT

# A service of one form: it works for a while on the file it was sent, then shows it. What differs from ours is put in.
SERVICE = """
import hashlib, sys, time
from flask import Blueprint, Flask, Request, request
from app.web.spooling import InMemoryRequest, make_server

app = Flask("tiny")
app.request_class = {request_class}
app.config.update(MAX_CONTENT_LENGTH=1 << 20, MAX_FILE_BYTES={limit})
pages = Blueprint("imports", __name__)

@pages.post("/upload")
def upload():
    file = request.files["file"]
    content = file.stream.read()
    time.sleep({work_s})
    return content, 200, {{"X-Digest": hashlib.sha256(content).hexdigest()}}

@pages.post("/form")
def form():
    return str(len(request.form["text"]))

app.register_blueprint(pages)
server = make_server(app, host="127.0.0.1", port=0, **{options})
print(server.effective_port, flush=True)
server.run()
"""
MB = 1_000_000
OURS = "InMemoryRequest"
WERKZEUGS = "type('R', (Request,), {'max_content_length': None})"


class Service(NamedTuple):
    port: int
    process: int

    @property
    def peak_memory(self) -> int:
        status = Path(f"/proc/{self.process}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024  # type: ignore[index]


@contextmanager
def service(
    folder: Path,
    *,
    request_class: str = OURS,
    limit: int = 200 * MB,
    work_s: float = 0.0,
    options: dict[str, int] | None = None,
) -> Iterator[Service]:
    script = SERVICE.format(request_class=request_class, limit=limit, work_s=work_s, options=options or {})
    with (folder / "serve.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", script], cwd=PROJECT, stdout=subprocess.PIPE, stderr=log, text=True
        )
        assert process.stdout
        try:
            yield Service(int(process.stdout.readline()), process.pid)
        finally:
            process.terminate()
            process.wait(timeout=20)
            process.stdout.close()


def multipart(*contents: bytes, note: str = "") -> tuple[bytes, dict[str, str]]:
    part = b'--b0undary\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'
    files = [part % (b'file"; filename="rows.csv', content) for content in contents]
    body = b"".join([part % (b"note", note.encode()), *files, b"--b0undary--\r\n"])
    return body, {"Content-Type": "multipart/form-data; boundary=b0undary", "Content-Length": str(len(body))}


def planted(size: int) -> tuple[bytes, list[bytes]]:
    """Rows with a needle at their beginning, in their middle and at their end."""
    needles = [f"planted-{secrets.token_hex(12)}".encode() for _ in range(3)]
    half = b"51.5,-0.1,nothing to see\n" * (size // 50)
    return needles[0] + b"\n" + half + needles[1] + b"\n" + half + needles[2], needles


def send_slowly(port: int, body: bytes, headers: dict[str, str], path: str = "/upload") -> bytes:
    """Send a request piece by piece and read the answer as slowly; returns the answer's body, checked by its digest."""
    with socket.socket() as line:
        line.settimeout(60)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)  # else the kernel takes most of the answer at once
        line.connect(("127.0.0.1", port))
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        line.sendall(f"POST {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n{head}\r\n".encode())
        for at in range(0, len(body), 100_000):
            line.sendall(body[at : at + 100_000])
            time.sleep(0.005)
        answer = b""
        while piece := line.recv(200_000):
            answer += piece
            time.sleep(0.005)
    return answer


def send(port: int, content: bytes) -> tuple[int, str]:
    body, described = multipart(content)
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("POST", "/upload", body, described)
        answer = connection.getresponse()
        return answer.status, answer.read().decode("latin-1")


def watched_upload(folder: Path, **how: object) -> set[bytes]:
    """Send 5 MB with needles to a service; returns the needles that were seen on disk meanwhile."""
    content, needles = planted(5 * MB)
    with (
        service(folder, work_s=0.2, **how) as server,  # type: ignore[arg-type]
        watching(needles, folders=[folder], processes=[server.process]) as watch,
    ):
        answer = send_slowly(server.port, *multipart(content))
    head, _, shown = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert hashlib.sha256(content).hexdigest().encode() in head
    assert shown == content
    assert watch.looks > 10
    return {hit.needle for hit in watch.hits}


@pytest.mark.alone
def test_an_upload_and_its_answer_never_lie_on_disk(tmp_path: Path) -> None:
    assert watched_upload(tmp_path) == set()


@pytest.mark.parametrize(
    "how",
    [
        {"request_class": WERKZEUGS},
        {"options": {"inbuf_overflow": 524_288}},
        {"options": {"outbuf_overflow": 1_048_576}},
    ],
    ids=["Werkzeug's request", "Waitress's bodies", "Waitress's answers"],
)
@pytest.mark.alone
def test_the_watch_sees_what_the_defaults_write(tmp_path: Path, how: dict[str, object]) -> None:
    assert watched_upload(tmp_path, **how) != set()


@pytest.mark.alone
def test_the_watch_sees_files_that_live_some_milliseconds(tmp_path: Path) -> None:
    places = ("named", "deep", "nameless", "elsewhere", "rewritten")
    needles = {place: [f"{place}-{secrets.token_hex(8)}".encode() for _ in range(20)] for place in places}
    folder, outside = tmp_path / "watched", tmp_path / "temporary"
    folder.mkdir()
    (folder / "rewritten").write_bytes(b"." * 100)
    script = f"""
import tempfile, time
from pathlib import Path
needles, folder = {needles!r}, Path({str(folder)!r})
for i in range(20):
    (folder / f"d{{i}}/e").mkdir(parents=True)
    for file, needle in ((folder / "named", "named"), (folder / f"d{{i}}/e/f", "deep"), (folder / "rewritten", "rewritten")):
        file.write_bytes(needles[needle][i].ljust(100, b"."))
        time.sleep(0.005)
        file.write_bytes(b"." * 100) if needle == "rewritten" else file.unlink()
    for place, keep in (("nameless", tempfile.TemporaryFile), ("elsewhere", tempfile.NamedTemporaryFile)):
        with keep(buffering=0) as file:
            file.write(b"x" * 100_000 + needles[place][i])
            time.sleep(0.005)
"""
    outside.mkdir()
    every = [needle for some in needles.values() for needle in some]
    with watching(every, folders=[folder], processes=[os.getpid()]) as watch:
        subprocess.run([sys.executable, "-c", script], check=True, env=os.environ | {"TMPDIR": str(outside)})
    found = {hit.needle for hit in watch.hits}
    for place in places:  # one of twenty at least: the machine may have been busy elsewhere
        assert found & set(needles[place]), place


def test_the_watch_reads_once_more_at_the_end_and_leaves_out_what_it_is_told_to(tmp_path: Path) -> None:
    needle = secrets.token_hex(10).encode()
    state, source = tmp_path / "state", tmp_path / "state/source.csv"
    state.mkdir()
    source.write_bytes(needle)
    with watching([needle], folders=[state], ignore=[source]) as watch:
        pass
    assert watch.hits == []
    straddling = b"x" * ((4 << 20) - 5) + needle
    with watching([needle], folders=[state], ignore=[source]) as watch:
        watch.stop.set()
        (state / "source.csv.part").write_bytes(straddling)
        (state / f"{needle.decode()}.csv").touch()
    assert {Path(hit.path).name for hit in watch.hits} == {"source.csv.part", f"{needle.decode()}.csv"}


def test_of_a_folder_known_from_the_start_only_what_is_new_or_changed_matters(tmp_path: Path) -> None:
    old = tmp_path / "another program's"
    old.mkdir()
    for name in ("kept", "changed"):
        (old / name).write_text("before")
    tree = Tree(str(tmp_path), known=True)
    assert list(tree.changed()) == []
    (tmp_path / "fresh").mkdir()
    for new in (tmp_path / "new", tmp_path / "fresh/new", old / "late", old / "changed"):
        new.write_text("after")
    assert set(tree.changed()) == {str(tmp_path / "new"), str(tmp_path / "fresh/new")}
    everything = set(tree.changed(thoroughly=True))
    assert everything == {str(tmp_path / "new"), str(tmp_path / "fresh/new"), str(old / "late"), str(old / "changed")}


@pytest.mark.parametrize("sending", ["declared", "in chunks", "after asking"])
def test_what_is_too_large_is_refused_in_one_line_and_not_kept(tmp_path: Path, sending: str) -> None:
    with service(tmp_path, limit=5 * MB) as server:
        assert send(server.port, b"x" * 4 * MB)[0] == 200
        before = server.peak_memory
        body, headers = multipart(b"x" * 60 * MB)
        if sending == "in chunks":
            pieces = [body[at : at + 50_000] for at in range(0, len(body), 50_000)]
            body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
            headers = {"Content-Type": headers["Content-Type"], "Transfer-Encoding": "chunked"}
        elif sending == "after asking":
            headers["Expect"] = "100-continue"
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as line:
            line.sendall(f"POST /upload HTTP/1.1\r\nHost: here\r\nConnection: close\r\n{head}\r\n".encode())
            if sending == "after asking":
                assert line.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
            line.sendall(body)
            answer = b"".join(iter(lambda: line.recv(65536), b"")).decode()
        assert answer.startswith("HTTP/1.1 413")
        assert "<p>The file is larger than 5 MB; split it, or have max_file_mb raised in lapwing.toml.</p>" in answer
        assert server.peak_memory - before < 8 * MB
        assert send(server.port, b"x" * 4 * MB) == (200, "x" * 4 * MB)


def test_what_is_absurdly_large_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    with (
        service(tmp_path, limit=5 * MB) as server,
        closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection,
    ):
        connection.putrequest("POST", "/upload")
        connection.putheader("Content-Length", str(10**13))
        connection.endheaders()
        assert connection.getresponse().status == 413


def test_a_broken_chunk_in_a_body_that_is_too_large_is_a_bad_request(tmp_path: Path) -> None:
    with service(tmp_path, limit=5 * MB) as server, socket.create_connection(("127.0.0.1", server.port)) as line:
        line.sendall(b"POST /upload HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n")
        line.sendall(b"%x\r\n%b\r\n" % (7 * MB, b"x" * 7 * MB) + b"no number\r\n")
        assert line.recv(100).startswith(b"HTTP/1.1 400")


@pytest.fixture
def tiny() -> Client:
    from flask import Blueprint, request

    app = Flask("tiny")
    app.request_class = InMemoryRequest
    app.config.update(MAX_CONTENT_LENGTH=MAX_FORM_BYTES, MAX_FILE_BYTES=3 * MB)
    pages = Blueprint("imports", __name__)

    @pages.post("/upload")
    def upload() -> str:
        return ",".join(f"{len(file.stream.getvalue())}" for file in request.files.getlist("file"))  # type: ignore[attr-defined]

    @pages.post("/form")
    def form() -> str:
        return str(len(request.form["text"]))

    app.register_blueprint(pages)
    return app.test_client()


def post_files(client: Client, *contents: bytes, note: str = "") -> tuple[int, str]:
    body, headers = multipart(*contents, note=note)  # by hand, since Werkzeug's test client spools to disk itself
    answer = client.post("/upload", data=body, headers=headers)
    return answer.status_code, answer.text


def test_the_limit_of_a_file_is_exact(tiny: Client) -> None:
    assert post_files(tiny, b"x" * 3 * MB, note="n" * 1000) == (200, str(3 * MB))
    for too_much in (3 * MB + 1, 4 * MB, 5 * MB):
        status, words = post_files(tiny, b"x" * too_much)
        assert status == 413
        assert "The file is larger than 3 MB;" in words
    assert post_files(tiny, b"x" * MB, b"y" * MB) == (200, f"{MB},{MB}")


def test_ordinary_forms_stay_small_beside_large_uploads(tiny: Client) -> None:
    assert tiny.post("/form", data={"text": "x" * (MAX_FORM_BYTES - 5)}).text == str(MAX_FORM_BYTES - 5)
    for size in (MAX_FORM_BYTES - 4, 4 * MB):
        answer = tiny.post("/form", data={"text": "x" * size})
        assert answer.status_code == 413
        assert "<p>The form is too large.</p>" in answer.text
    status, words = post_files(tiny, b"x", note="n" * 600_000)  # a text field in a form of files
    assert status == 413
    assert "The form is too large." in words


def test_the_service_takes_its_limits_from_the_settings(embedded: Lapwing) -> None:
    app = make_app(embedded)
    assert app.request_class is InMemoryRequest
    assert largest_body(app) == 200 * MB + MAX_FORM_BYTES
    answer = app.test_client().post("/sign-in", data={"name": "x" * MAX_FORM_BYTES})
    assert answer.status_code == 413


def test_limits_are_settings(tmp_path: Path) -> None:
    assert Settings(home=tmp_path).max_file_bytes == 200 * MB
    assert Settings(home=tmp_path).max_line_bytes == 1 << 20
    (tmp_path / "lapwing.toml").write_text("max_file_mb = 50\nmax_line_mib = 2\n")
    read = load_settings({"LAPWING_HOME": str(tmp_path), "LAPWING_MAX_LINE_MIB": "3"})
    assert (read.max_file_bytes, read.max_line_bytes) == (50 * MB, 3 << 20)
    with pytest.raises(InvalidParameter, match="LAPWING_MAX_FILE_MB must be a whole number"):
        load_settings({"LAPWING_HOME": str(tmp_path), "LAPWING_MAX_FILE_MB": "much"})


@pytest.mark.alone
def test_lapwing_serve_keeps_bodies_in_memory(tmp_path: Path) -> None:
    content, needles = planted(2 * MB)
    port = free_port()
    with (tmp_path / "serve.log").open("w") as log:
        process = subprocess.Popen(
            lapwing_command("serve", "--port", str(port)),
            cwd=PROJECT, env=os.environ | {"LAPWING_HOME": str(tmp_path)}, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        until = time.monotonic() + 60
        while "Serving on" not in (tmp_path / "serve.log").read_text():
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.1)
        with watching(needles, folders=[tmp_path], processes=[process.pid]) as watch:
            answer = send_slowly(port, *multipart(content), path="/sign-in").decode()
    finally:
        process.terminate()
        process.wait(timeout=20)
    assert answer.startswith("HTTP/1.1 413")
    assert "That is too much" in answer
    assert watch.hits == []
