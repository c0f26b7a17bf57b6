"""What an analysis finds besides cells and places: facilities that stand out, routes, and places that go together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import shapely


@dataclass(frozen=True, kw_only=True)
class Facility:
    """One park, takeaway or other place of a kind, against its own kind. ``weight`` is the expected number of records.

    ``records`` counts those that name it first, with odds of a half or more.
    """

    feature_key: bytes
    kind: str
    name: str
    records: int
    weight: float
    evidence: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Route:
    """One corridor: driven, walked, or a stretch of road along which a cluster lies. ``geometry`` is WGS 84.

    ``vehicles`` counts distinct vehicles, or distinct groups of reports where nobody drove.
    """

    route_id: str
    rank: int
    kind: str
    name: str | None
    vehicles: int
    confidence: float
    geometry: shapely.Geometry
    evidence: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Link:
    """Two places that go together, and how it is known; ``first_place`` sorts before ``second_place``."""

    first_place: str
    second_place: str
    significant: bool
    evidence: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Besides:
    """All of them of one run."""

    facilities: tuple[Facility, ...] = ()
    routes: tuple[Route, ...] = ()
    links: tuple[Link, ...] = ()
    summary: Mapping[str, Any] = field(default_factory=dict)


NOTHING_BESIDES: Final = Besides()
