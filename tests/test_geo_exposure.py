import numpy as np
import pytest
import shapely

from geo import cells as h3cells
from geo.exposure import Exposure, ExposureKind

BATH = h3cells.cell_number("89195c2a5b7ffff")
STUDY = h3cells.disks([BATH], 4)
LON, LAT = (float(at[0]) for at in h3cells.centres(np.array([BATH])))


def test_every_cell_counts_alike():
    assert Exposure(ExposureKind.UNIFORM).shares(STUDY) == pytest.approx(1 / len(STUDY))


def test_a_cell_counts_by_the_ground_that_lies_inside_the_boundary():
    west, south, _, north = h3cells.union_geometry(STUDY).bounds
    boundary = shapely.box(west, south, LON, north)
    share = Exposure(ExposureKind.AREA, boundary).shares(STUDY)
    assert share.sum() == pytest.approx(1)
    outlines = h3cells.boundaries(STUDY)
    assert share[shapely.disjoint(outlines, boundary)].max() == 0
    whole = share[shapely.contains_properly(boundary, outlines)]
    middle = share[STUDY == BATH][0]
    assert middle == pytest.approx(whole.mean() / 2, rel=0.01)
    assert whole == pytest.approx(whole.mean(), rel=0.01)  # cells differ a little in area


def test_a_layer_counts_by_its_points_and_leaves_no_cell_impossible():
    lon, lat = np.array([LON, LON, LON + 1]), np.array([LAT, LAT, LAT])
    share = Exposure(ExposureKind.LAYER, lon=lon, lat=lat, weight=np.array([2.0, 1.0, 50.0])).shares(STUDY)
    assert share.sum() == pytest.approx(1)
    assert share[STUDY == BATH][0] == pytest.approx(0.99 + 0.01 / len(STUDY))
    assert share.min() == pytest.approx(0.01 / len(STUDY))


def test_an_hour_of_outreach_is_walked_over_a_cell_and_its_six_neighbours():
    hours = Exposure(ExposureKind.EFFORT, lon=np.array([LON]), lat=np.array([LAT]), weight=np.array([3.0]))
    share = hours.shares(STUDY)
    walked = np.isin(STUDY, h3cells.disks([BATH], 1))
    assert share[walked] == pytest.approx(1 / 7)
    assert share[~walked].max() == 0


def test_effort_at_the_edge_of_the_area_counts_only_inside_it():
    corner = STUDY[np.argmax(h3cells.centres(STUDY)[0])]
    lon, lat = h3cells.centres(np.array([corner]))
    share = Exposure(ExposureKind.EFFORT, lon=lon, lat=lat, weight=np.ones(1)).shares(STUDY)
    assert share.sum() == pytest.approx(1)
    assert (share > 0).sum() < 7


@pytest.mark.parametrize("kind", [ExposureKind.LAYER, ExposureKind.EFFORT])
def test_no_exposure_in_the_area_is_none_and_never_a_division_by_zero(kind):
    away = Exposure(kind, lon=np.array([LON + 2]), lat=np.array([LAT]), weight=np.ones(1))
    assert away.shares(STUDY).tolist() == [0.0] * len(STUDY)
    assert Exposure(kind).shares(STUDY).sum() == 0
    assert len(Exposure(kind).shares(STUDY[:0])) == 0


def test_exposure_moves_with_the_records_when_the_grid_is_displaced():
    point = Exposure(ExposureKind.LAYER, lon=np.array([LON]), lat=np.array([LAT]), weight=np.ones(1))
    spacing_degrees = h3cells.spacing_m(9) / (h3cells.METRES_PER_DEGREE * np.cos(np.radians(LAT)))
    moved = point.shares(STUDY, shift_degrees=spacing_degrees)
    assert STUDY[moved.argmax()] == h3cells.index_points(np.array([LON + spacing_degrees]), np.array([LAT]), 9)[0]
