"""What stands of a place is the fold of its history, less what was taken back."""

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from geo.decisions import (
    WAITING,
    Decision,
    Seed,
    Standing,
    as_decided,
    is_rejected,
    newest_standing,
    standing,
    withdrawn_parts,
)
from geo.model import Place, Verdict

PARTS = [{"place": "p0", "x_m": 0.0, "y_m": 0.0}, {"place": "p1", "x_m": 90.0, "y_m": 0.0}]
DETAIL: dict[Verdict, dict[str, Any]] = {
    Verdict.MOVE: {"lon": -2.36, "lat": 51.38},
    Verdict.RENAME: {"name": "Park"},
    Verdict.MERGE: {"into": "b"},
    Verdict.SPLIT: {"parts": PARTS},
    Verdict.REJECT: {"code": "prison"},
    Verdict.ACCEPT: {},
    Verdict.REVIEW: {"review_by": "2026-08-26"},
    Verdict.WITHDRAW: {},
}


def history(*verdicts: Verdict, place: str = "a") -> list[Decision]:
    """Decisions about one place in order; each undo takes back the newest that stands, as the service does."""
    made: list[Decision] = []
    for number, verdict in enumerate(verdicts):
        if verdict is Verdict.UNDO:
            last = newest_standing(made, place)
            if last is None:
                continue
            detail = {"undoes": last.decision_id, "verdict": last.verdict}
        else:
            detail = DETAIL[verdict]
        made.append(
            Decision(
                decision_id=f"{place}{number}", place_id=place, run_id="r", verdict=str(verdict), reason="r", actor="t",
                decided_at_us=number, detail=detail,
            )
        )  # fmt: skip
    return made


def of(*verdicts: Verdict) -> Standing:
    return standing(history(*verdicts)).get("a", Standing())


def test_nothing_decided_is_waiting() -> None:
    assert standing([]) == {}
    assert (Standing().verdict, Standing().name, Standing().point) == (WAITING, None, None)


def test_each_verdict_changes_its_own_part_and_no_other() -> None:
    one = of(Verdict.ACCEPT, Verdict.RENAME, Verdict.MOVE)
    assert (one.verdict, one.name, one.point, one.merged_into, one.parts) == (
        "accept",
        "Park",
        (-2.36, 51.38),
        None,
        (),
    )
    assert of(Verdict.RENAME).verdict == of(Verdict.MOVE).verdict == WAITING
    assert of(Verdict.ACCEPT, Verdict.REJECT).verdict == "reject"


def test_merged_and_split_come_before_what_was_decided_earlier_or_later() -> None:
    assert of(Verdict.ACCEPT, Verdict.MERGE).verdict == of(Verdict.MERGE, Verdict.ACCEPT).verdict == "merged"
    assert of(Verdict.ACCEPT, Verdict.SPLIT).verdict == "split"
    assert of(Verdict.SPLIT).parts == (Seed("p0", 0.0, 0.0), Seed("p1", 90.0, 0.0))


def test_an_undone_merge_leaves_what_was_decided_before() -> None:
    one = of(Verdict.ACCEPT, Verdict.MERGE, Verdict.UNDO)
    assert (one.verdict, one.merged_into) == ("accept", None)


def test_an_undo_names_a_decision_about_its_own_place_only() -> None:
    both = [*history(Verdict.ACCEPT), *history(Verdict.REJECT, place="b")]
    last = newest_standing(both, "a")
    assert last is not None
    assert last.decision_id == "a0"
    assert newest_standing(both, "c") is None


def test_parts_of_a_split_that_was_taken_back_are_withdrawn() -> None:
    assert withdrawn_parts(history(Verdict.SPLIT)) == set()
    assert withdrawn_parts(history(Verdict.SPLIT, Verdict.UNDO)) == {"p0", "p1"}
    again = [*history(Verdict.SPLIT, Verdict.UNDO), replace(history(Verdict.SPLIT)[0], decision_id="later")]
    assert withdrawn_parts(again) == set()


def test_a_place_is_shown_under_the_name_that_stands() -> None:
    place = Place(
        place_id="a", rank=1, cluster=0, kind="park", name="Old", probability=None, basis="exact", records=1, footprint=(1,), peak_cell=1,
        evidence={},
    )  # fmt: skip
    assert as_decided(place, standing(history(Verdict.RENAME)))[0].name == "Park"
    assert as_decided(place, standing(history(Verdict.RENAME, Verdict.UNDO)))[0].name == "Old"
    assert as_decided(place, {})[0] is place


def test_a_review_sets_the_day_and_a_withdrawal_stands_before_all_else() -> None:
    one = of(Verdict.ACCEPT, Verdict.REVIEW)
    assert (one.verdict, one.review_by) == ("accept", "2026-08-26")
    gone = of(Verdict.ACCEPT, Verdict.REVIEW, Verdict.WITHDRAW)
    assert (gone.verdict, gone.review_by) == ("withdrawn", "2026-08-26")
    assert of(Verdict.ACCEPT, Verdict.WITHDRAW, Verdict.UNDO) == of(Verdict.ACCEPT)


VERDICTS = st.sampled_from([*DETAIL, Verdict.UNDO])


@settings(max_examples=200, deadline=None)
@given(st.lists(VERDICTS, max_size=12), st.sampled_from(list(DETAIL)))
def test_a_decision_and_its_undo_change_nothing(before: list[Verdict], verdict: Verdict) -> None:
    assert of(*before, verdict, Verdict.UNDO) == of(*before)


@settings(max_examples=200, deadline=None)
@given(st.lists(VERDICTS, max_size=12))
def test_enough_undos_bring_back_the_beginning(before: list[Verdict]) -> None:
    made = history(*before, *[Verdict.UNDO] * len(before))
    assert standing(made) == {}
    assert newest_standing(made, "a") is None


@settings(max_examples=100, deadline=None)
@given(st.lists(VERDICTS, max_size=8), st.lists(VERDICTS, max_size=8), st.randoms(use_true_random=False))
def test_what_stands_of_a_place_does_not_hang_on_decisions_about_another(
    one: list[Verdict], other: list[Verdict], random: Any
) -> None:
    a, b = history(*one), history(*other, place="z")
    mixed: list[Decision] = []
    left, right = list(a), list(b)
    while left or right:
        mixed.append((left if left and (not right or random.random() < 0.5) else right).pop(0))
    assert standing(mixed).get("a") == standing(a).get("a")
    assert standing(mixed).get("z") == standing(b).get("z")


def test_a_rejection_stands_whatever_was_merged_or_split_since() -> None:
    for later in (Verdict.MERGE, Verdict.SPLIT, Verdict.RENAME):
        assert of(Verdict.REJECT, later).rejected
        assert not of(Verdict.ACCEPT, later).rejected
    assert not of(Verdict.REJECT, Verdict.ACCEPT).rejected
    assert not of(Verdict.REJECT, Verdict.UNDO).rejected


def test_a_place_is_rejected_with_what_it_was_merged_into() -> None:
    told = standing([*history(Verdict.ACCEPT, Verdict.MERGE), *history(Verdict.REJECT, place="b")])
    assert (is_rejected("a", told), is_rejected("b", told), is_rejected("c", told)) == (True, True, False)
    assert not is_rejected("b", standing(history(Verdict.REJECT, Verdict.MERGE)))  # the whole is for people to judge


def test_parts_of_parts_inherit_a_rejection_until_somebody_decides() -> None:
    whole, accepted = history(Verdict.REJECT, Verdict.SPLIT), history(Verdict.ACCEPT, place="p1")
    inner = [{"place": "q0", "x_m": 0.0, "y_m": 0.0}, {"place": "q1", "x_m": 9.0, "y_m": 0.0}]
    again = [replace(one, detail={"parts": inner}) for one in history(Verdict.SPLIT, place="p0")]
    told = standing([*whole, *again, *accepted])
    assert {name: told[name].verdict for name in ("a", "p0", "q0", "q1", "p1")} == {
        "a": "split", "p0": "split", "q0": "reject", "q1": "reject", "p1": "accept",
    }  # fmt: skip
    assert told["p0"].rejected
    assert "p0" not in standing(history(Verdict.ACCEPT, Verdict.SPLIT))
    assert "p0" not in standing(history(Verdict.REJECT, Verdict.SPLIT, Verdict.UNDO))
