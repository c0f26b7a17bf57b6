"""The quick way of GeoJSON against the slow one: every shape through GEOS, one feature at a time, byte for byte."""

import math

import numpy as np
import orjson
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from data.export import geojson_shapes
from data.export.geojson import write_geojson
from data.export.geojson_shapes import write_shapes
from geo import cells as h3cells
from geo.disclosure import release
from geo.errors import DisclosureError
from geo.model import Layer, Profile
from tests.factories import make_cells, make_layer, make_run

PENTAGRAM = [(math.cos(4 * math.pi * i / 5), math.sin(4 * math.pi * i / 5)) for i in range(5)]
ODD = {
    "clockwise": shapely.Polygon([(0, 0), (0, 1), (1, 1), (1, 0)]),
    "concave": shapely.Polygon([(0, 0), (4, 0), (4, 4), (2, 1)]),
    "a bow tie": shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]),
    "a star drawn in one stroke, left at every corner": shapely.Polygon(PENTAGRAM),
    "twice round": shapely.Polygon([(0, 0), (1, 0), (1, 1), (0, 1)] * 2),
    "a corner on a straight side": shapely.Polygon([(0, 0), (1, 0), (2, 0), (2, 2), (0, 2)]),
    "a corner twice": shapely.Polygon([(0, 0), (1, 0), (1, 0), (1, 1), (0, 1)]),
    "two corners that rounding makes one": shapely.Polygon([(0, 0), (1, 0), (1, 1e-7), (1, 1), (0, 1)]),
    "a corner that rounding makes straight": shapely.Polygon([(0, 0), (0.5, -1e-7), (1, 0), (1, 1), (0, 1)]),
    "a corner that rounding makes hollow": shapely.Polygon(
        [(0, 0), (1e-6, 6e-7), (2e-6, 1.4e-6), (3e-6, 3e-6), (0, 3e-6)]
    ),
    "thinner than the grid": shapely.box(0, 0, 1, 1e-8),
    "smaller than the grid": shapely.box(0, 0, 1e-9, 1e-9),
    "with a hole": shapely.box(0, 0, 4, 4).difference(shapely.box(1, 1, 2, 2)),
    "with height": shapely.Polygon([(0, 0, 5), (1, 0, 5), (1, 1, 5)]),
    "round zero from below": shapely.box(-1, -1, -1e-9, -1e-9),
    "at the edge of the earth": shapely.box(-180, -90, 180, 90),
    "many corners": shapely.Point(0, 0).buffer(1),
    "empty": shapely.Polygon(),
    "missing": None,
    "a point": shapely.Point(-2.36, 51.38),
    "points": shapely.MultiPoint([(0, 0), (1, 1), (0, 0)]),
    "a line": shapely.LineString([(0, 0), (1, 1)]),
    "lines": shapely.MultiLineString([[(0, 0), (1, 1)], [(2, 2), (3, 3)]]),
    "polygons": shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(2, 2, 3, 3)]),
}


def as_array(shapes):
    geometries = np.empty(len(shapes), object)
    geometries[:] = shapes
    return geometries


def slowly(geometries):
    """Write every shape by the way that trusts none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(geojson_shapes, "_convex_rings", lambda _: ())
        return write_shapes(geometries)


def assert_same(geometries):
    quick, slow = write_shapes(geometries), slowly(geometries)
    assert quick.texts == slow.texts
    np.testing.assert_array_equal([quick.low, quick.high], [slow.low, slow.high])
    return quick


def took_the_quick_way(geometries):
    found = np.zeros(len(geometries), bool)
    for where, _ in geojson_shapes._convex_rings(geometries):
        found[where] = True
    return found


@pytest.mark.parametrize("what", ODD)
def test_odd_shapes_are_written_alike(what):
    assert_same(as_array([ODD[what]]))


def test_odd_shapes_together_are_written_alike():
    assert_same(as_array(list(ODD.values())))


@pytest.mark.parametrize("resolution", [0, 2, 5, 8, 9, 12, 14])
def test_cells_all_over_the_earth_are_written_alike(resolution):
    rng = np.random.default_rng(resolution)
    lon, lat = rng.uniform(-180, 180, 1500), np.degrees(np.arcsin(rng.uniform(-1, 1, 1500)))
    cells = np.unique(h3cells.index_points(lon, lat, resolution))
    assert_same(h3cells.boundaries(cells))


@pytest.mark.parametrize(("resolution", "points"), [(2, {6, 7}), (3, {7, 8, 9, 11})])
def test_cells_beside_edges_and_corners_of_the_icosahedron_are_written_alike(resolution, points):
    lon, lat = np.linspace(-180, 179.9, 40_000), np.tile(np.linspace(-89, 89, 400), 100)
    shapes = h3cells.boundaries(np.unique(h3cells.index_points(lon, lat, resolution)))
    assert set(shapely.get_num_coordinates(shapes).tolist()) == points  # pentagons, hexagons, and those an edge cuts
    assert_same(shapes)


@pytest.mark.parametrize("resolution", [7, 8, 9, 10])
def test_the_cells_that_lapwing_releases_take_the_quick_way(resolution):
    cells = h3cells.disks(h3cells.index_points(np.array([-2.36]), np.array([51.38]), resolution), 20)
    assert took_the_quick_way(h3cells.boundaries(cells)).all()


def test_only_rings_that_need_no_repair_take_the_quick_way():
    quick = took_the_quick_way(as_array(list(ODD.values())))
    assert {name for name, taken in zip(ODD, quick, strict=True) if taken} == {
        "with height", "round zero from below", "at the edge of the earth",
    }  # fmt: skip


GRID = st.integers(-12, 12).map(lambda step: step * 2.5e-7)  # finer than what is written: rounding merges and bends
CORNERS = st.lists(st.tuples(GRID, GRID), min_size=3, max_size=10)


@given(st.lists(st.tuples(CORNERS, st.sampled_from([0.0, 51.38, -179.9999]), st.booleans()), min_size=1, max_size=8))
def test_any_small_rings_are_written_alike(rings):
    shapes = []
    for corners, offset, hull in rings:
        shape = shapely.Polygon([(x + offset, y + offset / 2) for x, y in corners])
        shape = shape.convex_hull if hull else shape
        shapes.append(shape.reverse() if shape.area and shape.exterior.is_ccw is False and hull else shape)
    assert_same(as_array(shapes))


@given(CORNERS, st.integers(0, 2**32))
def test_a_shape_is_written_alike_whoever_is_beside_it(corners, seed):
    others = h3cells.boundaries(h3cells.disks(h3cells.index_points(np.array([-2.36]), np.array([51.38]), 9), 1))
    shapes = np.append(others, shapely.Polygon(corners))
    order = np.random.default_rng(seed).permutation(len(shapes))
    together, alone = write_shapes(shapes[order]).texts, [write_shapes(shapes[[i]]).texts[0] for i in order]
    assert together == alone


@pytest.mark.parametrize("far", [180.0000001, 375000.0, np.inf, -np.inf])
def test_what_is_not_in_degrees_is_refused_among_cells_too(far):
    shape = shapely.Polygon([(-2, 51), (far, 51), (-2, 52)])
    with pytest.raises(DisclosureError, match="degrees"):
        write_shapes(as_array([shapely.box(0, 0, 1, 1), shape]))


def one_by_one(layer):
    """Write a layer feature by feature from plain dictionaries."""
    written = slowly(layer.geometry)
    head = orjson.dumps({"type": "FeatureCollection", **layer.metadata})[:-1] + b',"features":['
    names, features = [field.name for field in layer.fields], []
    for row, shape in zip(layer.features.to_dict("records"), written.texts, strict=True):
        told = {name: row[name] for name in names}
        feature = {"type": "Feature", "id": row["id"], "geometry": orjson.Fragment(shape), "properties": told}
        features.append(orjson.dumps(feature, option=orjson.OPT_SERIALIZE_NUMPY))
    box = [*written.low.tolist(), *written.high.tolist()]
    tail = b',"bbox":' + orjson.dumps(box) if np.isfinite(box).all() else b""
    return head + b",".join(features) + b"]" + tail + b"}"


@pytest.mark.parametrize(
    ("layer", "profile"),
    [(layer, profile) for layer in (Layer.CELLS, Layer.PLACES) for profile in Profile]
    + [(Layer.TASKING, Profile.OPERATIONAL)],
)
def test_a_layer_is_written_as_feature_by_feature(layer, profile):
    released = make_layer(layer, records=np.arange(2500) % 40, profile=profile)
    assert write_geojson(released) == one_by_one(released)


VALUES = {
    "all alike": [1.5] * 4,
    "zero and less than zero": [0.0, -0.0, 0.0, -0.0],
    "below zero by nothing": [-0.0] * 4,
    "all missing": [np.nan] * 4,
    "some missing": [np.nan, 1.0, 1.0, 1.0],
    "infinite": [np.inf, -np.inf, np.inf, 1e300],
}


@pytest.mark.parametrize("what", VALUES)
def test_numbers_that_are_alike_or_nearly_are_written_as_feature_by_feature(what):
    released = make_layer(Layer.PLACES, records=[20] * 4, probability=VALUES[what])
    assert write_geojson(released) == one_by_one(released)


@pytest.mark.parametrize("name", ["100% %b %(id)s", 'Café "Rose"', "a,\n  b", "\u2028", "", None])
def test_text_that_is_the_same_everywhere_is_written_as_feature_by_feature(name):
    released = make_layer(Layer.PLACES, records=[20] * 3, name=name)
    assert write_geojson(released) == one_by_one(released)


def test_a_layer_of_all_kinds_of_shapes_is_written_as_feature_by_feature():
    frame, _ = make_cells([20] * len(ODD), snapped=0)
    layer = release(Layer.CELLS, frame, as_array(list(ODD.values())), run=make_run(), profile=Profile.OPERATIONAL)
    assert write_geojson(layer) == one_by_one(layer)
