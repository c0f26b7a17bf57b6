"""A drawn area in the web service: its summary under a filter, keeping it, and who may."""

import re
from html import unescape
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict

from app.services import accounts
from app.web import make_app
from app.wiring import Lapwing
from geo.model import FeatureKind, Role
from tests.files import BATH, load, square, write_geojson
from tests.runs import SCOPE, run_of
from tests.test_services_drawing import LEFT, SOUTH, WEST, fill
from tests.test_web_pages import XSS

AROUND = "POLYGON ((-2.45 51.3, -2.25 51.3, -2.25 51.45, -2.45 51.45, -2.45 51.3))"
CROSSED = "POLYGON ((-2.36 51.38, -2.35 51.39, -2.35 51.38, -2.36 51.39, -2.36 51.38))"


@pytest.fixture
def run(embedded: Lapwing) -> str:
    fill(embedded, embedded.settings.home)
    return run_of(embedded, area="Bath").run_id


@pytest.fixture
def web(embedded: Lapwing) -> Flask:
    app = make_app(embedded)
    app.config["WTF_CSRF_ENABLED"] = False
    return app


def sign_in(web: Flask, lapwing: Lapwing, role: Role = Role.ANALYST) -> FlaskClient:
    client = web.test_client()
    link = accounts.add_user(lapwing.store, SCOPE, f"{role}-1", role, now_us=lapwing.clock())
    assert client.post(link).status_code == 302
    return client


@pytest.fixture
def client(web: Flask, embedded: Lapwing, run: str) -> FlaskClient:
    return sign_in(web, embedded)


def words(page: str) -> str:
    """Text of a page as it is read."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_an_outline_is_summed_up_by_whole_cells(client: FlaskClient, run: str) -> None:
    answer = client.post(f"/runs/{run}/area", data={"geometry": LEFT.wkt})
    assert answer.status_code == 200
    told = words(answer.text)
    assert "10 records, of 30 in the analysis: 33%." in told
    assert "whose middle lies inside the outline. Records are never counted by their points" in told
    assert "2024-03 to 2024-04, at most 10 records a month" in told
    assert "Only 10 records with a known time: too few to plan by." in told
    assert answer.text.count(f"?run={run}") == 1  # one place of concern
    assert str(BATH[0] + 0.004) not in answer.text


def test_the_filter_comes_along_and_goes_on(client: FlaskClient, embedded: Lapwing, run: str) -> None:
    answer = client.post(f"/runs/{run}/area?kind=drugs&from=2024-03-01&list=cells", data={"geometry": AROUND})
    told = words(answer.text)
    assert "Filter: 2024-03-01 to the last day; drugs." in told
    assert "14 records in the filter, of 14 that the filter shows: 100%. Without the filter there are 30 here." in told
    assert f'href="/runs/{run}/map?from=2024-03-01&amp;kind=drugs"' in answer.text
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', answer.text))
    assert {name: hidden[name] for name in ("from", "kind")} == {"from": "2024-03-01", "kind": "drugs"}
    kept = client.post(f"/runs/{run}/area/save", data=hidden | {"name": "Round the station"})
    (batch,) = (one for one in embedded.store.evidence.batches(SCOPE) if one.kind == FeatureKind.AREAS)
    address = f"/runs/{run}/area?name=Round+the+station&batch={batch.batch_id}&from=2024-03-01&kind=drugs"
    assert (kept.status_code, kept.headers["Location"]) == (302, address)
    page = client.get(address)
    told = words(page.text)
    assert "Round the station is kept." in told
    assert "14 records in the filter" in told
    assert re.search(rf'href="[^"?]*/batch/{batch.batch_id}"', page.text)
    assert 'href="/runs/new?area=Round+the+station"' in page.text
    assert 'href="/areas?level=drawn"' in page.text
    assert 'id="save"' not in page.text


def test_a_saved_filter_is_applied_by_its_name(client: FlaskClient, embedded: Lapwing, run: str) -> None:
    client.post(f"/runs/{run}/views", data={"query": "kind=noise", "name": "Noise"})
    (kept,) = embedded.store.views.saved(SCOPE)
    told = words(client.post(f"/runs/{run}/area?saved={kept.view_id}", data={"geometry": AROUND}).text)
    assert "16 records in the filter, of 16" in told


def test_a_filter_of_many_values_is_kept_whole(client: FlaskClient, run: str) -> None:
    form = MultiDict([("geometry", AROUND), ("name", "All of it"), ("kind", "drugs"), ("kind", "noise")])
    kept = client.post(f"/runs/{run}/area/save", data=form)
    assert kept.headers["Location"].endswith("&kind=drugs&kind=noise")
    assert "30 records in the filter" in words(client.get(kept.headers["Location"]).text)


def test_the_kept_area_stands_in_the_form_and_under_by_area(
    client: FlaskClient, embedded: Lapwing, run: str, tmp_path: Path
) -> None:
    ward = ({"name": "Abbey", "level": "ward"}, square(WEST, SOUTH, 0.05))
    load(embedded, write_geojson(tmp_path / "wards.geojson", [ward]), "areas")
    client.post(f"/runs/{run}/area/save", data={"geometry": LEFT.wkt, "name": "Round the station"})
    form = client.get("/runs/new?area=Round+the+station").text
    assert '<option value="Round the station" selected>' in form
    assert "There is no area" not in form
    imported = client.get("/areas").text
    assert "Abbey" in imported
    assert "Round the station" not in imported
    drawn = words(client.get("/areas?level=drawn").text)
    assert "Round the station" in drawn
    gone = client.get("/runs/new?area=Elsewhere")
    assert gone.status_code == 200
    assert "There is no area called Elsewhere now. Choose one from the list." in gone.text
    assert "selected>Elsewhere" not in gone.text


@pytest.mark.parametrize(
    ("geometry", "told"),
    [(CROSSED, "The outline crosses or touches itself"), ("", "Draw an outline first"), ("POLYGON", "could not be read")],
)  # fmt: skip
@pytest.mark.parametrize("page", ["area", "area/save"])
def test_an_outline_that_cannot_be_counted_leads_back_to_the_map(
    client: FlaskClient, embedded: Lapwing, run: str, page: str, geometry: str, told: str
) -> None:
    answer = client.post(f"/runs/{run}/{page}?kind=drugs", data={"geometry": geometry, "name": "Round the station"})
    assert answer.status_code == 422
    assert told in answer.text
    assert f'href="/runs/{run}/map?kind=drugs#draw"' in answer.text
    assert not [one for one in embedded.store.evidence.batches(SCOPE) if one.kind == FeatureKind.AREAS]


def test_a_name_that_is_taken_is_asked_for_again_beside_its_field(client: FlaskClient, run: str) -> None:
    for name, told in (("bath", "There is an area called bath already"), ("", "The name: 1 to 120 characters.")):
        answer = client.post(f"/runs/{run}/area/save", data={"geometry": LEFT.wkt, "name": name, "kind": "drugs"})
        assert answer.status_code == 422
        assert answer.text.count(told) == 2  # above, and beside the field
        assert f'id="name" name="name" value="{name}"' in answer.text
        assert 'aria-describedby="name-hint name-error"' in answer.text
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', answer.text))
        assert hidden["kind"] == "drugs"
        assert "10 records in the filter" in words(answer.text)


def test_an_outline_without_a_cell_says_what_to_do(client: FlaskClient, run: str) -> None:
    far = "POLYGON ((-1 53, -1.01 53, -1 53.01, -1 53))"
    told = words(client.post(f"/runs/{run}/area", data={"geometry": far}).text)
    assert "No cell of the analysis has its middle in this outline." in told
    assert "No place of concern has records here." in told


def test_the_address_of_a_summary_leads_to_the_map_and_unknown_areas_are_not_found(
    client: FlaskClient, run: str
) -> None:
    assert client.get(f"/runs/{run}/area?kind=drugs").headers["Location"] == f"/runs/{run}/map?kind=drugs"
    assert client.get(f"/runs/{run}/area?name=Elsewhere").status_code == 404
    known = client.get(f"/runs/{run}/area?name=Bath").text  # a boundary: figures by area have none
    assert "30 records, of 30 in the analysis" in words(known)
    assert 'href="/runs/new?area=Bath"' in known
    assert "level=" not in known
    assert client.post("/runs/no-such-run/area", data={"geometry": LEFT.wkt}).status_code == 404


@pytest.mark.parametrize("role", list(Role))
def test_who_draws_who_reads_and_who_keeps(web: Flask, embedded: Lapwing, run: str, role: Role) -> None:
    client = sign_in(web, embedded, role)
    reads, keeps = role in {Role.ANALYST, Role.COORDINATOR, Role.GIS}, role is Role.ANALYST
    answer = client.post(f"/runs/{run}/area", data={"geometry": LEFT.wkt})
    assert answer.status_code == (200 if reads else 403)
    assert ('id="save"' in answer.text) is keeps
    form = {"geometry": LEFT.wkt, "name": "Round the station"}
    assert client.post(f"/runs/{run}/area/save", data=form).status_code == (302 if keeps else 403)
    if role in {Role.AUDITOR, Role.ADMIN}:
        return
    page = client.get(f"/runs/{run}/map").text
    assert ('id="draw"' in page) is reads
    assert (f'"area_url": "/runs/{run}/area"' in page) is reads


@pytest.mark.parametrize("hostile", XSS)
def test_a_hostile_name_is_text_everywhere(client: FlaskClient, run: str, hostile: str) -> None:
    form = {"geometry": LEFT.wkt, "name": hostile}
    answer = client.post(f"/runs/{run}/area/save", data=form, follow_redirects=True)
    assert answer.status_code in {200, 422}
    form_page = client.get("/runs/new", query_string={"area": hostile}).text
    for page in (answer.text, form_page):
        assert "<img src=x" not in page
        assert "<script>alert" not in page
        assert "49" not in re.findall(r"<h1[^>]*>([^<]*)</h1>", page)


def test_the_summary_is_consulted_and_says_no_position(client: FlaskClient, embedded: Lapwing, run: str) -> None:
    client.post(f"/runs/{run}/area?kind=drugs", data={"geometry": LEFT.wkt})
    entries = [one["subject"] for one in embedded.store.audit.events(SCOPE)]
    assert f"run:{run}/area?kind=drugs" in entries
    assert not [one for one in entries if str(WEST)[:6] in one or str(SOUTH)[:6] in one]
