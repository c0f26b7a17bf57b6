"""Does a hotspot hold when the grid is another? Three resolutions, each laid in three ways.

Counts per cell depend on where the cells happen to lie (Openshaw 1984, *The modifiable areal unit problem*). A place
that only shows on one grid is an accident of the grid.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo import cells as h3cells
from geo.exposure import Exposure, without_rim
from geo.hotspots import ALPHA, MIN_SIMULATIONS, RADIUS, hot_cells, least_simulations
from geo.neighbourhoods import Neighbourhoods
from geo.scan import null_maxima

Floats = NDArray[np.float64]

OFFSETS: Final = (0.0, 1 / 3, 2 / 3)
MIN_OVERLAP: Final = 0.5
# Above this many cells on the finest grid the checks would take minutes: they are left out, and the run says so.
MAX_CELLS: Final = 400_000


@dataclass(frozen=True)
class Grid:
    """One way to lay the grid: a resolution, and a displacement eastwards in degrees before indexing."""

    resolution: int
    shift_degrees: float


@dataclass(frozen=True)
class HotGrid:
    """Hot cells of one grid, sorted."""

    grid: Grid
    hot: h3cells.Cells


def grids(resolution: int, latitude: float) -> Iterator[Grid]:
    """Three resolutions round the chosen one, displaced by 0, 1/3 and 2/3 of a cell's spacing along the parallel."""
    for each in (resolution - 1, resolution, resolution + 1):
        spacing_m = h3cells.spacing_m(each)
        for offset in OFFSETS:
            metres_a_degree = h3cells.METRES_PER_DEGREE * np.cos(np.radians(latitude))
            yield Grid(each, offset * spacing_m / metres_a_degree)


def hot_on(
    grid: Grid,
    here: h3cells.Cells,
    times: NDArray[np.int64],
    study: h3cells.Cells,
    exposure: Exposure,
    *,
    seed: int,
    alpha: float = ALPHA,
    rim: bool = False,
) -> HotGrid:
    """Find the hot cells of one grid by the same rule as the analysis.

    Parameters
    ----------
    here : ndarray of int64, shape (n,)
        Cell of each position of records, displaced as the grid is.
    times : ndarray of int64, shape (n,)
        Records at each position.
    study : ndarray of int64
        Study cells of the grid's resolution, distinct and sorted; records outside them are added to them.
    exposure : Exposure
    seed : int
    alpha : float
    rim : bool
        Whether the study cells are two rings round the records: the rim then has no exposure.

    Notes
    -----
    The scan is made with 99 simulations, or as many as it takes for p to fall to ``alpha``.
    """
    cells = np.union1d(study, here)
    share = exposure.shares(cells, shift_degrees=grid.shift_degrees)
    around = Neighbourhoods.of(cells)
    share = without_rim(share, around) if rim else share
    comparable = around.disk(RADIUS) @ share > 0
    held = np.bincount(np.searchsorted(cells, here), times, minlength=len(cells)).astype(np.int64)
    counts = np.where(comparable, held, 0)
    simulations = max(MIN_SIMULATIONS, least_simulations(alpha))
    maxima = null_maxima(int(counts.sum()), share, around, seed=seed, simulations=simulations)
    return HotGrid(grid, cells[hot_cells(counts, share, around, maxima, alpha=alpha)])


def held_in(footprints: Sequence[h3cells.Cells], checked: Sequence[HotGrid]) -> list[int]:
    """In how many grids at least half of each footprint is hot.

    Parameters
    ----------
    footprints : sequence of ndarray of int64
        Cells of each place, at a resolution finer than any grid's.
    """
    lengths = np.asarray([len(cells) for cells in footprints])
    if not len(lengths):
        return []
    lon, lat = h3cells.centres(np.concatenate([np.asarray(cells, np.int64) for cells in footprints]))
    owner = np.repeat(np.arange(len(lengths)), lengths)
    held = np.zeros(len(lengths), np.int64)
    for one in checked:
        here = h3cells.index_points(lon + one.grid.shift_degrees, lat, one.grid.resolution)
        covered = np.bincount(owner, np.isin(here, one.hot), minlength=len(lengths))
        held += covered >= MIN_OVERLAP * lengths
    return held.tolist()


def rank_intervals(records: NDArray[np.int64], worth: Floats, *, seed: int, replicates: int = 999) -> NDArray[np.int64]:
    """95 % bootstrap interval of each place's rank, shape (n, 2).

    Parameters
    ----------
    records : ndarray of int64, shape (n,)
        Records of each place.
    worth : ndarray of float, shape (n,)
        What one record adds to the score of its place.

    Notes
    -----
    Records are drawn again among the places, as many as there are, with replacement (Efron 1979); the best place has
    rank 1, and equal scores share the better one.

    Examples
    --------
    >>> rank_intervals(np.array([90, 10]), np.ones(2), seed=0).tolist()
    [[1, 1], [2, 2]]
    """
    n, total = len(records), int(records.sum())
    if not n or not total:
        return np.ones((n, 2), np.int64)
    drawn = np.random.default_rng(seed).multinomial(total, records / total, size=replicates) * worth
    ordered = np.sort(drawn, axis=1)
    better = np.stack([n - np.searchsorted(row, own, side="right") for row, own in zip(ordered, drawn, strict=True)])
    ranks = np.quantile(better + 1, [0.025, 0.975], axis=0, method="inverted_cdf")
    return ranks.T.astype(np.int64)
