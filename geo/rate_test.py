"""Whether two Poisson counts have one rate.

Source: Krishnamoorthy and Thomson (2004), *A more powerful test for comparing two Poisson means* (the E-test).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import pdtr, pdtrc

from geo.errors import InvalidParameter
from geo.poisson import poisson_pmf

Floats = NDArray[np.float64]

# A count relatively this near to a bound lies on it: rounding must not break a tie.
TIE: Final = 1e-10


def check_exposures(*exposures: Floats | float) -> None:
    """Refuse an exposure of nothing."""
    for each in exposures:
        if not (np.isfinite(each) & (np.asarray(each) > 0)).all():
            raise InvalidParameter("An exposure must be a number above zero: there is no rate without one.")


def e_test(k1: int, k2: int, *, n1: float = 1.0, n2: float = 1.0, difference: float = 0.0) -> float:
    """Two-sided E-test that the rate of the first count is that of the second plus ``difference``.

    Parameters
    ----------
    k1, k2 : int
        Records on either side.
    n1, n2 : float
        Their exposures, above zero.
    difference : float
        Rate of the first less that of the second under the null; zero or more.

    Returns
    -------
    float
        1 where the common rate would be zero or less, as with no records on either side.

    Raises
    ------
    InvalidParameter
        When an exposure is not above zero or the difference is negative.

    Notes
    -----
    Krishnamoorthy and Thomson's (3.5). For each first count the second counts less extreme than ``k2`` lie between the
    roots of a quadratic, so the inner sum is two Poisson tails and the work grows with the square root of the counts.
    Ties with ``k2`` count as no less extreme; ``scipy.stats.poisson_means_test`` loses some of them to rounding.

    Examples
    --------
    >>> round(e_test(0, 3), 9)
    0.088379009
    """
    check_exposures(n1, n2)
    if not difference >= 0:
        raise InvalidParameter("The difference of the rates must be zero or more.")
    rate = (k1 + k2) / (n1 + n2) - difference * n1 / (n1 + n2)
    if rate <= 0:
        return 1.0
    mean1, mean2 = n1 * (rate + difference), n2 * rate
    square = (k1 / n1 - k2 / n2 - difference) ** 2 / (k1 / n1**2 + k2 / n2**2)
    reach = 10 * np.sqrt(mean1) + 30  # beyond it lies less than 1e-18
    x1 = np.arange(max(np.floor(mean1 - reach), 0.0), mean1 + reach)
    middle = x1 / n1 - difference + square / (2 * n2)
    inner = square * (square / (4 * n2**2) + (x1 / n1 - difference) / n2 + x1 / n1**2)
    root = np.sqrt(np.maximum(inner, 0.0))
    low, high = n2 * (middle - root), n2 * (middle + root)
    low, high = np.floor(low + TIE * (1 + np.abs(low))), np.ceil(high - TIE * (1 + np.abs(high)))
    tails = np.where(low >= 0, pdtr(np.maximum(low, 0), mean2), 0.0)
    tails += np.where(high > 0, pdtrc(np.maximum(high - 1, 0), mean2), 1.0)
    tails = np.where(inner < 0, 1.0, np.minimum(tails, 1.0))
    undefined = np.exp(-mean1 - mean2) if difference == 0 else 0.0  # nothing on either side has no statistic
    return float(np.clip(poisson_pmf(x1, mean1) @ tails - undefined, 0.0, 1.0))
