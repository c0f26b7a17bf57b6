"""How sure a cell's place in the order is, when positions and times are known only so well.

Source: Monte Carlo propagation of position error (Zimmerman and Li 2010, *The effects of local street network
characteristics on the positional accuracy of automated geocoding*, on why it matters).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.cells import METRES_PER_DEGREE
from geo.model import SIGMAS_IN_95_PERCENT_RADIUS
from geo.neighbourhoods import Neighbourhoods
from geo.shrinkage import RADIUS, shrunk_rates

Floats = NDArray[np.float64]

POSITIONS: Final = 16
REPLICATES: Final = 200
TOP_SHARE: Final = 0.01
_GOLDEN_ANGLE: Final = np.pi * (3 - np.sqrt(5))
_BLOCK_VALUES: Final = 4_000_000


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


def top_probability(
    positions: NDArray[np.int64],
    inside: Floats,
    share: Floats,
    neighbourhoods: Neighbourhoods,
    *,
    seed: int,
    top_share: float = TOP_SHARE,
    replicates: int = REPLICATES,
) -> Floats:
    """Probability that each cell is among the top of the area, shape (n,).

    Parameters
    ----------
    positions : ndarray of int64, shape (records, draws)
        Study cell of each equally likely position of each record; -1 outside the area. What has no exposure in its whole
        window counts as outside.
    inside : ndarray of float, shape (records,)
        Probability that the record happened within the period.
    share : ndarray of float, shape (n,)
        Share of the exposure.
    seed : int
    top_share : float
        Part of the cells that is the top, at least one cell.

    Returns
    -------
    ndarray of float
        Share of replicates in which the cell's shrunk rate is among the highest, and above the area's own. Cells equal
        to the last of the top are all in it.
    """
    n, records = len(share), len(positions)
    if not n or not records:
        return np.zeros(n)
    rng = np.random.default_rng(seed)
    comparable = np.append(neighbourhoods.disk(RADIUS) @ share > 0, False)  # the last stands for outside the area
    positions = np.where(comparable[positions], positions, -1)
    top, times = max(1, round(n * top_share)), np.zeros(n)
    block = max(1, min(replicates, _BLOCK_VALUES // max(n, records)))
    for start in range(0, replicates, block):
        draws = min(block, replicates - start)
        drawn = positions[np.arange(records), rng.integers(0, positions.shape[1], (draws, records))]
        drawn = np.where(rng.random((draws, records)) < inside, drawn, -1)
        where, column = drawn.ravel(), np.repeat(np.arange(draws), records)
        flat = where[where >= 0] * draws + column[where >= 0]
        rates = shrunk_rates(
            np.bincount(flat, minlength=n * draws).reshape(n, draws).astype(float), share, neighbourhoods
        )
        least = np.partition(rates, n - top, axis=0)[n - top]
        times += ((rates >= least) & (rates > 1.0)).sum(axis=1)
    return times / replicates
