"""So many records within a few weeks: how often chance gathers as many in some window of the same length.

Source: Naus (1982), *Approximations for distributions of scan statistics*.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import pdtr

from geo.poisson import poisson_pmf

Floats = NDArray[np.float64]


def scan_window_p(windows: float, expected: float, observed: int) -> float:
    """Probability that some moving window of time holds so many records or more, by chance.

    Parameters
    ----------
    windows : float
        Length of the whole time in windows, at least two.
    expected : float
        Records expected in one window.
    observed : int
        Most records in any window.

    Returns
    -------
    float
        Naus's approximation for a Poisson process; 1 where the time is shorter than two windows, where a window with so many
        records is to be expected, and for one or two records, which are no burst.

    Examples
    --------
    >>> round(scan_window_p(208, 0.6, 6), 5)
    0.03902
    """
    n = int(observed)
    if n <= max(expected, 2) or windows < 2:
        return 1.0

    def at_most(k: NDArray[np.int64] | int) -> Floats:
        return np.where(np.asarray(k) >= 0, pdtr(np.maximum(k, 0), expected), 0.0)

    def exactly(k: NDArray[np.int64] | int) -> Floats:
        return poisson_pmf(k, expected)

    below, here = at_most(n - 1), exactly(n)
    two = below**2 - (n - 1) * here * exactly(n - 2) - (n - 1 - expected) * here * at_most(n - 3)
    first = 2 * here * below * ((n - 1) * at_most(n - 2) - expected * at_most(n - 3))
    second = here**2 / 2 * (
        (n - 1) * (n - 2) * at_most(n - 3) - 2 * (n - 2) * expected * at_most(n - 4) + expected**2 * at_most(n - 5)
    )  # fmt: skip
    r = np.arange(1, n)
    third = (exactly(2 * n - r) * at_most(r - 1) ** 2).sum()
    r = np.arange(2, n)
    fourth = (exactly(2 * n - r) * exactly(r) * ((r - 1) * at_most(r - 2) - expected * at_most(r - 3))).sum()
    three = below**3 - first + second + third - fourth
    if two <= 0 or three <= 0:
        return 1.0
    return float(np.clip(1 - two * (three / two) ** (windows - 2), 0.0, 1.0))
