"""New, gone and fading places, and arrivals that are late."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.model import Place
from geo.parameters import AnalysisParameters
from geo.place_changes import compare_places, is_fading, quiet_days, same_question
from geo.rhythm import is_late, usual_gap_days

LAST = date(2026, 5, 28)


def facts(**changes: Any) -> dict[str, Any]:
    plain = {
        "records": 30,
        "month_only": 0,
        "first_day": "2025-06-01",
        "last_day": "2026-05-20",
        "last_month": "2026-05",
    }
    return plain | {"trend": "none"} | changes


def quiet(days: int, **changes: Any) -> dict[str, Any]:
    last = LAST - timedelta(days=days)
    return facts(last_day=last.isoformat(), last_month=last.isoformat()[:7], **changes)


def place(name: str, evidence: dict[str, Any] | None = None) -> Place:
    return Place(
        place_id=name, rank=1, cluster=0, kind="park", name=name, probability=0.9, basis="exact", records=30, footprint=(1,),
        peak_cell=1, evidence=evidence or facts(),
    )  # fmt: skip


def names(places: tuple[Place, ...]) -> list[str]:
    return [one.place_id for one in places]


def compare(newer: list[Place], older: list[Place] | None, moved: tuple[str, ...] = ()) -> tuple[list[str], ...]:
    found = compare_places(newer, older, newer_last_day=LAST, older_last_day=LAST - timedelta(days=14), moved=moved)
    return names(found.new), names(found.gone), names(found.fading)


def test_places_are_known_by_their_identity_and_not_by_their_rank() -> None:
    older, newer = [place("a"), place("b")], [place("b"), place("c"), place("d")]
    assert compare(newer, older) == (["c", "d"], ["a"], [])


def test_what_people_merged_or_split_neither_came_nor_went() -> None:
    assert compare([place("part")], [place("whole"), place("b")], ("part", "whole")) == ([], ["b"], [])


def test_without_an_earlier_analysis_nothing_is_new() -> None:
    assert compare([place("a"), place("b", quiet(60))], None) == ([], [], ["b"])


def test_a_place_fades_once() -> None:
    then = quiet(60)  # 46 days to the earlier analysis, and quiet there already
    assert compare([place("a", then)], [place("a", then)]) == ([], [], [])
    assert compare([place("a", quiet(40))], [place("a", facts())]) == ([], [], ["a"])


@pytest.mark.parametrize(
    ("days", "records", "fading"),
    [
        (27, 300, False),
        (28, 300, True),
        (30, 30, False),
        (40, 30, True),
        (100, 3, False),
        (300, 6, True),
        (8, 30, False),
    ],
)
def test_quiet_is_longer_than_chance_makes_at_the_places_own_pace(days: int, records: int, fading: bool) -> None:
    evidence = quiet(days, records=records)
    length = (LAST - date(2025, 6, 1)).days
    chance = (1 - days / length) ** (records - 1)
    assert (days >= 28 and chance <= 0.05) is fading  # the case is what it claims
    assert is_fading(evidence, LAST) is fading


def test_silence_as_long_as_simulated_silences() -> None:
    rng = np.random.default_rng(3)
    length, records, days = 361, 30, 36
    last = rng.uniform(0, length, (20_000, records - 1)).max(axis=1)
    assert (last <= length - days).mean() == pytest.approx((1 - days / length) ** (records - 1), abs=0.006)


@pytest.mark.parametrize(("trend", "fading"), [("diminishing", True), ("historic", True), ("sporadic", False)])
def test_a_cooling_trend_is_fading_however_new_the_last_record(trend: str, fading: bool) -> None:
    assert is_fading(facts(trend=trend), LAST) is fading


def test_months_say_nothing_of_days() -> None:
    by_month = facts(records=9, month_only=9, first_day=None, last_day=None, last_month="2026-01")
    assert quiet_days(by_month, LAST) is None
    assert not is_fading(by_month, LAST)
    newer_month = quiet(90, month_only=5) | {"last_month": "2026-05"}
    assert quiet_days(newer_month, LAST) is None
    assert not is_fading(newer_month, LAST)


def test_an_analysis_without_a_last_day_calls_nothing_quiet() -> None:
    assert not is_fading(quiet(200), None)


@given(st.integers(2, 400), st.integers(0, 340), st.integers(0, 60))
def test_a_longer_silence_never_stops_being_one(records: int, days: int, more: int) -> None:
    longer = min(days + more, 360)
    assert is_fading(quiet(longer, records=records), LAST) >= is_fading(quiet(days, records=records), LAST)


QUESTION = AnalysisParameters(date_from=date(2026, 1, 1), date_to=date(2026, 3, 31))


@pytest.mark.parametrize(
    ("changes", "alike"),
    [
        ({}, True),
        ({"date_to": date(2026, 4, 7)}, True),  # the year so far
        ({"date_to": date(2026, 3, 30)}, False),  # ends before
        ({"date_from": date(2026, 2, 1), "date_to": date(2026, 4, 30)}, True),  # three months later, a day shorter
        ({"date_from": date(2026, 3, 3), "date_to": date(2026, 3, 31)}, False),
        ({"date_from": None}, False),
        ({"date_to": None}, True),
        ({"area": "Bath"}, False),
        ({"record_kinds": ("incidents",)}, False),
        ({"resolution": 8}, False),
    ],
)
def test_questions_are_the_same_but_for_how_far_the_days_run(changes: dict[str, Any], alike: bool) -> None:
    assert same_question(replace(QUESTION, **changes), QUESTION) is alike


def test_everything_is_compared_with_everything() -> None:
    everything = AnalysisParameters()
    assert same_question(everything, everything)
    assert not same_question(QUESTION, everything)
    assert not same_question(everything, QUESTION)


def test_a_rhythm_needs_four_days_and_several_files_on_one_are_one() -> None:
    assert usual_gap_days(np.array([3, 3, 3, 10, 17])) is None
    assert usual_gap_days(np.array([10, 3, 3, 24, 17, 40])) == 7.0
    assert not is_late(np.array([0, 7, 14]), today=1000)


@pytest.mark.parametrize(("today", "late"), [(21, False), (31, False), (32, True)])
def test_late_is_half_as_long_again_as_usual(today: int, late: bool) -> None:
    assert is_late(np.array([0, 7, 14, 21]), today=today) is late
