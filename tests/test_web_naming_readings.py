"""A place's page says as much of where it is, and of its name, as the reader may know and as was found."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.services import accounts
from app.services.spots import spot_words
from app.web import make_app
from app.wiring import Lapwing
from geo.model import Place, Role, Run, Verdict
from tests.conftest import NOW_US
from tests.deciding import decide
from tests.files import load, square, stack, write_csv, write_geojson
from tests.runs import SCOPE, run_of

MOVED = (-2.36123, 51.38047)


@pytest.fixture
def web(embedded: Lapwing) -> Flask:
    app = make_app(embedded)
    app.config["WTF_CSRF_ENABLED"] = False
    return app


def signed_in(web: Flask, lapwing: Lapwing, role: Role) -> FlaskClient:
    client = web.test_client()
    assert client.post(accounts.add_user(lapwing.store, SCOPE, f"{role}-1", role, now_us=NOW_US)).status_code == 302
    return client


def one_place(lapwing: Lapwing) -> tuple[Run, Place]:
    load(lapwing, write_csv(lapwing.settings.home / "a.csv", stack([(-2.36, 51.38, 8)])))
    run = run_of(lapwing)
    (place,) = lapwing.store.runs.places(SCOPE, run.run_id)
    return run, place


@pytest.mark.parametrize("role", [Role.GIS, Role.COORDINATOR])
def test_a_moved_point_is_exact_only_for_those_who_decide(web: Flask, embedded: Lapwing, role: Role) -> None:
    _, place = one_place(embedded)
    decide(embedded, place.place_id, Verdict.MOVE, to=MOVED)
    page = signed_in(web, embedded, role).get(f"/places/{place.place_id}").text
    assert f"{spot_words(embedded.store, *MOVED)} (moved by a person)" in page
    for digits in ("2.36123", "51.38047", "2.3612", "51.3804"):
        assert digits not in page
    analyst = signed_in(web, embedded, Role.ANALYST).get(f"/places/{place.place_id}").text
    assert "-2.36123, 51.38047 (moved by a person)" in analyst


@pytest.mark.parametrize("role", [Role.GIS, Role.COORDINATOR])
def test_the_middle_of_the_fullest_cell_is_no_more_exact(web: Flask, embedded: Lapwing, role: Role) -> None:
    run, place = one_place(embedded)
    page = signed_in(web, embedded, role).get(f"/places/{place.place_id}?run={run.run_id}").text
    line = page.split("Where to look")[1].split("</dd>")[0]
    assert "ST 750 " in line
    assert "(middle of its fullest cell)" in line
    assert "51.3" not in line


def test_a_name_that_a_person_gave_is_not_told_as_found(web: Flask, embedded: Lapwing) -> None:
    parks = [({"name": ""}, square(-2.362, 51.379, 0.004))]
    load(embedded, write_geojson(embedded.settings.home / "p.geojson", parks), "parks")
    _, place = one_place(embedded)
    assert (place.kind, place.name) == ("park", None)
    decide(embedded, place.place_id, Verdict.RENAME, name="Quokka Green")
    page = signed_in(web, embedded, Role.ANALYST).get(f"/places/{place.place_id}").text
    assert "likely that these records speak of Unnamed park." in page
    assert "speak of Quokka Green" not in page
    assert "Found without a name, named by a person." in page


def test_a_found_name_stays_told_beside_the_new_one(web: Flask, embedded: Lapwing) -> None:
    parks = [({"name": "Orchard Park"}, square(-2.362, 51.379, 0.004))]
    load(embedded, write_geojson(embedded.settings.home / "p.geojson", parks), "parks")
    _, place = one_place(embedded)
    client = signed_in(web, embedded, Role.ANALYST)
    before = client.get(f"/places/{place.place_id}").text
    assert "speak of Orchard Park." in before
    assert "by a person" not in before
    decide(embedded, place.place_id, Verdict.RENAME, name="Quokka Green")
    after = client.get(f"/places/{place.place_id}").text
    assert "speak of Orchard Park." in after
    assert "Found as Orchard Park, renamed by a person." in after
