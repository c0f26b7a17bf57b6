"""Texts that would be code, in every field that takes text: nothing runs, and nothing on a page is made of them.

The browser is told to ignore our Content-Security-Policy, so that the escaping alone must hold.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import shapely
from playwright.sync_api import Page

from app.services import accounts, corroborating, entering, stacks, staging
from app.services.analysis import analyse
from app.services.deciding import Change, change_place
from app.services.drawing import save_area
from app.services.exporting import WRITERS
from app.services.nominating import nominate
from app.services.places import decide
from app.services.saved_views import save_view
from app.wiring import Lapwing
from geo.errors import LapwingError
from geo.model import FeatureKind, RecordKind, Role, Verdict
from geo.parameters import AnalysisParameters
from geo.view import View
from tests.browser import chromium
from tests.conftest import NOW_US
from tests.files import load, square, terms_of, write_csv, write_geojson
from tests.site import (
    FILES, PAGES, SCOPE, TOKEN, Site, a_store, allowed, hosting, look_at_a_file, settled, substance,
)  # fmt: skip

pytestmark = pytest.mark.browser

CORPUS = (
    '<img src=x data-xss onerror="window.hit=1">',
    "</script><script>window.hit=1</script>",
    '<svg data-xss onload="window.hit=1">',
    '"onmouseover="window.hit=1" data-xss="',
    "' onfocus='window.hit=1' autofocus data-xss='",
    "javascript:window.hit=1",
    "${window.hit=1}",
    "{{7*7919}}{% set hit=1 %}",
    "`;window.hit=1;`",
    '<iframe data-xss srcdoc="&lt;script&gt;top.hit=1&lt;/script&gt;">',
    '</title></textarea></style><a data-xss href="javascript:window.hit=1">go</a>',
    "--><script>window.hit=1</script>",
)
# What no page may have as it is, in its source.
RAW = [text for text in CORPUS if "<" in text or text[0] in "\"'"]
MEDIA_TYPES = re.compile(r"$|text/html|image/svg|application/(json|geo\+json|vnd\.(mapbox-vector-tile|openxml|pmtiles))")
READ_BY_BROWSERS = re.compile(r"text/html|image/svg")
WEST, SOUTH, STEP = -2.40, 51.37, 0.012
TEXTS = ("id", "kind", "agency", "urn", "notes", "handling_conditions", "session_id", "make", "colour", "area", "place", "road")
WORDS = ("source_type", "grade", "regime", "indicators", "strengths", "share", "count_band", "age_band", "location_basis", "precision_m", "uprn", "postcode")
MADE_OF_DATA = """() => [...document.querySelectorAll("*")].filter((one) => one.hasAttribute("data-xss") ||
  [...one.attributes].some((told) => told.name.startsWith("on")) || /^\\s*javascript:/i.test(one.getAttribute("href") || "") ||
  (one.tagName === "SCRIPT" && /hit=1|7919/.test(one.textContent))).map((one) => one.outerHTML.slice(0, 200))"""


@dataclass
class Offered:
    """What was offered to the rules, and what they said."""

    taken: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    def offer(self, what: str, act: Callable[[str], Any]) -> None:
        """Offer every text of the corpus."""
        for text in CORPUS:
            try:
                act(text)
                self.taken[what] += 1
            except LapwingError as refusal:
                assert str(refusal)
                self.refused[what] += 1


def spot(number: int) -> tuple[float, float]:
    return WEST + STEP * (number % 4), SOUTH + STEP * (number // 4)


def rotated(number: int, names: tuple[str, ...]) -> dict[str, str]:
    """Give each field a text of its own, another for each row."""
    return {name: CORPUS[(number + i) % len(CORPUS)] for i, name in enumerate(names)}


def rows_of(kind: RecordKind) -> list[dict[str, Any]]:
    """Located rows round each spot, rows without a position, and rows in which everything is wrong."""
    found = []
    for number in range(len(CORPUS)):
        lon, lat = spot(number)
        vehicle = {"registration": f"AB{10 + number} CDE"} if kind is RecordKind.SIGHTINGS else {}
        for day in range(7):
            at = {"longitude": f"{lon + day * 1e-5:.6f}", "latitude": f"{lat:.6f}"}
            told = rotated(number, TEXTS) | vehicle | {"date": f"2026-0{1 + day % 4}-{1 + number:02d}"}
            found.append(told | at | {"id": f"{day} {CORPUS[number]}"})
        found.append(rotated(number, TEXTS) | vehicle | {"date": "2026-04-01", "id": f"none {CORPUS[number]}"})
        found.append(rotated(number, (*TEXTS, *WORDS, "date", "longitude", "latitude", "registration")))
    return found


def write_records(folder: Path, kind: RecordKind, number: int) -> Path:
    rows = rows_of(kind)
    header = sorted({name for one in rows for name in one})
    name = f"{kind} {CORPUS[number]}.csv".replace("/", "")
    return write_csv(folder / name, [[one.get(column, "") for column in header] for one in rows], header)


def write_features(folder: Path, kind: FeatureKind) -> Path:
    features = []
    for number, text in enumerate(CORPUS):
        lon, lat = spot(number)
        told = {"name": text, "kind": CORPUS[number - 1], "level": CORPUS[0], "code": CORPUS[number - 2], "aliases": CORPUS[number - 3]}
        shape: dict[str, Any] = square(lon - 0.001, lat - 0.001, 0.002)
        if kind is FeatureKind.ROADS:
            shape = {"type": "LineString", "coordinates": [[lon - 0.002, lat], [lon + 0.002, lat]]}
        elif kind is FeatureKind.BOUNDARY:
            shape = square(WEST - STEP, SOUTH - STEP, STEP * 6)
        elif kind is FeatureKind.PROTECTED:
            shape = square(WEST - STEP * 0.8, SOUTH - STEP * 0.8, 0.001)
        features.append((told, shape))
    return write_geojson(folder / f"{kind} {CORPUS[3]}.geojson", features[:1] if kind is FeatureKind.BOUNDARY else features)


def fill(app: Lapwing, folder: Path, offered: Offered) -> None:
    """Put the corpus into every field that takes text."""
    for number, kind in enumerate(FeatureKind):
        done = load(app, write_features(folder, kind), kind, source=CORPUS[number])
        offered.taken[kind] += done.batch.accepted
        offered.refused[kind] += done.batch.rejected
    for number, kind in enumerate(RecordKind):
        done = load(app, write_records(folder, kind, number), kind, source=CORPUS[number + 1])
        offered.taken[kind] += done.batch.accepted
        offered.refused[kind] += done.batch.rejected


def decide_everything(app: Lapwing, run_id: str, offered: Offered) -> None:
    """Give every text to every form that takes one."""
    store, places = app.store, [one.place_id for one in app.store.runs.places(SCOPE, run_id)]
    assert len(places) == len(CORPUS)
    lon, lat = spot(13)
    view = View(date_from=date(2026, 1, 1))
    own = iter(places)
    offered.offer("reason", lambda text: decide(store, SCOPE, next(own), Verdict.ACCEPT, text, now_us=NOW_US))
    other = iter(places)
    change = lambda text: Change(verdict=Verdict.RENAME, reason=f"Known as {text}", name=text)  # noqa: E731
    offered.offer("name", lambda text: change_place(store, SCOPE, next(other), change(text), now_us=NOW_US))
    offered.offer("nomination", lambda text: nominate(
        store, SCOPE, name=text, kind="park", geometry=f"{lon},{lat}", reason=text, source=text, now_us=NOW_US,
    ))  # fmt: skip
    offered.offer("view", lambda text: save_view(store, SCOPE, text, view, now_us=NOW_US))
    outline = shapely.box(WEST, SOUTH, WEST + STEP, SOUTH + STEP)
    offered.offer("drawn area", lambda text: save_area(store, SCOPE, f"drawn {text}", outline, terms_of(app)))
    offered.offer("user", lambda text: accounts.add_user(store, SCOPE, text, Role.ANALYST, now_us=NOW_US))
    stack = stacks.list_stacks(store, SCOPE, least=1)[0]["stack_id"]
    offered.offer("stack", lambda text: stacks.rule_stack(store, SCOPE, stack, "address", reason=text, now_us=NOW_US))
    offered.offer("mapping", lambda text: staging.save_mapping(
        store, SCOPE, text, staging.Choices(owner="test", name=text, kind="incidents", source=text, columns={"date": text}), now_us=NOW_US,
    ))  # fmt: skip
    keys = store.runs.place_records(SCOPE, run_id, places[0])["record_key"].map(bytes).tolist()
    offered.offer("split", lambda text: corroborating.split_reports(store, SCOPE, keys[0], keys[1], reason=text, now_us=NOW_US))
    for kind in (RecordKind.EFFORT, RecordKind.OBSERVATIONS, RecordKind.INCIDENTS):
        offered.offer(f"entered {kind}", lambda text, kind=kind: _entered(app, kind, text))


def _entered(app: Lapwing, kind: RecordKind, text: str) -> None:
    told = {name: text for name in ("area", "place", "notes", "kind", "agency", "urn")} | {"date": "2026-03-03"}
    if entering.enter(app.store, SCOPE, kind, told, app.terms).problems:
        raise LapwingError("refused")


@dataclass
class Walked:
    """What was looked at, and what a text of the corpus became there."""

    site: Site
    page: Page
    seen: set[str] = field(default_factory=set)
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
        if "55433" in source:
            self.wrong.append(f"{label}: a template ran")

    def open(self, label: str, address: str, *, status: int | None = 200) -> None:
        answer = self.page.context.request.get(address)
        if status is not None and answer.status != status:
            self.wrong.append(f"{label}: {answer.status}")
        if (told := substance(answer.text())) in self.seen:
            return
        self.seen.add(told)
        self.plain(label, answer.text())
        settled(self.page, address)
        self.inert(label)
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
            for addresses in allowed(role, PAGES).values():
                for path in addresses(site, role):
                    done.open(f"{role} {path}", site.address + path)
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
    csv.writer(text).writerows([["date", "longitude", "latitude", *CORPUS], *([one] * (len(CORPUS) + 3) for one in CORPUS)])
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
    told = {"csrf_token": TOKEN.search(request.get(f"{address}/map").text())[1], "profile": "operational", "purpose": CORPUS[0]}
    for layer in ("cells", "places"):
        for name in WRITERS:
            answer = request.post(f"{address}/download", form=told | {"layer": layer, "format": name})
            label, headers = f"{layer} as {name}", answer.headers
            if "attachment" not in headers.get("content-disposition", "") or headers["x-content-type-options"] != "nosniff":
                walked.wrong.append(f"{label}: {answer.status} {headers}")
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
