"""Space-time prisms on a road network: which roads a vehicle can have used between two sightings.

Source: Miller (1991), *Modelling accessibility using space-time prism concepts within geographical information systems*,
after Hägerstrand (1970), *What about people in regional science?*
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from geo.errors import InvalidParameter
from geo.road_graph import NO_EDGE, RoadGraph, snap

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WITHIN_M: Final = 200.0
CHUNK: Final = 64  # pairs whose distances are in memory at a time


@dataclass(frozen=True)
class Prisms:
    """Edges that can have been used in each pair: one row an edge of a prism.

    Parameters
    ----------
    pair, edge : ndarray of int64, shape (r,)
        Row of the pair and edge of the graph.
    detour_m : ndarray of float, shape (r,)
        Least extra length, over the shortest way, of a way through the edge; 0 on the edges where the pair ends.
    reached_m : ndarray of float, shape (r,)
        Distance along that way from the origin to the middle of the edge.
    forward : ndarray of bool, shape (r,)
        That way follows the edge's geometry.
    shortest_m : ndarray of float, shape (p,)
        Shortest way of each pair; NaN off the network, infinite where no way leads there.
    off_network : ndarray of bool, shape (p,)
        An end is farther than ``within_m`` from any road.
    """

    pair: Ints
    edge: Ints
    detour_m: Floats
    reached_m: Floats
    forward: NDArray[np.bool_]
    shortest_m: Floats
    off_network: NDArray[np.bool_]


@dataclass(frozen=True)
class _Ends:
    """Edge, place along it and way to its two ends of each origin and destination, shape (2, p)."""

    edge: Ints
    along_m: Floats
    rest_m: Floats


def prism(
    graph: RoadGraph,
    pairs: pd.DataFrame,
    *,
    speed_ms: float = 13.4,
    slack_m: float = 100.0,
    detour_m: float = np.inf,
    within_m: float = WITHIN_M,
) -> Prisms:
    """Find the potential path area of many pairs.

    Parameters
    ----------
    graph : RoadGraph
    pairs : DataFrame
        ``from_x_m, from_y_m, to_x_m, to_y_m`` (projected metres in the graph's CRS) and ``seconds``.
    speed_ms : float
        Metres a second; 13.4 is the limit of 30 miles an hour.
    slack_m : float
        Metres that positions and clocks may be wrong.
    detour_m : float
        Edges with a greater detour are left out even where the time allows them, which saves most of the work.
    within_m : float
        Ends farther than this from any road are off the network.

    Returns
    -------
    Prisms

    Raises
    ------
    InvalidParameter
        Where a limit is negative or the speed or ``within_m`` is not positive.

    Notes
    -----
    An edge is in the prism where the way from the origin, over the whole edge, to the destination is within
    ``max(speed_ms * seconds, shortest_m) + slack_m``. The edges that the ends lie on are always in it. Turning on an
    edge, one-way streets and junction times are not known.

    Examples
    --------
    >>> import shapely
    >>> from geo.road_graph import road_graph
    >>> street = road_graph(shapely.linestrings([[(0, 0), (100, 0)]]), np.array(["East Street"], object))
    >>> trip = {"from_x_m": [10.0], "from_y_m": 5.0, "to_x_m": 90.0, "to_y_m": 0.0, "seconds": 60.0}
    >>> prism(street, pd.DataFrame(trip)).shortest_m.tolist()
    [80.0]
    """
    if min(speed_ms, within_m) <= 0 or min(slack_m, detour_m) < 0:
        raise InvalidParameter("speed_ms and within_m must be positive, slack_m and detour_m not negative")
    count = len(pairs)
    points_m = np.concatenate([pairs[[f"{end}_x_m", f"{end}_y_m"]].to_numpy(float) for end in ("from", "to")])
    edge, along_m, _ = snap(graph, points_m, within_m)
    off = (edge.reshape(2, count) == NO_EDGE).any(axis=0)
    on = np.flatnonzero(~off)
    rest_m = np.append(graph.length_m, np.nan)[edge] - along_m
    ends = _Ends(edge.reshape(2, count)[:, on], along_m.reshape(2, count)[:, on], rest_m.reshape(2, count)[:, on])
    straight_m = np.hypot(*(points_m[:count] - points_m[count:])[on].T)
    reach_m = speed_ms * pairs["seconds"].to_numpy(float)[on]
    limits = _Limits(reach_m, straight_m, slack_m, detour_m)
    found = [_chunk(graph, ends, limits, np.arange(low, min(low + CHUNK, len(on)))) for low in range(0, len(on), CHUNK)]
    shortest_m = np.full(count, np.nan)
    if not found:
        none = np.empty(0)
        return Prisms(none.astype(int), none.astype(int), none, none, none.astype(bool), shortest_m, off)
    row, of_edge, extra_m, reached_m, forward, way_m = (np.concatenate(column) for column in zip(*found, strict=True))
    shortest_m[on] = way_m
    return Prisms(on[row], of_edge, extra_m, reached_m, forward, shortest_m, off)


@dataclass(frozen=True)
class _Limits:
    """How far a way may go in each pair."""

    reach_m: Floats
    straight_m: Floats
    slack_m: float
    detour_m: float

    def budget_m(self, rows: Ints, way_m: Floats) -> Floats:
        """Longest way allowed where the shortest is ``way_m``."""
        timed_m = np.maximum(self.reach_m[rows], way_m) + self.slack_m
        return np.minimum(timed_m, way_m + self.detour_m)


def _chunk(graph: RoadGraph, ends: _Ends, limits: _Limits, rows: Ints) -> tuple[NDArray[np.generic], ...]:
    """Prisms of some pairs: row, edge, detour, distance reached, direction, and the shortest way of each pair."""
    edge, along_m, rest_m = ends.edge[:, rows], ends.along_m[:, rows], ends.rest_m[:, rows]
    limit_m = float(limits.budget_m(rows, 1.5 * limits.straight_m[rows] + 200).max())
    while True:
        far_m = _distances(graph, edge.ravel(), along_m.ravel(), rest_m.ravel(), limit_m).reshape(2, len(rows), -1)
        from_m, to_m = far_m
        pick = np.arange(len(rows))
        way_m = np.minimum(
            from_m[pick, graph.edge_from[edge[1]]] + along_m[1], from_m[pick, graph.edge_to[edge[1]]] + rest_m[1]
        )
        same = edge[0] == edge[1]
        way_m = np.where(same, np.minimum(way_m, np.abs(along_m[0] - along_m[1])), way_m)
        budget_m = limits.budget_m(rows, way_m)
        need_m = float(budget_m.max())
        if need_m <= limit_m or np.isinf(limit_m):
            break
        limit_m = need_m  # infinite where a destination was not reached
    ahead_m = from_m[:, graph.edge_from] + graph.length_m + to_m[:, graph.edge_to]
    back_m = from_m[:, graph.edge_to] + graph.length_m + to_m[:, graph.edge_from]
    over_m = np.minimum(ahead_m, back_m)
    inside = (over_m <= budget_m[:, None]) & np.isfinite(over_m)
    inside[pick, edge[0]] = inside[pick, edge[1]] = np.isfinite(way_m)
    row, of_edge = np.nonzero(inside)
    forward = ahead_m[row, of_edge] <= back_m[row, of_edge]
    start = np.where(forward, graph.edge_from[of_edge], graph.edge_to[of_edge])
    reached_m = from_m[row, start] + graph.length_m[of_edge] / 2
    extra_m = np.maximum(over_m[row, of_edge] - way_m[row], 0)
    first, last = of_edge == edge[0, row], of_edge == edge[1, row]
    extra_m[first | last] = 0
    # On the edges of the ends only a part is driven: to which end, says the shorter way.
    out = along_m[0, row] + to_m[row, graph.edge_from[of_edge]] >= rest_m[0, row] + to_m[row, graph.edge_to[of_edge]]
    into = (
        from_m[row, graph.edge_from[of_edge]] + along_m[1, row] <= from_m[row, graph.edge_to[of_edge]] + rest_m[1, row]
    )
    forward = np.where(first, out, np.where(last, into, forward))
    forward = np.where(first & last, along_m[0, row] <= along_m[1, row], forward)
    reached_m = np.where(first, 0.0, np.where(last, way_m[row], reached_m))
    return rows[row], of_edge, extra_m, reached_m, forward, way_m


def _distances(graph: RoadGraph, edge: Ints, along_m: Floats, rest_m: Floats, limit_m: float) -> Floats:
    """Distance from places on edges to all nodes, shape (places, n); infinite over the limit."""
    places, back = np.unique(np.column_stack([edge, along_m, rest_m]), axis=0, return_inverse=True)
    on, count = places[:, 0].astype(np.int64), len(graph.nodes_m)
    sources = np.arange(len(places))
    # Each place is a node that leads to both ends of its edge and to which nothing leads.
    ways = sparse.coo_array(
        (
            np.maximum(places[:, 1:].ravel(), 1e-9),  # a stored zero would be no way at all
            (np.repeat(sources, 2), np.column_stack([graph.edge_from[on], graph.edge_to[on]]).ravel()),
        ),
        shape=(len(places), count),
    ).tocsr()
    loop = graph.edge_from[on] == graph.edge_to[on]
    if loop.any():  # both ends are one node: the nearer way, not the sum
        ways[sources[loop], graph.edge_from[on[loop]]] = np.maximum(places[loop, 1:].min(axis=1), 1e-9)
    whole = sparse.block_array(
        [[graph.matrix, None], [ways, sparse.csr_array((len(places), len(places)))]], format="csr"
    )
    far_m = csgraph.dijkstra(whole, directed=True, indices=count + sources, limit=limit_m)
    return np.asarray(far_m[:, :count])[back.ravel()]
