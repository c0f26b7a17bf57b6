"""The demo in a real browser, from the one-time link to a downloaded layer."""

from pathlib import Path

import pytest

from tests.browser import chromium, free_port, lapwing_command, running, use_the_demo
from tests.conftest import PROJECT

pytestmark = pytest.mark.browser


def check_demo(seen: dict[str, object]) -> None:
    assert seen["elsewhere"] == []
    assert seen["complaints"] == []
    assert seen["painted"]
    assert "8 places" in str(seen["status"])
    assert "agencies" in str(seen["why"])
    layer = seen["layer"]
    assert isinstance(layer, dict)
    assert len(layer["features"]) == 8
    assert layer["notice"].startswith("SYNTHETIC")
    assert layer["run"] in str(seen["file"])
    assert seen["phone_width"] == 320


def test_a_newcomer_signs_in_reads_why_decides_and_downloads(tmp_path: Path) -> None:
    environment = {"LAPWING_HOME": str(tmp_path), "LAPWING_STORE": "", "LAPWING_PORT": str(free_port())}
    with running(lapwing_command("demo"), cwd=tmp_path, environment=environment) as link:
        check_demo(use_the_demo(link, PROJECT / "var/screenshots"))


def test_every_page_keeps_to_itself_and_the_link_works_once(tmp_path: Path) -> None:
    environment = {"LAPWING_HOME": str(tmp_path), "LAPWING_STORE": "", "LAPWING_PORT": str(free_port())}
    with running(lapwing_command("demo"), cwd=tmp_path, environment=environment) as link, chromium() as seen:
        base = link.split("/sign-in")[0]
        seen.page.goto(link)
        seen.page.click("#sign-in")
        for path in ("/", "/runs", "/tasking", "/imports", "/quarantine", "/account/passphrase"):
            answer = seen.page.goto(base + path)
            assert answer is not None
            assert answer.status == 200, path
            policy = answer.headers["content-security-policy"]
            assert "unsafe" not in policy
            assert "http" not in policy
        assert seen.elsewhere == []
        assert seen.complaints == []
        seen.page.click("text=Sign out")
        seen.page.wait_for_url("**/sign-in")
        assert seen.page.goto(f"{base}/runs").url.endswith("/sign-in")
        assert seen.page.goto(link).status == 410
