"""Do two places share more than chance gives them: vehicles seen at both, reports close in time.

Sources: Carstens, Berger and Strona (2018), *A unifying framework for fast randomization of ecological networks with fixed
(node) degrees* (global curveball trades); Strona et al. (2014), *A fast and unbiased procedure to randomize ecological
binary matrices*; Besag and Clifford (1989), *Generalized Monte Carlo significance tests*; Westfall and Young (1993),
*Resampling-based multiple testing* (the maximum over all pairs).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainc

from geo.errors import InvalidParameter
from geo.significance import upper_tail

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WEEK_US: Final = 7 * 86_400_000_000
# Larger tables than these take longer, or more memory, than an analysis may.
MAX_VISIT_PAIRS: Final = 5_000_000
MAX_SHIFT_TABLE: Final = 20_000_000
# Any number keeps the test exact (Besag and Clifford); fewer leave the draws too like the data to find anything.
_ROUNDS: Final = 10
_CHUNK: Final = 2_000_000
# Vehicles trade places only within a block of this length, so a place keeps the months it was watched in; shorter blocks lose power.
_BLOCK_US: Final = 8 * WEEK_US
_LAGS: Final = 4  # weeks before and after that say what the rhythm and the season of a pair give


@dataclass(frozen=True)
class LinkTest:
    """Pairs of places that share something, arrays of shape (n,) ordered by (a, b).

    Parameters
    ----------
    a, b : ndarray of int64
        Places, a < b.
    count : ndarray of int64
        Vehicles, or pairs of reports, shared within the window.
    expected : ndarray of float
        What chance gives this pair.
    p_value : ndarray of float
        Of this pair alone.
    q_value : ndarray of float
        Probability that any pair at all, linked or not, would stand out as much: family-wise.
    smallest_q : float
        The least ``q_value`` that the data could have given; above 0.05 the test cannot find anything.
    """

    a: Ints
    b: Ints
    count: Ints
    expected: Floats
    p_value: Floats
    q_value: Floats
    smallest_q: float


def shared_vehicles(
    place: Ints, actor: Ints, at_us: Ints, *, window_us: int, min_count: int, draws: int, seed: int
) -> LinkTest:
    """Count distinct vehicles seen at both places within a window, and compare with vehicles dealt out at random.

    Parameters
    ----------
    place, actor, at_us : ndarray of int64, shape (n,)
        Place (0 or more), vehicle and time (microseconds UTC) of each visit.
    window_us : int
        Two visits of one vehicle at most this far apart link their places.
    min_count : int
        Fewer vehicles than this never count as standing out.
    draws : int
    seed : int

    Returns
    -------
    LinkTest
        Pairs with one vehicle or more; whoever shows them must drop the small ones.

    Raises
    ------
    InvalidParameter
        When a parameter is below 1, or more than ``MAX_VISIT_PAIRS`` pairs of visits lie within the window.

    Notes
    -----
    Null model: in each block of eight weeks every vehicle keeps its number of places and the times of its visits, every
    place its number of vehicles; which vehicle goes to which place is uniform among all such tables. All draws start from one state reached by
    running the (reversible) chain away from the data, so data and draws are exchangeable and p is exact however slowly the
    chain mixes. Pairs are compared by the Poisson tail of their count, at the mean of draws and data together. Blocks keep a
    place that was watched for some months only from being linked with all others watched then.

    Examples
    --------
    >>> place, actor = np.array([0, 1, 0, 1, 2, 3]), np.array([1, 1, 2, 2, 3, 4])
    >>> found = shared_vehicles(place, actor, np.zeros(6, int), window_us=1, min_count=2, draws=99, seed=1)
    >>> found.a.tolist(), found.b.tolist(), found.count.tolist()
    ([0], [1], [2])
    """
    _at_least_one(window_us=window_us, min_count=min_count, draws=draws)
    if not len(place):
        return _nothing(1.0)
    label, slots, pairs = _slots(place, actor, at_us, window_us)
    rng = np.random.default_rng(seed)
    size = int(label.max()) + 1
    far = _walk(label[None, :], slots, rng)
    states, chunk = [_codes(label[None, :], pairs, slots, size)], max(_CHUNK // len(label), 1)
    for start in range(0, draws, chunk):
        some = _walk(np.repeat(far, min(chunk, draws - start), axis=0), slots, rng)
        states.append(_codes(some, pairs, slots, size))
    return _compare(states, size, min_count, draws)


@dataclass(frozen=True)
class _Slots:
    """What a draw keeps: the unit (vehicle and block) and vehicle of each slot, and the block of each unit."""

    unit: Ints
    vehicle: Ints
    block: Ints


def _slots(place: Ints, actor: Ints, at_us: Ints, window_us: int) -> tuple[Ints, _Slots, Ints]:
    """Place of each (block, vehicle, place), and the pairs of them that one vehicle visited within the window."""
    vehicle = _rank_vehicles(place, actor, at_us)
    vehicle, at_us, place = np.unique(np.column_stack([vehicle, at_us, place]), axis=0).T
    block = (at_us - at_us.min()) // _BLOCK_US
    units, unit = np.unique(np.column_stack([block, vehicle]), axis=0, return_inverse=True)
    size = int(place.max()) + 1
    key, slot = np.unique(unit * size + place, return_inverse=True)
    lengths = _reach(vehicle, at_us, window_us) - np.arange(1, len(vehicle) + 1)
    if lengths.sum() > MAX_VISIT_PAIRS:
        raise InvalidParameter(
            f"{lengths.sum():,} pairs of visits lie within the window; shorten it or thin the visits"
        )
    i = np.repeat(np.arange(len(vehicle)), lengths)
    j = i + 1 + np.arange(len(i)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    pairs = np.unique(np.sort(np.column_stack([slot[i], slot[j]]), axis=1), axis=0)
    return key % size, _Slots(key // size, units[key // size, 1], units[:, 0]), pairs[pairs[:, 0] != pairs[:, 1]].T


def _rank_vehicles(place: Ints, actor: Ints, at_us: Ints) -> Ints:
    """Number vehicles by what they did and not by their hash, which changes with its key."""
    ids, actor = np.unique(actor, return_inverse=True)
    first_us, last_us = np.full(len(ids), np.iinfo(np.int64).max), np.full(len(ids), np.iinfo(np.int64).min)
    np.minimum.at(first_us, actor, at_us)
    np.maximum.at(last_us, actor, at_us)
    places = [np.bincount(actor, place.astype(float) ** power) for power in (2, 1, 0)]
    rank = np.empty(len(ids), np.int64)
    rank[np.lexsort((*places, last_us, first_us))] = np.arange(len(ids))
    return rank[actor]


def _reach(vehicle: Ints, at_us: Ints, window_us: int) -> Ints:
    """Index after the last visit of the same vehicle at most ``window_us`` later; rows sorted by vehicle and time."""
    _, dense = np.unique(at_us, return_inverse=True)
    times_us = np.unique(at_us)
    last = np.searchsorted(times_us, at_us + window_us, side="right") - 1
    key = vehicle * len(times_us)
    return np.searchsorted(key + dense, key + last, side="right").astype(np.int64)


def _walk(label: Ints, slots: _Slots, rng: np.random.Generator) -> Ints:
    """Run every row of labels away from where it is; shuffle and trade in turn read alike backwards: reversible."""
    label = _shuffle(label, slots, rng)
    for _ in range(_ROUNDS):
        label = _shuffle(_trade(label, slots, rng), slots, rng)
    return label


def _shuffle(label: Ints, slots: _Slots, rng: np.random.Generator) -> Ints:
    """Deal every unit's places anew over its own visits; columns are sorted by unit."""
    order = np.argsort(slots.unit + rng.random(label.shape), axis=1)
    return np.take_along_axis(label, order, axis=1)


def _trade(label: Ints, slots: _Slots, rng: np.random.Generator) -> Ints:
    """Pair the units of each block at random; each two deal anew the places that only one of them has."""
    chains, units = len(label), len(slots.block)
    start = np.searchsorted(slots.block, slots.block)  # units are sorted by block
    order = np.argsort(slots.block + rng.random((chains, units)), axis=1)
    team = np.empty_like(order)
    np.put_along_axis(team, order, np.broadcast_to(start + (np.arange(units) - start) // 2, order.shape), axis=1)
    group = (team[:, slots.unit] + np.arange(chains)[:, None] * units).ravel()
    flat = label.ravel().copy()
    code = group * (int(flat.max()) + 1) + flat
    by_code = np.argsort(code, kind="stable")
    same = np.diff(code[by_code]) == 0
    shared = np.zeros(len(flat), bool)
    shared[by_code[1:]] = same
    shared[by_code[:-1]] |= same
    free = np.flatnonzero(~shared)
    target = free[np.argsort(group[free], kind="stable")]
    flat[target] = flat[free[np.argsort(group[free] + rng.random(len(free)))]]
    return flat.reshape(label.shape)


def _codes(label: Ints, pairs: Ints, slots: _Slots, size: int) -> tuple[Ints, Ints, Ints]:
    """Row, pair code and number of distinct vehicles of every pair of places that some vehicle links."""
    one, two = label[:, pairs[0]], label[:, pairs[1]]
    square, vehicles = size * size, int(slots.vehicle.max()) + 1
    code = np.minimum(one, two) * size + np.maximum(one, two) + np.arange(len(label))[:, None] * square
    distinct = np.unique((code * vehicles + slots.vehicle[pairs[0]])[one != two])
    key, count = np.unique(distinct // vehicles, return_counts=True)
    return key // square, key % square, count.astype(np.int64)


def _compare(states: list[tuple[Ints, Ints, Ints]], size: int, min_count: int, draws: int) -> LinkTest:
    """Test the first state's pairs against the largest score of each drawn state."""
    starts = np.cumsum([0] + [1 if k == 0 else int(s[0].max(initial=-1)) + 1 for k, s in enumerate(states)])
    row = np.concatenate([s[0] + start for s, start in zip(states, starts, strict=False)])
    code, count = (np.concatenate([s[k] for s in states]) for k in (1, 2))
    every, pair = np.unique(code, return_inverse=True)
    mean = np.bincount(pair, count, minlength=len(every)) / (draws + 1)
    score = np.where(count >= min_count, -np.log(np.maximum(gammainc(count, mean[pair]), 1e-300)), 0.0)
    seen = row == 0
    own = np.zeros(len(every))
    own[pair[seen]] = score[seen]
    has = np.zeros(len(every), np.int64)
    has[pair[seen]] = count[seen]
    at_least = np.bincount(pair[~seen], count[~seen] >= has[pair[~seen]], minlength=len(every))
    best = np.zeros(draws)
    np.maximum.at(best, np.minimum(row[~seen] - 1, draws - 1), score[~seen])
    p_value = (1 + at_least) / (draws + 1)
    there = np.flatnonzero(has)
    q_value = _family(own[there], best)
    a, b = np.divmod(every[there], size)
    return LinkTest(a, b, has[there], mean[there], p_value[there], q_value, 1 / (draws + 1))


def shared_times(place: Ints, at_us: Ints, *, window_us: int, min_count: int, draws: int, seed: int) -> LinkTest:
    """Count pairs of reports of two places within a window, and compare with times shifted by whole weeks.

    Parameters
    ----------
    place, at_us : ndarray of int64, shape (n,)
        Place (0 or more) and time (microseconds UTC) of each report that knows its time.
    window_us : int
        Less than half a week.
    min_count : int
        Fewer pairs than this never count as standing out.
    draws : int
    seed : int

    Returns
    -------
    LinkTest
        Pairs of places with one pair of reports or more.

    Raises
    ------
    InvalidParameter
        When a parameter is out of range, or places and weeks make more than ``MAX_SHIFT_TABLE`` combinations.

    Notes
    -----
    A pair's score is the binomial tail of its count among the pairs at this lag and at 1 to 4 weeks before and after,
    which keep both places' weekdays, hours and season. The score's chance is found by shifting each place's times
    round the period by whole weeks, all places at once, and taking the largest score of all pairs. The period is the
    least number of whole weeks in which nothing wraps round onto its other end. Of W relative shifts of two places one
    is the data's own, so ``q_value`` cannot be expected to fall below 1 / W.

    Examples
    --------
    >>> at_us = np.array([0, 1, 60, 61, 200, 202, 400]) * 86_400_000_000
    >>> place = np.array([0, 1, 0, 1, 0, 1, 2])
    >>> found = shared_times(place, at_us, window_us=3 * 86_400_000_000, min_count=2, draws=99, seed=1)
    >>> found.count.tolist(), found.expected.tolist(), found.p_value.round(3).tolist()
    ([3], [0.0], [0.017])
    """
    _at_least_one(window_us=window_us, min_count=min_count, draws=draws)
    if 2 * window_us >= WEEK_US:
        raise InvalidParameter(f"the window is {window_us / WEEK_US:.2f} weeks; it must be less than half a week")
    if not len(place):
        return _nothing(1.0)
    ids, dense = np.unique(place, return_inverse=True)
    weeks = int(-(-(int(at_us.max()) - int(at_us.min()) + window_us + 1) // WEEK_US))
    lags = min(_LAGS, (weeks - 1) // 2)
    if len(ids) < 2 or not lags:
        return _nothing(1.0)
    table = _shift_table(dense, at_us, window_us, weeks)
    pooled = _with_lags(table, lags)
    tail = upper_tail(table, pooled, np.array(1 / (2 * lags + 1)))
    score = np.where(table >= min_count, -np.log(np.maximum(tail, 1e-300)), 0.0)
    best = _best_of_shifts(score, len(ids), draws, np.random.default_rng(seed))
    there = np.flatnonzero(table[:, 0])
    p_value = (score[there] >= score[there, :1]).mean(axis=1)
    expected = (pooled[there, 0] - table[there, 0]) / (2 * lags)
    a, b = (ids[k[there]].astype(np.int64) for k in np.triu_indices(len(ids), 1))
    smallest = max(1 / weeks, 1 / (draws + 1))
    return LinkTest(a, b, table[there, 0], expected, p_value, _family(score[there, 0], best), smallest)


def _shift_table(place: Ints, at_us: Ints, window_us: int, weeks: int) -> Ints:
    """Pairs of reports within the window, by pair of places and by weeks that the second is shifted against the first."""
    size = int(place.max()) + 1
    if size * (size - 1) // 2 * weeks > MAX_SHIFT_TABLE:
        raise InvalidParameter(f"{size:,} places with reports over {weeks:,} weeks are too many to compare in pairs")
    from geo.link_kernel import count_shifted

    order = np.lexsort((at_us, place))
    starts = np.searchsorted(place[order], np.arange(size + 1))
    table = np.zeros((size * (size - 1) // 2, weeks), np.int64)
    count_shifted(starts, at_us[order], window_us, weeks, WEEK_US, table)
    return table


def _with_lags(table: Ints, lags: int) -> Ints:
    """Each week with those up to ``lags`` before and after it."""
    from geo.link_kernel import add_lags

    pooled = np.empty_like(table)
    add_lags(table, lags, pooled)
    return pooled


def _best_of_shifts(score: Floats, size: int, draws: int, rng: np.random.Generator) -> Floats:
    """Largest score of all pairs in each draw of one shift a place."""
    from geo.link_kernel import best_of_shifts

    live = np.flatnonzero(score.any(axis=1))
    a, b = (k[live] for k in np.triu_indices(size, 1))
    shifts = rng.integers(0, score.shape[1], (draws, size))
    return best_of_shifts(score, live, a, b, np.ascontiguousarray(shifts.T))


def _family(own: Floats, best: Floats) -> Floats:
    """Share of {draws, the data} whose best score is at least as large."""
    below = np.searchsorted(np.sort(best), own, side="left")
    result: Floats = (1 + len(best) - below) / (len(best) + 1)
    return result


def _at_least_one(**values: int) -> None:
    """Refuse parameters below 1."""
    for name, value in values.items():
        if value < 1:
            raise InvalidParameter(f"{name} is {value}; it must be 1 or more")


def _nothing(smallest_q: float) -> LinkTest:
    """No pair shares anything."""
    none, empty = np.empty(0, np.int64), np.empty(0)
    return LinkTest(none, none, none, empty, empty, empty, smallest_q)
