"""Distinct points among rows that often share one."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def distinct_points(x: Floats, y: Floats) -> tuple[Floats, Floats, Ints]:
    """Points that differ, sorted by their first and then their second coordinate.

    Parameters
    ----------
    x, y : ndarray of float, shape (n,)
        Finite coordinates of any kind; 0.0 and -0.0 are one.

    Returns
    -------
    x, y : ndarray of float, shape (m,)
    inverse : ndarray of int64, shape (n,)
        Point of each row.

    Notes
    -----
    As ``numpy.unique`` of complex numbers, which sorts pairs by comparison. Here numpy's vector sort takes the first
    coordinate alone, and the second is looked at only where equal first coordinates have different second ones.

    Examples
    --------
    >>> distinct_points(np.array([2.0, 1, 2, 2]), np.array([5.0, 0, 4, 5]))
    (array([1., 2., 2.]), array([0., 4., 5.]), array([2, 0, 1, 2]))
    """
    x, y = np.asarray(x, float) + 0.0, np.asarray(y, float) + 0.0
    order = np.argsort(x)
    tied = np.zeros(len(x) + 1, bool)
    tied[1:-1] = x[order[1:]] == x[order[:-1]]
    differing = tied[1:-1] & (y[order[1:]] != y[order[:-1]])
    if differing.any():
        run = np.cumsum(~tied[:-1]) - 1
        mixed = np.zeros(run[-1] + 1, bool)
        mixed[run[1:][differing]] = True
        at = np.flatnonzero(mixed[run])
        rows = order[at]
        order[at] = rows[np.lexsort((y[rows], x[rows]))]
    x_sorted, y_sorted = x[order], y[order]
    new = np.ones(len(x), bool)
    new[1:] = (x_sorted[1:] != x_sorted[:-1]) | (y_sorted[1:] != y_sorted[:-1])
    inverse = np.empty(len(x), np.int64)
    inverse[order] = np.cumsum(new) - 1
    return x_sorted[new], y_sorted[new], inverse
