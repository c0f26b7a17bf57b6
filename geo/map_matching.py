"""Dense tracks onto a road network: the likeliest sequence of roads, or the word that the track is too sparse.

Source: Newson and Krumm (2009), *Hidden Markov map matching through noise and sparseness*.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from geo.errors import InvalidParameter
from geo.model import SIGMAS_IN_95_PERCENT_RADIUS
from geo.road_graph import RoadGraph

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

UNMATCHED: Final = -1
MAX_GAP_S: Final = 60.0
MAX_HOP_M: Final = 300.0
MIN_SIGMA_M: Final = 4.07  # Newson and Krumm's estimate for GPS
MAX_CANDIDATES: Final = 12
DETOUR_M: Final = 500.0  # a way this much longer than twice the hop is no way
SOURCES: Final = 64  # shortest paths from so many nodes at a time bound the memory


@dataclass(frozen=True)
class Matching:
    """Where each fix lies on the network, on the rows of the caller, and the edges driven.

    Parameters
    ----------
    edge : ndarray of int64, shape (n,)
        Edge of each fix; -1 where there is none near, or the trip is too sparse.
    along_m : ndarray of float, shape (n,)
        Metres from the start of the edge's geometry; NaN where there is no edge.
    piece : ndarray of int64, shape (n,)
        Number of the unbroken piece of the trip; -1 where there is no edge. A new one begins after a fix without a
        candidate and where no way leads on.
    sparse : ndarray of bool, shape (n,)
        The trip is too sparse: its median gap is over 60 s or its median hop over 300 m.
    edges : DataFrame
        ``trip, piece, order, edge``: all edges driven, those between fixes included, without repeats in a row.
    """

    edge: Ints
    along_m: Floats
    piece: Ints
    sparse: NDArray[np.bool_]
    edges: pd.DataFrame


@dataclass(frozen=True)
class _Candidates:
    """Places on edges near the fixes of one trip, ordered by fix; ``starts`` has one more entry than there are fixes."""

    starts: Ints
    edge: Ints
    along_m: Floats
    emission: Floats


def match_tracks(fixes: pd.DataFrame, roads: RoadGraph, *, beta_m: float = 10.0, radius_m: float = 50.0) -> Matching:
    """Match dense tracks to a road network.

    Parameters
    ----------
    fixes : DataFrame
        ``x_m``, ``y_m`` (projected metres, finite, in the network's CRS), ``at_us`` (microseconds UTC), ``trip`` (whole
        number) and ``precision_m`` (radius that holds the true position with 95 % probability).
    roads : RoadGraph
        Undirected network in the same CRS.
    beta_m : float
        Scale of the difference between the way by road and the straight hop.
    radius_m : float
        Edges within this, or the fix's precision where larger, are candidates; the nearest 12.

    Returns
    -------
    Matching

    Raises
    ------
    InvalidParameter
        When a parameter is not positive or a position is not finite.

    Notes
    -----
    Emission: Gaussian in the distance to the edge with sigma = max(4.07 m, precision / 2.448). Transition: exponential
    in |way - hop|. The likeliest sequence is found by Viterbi in log space. One-way rules are not known to the network and
    not used. A sparse trip is not matched: between distant fixes a shortest path would be a made-up line.

    Examples
    --------
    >>> from geo.road_graph import road_graph
    >>> road = road_graph(shapely.linestrings([[(0, 0), (200, 0)]]), np.array(["Long Lane"], object))
    >>> fixes = pd.DataFrame({"x_m": [10.0, 90.0], "y_m": 3.0, "at_us": [0, 10**7], "trip": 1, "precision_m": 10.0})
    >>> match_tracks(fixes, road).along_m.tolist()
    [10.0, 90.0]
    """
    _check(fixes, beta_m, radius_m)
    fixes = fixes.reset_index(drop=True)
    count = len(fixes)
    edge, piece = np.full(count, UNMATCHED), np.full(count, UNMATCHED)
    along_m, too_sparse, driven = np.full(count, np.nan), np.zeros(count, bool), []
    for trip, track in fixes.sort_values(["trip", "at_us", "x_m", "y_m"]).groupby("trip"):
        rows = track.index.to_numpy()
        if not _is_dense(track):
            too_sparse[rows] = True
            continue
        near = _candidates(track, roads, radius_m)
        chosen, part = _viterbi(near, _transitions(track, near, roads, beta_m))
        on = chosen >= 0
        edge[rows[on]], along_m[rows[on]] = near.edge[chosen[on]], near.along_m[chosen[on]]
        piece[rows[on]] = part[on]
        driven.append(_driven(near, chosen[on], part[on], roads).assign(trip=trip))
    columns = ["trip", "piece", "order", "edge"]
    edges = pd.concat(driven, ignore_index=True)[columns] if driven else pd.DataFrame(columns=columns, dtype=np.int64)
    return Matching(edge, along_m, piece, too_sparse, edges)


def _check(fixes: pd.DataFrame, beta_m: float, radius_m: float) -> None:
    if not beta_m > 0 or not radius_m > 0:
        raise InvalidParameter(f"beta {beta_m} m and radius {radius_m} m must be positive.")
    if not np.isfinite(fixes[["x_m", "y_m", "precision_m"]].to_numpy(float)).all():
        raise InvalidParameter("x_m, y_m and precision_m must be finite in every fix.")


def _is_dense(track: pd.DataFrame) -> bool:
    """Whether the fixes are close enough in time and space for the way between them to be known."""
    if len(track) < 2:
        return False
    hop_m = np.hypot(np.diff(track["x_m"]), np.diff(track["y_m"]))
    gap_s = np.diff(track["at_us"]) / 1e6
    return bool(np.median(gap_s) <= MAX_GAP_S and np.median(hop_m) <= MAX_HOP_M)


def _candidates(track: pd.DataFrame, roads: RoadGraph, radius_m: float) -> _Candidates:
    points = shapely.points(track["x_m"], track["y_m"])
    precision_m = track["precision_m"].to_numpy(float)
    fix, edge = roads.tree.query(points, predicate="dwithin", distance=np.maximum(radius_m, precision_m))
    away_m = shapely.distance(points[fix], roads.geometry_m[edge])
    order = np.lexsort([edge, away_m, fix])
    fix, edge, away_m = fix[order], edge[order], away_m[order]
    rank = np.arange(len(fix)) - np.searchsorted(fix, fix)
    fix, edge, away_m = (part[rank < MAX_CANDIDATES] for part in (fix, edge, away_m))
    sigma_m = np.maximum(MIN_SIGMA_M, precision_m / SIGMAS_IN_95_PERCENT_RADIUS)[fix]
    return _Candidates(
        np.searchsorted(fix, np.arange(len(track) + 1)),
        edge.astype(np.int64),
        shapely.line_locate_point(roads.geometry_m[edge], points[fix]),
        -0.5 * (away_m / sigma_m) ** 2,
    )


def _transitions(track: pd.DataFrame, near: _Candidates, roads: RoadGraph, beta_m: float) -> list[Floats]:
    """Log probability of going from every candidate of a fix to every one of the next; -inf where no way leads."""
    count = np.diff(near.starts)
    size = count[:-1] * count[1:]
    step = np.repeat(np.arange(len(size)), size)
    within = np.arange(len(step)) - np.repeat(np.cumsum(size) - size, size)
    first = near.starts[step] + within // np.maximum(count[1:][step], 1)
    second = near.starts[step + 1] + within % np.maximum(count[1:][step], 1)
    hop_m = np.hypot(np.diff(track["x_m"]), np.diff(track["y_m"]))[step]
    way_m, _, _ = _ways(near, first, second, roads, float(2 * hop_m.max(initial=0) + DETOUR_M))
    log = np.where(way_m <= 2 * hop_m + DETOUR_M, -np.abs(way_m - hop_m) / beta_m, -np.inf)
    parts = np.split(log, np.cumsum(size)[:-1])
    return [part.reshape(a, b) for part, a, b in zip(parts, count[:-1], count[1:], strict=True)]


def _ways(near: _Candidates, first: Ints, second: Ints, roads: RoadGraph, limit_m: float) -> tuple[Floats, Ints, Ints]:
    """Length of the way between candidates, and the nodes where it leaves the first edge and enters the second (-1: none)."""
    edge, on = near.edge[first], near.edge[second]
    best_m = np.where(edge == on, np.abs(near.along_m[second] - near.along_m[first]), np.inf)
    leave, enter = np.full(len(first), -1), np.full(len(first), -1)
    for out, out_m in ((roads.edge_from, near.along_m), (roads.edge_to, roads.length_m[near.edge] - near.along_m)):
        for into, in_m in ((roads.edge_from, near.along_m), (roads.edge_to, roads.length_m[near.edge] - near.along_m)):
            way_m = out_m[first] + _between(roads.matrix, out[edge], into[on], limit_m) + in_m[second]
            better = way_m < best_m
            best_m = np.where(better, way_m, best_m)
            leave, enter = np.where(better, out[edge], leave), np.where(better, into[on], enter)
    return best_m, leave, enter


def _between(matrix: sparse.csr_array, start: Ints, end: Ints, limit_m: float) -> Floats:
    """Shortest distance between pairs of nodes; infinite beyond the limit."""
    sources, row = np.unique(start, return_inverse=True)
    found = np.full(len(start), np.inf)
    for low in range(0, len(sources), SOURCES):
        far = csgraph.dijkstra(matrix, directed=False, indices=sources[low : low + SOURCES], limit=limit_m)
        mine = (row >= low) & (row < low + SOURCES)
        found[mine] = far[row[mine] - low, end[mine]]
    return found


def _viterbi(near: _Candidates, transitions: list[Floats]) -> tuple[Ints, Ints]:
    """Likeliest candidate of each fix (-1: none) and its piece; only a step after the other, as the method is."""
    count = len(near.starts) - 1
    chosen, piece = np.full(count, -1), np.full(count, -1)
    score, back, first = np.empty(0), [np.empty(0, np.int64)] * count, 0
    parts = 0
    for fix in range(count + 1):
        emission = near.emission[near.starts[fix] : near.starts[fix + 1]] if fix < count else np.empty(0)
        if len(score) and len(emission):
            total = score[:, None] + transitions[fix - 1]
            if np.isfinite(total).any():
                back[fix], score = total.argmax(axis=0), total.max(axis=0) + emission
                continue
        if len(score):
            at = int(score.argmax())
            for row in range(fix - 1, first - 1, -1):
                chosen[row], piece[row] = near.starts[row] + at, parts
                at = int(back[row][at]) if row > first else at
            parts += 1
        score, first = emission, fix
    return chosen, piece


def _driven(near: _Candidates, chosen: Ints, piece: Ints, roads: RoadGraph) -> pd.DataFrame:
    """All edges of the pieces in order, those between the fixes included."""
    step = np.flatnonzero(np.diff(piece) == 0)
    _, leave, enter = _ways(near, chosen[step], chosen[step + 1], roads, np.inf)
    far = leave >= 0
    after, order, edge = _edges_between(roads, leave[far], enter[far])
    table = pd.DataFrame(
        {
            "fix": np.concatenate([np.arange(len(chosen)), step[far][after]]),
            "order": np.concatenate([np.zeros(len(chosen), np.int64), order]),
            "edge": np.concatenate([near.edge[chosen], edge]),
        }
    ).sort_values(["fix", "order"], ignore_index=True)
    table["piece"] = piece[table["fix"]]
    table = table[(table["edge"].diff() != 0) | (table["piece"].diff() != 0)]
    return table.assign(order=table.groupby("piece").cumcount())[["piece", "order", "edge"]]


def _edges_between(roads: RoadGraph, start: Ints, end: Ints) -> tuple[Ints, Ints, Ints]:
    """Edges of the shortest paths: the pair of nodes, the order along the path from 1, the edge."""
    pairs, steps, edges = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    low, high = np.minimum(roads.edge_from, roads.edge_to), np.maximum(roads.edge_from, roads.edge_to)
    by_length = np.lexsort([roads.length_m, high, low])
    nodes = len(roads.nodes_m)
    key = (low * nodes + high)[by_length]
    sources, row = np.unique(start, return_inverse=True)
    for first in range(0, len(sources), SOURCES):
        chunk = sources[first : first + SOURCES]
        before = csgraph.dijkstra(roads.matrix, directed=False, indices=chunk, return_predecessors=True)[1]
        pair = np.flatnonzero((row >= first) & (row < first + SOURCES) & (start != end))
        at, step = end[pair], 0
        while len(pair):
            back = before[row[pair] - first, at].astype(np.int64)
            edges.append(by_length[np.searchsorted(key, np.minimum(back, at) * nodes + np.maximum(back, at))])
            pairs.append(pair)
            steps.append(np.full(len(pair), -step))
            going = back != start[pair]
            pair, at, step = pair[going], back[going], step + 1
    order = np.concatenate(steps)
    return np.concatenate(pairs), order - order.min(initial=0) + 1, np.concatenate(edges)
