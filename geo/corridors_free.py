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
BLOCK: Final = 256  # segments compared with all others at a time: bounds the memory


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
    a core pair near it. The labels do not depend on the order of the rows. Time and memory grow with the pairs of
    distinct segments that lie near one another, at worst with the square of their number.

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
    driven = np.flatnonzero(pairs["possible"].to_numpy(bool))
    labels = np.full(len(pairs), NOISE, np.int64)
    if not len(driven):
        return labels
    # Fixed cameras give one segment over and over: it is compared once, with all its vehicles.
    distinct, number = np.unique(ends_m[driven], axis=0, return_inverse=True)
    segments, number = distinct.reshape(-1, 2, 2), number.ravel()
    if (segments[:, 0] == segments[:, 1]).all(axis=1).any():
        raise InvalidParameter("a pair has length 0 and so no bearing")
    one, other = _neighbours(segments, eps_m, np.radians(max_bearing_deg))
    vehicle = pd.factorize(pairs["vehicle"].to_numpy(np.int64)[driven])[0]
    owner = sparse.csr_array((np.ones(len(driven)), (number, vehicle)), shape=(len(segments), int(vehicle.max()) + 1))
    labels[driven] = _labels(one, other, owner, k)[number]
    return labels


def _neighbours(segments: Floats, eps_m: float, max_angle: float) -> tuple[Ints, Ints]:
    """Both directions of every pair of segments that are neighbours, and each with itself."""
    reach_m = eps_m * _MEAN_REACH
    low, high = segments.min(axis=1) - reach_m, segments.max(axis=1) + reach_m
    around, tree = shapely.box(*low.T, *high.T), shapely.STRtree(shapely.linestrings(segments))
    found = []
    for start in range(0, len(segments), BLOCK):
        one, other = tree.query(around[start : start + BLOCK]) + np.array([[start], [0]])
        one, other = one[one < other], other[one < other]
        near = _near(segments, one, other, eps_m, max_angle)
        found.append((one[near], other[near]))
    one, other = (np.concatenate(column) for column in zip(*found, strict=True))
    number = np.arange(len(segments))
    return (
        np.concatenate([one, other, number]).astype(np.int64),
        np.concatenate([other, one, number]).astype(np.int64),
    )


def _near(segments: Floats, one: Ints, other: Ints, eps_m: float, max_angle: float) -> NDArray[np.bool_]:
    """Whether the segments of each pair are neighbours."""
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
    return np.asarray(near, bool)


def _labels(one: Ints, other: Ints, owner: sparse.csr_array, k: int) -> Ints:
    """Density clusters of a neighbourhood, with as many distinct vehicles as make a core."""
    count = owner.shape[0]
    near = sparse.csr_array((np.ones(len(one)), (one, other)), shape=(count, count))
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
