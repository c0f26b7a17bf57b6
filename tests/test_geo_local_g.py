import esda
import libpysal
import numpy as np
import pytest
from scipy import sparse
from scipy.spatial.distance import cdist

from geo import cells as h3cells
from geo.local_g import gi_star, is_reliable
from geo.neighbourhoods import Neighbourhoods

# PySAL's own test case: six points, neighbours within 15.
POINTS = np.array([(10, 10), (20, 10), (40, 10), (15, 20), (30, 20), (30, 30)], float)
VALUES = np.array([2, 3, 3.2, 5, 8, 7])


def test_the_published_case():
    near = sparse.csr_array((cdist(POINTS, POINTS) <= 15).astype(float))
    published = [-1.39727626, -0.28917762, 0.65064964, -0.28917762, 1.23452088, 2.02424331]
    assert gi_star(VALUES, near) == pytest.approx(published, abs=1e-8)


def test_five_thousand_cells_agree_with_esda():
    study = h3cells.disks([h3cells.cell_number("89195c2a5b7ffff")], 41)[:5000]
    disk = Neighbourhoods.of(study).disk(2)
    values = np.random.default_rng(0).poisson(0.3, len(study)).astype(float)
    weights = libpysal.graph.Graph.from_sparse(disk).to_W()
    oracle = esda.G_Local(values, weights, transform="B", star=True, permutations=0)
    assert gi_star(values, disk) == pytest.approx(oracle.Zs, abs=1e-8)
    assert gi_star(values, disk, binary=True) == pytest.approx(oracle.Zs, abs=1e-8)


def test_unequal_weights_agree_with_the_formula():
    rng = np.random.default_rng(1)
    weights = sparse.csr_array(rng.random((6, 6)) * (rng.random((6, 6)) < 0.5) + np.eye(6))
    w, n, s = weights.toarray(), 6, VALUES.std()
    expected = (w @ VALUES - VALUES.mean() * w.sum(1)) / (s * np.sqrt((n * (w**2).sum(1) - w.sum(1) ** 2) / (n - 1)))
    assert gi_star(VALUES, weights) == pytest.approx(expected)


@pytest.mark.parametrize("values", [[], [4.0], [2.0, 2.0, 2.0], [0.0, 0.0, 0.0]])
def test_without_variance_there_is_no_z(values):
    everyone = sparse.csr_array(np.ones((len(values), len(values))))
    assert gi_star(np.array(values), everyone).tolist() == [0.0] * len(values)


def test_sparse_counts_are_said_to_be_unreliable():
    disk = Neighbourhoods.of(h3cells.disks([h3cells.cell_number("89195c2a5b7ffff")], 10)).disk(2)
    assert not is_reliable(np.full(disk.shape[0], 0.02), disk).any()
    assert is_reliable(np.full(disk.shape[0], 3.0), disk).all()
