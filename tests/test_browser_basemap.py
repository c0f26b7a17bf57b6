"""The basemap and the grid in a real browser, under the page's own policy."""

import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Page

from data.export.pmtiles import find_tippecanoe
from tests.browser import chromium, serving, sign_in
from tests.conftest import PROJECT
from tests.files import command, square, write_geojson

pytestmark = pytest.mark.browser

PICTURES = PROJECT / "var/screenshots"
WASH = (0.22, 52.88)  # where the synthetic city stands
MAP = "Object.values(window).find(one => one instanceof L.Map)"
PAINTED = """(pane) => [...document.querySelectorAll(`.leaflet-${pane}-pane canvas`)].reduce((sum, canvas) => {
  if (!canvas.width) return sum;
  const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
  const context = copy.getContext("2d", { willReadFrequently: true }); // else the browser complains
  context.drawImage(canvas, 0, 0);
  const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
  for (let i = 3; i < data.length; i += 4) if (data[i]) sum += 1;
  return sum;
}, 0)"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the synthetic city, imported and analysed."""
    folder = tmp_path_factory.mktemp("city")
    assert command(folder, "demo", "--no-serve").code == 0
    return folder


def open_map(page: Page, address: str) -> None:
    page.goto(f"{address}/runs")
    page.wait_for_selector("body[data-map=drawn]", timeout=30_000)


def test_ground_and_labels_are_drawn_from_the_service_alone(home: Path) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    assert command(home, "basemap", "build").code == 0
    with serving(home) as served, chromium() as seen:
        page = seen.page
        sign_in(page, served)
        asked: list[str] = []
        page.on("response", lambda one: asked.append(f"{one.status}") if "/basemap.pmtiles" in one.url else None)
        open_map(page, served.address)
        page.wait_for_function(f"() => ({PAINTED})('lapwing-ground') > 10000")
        page.wait_for_function(f"() => ({PAINTED})('lapwing-labels') > 100")
        page.wait_for_timeout(500)
        page.screenshot(path=PICTURES / "basemap.png")
        page.evaluate(f"() => {{ {MAP}.setZoom(17, {{ animate: false }}); }}")
        page.wait_for_timeout(1500)
        assert page.evaluate(PAINTED, "lapwing-labels") > 100
        page.screenshot(path=PICTURES / "basemap-near.png")
        assert set(asked) == {"206"}
        assert (
            page.evaluate("getComputedStyle(document.querySelector('.leaflet-lapwing-labels-pane')).pointerEvents")
            == "none"
        )
        assert seen.elsewhere == []
        assert seen.complaints == []


def test_an_extract_of_protomaps_is_drawn_too_and_its_credit_is_plain_words(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    west, south = WASH
    line = {"type": "LineString", "coordinates": [[west, south], [west + 0.1, south + 0.05]]}
    point = {"type": "Point", "coordinates": [west + 0.04, south + 0.02]}
    sources = {
        "earth": [({}, square(west, south, 0.1))],
        "water": [({"kind": "lake"}, square(west + 0.01, south + 0.03, 0.02))],
        "landuse": [({"kind": "park"}, square(west + 0.05, south + 0.03, 0.01))],
        "roads": [({"kind": "major_road", "name": "A9999"}, line)],
        "places": [({"kind": "locality", "name": "Haven", "population_rank": 9}, point)],
    }
    layers = [f"-L{name}:{write_geojson(tmp_path / name, features)}" for name, features in sources.items()]
    credit = '--attribution=<a href="https://example.org">The mappers</a><img src=x onerror=window.stolen=1>'
    own = tmp_path / "own.pmtiles"
    subprocess.run([find_tippecanoe(), "-q", "-z14", "-o", own, credit, *layers], check=True)
    monkeypatch.setenv("LAPWING_BASEMAP", str(own))
    with serving(home, role="gis") as served, chromium() as seen:
        page = seen.page
        sign_in(page, served)
        open_map(page, served.address)
        page.wait_for_function(f"() => ({PAINTED})('lapwing-ground') > 100000")
        page.wait_for_function(f"() => ({PAINTED})('lapwing-labels') > 100")
        page.wait_for_timeout(500)
        page.screenshot(path=PICTURES / "basemap-extract.png")
        assert "The mappers" in page.inner_text(".leaflet-control-attribution")
        assert page.query_selector(".leaflet-control-attribution img, .leaflet-control-attribution a") is None
        assert page.evaluate("window.stolen") is None
        assert seen.elsewhere == []
        assert seen.complaints == []


def test_a_map_without_a_basemap_has_a_grid_that_moves_with_it(home: Path) -> None:
    (home / "basemap.pmtiles").unlink(missing_ok=True)
    with serving(home, role="coordinator") as served, chromium() as seen:
        page = seen.page
        sign_in(page, served)
        open_map(page, served.address)
        assert page.evaluate(PAINTED, "lapwing-ground") > 1000
        assert page.get_attribute("canvas.lapwing-graticule", "aria-hidden") == "true"
        page.screenshot(path=PICTURES / "graticule.png")
        before = page.evaluate("document.querySelector('canvas.lapwing-graticule').toDataURL()")
        page.evaluate(f"() => {{ {MAP}.panBy([37, 11], {{ animate: false }}); }}")
        after = page.evaluate("document.querySelector('canvas.lapwing-graticule').toDataURL()")
        assert before != after
        assert seen.elsewhere == []
        assert seen.complaints == []
