"""The compiled way to H3's functions against the calls of h3: the same bits everywhere on earth, and the same refusals."""

import ctypes
import subprocess
import sys

import h3
import h3.api.numpy_int as calls
import numba
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import cells as h3cells
from geo import cells_kernel
from tests.conftest import PROJECT

RESOLUTIONS = st.integers(0, 15)
SEEDS = st.integers(0, 2**32 - 1)
# Anywhere; and the poles, the antimeridian, the zero meridian and beyond one turn, where signs and wraps could differ.
LON = st.floats(-720, 720) | st.sampled_from([-180.0, 180.0, -0.0, 0.0, 179.99999999999997, -179.99999999999997, 540.0])
LAT = st.floats(-90, 90) | st.sampled_from([-90.0, 90.0, -0.0, 0.0, 89.99999999999999, -89.99999999999999])


@pytest.fixture(params=[0, sys.maxsize], ids=["kernel", "calls"])
def way(request, monkeypatch):
    """Answer everything by the kernel, or everything call by call."""
    monkeypatch.setattr(h3cells, "LOADED_KERNEL_FROM", request.param)
    monkeypatch.setattr(h3cells, "KERNEL_FROM", request.param)
    return request.param


@pytest.fixture
def kernel(monkeypatch):
    monkeypatch.setattr(h3cells, "LOADED_KERNEL_FROM", 0)


def one_by_one(lon, lat, resolution):
    found = map(calls.latlng_to_cell, lat.tolist(), lon.tolist(), [resolution] * len(lon))
    return np.fromiter(found, np.uint64, len(lon)).astype(np.int64)


def everywhere(rng, count):
    """Points spread evenly over the sphere."""
    return rng.uniform(-180, 180, count), np.degrees(np.arcsin(rng.uniform(-1, 1, count)))


def hard_points(rng, cells):
    """Corners, middles of sides and centres of cells, and the numbers next to them: where rounding decides."""
    rings = [np.array(calls.cell_to_boundary(c)) for c in cells.astype(np.uint64).tolist()]
    corners, following = np.concatenate(rings), np.concatenate([np.roll(one, -1, axis=0) for one in rings])
    latlng = np.concatenate([corners, (corners + following) / 2, [calls.cell_to_latlng(int(c)) for c in cells]])
    beside = np.nextafter(latlng, rng.choice([-np.inf, np.inf], latlng.shape))
    lat, lon = np.concatenate([latlng, beside]).T.copy()
    return lon, np.clip(lat, -90, 90)


def cells_of(texts):
    return np.array([int(text, 16) for text in texts], np.int64)


def some_cells(seed, resolution, count=30):
    """Cells anywhere, all round the twelve pentagons, at the poles, and across the antimeridian."""
    rng = np.random.default_rng(seed)
    far = [h3.latlng_to_cell(lat, 180.0, resolution) for lat in (90.0, 66.0, 0.1, -17.0, -90.0)]
    near = [one for middle in (*h3.get_pentagons(resolution), *far) for one in h3.grid_disk(middle, 1)]
    return np.unique(np.concatenate([one_by_one(*everywhere(rng, count), resolution), cells_of(near)]))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(LON, LAT), min_size=1, max_size=40), RESOLUTIONS)
def test_points_are_in_the_cells_that_h3_says(points, resolution):
    lon, lat = np.array(points).T.copy()
    cells, taken = cells_kernel.index_points(lon, lat, resolution)
    assert taken
    assert cells.tolist() == one_by_one(lon, lat, resolution).tolist()


@settings(max_examples=60, deadline=None)
@given(SEEDS, RESOLUTIONS, RESOLUTIONS)
def test_points_on_edges_and_corners_fall_to_the_same_side(seed, drawn, resolution):
    lon, lat = hard_points(np.random.default_rng(seed), some_cells(seed, drawn))
    cells, taken = cells_kernel.index_points(lon, lat, resolution)
    assert taken
    np.testing.assert_array_equal(cells, one_by_one(lon, lat, resolution))


@pytest.mark.full
@pytest.mark.parametrize("resolution", [0, 5, 7, 9, 11, 15])
def test_a_million_points_and_the_edges_of_their_cells(resolution):
    rng = np.random.default_rng(resolution)
    lon, lat = everywhere(rng, 800_000)
    england = rng.uniform([-6, 49.8], [2, 55.9], (200_000, 2)).T
    beside = hard_points(rng, np.unique(one_by_one(lon[:20_000], lat[:20_000], resolution)))
    lon, lat = np.concatenate([lon, england[0], beside[0]]), np.concatenate([lat, england[1], beside[1]])
    cells, taken = cells_kernel.index_points(lon, lat, resolution)
    assert taken
    np.testing.assert_array_equal(cells, one_by_one(lon, lat, resolution))


@pytest.mark.full
@pytest.mark.parametrize("resolution", range(5))
def test_every_cell_of_the_earth(resolution, kernel):
    cells = np.concatenate([calls.cell_to_children(c, resolution) for c in calls.get_res0_cells()]).astype(np.int64)
    assert len(cells) == h3.get_num_cells(resolution)
    shapes = h3cells.boundaries(cells)
    assert shapely.is_ccw(shapely.get_exterior_ring(shapes)).all()
    np.testing.assert_array_equal(h3cells.index_points(*h3cells.centres(cells), resolution), cells)
    assert h3cells.areas_km2(cells).tolist() == [calls.cell_area(c) for c in cells.astype(np.uint64).tolist()]
    np.testing.assert_array_equal(h3cells.disks(cells, 1), np.sort(cells))


@settings(max_examples=40, deadline=None)
@given(SEEDS, RESOLUTIONS, st.integers(0, 4))
def test_all_that_is_asked_of_cells_is_what_h3_says(seed, resolution, k):
    cells = some_cells(seed, resolution)
    numbers = cells.astype(np.uint64).tolist()
    lon, lat, taken = cells_kernel.centres(cells)
    assert taken
    assert list(zip(lat.tolist(), lon.tolist(), strict=True)) == [calls.cell_to_latlng(c) for c in numbers]
    area_km2, taken = cells_kernel.areas_km2(cells)
    assert taken
    assert area_km2.tolist() == [calls.cell_area(c, "km^2") for c in numbers]
    corners, first, taken = cells_kernel.boundaries(cells)
    assert taken
    rings = [list(map(tuple, ring[:, ::-1].tolist())) for ring in np.split(corners, first[1:-1])]
    assert rings == [[*ring, ring[0]] for ring in map(calls.cell_to_boundary, numbers)]
    near, taken = cells_kernel.neighbours(cells)
    assert taken
    assert [sorted(set(row) - {0}) for row in near.tolist()] == [
        sorted(calls.grid_disk(c, 1).tolist()) for c in numbers
    ]
    members, taken = cells_kernel.rings(cells, k)
    assert taken
    assert [sorted(set(row) - {0}) for row in members.tolist()] == [
        sorted(calls.grid_ring(c, k).tolist()) for c in numbers
    ]


@settings(max_examples=40, deadline=None)
@given(st.floats(-179.9, 179.9), st.floats(-89, 89), st.integers(0, 12), st.integers(0, 6))
def test_a_lattice_is_that_of_h3_or_none(lon, lat, resolution, k):
    cells = cells_of(sorted(h3.grid_disk(h3.latlng_to_cell(lat, lon, resolution), k)))
    position, taken = cells_kernel.lattice(cells, int(cells[len(cells) // 2]))
    try:
        theirs = [h3.cell_to_local_ij(f"{cells[len(cells) // 2]:x}", f"{c:x}") for c in cells]
    except h3.H3BaseException:
        assert not taken
    else:
        assert taken
        assert list(map(tuple, position.tolist())) == theirs


def test_a_lattice_across_the_earth_is_none(way):
    assert h3cells.lattice(one_by_one(np.array([-2.36, 170.0]), np.array([51.38, -40.0]), 9)) is None
    assert h3cells.lattice(np.empty(0, np.int64)).shape == (0, 2)


@settings(max_examples=20, deadline=None)
@given(SEEDS, RESOLUTIONS)
def test_polygons_are_the_same_to_the_last_byte(seed, resolution):
    cells = some_cells(seed, resolution)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(h3cells, "LOADED_KERNEL_FROM", 0)
        shapes = shapely.to_wkb(h3cells.boundaries(cells))
    rings = [np.array(calls.cell_to_boundary(c))[:, ::-1] for c in cells.astype(np.uint64).tolist()]
    theirs = shapely.orient_polygons(np.array([shapely.Polygon(ring) for ring in rings]))
    assert shapes.tolist() == shapely.to_wkb(theirs).tolist()


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.floats(-179.9, 179.9), st.floats(-89, 89)), min_size=0, max_size=4), st.integers(0, 5))
def test_disks_by_the_kernel_are_the_union_of_grid_disks(points, k):
    texts = {h3.latlng_to_cell(y, x, 5) for x, y in points} | {h3.get_pentagons(5)[4]}
    theirs = {near for one in texts for near in h3.grid_disk(one, k)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(h3cells, "LOADED_KERNEL_FROM", 0)
        found = h3cells.disks(cells_of(texts), k)
    assert found.tolist() == sorted(int(text, 16) for text in theirs)


def test_rows_of_the_public_functions_keep_their_order(way):
    cells = some_cells(3, 9)[::-1]
    numbers = cells.astype(np.uint64).tolist()
    lon, lat = h3cells.centres(cells)
    assert list(zip(lat.tolist(), lon.tolist(), strict=True)) == [calls.cell_to_latlng(c) for c in numbers]
    assert h3cells.index_points(lon, lat, 9).tolist() == cells.tolist()
    assert h3cells.areas_km2(cells).tolist() == [calls.cell_area(c) for c in numbers]
    rows, members = h3cells.ring_members(cells, 2)
    assert (np.diff(rows) >= 0).all()
    for at, number in enumerate(numbers):
        assert sorted(members[rows == at].tolist()) == sorted(calls.grid_ring(number, 2).tolist())


def test_nothing_asked_is_nothing_answered(way):
    none = np.empty(0, np.int64)
    assert h3cells.index_points(np.empty(0), np.empty(0), 9).tolist() == []
    assert [len(part) for part in h3cells.centres(none)] == [0, 0]
    assert [len(part) for part in h3cells.ring_members(none, 1)] == [0, 0]
    assert len(h3cells.areas_km2(none)) == len(h3cells.boundaries(none)) == len(h3cells.disks([], 2)) == 0


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_point_without_a_position_is_refused_in_the_words_of_h3(way, wrong):
    with pytest.raises(h3.H3LatLngDomainError):
        h3cells.index_points(np.array([-2.36, wrong]), np.array([51.38, 51.38]), 9)
    with pytest.raises(h3.H3LatLngDomainError):
        h3cells.index_points(np.array([-2.36, -2.36]), np.array([wrong, 51.38]), 9)


def test_a_resolution_or_a_ring_that_there_is_not_is_refused(way):
    with pytest.raises(h3.H3ResDomainError):
        h3cells.index_points(np.array([-2.36]), np.array([51.38]), 16)
    with pytest.raises(h3.H3DomainError):
        h3cells.ring_members(some_cells(1, 9), -1)


@pytest.mark.parametrize("wrong", [0, 1, 2**62, -1])
def test_what_is_no_cell_is_refused(way, wrong):
    cells = np.array([*some_cells(1, 9)[:3], wrong], np.int64)
    for ask in (
        h3cells.centres,
        h3cells.boundaries,
        lambda c: h3cells.ring_members(c, 1),
        lambda c: h3cells.disks(c, 1),
    ):
        with pytest.raises(h3.H3BaseException):
            ask(cells)


def test_arguments_are_left_alone_and_one_compilation_serves_them_all(kernel):
    cells_kernel.compile_all()
    lon, lat = np.array([-2.36, -2.37, -2.38]), np.array([51.38, 51.39, 51.37])
    for one in (lon, lat):
        one.flags.writeable = False
    cells = h3cells.index_points(lon, lat, np.int64(9))
    h3cells.index_points(lon[::-1], lat[::2][:1].repeat(3), True)
    h3cells.index_points(lon.astype(np.float32), [51, 51, 51], 9)
    cells.flags.writeable = False
    for given_cells in (cells, cells[::-1], cells.astype(np.uint64), cells.tolist()):
        h3cells.centres(given_cells)
        h3cells.boundaries(given_cells)
        h3cells.areas_km2(given_cells)
        h3cells.disks(given_cells, 2)
        h3cells.lattice(given_cells)
        h3cells.ring_members(given_cells, np.int64(1))
    loops = [one for one in vars(cells_kernel).values() if isinstance(one, numba.core.dispatcher.Dispatcher)]
    assert {one.__name__: len(one.signatures) for one in loops} == {one.__name__: 1 for one in loops}
    assert len(loops) == 7


def test_few_cells_do_not_load_the_compiler():
    asking = (
        "import sys, numpy as np; from geo import cells;"
        "found = cells.index_points(np.linspace(-3, 1, 6_000), np.linspace(50, 55, 6_000), 9);"
        "cells.boundaries(found); cells.disks(found[:50], 2); print('numba' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", asking], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["False"]


def test_without_the_exported_library_every_answer_is_called_for(monkeypatch, kernel):
    monkeypatch.setattr(cells_kernel, "_LIBRARY", object())
    with pytest.raises(ImportError, match="does not export latLngToCell"):
        cells_kernel._linked("latLngToCell", None)
    monkeypatch.setattr(h3, "versions", lambda: {"c": "5.0.0", "python": "5.0.0"})
    with pytest.raises(ImportError, match=r"this is 5\.0\.0"):
        cells_kernel._library()
    monkeypatch.setitem(sys.modules, "geo.cells_kernel", None)  # as an import that failed
    monkeypatch.delattr("geo.cells_kernel")
    h3cells._kernel.cache_clear()
    try:
        assert h3cells._kernel() is None
        found = h3cells.index_points(np.array([-2.36]), np.array([51.38]), 9)
        assert h3cells.cell_text(found) == [h3.latlng_to_cell(51.38, -2.36, 9)]
    finally:
        h3cells._kernel.cache_clear()


def test_a_library_that_cannot_be_opened_is_done_without(monkeypatch, kernel):
    def refuse(name):
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(ctypes, "CDLL", refuse)
    monkeypatch.delitem(sys.modules, "geo.cells_kernel")  # imported anew, and put back afterwards
    monkeypatch.delattr("geo.cells_kernel")
    h3cells._kernel.cache_clear()
    try:
        assert h3cells._kernel() is None
        h3cells.compile_loops()
        found = h3cells.index_points(np.array([-2.36]), np.array([51.38]), 9)
        assert h3cells.cell_text(found) == [h3.latlng_to_cell(51.38, -2.36, 9)]
    finally:
        h3cells._kernel.cache_clear()
