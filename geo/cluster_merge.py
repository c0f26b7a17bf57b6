"""Components of strips of land, found apart and joined: the same labels as in one piece, on all cores."""

import itertools
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

# A strip sees this many radii beyond its own points. Within one radius every neighbourhood is then complete, so a core point
# next to the strip is known to be one, and it names the component that both strips share.
HALO_RADII = 2.0
_ROUNDING = 1e-9


class Strip(NamedTuple):
    """A run of points sorted from west to east, and what a strip needs to see round it; half-open places.

    Parameters
    ----------
    begin, end : int
        Its own points.
    seen_begin, seen_end : int
        These and its halo.
    """

    begin: int
    end: int
    seen_begin: int
    seen_end: int


class StripComponents(NamedTuple):
    """What is connected in a strip, by places among all points.

    Parameters
    ----------
    strip : Strip
    core : ndarray of bool
        Of its own points.
    component : ndarray of int64
        First core point of the component of each of its own points; -1 where none.
    border, reached : ndarray of int64
        Pairs of an own point that is not core and a component near it.
    halo, halo_component : ndarray of int64
        Core points of the halo and their components as this strip sees them.
    """

    strip: Strip
    core: Flags
    component: Ints
    border: Ints
    reached: Ints
    halo: Ints
    halo_component: Ints


def strips(x_m: Floats, *, eps_m: float, count: int) -> list[Strip]:
    """Cut points sorted from west to east into strips of equal numbers.

    Parameters
    ----------
    x_m : ndarray of float, shape (n,)
        Ascending metres.
    eps_m : float
    count : int
        At most this many strips; none is empty.

    Examples
    --------
    >>> strips(np.array([0.0, 1, 2, 9]), eps_m=0.6, count=2)
    [Strip(begin=0, end=2, seen_begin=0, seen_end=3), Strip(begin=2, end=4, seen_begin=1, seen_end=4)]
    """
    edges = np.unique(np.linspace(0, len(x_m), count + 1).astype(np.int64)).tolist()
    halo_m = HALO_RADII * eps_m + _ROUNDING * (eps_m + float(np.abs(x_m).max(initial=0)))
    return [
        Strip(
            begin,
            end,
            int(np.searchsorted(x_m, x_m[begin] - halo_m, "left")),
            int(np.searchsorted(x_m, x_m[end - 1] + halo_m, "right")),
        )
        for begin, end in itertools.pairwise(edges)
    ]


def connect_strip(
    x_m: Floats, y_m: Floats, weight: Floats, *, strip: Strip, eps_m: float, min_weight: float
) -> StripComponents:
    """Connect what a strip sees; the arrays hold its own points and its halo only, ``seen_begin`` to ``seen_end``."""
    from geo.cluster_grid import connect

    found = connect(x_m, y_m, weight, eps_m=eps_m, min_weight=min_weight)
    first = strip.seen_begin
    own = slice(strip.begin - first, strip.end - first)
    place = np.arange(first, strip.seen_end)
    beside = found.core.copy()
    beside[own] = False
    mine = (found.border >= own.start) & (found.border < own.stop)
    return StripComponents(
        strip,
        found.core[own],
        np.where(found.core, found.component + first, found.component)[own],
        found.border[mine] + first,
        found.reached[mine] + first,
        place[beside],
        found.component[beside] + first,
    )


def merge(parts: Iterable[StripComponents]) -> tuple[Ints, Flags]:
    """Labels and core flags of all points from those of their strips, in order.

    Parameters
    ----------
    parts : iterable of StripComponents
        Of every strip, from west to east.

    Returns
    -------
    labels : ndarray of int64, shape (n,)
        Clusters are numbered by their first core point; a border point joins the lowest of those near it; -1 is noise.
    core : ndarray of bool, shape (n,)
    """
    parts = list(parts)
    core = np.concatenate([part.core for part in parts])
    component = np.concatenate([part.component for part in parts])
    names = np.unique(np.concatenate([component[core], *(part.halo_component for part in parts)]))
    cluster = _clusters(names, component, parts)
    labels = np.full(len(core), -1)
    labels[core] = cluster[np.searchsorted(names, component[core])]
    border = np.concatenate([part.border for part in parts])
    reached = cluster[np.searchsorted(names, np.concatenate([part.reached for part in parts]))]
    order = np.lexsort((reached, border))
    border, lowest = np.unique(border[order], return_index=True)
    labels[border] = reached[order][lowest]
    return labels, core


def _clusters(names: Ints, component: Ints, parts: list[StripComponents]) -> Ints:
    """Cluster number of each component: those that share a core point are one."""
    seen = np.concatenate([part.halo for part in parts])
    if not len(seen):
        return np.arange(len(names))
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    here = np.searchsorted(names, component[seen])
    there = np.searchsorted(names, np.concatenate([part.halo_component for part in parts]))
    links = coo_matrix((np.ones(len(seen), np.int8), (here, there)), shape=(len(names), len(names)))
    _, group = connected_components(links, directed=False)
    _, first, number = np.unique(group, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[number]


def connect_strips(
    x_m: Floats, y_m: Floats, weight: Floats, *, eps_m: float, min_weight: float, workers: int = 1
) -> tuple[Ints, Flags]:
    """Labels and core flags of distinct points sorted by (x_m, y_m), found by so many threads, a strip each.

    Examples
    --------
    >>> connect_strips(np.arange(4.0), np.zeros(4), np.ones(4), eps_m=1, min_weight=3, workers=2)
    (array([0, 0, 0, 0]), array([False,  True,  True, False]))
    """

    def connected(strip: Strip) -> StripComponents:
        seen = slice(strip.seen_begin, strip.seen_end)
        return connect_strip(x_m[seen], y_m[seen], weight[seen], strip=strip, eps_m=eps_m, min_weight=min_weight)

    pieces = strips(x_m, eps_m=eps_m, count=workers)
    if len(pieces) == 1:
        return merge([connected(pieces[0])])
    with ThreadPoolExecutor(len(pieces)) as pool:
        return merge(pool.map(connected, pieces))
