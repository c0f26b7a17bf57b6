"""Which entries of a gazetteer are one place: the parts of a park, a feature and its other names."""

from collections.abc import Hashable, Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from geo.model import FeatureKind

Floats = NDArray[np.float64]
Texts = NDArray[np.object_]

# Features of one name that are no further apart than this, edge to edge, are parts of one place.
SAME_PLACE_M: Final = 100.0
# A church and its churchyard are one place; a ward or a road is another thing than the park that is named like it.
_ALONE: Final = frozenset({FeatureKind.AREAS, FeatureKind.BOUNDARY, FeatureKind.ROADS})


def number_places(plain: Texts, kinds: Texts, keys: Texts, features: Floats) -> NDArray[np.int64]:
    """Number of what each entry's name may mean: entries of one name that are one feature or near each other.

    Near features with different other names only share this one: *The Park* may be either of two parks.
    """
    called, sets = _name_sets(plain, keys)
    kind = np.array([str(one) if one in _ALONE else "" for one in kinds], object)
    pairs = [equal_pairs(list(zip(plain, keys, strict=True)))]
    for rows in _groups(list(zip(plain, kind, strict=True))):
        if not plain[rows[0]]:
            continue
        reach_m = 2 * features[rows, 2].max() + SAME_PLACE_M
        near = cKDTree(features[rows, :2]).query_pairs(reach_m, output_type="ndarray")
        a, b = np.asarray(rows)[near].T
        apart_m = np.hypot(*(features[a, :2] - features[b, :2]).T) - features[a, 2] - features[b, 2]
        a, b = a[apart_m <= SAME_PLACE_M], b[apart_m <= SAME_PLACE_M]
        either, inverse = np.unique(np.column_stack([called[a], called[b]]), axis=0, return_inverse=True)
        agree = np.array([sets[i] <= sets[j] or sets[j] <= sets[i] for i, j in either.tolist()], bool)[inverse]
        pairs.append(np.column_stack([a[agree], b[agree]]))
    return join_pairs(pairs, len(plain))


def _name_sets(plain: Texts, keys: Texts) -> tuple[NDArray[np.int64], list[frozenset[str]]]:
    """Distinct sets of the names of one feature, and which of them each entry's feature has."""
    names_of: dict[bytes, set[str]] = {}
    for key, name in zip(keys, plain, strict=True):
        names_of.setdefault(key, set()).update([name] if name else [])
    numbers = {names: i for i, names in enumerate(dict.fromkeys(map(frozenset, names_of.values())))}
    return np.array([numbers[frozenset(names_of[key])] for key in keys], np.int64), list(numbers)


def join_pairs(pairs: list[NDArray[np.int64]], count: int) -> NDArray[np.int64]:
    """Number of the group that each of ``count`` entries is joined to by pairs of shape (p, 2)."""
    if not count:
        return np.empty(0, np.int64)
    a, b = np.concatenate(pairs).T
    graph = coo_array((np.ones(len(a), bool), (a, b)), shape=(count, count))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def _groups(values: Iterable[Hashable]) -> list[list[int]]:
    """Positions of entries with equal values, where there are several."""
    found: dict[Hashable, list[int]] = {}
    for i, value in enumerate(values):
        found.setdefault(value, []).append(i)
    return [rows for rows in found.values() if len(rows) > 1]


def equal_pairs(values: Iterable[Hashable]) -> NDArray[np.int64]:
    """Pairs that tie each entry to the first of an equal value, shape (p, 2)."""
    pairs = [(rows[0], other) for rows in _groups(values) for other in rows[1:]]
    return np.array(pairs, np.int64).reshape(-1, 2)


def place_extents(entity: NDArray[np.int64], features: Floats) -> Floats:
    """Point of the largest part, the first, and the radius round it that holds all parts of what is named, shape (n, 3)."""
    if not len(entity):
        return np.empty((0, 3))
    largest = np.unique(entity, return_index=True)[1]
    centre = features[largest[entity], :2]
    radius_m = np.zeros(len(largest))
    np.maximum.at(radius_m, entity, np.hypot(*(features[:, :2] - centre).T) + features[:, 2])
    return np.column_stack([centre, radius_m[entity]])
