"""Which months are known: one without a file is missing, and missing is never zero."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

# An empty month inside a file's span is a quiet month, unless the file is so full that this would be a wonder.
LEAST_CHANCE: Final = 0.001


def months_present(
    counts: NDArray[np.int64], spans: NDArray[np.int64], records: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether each month of a row of months is known.

    Parameters
    ----------
    counts : ndarray of int64, shape (months,)
        Records of each month, of every kind and place that the files tell of: a month without a theft is not a month
        without a file.
    spans : ndarray of int64, shape (files, 2)
        First and last month of each file, as positions in ``counts``; they may lie outside it.
    records : ndarray of int64, shape (files,)
        Records of each file.

    Returns
    -------
    ndarray of bool, shape (months,)
        True for a month with records, and for an empty one that a file spans and that chance explains: with ``m``
        records a month, none at all has probability ``exp(-m)``.

    Examples
    --------
    >>> months_present(np.array([2, 0, 3, 0]), np.array([[0, 2]]), np.array([5])).tolist()
    [True, True, True, False]
    >>> months_present(np.array([900, 0, 900]), np.array([[0, 2]]), np.array([1800])).tolist()
    [True, False, True]
    """
    present = counts > 0
    for (first, last), held in zip(spans.tolist(), records.tolist(), strict=True):
        if np.exp(-held / (last - first + 1)) >= LEAST_CHANCE:
            present[max(first, 0) : max(last + 1, 0)] = True
    return present
