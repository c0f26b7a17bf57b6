"""Rows of different lengths in one flat array, cut by offsets."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Offsets = NDArray[np.int64]


def offsets_of(counts: NDArray[Any]) -> Offsets:
    """Where each row begins and ends: one more than there are rows."""
    offsets = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    return offsets


def spans(starts: Offsets, counts: NDArray[np.int64]) -> Offsets:
    """Positions ``start, start + 1, ...`` of each row, one row after the other."""
    before = np.cumsum(counts) - counts
    return np.repeat(starts - before, counts) + np.arange(int(counts.sum()))


def take_rows(offsets: Offsets, rows: Offsets) -> tuple[Offsets, Offsets]:
    """Positions of everything in some rows, and the offsets of these rows among themselves."""
    starts = offsets[rows].astype(np.int64)
    counts = offsets[rows + 1] - starts
    return spans(starts, counts), offsets_of(counts)


def owners(offsets: Offsets) -> Offsets:
    """Row of each position."""
    return np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))


def sums(values: NDArray[np.int64], offsets: Offsets) -> NDArray[np.int64]:
    """Sum of each row, 0 for one without anything."""
    return np.diff(offsets_of(values)[offsets])
