"""What the person who imports says about a file, and what they are told became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.services.preparing import RowShape
from app.services.terms import Terms
from data.readers import Reading
from geo.crs import MetricCrs
from geo.errors import InvalidParameter, MappingError
from geo.model import Batch, FeatureKind, RecordKind
from geo.validate import RECORD_FIELDS
from geo.validate_positions import MAX_PRECISION_M

LONDON_NAME: Final = "Europe/London"
_COUNTS: Final = (
    "read", "accepted", "unlocated", "rejected", "duplicates", "updated", "unchanged", "missing", "redacted", "coarsened",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ImportRequest:
    """What the person who imports said about the file."""

    kind: str
    source: str | None = None
    format_name: str = "auto"
    column_map: Mapping[str, str] = field(default_factory=dict)
    only_told: bool = False
    layer: str | None = None
    precision_m: float | None = None
    redact: bool = False
    crs: MetricCrs | None = None
    timezone: str = LONDON_NAME
    mapping: str = ""
    defaults: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    key: tuple[str, ...] = ()
    full_supply: bool = False

    def __post_init__(self) -> None:
        """Refuse what no file could satisfy."""
        if self.kind not in {*RecordKind, *FeatureKind}:
            raise InvalidParameter(f"Unknown kind {self.kind!r}; choose from {', '.join([*RecordKind, *FeatureKind])}.")
        if self.precision_m is not None and not 0 < self.precision_m <= MAX_PRECISION_M:
            raise InvalidParameter(f"--precision-m must lie between 0 and {MAX_PRECISION_M:g} metres.")
        if self.source is not None and not self.source.strip():
            raise InvalidParameter("--source must not be empty.")
        if self.redact and self.kind != RecordKind.INCIDENTS:
            raise InvalidParameter(f"--redact is for incidents; personal data in {self.kind} is never taken in.")
        if self.full_supply and not self.key:
            raise InvalidParameter("A full supply needs a key that its rows are known by.")
        if unknown := sorted({*self.key, *self.defaults, *self.values} - set(RECORD_FIELDS)):
            raise MappingError(f"Unknown field {unknown[0]!r}; known are {', '.join(RECORD_FIELDS)}.")
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise InvalidParameter(f"Unknown time zone {self.timezone!r}; write it like {LONDON_NAME}.") from error

    @property
    def is_feature(self) -> bool:
        """Whether reference geography is meant, not records."""
        return self.kind in set(FeatureKind)

    def reading(self, terms: Terms) -> Reading:
        """How the file is to be read."""
        return Reading(
            format_name=self.format_name,
            column_map=self.column_map,
            only_told=self.only_told,
            layer=self.layer,
            max_line_bytes=terms.max_line_bytes,
            max_file_bytes=terms.max_file_bytes,
        )

    def shape(self, source: str) -> RowShape:
        """What is done to its rows."""
        return RowShape(
            kind=self.kind,
            source=source,
            supply=self.mapping,
            defaults=self.defaults,
            values=self.values,
            key=self.key,
            precision_m=self.precision_m,
            redact=self.redact,
            file_crs=self.crs,
            zone=ZoneInfo(self.timezone),
        )


@dataclass(frozen=True, kw_only=True)
class ImportReport:
    """What became of one file.

    ``same_file`` names an earlier batch of the very same bytes, where this one brought records too: read in another way,
    one event may now be two.
    """

    batch: Batch
    reasons: dict[str, int]
    used_columns: dict[str, str]
    unused_columns: list[str]
    repaired: int = 0
    corrected: int = 0
    changes: list[dict[str, Any]] = field(default_factory=list)
    places_affected: list[dict[str, Any]] = field(default_factory=list)
    runs_affected: list[str] = field(default_factory=list)
    waiting_for_place: int = 0
    same_file: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for machine-readable output."""
        batch = self.batch
        named = {"batch": batch.batch_id, "file": batch.file_name, "kind": batch.kind, "source": batch.source}
        return {
            **named,
            "format": batch.format,
            "mapping": batch.mapping or None,
            **{name: getattr(batch, name) for name in _COUNTS},
            "reasons": self.reasons,
            "repaired": self.repaired,
            "corrected": self.corrected,
            "same_file": self.same_file,
            "changes": self.changes,
            "places_affected": self.places_affected,
            "runs_affected": self.runs_affected,
            "waiting_for_place": self.waiting_for_place,
            "columns_used": self.used_columns,
            "columns_not_kept": self.unused_columns,
        }
