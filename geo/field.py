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


def for_operations(*told: tuple[str, FieldType, str]) -> tuple[Field, ...]:
    """Columns that only operations may have.

    Parameters
    ----------
    *told : tuple of (str, FieldType, str)
        Name, type and meaning of each.

    Returns
    -------
    tuple of Field

    Examples
    --------
    >>> [one.audiences for one in for_operations(("why", FieldType.TEXT, "One plain sentence."))]
    [(<Profile.OPERATIONAL: 'operational'>,)]
    """
    return tuple(Field(name, kind, meaning, (Profile.OPERATIONAL,)) for name, kind, meaning in told)
