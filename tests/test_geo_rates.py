"""Shrunk rates, kernel density and the probability of being at the top."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import cells as h3cells
from geo.neighbourhoods import Neighbourhoods
from geo.shrinkage import shrunk_rates
from geo.surface import kernel_density
from geo.uncertainty import likely_positions, top_probability

BATH = h3cells.cell_number("89195c2a5b7ffff")
STUDY = h3cells.disks([BATH], 3)
AROUND = Neighbourhoods.of(STUDY)
EVEN = np.full(len(STUDY), 1 / len(STUDY))
COUNTS = st.lists(st.integers(0, 6), min_size=len(STUDY), max_size=len(STUDY)).map(np.array)
WEIGHTS = st.lists(st.floats(0.01, 100), min_size=len(STUDY), max_size=len(STUDY)).map(np.array)


@given(COUNTS, WEIGHTS, st.integers(0, len(STUDY) - 1))
def test_a_further_record_never_lowers_the_rate_of_its_cell(counts, weights, cell):
    share = weights / weights.sum()
    more = counts + np.eye(1, len(STUDY), cell, dtype=int)[0]
    before, after = (shrunk_rates(each.astype(float), share, AROUND)[cell] for each in (counts, more))
    assert after >= before * (1 - 1e-12)


@given(COUNTS, WEIGHTS)
def test_a_rate_lies_between_the_cells_own_and_its_neighbourhoods(counts, weights):
    share = weights / weights.sum()
    total = counts.sum()
    if not total:
        return
    own = counts / (share * total)
    window = np.maximum((AROUND.disk(2) @ counts) / ((AROUND.disk(2) @ share) * total), 0.01)
    rate = shrunk_rates(counts.astype(float), share, AROUND)
    slack = 1e-9 * (1 + own + window)
    assert (rate >= np.minimum(own, window) - slack).all()
    assert (rate <= np.maximum(own, window) + slack).all()


def test_thin_evidence_is_drawn_to_the_neighbourhood_and_thick_evidence_is_not():
    thin, thick = np.zeros(len(STUDY)), np.zeros(len(STUDY))
    thin[0], thick[0] = 1, 500
    own = len(STUDY)
    assert shrunk_rates(thin, EVEN, AROUND)[0] < own / 1.5
    assert shrunk_rates(thick, EVEN, AROUND)[0] > own * 0.95


def test_no_records_and_no_exposure_have_no_rate():
    assert shrunk_rates(np.zeros(len(STUDY)), EVEN, AROUND).tolist() == [0.0] * len(STUDY)
    assert shrunk_rates(np.ones(len(STUDY)), np.zeros(len(STUDY)), AROUND).tolist() == [0.0] * len(STUDY)
    assert len(shrunk_rates(np.zeros(0), np.zeros(0), Neighbourhoods.of(STUDY[:0]))) == 0


def test_columns_are_separate_maps():
    counts = np.random.default_rng(0).poisson(1.0, (len(STUDY), 3)).astype(float)
    together = shrunk_rates(counts, EVEN, AROUND)
    for i in range(3):
        assert together[:, i] == pytest.approx(shrunk_rates(counts[:, i], EVEN, AROUND))


def _grid(side_m, count):
    at = (np.arange(count) + 0.5) * side_m
    return np.stack(np.meshgrid(at, at), axis=-1).reshape(-1, 2)


def test_density_integrates_to_the_number_of_records():
    centres, points = _grid(50.0, 60), np.random.default_rng(1).uniform(800, 2200, (40, 2))
    density = kernel_density(points, np.ones(40), centres, cell_area_m2=2500.0)
    assert density.sum() * 2500 / 1e6 == pytest.approx(40, rel=1e-3)


def test_density_is_the_quartic_kernel_where_no_edge_is_near():
    centres = _grid(50.0, 60)
    density = kernel_density(np.array([[1525.0, 1525.0]]), np.array([2.0]), centres, cell_area_m2=2500.0)
    far_m = np.hypot(*(centres - 1525.0).T)
    expected = np.where(far_m < 500, 2 * 3 / (np.pi * 500**2) * (1 - (far_m / 500) ** 2) ** 2, 0) * 1e6
    assert density[far_m < 700] == pytest.approx(expected[far_m < 700], rel=2e-3, abs=1e-9)


def test_the_edge_of_the_area_is_not_an_edge_of_what_happens():
    centres = _grid(50.0, 40)
    everywhere = kernel_density(centres, np.ones(len(centres)), centres, cell_area_m2=2500.0)
    assert everywhere == pytest.approx(400.0, rel=1e-3)  # one record in each 2,500 square metres, at the corners too


def test_density_of_nothing_is_zero():
    assert kernel_density(np.empty((0, 2)), np.empty(0), np.zeros((3, 2)), cell_area_m2=1.0).tolist() == [0.0] * 3
    assert len(kernel_density(np.zeros((1, 2)), np.ones(1), np.empty((0, 2)), cell_area_m2=1.0)) == 0


def test_ninety_five_in_a_hundred_likely_positions_lie_within_the_stated_precision():
    lon, lat = likely_positions(np.array([-2.36]), np.array([51.38]), np.array([100.0]), 2000)
    east = (lon[0] + 2.36) * h3cells.METRES_PER_DEGREE * np.cos(np.radians(51.38))
    north = (lat[0] - 51.38) * h3cells.METRES_PER_DEGREE
    far_m = np.hypot(east, north)
    assert (far_m <= 100).mean() == pytest.approx(0.95, abs=0.003)
    assert [east.mean(), north.mean()] == pytest.approx([0, 0], abs=1.0)
    assert [east.std(), north.std()] == pytest.approx([100 / 2.448] * 2, rel=0.02)


def test_a_sure_peak_is_surely_at_the_top_and_a_vague_one_is_not():
    peak, quiet = 18, np.setdiff1d(np.arange(len(STUDY)), 18)[:6]
    sure = np.repeat(np.concatenate([[peak] * 12, quiet])[:, None], 16, axis=1)
    vague = sure.copy()
    vague[:12] = np.random.default_rng(0).integers(0, len(STUDY), (12, 16))
    certain = np.ones(len(sure))
    assert top_probability(sure, certain, EVEN, AROUND, seed=0)[peak] == 1.0
    assert top_probability(vague, certain, EVEN, AROUND, seed=0)[peak] < 0.2
    assert top_probability(sure, certain * 0, EVEN, AROUND, seed=0).tolist() == [0.0] * len(STUDY)
    again = top_probability(vague, certain, EVEN, AROUND, seed=0)
    assert again.tobytes() == top_probability(vague, certain, EVEN, AROUND, seed=0).tobytes()


@settings(max_examples=20)
@given(st.integers(0, 5))
def test_probabilities_of_few_records_are_stated(records):
    positions = np.full((records, 16), 3)
    found = top_probability(positions, np.ones(records), EVEN, AROUND, seed=0, replicates=20)
    assert np.isfinite(found).all()
    assert found[3] == (1.0 if records else 0.0)
