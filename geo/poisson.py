"""Probabilities of a Poisson count, without ``scipy.stats``, which takes longer to load than all else."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlogy

Floats = NDArray[np.float64]


def poisson_pmf(events: NDArray[np.int64] | int, expected: float) -> Floats:
    """Probability of just so many events, to the bit that of ``scipy.stats.poisson.pmf``.

    Examples
    --------
    >>> poisson_pmf(np.array([-1, 0, 1]), 1.0).round(3).tolist()
    [0.0, 0.368, 0.368]
    """
    k = np.maximum(events, 0)
    chance = np.clip(np.exp(xlogy(k, expected) - gammaln(k + 1) - expected), 0.0, 1.0)
    return np.where(np.asarray(events) >= 0, chance, 0.0)
