import math

import numpy as np
import pytest

from geo import cells as h3cells
from geo.multinomial import multinomial
from geo.neighbourhoods import Neighbourhoods
from geo.scan import RADII, best_windows, family_wise_p, null_maxima, scan

BATH = h3cells.cell_number("89195c2a5b7ffff")
STUDY = h3cells.disks([BATH], 8)
AROUND = Neighbourhoods.of(STUDY)


def _shares(seed) -> np.ndarray:
    weights = np.random.default_rng(seed).lognormal(0, 1, len(STUDY))
    return weights / weights.sum()


def _ratio_by_the_book(counts: np.ndarray, share: np.ndarray, window: np.ndarray) -> float:
    """Kulldorff (1997), equation for the Poisson model, written as printed."""
    total = counts.sum()
    inside, expected = counts[window].sum(), share[window].sum() * total
    if inside <= expected:
        return 0.0
    ratio = inside * math.log(inside / expected)
    if inside < total:
        ratio += (total - inside) * math.log((total - inside) / (total - expected))
    return ratio


def test_the_best_window_of_every_cell_is_the_one_found_by_the_printed_formula():
    share = _shares(0)
    counts = np.random.default_rng(1).multinomial(80, share)
    ratio, radius = best_windows(counts, share, AROUND)
    for i in range(0, len(STUDY), 7):
        each = [_ratio_by_the_book(counts, share, AROUND.disk(k).toarray()[i] > 0) for k in RADII]
        assert ratio[i] == pytest.approx(max(each), abs=1e-9)
        assert each[radius[i]] == pytest.approx(max(each), abs=1e-9)


@pytest.mark.parametrize("total", [1, 40, 90_000])
@pytest.mark.parametrize("a_stream", [7, 25, 128])
def test_null_maxima_are_those_of_counts_scanned_one_by_one(monkeypatch, total, a_stream):
    share = np.where(np.arange(len(STUDY)) % 11 == 0, 0.0, _shares(2))
    monkeypatch.setattr("geo.scan._DRAWS_A_STREAM", a_stream)
    maxima = null_maxima(total, share, AROUND, seed=9, simulations=25)
    streams = np.random.default_rng(9).spawn(-(-25 // a_stream))
    drawn = np.hstack(
        [multinomial(rng, total, share, min(a_stream, 25 - i * a_stream)) for i, rng in enumerate(streams)]
    )
    assert maxima.tolist() == [best_windows(counts, share, AROUND)[0].max() for counts in drawn.T.astype(np.int64)]
    assert null_maxima(total, share, AROUND, seed=9, simulations=0).tolist() == []


def test_null_maxima_are_the_same_on_any_number_of_cores(monkeypatch):
    every = []
    for cores in (1, 3):
        monkeypatch.setattr("os.sched_getaffinity", lambda _, cores=cores: set(range(cores)))
        every.append(null_maxima(300, _shares(5), AROUND, seed=3, simulations=300).tolist())
    assert every[0] == every[1]


def test_p_counts_the_value_itself_and_ties():
    assert family_wise_p(np.array([0.0, 1.0, 2.5, 9.0]), np.array([1.0, 2.0, 3.0])).tolist() == [1.0, 1.0, 0.5, 0.25]


def test_seeds_reproduce_bytes_and_another_seed_differs():
    counts, share = np.bincount([5] * 6 + list(range(50)), minlength=len(STUDY)), _shares(4)
    first, again, other = (scan(counts, share, AROUND, seed=seed, simulations=99) for seed in (1, 1, 2))
    assert first.p_value.tobytes() == again.p_value.tobytes()
    assert first.p_value.tobytes() != other.p_value.tobytes()


@pytest.mark.parametrize("counts", [np.zeros(len(STUDY), int), np.eye(1, len(STUDY), 3, dtype=int)[0]])
def test_nothing_or_one_record_is_no_cluster(counts):
    found = scan(counts, np.full(len(STUDY), 1 / len(STUDY)), AROUND, seed=0, simulations=99)
    assert found.p_value.min() > 0.05


def test_a_window_over_the_whole_area_has_nothing_to_be_compared_with():
    one = Neighbourhoods.of(np.array([BATH]))
    found = scan(np.array([50]), np.array([1.0]), one, seed=0, simulations=99)
    assert found.log_likelihood_ratio.tolist() == [0.0]
    assert found.p_value.tolist() == [1.0]


def test_a_loose_cluster_of_four_rings_is_found_at_its_own_size():
    study = h3cells.disks([BATH], 14)
    around = Neighbourhoods.of(study)
    middle = int(np.searchsorted(study, BATH))
    share = np.full(len(study), 1 / len(study))
    loose = np.where(around.disk(4)[[middle]].toarray()[0] > 0, 3, 0) + (np.arange(len(study)) % 7 == 0)
    ratio, radius = best_windows(loose, share, around)
    assert ratio.argmax() == middle
    assert radius[middle] == 4
