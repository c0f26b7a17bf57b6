"""One column of a released layer: its name, type, meaning and audiences."""

from dataclasses import dataclass
from enum import StrEnum

from geo.model import Profile


class FieldType(StrEnum):
    """Types that GeoJSON, GeoPackage and CSV all have."""

    TEXT = "text"
    INTEGER = "integer"
    REAL = "real"
    DATE = "date"


@dataclass(frozen=True)
class Field:
    """One column of a released layer."""

    name: str
    type: FieldType
    meaning: str
    audiences: tuple[Profile, ...] = tuple(Profile)
