"""Empirical-Bayes rates: a cell's own count, drawn towards its neighbourhood as far as its evidence is thin.

Source: Clayton and Kaldor (1987), *Empirical Bayes estimates of age-standardized relative risks*; the local prior mean
is that of Marshall (1991), *Mapping disease and mortality rates using empirical Bayes estimators*.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.neighbourhoods import Neighbourhoods

Floats = NDArray[np.float64]

# What the neighbourhood says weighs as much as one record. Estimating it instead (negative binomial, by maximum
# likelihood) foretold no better on three sets of real data and can lower a rate when a record is added.
PRIOR_RECORDS: Final = 1.0
RADIUS: Final = 2
# A neighbourhood is never taken to have less than this part of the area's own rate.
EVEN_PART: Final = 0.01


def shrunk_rates(
    weight: Floats,
    share: Floats,
    neighbourhoods: Neighbourhoods,
    *,
    radius: int = RADIUS,
    prior_records: float = PRIOR_RECORDS,
) -> Floats:
    """Rate of every cell relative to the whole area, drawn towards that of its window.

    Parameters
    ----------
    weight : ndarray of float, shape (n,) or (n, m)
        Records in each cell, or their weights; columns are separate maps.
    share : ndarray of float, shape (n,)
        Share of the exposure, summing to one.
    neighbourhoods : Neighbourhoods
    radius : int
        Rings of the window that gives the prior mean.

    Returns
    -------
    ndarray of float, the shape of ``weight``
        1 is the area's own rate. 0 where a cell has no exposure, or where there are no records at all.

    Notes
    -----
    A count is Poisson with mean ``rate x expected``; the rate is Gamma with the window's rate as its mean and
    ``prior_records`` as its shape. The posterior mean is ``(count + shape) / (expected + shape / mean)``. A further record
    in a cell never lowers the cell's own rate.

    Examples
    --------
    >>> study = np.array([5])
    >>> one = Neighbourhoods(study, (Neighbourhoods.of(study).rings[0],) * 3)
    >>> shrunk_rates(np.array([3.0]), np.array([1.0]), one).tolist()
    [1.0]
    """
    per_cell = (slice(None),) + (None,) * (weight.ndim - 1)
    total = weight.sum(axis=0)
    if not len(share):
        return np.zeros(weight.shape)
    expected = share[per_cell] * total
    disk = neighbourhoods.disk(radius)
    in_window, of_window = disk @ weight, (disk @ share)[per_cell] * total
    usable = (expected > 0) & (of_window > 0)
    mean = np.maximum(in_window / np.where(usable, of_window, 1.0), EVEN_PART)
    return np.where(usable, (weight + prior_records) / np.where(usable, expected + prior_records / mean, 1.0), 0.0)
