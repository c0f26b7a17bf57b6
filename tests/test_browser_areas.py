"""Home and figures by area in a real browser, wide and narrow: they fit, are drawn, and lead on."""

import csv
import io
from pathlib import Path

import pytest

from app.settings import Settings
from app.wiring import Lapwing
from geo.temporal import LONDON, from_micros
from tests.browser import chromium, serving, sign_in
from tests.conftest import NOW_US, PROJECT
from tests.files import load, row, write_csv, write_geojson
from tests.test_services_dashboard import DAY_US, keep, place
from tests.test_web_areas import SPOTS, days, square

pytestmark = pytest.mark.browser

PICTURES = PROJECT / "var/screenshots"
FILLS = """() => Object.fromEntries([...document.querySelectorAll('.lw-areas path.lw-area')].map((one) => {
  const ground = document.getElementById(one.getAttribute('fill').slice(5, -1)).querySelector('.lw-area-ground');
  return [one.textContent.split(':')[0], getComputedStyle(ground).fill];
}))"""


def fill(home: Path) -> None:
    """Two analyses of the last days with a place gone, one new and one fading; and three wards."""
    app = Lapwing(Settings(home=home, store=f"sqlite:///{home}/var/lapwing.db"))
    app.migrate(None)
    since_days = (app.clock() - NOW_US) / DAY_US
    keep(app, "older", [place(1), place(2), place(3)], days_ago=8 - since_days)
    keep(app, "newer", [place(3), place(2, last="2026-03-01"), *map(place, range(4, 9))], days_ago=1 - since_days)
    areas = [
        ({"name": name, "level": "ward"}, square(lon - 0.05, lat - 0.05, 0.1)) for name, (lon, lat) in SPOTS.items()
    ]
    load(app, write_geojson(home / "areas.geojson", areas), "areas")
    today = from_micros(app.clock()).astimezone(LONDON).date()
    recent, before = (today.fromordinal(today.toordinal() - back).isoformat() for back in (28, 56))
    rows = days(SPOTS["Abbey"], recent, 40, 0) + days(SPOTS["Abbey"], before, 12, 100)
    rows += days(SPOTS["Bathwick"], recent, 6, 200) + days(SPOTS["Bathwick"], before, 30, 300)
    load(app, write_csv(home / "records.csv", [*rows, row(500, recent, lon="", lat="")]))
    app.database.close()


def test_home_and_figures_by_area_fit_and_are_drawn(tmp_path: Path) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    fill(tmp_path)
    with serving(tmp_path) as served, chromium() as seen:
        page = seen.page
        sign_in(page, served)
        for name, width in (("", 1280), ("-phone", 320)):
            page.set_viewport_size({"width": width, "height": 800})
            for path, picture in (("/", "home-changes"), ("/areas", "areas")):
                page.goto(served.address + path)
                assert page.evaluate("document.documentElement.scrollWidth") <= width
                page.screenshot(path=PICTURES / f"{picture}{name}.png", full_page=True)
        page.set_viewport_size({"width": 1280, "height": 800})
        light = page.evaluate(FILLS)
        page.emulate_media(color_scheme="dark")
        dark = page.evaluate(FILLS)
        assert list(light) == ["Abbey", "Bathwick", "Combe"]
        assert len({*light.values(), *dark.values()}) == 6  # each state a colour of its own, in either scheme
        page.screenshot(path=PICTURES / "areas-dark.png", full_page=True)
        page.click("th a >> text=Last 28 days")
        assert page.get_attribute("th[aria-sort=descending]", "scope") == "col"
        assert page.inner_text("tbody th >> nth=0") == "Abbey"
        page.fill("#purpose", "a test of the download")
        with page.expect_download() as waiting:
            page.click("text=Download as CSV")
        text = Path(waiting.value.path()).read_text(encoding="utf-8-sig")
        assert [(one["area"], one["last_28_days"]) for one in csv.DictReader(io.StringIO(text))] == [
            ("Abbey", "40"), ("Bathwick", "6"), ("Combe", "0"),
        ]  # fmt: skip
        assert seen.elsewhere == []
        assert seen.complaints == []
