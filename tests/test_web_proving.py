"""Pages that say how far an analysis can be trusted, and figures by area."""

import json
import time

import pytest
from flask import Flask

from app.web import make_app
from app.wiring import Lapwing
from geo.model import Role, Scope
from tests.files import load, row, write_csv
from tests.test_web_pages import sign_in, token


@pytest.fixture
def web(city: Lapwing) -> Flask:
    return make_app(city)


def follow(client, response):
    """Go where the work goes, as a browser does."""
    for _ in range(100):
        if response.status_code != 302:
            if "lw-progress" not in response.text:
                return response
            time.sleep(0.2)
            response = client.get(follow.last)
            continue
        follow.last = response.headers["Location"].partition("#")[0]
        response = client.get(follow.last)
    raise AssertionError("the work did not end")


def test_an_analyst_measures_false_alarms_and_backtests(web, city):
    client = sign_in(web, city)
    run = city.store.runs.runs(Scope())[0].run_id
    page = client.get(f"/runs/{run}/accuracy")
    assert "Not measured yet" in page.text
    assert "No backtest has been made yet" in page.text
    form = {"csrf_token": token(page.text)}
    page = follow(client, client.post(f"/runs/{run}/calibrate", data=form))
    assert "maps of pure chance" in page.text
    days = {"train_to": "2025-08-31", "test_to": "2025-12-20"}
    page = follow(client, client.post(f"/runs/{run}/backtest", data=form | days))
    assert page.status_code == 200
    assert "Kernel density" in page.text
    assert "less that of the best peer" in page.text
    for proof in city.store.proofs.proofs(Scope()):
        picture = client.get(f"/proofs/{proof.proof_id}.svg")
        assert picture.mimetype == "image/svg+xml"
        assert f"/proofs/{proof.proof_id}.svg" in page.text
        assert picture.headers["Cache-Control"] == "private, no-cache"


def test_dates_that_test_nothing_are_told_on_the_page(web, city):
    client = sign_in(web, city)
    run = city.store.runs.runs(Scope())[0].run_id
    form = {"csrf_token": token(client.get(f"/runs/{run}/accuracy").text)}
    page = client.post(f"/runs/{run}/backtest", data=form | {"train_to": "", "test_to": "2025-12-20"})
    assert page.status_code == 422
    assert "Choose both days" in page.text
    page = client.post(f"/runs/{run}/backtest", data=form | {"train_to": "2025-12-20", "test_to": "2025-01-01"})
    assert page.status_code == 422
    assert "is not after" in page.text
    never = client.post(f"/runs/{run}/backtest", data=form | {"train_to": "1999-12-31", "test_to": "2000-02-01"})
    assert "nothing can be tested" in follow(client, never).text


def test_map_and_place_say_what_is_beyond_chance(web, city):
    client = sign_in(web, city)
    run = city.store.runs.runs(Scope())[0]
    page = client.get(f"/runs/{run.run_id}/map").text
    assert f"{run.summary['hot_cells']} cells of" in page
    place = city.store.runs.places(Scope(), run.run_id)[0]
    page = client.get(f"/places/{place.place_id}").text
    assert "Beyond chance" in page
    assert f"Held in {place.evidence['held_in']} of 9 checks" in page
    assert "Records by weekday and hour" in page


def test_an_analysis_of_an_earlier_version_says_to_make_it_again(web, city):
    client = sign_in(web, city)
    run = city.store.runs.runs(Scope())[0]
    form = {"csrf_token": token(client.get(f"/runs/{run.run_id}/accuracy").text)}
    summary = {name: value for name, value in run.summary.items() if name not in {"hot_cells", "hot_areas"}}
    city.database._connection().execute("UPDATE run SET summary = ?", (json.dumps(summary),))
    for address in (f"/runs/{run.run_id}/accuracy", f"/runs/{run.run_id}/layers/places.geojson"):
        assert client.get(address).status_code == 409
    refused = client.post(f"/runs/{run.run_id}/backtest", data=form | {"train_to": "", "test_to": ""})
    assert refused.status_code == 409
    assert "before there were statistics" in refused.text


def test_figures_by_area_are_for_those_who_plan(web, city):
    page = sign_in(web, city, Role.COORDINATOR).get("/areas")
    assert page.status_code == 200
    assert "Last 28 days" in page.text
    assert sign_in(web, city, Role.GIS).get("/areas").status_code == 403


def test_without_areas_the_page_says_what_to_import(embedded, tmp_path):
    load(embedded, write_csv(tmp_path / "one.csv", [row(1)]))
    web = make_app(embedded)
    assert 'href="/imports/new?kind=areas"' in sign_in(web, embedded).get("/areas").text


def test_a_proof_of_another_organisation_is_not_found(web, city):
    client = sign_in(web, city)
    assert client.get("/proofs/0190aaaa-0000-7000-8000-000000000000.svg").status_code == 404
