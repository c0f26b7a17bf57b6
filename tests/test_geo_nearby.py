"""Discs on a grid against every pair looked at, and the join to features against the spatial join of geopandas."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import nearby
from geo.nearby import DiscIndex, features_within

# Quarter metres: exact in binary, so that "at most so far" has one answer.
QUARTERS = st.integers(-2_000, 2_000).map(lambda n: n / 4)
POSITIONS = st.lists(st.tuples(QUARTERS, QUARTERS), max_size=25)
# One bare point, points a kilometre off, and points far outside any grid.
POINTS = st.one_of(POSITIONS, st.lists(st.tuples(QUARTERS, QUARTERS), min_size=1, max_size=1)).flatmap(
    lambda near: st.lists(st.sampled_from([(9e5, 0.0), (-9e5, 3e6), (0.0, -1e7)]), max_size=2).map(
        lambda far: near + far
    )
)
RADII = st.one_of(st.just(0.0), st.integers(1, 64).map(float), st.integers(64, 4_000).map(float))


def _points(positions):
    return np.array(positions, float).reshape(-1, 2)


@st.composite
def _shape(draw):
    x_m, y_m = draw(QUARTERS), draw(QUARTERS)
    wide_m, high_m = draw(st.integers(1, 400)) / 4, draw(st.integers(1, 400)) / 4
    box = shapely.box(x_m, y_m, x_m + wide_m, y_m + high_m)
    line = shapely.LineString([(x_m, y_m), (x_m + wide_m, y_m), (x_m + wide_m, y_m + high_m)])
    other = shapely.box(-x_m, -y_m, -x_m + wide_m, -y_m + high_m)
    hole = shapely.box(x_m + wide_m / 4, y_m + high_m / 4, x_m + wide_m / 2, y_m + high_m / 2)
    return draw(
        st.sampled_from(
            [
                shapely.Point(x_m, y_m),
                line,
                box,
                box - hole,
                shapely.MultiPoint([(x_m, y_m), (-y_m, x_m)]),
                shapely.MultiLineString([line, shapely.LineString([(-x_m, 0), (-x_m, 50)])]),
                shapely.union(box, other),
                shapely.GeometryCollection([shapely.Point(-x_m, y_m), line, box]),
            ]
        )
    )


def _within_by_hand(points_m, centres_m, radius_m, distance_m):
    apart_m = np.hypot(*(points_m[:, None] - centres_m[None]).transpose(2, 0, 1))
    return set(zip(*(i.tolist() for i in np.nonzero(apart_m <= distance_m + radius_m)), strict=True))


def _chunks(index, points_m, distance_m):
    """Pairs of an index, after checking that a point's pairs are in one chunk and points ascend."""
    found, last = [], -1
    for point, disc, centre_m in index.within(points_m, distance_m):
        assert point.shape == disc.shape == centre_m.shape
        if len(point):
            assert point.min() > last
            last = int(point.max())
        found += zip(point.tolist(), disc.tolist(), centre_m.tolist(), strict=True)
    return found


@settings(max_examples=150, deadline=None)
@given(
    POINTS,
    st.lists(st.tuples(QUARTERS, QUARTERS, RADII), max_size=25),
    st.sampled_from([1.0, 25.0, 300.0]),
    st.sampled_from([1, 3, 20, 2_000_000]),
)
def test_every_disc_in_reach_is_found_once_whatever_the_chunks(points, discs, distance_m, chunk):
    points_m, table = _points(points), np.array(discs, float).reshape(-1, 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nearby, "CHUNK_PAIRS", chunk)
        found = _chunks(DiscIndex(table[:, :2], table[:, 2]), points_m, distance_m)
    pairs = [(point, disc) for point, disc, _ in found]
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == _within_by_hand(points_m, table[:, :2], table[:, 2], distance_m)
    for point, disc, centre_m in found:
        assert centre_m == pytest.approx(np.hypot(*(points_m[point] - table[disc, :2])))


def test_chunks_hold_at_most_so_many_candidates_unless_one_point_alone_has_more(monkeypatch):
    rng = np.random.default_rng(0)
    points_m, centres_m = rng.uniform(0, 500, (300, 2)), rng.uniform(0, 500, (200, 2))
    index = DiscIndex(centres_m, np.full(200, 5.0))
    whole = [len(point) for point, _, _ in index.within(points_m, 50.0)]
    monkeypatch.setattr(nearby, "CHUNK_PAIRS", 500)
    cut = list(index.within(points_m, 50.0))
    assert len(whole) == 1
    assert len(cut) > 10
    assert sum(len(point) for point, _, _ in cut) == whole[0]
    assert max(len(point) for point, _, _ in cut) <= 500
    monkeypatch.setattr(nearby, "CHUNK_PAIRS", 1)
    alone = list(index.within(points_m, 50.0))
    assert len(alone) == len(points_m)
    assert [len(set(point.tolist())) <= 1 for point, _, _ in alone] == [True] * 300


def test_the_search_without_a_table_finds_the_same(monkeypatch):
    rng = np.random.default_rng(1)
    points_m, centres_m = rng.uniform(-3e3, 3e3, (400, 2)), rng.uniform(-3e3, 3e3, (500, 2))
    radius_m = rng.uniform(0, 200, 500)
    with_table = _chunks(DiscIndex(centres_m, radius_m), points_m, 40.0)
    monkeypatch.setattr(nearby, "_MAX_TABLE", 0)
    assert _chunks(DiscIndex(centres_m, radius_m), points_m, 40.0) == with_table
    assert {(p, d) for p, d, _ in with_table} == _within_by_hand(points_m, centres_m, radius_m, 40.0)


def _by_geopandas(points_m, geometry_m, distance_m):
    left = gpd.GeoDataFrame(geometry=shapely.points(points_m), crs=27700)
    right = gpd.GeoDataFrame(geometry=geometry_m, crs=27700)
    joined = left.sjoin(right, predicate="dwithin", distance=distance_m)
    return sorted(zip(joined.index.tolist(), joined["index_right"].tolist(), strict=True))


@settings(max_examples=100, deadline=None)
@given(POINTS, st.lists(_shape(), max_size=12), st.sampled_from([0.0, 10.0, 25.0, 150.0]))
def test_features_within_is_the_join_of_geopandas_in_order(points, shapes, distance_m):
    points_m, geometry_m = _points(points), np.array(shapes, object)
    point, feature = features_within(points_m, geometry_m, distance_m)
    found = list(zip(point.tolist(), feature.tolist(), strict=True))
    apart_m = (
        shapely.distance(shapely.points(points_m)[:, None], geometry_m[None])
        if len(points_m) and len(geometry_m)
        else np.empty((len(points_m), len(geometry_m)))
    )
    assert found == list(zip(*(i.tolist() for i in np.nonzero(apart_m <= distance_m)), strict=True))
    if len(points_m) and len(geometry_m):
        assert found == _by_geopandas(points_m, geometry_m, distance_m)


def test_a_dense_town_joins_as_geopandas_does():
    rng = np.random.default_rng(2)
    low = rng.uniform(-4e3, 4e3, (3_000, 2))
    size = np.exp(rng.normal(2.5, 1.2, (3_000, 2)))
    geometry_m = np.concatenate(
        [
            shapely.box(low[:, 0], low[:, 1], *(low + size).T),
            shapely.points(rng.uniform(-4e3, 4e3, (1_000, 2))),
            shapely.linestrings(rng.uniform(-4e3, 4e3, (50, 4, 2))),
        ]
    )
    points_m = rng.uniform(-5e3, 5e3, (2_000, 2))
    for distance_m in (10.0, 50.0, 150.0):
        point, feature = features_within(points_m, geometry_m, distance_m)
        assert len(point) > 300
        assert list(zip(point.tolist(), feature.tolist(), strict=True)) == _by_geopandas(
            points_m, geometry_m, distance_m
        )


def test_a_feature_without_coordinates_is_near_nothing():
    shapes = np.array([shapely.box(0, 0, 10, 10), shapely.Polygon(), shapely.box(50, 0, 60, 10)], object)
    point, feature = features_within(np.array([[55.0, 5.0], [5.0, 5.0]]), shapes, 1.0)
    assert (point.tolist(), feature.tolist()) == ([0, 1], [2, 0])
