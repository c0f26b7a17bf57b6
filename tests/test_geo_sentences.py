"""One sentence that a panel can quote; its words of probability come from dated data."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.reference_data import yardstick, yardsticks
from geo.errors import InvalidParameter
from geo.sentences import place_sentence
from geo.yardstick import Term, Yardstick

TODAY = yardstick(date(2026, 11, 24))
EVIDENCE = {"records": 7, "days": 5, "months": 3, "month_only": 0, "sources": 3, "rate_ratio": 2.1, "significant": True}
PARK = {"kind": "park", "name": "Orchard Park", "probability": 0.72, "alternatives": ()}
TAKEAWAY = {"kind": "takeaway", "name": "Golden Fryer", "probability": 0.24}


def _say(changes=None, **place):
    return place_sentence(EVIDENCE | (changes or {}), **(PARK | place), yardstick=TODAY)


def test_the_whole_sentence():
    assert _say(alternatives=(TAKEAWAY,)) == (
        "Seven reports on five dates from three agencies, about twice what this area would expect;"
        " likely Orchard Park (a park or green space), unlikely to be Golden Fryer (a takeaway)."
    )


def test_what_chance_may_give_is_said_to_be_so():
    assert "about twice what this area would expect, which chance alone may give;" in _say({"significant": False})


def test_months_are_not_called_dates_and_one_agency_is_one_source():
    said = _say({"month_only": 7, "days": 0, "sources": 1, "records": 12})
    assert said.startswith("12 reports in three months from one source, ")


def test_without_statistics_nothing_is_compared():
    assert "expect" not in _say({"rate_ratio": None})
    assert "expect" not in _say({"rate_ratio": 0.0})


def test_no_known_place_and_a_wide_area_are_not_given_odds():
    nowhere = _say(kind="unattributed", name=None, probability=0.8)
    assert nowhere.endswith("; no imported place explains it.")
    assert _say(kind="area", name=None, probability=None).endswith("would expect.")
    assert "%" not in nowhere


@given(st.floats(0, 1))
def test_every_probability_has_one_word(probability):
    assert TODAY.term(probability).term in {term.term for term in TODAY.terms}


@pytest.mark.parametrize(
    ("probability", "term"),
    [(0.03, "remote chance"), (0.15, "highly unlikely"), (0.3, "unlikely"), (0.45, "realistic possibility"), (0.6, "likely"),
     (0.85, "highly likely"), (0.97, "almost certain"), (1.0, "almost certain")],
)  # fmt: skip
def test_the_published_ranges_keep_their_words(probability, term):
    assert TODAY.term(probability).term == term


def test_words_are_those_in_force_on_the_day():
    assert yardstick(date(2026, 1, 1)).valid_from <= date(2026, 1, 1)
    assert yardstick(date(1999, 1, 1)) == yardsticks()[0]
    assert [scale.valid_from for scale in yardsticks()] == sorted(scale.valid_from for scale in yardsticks())


@pytest.mark.parametrize("limits", [(), (0.5, 0.4, 1.1), (0.5, 1.0), (0.0, 1.1), (0.5, 0.5, 1.1)])
def test_a_scale_that_leaves_a_gap_is_refused(limits):
    with pytest.raises(InvalidParameter, match="every probability"):
        Yardstick("x", date(2020, 1, 1), "", tuple(Term("a", "a", limit) for limit in limits))


@pytest.mark.parametrize("probability", [-0.01, 1.01])
def test_what_is_no_probability_has_no_word(probability):
    with pytest.raises(InvalidParameter):
        TODAY.term(probability)


HOME = {"kind": "house", "name": "12 Quokka Road", "probability": 0.3}


def test_a_home_is_named_only_where_it_is_the_place():
    assert "likely 12 Quokka Road (a home)" in _say(kind="house", name="12 Quokka Road", probability=0.6)
    assert _say(alternatives=(HOME,)).endswith("likely Orchard Park (a park or green space), unlikely to be a home.")
    spot = _say(kind="unattributed", name=None, probability=0.4, alternatives=(HOME,))
    assert spot.endswith("; unlikely to be a home.")
    assert _say(kind="house", name="12 Quokka Road", probability=0.45).endswith(
        "; with a realistic possibility a home."
    )


@pytest.mark.parametrize("kind", ["house", "building", "care_home"])
@given(odds=st.floats(0, 1))
def test_no_home_is_named_among_the_runners_up_whatever_its_odds(kind, odds):
    assert "Quokka" not in _say(alternatives=(HOME | {"kind": kind, "probability": odds},), named=3)


def test_a_home_of_care_is_never_named():
    assert "Quokka" not in _say(kind="care_home", name="Quokka Lodge", probability=0.9)


def test_a_second_home_is_another_home():
    said = _say(kind="house", name="10 Quokka Road", probability=0.6, alternatives=(HOME,))
    assert said.endswith("likely 10 Quokka Road (a home), unlikely to be another home.")
    wide = _say(kind="unattributed", name=None, probability=0.1, alternatives=(HOME, HOME), named=3)
    assert wide.endswith("; unlikely to be a home, unlikely to be another home.")
