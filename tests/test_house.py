"""The house itself: rooms and arrows, pins, names, and what may not be in the repository."""

import json
import re
import subprocess
import sys
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest

from geo.classes import RAMP
from geo.fields import dictionary_markdown
from tests.conftest import PROJECT

ROOMS = ("app", "geo", "data", "maps")


def tracked() -> list[str]:
    return subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )[:-1]


@pytest.mark.parametrize(
    "command",
    [
        ["-m", "ruff", "check", "."],
        ["-m", "ruff", "format", "--check", "."],
        ["-m", "mypy"],
        ["-c", "from importlinter.cli import lint_imports_command as c; c()"],
    ],
    ids=["ruff", "format", "mypy", "imports"],
)
def test_the_linters_are_content(command: list[str]) -> None:
    done = subprocess.run([sys.executable, *command], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


def test_the_four_rooms_belong_to_our_distribution() -> None:
    owners = packages_distributions()
    for room in ROOMS:
        assert set(owners.get(room, ["lapwing"])) == {"lapwing"}, room
        assert Path(__import__(room).__file__).is_relative_to(PROJECT), room
    wanted = " ".join(distribution("lapwing").requires or [])
    assert not re.search(r"(^|\s)(app|geo|data|maps)\b", wanted)


def test_requirements_are_pinned() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = [
            line for line in (PROJECT / name).read_text().splitlines() if line and not line.startswith(("#", "-r"))
        ]
        assert lines
        assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+]+", line)] == []


def test_every_runtime_dependency_is_pinned() -> None:
    pinned = {
        line.split("==")[0].lower().replace("_", "-")
        for line in (PROJECT / "requirements.txt").read_text().splitlines()
    }
    wanted = {
        re.split(r"[\[<>=; ]", one)[0].lower().replace("_", "-")
        for one in distribution("lapwing").requires or []
        if "extra ==" not in one  # requirements-dev.txt pins those
    }
    assert wanted <= pinned


def test_no_third_party_code_addresses_or_machine_paths_are_tracked() -> None:
    files = tracked()
    assert [f for f in files if re.search(r"\.min\.(js|css)$|node_modules/|static/vendor/|\.woff2?$", f)] == []
    lock = json.loads((PROJECT / "package-lock.json").read_text())
    assert [name for name, one in lock["packages"].items() if "resolved" in one] == []
    folders = "work|root|farm"
    forbidden = re.compile(rf"(^|[^A-Za-z0-9_.])/({folders})/|index.url|tile\.openstreetmap", re.MULTILINE)
    for name in files:
        if name.endswith((".png", ".json")) or name == "tests/test_house.py":
            continue
        assert not forbidden.search((PROJECT / name).read_text(encoding="utf-8")), name


def test_the_ignore_file_leaves_our_data_package_alone() -> None:
    done = subprocess.run(
        ["git", "check-ignore", "data/store.py", "data/demo/city.py"], cwd=PROJECT, capture_output=True, check=False
    )
    assert done.returncode == 1


def test_browser_and_style_sheet_share_the_colours() -> None:
    sheet = (PROJECT / "app/static/scss/lapwing.scss").read_text()
    assert f"$ramp: ({', '.join(RAMP)});" in sheet


def test_the_field_dictionary_is_up_to_date() -> None:
    assert (PROJECT / "docs/field-dictionary.md").read_text(encoding="utf-8") == dictionary_markdown()


def test_package_data_is_complete() -> None:
    from importlib.resources import files

    assert len(list(files("data").joinpath("sql").iterdir())) >= 5
    assert len(list(files("data").joinpath("migrations").iterdir())) >= 3


def test_help_comes_without_the_heavy_libraries() -> None:
    probe = "import sys; from app.cli import cli; cli(['--help'], standalone_mode=False); print([m for m in ('pandas', 'shapely', 'flask', 'sklearn') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", probe], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
