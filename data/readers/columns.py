"""Columns of a file to fields of its kind: as told by ``--map``, else by common names."""

import re
from collections.abc import Mapping
from typing import Final

import pandas as pd

from geo.errors import MappingError
from geo.model import FeatureKind
from geo.validate import RECORD_FIELDS
from geo.validate_features import FEATURE_FIELDS, POSTCODE_LEVEL
from geo.vocabulary import ALL_DETAIL_FIELDS

# Read only to make the geometry of; never stored under these names.
_GEOMETRY_FIELDS: Final = ("longitude", "latitude", "easting", "northing", "wkt")

_RECORD_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "id": ("id", "uuid", "record_id", "reference", "ref"),
    "date": (
        "date",
        "timestamp",
        "datetime",
        "date_time",
        "occurred",
        "occurred_at",
        "occurred_on",
        "month",
        "date_single",
    ),
    "time": ("time", "time_of_day", "occurred_time"),
    "from": ("from", "from_date", "date_from", "date_start", "occurred_from", "start", "start_time", "begin"),
    "to": ("to", "to_date", "date_to", "date_end", "occurred_to", "end", "end_time"),
    "reported": ("reported", "reported_at", "reported_on", "date_reported", "recorded_on"),
    "longitude": ("longitude", "lon", "lng", "long"),
    "latitude": ("latitude", "lat"),
    "easting": ("easting", "eastings", "x_m"),
    "northing": ("northing", "northings", "y_m"),
    "grid_ref": ("grid_ref", "gridref", "grid_reference"),
    "wkt": ("wkt", "ewkt", "geometry", "geom"),
    "location_basis": ("location_basis",),
    "kind": ("kind", "category", "type", "crime_type", "incident_type"),
    "precision_m": ("precision_m", "accuracy_m"),
    "source": ("source",),
    "agency": ("agency", "reported_by", "organisation"),
    "urn": ("urn",),
    "registration": ("registration", "vrm", "reg"),
    "vehicle_id": ("vehicle_id",),
    "notes": ("notes", "note", "description", "details", "comments", "free_text"),
    "source_type": ("source_type",),
    "grade": ("grade", "grading"),
    "source_grade": ("source_grade", "source_evaluation"),
    "information_grade": ("information_grade", "information_evaluation", "intelligence_evaluation"),
    "handling": ("handling", "handling_code"),
    "handling_conditions": ("handling_conditions", "conditions"),
    "regime": ("regime",),
    "uprn": ("uprn",),
    "postcode": ("postcode", "post_code"),
    "place": ("place", "place_name", "location_name", "venue", "park"),
    "road": ("road", "street", "road_name", "street_name"),
    **{field: (field,) for field in ALL_DETAIL_FIELDS},
}
_FEATURE_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "name": ("name", "site_name", "distname", "distname1", "establis00", "establishm", "street", "prow_ref"),
    "kind": ("kind", "subtype", "function", "classifica", "typology_e", "amenity", "category", "type"),
    "level": ("level",),
    "code": ("code", "id", "gid", "uprn", "postcode", "pcds"),
    "vintage": ("vintage",),
    "aliases": ("aliases", "alias", "alt_name", "also_known_as", "distname2"),
    "longitude": ("longitude", "lon", "lng", "long"),
    "latitude": ("latitude", "lat"),
    "easting": ("easting", "eastings", "x_coordinate", "oseast1m"),
    "northing": ("northing", "northings", "y_coordinate", "osnrth1m"),
    "wkt": ("wkt", "geometry", "geom"),
}
# ONS names such as WD13CD, LSOA11NM: level, vintage and field in one.
_ONS: Final = re.compile(r"^(wd|lsoa|msoa|lad|oa)(\d\d)(cd|nm)$")
_ONS_LEVELS: Final = {
    "wd": "ward",
    "lsoa": "lsoa",
    "msoa": "msoa",
    "lad": "local_authority",
    "oa": "output_area",
}


def map_columns(
    rows: pd.DataFrame, kind: str, told: Mapping[str, str], file_name: str, *, only_told: bool = False
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Keep the columns that mean something, under their field names.

    Parameters
    ----------
    rows : DataFrame of str
    kind : str
        Record or feature kind.
    told : mapping
        Field to column, from ``--map``; wins over recognised names.
    only_told : bool
        Take no column by its name alone: a publisher's other columns are none of our business.

    Returns
    -------
    mapped : DataFrame of str
        Columns are field names.
    used : dict
        Field to column name.

    Raises
    ------
    MappingError
        When ``--map`` names an unknown field or a column the file does not have.
    """
    feature = kind in set(FeatureKind)
    names = _FEATURE_NAMES if feature else _RECORD_NAMES
    fields = (*FEATURE_FIELDS, *_GEOMETRY_FIELDS) if feature else RECORD_FIELDS
    if unknown := sorted(set(told) - set(fields)):
        raise MappingError(f"--map: unknown field {unknown[0]!r} for {kind}; known are {', '.join(fields)}.")
    if absent := sorted(set(told.values()) - set(rows.columns)):
        raise MappingError(f"{file_name}: no column {absent[0]!r}; it has {', '.join(map(str, rows.columns))}.")
    by_name = {
        re.sub(r"[^a-z0-9]+", "_", str(column).strip().lower()).strip("_"): column for column in reversed(rows.columns)
    }
    used = dict(told)
    for field, candidates in names.items() if not only_told else ():
        if field not in used and (column := next((by_name[n] for n in candidates if n in by_name), None)) is not None:
            used[field] = column
    mapped = pd.DataFrame({field: rows[column] for field, column in used.items()}, index=rows.index)
    if feature:
        mapped, used = _add_ons(mapped, used, by_name, rows)
        mapped = _add_postcode_level(mapped, used)
    return mapped, used


def _add_ons(
    mapped: pd.DataFrame, used: dict[str, str], by_name: Mapping[str, str], rows: pd.DataFrame
) -> tuple[pd.DataFrame, dict[str, str]]:
    for plain, column in by_name.items():
        if match := _ONS.match(plain):
            field = "code" if match[3] == "cd" else "name"
            mapped[field] = rows[column]
            mapped["level"], mapped["vintage"] = _ONS_LEVELS[match[1]], f"20{match[2]}"
            used = used | {field: column}
    return mapped, used


def _add_postcode_level(mapped: pd.DataFrame, used: Mapping[str, str]) -> pd.DataFrame:
    """A list of postcodes says so by the name of its column."""
    column = re.sub(r"[^a-z]+", "", used.get("code", "").lower())
    return mapped.assign(level=POSTCODE_LEVEL) if column in {"postcode", "pcds"} and "level" not in mapped else mapped


def unused_columns(rows: pd.DataFrame, used: Mapping[str, str]) -> list[str]:
    """Columns that were not kept, so that the person who imports can see it."""
    return [str(column) for column in rows.columns if column not in set(used.values())]
