"""Templates: what a partner is asked for, kind by kind, in the words of the importer, and what is never asked."""

from collections.abc import Mapping
from itertools import product
from typing import Final

from data.export.template import OPTIONAL, Column, Example, Numbers, Template, write_template
from data.readers.workbook import ABOUT_SHEET, EXAMPLE_SHEET, LISTS_SHEET
from geo.disclosure import MARKING
from geo.errors import InvalidParameter
from geo.guard import RULE_WORDS
from geo.model import FeatureKind, LocationBasis, RecordKind
from geo.problems import MAX_NOTES, MAX_TEXT
from geo.retention import DEFAULT_MONTHS
from geo.validate_features import POSTCODE_LEVEL
from geo.validate_positions import DEFAULT_PRECISION_M, MAX_PRECISION_M
from geo.vocabulary import (
    DETAIL_FIELDS,
    HANDLING_CODES,
    INFORMATION_GRADES,
    MAX_WORKERS,
    SEVERAL,
    SOURCE_GRADES,
    WORDS,
    Regime,
    SourceType,
)

_WHEN: Final = ("date", "time", "from", "to", "reported")
_WHERE: Final = (
    "place", "road", "postcode", "uprn", "longitude", "latitude", "easting", "northing", "grid_ref", "wkt", "precision_m", "location_basis",
)  # fmt: skip
_VEHICLE: Final = ("registration", "vehicle_id")
_WHO: Final = ("id", "urn", "source", "agency", "source_type")
_GRADING: Final = (
    "grade", "source_grade", "information_grade", "handling", "handling_conditions", "regime",
)  # fmt: skip
# The reader takes geometry from one pair of columns or one column, not from whichever of them a row has filled.
_POINT: Final = ("longitude", "latitude")
_SHAPE: Final = ("wkt",)
_GEOMETRY: Final = (*_POINT, *_SHAPE)
_FEATURE_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    FeatureKind.PARKS: ("name", "aliases", "kind", "code", "vintage", *_POINT),
    FeatureKind.PREMISES: ("name", "aliases", "kind", "code", "vintage", *_POINT),
    FeatureKind.BUILDINGS: ("name", "aliases", "kind", "code", "vintage", *_POINT),
    FeatureKind.ROADS: ("name", "aliases", "kind", "code", "vintage", *_SHAPE),
    FeatureKind.BOUNDARY: ("name", "aliases", "kind", "level", "code", "vintage", *_SHAPE),
    FeatureKind.AREAS: ("name", "aliases", "kind", "level", "code", "vintage", *_SHAPE),
    FeatureKind.PROTECTED: _POINT,  # where it is and nothing else: a refuge is never named
}
# Columns of which each row needs one.
_EITHER: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    **dict.fromkeys(map(str, RecordKind), (("date", "from"),)),
    RecordKind.SIGHTINGS: (("date", "from"), ("registration", "vehicle_id")),
}

# What each column means, and how it is written.
_RECORD_GUIDE: Final[Mapping[str, tuple[str, str]]] = {
    "date": ("Day it happened, or only the month.", "2024-03-09, or 09/03/2024 (day first), or 2024-03."),
    "time": ("Time of day on that date, local (Europe/London).", "21:30, 24-hour clock."),
    "from": ("When it began, where beginning and end are known.", "2024-03-09 21:30, 24-hour clock, Europe/London."),
    "to": ("When it ended.", "2024-03-09 23:00, 24-hour clock, Europe/London."),
    "reported": ("When it was reported to you; not before it happened.", "Date, or date and time, as in from."),
    "place": ("Park, premises or place by the name people use. The position is found by it.", "Text. Not somebody's home."),
    "road": ("Name of the road. The position is found by it.", "Text, without house number."),
    "postcode": ("Postcode of the spot; the position is found by it. Never a child's home.", "One full postcode."),
    "uprn": ("Unique property reference number of the spot; the position is found by it. Never a child's home.", "Digits, 12 at most."),
    "longitude": ("Position west or east of Greenwich (WGS 84); latitude belongs to it.", "Decimal degrees; west is negative, as in -1.8654."),
    "latitude": ("Position north (WGS 84); longitude belongs to it.", "Decimal degrees, as in 53.3802."),
    "easting": ("British National Grid easting; northing belongs to it.", "Metres, as in 409050."),
    "northing": ("British National Grid northing; easting belongs to it.", "Metres, as in 387050."),
    "grid_ref": ("Ordnance Survey grid reference.", "Letters and digits, as in SK 0905 8705."),
    "wkt": ("Position as text, for those who export from a GIS.", "SRID=27700;POINT(409050 387050)."),
    "precision_m": ("Radius within which the true spot lies.", f"Metres, {MAX_PRECISION_M:,.0f} at most; empty means {DEFAULT_PRECISION_M:g}."),
    "location_basis": ("Whether the position is the true one, or was moved to a fixed map point by whoever published it.", "A word of the list; empty means exact."),
    "kind": ("What it was, in few words and always the same ones.", "Text."),
    "notes": ("What was seen or said about the place. Nothing about who.", f"Text, {MAX_NOTES:,} characters at most."),
    "registration": ("Registration mark; turned into a keyed code before anything is stored.", "As on the plate."),
    "vehicle_id": ("Your own stable code for the vehicle, where you hold no mark.", "Text."),
    "id": ("Your number of the row; stands in for an empty urn.", "Text. Never a number that names a child."),
    "urn": ("Reference of the report in your system.", "Text. Never a case, NHS or pupil number."),
    "source": ("List or system the row comes from.", "Text. Never who told you."),
    "agency": ("Organisation that first recorded it.", "Text."),
    "source_type": ("How it came to light: reported to you, discovered by your own work, or met in outreach.", "A word of the list."),
    "grade": ("Grade 3x5x2 in one: source, information, handling. Or use the three columns.", "As in 2CP; an older 5x5x5 as it was given."),
    "source_grade": ("Source evaluation of 3x5x2.", "1, 2 or 3."),
    "information_grade": ("Information evaluation of 3x5x2.", "A to E."),
    "handling": ("Handling code of 3x5x2.", "P or C."),
    "handling_conditions": ("Conditions, where handling is C.", "Text."),
    "regime": ("Law it is held under: UK GDPR, or Part 3 of the Data Protection Act 2018.", "A word of the list."),
    "session_id": ("Your code of the outreach session: observations and effort share it.", "Text. Never a person's name."),
    "count_band": ("About how many young people.", "A word of the list."),
    "age_band": ("About how old they seemed.", "A word of the list."),
    "indicators": ("What gave cause for concern.", "Words of the list; several with a semicolon between."),
    "strengths": ("What makes the place safer.", "Words of the list; several with a semicolon between."),
    "referral_made": ("Whether a referral was made. What it said stays in your own system.", "yes or no."),
    "share": ("How far it may go: your own organisation only, or the police too.", "A word of the list."),
    "make": ("Make of the vehicle.", "Text."),
    "colour": ("Colour of the vehicle.", "Text."),
    "taxi_plate": ("Whether it carried a taxi plate.", "yes or no."),
    "area": ("Ward, beat, park or route that the session covered.", "Text, by the name in the reference geography."),
    "workers": ("How many workers went out; never who.", f"Whole number, 1 to {MAX_WORKERS}."),
    "nothing_seen": ("yes when the session was quiet. Quiet sessions count: write every one.", "yes or no."),
}  # fmt: skip
_FEATURE_GUIDE: Final[Mapping[str, tuple[str, str]]] = {
    "name": ("Name on the map.", "Text. Never who lives or works there."),
    "aliases": ("Other names that people use.", "Text, with a semicolon between."),
    "kind": ("What it is.", "Text, as in park, takeaway, house, local road."),
    "level": ("What sort of area.", f"Text, as in ward, lsoa, beat; {POSTCODE_LEVEL} for middles of postcodes."),
    "code": ("Official code: UPRN, ward code, postcode or your own.", "Text."),
    "vintage": ("Year of the edition.", "Year, as in 2024."),
    "longitude": _RECORD_GUIDE["longitude"],
    "latitude": _RECORD_GUIDE["latitude"],
    "wkt": (
        "Outline as well-known text, WGS 84, longitude first. A GIS file is easier.",
        f"POLYGON((...)); where level is {POSTCODE_LEVEL}, POINT(...).",
    ),
    "roads wkt": ("Line as well-known text, WGS 84, longitude first. A GIS file is easier.", "LINESTRING(...)."),
    "boundary wkt": ("Outline as well-known text, WGS 84, longitude first. A GIS file is easier.", "POLYGON((...))."),
}

_RECORD_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    **WORDS,
    "source_type": tuple(map(str, SourceType)),
    "regime": tuple(map(str, Regime)),
    "location_basis": (str(LocationBasis.EXACT), str(LocationBasis.SNAPPED)),
    "grade": tuple(map("".join, product(SOURCE_GRADES, INFORMATION_GRADES, HANDLING_CODES))),
    "source_grade": tuple(SOURCE_GRADES),
    "information_grade": tuple(INFORMATION_GRADES),
    "handling": tuple(HANDLING_CODES),
}
# What the makers of places tell apart; anything else is kept too.
_FEATURE_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "premises kind": ("takeaway", "hotel", "pub", "nightclub", "off-licence", "shop", "station", "car park", "school", "taxi rank"),
    "buildings kind": ("house", "flat", "hmo", "hotel", "shop", "school", "car park", "station"),
}  # fmt: skip
_MEANINGS: Final[Mapping[str, Mapping[str, str]]] = {
    "source_grade": SOURCE_GRADES,
    "information_grade": INFORMATION_GRADES,
    "handling": HANDLING_CODES,
}
_NUMBERS: Final[Mapping[str, Numbers]] = {
    "longitude": Numbers(least=-180, greatest=180, number_format="0.000000"),
    "latitude": Numbers(least=-90, greatest=90, number_format="0.000000"),
    "easting": Numbers(least=0, greatest=10_000_000, number_format="0.00"),
    "northing": Numbers(least=0, greatest=10_000_000, number_format="0.00"),
    "precision_m": Numbers(least=0.01, greatest=MAX_PRECISION_M, number_format="General"),
    "workers": Numbers(least=1, greatest=MAX_WORKERS, number_format="0", whole=True),
}
_WIDTHS: Final = {"notes": 50, "wkt": 40, "indicators": 32, "strengths": 28, "place": 26, "area": 26, "aliases": 28}
_SEVERAL_WORDS: Final = (
    "information", "Several words have a semicolon between them, each one from the sheet Lists. Others are refused at import.",
)  # fmt: skip
_LEGACY_GRADE: Final = (
    "warning", "Not a grade of 3x5x2. Only an older 5x5x5 grade is written otherwise, as it was given.",
)  # fmt: skip
_OPEN_LIST: Final = (
    "information", "Not a word of the sheet Lists. It is kept as it is, but a listed word says more.",
)  # fmt: skip
_CLOSED_LIST: Final = (
    "stop", "Choose a word of the list, or leave the cell empty when it is not known. Others are refused at import.",
)  # fmt: skip
_IF_OTHER: Final[Mapping[str, tuple[str, str]]] = {
    **dict.fromkeys(SEVERAL, _SEVERAL_WORDS),
    **dict.fromkeys(("grade", "source_grade", "information_grade", "handling"), _LEGACY_GRADE),
}


def template_workbook(kind: str) -> bytes:
    """Return the workbook (XLSX) in which a partner lists records or features of a kind; the same kind, the same bytes.

    Raises
    ------
    InvalidParameter
        When there is no such kind.
    """
    return write_template(template_of(kind))


def template_of(kind: str) -> Template:
    """Return what the template of a kind holds: the columns that the importer uses, and no others."""
    if kind in set(FeatureKind):
        columns = tuple(_column(name, "required" * (name in _GEOMETRY), kind) for name in _FEATURE_COLUMNS[kind])
    elif kind in set(RecordKind):
        columns = tuple(_column(name, _needed(kind, name), kind) for name in _record_fields(kind))
    else:
        raise InvalidParameter(f"Unknown kind {kind!r}; choose from {', '.join([*RecordKind, *FeatureKind])}.")
    return Template(name=str(kind), columns=columns, examples=_EXAMPLES[kind], about=_about(kind))


def _record_fields(kind: str) -> tuple[str, ...]:
    """Fields of a record, what the kind is about beside the time."""
    detail = DETAIL_FIELDS[kind]
    if kind == RecordKind.SIGHTINGS:
        return (*_WHEN, *_VEHICLE, *detail, "kind", *_WHERE, "notes", *_WHO, *_GRADING)
    return (*_WHEN, "kind", *detail, *_WHERE, "notes", *_VEHICLE, *_WHO, *_GRADING)


def _needed(kind: str, name: str) -> str:
    return next((f"one of {' or '.join(each)} required" for each in _EITHER[kind] if name in each), "")


def _column(name: str, needed: str, kind: str) -> Column:
    feature = kind in set(FeatureKind)
    guide = _FEATURE_GUIDE if feature else _RECORD_GUIDE
    meaning, form = guide.get(f"{kind} {name}", guide[name])
    words = _FEATURE_WORDS.get(f"{kind} {name}", ()) if feature else _RECORD_WORDS.get(name, ())
    return Column(
        name=name,
        needed=needed or OPTIONAL,
        meaning=meaning,
        form=form,
        words=words,
        allowed=_allowed(name, words),
        if_other=_OPEN_LIST if feature else _IF_OTHER.get(name, _CLOSED_LIST),
        numbers=_NUMBERS.get(name),
        max_length=None if name == "wkt" else MAX_NOTES if name == "notes" else MAX_TEXT,
        width=_WIDTHS.get(name, 0),
    )


def _allowed(name: str, words: tuple[str, ...]) -> str:
    if name == "grade":
        return f"{words[0]} to {words[-1]}: see the sheet {LISTS_SHEET}"
    meanings = _MEANINGS.get(name, {})
    return "; ".join(f"{word} ({meanings[word]})" if word in meanings else word for word in words)


def _about(kind: str) -> dict[str, list[str]]:
    """Return the lines above the table of columns, under their headings."""
    record = kind in set(RecordKind)
    lines = {
        f"Template for {kind}": [
            f"Fill in the sheet {kind}, one row each. Column names must stay as they are; columns you do not use may stay empty.",
            "Columns with a dark heading in bold are needed; the table below says so in words, and so does each cell when chosen.",
            f"The sheet {EXAMPLE_SHEET} shows invented rows and is never imported. Nor are {ABOUT_SHEET} and {LISTS_SHEET}.",
            f"Once filled in, handle this file as {MARKING} and send it only by the way agreed with you.",
        ],
        "Never write, in any column": [
            "Who: names, nicknames or initials of children, families, suspects, workers or those who told you.",
            "Dates of birth, addresses of children, their placements or schools, telephone numbers, e-mail, social media names.",
            "Case, NHS, National Insurance and pupil numbers; photographs; the words of a warning notice that names a child.",
            *([f"Texts such as notes are looked through for: {', '.join(RULE_WORDS.values())}."] if record else []),
        ],
    }
    if kind == RecordKind.EFFORT:
        lines["A session in which nothing was seen"] = [
            "Write it all the same: one row with from, to, area and workers, and nothing_seen = yes. These five cells are enough.",
            "Without the quiet sessions nobody can tell a calm place from one where nobody looked.",
            f"The second row of the sheet {EXAMPLE_SHEET} is such a session.",
        ]
    if record:
        lines["Where it was"] = [
            "Say it once, in the way you know best: longitude and latitude; or easting and northing; or grid_ref; or wkt;",
            "or a place, road, postcode or uprn. If you know none, leave all of them empty: the row still counts, without a place.",
        ]
    lines["What happens at import"] = _at_import(kind, record=record)
    return lines


def _at_import(kind: str, *, record: bool) -> list[str]:
    lines = [
        "Each row is checked. A row with something wrong is set aside with its number and the reason; the others are taken in.",
        "The same file twice adds nothing. A column that is not in the table below is not kept.",
    ]
    if kind == FeatureKind.PROTECTED:
        lines += ["What happened at or near such a place is kept as a coarse cell only, also what was imported before."]
    if record:
        personal = "refused" + (" or, if the importer so chooses, taken in without it" * (kind == RecordKind.INCIDENTS))
        lines += [
            f"A row whose text holds personal data is {personal}.",
            "A registration mark is turned into a keyed code before anything is stored; so are postcode and uprn of a row not yet placed.",
            "What happened at or near a protected place, such as a refuge, is kept as a coarse cell only.",
            f"Rows are due for deletion {DEFAULT_MONTHS[kind]} months after import, unless the installation has set another period.",
        ]
    return lines


# A plateau of open moorland where nobody lives; a registration mark that was never issued.
_SOURCE: Final = {"source": "Example list (fictional)", "agency": "Example Council (fictional)"}
_SPOT: Final = {"longitude": -1.8654, "latitude": 53.3802}
_FIRST: Final = {"name": "Example Moor (fictional)", "code": "EXAMPLE-0001", "vintage": "2024"}
_PAIR: Final[tuple[Example, ...]] = (
    {**_FIRST, **_SPOT, "aliases": "The Tops; Example Tops"},
    {"name": "Example Edge (fictional)", "code": "EXAMPLE-0002", "longitude": -1.8601, "latitude": 53.3825},
)
_RING: Final = "POLYGON((-1.87 53.378, -1.86 53.378, -1.86 53.384, -1.87 53.384, -1.87 53.378))"
_EXAMPLES: Final[Mapping[str, tuple[Example, ...]]] = {
    RecordKind.INCIDENTS: (
        {"date": "2024-03-09", "time": "21:30", "reported": "2024-03-10", "kind": "antisocial behaviour", **_SPOT, "precision_m": 25,
         "notes": "Example only. Bottles and a makeshift shelter beside the path.", "urn": "EXAMPLE-0001", **_SOURCE, "source_type": "reported",
         "source_grade": "2", "information_grade": "C", "handling": "P", "regime": "UKGDPR"},
        {"from": "2024-03-15 20:00", "to": "2024-03-16 02:00", "kind": "antisocial behaviour", "grid_ref": "SK 0940 8730",
         "urn": "EXAMPLE-0002", **_SOURCE, "source_type": "discovered", "grade": "1AC", "handling_conditions": "Ask the sender before sharing."},
    ),
    RecordKind.OBSERVATIONS: (
        {"date": "2024-03-09", "time": "19:15", "kind": "detached session", "session_id": "EXAMPLE-S1", "count_band": "3-5", "age_band": "13-15",
         "indicators": "alcohol; poor lighting", "strengths": "guardian present", "referral_made": "no", "share": "internal", **_SPOT,
         "notes": "Example only. Quiet after eight.", "urn": "EXAMPLE-0001", **_SOURCE, "source_type": "outreach", "regime": "UKGDPR"},
        {"date": "2024-03", "kind": "detached session", "session_id": "EXAMPLE-S2", "count_band": "1-2", "age_band": "not known",
         "place": "Example Moor", "share": "police", "urn": "EXAMPLE-0002", **_SOURCE, "source_type": "outreach"},
    ),
    RecordKind.SIGHTINGS: (
        {"date": "2024-03-09", "time": "22:05", "registration": "AB00 CDE", "make": "Example", "colour": "blue", "taxi_plate": "no", **_SPOT,
         "precision_m": 25, "urn": "EXAMPLE-0001", **_SOURCE, "source_type": "reported", "grade": "2CP"},
        {"date": "2024-03-10", "vehicle_id": "EXAMPLE-V2", "colour": "white", "taxi_plate": "yes", "easting": 409400, "northing": 387300,
         "urn": "EXAMPLE-0002", **_SOURCE},
    ),
    RecordKind.EFFORT: (
        {"from": "2024-03-09 18:00", "to": "2024-03-09 20:30", "kind": "detached session", "area": "Example Moor", "session_id": "EXAMPLE-S1",
         "workers": 2, "nothing_seen": "no", **_SPOT, "precision_m": 500, "urn": "EXAMPLE-0001", **_SOURCE, "source_type": "outreach"},
        {"from": "2024-03-10 18:00", "to": "2024-03-10 20:00", "area": "Example Moor", "workers": 2, "nothing_seen": "yes"},
    ),
    FeatureKind.PARKS: tuple({**one, "kind": "park"} for one in _PAIR),
    FeatureKind.PREMISES: tuple({**one, "kind": "takeaway"} for one in _PAIR),
    FeatureKind.BUILDINGS: tuple({**one, "kind": "house"} for one in _PAIR),
    FeatureKind.ROADS: ({**_FIRST, "kind": "local road", "wkt": "LINESTRING(-1.87 53.378, -1.86 53.384)"},),
    FeatureKind.BOUNDARY: ({**_FIRST, "kind": "study area", "wkt": _RING},),
    FeatureKind.AREAS: (
        {**_FIRST, "level": "ward", "wkt": _RING},
        {"level": POSTCODE_LEVEL, "code": "ZZ99 9ZZ", "vintage": "2024", "wkt": "POINT(-1.8654 53.3802)"},
    ),
    FeatureKind.PROTECTED: (_SPOT, {"longitude": -1.8601, "latitude": 53.3825}),
}  # fmt: skip
