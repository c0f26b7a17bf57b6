"""How sure a cell's place in the order is, when positions and times are known only so well.

Source: Monte Carlo propagation of position error (Zimmerman and Li 2010, *The effects of local street network
characteristics on the positional accuracy of automated geocoding*, on why it matters).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo import cells as h3cells
from geo.cells import METRES_PER_DEGREE
from geo.indexed import cells_of
from geo.model import SIGMAS_IN_95_PERCENT_RADIUS
from geo.neighbourhoods import Neighbourhoods
from geo.shrinkage import RADIUS, shrunk_rates

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

POSITIONS: Final = 16
REPLICATES: Final = 200
TOP_SHARE: Final = 0.01
_GOLDEN_ANGLE: Final = np.pi * (3 - np.sqrt(5))
_BLOCK_VALUES: Final = 4_000_000
# Where a cell's outline is trusted: sides are straight on the plane to far less than this part of them, and a metre more.
_MARGIN: Final = 0.01
_MARGIN_M: Final = 1.0
_FINE: Final = 5
_FAR_LATITUDE, _FAR_LONGITUDE = 75.0, 179.0
_CORNERS: Final = 6


def likely_positions(lon: Floats, lat: Floats, precision_m: Floats, count: int = POSITIONS) -> tuple[Floats, Floats]:
    """Equally likely true positions round each stated one, as degrees, each of shape (n, count).

    Notes
    -----
    ``precision_m`` holds the truth with 95 % probability under an isotropic Gaussian. The positions lie on a sunflower
    spiral at the quantiles of its distance, so a handful stand for the whole distribution.

    Examples
    --------
    >>> likely_positions(np.zeros(1), np.zeros(1), np.array([100.0]))[0].shape
    (1, 16)
    """
    step = np.arange(count)
    spread_m = np.asarray(precision_m, float)[:, None] / SIGMAS_IN_95_PERCENT_RADIUS
    radius_m = spread_m * np.sqrt(-2 * np.log1p(-(step + 0.5) / count))
    angle = step * _GOLDEN_ANGLE
    north = np.asarray(lat, float)[:, None] + radius_m * np.sin(angle) / METRES_PER_DEGREE
    metres_east = METRES_PER_DEGREE * np.cos(np.radians(np.asarray(lat, float)))[:, None]
    return np.asarray(lon, float)[:, None] + radius_m * np.cos(angle) / metres_east, north


def likely_cells(lon: Floats, lat: Floats, precision_m: Floats, resolution: int, *, workers: int = 1) -> h3cells.Cells:
    """Cell of each of the equally likely positions round each stated one, shape (n, ``POSITIONS``).

    Parameters
    ----------
    lon, lat, precision_m : ndarray of float, shape (n,)
        WGS 84 degrees and metres.
    resolution : int
    workers : int
        Threads; the cells are the same for any number.

    Notes
    -----
    The cells of :func:`likely_positions`, of which only those are worked out that may lie beyond the stated position's own
    cell: the farthest of them is further off than the cell's nearest side, less a margin.

    Examples
    --------
    >>> len(set(likely_cells(np.array([-2.36]), np.array([51.38]), np.array([1.0]), 9)[0].tolist()))
    1
    """
    lon, lat, precision_m = (np.asarray(one, float) for one in (lon, lat, precision_m))
    own = cells_of(lon, lat, resolution, workers=workers)
    found = np.repeat(own[:, None], POSITIONS, axis=1)
    farthest_m = precision_m / SIGMAS_IN_95_PERCENT_RADIUS * np.sqrt(-2 * np.log(0.5 / POSITIONS))
    beyond = np.flatnonzero(~(farthest_m < _room_m(lon, lat, own, resolution)))
    if len(beyond):
        east, north = likely_positions(lon[beyond], lat[beyond], precision_m[beyond])
        there = cells_of(east.ravel(), north.ravel(), resolution, workers=workers)
        found[beyond] = there.reshape(-1, POSITIONS)
    return found


def _room_m(lon: Floats, lat: Floats, own: h3cells.Cells, resolution: int) -> Floats:
    """Metres within which everything round a position surely lies in its own cell; 0 where that cannot be said."""
    if resolution < _FINE or not len(own):
        return np.zeros(len(own))
    from geo.uncertainty_kernel import room_m

    cells, cell = np.unique(own, return_inverse=True)
    outlines = h3cells.boundaries(cells)
    corners, first = shapely.get_coordinates(outlines), shapely.get_num_coordinates(outlines)
    usual = first == _CORNERS + 1
    hexagons = np.zeros((len(cells), _CORNERS, 2))
    hexagons[usual] = corners[np.repeat(usual, first)].reshape(-1, _CORNERS + 1, 2)[:, :-1]
    trusted = usual[cell] & (np.abs(lat) < _FAR_LATITUDE) & (np.abs(lon) < _FAR_LONGITUDE)
    nearest_m = np.zeros(len(own))
    nearest_m[trusted] = room_m(lon[trusted], lat[trusted], cell[trusted], hexagons, METRES_PER_DEGREE)
    side_m = h3cells.spacing_m(resolution) / 3**0.5
    return np.where(trusted, nearest_m - _MARGIN * side_m - _MARGIN_M, 0.0)


def top_probability(
    positions: NDArray[np.int64],
    inside: Floats,
    share: Floats,
    neighbourhoods: Neighbourhoods,
    *,
    seed: int,
    which: Ints | None = None,
    top_share: float = TOP_SHARE,
    replicates: int = REPLICATES,
) -> Floats:
    """Probability that each cell is among the top of the area, shape (n,).

    Parameters
    ----------
    positions : ndarray of int64, shape (m, draws)
        Study cell of each equally likely position of each stated one; -1 outside the area. What has no exposure in its
        whole window counts as outside.
    inside : ndarray of float, shape (records,)
        Probability that the record happened within the period.
    share : ndarray of float, shape (n,)
        Share of the exposure.
    seed : int
    which : ndarray of int64, shape (records,), optional
        Stated position of each record; by default each has its own.
    top_share : float
        Part of the cells that is the top, at least one cell.

    Returns
    -------
    ndarray of float
        Share of replicates in which the cell's shrunk rate is among the highest, and above the area's own. Cells equal
        to the last of the top are all in it.
    """
    n, records = len(share), len(inside)
    if not n or not records:
        return np.zeros(n)
    rng = np.random.default_rng(seed)
    comparable = np.append(neighbourhoods.disk(RADIUS) @ share > 0, False)  # the last stands for outside the area
    near = np.where(comparable[positions], positions, -1).astype(np.int32)
    draw = _Draw.of(near, np.arange(records) if which is None else which, inside, n)
    top, times = max(1, round(n * top_share)), np.zeros(n)
    block = max(1, min(replicates, _BLOCK_VALUES // max(n, records)))
    for start in range(0, replicates, block):
        counts = draw.counts(rng, min(block, replicates - start))
        rates = shrunk_rates(counts, share, neighbourhoods)
        least = np.partition(rates, n - top, axis=0)[n - top]
        times += ((rates >= least) & (rates > 1.0)).sum(axis=1)
    return times / replicates


@dataclass(frozen=True)
class _Draw:
    """Draws where each record was and whether within the period; what is the same in every draw is counted once.

    Parameters
    ----------
    always : ndarray of float, shape (n,)
        Records in each cell that are there in every draw.
    records : int
    rows : ndarray of int64, shape (r,)
        The other records.
    positions : ndarray of int32, shape (m, draws)
    which : ndarray of int64, shape (r,)
        Stated position of each of them.
    inside : ndarray of float, shape (records,), or None
        None where every record is surely within the period.
    """

    always: Floats
    records: int
    rows: Ints
    positions: NDArray[np.int32]
    which: Ints
    inside: Floats | None

    @classmethod
    def of(cls, positions: NDArray[np.int32], which: Ints, inside: Floats, cells: int) -> "_Draw":
        sure = inside >= 1.0
        fixed = (positions == positions[:, :1]).all(axis=1)[which] & sure
        cell = positions[:, 0][which[fixed]]
        always = np.bincount(cell[cell >= 0], minlength=cells).astype(float)
        rows = np.flatnonzero(~fixed)
        kept, which = np.unique(which[rows], return_inverse=True)
        return cls(always, len(inside), rows, positions[kept], which, None if sure.all() else inside)

    def counts(self, rng: np.random.Generator, draws: int) -> Floats:
        """Records in each cell in so many draws, shape (n, draws)."""
        from geo.uncertainty_kernel import count_certain, count_draws

        counts = np.repeat(self.always[:, None], draws, axis=1)
        picked = rng.integers(0, self.positions.shape[1], (draws, self.records))
        if self.inside is None:
            _skip(rng, picked.size)
            count_certain(self.positions, self.rows, self.which, picked, counts)
        else:
            count_draws(self.positions, self.rows, self.which, picked, rng.random(picked.shape), self.inside, counts)
        return counts


def _skip(rng: np.random.Generator, count: int) -> None:
    """Leave out so many draws of :meth:`~numpy.random.Generator.random`: what follows is the same as after them."""
    bits = rng.bit_generator
    before = bits.state
    bits.advance(count)  # type: ignore[attr-defined]  # PCG64 can, and forgets the half of a number that it has left
    bits.state = {**bits.state, "has_uint32": before["has_uint32"], "uinteger": before["uinteger"]}
