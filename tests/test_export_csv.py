"""CSV: every field once, and nothing a spreadsheet would run."""

import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.export.csv_file import TRAVELS_ALONG, spreadsheet_safe, write_csv
from geo.model import Layer, Profile
from tests.factories import make_layer


def read(content):
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_one_line_a_feature_with_marking_audience_and_run():
    released = make_layer(Layer.PLACES, records=(20, 30), profile=Profile.PARTNER)
    rows = read(write_csv(released))
    assert list(rows[0]) == [*(field.name for field in released.fields), *TRAVELS_ALONG]
    assert [row["place"] for row in rows] == released.features["id"].tolist()
    assert {(row["profile"], row["marking"]) for row in rows} == {("partner", "OFFICIAL-SENSITIVE")}
    assert b"\n" not in write_csv(released).replace(b"\r\n", b"")


def test_formulas_are_shown_and_not_run():
    names = ["=1+1", "+44 1225", "-cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r=1", 'Café, "Rose"', "two\nlines", None]
    rows = read(write_csv(make_layer(Layer.PLACES, records=[20] * len(names), name=names, probability=np.nan)))
    shown = [row["name"] for row in rows]
    assert shown[:6] == ["'" + name for name in names[:6]]
    assert shown[6:] == ['Café, "Rose"', "two\nlines", ""]
    assert {row["probability"] for row in rows} == {""}


@given(st.text(max_size=20))
def test_no_text_begins_like_a_formula_unless_it_is_a_number(text):
    safe = spreadsheet_safe(text)
    if safe[:1] in set("=+-@\t\r"):
        float(safe)
    assert safe in {text, "'" + text}


def test_numbers_stay_numbers():
    assert [spreadsheet_safe(one) for one in (-5, 2.5, "-2.36", None, float("nan"))] == [-5, 2.5, "-2.36", "", ""]


def test_a_layer_without_features_still_says_whose_it_is():
    (row,) = read(write_csv(make_layer(records=())))
    assert (row["cell"], row["records"]) == ("", "")
    assert row["marking"] == "OFFICIAL-SENSITIVE"
    assert row["suppressed_features"] == "0"


@pytest.mark.parametrize("thing", [None, "cells", {}])
def test_only_a_released_layer_is_written(thing):
    with pytest.raises(TypeError):
        write_csv(thing)
