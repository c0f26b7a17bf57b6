"""Corridors that several vehicles share, by network kernel density over the roads their space-time prisms allow.

Source: Xie and Yan (2008), *Kernel density estimation of traffic accidents in a network space*, with a kernel over the
detour in place of the distance; chance by the Poisson binomial distribution.
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
from geo.prism import Prisms, prism
from geo.road_graph import RoadGraph

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

USE: Final = 0.5  # odds from which a vehicle counts as using an edge
ALIKE: Final = 0.5  # Jaccard index of the vehicles of neighbouring edges
ROUNDS: Final = 1  # of learning from the other vehicles which of several ways is driven
KERNEL_REACH: Final = 3.0  # scales; beyond them the weight is under 0.05


@dataclass(frozen=True)
class Corridor:
    """Connected roads that several vehicles drive.

    Parameters
    ----------
    edges : ndarray of int64
        Edges of the graph, sorted.
    geometry_m : LineString or MultiLineString
        Whole road sections between junctions, in the graph's CRS.
    length_m, width_m : float
        ``width_m`` is twice the larger of the uncertainty of position and the mean distance of other likely ways.
    vehicles, trips : int
        Distinct vehicles that use at least half of the length, and their trips on it.
    confidence, chance : float
        Mean over the length of the share of these vehicles on each edge, times ``1 - chance``; ``chance`` is the
        probability that as many vehicles meet somewhere on as long a stretch without a reason.
    names : tuple of str
        Names of its roads, longest first; roads without a name are left out.
    bearing_deg, share_forward : float
        Bearing of its long axis (0 to 180), and the share of trips that go that way and not the other.
    """

    edges: Ints
    geometry_m: shapely.Geometry
    length_m: float
    width_m: float
    vehicles: int
    trips: int
    confidence: float
    chance: float
    names: tuple[str, ...]
    bearing_deg: float
    share_forward: float


@dataclass(frozen=True)
class CorridorSet:
    """Corridors, longest first, and counts of what gave none.

    ``counts`` has ``impossible`` (pairs), ``off_network`` (pairs), ``short``, ``divided`` (fewer than ``k`` vehicles
    follow half of it) and ``by_chance`` (candidate corridors).
    """

    corridors: tuple[Corridor, ...]
    counts: dict[str, int]


@dataclass(frozen=True)
class _Uses:
    """Rows of the prisms with what they say: odds of use, and who drove."""

    rows: pd.DataFrame
    matrix: sparse.csr_array
    sigma_m: Floats


def corridors(
    graph: RoadGraph,
    pairs: pd.DataFrame,
    *,
    k: int = 3,
    scale_m: float = 100.0,
    min_length_m: float = 300.0,
    max_chance: float = 0.05,
    speed_ms: float = 13.4,
) -> CorridorSet:
    """Find the corridors that at least ``k`` distinct vehicles share.

    Parameters
    ----------
    graph : RoadGraph
    pairs : DataFrame
        ``OdPairs.pairs`` in the graph's CRS.
    k : int
        Distinct vehicles that every edge and every corridor must have.
    scale_m : float
        Scale of the kernel ``exp(-detour_m / scale_m)``.
    min_length_m : float
        Shorter corridors are left out.
    max_chance : float
        Corridors that chance explains with a greater probability are left out.
    speed_ms : float
        Metres a second of the prisms.

    Returns
    -------
    CorridorSet

    Raises
    ------
    InvalidParameter
        Where ``k`` is under 1, a length is not positive or ``max_chance`` is no probability.

    Notes
    -----
    In each pair the kernel weights of ways that lie side by side, at the same distance from the origin, share one
    vehicle: where they sum to more than 1 they are divided by their sum, so that a grid of equal ways is evidence for
    none of them. In a second round a way is likelier by one part for each other vehicle that the first found to use it,
    which settles bends; the kernel weight itself is never exceeded. Weights are multiplied by ``scale_m / hypot(scale_m, sigma_m)``. A vehicle's weight on an edge is its
    largest over all trips, not the sum. An edge counts from 0.5 on. Half of the length, because a vehicle that follows
    less of it crosses the corridor rather than drives it. Chance takes every vehicle's used length to lie anywhere on
    the graph, alike and independent of others, and as many trials as the corridor has room for: give the roads of the
    study area and no more. Traffic prefers main roads, so there chance is understated.

    Examples
    --------
    >>> from geo.road_graph import road_graph
    >>> street = road_graph(
    ...     shapely.linestrings([[(0, 0), (900, 0)], [(0, 0), (0, 9000)]]), np.array(["A", "B"], object)
    ... )
    >>> trip = {"from_x_m": 10.0, "from_y_m": 0.0, "to_x_m": 890.0, "to_y_m": 0.0, "seconds": 90.0, "sigma_m": 4.0}
    >>> pairs = pd.DataFrame(trip | {"vehicle": range(4), "trip": range(4), "possible": True})
    >>> [(one.vehicles, one.names) for one in corridors(street, pairs, max_chance=1).corridors]
    [(4, ('A',))]
    """
    if k < 1 or min(scale_m, min_length_m) <= 0 or not 0 <= max_chance <= 1:
        raise InvalidParameter("k must be at least 1, lengths positive and max_chance a probability")
    possible = pairs["possible"].to_numpy(bool)
    driven = pairs[possible].reset_index(drop=True)
    reach = prism(graph, driven, speed_ms=speed_ms, detour_m=KERNEL_REACH * scale_m)
    uses = _uses(graph, driven, reach, scale_m)
    counts = {"impossible": int((~possible).sum()), "off_network": int(reach.off_network.sum())}
    counts |= {"short": 0, "divided": 0, "by_chance": 0}
    found = []
    for edges in _parts(graph, uses.matrix, k):
        length_m = float(graph.length_m[edges].sum())
        followers = np.flatnonzero(graph.length_m[edges] @ uses.matrix[edges] >= USE * length_m)
        if length_m < min_length_m:
            counts["short"] += 1
        elif len(followers) < k:
            counts["divided"] += 1
        elif (chance := _chance(graph, uses, length_m, len(followers))) > max_chance:
            counts["by_chance"] += 1
        else:
            found.append(_describe(graph, uses, edges, followers, chance))
    found.sort(key=lambda one: (-one.length_m, one.edges.tolist()))
    return CorridorSet(tuple(found), counts)


def _uses(graph: RoadGraph, driven: pd.DataFrame, reach: Prisms, scale_m: float) -> _Uses:
    """Odds that each pair's vehicle used each edge of its prism, and the edges each vehicle uses."""
    sigma_m = driven["sigma_m"].to_numpy(float)
    certainty = (scale_m / np.hypot(scale_m, sigma_m))[reach.pair]
    kernel = np.exp(-reach.detour_m / scale_m)
    code = pd.factorize(driven["vehicle"], sort=True)[0][reach.pair]
    shape = (len(graph.length_m), int(code.max(initial=0)) + 1)
    others = np.zeros(len(kernel))
    for _ in range(1 + ROUNDS):
        weight = kernel * (1 + others)
        beside = _side_by_side(reach, graph.length_m[reach.edge], weight)
        weight = certainty * weight / np.maximum(beside, 1 + others)
        used = weight >= USE
        matrix = sparse.coo_array((np.ones(used.sum()), (reach.edge[used], code[used])), shape=shape).tocsr()
        matrix.data[:] = 1  # the largest weight over all trips: once or daily is one vehicle
        own = np.asarray(matrix[reach.edge, code]).ravel()
        others = np.asarray(matrix.sum(axis=1)).ravel()[reach.edge] - own
    rows = pd.DataFrame(
        {
            "pair": reach.pair,
            "edge": reach.edge,
            "weight": weight,
            "reached_m": reach.reached_m,
            "forward": reach.forward,
            "vehicle": code,
            "trip": driven["trip"].to_numpy(np.int64)[reach.pair],
        }
    )
    return _Uses(rows, matrix, sigma_m)


def _side_by_side(reach: Prisms, length_m: Floats, weight: Floats) -> Floats:
    """Sum of the weights of a pair's ways at the middle of each edge; their own on the edges where it ends."""
    end = (reach.reached_m == 0) | (reach.reached_m >= reach.shortest_m[reach.pair])
    end &= reach.detour_m == 0
    total = weight.copy()
    if end.all():
        return total
    pair, at_m, length_m, weight = reach.pair[~end], reach.reached_m[~end], length_m[~end], weight[~end]
    apart_m = float((at_m + length_m).max()) * 2 + 1
    base_m = pair * apart_m
    begun = _sum_until(base_m + at_m - length_m / 2, weight, base_m + at_m)
    ended = _sum_until(base_m + at_m + length_m / 2, weight, base_m + at_m)
    total[~end] = begun - ended
    return total


def _sum_until(places: Floats, weight: Floats, until: Floats) -> Floats:
    """Sum of the weights at places up to each limit."""
    order = np.argsort(places, kind="stable")
    summed = np.append(0.0, np.cumsum(weight[order]))
    return np.asarray(summed[np.searchsorted(places[order], until, side="right")])


def _parts(graph: RoadGraph, matrix: sparse.csr_array, k: int) -> list[Ints]:
    """Connected edges with at least ``k`` vehicles, split where the vehicles differ."""
    vehicles = np.asarray(matrix.sum(axis=1)).ravel()
    busy = np.flatnonzero(vehicles >= k)
    if not len(busy):
        return []
    number = np.arange(len(busy))
    ends = (np.tile(number, 2), np.concatenate([graph.edge_from[busy], graph.edge_to[busy]]))
    incidence = sparse.csr_array((np.ones(2 * len(busy)), ends), shape=(len(busy), len(graph.nodes_m)))
    one, other = sparse.coo_array(incidence @ incidence.T).coords
    one, other = one[one < other], other[one < other]
    both = np.asarray(matrix[busy[one]].multiply(matrix[busy[other]]).sum(axis=1)).ravel()
    alike = both >= ALIKE * (vehicles[busy[one]] + vehicles[busy[other]] - both)
    links = sparse.csr_array((np.ones(alike.sum()), (one[alike], other[alike])), shape=(len(busy),) * 2)
    count, label = csgraph.connected_components(links, directed=False)
    order = np.argsort(label, kind="stable")
    return np.split(busy[order], np.cumsum(np.bincount(label, minlength=count))[:-1])


def _describe(graph: RoadGraph, uses: _Uses, edges: Ints, followers: Ints, chance: float) -> Corridor:
    """Say everything about one corridor."""
    length_m = graph.length_m[edges]
    total_m = float(length_m.sum())
    shares = uses.matrix[edges][:, followers].sum(axis=1) / len(followers)
    rows = uses.rows[
        (uses.rows["weight"] >= USE) & uses.rows["edge"].isin(edges) & uses.rows["vehicle"].isin(followers)
    ]
    spread_m = _spread(graph, uses, rows, edges)
    sigma_m = float(np.median(uses.sigma_m[rows["pair"].unique()]))
    bearing_deg, share_forward = _direction(graph, rows, edges)
    by_name = pd.Series(length_m).groupby(graph.name[edges].astype(str)).sum()
    named = by_name[by_name.index != ""].sort_index().sort_values(ascending=False, kind="stable")
    return Corridor(
        edges=edges,
        geometry_m=shapely.line_merge(shapely.union_all(graph.geometry_m[edges])),
        length_m=total_m,
        width_m=2 * max(sigma_m, spread_m),
        vehicles=len(followers),
        trips=rows["trip"].nunique(),
        confidence=float(shares @ length_m / total_m) * (1 - chance),
        chance=chance,
        names=tuple(named.index),
        bearing_deg=bearing_deg,
        share_forward=share_forward,
    )


def _chance(graph: RoadGraph, uses: _Uses, length_m: float, vehicles: int) -> float:
    """Probability that so many vehicles use one place by chance, anywhere on the graph."""
    ground_m = float(graph.length_m.sum())
    share = np.clip(graph.length_m @ uses.matrix / ground_m, 0, 1)
    odds = np.zeros(vehicles + 1)  # of 0, 1, ... vehicles; the last is that many or more
    odds[0] = 1
    for one in share[share > 0]:
        more = one * odds
        odds[:-1] -= more[:-1]
        odds[1:] += more[:-1]
    return float(-np.expm1(max(ground_m / length_m, 1) * np.log1p(-min(odds[-1], 1 - 1e-12))))


def _spread(graph: RoadGraph, uses: _Uses, rows: pd.DataFrame, edges: Ints) -> float:
    """Mean distance from the corridor of the ways its pairs can have taken beside it, weighted by odds and length."""
    reached = rows.groupby("pair")["reached_m"].agg(["min", "max"])
    beside = uses.rows[uses.rows["pair"].isin(reached.index)]
    low_m, high_m = (reached[side].reindex(beside["pair"]).to_numpy(float) for side in ("min", "max"))
    beside = beside[(beside["reached_m"] >= low_m) & (beside["reached_m"] <= high_m)]
    edge = beside["edge"].to_numpy(np.int64)
    distinct, at = np.unique(edge, return_inverse=True)
    middle = shapely.line_interpolate_point(graph.geometry_m[distinct], 0.5, normalized=True)
    far_m = shapely.distance(middle, shapely.union_all(graph.geometry_m[edges]))
    return float(np.average(far_m[at], weights=beside["weight"] * graph.length_m[edge]))


def _direction(graph: RoadGraph, rows: pd.DataFrame, edges: Ints) -> tuple[float, float]:
    """Bearing of the long axis, and the share of trips that go along it."""
    nodes_m = graph.nodes_m[np.concatenate([graph.edge_from[edges], graph.edge_to[edges]])]
    axis = np.linalg.svd(nodes_m - nodes_m.mean(axis=0), full_matrices=False)[2][0]
    if axis[0] < 0 or (axis[0] == 0 and axis[1] < 0):
        axis = -axis
    bearing_deg = float(np.degrees(np.arctan2(axis[0], axis[1])) % 180)
    edge = rows["edge"].to_numpy(np.int64)
    ahead_m = (graph.nodes_m[graph.edge_to[edge]] - graph.nodes_m[graph.edge_from[edge]]) @ axis
    along_m = np.where(rows["forward"], ahead_m, -ahead_m)
    by_trip = pd.Series(along_m).groupby(rows["trip"].to_numpy()).sum()
    return bearing_deg, float((by_trip > 0).mean())
