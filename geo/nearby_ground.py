"""Points sorted by the squares of a grid, to be looked up by square however far apart they lie."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# The smallest square of the grid, and how many in a row a key can tell apart.
_SMALLEST_SIDE_M: Final = 50.0
_MOST_SQUARES: Final = 2**30


class Grid(NamedTuple):
    """Squares, numbered row by row from the south-west."""

    west_m: float
    south_m: float
    side_m: float
    width: int
    height: int
    leaf_bits: int


class Ground(NamedTuple):
    """Points sorted by the square that they lie in.

    Parameters
    ----------
    points_m : ndarray of float, shape (n, 2)
    key : ndarray of int64, shape (n,)
        Number of the square, ascending.
    leaf_first : ndarray of int64
        First point whose key, without its last ``leaf_bits`` bits, is at least so much: where to begin a search.
    grid : Grid
    """

    points_m: Floats
    key: Ints
    leaf_first: Ints
    grid: Grid


def lay_out(points_m: Floats, distance_m: float) -> tuple[Ground, Ints]:
    """Sort points by the squares of a grid.

    Parameters
    ----------
    points_m : ndarray of float, shape (n, 2)
        Finite metres, at least one point.
    distance_m : float
        How far from a feature points will be looked for: squares are half as wide, or 50 m.

    Returns
    -------
    Ground
    order : ndarray of int64, shape (n,)
        Which point is in each place.

    Examples
    --------
    >>> ground, order = lay_out(np.array([[0.0, 70.0], [60.0, 0.0], [0.0, 0.0]]), 10.0)
    >>> ground.key.tolist(), order.tolist()
    ([0, 1, 2], [2, 1, 0])
    """
    x_m, y_m = np.ascontiguousarray(points_m.T)
    west_m, south_m = float(x_m.min()), float(y_m.min())
    extent_m = max(float(x_m.max()) - west_m, float(y_m.max()) - south_m)
    side_m = max(distance_m / 2, _SMALLEST_SIDE_M, extent_m / _MOST_SQUARES)
    column, row = ((x_m - west_m) / side_m).astype(np.int64), ((y_m - south_m) / side_m).astype(np.int64)
    width, height = int(column.max()) + 1, int(row.max()) + 1
    key = row * width + column
    order = np.argsort(key)
    # About one leaf a point, however far apart the points are.
    leaf_bits = max(0, (width * height // len(key)).bit_length() - 1)
    leaves = np.bincount(key >> leaf_bits, minlength=(width * height >> leaf_bits) + 1)
    grid = Grid(west_m, south_m, side_m, width, height, leaf_bits)
    return Ground(points_m.take(order, axis=0), key[order], np.concatenate([[0], np.cumsum(leaves)]), grid), order
