"""A new analysis in a real browser, on a telephone: asked for, watched, cancelled, and arrived at."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

from app.settings import Settings
from app.wiring import Lapwing
from geo.model import Scope
from geo.parameters import AnalysisParameters
from tests.browser import chromium, serving, sign_in
from tests.conftest import PROJECT
from tests.files import load, row, square, write_csv, write_geojson

pytestmark = pytest.mark.browser

PICTURES = PROJECT / "var/screenshots"
SPOTS = 12
# Questions that no label names, and ids that stand twice.
NAMELESS = """() => {
  const ids = [...document.querySelectorAll("main [id]")].map((one) => one.id);
  const asked = [...document.querySelectorAll("main input:not([type=hidden]), main select")];
  return [...ids.filter((id, i) => ids.indexOf(id) !== i), ...asked.filter((one) => !one.labels.length).map((one) => one.name)];
}"""


def opened(home: Path) -> Lapwing:
    return Lapwing(Settings(home=home, store=f"sqlite:///{home}/var/lapwing.db"))


def fill(home: Path) -> None:
    """Store reports of two months heaped on a few spots in a city of many cells, so that the work can be watched."""
    app = opened(home)
    rows = [
        row(i, f"2026-0{2 + i % 2}-{1 + i % 28:02d}", -2.40 + 0.01 * (i % SPOTS), 51.36 + 0.003 * (i % SPOTS), "ASB")
        for i in range(40 * SPOTS)
    ]
    load(app, write_csv(home / "reports.csv", rows))
    city = ({"name": "Bath and the hills round it"}, square(-2.42, 51.31, 0.14))
    load(app, write_geojson(home / "council.geojson", [city]), "boundary")
    app.database.close()


def made(home: Path) -> list[AnalysisParameters]:
    app = opened(home)
    found = [AnalysisParameters.from_json(one.parameters) for one in app.store.runs.runs(Scope())]
    app.database.close()
    return found


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth") <= 320)


def ask(page: Page) -> None:
    """Fill the form in: two months, the city, small cells."""
    page.check("text=Between two dates")
    page.fill("#date_from", "2026-02-01")
    page.fill("#date_to", "2026-03-31")
    page.select_option("#area", "Bath and the hills round it")
    page.click("text=Advanced")
    page.select_option("#resolution", "10")


def test_an_analysis_is_made_watched_and_cancelled_on_a_telephone(tmp_path: Path) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    fill(tmp_path)
    with serving(tmp_path) as served, chromium(width=320, height=640) as seen:
        page = seen.page
        sign_in(page, served)
        page.goto(f"{served.address}/")
        page.screenshot(path=PICTURES / "home-no-analysis-phone.png", full_page=True)
        page.click("text=New analysis")
        assert fits(page)
        assert not page.is_visible("#date_from")
        page.screenshot(path=PICTURES / "analysis-new-phone.png", full_page=True)
        ask(page)
        page.fill("#eps_m", "0")
        page.fill("#date_to", "2026-01-31")
        page.click("text=Make the analysis")
        page.wait_for_selector(".govuk-error-summary")
        assert fits(page)
        assert page.evaluate("document.activeElement.className").startswith("govuk-error-summary")
        page.screenshot(path=PICTURES / "analysis-problems-phone.png", full_page=True)
        page.click(".govuk-error-summary a >> text=metres")
        assert page.evaluate("document.activeElement.id") == "eps_m"
        page.fill("#eps_m", "150")
        page.fill("#date_to", "2026-03-31")

        page.click("text=Make the analysis")
        page.wait_for_selector("#progress")
        assert fits(page)
        page.wait_for_function("document.getElementById('progress-words').textContent.includes(': ')")
        page.screenshot(path=PICTURES / "analysis-progress-phone.png", full_page=True)
        page.click("text=Cancel")
        page.wait_for_selector("text=The analysis was cancelled. Nothing was stored.", timeout=60_000)
        assert fits(page)
        assert page.input_value("#date_to") == "2026-03-31"
        assert page.is_visible("#resolution")
        assert made(tmp_path) == []
        page.screenshot(path=PICTURES / "analysis-cancelled-phone.png", full_page=True)
        page.click("text=Only some categories")
        page.set_viewport_size({"width": 1280, "height": 900})
        page.screenshot(path=PICTURES / "analysis-new.png", full_page=True)
        page.set_viewport_size({"width": 320, "height": 640})
        assert page.evaluate(NAMELESS) == []

        page.click("text=Make the analysis")
        page.wait_for_selector("#progress")
        page.goto(f"{served.address}/runs/new")  # the work outlives the page that watched it
        page.click("text=See how far it is")
        page.wait_for_url("**/map", timeout=120_000)
        page.wait_for_selector("body[data-map=drawn]", timeout=30_000)
        (stored,) = made(tmp_path)
        assert (stored.resolution, stored.area) == (10, "Bath and the hills round it")
        assert seen.elsewhere == []
        assert [one for one in seen.complaints if "422" not in one] == []
