"""The allow-list of everything that may leave: layers, their fields, types and audiences.

The field dictionary for police GIS (``docs/field-dictionary.md``) is generated from this table; a column that is not
in it cannot be released.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from geo.model import Layer, Profile

DICTIONARY_VERSION: Final = "1"
MAX_TEXT: Final = 254


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


_OPERATIONAL: Final = (Profile.OPERATIONAL,)
_NOT_PUBLIC: Final = (Profile.OPERATIONAL, Profile.PARTNER)

_COMMON: Final = (
    Field("marking", FieldType.TEXT, "Protective marking of the layer."),
    Field("profile", FieldType.TEXT, "Audience the layer was released for."),
    Field("run", FieldType.TEXT, "Analysis the feature comes from."),
    Field("generated", FieldType.DATE, "Date of the analysis (UTC)."),
)

_OPERATIONAL_COMMON: Final = tuple(replace(field, audiences=_OPERATIONAL) for field in _COMMON)

FIELDS: Final[dict[Layer, tuple[Field, ...]]] = {
    Layer.CELLS: (
        Field("cell", FieldType.TEXT, "H3 index of the cell, hexadecimal."),
        Field("records", FieldType.INTEGER, "Records in the cell during the period of the analysis."),
        Field(
            "days",
            FieldType.INTEGER,
            "Distinct Europe/London days among records dated to the day.",
            _OPERATIONAL,
        ),
        Field("months", FieldType.INTEGER, "Distinct months among the records.", _OPERATIONAL),
        Field(
            "snapped",
            FieldType.INTEGER,
            "Records whose position a publisher moved to a fixed map point.",
            _OPERATIONAL,
        ),
        *_COMMON,
    ),
    Layer.PLACES: (
        Field("place", FieldType.TEXT, "Identity of the place; it stays the same from analysis to analysis."),
        Field("rank", FieldType.INTEGER, "Position in the list of the analysis."),
        Field(
            "kind",
            FieldType.TEXT,
            "What the place is: park, street, house, hotel, takeaway, ... or unattributed, or area.",
        ),
        Field(
            "name",
            FieldType.TEXT,
            "Name of the park, premises or road; homes are unnamed outside the operational audience.",
        ),
        Field("records", FieldType.INTEGER, "Records in the cluster."),
        Field("probability", FieldType.REAL, "Share of the evidence that speaks for this kind and name, 0 to 1."),
        Field(
            "basis",
            FieldType.TEXT,
            "exact; approximate when known no better than 100 m; snapped when most were moved to fixed map points.",
        ),
        Field(
            "sources",
            FieldType.INTEGER,
            "Distinct agencies or sources; one source many times counts once.",
            _NOT_PUBLIC,
        ),
        Field(
            "first_day",
            FieldType.DATE,
            "First day among records dated to the day, Europe/London; empty when only months are known.",
            _OPERATIONAL,
        ),
        Field(
            "last_day",
            FieldType.DATE,
            "Last day among records dated to the day, Europe/London; empty when only months are known.",
            _OPERATIONAL,
        ),
        Field(
            "score",
            FieldType.REAL,
            "Records x recency x corroboration: a listing order, not a measure of danger.",
            _OPERATIONAL,
        ),
        Field("decision", FieldType.TEXT, "What an analyst decided: accept, reject, or waiting.", _OPERATIONAL),
        Field("why", FieldType.TEXT, "One plain sentence."),
        *_COMMON,
    ),
    Layer.TASKING: (
        Field("place", FieldType.TEXT, "Identity of the place.", _OPERATIONAL),
        Field("place_name", FieldType.TEXT, "Name of the place, or its kind.", _OPERATIONAL),
        Field("kind", FieldType.TEXT, "What the place is.", _OPERATIONAL),
        Field("area", FieldType.TEXT, "Ward, beat or other imported area that holds the place.", _OPERATIONAL),
        Field(
            "where",
            FieldType.TEXT,
            "Street beside it, where one is known, and a grid reference to 100 m.",
            _OPERATIONAL,
        ),
        Field("why", FieldType.TEXT, "One plain sentence.", _OPERATIONAL),
        Field("weekdays", FieldType.TEXT, "Days on which most records fall, or times not known.", _OPERATIONAL),
        Field("hours", FieldType.TEXT, "Hours in which most records fall, or times not known.", _OPERATIONAL),
        Field("objective", FieldType.TEXT, "What the visit is for; to be filled in.", _OPERATIONAL),
        Field("hazards", FieldType.TEXT, "To be filled in.", _OPERATIONAL),
        Field("safe_exit", FieldType.TEXT, "To be filled in.", _OPERATIONAL),
        Field("check_in_contact", FieldType.TEXT, "To be filled in.", _OPERATIONAL),
        Field(
            "non_enforcement_alternatives", FieldType.TEXT, "What else was considered; to be filled in.", _OPERATIONAL
        ),
        Field(
            "review_date", FieldType.DATE, "When the decision about the place must be looked at again.", _OPERATIONAL
        ),
        *_OPERATIONAL_COMMON,
    ),
    Layer.REFERENCE: (
        Field(
            "kind",
            FieldType.TEXT,
            "parks, premises, buildings, roads, boundary or areas; never protected places.",
            _OPERATIONAL,
        ),
        Field("name", FieldType.TEXT, "Name in the reference data.", _OPERATIONAL),
    ),
}

GEOMETRY_TYPE: Final = {
    Layer.CELLS: "Polygon",
    Layer.PLACES: "MultiPolygon",
    Layer.TASKING: "MultiPolygon",
    Layer.REFERENCE: "Geometry",
}


def fields_for(layer: Layer, profile: Profile) -> tuple[Field, ...]:
    """Fields of a layer that an audience may have, in order."""
    return tuple(field for field in FIELDS[layer] if profile in field.audiences)


def dictionary_markdown() -> str:
    """Return the field dictionary as Markdown."""
    lines = [
        "# Field dictionary",
        "",
        f"Version {DICTIONARY_VERSION}. Generated from `geo/fields.py` by `make docs`; do not edit.",
        "",
        "GeoJSON is WGS 84; GeoPackage is the store's metric CRS (EPSG:27700 unless another was chosen). Text is at most 254",
        "characters. `id` is the same in every format: the H3 index of a cell, the identity of a place.",
    ]
    for layer, fields in FIELDS.items():
        lines += [
            "",
            f"## {layer} ({GEOMETRY_TYPE[layer]})",
            "",
            "| field | type | meaning | audiences |",
            "|---|---|---|---|",
        ]
        lines += [f"| `{f.name}` | {f.type} | {f.meaning} | {', '.join(f.audiences)} |" for f in fields]
    return "\n".join(lines) + "\n"
