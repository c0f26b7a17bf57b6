"""Origin-destination pairs that run alike, without roads: density clusters of directed segments by distinct vehicles.

Source: Lee, Han and Whang (2007), *Trajectory clustering: a partition-and-group framework*.
"""

from typing import Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from geo.errors import InvalidParameter

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NOISE: Final = -1
# The perpendicular distance is a mean (a² + b²) / (a + b), of which neither a nor b exceeds this many times.
_MEAN_REACH: Final = (1 + 2**0.5) / 2 + 1e-9


def cluster_pairs(pairs: pd.DataFrame, *, eps_m: float, max_bearing_deg: float = 30.0, k: int = 3) -> Ints:
    """Cluster pairs as directed segments.

    Parameters
    ----------
    pairs : DataFrame
        ``vehicle, from_x_m, from_y_m, to_x_m, to_y_m, possible`` (projected metres); no pair of length 0.
    eps_m : float
        Greatest distance of neighbours: the sum of their perpendicular, parallel and angular distance.
    max_bearing_deg : float
        Greatest difference of the bearings of neighbours; ways there and back are different.
    k : int
        Distinct vehicles, its own included, that make a pair core.

    Returns
    -------
    ndarray of int64, shape (n,)
        Cluster of each pair, numbered from the west-most core pair on; -1 is noise, and pairs that are not possible.

    Raises
    ------
    InvalidParameter
        Where a limit is outside its meaning or a pair has length 0.

    Notes
    -----
    Density is counted in distinct vehicles and not in pairs, so that one car driving daily is never a cluster where
    ``k`` is over 1, and every cluster has at least ``k`` vehicles. A border pair joins the lowest-numbered cluster with
    a core pair near it. The labels do not depend on the order of the rows.

    Examples
    --------
    >>> trip = {
    ...     "from_x_m": 0.0,
    ...     "from_y_m": [0.0, 20.0, 40.0, 900.0],
    ...     "to_x_m": 800.0,
    ...     "to_y_m": [0.0, 20.0, 40.0, 0.0],
    ... }
    >>> cluster_pairs(pd.DataFrame(trip | {"vehicle": range(4), "possible": True}), eps_m=50).tolist()
    [0, 0, 0, -1]
    """
    if eps_m <= 0 or not 0 < max_bearing_deg <= 90 or k < 1:
        raise InvalidParameter("eps_m must be positive, max_bearing_deg at most 90 and k at least 1")
    ends_m = pairs[["from_x_m", "from_y_m", "to_x_m", "to_y_m"]].to_numpy(float)
    vehicle = pairs["vehicle"].to_numpy(np.int64)
    order = np.lexsort((vehicle, *ends_m.T[::-1]))
    order = order[pairs["possible"].to_numpy(bool)[order]]
    labels = np.full(len(pairs), NOISE, np.int64)
    if not len(order):
        return labels
    segments = ends_m[order].reshape(-1, 2, 2)
    if (segments[:, 0] == segments[:, 1]).all(axis=1).any():
        raise InvalidParameter("a pair has length 0 and so no bearing")
    one, other = _neighbours(segments, eps_m, np.radians(max_bearing_deg))
    labels[order] = _labels(one, other, pd.factorize(vehicle[order])[0], k)
    return labels


def _neighbours(segments: Floats, eps_m: float, max_angle: float) -> tuple[Ints, Ints]:
    """Both directions of every pair of segments that are neighbours, and each with itself."""
    lines = shapely.linestrings(segments)
    one, other = shapely.STRtree(lines).query(lines, predicate="dwithin", distance=eps_m * _MEAN_REACH)
    one, other = one[one < other], other[one < other]
    length_m = np.hypot(*(segments[:, 1] - segments[:, 0]).T)
    long, short = np.where(length_m[one] >= length_m[other], (one, other), (other, one))
    base = segments[long, 0]
    along = (segments[long, 1] - base) / length_m[long, None]
    heading = (segments[short, 1] - segments[short, 0]) / length_m[short, None]
    to_ends = segments[short] - base[:, None]
    off_m = np.abs(to_ends[..., 0] * along[:, None, 1] - to_ends[..., 1] * along[:, None, 0])
    at_m = (to_ends * along[:, None]).sum(axis=2)
    total_m = off_m.sum(axis=1)
    perpendicular_m = np.divide((off_m**2).sum(axis=1), total_m, out=np.zeros(len(total_m)), where=total_m > 0)
    parallel_m = np.minimum(np.abs(at_m), np.abs(at_m - length_m[long, None])).min(axis=1)
    cosine = (heading * along).sum(axis=1)
    sine = np.abs(heading[:, 0] * along[:, 1] - heading[:, 1] * along[:, 0])
    near = perpendicular_m + parallel_m + length_m[short] * sine <= eps_m
    near &= np.arctan2(sine, cosine) <= max_angle + 1e-12
    number = np.arange(len(segments))
    return (
        np.concatenate([one[near], other[near], number]).astype(np.int64),
        np.concatenate([other[near], one[near], number]).astype(np.int64),
    )


def _labels(one: Ints, other: Ints, vehicle: Ints, k: int) -> Ints:
    """Density clusters of a neighbourhood, with as many distinct vehicles as make a core."""
    count = len(vehicle)
    near = sparse.csr_array((np.ones(len(one)), (one, other)), shape=(count, count))
    owner = sparse.csr_array((np.ones(count), (np.arange(count), vehicle)), shape=(count, int(vehicle.max()) + 1))
    core = np.diff(sparse.csr_array(near @ owner).indptr) >= k
    joined = core[one] & core[other]
    links = sparse.csr_array((np.ones(joined.sum()), (one[joined], other[joined])), shape=(count, count))
    part = csgraph.connected_components(links, directed=False)[1]
    labels = np.full(count, NOISE, np.int64)
    _, first, number = np.unique(part[core], return_index=True, return_inverse=True)
    labels[core] = np.argsort(np.argsort(first))[number]
    border = ~core[one] & core[other]
    lowest = np.full(count, count)
    np.minimum.at(lowest, one[border], labels[other[border]])
    reached = lowest < count
    labels[reached] = lowest[reached]
    return labels
