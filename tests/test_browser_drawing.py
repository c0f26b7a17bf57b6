"""An area drawn in a real browser, with the mouse and with the keyboard alone, on the synthetic city."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from app.settings import Settings
from app.wiring import Lapwing
from geo.model import FeatureKind, Scope
from tests.browser import Served, Watched, chromium, serving, sign_in
from tests.conftest import PROJECT

pytestmark = pytest.mark.browser

PICTURES = PROJECT / "var/screenshots"
# The map by the name that Folium gave it, and what is where on it.
MAP = "Object.entries(window).find(([name, one]) => name.startsWith('map_') && one?.getCenter)[1]"


@pytest.fixture(scope="module")
def home(city_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("drawing")
    (home / "var").mkdir()
    (home / "var/lapwing.db").write_bytes(city_file.read_bytes())
    return home


@pytest.fixture(scope="module")
def served(home: Path) -> Iterator[Served]:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with serving(home) as found:
        yield found


@pytest.fixture(scope="module")
def signed_in(served: Served) -> Iterator[Watched]:
    with chromium() as watched:
        sign_in(watched.page, served)
        yield watched


@pytest.fixture
def seen(signed_in: Watched) -> Iterator[Watched]:
    signed_in.page.set_viewport_size({"width": 1280, "height": 900})
    yield signed_in
    assert signed_in.elsewhere == []
    assert [one for one in signed_in.complaints if "422" not in one] == []


def open_map(page: Page, served: Served, query: str = "") -> None:
    page.goto(f"{served.address}/runs/latest/map{query}")
    page.wait_for_selector("body[data-map=drawn]", timeout=30_000)


def status(page: Page) -> str:
    return page.inner_text("#draw-status")


def click_map(page: Page, right: float, down: float) -> None:
    """Click at a share of the map's width and height."""
    drawn = page.locator(".folium-map")
    box = drawn.bounding_box()
    assert box
    drawn.click(position={"x": right * box["width"], "y": down * box["height"]})


def records(page: Page) -> tuple[int, int]:
    found = re.search(r"([\d,]+) records?(?: in the filter)?, of ([\d,]+)", page.inner_text("main"))
    assert found
    return int(found[1].replace(",", "")), int(found[2].replace(",", ""))


def test_an_area_is_drawn_with_the_mouse_kept_and_sent_to_an_analysis(seen: Watched, served: Served) -> None:
    page = seen.page
    open_map(page, served)
    page.click("#draw-start")
    zoom = page.evaluate(f"{MAP}.getZoom()")
    for i, (right, down) in enumerate([(0.2, 0.2), (0.55, 0.2), (0.55, 0.85), (0.2, 0.85)], 1):
        click_map(page, right, down)
        assert status(page).startswith(f"{i} corner"), i
    assert re.fullmatch(r"4 corners; [\d.]+ km²", status(page))
    assert page.evaluate(f"{MAP}.getZoom()") == zoom  # clicks near each other do not zoom
    assert page.is_hidden("#place-panel")  # nothing beneath was opened
    assert "Add a place here" not in page.inner_text("#map-status")
    assert page.is_hidden(".lw-draw-cross")  # the cross is for the keyboard
    drawn_km2 = float(status(page).split("; ")[1].split()[0])
    page.screenshot(path=PICTURES / "drawing-mouse.png")
    click_map(page, 0.2, 0.2)  # the first corner again
    page.wait_for_url("**/area")
    inside, everywhere = records(page)
    assert 0 < inside < everywhere
    stated = re.search(r"Size\s+([\d.]+) km²", page.inner_text("main"))
    assert stated
    assert float(stated[1]) == pytest.approx(drawn_km2, rel=0.01)
    page.screenshot(path=PICTURES / "area-summary.png", full_page=True)

    page.fill("#name", "boundary")
    page.click("text=Save the area")
    page.wait_for_selector(".govuk-error-summary")
    assert "There is an area called boundary already" in page.inner_text(".govuk-error-summary")
    page.screenshot(path=PICTURES / "area-name-taken.png", full_page=True)
    page.fill("#name", "Middle of the city")
    page.click("text=Save the area")
    page.wait_for_selector("text=Middle of the city is kept.")
    assert records(page) == (inside, everywhere)
    page.screenshot(path=PICTURES / "area-saved.png", full_page=True)
    page.click("text=Analyse this area")
    page.wait_for_selector("#area")
    assert page.input_value("#area") == "Middle of the city"
    page.go_back()
    page.click("text=By area: drawn areas")
    assert "Middle of the city" in page.inner_text("main")


def test_an_area_is_drawn_with_the_keyboard_alone(seen: Watched, served: Served) -> None:
    page = seen.page
    open_map(page, served, "?min_records=2")
    page.focus("#draw-start")
    page.keyboard.press("Enter")
    assert page.evaluate(f"document.activeElement === {MAP}.getContainer()")
    assert page.is_visible(".lw-draw-cross")

    def corner_after(*keys: str) -> str:
        for key in keys:
            before = page.evaluate(f"{MAP}.getCenter().toString()")
            page.keyboard.press(key)
            page.wait_for_function(f"() => {MAP}.getCenter().toString() !== '{before}' && !{MAP}._panAnim?._inProgress")
        page.keyboard.press("Enter")
        return status(page)

    assert corner_after() == "1 corner"
    assert corner_after() == "That corner is there already. 1 corner"
    page.keyboard.press("Escape")
    assert status(page) == "Drawing was cancelled."
    assert page.evaluate("document.activeElement.id") == "draw-start"
    assert page.is_hidden("#draw-tools")
    page.keyboard.press("Enter")
    assert corner_after() == "1 corner"
    assert corner_after(*["ArrowRight"] * 4) == "2 corners"
    assert corner_after(*["ArrowDown"] * 4).startswith("3 corners; ")
    # Between the first and the second corner and out at the top: over the first line.
    crossing = corner_after("ArrowLeft", "ArrowLeft", *["ArrowUp"] * 5)
    assert crossing.startswith("The outline must not cross itself; choose another corner. 3 corners")
    page.keyboard.press("Backspace")
    assert status(page) == "Removed. 2 corners"
    assert corner_after(*["ArrowDown"] * 5, "ArrowRight", "ArrowRight").startswith("3 corners; ")
    assert corner_after(*["ArrowLeft"] * 4).startswith("4 corners; ")
    page.screenshot(path=PICTURES / "drawing-keyboard.png")
    page.keyboard.press("Tab")  # on to the buttons of the map, and then to those of the drawing
    for _ in range(12):
        if page.evaluate("document.activeElement.id") == "draw-finish":
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/area?min_records=2")
    assert "at least 2 records" in page.inner_text("main")
    inside, everywhere = records(page)
    assert 0 <= inside < everywhere
    page.click("text=Back to the map")
    page.wait_for_url("**/map?min_records=2")


def test_too_few_corners_and_closing_lines_that_cross_are_told(seen: Watched, served: Served) -> None:
    page = seen.page
    open_map(page, served)
    page.click("#draw-start")
    page.click("#draw-finish")
    assert status(page) == "An outline has at least 3 corners. 0 corners"
    page.click("#draw-back")
    assert status(page) == "There is no corner to remove."
    for right, down in [(0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.5, 0.1)]:
        click_map(page, right, down)
    assert "must not cross itself" in status(page)
    assert "3 corners" in status(page)
    click_map(page, 0.85, 0.5)  # the way back to the first corner leads over the second side
    page.click("#draw-finish")
    assert status(page).startswith("The closing line would cross the outline; remove a corner. 4 corners")
    page.click("#draw-cancel")
    assert status(page) == "Drawing was cancelled."
    click_map(page, 0.02, 0.98)  # the map is itself again
    page.wait_for_selector("#map-status a, #place-panel:not([hidden])")


def test_it_fits_a_telephone_where_a_button_sets_the_corners(seen: Watched, served: Served) -> None:
    page = seen.page
    page.set_viewport_size({"width": 320, "height": 700})
    open_map(page, served)
    page.click("#draw-start")
    page.click("#draw-corner")
    for right, down in [(0.9, 0.4), (0.5, 0.1)]:
        click_map(page, right, down)
    assert status(page).startswith("3 corners")
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    page.locator("#draw").scroll_into_view_if_needed()
    page.screenshot(path=PICTURES / "drawing-phone.png")
    page.click("#draw-finish")
    page.wait_for_url("**/area")
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    page.screenshot(path=PICTURES / "area-summary-phone.png", full_page=True)


def test_what_the_service_kept_is_in_the_store(home: Path) -> None:
    app = Lapwing(Settings(home=home, store=f"sqlite:///{home}/var/lapwing.db"))
    kept = app.store.evidence.features(Scope(), [FeatureKind.AREAS])
    app.database.close()
    assert kept.loc[kept["level"] == "drawn", "name"].tolist() == ["Middle of the city"]
