"""The loops of DBSCAN on a grid, compiled: no lists of neighbours, so memory grows with the points alone.

Source: Gunawan (2013), *A faster algorithm for DBSCAN*; Gan and Tao (2015), *DBSCAN revisited*. Squares have a diagonal just
below the radius, so points of one square are neighbours and core points of one square belong together.
"""

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.compiled import compiled
from geo.errors import InvalidParameter

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

# Squares are this much smaller than they might be: the rounding of a billion squares from the origin stays below it.
_MARGIN: Final = 1e-6
_FARTHEST_SQUARES: Final = 1e9
_MANY_PAIRS: Final = 256
_ROWS: Final = 5  # a neighbour lies at most two squares away, to each side
NONE: Final = -1


class Squares(NamedTuple):
    """Points by the square that they lie in, and the squares from west to east and from south to north.

    Parameters
    ----------
    x_m, y_m, weight : ndarray of float, shape (n,)
        Points square by square, within one in the order given.
    order : ndarray of int64, shape (n,)
        Where each stood in the order given.
    key : ndarray of int64, shape (s,)
        Column times ``stride`` plus row, ascending.
    first : ndarray of int64, shape (s + 1,)
        First point of each square, and the number of points.
    box_m : ndarray of float, shape (s, 4)
        West, south, east, north of the points in it.
    stride : int
    """

    x_m: Floats
    y_m: Floats
    weight: Floats
    order: Ints
    key: Ints
    first: Ints
    box_m: Floats
    stride: int


class Components(NamedTuple):
    """What is connected, by the place of points in the order given.

    Parameters
    ----------
    core : ndarray of bool, shape (n,)
    component : ndarray of int64, shape (n,)
        The first core point of the component of each core point; -1 for others.
    border, reached : ndarray of int64, shape (b,)
        Pairs of a point that is not core and a component with a core point near it.
    """

    core: Flags
    component: Ints
    border: Ints
    reached: Ints


@compiled
def _counted(values: Ints, order: Ints, size: int) -> Ints:
    """Sort stably what ``order`` lists by small whole numbers."""
    begin = np.zeros(size + 1, np.int64)
    for value in values:
        begin[value + 1] += 1
    for i in range(size):
        begin[i + 1] += begin[i]
    result = np.empty_like(order)
    for one in order:
        value = values[one]
        result[begin[value]] = one
        begin[value] += 1
    return result


@compiled
def _boxes(x_m: Floats, y_m: Floats, first: Ints) -> Floats:
    """West, south, east, north of runs of points; an empty run is nowhere."""
    box_m = np.empty((len(first) - 1, 4))
    for square in range(len(first) - 1):
        west = south = np.inf
        east = north = -np.inf
        for i in range(first[square], first[square + 1]):
            west, east = min(west, x_m[i]), max(east, x_m[i])
            south, north = min(south, y_m[i]), max(north, y_m[i])
        box_m[square, 0], box_m[square, 1], box_m[square, 2], box_m[square, 3] = west, south, east, north
    return box_m


def lay_squares(x_m: Floats, y_m: Floats, weight: Floats, eps_m: float) -> Squares:
    """Sort points into squares with a diagonal just below ``eps_m``; they begin at the origin, so every strip cuts alike.

    Raises
    ------
    InvalidParameter
        When the radius is so small, or the points so far from the origin, that rounding decides which square is theirs.
    """
    side_m = eps_m / math.sqrt(2) * (1 - _MARGIN)
    farthest_m = max(abs(float(end)) for one in (x_m, y_m) for end in (one.min(), one.max()))
    if farthest_m > _FARTHEST_SQUARES * side_m:
        raise InvalidParameter(f"eps_m {eps_m:g} is too small for coordinates of {farthest_m:,.0f} metres.")
    column, row = _from_first(x_m, side_m), _from_first(y_m, side_m)
    columns, rows = int(column.max()) + 1, int(row.max()) + 1
    if columns + rows < 4 * len(x_m) + 1_000_000:
        order = _counted(row, np.arange(len(row)), rows)
        order = _counted(column, order, columns)
    else:  # few points over a wide land
        order = np.lexsort((row, column))
    stride = rows + _ROWS
    return _by_square(x_m[order], y_m[order], weight[order], order, column[order] * stride + row[order], stride)


def _from_first(along_m: Floats, side_m: float) -> Ints:
    """Number of the square of each point, counted from the first that holds one."""
    number = along_m / side_m
    np.floor(number, out=number)
    number -= number.min()
    return number.astype(np.int64)


def _by_square(x_m: Floats, y_m: Floats, weight: Floats, order: Ints, key: Ints, stride: int) -> Squares:
    new = np.ones(len(key) + 1, bool)
    new[1:-1] = key[1:] != key[:-1]
    first = np.flatnonzero(new) if len(key) else np.zeros(1, np.int64)
    return Squares(x_m, y_m, weight, order, key[first[:-1]], first, _boxes(x_m, y_m, first), stride)


@compiled
def _gap_m2(x_m: float, y_m: float, box_m: Floats) -> float:
    """Square of the distance from a point to a box."""
    dx, dy = max(box_m[0] - x_m, x_m - box_m[2], 0.0), max(box_m[1] - y_m, y_m - box_m[3], 0.0)
    return dx * dx + dy * dy


@compiled
def _span_m2(x_m: float, y_m: float, box_m: Floats) -> float:
    """Square of the distance from a point to the far corner of a box."""
    dx, dy = max(x_m - box_m[0], box_m[2] - x_m), max(y_m - box_m[1], box_m[3] - y_m)
    return dx * dx + dy * dy


@compiled
def _near_squares(own: int, stride: int, key: Ints, pointer: Ints, near: Ints) -> int:
    """Write which of the keys are at most two squares from a square; ``pointer`` only moves on, so ask in their order."""
    found = 0
    for column in range(_ROWS):
        wanted = own + (column - 2) * stride - 2
        at = pointer[column]
        while at < len(key) and key[at] < wanted:
            at += 1
        pointer[column] = at
        while at < len(key) and key[at] < wanted + _ROWS:
            near[found] = at
            found += 1
            at += 1
    return found


@compiled
def _weight_near(x_m: float, y_m: float, squares: Squares, square: int, eps_m2: float) -> float:
    """Weight of a square's points at most so far from a place."""
    total = 0.0
    for j in range(squares.first[square], squares.first[square + 1]):
        dx, dy = x_m - squares.x_m[j], y_m - squares.y_m[j]
        if dx * dx + dy * dy <= eps_m2:
            total += squares.weight[j]
    return total


@compiled
def _reaches(i: int, square: int, near: Ints, squares: Squares, total: Floats, enough: tuple[float, float]) -> bool:
    """Whether point ``i`` of a square has enough weight (second) within a squared radius (first)."""
    eps_m2, min_weight = enough
    x_m, y_m, reached = squares.x_m[i], squares.y_m[i], total[square]
    for other in near:
        if other == square or _gap_m2(x_m, y_m, squares.box_m[other]) > eps_m2:
            continue
        if _span_m2(x_m, y_m, squares.box_m[other]) <= eps_m2:
            reached += total[other]
        else:
            reached += _weight_near(x_m, y_m, squares, other, eps_m2)
        if reached >= min_weight:
            return True
    return False


@compiled
def _core(squares: Squares, eps_m2: float, min_weight: float) -> Flags:
    """Which points, square by square, have the weight within the radius."""
    first = squares.first
    core, total = np.zeros(len(squares.x_m), np.bool_), np.zeros(len(first) - 1)
    for square in range(len(total)):
        for i in range(first[square], first[square + 1]):
            total[square] += squares.weight[i]
    pointer, near = np.zeros(_ROWS, np.int64), np.empty(_ROWS * _ROWS, np.int64)
    for square in range(len(total)):
        if total[square] >= min_weight:
            core[first[square] : first[square + 1]] = True
            continue
        found = _near_squares(squares.key[square], squares.stride, squares.key, pointer, near)
        possible = total[square]
        for other in near[:found]:  # in the order of _reaches, so that no rounding makes this the smaller sum
            if other != square:
                possible += total[other]
        if possible >= min_weight:
            for i in range(first[square], first[square + 1]):
                core[i] = _reaches(i, square, near[:found], squares, total, (eps_m2, min_weight))
    return core


@compiled
def _root(parent: Ints, one: int) -> int:
    while parent[one] != one:
        parent[one] = parent[parent[one]]
        one = parent[one]
    return one


@compiled
def _in_reach(squares: Squares, own: Ints, box_m: Floats, eps_m2: float) -> tuple[Ints, Floats]:
    """Those of the listed points that are near enough to a box, and the box of what is left."""
    kept, count = np.empty_like(own), 0
    left_m = np.array([np.inf, np.inf, -np.inf, -np.inf])
    for i in own:
        x_m, y_m = squares.x_m[i], squares.y_m[i]
        if _gap_m2(x_m, y_m, box_m) <= eps_m2:
            kept[count] = i
            count += 1
            left_m[0], left_m[2] = min(left_m[0], x_m), max(left_m[2], x_m)
            left_m[1], left_m[3] = min(left_m[1], y_m), max(left_m[3], y_m)
    return kept[:count], left_m


@compiled
def _touch(cores: Squares, one: int, other: int, eps_m2: float) -> bool:
    """Whether two squares have core points at most so far apart; points that cannot matter are put aside first."""
    own = np.arange(cores.first[one], cores.first[one + 1])
    theirs = np.arange(cores.first[other], cores.first[other + 1])
    if len(own) * len(theirs) > _MANY_PAIRS:
        own, own_box_m = _in_reach(cores, own, cores.box_m[other], eps_m2)
        theirs, their_box_m = _in_reach(cores, theirs, own_box_m, eps_m2)
        own, own_box_m = _in_reach(cores, own, their_box_m, eps_m2)
    for i in own:
        if _gap_m2(cores.x_m[i], cores.y_m[i], cores.box_m[other]) <= eps_m2:
            for j in theirs:
                dx, dy = cores.x_m[i] - cores.x_m[j], cores.y_m[i] - cores.y_m[j]
                if dx * dx + dy * dy <= eps_m2:
                    return True
    return False


@compiled
def _linked(cores: Squares, eps_m2: float) -> Ints:
    """First core point of the component of each square: squares side by side first, so that few others need a look."""
    key = cores.key
    parent, near = np.arange(len(key)), np.empty(_ROWS * _ROWS, np.int64)
    for beside in (True, False):
        pointer = np.zeros(_ROWS, np.int64)
        for square in range(len(key)):
            for k in range(_near_squares(key[square], cores.stride, key, pointer, near)):
                other = near[k]
                column = (key[other] - key[square] + 2) // cores.stride
                row = key[other] - key[square] - column * cores.stride
                if other <= square or (column <= 1 and abs(row) <= 1) != beside:
                    continue
                a, b = _root(parent, square), _root(parent, other)
                if a != b and _touch(cores, square, other, eps_m2):
                    parent[max(a, b)] = min(a, b)
    smallest = np.full(len(key), np.iinfo(np.int64).max)
    for square in range(len(key)):
        root = _root(parent, square)
        smallest[root] = min(smallest[root], cores.order[cores.first[square]])
    for square in range(len(key)):
        smallest[square] = smallest[_root(parent, square)]
    return smallest


@compiled
def _borders(rest: Squares, cores: Squares, component: Ints, eps_m2: float) -> tuple[Ints, Ints]:
    """Pairs of a point that is not core and a component with a core point at most so far from it."""
    border, reached, count = np.empty(1024, np.int64), np.empty(1024, np.int64), 0
    pointer, near = np.zeros(_ROWS, np.int64), np.empty(_ROWS * _ROWS, np.int64)
    for square in range(len(rest.key)):
        found = _near_squares(rest.key[square], rest.stride, cores.key, pointer, near)
        for i in range(rest.first[square], rest.first[square + 1]):
            x_m, y_m, begin = rest.x_m[i], rest.y_m[i], count
            for k in range(found):
                other = near[k]
                if component[other] in reached[begin:count] or _gap_m2(x_m, y_m, cores.box_m[other]) > eps_m2:
                    continue
                for j in range(cores.first[other], cores.first[other + 1]):
                    dx, dy = x_m - cores.x_m[j], y_m - cores.y_m[j]
                    if dx * dx + dy * dy <= eps_m2:
                        if count == len(border):
                            border = np.concatenate((border, np.empty_like(border)))
                            reached = np.concatenate((reached, np.empty_like(reached)))
                        border[count], reached[count] = rest.order[i], component[other]
                        count += 1
                        break
    return border[:count], reached[:count]


def _only(squares: Squares, kept: Flags) -> Squares:
    """Some of the points, by the squares that have any of them."""
    key = np.repeat(squares.key, np.diff(squares.first))[kept]
    return _by_square(
        squares.x_m[kept], squares.y_m[kept], squares.weight[kept], squares.order[kept], key, squares.stride
    )


def connect(x_m: Floats, y_m: Floats, weight: Floats, *, eps_m: float, min_weight: float) -> Components:
    """Core points, what connects them, and which components each other point could join.

    Parameters
    ----------
    x_m, y_m : ndarray of float, shape (n,)
        Distinct points in metres, in the order that numbers components; at least one.
    weight : ndarray of float, shape (n,)
        Not negative.
    eps_m, min_weight : float

    Returns
    -------
    Components

    Notes
    -----
    Time and memory grow with the points, whatever their density: a square with the weight makes all its points core
    without a look at any pair, and two squares are joined by the first pair found. Distances are compared as squares of
    metres, ``dx * dx + dy * dy <= eps_m * eps_m``, as a k-d tree does; no box decides otherwise, since rounding is monotone.

    Examples
    --------
    >>> found = connect(np.array([0.0, 1, 2, 3]), np.zeros(4), np.ones(4), eps_m=1, min_weight=3)
    >>> found.core.tolist(), found.component.tolist(), found.border.tolist(), found.reached.tolist()
    ([False, True, True, False], [-1, 1, 1, -1], [0, 3], [1, 1])
    """
    squares = lay_squares(x_m, y_m, weight, eps_m)
    eps_m2 = float(eps_m) * float(eps_m)
    is_core = _core(squares, eps_m2, float(min_weight))
    core, component = np.zeros(len(x_m), bool), np.full(len(x_m), NONE)
    core[squares.order] = is_core
    if not is_core.any():
        return Components(core, component, np.empty(0, np.int64), np.empty(0, np.int64))
    cores, rest = _only(squares, is_core), _only(squares, ~is_core)
    del squares  # each point is in one of the two
    linked = _linked(cores, eps_m2)
    component[cores.order] = np.repeat(linked, np.diff(cores.first))
    return Components(core, component, *_borders(rest, cores, linked, eps_m2))
