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


def test_a_layer_counts_by_its_points_and_one_more_in_every_window():
    lon, lat = np.array([LON, LON, LON + 1]), np.array([LAT, LAT, LAT])
    share = Exposure(ExposureKind.LAYER, lon=lon, lat=lat, weight=np.array([1.0, 1.0, 1.0])).shares(STUDY)
    assert share.sum() == pytest.approx(1)
    whole = 2 + len(STUDY) / 19
    assert share[STUDY == BATH][0] == pytest.approx((2 + 1 / 19) / whole)
    assert share.min() == pytest.approx(1 / 19 / whole)


def test_hours_of_outreach_count_where_the_session_was():
    lon, lat = np.array([LON, LON + 1]), np.array([LAT, LAT])
    share = Exposure(ExposureKind.EFFORT, lon=lon, lat=lat, weight=np.array([3.0, 9.0])).shares(STUDY)
    assert share[STUDY == BATH][0] == 1.0
    assert share[STUDY != BATH].max() == 0


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
