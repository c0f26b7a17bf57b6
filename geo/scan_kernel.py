"""The loop behind ``geo.scan``, compiled: import it where it is used."""

import numpy as np
from numpy.typing import NDArray

from geo.compiled import compiled

Floats = NDArray[np.float64]
Indices = NDArray[np.int32]


@compiled
def largest_ratios(
    counts: Indices,
    ends: tuple[Indices, ...],
    beside: tuple[Indices, ...],
    of_count: Floats,
    windows: tuple[Floats, Floats, Floats],
    largest: Floats,
) -> None:
    """Raise ``largest``, one of each draw, to the largest ratio of any window.

    ``counts`` are (cells, draws); ``ends`` and ``beside`` say who is in each ring round each cell, as in a sparse matrix;
    ``windows`` has the slope, level and expected records of the windows, each (radii, cells).
    """
    slope, level, expected = windows
    draws = counts.shape[1]
    inside = np.empty(draws, np.int32)
    for cell in range(counts.shape[0]):
        inside[:] = 0
        for k in range(len(ends)):
            end, member = ends[k], beside[k]
            for at in range(end[cell], end[cell + 1]):
                row = counts[member[at]]
                for draw in range(draws):
                    inside[draw] += row[draw]
            a, b, least = slope[k, cell], level[k, cell], expected[k, cell]
            for draw in range(draws):
                if inside[draw] > least:
                    value = of_count[inside[draw]] - inside[draw] * a
                    value -= b
                    largest[draw] = max(largest[draw], value)
