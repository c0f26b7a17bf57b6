"""H3 in arrays against the plain string interface of h3."""

import h3
import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import cells as h3cells

POINTS = st.tuples(st.floats(-179.9, 179.9), st.floats(-89, 89))


def _numbers(texts):
    return sorted(int(text, 16) for text in texts)


@settings(max_examples=60, deadline=None)
@given(st.lists(POINTS, min_size=1, max_size=8), st.integers(0, 15), st.integers(0, 15))
def test_points_and_parents(points, fine, coarse):
    fine, coarse = max(fine, coarse), min(fine, coarse)
    lon, lat = np.array(points).T
    theirs = [h3.latlng_to_cell(y, x, fine) for x, y in points]
    cells = h3cells.index_points(lon, lat, fine)
    assert h3cells.cell_text(cells) == theirs
    assert h3cells.cell_text(h3cells.parents(cells, coarse)) == [h3.cell_to_parent(one, coarse) for one in theirs]
    assert set(h3cells.resolutions(cells)) == {fine}
    assert [h3cells.cell_number(text) for text in theirs] == cells.tolist()
    centre_lon, centre_lat = h3cells.centres(cells)
    assert list(zip(centre_lat.tolist(), centre_lon.tolist(), strict=True)) == [
        h3.cell_to_latlng(one) for one in theirs
    ]


def test_parents_of_pentagons_and_their_children():
    pentagons = h3.get_pentagons(5)
    children = [child for one in pentagons for child in h3.cell_to_children(one, 7)]
    parents = h3cells.parents(np.array(_numbers(children), np.int64), 5)
    assert sorted(set(h3cells.cell_text(parents))) == sorted(pentagons)


@settings(max_examples=25, deadline=None)
@given(st.lists(POINTS, min_size=0, max_size=4), st.integers(0, 4))
def test_disks_are_the_union_of_grid_disks(points, k):
    texts = {h3.latlng_to_cell(y, x, 9) for x, y in points}
    theirs = {near for one in texts for near in h3.grid_disk(one, k)}
    assert h3cells.disks(_numbers(texts), k).tolist() == _numbers(theirs)


def test_boundaries_follow_h3_and_turn_counter_clockwise():
    texts = [*h3.grid_disk(h3.latlng_to_cell(51.38, -2.36, 9), 2), h3.get_pentagons(3)[3]]
    shapes = h3cells.boundaries(np.array([int(text, 16) for text in texts]))
    for text, shape in zip(texts, shapes, strict=True):
        ring = shapely.get_coordinates(shape.exterior)[:-1]
        theirs = np.array(h3.cell_to_boundary(text))[:, ::-1]
        assert sorted(map(tuple, ring)) == sorted(map(tuple, theirs))
        assert shape.exterior.is_ccw
    assert len(h3cells.boundaries(np.empty(0, np.int64))) == 0


def test_union_is_one_outline_without_inner_edges():
    ring = h3.grid_ring(h3.latlng_to_cell(51.38, -2.36, 9), 1)
    outline = h3cells.union_geometry(_numbers(ring))
    assert outline.geom_type == "MultiPolygon"
    assert len(outline.geoms[0].interiors) == 1
    assert outline.geoms[0].exterior.is_ccw
    parts = shapely.union_all(h3cells.boundaries(np.array(_numbers(ring))))
    assert outline.symmetric_difference(parts).area < parts.area * 1e-6
    assert outline.equals_exact(h3cells.union_geometry(_numbers(ring)[::-1]))
    assert h3cells.union_geometry([]).is_empty


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-2.4, -2.3), st.floats(51.35, 51.41)), min_size=3, max_size=8, unique=True),
    st.integers(6, 9),
    st.integers(0, 2**32 - 1),
)
def test_no_point_inside_a_polygon_is_without_a_cell(corners, resolution, seed):
    area = shapely.MultiPoint(corners).convex_hull
    if area.geom_type != "Polygon" or area.area < 1e-9:
        return
    hole = area.centroid.buffer(0.002)
    shape = shapely.MultiPolygon([area.difference(hole)]) if area.contains(hole) else area
    west, south, east, north = shape.bounds
    lon, lat = np.random.default_rng(seed).uniform([west, south], [east, north], (200, 2)).T
    inside = shapely.contains_xy(shape, lon, lat)
    covered = h3cells.cells_within(shape, resolution)
    assert np.isin(h3cells.index_points(lon[inside], lat[inside], resolution), covered).all()
    assert (np.diff(covered) > 0).all()
    assert shapely.intersects(h3cells.boundaries(covered), shape.buffer(1e-6)).all()


def test_a_polygon_smaller_than_a_cell_still_has_one():
    assert len(h3cells.cells_within(shapely.box(-2.36, 51.38, -2.35999, 51.38001), 7)) == 1


def test_estimate_is_the_right_size():
    shape = shapely.box(-2.4, 51.35, -2.2, 51.45)
    area_km2 = 0.2 * 111.3 * np.cos(np.radians(51.4)) * 0.1 * 111.3
    actual = len(h3cells.cells_within(shape, 9))
    assert actual / 2 < h3cells.estimated_cells(area_km2, 9) < actual * 2
