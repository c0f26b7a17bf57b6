"""Fields of the layers that lie beside cells and places: routes and linked places, for operations only."""

from typing import Final

from geo.field import FieldType, for_operations

ROUTE_FIELDS: Final = for_operations(
    ("route", FieldType.TEXT, "Identity of the route; the same corridor has it in every analysis."),
    ("rank", FieldType.INTEGER, "Position in the list of the analysis."),
    (
        "kind",
        FieldType.TEXT,
        "driven: roads that vehicles share by their space-time prisms; tracked: a line through dense fixes, without roads; on_foot: streets between two places that reports join.",
    ),
    ("name", FieldType.TEXT, "Names of its longest roads."),
    ("vehicles", FieldType.INTEGER, "Distinct vehicles, on foot pairs of reports; never fewer than three."),
    ("trips", FieldType.INTEGER, "Trips of these vehicles on it."),
    (
        "confidence",
        FieldType.REAL,
        "How much of it the vehicles were seen to share, 0 to 1, less what chance explains.",
    ),
    ("length_m", FieldType.INTEGER, "Length in metres."),
    ("width_m", FieldType.INTEGER, "Within how many metres across the vehicles drove, as far as is known."),
    ("why", FieldType.TEXT, "One plain sentence."),
)
NETWORK_FIELDS: Final = for_operations(
    ("first", FieldType.TEXT, "Identity of one place."),
    ("first_name", FieldType.TEXT, "Its name or kind."),
    ("second", FieldType.TEXT, "Identity of the other place."),
    ("second_name", FieldType.TEXT, "Its name or kind."),
    ("linked_by", FieldType.TEXT, "vehicle, prism, time: what joins them."),
    ("significant", FieldType.INTEGER, "1 where they go together beyond chance, all pairs taken into account."),
    ("vehicles", FieldType.INTEGER, "Distinct vehicles seen at both within the window; 0 or at least three."),
    ("vehicles_expected", FieldType.REAL, "Vehicles that chance would bring to both."),
    ("report_pairs", FieldType.INTEGER, "Pairs of reports of the two within the window."),
    ("reports_expected", FieldType.REAL, "Pairs that their own weekly rhythms would give."),
    ("q_value", FieldType.REAL, "Family-wise q of the stronger of the two tests."),
    ("distance_m", FieldType.INTEGER, "Distance between the places in metres."),
    ("why", FieldType.TEXT, "One plain sentence."),
)
