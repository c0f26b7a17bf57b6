"""The loops of the join of points to features, compiled: import it where it is used."""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.compiled import compiled
from geo.nearby_ground import Grid, Ground, lay_out
from geo.nearby_outlines import HOLE, MIXED, OPEN, Outlines

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Slots = NDArray[np.int32]
Box = tuple[float, float, float, float]

# Edges that share a bounding box: most buildings are one run, and a long outline is passed over run by run.
RUN_EDGES: Final = 16
_CONTINUED: Final = 4
_FAR, _NEAR, _ASK = 0, 1, 2
# Beside the limit by so much, rounding could decide: a share of the limit, and of the extent of what is compared.
_SLACK_OF_LIMIT: Final = 1e-9
_SLACK_OF_EXTENT: Final = 1e-13


class Shapes(NamedTuple):
    """Features as runs of edges.

    Parameters
    ----------
    corners_m : ndarray of float, shape (c, 2)
    run : ndarray of int64, shape (r, 3)
        First corner, last corner and role; ``_CONTINUED`` from the second run of a chain on.
    box_m : ndarray of float, shape (r, 4)
        West, south, east, north of each run.
    run_first : ndarray of int64, shape (f + 1,)
        First run of each feature, and the number of runs.
    """

    corners_m: Floats
    run: Ints
    box_m: Floats
    run_first: Ints


class Reach(NamedTuple):
    """The runs of a feature, the box round it, and squares of what is surely and what perhaps within the limit."""

    begin: int
    end: int
    west_m: float
    south_m: float
    east_m: float
    north_m: float
    surely_m2: float
    perhaps_m2: float


@compiled
def _runs(chain_first: Ints, role: Ints, feature_first: Ints, corners_m: Floats) -> tuple[Ints, Floats, Ints]:
    """Cut the chains into runs of edges; the last three arrays of :class:`Shapes`."""
    count = 0
    for chain in range(len(role)):
        count += max(1, (chain_first[chain + 1] - chain_first[chain] - 2) // RUN_EDGES + 1)
    run, box_m = np.empty((count, 3), np.int64), np.empty((count, 4))
    run_first = np.empty(len(feature_first), np.int64)
    at = 0
    for feature in range(len(feature_first) - 1):
        run_first[feature] = at
        for chain in range(feature_first[feature], feature_first[feature + 1]):
            start, end, kind = chain_first[chain], chain_first[chain + 1] - 1, role[chain]
            while True:
                last = min(start + RUN_EDGES, end)
                run[at, 0], run[at, 1], run[at, 2] = start, last, kind
                west, south = east, north = corners_m[start, 0], corners_m[start, 1]
                for i in range(start + 1, last + 1):
                    west, east = min(west, corners_m[i, 0]), max(east, corners_m[i, 0])
                    south, north = min(south, corners_m[i, 1]), max(north, corners_m[i, 1])
                box_m[at, 0], box_m[at, 1], box_m[at, 2], box_m[at, 3] = west, south, east, north
                at += 1
                if last == end:
                    break
                start, kind = last, _CONTINUED
    run_first[-1] = at
    return run, box_m, run_first


@compiled
def _apart_m2(x_m: float, y_m: float, box_m: Box) -> float:
    """Square of the distance to a box."""
    dx, dy = max(box_m[0] - x_m, x_m - box_m[2], 0.0), max(box_m[1] - y_m, y_m - box_m[3], 0.0)
    return dx * dx + dy * dy


@compiled
def _edge_within(x_m: float, y_m: float, edge_m: Box, limit_m2: float) -> bool:
    """Whether an edge comes within the root of so many square metres of a point; without a division."""
    ax_m, ay_m, bx_m, by_m = edge_m
    dx, dy, px, py = bx_m - ax_m, by_m - ay_m, x_m - ax_m, y_m - ay_m
    along, length2 = px * dx + py * dy, dx * dx + dy * dy
    if along <= 0.0:
        return px * px + py * py <= limit_m2
    if along >= length2:
        return (x_m - bx_m) ** 2 + (y_m - by_m) ** 2 <= limit_m2
    return (dx * py - dy * px) ** 2 <= limit_m2 * length2


@compiled
def _along_run(
    at_m: tuple[float, float], own: tuple[int, int], box_m: Box, corners_m: Floats, reach: Reach
) -> tuple[int, bool]:
    """What the edges of a run say of the distance, and whether a ray to the east crosses an odd number of them."""
    (x_m, y_m), (first, last) = at_m, own
    reached = _apart_m2(x_m, y_m, box_m) <= reach.perhaps_m2
    if not reached and x_m < box_m[0]:  # all of it lies east: the ends say it
        return _FAR, (corners_m[first, 1] > y_m) != (corners_m[last, 1] > y_m)
    answer, odd = _FAR, False
    if not reached and (x_m > box_m[2] or y_m < box_m[1] or y_m > box_m[3]):
        return answer, odd
    for i in range(first, max(last, first + 1)):
        j = min(i + 1, last)
        ax, ay, bx, by = corners_m[i, 0], corners_m[i, 1], corners_m[j, 0], corners_m[j, 1]
        if reached and _edge_within(x_m, y_m, (ax, ay, bx, by), reach.perhaps_m2):
            answer = _ASK
            if _edge_within(x_m, y_m, (ax, ay, bx, by), reach.surely_m2):
                return _NEAR, odd
        if (ay > y_m) != (by > y_m):
            odd ^= ((bx - ax) * (y_m - ay) - (by - ay) * (x_m - ax) > 0.0) == (by > ay)
    return answer, odd


@compiled
def _by_edges(at_m: tuple[float, float], reach: Reach, corners_m: Floats, run: Ints, box_m: Floats) -> int:
    """Whether a point is near a feature, far from it, or so close to the limit that rounding could decide."""
    kind = run[reach.begin, 2]
    if kind == MIXED:
        return _ASK
    answer, inside = _FAR, False
    ring, hole, part = False, False, False  # in the ring so far; whether it is a hole; in its polygon without it
    for at in range(reach.begin, reach.end):
        role = run[at, 2]
        if role != _CONTINUED:
            part = part and not ring if hole else ring
            ring, hole = False, role == HOLE
            inside = inside or (part and not hole)
        box = (box_m[at, 0], box_m[at, 1], box_m[at, 2], box_m[at, 3])
        told, odd = _along_run(at_m, (run[at, 0], run[at, 1]), box, corners_m, reach)
        if told == _NEAR:
            return _NEAR
        answer = max(answer, told)
        ring ^= odd
    inside = inside or (part and not ring if hole else ring)
    return _NEAR if inside and kind != OPEN and answer == _FAR else answer


@compiled
def _reach(begin: int, end: int, box_m: Floats, distance_m: float) -> Reach:
    west, south, east, north = box_m[begin, 0], box_m[begin, 1], box_m[begin, 2], box_m[begin, 3]
    for at in range(begin + 1, end):
        west, south = min(west, box_m[at, 0]), min(south, box_m[at, 1])
        east, north = max(east, box_m[at, 2]), max(north, box_m[at, 3])
    slack_m = _SLACK_OF_LIMIT * distance_m + _SLACK_OF_EXTENT * (east - west + north - south + distance_m)
    surely_m2 = (distance_m - slack_m) ** 2 if distance_m > slack_m else -1.0
    return Reach(begin, end, west, south, east, north, surely_m2, (distance_m + slack_m) ** 2)


@compiled
def _by_box(x_m: float, y_m: float, reach: Reach) -> int:
    """As :func:`_by_edges`, by the box alone; ``_ASK`` where that does not decide."""
    if _apart_m2(x_m, y_m, (reach.west_m, reach.south_m, reach.east_m, reach.north_m)) > reach.perhaps_m2:
        return _FAR
    across, along = max(x_m - reach.west_m, reach.east_m - x_m), max(y_m - reach.south_m, reach.north_m - y_m)
    return _NEAR if across * across + along * along <= reach.surely_m2 else _ASK


@compiled
def _squares(reach: Reach, grid: Grid) -> tuple[int, int, int, int]:
    """First and last column, first and last row of the squares round a feature; the outermost for what lies beyond."""
    away_m, east, north = np.sqrt(reach.perhaps_m2), grid.width - 1.0, grid.height - 1.0
    return (
        int(min(max((reach.west_m - away_m - grid.west_m) / grid.side_m, 0.0), east)),
        int(min(max((reach.east_m + away_m - grid.west_m) / grid.side_m, 0.0), east)),
        int(min(max((reach.south_m - away_m - grid.south_m) / grid.side_m, 0.0), north)),
        int(min(max((reach.north_m + away_m - grid.south_m) / grid.side_m, 0.0), north)),
    )


@compiled
def _first_at(key: Ints, wanted: int, low: int, high: int) -> int:
    """First place between two in sorted keys that is not below the wanted key."""
    while low < high:
        middle = (low + high) >> 1
        if key[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def _find(ground: Ground, shapes: Shapes, distance_m: float) -> tuple[Slots, Ints]:
    """Pairs by feature, and the first of each: places of points in the ground, with all bits turned where to ask."""
    points_m, key, leaf_first, grid = ground
    corners_m, run, box_m, run_first = shapes
    found, count = np.empty(1024, np.int32), 0
    first = np.zeros(len(run_first), np.int64)
    for feature in range(len(first) - 1):
        if run_first[feature] < run_first[feature + 1]:
            reach = _reach(run_first[feature], run_first[feature + 1], box_m, distance_m)
            left, right, row, top = _squares(reach, grid)
            while row <= top:
                begin, end = row * grid.width + left, row * grid.width + right
                leaf = begin >> grid.leaf_bits
                slot = _first_at(key, begin, leaf_first[leaf], leaf_first[leaf + 1])
                while slot < len(key) and key[slot] <= end:
                    answer = _by_box(points_m[slot, 0], points_m[slot, 1], reach)
                    if answer == _ASK:
                        answer = _by_edges((points_m[slot, 0], points_m[slot, 1]), reach, corners_m, run, box_m)
                    if answer != _FAR:
                        if count == len(found):
                            found = np.concatenate((found, np.empty_like(found)))
                        found[count] = slot if answer == _NEAR else ~slot
                        count += 1
                    slot += 1
                # Rows without points are passed over.
                row = max(row + 1, key[slot] // grid.width) if slot < len(key) else top + 1
        first[feature + 1] = count
    return found[:count], first


@compiled
def _by_point(found: Slots, first: Ints, order: Ints) -> tuple[Ints, Ints]:
    """Pairs by point and feature: a counting sort, as the features ascend already; what is negative is left out."""
    begin = np.zeros(len(order) + 1, np.int64)
    for slot in found:
        if slot >= 0:
            begin[order[slot] + 1] += 1
    for i in range(len(order)):
        begin[i + 1] += begin[i]
    point, feature = np.empty(begin[-1], np.int64), np.empty(begin[-1], np.int64)
    for one in range(len(first) - 1):
        for at in range(first[one], first[one + 1]):
            if found[at] >= 0:
                own = order[found[at]]
                point[begin[own]], feature[begin[own]] = own, one
                begin[own] += 1
    return point, feature


def join(
    points_m: Floats, features: Outlines, distance_m: float, ask: Callable[[Ints, Ints], NDArray[np.bool_]]
) -> tuple[Ints, Ints]:
    """Pairs of a point and a feature at most so far from it, by point and feature.

    Parameters
    ----------
    points_m : ndarray of float, shape (n, 2)
        Finite metres, at least one point.
    features : Outlines
    distance_m : float
        At least 0.
    ask : callable
        Says of pairs (points, features) whether they are near: of the few that rounding could decide, and of mixed features.

    Returns
    -------
    point, feature : ndarray of int64

    Notes
    -----
    A feature looks at the points in the squares round its bounding box. The box alone decides most pairs; for the others the edges
    are compared with the limit, and a ray to the east tells inside from outside, ring by ring.

    Examples
    --------
    >>> import shapely
    >>> from geo.nearby_outlines import outlines
    >>> place = outlines(np.array([shapely.Point(0, 0)]))
    >>> point, feature = join(np.array([[3.0, 4.0]]), place, 6.0, ask=np.equal)
    >>> point.tolist(), feature.tolist()
    ([0], [0])
    """
    shapes = Shapes(
        features.corners_m,
        *_runs(features.chain_first, features.role, features.feature_first, features.corners_m),
    )
    ground, order = lay_out(points_m, distance_m)
    found, first = _find(ground, shapes, float(distance_m))
    asked = np.flatnonzero(found < 0)
    if len(asked):
        slot = ~found[asked]
        near = ask(order[slot], np.searchsorted(first, asked, side="right") - 1)
        found[asked[near]] = slot[near]
    return _by_point(found, first, order)
