"""The analyst's map in a real browser: click a cell, filter, slide the months, compare, go back; with keys too."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser import Served, Watched, chromium, serving, sign_in
from tests.files import command

pytestmark = pytest.mark.browser

# Whether the canvases of a pane have any colour in them.
INK = """pane => [...document.querySelectorAll(`.leaflet-lapwing-${pane}-pane canvas`)].some(c => {
  const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
  for (let i = 3; i < d.length; i += 4) if (d[i]) return true;
  return false; })"""
# Colours that fill at least two hundred pixels of the cells, as a sorted list: not those where edges are smoothed.
COLOURS = """() => {
  const count = new Map();
  for (const c of document.querySelectorAll('.leaflet-lapwing-cells-pane canvas')) {
    const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
    for (let i = 0; i < d.length; i += 4) {
      if (d[i + 3] < 170 || d[i + 3] > 190) continue;
      const colour = [d[i], d[i + 1], d[i + 2]].join();
      count.set(colour, (count.get(colour) || 0) + 1);
    }
  }
  return [...count].filter(([, n]) => n >= 200).map(([colour]) => colour).sort(); }"""
# A spot of the window that lies in a filled cell and under nothing else that can be clicked.
MIDDLE_OF_A_CELL = """() => {
  for (const c of document.querySelectorAll('.leaflet-lapwing-cells-pane canvas')) {
    const box = c.getBoundingClientRect(), scale = c.width / box.width, pen = c.getContext('2d');
    for (let x = 12; x < box.width - 12; x += 6) for (let y = 12; y < box.height - 12; y += 6) {
      const filled = [[0, 0], [8, 0], [-8, 0], [0, 8], [0, -8]].every(([dx, dy]) => {
        const d = pen.getImageData((x + dx) * scale, (y + dy) * scale, 1, 1).data;
        return d[3] > 170 && d[3] < 190; });
      const at = [box.x + x, box.y + y];
      if (filled && document.elementFromPoint(...at) === c) return at;
    }
  }
  throw new Error('no cell in sight'); }"""


@pytest.fixture(scope="module")
def home(city_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("map")
    (folder / "var").mkdir()
    shutil.copy(city_file, folder / "var" / "lapwing.db")
    return folder


@pytest.fixture(scope="module")
def served(home: Path) -> Iterator[Served]:
    with serving(home) as found:
        yield found


@pytest.fixture(scope="module")
def browser(served: Served) -> Iterator[Watched]:
    with chromium() as seen:
        sign_in(seen.page, served)
        yield seen


@pytest.fixture
def seen(browser: Watched, served: Served) -> Iterator[Watched]:
    browser.page.set_viewport_size({"width": 1280, "height": 900})
    open_map(browser, served, "/runs")
    yield browser
    assert browser.elsewhere == []
    assert [
        one for one in browser.complaints if "willReadFrequently" not in one
    ] == []  # these tests read canvases back
    browser.complaints.clear()


def open_map(seen: Watched, served: Served, path: str) -> None:
    seen.page.goto(served.address + path)
    seen.page.wait_for_selector("body[data-map=drawn]", timeout=30_000)


def rows(seen: Watched) -> list[str]:
    return seen.page.locator("#list tbody tr").all_inner_texts()


def settled(seen: Watched) -> None:
    seen.page.wait_for_load_state("networkidle")


def test_a_click_on_a_cell_tells_why(seen: Watched) -> None:
    page = seen.page
    assert page.evaluate(INK, "cells")
    page.click(".lw-tabs >> text=Cells")
    page.wait_for_selector("#list [data-cell]")
    fullest = page.locator("#list [data-cell] button").first
    name = fullest.inner_text().split(":")[0].strip()
    fullest.click()
    page.wait_for_selector(f"#place-panel h2:has-text('{name}')")
    told = page.inner_text("#place-panel")
    assert re.search(r"\d+ records", told)
    assert "expected" in told
    settled(seen)
    where = page.evaluate(MIDDLE_OF_A_CELL)  # a filled spot with no place over it
    page.mouse.click(*where)
    page.wait_for_function("name => !document.querySelector('#place-panel h2').textContent.includes(name)", arg=name)
    assert page.inner_text("#place-panel h2").startswith("Cell round ")
    page.click("text=Open this cell")
    assert page.inner_text("h1").startswith("Cell round ")
    page.go_back()
    page.wait_for_selector("body[data-map=drawn]")


def test_filters_follow_the_address_and_the_back_button(seen: Watched, served: Served) -> None:
    page = seen.page
    whole = rows(seen)
    page.click("text=Filter and compare")
    page.check("text=Friday")
    page.check("text=Saturday")
    page.select_option("#hours", "18-22")
    page.fill("#min_records", "2")
    page.click("#filter-form button")
    page.wait_for_selector("body[data-map=drawn]")
    query = parse_qs(urlsplit(page.url).query)
    assert query["weekday"] == ["fri", "sat"]
    filtered = rows(seen)
    assert filtered != whole
    assert "on Friday or Saturday; 18:00 to 22:00; at least 2 records" in page.inner_text("#filter-chosen")
    address = page.url
    page.go_back()
    page.wait_for_selector("body[data-map=drawn]")
    assert rows(seen) == whole
    open_map(seen, served, address.removeprefix(served.address))  # a permalink opens the same view
    assert rows(seen) == filtered
    assert page.is_checked("text=Friday")


def test_the_month_slider_moves_no_class_breaks(seen: Watched) -> None:
    page = seen.page
    classes = page.locator("[data-class]").all_inner_texts()
    whole = page.evaluate(COLOURS)
    slider = page.locator("#month")
    slider.focus()
    months = int(slider.get_attribute("max"))
    for _ in range(months // 2):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("() => new URLSearchParams(location.search).has('from')")
    settled(seen)
    assert re.search(r"\d{4}", page.inner_text("#month-words"))
    assert page.locator("[data-class]").all_inner_texts() == classes
    assert set(page.evaluate(COLOURS)) <= set(whole)  # the same colours for the same counts
    assert "of" in page.inner_text("#view-words")
    page.go_back()
    page.wait_for_selector("body[data-map=drawn]")
    assert "from=" not in page.url
    assert page.evaluate(COLOURS) == whole


def test_two_periods_lie_on_either_side_of_a_line(seen: Watched, served: Served) -> None:
    page = seen.page
    first = page.get_attribute("#month", "data-months")
    month = re.findall(r'"from":\s*"([\d-]+)",\s*"to":\s*"([\d-]+)"', first)
    (a, b), (c, d) = month[1], month[-2]
    open_map(seen, served, f"/runs/latest/map?from={a}&to={b}&compare_from={c}&compare_to={d}")
    before = page.evaluate("() => document.querySelector('.leaflet-lapwing-cells-pane').style.clip")
    page.locator("#swipe").focus()
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
    after = page.evaluate("() => document.querySelector('.leaflet-lapwing-cells-pane').style.clip")
    assert before != after
    assert page.evaluate("() => document.querySelector('.leaflet-lapwing-compared-pane').style.clip") != ""
    assert c in page.inner_text("main")


def test_layers_are_chosen_with_keys(seen: Watched) -> None:
    page = seen.page
    page.locator("summary:has-text('Layers')").focus()
    page.keyboard.press("Enter")
    box = page.get_by_label("Not looked", exact=True)
    box.focus()
    page.keyboard.press("Space")
    page.wait_for_function(INK, arg="coverage")
    strength = page.get_by_label("Strength of Cells")
    strength.focus()
    page.keyboard.press("Home")
    assert (
        page.evaluate("() => document.querySelector('.leaflet-lapwing-cells-pane .leaflet-layer').style.opacity")
        == "0.1"
    )
    page.get_by_label("To front: Cells").focus()
    page.keyboard.press("Enter")
    order = page.evaluate(
        "() => ['cells', 'places'].map(n => +document.querySelector(`.leaflet-lapwing-${n}-pane`).style.zIndex)"
    )
    assert order[0] > order[1]


def test_a_place_is_reached_by_keys_alone(seen: Watched) -> None:
    page = seen.page
    page.locator("#list button").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#place-panel:not([hidden])")
    page.keyboard.press("Tab")  # the panel has the focus: its link is next
    assert page.evaluate("document.activeElement.textContent") == "Open this place"
    page.keyboard.press("Enter")
    page.wait_for_selector("#decision")


def test_the_list_is_sorted_by_its_headings(seen: Watched) -> None:
    page = seen.page
    page.click("#list th >> text=Records")
    page.wait_for_selector("#list th[aria-sort=ascending] >> text=Records")
    counts = [
        int(text.replace(",", "")) for text in page.locator("#list td.govuk-table__cell--numeric").all_inner_texts()
    ]
    assert counts == sorted(counts)
    assert page.evaluate("document.activeElement.id") == "list-heading"
    assert "sort=records" in page.url


@pytest.mark.parametrize("role", ["partner", "board"])
def test_outside_operations_the_map_shows_one_resolution_and_no_filter(
    browser: Watched, served: Served, home: Path, role: str
) -> None:
    link = command(home, "user", "add", f"some-{role}", "--role", role, "--json").json["link"]
    own = browser.page.context.browser.new_context()
    try:
        seen = Watched(own.new_page())
        sign_in(seen.page, Served(served.address, served.process, served.address + urlsplit(link).path))
        open_map(seen, served, "/runs")
        page = seen.page
        assert page.locator("#filter").count() == 0
        assert page.locator("#list a:has-text('Open')").count() == 0
        run = re.search(r"/runs/(\w+)/map", page.url)[1]
        assert seen.elsewhere == seen.complaints == []
        answers = page.evaluate(
            "run => Promise.all([`/tiles/cells/${run}/9/256/167.mvt?kind=incidents`, `/tiles/coverage/${run}/9/256/167.mvt`,"
            " `/runs/${run}/cells/8919`, `/runs/${run}/map?min_records=2`].map(async u => (await fetch(u)).status))", run,
        )  # fmt: skip
        assert answers == [403, 404, 403, 403]
    finally:
        own.close()


def test_a_saved_view_is_opened_by_its_id(seen: Watched, served: Served) -> None:
    page = seen.page
    open_map(seen, served, "/runs/latest/map?weekday=fri")
    filtered = rows(seen)
    page.click("summary:has-text('Saved views')")
    page.fill("#view-name", "Friday patrol")
    page.click("text=Save >> nth=-1")
    page.wait_for_selector("body[data-map=drawn]")
    assert re.search(r"\?saved=[\w-]+$", page.url)
    assert "weekday" not in page.url
    assert rows(seen) == filtered


def slide_to(seen: Watched, number: int) -> dict[str, str]:
    """Move the months with keys, as far as the page has followed; the month's words and dates."""
    page = seen.page
    months = json.loads(page.get_attribute("#month", "data-months"))
    month = months[number - 1]
    page.locator("#month").focus()
    page.keyboard.press("Home")
    with page.expect_response(lambda one: "places.geojson" in one.url and f"from={month['from']}" in one.url) as answer:
        for _ in range(number):
            page.keyboard.press("ArrowRight")
    count = len(answer.value.json()["features"])
    expect(page.locator(".leaflet-lapwing-places-pane path")).to_have_count(count)
    expect(page.locator("#map-status")).to_have_text(f"Map drawn, with {count} {'place' if count == 1 else 'places'}.")
    page.wait_for_function("day => new URLSearchParams(location.search).get('from') === day", arg=month["from"])
    return month


def test_places_that_could_not_be_loaded_are_not_those_of_another_view(seen: Watched, served: Served) -> None:
    page = seen.page
    places = page.locator(".leaflet-lapwing-places-pane path")
    assert places.count() > 0
    page.route("**/places.geojson?*", lambda route: route.abort())
    page.locator("#month").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#map-status")).to_contain_text("The places could not be drawn.")
    expect(places).to_have_count(0)
    settled(seen)
    page.unroute("**/places.geojson?*")
    with page.expect_response(lambda one: "places.geojson?from=" in one.url) as answer:  # the same view is asked again
        page.click(".lw-tabs >> text=Cells")
    expect(places).to_have_count(len(answer.value.json()["features"]))
    expect(page.locator("#map-status")).to_contain_text("Map drawn, with ")
    seen.complaints[:] = [one for one in seen.complaints if "ERR_FAILED" not in one]  # what was cut off above


def slide_back(seen: Watched) -> None:
    """Move the months to the whole analysis."""
    seen.page.locator("#month").focus()
    seen.page.keyboard.press("Home")
    seen.page.wait_for_function("() => !location.search.includes('from=')")


def test_all_of_the_page_follows_the_month(seen: Watched, served: Served) -> None:
    page = seen.page
    open_map(seen, served, "/runs/latest/map?list=cells&kind=incidents&kind=intelligence")
    page.locator("#list [data-cell] button").first.click()
    page.wait_for_selector("#place-panel h2:has-text('Cell round')")
    opened = page.inner_text("#place-panel h2")
    places = page.locator(".leaflet-lapwing-places-pane path")
    drawn = places.count()
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url))
    month = slide_to(seen, 3)
    expect(page.locator("#place-panel")).to_contain_text("the filter")  # the panel is told again, of the month
    dates = {"from": [month["from"]], "to": [month["to"]]}

    def query_of(part: str) -> dict[str, list[str]]:
        return parse_qs(urlsplit(next(one for one in reversed(asked) if part in one)).query)

    view = dates | {"kind": ["incidents", "intelligence"]}
    assert query_of("places.geojson") == query_of("/panel") == query_of("/tiles/cells/") == view
    assert page.inner_text("#place-panel h2") == opened
    asked.clear()
    page.locator("#list [data-cell] button").first.click()
    page.wait_for_function("name => !document.querySelector('#place-panel h2').textContent.includes(name)", arg=opened)
    assert query_of("/panel") == view
    assert places.count() < drawn
    assert page.input_value("#filter-form [name=from]") == month["from"]
    assert page.input_value("#filter-form [name=to]") == month["to"]
    assert page.is_checked("#filter-form [name=kind][value=incidents]")
    assert parse_qs(page.input_value("#saved-views [name=query]")) == view
    assert page.input_value("#download-view [name=from]") == month["from"]
    assert page.locator("#list [data-cell]").count()  # still the list of cells
    slide_back(seen)
    expect(places).to_have_count(drawn)
    assert page.input_value("#filter-form [name=from]") == ""


def test_the_month_gives_the_whole_map_a_form_to_save_it_by(seen: Watched) -> None:
    page = seen.page
    page.locator("summary:has-text('Filter and compare')").click()
    month = slide_to(seen, 2)
    assert page.input_value("#saved-views [name=query]") == f"from={month['from']}&to={month['to']}"
    assert page.input_value("#filter-form [name=from]") == month["from"]
    assert page.locator("#filter").get_attribute("open") is not None
    page.check("text=Friday")
    page.click("#list th >> text=Records")
    page.wait_for_selector("#list th[aria-sort=ascending] >> text=Records")
    assert page.is_checked("text=Friday")  # sorting keeps what is half filled in


def test_lines_of_the_whole_analysis_go_with_a_filter_and_come_back(seen: Watched) -> None:
    page = seen.page
    lines = page.locator(".leaflet-lapwing-lines-pane path")
    whole = lines.count()
    assert whole
    slide_to(seen, 2)
    expect(lines).to_have_count(0)
    slide_back(seen)
    expect(lines).to_have_count(whole)


def test_the_month_keeps_the_filter_of_a_saved_view(seen: Watched, served: Served) -> None:
    page = seen.page
    open_map(seen, served, "/runs/latest/map?weekday=sat&hours=18-2")
    page.click("summary:has-text('Saved views')")
    page.fill("#view-name", "Saturday nights")
    page.click("#saved-views button:has-text('Save')")
    page.wait_for_url("**/map?saved=*")
    page.wait_for_selector("body[data-map=drawn]")
    whole = page.inner_text("#view-words")
    month = slide_to(seen, 4)
    assert parse_qs(urlsplit(page.url).query) == {
        "from": [month["from"]], "to": [month["to"]], "weekday": ["sat"], "hours": ["18-2"],
    }  # fmt: skip
    assert "on Saturday" in page.inner_text("#filter-chosen")
    followed, words = rows(seen), page.inner_text("#view-words")
    assert words != whole
    page.reload()
    page.wait_for_selector("body[data-map=drawn]")
    assert (rows(seen), page.inner_text("#view-words")) == (followed, words)
    slide_back(seen)
    assert parse_qs(urlsplit(page.url).query) == {"weekday": ["sat"], "hours": ["18-2"]}


def test_sorting_and_the_month_keep_the_comparison(seen: Watched, served: Served) -> None:
    page = seen.page
    month = json.loads(page.get_attribute("#month", "data-months"))
    first, second = month[1], month[-2]
    compared = {"compare_from": [second["from"]], "compare_to": [second["to"]]}
    open_map(
        seen, served,
        f"/runs/latest/map?from={first['from']}&to={first['to']}&compare_from={second['from']}&compare_to={second['to']}",
    )  # fmt: skip
    page.click("#list th >> text=Records")
    page.wait_for_selector("#list th[aria-sort=ascending] >> text=Records")
    assert compared.items() <= parse_qs(urlsplit(page.url).query).items()
    page.click(".lw-tabs >> text=Cells")
    page.wait_for_selector("#list [data-cell]")
    assert compared.items() <= parse_qs(urlsplit(page.url).query).items()
    now = slide_to(seen, 4)
    query = parse_qs(urlsplit(page.url).query)
    assert query == compared | {"from": [now["from"]], "to": [now["to"]], "list": ["cells"]}
    assert page.inner_text("#compared-words") == (
        f"Left: {now['from']} to {now['to']}. Right: {second['from']} to {second['to']}."
    )
    page.reload()
    page.wait_for_selector("body[data-map=drawn]")
    assert page.locator("#swipe").count() == 1


def test_the_header_counts_the_records_of_the_cells_on_the_map(seen: Watched, served: Served) -> None:
    page = seen.page
    open_map(seen, served, "/runs/latest/map?list=cells&min_records=15")
    shown = [int(one.replace(",", "")) for one in page.locator("#list td:nth-child(2)").all_inner_texts()]
    assert page.locator(".lw-pages").count() == 0  # all of them
    assert page.inner_text("#view-words").startswith(f"{sum(shown):,} of ")
    assert "hot." in page.inner_text("#view-words")
    month = json.loads(page.get_attribute("#month", "data-months"))[-2]
    open_map(seen, served, f"/runs/latest/map?list=cells&new_since={month['from']}")
    assert " of " in page.inner_text("#view-words").split(",")[0]
    assert "hot." not in page.inner_text("#view-words")  # nothing is marked


def test_once_the_session_has_ended_a_click_says_so(browser: Watched, served: Served, home: Path) -> None:
    link = command(home, "user", "add", "some-leaver", "--role", "analyst", "--json").json["link"]
    own = browser.page.context.browser.new_context()
    try:
        seen = Watched(own.new_page())
        page = seen.page
        sign_in(page, Served(served.address, served.process, served.address + urlsplit(link).path))
        open_map(seen, served, "/runs/latest/map?list=cells")
        own.clear_cookies()
        page.locator("#list [data-cell] button").first.click()
        page.wait_for_selector("#place-panel:not([hidden])")
        assert "Your session has ended. Sign in again." in page.inner_text("#place-panel")
        assert page.locator("#place-panel form").count() == 0
        before = rows(seen)
        page.locator("#month").focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_selector("#map-status >> text=Your session has ended. Sign in again.")
        assert rows(seen) == before
        assert "from=" not in page.url
        page.click("#place-panel >> text=Sign in")
        page.wait_for_url("**/sign-in")
    finally:
        own.close()
