"""The loop behind ``geo.link_test``, compiled: import it where it is used."""

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
