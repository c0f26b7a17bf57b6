"""What is left out when positions and times are drawn must not be missed: the plain way gives the same to the last bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import cells as h3cells
from geo import indexed
from geo.indexed import Indexed, cells_of
from geo.neighbourhoods import Neighbourhoods
from geo.shrinkage import RADIUS, shrunk_rates
from geo.uncertainty import POSITIONS, likely_cells, likely_positions, top_probability

BATH = h3cells.cell_number("89195c2a5b7ffff")
STUDY = h3cells.disks([BATH], 4)
AROUND = Neighbourhoods.of(STUDY)
SHARE = np.full(len(STUDY), 1 / len(STUDY))


def _plainly(positions, inside, share, *, seed, replicates, block):
    """Draw everything as the definition says, in arrays of one row a draw."""
    n, records = len(share), len(positions)
    rng = np.random.default_rng(seed)
    comparable = np.append(AROUND.disk(RADIUS) @ share > 0, False)
    positions = np.where(comparable[positions], positions, -1)
    top, times = max(1, round(n * 0.01)), np.zeros(n)
    for start in range(0, replicates, block):
        draws = min(block, replicates - start)
        drawn = positions[np.arange(records), rng.integers(0, positions.shape[1], (draws, records))]
        drawn = np.where(rng.random((draws, records)) < inside, drawn, -1)
        counts = np.stack([np.bincount(row[row >= 0], minlength=n) for row in drawn], axis=1).astype(float)
        rates = shrunk_rates(counts, share, AROUND)
        times += ((rates >= np.sort(rates, axis=0)[n - top]) & (rates > 1.0)).sum(axis=1)
    return times / replicates


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 7), st.sampled_from(["certain", "some", "none"]),
    st.sampled_from([15, 16]),
)  # fmt: skip
def test_the_top_is_that_of_the_plain_draws(seed, records, block, certainty, wide):
    rng = np.random.default_rng(seed)
    places = rng.integers(-1, len(STUDY), (max(1, records // 2), wide))
    which = rng.integers(0, len(places), records)
    inside = {"certain": np.ones(records), "none": np.zeros(records)}.get(certainty, rng.random(records).round(1))
    share = np.where(rng.random(len(STUDY)) < 0.9, SHARE, 0.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("geo.uncertainty._BLOCK_VALUES", block * max(len(STUDY), records))
        found = top_probability(places, inside, share, AROUND, seed=seed, which=which, replicates=11)
        each = top_probability(places[which], inside, share, AROUND, seed=seed, replicates=11)
    plain = _plainly(places[which], inside, share, seed=seed, replicates=11, block=block)
    assert found.tobytes() == plain.tobytes() == each.tobytes()


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32), st.sampled_from([3, 5, 7, 9, 10, 12]),
    st.sampled_from([(-2.36, 51.38), (0.0, 0.0), (-179.9, 65.0), (33.0, 74.9), (25.0, -89.0), (-58.16, 10.32), (58.2, 58.8)]),
)  # fmt: skip
def test_cells_of_likely_positions_are_those_of_indexing_each(seed, resolution, around):
    rng = np.random.default_rng(seed)
    spread = 3 * h3cells.spacing_m(resolution) / h3cells.METRES_PER_DEGREE
    lon, lat = (
        around[0] + rng.uniform(-spread, spread, 300),
        np.clip(around[1] + rng.uniform(-spread, spread, 300), -90, 90),
    )
    lon, lat = (one[np.abs(lat) < 89.999] for one in (lon, lat))
    precision_m = rng.choice([0.0, 1.0, 10.0, 100.0, 0.3 * h3cells.spacing_m(resolution)], len(lon))
    plain = h3cells.index_points(*(one.ravel() for one in likely_positions(lon, lat, precision_m)), resolution)
    found = likely_cells(lon, lat, precision_m, resolution)
    assert found.tolist() == plain.reshape(-1, POSITIONS).tolist()


def test_positions_at_the_side_of_a_cell_are_looked_at():
    corners = h3cells.boundaries(np.array([BATH]))[0].exterior.coords[:]
    rng = np.random.default_rng(3)
    one, other = (np.array(corners)[rng.integers(0, 6, 4_000)] for _ in range(2))
    lon, lat = (one + (other - one) * rng.random(4_000)[:, None] + rng.normal(0, 3e-5, (4_000, 2))).T
    precision_m = rng.uniform(0, 30, 4_000)
    plain = h3cells.index_points(*(at.ravel() for at in likely_positions(lon, lat, precision_m)), 9)
    assert likely_cells(lon, lat, precision_m, 9).ravel().tolist() == plain.tolist()
    assert len(np.unique(plain)) > 3


def test_nothing_has_no_likely_cells():
    assert likely_cells(np.empty(0), np.empty(0), np.empty(0), 9).shape == (0, POSITIONS)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=30), st.sampled_from([8, 9]))
def test_positions_are_indexed_once_and_rows_get_their_own_cells(rows, resolution):
    lon, lat = -2.36 + np.array([i for i, _ in rows]) / 100, 51.38 + np.array([j for _, j in rows]) / 100
    at = Indexed.of(lon, lat)
    assert at.cells(resolution).tolist() == h3cells.index_points(lon, lat, resolution).tolist()
    assert at.distinct_cells(resolution) is at.distinct_cells(resolution)
    moved = at.distinct_cells(resolution, 0.001)[at.inverse]
    assert moved.tolist() == h3cells.index_points(lon + 0.001, lat, resolution).tolist()
    assert at.times.sum() == len(rows)
    assert len(at.lon) == len(set(rows))


def test_threads_change_no_cell(monkeypatch):
    monkeypatch.setattr(indexed, "_POSITIONS_A_WORKER", 7)
    lon, lat = np.random.default_rng(1).uniform(-3, 3, (2, 100))
    assert cells_of(lon, lat, 9, workers=3).tolist() == h3cells.index_points(lon, lat, 9).tolist()
