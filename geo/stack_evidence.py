"""What the records on one point say about it: how many they are, of how many kinds, and spread over what time.

A coordinate used when nothing is known takes a large share of the records, of all kinds and all the year round; a
place that people know takes few kinds of record, and often in bursts.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

# A default stands out from at least so many records, some of them elsewhere, by its share and against a usual stack.
MIN_POPULATION: Final = 200
MIN_ELSEWHERE: Final = 50
MIN_SHARE: Final = 0.01
MIN_TIMES_USUAL: Final = 20
MIN_DIVERSITY: Final = 0.6
MIN_SPREAD: Final = 0.3
# With fewer kinds than this the mix tells nothing, and only a fifth of everything on one spot is too much for a place.
TELLING_KINDS: Final = 3.0
BLIND_SHARE: Final = 0.2
# A default stands alone; a busy district has several crowded points side by side.
DISTRICT_M: Final = 250.0
DISTRICT_SHARE: Final = 0.25
DISTRICT_POINTS: Final = 2
_MONTH_US: Final = 30 * 86_400_000_000


@dataclass(frozen=True)
class Crowd:
    """Each group of records among its population: what it holds, and whether it stands out as a default.

    Parameters
    ----------
    records : ndarray of int64, shape (g,)
    share : ndarray of float, shape (g,)
        Part of the population's records.
    times_usual : ndarray of float, shape (g,)
        Records against the median of the population's other stacks.
    kinds, kinds_overall : ndarray of float, shape (g,)
        Effective number of categories in the group and in its population.
    stands_out : ndarray of bool, shape (g,)
    """

    records: Ints
    share: Floats
    times_usual: Floats
    kinds: Floats
    kinds_overall: Floats
    stands_out: Flags

    def diverse(self, least: float) -> Flags:
        """Whether the group's categories are at least this part of the population's, as far as they can tell."""
        return (self.kinds >= least * self.kinds_overall) & (self.kinds_overall >= TELLING_KINDS)


def crowd(group: Ints, population: Ints, *, category: Ints, at_us: Ints) -> Crowd:
    """Weigh each group of records against its population.

    Parameters
    ----------
    group, population : ndarray of int64, shape (n,)
        Numbers from 0 without gaps; all records of a group are of one population.
    category : ndarray of int64, shape (n,)
        Codes from 0.
    at_us : ndarray of int64, shape (n,)
        Microseconds UTC.

    Returns
    -------
    Crowd

    Notes
    -----
    The effective number of categories is the inverse of Simpson's unbiased index (Simpson 1949, *Measurement of
    diversity*; the Hill number of order 2), at most the number of records. The usual stack is the lower median over
    the other groups of two records or more, 1 where there is none. Spread is the number of 30-day spans with a record,
    against that expected of as many records drawn from the population's own spans.

    Examples
    --------
    >>> none = np.zeros(6, np.int64)
    >>> crowd(np.array([0, 0, 0, 0, 1, 1]), none, category=np.arange(6), at_us=none).times_usual.tolist()
    [2.0, 0.5]
    """
    records = np.bincount(group)
    of = np.zeros(len(records), np.int64)
    of[group] = population
    total = np.bincount(population)[of]
    kinds, kinds_overall = effective_number(group, category), effective_number(population, category)[of]
    share, times_usual = records / total, records / _usual(records, of)
    stands_out = (total >= MIN_POPULATION) & (total - records >= MIN_ELSEWHERE)
    stands_out &= (share > MIN_SHARE) & (times_usual > MIN_TIMES_USUAL)
    blind = kinds_overall < TELLING_KINDS
    stands_out &= np.where(blind, share >= BLIND_SHARE, kinds >= MIN_DIVERSITY * kinds_overall)
    chosen = np.flatnonzero(stands_out)
    stands_out[chosen] = _spread(chosen, group, population, at_us) >= MIN_SPREAD
    return Crowd(records, share, times_usual, kinds, kinds_overall, stands_out)


def effective_number(group: Ints, category: Ints) -> Floats:
    """Effective number of categories of each group: the inverse of the chance that two of its records share one.

    Examples
    --------
    >>> effective_number(np.repeat([0, 1], 50), np.tile([0, 1, 2, 3, 4], 20) * np.repeat([0, 1], 50)).round(1).tolist()
    [1.0, 5.4]
    """
    if not len(group):
        return np.empty(0)
    width = int(category.max()) + 1
    pairs, n = np.unique(group * np.int64(width) + category, return_counts=True)
    records = np.bincount(group).astype(float)
    alike = np.bincount(pairs // width, n * (n - 1.0), minlength=len(records))
    pairs_of_records = records * (records - 1)
    return np.minimum(np.divide(pairs_of_records, alike, out=records.copy(), where=alike > 0), records)


def _usual(records: Ints, population: Ints) -> Ints:
    """Lower median of the records of the population's other stacks; 1 where there is no other."""
    stacks = np.flatnonzero(records > 1)
    usual = np.ones(len(records), np.int64)
    if not len(stacks):
        return usual
    order = stacks[np.lexsort((records[stacks], population[stacks]))]
    count = np.bincount(population[stacks], minlength=int(population.max()) + 1)
    start = np.cumsum(count) - count
    rank = np.full(len(records), len(records))  # a single record comes after all stacks
    rank[order] = np.arange(len(order)) - start[population[order]]
    others = count[population] - (records > 1)
    middle = (others - 1) // 2
    middle += rank <= middle  # leave the stack itself out
    known = others > 0
    usual[known] = records[order][start[population[known]] + middle[known]]
    return usual


def _spread(chosen: Ints, group: Ints, population: Ints, at_us: Ints) -> Floats:
    """Spans of 30 days with a record of each chosen group, against those expected by chance."""
    if not len(chosen):
        return np.empty(0)
    span, spans = pd.factorize((at_us - at_us.min()) // _MONTH_US, sort=True)
    spread = np.empty(len(chosen))
    for i, one in enumerate(chosen):  # a population has fewer than a hundred groups of more than 1 % of it
        mine = group == one
        weights = np.bincount(span[population == population[mine][0]], minlength=len(spans))
        weights = weights / weights.sum()
        n = int(mine.sum())
        spread[i] = len(np.unique(span[mine])) / (1 - (1 - weights) ** n).sum()
    return spread


def stands_alone(points_m: Floats, records: Ints, chosen: Flags) -> Flags:
    """Whether each chosen point has fewer than two neighbours within 250 m that hold a quarter as many records as it.

    Examples
    --------
    >>> east = np.array([0.0, 50.0, 100.0, 9000.0])
    >>> points_m, all_of_them = np.column_stack([east, east]), np.ones(4, bool)
    >>> stands_alone(points_m, np.array([90, 80, 70, 60]), all_of_them).tolist()
    [False, False, False, True]
    """
    alone = np.zeros(len(records), bool)
    which = np.flatnonzero(chosen)
    if len(which):
        around = cKDTree(points_m).query_ball_point(points_m[which], DISTRICT_M)
        crowded = [
            int((records[near] >= DISTRICT_SHARE * records[i]).sum()) - 1 for i, near in zip(which, around, strict=True)
        ]
        alone[which] = np.array(crowded) < DISTRICT_POINTS
    return alone


@dataclass(frozen=True)
class Pairs:
    """The distinct pairs of a point and an agency.

    Parameters
    ----------
    point, agency : ndarray of int64, shape (q,)
    of_record : ndarray of int64, shape (n,)
        Pair of each record.
    leading : ndarray of int64, shape (p,)
        Pair with most records on each point, the lowest agency of equals.
    """

    point: Ints
    agency: Ints
    of_record: Ints
    leading: Ints


def pair_agencies(point: Ints, agency: Ints) -> Pairs:
    """Count each agency's records on each point apart.

    Examples
    --------
    >>> pairs = pair_agencies(np.array([0, 0, 0, 1]), np.array([0, 1, 1, 0]))
    >>> pairs.agency[pairs.leading].tolist()
    [1, 0]
    """
    width = np.int64(agency.max(initial=0) + 1)
    codes, of_record, n = np.unique(point * width + agency, return_inverse=True, return_counts=True)
    order = np.lexsort((codes, -n, codes // width))
    first = np.unique((codes // width)[order], return_index=True)[1]
    return Pairs(codes // width, codes % width, of_record.astype(np.int64), order[first])
