"""The first page after signing in: what it tells to whom, and where it leads."""

import re
import threading
from pathlib import Path

import pytest
from flask import Flask

from app.services.jobs import Seen
from app.services.sharing import share_run, stop_sharing
from app.web import make_app
from app.wiring import Lapwing
from geo.model import Role, Scope, Verdict
from tests.conftest import NOW_US
from tests.deciding import named
from tests.files import load, row, write_csv
from tests.runs import SCOPE
from tests.test_services_dashboard import DAY_US, decide, keep, place
from tests.test_web_pages import XSS, sign_in

OUTSIDE = (Role.PARTNER, Role.BOARD)
OFFICE = (Role.AUDITOR, Role.ADMIN)


def plain(page: str) -> str:
    """Words of a page as they are read."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def section(page: str, name: str) -> str:
    """Everything under one heading."""
    return page.partition(f'id="{name}"')[2].partition("<h2")[0]


def set_clock(app: Lapwing, *, days: int) -> None:
    object.__setattr__(app, "clock", lambda: NOW_US + days * DAY_US)  # frozen, and stands still in tests


@pytest.fixture
def app(embedded: Lapwing) -> Lapwing:
    """Two analyses a week apart: one place new, one gone, one fading, one as it was."""
    keep(embedded, "older", [place(1), place(2), place(3)], days_ago=8)
    keep(embedded, "newer", [place(3), place(2, last="2026-03-01"), place(4)], days_ago=1)
    share_run(embedded.store, SCOPE, "newer", "quarterly meeting", now_us=NOW_US)
    return embedded


@pytest.fixture
def web(app: Lapwing) -> Flask:
    return make_app(app)


def test_an_analyst_sees_what_changed_and_goes_to_each_place(web: Flask, app: Lapwing) -> None:
    page = sign_in(web, app).get("/").text
    assert "Since the analysis of 20 May 2026: 1 new place, 1 fading and 1 gone. 3 places wait for a decision." in page
    changed = section(page, "changed")
    links = re.findall(r'href="(/places/[^"]+)">([^<]+)</a>', changed)
    assert links == [
        (f"/places/{4:016x}?run=newer", "Park 4"),
        (f"/places/{2:016x}?run=newer", "Park 2"),
        (f"/places/{1:016x}?run=older", "Park 1"),
    ]
    assert "no record in the last 87 days" in plain(changed)
    assert 'href="/runs/older/map"' in changed
    waits = re.findall(r'href="(/places/[^"]+)"', section(page, "waits"))
    assert waits == [f"/places/{n:016x}?run=newer#decision" for n in (3, 2, 4)]
    for address in ("/runs/newer/map", "/runs/new", "/tasking/newer"):
        assert f'href="{address}"' in page


def test_every_link_of_the_page_opens(city: Lapwing) -> None:
    (run,) = city.store.runs.runs(SCOPE)
    client = sign_in(make_app(city), city)
    page = client.get("/").text
    addresses = set(re.findall(r'href="(/[^"#]*)[^"]*"', page)) - {"/"}
    places = [one for one in addresses if one.startswith("/places/")]
    assert len(places) == min(5, run.summary["places"])
    for address in sorted(addresses):
        if not address.startswith("/static/"):
            assert client.get(address, follow_redirects=True).status_code == 200, address


def test_long_lists_are_cut_and_say_so(embedded: Lapwing) -> None:
    keep(embedded, "only", [place(n) for n in range(1, 9)], days_ago=1)
    waits = section(sign_in(make_app(embedded), embedded).get("/").text, "waits")
    assert re.findall(r">(Park \d)<", waits) == [f"Park {n}" for n in range(1, 6)]
    assert "Decisions: 8" in waits
    assert "and 3 more on the map" in waits


def test_nothing_changed_and_nothing_waits_are_said(embedded: Lapwing) -> None:
    keep(embedded, "older", [place(1)], days_ago=8)
    keep(embedded, "newer", [place(1)], days_ago=1)
    decide(embedded, 1, Verdict.ACCEPT)
    page = sign_in(make_app(embedded), embedded).get("/").text
    assert "No place has changed since the analysis of 20 May 2026." in page
    assert "none of them has gone quiet" in section(page, "changed")
    assert "Nothing waits" in section(page, "waits")
    assert "Outreach list (1 accepted)" in page


def test_reviews_that_are_due_are_for_those_who_plan(web: Flask, app: Lapwing) -> None:
    decide(app, 3, Verdict.ACCEPT, days_ago=95)
    decide(app, 4, Verdict.ACCEPT, days_ago=80)
    for role in (Role.ANALYST, Role.COORDINATOR):
        waits = plain(section(sign_in(web, app, role).get("/").text, "waits"))
        assert "Accepted places due for review: 2" in waits
        assert "Park 3 , overdue since 23 May 2026 Park 4 , by 7 June 2026" in waits
    assert "due for review" not in section(sign_in(web, app, Role.GIS).get("/").text, "waits")


def test_named_places_past_their_review_are_told(web: Flask, app: Lapwing) -> None:
    set_clock(app, days=-20)
    named(app, review_by="2026-05-27")
    named(app, name="Albert Park", geometry="-2.25,51.42", review_by="2026-05-28")
    set_clock(app, days=0)
    waits = plain(section(sign_in(web, app, Role.COORDINATOR).get("/").text, "waits"))
    assert "Named by people and past review: 1 Victoria Park , due 27 May 2026" in waits
    assert "Albert Park , named by a person" in waits


def test_what_is_missing_leads_to_where_it_is_mended(web: Flask, app: Lapwing, tmp_path: Path) -> None:
    rows = [row(1), row(2, lon="", lat=""), row(3, date="never"), row(4), row(5)]
    for week, day in enumerate((-40, -33, -26, -19)):
        set_clock(app, days=day)
        load(app, write_csv(tmp_path / f"{week}.csv", [*rows, row(10 + week)]), source="police")
    set_clock(app, days=0)
    missing = section(sign_in(web, app).get("/").text, "missing")
    words = plain(missing)
    assert "Incidents from police: no file for 19 days, where one usually comes every 7 days." in words
    assert "Incidents: 1 of 8 (12%) have no position" in words
    assert "4 rows need attention" in words
    for address in ("/imports/new?kind=incidents", "/quality", "/quarantine"):
        assert f'href="{address}"' in missing
    assert "What is missing" not in sign_in(web, app, Role.COORDINATOR).get("/").text


def test_missing_months_are_told_to_all_inside(embedded: Lapwing) -> None:
    run = keep(embedded, "only", [place(1)], days_ago=1)
    summary = run.summary | {"missing_months": [f"2025-{month:02d}" for month in range(1, 8)]}
    changed = {"run_id": "gaps", "summary": summary, "generated_at_us": NOW_US}
    embedded.store.runs.save(SCOPE, type(run)(**(vars(run) | changed)), *_nothing())
    web = make_app(embedded)
    for role in (Role.ANALYST, Role.COORDINATOR, Role.GIS):
        missing = plain(section(sign_in(web, embedded, role).get("/").text, "missing"))
        assert (
            "No records for January 2025, February 2025, March 2025, April 2025, May 2025 and 2 more months" in missing
        )
    for role in OUTSIDE:
        assert "January 2025" not in sign_in(web, embedded, role).get("/").text


def _nothing() -> tuple[object, ...]:
    from tests.test_services_dashboard import NO_CELLS, NO_MATCHES

    return NO_CELLS, [], {}, NO_MATCHES


@pytest.mark.parametrize("role", OUTSIDE)
def test_from_outside_nothing_is_told_but_where_the_map_is(web: Flask, app: Lapwing, role: Role) -> None:
    page = sign_in(web, app, role).get("/").text
    main = page.partition("<main")[2].partition("</main>")[0]
    assert 'href="/runs/newer/map"' in main
    assert re.findall(r'href="([^"]+)"', main) == ["/runs/newer/map"]
    assert not re.search(r"Park \d|record|waits?\b|older", plain(main))


@pytest.mark.parametrize("role", OUTSIDE)
def test_from_outside_only_the_shared_analysis_is_there(web: Flask, app: Lapwing, role: Role) -> None:
    stop_sharing(app.store, SCOPE, "the wrong one", now_us=NOW_US)
    client = sign_in(web, app, role)
    for address in ("/", "/runs"):
        page = client.get(address).text
        main = page.partition("<main")[2].partition("</main>")[0]
        assert "No analysis is shared with you now" in main
        assert "An analyst decides which analysis partners and boards see" in main
        assert "/runs/" not in main
    share_run(app.store, SCOPE, "older", "the right one", sooner=True, now_us=NOW_US)
    assert 'href="/runs/older/map"' in client.get("/").text
    assert client.get("/runs").headers["Location"] == "/runs/older/map"


def test_inside_the_page_says_which_analysis_is_shared(web: Flask, app: Lapwing) -> None:
    clients = {role: sign_in(web, app, role) for role in (Role.ANALYST, Role.COORDINATOR, Role.GIS)}
    for client in clients.values():
        words = plain(client.get("/").text)
        assert "Partners and boards see the analysis of 27 May 2026, 21:26 and no other." in words
    stop_sharing(app.store, SCOPE, "the wrong one", now_us=NOW_US)
    for role, told in ((Role.ANALYST, True), (Role.COORDINATOR, False), (Role.GIS, False)):
        words = plain(clients[role].get("/").text)
        assert "Partners and boards see no analysis." in words
        assert ("To share one, open its map" in words) is told


@pytest.mark.parametrize("role", OFFICE)
def test_the_office_sees_its_own_pages_only(web: Flask, app: Lapwing, role: Role) -> None:
    main = sign_in(web, app, role).get("/").text.partition("<main")[2].partition("</main>")[0]
    own = {Role.AUDITOR: "/audit", Role.ADMIN: "/admin/users"}[role]
    assert re.findall(r'href="([^"]+)"', main) == [own]
    assert not re.search(r"Park \d|analysis|record", plain(main))


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.GIS])
def test_others_inside_see_the_changes_and_nothing_that_they_cannot_open(web: Flask, app: Lapwing, role: Role) -> None:
    client = sign_in(web, app, role)
    page = client.get("/").text
    assert "1 new place, 1 fading and 1 gone" in page
    assert '/runs/new"' not in page
    assert "/imports" not in page
    assert ("/tasking/newer" in page) is (role is Role.COORDINATOR)


def test_looking_is_logged_once_an_hour_where_places_are_named(web: Flask, app: Lapwing) -> None:
    client = sign_in(web, app, Role.COORDINATOR)
    client.get("/")
    client.get("/")
    sign_in(web, app, Role.BOARD).get("/")
    events = app.store.audit.events(Scope())
    seen = [(one["actor"], one["subject"]) for one in events if one["verb"] == "consultation"]
    assert seen == [("coordinator-2", "run:newer/home")]


def test_before_anything_is_there_the_page_says_what_to_do(embedded: Lapwing, tmp_path: Path) -> None:
    web = make_app(embedded)
    client = sign_in(web, embedded)
    assert "nothing to analyse. Import a file first." in client.get("/").text
    assert "An analyst makes the first one." in sign_in(web, embedded, Role.COORDINATOR).get("/").text
    assert "No analysis is shared with you now." in sign_in(web, embedded, Role.BOARD).get("/").text
    load(embedded, write_csv(tmp_path / "a.csv", [row(1)]))
    page = client.get("/").text
    assert "Make one from what has come in." in page
    assert re.search(r'href="/runs/new"[^>]*>New analysis<', page)


def test_an_old_analysis_is_said_to_be_one(embedded: Lapwing) -> None:
    keep(embedded, "old", [place(1)], days_ago=8)
    web = make_app(embedded)
    assert "what came in since is not in it" in sign_in(web, embedded, Role.COORDINATOR).get("/").text
    keep(embedded, "young", [place(1)], days_ago=6)
    assert "what came in since is not in it" not in sign_in(web, embedded).get("/").text


def test_a_newer_analysis_without_layers_is_told(web: Flask, app: Lapwing) -> None:
    app.database._connection().execute("UPDATE run SET purged_at_us = 1 WHERE run_id = 'newer'")
    page = sign_in(web, app, Role.GIS).get("/").text
    assert "A newer analysis has lost its layers" in page
    assert "The newest analysis found 3 places of concern" in page


def test_when_no_analysis_can_be_shown_an_analyst_makes_one(web: Flask, app: Lapwing) -> None:
    app.database._connection().execute("UPDATE run SET purged_at_us = 1")
    page = sign_in(web, app).get("/").text
    assert "No analysis can be shown any more" in page
    assert re.search(r'href="/runs/new"[^>]*>New analysis<', page)


def test_an_analysis_under_way_is_shown_to_whoever_began_it(web: Flask, app: Lapwing) -> None:
    ended = threading.Event()

    def work(seen: Seen) -> None:
        seen(0.1, "Counting cells")
        ended.wait(20)

    begun = app.jobs.alone("analyst-2", "analysis:{}", lambda: app.jobs.start("analyst-2", work, now_us=NOW_US))
    try:
        assert f'href="/runs/new/{begun.job_id}"' in sign_in(web, app).get("/").text
        assert "Under way" not in sign_in(web, app, Role.COORDINATOR).get("/").text
    finally:
        ended.set()


def test_names_of_places_are_never_markup(embedded: Lapwing) -> None:
    from dataclasses import replace

    keep(embedded, "only", [replace(place(n), name=text) for n, text in enumerate(XSS, start=1)], days_ago=1)
    page = sign_in(make_app(embedded), embedded).get("/").text
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "<img src=x" not in page
    assert "<script>alert" not in page
    assert ">49<" not in page
