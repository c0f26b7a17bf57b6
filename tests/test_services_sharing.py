"""Sharing is an act: who may do it with what, what it takes the place of, what ends it, and what the log says of it."""

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.services.exporting import ExportRequest, export_file
from app.services.importing import undo_batch
from app.services.purging import drop_layers_of, purge
from app.services.sharing import APART_DAYS, offer, share_run, shared_run, stop_sharing
from app.settings import Settings
from app.wiring import Lapwing
from data.audit import Verb
from data.migrate import available
from data.sharing import Sharing
from geo.errors import Conflict, InvalidParameter, NotFound, NotPermitted
from geo.model import Layer, Profile, Role, Run, Scope
from geo.retention import DAY_US
from tests.conftest import NOW_US
from tests.deciding import refuge_at
from tests.factories import make_run
from tests.files import TERMS, load, stack, write_csv
from tests.runs import SCOPE, run_of
from tests.test_services_dashboard import NO_CELLS, NO_MATCHES

OTHER = Scope(actor="test", org_id="elsewhere")
SPOTS = [(-2.36, 51.38, 9), (-2.33, 51.385, 8)]
FRESH = count()
LATER = replace(TERMS, now_us=NOW_US + 800 * DAY_US)  # incidents are held for 24 months


def keep(app: Lapwing, name: str, *, days_ago: float = 0, scope: Scope = SCOPE, **summary: Any) -> Run:
    """Store an analysis that found nothing; it may be shared unless its summary says otherwise."""
    told = {"places": 0, "records": 0, "hot_cells": 0, "shareable": True} | summary
    run = replace(make_run(told), run_id=name, generated_at_us=NOW_US - round(days_ago * DAY_US))
    app.store.runs.save(scope, run, NO_CELLS, [], {}, NO_MATCHES)
    return run


def share(app: Lapwing, name: str, *, days: float = 0, scope: Scope = SCOPE, **told: Any) -> Sharing:
    now_us = NOW_US + round(days * DAY_US)
    return share_run(app.store, scope, name, "quarterly meeting", now_us=now_us, **told)


def stop(app: Lapwing, **told: Any) -> Sharing:
    return stop_sharing(app.store, SCOPE, "a mistake", now_us=NOW_US, **told)


def seen(app: Lapwing, scope: Scope = SCOPE) -> str | None:
    """Id of the analysis that partners and boards see."""
    run = shared_run(app.store, scope)
    return run.run_id if run else None


def logged(app: Lapwing) -> list[tuple[str, str, dict[str, Any]]]:
    """What the log says of sharing."""
    events = app.store.audit.events(SCOPE)
    return [
        (one["verb"], one["subject"], json.loads(one["detail"])) for one in events if one["subject"].endswith("/shared")
    ]


# --- the act ----------------------------------------------------------------------------------------------------------


def test_nothing_is_shared_before_somebody_shares_it(lapwing: Lapwing) -> None:
    keep(lapwing, "a")
    assert seen(lapwing) is None
    made = share(lapwing, "a")
    assert (made.run_id, made.purpose, made.actor, made.shared_at_us) == ("a", "quarterly meeting", "test", NOW_US)
    assert lapwing.store.sharings.live(SCOPE) == made
    keep(lapwing, "b", days_ago=-1)
    assert seen(lapwing) == "a"  # a newer one changes nothing


def test_sharing_another_takes_the_place_of_the_first(lapwing: Lapwing) -> None:
    keep(lapwing, "a", days_ago=60)
    keep(lapwing, "b")
    share(lapwing, "a", days=-50)
    share(lapwing, "b")
    assert seen(lapwing) == "b"
    assert [(one.run_id, one.live) for one in lapwing.store.sharings.all(SCOPE)] == [("a", False), ("b", True)]
    audiences = ["partner", "public"]
    told = {"purpose": "quarterly meeting", "audiences": audiences, "close_to": "", "sooner": False}
    assert logged(lapwing) == [
        (Verb.DISCLOSURE, "run:a/shared", told),
        (Verb.WITHDRAWAL, "run:a/shared", {"reason": "run:b is shared"}),
        (Verb.DISCLOSURE, "run:b/shared", told),
    ]
    lapwing.store.audit.verify()


def test_the_newest_can_be_named_latest(lapwing: Lapwing) -> None:
    keep(lapwing, "a", days_ago=1)
    keep(lapwing, "b")
    assert share(lapwing, "latest").run_id == "b"


def test_stopping_takes_it_away_at_once_and_says_why(lapwing: Lapwing) -> None:
    keep(lapwing, "a")
    share(lapwing, "a")
    assert stop(lapwing).run_id == "a"
    assert (seen(lapwing), lapwing.store.sharings.live(SCOPE)) == (None, None)
    assert logged(lapwing)[-1] == (Verb.WITHDRAWAL, "run:a/shared", {"purpose": "a mistake"})
    with pytest.raises(Conflict, match="No analysis is shared"):
        stop(lapwing)


def test_only_what_is_shared_can_be_taken_back_by_name(lapwing: Lapwing) -> None:
    keep(lapwing, "a")
    share(lapwing, "a")
    with pytest.raises(Conflict, match="b is not the one that is shared; that is a"):
        stop(lapwing, run_id="b")
    assert seen(lapwing) == "a"
    assert stop(lapwing, run_id="a").run_id == "a"


def test_what_is_shared_is_not_shared_again(lapwing: Lapwing) -> None:
    keep(lapwing, "a")
    share(lapwing, "a")
    with pytest.raises(Conflict, match="is shared already"):
        share(lapwing, "a", sooner=True)
    assert len(lapwing.store.sharings.all(SCOPE)) == 1


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ANALYST])
def test_only_an_analyst_shares_and_stops(embedded: Lapwing, role: Role) -> None:
    keep(embedded, "a")
    other = Scope(actor="other", role=role)
    with pytest.raises(NotPermitted):
        share(embedded, "a", scope=other)
    share(embedded, "a")
    with pytest.raises(NotPermitted):
        stop_sharing(embedded.store, other, "a mistake", now_us=NOW_US)
    assert seen(embedded) == "a"


@pytest.mark.parametrize("purpose", ["", " \t", "x" * 301, "two\nlines"])
def test_a_purpose_is_needed_both_ways(embedded: Lapwing, purpose: str) -> None:
    keep(embedded, "a")
    with pytest.raises(InvalidParameter, match="purpose"):
        share_run(embedded.store, SCOPE, "a", purpose, now_us=NOW_US)
    assert seen(embedded) is None
    share(embedded, "a")
    with pytest.raises(InvalidParameter, match="purpose"):
        stop_sharing(embedded.store, SCOPE, purpose, now_us=NOW_US)
    assert seen(embedded) == "a"


def test_organisations_share_for_themselves(lapwing: Lapwing) -> None:
    for scope in (SCOPE, OTHER):
        keep(lapwing, "a", scope=scope)
    share(lapwing, "a")
    assert (seen(lapwing), seen(lapwing, OTHER)) == ("a", None)
    share(lapwing, "a", scope=OTHER)
    stop(lapwing)
    assert (seen(lapwing), seen(lapwing, OTHER)) == (None, "a")


# --- what may be shared -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("summary", "said"),
    [
        ({"shareable": False}, "was drawn, or is a postcode"),  # and is not known any more
        ({"shareable": None}, "made before analyses said"),
        ({"hot_cells": None}, "before there were statistics"),
    ],
)
def test_what_may_not_be_shared_is_refused_with_why(embedded: Lapwing, summary: dict[str, Any], said: str) -> None:
    keep(embedded, "a", **summary)
    with pytest.raises(Conflict, match=said):
        share(embedded, "a", sooner=True)
    assert (seen(embedded), logged(embedded)) == (None, [])


def test_what_is_not_there_is_not_shared(embedded: Lapwing) -> None:
    with pytest.raises(NotFound):
        share(embedded, "nope")


def test_every_obstacle_of_a_question_is_told(embedded: Lapwing, tmp_path: Path) -> None:
    load(embedded, write_csv(tmp_path / "a.csv", stack(SPOTS)))
    held = run_of(embedded, record_kinds=("incidents",))
    assert not offer(embedded.store, SCOPE, held, now_us=NOW_US).obstacle  # there is nothing else in the store
    run = run_of(embedded, record_kinds=("observations",), eps_m=90)
    told = "it is not over all usual kinds of records, and its parameters are not the usual ones"
    assert offer(embedded.store, SCOPE, run, now_us=NOW_US).obstacle == told
    with pytest.raises(Conflict, match=told):
        share(embedded, run.run_id)


# --- two close analyses -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made_ago", "shared_ago", "close"),
    [
        (60, APART_DAYS, False),
        (60, APART_DAYS - 0.01, True),
        (APART_DAYS, 50, False),  # how long ago it was shared is not all: one made the day before shows through as well
        (APART_DAYS - 0.01, 50, True),
        (0.5, 0, True),
    ],
)
def test_a_close_one_needs_a_second_thought(
    lapwing: Lapwing, made_ago: float, shared_ago: float, *, close: bool
) -> None:
    keep(lapwing, "a", days_ago=made_ago)
    run = keep(lapwing, "b")
    first = share(lapwing, "a", days=-shared_ago)
    asked = offer(lapwing.store, SCOPE, run, now_us=NOW_US)
    assert asked.close_to == (first if close else None)
    if close:
        with pytest.raises(Conflict, match=r"less than 28 days lie between the two\. Differences between two close"):
            share(lapwing, "b")
        assert seen(lapwing) == "a"
    share(lapwing, "b", sooner=True)
    assert seen(lapwing) == "b"
    detail = logged(lapwing)[-1][2]
    assert (detail["sooner"], detail["close_to"]) == (close, "a" if close else "")


def test_what_was_taken_back_was_seen_all_the_same(lapwing: Lapwing) -> None:
    keep(lapwing, "a", days_ago=60)
    keep(lapwing, "b")
    share(lapwing, "a", days=-1)
    stop(lapwing)
    with pytest.raises(Conflict, match="Analysis a was shared on 27 May 2026"):
        share(lapwing, "b")
    share(lapwing, "a")  # the same again tells nothing new
    assert logged(lapwing)[-1][2]["sooner"] is False


def test_one_made_beside_any_that_was_ever_shared_needs_a_second_thought(lapwing: Lapwing) -> None:
    for name, days_ago in (("a", 60), ("c", 30), ("b", 59)):
        keep(lapwing, name, days_ago=days_ago)
    share(lapwing, "a", days=-58)
    share(lapwing, "c", days=-29)
    with pytest.raises(Conflict, match="less than 28 days"):
        share(lapwing, "b")  # partners still hold a, made a day before it
    share(lapwing, "b", sooner=True)
    detail = logged(lapwing)[-1][2]
    assert (detail["sooner"], detail["close_to"]) == (True, "a")
    share(lapwing, "a")  # seen before: nothing new
    assert logged(lapwing)[-1][2]["sooner"] is False


# --- what ends it -----------------------------------------------------------------------------------------------------


def test_a_purge_ends_it_and_the_log_says_so(lapwing: Lapwing, tmp_path: Path) -> None:
    load(lapwing, write_csv(tmp_path / "a.csv", stack(SPOTS)))
    run = run_of(lapwing)
    share(lapwing, run.run_id)
    purge(lapwing.store, SCOPE, replace(LATER, now_us=NOW_US))  # of nothing
    assert seen(lapwing) == run.run_id
    purge(lapwing.store, SCOPE, LATER)
    assert (seen(lapwing), lapwing.store.sharings.live(SCOPE)) == (None, None)
    told = {"reason": "records it rests on are no longer held"}
    assert logged(lapwing)[-1] == (Verb.WITHDRAWAL, f"run:{run.run_id}/shared", told)
    with pytest.raises(Conflict, match="were removed on"):
        share(lapwing, run.run_id)


def test_a_purge_does_not_bring_an_earlier_one_back(lapwing: Lapwing, tmp_path: Path) -> None:
    keep(lapwing, "a", days_ago=60)
    share(lapwing, "a", days=-50)
    load(lapwing, write_csv(tmp_path / "a.csv", stack(SPOTS)))
    share(lapwing, run_of(lapwing).run_id)
    purge(lapwing.store, SCOPE, LATER)
    assert seen(lapwing) is None
    assert lapwing.store.runs.get(SCOPE, "a").purged_at_us is None


def test_a_refuge_ends_it(lapwing: Lapwing, tmp_path: Path) -> None:
    load(lapwing, write_csv(tmp_path / "a.csv", stack(SPOTS)))
    run = run_of(lapwing)
    share(lapwing, run.run_id)
    refuge_at(lapwing, tmp_path, -2.20, 51.30)  # where nothing was counted
    assert seen(lapwing) == run.run_id
    refuge_at(lapwing, tmp_path, *SPOTS[0][:2])
    assert seen(lapwing) is None
    assert logged(lapwing)[-1][0] == Verb.WITHDRAWAL


def test_undoing_a_file_does_not_end_it(lapwing: Lapwing, tmp_path: Path) -> None:
    batch = load(lapwing, write_csv(tmp_path / "a.csv", stack(SPOTS))).batch
    run = run_of(lapwing)
    share(lapwing, run.run_id)
    undo_batch(lapwing.store, SCOPE, batch.batch_id, now_us=NOW_US)
    assert seen(lapwing) == run.run_id
    refuge_at(lapwing, tmp_path, *SPOTS[0][:2])  # but what it drew of that file goes
    assert seen(lapwing) is None


def test_what_is_made_anew_under_its_id_is_another(lapwing: Lapwing, tmp_path: Path) -> None:
    load(lapwing, write_csv(tmp_path / "a.csv", stack(SPOTS)))
    run = run_of(lapwing)
    share(lapwing, run.run_id)
    assert run_of(lapwing).generated_at_us == run.generated_at_us  # as it is stored
    assert seen(lapwing) == run.run_id
    again = run_of(lapwing, as_of_us=NOW_US + DAY_US)
    assert (again.run_id, seen(lapwing)) == (run.run_id, None)
    verb, _, detail = logged(lapwing)[-1]
    assert (verb, detail["reason"]) == (Verb.WITHDRAWAL, "it was made anew")
    with pytest.raises(Conflict, match="less than 28 days"):
        share(lapwing, run.run_id)


def test_an_analysis_alone_shares_nothing(lapwing: Lapwing, tmp_path: Path) -> None:
    load(lapwing, write_csv(tmp_path / "a.csv", stack(SPOTS)))
    first = run_of(lapwing)
    share(lapwing, first.run_id)
    load(lapwing, write_csv(tmp_path / "b.csv", stack([(-2.36, 51.38, 10)])))  # one record more
    second = run_of(lapwing)
    assert (second.run_id != first.run_id, second.summary["shareable"]) == (True, True)
    assert seen(lapwing) == first.run_id


def test_a_copy_for_partners_needs_no_sharing(embedded: Lapwing, tmp_path: Path) -> None:
    load(embedded, write_csv(tmp_path / "a.csv", stack(SPOTS)))
    run = run_of(embedded)
    wanted = ExportRequest(layer=Layer.CELLS, format="csv", profile=Profile.PARTNER, purpose="weekly meeting")
    assert export_file(embedded.store, SCOPE, run, wanted, tmp_path / "a.csv", now_us=NOW_US).features
    assert seen(embedded) is None


# --- whole or not at all ----------------------------------------------------------------------------------------------


class LogIsFull(RuntimeError):
    pass


@pytest.mark.parametrize("act", [lambda app: share(app, "b", sooner=True), stop], ids=["share", "stop"])
def test_what_cannot_be_logged_is_not_done(
    lapwing: Lapwing, monkeypatch: pytest.MonkeyPatch, act: Callable[[Lapwing], Sharing]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise LogIsFull

    keep(lapwing, "a", days_ago=1)
    keep(lapwing, "b")
    share(lapwing, "a")
    monkeypatch.setattr(type(lapwing.store.audit), "append", refuse)
    with pytest.raises(LogIsFull):
        act(lapwing)
    assert seen(lapwing) == "a"
    assert len(lapwing.store.sharings.all(SCOPE)) == 1


def test_the_database_itself_refuses_a_second_one(lapwing: Lapwing) -> None:
    keep(lapwing, "a")
    share(lapwing, "a")
    row = {"org_id": "default", "seq": 2, "run_id": "b", "run_made_at_us": 0, "purpose": "x", "actor": "x", "shared_at_us": 0, "live": 1}  # fmt: skip
    with pytest.raises(Exception, match=r"(?i)unique"):
        lapwing.database.insert("sharing", {name: [value] for name, value in row.items()})
    assert seen(lapwing) == "a"


def test_two_who_share_at_once_share_one_after_the_other(lapwing: Lapwing) -> None:
    for name in "abcd":
        keep(lapwing, name)
    failed: list[Conflict] = []

    def act(name: str) -> None:
        try:
            share(lapwing, name, sooner=True)
            if name == "d":
                with lapwing.database.transaction():  # as a purge does
                    drop_layers_of(lapwing.store, SCOPE, ["a", "b", "c", "d"], NOW_US)
        except Conflict as error:
            failed.append(error)
        finally:
            lapwing.database.close()  # of this thread

    threads = [threading.Thread(target=act, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    acts = lapwing.store.sharings.all(SCOPE)
    assert [one.seq for one in acts] == [*range(1, len(acts) + 1)]
    assert not any(one.live for one in acts)
    assert len(acts) + len(failed) == 4
    assert all("were removed on" in str(error) for error in failed)  # whoever came after the purge
    lapwing.store.audit.verify()


_ACTS = st.lists(st.tuples(st.sampled_from(["share", "stop", "purge", "make"]), st.sampled_from("abc")), max_size=12)


@given(acts=_ACTS)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_done_partners_see_the_last_one_shared_or_none(
    embedded: Lapwing, acts: list[tuple[str, str]]
) -> None:
    scope, store = Scope(actor="test", org_id=f"o{next(FRESH)}"), embedded.store
    expected: str | None = None
    whole: set[str] = set()
    for act, name in acts:
        if act == "make":
            keep(embedded, name, scope=scope)
            whole.add(name)
            expected = None if expected == name else expected
        elif act == "purge" and store.runs.find(scope, name):
            store.retention.drop_layers(scope, name, NOW_US)
            whole.discard(name)
            expected = None if expected == name else expected
        elif act == "share" and name in whole and name != expected:
            share(embedded, name, scope=scope, sooner=True)
            expected = name
        elif act == "stop" and expected:
            stop_sharing(store, scope, "a mistake", now_us=NOW_US)
            expected = None
        assert seen(embedded, scope) == expected
        assert [one.run_id for one in store.sharings.all(scope) if one.live] == ([expected] if expected else [])


# --- migration --------------------------------------------------------------------------------------------------------


def test_in_an_older_store_nothing_is_shared_until_somebody_does(
    store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = Lapwing(Settings(home=tmp_path, store=store_url), clock=lambda: NOW_US)
    older = {number: text for number, text in available(app.database.dialect).items() if number < 7}
    monkeypatch.setattr("data.migrate.available", lambda _: older)
    app.migrate(None)
    run = make_run({"places": 0, "records": 0, "hot_cells": 0, "shareable": True})
    row = {"org_id": "default", "input_hashes": "[]", "summary": json.dumps(run.summary)}
    row |= {name: getattr(run, name) for name in ("run_id", "parameters", "code_version", "seed", "generated_at_us", "created_by")}  # fmt: skip
    app.database.insert("run", {name: [value] for name, value in row.items()})
    monkeypatch.undo()
    assert 7 in app.migrate(None)
    assert seen(app) is None
    share(app, run.run_id)
    assert seen(app) == run.run_id
    app.database.close()
