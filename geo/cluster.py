"""DBSCAN in metres, on distinct points with weights, in a canonical order.

Source: Ester, Kriegel, Sander and Xu (1996), *A density-based algorithm for discovering clusters*; clustering by
scikit-learn with ``algorithm="kd_tree"``.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
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

    labels: NDArray[np.int64]
    points_m: Floats
    weights: Floats
    point_labels: NDArray[np.int64]
    core: NDArray[np.bool_]
    inverse: NDArray[np.int64]

    @property
    def n_clusters(self) -> int:
        """Number of clusters."""
        return int(self.point_labels.max(initial=NOISE)) + 1


def dbscan(x_m: Floats, y_m: Floats, *, eps_m: float, min_weight: float, weights: Floats | None = None) -> Clustering:
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
        Weight of each row; 1 by default.

    Returns
    -------
    Clustering

    Notes
    -----
    Distinct points are sorted by (x_m, y_m); clusters are numbered by the smallest index of a core point in that
    order; a border point joins the lowest-numbered cluster with a core point within ``eps_m``. Rows on one spot share
    one point, so a stack of a thousand rows costs as much as one.

    Examples
    --------
    >>> dbscan(np.array([0, 1, 2, 900]), np.zeros(4), eps_m=5, min_weight=3).labels.tolist()
    [0, 0, 0, -1]
    """
    x_m, y_m = np.asarray(x_m, float), np.asarray(y_m, float)
    if not x_m.size:
        none = np.empty(0, np.int64)
        return Clustering(none, np.empty((0, 2)), np.empty(0), none, np.empty(0, bool), none)
    distinct, inverse = np.unique(np.column_stack([x_m, y_m]).view("c16").ravel(), return_inverse=True)
    points_m = np.column_stack([distinct.real, distinct.imag])
    total = np.bincount(inverse, weights, minlength=len(points_m)).astype(float)

    from sklearn.cluster import DBSCAN

    threshold = math.ceil(min_weight)  # scikit-learn takes a whole number; a fraction is scaled into the weights
    scaled = total * (threshold / min_weight)
    fitted = DBSCAN(eps=eps_m, min_samples=threshold, algorithm="kd_tree").fit(points_m, sample_weight=scaled)
    core = np.zeros(len(points_m), bool)
    core[fitted.core_sample_indices_] = True
    point_labels = np.asarray(fitted.labels_, np.int64)
    return Clustering(point_labels[inverse], points_m, total, point_labels, core, inverse.astype(np.int64))


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
