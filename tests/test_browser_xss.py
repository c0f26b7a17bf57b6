"""Texts that would be code, in every field that takes text: nothing runs, and nothing on a page is made of them.

The browser is told to ignore our Content-Security-Policy, so that the escaping alone must hold.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page

from app.services.analysis import analyse
from app.services.exporting import WRITERS
from app.services.sharing import share_run
from geo.model import FeatureKind, RecordKind, Role
from geo.parameters import AnalysisParameters
from tests.browser import chromium
from tests.conftest import NOW_US
from tests.hostile import CORPUS, TEXTS, Offered, decide_everything, fill
from tests.site import (
    FILES,
    PAGES,
    SCOPE,
    TOKEN,
    Site,
    a_store,
    allowed,
    hosting,
    look_at_a_file,
    settled,
    substance,
)

pytestmark = pytest.mark.browser

# What no page may have as it is, in its source. Numbers are looked for as words: ids drawn at random have all digits.
RAW = [text for text in CORPUS if "<" in text or text[0] in "\"'"]
MEDIA_TYPES = re.compile(
    r"$|text/html|image/svg|application/(json|geo\+json|vnd\.(mapbox-vector-tile|openxml|pmtiles))"
)
READ_BY_BROWSERS = re.compile(r"text/html|image/svg")
# Pages that show what people wrote, three texts of the corpus at least.
SHOWING = {
    "runs.map_page", "places.page", "besides.page", "tasking.page", "analysing.new", "drawing.stored", "evidence.imports", "evidence.quarantine",
    "imports.batch", "records.index", "dashboard.home",
}  # fmt: skip
MADE_OF_DATA = """() => [...document.querySelectorAll("*")].filter((one) => one.hasAttribute("data-xss") ||
  [...one.attributes].some((told) => told.name.startsWith("on")) || /^\\s*javascript:/i.test(one.getAttribute("href") || "") ||
  (one.tagName === "SCRIPT" && /hit=1|\\b7919\\b/.test(one.textContent))).map((one) => one.outerHTML.slice(0, 200))"""


@dataclass
class Walked:
    """What was looked at, and what a text of the corpus became there."""

    site: Site
    page: Page
    seen: set[str] = field(default_factory=set)
    shown: dict[str, set[str]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def inert(self, label: str) -> None:
        """Require that nothing of the corpus lives on the page that is open."""
        if self.page.evaluate("window.hit") is not None:
            self.wrong.append(f"{label}: something ran")
        self.wrong += [f"{label}: {made}" for made in self.page.evaluate(MADE_OF_DATA)]

    def plain(self, label: str, source: str) -> None:
        """Require that the source of a page has the corpus escaped only."""
        self.wrong += [f"{label}: {text} is in the source" for text in RAW if text in source]
        if re.search(r"\b55433\b", source):
            self.wrong.append(f"{label}: a template ran")

    def open(self, endpoint: str, label: str, address: str) -> None:
        """Look at a page, and remember which texts it showed."""
        answer = self.page.context.request.get(address)
        if answer.status != 200:
            self.wrong.append(f"{label}: {answer.status}")
        if (told := substance(answer.text())) in self.seen:
            return
        self.seen.add(told)
        self.plain(label, answer.text())
        settled(self.page, address)
        self.inert(label)
        words = self.page.locator("body").text_content() or ""
        self.shown.setdefault(endpoint, set()).update(text for text in CORPUS if text in words)
        if self.page.locator(".folium-map").count():
            self.use_map(label)

    def use_map(self, label: str) -> None:
        """Choose rows of the list and shapes of the map, as a person does."""
        for summary in self.page.locator("details > summary").all():
            summary.click()
        for button in self.page.locator("[data-place] button, [data-cell] button").all()[:4]:
            button.click()
            self.page.wait_for_selector("#place-panel:not([hidden])")
            self.page.wait_for_load_state("networkidle")
            self.inert(f"{label}, panel")
        slider = self.page.locator("#month")
        if slider.count():
            slider.press("ArrowRight")
            self.page.wait_for_url("**/*from=*")
            self.page.wait_for_load_state("networkidle")
            self.inert(f"{label}, a month")


@pytest.fixture(scope="module")
def offered() -> Offered:
    return Offered()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, offered: Offered) -> Iterator[Site]:
    app = a_store(tmp_path_factory.mktemp("hostile"))
    fill(app, tmp_path_factory.mktemp("files"), offered)
    asked = AnalysisParameters(area=CORPUS[0], crs_epsg=app.store.crs.epsg)
    run = analyse(app.store, SCOPE, asked, seed=0, now_us=NOW_US)
    decide_everything(app, run.run_id, offered)
    share_run(app.store, SCOPE, run.run_id, CORPUS[0], now_us=NOW_US)
    with hosting(app) as running:
        yield running
    app.database.close()


@pytest.fixture(scope="module")
def walked(site: Site) -> Iterator[Walked]:
    with chromium() as seen:
        context = seen.page.context.browser.new_context(bypass_csp=True, viewport={"width": 1280, "height": 900})
        done = Walked(site, context.new_page())
        done.page.on("dialog", lambda dialog: (done.dialogs.append(dialog.message), dialog.dismiss()))
        for role in Role:
            context.clear_cookies()
            site.sign_in(context, role)
            for endpoint, addresses in allowed(role, PAGES).items():
                for path in addresses(site, role):
                    done.open(endpoint, f"{role} {path}", site.address + path)
            for addresses in allowed(role, FILES).values():
                for path in addresses(site, role):
                    fetch(done, f"{role} {path}", site.address + path)
            if role is Role.ANALYST:
                look_at_hostile_files(done)
                take_away(done)
        yield done


def look_at_hostile_files(walked: Walked) -> None:
    """Bring in a file whose name, columns and rows are the corpus, as far as the page that says what is wrong with it."""
    text = io.StringIO()
    header = ["date", "longitude", "latitude", *CORPUS]
    csv.writer(text).writerows([header, *([one] * len(header) for one in CORPUS)])
    look_at_a_file(walked.page, walked.site, f"{CORPUS[2]}.csv", text.getvalue().encode(), source=CORPUS[0])
    walked.inert("the columns of a file")
    walked.plain("the columns of a file", walked.page.context.request.get(walked.page.url).text())
    for number in range(3, 12):
        walked.page.select_option(f"[name=column-{number}]", TEXTS[number - 3])
    walked.page.click("text=Check every row")
    walked.page.wait_for_selector("text=can be used")
    walked.inert("the check of a file")
    walked.plain("the check of a file", walked.page.context.request.get(walked.page.url).text())


def take_away(walked: Walked) -> None:
    """Require that files to take away are files, and that those of markup have their text escaped."""
    request, run = walked.page.context.request, walked.site.lapwing.store.runs.runs(SCOPE)[0].run_id
    address = f"{walked.site.address}/runs/{run}"
    told = {"profile": "operational", "purpose": CORPUS[0]}
    told["csrf_token"] = TOKEN.search(request.get(f"{address}/map").text())[1]
    for layer in ("cells", "places"):
        for name in WRITERS:
            answer = request.post(f"{address}/download", form=told | {"layer": layer, "format": name})
            label, disposition = f"{layer} as {name}", answer.headers.get("content-disposition", "none")
            if "attachment" not in disposition or answer.headers["x-content-type-options"] != "nosniff":
                walked.wrong.append(f"{label}: {answer.status}, {disposition}")
            if name in {"kml", "gpx"}:
                walked.plain(label, answer.text())


def fetch(walked: Walked, label: str, address: str) -> None:
    """Require that a browser would never read a file as a page, and that nothing lives in what it does read."""
    answer = walked.page.context.request.get(address, max_redirects=0)
    media_type = answer.headers.get("content-type", "")
    if answer.headers["x-content-type-options"] != "nosniff" or (answer.ok and not MEDIA_TYPES.match(media_type)):
        walked.wrong.append(f"{label}: {media_type}")
    if answer.status == 200 and READ_BY_BROWSERS.match(media_type):
        walked.plain(label, answer.text())
        walked.page.goto(address)
        walked.inert(label)


def test_the_rules_take_texts_that_look_like_code_as_the_words_they_are(site: Site, offered: Offered) -> None:
    assert offered.refused["user"] == offered.refused["mapping"] == len(CORPUS)  # these have an alphabet of their own
    everywhere = {*RecordKind, *FeatureKind, "reason", "name", "nomination", "view", "drawn area", "stack", "split"}
    assert {what for what in everywhere if not offered.taken[what]} == set()


def test_nothing_of_the_corpus_runs_or_becomes_part_of_a_page(walked: Walked) -> None:
    assert walked.dialogs == []
    assert walked.wrong == []
    assert set().union(*walked.shown.values()) == set(CORPUS)
    assert {endpoint for endpoint, texts in walked.shown.items() if len(texts) > 2} >= SHOWING


@pytest.mark.parametrize("text", [text for text in CORPUS if "<" in text])
def test_the_watch_notices_what_it_watches_for(walked: Walked, text: str) -> None:
    careless = Walked(walked.site, walked.page)
    walked.page.set_content(f"<p title='{text}'>{text}</p>", wait_until="load")
    careless.inert("careless")
    careless.plain("careless", walked.page.content())
    assert careless.wrong


def test_addresses_that_look_like_code_are_words_too(walked: Walked) -> None:
    site, run = walked.site, walked.site.lapwing.store.runs.runs(SCOPE)[0].run_id
    walked.page.context.clear_cookies()
    site.sign_in(walked.page.context, Role.ANALYST, "another-analyst")
    for text in CORPUS:
        for path, name in (
            ("/runs/new", "area"), ("/places/add", "at"), ("/quarantine", "batch"), (f"/runs/{run}/area", "name"), ("/areas", "level"),
            ("/records/new/observations", "place"), (f"/runs/{run}/map", "kind"), ("/records", "kind"), ("/imports/new", "kind"),
            (f"/runs/{run}/map", "saved"), (f"/runs/{run}/map", "category"), ("/nothing/here", "text"),
        ):  # fmt: skip
            address = f"{site.address}{path}?{urlencode({name: text})}"
            walked.plain(address, walked.page.context.request.get(address).text())
    assert walked.wrong == []
