"""How often does the rule raise an alarm where there is none? Asked of the user's own area, exposure and number of records."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from geo.hotspots import ALPHA, hot_cells
from geo.multinomial import multinomial
from geo.neighbourhoods import Neighbourhoods
from geo.scan import SIMULATIONS, null_maxima

Floats = NDArray[np.float64]
_BLOCK_VALUES = 4_000_000


@dataclass(frozen=True)
class Calibration:
    """Runs on pure chance, those that raised any hot cell, and the exact 95 % interval of their rate."""

    simulations: int
    false_alarms: int
    interval: tuple[float, float]

    @property
    def rate(self) -> float:
        """Return the share of runs with a false alarm."""
        return self.false_alarms / self.simulations if self.simulations else 0.0


def calibrate(
    total: int,
    share: Floats,
    neighbourhoods: Neighbourhoods,
    *,
    simulations: int,
    seed: int,
    alpha: float = ALPHA,
    scan_simulations: int = SIMULATIONS,
) -> Calibration:
    """Rerun the rule on records that fall by exposure alone.

    Parameters
    ----------
    total : int
        Records in each run: as many as the user's own.
    share : ndarray of float, shape (n,)
        The user's own exposure.
    neighbourhoods : Neighbourhoods
    simulations : int
        Runs.
    seed : int
        The null of the scan is drawn from another stream than the runs.

    Returns
    -------
    Calibration

    Examples
    --------
    >>> calibrate(0, np.ones(1), Neighbourhoods.of(np.array([0x89195C2A5B7FFFF])), simulations=3, seed=0).false_alarms
    0
    """
    of_runs, of_null = np.random.SeedSequence(seed).spawn(2)
    maxima = null_maxima(total, share, neighbourhoods, seed=of_null, simulations=scan_simulations)
    rng = np.random.default_rng(of_runs)
    alarms = 0
    block = max(1, _BLOCK_VALUES // max(len(share), 1))
    for start in range(0, simulations, block):
        draws = min(block, simulations - start)
        counts = multinomial(rng, total, share, draws) if len(share) and share.sum() > 0 else np.zeros((0, 0), np.int32)
        each = counts.T.astype(np.int64)
        alarms += sum(bool(hot_cells(one, share, neighbourhoods, maxima, alpha=alpha).any()) for one in each)
    return Calibration(simulations, alarms, rate_interval(alarms, simulations))


def rate_interval(times: int, trials: int, *, alpha: float = 0.05) -> tuple[float, float]:
    """Exact interval of a rate (Clopper and Pearson 1934).

    Examples
    --------
    >>> [round(end, 4) for end in rate_interval(0, 200)]
    [0.0, 0.0183]
    """
    low = float(betaincinv(times, trials - times + 1, alpha / 2)) if times else 0.0
    high = float(betaincinv(times + 1, trials - times, 1 - alpha / 2)) if times < trials else 1.0
    return low, high
