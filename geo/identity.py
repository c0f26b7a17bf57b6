"""Places live on: a cluster of a new run is an old place when their footprints overlap enough."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.cells import disks
from geo.decisions import Standing
from geo.model import content_hash

MIN_OVERLAP: Final = 0.5
# A footprint that changes more than this at once comes of another question, not of the place: it is not remembered.
MIN_ALIKE: Final = 0.5


def overlap(a: frozenset[int], b: frozenset[int]) -> float:
    """Share of the smaller footprint that lies in the other (Szymkiewicz-Simpson coefficient).

    Examples
    --------
    >>> overlap(frozenset({1, 2}), frozenset({2, 3, 4}))
    0.5
    """
    return len(a & b) / min(len(a), len(b)) if a and b else 0.0


def next_footprint(known: Sequence[int], found: Sequence[int]) -> tuple[int, ...]:
    """Footprint that a place is known by from now on: the one found, unless it is quite another shape.

    A place may grow by a ring of neighbours at once. A trial with a wide radius finds a place within a large cluster; were it remembered by that, the place would move to whatever
    is largest there.

    Examples
    --------
    >>> from geo.cells import index_points
    >>> near, far, away = (
    ...     index_points(np.array([lon]), np.array([51.38]), 11).tolist() for lon in (-2.36, -2.35, -2.34)
    ... )
    >>> next_footprint(near, near + far + away) == tuple(near)
    True
    """
    old, new = set(known), set(found)
    if not old or not new:
        return tuple(found) if new else tuple(known)
    alike = len(old & new) / len(old | new) >= MIN_ALIKE
    return tuple(found) if alike or new <= set(disks(sorted(old), 1).tolist()) else tuple(known)


def match_places(
    footprints: Sequence[Sequence[int]],
    known: Mapping[str, Sequence[int]],
    *,
    org_id: str,
    run_id: str,
    nominated: Collection[str] = frozenset(),
) -> list[str]:
    """Id of the place behind each footprint, in order.

    Parameters
    ----------
    footprints : sequence of sequences of int
        Cells of each cluster of the new run, in canonical cluster order.
    known : mapping
        Place id to the footprint it had when last seen, at the same resolution.
    nominated : collection of str
        Known places that a person named and nothing has found: they get only the clusters that no other place is.

    Returns
    -------
    list of str
        An old id where at least half of the smaller footprint overlaps, else a new id: 16 hex digits of SHA-256 of
        organisation, run and cluster number. Each id is given once; equal footprints first, then the largest shared
        part, so that a tiny place swallowed by a large one does not give it its name.

    Notes
    -----
    A nomination covers more cells than its point, so it would outdo a small place that was decided about.
    """
    by_cell: dict[int, list[str]] = {}
    old = {place_id: frozenset(cells) for place_id, cells in known.items()}
    for place_id, cells in old.items():
        for cell in cells:
            by_cell.setdefault(cell, []).append(place_id)
    candidates = []
    for number, footprint in enumerate(footprints):
        new = frozenset(footprint)
        near = {place_id for cell in new for place_id in by_cell.get(cell, ())}
        for place_id in near:
            if overlap(new, old[place_id]) >= MIN_OVERLAP:
                shared = len(new & old[place_id])
                jaccard = shared / len(new | old[place_id])
                candidates.append((place_id in nominated, jaccard < 1, -shared, -jaccard, number, place_id))
    chosen: dict[int, str] = {}
    given: set[str] = set()
    for *_, number, place_id in sorted(candidates):
        if number not in chosen and place_id not in given:
            chosen[number] = place_id
            given.add(place_id)
    taken = {*known, *chosen.values()}
    return [chosen.get(number) or _new_id(org_id, run_id, number, taken) for number in range(len(footprints))]


def _new_id(org_id: str, run_id: str, number: int, taken: set[str]) -> str:
    """Id of a place seen for the first time; an old place that moved on may hold the plain one already."""
    name = str(number)
    while (place_id := content_hash(org_id, run_id, name)) in taken:
        name += "+"
    taken.add(place_id)
    return place_id


def regroup(
    points_m: NDArray[np.float64], group: NDArray[np.int64], ids: Sequence[str], rulings: Mapping[str, Standing]
) -> tuple[NDArray[np.int64], list[str]]:
    """Join what people merged and part what they split.

    Parameters
    ----------
    points_m : ndarray of float, shape (n, 2)
        Position of each clustered record.
    group : ndarray of int64, shape (n,)
        Its cluster, 0 to len(ids) - 1.
    ids : sequence of str
        Place behind each cluster.
    rulings : mapping
        What stands of each place.

    Returns
    -------
    group : ndarray of int64, shape (n,)
        Place of each record, numbered by first cluster, then by id.
    ids : list of str

    Notes
    -----
    A cluster that is found again as one part of a split place is parted like the whole; a part without records is not
    there. Merges are followed to the place that stands.
    """
    parent = {seed.place_id: place_id for place_id, one in rulings.items() for seed in one.parts}
    ruled = {place_id for place_id, one in rulings.items() if one.parts or one.merged_into is not None} | set(parent)
    if not ruled & set(ids):
        return group, list(ids)
    final = np.asarray(ids, object)[group]
    for number, place_id in enumerate(ids):
        if place_id in ruled:
            rows = np.flatnonzero(group == number)
            final[rows] = _resolve(points_m[rows], _root(place_id, parent), rulings)
    first: dict[str, int] = {}
    for number, place_id in zip(group.tolist(), final.tolist(), strict=True):
        first[place_id] = min(number, first.get(place_id, number))
    order = sorted(first, key=lambda place_id: (first[place_id], place_id))
    number_of = {place_id: i for i, place_id in enumerate(order)}
    return np.asarray([number_of[place_id] for place_id in final.tolist()], np.int64), order


def _root(place_id: str, parent: Mapping[str, str]) -> str:
    while place_id in parent:
        place_id = parent[place_id]
    return place_id


def _resolve(points_m: NDArray[np.float64], place_id: str, rulings: Mapping[str, Standing]) -> NDArray[np.object_]:
    """Place that stands for each point of one place."""
    one = rulings.get(place_id)
    if one is not None and one.parts:
        seeds_m = np.asarray([(seed.x_m, seed.y_m) for seed in one.parts])
        nearest = np.hypot(*(points_m[:, None, :] - seeds_m).transpose(2, 0, 1)).argmin(axis=1)
        found = np.empty(len(points_m), object)
        for i, seed in enumerate(one.parts):
            found[nearest == i] = _resolve(points_m[nearest == i], seed.place_id, rulings)
        return found
    if one is not None and one.merged_into is not None:
        return _resolve(points_m, one.merged_into, rulings)
    return np.full(len(points_m), place_id, object)
