"""Near repeats: records close in space that are also close in time, and how often chance alone makes them.

Sources: Knox (1964), *The detection of space-time interactions*; Johnson et al. (2007), *Space-time patterns of risk: a
cross national assessment of residential burglary victimization*; Monte Carlo p-values as Dwass (1957).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.special import gammainc

from geo.errors import InvalidParameter

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_DAY_US: Final = 86_400_000_000
# Permuting the times of more near pairs than this takes longer than an analysis may.
MAX_PAIRS: Final = 2_000_000


@dataclass(frozen=True)
class NearRepeatTable:
    """Pairs of records by distance and time gap, arrays of shape (s, t).

    Parameters
    ----------
    space_labels, time_labels : tuple of str, length s and t
        Bands are half-open: ``0 to under 100 m``.
    observed : ndarray of int64
        Pairs of records in both bands; each pair counts once.
    expected : ndarray of float
        Product of the margins: pairs in the space band times the share of all pairs in the time band.
    simulated : ndarray of float
        Mean of the permutations, which tends to ``expected``.
    ratio : ndarray of float
        Observed over expected; 0 where nothing is expected (see ``tested``).
    p_value : ndarray of float
        Share of {permutations, the records themselves} with at least as many pairs.
    tested : ndarray of bool
        False where one of the bands has no pairs: there is nothing to compare, and p is 1.
    permutations : int
    """

    space_labels: tuple[str, ...]
    time_labels: tuple[str, ...]
    observed: Ints
    expected: Floats
    simulated: Floats
    ratio: Floats
    p_value: Floats
    tested: NDArray[np.bool_]
    permutations: int


@dataclass(frozen=True)
class KnoxTest:
    """Pairs within one distance and one time gap.

    Parameters
    ----------
    observed : int
        Pairs near in both.
    expected : float
        Pairs near in space times the share of all pairs near in time.
    p_value : float
        Poisson probability of ``observed`` pairs or more; 1 where nothing is expected.
    p_above : float
        Poisson probability of more than ``observed`` pairs, which pointpats prints as the p-value; 1 where nothing is expected.
    """

    observed: int
    expected: float
    p_value: float
    p_above: float


def knox_table(
    x_m: Floats,
    y_m: Floats,
    at_us: Ints,
    *,
    space_bands_m: Sequence[float],
    time_bands_days: Sequence[float],
    permutations: int,
    seed: int,
) -> NearRepeatTable:
    """Count pairs of records by bands of distance and time, and compare with times dealt out at random.

    Parameters
    ----------
    x_m, y_m : ndarray of float, shape (n,)
        Projected metres, finite.
    at_us : ndarray of int64, shape (n,)
        Microseconds UTC: the midpoint of each record's interval.
    space_bands_m : sequence of float, length s + 1
        Rising edges from 0 or more; band k is [edge k, edge k + 1).
    time_bands_days : sequence of float, length t + 1
        Rising edges from 0 or more, in times of 24 hours.
    permutations : int
        1 or more.
    seed : int

    Returns
    -------
    NearRepeatTable

    Raises
    ------
    InvalidParameter
        When edges do not rise from 0 or more, or more than ``MAX_PAIRS`` pairs lie within the last distance.

    Notes
    -----
    Places stay and times are permuted among the records, in the order of (x_m, y_m, at_us), so the answer does not depend
    on the order of the rows. Each cell has its own p-value: many cells need a correction. A record known only by its
    month has no time that this could use: the caller leaves it out. Gaps are elapsed time; two midday moments on both
    sides of a clock change are an hour more or less than whole days apart.

    Examples
    --------
    >>> x_m, at_us = np.array([0, 50, 5000, 5050.0]), np.array([0, 1, 40, 41]) * 86_400_000_000
    >>> table = knox_table(
    ...     x_m, np.zeros(4), at_us, space_bands_m=[0, 100], time_bands_days=[0, 7, 14], permutations=99, seed=1
    ... )
    >>> table.time_labels, table.observed.tolist(), table.expected.round(2).tolist()
    (('0 to under 7 days', '7 to under 14 days'), [[2, 0]], [[0.67, 0.0]])
    """
    edges_m, edges_days = _rising("space_bands_m", space_bands_m), _rising("time_bands_days", time_bands_days)
    edges_us = _rising("time_bands_days", np.rint(edges_days * _DAY_US)).astype(np.int64)
    if permutations < 1:
        raise InvalidParameter(f"permutations is {permutations}; it must be 1 or more")
    x_m, y_m, at_us = _in_order(x_m, y_m, at_us)
    i, j, square_m2 = _pairs_within(x_m, y_m, float(edges_m[-1]))
    band = np.searchsorted(edges_m**2, square_m2, side="right")  # 0 below the first edge, s + 1 at the last
    order = np.lexsort((j, i, band))
    cuts = np.searchsorted(band[order], np.arange(1, len(edges_m) + 1))
    i, j, cuts = i[order][cuts[0] : cuts[-1]], j[order][cuts[0] : cuts[-1]], cuts - cuts[0]
    observed = _count(at_us, i, j, cuts, edges_us)
    expected = np.outer(np.diff(cuts), np.diff(_pairs_in_time(at_us, edges_us))) / max(_all_pairs(len(at_us)), 1)
    rng = np.random.default_rng(seed)
    total, reached = np.zeros_like(observed), np.zeros_like(observed)
    for _ in range(permutations):
        found = _count(rng.permutation(at_us), i, j, cuts, edges_us)
        total += found
        reached += found >= observed
    tested = expected > 0
    ratio = np.divide(observed, expected, out=np.zeros_like(expected), where=tested)
    return NearRepeatTable(
        band_labels(edges_m, "m"), band_labels(edges_days, "days"), observed, expected, total / permutations, ratio,
        (reached + 1) / (permutations + 1), tested, permutations,
    )  # fmt: skip


def knox_test(x_m: Floats, y_m: Floats, at_us: Ints, *, delta_m: float, tau_days: float) -> KnoxTest:
    """Test pairs at most ``delta_m`` and at most ``tau_days`` apart against the product of the margins.

    Parameters
    ----------
    x_m, y_m : ndarray of float, shape (n,)
        Projected metres, finite.
    at_us : ndarray of int64, shape (n,)
        Microseconds UTC.
    delta_m, tau_days : float
        Thresholds, 0 or more; unlike the ends of bands they are inclusive, as Knox's are.

    Returns
    -------
    KnoxTest

    Raises
    ------
    InvalidParameter
        When a threshold is below 0, or more than ``MAX_PAIRS`` pairs lie within ``delta_m``.

    Notes
    -----
    The Poisson approximation is Knox's own and holds where near pairs are few among all pairs.

    Examples
    --------
    >>> x_m, at_us = np.array([0, 50, 5000, 5050.0]), np.array([0, 1, 40, 41]) * 86_400_000_000
    >>> found = knox_test(x_m, np.zeros(4), at_us, delta_m=50, tau_days=1)
    >>> found.observed, round(found.expected, 4), round(found.p_value, 4)
    (2, 0.6667, 0.1443)
    """
    if not (0 <= delta_m < np.inf and 0 <= tau_days < np.inf):
        raise InvalidParameter("delta_m and tau_days are finite and 0 or more; correct them")
    x_m, y_m, at_us = _in_order(x_m, y_m, at_us)
    i, j, square_m2 = _pairs_within(x_m, y_m, delta_m)
    near = square_m2 <= delta_m * delta_m
    past_us = np.array([round(tau_days * _DAY_US) + 1])  # the first gap that is too long
    observed = int(np.count_nonzero(np.abs(at_us[i] - at_us[j])[near] < past_us))
    expected = float(np.count_nonzero(near) * _pairs_in_time(at_us, past_us)[0] / max(_all_pairs(len(at_us)), 1))
    p_value = float(gammainc(observed, expected)) if observed else 1.0
    p_above = float(gammainc(observed + 1, expected)) if expected else 1.0
    return KnoxTest(observed, expected, p_value, p_above)


def pairs_at_least(x_m: Floats, y_m: Floats, reach_m: float) -> int:
    """Count the pairs that lie within reach of each other because they share a square, without looking at any.

    Parameters
    ----------
    x_m, y_m : ndarray of float, shape (n,)
        Projected metres, finite.
    reach_m : float
        Above 0.

    Notes
    -----
    Squares have a diagonal just below the reach. Where they alone hold more than ``MAX_PAIRS``, :func:`knox_table` refuses
    the records, and counting how many pairs there are would take longer the more there are.

    Examples
    --------
    >>> pairs_at_least(np.array([0.0, 1, 2, 500]), np.zeros(4), 100.0)
    3
    """
    if not len(x_m):
        return 0
    side_m = reach_m / np.sqrt(2) * (1 - 1e-6)
    column, row = (np.floor((one - one.min()) / side_m).astype(np.int64) for one in (x_m, y_m))
    _, held = np.unique(column * (int(row.max()) + 1) + row, return_counts=True)
    return int((held * (held - 1) // 2).sum())


def band_labels(edges: Sequence[float] | Floats, unit: str) -> tuple[str, ...]:
    """Words for half-open bands.

    Examples
    --------
    >>> band_labels([0, 100, 250.5, 1000], "m")
    ('0 to under 100 m', '100 to under 250.5 m', '250.5 to under 1000 m')
    """
    words = [np.format_float_positional(edge, trim="-") for edge in np.asarray(edges, float)]
    return tuple(f"{low} to under {high} {unit}" for low, high in pairwise(words))


def _rising(name: str, edges: Sequence[float] | Floats) -> Floats:
    found = np.asarray(edges, float)
    if (
        found.ndim != 1
        or len(found) < 2
        or not (np.isfinite(found).all() and found[0] >= 0 and (np.diff(found) > 0).all())
    ):
        raise InvalidParameter(f"{name} must be two or more edges that rise from 0 or more; got {list(edges)}")
    return found


def _in_order(x_m: Floats, y_m: Floats, at_us: Ints) -> tuple[Floats, Floats, Ints]:
    x_m, y_m, at_us = np.asarray(x_m, float), np.asarray(y_m, float), np.asarray(at_us, np.int64)
    order = np.lexsort((at_us, y_m, x_m))
    return x_m[order], y_m[order], at_us[order]


def _all_pairs(count: int) -> int:
    return count * (count - 1) // 2


def _pairs_within(x_m: Floats, y_m: Floats, reach_m: float) -> tuple[Ints, Ints, Floats]:
    """Both ends and squared distance of the pairs within reach; rounding may let in some just beyond."""
    if len(x_m) < 2:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    tree = cKDTree(np.column_stack([x_m, y_m]))
    reach_m *= 1 + 1e-9
    near = (int(tree.count_neighbors(tree, reach_m)) - len(x_m)) // 2
    if near > MAX_PAIRS:
        raise InvalidParameter(
            f"{near} pairs of records lie within {reach_m:.0f} m and {MAX_PAIRS} can be compared; "
            "take a shorter distance, a smaller area or a shorter time"
        )
    i, j = tree.query_pairs(reach_m, output_type="ndarray").T
    east_m, north_m = x_m[i] - x_m[j], y_m[i] - y_m[j]
    return i, j, east_m * east_m + north_m * north_m


def _pairs_in_time(at_us: Ints, edges_us: Ints) -> Ints:
    """Pairs of records less than each edge apart in time."""
    at_us = np.sort(at_us)
    after = np.arange(1, len(at_us) + 1)
    within = [np.maximum(np.searchsorted(at_us, at_us + edge) - after, 0).sum() for edge in edges_us]
    return np.asarray(within, np.int64)


def _count(at_us: Ints, i: Ints, j: Ints, cuts: Ints, edges_us: Ints) -> Ints:
    """Pairs by band of space (runs between ``cuts``) and band of time."""
    gap_us = np.abs(at_us[i] - at_us[j])
    runs = [gap_us[start:end] for start, end in pairwise(cuts)]
    below = np.array([[np.count_nonzero(run < edge) for edge in edges_us] for run in runs], np.int64)
    return below[:, 1:] - below[:, :-1]
