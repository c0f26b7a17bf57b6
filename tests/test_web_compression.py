"""What goes out in gzip, what never does, and that entity tags, 304 and the log of consultations hold either way."""

import gzip
import math

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.web import make_app
from app.web.compressing import LEAST_BYTES
from app.wiring import Lapwing
from geo.model import Role, Scope
from tests.site import middle
from tests.test_web_pages import sign_in

GZIP = {"Accept-Encoding": "gzip, deflate, br"}
STYLES, SCRIPT, SMALL = "/static/vendor/lapwing.css", "/static/js/map.js", "/static/js/page.js"
ZOOM = 12


@pytest.fixture
def web(embedded: Lapwing) -> Flask:
    return make_app(embedded)


@pytest.fixture
def run_id(city: Lapwing) -> str:
    return city.store.runs.runs(Scope())[0].run_id


@pytest.fixture
def client(web: Flask, city: Lapwing) -> FlaskClient:
    return sign_in(web, city)


@pytest.fixture
def tile(city: Lapwing, run_id: str) -> str:
    (lon, lat), n = middle(city), 2**ZOOM
    column, row = (lon + 180) / 360 * n, (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * n
    return f"/tiles/cells/{run_id}/{ZOOM}/{int(column)}/{int(row)}.mvt"


@pytest.fixture
def hot(run_id: str, tile: str) -> list[str]:
    """Addresses that a map asks for, each of them large."""
    return [STYLES, SCRIPT, f"/runs/{run_id}/layers/places.geojson", tile]


def test_what_a_map_asks_for_goes_out_in_gzip_and_holds_the_same_bytes(client: FlaskClient, hot: list[str]) -> None:
    for address in hot:
        plain, packed = client.get(address), client.get(address, headers=GZIP)
        assert "Content-Encoding" not in plain.headers
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.data) == plain.data
        assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data)
        assert client.get(address, headers=GZIP).data == packed.data
        for answer in (plain, packed):
            assert "Accept-Encoding" in answer.vary
            for name in ("Content-Type", "Cache-Control", "X-Content-Type-Options"):
                assert answer.headers[name] == plain.headers[name]


def test_the_two_forms_have_two_entity_tags(client: FlaskClient, hot: list[str]) -> None:
    for address in hot:
        plain, packed = client.get(address).headers["ETag"], client.get(address, headers=GZIP).headers["ETag"]
        assert plain.startswith('"')
        assert packed == f"W/{plain}"


def test_either_tag_is_answered_by_304_with_the_same_tag(client: FlaskClient, hot: list[str]) -> None:
    for address in hot:
        for asked in ({}, GZIP):
            tag = client.get(address, headers=asked).headers["ETag"]
            for told in (tag, f'"other", {tag}'):
                again = client.get(address, headers={**asked, "If-None-Match": told})
                assert (again.status_code, again.data) == (304, b"")
                assert again.headers["ETag"] == tag
                assert "Accept-Encoding" in again.vary
                assert "Content-Encoding" not in again.headers
        assert client.get(address, headers={**GZIP, "If-None-Match": '"other", W/"another"'}).status_code == 200


def test_what_has_not_changed_is_logged_as_seen_all_the_same(
    client: FlaskClient, web: Flask, city: Lapwing, tile: str
) -> None:
    tag = client.get(tile, headers=GZIP).headers["ETag"]
    other = sign_in(web, city, Role.GIS)
    assert other.get(tile, headers={**GZIP, "If-None-Match": tag}).status_code == 304
    seen = [one["actor"] for one in city.store.audit.events(Scope()) if one["subject"].endswith("/tiles/cells")]
    assert seen == ["analyst-2", "gis-2"]


def test_another_audience_is_given_another_tile_under_another_tag(
    client: FlaskClient, web: Flask, city: Lapwing, tile: str
) -> None:
    inside, outside = client.get(tile, headers=GZIP), sign_in(web, city, Role.BOARD)
    tag = inside.headers["ETag"]
    answer = outside.get(tile, headers={**GZIP, "If-None-Match": tag})
    assert answer.status_code != 304
    assert answer.data != inside.data


def test_pages_and_their_tokens_are_never_compressed(client: FlaskClient, web: Flask, run_id: str) -> None:
    for address in (
        "/",
        f"/runs/{run_id}/map?list=cells",
        "/records/new/incidents",
        "/quarantine",
        "/account/passphrase",
    ):
        answer = client.get(address, headers=GZIP)
        assert len(answer.data) > LEAST_BYTES
        assert 'name="csrf_token"' in answer.text  # or it would prove nothing
        assert "Content-Encoding" not in answer.headers
    answer = web.test_client().get("/sign-in", headers=GZIP)
    assert "csrf_token" in answer.text
    assert "Content-Encoding" not in answer.headers


def test_no_template_with_a_token_makes_a_type_that_is_compressed(client: FlaskClient, hot: list[str]) -> None:
    for address in hot:
        assert b"csrf_token" not in client.get(address).data


def test_small_answers_stay_as_they_are(client: FlaskClient) -> None:
    answer = client.get(SMALL, headers=GZIP)
    assert len(answer.data) < LEAST_BYTES
    assert "Content-Encoding" not in answer.headers
    assert "Accept-Encoding" in answer.vary
    tag = answer.headers["ETag"]
    assert client.get(SMALL, headers={**GZIP, "If-None-Match": tag}).headers["ETag"] == tag


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip", True), ("GZIP", True), ("br, gzip;q=0.1", True), ("*", True), ("gzip;q=1.0, identity;q=0.5, *;q=0", True),
        ("", False), ("identity", False), ("br", False), ("gzip;q=0", False), ("gzip;q=0, *", False),
        ("identity, gzip;q=0.5", False), ("nonsense;;q=,", False),
    ],
)  # fmt: skip
def test_only_who_takes_gzip_is_given_it(client: FlaskClient, accepted: str, packed: bool) -> None:
    answer = client.get(SCRIPT, headers={"Accept-Encoding": accepted})
    assert answer.status_code == 200
    assert (answer.headers.get("Content-Encoding") == "gzip") is packed


def test_head_has_the_headers_of_get(client: FlaskClient, hot: list[str]) -> None:
    for address in hot:
        whole, head = client.get(address, headers=GZIP), client.head(address, headers=GZIP)
        assert head.data == b""
        own = {"Content-Security-Policy", "Date"}
        assert {n: v for n, v in head.headers if n not in own} == {n: v for n, v in whole.headers if n not in own}


def test_a_range_is_of_the_plain_bytes(client: FlaskClient) -> None:
    plain, packed = client.get(SCRIPT), client.get(SCRIPT, headers=GZIP)
    part = client.get(SCRIPT, headers={**GZIP, "Range": "bytes=0-1999"})
    assert (part.status_code, part.data) == (206, plain.data[:2000])
    assert "Content-Encoding" not in part.headers
    assert "Accept-Ranges" not in packed.headers
    held = client.get(SCRIPT, headers={"Range": "bytes=0-1999", "If-Range": packed.headers["ETag"]})
    assert held.status_code == 200  # a weak tag holds no range


def test_the_form_in_gzip_has_no_date_that_would_hold_a_range(client: FlaskClient) -> None:
    plain, packed = client.get(SCRIPT), client.get(SCRIPT, headers=GZIP)
    dated = {"Range": "bytes=0-1999", "If-Range": plain.headers["Last-Modified"]}
    assert client.get(SCRIPT, headers=dated).status_code == 206  # of the plain bytes, so whoever has the date may ask
    again = client.get(SCRIPT, headers={**GZIP, "If-None-Match": packed.headers["ETag"]})
    assert (packed.status_code, again.status_code) == (200, 304)
    assert "Last-Modified" not in packed.headers
    assert "Last-Modified" not in again.headers


def test_posts_and_failures_are_left_alone(client: FlaskClient, run_id: str) -> None:
    missing = client.get("/nowhere.mvt", headers={**GZIP, "Accept": "application/json"})
    assert missing.status_code == 404
    assert "Content-Encoding" not in missing.headers
    assert "Content-Encoding" not in client.post(f"/runs/{run_id}/download", headers=GZIP).headers
