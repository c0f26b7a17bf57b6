"""Records that fall into cells by their shares alone: exact multinomial counts, many draws at once.

Numpy draws one binomial after the other, a tenth of a microsecond each. Here the counts of most records are Poisson counts,
looked up in a table of their cell; given their sum they are multinomial, and the few records still missing are added one by one.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Poisson counts are drawn for so many standard deviations less than the whole: one draw in a billion has too many, and is made again.
_SLACK: Final = 6.0
# Tables pay where a cell gets more than half a record.
_MIN_A_CELL: Final = 0.5
# As many uniform numbers stay near a core.
_BLOCK_UNIFORMS: Final = 1 << 17


def multinomial(rng: np.random.Generator, total: int, share: Floats, draws: int) -> NDArray[np.int32]:
    """Counts of ``total`` records in each cell, several times over.

    Parameters
    ----------
    rng : Generator
    total : int
        Below 2^31.
    share : ndarray of float, shape (n,)
        Weights of the cells, not negative and not all zero.
    draws : int

    Returns
    -------
    ndarray of int32, shape (n, draws)
        Every draw sums to ``total``.

    Notes
    -----
    Independent Poisson counts given their sum are multinomial, and multinomial counts of the same shares add up. So a draw of
    fewer than ``total`` records, filled up one by one, has the distribution that ``Generator.multinomial`` has.

    Examples
    --------
    >>> multinomial(np.random.default_rng(1), 10, np.array([0.0, 2.0, 2.0]), 3).sum(axis=0).tolist()
    [10, 10, 10]
    """
    from geo.multinomial_kernel import add_one_by_one, fill_guide

    whole = share / share.sum()
    means = whole * max(0.0, total - _SLACK * np.sqrt(total))
    at_once = total > _MIN_A_CELL * len(share) and means.any()
    counts = _poisson(rng, means, draws) if at_once else np.zeros((len(share), draws), np.int32)
    missing = total - counts.sum(axis=0, dtype=np.int64)
    while len(wrong := np.flatnonzero(missing < 0)):
        counts[:, wrong] = _poisson(rng, means, len(wrong))
        missing[wrong] = total - counts[:, wrong].sum(axis=0, dtype=np.int64)
    cumulative = np.cumsum(whole)
    cumulative /= cumulative[-1]
    guide = np.empty(len(whole), np.int32)
    fill_guide(cumulative, guide)
    for draw, records in enumerate(missing.tolist()):
        add_one_by_one(rng.random(records), cumulative, guide, counts[:, draw])
    return counts


def _poisson(rng: np.random.Generator, means: Floats, draws: int) -> NDArray[np.int32]:
    """Poisson counts of each cell, shape (n, draws)."""
    from geo.multinomial_kernel import poisson_counts

    counts = np.empty((len(means), draws), np.int32)
    block = max(1, _BLOCK_UNIFORMS // draws)
    uniforms = np.empty((min(block, len(means)), draws))
    for begin in range(0, len(means), block):
        part = slice(begin, begin + block)
        some = uniforms[: len(means[part])]
        rng.random(out=some)
        poisson_counts(some, means[part], counts[part])
    return counts
