"""The one vocabulary: domain types, and the column names of every bulk frame.

There is no person here. A record is something seen or reported at a place and time; a feature is a piece of
reference geography; a place is what the analysis makes of them.
"""

import hashlib
import json
import math
from dataclasses import asdict, dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Final

from geo.errors import InvalidParameter


class RecordKind(StrEnum):
    """Dated events, each a row of the ``record`` table."""

    INCIDENTS = "incidents"
    OBSERVATIONS = "observations"
    SIGHTINGS = "sightings"
    EFFORT = "effort"


class FeatureKind(StrEnum):
    """Reference geography, each a row of the ``feature`` table."""

    PARKS = "parks"
    PREMISES = "premises"
    BUILDINGS = "buildings"
    ROADS = "roads"
    BOUNDARY = "boundary"
    AREAS = "areas"
    PROTECTED = "protected"


class LocationBasis(StrEnum):
    """How a record's position is known. ``cell`` is all that is kept of what happened at or near a protected place."""

    EXACT = "exact"
    SNAPPED = "snapped"
    CELL = "cell"
    NONE = "none"


class Method(StrEnum):
    """Where a record's position came from."""

    GIVEN = "given"
    GRID_REF = "grid_ref"
    UPRN = "uprn"
    POSTCODE = "postcode"
    NAME = "name"
    ROAD = "road"
    CHOSEN = "chosen"
    CELL = "cell"


class TimeBasis(StrEnum):
    """What the source said about time; the interval is kept either way."""

    INSTANT = "instant"
    INTERVAL = "interval"
    DATE = "date"
    MONTH = "month"


class Profile(StrEnum):
    """The audience of a released layer."""

    OPERATIONAL = "operational"
    PARTNER = "partner"
    PUBLIC = "public"


class Layer(StrEnum):
    """What a run can release."""

    CELLS = "cells"
    PLACES = "places"
    TASKING = "tasking"
    REFERENCE = "reference"


class ComparedWith(StrEnum):
    """What counts are compared with: the exposure that a rate needs."""

    AREA = "area"
    UNIFORM = "uniform"
    RECORDS = "records"
    PREMISES = "premises"
    BUILDINGS = "buildings"
    EFFORT = "effort"


class Verdict(StrEnum):
    """An analyst's decision about a place."""

    ACCEPT = "accept"
    REJECT = "reject"


class Role(StrEnum):
    """What a signed-in person is here to do."""

    ANALYST = "analyst"
    COORDINATOR = "coordinator"
    GIS = "gis"
    AUDITOR = "auditor"
    ADMIN = "admin"


# Columns of record frames. Times are int64 microseconds UTC, half-open [from_us, to_us).
RECORD_COLUMNS: Final = (
    "event_id",
    "record_key",
    "kind",
    "source",
    "agency",
    "urn",
    "category",
    "from_us",
    "to_us",
    "time_basis",
    "lon",
    "lat",
    "x_m",
    "y_m",
    "cell7",
    "location_basis",
    "precision_m",
    "vehicle_hash",
    "method",
    "source_type",
    "grade_scheme",
    "grade_source",
    "grade_information",
    "grade_handling",
    "handling_conditions",
    "regime",
    "reported_us",
    "notes",
    "detail",
    "supply_key",
    "review_us",
    "delete_us",
)
# What a record may say besides where, when and what; every one of them may be empty.
OPTIONAL_TEXTS: Final = (
    "source_type",
    "grade_scheme",
    "grade_source",
    "grade_information",
    "grade_handling",
    "handling_conditions",
    "regime",
    "notes",
    "detail",
)

# Columns of reference feature frames; ``geometry`` is shapely in WGS 84.
FEATURE_COLUMNS: Final = (
    "feature_key",
    "kind",
    "subtype",
    "name",
    "level",
    "code",
    "vintage",
    "aliases",
    "repaired",
    "geometry",
)

# Columns of quarantine frames; ``row`` is the mapped part of the row as read, as JSON text.
REJECTION_COLUMNS: Final = ("row_number", "field", "reason", "detail", "row")

CELL_COLUMNS: Final = ("cell", "records", "days", "months", "month_only", "snapped")
# What the statistics say of a cell of a run's own resolution.
STATISTIC_COLUMNS: Final = (
    "share",
    "observed",
    "expected",
    "rate_ratio",
    "ratio_low",
    "ratio_high",
    "p_value",
    "q_value",
    "scan_p",
    "scan_radius",
    "hot",
    "rate",
    "density_km2",
    "gi_star_z",
    "gi_star_reliable",
    "top_probability",
    "trend",
    "state",
)

UNATTRIBUTED: Final = "unattributed"
AREA: Final = "area"
H3_INDEX_RESOLUTION: Final = 7
# Cells of 0.7 km2: about an urban LSOA. Partner and public layers of every run share it, so that no parent
# can be subtracted from its children.
SHARED_RESOLUTION: Final = 8


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Whose rows a store method may touch, and on whose behalf."""

    org_id: str = "default"
    actor: str = "system"
    role: Role = Role.ANALYST


@dataclass(frozen=True, kw_only=True)
class AnalysisParameters:
    """Everything an analysis was asked for; stored with the run and hashed into its id.

    Parameters
    ----------
    date_from, date_to : date or None
        Inclusive Europe/London dates; a record matches when its midpoint lies inside.
    record_kinds : tuple of str
        Record kinds that count as evidence of a place.
    categories : tuple of str
        Keep only these values of ``category``; empty keeps all.
    resolution : int
        H3 resolution of the cells.
    eps_m, min_weight : float
        DBSCAN radius in metres and core threshold in records.
    area : str or None
        Name of an imported boundary or area; None studies the surroundings of what was observed.
    footprint_resolution : int
        H3 resolution of place footprints, whatever that of the cells: places are known again by their footprints.
    max_place_width_m : float
        A wider cluster is an area, not one place.
    compared_with : str
        What counts are compared with: ground inside the area, every cell alike, all stored records, premises, buildings,
        or hours of outreach (then only what outreach found is counted).
    alpha : float
        Level of the tests.
    simulations : int
        Of the scan.
    harm_weights : tuple of (str, float)
        Weight of a record of a category in the order of places; 1 where it is not named.

    Raises
    ------
    InvalidParameter
        Naming every parameter that is outside its meaning.

    Examples
    --------
    >>> AnalysisParameters(eps_m=100).eps_m
    100
    """

    date_from: date | None = None
    date_to: date | None = None
    record_kinds: tuple[str, ...] = (RecordKind.INCIDENTS, RecordKind.OBSERVATIONS)
    categories: tuple[str, ...] = ()
    resolution: int = 9
    eps_m: float = 150.0
    min_weight: float = 5.0
    area: str | None = None
    footprint_resolution: int = 11
    max_place_width_m: float = 500.0
    crs_epsg: int = 27700
    compared_with: str = ComparedWith.AREA
    alpha: float = 0.05
    simulations: int = 999
    harm_weights: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        """Gather every problem before refusing."""
        problems = []
        if self.date_from and self.date_to and self.date_from > self.date_to:
            problems.append(f"--from {self.date_from} is after --to {self.date_to}")
        if not 5 <= self.resolution <= 12:
            problems.append(f"resolution {self.resolution} is outside 5..12")
        if not 0 < self.eps_m <= 5000:
            problems.append(f"eps_m {self.eps_m:g} is outside 0..5000 metres")
        if not 0 < self.min_weight < 1e6:
            problems.append(f"min_weight {self.min_weight:g} must be positive")
        if unknown := sorted(set(self.record_kinds) - set(RecordKind)):
            problems.append(f"unknown record kinds {', '.join(unknown)}")
        if not self.record_kinds:
            problems.append("no record kind is chosen")
        problems += self._statistical_problems()
        if problems:
            raise InvalidParameter("; ".join(problems) + ".")

    def _statistical_problems(self) -> list[str]:
        problems = []
        if self.compared_with not in set(ComparedWith):
            problems.append(f"counts cannot be compared with {self.compared_with!r}; choose {', '.join(ComparedWith)}")
        if not 0 < self.alpha < 0.5:
            problems.append(f"alpha {self.alpha:g} is outside 0..0.5")
        if not 19 <= self.simulations <= 99_999:
            problems.append(f"simulations {self.simulations} is outside 19..99999")
        elif 0 < self.alpha < 0.5 and self.alpha * (self.simulations + 1) < 1 - 1e-9:
            problems.append(
                f"with {self.simulations} simulations no p-value falls to {self.alpha:g}; take {math.ceil(1 / self.alpha) - 1:,} or more"
            )
        if bad := [f"{category}={weight:g}" for category, weight in self.harm_weights if not 0 <= weight <= 1000]:
            problems.append(f"weight {bad[0]} is outside 0..1000")
        return problems

    @property
    def shared_resolution(self) -> int:
        """The one H3 resolution that every audience outside operations gets, whatever the run's own."""
        return SHARED_RESOLUTION

    @classmethod
    def from_json(cls, text: str) -> "AnalysisParameters":
        """Read what :meth:`as_json` wrote."""
        plain = json.loads(text)
        for name in ("date_from", "date_to"):
            plain[name] = date.fromisoformat(plain[name]) if plain[name] else None
        for name in ("record_kinds", "categories"):
            plain[name] = tuple(plain[name])
        plain["harm_weights"] = tuple((category, weight) for category, weight in plain.get("harm_weights", ()))
        return cls(**plain)

    def as_json(self) -> str:
        """Return canonical JSON text: sorted keys, numbers as floats where they are measures."""
        plain = asdict(self)
        plain["date_from"] = self.date_from.isoformat() if self.date_from else None
        plain["date_to"] = self.date_to.isoformat() if self.date_to else None
        plain["record_kinds"] = sorted(str(kind) for kind in self.record_kinds)
        plain["categories"] = sorted(self.categories)
        for name in ("eps_m", "min_weight", "max_place_width_m", "alpha"):
            plain[name] = float(plain[name])
        plain["compared_with"] = str(self.compared_with)
        plain["harm_weights"] = sorted([category, float(weight)] for category, weight in self.harm_weights)
        return json.dumps(plain, sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True, kw_only=True)
class Batch:
    """One imported file: its counts always add up (``read = accepted + rejected + duplicates``).

    ``updated`` rows are new versions, within ``accepted``; ``unchanged`` ones lie within ``duplicates``; ``missing``
    counts what an earlier supply had and this one no longer has.
    """

    batch_id: str
    kind: str
    source: str
    file_name: str
    stem: str
    file_sha256: str
    format: str
    read: int
    accepted: int
    unlocated: int
    rejected: int
    duplicates: int
    imported_at_us: int
    imported_by: str
    undone_at_us: int | None = None
    mapping: str = ""
    updated: int = 0
    unchanged: int = 0
    missing: int = 0
    redacted: int = 0
    coarsened: int = 0


@dataclass(frozen=True, kw_only=True)
class Run:
    """A reproducible analysis: same inputs, parameters, version and seed give the same bytes.

    ``purged_at_us`` is when records it rests on were purged and its layers with them.
    """

    run_id: str
    parameters: str
    input_hashes: tuple[str, ...]
    code_version: str
    seed: int
    generated_at_us: int
    created_by: str
    summary: dict[str, Any] = field(default_factory=dict)
    purged_at_us: int | None = None


@dataclass(frozen=True, kw_only=True)
class Place:
    """What one run says of one place. ``footprint`` holds H3 cells as unsigned integers."""

    place_id: str
    rank: int
    cluster: int
    kind: str
    name: str | None
    probability: float | None
    basis: str
    records: int
    footprint: tuple[int, ...]
    peak_cell: int
    evidence: dict[str, Any]
    alternatives: tuple[dict[str, Any], ...] = ()


def content_hash(*parts: str) -> str:
    """First 16 hex digits of the SHA-256 of the parts, unambiguously joined.

    Examples
    --------
    >>> content_hash("a", "b") == content_hash("ab")
    False
    """
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode()
        digest.update(len(raw).to_bytes(8, "big"))
        digest.update(raw)
    return digest.hexdigest()[:16]


def run_id(*, parameters: AnalysisParameters, input_hashes: tuple[str, ...], code_version: str, seed: int) -> str:
    """Name a run by its content: parameters, sorted file hashes, code version and seed."""
    return content_hash(parameters.as_json(), *sorted(input_hashes), code_version, str(seed))
