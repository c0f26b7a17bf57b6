"""The allow-list of everything that may leave: layers, their fields, types and audiences.

The field dictionary for police GIS (``docs/field-dictionary.md``) is generated from this table; a column that is not
in it cannot be released.
"""

from dataclasses import replace
from typing import Final

from geo.field import Field, FieldType, for_operations
from geo.fields_besides import NETWORK_FIELDS, ROUTE_FIELDS
from geo.model import Layer, Profile

DICTIONARY_VERSION: Final = "4"
MAX_TEXT: Final = 254

_OPERATIONAL: Final = (Profile.OPERATIONAL,)
_NOT_PUBLIC: Final = (Profile.OPERATIONAL, Profile.PARTNER)

_COMMON: Final = (
    Field("marking", FieldType.TEXT, "Protective marking of the layer."),
    Field("profile", FieldType.TEXT, "Audience the layer was released for."),
    Field("run", FieldType.TEXT, "Analysis the feature comes from."),
    Field("generated", FieldType.DATE, "Date of the analysis (UTC)."),
)

_OPERATIONAL_COMMON: Final = tuple(replace(field, audiences=_OPERATIONAL) for field in _COMMON)

_CELL_STATISTICS: Final = for_operations(
    (
        "hot",
        FieldType.INTEGER,
        "1 where the window of two rings stands out (q_value) and the scan confirms it (scan_p).",
    ),
    (
        "state",
        FieldType.TEXT,
        "hot; looked_quiet where outreach worked in or beside the cell; not_looked where nobody did.",
    ),
    ("observed", FieldType.INTEGER, "Records in the window of two rings round the cell."),
    ("expected", FieldType.REAL, "Records expected in the window from its share of what is compared with."),
    ("rate_ratio", FieldType.REAL, "Observed over expected; 0 where nothing is expected."),
    ("ratio_low", FieldType.REAL, "Lower end of the exact 95 % interval of rate_ratio."),
    ("ratio_high", FieldType.REAL, "Upper end of the exact 95 % interval of rate_ratio."),
    ("p_value", FieldType.REAL, "Exact binomial: probability of so many records or more by chance."),
    ("q_value", FieldType.REAL, "p_value adjusted over all cells (Benjamini and Hochberg)."),
    ("scan_p", FieldType.REAL, "Family-wise p of the best window round the cell (Kulldorff's scan)."),
    ("scan_radius", FieldType.INTEGER, "Rings of that window."),
    (
        "rate",
        FieldType.REAL,
        "Adjusted rate: relative to the whole area, drawn to its neighbourhood where evidence is thin.",
    ),
    ("density_km2", FieldType.REAL, "Kernel density, records per km2 (quartic, 500 m, edge corrected)."),
    ("gi_star_z", FieldType.REAL, "Getis-Ord Gi* of the window, for exchange with other tools only."),
    ("gi_star_reliable", FieldType.INTEGER, "0 where counts are too sparse for gi_star_z to be normal."),
    (
        "top_probability",
        FieldType.REAL,
        "Probability that the cell is in the top 1 % of the area, given how well positions and times are known.",
    ),
    (
        "trend",
        FieldType.TEXT,
        "emerging, intensifying, diminishing, persistent, sporadic, historic, none, or insufficient_history.",
    ),
)

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
        *_CELL_STATISTICS,
        *_COMMON,
    ),
    Layer.PLACES: (
        Field("place", FieldType.TEXT, "Identity of the place; it stays the same from analysis to analysis."),
        Field("rank", FieldType.INTEGER, "Position in the list of the analysis; empty for places that a person named."),
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
        Field(
            "probability",
            FieldType.REAL,
            "Odds that this is the place, 0 to 1; of unattributed, that it is none that could be named.",
        ),
        Field(
            "basis",
            FieldType.TEXT,
            "exact; approximate when known no better than 100 m; snapped when most were moved to fixed map points; nominated when a person named it.",
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
            "Weight of the records x recency x corroboration: a listing order, not a measure of danger.",
            _OPERATIONAL,
        ),
        Field("significant", FieldType.INTEGER, "1 where the scan finds the place beyond chance.", _OPERATIONAL),
        Field("rate_ratio", FieldType.REAL, "Observed over expected in the window round the place.", _OPERATIONAL),
        Field("scan_p", FieldType.REAL, "Family-wise p of the best window round the place.", _OPERATIONAL),
        Field(
            "held_in",
            FieldType.INTEGER,
            "Of nine other grids, how many show the place as hot; -1 not checked.",
            _OPERATIONAL,
        ),
        Field("rank_low", FieldType.INTEGER, "Best rank within the 95 % bootstrap interval.", _OPERATIONAL),
        Field("rank_high", FieldType.INTEGER, "Worst rank within the 95 % bootstrap interval.", _OPERATIONAL),
        Field("rank_without_ours", FieldType.INTEGER, "Rank without what patrols and outreach found.", _OPERATIONAL),
        Field("trend", FieldType.TEXT, "Trend of the cell that holds most of the place.", _OPERATIONAL),
        Field(
            "decision",
            FieldType.TEXT,
            "What an analyst decided: accept, reject, or waiting; merged or split from the next analysis on.",
            _OPERATIONAL,
        ),
        Field("why", FieldType.TEXT, "One plain sentence."),
        Field("in_view", FieldType.INTEGER, "Records that match the filter; all of them without one.", _OPERATIONAL),
        *_COMMON,
    ),
    Layer.ROUTES: (*ROUTE_FIELDS, *_OPERATIONAL_COMMON),
    Layer.NETWORK: (*NETWORK_FIELDS, *_OPERATIONAL_COMMON),
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
    Layer.MAP: (
        Field(
            "cell",
            FieldType.TEXT,
            "H3 index of the cell, hexadecimal; coarser than the analysis where a map is zoomed out.",
        ),
        Field(
            "records", FieldType.INTEGER, "Records in the cell that match the filter; rounded down outside operations."
        ),
        Field("hot", FieldType.INTEGER, "Hot cells of the analysis within; 0 under a filter.", _OPERATIONAL),
        Field("looked", FieldType.INTEGER, "1 where outreach worked in or beside the cell.", _OPERATIONAL),
        *_COMMON,
    ),
}

GEOMETRY_TYPE: Final = {
    Layer.CELLS: "Polygon",
    Layer.PLACES: "MultiPolygon",
    Layer.ROUTES: "MultiLineString",
    Layer.NETWORK: "LineString",
    Layer.TASKING: "MultiPolygon",
    Layer.REFERENCE: "Geometry",
    Layer.MAP: "Polygon",
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
