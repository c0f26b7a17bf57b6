"""Corridors that several vehicles share, by network kernel density over the roads their space-time prisms allow.

Source: Xie and Yan (2008), *Kernel density estimation of traffic accidents in a network space*, with a kernel over the
detour in place of the distance; chance by moved trips, see ``geo.corridor_chance``.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from geo.corridor_chance import Meetings, chances, followers, moved
from geo.corridor_facts import Corridor, Uses, describe, uses_of
from geo.errors import InvalidParameter
from geo.prism import Prisms
from geo.road_graph import RoadGraph

__all__ = ["Corridor", "CorridorSet", "corridors"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ALIKE: Final = 0.5  # Jaccard index of the vehicles of neighbouring edges
LEAST_DRAWS: Final = 19  # the fewest with which a chance of 1 in 20 can be reached
BUDGET: Final = 10_000  # prisms of all draws together


@dataclass(frozen=True)
class CorridorSet:
    """Corridors, longest first, and counts of what gave none.

    ``counts`` has ``impossible`` (pairs), ``off_network`` (pairs), ``short``, ``divided`` (fewer than ``k`` vehicles
    follow half of it) and ``by_chance`` (candidate corridors).
    """

    corridors: tuple[Corridor, ...]
    counts: dict[str, int]


def corridors(
    graph: RoadGraph,
    pairs: pd.DataFrame,
    *,
    k: int = 3,
    scale_m: float = 100.0,
    min_length_m: float = 300.0,
    max_chance: float = 0.05,
    speed_ms: float = 13.4,
    draws: int = 39,
    seed: int = 0,
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
    draws : int
        Sets of moved trips that say what is chance. Fewer are made where there are many pairs: 10,000 prisms in all,
        but at least 19 sets. With 0 every chance is 1.
    seed : int

    Returns
    -------
    CorridorSet

    Raises
    ------
    InvalidParameter
        Where ``k`` is under 1, a length is not positive ``max_chance`` is no probability or ``draws`` is negative.

    Notes
    -----
    In each pair the kernel weights of ways that lie side by side, at the same distance from the origin, share one
    vehicle: where they sum to more than 1 they are divided by their sum, so that a grid of equal ways is evidence for
    none of them. In a second round a way is likelier by one part for each other vehicle that the first found to use it,
    which settles bends; the kernel weight itself is never exceeded. Weights are multiplied by ``scale_m / hypot(scale_m, sigma_m)``. A vehicle's weight on an edge is its
    largest over all trips, not the sum. An edge counts from 0.5 on. Half of the length, because a vehicle that follows
    less of it crosses the corridor rather than drives it. Chance is the share of the sets, what was seen
    included, with a meeting anywhere as remarkable: corrected for all places, so that ``max_chance`` bounds the odds of
    any false corridor in an analysis. Nothing is drawn where there is no candidate. Give pairs in the order of
    ``od_pairs``.

    Examples
    --------
    >>> import shapely
    >>> from geo.road_graph import road_graph
    >>> street = road_graph(
    ...     shapely.linestrings([[(0, 0), (900, 0)], [(0, 0), (0, 9000)]]), np.array(["A", "B"], object)
    ... )
    >>> trip = {"from_x_m": 10.0, "from_y_m": 0.0, "to_x_m": 890.0, "to_y_m": 0.0, "seconds": 90.0, "sigma_m": 4.0}
    >>> pairs = pd.DataFrame(trip | {"vehicle": range(4), "trip": range(4), "possible": True})
    >>> [(one.vehicles, one.names) for one in corridors(street, pairs, max_chance=1).corridors]
    [(4, ('A',))]
    """
    if k < 1 or draws < 0 or min(scale_m, min_length_m) <= 0 or not 0 <= max_chance <= 1:
        raise InvalidParameter("k must be at least 1, draws not negative, lengths positive, max_chance a probability")
    possible = pairs["possible"].to_numpy(bool)
    driven = pairs[possible].reset_index(drop=True)
    search = _Search(graph, k=k, scale_m=scale_m, min_length_m=min_length_m, speed_ms=speed_ms)
    reach, uses = search.uses(driven)
    counts = {"impossible": int((~possible).sum()), "off_network": int(reach.off_network.sum())}
    seen, left_out = search.meetings(uses)
    chance = _chances(search, driven, seen, draws=draws, seed=seed)
    kept = chance <= max_chance
    found = [
        describe(graph, uses, edges, followers(graph.length_m, edges, uses.matrix), float(one))
        for edges, one, keep in zip(seen.parts, chance, kept, strict=True)
        if keep
    ]
    found.sort(key=lambda one: (-one.length_m, one.edges.tolist()))
    return CorridorSet(tuple(found), counts | left_out | {"by_chance": int((~kept).sum())})


@dataclass(frozen=True)
class _Search:
    """One way to look for candidate corridors, in what was seen and in what is drawn."""

    graph: RoadGraph
    k: int
    scale_m: float
    min_length_m: float
    speed_ms: float

    def uses(self, driven: pd.DataFrame) -> tuple[Prisms, Uses]:
        """Which edges the vehicles use, by the prisms of their pairs."""
        return uses_of(self.graph, driven, scale_m=self.scale_m, speed_ms=self.speed_ms)

    def meetings(self, uses: Uses) -> tuple[Meetings, dict[str, int]]:
        """Candidate corridors, and how many parts are none."""
        length_m = self.graph.length_m
        parts = _parts(self.graph, uses.matrix, self.k)
        long = [edges for edges in parts if length_m[edges].sum() >= self.min_length_m]
        whole = [edges for edges in long if len(followers(length_m, edges, uses.matrix)) >= self.k]
        return Meetings(uses.matrix, whole), {"short": len(parts) - len(long), "divided": len(long) - len(whole)}


def _chances(search: _Search, driven: pd.DataFrame, seen: Meetings, *, draws: int, seed: int) -> Floats:
    """Probability that chance explains each candidate; 1 where nothing is drawn."""
    if not seen.parts or not draws:
        return np.ones(len(seen.parts))
    rng = np.random.default_rng(seed)
    sets = [
        search.meetings(search.uses(moved(search.graph, driven, rng))[1])[0]
        for _ in range(_affordable(len(driven), draws))
    ]
    return chances(search.graph.length_m, seen, sets)


def _affordable(pairs: int, draws: int) -> int:
    """Draws that the budget of prisms allows, never fewer than the least that can be significant."""
    return min(draws, max(LEAST_DRAWS, BUDGET // max(pairs, 1)))


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
