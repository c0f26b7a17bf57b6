"""Who may decide, what every decision needs, and that it is made whole or not at all."""

import json
import threading
from pathlib import Path

import pytest

from app.services.deciding import Change, change_place
from app.services.nominated import nominated_places
from app.services.nominating import nominate
from app.wiring import Lapwing
from data.audit import Verb
from geo.errors import Conflict, InvalidParameter, NotFound, NotPermitted
from geo.model import Role, Scope, Verdict
from tests.conftest import NOW_US
from tests.deciding import A, B, decide, everything, found, named, three_clusters
from tests.runs import SCOPE, run_of


class LogIsFull(RuntimeError):
    pass


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ANALYST])
def test_only_an_analyst_decides_or_nominates(worked: Lapwing, role: Role) -> None:
    one = found(worked, run_of(worked))[12].place_id
    other = Scope(actor="other", role=role)
    for verdict in Verdict:
        change = Change(verdict=verdict, reason="because", to=A, name="Park", into=one, at=[A, B])
        with pytest.raises(NotPermitted):
            change_place(worked.store, other, one, change, now_us=NOW_US)
    with pytest.raises(NotPermitted):
        nominate(
            worked.store, other, name="Park", kind="park", geometry="-2.2,51.4", reason="r", source="s", now_us=NOW_US
        )
    assert worked.store.places.decisions(SCOPE) == []


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_decision_wants_a_reason_and_what_it_needs(worked: Lapwing, verdict: Verdict) -> None:
    one = found(worked, run_of(worked))[12].place_id
    with pytest.raises(InvalidParameter, match="Say why"):
        decide(worked, one, verdict, " \n ", to=A, name="Park", at=[A, B])
    if verdict in {Verdict.MOVE, Verdict.RENAME, Verdict.MERGE, Verdict.SPLIT}:
        with pytest.raises(InvalidParameter):
            decide(worked, one, verdict)
    assert worked.store.places.decisions(SCOPE) == []


def test_another_organisation_sees_and_decides_nothing(worked: Lapwing) -> None:
    run = run_of(worked)
    one = found(worked, run)[12].place_id
    named(worked)
    stranger = Scope(actor="stranger", org_id="elsewhere")
    with pytest.raises(NotFound):
        change_place(worked.store, stranger, one, Change(verdict=Verdict.ACCEPT, reason="r"), now_us=NOW_US)
    assert nominated_places(worked.store, stranger) == []
    assert worked.store.places.standing(stranger) == {}


def test_a_full_log_leaves_nothing_half_done(worked: Lapwing, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_of(worked)
    a, b = found(worked, run)[12].place_id, found(worked, run)[11].place_id
    decide(worked, b, Verdict.ACCEPT)
    before = (everything(worked, run), worked.store.places.known_places(SCOPE), worked.store.places.decisions(SCOPE))

    def refuse(*_: object, **__: object) -> None:
        raise LogIsFull

    monkeypatch.setattr(type(worked.store.audit), "append", refuse)
    for told in (
        {"verdict": Verdict.ACCEPT}, {"verdict": Verdict.REJECT}, {"verdict": Verdict.MOVE, "to": A}, {"verdict": Verdict.RENAME, "name": "Park"},
        {"verdict": Verdict.MERGE, "into": b}, {"verdict": Verdict.SPLIT, "at": [A, (A[0] + 0.001, A[1])]},
    ):  # fmt: skip
        with pytest.raises(LogIsFull):
            decide(worked, a, **told)
    with pytest.raises(LogIsFull):
        decide(worked, b, Verdict.UNDO)
    with pytest.raises(LogIsFull):
        named(worked)
    assert worked.store.places.nominations(SCOPE) == []
    assert (
        everything(worked, run),
        worked.store.places.known_places(SCOPE),
        worked.store.places.decisions(SCOPE),
    ) == before


def test_every_decision_is_in_the_log_without_a_position_or_name(worked: Lapwing) -> None:
    one = found(worked, run_of(worked))[12].place_id
    decide(worked, one, Verdict.RENAME, name="Quokka Park")
    decide(worked, one, Verdict.MOVE, to=(-2.3611, 51.3822))
    named(worked, name="Quokka Green")
    events = worked.store.audit.events(SCOPE)[-3:]
    assert [event["verb"] for event in events] == [Verb.ALTERATION, Verb.ALTERATION, Verb.COLLECTION]
    text = json.dumps(worked.store.audit.events(SCOPE), default=str)
    assert not any(word in text for word in ("Quokka", "2.3611", "51.3822", "we looked"))


def test_two_people_who_merge_two_places_into_each_other_at_once_make_no_ring(lapwing: Lapwing, tmp_path: Path) -> None:
    worked = three_clusters(lapwing, tmp_path)
    run = run_of(worked)
    a, b = found(worked, run)[12].place_id, found(worked, run)[11].place_id
    gate, outcome = threading.Barrier(2), []

    def merge(place: str, into: str) -> None:
        gate.wait(timeout=20)
        try:
            decide(worked, place, Verdict.MERGE, into=into)
            outcome.append("done")
        except Conflict:
            outcome.append("refused")
        finally:
            worked.database.close()

    people = [threading.Thread(target=merge, args=pair) for pair in ((a, b), (b, a))]
    for one in people:
        one.start()
    for one in people:
        one.join(timeout=60)
    assert sorted(outcome) == ["done", "refused"]
    assert sorted(found(worked, run_of(worked))) == [10, 23]


def test_two_people_who_undo_at_once_take_back_two_decisions(lapwing: Lapwing, tmp_path: Path) -> None:
    worked = three_clusters(lapwing, tmp_path)
    one = found(worked, run_of(worked))[12].place_id
    for verdict in (Verdict.ACCEPT, Verdict.REJECT):
        decide(worked, one, verdict)
    gate = threading.Barrier(2)

    def undo() -> None:
        gate.wait(timeout=20)
        try:
            decide(worked, one, Verdict.UNDO)
        finally:
            worked.database.close()

    people = [threading.Thread(target=undo) for _ in range(2)]
    for person in people:
        person.start()
    for person in people:
        person.join(timeout=60)
    undone = [d.detail["undoes"] for d in worked.store.places.decisions(SCOPE) if d.verdict == Verdict.UNDO]
    assert len(set(undone)) == 2
