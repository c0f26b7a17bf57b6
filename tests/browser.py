"""Driving a real headless Chromium against a running Lapwing, with every other host out of reach."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.files import command

FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
LINK = re.compile(r"http://127\.0\.0\.1:\d+/sign-in/link/\S+")


class Watched:
    """A page, and everything that went wrong or left the machine while it was used."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.elsewhere: list[str] = []
        self.complaints: list[str] = []
        page.on("request", self._request)
        page.on("console", lambda m: self.complaints.append(m.text) if m.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _request(self, request: object) -> None:
        address = urlsplit(request.url)  # type: ignore[attr-defined]
        if address.scheme not in {"data", "blob"} and address.hostname != "127.0.0.1":
            self.elsewhere.append(request.url)  # type: ignore[attr-defined]


@contextmanager
def chromium(*, width: int = 1280, height: int = 900) -> Iterator[Watched]:
    """Open a page in a fresh browser; skips, with the reason, where Chromium is not installed."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("Chromium is not installed (Debian: chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield Watched(browser.new_page(viewport={"width": width, "height": height}))
        finally:
            browser.close()


@contextmanager
def running(command: list[str], *, cwd: Path, environment: dict[str, str], within_s: float = 60) -> Iterator[str]:
    """Start a command that serves; yields the one-time link it prints on stdout, once the service answers."""
    log = cwd / "serve.log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            command, cwd=cwd, env=os.environ | environment, stdout=subprocess.PIPE, stderr=errors, text=True
        )
        try:
            link = next((m[0] for line in process.stdout or () if (m := LINK.search(line))), None)
            assert link, f"no sign-in link was printed: {log.read_text()[-2000:]}"
            _wait(link, within_s)
            yield link
        finally:
            subprocess.run(["pkill", "-P", str(process.pid)], check=False)  # make's child outlives make
            process.terminate()
            process.wait(timeout=20)


def _wait(link: str, within_s: float) -> None:
    health = f"http://{urlsplit(link).netloc}/healthz"
    until = time.monotonic() + within_s
    while True:
        try:
            with urllib.request.urlopen(health, timeout=5) as answer:
                assert answer.read() == b"ok\n"
                return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def lapwing_command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from app.cli import main; main()", *arguments]


@dataclass(frozen=True)
class Served:
    """A service of its own store: its address, its process, and a link that signs an analyst in."""

    address: str
    process: int
    link: str


@contextmanager
def serving(home: Path, *, role: str = "analyst") -> Iterator[Served]:
    """Serve the store in ``home`` until the block ends."""
    port = free_port()
    environment = {"LAPWING_HOME": str(home), "LAPWING_STORE": "", "LAPWING_PORT": str(port)}
    added = command(home, "user", "add", f"some-{role}", "--role", role, "--json", env={"LAPWING_PORT": str(port)})
    with (home / "serve.log").open("w") as log:
        process = subprocess.Popen(
            lapwing_command("serve"), cwd=home, env=os.environ | environment, stdout=log, stderr=log, text=True
        )
        try:
            link = added.json["link"]
            _wait(link, 60)
            yield Served(f"http://127.0.0.1:{port}", process.pid, link)
        finally:
            process.terminate()
            process.wait(timeout=20)


def sign_in(page: Page, served: Served) -> None:
    page.goto(served.link)
    page.click("#sign-in")
    page.wait_for_url(lambda address: "/sign-in" not in address)


def use_the_demo(link: str, screenshots: Path) -> dict[str, object]:
    """Sign in, see the map paint, click a place, read why, accept it, find it tasked, download GeoJSON."""
    screenshots.mkdir(parents=True, exist_ok=True)
    with chromium() as seen:
        page = seen.page
        page.goto(link)
        page.click("#sign-in")
        page.wait_for_url("**/")
        page.screenshot(path=screenshots / "home.png", full_page=True)
        page.click("text=Open the map")
        page.wait_for_selector("body[data-map=drawn]", timeout=30_000)
        status = page.inner_text("#map-status")
        painted = page.evaluate(
            "() => [...document.querySelectorAll('.leaflet-lapwing-cells-pane canvas')].some(c => {"
            " const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
            " for (let i = 3; i < d.length; i += 4) if (d[i]) return true; return false; })"
        )
        page.screenshot(path=screenshots / "map.png")
        shape = page.locator(".leaflet-lapwing-places-pane path").first
        shape.click(force=True)
        page.wait_for_selector("#place-panel:not([hidden])")
        why = page.inner_text("#place-panel p")
        title = page.inner_text("#place-panel h2")
        page.screenshot(path=screenshots / "map-place.png")
        page.click("#place-panel a")
        page.wait_for_selector("#decision")
        assert page.inner_text("h1") == title
        assert why in page.inner_text("main")
        page.screenshot(path=screenshots / "place.png", full_page=True)
        page.check("#accept")
        page.fill("#reason", "Known to two agencies")
        page.click("text=Save decision")
        page.wait_for_selector("text=Accepted")
        page.goto(f"{link.split('/sign-in', maxsplit=1)[0]}/tasking")
        assert title in page.inner_text("main")
        page.screenshot(path=screenshots / "outreach.png", full_page=True)
        page.goto(f"{link.split('/sign-in', maxsplit=1)[0]}/runs")
        page.fill("#purpose", "a test of the download")
        with page.expect_download() as waiting:
            page.click("#download button")
        layer = json.loads(Path(waiting.value.path()).read_text(encoding="utf-8"))
        page.set_viewport_size({"width": 320, "height": 700})
        page.goto(f"{link.split('/sign-in', maxsplit=1)[0]}/runs")
        page.wait_for_selector("body[data-map=drawn]")
        width = page.evaluate("document.documentElement.scrollWidth")
        page.screenshot(path=screenshots / "map-phone.png", full_page=True)
        return {
            "status": status, "painted": painted, "why": why, "layer": layer, "elsewhere": seen.elsewhere,
            "complaints": seen.complaints, "phone_width": width, "file": waiting.value.suggested_filename,
        }  # fmt: skip
