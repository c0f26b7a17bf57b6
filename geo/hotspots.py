"""The rule: a cell is hot when its window stands out by the exact test and the scan finds it beyond chance anywhere.

The exact test alone, with its false discovery rate controlled, raises a cell far from any true hotspot in one map of four
where true hotspots exist; with the scan it is seven in a thousand (``benchmarks/bench_calibration.py``).
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.local_g import gi_star, is_reliable
from geo.neighbourhoods import Neighbourhoods
from geo.scan import SIMULATIONS, Scan, best_windows, family_wise_p, null_maxima
from geo.shrinkage import shrunk_rates
from geo.significance import WindowTest, exact_test

Floats = NDArray[np.float64]

RADIUS: Final = 2
ALPHA: Final = 0.05
MIN_SIMULATIONS: Final = 99
# Cells times simulations that a scan may cost: some five seconds on one core.
MAX_CELL_SIMULATIONS: Final = 60_000_000


@dataclass(frozen=True)
class Hotspots:
    """What the statistics say of every study cell, arrays of shape (n,).

    Parameters
    ----------
    test : WindowTest
        Of the window of two rings.
    scan : Scan
    hot : ndarray of bool
    rate : ndarray of float
        Shrunk rate relative to the whole area.
    gi_star_z : ndarray of float
    gi_star_reliable : ndarray of bool
    """

    test: WindowTest
    scan: Scan
    hot: NDArray[np.bool_]
    rate: Floats
    gi_star_z: Floats
    gi_star_reliable: NDArray[np.bool_]


def find_hotspots(
    counts: NDArray[np.int64],
    share: Floats,
    neighbourhoods: Neighbourhoods,
    *,
    seed: int,
    alpha: float = ALPHA,
    simulations: int = SIMULATIONS,
) -> Hotspots:
    """Say of every cell of a study area whether it is hot, and all that stands behind it.

    Parameters
    ----------
    counts : ndarray of int64, shape (n,)
        Records in each cell. Those in cells whose whole window has no exposure are compared with nothing.
    share : ndarray of float, shape (n,)
        Share of the exposure, summing to one (or all zero: then nothing is tested).
    neighbourhoods : Neighbourhoods
    seed : int
    alpha : float
        Of the false discovery rate and of the family-wise error.
    simulations : int
        Of the scan; fewer where the area is so large that they would take minutes (see :func:`affordable`).

    Returns
    -------
    Hotspots
    """
    simulations = affordable(len(neighbourhoods), simulations, alpha=alpha)
    disk = neighbourhoods.disk(RADIUS)
    comparable = np.where(disk @ share > 0, counts, 0)
    total = int(comparable.sum())
    test = window_test(comparable, share, neighbourhoods)
    ratio, radius = best_windows(comparable, share, neighbourhoods)
    maxima = null_maxima(total, share, neighbourhoods, seed=seed, simulations=simulations)
    scan = Scan(ratio, radius, family_wise_p(ratio, maxima), simulations)
    values = comparable.astype(float)
    return Hotspots(
        test=test,
        scan=scan,
        hot=(test.q_value <= alpha) & (scan.p_value <= alpha),
        rate=shrunk_rates(values, share, neighbourhoods),
        gi_star_z=gi_star(values, disk, binary=True),
        gi_star_reliable=is_reliable(values, disk),
    )


def hot_cells(
    counts: NDArray[np.int64], share: Floats, neighbourhoods: Neighbourhoods, maxima: Floats, *, alpha: float = ALPHA
) -> NDArray[np.bool_]:
    """Hot or not alone, against null maxima made before; the scan is only made where the exact test finds something."""
    hot = window_test(counts, share, neighbourhoods).q_value <= alpha
    if hot.any():
        ratio, _ = best_windows(counts, share, neighbourhoods)
        hot &= family_wise_p(ratio, maxima) <= alpha
    return hot


def window_test(counts: NDArray[np.int64], share: Floats, neighbourhoods: Neighbourhoods) -> WindowTest:
    """Test the window of two rings round every cell."""
    disk = neighbourhoods.disk(RADIUS)
    observed = np.rint(disk @ counts.astype(float)).astype(np.int64)
    return exact_test(observed, disk @ share, int(counts.sum()))


def affordable(cells: int, simulations: int, *, alpha: float = ALPHA) -> int:
    """Fewer simulations where the area is very large: at least 99, and enough for p to fall to ``alpha`` at all."""
    least = min(simulations, max(MIN_SIMULATIONS, least_simulations(alpha)))
    return max(least, min(simulations, MAX_CELL_SIMULATIONS // max(cells, 1)))


def least_simulations(alpha: float) -> int:
    """Simulations without which no p-value is as small as ``alpha``.

    Examples
    --------
    >>> least_simulations(0.05), least_simulations(0.001)
    (19, 999)
    """
    return math.ceil(1 / alpha - 1e-9) - 1
