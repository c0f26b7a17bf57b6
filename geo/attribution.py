"""Odds: how likely a record, or a cluster of records, speaks of each park, premises, building or street near it.

Bayes' rule over everything that was imported: the prior of a kind is shared by its places (:mod:`geo.reference`), the
likelihood is the density of the stated position if the record speaks of the place (:mod:`geo.place_density`), and records of
no imported place fall evenly over the ground that the layers cover. What may not be named (a house from a coarse point,
anything but a park or street from a moved one) keeps its odds, but they are told as ``unattributed``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from geo.cluster_centre import centres
from geo.model import SIGMAS_IN_95_PERCENT_RADIUS, UNATTRIBUTED, FeatureKind
from geo.nearby import DiscIndex
from geo.place_density import density
from geo.place_kinds import HOUSE
from geo.place_shapes import CROWD, MAX_PRECISION_M, REACH_M, Parts
from geo.reference import Reference

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

LISTED: Final = 3
# What is not likelier than not is not called the place, only listed.
MIN_PROBABILITY: Final = 0.5
_MIN_KEPT: Final = 0.005
# Beyond four sigmas lie three records in ten thousand.
_SIGMAS_AWAY: Final = 4.0
_CLASSES_PER_DOUBLING: Final = 2


@dataclass(frozen=True)
class Stated:
    """Positions as stated: where, how well known, and whether a publisher moved them.

    Parameters
    ----------
    points_m : ndarray of float, shape (n, 2)
        Metres in the CRS of the reference geometry.
    precision_m : ndarray of float, shape (n,)
        Radius that holds the true position with 95 % probability.
    snapped : ndarray of bool, shape (n,)
        Moved to a fixed list of map points.
    names_to_m : ndarray of float, shape (n,), optional
        Precision that decides what may be named; that of the position unless it is the centre of coarser records.
    """

    points_m: Floats
    precision_m: Floats
    snapped: Flags
    names_to_m: Floats | None = None

    def take(self, rows: Ints) -> "Stated":
        """Some of the positions."""
        limit = self.precision_m if self.names_to_m is None else self.names_to_m
        return Stated(self.points_m[rows], self.precision_m[rows], self.snapped[rows], limit[rows])


@dataclass(frozen=True)
class Odds:
    """What may be named at each position, best first, and the rest.

    Parameters
    ----------
    point : ndarray of int64, shape (p,)
        Ascending; within a point by falling probability.
    entity : ndarray of int64, shape (p,)
        First feature of the place (:attr:`geo.reference.Reference.entity`).
    probability : ndarray of float, shape (p,)
    unattributed : ndarray of float, shape (n,)
        Probability of everything that may not or cannot be named.
    """

    point: Ints
    entity: Ints
    probability: Floats
    unattributed: Floats


@dataclass(frozen=True)
class Attribution:
    """The place that a cluster is taken to be, with its odds and the runners-up."""

    feature: int | None
    kind: str
    name: str | None
    probability: float
    alternatives: tuple[dict[str, Any], ...]
    unattributed: float = 1.0


def odds(stated: Stated, reference: Reference) -> Odds:
    """Odds of each stated position over the places of a reference.

    Parameters
    ----------
    stated : Stated
    reference : Reference

    Returns
    -------
    Odds
        Probabilities of a position sum to 1 with ``unattributed``; below 0.005 they are left to it.

    Notes
    -----
    A building may be named only where ``names_to_m`` is at most half the distance to the next building: coarser positions
    cannot tell the houses of a street apart. A snapped position stands for the street that it was moved to, with all that
    stands on it, or for a park.
    """
    kept, unattributed = [], np.ones(len(stated.points_m))
    for rows, weighed in weigh(stated, reference):
        found = _shares(weighed, stated.take(rows), reference)
        kept.append((rows[found.point], found.entity, found.probability))
        unattributed[rows] = found.unattributed
    if not kept:
        return Odds(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), unattributed)
    point, entity, probability = (np.concatenate(columns) for columns in zip(*kept, strict=True))
    order = np.lexsort((entity, -probability, point))
    return Odds(point[order], entity[order], probability[order], unattributed)


@dataclass(frozen=True)
class Weighed:
    """Features near some positions: prior times likelihood per m2 of each pair; ``CROWD`` for what has no name."""

    point: Ints
    feature: Ints
    weight: Floats


def weigh(stated: Stated, reference: Reference) -> Iterator[tuple[Ints, Weighed]]:
    """Yield rows of positions, and what lies near them by position within these rows.

    Positions that are too coarse for any name, or near nothing, are in no chunk.
    """
    if not len(reference):
        return
    parts = Parts.of(reference)
    may = np.flatnonzero(stated.precision_m <= max(MAX_PRECISION_M.values()))
    for rows, near in _classes(stated, parts, may):
        own = stated.take(rows)
        for point, part, _ in near.within(own.points_m):
            if len(point):
                first, last = int(point.min()), int(point.max()) + 1
                yield rows[first:last], _weigh_pairs(own, reference, parts, point, part, first)


@dataclass(frozen=True)
class _Near:
    """Parts that hold for a class of blur, and how far they matter."""

    index: DiscIndex
    parts: Ints
    distance_m: float

    def within(self, points_m: Floats) -> Iterator[tuple[Ints, Ints, Floats]]:
        for point, part, apart_m in self.index.within(points_m, self.distance_m):
            yield point, self.parts[part], apart_m


def _classes(stated: Stated, parts: Parts, rows: Ints) -> Iterator[tuple[Ints, _Near]]:
    """Positions of similar precision, with the parts that matter to them."""
    sigma_m = np.maximum(stated.precision_m[rows], 0.1) / SIGMAS_IN_95_PERCENT_RADIUS
    step = np.ceil(np.log2(sigma_m) * _CLASSES_PER_DOUBLING).astype(np.int64)
    for one in np.unique(step):
        mine = step == one
        low, high = sigma_m[mine].min(), sigma_m[mine].max()
        held = np.flatnonzero((parts.from_sigma_m <= high) & (parts.to_sigma_m > low))
        away_m = _SIGMAS_AWAY * float(np.hypot(high, max(REACH_M.values())))
        yield rows[mine], _Near(DiscIndex(parts.centre_m[held], parts.radius_m[held]), held, away_m)


def _weigh_pairs(own: Stated, reference: Reference, parts: Parts, point: Ints, part: Ints, first: int) -> Weighed:
    sigma_m = own.precision_m[point] / SIGMAS_IN_95_PERCENT_RADIUS
    feature = parts.feature[part]
    holds = (parts.from_sigma_m[part] <= sigma_m) & (sigma_m < parts.to_sigma_m[part])
    holds &= ~own.snapped[point] | (reference.snapped_mass[feature] > 0) & (feature != CROWD)
    point, part, sigma_m, feature = point[holds], part[holds], sigma_m[holds], feature[holds]
    weight = parts.mass[part] * density(parts, part, own.points_m[point], sigma_m, reference.geometry_m)
    moved = reference.snapped_mass / np.maximum(reference.mass, 1e-300)
    weight *= np.where(own.snapped[point], moved[feature], 1.0)
    return Weighed(point - first, feature, weight)


def _shares(weighed: Weighed, own: Stated, reference: Reference) -> Odds:
    """Shares of what may be named in all that was weighed, and in what lies beyond the reference."""
    count, many = len(own.points_m), np.int64(len(reference))
    beyond = np.where(own.snapped, reference.snapped_unattributed, reference.unattributed) / reference.area_m2
    total = np.bincount(weighed.point, weighed.weight, minlength=count) + beyond
    limit_of = np.asarray([MAX_PRECISION_M[FeatureKind(kind)] for kind in reference.kinds.tolist()], float)
    homes = reference.place_kinds == HOUSE  # also where a home is among the premises
    limit_of = np.where(homes, np.minimum(limit_of, MAX_PRECISION_M[FeatureKind.BUILDINGS]), limit_of)
    limit_of = np.minimum(limit_of, reference.spacing_m / 2)
    names_to_m = own.precision_m if own.names_to_m is None else own.names_to_m
    named = (names_to_m[weighed.point] <= limit_of[weighed.feature]) & (weighed.feature != CROWD)
    named &= reference.nameable[weighed.feature]
    pair = weighed.point[named] * many + reference.entity[weighed.feature[named]]
    pairs, inverse = np.unique(pair, return_inverse=True)
    owner = pairs // many
    probability = np.bincount(inverse, weighed.weight[named], minlength=len(pairs)) / total[owner]
    keep = probability >= _MIN_KEPT
    owner, entity, probability = owner[keep], (pairs % many)[keep], probability[keep]
    rest = 1.0 - np.bincount(owner, probability, minlength=count)
    return Odds(owner, entity, probability, np.clip(rest, 0.0, 1.0))


def attribute(stated: Stated, weights: Floats, group: Ints, reference: Reference) -> dict[int, Attribution]:
    """Attribute each group of positions to a place, or honestly to none.

    Parameters
    ----------
    stated : Stated
    weights : ndarray of float, shape (n,)
    group : ndarray of int64, shape (n,)
    reference : Reference

    Returns
    -------
    dict
        Group to :class:`Attribution`: the place, with the odds that the middle of the group lies on it.

    Notes
    -----
    The odds of a cluster are those of its robust centre, known as well as so many distinct positions tell it
    (:func:`geo.cluster_centre.centres`). What may be named is decided by the records themselves: by the precision that half of
    their weight reaches, and by whether most of it was moved; many coarse records do not make one house.
    """
    groups, own = np.unique(group, return_inverse=True)
    middle = centres(stated.points_m, weights, stated.precision_m, own, len(groups))
    moved = np.bincount(own, weights * stated.snapped, minlength=len(groups))
    snapped = 2 * moved > np.bincount(own, weights, minlength=len(groups))
    seen = odds(Stated(middle.points_m, middle.precision_m, snapped, middle.typical_precision_m), reference)
    starts = np.searchsorted(seen.point, np.arange(len(groups) + 1))
    return {
        int(one): _choose(
            seen.entity[starts[i] : starts[i + 1]][:LISTED], seen.probability[starts[i] : starts[i + 1]][:LISTED],
            float(seen.unattributed[i]), reference,
        )
        for i, one in enumerate(groups)
    }  # fmt: skip


def _choose(entities: Ints, probabilities: Floats, unattributed: float, reference: Reference) -> Attribution:
    listed = tuple(
        {
            "kind": str(reference.place_kinds[entity]),
            "name": str(reference.names[entity]) or None,
            "probability": round(probability, 4),
        }
        for entity, probability in zip(entities.tolist(), probabilities.tolist(), strict=True)
    )
    rest = round(unattributed, 4)
    if not listed or listed[0]["probability"] < MIN_PROBABILITY:
        return Attribution(None, UNATTRIBUTED, None, rest, listed, rest)
    best = listed[0]
    return Attribution(int(entities[0]), best["kind"], best["name"], best["probability"], listed[1:], rest)
