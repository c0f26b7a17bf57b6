"""Default-deny: every route of the service against every role, and against nobody."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.services import accounts
from app.web import make_app
from app.web.routes import ACCESS, PUBLIC
from app.wiring import Lapwing
from geo.model import RecordKind, Role, Scope
from tests.conftest import NOW_US

Client = Callable[[Role], FlaskClient]


@pytest.fixture
def web(city: Lapwing) -> Flask:
    app = make_app(city)
    app.config["WTF_CSRF_ENABLED"] = False
    return app


@pytest.fixture
def signed_in(web: Flask, embedded: Lapwing, scope: Scope) -> Client:
    def sign_in(role: Role) -> FlaskClient:
        client = web.test_client()
        link = accounts.add_user(embedded.store, scope, f"{role}-1", role, now_us=NOW_US)
        assert client.post(link).status_code == 302
        return client

    return sign_in


def addresses(web: Flask, store: object) -> dict[tuple[str, str], str]:
    """One address for each endpoint and method of the service."""
    run = store.runs.runs(Scope())[0].run_id  # type: ignore[attr-defined]
    place = store.runs.places(Scope(), run)[0].place_id  # type: ignore[attr-defined]
    batch = store.evidence.batches(Scope())[0].batch_id  # type: ignore[attr-defined]
    values = {
        "run_id": run,
        "place_id": place,
        "kind": "parks",
        "token": "x",
        "filename": "js/map.js",
        "batch_id": batch,
    }
    record = store.evidence.records(Scope(), list(RecordKind))["record_key"].iloc[0]  # type: ignore[attr-defined]
    values |= {
        "job_id": "none",
        "then": "check",
        "record_key": bytes(record).hex(),
        "stack_id": "none",
        "proof_id": "none",
        "layer": "cells",
        "z": 12,
        "x": 2050,
        "y": 1340,
        "cell": store.runs.statistics(Scope(), run)["cell"].map(lambda one: f"{one:x}").iloc[0],  # type: ignore[attr-defined]
        "view_id": "none",
    }
    found = {}
    with web.test_request_context():
        for rule in web.url_map.iter_rules():
            for method in rule.methods - {"HEAD", "OPTIONS"}:
                built = rule.build({name: values[name] for name in rule.arguments})
                found[rule.endpoint, method] = built[1]
    return found


def test_every_endpoint_stands_in_the_table(web: Flask) -> None:
    endpoints = {rule.endpoint for rule in web.url_map.iter_rules()}
    assert endpoints == set(ACCESS) | PUBLIC


def test_nobody_gets_in_without_signing_in(web: Flask, embedded: Lapwing) -> None:
    client = web.test_client()
    for (endpoint, method), address in addresses(web, embedded.store).items():
        if endpoint in PUBLIC:
            continue
        page = client.open(address, method=method)
        assert (page.status_code, page.headers.get("Location")) in {(302, "/sign-in"), (401, None)}, address
        assert client.open(address, method=method, headers={"Accept": "application/json"}).status_code == 401, address
    assert client.get("/no/such/page").status_code == 302  # existence is not told to strangers


@pytest.mark.parametrize("role", list(Role))
def test_each_role_opens_what_the_table_says(web: Flask, signed_in: Client, embedded: Lapwing, role: Role) -> None:
    client = signed_in(role)
    for (endpoint, method), address in addresses(web, embedded.store).items():
        if endpoint in PUBLIC or endpoint == "sign_in.sign_out":
            continue
        status = client.open(address, method=method).status_code
        if role in ACCESS[endpoint]:
            assert status not in {401, 403}, (role, address, status)
            assert status < 500, (role, address, status)
        else:
            assert status == 403, (role, address, status)


def test_only_analysts_see_the_rows_behind_a_place(signed_in: Client, embedded: Lapwing) -> None:
    store = embedded.store
    run = store.runs.runs(Scope())[0].run_id
    place = store.runs.places(Scope(), run)[0]
    rows = store.runs.place_records(Scope(), run, place.place_id)
    references = [urn for urn in rows["urn"] if urn]
    analyst = signed_in(Role.ANALYST).get(f"/places/{place.place_id}").text
    assert all(urn in analyst for urn in references)
    for role in (Role.COORDINATOR, Role.GIS):
        client = signed_in(role)
        seen = "".join(
            client.get(address).text
            for address in (
                f"/places/{place.place_id}", f"/runs/{run}/map", f"/runs/{run}/layers/places.geojson", f"/runs/{run}/connections",
                f"/runs/{run}/layers/routes.geojson", f"/runs/{run}/layers/network.geojson",
            )
        )  # fmt: skip
        assert not [urn for urn in references if f">{urn}<" in seen or f'"{urn}"' in seen]
        assert not [agency for agency in set(rows["agency"]) if agency in seen]
        sightings = embedded.store.evidence.records(Scope(), ["sightings"])
        assert not [one for one in set(sightings["vehicle_hash"]) if one in seen]


def test_a_disabled_user_is_out_at_once(signed_in: Client, embedded: Lapwing, scope: Scope) -> None:
    client = signed_in(Role.ANALYST)
    assert client.get("/").status_code == 200
    accounts.disable_user(embedded.store, scope, "analyst-1", now_us=NOW_US)
    assert client.get("/").status_code == 302


def test_a_refusal_is_logged_with_its_route(signed_in: Client, embedded: Lapwing, scope: Scope) -> None:
    signed_in(Role.COORDINATOR).get("/audit")
    last = embedded.store.audit.events(scope)[-1]
    assert (last["actor"], last["verb"], last["subject"]) == ("coordinator-1", "refused", "administration.audit")


@pytest.mark.parametrize("layer", ["tasking", "reference", "", "record"])
def test_the_general_download_hands_out_cells_and_places_only(signed_in: Client, embedded: Lapwing, layer: str) -> None:
    run = embedded.store.runs.runs(Scope())[0].run_id
    form = {"layer": layer, "format": "csv", "profile": "operational", "purpose": "test"}
    assert signed_in(Role.GIS).post(f"/runs/{run}/download", data=form).status_code == 422
    assert embedded.store.audit.disclosures(Scope()) == []


def test_every_view_of_data_is_logged_once_an_hour(signed_in: Client, embedded: Lapwing, scope: Scope) -> None:
    run = embedded.store.runs.runs(Scope())[0].run_id
    client = signed_in(Role.COORDINATOR)
    seen = {
        f"/runs/{run}/map": "map",
        f"/runs/{run}/map?kind=incidents": "map?kind=incidents",
        f"/tiles/cells/{run}/12/2051/1341.mvt": "tiles/cells",
        f"/tiles/cells/{run}/12/2051/1342.mvt": "tiles/cells",
        f"/tiles/cells/{run}/12/2051/1342.mvt?kind=incidents&page=2": "tiles/cells?kind=incidents",
        f"/tasking/{run}": "tasking",
    }
    for _ in range(2):
        for address in seen:
            assert client.get(address).status_code == 200
    logged = [e["subject"] for e in embedded.store.audit.events(scope) if e["verb"] == "consultation"]
    assert sorted(logged) == sorted(f"run:{run}/{view}" for view in set(seen.values()))


def test_only_analysts_read_the_reasons_of_decisions(signed_in: Client, embedded: Lapwing, scope: Scope) -> None:
    from app.services.places import decide
    from geo.model import Verdict

    run = embedded.store.runs.runs(Scope())[0].run_id
    place = embedded.store.runs.places(Scope(), run)[0].place_id
    decide(embedded.store, scope, place, Verdict.ACCEPT, "per URN 12345, the kiosk door", now_us=NOW_US)
    assert "the kiosk door" in signed_in(Role.ANALYST).get(f"/places/{place}").text
    for role in (Role.COORDINATOR, Role.GIS):
        page = signed_in(role).get(f"/places/{place}").text
        assert "Accepted" in page
        assert "the kiosk door" not in page
