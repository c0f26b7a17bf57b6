"""Where the numbers of places stand on a picture, so that none covers another."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Clearances beyond a place's own edge, mm, nearest first, and directions, the best to read first.
_AWAY_MM: Final = (0.6, 2.5, 5.0, 9.0, 14.0)
_DIRECTIONS: Final = np.array(
    [(1, 1), (-1, 1), (1, -1), (-1, -1), (0, 1), (1, 0), (0, -1), (-1, 0)], float
)  # a corner leaves the place itself in sight
_GAP_MM: Final = 0.5


def label_spots(boxes: Floats, sizes: Floats, room: Floats, taken: Floats) -> Floats:
    """Return the middle of each label, shape (n, 2), in mm; NaN for one that finds no free spot in the room.

    ``boxes`` are the places, shape (n, 4), and ``taken`` what is covered already, as left, bottom, right, top; ``sizes`` are
    the labels' widths and heights, ``room`` the one box that holds them all. Earlier labels choose first; a label rather goes
    further away than onto the middle of another place.
    """
    spots = np.full((len(boxes), 2), np.nan)
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    blocked = taken.reshape(-1, 4)
    for i, (box, size) in enumerate(zip(boxes, sizes, strict=True)):
        found = _candidates(box, size)
        lying = np.column_stack([found - size / 2 - _GAP_MM, found + size / 2 + _GAP_MM])
        free = (lying[:, :2] >= room[:2]).all(axis=1) & (lying[:, 2:] <= room[2:]).all(axis=1)
        free &= ~_overlap(lying, blocked).any(axis=1)
        if not free.any():
            continue
        others = np.delete(middles, i, axis=0)
        hides = _overlap(lying, np.column_stack([others, others])).sum(axis=1)
        best = min(np.flatnonzero(free), key=lambda k: (hides[k] > 0, k))
        spots[i] = found[best]
        blocked = np.vstack([blocked, lying[best]])
    return spots


def _candidates(box: Floats, size: Floats) -> Floats:
    """Middles of a label: inside the place's box where that has room to spare, else round it, nearest first."""
    middle, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2
    reach = half + size / 2
    round_it = [middle + _DIRECTIONS * (reach + away) for away in _AWAY_MM]
    return np.vstack([middle[None, :], *round_it] if (1.6 * half > size).all() else round_it)


def _overlap(first: Floats, second: Floats) -> NDArray[np.bool_]:
    """Whether each of the first boxes meets each of the second."""
    a, b = first[:, None, :], second[None, :, :]
    return np.asarray((a[..., :2] < b[..., 2:]).all(axis=2) & (b[..., :2] < a[..., 2:]).all(axis=2), bool)
