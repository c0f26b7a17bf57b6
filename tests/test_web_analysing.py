"""Making an analysis in the browser: the form, the work, its progress, and cancelling it."""

import re
import threading
import time
from datetime import date, timedelta
from html import unescape
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from app.services import accounts
from app.services.analysis import analyse
from app.services.jobs import Cancelled, Job, Jobs
from app.services.offering import Offer
from app.web import analysing, make_app
from app.web.analysis_form import asked_before, read_form
from app.wiring import Lapwing
from geo.model import ComparedWith, Role, Scope
from geo.parameters import AnalysisParameters
from geo.temporal import LONDON, from_micros
from tests.conftest import NOW_US
from tests.files import BATH, load, row, square, stack, write_csv, write_geojson
from tests.test_web_pages import sign_in, token

FORM = {
    "period": "everything",
    "record_kinds": "incidents",
    "area": "",
    "compared_with": "area",
    "resolution": "9",
    "eps_m": "150",
    "min_weight": "5",
    "min_vehicles": "3",
}
OFFER = Offer(
    records={"incidents": {"records": 30, "unlocated": 0}}, categories=("x",), areas={"boundary": ("Bath",)},
    compared_with=(ComparedWith.AREA, ComparedWith.EFFORT), last_day=date(2024, 3, 10),
)  # fmt: skip


def fill(app: Lapwing, folder: Path) -> None:
    """Store thirty incidents of March 2024 on three spots, and a boundary and a ward round them."""
    spots = [(BATH[0] + 0.004 * i, BATH[1], 10) for i in range(3)]
    load(app, write_csv(folder / "reports.csv", stack(spots)))
    west, south = BATH[0] - 0.02, BATH[1] - 0.02
    load(app, write_geojson(folder / "council.geojson", [({"name": "Bath"}, square(west, south, 0.05))]), "boundary")
    ward = {"name": "Abbey <b>Ward</b>", "level": "ward"}
    load(app, write_geojson(folder / "wards.geojson", [(ward, square(west, south, 0.03))]), "areas")


@pytest.fixture
def filled(lapwing: Lapwing, tmp_path: Path) -> Lapwing:
    fill(lapwing, tmp_path)
    return lapwing


@pytest.fixture
def small(embedded: Lapwing, tmp_path: Path) -> Lapwing:
    fill(embedded, tmp_path)
    return embedded


def post(client: FlaskClient, **changes: object) -> TestResponse:
    form = {name: value for name, value in (FORM | changes).items() if value is not None}
    return client.post("/runs/new", data=form | {"csrf_token": token(client.get("/").text)})


def arrive(client: FlaskClient, response: TestResponse) -> TestResponse:
    """Stay on the progress page until there is an outcome, and return it unfollowed."""
    assert response.status_code == 302, response.text
    for _ in range(100):
        page = client.get(response.headers["Location"])
        if "lw-progress" not in page.text:
            return page
        time.sleep(0.1)
    raise AssertionError("the work did not end")


def runs(app: Lapwing) -> list[AnalysisParameters]:
    return [AnalysisParameters.from_json(one.parameters) for one in app.store.runs.runs(Scope())]


class Gate:
    """Holds an analysis before one of its steps until the test lets it go on."""

    def __init__(self, step: str) -> None:
        self.step, self.reached, self.opened = step, threading.Event(), threading.Event()

    def __call__(self, store, scope, parameters, *, progress, **told):
        def slow(step: str) -> None:
            if step == self.step:
                self.reached.set()
                assert self.opened.wait(20)
            progress(step)

        return analyse(store, scope, parameters, progress=slow, **told)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    held = Gate("Testing what is hot")
    monkeypatch.setattr(analysing, "analyse", held)
    return held


def test_the_form_offers_what_is_stored(small: Lapwing) -> None:
    page = unescape(sign_in(make_app(small), small).get("/runs/new").text)
    assert "30 records" in page
    assert 'value="observations"' not in page
    assert "Counted back from the newest report, 10 March 2024." in page
    assert "12 February 2024 to 10 March 2024" in page
    assert "11 December 2023 to 10 March 2024" in page
    assert "1 January 2024 to 10 March 2024" in page
    for name in ("Bath", "Abbey <b>Ward</b>", "council", "wards"):
        assert f'<option value="{name}"' in page
    assert [one for one in ("premises", "buildings", "effort") if f'name="compared_with" value="{one}"' in page] == []
    assert "seed" not in page.lower()
    assert [words in page for words in ("Usually 9.", "Usually 150.", "Usually 5.", "Usually 3.")] == [True] * 4


def test_with_nothing_stored_it_says_what_to_do_next(embedded: Lapwing) -> None:
    client = sign_in(make_app(embedded), embedded)
    page = client.get("/runs/new").text
    assert "There are no records to analyse yet" in page
    assert 'href="/imports/new"' in page
    assert "Make the analysis" not in page
    assert post(client).status_code == 422
    assert 'href="/imports/new"' in client.get("/").text
    assert 'href="/runs/new"' in client.get("/runs").text


def test_an_analysis_is_made_and_leads_to_its_map(filled: Lapwing) -> None:
    client = sign_in(make_app(filled), filled)
    assert 'href="/runs/new"' in client.get("/").text
    page = arrive(client, post(client, period="year", area="Bath", min_weight="4", categories="x"))
    (made,) = filled.store.runs.runs(Scope())
    assert page.headers["Location"] == f"/runs/{made.run_id}/map"
    assert client.get(page.headers["Location"]).status_code == 200
    assert made.created_by == "analyst-2"
    assert runs(filled) == [
        AnalysisParameters(
            date_from=date(2024, 1, 1), date_to=date(2024, 3, 10), record_kinds=("incidents",), categories=("x",), area="Bath",
            min_weight=4,
        )
    ]  # fmt: skip
    assert made.summary["records"] == 30


def test_the_same_question_has_the_answer_of_the_command_line(small: Lapwing) -> None:
    """And a run that is stored already is shown for what it is."""
    parameters = AnalysisParameters(record_kinds=("incidents",))
    stored = analyse(small.store, Scope(), parameters, seed=0, now_us=NOW_US - 86_400_000_000)
    client = sign_in(make_app(small), small)
    page = arrive(client, post(client))
    assert page.status_code == 200
    assert "This analysis was made 27 May 2026" in page.text
    assert f'href="/runs/{stored.run_id}/map"' in page.text
    load(small, write_csv(small.settings.home / "more.csv", [row(77, "2024-03-11")]))
    assert arrive(client, post(client)).headers["Location"] != f"/runs/{stored.run_id}/map"
    assert len(runs(small)) == 2


@pytest.mark.parametrize(
    ("changes", "name", "words"),
    [
        ({"period": ""}, "period", "Choose the days."),
        ({"period": "decade"}, "period", "Choose the days."),
        ({"period": "between", "date_to": "2024-03-10"}, "date_from", "Give the first day."),
        ({"period": "between", "date_from": "2024-03-10"}, "date_to", "Give the last day."),
        ({"period": "between", "date_from": "2024-02-30", "date_to": "2024-03-10"}, "date_from", "2024-02-30 is not a date"),
        ({"period": "between", "date_from": "2024-03-10", "date_to": "2024-03-09"}, "date_to", "must not be before the first"),
        ({"period": "between", "date_from": "2024-03-10", "date_to": "9999-12-31"}, "date_to", "Give a last day between"),
        ({"record_kinds": []}, "record_kinds", "Choose at least one"),
        ({"record_kinds": ["incidents", "effort"]}, "record_kinds", "Choose at least one"),
        ({"categories": ["burglary"]}, "categories", "Choose categories from the list"),
        ({"area": "Atlantis"}, "area", "Choose an area from the list"),
        ({"compared_with": "premises"}, "compared_with", "Choose what to compare with"),
        ({"compared_with": ""}, "compared_with", "Choose what to compare with"),
        ({"resolution": "4"}, "resolution", "Choose a size"),
        ({"resolution": "9.5"}, "resolution", "Choose a size"),
        ({"eps_m": "0"}, "eps_m", "Give a number of metres"),
        ({"eps_m": "nan"}, "eps_m", "Give a number of metres"),
        ({"min_weight": "five"}, "min_weight", "Give a number above 0"),
        ({"min_weight": ""}, "min_weight", "Give a number above 0"),
        ({"min_vehicles": "2"}, "min_vehicles", "Give a whole number from 3 to 100"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_told_under_its_name(changes, name, words) -> None:
    asked = read_form(MultiDict(FORM | changes), OFFER)
    assert list(asked.problems) == [name]
    assert words in asked.problems[name]
    assert asked.chosen == {}
    assert asked.values[name] == changes.get(name, "")


def test_what_can_be_used_is_read_as_it_is_meant() -> None:
    days = {"period": "between", "date_from": "2024-03-09", "date_to": " 2024-03-09"}
    numbers = {"resolution": "12", "eps_m": "75.5", "min_weight": "2.5", "min_vehicles": "4"}
    choices = {"record_kinds": ["incidents"], "categories": ["x"], "area": "Bath", "compared_with": "effort"}
    asked = read_form(MultiDict(FORM | days | numbers | choices), OFFER)
    assert AnalysisParameters(**asked.chosen) == AnalysisParameters(
        date_from=date(2024, 3, 9), date_to=date(2024, 3, 9), record_kinds=("incidents",), categories=("x",), area="Bath",
        compared_with="effort", resolution=12, eps_m=75.5, min_weight=2.5, min_vehicles=4,
    )  # fmt: skip
    assert read_form(MultiDict(asked_before(AnalysisParameters(**asked.chosen)).values), OFFER).chosen == asked.chosen


def test_days_without_records_are_told_beside_the_days(small: Lapwing) -> None:
    client = sign_in(make_app(small), small)
    page = post(client, period="between", date_from="2025-01-01", date_to="2025-02-01")
    assert page.status_code == 422
    assert '<a href="#date_from">The newest of the chosen records is of 10 March 2024.' in page.text
    assert 'id="date_from-error"' in page.text
    assert runs(small) == []


def test_all_faults_are_told_at_once_and_the_answers_kept(small: Lapwing) -> None:
    page = post(
        sign_in(make_app(small), small), period="between", date_from="2024-03-01", date_to="soon", area="Bath", compared_with="uniform",
        resolution="10", eps_m="9000", categories="x",
    )  # fmt: skip
    assert page.status_code == 422
    assert re.findall(r'<a href="#([^"]*)">', page.text)[-2:] == ["date_to", "eps_m"]
    assert 'id="date_to-error"' in page.text
    assert 'aria-describedby="eps_m-hint eps_m-error"' in page.text
    assert page.text.count("govuk-error-message") == 2
    found = re.findall(r'value="([^"]*)" +(?:checked|selected)', page.text)
    assert found == ["between", "incidents", "x", "Bath", "uniform", "10"]
    assert 'value="2024-03-01"' in page.text
    assert 'value="9000"' in page.text
    assert page.text.count('<details class="govuk-details" open>') == 2


def test_an_area_of_too_many_cells_is_refused_before_the_work(small: Lapwing) -> None:
    load(
        small,
        write_geojson(small.settings.home / "south.geojson", [({"name": "South"}, square(-4, 51, 2))]),
        "boundary",
    )
    page = post(sign_in(make_app(small), small), area="South", resolution="12")
    assert page.status_code == 422
    assert "cells. Choose larger ones." in page.text
    assert "--resolution" not in page.text


def test_hours_of_outreach_need_a_session_in_those_days(small: Lapwing) -> None:
    session = write_csv(small.settings.home / "sessions.csv", [row(1, "2023-05-01")])
    load(small, session, "effort")
    client = sign_in(make_app(small), small)
    assert 'name="record_kinds" value="effort"' not in client.get("/runs/new").text
    page = post(client, period="year", compared_with="effort")
    assert page.status_code == 422
    assert "No outreach session with a position lies between these days" in page.text


def test_a_failure_is_told_on_the_form_without_commands(small: Lapwing, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = write_csv(small.settings.home / "nowhere.csv", [row(1, "2020-01-01", "", "")])
    load(small, nowhere)
    client = sign_in(make_app(small), small)
    days = {"period": "between", "date_from": "2019-12-01", "date_to": "2020-02-01"}
    page = arrive(client, post(client, compared_with="records", **days))
    assert page.status_code == 422
    assert "There is a problem" in page.text
    assert "lapwing import" not in page.text
    assert 'value="2019-12-01"' in page.text


def test_progress_is_told_in_words_and_a_second_press_shows_the_same_work(small: Lapwing, gate: Gate) -> None:
    client = sign_in(make_app(small), small)
    address = post(client).headers["Location"]
    assert gate.reached.wait(20)
    page = client.get(address)
    assert "Counting cells: 5% done." in page.text
    assert 'action="' + address + '/cancel"' in page.text
    told = client.get(f"{address}/share.json").json
    assert told == {"done": False, "share": 0.05, "words": "Counting cells", "stopping": False}
    assert post(client).headers["Location"] == address
    other = post(client, eps_m="200")
    assert other.status_code == 409
    assert "Another analysis of yours is being made" in other.text
    assert f'href="{address}"' in other.text
    assert "See how far it is" in client.get("/runs/new").text
    gate.opened.set()
    page = arrive(client, client.get("/runs/new") and post(client))
    assert len(runs(small)) == 1
    assert client.get(f"{address}/share.json").json["done"] is True
    assert page.headers["Location"].endswith("/map")


def test_cancelling_leaves_nothing_and_the_form_as_it_was(filled: Lapwing, gate: Gate) -> None:
    client = sign_in(make_app(filled), filled)
    address = post(client, eps_m="180", area="Bath").headers["Location"]
    assert gate.reached.wait(20)
    form = {"csrf_token": token(client.get("/").text)}
    assert client.post(f"{address}/cancel", data=form).headers["Location"] == address
    page = client.get(address)
    assert "nothing will be stored" in page.text
    assert f"{address}/cancel" not in page.text
    again = post(client, eps_m="180", area="Bath")
    assert again.status_code == 409
    assert "is still ending" in again.text
    gate.opened.set()
    page = arrive(client, client.post(f"{address}/cancel", data=form))
    assert page.status_code == 200
    assert "The analysis was cancelled. Nothing was stored." in page.text
    assert 'value="180"' in page.text
    assert runs(filled) == []
    assert [one for one in filled.store.audit.events(Scope()) if one["verb"] == "combination"] == []
    assert arrive(client, post(client, eps_m="180", area="Bath")).headers["Location"].endswith("/map")


def test_cancelling_while_it_is_stored_takes_everything_back(filled: Lapwing, gate: Gate) -> None:
    gate.step = "Preparing the map"  # within the transaction
    client = sign_in(make_app(filled), filled)
    response = post(client)
    assert gate.reached.wait(20)
    filled.jobs.get(response.headers["Location"].rpartition("/")[2], "analyst-2").cancel()
    gate.opened.set()
    assert "Nothing was stored." in arrive(client, response).text
    assert runs(filled) == []
    assert [one for one in filled.store.audit.events(Scope()) if one["verb"] == "combination"] == []


def test_another_persons_work_cannot_be_seen_or_cancelled(small: Lapwing, gate: Gate) -> None:
    web = make_app(small)
    client, other = sign_in(web, small), web.test_client()
    address = post(client).headers["Location"]
    assert gate.reached.wait(20)
    link = accounts.add_user(small.store, Scope(), "amy", Role.ANALYST, now_us=NOW_US)
    other.post(link, data={"csrf_token": token(other.get(link).text)})
    form = {"csrf_token": token(other.get("/").text)}
    for answer in (other.get(address), other.get(f"{address}/share.json"), other.post(f"{address}/cancel", data=form)):
        assert answer.status_code == 404
    assert "See how far it is" not in other.get("/runs/new").text
    assert post(other).headers["Location"] != address
    gate.opened.set()
    assert arrive(client, post(client)).headers["Location"].endswith("/map")


def test_work_of_another_kind_is_not_an_analysis(small: Lapwing) -> None:
    client = sign_in(make_app(small), small)
    job = small.jobs.start("analyst-2", lambda _: None, now_us=small.clock())
    job.subject = "import:1"
    assert client.get(f"/runs/new/{job.job_id}").status_code == 404
    form = {"csrf_token": token(client.get("/").text)}
    assert client.post(f"/runs/new/{job.job_id}/cancel", data=form).status_code == 404


@pytest.mark.parametrize("role", [one for one in Role if one is not Role.ANALYST])
def test_only_analysts_make_analyses(small: Lapwing, role: Role) -> None:
    client = sign_in(make_app(small), small, role)
    assert client.get("/runs/new").status_code == 403
    assert client.get("/runs/new/x/share.json").status_code == 403
    for address in ("/", "/runs"):
        assert "/runs/new" not in client.get(address).text
    form = {"csrf_token": token(client.get("/").text)}
    for address in ("/runs/new", "/runs/new/x/cancel"):
        assert client.post(address, data=FORM | form).status_code == 403


@pytest.mark.parametrize(
    ("last", "first_of_three_months"),
    [
        (date(2024, 4, 30), date(2024, 2, 1)),
        (date(2024, 5, 30), date(2024, 2, 29)),
        (date(2023, 5, 30), date(2023, 2, 28)),
        (date(2024, 2, 14), date(2023, 11, 15)),
        (date(2024, 12, 31), date(2024, 10, 1)),
    ],
)
def test_periods_end_with_the_newest_report(last: date, first_of_three_months: date) -> None:
    offered = Offer(records={}, categories=(), areas={}, compared_with=(), last_day=last)
    periods = offered.periods
    assert {end for _, end in periods.values()} == {last}
    assert periods["days"][0] + timedelta(days=27) == last
    assert periods["months"][0] == first_of_three_months
    assert periods["year"][0] == date(last.year, 1, 1)


def test_reports_of_the_running_month_reach_to_today(embedded: Lapwing, tmp_path: Path) -> None:
    load(embedded, write_csv(tmp_path / "month.csv", [row(1, "2026-05")]))
    today = from_micros(NOW_US).astimezone(LONDON).date()
    page = sign_in(make_app(embedded), embedded).get("/runs/new").text
    assert f"the newest report, {today.day} {today:%B %Y}." in page


def begun(jobs: Jobs, gate: threading.Event, *, now_us: int = 0) -> Job:
    def work(seen):
        seen(0.25, "First")
        assert gate.wait(10)
        seen(0.5, "Second")
        return "all"

    return jobs.start("ann", work, now_us=now_us)


def test_a_job_says_its_step_and_keeps_its_words() -> None:
    job = Job("a", "ann", 0)
    job.seen(0.2, "Reading")
    job.seen(0.3)
    assert (job.share, job.words) == (0.3, "Reading")
    job.seen(0.1, "Counting")
    assert (job.share, job.words) == (0.3, "Counting")


def test_a_cancelled_job_ends_at_its_next_step() -> None:
    gate = threading.Event()
    job = begun(Jobs(), gate)
    assert not job.stopping
    job.cancel()
    assert job.stopping
    gate.set()
    assert job.wait(10)
    assert (job.cancelled, job.result, job.stopping) == (True, None, False)
    assert job.error == "Cancelled; nothing was stored."
    with pytest.raises(Cancelled):
        job.seen(1.0)


def test_cancelling_what_has_no_further_step_changes_nothing() -> None:
    gate = threading.Event()
    job = Jobs().start("ann", lambda _: gate.wait(10) and "all", now_us=0)
    job.cancel()
    gate.set()
    assert job.wait(10)
    assert (job.cancelled, job.result, job.error) == (False, "all", "")


def test_a_person_has_one_work_of_a_kind_at_a_time() -> None:
    jobs, gate = Jobs(), threading.Event()
    first = jobs.alone("ann", "analysis:a", lambda: begun(jobs, gate))
    assert jobs.alone("ann", "analysis:b", lambda: begun(jobs, gate)) is first
    assert jobs.running("ann", "analysis") is first
    assert jobs.running("bob", "analysis") is None
    assert jobs.running("ann", "import") is None
    later = begun(jobs, gate, now_us=10**12)
    assert jobs.get(first.job_id, "ann") is first  # under way, however long ago it began
    gate.set()
    assert first.wait(10)
    assert later.wait(10)
    assert jobs.running("ann", "analysis") is None
    assert jobs.alone("ann", "analysis:a", lambda: begun(jobs, gate)) is not first
