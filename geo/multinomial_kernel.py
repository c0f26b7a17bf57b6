"""The loops behind ``geo.multinomial``, compiled: import it where it is used."""

import numpy as np
from numpy.typing import NDArray

from geo.compiled import compiled

Floats = NDArray[np.float64]
Counts = NDArray[np.int32]

# Terms that are this much smaller than the largest are beyond what a double in [0, 1) can tell apart: ten standard deviations.
_NOTHING = 1e-20


@compiled
def room_for(largest_mean: float) -> int:
    """Most terms that a table of :func:`fill_table` may have on each side of its mode."""
    return int(12 * np.sqrt(largest_mean)) + 64


@compiled
def fill_guide(cumulative: Floats, guide: Counts) -> None:
    """Where to begin looking in each of equal parts of [0, 1) (Chen and Asau 1974)."""
    at, last, step = 0, len(cumulative) - 1, (1 - 1e-12) / len(guide)  # a hair early, whatever is rounded
    for part in range(len(guide)):
        while at < last and cumulative[at] <= part * step:
            at += 1
        guide[part] = at


@compiled
def look_up(uniform: float, cumulative: Floats, guide: Counts) -> int:
    """First place whose cumulative weight exceeds ``uniform``, which lies in [0, 1)."""
    at, last = guide[int(uniform * len(guide))], len(cumulative) - 1
    while at < last and cumulative[at] <= uniform:
        at += 1
    return at


@compiled
def fill_table(mean: float, inverse: Floats, room: Floats) -> tuple[int, int, int]:
    """Cumulative weights of a Poisson distribution, in the middle of ``room``: its first count, and from where to where."""
    mode, middle, a_mean = int(mean), len(room) // 2, 1.0 / mean
    begin, end = middle, middle
    room[middle] = 1.0
    while begin > 0 and middle - begin < mode and room[begin] > _NOTHING:
        room[begin - 1] = room[begin] * ((mode - (middle - begin)) * a_mean)
        begin -= 1
    while end < len(room) - 1 and room[end] > _NOTHING:
        end += 1
        room[end] = room[end - 1] * (mean * inverse[mode + (end - middle)])
    for at in range(begin + 1, end + 1):
        room[at] += room[at - 1]
    a_whole = 1.0 / room[end]
    for at in range(begin, end + 1):
        room[at] *= a_whole
    return mode - (middle - begin), begin, end + 1


@compiled
def poisson_counts(uniforms: Floats, means: Floats, counts: Counts) -> None:
    """Counts of a Poisson distribution by inversion; ``uniforms`` and ``counts`` are (cells, draws), ``means`` (cells,)."""
    largest = means.max()
    side = room_for(largest)
    inverse = 1.0 / np.maximum(np.arange(int(largest) + side + 2), 1)
    room, guides = np.empty(2 * side + 1), np.empty(2 * side + 1, np.int32)
    for cell in range(len(means)):
        if means[cell] <= 0.0:
            counts[cell] = 0
            continue
        low, begin, end = fill_table(means[cell], inverse, room)
        cumulative, guide = room[begin:end], guides[: end - begin]
        fill_guide(cumulative, guide)
        for draw in range(uniforms.shape[1]):
            counts[cell, draw] = low + look_up(uniforms[cell, draw], cumulative, guide)


@compiled
def add_one_by_one(uniforms: Floats, cumulative: Floats, guide: Counts, counts: Counts) -> None:
    """Let one more record fall for each of ``uniforms``; ``counts`` is (cells,)."""
    for i in range(len(uniforms)):
        counts[look_up(uniforms[i], cumulative, guide)] += 1
