"""Reference geography as places with a share of the prior: which features are one thing, and how densely each kind lies."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from geo.model import UNATTRIBUTED, FeatureKind
from geo.place_kinds import HOUSE, PARK, PRIOR, STREET, may_be_named, place_kind, prior_group

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Objects = NDArray[np.object_]

# Features of one name this near each other are one thing: the links of a road, the parts of a park.
SAME_NAME_M: Final = 100.0
# A point in the parks layer this near a park is one of its gates.
GATE_M: Final = 25.0
# Share of a park's records that are put at its gates, where it has any.
GATE_SHARE: Final = 0.2
_SQUARE_KM: Final = 1000.0


@dataclass(frozen=True)
class Reference:
    """Reference features in metres, grouped into entities that a record may speak of.

    Parameters
    ----------
    geometry_m : ndarray of shapely geometry, shape (f,)
    kinds, subtypes, names : ndarray of str, shape (f,)
    place_kinds : ndarray of str, shape (f,)
        Kind of place of each feature.
    entity : ndarray of int64, shape (f,)
        Features that are one thing share the number of the first: the links of a named road, the parts and gates of a park.
    gate : ndarray of bool, shape (f,)
    spacing_m : ndarray of float, shape (f,)
        For buildings and homes, the distance to the nearest other one (centre to centre); infinite elsewhere.
    nameable : ndarray of bool, shape (f,)
        Others keep their odds, which are told as ``unattributed``: what lies at a protected place, and homes of care.
    mass : ndarray of float, shape (f,)
        Prior probability that a record speaks of the feature; an entity's is the sum over its features.
    snapped_mass : ndarray of float, shape (f,)
        The same of a record whose position was moved to a map point: parks, and streets with all that stands on them.
    area_m2 : float
        Ground that the reference layers cover, in squares of a kilometre.
    unattributed : float
        Prior probability that a record speaks of none of them.
    snapped_unattributed : float
        The same of a snapped record.

    Notes
    -----
    The prior of a kind is shared equally by its entities, so a kind that lies densely says little of each one of its
    places; streets share theirs by length. What is not imported stays with ``unattributed``.
    """

    geometry_m: Objects
    kinds: Objects
    subtypes: Objects
    names: Objects
    place_kinds: Objects
    entity: Ints
    gate: NDArray[np.bool_]
    spacing_m: Floats
    nameable: NDArray[np.bool_]
    mass: Floats
    snapped_mass: Floats
    area_m2: float
    unattributed: float
    snapped_unattributed: float

    def __len__(self) -> int:
        """Return the number of features."""
        return len(self.geometry_m)

    @classmethod
    def of(
        cls,
        geometry_m: Objects,
        kinds: Objects,
        subtypes: Objects,
        names: Objects,
        *,
        prior: Mapping[str, float] = PRIOR,
        nameable: NDArray[np.bool_] | None = None,
    ) -> "Reference":
        """Group features into entities and share the prior among them; all may be named unless their kind or the caller says not."""
        place_kinds = np.asarray(
            [place_kind(kind, subtype) for kind, subtype in zip(kinds.tolist(), subtypes.tolist(), strict=True)], object
        )
        named = np.asarray([may_be_named(kind) for kind in place_kinds.tolist()], bool)
        named &= True if nameable is None else nameable
        entity = _entities(geometry_m, kinds, names)
        entity, gate = _gates(geometry_m, kinds, entity)
        mass = _prior_mass(geometry_m, place_kinds, entity, gate, prior)
        snapped = _snapped_mass(mass, place_kinds)
        rest = float(sum(prior.values()) - mass.sum())
        return cls(
            geometry_m, kinds, subtypes, names, place_kinds, entity, gate, _spacing_m(geometry_m, kinds, place_kinds), named, mass, snapped,
            _covered_m2(geometry_m), rest, float(sum(prior.values()) - snapped.sum()),
        )  # fmt: skip

    def reweighted(self, prior: Mapping[str, float], snapped: Mapping[str, float]) -> "Reference":
        """Return the same places under other shares of the kinds, for records as they are and for snapped ones."""
        mass = _shared(self.mass, self.groups, prior)
        snapped_mass = _shared(self.snapped_mass, self.groups, snapped)
        return replace(
            self,
            mass=mass,
            snapped_mass=snapped_mass,
            unattributed=float(sum(prior.values()) - mass.sum()),
            snapped_unattributed=float(sum(snapped.values()) - snapped_mass.sum()),
        )

    @property
    def groups(self) -> Objects:
        """Entry of the prior that each feature falls under."""
        return np.asarray([prior_group(kind) for kind in self.place_kinds.tolist()], object)


def _snapped_mass(mass: Floats, place_kinds: Objects) -> Floats:
    """A moved record stands for a park, or for a street with all that stands on it."""
    streets, parks = place_kinds == STREET, place_kinds == PARK
    on_streets = float(mass[~streets & ~parks].sum())
    scale = 1.0 + on_streets / max(float(mass[streets].sum()), 1e-12) if streets.any() else 0.0
    return np.where(parks, mass, np.where(streets, mass * scale, 0.0))


def _shared(mass: Floats, groups: Objects, prior: Mapping[str, float]) -> Floats:
    """The same shares within each group of kinds, under other shares of the groups."""
    shared = np.zeros(len(mass))
    for group in set(groups.tolist()):
        own = groups == group
        total = float(mass[own].sum())
        shared[own] = mass[own] * (prior.get(group, 0.0) / total if total else 0.0)
    return shared


def _spacing_m(geometry_m: Objects, kinds: Objects, place_kinds: Objects) -> Floats:
    spacing_m = np.full(len(geometry_m), np.inf)
    buildings = np.flatnonzero((kinds == FeatureKind.BUILDINGS) | (place_kinds == HOUSE))
    if len(buildings) > 1:
        centres = shapely.get_coordinates(shapely.centroid(geometry_m[buildings]))
        spacing_m[buildings] = cKDTree(centres).query(centres, k=2)[0][:, 1]
    return spacing_m


def _entities(geometry_m: Objects, kinds: Objects, names: Objects) -> Ints:
    """Roads and parks of one name are one thing as far as they hang together: two High Streets are two roads."""
    own = np.arange(len(geometry_m))
    shared = np.flatnonzero((names != "") & np.isin(kinds, [str(FeatureKind.ROADS), str(FeatureKind.PARKS)]))
    if len(shared) < 2:
        return own
    label: dict[tuple[str, str], int] = {}
    code = np.asarray([label.setdefault((kinds[i], names[i]), len(label)) for i in shared])
    order = np.argsort(code, kind="stable")
    tree = shapely.STRtree(geometry_m[shared])
    several = np.flatnonzero(np.bincount(code)[code] > 1)
    a, b = tree.query(geometry_m[shared][several], predicate="dwithin", distance=SAME_NAME_M)
    a = several[a]
    alike = code[a] == code[b]
    links = coo_array((np.ones(int(alike.sum())), (a[alike], b[alike])), shape=(len(order), len(order)))
    _, component = connected_components(links, directed=False)
    first = np.full(component.max() + 1, len(shared))
    np.minimum.at(first, component, np.arange(len(shared)))
    own[shared] = shared[first[component]]
    return own


def _gates(geometry_m: Objects, kinds: Objects, entity: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """Give points of the parks layer that lie at a park to that park."""
    entity, gate = entity.copy(), np.zeros(len(geometry_m), bool)
    parks = np.flatnonzero(kinds == FeatureKind.PARKS)
    flat = shapely.get_dimensions(geometry_m[parks]) == 0
    points, grounds = parks[flat], parks[~flat]
    if len(points) and len(grounds):
        tree = shapely.STRtree(geometry_m[grounds])
        (point, ground) = tree.query_nearest(geometry_m[points], max_distance=GATE_M, all_matches=False)
        entity[points[point]] = entity[grounds[ground]]
        gate[points[point]] = True
    return entity, gate


def _prior_mass(
    geometry_m: Objects, place_kinds: Objects, entity: Ints, gate: NDArray[np.bool_], prior: Mapping[str, float]
) -> Floats:
    mass = np.zeros(len(geometry_m))
    groups = np.asarray([prior_group(kind) for kind in place_kinds.tolist()], object)
    for group in sorted(set(groups.tolist()) - {UNATTRIBUTED}):
        mine = np.flatnonzero(groups == group)
        if group == STREET:
            size = shapely.length(geometry_m[mine])
            mass[mine] = prior[group] * size / max(size.sum(), 1e-9)
            continue
        ground = mine[~gate[mine]]
        size = np.maximum(shapely.area(geometry_m[ground]), 1.0)
        _, own = np.unique(entity[ground], return_inverse=True)
        share = size / np.bincount(own, size)[own]
        mass[ground] = share * prior[group] / (own.max() + 1)
    gates = np.flatnonzero(gate)
    if len(gates):
        per_entity = np.bincount(entity, mass, minlength=len(mass))
        gates_of = np.bincount(entity[gates], minlength=len(mass))
        mass[~gate & (gates_of[entity] > 0)] *= 1 - GATE_SHARE
        mass[gates] = GATE_SHARE * per_entity[entity[gates]] / gates_of[entity[gates]]
    return mass


def _covered_m2(geometry_m: Objects) -> float:
    """Area of the kilometre squares that the features run through; one square where there is nothing."""
    squares = np.floor(shapely.get_coordinates(shapely.segmentize(geometry_m, _SQUARE_KM / 2)) / _SQUARE_KM)
    return float(max(len(np.unique(squares, axis=0)), 1)) * _SQUARE_KM**2
