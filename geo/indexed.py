"""The cells of rows that often share a position, each position indexed once a grid."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from geo import cells as h3cells
from geo.distinct import distinct_points

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Fewer positions than this are not worth a second thread.
_POSITIONS_A_WORKER = 100_000


@dataclass(frozen=True)
class Indexed:
    """Distinct positions of some rows; what cells they lie in is remembered by resolution and displacement.

    Parameters
    ----------
    lon, lat : ndarray of float, shape (m,)
        WGS 84 degrees, sorted.
    inverse : ndarray of int64, shape (n,)
        Position of each row.
    workers : int
        Threads; the cells are the same for any number.

    Examples
    --------
    >>> at = Indexed.of(np.array([-2.36, -2.0, -2.36]), np.array([51.38, 51.0, 51.38]))
    >>> len(at.lon), at.times.tolist(), h3cells.cell_text(at.cells(9))[0][:4]
    (2, [2, 1], '8919')
    """

    lon: Floats
    lat: Floats
    inverse: Ints
    workers: int = 1
    _known: dict[tuple[int, float], h3cells.Cells] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, lon: Floats, lat: Floats, *, workers: int = 1) -> "Indexed":
        """Find the distinct positions of rows."""
        return cls(*distinct_points(lon, lat), workers)

    @cached_property
    def times(self) -> Ints:
        """Rows at each position, shape (m,)."""
        return np.bincount(self.inverse, minlength=len(self.lon))

    def distinct_cells(self, resolution: int, shift_degrees: float = 0.0) -> h3cells.Cells:
        """Cell of each position, displaced eastwards, shape (m,)."""
        asked = (resolution, shift_degrees)
        if asked not in self._known:
            self._known[asked] = cells_of(self.lon + shift_degrees, self.lat, resolution, workers=self.workers)
        return self._known[asked]

    def cells(self, resolution: int) -> h3cells.Cells:
        """Cell of each row, shape (n,)."""
        return self.distinct_cells(resolution)[self.inverse]


def cells_of(lon: Floats, lat: Floats, resolution: int, *, workers: int = 1) -> h3cells.Cells:
    """Cell of each point, as :func:`geo.cells.index_points`, by several threads where there are many."""
    parts = min(workers, len(lon) // _POSITIONS_A_WORKER)
    if parts < 2:
        return h3cells.index_points(lon, lat, resolution)
    h3cells.index_points(lon[:1], lat[:1], resolution)  # loops are compiled once, before threads ask for them
    with ThreadPoolExecutor(parts) as pool:
        done = pool.map(
            lambda east, north: h3cells.index_points(east, north, resolution),
            np.array_split(lon, parts),
            np.array_split(lat, parts),
        )
        return np.concatenate(list(done))
