"""The rule itself: false alarms, power, and what it says of degenerate input. The long version is a benchmark."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import cells as h3cells
from geo.calibration import calibrate, rate_interval
from geo.exposure import Exposure, ExposureKind, without_rim
from geo.hotspots import affordable, find_hotspots, hot_cells
from geo.neighbourhoods import Neighbourhoods
from geo.scan import null_maxima
from geo.stability import Grid, HotGrid, grids, held_in, hot_on, rank_intervals

BATH = h3cells.cell_number("89195c2a5b7ffff")
STUDY = h3cells.disks([BATH], 20)  # 1,261 cells
AROUND = Neighbourhoods.of(STUDY)
EVEN = np.full(len(STUDY), 1 / len(STUDY))
SKEWED = np.random.default_rng(1).lognormal(0, 2, len(STUDY))
SKEWED /= SKEWED.sum()


@pytest.mark.parametrize("share", [EVEN, SKEWED], ids=["uniform", "log-normal"])
@pytest.mark.parametrize("total", [30, 150, 500])
def test_chance_alone_raises_a_hotspot_in_at_most_one_run_of_twenty(total, share):
    found = calibrate(total, share, AROUND, simulations=300, seed=20260101)
    assert found.interval[0] <= 0.05
    assert found.rate <= 0.062


def test_six_of_sixty_records_in_one_disk_are_found():
    rng = np.random.default_rng(20260101)
    force = Neighbourhoods.of(h3cells.disks([BATH], 33))
    even = np.full(len(force), 1 / len(force))  # 3,367 cells
    maxima = null_maxima(60, even, force, seed=7)
    full = np.flatnonzero(np.diff(force.disk(2).indptr) == 19)
    found = 0
    for _ in range(100):
        disk = force.disk(2)[[rng.choice(full)]].indices
        counts = rng.multinomial(54, even) + np.bincount(rng.choice(disk, 6), minlength=len(force))
        found += bool(hot_cells(counts, even, force, maxima)[disk].any())
    assert found >= 95


def test_true_hotspots_do_not_make_far_cells_hot():
    rng = np.random.default_rng(20260101)
    maxima = null_maxima(250, EVEN, AROUND, seed=7)
    full = np.flatnonzero(np.diff(AROUND.disk(1).indptr) == 7)
    wrong = 0
    for _ in range(100):
        planted, counts = np.zeros(len(STUDY)), rng.multinomial(190, EVEN)
        for centre in rng.choice(full, 6, replace=False):
            disk = AROUND.disk(1)[[centre]].indices
            planted[disk] = 1
            counts = counts + np.bincount(rng.choice(disk, 10), minlength=len(STUDY))
        hot = hot_cells(counts, EVEN, AROUND, maxima)
        assert hot[planted > 0].any()
        wrong += bool((hot & (AROUND.disk(2) @ planted == 0)).any())
    assert wrong <= 5


def test_the_same_seed_gives_the_same_bytes_and_more_records_do_not_cool_a_hot_cell():
    counts = np.bincount([9] * 8 + list(range(0, 1000, 25)), minlength=len(STUDY))
    first, again = (find_hotspots(counts, EVEN, AROUND, seed=3, simulations=199) for _ in range(2))
    assert first.hot[9]
    assert first.scan.p_value.tobytes() == again.scan.p_value.tobytes()
    assert first.rate.tobytes() == again.rate.tobytes()
    more = find_hotspots(counts + 2 * (np.arange(len(STUDY)) == 9), EVEN, AROUND, seed=3, simulations=199)
    assert more.hot[9]
    assert more.test.p_value[9] < first.test.p_value[9]


@pytest.mark.parametrize(
    ("study", "counts"),
    [
        (STUDY[:0], []),
        (STUDY[:1], [0]),
        (STUDY[:1], [40]),
        (STUDY[:30], [0] * 30),
        (STUDY[:30], [1] + [0] * 29),
        (STUDY[:30], [400] + [0] * 29),
        (STUDY[:30], [7] * 30),
    ],
)
@pytest.mark.parametrize("exposed", [True, False])
def test_degenerate_input_ends_in_a_stated_result(study, counts, exposed):
    share = np.full(len(study), 1 / max(len(study), 1)) * exposed
    found = find_hotspots(np.array(counts, int), share, Neighbourhoods.of(study), seed=0, simulations=99)
    for values in (found.rate, found.gi_star_z, found.test.p_value, found.test.q_value, found.scan.p_value):
        assert np.isfinite(values).all()
    for values in (found.test.rate_ratio, found.test.ratio_low, found.test.ratio_high, found.test.expected):
        assert np.isfinite(values).all()
    if not exposed or len(study) < 2 or sum(counts) < 2:
        assert not found.hot.any()
    if counts == [400] + [0] * 29 and exposed:
        assert found.hot[0]


def test_records_where_nothing_is_exposed_are_compared_with_nothing():
    share = np.where(np.arange(len(STUDY)) < 600, 1 / 600, 0.0)
    alone = np.flatnonzero(AROUND.disk(4) @ share == 0)[0]
    counts = np.zeros(len(STUDY), int)
    counts[alone] = 50
    counts[:40] = 1
    found = find_hotspots(counts, share, AROUND, seed=0, simulations=99)
    assert not found.hot[alone]
    assert not found.test.tested[alone]
    without = find_hotspots(np.where(np.arange(len(STUDY)) == alone, 0, counts), share, AROUND, seed=0, simulations=99)
    assert found.rate.tobytes() == without.rate.tobytes()


def test_a_vast_area_gets_fewer_simulations_and_never_fewer_than_ninety_nine():
    assert affordable(3302, 999) == 999
    assert affordable(500_000, 999) == 120
    assert affordable(10**7, 999) == 99
    assert affordable(10**7, 19) == 19


def test_the_rate_of_false_alarms_has_its_exact_interval():
    assert rate_interval(10, 200) == pytest.approx((0.02423, 0.09004), abs=1e-4)
    assert rate_interval(200, 200)[1] == 1.0


def test_nine_grids_three_resolutions_three_ways():
    laid = list(grids(9, 51.4))
    assert [grid.resolution for grid in laid] == [8] * 3 + [9] * 3 + [10] * 3
    assert laid[0].shift_degrees == 0
    metres = np.array([grid.shift_degrees for grid in laid]) * h3cells.METRES_PER_DEGREE * np.cos(np.radians(51.4))
    assert metres[4] == pytest.approx(h3cells.spacing_m(9) / 3)
    assert metres[5] == pytest.approx(h3cells.spacing_m(9) * 2 / 3)


def _laid(grid, points, *, times=1):
    """Cells of points on a grid, and how many records are at each."""
    lon, lat = np.asarray(points, float).T
    return h3cells.index_points(lon + grid.shift_degrees, lat, grid.resolution), np.full(len(lon), times)


def test_a_true_place_holds_in_all_grids_and_a_quiet_one_in_none():
    rng = np.random.default_rng(5)
    lon, lat = (float(at[0]) for at in h3cells.centres(np.array([BATH])))
    west, south, east, north = h3cells.union_geometry(STUDY).bounds
    background = rng.uniform((west, south), (east, north), (60, 2))
    planted = np.column_stack([rng.normal(lon, 5e-4, 60), rng.normal(lat, 3e-4, 60)])
    points = np.concatenate([background, planted])
    exposure = Exposure(ExposureKind.UNIFORM)
    checked = []
    for grid in grids(9, lat):
        study = h3cells.disks(np.unique(h3cells.index_points(*points.T, grid.resolution)), 2)
        checked.append(hot_on(grid, *_laid(grid, points), study, exposure, seed=1))
    place = np.unique(h3cells.index_points(planted[:, 0], planted[:, 1], 11))
    quiet = np.unique(h3cells.index_points(background[:1, 0], background[:1, 1], 11))
    assert held_in([place, quiet], checked) == [9, 0]
    assert held_in([], checked) == []


def test_the_grid_is_shifted_back():
    lon, lat = (at for at in h3cells.centres(np.array([BATH])))
    grid = Grid(9, h3cells.spacing_m(9) / (h3cells.METRES_PER_DEGREE * np.cos(np.radians(float(lat[0])))))
    one = h3cells.index_points(np.repeat(lon, 30), np.repeat(lat, 30), 9)
    study = h3cells.disks([h3cells.index_points(lon + grid.shift_degrees, lat, 9)[0]], 6)
    here = _laid(grid, np.column_stack([lon, lat]), times=30)
    found = hot_on(grid, *here, study, Exposure(ExposureKind.UNIFORM), seed=0)
    assert held_in([h3cells.index_points(lon, lat, 11)], [found]) == [1]
    assert one[0] == BATH


def test_half_of_a_footprint_is_enough_and_less_is_not():
    hot = HotGrid(Grid(9, 0.0), np.array([BATH]))
    inside = h3cells.index_points(*h3cells.centres(np.array([BATH])), 11)
    lon, lat = h3cells.centres(np.setdiff1d(h3cells.disks([BATH], 2), h3cells.disks([BATH], 1)))
    outside = h3cells.index_points(lon, lat, 11)
    half, less = np.concatenate([inside, outside[:1]]), np.concatenate([inside, outside[:2]])
    assert held_in([half, less], [hot]) == [1, 0]


def test_close_places_share_ranks_and_a_clear_first_does_not():
    low, high = rank_intervals(np.array([400, 21, 20, 19]), np.ones(4), seed=0).T
    assert (low[0], high[0]) == (1, 1)
    assert low[1:].max() == 2
    assert high[1:].min() == 4
    assert rank_intervals(np.zeros(2, int), np.ones(2), seed=0).tolist() == [[1, 1], [1, 1]]


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(40)))
def test_the_order_of_rows_changes_nothing(order):
    rng = np.random.default_rng(0)
    at = np.column_stack([rng.normal(-2.36, 0.03, 40), rng.normal(51.38, 0.03, 40)])
    at[:14] = np.array([-2.36, 51.38]) + rng.normal(0, 1e-4, (14, 2))
    mixed = at[list(order)]
    exposure, grid = Exposure(ExposureKind.UNIFORM), Grid(9, 0.001)
    study = h3cells.disks(np.unique(h3cells.index_points(*at.T, 9)), 2)
    found = [hot_on(grid, *_laid(grid, rows), study, exposure, seed=0).hot.tobytes() for rows in (at, mixed)]
    assert found[0] == found[1] != b""


@pytest.mark.parametrize("records", [100, 1000])
def test_an_area_drawn_round_the_records_is_no_hotspot(records):
    rng, alarms = np.random.default_rng(20260101), 0
    for _ in range(60):
        counts = rng.multinomial(records, EVEN)
        cells = h3cells.disks(STUDY[counts > 0], 2)
        around = Neighbourhoods.of(cells)
        share = without_rim(np.full(len(cells), 1 / len(cells)), around)
        here = np.zeros(len(cells), int)
        here[np.searchsorted(cells, STUDY[counts > 0])] = counts[counts > 0]
        alarms += bool(find_hotspots(here, share, around, seed=1, simulations=99).hot.any())
    assert alarms <= 7
