"""The one vocabulary: domain types, and the column names of every bulk frame.

There is no person here. A record is something seen or reported at a place and time; a feature is a piece of
reference geography; a place is what the analysis makes of them.
"""

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final


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
    ROUTES = "routes"
    NETWORK = "network"
    TASKING = "tasking"
    REFERENCE = "reference"
    MAP = "map"


class ComparedWith(StrEnum):
    """What counts are compared with: the exposure that a rate needs."""

    AREA = "area"
    UNIFORM = "uniform"
    RECORDS = "records"
    PREMISES = "premises"
    BUILDINGS = "buildings"
    EFFORT = "effort"


class ClusterAlgorithm(StrEnum):
    """Who computes the clusters; the labels are the same."""

    GRID = "grid"
    SKLEARN = "sklearn"


class Verdict(StrEnum):
    """An analyst's decision about a place."""

    ACCEPT = "accept"
    REJECT = "reject"
    MOVE = "move"
    RENAME = "rename"
    MERGE = "merge"
    SPLIT = "split"
    REVIEW = "review"
    WITHDRAW = "withdraw"
    UNDO = "undo"


class Role(StrEnum):
    """What a signed-in person is here to do."""

    ANALYST = "analyst"
    COORDINATOR = "coordinator"
    GIS = "gis"
    AUDITOR = "auditor"
    ADMIN = "admin"
    PARTNER = "partner"
    BOARD = "board"


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
ROUTE: Final = "route"
H3_INDEX_RESOLUTION: Final = 7
# precision_m is the radius that holds the true position with 95 % probability under an isotropic Gaussian.
SIGMAS_IN_95_PERCENT_RADIUS: Final = 2.448
# Cells of 0.7 km2: about an urban LSOA. Partner and public layers of every run share it, so that no parent
# can be subtracted from its children.
SHARED_RESOLUTION: Final = 8
# No route, and no link by shared vehicles, of fewer distinct vehicles is ever shown.
MIN_VEHICLES: Final = 3


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Whose rows a store method may touch, and on whose behalf."""

    org_id: str = "default"
    actor: str = "system"
    role: Role = Role.ANALYST


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
