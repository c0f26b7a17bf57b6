"""Corridors that several vehicles used, from position fixes alone: no road network is asked.

Sources: the sweep over directed segments follows Lee, Han and Whang (2007), *Trajectory clustering: a
partition-and-group framework* (TraClus); the way between two fixes follows Sajama and Orlitsky (2005), *Estimating and
computing density based distance metrics*: paths whose cost is length to a power hop along well-supported positions.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph
from scipy.spatial import Delaunay, QhullError, cKDTree

from geo.errors import InvalidParameter

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STEP_M: Final = 25.0
POWER: Final = 3.0  # at 2 and above the cheapest paths use Gabriel edges only, and Delaunay has all of them
STRAIGHT_M: Final = 100.0  # a shorter hop is taken as it is
JITTER_M: Final = 8.0
MAX_GAP_S: Final = 900.0
MAX_DETOUR: Final = 2.0
# Where no track was seen for longer, nobody knows the way; tracks of a bus line thinned to one fix in ten leap 580 m.
MAX_LEAP_M: Final = 750.0
ALIKE: Final = 0.5  # cosine of 60 degrees: headings alike, whichever way along
ONE_WAY: Final = 0.9
CENTRING: Final = 5
PLACE_M: Final = 10.0
SOURCES: Final = 200
BLOCK: Final = 2000  # samples looked at together: bounds the memory
CLEAR_M: Final = 0.5
SLIDES_M: Final = np.array([0, 1.37, -1.37, 2.93, -2.93, 5.19, -5.19, 8.71, -8.71])


@dataclass(frozen=True)
class Corridor:
    """A stretch of way that at least k distinct vehicles used all along.

    Parameters
    ----------
    line_m : ndarray of float, shape (v, 2)
        Centre line in projected metres, a vertex about every 25 m; no vertex is the position of a fix.
    vehicles_along : ndarray of int64, shape (v,)
        Distinct vehicles passing each vertex, never fewer than k.
    width_m : float
        Twice the 95th percentile of the distance of its fixes from the line.
    vehicles, trips : int
        Distinct vehicles and trips that passed any of it.
    directed : bool
        At least 90 % of what passed went the way the line is drawn.
    confidence : float
        Share of the vertices near which fixes of k distinct vehicles lie; the rest is inferred from hops.
    seen : float
        Share of the vertices near which any fix lies; on the rest nobody was seen at all.
    """

    line_m: Floats
    vehicles_along: Ints
    width_m: float
    vehicles: int
    trips: int
    directed: bool
    confidence: float
    seen: float


@dataclass(frozen=True)
class _Samples:
    """Points every 25 m along the reconstructed tracks, with unit headings."""

    at_m: Floats
    heading: Floats
    piece: Ints
    trip: Ints  # trips and vehicles are numbered from 0
    vehicle: Ints


def track_corridors(
    fixes: pd.DataFrame, *, k: int = 3, reach_m: float = 40.0, min_length_m: float = 200.0
) -> list[Corridor]:
    """Find the corridors of at least ``k`` distinct vehicles, longest first.

    Parameters
    ----------
    fixes : DataFrame
        ``x_m``, ``y_m`` (projected metres, finite), ``at_us`` (microseconds UTC), ``trip``, ``vehicle`` (whole numbers)
        and ``precision_m`` (radius that holds the true position with 95 % probability).
    k : int
        Distinct vehicles needed along every stretch; a stretch with fewer is cut out.
    reach_m : float
        Tracks this far from the centre line, and the median precision more, belong to it.
    min_length_m : float
        Shorter corridors are not reported.

    Returns
    -------
    list of Corridor

    Raises
    ------
    InvalidParameter
        When ``k`` is below 2, a length is not positive, or a fix is not finite.

    Notes
    -----
    A hop of more than 100 m is led over the positions of all tracks (their means in squares of 10 m); one of more than
    15 minutes, whose way is more than twice as long as the straight line, or on whose way no fix of any track lies for
    750 m, is not bridged. The support of a stretch is the number of distinct vehicles whose tracks, so completed, pass
    within reach and along it. Confidence is the share of the line where at least k vehicles were themselves seen
    (within reach and two steps), so it falls as fixes thin out although the line may stay; it says how much is observed
    and not inferred, not how probable the line is. A ring comes as two arcs.

    Examples
    --------
    >>> track = np.tile(np.arange(0.0, 1000, 40), 3)
    >>> fixes = pd.DataFrame({"x_m": track, "y_m": 0.0, "at_us": np.arange(75) * 10**7, "precision_m": 5.0})
    >>> bus = np.repeat([1, 2, 3], 25)
    >>> [corridor.vehicles for corridor in track_corridors(fixes.assign(trip=bus, vehicle=bus))]
    [3]
    """
    _check(fixes, k, reach_m, min_length_m)
    if fixes["vehicle"].nunique() < k:
        return []
    fixes = fixes.sort_values(["trip", "vehicle", "at_us", "x_m", "y_m"], ignore_index=True)
    reach_m += float(fixes["precision_m"].median())
    samples = _sampled(fixes)
    if len(samples.at_m) < 2:
        return []
    blocks = np.array_split(np.arange(len(samples.at_m)), len(samples.at_m) // BLOCK + 1)
    passing = [_passing(samples, samples.at_m[one], samples.heading[one], reach_m)[2] for one in blocks]
    left = np.concatenate(passing) >= k
    corridors: list[Corridor] = []
    while len(seed := _longest_way(samples, left, reach_m, min_length_m / 2)):
        line_m = _centred(samples.at_m[seed], samples, reach_m)
        told = _passing(samples, line_m, _headings(line_m), 2 * reach_m)[0][:, 1]
        left = left.copy()
        left[told] = left[seed] = False
        corridors += _kept(line_m, samples, fixes, k, reach_m)
    corridors = [one for one in corridors if _length(one.line_m) >= min_length_m]
    return sorted(corridors, key=lambda one: (-_length(one.line_m), *one.line_m[0]))


def _check(fixes: pd.DataFrame, k: int, reach_m: float, min_length_m: float) -> None:
    if k < 2 or not reach_m > 0 or not min_length_m > 0:
        raise InvalidParameter(f"k {k} must be at least 2; reach {reach_m} m and length {min_length_m} m positive.")
    if not np.isfinite(fixes[["x_m", "y_m", "precision_m"]].to_numpy(float)).all():
        raise InvalidParameter("x_m, y_m and precision_m must be finite in every fix.")


def _sampled(fixes: pd.DataFrame) -> _Samples:
    """Complete every track, smooth away what stops scatter, and put a point every 25 m along it."""
    vertices, of_fix, piece = _completed(fixes)
    many = np.bincount(piece)[piece] > 1  # a lone fix is no track
    _, first, line_of = np.unique(piece[many], return_index=True, return_inverse=True)
    lines = shapely.simplify(shapely.linestrings(vertices[many], indices=line_of), JITTER_M, preserve_topology=False)
    whole = np.floor(shapely.length(lines) / STEP_M).astype(int)
    count = np.where(whole > 0, whole + 1, 0)
    line = np.repeat(np.arange(len(lines)), count)
    along_m = (np.arange(len(line)) - np.repeat(np.cumsum(count) - count, count)) * STEP_M
    chord = _along(lines[line], along_m + STEP_M) - _along(lines[line], np.maximum(along_m - STEP_M, 0))
    numbers = (np.unique(fixes[name], return_inverse=True)[1] for name in ("trip", "vehicle"))
    trip, vehicle = (number[of_fix[many][first[line]]] for number in numbers)
    return _Samples(_along(lines[line], along_m), _unit(chord), line, trip, vehicle)


def _completed(fixes: pd.DataFrame) -> tuple[Floats, Ints, Ints]:
    """Vertices of the tracks with long hops led over other fixes; the fix each follows, and its unbroken piece."""
    at_m = fixes[["x_m", "y_m"]].to_numpy(float)
    _, node, size = np.unique(at_m // PLACE_M, axis=0, return_inverse=True, return_counts=True)
    node = node.ravel()
    places_m = np.column_stack([np.bincount(node, axis) / size for axis in at_m.T])
    same = (np.diff(fixes["trip"]) == 0) & (np.diff(fixes["vehicle"]) == 0)
    hop_m = np.hypot(*np.diff(at_m, axis=0).T)
    joined = same & (hop_m <= STRAIGHT_M)
    led = np.flatnonzero(same & ~joined & (np.diff(fixes["at_us"]) <= MAX_GAP_S * 1e6))
    hop, order, over, way_m = _ways(places_m, node[led], node[led + 1])
    fair = way_m <= MAX_DETOUR * hop_m[led]
    joined[led[fair]] = True
    piece = np.concatenate([[0], np.cumsum(~joined)])
    between = fair[hop]
    of_fix = np.concatenate([np.arange(len(at_m)), led[hop[between]]])
    turn = np.lexsort([np.concatenate([np.zeros(len(at_m)), order[between]]), of_fix])
    return np.concatenate([at_m, places_m[over[between]]])[turn], of_fix[turn], piece[of_fix[turn]]


def _ways(points_m: Floats, start: Ints, end: Ints) -> tuple[Ints, Ints, Ints, Floats]:
    """Cheapest ways over the points: hop, order and node of all that lies between; length of each, infinite for none."""
    none, way_m = np.empty(0, np.int64), np.full(len(start), np.inf)
    parts = [(none, none, none)]
    graph = _web(points_m) if len(start) else sparse.csr_array((0, 0))
    blocks = np.array_split(np.argsort(start, kind="stable"), len(start) // SOURCES + 1)
    for hops in blocks if len(start) else []:
        block = hops
        sources, row = np.unique(start[block], return_inverse=True)
        cost, previous = csgraph.dijkstra(graph, directed=False, indices=sources, return_predecessors=True)
        reached = np.isfinite(cost[row, end[block]])
        block, row = block[reached], row[reached]
        at, step, length_m = end[block], 0, np.zeros(len(block))
        while len(block):  # one step back on all ways at once
            back = previous[row, at].astype(np.int64)
            length_m = length_m + _span(points_m, back, at)
            done = back == start[block]
            way_m[block[done]] = length_m[done]
            going = (back >= 0) & ~done
            block, row, at, length_m, step = block[going], row[going], back[going], length_m[going], step - 1
            parts.append((block, np.full(len(at), step), at))
    hop, order, over = (np.concatenate(part) for part in zip(*parts, strict=True))
    return hop, order - order.min(initial=0) + 1, over, way_m


def _web(points_m: Floats) -> sparse.csr_array:
    """Delaunay edges of the points that are no leaps, with length to a power as cost."""
    chain = np.column_stack([np.arange(len(points_m) - 1), np.arange(1, len(points_m))])
    try:
        net = Delaunay(points_m - points_m.mean(axis=0))
        edges = np.concatenate([net.simplices[:, [0, 1]], net.simplices[:, [1, 2]], net.simplices[:, [0, 2]]])
        edges = np.concatenate([edges, net.coplanar[:, [0, 2]]])
    except (QhullError, ValueError):  # fewer than three, or all on one line: sorted, they follow one another
        edges = chain
    low, high = np.unique(np.sort(edges, axis=1).astype(np.int64), axis=0).T
    span_m = _span(points_m, low, high)
    near = span_m <= MAX_LEAP_M
    return sparse.csr_array((span_m[near] ** POWER, (low[near], high[near])), shape=(len(points_m),) * 2)


def _passing(samples: _Samples, at_m: Floats, heading: Floats, within_m: float) -> tuple[Ints, Floats, Ints]:
    """Pairs of a place and a sample within reach and along it, cosines of their headings, vehicles at each place."""
    near = cKDTree(at_m).sparse_distance_matrix(cKDTree(samples.at_m), within_m, output_type="ndarray")
    cosine = (heading[near["i"]] * samples.heading[near["j"]]).sum(axis=1)
    alike = np.abs(cosine) >= ALIKE
    pairs = np.column_stack([near["i"], near["j"]]).astype(np.int64)[alike]
    many = int(samples.vehicle.max(initial=0)) + 1
    seen = np.unique(pairs[:, 0] * many + samples.vehicle[pairs[:, 1]])
    return pairs, cosine[alike], np.bincount(seen // many, minlength=len(at_m))


def _longest_way(samples: _Samples, left: NDArray[np.bool_], reach_m: float, min_m: float) -> Ints:
    """Samples on the cheapest way between the two farthest ends of the largest connected part of those left."""
    rows = np.flatnonzero(left)
    if len(rows) < 2:
        return rows[:0]
    places = np.column_stack([samples.at_m[rows] // PLACE_M, _eighth(samples.heading[rows])]).astype(np.int64)
    _, place_row, place = np.unique(places, axis=0, return_index=True, return_inverse=True)
    follow = np.flatnonzero((np.diff(rows) == 1) & (np.diff(samples.piece[rows]) == 0))
    followed = np.sort(np.column_stack([place.ravel()[follow], place.ravel()[follow + 1]]), axis=1)
    rows = rows[place_row]  # one sample for each place and direction: the web does not grow with the traffic
    at_m, heading = samples.at_m[rows], samples.heading[rows]
    pairs = cKDTree(at_m).query_pairs(reach_m, output_type="ndarray")
    pairs = pairs[np.abs((heading[pairs[:, 0]] * heading[pairs[:, 1]]).sum(axis=1)) >= ALIKE]
    low, high = np.unique(np.concatenate([pairs, followed[followed[:, 0] != followed[:, 1]]]), axis=0).T
    cost = np.maximum(_span(at_m, low, high), 0.1) ** POWER
    graph = sparse.csr_array((cost, (low, high)), shape=(len(rows),) * 2)
    part = csgraph.connected_components(graph, directed=False)[1]
    extent = pd.DataFrame(at_m).groupby(part).agg(["min", "max"]).to_numpy()
    size = np.bincount(part) * (np.hypot(extent[:, 1] - extent[:, 0], extent[:, 3] - extent[:, 2]) >= min_m)
    if not size.any():
        return rows[:0]
    start = int(np.flatnonzero(part == size.argmax())[0])
    for _ in range(2):  # twice to the farthest: both ends of a tree, a good pair of ends of anything else
        far, before = csgraph.dijkstra(graph, directed=False, indices=start, return_predecessors=True)
        end, start = start, int(np.where(np.isfinite(far), far, -1).argmax())
    way = [start]
    while way[-1] != end:
        way.append(int(before[way[-1]]))
    return rows[way]


def _centred(line_m: Floats, samples: _Samples, reach_m: float) -> Floats:
    """Move a line to the middle of the tracks that pass along it."""
    line_m = _evenly(shapely.get_coordinates(shapely.simplify(shapely.linestrings(line_m), JITTER_M)))
    for _ in range(CENTRING):
        heading = _headings(line_m)
        pairs, _, _ = _passing(samples, line_m, heading, reach_m)
        normal = np.column_stack([-heading[:, 1], heading[:, 0]])
        aside_m = ((samples.at_m[pairs[:, 1]] - line_m[pairs[:, 0]]) * normal[pairs[:, 0]]).sum(axis=1)
        count = np.bincount(pairs[:, 0], minlength=len(line_m))
        mean_m = np.bincount(pairs[:, 0], aside_m, minlength=len(line_m)) / np.maximum(count, 1)
        line_m = _evenly(line_m + _smooth(mean_m[:, None]) * normal)
    return line_m


def _kept(line_m: Floats, samples: _Samples, fixes: pd.DataFrame, k: int, reach_m: float) -> list[Corridor]:
    """Cut the line to its runs of at least k distinct vehicles and describe each."""
    at_m = fixes[["x_m", "y_m"]].to_numpy(float)
    line_m = _clear_of(line_m, at_m)
    pairs, cosine, vehicles = _passing(samples, line_m, _headings(line_m), reach_m)
    near = cKDTree(line_m).sparse_distance_matrix(cKDTree(at_m), reach_m + 2 * STEP_M, output_type="ndarray")
    seen = np.unique(np.column_stack([near["i"], fixes["vehicle"].to_numpy()[near["j"]]]), axis=0)
    observers = np.bincount(seen[:, 0].astype(np.int64), minlength=len(line_m))
    edge = np.flatnonzero(np.diff(np.concatenate([[0], (vehicles >= k).astype(int), [0]])))
    found = []
    for first, end in edge.reshape(-1, 2):
        if end - first < 2:
            continue
        inside = (pairs[:, 0] >= first) & (pairs[:, 0] < end)
        forward = float((cosine[inside] > 0).mean())
        turn = slice(None, None, -1 if forward < 0.5 else 1)
        passed = np.unique(pairs[inside, 1])
        aside_m = shapely.distance(shapely.linestrings(line_m[first:end]), shapely.points(at_m))
        found.append(
            Corridor(
                line_m=line_m[first:end][turn],
                vehicles_along=vehicles[first:end][turn],
                width_m=2 * float(np.percentile(aside_m[aside_m <= reach_m], 95))
                if (aside_m <= reach_m).any()
                else 0.0,
                vehicles=len(np.unique(samples.vehicle[passed])),
                trips=len(np.unique(samples.trip[passed])),
                directed=max(forward, 1 - forward) >= ONE_WAY,
                confidence=float((observers[first:end] >= k).mean()),
                seen=float((observers[first:end] > 0).mean()),
            )
        )
    return found


def _clear_of(line_m: Floats, fixes_m: Floats) -> Floats:
    """Slide vertices along the line until none lies on a fix: a corridor shows nobody's position."""
    line = shapely.linestrings(line_m)
    along_m = shapely.line_locate_point(line, shapely.points(line_m))
    choices = _along(line, np.clip(along_m[:, None] + SLIDES_M, 0.37, shapely.length(line) - 0.37).ravel())
    away_m = np.minimum(cKDTree(fixes_m).query(choices)[0].reshape(-1, len(SLIDES_M)), CLEAR_M)
    return choices.reshape(-1, len(SLIDES_M), 2)[np.arange(len(line_m)), away_m.argmax(axis=1)]


def _along(line: NDArray[np.object_] | shapely.LineString, along_m: Floats) -> Floats:
    return np.asarray(shapely.get_coordinates(shapely.line_interpolate_point(line, along_m)), np.float64)


def _evenly(line_m: Floats) -> Floats:
    """Vertices every 25 m or a little less, ends included."""
    line = shapely.linestrings(_smooth(line_m))
    return _along(line, np.linspace(0, line.length, int(np.ceil(line.length / STEP_M)) + 1))


def _smooth(values: Floats) -> Floats:
    """Quarter, half, quarter; the ends stay."""
    if len(values) < 3:
        return values
    return np.concatenate([values[:1], (values[:-2] + 2 * values[1:-1] + values[2:]) / 4, values[-1:]])


def _headings(line_m: Floats) -> Floats:
    return _unit(np.gradient(line_m, axis=0))


def _unit(vector: Floats) -> Floats:
    length = np.hypot(*vector.T)[:, None]
    return np.divide(vector, length, out=np.zeros_like(vector), where=length > 0)


def _eighth(heading: Floats) -> Floats:
    """Eighth of the circle of a heading, the two ways along alike: 0 to 3."""
    return np.asarray(np.round(np.arctan2(heading[:, 1], heading[:, 0]) / (np.pi / 4)) % 4, np.float64)


def _span(at_m: Floats, start: Ints, end: Ints) -> Floats:
    return np.asarray(np.hypot(*(at_m[end] - at_m[start]).T), np.float64)


def _length(line_m: Floats) -> float:
    return float(np.hypot(*np.diff(line_m, axis=0).T).sum())
