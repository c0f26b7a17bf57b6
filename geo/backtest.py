"""Would the map have pointed to what came next? Accuracy of an order of cells against the records of a later period.

Sources: Bowers, Johnson and Pease (2004), *Prospective hot-spotting* (hit rate); Chainey, Tompson and Uhlig (2008), *The
utility of hotspot mapping for predicting spatial patterns of crime* (PAI); Hunt (2016), *Do crime hot spots move?* (PEI).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

AREA_FRACTIONS: Final = (0.01, 0.02, 0.05)
REPLICATES: Final = 2000


@dataclass(frozen=True)
class Accuracy:
    """How well the first cells of an order held the records of one period.

    Parameters
    ----------
    area_fraction : float
        Part of the area that was chosen: whole cells, never more than asked for.
    hits, records : int
        Test records in the chosen cells, and all of them.
    best : int
        Most records that as many cells could hold.
    """

    area_fraction: float
    hits: int
    records: int
    best: int

    @property
    def hit_rate(self) -> float | None:
        """Return the share of the period's records in the chosen cells; None without any record."""
        return self.hits / self.records if self.records else None

    @property
    def pai(self) -> float | None:
        """Return the hit rate over the area fraction; None without any record or cell."""
        return self.hits / self.records / self.area_fraction if self.records and self.area_fraction else None

    @property
    def pei(self) -> float | None:
        """Return the hits over the most that was possible; None where nothing was."""
        return self.hits / self.best if self.best else None


def accuracy(score: Floats, later: NDArray[np.int64], *, area_fraction: float, seed: int) -> Accuracy:
    """Accuracy of choosing the cells with the highest score.

    Parameters
    ----------
    score : ndarray of float, shape (n,)
        From records of an earlier period.
    later : ndarray of int64, shape (n,)
        Records of the test period in each cell.
    area_fraction : float
        Part of the cells to choose, rounded down to whole cells.
    seed : int
        Cells of equal score are chosen among by chance, so that no method gains by the order of the cells.

    Examples
    --------
    >>> accuracy(np.array([3.0, 2.0, 1.0, 0.0]), np.array([5, 0, 5, 0]), area_fraction=0.5, seed=0).pai
    1.0
    """
    n = len(score)
    chosen = int(np.floor(n * area_fraction + 1e-9))
    tie = np.random.default_rng(seed).random(n)
    first = np.lexsort((tie, -score))[:chosen]
    best = np.sort(later)[n - chosen :].sum()
    return Accuracy(chosen / n if n else 0.0, int(later[first].sum()), int(later.sum()), int(best))


def mean_interval(values: Sequence[float], *, seed: int, replicates: int = REPLICATES) -> tuple[float, float] | None:
    """95 % bootstrap interval of a mean over test periods (Efron 1979); None with fewer than two periods.

    Examples
    --------
    >>> mean_interval([1.0, 1.0, 1.0], seed=0)
    (1.0, 1.0)
    """
    if len(values) < 2:
        return None
    drawn = np.random.default_rng(seed).choice(np.asarray(values, float), (replicates, len(values))).mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


@dataclass(frozen=True)
class Comparison:
    """Our accuracy less that of the best peer, period by period, at one area fraction."""

    area_fraction: float
    peer: str
    difference: float
    interval: tuple[float, float] | None

    @property
    def not_worse(self) -> bool | None:
        """Whether the interval of the difference reaches zero or more; None where there are too few periods to say."""
        return None if self.interval is None else self.interval[1] >= 0


def compare_with_best_peer(
    pai: Mapping[str, Sequence[float]], *, own: str, area_fraction: float, seed: int
) -> Comparison | None:
    """Compare one method with the peer of the highest mean PAI over the same periods; None without any period."""
    if not len(pai[own]):
        return None
    peers = sorted(name for name in pai if name != own)
    peer = max(peers, key=lambda name: float(np.mean(pai[name])))
    difference = np.asarray(pai[own], float) - np.asarray(pai[peer], float)
    return Comparison(area_fraction, peer, float(difference.mean()), mean_interval(difference.tolist(), seed=seed))
