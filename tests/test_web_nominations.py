"""A nominated place in the browser: its day of review, renewed or overdue, and its withdrawal."""

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.services import accounts
from app.services.analysis import analyse
from app.services.nominating import nominate
from app.services.reviewing import usual_review_by
from app.web import make_app
from app.wiring import Lapwing
from geo.model import Role, Scope
from geo.parameters import AnalysisParameters
from geo.retention import DAY_US
from tests.conftest import NOW_US
from tests.files import load, stack, write_csv

SCOPE = Scope(actor="test")
DAY = usual_review_by(NOW_US)
SAID = {"name": "Quokka Park", "kind": "park", "geometry": "-2.20,51.42", "reason": "told", "source": "council"}


@pytest.fixture
def web(embedded: Lapwing) -> Flask:
    app = make_app(embedded)
    app.config["WTF_CSRF_ENABLED"] = False
    return app


@pytest.fixture
def run(embedded: Lapwing) -> str:
    load(embedded, write_csv(embedded.settings.home / "a.csv", stack([(-2.36, 51.38, 8)])))
    return analyse(embedded.store, SCOPE, AnalysisParameters(simulations=19), seed=0, now_us=NOW_US).run_id


def sign_in(web: Flask, lapwing: Lapwing, role: Role = Role.ANALYST) -> FlaskClient:
    client = web.test_client()
    link = accounts.add_user(lapwing.store, SCOPE, f"{role}-1", role, now_us=NOW_US)
    assert client.post(link).status_code == 302
    return client


def in_words(day: Any) -> str:
    return f"{day.day} {day:%B %Y}"


def nominated(lapwing: Lapwing, days_ago: int = 0) -> str:
    return nominate(lapwing.store, SCOPE, **SAID, now_us=NOW_US - days_ago * DAY_US).place_id


def test_a_place_is_added_with_its_day_reviewed_withdrawn_and_brought_back(
    web: Flask, embedded: Lapwing, run: str
) -> None:
    client = sign_in(web, embedded)
    assert f'type="date" value="{DAY}"' in client.get("/places/add?at=-2.20,51.42").text
    refused = client.post("/places/add", data=SAID | {"review_by": "2020-01-01"})
    assert refused.status_code == 422
    assert "Review by: a day after 2026-05-28" in refused.text
    assert 'value="2020-01-01"' in refused.text
    page = client.post("/places/add", data=SAID | {"review_by": "2026-07-01"}).headers["Location"]
    for address in (page, f"/runs/{run}/map", f"/runs/{run}/connections"):
        assert "review by 1 July 2026" in client.get(address).text, address
    change = f"{page}/change"
    refused = client.post(change, data={"verdict": "review", "review_by": "2028-01-01", "reason": "still so"})
    assert (refused.status_code, "Review by: a day after" in refused.text) == (422, True)
    assert client.post(change, data={"verdict": "review", "review_by": "2026-12-01", "reason": "still so"}).location
    assert "review by 1 December 2026" in client.get(page).text
    assert client.post(change, data={"verdict": "withdraw", "reason": " "}).status_code == 422
    assert client.post(change, data={"verdict": "withdraw", "reason": "it was closed"}).location == page
    for address in (f"/runs/{run}/map", f"/runs/{run}/connections"):
        assert "Quokka" not in client.get(address).text, address
    gone = client.get(page).text
    assert "Withdrawn" in gone
    assert "it was closed" in gone
    offered = re.findall(r'name="verdict" (?:type="radio" )?value="(\w+)"', gone)
    assert offered == ["undo"]
    refused = client.post(change, data={"verdict": "rename", "name": "Park", "reason": "r"})
    assert (refused.status_code, "lapwing decide" in refused.text) == (422, False)
    assert client.post(change, data={"verdict": "undo", "reason": "wrong"}).location == page
    assert "Quokka" in client.get(f"/runs/{run}/map").text


def test_an_overdue_review_is_marked_and_needs_a_decision(web: Flask, embedded: Lapwing, run: str) -> None:
    client, place = sign_in(web, embedded), nominated(embedded, days_ago=91)
    since = f"Review overdue\n</strong>\n since {in_words(DAY - timedelta(days=91))}"
    for address in (f"/places/{place}", f"/runs/{run}/map", f"/runs/{run}/connections"):
        assert squeezed(since) in squeezed(client.get(address).text), address
    listed = client.get(f"/runs/{run}/connections").text.split('id="needs-decision"')[1].split('id="nominated"')[0]
    assert f"/places/{place}" in listed
    client.post(f"/places/{place}/change", data={"verdict": "review", "review_by": str(DAY), "reason": "still so"})
    listed = client.get(f"/runs/{run}/connections").text.split('id="needs-decision"')[1].split('id="nominated"')[0]
    assert place not in listed


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.GIS])
def test_others_see_the_day_and_no_forms(web: Flask, embedded: Lapwing, run: str, role: Role) -> None:
    client, place = sign_in(web, embedded, role), nominated(embedded)
    page = client.get(f"/places/{place}").text
    assert f"review by {in_words(DAY)}" in page
    assert 'name="verdict"' not in page
    for verdict in ("review", "withdraw"):
        told = {"verdict": verdict, "review_by": str(DAY), "reason": "r"}
        assert client.post(f"/places/{place}/change", data=told).status_code == 403


def test_a_place_that_an_analysis_found_offers_neither(web: Flask, embedded: Lapwing, run: str) -> None:
    client, (found,) = sign_in(web, embedded), embedded.store.runs.places(SCOPE, run)
    page = client.get(f"/places/{found.place_id}").text
    assert 'value="withdraw"' not in page
    refused = client.post(f"/places/{found.place_id}/change", data={"verdict": "withdraw", "reason": "r"})
    assert (refused.status_code, "Accept or reject it instead" in refused.text) == (422, True)
