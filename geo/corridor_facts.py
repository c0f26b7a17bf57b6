"""Which roads each vehicle uses, and what a corridor says of itself: course, width, names, direction, confidence."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy import sparse

from geo.prism import Prisms, prism
from geo.road_graph import RoadGraph

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ROUNDS: Final = 1  # of learning from the other vehicles which of several ways is driven
KERNEL_REACH: Final = 3.0  # scales; beyond them the weight is under 0.05
USE: Final = 0.5  # odds from which a vehicle counts as using an edge


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
        probability that moved trips meet anywhere as remarkably.
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
class Uses:
    """Rows of the prisms with what they say: odds of use, and who drove."""

    rows: pd.DataFrame
    matrix: sparse.csr_array
    sigma_m: Floats


def uses_of(graph: RoadGraph, driven: pd.DataFrame, *, scale_m: float, speed_ms: float) -> tuple[Prisms, Uses]:
    """Odds that each pair's vehicle used each edge of its prism, and the edges each vehicle uses."""
    reach = prism(graph, driven, speed_ms=speed_ms, detour_m=KERNEL_REACH * scale_m)
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
    return reach, Uses(rows, matrix, sigma_m)


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


def describe(graph: RoadGraph, uses: Uses, edges: Ints, followers: Ints, chance: float) -> Corridor:
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


def _spread(graph: RoadGraph, uses: Uses, rows: pd.DataFrame, edges: Ints) -> float:
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
