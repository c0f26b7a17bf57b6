"""Getis-Ord Gi*, given for exchange with other tools; Lapwing decides by the exact tests instead.

Source: Ord and Getis (1995), *Local spatial autocorrelation statistics*, equation 14. On sparse counts its z-scores are
far from normal: with 30 to 500 random incidents in 3,367 cells it raises false hotspots in 71 to 100 % of maps.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]

MIN_NEIGHBOURS: Final = 8
MIN_EXPECTED: Final = 5.0


def gi_star(values: Floats, weights: sparse.csr_array, *, binary: bool = False) -> Floats:
    """z-score of the weighted sum round each cell, itself included.

    Parameters
    ----------
    values : ndarray of float, shape (n,)
    weights : csr_array, shape (n, n)
        Neighbours with the cell itself.
    binary : bool
        Whether every weight is known to be one, as in a disk: their sums are then only counted.

    Returns
    -------
    ndarray of float, shape (n,)
        Zero where there is no variance to compare with: all values equal, or a window of every cell.

    Examples
    --------
    >>> gi_star(np.array([0.0, 0.0, 3.0]), sparse.csr_array(np.eye(3))).round(3).tolist()
    [-0.707, -0.707, 1.414]
    """
    values = np.asarray(values, float)
    n = len(values)
    if n < 2:
        return np.zeros(n)
    mean, deviation = values.mean(), values.std()
    if deviation <= 1e-12 * abs(mean):
        return np.zeros(n)
    of_weights, of_squares = _row_sums(weights, binary)
    z = weights @ values
    z -= mean * of_weights
    spread = n * of_squares
    spread -= of_weights**2
    flat = spread <= 1e-9 * n * of_squares
    spread[flat] = 1.0
    np.sqrt(spread, out=spread)
    z /= spread
    z *= np.sqrt(n - 1) / deviation
    z[flat] = 0.0
    return z


def _row_sums(weights: sparse.csr_array, binary: bool) -> tuple[Floats, Floats]:
    """Sums of the weights and of their squares."""
    if binary:
        counted = np.diff(weights.indptr).astype(float)
        return counted, counted
    squares = sparse.csr_array((weights.data**2, weights.indices, weights.indptr), shape=weights.shape)
    return weights.sum(axis=1), squares.sum(axis=1)


def is_reliable(values: Floats, weights: sparse.csr_array) -> NDArray[np.bool_]:
    """Whether the normal approximation behind the z-score can be trusted: eight neighbours and five expected at least."""
    cells_inside = np.diff(weights.indptr)
    mean = float(np.mean(values)) if len(values) else 0.0
    return (cells_inside > MIN_NEIGHBOURS) & (mean * cells_inside >= MIN_EXPECTED)
