import h3.api.numpy_int as h3
import numpy as np
import pytest

from geo import cells as h3cells
from geo.neighbourhoods import Neighbourhoods

BATH = h3cells.cell_number("89195c2a5b7ffff")
PENTAGON = int(h3.get_pentagons(5)[0])


def _ring_by_h3(cells: np.ndarray, k: int) -> np.ndarray:
    place = {int(cell): i for i, cell in enumerate(cells)}
    ring = np.zeros((len(cells), len(cells)))
    for i, cell in enumerate(cells):
        for other in h3.grid_ring(int(np.uint64(cell)), k):
            if (j := place.get(int(np.int64(other)))) is not None:
                ring[i, j] = 1
    return ring


def _ragged(seed, middle: int = BATH, radius: int = 6) -> np.ndarray:
    """A study area with holes and islands."""
    disk = h3cells.disks([middle], radius)
    return np.sort(np.random.default_rng(seed).choice(disk, len(disk) * 2 // 3, replace=False))


@pytest.mark.parametrize("k", range(5))
def test_rings_are_those_of_h3_whatever_the_shape_of_the_area(k):
    study = _ragged(1)
    assert np.array_equal(Neighbourhoods.of(study).rings[k].toarray(), _ring_by_h3(study, k))


def test_without_a_common_lattice_the_rings_are_found_by_walking():
    both = np.sort(np.concatenate([h3cells.disks([BATH], 2), h3cells.index_points([-74.0], [40.7], 9)]))
    assert h3cells.lattice(both) is None
    around = Neighbourhoods.of(both, 2)
    assert np.array_equal(around.rings[2].toarray(), _ring_by_h3(both, 2))


def test_a_pentagon_has_five_neighbours():
    study = h3cells.disks([np.int64(np.uint64(PENTAGON))], 2)
    around = Neighbourhoods.of(study, 1)
    degrees = np.asarray(around.rings[1].sum(axis=1)).ravel()
    assert degrees[study == PENTAGON] == [5]


def test_disks_add_up_rings_and_sums_are_their_products():
    study = _ragged(2)
    around = Neighbourhoods.of(study)
    values = np.random.default_rng(0).random((len(study), 3))
    for k, total in zip((0, 2, 4), around.sums(values, (0, 2, 4)), strict=True):
        assert np.allclose(total, sum(_ring_by_h3(study, j) for j in range(k + 1)) @ values)
        assert np.allclose(around.disk(k) @ values, total)


def test_no_cell_and_one_cell():
    assert Neighbourhoods.of(np.empty(0, np.int64)).disk(2).shape == (0, 0)
    assert Neighbourhoods.of(np.array([BATH])).disk(4).toarray().tolist() == [[1.0]]
