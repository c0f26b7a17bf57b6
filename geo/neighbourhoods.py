"""Who is next to whom: the rings of cells round every cell of a study area, as sparse matrices."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from geo import cells as h3cells

MAX_RADIUS = 4


@dataclass(frozen=True)
class Neighbourhoods:
    """Rings of the cells of a study area.

    Parameters
    ----------
    cells : ndarray of int64, shape (n,)
        Study cells of one resolution, distinct and sorted.
    rings : tuple of csr_array, each of shape (n, n)
        ``rings[k]`` has a one where two study cells are exactly ``k`` steps apart; ``rings[0]`` is the identity.

    Notes
    -----
    Rings end at the edge of the study area. What is counted in a window and what is expected there are summed over the
    same cells, so a window at the edge is a smaller window and no biased one.

    Examples
    --------
    >>> study = h3cells.disks([h3cells.cell_number("89195c2a5b7ffff")], 3)
    >>> Neighbourhoods.of(study).disk(1).sum(axis=1).max()
    np.float64(7.0)
    """

    cells: h3cells.Cells
    rings: tuple[sparse.csr_array, ...]

    @classmethod
    def of(cls, cells: h3cells.Cells, max_radius: int = MAX_RADIUS) -> "Neighbourhoods":
        """Rings 0 to ``max_radius`` of distinct, sorted cells of one resolution."""
        cells = np.asarray(cells, np.int64)
        position = h3cells.lattice(cells)
        if position is None:
            return cls(cells, tuple(_ring_by_walking(cells, k) for k in range(max_radius + 1)))
        finder = _Finder.of(position)
        return cls(cells, tuple(finder.ring(k) for k in range(max_radius + 1)))

    def __len__(self) -> int:
        """Return the number of study cells."""
        return len(self.cells)

    def disk(self, k: int) -> sparse.csr_array:
        """One where two study cells are at most ``k`` steps apart, shape (n, n)."""
        return self._disks[k]

    @cached_property
    def _disks(self) -> tuple[sparse.csr_array, ...]:
        disks = [self.rings[0]]
        for ring in self.rings[1:]:
            disks.append(sparse.csr_array(disks[-1] + ring))
        return tuple(disks)

    def sums(self, values: NDArray[np.float64], radii: Sequence[int]) -> list[NDArray[np.float64]]:
        """Sum of ``values`` over the disk of each radius round each cell; ``values`` is (n,) or (n, m), radii rise."""
        found, total = [], np.zeros_like(values)
        for k in range(max(radii) + 1):
            total = total + self.rings[k] @ values
            if k in radii:
                found.append(total)
        return found


@dataclass(frozen=True)
class _Finder:
    """Finds cells by their lattice coordinates, packed into one sortable number."""

    keys: NDArray[np.int64]
    order: NDArray[np.int64]

    @classmethod
    def of(cls, position: NDArray[np.int64]) -> "_Finder":
        keys = _pack(position[:, 0], position[:, 1]) if len(position) else np.empty(0, np.int64)
        order = np.argsort(keys, kind="stable")
        return cls(keys[order], order)

    def ring(self, k: int) -> sparse.csr_array:
        n = len(self.keys)
        rows, columns = [], []
        for i, j in _ring_steps(k):
            wanted = self.keys + _pack(np.int64(i), np.int64(j))
            at = np.minimum(np.searchsorted(self.keys, wanted), n - 1)
            found = np.flatnonzero(self.keys[at] == wanted) if n else at
            rows.append(self.order[found])
            columns.append(self.order[at[found]])
        return _ones(np.concatenate(rows), np.concatenate(columns), n)


def _pack(i: NDArray[np.int64] | np.int64, j: NDArray[np.int64] | np.int64) -> NDArray[np.int64]:
    return np.asarray((i << np.int64(32)) + j)


def _ring_steps(k: int) -> list[tuple[int, int]]:
    span = range(-k, k + 1)
    return [(i, j) for i in span for j in span if max(abs(i), abs(j), abs(i - j)) == k]


def _ring_by_walking(cells: h3cells.Cells, k: int) -> sparse.csr_array:
    rows, members = h3cells.ring_members(cells, k)
    at = np.minimum(np.searchsorted(cells, members), len(cells) - 1)
    inside = cells[at] == members if len(cells) else np.zeros(0, bool)
    return _ones(rows[inside], at[inside], len(cells))


def _ones(rows: NDArray[np.int64], columns: NDArray[np.int64], n: int) -> sparse.csr_array:
    """Matrix of ones in canonical form: sums are made in the same order, to the last bit, on every machine."""
    ring = sparse.csr_array((np.ones(len(rows)), (rows.astype(np.int32), columns.astype(np.int32))), shape=(n, n))
    ring.sort_indices()
    return ring
