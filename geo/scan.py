"""The spatial scan statistic: whether the most striking window of all is more striking than chance makes somewhere.

Source: Kulldorff (1997), *A spatial scan statistic*, Poisson model, windows of whole rings round each cell, conditional
on the number of records; the family-wise p-value is Monte Carlo (Dwass 1957).
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from geo.multinomial import multinomial
from geo.neighbourhoods import Neighbourhoods

Floats = NDArray[np.float64]

RADII: Final = (0, 1, 2, 3, 4)
SIMULATIONS: Final = 999
# So many simulations share a stream of random numbers, whatever the machine: streams are drawn and scanned side by side.
_DRAWS_A_STREAM: Final = 128


@dataclass(frozen=True)
class Scan:
    """The best window of every cell and how chance compares, arrays of shape (n,).

    Parameters
    ----------
    log_likelihood_ratio : ndarray of float
        Largest over the radii; 0 where no window round the cell holds more than expected.
    radius : ndarray of int64
        Radius of that window in rings.
    p_value : ndarray of float
        Family-wise: share of null simulations whose largest ratio anywhere is at least this one, counting this one.
    simulations : int
    """

    log_likelihood_ratio: Floats
    radius: NDArray[np.int64]
    p_value: Floats
    simulations: int


def scan(
    counts: NDArray[np.int64],
    share: Floats,
    neighbourhoods: Neighbourhoods,
    *,
    seed: int,
    simulations: int = SIMULATIONS,
) -> Scan:
    """Scan a study area with windows of 0 to 4 rings.

    Parameters
    ----------
    counts : ndarray of int64, shape (n,)
        Records in each cell.
    share : ndarray of float, shape (n,)
        Share of the exposure in each cell, summing to one.
    neighbourhoods : Neighbourhoods
        Of the same n cells.
    seed : int
    simulations : int

    Returns
    -------
    Scan
    """
    best, radius = best_windows(counts, share, neighbourhoods)
    maxima = null_maxima(int(counts.sum()), share, neighbourhoods, seed=seed, simulations=simulations)
    return Scan(best, radius, family_wise_p(best, maxima), simulations)


def family_wise_p(log_likelihood_ratio: Floats, maxima: Floats) -> Floats:
    """Share of {null maxima, the value itself} at least as large as each value; 1 for a ratio of zero."""
    above = len(maxima) - np.searchsorted(np.sort(maxima), log_likelihood_ratio, side="left")
    return np.where(log_likelihood_ratio > 0, (above + 1) / (len(maxima) + 1), 1.0)


def best_windows(
    counts: NDArray[np.int64], share: Floats, neighbourhoods: Neighbourhoods
) -> tuple[Floats, NDArray[np.int64]]:
    """Largest log likelihood ratio over the radii round each cell, and its radius."""
    ratio = _Ratio.of(int(counts.sum()), share, neighbourhoods)
    sums = neighbourhoods.sums(counts.astype(float), RADII)
    each = np.asarray([ratio(k, inside) for k, inside in zip(RADII, sums, strict=True)])
    return each.max(axis=0, initial=0.0), np.asarray(RADII)[each.argmax(axis=0)] if each.size else np.zeros(0, np.int64)


def null_maxima(
    total: int,
    share: Floats,
    neighbourhoods: Neighbourhoods,
    *,
    seed: int | np.random.SeedSequence,
    simulations: int = SIMULATIONS,
) -> Floats:
    """Largest ratio anywhere in each of ``simulations`` draws of ``total`` records by exposure alone, shape (simulations,)."""
    if not len(neighbourhoods) or total == 0 or share.sum() <= 0 or not simulations:
        return np.zeros(simulations)
    sizes = [min(_DRAWS_A_STREAM, simulations - start) for start in range(0, simulations, _DRAWS_A_STREAM)]
    streams = np.random.default_rng(seed).spawn(len(sizes))
    find = _Largest.of(total, share, neighbourhoods)
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        return np.concatenate(list(pool.map(find, streams, sizes)))


@dataclass(frozen=True)
class _Ratio:
    """Log likelihood ratio of a window: ``f(c) - a c - b`` with ``f`` looked up by count, ``a`` and ``b`` a window's own.

    With ``c`` of ``N`` records in a window that expects ``e``, the ratio is ``c log(c / e) + (N - c) log((N - c) /
    (N - e))`` where ``c > e``, else 0. Written so, a million windows cost one lookup and one product each.
    """

    of_count: Floats
    slope: list[Floats]
    level: list[Floats]
    expected: list[Floats]

    @classmethod
    def of(cls, total: int, share: Floats, neighbourhoods: Neighbourhoods) -> "_Ratio":
        c = np.arange(total + 1, dtype=float)
        slope, level, expected = [], [], []
        for window in neighbourhoods.sums(share / share.sum() if share.sum() > 0 else share, RADII):
            inside = np.clip(window, 0.0, 1.0) * total
            outside = total - inside
            some = (inside > 0) & (outside > 1e-9 * total)  # a window over everything has nothing to be compared with
            log_inside = np.log(np.where(some, inside, 1.0))
            log_outside = np.log(np.where(some, outside, 1.0))
            slope.append(log_inside - log_outside)
            level.append(total * log_outside)
            expected.append(np.where(some, inside, np.inf))
        return cls(xlogy(c, c) + xlogy(total - c, total - c), slope, level, expected)

    def __call__(self, k: int, inside: Floats) -> Floats:
        """Ratio of the windows of radius ``k``; ``inside`` is (n,) or (n, draws)."""
        per_window = (slice(None),) + (None,) * (inside.ndim - 1)
        value = self.of_count[inside.astype(np.int64)]
        value -= inside * self.slope[k][per_window]
        value -= self.level[k][per_window]
        value[inside <= self.expected[k][per_window]] = 0.0
        return np.maximum(value, 0.0, out=value)


@dataclass(frozen=True)
class _Largest:
    """Finds the largest ratio of any window in each of some draws."""

    total: int
    share: Floats
    ends: tuple[NDArray[np.int32], ...]
    beside: tuple[NDArray[np.int32], ...]
    of_count: Floats
    windows: tuple[Floats, Floats, Floats]

    @classmethod
    def of(cls, total: int, share: Floats, neighbourhoods: Neighbourhoods) -> "_Largest":
        ratio = _Ratio.of(total, share, neighbourhoods)
        rings = [neighbourhoods.rings[k] for k in RADII]
        ends, beside = (
            tuple(np.asarray(getattr(ring, name), np.int32) for ring in rings) for name in ("indptr", "indices")
        )
        windows = np.asarray(ratio.slope), np.asarray(ratio.level), np.asarray(ratio.expected)
        return cls(total, share, ends, beside, ratio.of_count, windows)

    def __call__(self, rng: np.random.Generator, draws: int) -> Floats:
        """Largest ratio in each draw, shape (draws,)."""
        from geo.scan_kernel import largest_ratios

        drawn, largest = multinomial(rng, self.total, self.share, draws), np.zeros(draws)
        largest_ratios(drawn, self.ends, self.beside, self.of_count, self.windows, largest)
        return largest
