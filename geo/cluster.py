"""DBSCAN in metres, on distinct points with weights, in a canonical order.

Source: Ester, Kriegel, Sander and Xu (1996), *A density-based algorithm for discovering clusters*.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.cluster_merge import connect_strips
from geo.distinct import distinct_points
from geo.errors import InvalidParameter
from geo.model import ClusterAlgorithm

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
NOISE = -1


@dataclass(frozen=True)
class Clustering:
    """Labels of the input rows and of the distinct points behind them.

    Parameters
    ----------
    labels : ndarray of int64, shape (n,)
        Cluster of each input row; -1 is noise.
    points_m : ndarray of float, shape (m, 2)
        Distinct points, sorted by (x_m, y_m).
    weights : ndarray of float, shape (m,)
        Total weight at each distinct point.
    point_labels : ndarray of int64, shape (m,)
    core : ndarray of bool, shape (m,)
    inverse : ndarray of int64, shape (n,)
        Distinct point of each input row.
    """

    labels: Ints
    points_m: Floats
    weights: Floats
    point_labels: Ints
    core: Flags
    inverse: Ints

    @property
    def n_clusters(self) -> int:
        """Number of clusters."""
        return int(self.point_labels.max(initial=NOISE)) + 1


def dbscan(
    x_m: Floats,
    y_m: Floats,
    *,
    eps_m: float,
    min_weight: float,
    weights: Floats | None = None,
    algorithm: str = ClusterAlgorithm.GRID,
    workers: int = 1,
) -> Clustering:
    """Cluster points in metres; the answer does not depend on the order of the rows.

    Parameters
    ----------
    x_m, y_m : ndarray of float, shape (n,)
        Projected metres, finite.
    eps_m : float
        Two points are neighbours when at most this far apart.
    min_weight : float
        Weight within ``eps_m`` (its own included) that makes a point core.
    weights : ndarray of float, shape (n,), optional
        Weight of each row, not negative; 1 by default.
    algorithm : str
        Of :class:`~geo.model.ClusterAlgorithm`: the compiled grid, or scikit-learn, which it is checked against.
    workers : int
        Threads of the grid; the labels are the same for any number.

    Returns
    -------
    Clustering

    Raises
    ------
    InvalidParameter
        For coordinates that are not finite, weights below 0, a radius or threshold that is not positive, and a radius too
        small for the grid.

    Notes
    -----
    Distinct points are sorted by (x_m, y_m); clusters are numbered by the smallest index of a core point in that
    order; a border point joins the lowest-numbered cluster with a core point within ``eps_m``. Rows on one spot share
    one point, so a stack of a thousand rows costs as much as one. Weights are summed as floats: whole numbers, halves
    and the like exactly, others to rounding.

    Examples
    --------
    >>> dbscan(np.array([0, 1, 2, 900]), np.zeros(4), eps_m=5, min_weight=3).labels.tolist()
    [0, 0, 0, -1]
    """
    _refuse_what_means_nothing(x_m, y_m, eps_m=eps_m, min_weight=min_weight, weights=weights)
    x_m, y_m, inverse = distinct_points(x_m, y_m)
    weight = np.bincount(inverse, weights, minlength=len(x_m)).astype(float)
    if not len(x_m):
        labels, core = np.empty(0, np.int64), np.empty(0, bool)
    elif algorithm == ClusterAlgorithm.SKLEARN:
        points_m = np.column_stack([x_m, y_m])
        labels, core = _by_scikit_learn(points_m, weight, eps_m=eps_m, min_weight=min_weight)
    else:
        labels, core = connect_strips(x_m, y_m, weight, eps_m=eps_m, min_weight=min_weight, workers=workers)
    return Clustering(labels[inverse], np.column_stack([x_m, y_m]), weight, labels, core, inverse)


def _refuse_what_means_nothing(
    x_m: Floats, y_m: Floats, *, eps_m: float, min_weight: float, weights: Floats | None
) -> None:
    if not 0 < eps_m < math.inf:
        raise InvalidParameter(f"eps_m {eps_m:g} is not a positive number of metres.")
    if not 0 < min_weight < math.inf:
        raise InvalidParameter(f"min_weight {min_weight:g} is not a positive number.")
    if not (np.isfinite(x_m).all() and np.isfinite(y_m).all()):
        raise InvalidParameter("Coordinates to cluster are not all finite.")
    if weights is not None and not (np.isfinite(weights).all() and (np.asarray(weights) >= 0).all()):
        raise InvalidParameter("Some weights are below 0 or not finite.")


def _by_scikit_learn(points_m: Floats, weight: Floats, *, eps_m: float, min_weight: float) -> tuple[Ints, Flags]:
    from sklearn.cluster import DBSCAN

    if not weight.any():  # nothing to fit, for scikit-learn
        return np.full(len(points_m), NOISE, np.int64), np.zeros(len(points_m), bool)
    # scikit-learn takes a whole number: times a power of two every float is one, and no sum is rounded otherwise. A weight
    # beyond the threshold does what one at the threshold does, and does not overflow.
    threshold, power = float(min_weight).as_integer_ratio()
    scaled = np.ldexp(np.minimum(weight, min_weight), power.bit_length() - 1)
    fitted = DBSCAN(eps=eps_m, min_samples=threshold, algorithm="kd_tree").fit(points_m, sample_weight=scaled)
    core = np.zeros(len(points_m), bool)
    core[fitted.core_sample_indices_] = True
    return np.asarray(fitted.labels_, np.int64), core


def width_m(points_m: Floats) -> float:
    """Largest distance between two of the points, in metres."""
    if len(points_m) < 2:
        return 0.0
    from scipy.spatial import ConvexHull, QhullError
    from scipy.spatial.distance import pdist

    candidates = points_m
    if len(points_m) > 50:
        try:
            candidates = points_m[ConvexHull(points_m).vertices]  # internal only: a hull never leaves this function
        except QhullError:  # all on one line: its ends are the extremes in x or in y
            ends = [
                points_m[:, 0].argmin(),
                points_m[:, 0].argmax(),
                points_m[:, 1].argmin(),
                points_m[:, 1].argmax(),
            ]
            candidates = points_m[ends]
    return float(pdist(candidates).max())
