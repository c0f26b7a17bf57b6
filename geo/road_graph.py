"""Road lines as a graph: nodes where roads end, cross or touch, and edges that remember the road they are a part of."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import sparse
from scipy.spatial import cKDTree

from geo.errors import InvalidParameter

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Objects = NDArray[np.object_]

SNAP_M: Final = 0.5
NO_EDGE: Final = -1


@dataclass(frozen=True)
class RoadGraph:
    """Undirected road graph in projected metres.

    Parameters
    ----------
    nodes_m : ndarray of float, shape (n, 2)
        Nodes, sorted by (x_m, y_m).
    edge_from, edge_to : ndarray of int64, shape (e,)
        Nodes at the start and the end of each edge's geometry.
    length_m : ndarray of float, shape (e,)
    geometry_m : ndarray of LineString, shape (e,)
    name : ndarray of object, shape (e,)
        Name of the road.
    road : ndarray of int64, shape (e,)
        Position of the input line that the edge is a part of.
    """

    nodes_m: Floats
    edge_from: Ints
    edge_to: Ints
    length_m: Floats
    geometry_m: Objects
    name: Objects
    road: Ints

    @cached_property
    def matrix(self) -> sparse.csr_array:
        """Length of the shortest edge between two nodes, shape (n, n), symmetric; loops are left out."""
        way = self.edge_from != self.edge_to
        low = np.minimum(self.edge_from, self.edge_to)[way]
        high = np.maximum(self.edge_from, self.edge_to)[way]
        order = np.lexsort((self.length_m[way], high, low))
        low, high, length_m = low[order], high[order], self.length_m[way][order]
        first = np.ones(len(low), bool)
        first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
        low, high, length_m = low[first], high[first], length_m[first]
        both = np.concatenate([low, high]), np.concatenate([high, low])
        return sparse.csr_array((np.tile(length_m, 2), both), shape=(len(self.nodes_m),) * 2)

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Spatial index of the edges."""
        return shapely.STRtree(self.geometry_m)


def road_graph(lines_m: Objects, names: Objects) -> RoadGraph:
    """Make a graph of road lines.

    Parameters
    ----------
    lines_m : ndarray of LineString or MultiLineString, shape (r,)
        Roads in projected metres; empty ones give no edge.
    names : ndarray of object, shape (r,)
        Name of each road; may be empty text.

    Returns
    -------
    RoadGraph

    Raises
    ------
    InvalidParameter
        Where there are not as many names as lines, or a geometry is no line.

    Notes
    -----
    A node is set wherever lines cross or touch: open road data do not say which road goes over the other, so a bridge
    is taken for a junction and a way over it may be found shorter than it is. Ends within 0.5 m of each other are one
    node, and an end within 0.5 m of a line touches it. Pieces that begin and end in one node and are no longer than
    1 m are the remains of that and are left out; real loops are kept.

    Examples
    --------
    >>> cross = shapely.linestrings([[(0, 50), (100, 50)], [(50, 0), (50, 100)]])
    >>> road_graph(cross, np.array(["East Street", "North Street"], object)).length_m.tolist()
    [50.0, 50.0, 50.0, 50.0]
    """
    lines_m = np.asarray(lines_m, object)
    if len(names) != len(lines_m):
        raise InvalidParameter(f"{len(names)} names for {len(lines_m)} roads")
    parts, road = shapely.get_parts(lines_m, return_index=True)
    if not np.isin(
        shapely.get_type_id(parts), (shapely.GeometryType.LINESTRING, shapely.GeometryType.LINEARRING)
    ).all():
        raise InvalidParameter("a road must be a LineString or a MultiLineString")
    real = shapely.length(parts) > 0
    simple, within = shapely.get_parts(shapely.node(parts[real]), return_index=True)  # a line that crosses itself
    road = road[real][within]
    pieces, part = _cut(simple, *_breaks(simple))
    ends_m = shapely.get_coordinates(np.array([shapely.get_point(pieces, 0), shapely.get_point(pieces, -1)]))
    nodes_m, node = _merge(ends_m)
    edge_from, edge_to = node.reshape(2, -1)
    pieces = _move_ends(pieces, nodes_m[edge_from], nodes_m[edge_to])
    length_m = shapely.length(pieces)
    kept = (edge_from != edge_to) | (length_m > 2 * SNAP_M)
    road = road[part][kept]
    label = np.asarray(names, object)[road]
    return RoadGraph(nodes_m, edge_from[kept], edge_to[kept], length_m[kept], pieces[kept], label, road)


def snap(graph: RoadGraph, points_m: Floats, within_m: float) -> tuple[Ints, Floats, Floats]:
    """Nearest edge of each point.

    Parameters
    ----------
    graph : RoadGraph
    points_m : ndarray of float, shape (n, 2)
        Finite, in the graph's CRS.
    within_m : float
        Edges farther than this are none.

    Returns
    -------
    edge : ndarray of int64, shape (n,)
        The lowest-numbered of the nearest edges; -1 where there is none.
    along_m : ndarray of float, shape (n,)
        Metres from the start of the edge's geometry; NaN where there is none.
    distance_m : ndarray of float, shape (n,)
        Distance from the edge; NaN where there is none.

    Raises
    ------
    InvalidParameter
        Where a point is not finite or ``within_m`` is not positive.

    Examples
    --------
    >>> street = road_graph(shapely.linestrings([[(0, 0), (100, 0)]]), np.array(["East Street"], object))
    >>> snap(street, np.array([[30.0, 4.0], [30.0, 400.0]]), 200)[0].tolist()
    [0, -1]
    """
    points_m = np.asarray(points_m, float).reshape(-1, 2)
    if within_m <= 0 or not np.isfinite(points_m).all():
        raise InvalidParameter("points must be finite and within_m must be positive")
    edge = np.full(len(points_m), NO_EDGE, np.int64)
    along_m, distance_m = np.full(len(points_m), np.nan), np.full(len(points_m), np.nan)
    if not len(graph.geometry_m):
        return edge, along_m, distance_m
    points = shapely.points(points_m)
    (at, near), far_m = graph.tree.query_nearest(points, max_distance=within_m, return_distance=True)
    order = np.lexsort((near, at))
    at, first = np.unique(at[order], return_index=True)
    edge[at], distance_m[at] = near[order][first], far_m[order][first]
    along_m[at] = shapely.line_locate_point(graph.geometry_m[edge[at]], points[at])
    return edge, along_m, distance_m


def _breaks(lines: Objects) -> tuple[Ints, Floats]:
    """Line and metres along it of every place where another line meets it."""
    tree = shapely.STRtree(lines)
    one, other = tree.query(lines, predicate="intersects")
    one, other = one[one < other], other[one < other]
    shared, pair = shapely.get_parts(shapely.intersection(lines[one], lines[other]), return_index=True)
    points, which = shapely.get_coordinates(shared, return_index=True)  # where lines run together: all their corners
    pair = pair[which]
    ends = np.concatenate([shapely.get_point(lines, 0), shapely.get_point(lines, -1)])
    end, touched = tree.query(ends, predicate="dwithin", distance=SNAP_M)
    strange = end % max(len(lines), 1) != touched
    line = np.concatenate([one[pair], other[pair], touched[strange]]).astype(np.int64)
    at = np.concatenate([shapely.points(points), shapely.points(points), ends[end[strange]]])
    return line, shapely.line_locate_point(lines[line], at)


def _cut(lines: Objects, line: Ints, along_m: Floats) -> tuple[Objects, Ints]:
    """Pieces of the lines between the breaks, in order, and the line of each piece."""
    corners, owner = shapely.get_coordinates(lines, return_index=True)
    step_m = np.hypot(*np.diff(corners, axis=0, prepend=corners[:1]).T)
    first = np.diff(owner, prepend=-1) > 0
    step_m[first] = 0
    run_m = np.cumsum(step_m)
    run_m = run_m - np.repeat(run_m[first], np.diff(np.append(np.flatnonzero(first), len(owner))))
    total_m = shapely.length(lines)
    inner = (along_m > SNAP_M / 1000) & (along_m < total_m[line] - SNAP_M / 1000)
    line, along_m = line[inner], along_m[inner]
    at_m = shapely.get_coordinates(shapely.line_interpolate_point(lines[line], along_m))
    owner, run_m = np.concatenate([owner, line]), np.concatenate([run_m, along_m])
    corners = np.concatenate([corners, at_m])
    order = np.lexsort((run_m, owner))
    broken = np.concatenate([np.zeros(len(first), bool), np.ones(len(line), bool)])[order]
    owner, corners = owner[order], corners[order]
    again = np.repeat(np.arange(len(owner)), 1 + broken)  # a break ends one piece and begins the next
    begins = np.zeros(len(again), bool)
    begins[np.flatnonzero(np.diff(again, prepend=-1) == 0)] = True
    begins |= np.diff(owner[again], prepend=-1) > 0
    piece = np.cumsum(begins) - 1
    long = np.bincount(piece, minlength=1) > 1
    pieces = shapely.linestrings(corners[again], indices=piece) if long.all() and len(piece) else np.empty(0, object)
    return pieces, owner[again][begins].astype(np.int64)


def _merge(ends_m: Floats) -> tuple[Floats, Ints]:
    """Nodes of ends that are within the snapping distance of each other, by single linkage."""
    if not len(ends_m):
        return np.empty((0, 2)), np.empty(0, np.int64)
    places_m, place = np.unique(ends_m, axis=0, return_inverse=True)
    near = cKDTree(places_m).query_pairs(SNAP_M, output_type="ndarray")
    links = sparse.csr_array((np.ones(len(near)), (near[:, 0], near[:, 1])), shape=(len(places_m),) * 2)
    label = sparse.csgraph.connected_components(links, directed=False)[1]
    _, first, number = np.unique(label, return_index=True, return_inverse=True)
    order = np.argsort(first)  # by the first place of each node, which is also where the node stands
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return places_m[first[order]], rank[number[place.ravel()]]


def _move_ends(pieces: Objects, start_m: Floats, end_m: Floats) -> Objects:
    """Pieces whose first and last corners stand on their nodes."""
    if not len(pieces):
        return pieces
    corners, piece = shapely.get_coordinates(pieces, return_index=True)
    first = np.flatnonzero(np.diff(piece, prepend=-1))
    corners[first] = start_m
    corners[np.append(first[1:], len(piece)) - 1] = end_m
    return np.asarray(shapely.linestrings(corners, indices=piece), object)
