"""From a cluster of points to a place with odds: the park, premises, building or road that the records speak of.

Each distinct point weighs the features near it by a prior for their kind and by how well the distance agrees with
the point's stated precision; a cluster takes the weighted mean over its points. Distances run to the polygon or
line, never to a centroid, and a point beside a park is evidence for the park.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from geo.model import UNATTRIBUTED, FeatureKind

Floats = NDArray[np.float64]

# precision_m is the radius that holds the true position with 95 % probability under an isotropic Gaussian.
SIGMAS_IN_95_PERCENT_RADIUS: Final = 2.448

# Prior and reach of each kind. Reach is how far from the feature people still mean it: the pavement outside a
# takeaway, the gate of a park. Roads are everywhere, so they explain a point only when nothing else does.
PRIOR: Final = {
    FeatureKind.PARKS: 1.0,
    FeatureKind.PREMISES: 1.0,
    FeatureKind.BUILDINGS: 0.6,
    FeatureKind.ROADS: 0.08,
}
REACH_M: Final = {
    FeatureKind.PARKS: 50.0,
    FeatureKind.PREMISES: 25.0,
    FeatureKind.BUILDINGS: 15.0,
    FeatureKind.ROADS: 25.0,
}
UNATTRIBUTED_WEIGHT: Final = 0.04
MIN_PROBABILITY: Final = 0.3
# A point known no better than this names nothing of the kind, however alone it stands.
MAX_PRECISION_M: Final = {
    FeatureKind.PARKS: 250.0,
    FeatureKind.PREMISES: 100.0,
    FeatureKind.BUILDINGS: 50.0,
    FeatureKind.ROADS: 250.0,
}

_SNAPPED_KINDS: Final = (FeatureKind.PARKS, FeatureKind.ROADS)


@dataclass(frozen=True)
class Reference:
    """Reference features in metres.

    Parameters
    ----------
    geometry_m : ndarray of shapely geometry, shape (f,)
    kinds, subtypes, names : ndarray of str, shape (f,)
    spacing_m : ndarray of float, shape (f,)
        For buildings, the distance to the nearest other building (centre to centre); infinite elsewhere.
    entity : ndarray of int64, shape (f,)
        Features that are one thing share the number of the first: the links of a named road, the parts of a park.
    """

    geometry_m: NDArray[np.object_]
    kinds: NDArray[np.object_]
    subtypes: NDArray[np.object_]
    names: NDArray[np.object_]
    spacing_m: Floats
    entity: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        geometry_m: NDArray[np.object_],
        kinds: NDArray[np.object_],
        subtypes: NDArray[np.object_],
        names: NDArray[np.object_],
    ) -> "Reference":
        """Reference features with the spacing of buildings worked out."""
        spacing_m = np.full(len(geometry_m), np.inf)
        buildings = np.flatnonzero(kinds == FeatureKind.BUILDINGS)
        if len(buildings) > 1:
            centres = shapely.get_coordinates(shapely.centroid(geometry_m[buildings]))
            spacing_m[buildings] = cKDTree(centres).query(centres, k=2)[0][:, 1]
        return cls(geometry_m, kinds, subtypes, names, spacing_m, _entities(kinds, names))


def _entities(kinds: NDArray[np.object_], names: NDArray[np.object_]) -> NDArray[np.int64]:
    first: dict[tuple[str, str], int] = {}
    shared = {FeatureKind.ROADS, FeatureKind.PARKS}
    return np.asarray(
        [
            first.setdefault((kind, name), i) if name and kind in shared else i
            for i, (kind, name) in enumerate(zip(kinds.tolist(), names.tolist(), strict=True))
        ],
        np.int64,
    )


@dataclass(frozen=True)
class Attribution:
    """The feature a cluster is taken to be, with its odds and the runners-up."""

    feature: int | None
    kind: str
    name: str | None
    probability: float
    alternatives: tuple[dict[str, Any], ...]


def attribute(
    points_m: Floats,
    weights: Floats,
    precision_m: Floats,
    snapped: NDArray[np.bool_],
    group: NDArray[np.int64],
    reference: Reference,
) -> dict[int, Attribution]:
    """Attribute each group of points to a reference feature, or honestly to none.

    Parameters
    ----------
    points_m : ndarray of float, shape (n, 2)
        Metres in the CRS of the reference geometry.
    weights, precision_m : ndarray of float, shape (n,)
    snapped : ndarray of bool, shape (n,)
        Points that a publisher moved to a fixed list of map points.
    group : ndarray of int64, shape (n,)
        Cluster of each point.
    reference : Reference

    Returns
    -------
    dict
        Group to :class:`Attribution`.

    Notes
    -----
    A snapped point never speaks for anything more specific than a park or street. A building is a candidate only for
    points whose precision is at most half the spacing of neighbouring buildings: coarser points cannot tell the
    houses of a street apart.
    """
    groups = np.unique(group)
    if not len(reference.geometry_m):
        return {int(one): Attribution(None, UNATTRIBUTED, None, 1.0, ()) for one in groups}
    point, feature, likelihood = _likelihoods(points_m, precision_m, snapped, reference)
    total = np.bincount(point, likelihood, minlength=len(points_m)) + UNATTRIBUTED_WEIGHT
    share = likelihood / total[point] * weights[point]
    group_index = np.searchsorted(groups, group)
    group_weight = np.bincount(group_index, weights)
    pair = group_index[point] * np.int64(len(reference.geometry_m)) + feature
    pairs, inverse = np.unique(pair, return_inverse=True)
    probability = np.bincount(inverse, share, minlength=len(pairs)) / group_weight[pairs // len(reference.geometry_m)]
    starts = np.searchsorted(pairs // len(reference.geometry_m), np.arange(len(groups) + 1))
    result = {}
    for i, one in enumerate(groups):
        mine = np.arange(starts[i], starts[i + 1])
        order = mine[np.lexsort((pairs[mine], -probability[mine]))][:3]
        candidates = [(int(pairs[j] % len(reference.geometry_m)), float(probability[j])) for j in order]
        result[int(one)] = _choose(candidates, float(probability[mine].sum()), reference)
    return result


def _likelihoods(
    points_m: Floats, precision_m: Floats, snapped: NDArray[np.bool_], reference: Reference
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """(point, entity, prior x distance likelihood) for everything within reach of a point, the best of its features."""
    tree = shapely.STRtree(reference.geometry_m)
    shapes = shapely.points(points_m)
    reach_of = np.vectorize(REACH_M.get, otypes=[float])(reference.kinds)
    prior_of = np.vectorize(PRIOR.get, otypes=[float])(reference.kinds)
    limit_of = np.vectorize(MAX_PRECISION_M.get, otypes=[float])(reference.kinds)
    point, feature = tree.query(shapes, predicate="dwithin", distance=np.maximum(max(REACH_M.values()), precision_m))
    distance_m = shapely.distance(shapes[point], reference.geometry_m[feature])
    kinds = reference.kinds[feature]
    allowed = distance_m <= np.maximum(reach_of[feature], precision_m[point])
    allowed &= ~snapped[point] | np.isin(kinds, [str(kind) for kind in _SNAPPED_KINDS])
    allowed &= precision_m[point] <= np.minimum(reference.spacing_m[feature] / 2, limit_of[feature])
    point, feature, distance_m = point[allowed], feature[allowed], distance_m[allowed]
    sigma_m = np.maximum(precision_m[point], reach_of[feature]) / SIGMAS_IN_95_PERCENT_RADIUS
    likelihood = prior_of[feature] * np.exp(-0.5 * (distance_m / sigma_m) ** 2)
    pair = point * np.int64(len(reference.geometry_m)) + reference.entity[feature]
    pairs, inverse = np.unique(pair, return_inverse=True)
    best = np.zeros(len(pairs))
    np.maximum.at(best, inverse, likelihood)
    return pairs // len(reference.geometry_m), pairs % len(reference.geometry_m), best


def _choose(candidates: list[tuple[int, float]], claimed: float, reference: Reference) -> Attribution:
    listed = tuple(
        {
            "kind": place_kind(str(reference.kinds[f]), str(reference.subtypes[f])),
            "name": str(reference.names[f]) or None,
            "probability": round(p, 4),
        }
        for f, p in candidates
    )
    if not candidates or candidates[0][1] < MIN_PROBABILITY:
        return Attribution(None, UNATTRIBUTED, None, round(max(0.0, 1.0 - claimed), 4), listed)
    feature, probability = candidates[0]
    return Attribution(
        feature, str(listed[0]["kind"]), str(reference.names[feature]) or None, round(probability, 4), listed[1:]
    )


_RESIDENTIAL: Final = (
    "house",
    "flat",
    "residential",
    "detached",
    "terrace",
    "semidetached",
    "maisonette",
    "bedsit",
    "hmo",
    "apartments",
    "bungalow",
    "dwelling",
)
# Houses that nobody lives in for good.
_NO_HOME: Final = re.compile(r"\b(public|guest|boarding|school|ware|club|coffee|boat|green)[ -]?house\b")
_PREMISES_WORDS: Final = {
    "takeaway": ("takeaway", "fast food", "kebab", "chicken"),
    "hotel": ("hotel", "guest", "guest house", "guesthouse", "boarding house", "hostel", "motel", "b&b"),
    "licensed": (
        "pub",
        "bar",
        "public house",
        "nightclub",
        "night club",
        "social club",
        "off licence",
        "off-licence",
        "licensed",
    ),
    "station": ("station", "transport", "bus station", "rail", "railway"),
    "car_park": ("car park", "parking"),
    "school": ("school", "college", "education"),
    "taxi_rank": ("taxi",),
    "shop": ("shop", "retail", "store", "supermarket", "convenience"),
}


def place_kind(feature_kind: str, subtype: str) -> str:
    """Kind of place that a reference feature stands for.

    Examples
    --------
    >>> (
    ...     place_kind("premises", "Fast food"),
    ...     place_kind("roads", "Local Road"),
    ...     place_kind("buildings", "house"),
    ... )
    ('takeaway', 'street', 'house')
    """
    plain = subtype.lower().replace("_", " ")
    if feature_kind == FeatureKind.PARKS:
        return "park"
    if feature_kind == FeatureKind.ROADS:
        return "street"
    if feature_kind == FeatureKind.BUILDINGS and _mentions(_NO_HOME.sub("", plain), _RESIDENTIAL):
        return "house"
    for kind, words in _PREMISES_WORDS.items():
        if _mentions(plain, words):
            return kind
    return "building" if feature_kind == FeatureKind.BUILDINGS else "premises"


def _mentions(text: str, words: tuple[str, ...]) -> bool:
    """Whether one of the words stands in the text as a word of its own, singular or plural."""
    return any(re.search(rf"(?<!\w){re.escape(word)}s?(?!\w)", text) for word in words)


def is_residential(kind: str) -> bool:
    """Whether a place of this kind may be somebody's home: an unlabelled building may be."""
    return kind in {"house", "building"}
