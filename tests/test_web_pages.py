"""What pages carry and refuse: headers, forms, the ledger, escaping and errors."""

import json
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.services import accounts
from app.services.analysis import analyse
from app.services.import_request import ImportRequest
from app.services.importing import import_file
from app.web import make_app
from app.wiring import Lapwing
from geo.model import Role, Scope
from geo.parameters import AnalysisParameters
from tests.conftest import NOW_US
from tests.files import TERMS

XSS = [
    "<img src=x onerror=alert(1)>",
    "${alert(1)}",
    "{{7*7}}",
    "</script><script>alert(1)</script>",
    "javascript:alert(1)",
]


@pytest.fixture
def web(embedded: Lapwing) -> Flask:
    return make_app(embedded)


def sign_in(web: Flask, lapwing: Lapwing, role: Role = Role.ANALYST) -> FlaskClient:
    client = web.test_client()
    link = accounts.add_user(lapwing.store, Scope(), f"{role}-2", role, now_us=NOW_US)
    page = client.get(link)
    assert client.post(link, data={"csrf_token": token(page.text)}).status_code == 302
    return client


def token(page: str) -> str:
    return re.search(r'name="csrf_token" value="([^"]+)"', page)[1]


@pytest.fixture
def demo(city: Lapwing) -> str:
    (run,) = city.store.runs.runs(Scope())
    return run.run_id


def test_a_link_signs_in_once_and_asks_for_a_passphrase(web: Flask, embedded: Lapwing) -> None:
    link = accounts.add_user(embedded.store, Scope(), "amy", Role.ANALYST, now_us=NOW_US)
    first, second = web.test_client(), web.test_client()
    page = first.get(link)  # looking does not use it up
    assert page.status_code == 200
    assert first.post(link, data={"csrf_token": token(page.text)}).headers["Location"] == "/account/passphrase"
    assert second.get(link).status_code == 410
    page = first.get("/account/passphrase")
    short = first.post(
        "/account/passphrase", data={"csrf_token": token(page.text), "passphrase": "short", "again": "short"}
    )
    assert short.status_code == 422
    words = {"passphrase": "marsh samphire tern", "again": "marsh samphire tern", "csrf_token": token(page.text)}
    assert first.post("/account/passphrase", data=words).status_code == 302
    page = second.get("/sign-in")
    wrong = second.post("/sign-in", data={"csrf_token": token(page.text), "name": "amy", "passphrase": "no"})
    assert wrong.status_code == 403
    right = {"csrf_token": token(page.text), "name": "amy", "passphrase": "marsh samphire tern"}
    assert second.post("/sign-in", data=right).headers["Location"] == "/"
    assert second.get("/").status_code == 200


def test_passphrases_cannot_be_tried_without_end(web: Flask, embedded: Lapwing) -> None:
    account = accounts.add_user(embedded.store, Scope(), "amy", Role.ANALYST, now_us=NOW_US)
    assert account
    found = embedded.store.accounts.by_name("amy")
    assert found is not None
    accounts.set_passphrase(embedded.store, found, "marsh samphire tern", now_us=NOW_US)
    tries = {"now_us": NOW_US, "session_hours": 1}
    for _ in range(accounts.MAX_ATTEMPTS):
        assert accounts.sign_in_by_passphrase(embedded.store, "amy", "wrong", **tries) is None
    assert accounts.sign_in_by_passphrase(embedded.store, "amy", "marsh samphire tern", **tries) is None
    later = {"now_us": NOW_US + accounts.ATTEMPT_WINDOW_US + 1, "session_hours": 1}
    assert accounts.sign_in_by_passphrase(embedded.store, "amy", "marsh samphire tern", **later) is not None


def test_forms_without_their_token_are_refused(web: Flask, embedded: Lapwing, demo: str) -> None:
    client = sign_in(web, embedded)
    answer = client.post(
        f"/runs/{demo}/download", data={"layer": "cells", "format": "csv", "profile": "operational", "purpose": "x"}
    )
    assert answer.status_code == 400
    assert embedded.store.audit.disclosures(Scope()) == []


def test_every_answer_wears_its_headers(web: Flask, embedded: Lapwing, demo: str) -> None:
    client = sign_in(web, embedded)
    nonces = set()
    tile = f"/tiles/cells/{demo}/12/2051/1341.mvt"
    for address in ("/", f"/runs/{demo}/map", tile, "/nowhere", "/static/js/map.js"):
        answer = client.get(address)
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        nonces.add(re.search(r"'nonce-([^']+)'", policy)[1])
        page = answer.text if answer.mimetype != "application/vnd.mapbox-vector-tile" else ""
        if answer.mimetype == "text/html":
            assert "OFFICIAL-SENSITIVE" in page
            assert "SYNTHETIC DATA" in page
            assert not re.search(r"<script(?![^>]*nonce=)", page)
            assert not re.search(r'\s(style|on\w+)="', page)
            assert not re.search(r'(src|href)="https?://', page)
    assert len(nonces) == 5


def test_a_download_needs_a_purpose_and_enters_the_ledger(web: Flask, embedded: Lapwing, demo: str) -> None:
    client = sign_in(web, embedded)
    form = {
        "csrf_token": token(client.get(f"/runs/{demo}/map").text),
        "layer": "places",
        "format": "geojson",
        "profile": "partner",
    }
    assert client.post(f"/runs/{demo}/download", data=form | {"purpose": " "}).status_code == 422
    answer = client.post(f"/runs/{demo}/download", data=form | {"purpose": "weekly meeting"})
    entry = embedded.store.audit.disclosures(Scope())[-1]
    assert (entry.actor, entry.profile, entry.purpose) == ("analyst-2", "partner", "weekly meeting")
    assert entry.disclosure_id in answer.headers["Content-Disposition"]
    layer = json.loads(answer.data)
    assert layer["profile"] == "partner"
    assert all(feature["properties"]["records"] >= 5 for feature in layer["features"])


def test_layers_are_revalidated_and_never_shared(web: Flask, embedded: Lapwing, demo: str) -> None:
    client = sign_in(web, embedded)
    for address in (
        f"/runs/{demo}/layers/places.geojson",
        f"/tiles/cells/{demo}/12/2051/1341.mvt",
        f"/tiles/parks/{demo}/12/2051/1341.mvt",
    ):
        first = client.get(address)
        assert first.headers["Cache-Control"] == "private, no-cache"
        again = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
        assert again.status_code == 304
        assert again.data == b""
    assert client.get(f"/tiles/protected/{demo}/12/2051/1341.mvt").status_code == 404


def test_programs_get_problems_as_json(web: Flask, embedded: Lapwing, demo: str) -> None:
    answer = sign_in(web, embedded).get("/runs/nothing/map", headers={"Accept": "application/json"})
    assert answer.status_code == 404
    assert answer.mimetype == "application/problem+json"
    assert set(answer.json) == {"type", "title", "status", "detail"}


def test_a_decision_needs_a_reason_and_shows_in_the_history(web: Flask, embedded: Lapwing, demo: str) -> None:
    client = sign_in(web, embedded)
    place = embedded.store.runs.places(Scope(), demo)[0].place_id
    form = {"csrf_token": token(client.get(f"/places/{place}").text), "verdict": "accept"}
    assert client.post(f"/places/{place}/decide", data=form | {"reason": ""}).status_code == 422
    assert client.post(f"/places/{place}/decide", data=form | {"reason": "two agencies"}).status_code == 302
    assert "two agencies" in client.get(f"/places/{place}").text
    assert place in client.get(f"/tasking/{demo}").text


def test_text_from_files_is_never_markup(embedded: Lapwing, web: Flask, tmp_path: object) -> None:
    rows = ["id,date,longitude,latitude,kind,agency"]
    rows += [
        f'"{XSS[i % 5]}",2026-03-0{i % 9 + 1},{-2.36 + i * 1e-5},51.38,"{XSS[(i + 1) % 5]}","{XSS[(i + 2) % 5]}"'
        for i in range(12)
    ]
    file = tmp_path / "x.csv"  # type: ignore[operator]
    file.write_text("\n".join(rows))
    import_file(embedded.store, Scope(), file, ImportRequest(kind="incidents"), TERMS)
    run = analyse(embedded.store, Scope(), AnalysisParameters(), seed=0, now_us=NOW_US)
    place = embedded.store.runs.places(Scope(), run.run_id)[0].place_id
    client = sign_in(web, embedded)
    for address in (f"/places/{place}", f"/runs/{run.run_id}/map", "/imports", "/quarantine", f"/tasking/{run.run_id}"):
        page = client.get(address).text
        assert "<img src=x" not in page
        assert "<script>alert" not in page
        assert "49" not in re.findall(r">\s*(49)\s*<", page)


def test_the_log_names_routes_and_never_addresses(
    web: Flask, embedded: Lapwing, capsys: pytest.CaptureFixture[str]
) -> None:
    from app.logs import configure_logging

    configure_logging()
    link = accounts.add_user(embedded.store, Scope(), "amy", Role.ANALYST, now_us=NOW_US)
    web.test_client().get(link)
    lines = capsys.readouterr().err.splitlines()
    entry = json.loads(lines[-1])
    assert entry["route"] == "sign_in.link"
    assert entry["status"] == 200
    assert link.rsplit("/", 1)[-1] not in "".join(lines)


def test_forms_work_behind_a_tls_proxy(web: Flask, embedded: Lapwing) -> None:
    """Our referrer policy keeps the Referer from every server, so that no check may ask for it."""
    client = web.test_client()
    link = accounts.add_user(embedded.store, Scope(), "amy", Role.ANALYST, now_us=NOW_US)
    page = client.get(link, base_url="https://localhost")
    answer = client.post(link, data={"csrf_token": token(page.text)}, base_url="https://localhost")
    assert answer.status_code == 302


def test_a_refused_form_wears_its_nonce(web: Flask, embedded: Lapwing) -> None:
    answer = web.test_client().post("/sign-in", data={"name": "amy"})
    assert answer.status_code == 400
    assert "'nonce-'" not in answer.headers["Content-Security-Policy"]


def test_a_new_passphrase_ends_other_sessions(web: Flask, embedded: Lapwing) -> None:
    here, elsewhere = sign_in(web, embedded), web.test_client()
    link = accounts.demo_link(embedded.store, Scope(), "analyst-2", Role.ANALYST, now_us=NOW_US)
    open_link = accounts.demo_link(embedded.store, Scope(), "analyst-2", Role.ANALYST, now_us=NOW_US)
    elsewhere.post(link, data={"csrf_token": token(elsewhere.get(link).text)})
    assert elsewhere.get("/").status_code == 200
    page = here.get("/account/passphrase")
    words = {"passphrase": "marsh samphire tern", "again": "marsh samphire tern", "csrf_token": token(page.text)}
    assert here.post("/account/passphrase", data=words).status_code == 302
    assert here.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 302
    assert elsewhere.get(open_link).status_code == 410


def test_a_new_link_replaces_a_lost_passphrase(web: Flask, embedded: Lapwing) -> None:
    client = sign_in(web, embedded)
    found = embedded.store.accounts.by_name("analyst-2")
    assert found is not None
    accounts.set_passphrase(embedded.store, found, "marsh samphire tern", now_us=NOW_US)
    link = accounts.new_link(embedded.store, Scope(), "analyst-2", now_us=NOW_US)
    assert client.get("/").status_code == 302
    lost = accounts.sign_in_by_passphrase(
        embedded.store, "analyst-2", "marsh samphire tern", now_us=NOW_US, session_hours=1
    )
    assert lost is None
    answer = client.post(link, data={"csrf_token": token(client.get(link).text)})
    assert answer.headers["Location"] == "/account/passphrase"
