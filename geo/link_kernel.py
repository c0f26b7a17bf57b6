"""The loops behind ``geo.link_test``, compiled: import it where it is used."""

import numpy as np
from numpy.typing import NDArray

from geo.compiled import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@compiled
def best_of_shifts(score: Floats, live: Ints, a: Ints, b: Ints, shift: Ints) -> Floats:
    """Largest score of all pairs in each draw, shape (draws,), 0 where none is above it.

    ``score`` is (pairs, weeks), ``live`` the pairs that count, ``a`` and ``b`` their places, ``shift`` (places, draws).
    """
    draws, weeks = shift.shape[1], score.shape[1]
    best = np.zeros(draws)
    for k in range(len(live)):
        own, one, other = score[live[k]], shift[a[k]], shift[b[k]]
        for draw in range(draws):
            lag = other[draw] - one[draw]
            best[draw] = max(best[draw], own[lag + weeks if lag < 0 else lag])
    return best


@compiled
def count_shifted(starts: Ints, at_us: Ints, window_us: int, weeks: int, week_us: int, table: Ints) -> None:
    """Count pairs of reports of two places within the window into ``table``, which is (pairs, weeks).

    The reports of place ``a`` are those from ``starts[a]`` to ``starts[a + 1]``; pairs of places stand in the order (0, 1),
    (0, 2), ..., (1, 2), ...; a week says how far the second place is shifted against the first.
    """
    pair = 0
    for a in range(len(starts) - 1):
        for b in range(a + 1, len(starts) - 1):
            for one in range(starts[a], starts[a + 1]):
                for other in range(starts[b], starts[b + 1]):
                    gap_us = at_us[other] - at_us[one]
                    shift = (week_us // 2 - gap_us) // week_us
                    if abs(gap_us + shift * week_us) <= window_us:
                        table[pair, shift % weeks] += 1
            pair += 1


@compiled
def add_lags(table: Ints, lags: int, pooled: Ints) -> None:
    """Sum of each week of ``table`` and of those up to ``lags`` before and after it, round and round; into ``pooled``."""
    weeks = table.shape[1]
    for pair in range(table.shape[0]):
        for week in range(weeks):
            total = table[pair, week]
            for lag in range(1, lags + 1):
                total += table[pair, (week + lag) % weeks] + table[pair, (week - lag) % weeks]
            pooled[pair, week] = total
