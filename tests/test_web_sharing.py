"""Sharing in the browser: the form, who may send it, and that partners and boards see what is shared by no address but its own."""

import re
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.services import accounts
from app.services.analysis import analyse
from app.services.sharing import shared_run, stop_sharing
from app.web import make_app
from app.wiring import Lapwing
from geo.model import Role, Run, Scope
from geo.parameters import AnalysisParameters
from tests.conftest import NOW_US
from tests.runs import SCOPE
from tests.test_web_access import addresses
from tests.test_web_dashboard import plain

OUTSIDE = (Role.PARTNER, Role.BOARD)
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def run(city: Lapwing) -> Run:
    return city.store.runs.runs(SCOPE)[0]


@pytest.fixture
def newer(city: Lapwing, run: Run) -> Run:
    """Return an analysis that may be shared and that nobody shared, a day after the other."""
    asked = AnalysisParameters.from_json(run.parameters)
    months = {"date_from": date(2026, 1, 1), "date_to": date(2026, 3, 31)}
    parameters = AnalysisParameters(area=asked.area, crs_epsg=asked.crs_epsg, simulations=19, **months)
    made = analyse(city.store, SCOPE, parameters, seed=0, now_us=NOW_US + 1)
    assert made.summary["shareable"]
    return made


@pytest.fixture
def web(city: Lapwing) -> Flask:
    app = make_app(city)
    app.config["WTF_CSRF_ENABLED"] = False
    return app


def sign_in(web: Flask, city: Lapwing, role: Role) -> FlaskClient:
    client = web.test_client()
    assert client.post(accounts.add_user(city.store, Scope(), f"{role}-7", role, now_us=NOW_US)).status_code == 302
    return client


def panel(page: str) -> str:
    """What the page of a map says of sharing."""
    return page.partition('id="share"')[2].partition("</main>")[0]


# --- the form ---------------------------------------------------------------------------------------------------------


def test_an_analyst_takes_it_back_and_shares_another(web: Flask, city: Lapwing, run: Run, newer: Run) -> None:
    analyst, partner = sign_in(web, city, Role.ANALYST), sign_in(web, city, Role.PARTNER)
    told = panel(analyst.get(f"/runs/{run.run_id}/map").text)
    assert "Partners and boards see this analysis and no other" in told
    assert "by test: a look at the synthetic city" in told
    assert f'action="/runs/{run.run_id}/stop-sharing"' in told
    assert f'action="/runs/{run.run_id}/share"' not in told
    done = analyst.post(f"/runs/{run.run_id}/stop-sharing", data={"purpose": "the wrong one"})
    assert (done.status_code, done.headers["Location"]) == (302, f"/runs/{run.run_id}/map#share")
    assert partner.get(f"/runs/{run.run_id}/map").status_code == 404
    told = panel(analyst.get(f"/runs/{newer.run_id}/map").text)
    assert "Partners and boards see no analysis now." in told
    form = {"purpose": "quarterly meeting", "sooner": "yes"}
    done = analyst.post(f"/runs/{newer.run_id}/share", data=form)
    assert (done.status_code, done.headers["Location"]) == (302, f"/runs/{newer.run_id}/map#share")
    assert partner.get("/runs").headers["Location"] == f"/runs/{newer.run_id}/map"
    assert partner.get(f"/runs/{newer.run_id}/map").status_code == 200
    assert city.store.sharings.live(SCOPE).actor == "analyst-7"


def test_a_close_one_is_shared_on_purpose_only(web: Flask, city: Lapwing, run: Run, newer: Run) -> None:
    client = sign_in(web, city, Role.ANALYST)
    told = panel(client.get(f"/runs/{newer.run_id}/map").text)
    assert f'see <a class="govuk-link" href="/runs/{run.run_id}/map">another analysis</a>' in told
    assert re.search(r'name="sooner" type="checkbox" value="yes" required', told)
    assert "Differences between two close analyses can give a single record away." in told
    for form in ({}, {"sooner": ""}):
        refused = client.post(f"/runs/{newer.run_id}/share", data={"purpose": "meeting"} | form)
        assert refused.status_code == 409
        assert "tick the box on its page" in refused.text
    assert shared_run(city.store, SCOPE).run_id == run.run_id
    assert client.post(f"/runs/{newer.run_id}/share", data={"purpose": "meeting", "sooner": "yes"}).status_code == 302
    assert shared_run(city.store, SCOPE).run_id == newer.run_id


def test_the_same_again_needs_no_second_thought(web: Flask, city: Lapwing, run: Run) -> None:
    stop_sharing(city.store, SCOPE, "a mistake", now_us=NOW_US)
    client = sign_in(web, city, Role.ANALYST)
    assert "sooner" not in panel(client.get(f"/runs/{run.run_id}/map").text)
    assert client.post(f"/runs/{run.run_id}/share", data={"purpose": "meeting"}).status_code == 302


def test_what_cannot_be_shared_says_why_and_has_no_button(web: Flask, city: Lapwing, run: Run) -> None:
    asked = AnalysisParameters(record_kinds=("incidents",), simulations=19)
    own = analyse(city.store, SCOPE, asked, seed=0, now_us=NOW_US + 1)
    client = sign_in(web, city, Role.ANALYST)
    told = panel(client.get(f"/runs/{own.run_id}/map").text)
    assert "This one cannot be shared: it is not over all usual kinds of records." in told
    assert f"/runs/{own.run_id}/share" not in told
    refused = client.post(f"/runs/{own.run_id}/share", data={"purpose": "meeting", "sooner": "yes"})
    assert (refused.status_code, "not over all usual kinds" in refused.text) == (409, True)


@pytest.mark.parametrize("act", ["share", "stop-sharing"])
def test_a_purpose_is_asked_for(web: Flask, city: Lapwing, run: Run, act: str) -> None:
    if act == "share":
        stop_sharing(city.store, SCOPE, "a mistake", now_us=NOW_US)
    before = city.store.sharings.all(SCOPE)
    refused = sign_in(web, city, Role.ANALYST).post(f"/runs/{run.run_id}/{act}", data={"purpose": "  "})
    assert (refused.status_code, "kept in the log" in refused.text) == (422, True)
    assert city.store.sharings.all(SCOPE) == before


def test_a_page_that_is_out_of_date_stops_nothing_else(web: Flask, city: Lapwing, run: Run, newer: Run) -> None:
    client = sign_in(web, city, Role.ANALYST)
    assert client.post(f"/runs/{newer.run_id}/stop-sharing", data={"purpose": "old"}).status_code == 409
    assert shared_run(city.store, SCOPE).run_id == run.run_id


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ANALYST])
def test_nobody_else_shares_or_stops_or_is_offered_it(
    web: Flask, city: Lapwing, run: Run, newer: Run, role: Role
) -> None:
    client = sign_in(web, city, role)
    form = {"purpose": "meeting", "sooner": "yes"}
    assert client.post(f"/runs/{newer.run_id}/share", data=form).status_code == 403
    assert client.post(f"/runs/{run.run_id}/stop-sharing", data=form).status_code == 403
    assert shared_run(city.store, SCOPE).run_id == run.run_id
    assert "sharing" not in client.get(f"/runs/{run.run_id}/map").text


def test_forms_from_elsewhere_share_nothing(city: Lapwing, run: Run) -> None:
    client = sign_in_with_token(make_app(city), city)
    for act in ("share", "stop-sharing"):
        assert client.post(f"/runs/{run.run_id}/{act}", data={"purpose": "meeting"}).status_code == 400
    assert shared_run(city.store, SCOPE).run_id == run.run_id


def sign_in_with_token(web: Flask, city: Lapwing) -> FlaskClient:
    from tests.test_web_pages import sign_in as with_token

    return with_token(web, city)


def test_a_purpose_is_never_markup(web: Flask, city: Lapwing, run: Run) -> None:
    stop_sharing(city.store, SCOPE, HOSTILE, now_us=NOW_US)
    analyst = sign_in(web, city, Role.ANALYST)
    analyst.post(f"/runs/{run.run_id}/share", data={"purpose": HOSTILE})
    for page in (
        analyst.get(f"/runs/{run.run_id}/map").text,
        sign_in(web, city, Role.AUDITOR).get("/audit").text,
    ):
        assert "&lt;img src=x onerror=alert(1)&gt;" in page
        assert "<img src=x" not in page


def test_the_auditor_reads_who_shared_what_for_what(web: Flask, city: Lapwing, run: Run) -> None:
    stop_sharing(city.store, SCOPE, "a mistake", now_us=NOW_US)
    words = plain(sign_in(web, city, Role.AUDITOR).get("/audit").text)
    assert f"test {run.run_id} a look at the synthetic city no longer shared" in words
    assert f"test disclosure run:{run.run_id}/shared" in words
    assert f"test withdrawal run:{run.run_id}/shared" in words


# --- what others see --------------------------------------------------------------------------------------------------


def every_answer(web: Flask, city: Lapwing, client: FlaskClient, run_id: str, own: str) -> dict[str, tuple[int, str]]:
    """Open every address of the service that names an analysis, with that one, and say what came."""
    found = {}
    for (endpoint, method), address in addresses(web, city.store).items():
        if f"/{own}" not in address or endpoint == "static":
            continue
        path = address.replace(own, run_id)
        for query in (
            "",
            "?list=cells",
            "?list=places&sort=-records",
            "?from=2026-02-01&to=2026-02-28",
            f"?run={run_id}",
        ):
            form = {"purpose": "meeting", "form": "png", "layer": "cells", "format": "csv", "profile": "partner"}
            answer = client.open(path + query, method=method, data=form if method == "POST" else None)
            found[f"{method} {endpoint}{query.replace(run_id, '')}"] = (answer.status_code, answer.text)
    return found


@pytest.mark.parametrize("role", OUTSIDE)
def test_what_is_not_shared_is_seen_by_no_address(web: Flask, city: Lapwing, run: Run, newer: Run, role: Role) -> None:
    client = sign_in(web, city, role)
    own = city.store.runs.runs(SCOPE)[0].run_id  # which the list of addresses is made of
    theirs = every_answer(web, city, client, newer.run_id, own)
    nobodys = every_answer(web, city, client, "0" * 16, own)
    assert {
        "GET runs.map_page",
        "GET tiles.tile",
        "GET runs.places",
        "POST printing.print_view",
        "POST runs.download",
    } <= set(theirs)
    assert {status for status, _ in theirs.values()} == {403, 404}
    assert {name: status for name, (status, _) in theirs.items()} == {
        name: status for name, (status, _) in nobodys.items()
    }
    assert "There is no such analysis among what is shared with you." in theirs["GET runs.map_page"][1]
    for text in (text for _, text in theirs.values()):
        assert newer.run_id not in text
    shared = every_answer(web, city, client, run.run_id, own)
    opened = {name for name, (status, _) in shared.items() if status == 200 and "?" not in name}
    assert opened == {"GET runs.map_page", "GET tiles.tile", "GET runs.places"}
    for text in (text for _, text in shared.values()):
        assert newer.run_id not in text


@pytest.mark.parametrize("role", OUTSIDE)
def test_pages_that_name_no_analysis_tell_of_the_shared_one_only(
    web: Flask, city: Lapwing, run: Run, newer: Run, role: Role
) -> None:
    client = sign_in(web, city, role)
    seen = [client.get(one, follow_redirects=True).text for one in ("/", "/runs", "/runs/latest/map")]
    assert all(run.run_id in text and newer.run_id not in text for text in seen)


@pytest.mark.parametrize("role", OUTSIDE)
def test_after_sharing_is_stopped_nothing_is_left_to_see(web: Flask, city: Lapwing, run: Run, role: Role) -> None:
    client = sign_in(web, city, role)
    tile = f"/tiles/cells/{run.run_id}/8/126/85.mvt"
    before = client.get(tile)
    assert before.status_code == 200
    etag = {"If-None-Match": before.headers["ETag"]}
    assert client.get(tile, headers=etag).status_code == 304
    stop_sharing(city.store, SCOPE, "a mistake", now_us=NOW_US)
    assert client.get(tile, headers=etag).status_code == 404  # not even that it has not changed
    answers = every_answer(web, city, client, run.run_id, run.run_id)
    assert {status for status, _ in answers.values()} == {403, 404}
    assert client.get("/runs/latest/map").status_code == 404
    for address in ("/", "/runs"):
        page = client.get(address)
        assert (page.status_code, "No analysis is shared with you now" in page.text) == (200, True)
        assert run.run_id not in page.text


def test_inside_nothing_changes(web: Flask, city: Lapwing, run: Run, newer: Run) -> None:
    stop_sharing(city.store, SCOPE, "a mistake", now_us=NOW_US)
    for role in (Role.ANALYST, Role.COORDINATOR, Role.GIS):
        client = sign_in(web, city, role)
        assert client.get("/runs").headers["Location"] == f"/runs/{newer.run_id}/map"
        assert {client.get(f"/runs/{one.run_id}/map").status_code for one in (run, newer)} == {200}
