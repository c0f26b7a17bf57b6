"""Aoristic profile: when events happened whose times are known only as intervals.

Source: Ratcliffe (2000), *Aoristic analysis: the spatial interpretation of unspecific temporal events*.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.temporal import local_hours, local_weekdays

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_HOUR_US: Final = 3_600_000_000
# A longer interval takes in every hour of the week alike and says nothing about any.
MAX_INTERVAL_US: Final = 7 * 24 * _HOUR_US
# A profile of fewer records than this is shown with a caution: 168 bins are many for so few.
MIN_PROFILE_RECORDS: Final = 20
_BINS: Final = 7 * 24
# Hour pieces are made about this many at a time, which bounds memory.
_CHUNK_PIECES: Final = 500_000


@dataclass(frozen=True)
class AoristicProfile:
    """Weekday and hour weights of each group.

    Parameters
    ----------
    weights : ndarray of float, shape (count, 7, 24)
        Expected records in each Europe/London weekday (Monday = 0) and hour; a group's weights sum to its ``timed``.
    timed : ndarray of int64, shape (count,)
        Records that say something about the hour; each has weight 1.
    untimed : ndarray of int64, shape (count,)
        Records with intervals longer than ``MAX_INTERVAL_US``, which have weight 0.
    """

    weights: Floats
    timed: Ints
    untimed: Ints

    @property
    def cautious(self) -> NDArray[np.bool_]:
        """Whether each group has too few timed records for its profile to be read without care, shape (count,)."""
        return self.timed < MIN_PROFILE_RECORDS


def aoristic_profile(from_us: Ints, to_us: Ints, group: Ints, count: int) -> AoristicProfile:
    """Spread each record over the weekdays and hours its interval overlaps, in proportion to the overlap.

    Parameters
    ----------
    from_us, to_us : ndarray of int64, shape (n,)
        Half-open intervals, microseconds UTC; an empty interval stands for the moment of its start.
    group : ndarray of int64, shape (n,)
        Group of each record, 0 to count - 1.
    count : int
        Number of groups.

    Returns
    -------
    AoristicProfile

    Notes
    -----
    Every moment of an interval is taken to be equally likely. London's offset from UTC is a whole number of hours, so an
    interval is cut at UTC hours and each piece lies in one London hour: the hour that the clocks skip gets nothing, the
    hour that they repeat is counted twice. The answer does not depend on the order of the rows, to the last bit.

    Examples
    --------
    >>> minute_us = 60_000_000
    >>> found = aoristic_profile(np.array([30 * minute_us]), np.array([150 * minute_us]), np.array([0]), 1)
    >>> found.weights[0, 3, :4].tolist()  # London kept summer time in January 1970: this is Thursday 01:30 to 03:30
    [0.0, 0.25, 0.5, 0.25]
    """
    from_us, group = np.asarray(from_us, np.int64), np.asarray(group, np.int64)
    length_us = np.maximum(np.asarray(to_us, np.int64) - from_us, 1)
    known = length_us <= MAX_INTERVAL_US
    timed, untimed = (np.bincount(group[where], minlength=count) for where in (known, ~known))
    from_us, length_us, group = from_us[known], length_us[known], group[known]
    order = np.lexsort((length_us, from_us, group))  # sums of floats depend on their order
    weights = np.zeros((count, _BINS))
    for first, last, slot, share in _pieces(from_us[order], length_us[order], group[order]):
        found = np.bincount(slot - first * _BINS, share, minlength=(last - first + 1) * _BINS)
        weights[first : last + 1] += found.reshape(-1, _BINS)
    return AoristicProfile(weights.reshape(count, 7, 24), timed, untimed)


def _pieces(from_us: Ints, length_us: Ints, group: Ints) -> Iterator[tuple[int, int, Ints, Floats]]:
    """First and last group, then group and London bin, and share of its record, of each hour piece; in chunks."""
    to_us = from_us + length_us
    first_hour = from_us // _HOUR_US
    hours = (to_us - 1) // _HOUR_US - first_hour + 1
    chunk = np.cumsum(hours) // _CHUNK_PIECES
    cuts = np.append(np.flatnonzero(np.diff(chunk, prepend=-1)), len(chunk))
    for start, end in pairwise(cuts):
        row = np.repeat(np.arange(start, end), hours[start:end])
        step = np.arange(len(row)) - np.repeat(np.cumsum(hours[start:end]) - hours[start:end], hours[start:end])
        hour = first_hour[row] + step
        piece_from_us, piece_to_us = hour * _HOUR_US, (hour + 1) * _HOUR_US
        overlap_us = np.minimum(to_us[row], piece_to_us) - np.maximum(from_us[row], piece_from_us)
        yield int(group[start]), int(group[end - 1]), group[row] * _BINS + _bin(hour), overlap_us / length_us[row]


def _bin(hour: Ints) -> Ints:
    """Weekday and hour in London of each whole hour since 1970 UTC, as one number; each distinct hour is converted once."""
    distinct, inverse = np.unique(hour, return_inverse=True)
    at_us = distinct * _HOUR_US
    return (local_weekdays(at_us) * 24 + local_hours(at_us))[inverse]
