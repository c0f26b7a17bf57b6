"""Prints: marked on every page, the rows of the list and no others, entered in the ledger, and nothing fetched."""

import hashlib
import io
import re
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from flask import Flask, render_template_string
from flask.testing import FlaskClient
from PIL import Image
from pypdf import PdfReader

from app.services import accounts
from app.services.map_tiles import display
from app.services.nominating import nominate
from app.services.view_lists import listed_places
from app.services.wording import place_words
from app.web import make_app
from app.wiring import Lapwing
from geo.disclosure import SYNTHETIC_NOTICE
from geo.errors import DisclosureError
from geo.model import Profile, Role, Run, Scope
from geo.narrative import kind_words, place_title
from geo.view import View
from maps import sheet
from tests.conftest import NOW_US
from tests.test_web_pages import XSS

MARKING = "OFFICIAL-SENSITIVE (SYNTHETIC)"


@pytest.fixture
def pango() -> None:
    try:
        import weasyprint  # noqa: F401
    except OSError as error:
        pytest.skip(f"Pango is not installed (Debian: libpangoft2-1.0-0): {error}")


@pytest.fixture
def web(city: Lapwing) -> Flask:
    app = make_app(city)
    app.config["WTF_CSRF_ENABLED"] = False
    return app


@pytest.fixture
def run(city: Lapwing) -> Run:
    return city.store.runs.runs(Scope())[0]


def sign_in(web: Flask, city: Lapwing, role: Role) -> FlaskClient:
    client = web.test_client()
    link = accounts.add_user(city.store, Scope(), f"{role}-3", role, now_us=NOW_US)
    assert client.post(link).status_code == 302
    return client


@pytest.fixture
def analyst(web: Flask, city: Lapwing) -> FlaskClient:
    return sign_in(web, city, Role.ANALYST)


def ask(client: FlaskClient, run: Run, form: str = "pdf", **more: Any) -> Any:
    return client.post(f"/runs/{run.run_id}/print", data={"form": form, "purpose": "briefing"} | more)


def words_of(body: bytes) -> list[str]:
    """Text of each page, on one line."""
    return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(body)).pages]


def test_every_page_says_what_it_is_and_where_it_comes_from(pango: None, analyst: FlaskClient, run: Run) -> None:
    pages = words_of(ask(analyst, run).data)
    assert len(pages) >= 2
    for number, page in enumerate(pages, start=1):
        assert page.count(MARKING) == 2, page
        assert f"Lapwing, analysis {run.run_id}" in page
        assert "leads for people to check, not facts" in page
        assert "Printed 28 May 2026" in page
        assert f"Page {number} of {len(pages)}" in page
    assert SYNTHETIC_NOTICE in pages[0]
    assert "for: briefing" in pages[0]
    assert "The print expires on 26 August 2026" in pages[0]  # ninety days
    assert all(warning in " ".join(pages) for warning in run.summary["warnings"])


def test_the_document_is_tagged_for_screen_readers(pango: None, analyst: FlaskClient, run: Run) -> None:
    read = PdfReader(io.BytesIO(ask(analyst, run).data))
    root = read.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] == True  # noqa: E712 - pypdf's own truth
    assert root["/Lang"] == "en-GB"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert read.metadata is not None
    assert read.metadata.title == f"{MARKING}: map and places of concern, analysis {run.run_id}"
    assert b"pdfuaid" in root["/Metadata"].get_data()
    kinds, alternatives = set(), []
    waiting = [root["/StructTreeRoot"]]
    while waiting:
        one = waiting.pop().get_object()
        if hasattr(one, "get"):
            kinds.add(one.get("/S"))
            alternatives += [one["/Alt"]] if "/Alt" in one else []
            below = one.get("/K", [])
            waiting += below if isinstance(below, list) else [below]
    assert {"/H1", "/H2", "/Table", "/TH", "/TD", "/Figure", "/LI"} <= kinds
    assert [one for one in alternatives if one.startswith("Map of ")]


@pytest.mark.parametrize("view", [View(), View(kinds=("incidents",), hours=(18, 2), min_records=2)])
def test_the_rows_are_those_of_the_list(pango: None, analyst: FlaskClient, city: Lapwing, run: Run, view: View) -> None:
    listed = listed_places(city.store, Scope(), run, view)
    every = listed_places(city.store, Scope(), run, View())
    assert 0 < len(listed) <= len(every)
    text = " ".join(words_of(ask(analyst, run, **dict(view.pairs())).data)[1:])
    table = text[text.index("Decision Why") : text.index("How to read the map")]
    wanted = "Decision Why"
    for place, count in ((one.place, one.in_view) for one in listed):
        title = place_title(place.kind, place.name, place.alternatives)
        wanted += f"{place.rank} {title} {kind_words(place.kind)} {count:,} waiting {place_words(place, run)}"
    assert table.replace(" ", "") == wanted.replace(" ", "")


def test_a_filter_is_said_in_words(pango: None, analyst: FlaskClient, run: Run) -> None:
    first = words_of(ask(analyst, run, weekday="fri", hours="18-2").data)[0]
    assert re.search(r"\d+ of \d+ records; filter: on Friday; 18:00 to 02:00", first)


def test_a_picture_is_a_marked_page_without_time_or_program(analyst: FlaskClient, run: Run) -> None:
    answers = [ask(analyst, run, "png") for _ in range(2)]
    assert answers[0].status_code == 200
    assert answers[0].mimetype == "image/png"
    assert answers[0].data == answers[1].data
    picture = Image.open(io.BytesIO(answers[0].data))
    assert picture.size in {(2181, 1496), (1496, 2181)}  # A4 less its margins, 200 dots an inch
    assert set(picture.info) <= {"dpi"}
    assert len(picture.convert("RGB").getcolors(1 << 20) or []) > 50


def test_a_picture_shows_the_part_that_the_screen_shows(analyst: FlaskClient, run: Run) -> None:
    whole, part = ask(analyst, run, "png"), ask(analyst, run, "png", bbox="0.24,52.90,0.27,52.92")
    assert part.status_code == 200
    assert part.data != whole.data


@pytest.mark.parametrize("form", ["pdf", "png"])
def test_a_print_is_entered_in_the_ledger(
    pango: None, analyst: FlaskClient, city: Lapwing, run: Run, form: str
) -> None:
    answer = ask(analyst, run, form, purpose="  Thursday's meeting ")
    (entry,) = city.store.audit.disclosures(Scope())
    assert (entry.run_id, entry.layer, entry.profile, entry.format) == (run.run_id, "map", "operational", form)
    assert (entry.purpose, entry.actor, entry.disclosed_at_us) == ("Thursday's meeting", "analyst-3", NOW_US)
    assert entry.sha256 == hashlib.sha256(answer.data).hexdigest()
    assert entry.features > len(listed_places(city.store, Scope(), run, View()))
    named = answer.headers["Content-Disposition"]
    assert f"OFFICIAL-SENSITIVE_lapwing-map-operational-{run.run_id}-{entry.disclosure_id}.{form}" in named
    assert entry.file_name in named
    city.store.audit.verify()
    if form == "pdf":
        assert entry.disclosure_id in " ".join(words_of(answer.data))


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"purpose": " "}, "Say what the print is for"),
        ({"form": "svg"}, "pdf or png"),
        ({"bbox": "1,2,3"}, "west, south, east and north"),
        ({"bbox": "nan,1,2,3"}, "west, south, east and north"),
        ({"bbox": "2,1,1,3"}, "west, south, east and north"),
        ({"hours": "soon"}, "hours"),
    ],
)
def test_what_cannot_be_printed_is_said_and_not_entered(
    analyst: FlaskClient, city: Lapwing, run: Run, told: dict[str, str], words: str
) -> None:
    answer = ask(analyst, run, **{"form": "png", **told})
    assert answer.status_code == 422
    assert words in answer.text
    assert city.store.audit.disclosures(Scope()) == []


def test_text_of_people_and_of_data_stands_there_as_it_is(pango: None, analyst: FlaskClient, run: Run) -> None:
    for payload in [*XSS, '<img src="http://127.0.0.1:9/x">', "url(http://127.0.0.1:9/x)"]:
        pages = words_of(ask(analyst, run, purpose=payload, kind=["incidents", payload]).data)
        told = pages[0].replace(" ", "")
        assert told.count(payload.replace(" ", "")) >= 2, payload


def test_nominated_places_are_listed_apart(pango: None, analyst: FlaskClient, city: Lapwing, run: Run) -> None:
    lon, lat = (shown := display(city.store, Scope(), run, Profile.OPERATIONAL).bounds)[0] + 0.01, shown[1] + 0.01
    nominate(
        city.store, Scope(actor="test"), name="Quarry <b>Café</b> & Yard", kind="takeaway", geometry=f"{lon},{lat}",
        reason="Seen from the road", source="patrol", now_us=NOW_US,
    )  # fmt: skip
    pages = words_of(ask(analyst, run).data)
    after = " ".join(pages).partition("Nominated by people")[2]
    assert "Quarry <b>Café</b> & Yard, a takeaway; waiting for a decision; review by 26 August 2026" in after


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.PARTNER, Role.BOARD, Role.AUDITOR, Role.ADMIN])
def test_others_print_nothing(web: Flask, city: Lapwing, run: Run, role: Role) -> None:
    assert ask(sign_in(web, city, role), run, "png").status_code == 403
    assert city.store.audit.disclosures(Scope()) == []


def test_gis_print(web: Flask, city: Lapwing, run: Run) -> None:
    assert ask(sign_in(web, city, Role.GIS), run, "png").status_code == 200


@pytest.fixture
def listener() -> Iterator[tuple[int, list[Any]]]:
    """A port on this machine, and who has come to it."""
    came: list[Any] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        server.settimeout(0.2)
        ended = threading.Event()

        def wait() -> None:
            while not ended.is_set():
                try:
                    connection, address = server.accept()
                except TimeoutError:
                    continue
                came.append(address)
                connection.close()

        waiting = threading.Thread(target=wait)
        waiting.start()
        yield server.getsockname()[1], came
        ended.set()
        waiting.join()


@pytest.mark.parametrize(
    "html",
    [
        '<img src="http://127.0.0.1:PORT/x.png" alt="x">',
        '<img src="file:///etc/hostname" alt="x">',
        '<style>@import url("http://127.0.0.1:PORT/x.css");</style>',
        '<style>@font-face { font-family: x; src: url(http://127.0.0.1:PORT/x.ttf) }</style><p style="font-family: x">x',
        '<p style="background: url(http://127.0.0.1:PORT/x)">x</p>',
        '<link rel="stylesheet" href="http://127.0.0.1:PORT/x.css">',
    ],
)
def test_a_document_that_asks_for_anything_is_refused(pango: None, listener: tuple[int, list[Any]], html: str) -> None:
    port, came = listener
    document = f'<html lang="en-GB"><title>x</title><body>{html.replace("PORT", str(port))}'
    with pytest.raises(DisclosureError, match="nothing from anywhere"):
        sheet.write_pdf(document)
    assert came == []


def test_a_picture_within_a_document_that_asks_for_another_is_left_out(
    pango: None, listener: tuple[int, list[Any]]
) -> None:
    port, came = listener
    inner = f"<svg xmlns='http://www.w3.org/2000/svg'><image href='http://127.0.0.1:{port}/x'/></svg>"
    sheet.write_pdf(f'<html lang="en-GB"><title>x</title><body><img alt="x" src="data:image/svg+xml,{inner}">')
    assert came == []


class Broken:
    """An importer that finds Pango missing, as WeasyPrint does when it is imported."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name == "weasyprint":
            raise OSError("cannot load library 'libpango-1.0-0'")


@pytest.mark.parametrize(
    ("missing", "how"), [("pango", "apt-get install libpango-1.0-0"), ("weasyprint", "lapwing[pdf]")]
)
def test_what_is_not_installed_is_said_in_a_line(
    analyst: FlaskClient, city: Lapwing, run: Run, monkeypatch: pytest.MonkeyPatch, missing: str, how: str
) -> None:
    if missing == "pango":
        for name in [name for name in sys.modules if name.split(".")[0] == "weasyprint"]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    else:
        monkeypatch.setitem(sys.modules, "weasyprint", None)
    answer = ask(analyst, run)
    assert answer.status_code == 422
    assert how in answer.text
    assert city.store.audit.disclosures(Scope()) == []
    assert ask(analyst, run, "png").status_code == 200


def test_the_form_carries_the_view(web: Flask, run: Run) -> None:
    with web.test_request_context():
        page = render_template_string(
            '{% from "parts.html" import csrf with context %}{% include "map/print.html" %}',
            run=run, view=View(kinds=("<b>",), hours=(18, 2)),
        )  # fmt: skip
    assert f'action="/runs/{run.run_id}/print"' in page
    assert '<input type="hidden" name="kind" value="&lt;b&gt;">' in page
    assert '<input type="hidden" name="hours" value="18-2">' in page
    assert re.search(r'<input[^>]*name="purpose"[^>]*required', page)
    assert page.count('type="radio"') == 2
