"""The spatial scan statistic: whether the most striking window of all is more striking than chance makes somewhere.

Source: Kulldorff (1997), *A spatial scan statistic*, Poisson model, windows of whole rings round each cell, conditional
on the number of records; the family-wise p-value is Monte Carlo (Dwass 1957).
"""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from geo.neighbourhoods import Neighbourhoods

Floats = NDArray[np.float64]

RADII: Final = (0, 1, 2, 3, 4)
SIMULATIONS: Final = 999
# Simulated counts are made this many at a time, which bounds memory.
_BLOCK_VALUES: Final = 4_000_000


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
    maxima = np.zeros(simulations)
    if not len(neighbourhoods) or total == 0 or share.sum() <= 0:
        return maxima
    rng = np.random.default_rng(seed)
    ratio = _Ratio.of(total, share, neighbourhoods)
    block = max(1, min(simulations, _BLOCK_VALUES // len(neighbourhoods)))
    sizes = [min(block, simulations - start) for start in range(0, simulations, block)]
    with ThreadPoolExecutor(1) as beside:  # draws are made one after the other, and those before them scanned meanwhile
        scanned: list[Future[Floats]] = []
        for size in sizes:
            drawn = draw_counts(rng, total, share, size)
            if scanned:
                scanned[-1].result()  # no more than two blocks are held
            scanned.append(beside.submit(_largest, drawn, ratio, neighbourhoods))
    return np.concatenate([maxima[:0], *(one.result() for one in scanned)])


def _largest(drawn: NDArray[np.int64], ratio: "_Ratio", neighbourhoods: Neighbourhoods) -> Floats:
    """Largest ratio of any window in each draw, shape (draws,)."""
    from geo.scan_kernel import largest_ratios

    rings = [neighbourhoods.rings[k] for k in RADII]
    ends, beside = (
        tuple(np.asarray(getattr(ring, name), np.int32) for ring in rings) for name in ("indptr", "indices")
    )
    largest = np.zeros(len(drawn))
    windows = np.asarray(ratio.slope), np.asarray(ratio.level), np.asarray(ratio.expected)
    largest_ratios(drawn.T.astype(np.int32, order="C"), ends, beside, ratio.of_count, windows, largest)
    return largest


def draw_counts(rng: np.random.Generator, total: int, share: Floats, draws: int) -> NDArray[np.int64]:
    """Counts of ``total`` records that fall by exposure alone, shape (draws, n)."""
    n = len(share)
    if total > n // 2:
        return rng.multinomial(total, share / share.sum(), size=draws)
    cumulative = np.cumsum(share)
    cell = np.searchsorted(cumulative, rng.random((draws, total)) * cumulative[-1], side="right")
    flat = np.minimum(cell, n - 1) + np.arange(draws)[:, None] * n
    return np.bincount(flat.ravel(), minlength=draws * n).reshape(draws, n)


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
