"""Plain sentences say what the evidence says, and no more than the audience may know."""

import pytest

from geo import narrative

EVIDENCE = {
    "records": 12, "sources": 2, "days": 9, "months": 3, "month_only": 0, "snapped": 0, "first_day": "2025-01-02", "last_day": "2025-03-09", "first_month": "2025-01", "last_month": "2025-03",
    "weekdays": None, "hours": None,
}  # fmt: skip


def test_when_and_what_is_not_known():
    assert narrative.when_and_doubt(EVIDENCE) == "2 January 2025 to 9 March 2025."
    months = EVIDENCE | {"month_only": 12, "first_day": None, "last_day": None}
    assert narrative.when_and_doubt(months) == "January 2025 to March 2025, dated by month only."
    some = narrative.when_and_doubt(EVIDENCE | {"month_only": 11})
    assert some == "2 January 2025 to 9 March 2025, 11 of them dated by month only."
    assert "exact spot is not known" in narrative.when_and_doubt(EVIDENCE | {"snapped": 7})
    assert "exact spot" not in narrative.when_and_doubt(EVIDENCE | {"snapped": 6})


def test_other_audiences_get_a_lower_bound_and_nothing_finer():
    assert narrative.lower_bound(EVIDENCE, 10) == "At least 10 records from more than one source."
    other = EVIDENCE | {"sources": 7, "days": 3, "snapped": 9}
    assert narrative.lower_bound(other, 10) == narrative.lower_bound(EVIDENCE, 10)
    assert "one source only" in narrative.lower_bound(EVIDENCE | {"sources": 1}, 10)


def test_titles():
    assert narrative.place_title("park", "Orchard Park") == "Orchard Park"
    assert narrative.place_title("park", None) == "Unnamed park"
    assert narrative.place_title("house", None) == "A home"
    assert narrative.place_title("takeaway", None) == "Takeaway"
    assert narrative.place_title("hotel", None) == "Hotel or guest house"
    assert narrative.place_title("area", None) == "Wide area"
    assert narrative.place_title("unattributed", None) == "Unnamed spot"
    assert narrative.kind_words("something new") == "something new"


def candidate(name, probability, kind="street"):
    return {"kind": kind, "name": name, "probability": probability}


@pytest.mark.parametrize(
    ("candidates", "title"),
    [
        ([], "Unnamed spot"),
        ([candidate("Mill Lane", 0.4), candidate("Kebab House", 0.3, "takeaway")], "Spot near Mill Lane"),
        ([candidate("Mill Lane", narrative.LEAST_NEAR)], "Spot near Mill Lane"),
        ([candidate("Mill Lane", narrative.LEAST_NEAR - 0.001)], "Unnamed spot"),
        ([candidate(None, 0.4, "takeaway"), candidate("Mill Lane", 0.3)], "Unnamed spot"),
        ([candidate("", 0.4, "takeaway"), candidate("Mill Lane", 0.3)], "Unnamed spot"),
        ([candidate("Mill Lane", 0.3), candidate("Kebab House", 0.3, "takeaway")], "Unnamed spot"),
        ([candidate("Mill Lane", 0.3012), candidate(None, 0.2988, "shop")], "Unnamed spot"),
        ([candidate("Mill Lane", 0.31), candidate("11 Quokka Road", 0.3, "house")], "Spot near Mill Lane"),
        ([candidate("11 Quokka Road", 0.45, "house"), candidate("Mill Lane", 0.3)], "Unnamed spot"),
        ([candidate("11 Quokka Road", 0.45, "building")], "Unnamed spot"),
        ([candidate("Quokka Lodge", 0.45, "care_home")], "Unnamed spot"),
    ],
)
def test_a_spot_is_near_what_stands_out_and_is_nobodys_home(candidates, title):
    assert narrative.place_title("unattributed", None, candidates) == title
    assert narrative.place_title("unattributed", "Mill Corner", candidates) == "Mill Corner"
    assert narrative.place_title("park", None, candidates) == "Unnamed park"


def test_a_home_of_care_has_no_name_in_headings():
    assert narrative.place_title("care_home", "Quokka Lodge") == "Care home"


def test_plurals():
    said = [narrative.plural(n, w) for n, w in [(0, "day"), (1, "agency"), (2, "agency"), (1234, "record")]]
    assert said == ["0 days", "1 agency", "2 agencies", "1,234 records"]


def test_usual_times():
    hours = [0] * 24
    hours[23] = hours[0] = 5
    known = EVIDENCE | {"weekdays": {"Friday": 6, "Saturday": 3, "Monday": 1}, "hours": hours}
    assert narrative.usual_weekdays(known) == "Friday, Saturday"
    assert narrative.usual_hours(known) == "23:00 to 01:00"
    assert narrative.usual_weekdays(EVIDENCE) == narrative.usual_hours(EVIDENCE) == "times not known"
