"""How probable it is that traffic by itself brings as many vehicles together: each vehicle moved to another place.

Source: Westfall and Young (1993), *Resampling-based multiple testing* (greatest statistic of each draw); Besag and
Diggle (1977), *Simple Monte Carlo tests for spatial pattern*.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy import sparse
from scipy.spatial import cKDTree

from geo.road_graph import RoadGraph

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Complexes = NDArray[np.complex128]  # x_m + 1j * y_m

FOLLOWED: Final = 0.5  # share of a corridor's length that a vehicle must use to follow it
PLACES: Final = 1024  # on the roads, where a moved step can end
AWAY: Final = 0.2  # of a step, by which its moved length may differ
CHUNK: Final = 256  # steps in memory at a time


@dataclass(frozen=True)
class Meetings:
    """Where vehicles meet in one set of trips.

    Parameters
    ----------
    matrix : csr_array, shape (edges, vehicles)
        1 where the vehicle uses the edge.
    parts : list of ndarray of int64
        Edges of each candidate corridor.
    """

    matrix: sparse.csr_array
    parts: list[Ints]


def moved(graph: RoadGraph, pairs: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Move each vehicle's trips elsewhere on the roads and turn them, every step about as long as it was.

    Parameters
    ----------
    graph : RoadGraph
    pairs : DataFrame
        ``vehicle, trip, from_x_m, from_y_m, to_x_m, to_y_m`` (the graph's CRS), a trip's rows in order of time.
    rng : Generator

    Returns
    -------
    DataFrame
        ``pairs`` by trip, with other ends.

    Notes
    -----
    What is taken to be exchangeable is where on the roads a vehicle is at home, and in which direction it goes. All of a vehicle's trips
    are moved by one step, round the edges of the area as on a torus, each to the nearest of 1,024 places laid at random along the
    roads; from one of its sightings, at random, the trip is then drawn anew: lengths and times of steps, steps a trip and trips a
    vehicle stay. Each step ends at one of the places within a fifth of its length; they are taken in the order of their
    bearing from the step's own, and the vehicle's number, alike for all it does, says which. So ends lie where roads
    lie, roads that any traffic prefers are preferred, and what is done daily stays one way driven daily. Not kept: that many go to or
    from one place, as commuters to a centre; the road they share is then found.

    Turning trips about their own sightings was tried first: vehicles seen on one road then stay on it, and the more of them drive it the less
    it is found (docs/decisions/0015).

    Examples
    --------
    >>> from geo.road_graph import road_graph
    >>> cross = road_graph(
    ...     shapely.linestrings([[(-900, 0), (900, 0)], [(0, -900), (0, 900)]]), np.array(["A", "B"], object)
    ... )
    >>> trip = {"vehicle": [0], "trip": 0, "from_x_m": 0.0, "from_y_m": 0.0, "to_x_m": 800.0, "to_y_m": 0.0}
    >>> other = moved(cross, pd.DataFrame(trip), np.random.default_rng(0))
    >>> bool(500 < np.hypot(other["to_x_m"] - other["from_x_m"], other["to_y_m"] - other["from_y_m"]).item() < 1000)
    True
    """
    pairs = pairs.sort_values("trip", kind="stable", ignore_index=True)
    begin = pairs["from_x_m"].to_numpy(float) + 1j * pairs["from_y_m"].to_numpy(float)
    end = pairs["to_x_m"].to_numpy(float) + 1j * pairs["to_y_m"].to_numpy(float)
    _, first, trip, steps = np.unique(pairs["trip"], return_index=True, return_inverse=True, return_counts=True)
    vehicle = np.unique(pairs["vehicle"], return_inverse=True)[1]
    share = rng.uniform(0, 1, int(vehicle.max(initial=-1)) + 1)[vehicle]
    places = _places(graph, rng)
    fixed = rng.integers(0, steps + 1)  # the sighting that stays; after the last step where it is their number
    stays = np.where(fixed == steps, end[first + steps - 1], begin[first + np.minimum(fixed, steps - 1)])
    stays = _elsewhere(stays, vehicle[first], places, rng)
    leg = np.arange(len(pairs)) - first[trip] - fixed[trip]
    near, far = begin.copy(), end.copy()
    for way, order in ((1, leg), (-1, -1 - leg)):  # onward from that sighting, and back from it
        at = stays.copy()
        for step in range(int(order.max(initial=-1)) + 1):
            rows = np.flatnonzero(order == step)
            near[rows] = at[trip[rows]]
            far[rows] = _ends(near[rows], way * (end - begin)[rows], share[rows], places)
            at[trip[rows]] = far[rows]
    begin, end = np.where(leg >= 0, near, far), np.where(leg >= 0, far, near)
    return pairs.assign(from_x_m=begin.real, from_y_m=begin.imag, to_x_m=end.real, to_y_m=end.imag)


def _places(graph: RoadGraph, rng: np.random.Generator) -> Complexes:
    """Places at random along the roads."""
    edge = rng.choice(len(graph.length_m), PLACES, p=graph.length_m / graph.length_m.sum())
    places = shapely.line_interpolate_point(graph.geometry_m[edge], rng.uniform(0, 1, PLACES), normalized=True)
    at_m = shapely.get_coordinates(places)
    return np.asarray(at_m[:, 0] + 1j * at_m[:, 1], np.complex128)


def _elsewhere(stays: Complexes, vehicle: Ints, places: Complexes, rng: np.random.Generator) -> Complexes:
    """Place on the roads for each trip's sighting, all of one vehicle moved by the same step."""
    low = complex(places.real.min(), places.imag.min())
    width, height = max(float(np.ptp(places.real)), 1.0), max(float(np.ptp(places.imag)), 1.0)
    count = int(vehicle.max(initial=-1)) + 1
    step = rng.uniform(0, width, count) + 1j * rng.uniform(0, height, count)
    away = stays + step[vehicle] - low
    at = low + np.mod(away.real, width) + 1j * np.mod(away.imag, height)
    tree = cKDTree(np.column_stack([places.real, places.imag]))
    return places[tree.query(np.column_stack([at.real, at.imag]))[1]]


def _ends(begin: Complexes, step: Complexes, share: Floats, places: Complexes) -> Complexes:
    """End of each step: of the places about as far, the one at the vehicle's share of their bearings."""
    end = begin.copy()
    for low in range(0, len(begin), CHUNK):
        rows = slice(low, low + CHUNK)
        over = (places - begin[rows, None]) / step[rows, None]
        wrong = np.abs(np.abs(over) - 1)
        fits = wrong <= np.maximum(AWAY, wrong.min(axis=1))[:, None]
        bearing = np.where(fits, np.angle(over), np.inf)
        nth = (share[rows] * fits.sum(axis=1)).astype(np.int64)
        chosen = np.take_along_axis(np.argsort(bearing, axis=1, kind="stable"), nth[:, None], axis=1)[:, 0]
        end[rows] = places[chosen]
    return end


def followers(length_m: Floats, edges: Ints, matrix: sparse.csr_array) -> Ints:
    """Find the vehicles that use at least half of the length of some edges.

    Parameters
    ----------
    length_m : ndarray of float, shape (e,)
        Metres of every edge of the graph.
    edges : ndarray of int64
    matrix : csr_array, shape (e, vehicles)
        1 where the vehicle uses the edge.

    Returns
    -------
    ndarray of int64
        Columns of ``matrix``.

    Examples
    --------
    >>> followers(np.array([100.0, 50.0]), np.array([0, 1]), sparse.csr_array([[1.0, 0.0], [0.0, 1.0]])).tolist()
    [0]
    """
    return np.flatnonzero(length_m[edges] @ matrix[edges] >= FOLLOWED * length_m[edges].sum())


def chances(length_m: Floats, seen: Meetings, draws: list[Meetings]) -> Floats:
    """Find how often a draw has a meeting anywhere as remarkable as each that was seen.

    Parameters
    ----------
    length_m : ndarray of float, shape (e,)
        Metres of every edge of the graph.
    seen : Meetings
    draws : list of Meetings
        The same search in rewired trips.

    Returns
    -------
    ndarray of float, shape (candidates,)
        ``(1 + draws whose greatest score is at least the candidate's) / (1 + draws)``: corrected for all candidates.

    Notes
    -----
    A score is the candidate's vehicles over one more than their mean on the same edges in all other sets, times the
    square root of the length. So a main road that any traffic chooses must have more vehicles than a side road. What
    was seen is one of the sets by which draws are judged, as each draw is one by which it is judged.

    Examples
    --------
    >>> street = Meetings(sparse.csr_array(np.ones((1, 4))), [np.array([0])])
    >>> empty = Meetings(sparse.csr_array((1, 4)), [])
    >>> chances(np.array([500.0]), street, [empty] * 19).tolist()
    [0.05]
    """
    sets = [seen, *draws]
    scores = [_scores(length_m, sets, own) for own in range(len(sets))]
    best = np.array([one.max(initial=0) for one in scores[1:]])
    return np.asarray((1 + (best >= scores[0][:, None]).sum(axis=1)) / len(sets), float)


def _scores(length_m: Floats, sets: list[Meetings], own: int) -> Floats:
    """How remarkable each candidate of one set is beside the other sets."""
    parts = sets[own].parts
    edges = np.concatenate([np.empty(0, np.int64), *parts])
    part = np.repeat(np.arange(len(parts)), [len(one) for one in parts])
    along_m = sparse.csr_array((length_m[edges], (part, edges)), shape=(len(parts), len(length_m)))
    total_m = np.asarray(along_m.sum(axis=1)).ravel()
    count = np.zeros((len(parts), len(sets)))
    for at, one in enumerate(sets):
        used = sparse.coo_array(along_m @ one.matrix)
        count[:, at] = np.bincount(used.row[used.data >= FOLLOWED * total_m[used.row]], minlength=len(parts))
    here = count[:, own]
    usual = 1 + (count.sum(axis=1) - here) / max(len(sets) - 1, 1)
    return np.asarray((here - usual) * np.sqrt(total_m), float)
