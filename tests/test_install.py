"""`make demo` as a newcomer runs it: in a clone, with an empty home folder, to a signed-in map."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.browser import free_port, running, use_the_demo
from tests.conftest import PROJECT
from tests.test_browser_demo import check_demo

pytestmark = [pytest.mark.install, pytest.mark.browser]


def test_make_demo_in_a_fresh_clone_ends_at_a_working_map(tmp_path: Path) -> None:
    clone, home = tmp_path / "lapwing", tmp_path / "home"
    home.mkdir()
    subprocess.run(["git", "clone", "--quiet", str(PROJECT), str(clone)], check=True)
    kept = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    environment = kept | {"HOME": str(home), "LAPWING_HOME": "", "LAPWING_STORE": "", "LAPWING_PORT": str(free_port())}
    with running(["make", "--silent", "demo"], cwd=clone, environment=environment) as link:
        check_demo(use_the_demo(link, tmp_path / "screenshots"))
    assert (clone / "var/lapwing.db").is_file()
    assert subprocess.run(
        ["git", "status", "--porcelain"], cwd=clone, capture_output=True, text=True, check=True
    ).stdout in {"", "?? serve.log\n"}
