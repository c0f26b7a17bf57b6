"""The loops of DBSCAN in metres and days, compiled: squares as in ``geo.cluster_grid``, cut into slots of time.

Source: Gunawan (2013), *A faster algorithm for DBSCAN*, with one more dimension. A slot is as long as the longest gap between
neighbours, so points of one square and slot are neighbours, and others lie at most two squares and one slot away.
"""

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.compiled import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

# Squares are this much smaller than they might be: the rounding of a billion rows of squares stays below it.
_MARGIN: Final = 1e-6
_MANY_PAIRS: Final = 256
_ROWS: Final = 5  # a neighbour lies at most two squares away, to each side
_SLOTS: Final = 3
_LARGEST: Final = np.iinfo(np.int64).max
NONE: Final = -1


class Blocks(NamedTuple):
    """Points by the square and the slot that they lie in, blocks by square and then by slot.

    Parameters
    ----------
    x_m, y_m, weight : ndarray of float, shape (n,)
        Points block by block, within one in the order given.
    at_us, order : ndarray of int64, shape (n,)
        Their times, and where each stood in the order given.
    square, slot : ndarray of int64, shape (b,)
        A square is its column times ``stride`` plus its row.
    first : ndarray of int64, shape (b + 1,)
        First point of each block, and the number of points.
    box_m : ndarray of float, shape (b, 4)
        West, south, east, north of the points in it.
    span_us : ndarray of int64, shape (b, 2)
        Their first and last time.
    stride : int
    """

    x_m: Floats
    y_m: Floats
    weight: Floats
    at_us: Ints
    order: Ints
    square: Ints
    slot: Ints
    first: Ints
    box_m: Floats
    span_us: Ints
    stride: int


def lay_blocks(x_m: Floats, y_m: Floats, at_us: Ints, weight: Floats, *, eps_m: float, eps_us: int) -> Blocks:
    """Sort points into squares with a diagonal just below ``eps_m`` and slots in which no two are too far apart."""
    if eps_m > 0:
        side_m = eps_m / math.sqrt(2) * (1 - _MARGIN)
        column, row = (_closed_up(np.floor((one - one.min()) / side_m), _ROWS) for one in (x_m, y_m))
    else:  # only one place is near a place
        column, row = (np.unique(one, return_inverse=True)[1].astype(np.int64) for one in (x_m, y_m))
    slot = (at_us - at_us.min()) // (eps_us + 1)
    stride = int(row.max()) + _ROWS + 1
    square = column * stride + row
    order = np.lexsort((slot, square))
    columns = (x_m[order], y_m[order], weight[order], at_us[order], order)
    return _by_block(columns, square[order], slot[order], stride)


def _closed_up(number: Floats, gap: int) -> Ints:
    """Whole numbers in the same order, and as far apart where less than ``gap``: no wide land makes them too large."""
    distinct, inverse = np.unique(number, return_inverse=True)
    steps = np.minimum(np.diff(distinct, prepend=distinct[:1]), gap)
    return np.cumsum(steps).astype(np.int64)[inverse]


def _by_block(columns: tuple[Floats, Floats, Floats, Ints, Ints], square: Ints, slot: Ints, stride: int) -> Blocks:
    new = np.ones(len(square) + 1, bool)
    new[1:-1] = (square[1:] != square[:-1]) | (slot[1:] != slot[:-1])
    first = np.flatnonzero(new) if len(square) else np.zeros(1, np.int64)
    x_m, y_m, _, at_us, _ = columns
    return Blocks(*columns, square[first[:-1]], slot[first[:-1]], first, *_boxes(x_m, y_m, at_us, first), stride)


@compiled
def _boxes(x_m: Floats, y_m: Floats, at_us: Ints, first: Ints) -> tuple[Floats, Ints]:
    """West, south, east, north, and first and last time, of runs of points."""
    box_m, span_us = np.empty((len(first) - 1, 4)), np.empty((len(first) - 1, 2), np.int64)
    for block in range(len(first) - 1):
        begin = first[block]
        west = east = x_m[begin]
        south = north = y_m[begin]
        begun = ended = at_us[begin]
        for i in range(begin + 1, first[block + 1]):
            west, east = min(west, x_m[i]), max(east, x_m[i])
            south, north = min(south, y_m[i]), max(north, y_m[i])
            begun, ended = min(begun, at_us[i]), max(ended, at_us[i])
        box_m[block, 0], box_m[block, 1], box_m[block, 2], box_m[block, 3] = west, south, east, north
        span_us[block, 0], span_us[block, 1] = begun, ended
    return box_m, span_us


@compiled
def _near_blocks(square: int, slot: int, blocks: Blocks, pointer: Ints, near: Ints) -> int:
    """Write which blocks can hold neighbours of a block; ``pointer`` only moves on, so ask in the order of blocks."""
    found, count = 0, len(blocks.square)
    for k in range(_ROWS * _ROWS):
        wanted = square + (k // _ROWS - 2) * blocks.stride + k % _ROWS - 2
        at = pointer[k]
        while at < count and (
            blocks.square[at] < wanted or (blocks.square[at] == wanted and blocks.slot[at] < slot - 1)
        ):
            at += 1
        pointer[k] = at
        while at < count and blocks.square[at] == wanted and blocks.slot[at] <= slot + 1:
            near[found] = at
            found += 1
            at += 1
    return found


@compiled
def _apart(x_m: float, y_m: float, at_us: int, box_m: Floats, span_us: Ints, eps_m2: float, eps_us: int) -> bool:
    """Whether nothing in a box and a span can be a neighbour of a point."""
    if span_us[0] - at_us > eps_us or at_us - span_us[1] > eps_us:
        return True
    dx, dy = max(box_m[0] - x_m, x_m - box_m[2], 0.0), max(box_m[1] - y_m, y_m - box_m[3], 0.0)
    return dx * dx + dy * dy > eps_m2


@compiled
def _covers(x_m: float, y_m: float, at_us: int, box_m: Floats, span_us: Ints, eps_m2: float, eps_us: int) -> bool:
    """Whether all in a box and a span are neighbours of a point."""
    if span_us[1] - at_us > eps_us or at_us - span_us[0] > eps_us:
        return False
    dx, dy = max(x_m - box_m[0], box_m[2] - x_m), max(y_m - box_m[1], box_m[3] - y_m)
    return dx * dx + dy * dy <= eps_m2


@compiled
def _weight_near(blocks: Blocks, block: int, x_m: float, y_m: float, at_us: int, eps_m2: float, eps_us: int) -> float:
    """Weight of a block's points that are neighbours of a point."""
    total = 0.0
    for j in range(blocks.first[block], blocks.first[block + 1]):
        dx, dy = x_m - blocks.x_m[j], y_m - blocks.y_m[j]
        if dx * dx + dy * dy <= eps_m2 and abs(at_us - blocks.at_us[j]) <= eps_us:
            total += blocks.weight[j]
    return total


@compiled
def _reaches(
    i: int, block: int, near: Ints, blocks: Blocks, total: Floats, eps_m2: float, eps_us: int, min_weight: float
) -> bool:
    """Whether point ``i`` of a block has enough weight among its neighbours."""
    x_m, y_m, at_us, reached = blocks.x_m[i], blocks.y_m[i], blocks.at_us[i], total[block]
    for other in near:
        box_m, span_us = blocks.box_m[other], blocks.span_us[other]
        if other == block or _apart(x_m, y_m, at_us, box_m, span_us, eps_m2, eps_us):
            continue
        if _covers(x_m, y_m, at_us, box_m, span_us, eps_m2, eps_us):
            reached += total[other]
        else:
            reached += _weight_near(blocks, other, x_m, y_m, at_us, eps_m2, eps_us)
        if reached >= min_weight:
            return True
    return reached >= min_weight


@compiled
def _core(blocks: Blocks, eps_m2: float, eps_us: int, min_weight: float) -> Flags:
    """Which points, block by block, have the weight among their neighbours."""
    first = blocks.first
    core, total = np.zeros(len(blocks.x_m), np.bool_), np.zeros(len(first) - 1)
    for block in range(len(total)):
        for i in range(first[block], first[block + 1]):
            total[block] += blocks.weight[i]
    pointer, near = np.zeros(_ROWS * _ROWS, np.int64), np.empty(_ROWS * _ROWS * _SLOTS, np.int64)
    for block in range(len(total)):
        if total[block] >= min_weight:
            core[first[block] : first[block + 1]] = True
            continue
        found = _near_blocks(blocks.square[block], blocks.slot[block], blocks, pointer, near)
        possible = total[block]
        for other in near[:found]:  # in the order of _reaches, so that no rounding makes this the smaller sum
            if other != block:
                possible += total[other]
        if possible >= min_weight:
            for i in range(first[block], first[block + 1]):
                core[i] = _reaches(i, block, near[:found], blocks, total, eps_m2, eps_us, min_weight)
    return core


@compiled
def _root(parent: Ints, one: int) -> int:
    while parent[one] != one:
        parent[one] = parent[parent[one]]
        one = parent[one]
    return one


@compiled
def _in_reach(
    blocks: Blocks, own: Ints, box_m: Floats, span_us: Ints, eps_m2: float, eps_us: int
) -> tuple[Ints, Floats, Ints]:
    """Those of the listed points that are near enough to a box and a span, and the box and span of what is left."""
    kept, count = np.empty_like(own), 0
    left_m = np.array([np.inf, np.inf, -np.inf, -np.inf])
    left_us = np.array([_LARGEST, -_LARGEST])
    for i in own:
        x_m, y_m, at_us = blocks.x_m[i], blocks.y_m[i], blocks.at_us[i]
        if not _apart(x_m, y_m, at_us, box_m, span_us, eps_m2, eps_us):
            kept[count] = i
            count += 1
            left_m[0], left_m[2] = min(left_m[0], x_m), max(left_m[2], x_m)
            left_m[1], left_m[3] = min(left_m[1], y_m), max(left_m[3], y_m)
            left_us[0], left_us[1] = min(left_us[0], at_us), max(left_us[1], at_us)
    return kept[:count], left_m, left_us


@compiled
def _touch(cores: Blocks, one: int, other: int, eps_m2: float, eps_us: int) -> bool:
    """Whether two blocks have core points that are neighbours; points that cannot matter are put aside first."""
    own = np.arange(cores.first[one], cores.first[one + 1])
    theirs = np.arange(cores.first[other], cores.first[other + 1])
    if len(own) * len(theirs) > _MANY_PAIRS:
        own, box_m, span_us = _in_reach(cores, own, cores.box_m[other], cores.span_us[other], eps_m2, eps_us)
        if not len(own):
            return False
        theirs, box_m, span_us = _in_reach(cores, theirs, box_m, span_us, eps_m2, eps_us)
        if not len(theirs):
            return False
        own, box_m, span_us = _in_reach(cores, own, box_m, span_us, eps_m2, eps_us)
    for i in own:
        x_m, y_m, at_us = cores.x_m[i], cores.y_m[i], cores.at_us[i]
        if not _apart(x_m, y_m, at_us, cores.box_m[other], cores.span_us[other], eps_m2, eps_us):
            for j in theirs:
                dx, dy = x_m - cores.x_m[j], y_m - cores.y_m[j]
                if dx * dx + dy * dy <= eps_m2 and abs(at_us - cores.at_us[j]) <= eps_us:
                    return True
    return False


@compiled
def _linked(cores: Blocks, eps_m2: float, eps_us: int) -> Ints:
    """First core point of the component of each block: blocks side by side first, so that few others need a look."""
    square, slot, stride = cores.square, cores.slot, cores.stride
    parent, near = np.arange(len(square)), np.empty(_ROWS * _ROWS * _SLOTS, np.int64)
    for beside in (True, False):
        pointer = np.zeros(_ROWS * _ROWS, np.int64)
        for block in range(len(square)):
            for k in range(_near_blocks(square[block], slot[block], cores, pointer, near)):
                other = near[k]
                column = (square[other] - square[block] + 2) // stride
                row = square[other] - square[block] - column * stride
                if other <= block or (column <= 1 and abs(row) <= 1) != beside:
                    continue
                a, b = _root(parent, block), _root(parent, other)
                if a != b and _touch(cores, block, other, eps_m2, eps_us):
                    parent[max(a, b)] = min(a, b)
    smallest = np.full(len(square), _LARGEST)
    for block in range(len(square)):
        root = _root(parent, block)
        smallest[root] = min(smallest[root], cores.order[cores.first[block]])
    for block in range(len(square)):
        smallest[block] = smallest[_root(parent, block)]
    return smallest


@compiled
def _borders(rest: Blocks, cores: Blocks, component: Ints, eps_m2: float, eps_us: int) -> Ints:
    """Lowest component with a core point among the neighbours of each point that is not core; -1 where there is none."""
    lowest = np.full(len(rest.x_m), NONE)
    pointer, near = np.zeros(_ROWS * _ROWS, np.int64), np.empty(_ROWS * _ROWS * _SLOTS, np.int64)
    for block in range(len(rest.square)):
        found = _near_blocks(rest.square[block], rest.slot[block], cores, pointer, near)
        for i in range(rest.first[block], rest.first[block + 1]):
            x_m, y_m, at_us = rest.x_m[i], rest.y_m[i], rest.at_us[i]
            for k in range(found):
                other = near[k]
                if lowest[i] != NONE and component[other] >= lowest[i]:
                    continue
                if _apart(x_m, y_m, at_us, cores.box_m[other], cores.span_us[other], eps_m2, eps_us):
                    continue
                for j in range(cores.first[other], cores.first[other + 1]):
                    dx, dy = x_m - cores.x_m[j], y_m - cores.y_m[j]
                    if dx * dx + dy * dy <= eps_m2 and abs(at_us - cores.at_us[j]) <= eps_us:
                        lowest[i] = component[other]
                        break
    return lowest


def _only(blocks: Blocks, kept: Flags) -> Blocks:
    """Some of the points, by the blocks that have any of them."""
    sizes = np.diff(blocks.first)
    columns = (blocks.x_m[kept], blocks.y_m[kept], blocks.weight[kept], blocks.at_us[kept], blocks.order[kept])
    return _by_block(columns, np.repeat(blocks.square, sizes)[kept], np.repeat(blocks.slot, sizes)[kept], blocks.stride)


def connect_spacetime(
    x_m: Floats, y_m: Floats, at_us: Ints, weight: Floats, *, eps_m: float, eps_us: int, min_weight: float
) -> tuple[Flags, Ints]:
    """Core points, and the component that each point belongs to.

    Parameters
    ----------
    x_m, y_m : ndarray of float, shape (n,)
        Distinct points in metres and time, in the order that numbers components; at least one.
    at_us : ndarray of int64, shape (n,)
        Microseconds.
    weight : ndarray of float, shape (n,)
        Not negative.
    eps_m, min_weight : float
    eps_us : int

    Returns
    -------
    core : ndarray of bool, shape (n,)
    component : ndarray of int64, shape (n,)
        The first core point of the component: a core point's own, else the lowest among those of its neighbours; -1 where there is none.

    Notes
    -----
    No pair is kept, and a block with the weight makes all its points core without a look at any, so time and memory grow
    with the points, whatever their density. Distances are compared as ``dx * dx + dy * dy <= eps_m * eps_m``; no box decides
    otherwise, since rounding is monotone.

    Examples
    --------
    >>> line, day_us = np.array([0.0, 1, 2, 3]), 86_400_000_000
    >>> core, component = connect_spacetime(
    ...     line, np.zeros(4), np.array([0, 0, 1, 9]) * day_us, np.ones(4), eps_m=1, eps_us=day_us, min_weight=3
    ... )
    >>> core.tolist(), component.tolist()
    ([False, True, False, False], [1, 1, 1, -1])
    """
    blocks = lay_blocks(x_m, y_m, at_us, weight, eps_m=eps_m, eps_us=eps_us)
    eps_m2 = float(eps_m) * float(eps_m)
    is_core = _core(blocks, eps_m2, eps_us, float(min_weight))
    core, component = np.zeros(len(x_m), bool), np.full(len(x_m), NONE)
    core[blocks.order] = is_core
    if not is_core.any():
        return core, component
    cores, rest = _only(blocks, is_core), _only(blocks, ~is_core)
    linked = _linked(cores, eps_m2, eps_us)
    component[cores.order] = np.repeat(linked, np.diff(cores.first))
    component[rest.order] = _borders(rest, cores, linked, eps_m2, eps_us)
    return core, component
