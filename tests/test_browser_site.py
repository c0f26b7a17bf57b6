"""Every page of the site in a real browser: nothing from elsewhere, nothing refused, nothing too wide, nothing that shuts people out."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Response, ViewportSize

from app.web.routes import ACCESS, PUBLIC
from geo.model import Role
from tests.browser import Watched, chromium
from tests.conftest import PROJECT
from tests.site import (
    EMPTY,
    FILES,
    ON_THE_WAY,
    OUTSIDE,
    PAGES,
    Site,
    a_city,
    a_store,
    allowed,
    endpoints_to_get,
    furnish,
    hosting,
    look_at_a_file,
    settled,
    substance,
)

pytestmark = pytest.mark.browser

PICTURES = PROJECT / "var/screenshots"
AXE = PROJECT / "node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# Shown to people who have not seen Lapwing, and to us to be looked at.
PICTURED = {
    "dashboard.home": "dashboard", "runs.map_page": "map", "places.page": "place", "cells.page": "cell",
    "tasking.page": "tasking", "analysing.new": "new-analysis",
}  # fmt: skip
RUN_AXE = """async (rules) => {
  const found = await axe.run(document, { runOnly: { type: "tag", values: rules }, preload: false, resultTypes: ["violations"] });
  return found.violations.map((one) =>
    `${one.id} at ${one.nodes.length}, first ${one.nodes[0].target.join(" ")}: ${one.nodes[0].failureSummary.replace(/\\s+/g, " ")}`);
}"""
A_FILE = b"id,date,longitude,latitude,kind\n1,2024-03-09,-2.36,51.38,x\n2,never,-2.36,51.38,x\n"
# Forms whose answer to nothing is a page that says what is wrong, and the button that sends each.
SENT_EMPTY = {
    "/records/new/effort": "#nothing-seen", "/records/new/observations": "main button[type=submit]", "/places/add": "main button[type=submit]",
    "/imports/new": "main button[type=submit]", "/account/passphrase": "main button[type=submit]",
}  # fmt: skip
EMPTY_FIELDS = "document.querySelectorAll('main input:not([type=hidden])').forEach((one) => { one.value = ''; })"
PAPER_AND_INK = "[[document.body, 'backgroundColor'], [document.querySelector('h1'), 'color']].map(([one, what]) => getComputedStyle(one)[what])"
ZOOM_FORBIDDEN = re.compile(r"user-scalable|maximum-scale")


@dataclass(frozen=True)
class Look:
    """One way of looking at a page."""

    width: int
    scheme: Literal["light", "dark"]

    def __str__(self) -> str:
        return f"{'desktop' if self.width > 1000 else 'phone'}-{self.scheme}"

    @property
    def size(self) -> ViewportSize:
        return {"width": self.width, "height": 900 if self.width > 1000 else 640}


LOOKS = (Look(1280, "light"), Look(320, "light"), Look(1280, "dark"), Look(320, "dark"))
# Of a page that others saw before with other words.
SHORT = (LOOKS[0], LOOKS[3])


@dataclass
class Crawl:
    """What was opened, and what was wrong with it."""

    seen: Watched
    opened: set[str] = field(default_factory=set)
    pages: set[str] = field(default_factory=set)
    wrong: dict[str, list[str]] = field(default_factory=dict)

    def blame(self, kind: str, *words: str) -> None:
        self.wrong.setdefault(kind, []).extend(words)

    def answered(self, response: Response) -> None:
        """Look at the policy of every answer that the browser gets."""
        if urlsplit(response.url).scheme not in {"http", "https"}:
            return
        policy = response.headers.get("content-security-policy", "none")
        if "unsafe" in policy or "http" in policy or "*" in policy or "default-src 'none'" not in policy:
            self.blame("policy", f"{response.url}: {policy}")


def accessible(page: Page) -> list[str]:
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(AXE.read_text(encoding="utf-8"))  # the debugger's way in, which the page's policy does not rule
    return page.evaluate(RUN_AXE, RULES)


def looks_at(page: Page, looks: tuple[Look, ...]) -> Iterator[Look]:
    """Have the page look as each says, in turn."""
    drawn = "light"
    for look in looks:
        page.set_viewport_size(look.size)
        page.emulate_media(color_scheme=look.scheme)
        if look.scheme != drawn and page.locator(".folium-map").count():  # it chooses its colours when it is drawn
            settled(page, page.url)
            drawn = look.scheme
        yield look
    page.set_viewport_size(LOOKS[0].size)
    page.emulate_media(color_scheme="light")


def examine(crawl: Crawl, label: str, looks: tuple[Look, ...] = LOOKS) -> None:
    """Look at the page that is open, wide and narrow, light and dark, and into what can be unfolded."""
    page = crawl.seen.page
    if ZOOM_FORBIDDEN.search(page.evaluate("document.querySelector('meta[name=viewport]').content")):
        crawl.blame("zoom", label)
    for look in looks_at(page, looks):
        page.evaluate("document.querySelectorAll('main details').forEach((one) => { one.open = true; })")
        choose_a_row(page)
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > look.width:
            crawl.blame("overflow", f"{label}, {look}: {width} px of {look.width}")
        crawl.blame("axe", *(f"{label}, {look}: {words}" for words in accessible(page)))


def choose_a_row(page: Page) -> None:
    """Have the map show the panel of the first place or cell of its list."""
    row = page.locator("[data-place] button, [data-cell] button").first
    if page.locator("#place-panel[hidden]").count() and row.count():
        row.click()
        page.wait_for_selector("#place-panel:not([hidden])")


def open_page(crawl: Crawl, site: Site, label: str, path: str, looks: tuple[Look, ...] = LOOKS) -> None:
    settled(crawl.seen.page, site.address + path)
    examine(crawl, label, looks)
    crawl.blame("complaints", *(f"{label}: {words}" for words in crawl.seen.complaints))
    crawl.seen.complaints.clear()


def take_pictures(page: Page, site: Site) -> None:
    """Take the pictures of an analyst's pages, each as it is when it is opened."""
    for endpoint, name in PICTURED.items():
        settled(page, site.address + PAGES[endpoint](site, Role.ANALYST)[0])
        for look in looks_at(page, LOOKS):
            settled(page, page.url)
            page.screenshot(path=PICTURES / f"{name}-{look}.png", full_page=True)


def walk(crawl: Crawl, site: Site, role: Role) -> None:
    """Open every page that a role may see and that nobody before it saw just so."""
    context = crawl.seen.page.context
    for endpoint, addresses in allowed(role, PAGES).items():
        for path in addresses(site, role):
            answer = context.request.get(site.address + path)
            if answer.status != 200:
                crawl.blame("status", f"{role} {path}: {answer.status}")
            looks = SHORT if endpoint in crawl.opened else LOOKS
            if (told := substance(answer.text())) not in crawl.pages:
                open_page(crawl, site, f"{role} {path}", path, looks)
            crawl.pages.add(told)
        crawl.opened.add(endpoint)
    for endpoint, addresses in allowed(role, FILES).items():
        for path in addresses(site, role):
            answer = context.request.get(site.address + path)
            if answer.status not in {200, 204} or answer.headers["x-content-type-options"] != "nosniff":
                crawl.blame("status", f"{role} {path}: {answer.status}")
            crawl.opened.add(endpoint)


@pytest.fixture(scope="module")
def site(city_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    app = a_city(city_file, tmp_path_factory.mktemp("site"))
    furnish(app, tmp_path_factory.mktemp("theirs"))
    with hosting(app) as running:
        yield running
    app.database.close()


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    app = a_store(tmp_path_factory.mktemp("bare"))
    with hosting(app) as running:
        yield running
    app.database.close()


@pytest.fixture(scope="module")
def crawl(site: Site, bare: Site) -> Iterator[Crawl]:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with chromium() as seen:
        done = Crawl(seen)
        seen.page.on("response", done.answered)
        for path in OUTSIDE.values():
            seen.page.goto(site.address + path)
            seen.complaints.clear()  # a link that was used up answers 410
            if path != "/healthz":
                examine(done, path)
        for role in Role:
            start_anew(seen, site, role)
            if role is Role.ANALYST:
                take_pictures(seen.page, site)
            walk(done, site, role)
        start_anew(seen, bare, Role.ANALYST)
        for path in EMPTY:
            open_page(done, bare, f"nothing yet, {path}", path)
        mistakes(done, bare)
        start_anew(seen, bare, Role.PARTNER)
        for path in ("/", "/runs"):
            open_page(done, bare, f"nothing shared, {path}", path)
        yield done


def start_anew(seen: Watched, site: Site, role: Role) -> None:
    """Sign somebody else in, when nothing that the one before opened asks for anything any more."""
    seen.page.goto("about:blank")
    seen.page.context.clear_cookies()
    site.sign_in(seen.page.context, role)


def mistakes(crawl: Crawl, site: Site) -> None:
    """Look at a file with a bad row on its way in, at forms that were sent empty, and at an address that is none."""
    page = crawl.seen.page
    look_at_a_file(page, site, "visits.csv", A_FILE)
    examine(crawl, "the columns of a file")
    page.click("text=Check every row")
    page.wait_for_selector("text=can be used")
    examine(crawl, "the check of a file")
    for path, button in SENT_EMPTY.items():
        settled(page, site.address + path)
        page.evaluate(EMPTY_FIELDS)
        page.click(button)
        page.wait_for_selector(".govuk-error-summary")
        examine(crawl, f"{path} sent empty")
    page.goto(f"{site.address}/no/such/page")
    examine(crawl, "no such page")
    crawl.seen.complaints.clear()  # Chromium complains of every answer that is no success


def test_every_address_that_can_be_opened_is_looked_at(site: Site) -> None:
    assert endpoints_to_get(site.web) == set(PAGES) | set(FILES) | ON_THE_WAY | set(OUTSIDE)
    assert set(OUTSIDE) <= PUBLIC
    assert set(PAGES) | set(FILES) | ON_THE_WAY <= set(ACCESS)


def test_every_page_opens_for_whoever_may_see_it(crawl: Crawl) -> None:
    assert crawl.wrong.get("status", []) == []
    assert crawl.opened == set(PAGES) | set(FILES)


def test_no_page_asks_anything_of_a_third_party(crawl: Crawl) -> None:
    assert crawl.seen.elsewhere == []


def test_no_page_complains(crawl: Crawl) -> None:
    assert crawl.wrong.get("complaints", []) == []


def test_every_answer_has_a_strict_policy(crawl: Crawl) -> None:
    assert crawl.wrong.get("policy", []) == []


def test_no_page_forbids_zoom_or_overflows(crawl: Crawl) -> None:
    assert crawl.wrong.get("zoom", []) == []
    assert crawl.wrong.get("overflow", []) == []


def test_no_page_shuts_people_out(crawl: Crawl) -> None:
    assert crawl.wrong.get("axe", []) == []


def test_paper_stays_light(crawl: Crawl) -> None:
    page = crawl.seen.page
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(PAPER_AND_INK) == ["rgb(21, 25, 28)", "rgb(233, 236, 238)"]
    page.emulate_media(color_scheme="dark", media="print")
    assert page.evaluate(PAPER_AND_INK) == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]
    page.emulate_media(color_scheme="light", media="screen")
