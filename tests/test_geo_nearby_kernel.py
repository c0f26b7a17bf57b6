"""The compiled join against shapely: every type of shape, limits met exactly, far coordinates, and where what is compiled is kept."""

import os
import subprocess
import sys

import numba
import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app import warm
from geo import nearby_kernel
from geo.compiled import compiled
from geo.nearby import features_within
from geo.nearby_outlines import HOLE, MIXED, OPEN, SHELL, outlines
from tests.conftest import PROJECT

# A small grid makes points on corners, on edges, in line with edges, and exactly at the limit common.
STEPS = st.integers(-12, 12)
CORNERS = st.tuples(STEPS, STEPS)
LIMITS = st.sampled_from([0.0, 1.0, 2.0**0.5, 5.0, 0.1, 1e-12, 30.0])
# Scaled and moved: eastings and northings, far beyond them, and coordinates that are not exact.
PLACES = st.sampled_from(
    [(1.0, 0.0, 0.0), (0.25, 4e5, 1.2e6), (1.0, -3e9, 7e9), (1 / 3, 0.1, -0.7), (7.3, 5.3e5, 1.8e5)]
)


@st.composite
def ring(draw, low=3, high=40):
    """A ring round a middle, star-shaped and so valid."""
    count = draw(st.integers(low, high))
    middle = np.array(draw(CORNERS), float)
    radius = np.array(draw(st.lists(st.integers(1, 8), min_size=count, max_size=count)), float)
    turn = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return middle + radius[:, None] * np.stack([np.cos(turn), np.sin(turn)], axis=1)


@st.composite
def shape(draw):
    kind = draw(st.integers(0, 11))
    corners = draw(st.lists(CORNERS, min_size=2, max_size=40))
    outside = draw(ring())
    box = shapely.box(*corners[0], corners[0][0] + 6, corners[0][1] + 4)
    hole = shapely.box(corners[0][0] + 1, corners[0][1] + 1, corners[0][0] + 3, corners[0][1] + 2)
    middle = outside.mean(axis=0)
    holed = shapely.Polygon(outside).difference(shapely.Polygon(middle + (outside - middle) / 3))
    return [
        lambda: shapely.Point(corners[0]),
        lambda: shapely.LineString(corners),
        lambda: shapely.LinearRing(outside),
        lambda: shapely.Polygon(outside),
        lambda: box - hole,
        lambda: holed,
        lambda: shapely.MultiPoint(corners),
        lambda: shapely.MultiLineString([corners, corners[::-1]]),
        lambda: shapely.union_all([shapely.Polygon(outside), box, shapely.box(-20, -20, -15, -18)]),
        lambda: shapely.MultiPolygon([box - hole, shapely.box(*(np.array(hole.bounds) * 0.5 + np.array(hole.centroid.coords[0] * 2) * 0.5))]),
        lambda: shapely.GeometryCollection([shapely.Point(corners[0]), shapely.LineString(corners), box]),
        lambda: draw(st.sampled_from([shapely.Point(), shapely.Polygon(), shapely.GeometryCollection(), None])),
    ][kind]()  # fmt: skip


def placed(geometry, place):
    scale, east, north = place
    return shapely.transform(geometry, lambda corners: corners * scale + (east, north))


def by_shapely(points_m, geometry_m, distance_m):
    near = shapely.dwithin(geometry_m[None], shapely.points(points_m)[:, None], distance_m)
    return [row.tolist() for row in np.nonzero(near)]


def found(points_m, geometry_m, distance_m):
    return [column.tolist() for column in features_within(points_m, geometry_m, distance_m)]


def objects(shapes):
    array = np.empty(len(shapes), object)
    array[:] = shapes
    return array


@settings(max_examples=400, deadline=None)
@given(st.lists(CORNERS, min_size=1, max_size=30), st.lists(shape(), min_size=1, max_size=6), LIMITS, PLACES)
@example([(0, 0)], [shapely.Polygon()], 1.0, (1.0, 0.0, 0.0))
def test_the_pairs_are_those_of_shapely(points, shapes, distance_m, place):
    scale, east, north = place
    points_m = np.array(points, float) * scale + (east, north)
    geometry_m = placed(objects(shapes), place)
    assert found(points_m, geometry_m, distance_m * scale) == by_shapely(points_m, geometry_m, distance_m * scale)


@settings(max_examples=150, deadline=None)
@given(st.lists(ring(3, 80), min_size=1, max_size=5), st.integers(0, 2**32 - 1), LIMITS)
def test_points_on_and_beside_every_edge_are_told_apart_as_by_shapely(rings, seed, distance_m):
    rng = np.random.default_rng(seed)
    geometry_m = (
        shapely.polygons(rings)
        if len({len(one) for one in rings}) == 1
        else objects([shapely.Polygon(one) for one in rings])
    )
    corners_m = np.concatenate(rings)
    along = np.concatenate([one + rng.random((len(one), 1)) * (np.roll(one, -1, axis=0) - one) for one in rings])
    # At the limit to within a rounding error or two: the pairs that must be asked about.
    turn = rng.uniform(0, 2 * np.pi, len(corners_m))
    rim = corners_m + distance_m * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    points_m = np.concatenate([corners_m, along, rim, np.nextafter(rim, np.inf)])
    assert found(points_m, geometry_m, distance_m) == by_shapely(points_m, geometry_m, distance_m)


def test_a_long_outline_with_holes_and_islands_is_the_same_run_by_run():
    rng = np.random.default_rng(4)
    turn = np.linspace(0, 2 * np.pi, 3_000, endpoint=False)
    rim = (
        np.stack([np.cos(turn), np.sin(turn)], axis=1)
        * (1_000 + 30 * np.sin(40 * turn) + rng.uniform(0, 2, 3_000))[:, None]
    )
    park = shapely.MultiPolygon([shapely.Polygon(rim, [rim / 2, rim / 20 + (700, 0)]), shapely.Polygon(rim / 3)])
    assert park.is_valid
    river = shapely.LineString(np.cumsum(rng.normal(0, 4, (5_000, 2)), axis=0))
    geometry_m, points_m = objects([park, river]), rng.uniform(-1_200, 1_200, (4_000, 2))
    for distance_m in (0.0, 5.0, 60.0):
        assert found(points_m, geometry_m, distance_m) == by_shapely(points_m, geometry_m, distance_m)


def test_overlapping_parts_and_holes_beyond_the_rules_are_still_read_as_shapely_reads_them():
    twice = shapely.MultiPolygon([shapely.box(0, 0, 10, 10), shapely.box(5, 5, 15, 15)])
    holes = shapely.Polygon(
        shapely.box(0, 0, 20, 20).exterior,
        [shapely.box(2, 2, 10, 10).exterior, shapely.box(5, 5, 15, 15).exterior, shapely.box(18, 18, 25, 25).exterior],
    )
    bow = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    geometry_m = objects([twice, holes, bow])
    points_m = np.stack(np.meshgrid(np.arange(-1, 27) + 0.37, np.arange(-1, 27) + 0.61), axis=-1).reshape(-1, 2)
    assert found(points_m, geometry_m, 0.25) == by_shapely(points_m, geometry_m, 0.25)


def test_a_point_in_any_part_of_several_is_inside():
    low_m = np.array([[0, 0], [20, 0], [40, 0], [60, 0]])
    parts = [
        shapely.box(x_m, y_m, x_m + 10, y_m + 10) - shapely.box(x_m + 1, y_m + 1, x_m + 3, y_m + 3)
        for x_m, y_m in low_m
    ]
    points_m = np.concatenate([low_m + 6, low_m + 2])
    for order in ([0, 1, 2, 3], [3, 1, 0, 2]):
        assert found(points_m, objects([shapely.MultiPolygon([parts[i] for i in order])]), 0.5) == [
            [0, 1, 2, 3],
            [0] * 4,
        ]


@pytest.mark.parametrize("stray_m", [1e7, 1e15])
def test_a_stray_coordinate_does_not_spoil_the_grid(stray_m):
    rng = np.random.default_rng(5)
    points_m = np.concatenate([rng.uniform(0, 500, (500, 2)), [[stray_m, -stray_m], [-stray_m, 3.0]]])
    line = shapely.LineString([(0, 0), (stray_m, -stray_m)])
    geometry_m = np.concatenate([shapely.points(rng.uniform(0, 500, (50, 2))), [line]])
    for distance_m in (1.0, 60.0):
        assert found(points_m, geometry_m, distance_m) == by_shapely(points_m, geometry_m, distance_m)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_point_without_a_position_is_near_nothing(wrong):
    points_m = np.array([[wrong, 0.0], [0.0, wrong], [1.0, 1.0]])
    assert found(points_m, objects([shapely.box(0, 0, 2, 2)]), 5.0) == [[2], [0]]
    assert found(points_m[:2], objects([shapely.box(0, 0, 2, 2)]), 5.0) == [[], []]


def test_nothing_to_join_and_limits_below_nought():
    box = objects([shapely.box(0, 0, 2, 2)])
    assert found(np.empty((0, 2)), box, 5.0) == [[], []]
    assert found(np.ones((1, 2)), objects([]), 5.0) == [[], []]
    assert found(np.ones((1, 2)), box, -1.0) == by_shapely(np.ones((1, 2)), box, -1.0) == [[], []]


def test_only_pairs_at_the_limit_are_asked_about():
    asked = []

    def ask(point, feature):
        asked.extend(zip(point.tolist(), feature.tolist(), strict=True))
        return np.zeros(len(point), bool)

    shapes = outlines(
        objects(
            [shapely.Point(0, 0), shapely.box(10, -1, 12, 1), shapely.GeometryCollection([shapely.box(0, 9.2, 9, 9.5)])]
        )
    )
    points_m = np.array([[3.0, 4.0], [4.9, 0.0], [5.1, 0.0], [0.0, 5.0]])
    point, feature = nearby_kernel.join(points_m, shapes, 5.0, ask)
    assert (point.tolist(), feature.tolist()) == ([1, 2], [0, 1])
    assert asked == [(0, 0), (3, 0), (3, 2)]


def test_shapes_are_taken_apart_in_order():
    holed = shapely.box(0, 0, 9, 9) - shapely.box(1, 1, 2, 2)
    many = shapely.MultiPolygon([shapely.box(20, 0, 21, 1), holed])
    shapes = objects([shapely.Point(1, 2), None, many, shapely.MultiPoint([(0, 0), (1, 1)]), shapely.Polygon(), holed,
                      shapely.GeometryCollection([shapely.Point(5, 5), shapely.Point(6, 6)])])  # fmt: skip
    taken = outlines(shapes)
    assert taken.feature_first.tolist() == [0, 1, 1, 4, 6, 6, 8, 9]
    assert taken.role.tolist() == [OPEN, SHELL, SHELL, HOLE, OPEN, OPEN, SHELL, HOLE, MIXED]
    assert np.diff(taken.chain_first).tolist() == [1, 5, 5, 5, 1, 1, 5, 5, 2]
    for first, last in zip(taken.chain_first[:-1], taken.chain_first[1:], strict=True):
        if last - first == 5:
            assert taken.corners_m[first].tolist() == taken.corners_m[last - 1].tolist()


def test_arguments_are_left_as_they_were_and_may_be_read_only():
    points_m = np.array([[1, 2], [3, 4]])[:, ::-1]
    points_m.flags.writeable = False
    assert found(points_m, objects([shapely.Point(2, 1)]), 0.5) == [[0], [0]]


def test_what_is_warmed_is_all_that_is_ever_compiled(monkeypatch, tmp_path):
    monkeypatch.setenv("LAPWING_HOME", str(tmp_path))
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    warm.main()
    rng = np.random.default_rng(6)
    shapes = objects(
        [shapely.box(0, 0, 9, 9) - shapely.box(1, 1, 2, 2), shapely.Point(), shapely.MultiPoint([(0, 0), (1, 1)])]
    )
    features_within(np.asfortranarray(rng.uniform(0, 9, (50, 2))).astype(np.float32), shapes, np.float32(1.0))
    features_within(rng.integers(0, 9, (50, 2)), shapes[:1], 1)
    compiled = [one for one in vars(nearby_kernel).values() if isinstance(one, numba.core.dispatcher.Dispatcher)]
    assert len(compiled) >= 8
    assert {len(one.signatures) for one in compiled} <= {0, 1}
    assert len(nearby_kernel._find.signatures) == 1


def test_loops_are_compiled_also_where_nothing_can_be_kept(monkeypatch, tmp_path):
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(file / "below"))
    monkeypatch.setattr(numba.config, "CACHE_LOCATOR_CLASSES", "UserProvidedCacheLocator")

    def double(number: int) -> int:
        return 2 * number

    with pytest.raises(RuntimeError, match="no locator"):
        numba.njit(cache=True)(double)
    assert compiled(double)(21) == 42


def _run(program, **told):
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"} | told
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_numba_is_imported_only_where_points_are_joined():
    assert _run("import sys, geo.nearby, geo.attribution; print('numba' in sys.modules)") == ["False"]


def test_what_is_compiled_is_kept_in_the_home_folder_unless_said_otherwise(tmp_path):
    program = "from app.settings import load_settings; load_settings(); from geo import nearby_kernel; print(nearby_kernel._find.stats.cache_path)"
    home, other = tmp_path / "home", tmp_path / "other"
    assert _run(program, LAPWING_HOME=str(home))[0].startswith(str(home / "numba"))
    assert _run(program, LAPWING_HOME=str(home), NUMBA_CACHE_DIR=str(other))[0].startswith(str(other))
