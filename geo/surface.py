"""Kernel density at cell centres: the smooth surface analysts know, and the peer that backtests compare with.

Source: Silverman (1986), *Density estimation for statistics and data analysis*, equation 4.5 (the quartic, or biweight,
kernel); edge correction after Diggle (1985), *A kernel method for smoothing point process data*.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from geo.distinct import distinct_points

Floats = NDArray[np.float64]

BANDWIDTH_M: Final = 500.0
_BLOCK_POINTS: Final = 50_000
_LEAST_MASS: Final = 0.05


def kernel_density(
    points_m: Floats,
    weights: Floats,
    centres_m: Floats,
    *,
    cell_area_m2: Floats | float,
    bandwidth_m: float = BANDWIDTH_M,
) -> Floats:
    """Records per square kilometre at every cell centre.

    Parameters
    ----------
    points_m : ndarray of float, shape (n, 2)
        Metres.
    weights : ndarray of float, shape (n,)
    centres_m : ndarray of float, shape (m, 2)
        Centres of the study cells, in the same CRS.
    cell_area_m2 : ndarray of float, shape (m,), or float
    bandwidth_m : float
        Distance at which a record's influence ends; 500 m, fixed before any test data were seen.

    Returns
    -------
    ndarray of float, shape (m,)

    Notes
    -----
    Each density is divided by the part of the kernel that lies inside the study area, summed over its cells, so that
    the edge of the area is not mistaken for an edge of what happens.

    Examples
    --------
    >>> kernel_density(np.zeros((1, 2)), np.ones(1), np.array([[0.0, 0.0]]), cell_area_m2=1e12).round(3).tolist()
    [3.82]
    """
    tree = cKDTree(centres_m) if len(centres_m) else None
    if tree is None or not len(points_m):
        return np.zeros(len(centres_m))
    x_m, y_m, inverse = distinct_points(*points_m.T)
    distinct = np.column_stack([x_m, y_m])
    total = np.bincount(inverse, weights, minlength=len(distinct)).astype(float)
    density = np.zeros(len(centres_m))
    for start in range(0, len(distinct), _BLOCK_POINTS):
        some = slice(start, start + _BLOCK_POINTS)
        density += _kernel_sums(tree, distinct[some], total[some], bandwidth_m)
    area_m2 = np.broadcast_to(np.asarray(cell_area_m2, float), (len(centres_m),))
    mass = np.zeros(len(centres_m))
    for start in range(0, len(centres_m), _BLOCK_POINTS):
        some = slice(start, start + _BLOCK_POINTS)
        mass += _kernel_sums(tree, centres_m[some], area_m2[some], bandwidth_m)
    return density / np.clip(mass, _LEAST_MASS, 1.0) * 1e6


def _kernel_sums(tree: cKDTree, points_m: Floats, weights: Floats, bandwidth_m: float) -> Floats:
    pairs = cKDTree(points_m).sparse_distance_matrix(tree, bandwidth_m, output_type="coo_matrix")
    kernel = 3 / (np.pi * bandwidth_m**2) * (1 - (pairs.data / bandwidth_m) ** 2) ** 2
    return np.bincount(pairs.col, kernel * weights[pairs.row], minlength=tree.n).astype(float)
