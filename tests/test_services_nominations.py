"""Nominated places are reviewed by a day, can be withdrawn, and are purged when their time is over."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from sqlite3 import IntegrityError as SqliteRefused
from typing import Any

import pytest
from psycopg import errors as pg

from app.services import places
from app.services.analysis import analyse
from app.services.deciding import Change, change_place
from app.services.exporting import ExportRequest, export_file
from app.services.layers import released_layer
from app.services.nominated import NominatedPlace, nominated_place, nominated_places
from app.services.nominating import nominate
from app.services.purging import PurgeReport, purge
from app.services.reviewing import REVIEW_AFTER_DAYS, local_day, read_review_by
from app.services.tasking import accepted_places
from app.settings import Settings
from app.wiring import Lapwing
from data.audit import Verb
from data.migrate import available
from data.places import Nomination
from geo.decisions import Decision
from geo.errors import Conflict, InvalidParameter, NotFound, NotPermitted
from geo.model import Layer, Profile, Role, Run, Scope, Verdict
from geo.parameters import AnalysisParameters
from geo.retention import DAY_US
from geo.temporal import parse_time
from tests.conftest import NOW_US
from tests.files import TERMS, command, load, row, stack, write_csv

SCOPE = Scope(actor="test")
TODAY = date(2026, 5, 28)
SPOT, ELSEWHERE = (-2.36, 51.38), "-2.20,51.42"
HELD_DAYS = 366  # observations are held for 12 months
REFUSED = (SqliteRefused, pg.RaiseException)


def later(days: float) -> int:
    return NOW_US + round(days * DAY_US)


def named(app: Lapwing, *, now_us: int = NOW_US, **told: Any) -> Nomination:
    words: dict[str, Any] = {
        "name": "Victoria Park", "kind": "park", "geometry": ELSEWHERE, "reason": "told", "source": "council",
    }  # fmt: skip
    return nominate(app.store, SCOPE, **words | told, now_us=now_us)


def decide(app: Lapwing, place_id: str, verdict: Verdict, *, now_us: int = NOW_US, **told: Any) -> Decision:
    change = Change(verdict=verdict, **{"reason": "we looked"} | told)
    return change_place(app.store, SCOPE, place_id, change, now_us=now_us)


def run_of(app: Lapwing) -> Run:
    return analyse(app.store, SCOPE, AnalysisParameters(simulations=19), seed=0, now_us=NOW_US)


def told_of(app: Lapwing, place_id: str) -> NominatedPlace:
    found = nominated_place(app.store, SCOPE, place_id)
    assert found is not None
    return found


def purged(app: Lapwing, days: float, **told: Any) -> PurgeReport:
    return purge(app.store, SCOPE, replace(TERMS, now_us=later(days)), **told)


def raw(app: Lapwing, change: str) -> None:
    with app.database.transaction():
        app.database.script(change)


def everywhere(app: Lapwing, run: Run) -> set[str]:
    """Places in the lists, in the layers that maps and exports are made of, and in the outreach list."""
    lists = [one.nomination.place_id for one in nominated_places(app.store, SCOPE, run)]
    layers = [released_layer(app.store, SCOPE, run, one, Profile.OPERATIONAL) for one in (Layer.PLACES, Layer.TASKING)]
    exported = [place for layer in layers for place in layer.features["place"].tolist()]
    return {*lists, *exported, *(one.place.place_id for one in accepted_places(app.store, SCOPE, run).accepted)}


@pytest.fixture
def worked(lapwing: Lapwing, tmp_path: Path) -> Lapwing:
    """Both stores, with one cluster far from what is nominated."""
    load(lapwing, write_csv(tmp_path / "a.csv", stack([(*SPOT, 8)])))
    return lapwing


@pytest.fixture
def alone(embedded: Lapwing, tmp_path: Path) -> Lapwing:
    load(embedded, write_csv(tmp_path / "a.csv", stack([(*SPOT, 8)])))
    return embedded


# --- the day of review ------------------------------------------------------------------------------------------------


def test_a_nomination_is_reviewed_in_ninety_days_or_when_somebody_says(lapwing: Lapwing) -> None:
    usual, said = named(lapwing), named(lapwing, review_by="01/12/2026")
    assert (usual.review_by, said.review_by) == (TODAY + timedelta(days=REVIEW_AFTER_DAYS), date(2026, 12, 1))
    stored = {one.place_id: one.review_by for one in lapwing.store.places.nominations(SCOPE)}
    assert stored == {usual.place_id: usual.review_by, said.place_id: said.review_by}
    assert told_of(lapwing, said.place_id).as_dict()["review_by"] == "2026-12-01"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-05-28", "after 2026-05-28"), ("2020-01-01", "after 2026-05-28"), ("2027-05-29", "not after 2027-05-28"),
        ("soon", "not a date"), ("2026-08", "say the day"), ("0/0/0", "not a date"),
    ],
)  # fmt: skip
def test_a_day_that_is_over_too_far_or_none_is_refused(embedded: Lapwing, text: str, said: str) -> None:
    with pytest.raises(InvalidParameter, match=said) as told:
        named(embedded, review_by=text)
    assert str(told.value).startswith("--review-by: ")
    one = named(embedded)
    with pytest.raises(InvalidParameter, match=said):
        decide(embedded, one.place_id, Verdict.REVIEW, review_by=text)
    assert embedded.store.places.decisions(SCOPE) == []


@pytest.mark.parametrize(
    ("now", "last"),
    [
        ("2026-05-28T20:00Z", "2027-05-28"), ("2026-05-28T23:30Z", "2027-05-29"),  # half past midnight in London
        ("2028-02-29T12:00Z", "2029-02-28"), ("2027-02-28T12:00Z", "2028-02-28"), ("2027-06-01T12:00Z", "2028-06-01"),
    ],
)  # fmt: skip
def test_a_year_is_a_year_and_days_are_those_of_london(now: str, last: str) -> None:
    now_us, day = parse_time(now)[0], date.fromisoformat(last)
    assert read_review_by(last, now_us) == day
    assert read_review_by(str(local_day(now_us) + timedelta(days=1)), now_us) > local_day(now_us)
    with pytest.raises(InvalidParameter, match="--review-by"):
        read_review_by(str(day + timedelta(days=1)), now_us)


def test_it_is_overdue_from_the_day_after(embedded: Lapwing) -> None:
    one = told_of(embedded, named(embedded, review_by="2026-06-10").place_id)
    last_moment = parse_time("2026-06-10T23:59:59")[0]
    assert not one.overdue(last_moment)
    assert one.overdue(last_moment + 1_000_000)


def test_a_review_sets_the_day_and_can_be_taken_back(lapwing: Lapwing) -> None:
    one = named(lapwing).place_id
    for day in ("2026-09-30", "2027-01-31"):
        decide(lapwing, one, Verdict.REVIEW, review_by=day)
    assert told_of(lapwing, one).review_by == date(2027, 1, 31)
    assert told_of(lapwing, one).standing.verdict == "waiting"  # a review is no acceptance
    decide(lapwing, one, Verdict.UNDO)
    assert told_of(lapwing, one).review_by == date(2026, 9, 30)
    decide(lapwing, one, Verdict.UNDO)
    assert told_of(lapwing, one).review_by == TODAY + timedelta(days=REVIEW_AFTER_DAYS)
    event = lapwing.store.audit.events(SCOPE)[-3]
    assert (event["verb"], event["subject"]) == (Verb.ALTERATION, f"place:{one}")
    assert '"verdict": "review"' in event["detail"]


def test_a_review_leaves_acceptance_alone_and_the_outreach_list_shows_the_sooner_day(alone: Lapwing) -> None:
    run, one = run_of(alone), named(alone, review_by="2026-06-30").place_id
    decide(alone, one, Verdict.ACCEPT)
    (line,) = accepted_places(alone.store, SCOPE, run).accepted
    assert line.columns()["review_date"] == "2026-06-30"
    decide(alone, one, Verdict.REVIEW, review_by="2027-01-31")
    (line,) = accepted_places(alone.store, SCOPE, run).accepted
    assert line.columns()["review_date"] == str(TODAY + timedelta(days=90))  # the acceptance's own


# --- withdrawal -------------------------------------------------------------------------------------------------------


def test_a_withdrawn_place_leaves_everything_and_undo_brings_it_back(worked: Lapwing) -> None:
    run, one = run_of(worked), named(worked).place_id
    decide(worked, one, Verdict.ACCEPT)
    assert one in everywhere(worked, run)
    decide(worked, one, Verdict.WITHDRAW, reason="it was closed")
    assert one not in everywhere(worked, run)
    assert told_of(worked, one).standing.verdict == "withdrawn"
    history = worked.store.places.decisions(SCOPE, one)
    assert [(d.verdict, d.reason) for d in history] == [("accept", "we looked"), ("withdraw", "it was closed")]
    decide(worked, one, Verdict.UNDO)
    assert told_of(worked, one).standing.verdict == "accept"
    assert one in everywhere(worked, run)


def test_nothing_but_undo_is_decided_about_a_withdrawn_place(alone: Lapwing) -> None:
    found = run_of(alone)
    (cluster,) = alone.store.runs.places(SCOPE, found.run_id)
    one = named(alone).place_id
    decide(alone, one, Verdict.WITHDRAW)
    told = {"review_by": "2026-08-01", "to": (-2.2, 51.42), "name": "Park", "into": cluster.place_id}
    for verdict in set(Verdict) - {Verdict.UNDO}:
        with pytest.raises(Conflict, match="was withdrawn"):
            decide(alone, one, verdict, **told)
    with pytest.raises(Conflict, match="was withdrawn"):
        decide(alone, cluster.place_id, Verdict.MERGE, into=one)


def test_only_a_place_that_a_person_named_is_withdrawn_or_reviewed(alone: Lapwing) -> None:
    (cluster,) = alone.store.runs.places(SCOPE, run_of(alone).run_id)
    for verdict in (Verdict.WITHDRAW, Verdict.REVIEW):
        with pytest.raises(Conflict, match="Nobody named"):
            decide(alone, cluster.place_id, verdict, review_by="2026-08-01")
        with pytest.raises(NotFound):
            decide(alone, "0" * 16, verdict, review_by="2026-08-01")


def test_a_place_that_records_or_other_places_stand_behind_is_not_withdrawn(alone: Lapwing) -> None:
    (cluster,) = alone.store.runs.places(SCOPE, run_of(alone).run_id)
    into, merged = named(alone).place_id, named(alone, geometry="-2.21,51.42").place_id
    decide(alone, merged, Verdict.MERGE, into=into)
    for one in (into, merged):
        with pytest.raises(Conflict, match=f"Take that back first: lapwing decide {merged} undo"):
            decide(alone, one, Verdict.WITHDRAW)
    decide(alone, merged, Verdict.UNDO)
    decide(alone, merged, Verdict.WITHDRAW)
    seen = named(alone, geometry=f"{SPOT[0]},{SPOT[1] + 0.03}").place_id
    load(alone, write_csv(alone.settings.home / "b.csv", [row(100 + n, f"2024-04-{n + 1:02d}", SPOT[0], SPOT[1] + 0.03) for n in range(7)]))  # fmt: skip
    assert seen in {place.place_id for place in alone.store.runs.places(SCOPE, run_of(alone).run_id)}
    with pytest.raises(Conflict, match="records stand behind it"):
        decide(alone, seen, Verdict.WITHDRAW)
    assert cluster.place_id != seen


def test_a_cluster_where_a_place_was_withdrawn_is_another_place(alone: Lapwing, tmp_path: Path) -> None:
    one = named(alone, geometry=f"{SPOT[0]},{SPOT[1]}").place_id
    decide(alone, one, Verdict.WITHDRAW)
    run = run_of(alone)
    assert one not in {place["place"] for place in places.list_places(alone.store, SCOPE, run.run_id)}
    assert alone.store.runs.seen_in(SCOPE, one) == set()


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ANALYST])
def test_only_an_analyst_reviews_or_withdraws_and_says_why(embedded: Lapwing, role: Role) -> None:
    one = named(embedded).place_id
    for verdict in (Verdict.REVIEW, Verdict.WITHDRAW):
        change = Change(verdict=verdict, reason="because", review_by="2026-08-01")
        with pytest.raises(NotPermitted):
            change_place(embedded.store, Scope(actor="other", role=role), one, change, now_us=NOW_US)
        with pytest.raises(InvalidParameter, match="Say why"):
            decide(embedded, one, verdict, reason=" ", review_by="2026-08-01")
        with pytest.raises(NotFound):
            change_place(embedded.store, Scope(actor="x", org_id="elsewhere"), one, change, now_us=NOW_US)
    assert embedded.store.places.decisions(SCOPE) == []


# --- purge ------------------------------------------------------------------------------------------------------------


def withdraw(app: Lapwing, place_id: str) -> None:
    decide(app, place_id, Verdict.WITHDRAW)


def leave(app: Lapwing, place_id: str) -> None:
    """Nobody looks again."""


@pytest.mark.parametrize(("done", "since_days"), [(withdraw, 0), (leave, REVIEW_AFTER_DAYS + 1)])
def test_a_nomination_goes_when_its_time_is_over(
    lapwing: Lapwing, done: Callable[[Lapwing, str], None], since_days: int
) -> None:
    one = named(lapwing).place_id
    done(lapwing, one)
    assert purged(lapwing, since_days + HELD_DAYS - 3).nominations == 0
    assert purged(lapwing, since_days + HELD_DAYS, dry_run=True).as_dict()["nominations"] == 1
    assert told_of(lapwing, one).name == "Victoria Park"
    assert purged(lapwing, since_days + HELD_DAYS).nominations == 1
    assert lapwing.store.places.nominations(SCOPE) == []
    assert lapwing.store.places.decisions(SCOPE) == []
    assert lapwing.store.places.known_places(SCOPE) == []
    with pytest.raises(NotFound):
        decide(lapwing, one, Verdict.UNDO)
    assert purged(lapwing, since_days + HELD_DAYS).nominations == 0


def test_a_review_or_an_undo_keeps_it(lapwing: Lapwing) -> None:
    reviewed, back = named(lapwing).place_id, named(lapwing, review_by="2027-05-28").place_id
    decide(lapwing, reviewed, Verdict.REVIEW, now_us=later(80), review_by="2027-05-28")
    withdraw(lapwing, back)
    decide(lapwing, back, Verdict.UNDO)
    assert purged(lapwing, REVIEW_AFTER_DAYS + 1 + HELD_DAYS).nominations == 0
    assert purged(lapwing, 365 + HELD_DAYS + 1).nominations == 2


def test_how_long_follows_the_setting_for_observations(embedded: Lapwing) -> None:
    withdraw(embedded, named(embedded).place_id)
    terms = replace(TERMS, now_us=later(63), retention_months=dict(TERMS.retention_months) | {"observations": 2})
    assert purge(embedded.store, SCOPE, terms).nominations == 1


def test_the_log_and_a_tombstone_say_that_there_was_one(lapwing: Lapwing) -> None:
    one = named(lapwing, name="Quokka Park", reason="Quokka told").place_id
    decide(lapwing, one, Verdict.RENAME, name="Quokka Green", reason="Quokka said")
    withdraw(lapwing, one)
    purged(lapwing, HELD_DAYS)
    erased = [(e["verb"], e["subject"], e["detail"]) for e in lapwing.store.audit.events(SCOPE)[-2:]]
    assert erased == [(Verb.ERASURE, f"place:{one}", "{}"), (Verb.ERASURE, "purge", '{"nominations": 1}')]
    assert lapwing.store.audit.verify() == len(lapwing.store.audit.events(SCOPE))
    assert lapwing.store.retention.tombs(SCOPE, "nominations") == {TERMS.keys.raw("tomb", one.encode())}


def test_the_bytes_are_gone(embedded: Lapwing, tmp_path: Path) -> None:
    one = named(embedded, name="Quokka Park", reason="Quokka told", source="Quokka Trust").place_id
    decide(embedded, one, Verdict.RENAME, name="Quokka Green", reason="Quokka said")
    withdraw(embedded, one)
    purged(embedded, HELD_DAYS)
    everything = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert b"Quokka" not in everything


def test_copies_that_it_stands_in_are_recalled_and_no_others(alone: Lapwing, tmp_path: Path) -> None:
    run, handed = run_of(alone), {}

    def hand_out(name: str, layer: Layer, day: float, profile: Profile = Profile.OPERATIONAL) -> None:
        request = ExportRequest(layer=layer, format="csv", profile=profile, purpose="weekly meeting")
        done = export_file(alone.store, SCOPE, run, request, tmp_path / f"{name}.csv", now_us=later(day))
        handed[done.disclosure_id] = name

    hand_out("before", Layer.PLACES, 0)
    one = named(alone, now_us=later(1)).place_id
    hand_out("places", Layer.PLACES, 2)
    hand_out("cells", Layer.CELLS, 2)
    hand_out("partner", Layer.PLACES, 2, Profile.PARTNER)
    hand_out("waiting", Layer.TASKING, 2)
    decide(alone, one, Verdict.ACCEPT, now_us=later(3))
    hand_out("accepted", Layer.TASKING, 4)
    decide(alone, one, Verdict.WITHDRAW, now_us=later(5))
    hand_out("after", Layer.PLACES, 6)
    hand_out("tasks after", Layer.TASKING, 6)
    assert {handed[copy] for copy in purged(alone, 5 + HELD_DAYS, dry_run=True).recalled} == {"places", "accepted"}
    purged(alone, 5 + HELD_DAYS)
    assert {handed[entry["disclosure_id"]] for entry in alone.store.retention.recalls(SCOPE)} == {"places", "accepted"}


def test_a_place_that_records_or_a_merge_stand_behind_loses_only_what_was_said(worked: Lapwing) -> None:
    seen = named(worked, geometry=f"{SPOT[0]},{SPOT[1]}", name="Quokka Park").place_id
    into, merged = named(worked).place_id, named(worked, geometry="-2.21,51.42").place_id
    decide(worked, merged, Verdict.MERGE, into=into)
    run = run_of(worked)
    decide(worked, seen, Verdict.ACCEPT)
    history, known = worked.store.places.decisions(SCOPE), worked.store.places.known_places(SCOPE)
    assert purged(worked, REVIEW_AFTER_DAYS + 1 + HELD_DAYS).nominations == 3
    assert worked.store.places.nominations(SCOPE) == []
    assert (worked.store.places.decisions(SCOPE), worked.store.places.known_places(SCOPE)) == (history, known)
    (listed,) = places.list_places(worked.store, SCOPE, run.run_id)
    assert (listed["place"], listed["decision"], listed["name"]) == (seen, "accept", None)
    subjects = [e["subject"] for e in worked.store.audit.events(SCOPE) if e["verb"] == Verb.ERASURE]
    assert sorted(subjects) == sorted([*(f"nomination:{one}" for one in (seen, into, merged)), "purge"])


def test_of_another_organisation_nothing_goes(lapwing: Lapwing) -> None:
    withdraw(lapwing, named(lapwing).place_id)
    terms = replace(TERMS, now_us=later(HELD_DAYS))
    assert purge(lapwing.store, Scope(actor="x", org_id="elsewhere"), terms).nominations == 0
    assert len(lapwing.store.places.nominations(SCOPE)) == 1


@pytest.mark.parametrize("change", ["DELETE FROM decision;\n", "UPDATE decision SET reason = 'other';\n"])
def test_the_database_keeps_a_history_until_the_log_says_that_its_place_was_erased(
    lapwing: Lapwing, change: str
) -> None:
    one, other = named(lapwing).place_id, named(lapwing).place_id
    for place in (one, other):
        withdraw(lapwing, place)
    lapwing.store.audit.append(SCOPE, Verb.ERASURE, f"nomination:{other}", NOW_US)
    lapwing.store.audit.append(Scope(actor="x", org_id="elsewhere"), Verb.ERASURE, f"place:{other}", NOW_US)
    lapwing.store.audit.append(SCOPE, Verb.ERASURE, f"place:{one}", NOW_US)
    with pytest.raises(REFUSED, match="append-only"):
        raw(lapwing, change)
    assert [d.place_id for d in lapwing.store.places.decisions(SCOPE)] == [one, other]
    lapwing.store.places.forget(SCOPE, [one], [one])
    assert [d.place_id for d in lapwing.store.places.decisions(SCOPE)] == [other]


def test_a_full_log_leaves_the_nomination(lapwing: Lapwing, monkeypatch: pytest.MonkeyPatch) -> None:
    class LogIsFull(RuntimeError):
        pass

    def refuse(*_: object, **__: object) -> None:
        raise LogIsFull

    withdraw(lapwing, named(lapwing).place_id)
    before = (lapwing.store.places.nominations(SCOPE), lapwing.store.places.decisions(SCOPE))
    monkeypatch.setattr(type(lapwing.store.audit), "append", refuse)
    with pytest.raises(LogIsFull):
        purged(lapwing, HELD_DAYS)
    assert (lapwing.store.places.nominations(SCOPE), lapwing.store.places.decisions(SCOPE)) == before
    assert lapwing.store.retention.tombs(SCOPE, "nominations") == frozenset()


# --- migration and the command line -----------------------------------------------------------------------------------


def test_nominations_of_an_older_store_get_the_usual_day(
    store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = Lapwing(Settings(home=tmp_path, store=store_url), clock=lambda: NOW_US)
    older = {number: text for number, text in available(app.database.dialect).items() if number < 5}
    monkeypatch.setattr("data.migrate.available", lambda _: older)
    app.migrate(None)
    texts = dict.fromkeys(("kind", "name", "source", "reason", "actor"), "x") | {"org_id": "default"}
    made = {"2026-03-01T08:00Z": date(2026, 5, 30), "2023-12-03T08:00Z": date(2024, 3, 2)}  # over a leap day
    for number, moment in enumerate(made):
        line = texts | {"place_id": f"p{number}", "geometry": bytes.fromhex("0101000000" + "00" * 16)}
        line |= {"made_at_us": parse_time(moment)[0]}
        app.database.insert("nomination", {name: [value] for name, value in line.items()})
    monkeypatch.undo()
    app.migrate(None)
    found = {one.place_id: one.review_by for one in app.store.places.nominations(Scope())}
    assert found == {f"p{number}": day for number, day in enumerate(made.values())}
    app.database.close()


def test_the_way_through_on_the_command_line(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()

    def lapwing(*words: object, code: int = 0) -> Any:
        done = command(home, *words)
        assert done.code == code, done
        assert "Traceback" not in done.err
        return done

    lapwing("import", "incidents", write_csv(tmp_path / "a.csv", stack([(*SPOT, 8)])))
    run = lapwing("analyse", "--simulations", 19, "--json").json["run"]
    add = ("place", "add", "--name", "Quokka Park", "--kind", "park", "--geometry", ELSEWHERE, "--reason", "told", "--source", "council")  # fmt: skip
    assert "after" in lapwing(*add, "--review-by", "2020-01-01", code=1).err
    made = lapwing(*add, "--json").json
    one, soon = made["place"], str(date.fromisoformat(made["review_by"]) - timedelta(days=60))
    review = ("place", "review", one, "--reason", "still so", "--review-by")
    assert lapwing(*review, soon, "--json").json["review_by"] == soon
    listed = lapwing("places", run, "--json").json
    assert [(p["place"], p["review_by"], p["review_overdue"]) for p in listed["nominated"]] == [(one, soon, False)]
    assert listed["review_overdue"] == []
    assert f"Review: by {soon}." in lapwing("explain", one).out
    overdue(home)
    listed = lapwing("places", run)
    assert "review overdue since 2020-01-01" in listed.out
    assert "Needs a decision: nominated places whose review is overdue" in listed.out
    assert [p["place"] for p in lapwing("places", run, "--json").json["review_overdue"]] == [one]
    assert lapwing("explain", one, "--json").json["review_overdue"] is True
    assert "1 nominated place would go" in lapwing("purge", "--dry-run").out
    lapwing(*review, soon)
    assert lapwing("purge", "--json").json["nominations"] == 0
    assert "Take it back with" in lapwing("place", "withdraw", one, "--reason", "closed").out
    assert lapwing("places", run, "--json").json["nominated"] == []
    assert lapwing("explain", one, "--json").json["decision"] == "withdrawn"
    assert "was withdrawn" in lapwing("decide", one, "accept", "--reason", "r", code=1).err
    lapwing("decide", one, "undo", "--reason", "wrong")
    lapwing("decide", one, "undo", "--reason", "nobody looked")
    assert "1 nominated place removed" in lapwing("purge", "--yes").out
    assert "No place" in lapwing("explain", one, code=1).err


def overdue(home: Path) -> None:
    """Take the review back, and let the day said at first be long over: commands run by the real clock."""
    app = Lapwing(Settings(home=home, store="sqlite:///var/lapwing.db"))
    (one,) = app.store.places.nominations(SCOPE)
    raw(app, "UPDATE nomination SET review_by = '2020-01-01';\n")
    decide(app, one.place_id, Verdict.UNDO, now_us=app.clock())
    app.database.close()
