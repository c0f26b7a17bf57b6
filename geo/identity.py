"""Places live on: a cluster of a new run is an old place when their footprints overlap enough."""

from collections.abc import Mapping, Sequence
from typing import Final

from geo.model import content_hash

MIN_OVERLAP: Final = 0.5


def overlap(a: frozenset[int], b: frozenset[int]) -> float:
    """Share of the smaller footprint that lies in the other (Szymkiewicz-Simpson coefficient).

    Examples
    --------
    >>> overlap(frozenset({1, 2}), frozenset({2, 3, 4}))
    0.5
    """
    return len(a & b) / min(len(a), len(b)) if a and b else 0.0


def match_places(
    footprints: Sequence[Sequence[int]], known: Mapping[str, Sequence[int]], *, org_id: str, run_id: str
) -> list[str]:
    """Id of the place behind each footprint, in order.

    Parameters
    ----------
    footprints : sequence of sequences of int
        Cells of each cluster of the new run, in canonical cluster order.
    known : mapping
        Place id to the footprint it had when last seen, at the same resolution.

    Returns
    -------
    list of str
        An old id where at least half of the smaller footprint overlaps, else a new id: 16 hex digits of SHA-256 of
        organisation, run and cluster number. Each id is given once; equal footprints first, then the largest shared
        part, so that a tiny place swallowed by a large one does not give it its name.
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
                candidates.append((jaccard < 1, -shared, -jaccard, number, place_id))
    chosen: dict[int, str] = {}
    for *_, number, place_id in sorted(candidates):
        if number not in chosen and place_id not in chosen.values():
            chosen[number] = place_id
    taken = {*known, *chosen.values()}
    return [chosen.get(number) or _new_id(org_id, run_id, number, taken) for number in range(len(footprints))]


def _new_id(org_id: str, run_id: str, number: int, taken: set[str]) -> str:
    """Id of a place seen for the first time; an old place that moved on may hold the plain one already."""
    name = str(number)
    while (place_id := content_hash(org_id, run_id, name)) in taken:
        name += "+"
    taken.add(place_id)
    return place_id
