"""One record at a time in the browser: entered, corrected and taken back under the same checks as a file."""

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app.wiring import Lapwing
from geo.model import Role, Scope
from tests.files import load, row, square, write_csv, write_geojson
from tests.test_web_imports import signed_in

SCOPE = Scope()
SESSION = {"area": "Alice Park", "day": "2026-03-20", "start": "19:00", "end": "21:30", "workers": "2"}
OBSERVATION = {
    "place": "Alice Park",
    "day": "2026-03-21",
    "start": "20:00",
    "count_band": "3-5",
    "indicators": ["alcohol", "gifts"],
}


@pytest.fixture
def coordinator(embedded: Lapwing, scope: Scope) -> FlaskClient:
    return signed_in(embedded, scope, Role.COORDINATOR)


def newest(app: Lapwing, kind: str = "effort") -> list[dict]:
    return app.store.evidence.newest_records(SCOPE, [kind], count=20)


def key_of(record: dict) -> str:
    return bytes(record["record_key"]).hex()


def faults(page: object) -> list[str]:
    found = re.findall(r'id="([a-z_]+)-error"', page.text)  # type: ignore[attr-defined]
    return [str(one) for one in found]


def test_a_session_where_nothing_was_seen(coordinator: FlaskClient, embedded: Lapwing) -> None:
    answer = coordinator.post("/records/new/effort", data=SESSION)
    assert "Recorded." in coordinator.get(answer.headers["Location"]).text
    (record,) = newest(embedded)
    assert record["detail"].startswith('{"area":"Alice Park","nothing_seen":"yes"')
    assert (record["time_basis"], record["source_type"]) == ("interval", "outreach")
    assert coordinator.get("/records").text.count("nothing seen") == 1


def test_the_same_form_twice_is_one_session(coordinator: FlaskClient, embedded: Lapwing) -> None:
    coordinator.post("/records/new/effort", data=SESSION)
    again = coordinator.post("/records/new/effort", data=SESSION)
    assert "nothing was stored twice" in coordinator.get(again.headers["Location"]).text
    assert len(newest(embedded)) == 1


def test_a_session_past_midnight_ends_the_next_day(coordinator: FlaskClient, embedded: Lapwing) -> None:
    coordinator.post("/records/new/effort", data=SESSION | {"start": "22:00", "end": "01:00"})
    (record,) = newest(embedded)
    assert (record["to_us"] - record["from_us"]) // 3_600_000_000 == 3


def test_something_seen_leads_to_an_observation_of_that_session(coordinator: FlaskClient, embedded: Lapwing) -> None:
    answer = coordinator.post("/records/new/effort", data=SESSION | {"seen": "yes"})
    form = coordinator.get(answer.headers["Location"]).text
    session = re.search(r'name="session_id" value="(S-[0-9a-f]{10})"', form)
    assert session is not None
    assert 'value="Alice Park"' in form
    coordinator.post("/records/new/observations", data=OBSERVATION | {"session_id": session[1]})
    (record,) = newest(embedded, "observations")
    assert f'"session_id":"{session[1]}"' in record["detail"]
    assert '"nothing_seen":"no"' in newest(embedded)[0]["detail"]


def test_the_last_session_is_copied_without_its_day(coordinator: FlaskClient) -> None:
    coordinator.post("/records/new/effort", data=SESSION)
    form = coordinator.get("/records/new/effort?copy=last").text
    for value in ("Alice Park", "19:00", "21:30", "2"):
        assert f'value="{value}"' in form
    assert "2026-03-20" not in form


def test_a_correction_keeps_the_earlier_version_and_is_taken_back(coordinator: FlaskClient, embedded: Lapwing) -> None:
    coordinator.post("/records/new/effort", data=SESSION)
    (first,) = newest(embedded)
    answer = coordinator.post(f"/records/{key_of(first)}/correct", data=SESSION | {"workers": "3"})
    assert "The correction is stored." in coordinator.get(answer.headers["Location"]).text
    (second,) = newest(embedded)
    assert '"workers":3' in second["detail"]
    assert (second["delete_us"], second["review_us"]) == (first["delete_us"], first["review_us"])
    assert embedded.store.evidence.record(SCOPE, first["record_key"])["superseded"] == 1
    late = coordinator.post(f"/records/{key_of(first)}/correct", data=SESSION | {"workers": "4"})
    assert late.status_code == 422  # somebody corrected it meanwhile
    coordinator.post(f"/records/{key_of(second)}/correct", data=SESSION | {"workers": "3", "start": "18:00"})
    (third,) = newest(embedded)
    coordinator.post(f"/records/{key_of(third)}/undo")
    assert key_of(newest(embedded)[0]) == key_of(second)


def test_nothing_changed_is_said(coordinator: FlaskClient, embedded: Lapwing) -> None:
    coordinator.post("/records/new/effort", data=SESSION)
    page = coordinator.post(f"/records/{key_of(newest(embedded)[0])}/correct", data=SESSION)
    assert page.status_code == 422
    assert "Nothing was changed." in page.text


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"area": "with Mrs Khan"}, "area"),
        ({"day": ""}, "day"),
        ({"day": "2099-01-01"}, "day"),
        ({"workers": "many"}, "workers"),
        ({"start": "25:00"}, "start"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_lost(
    coordinator: FlaskClient, embedded: Lapwing, told: dict[str, str], field: str
) -> None:
    page = coordinator.post("/records/new/effort", data=SESSION | told)
    assert page.status_code == 422
    assert field in faults(page) or (field == "day" and faults(page) in (["start"], ["end"]))
    assert 'value="21:30"' in page.text
    assert newest(embedded) == []
    assert embedded.store.evidence.batches(SCOPE) == []


def test_a_correction_of_words_keeps_the_exact_position_and_vehicle(
    embedded: Lapwing, scope: Scope, tmp_path: Path
) -> None:
    load(
        embedded,
        write_csv(
            tmp_path / "a.csv", [[*row(1), "AB12 CDE"]], ("id", "date", "longitude", "latitude", "kind", "registration")
        ),
    )
    (first,) = newest(embedded, "incidents")
    analyst = signed_in(embedded, scope, Role.ANALYST)
    form = {"kind": "robbery", "day": "2024-03-09", "urn": "1", "agency": "", "notes": ""}
    assert analyst.post(f"/records/{key_of(first)}/correct", data=form).status_code == 302
    (second,) = newest(embedded, "incidents")
    assert second["category"] == "robbery"
    for name in ("lon", "lat", "precision_m", "vehicle_hash", "from_us", "to_us", "urn"):
        assert second[name] == first[name], name


def test_a_place_that_is_known_puts_an_observation_on_the_map(
    coordinator: FlaskClient, embedded: Lapwing, tmp_path: Path
) -> None:
    load(
        embedded,
        write_geojson(tmp_path / "p.geojson", [({"name": "Alice Park"}, square(-2.36, 51.38, 0.002))]),
        "parks",
    )
    answer = coordinator.post("/records/new/observations", data=OBSERVATION)
    assert "On the map" in coordinator.get(answer.headers["Location"]).text
    (record,) = newest(embedded, "observations")
    assert (record["method"], record["location_basis"]) == ("name", "exact")


def test_each_role_has_its_own_kinds(coordinator: FlaskClient, embedded: Lapwing, scope: Scope, tmp_path: Path) -> None:
    load(embedded, write_csv(tmp_path / "a.csv", [row()]))
    (incident,) = newest(embedded, "incidents")
    assert coordinator.get("/records?kind=incidents").status_code == 403
    assert coordinator.get("/records/new/incidents").status_code == 403
    assert coordinator.get(f"/records/{key_of(incident)}/correct").status_code == 404
    analyst = signed_in(embedded, scope, Role.ANALYST)
    assert analyst.get(f"/records/{key_of(incident)}/correct").status_code == 200
    assert analyst.post(f"/records/{key_of(incident)}/undo").status_code == 422  # it came with a file
    assert analyst.get("/records/new/people").status_code == 404
    assert analyst.get("/records/zz/correct").status_code == 404
