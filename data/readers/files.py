"""One file in, whatever its format: rows under field names, ready for validation."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import shapely

from data.readers.columns import map_columns, unused_columns
from data.readers.sniff import FileFacts, inspect_file
from data.readers.tabular import read_csv
from data.readers.vector import read_vector
from geo.crs import MetricCrs
from geo.errors import MappingError
from geo.model import REJECTION_COLUMNS, FeatureKind, LocationBasis, RecordKind
from geo.validate import DEFAULT_PRECISION_M, NEVER_QUARANTINED, Reason

POLICE_UK: Final = "police-uk"
# First columns of a file of rows needing attention.
ABOUT_CORRECTIONS: Final = ("batch", "file", "row_number", "field", "reason", "detail")
FORMATS: Final = ("auto", POLICE_UK, "csv", "geojson", "gpkg")
_POLICE_UK_HEADER: Final = frozenset(
    {"Crime ID", "Month", "Reported by", "Falls within", "Longitude", "Latitude", "Location", "Crime type"}
)
_POLICE_UK_MAP: Final = {
    "date": "Month", "longitude": "Longitude", "latitude": "Latitude", "kind": "Crime type", "agency": "Reported by", "urn": "Crime ID",
}  # fmt: skip
# data.police.uk moves each crime to the nearest of a fixed list of points on streets; how far is not published.
# 100 m is our cautious reading: never finer than a street, near enough for the park beside it.
SNAPPED_PRECISION_M: Final = 100.0


@dataclass(frozen=True)
class ReadFile:
    """Rows of one file under field names, with what the reader knows about them.

    ``corrects`` says, for a file of corrections, which row of which batch each row corrects (indexed like ``rows``).
    """

    facts: FileFacts
    format: str
    rows: pd.DataFrame
    row_numbers: np.ndarray
    malformed: pd.DataFrame
    geometry: np.ndarray | None = None
    used: dict[str, str] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)
    location_basis: LocationBasis = LocationBasis.EXACT
    precision_m: float = DEFAULT_PRECISION_M
    default_source: str = "unnamed"
    corrects: pd.DataFrame | None = None


def read_file(
    path: Path,
    kind: str,
    *,
    format_name: str = "auto",
    column_map: Mapping[str, str] | None = None,
    layer: str | None = None,
    crs: MetricCrs,
) -> ReadFile:
    """Read a file of records or reference features.

    Raises
    ------
    UnreadableFile, MappingError
        With one line that says what, where and what to do; nothing has been kept.
    """
    facts = inspect_file(path)
    told = dict(column_map or {})
    wanted = "csv" if format_name == POLICE_UK else format_name
    if wanted not in {"auto", facts.format}:
        raise MappingError(f"{path.name}: is {facts.format}, not {format_name}; leave --format out.")
    if facts.format != "csv":
        return _read_vector(facts, kind, told, layer)
    return _read_table(facts, kind, told, format_name, crs)


def _read_vector(facts: FileFacts, kind: str, told: dict[str, str], layer: str | None) -> ReadFile:
    rows, numbers, geometry = read_vector(facts, layer=layer)
    mapped, used = map_columns(rows, kind, told, facts.path.name)
    read = ReadFile(
        facts=facts,
        format=facts.format,
        rows=mapped,
        row_numbers=numbers,
        malformed=_none(),
        geometry=geometry,
        used=used,
        unused=unused_columns(rows, used),
    )
    if kind in set(FeatureKind):
        return read
    placed, numbers, bad = _points_as_text(mapped, numbers, geometry)
    return replace(read, rows=placed, row_numbers=numbers, malformed=bad, geometry=None)


def _read_table(facts: FileFacts, kind: str, told: dict[str, str], format_name: str, crs: MetricCrs) -> ReadFile:
    name = facts.path.name
    rows, numbers, malformed = read_csv(facts)
    police = set(rows.columns) >= _POLICE_UK_HEADER
    if format_name == POLICE_UK and not police:
        raise MappingError(f"{name}: has not the header of a data.police.uk street file; leave --format out.")
    if police and kind != RecordKind.INCIDENTS:
        raise MappingError(f"{name}: is a data.police.uk street file, which holds incidents, not {kind}.")
    feature = kind in set(FeatureKind)
    police = police and format_name in {"auto", POLICE_UK}
    mapped, used = map_columns(rows, kind, (_POLICE_UK_MAP | told) if police else told, name)
    _require(mapped, kind, name, rows)
    read = ReadFile(
        facts=facts,
        format="csv",
        rows=mapped,
        row_numbers=numbers,
        malformed=malformed,
        used=used,
        unused=unused_columns(rows, used),
        corrects=_corrections(rows),
    )
    if feature:
        return replace(read, geometry=_geometry_of_text(mapped, crs))
    if police:
        return replace(
            read,
            format=POLICE_UK,
            location_basis=LocationBasis.SNAPPED,
            precision_m=SNAPPED_PRECISION_M,
            default_source="data.police.uk",
        )
    return read


def _corrections(rows: pd.DataFrame) -> pd.DataFrame | None:
    """Which row of which batch each row corrects, when this is a file that Lapwing wrote for correcting."""
    if not set(ABOUT_CORRECTIONS) <= set(rows.columns):
        return None
    whole = rows["row_number"].str.fullmatch(r"\d{1,15}").to_numpy(bool)
    numbers = rows["row_number"].where(whole, "-1").astype("int64")
    return pd.DataFrame({"batch": rows["batch"], "row_number": numbers})


def _none() -> pd.DataFrame:
    return pd.DataFrame(columns=list(REJECTION_COLUMNS))


def _require(mapped: pd.DataFrame, kind: str, file_name: str, rows: pd.DataFrame) -> None:
    has = set(mapped.columns)
    columns = ", ".join(map(str, rows.columns))[:300]
    if kind in set(FeatureKind):
        if not ({"longitude", "latitude"} <= has or {"easting", "northing"} <= has or "wkt" in has):
            raise MappingError(
                f"{file_name}: no longitude and latitude, easting and northing, or wkt column among: {columns}."
            )
    elif not has & {"date", "from", "time"}:
        raise MappingError(f"{file_name}: no date column among: {columns}. Name one with --map date=COLUMN.")


def _points_as_text(
    mapped: pd.DataFrame, numbers: np.ndarray, geometry: np.ndarray
) -> tuple[pd.DataFrame, np.ndarray, pd.DataFrame]:
    """Records in a vector file carry their position as geometry; only points are positions."""
    missing = shapely.is_missing(geometry) | shapely.is_empty(geometry)
    points = ~missing & (shapely.get_type_id(geometry) == 0)
    wrong = ~missing & ~points
    mapped = mapped.drop(columns=["easting", "northing", "grid_ref"], errors="ignore") if points.any() else mapped
    if points.any():
        mapped = mapped.assign(
            longitude=[repr(v) if ok else "" for v, ok in zip(shapely.get_x(geometry).tolist(), points, strict=True)],
            latitude=[repr(v) if ok else "" for v, ok in zip(shapely.get_y(geometry).tolist(), points, strict=True)],
        )
    kept = [name for name in mapped.columns if name not in NEVER_QUARANTINED]
    bad = [
        (int(n), "geometry", Reason.BAD_GEOMETRY, "a record's position must be a point", json.dumps(row))
        for n, row in zip(numbers[wrong], mapped.loc[wrong, kept].to_dict("records"), strict=True)
    ]
    return (
        mapped[~wrong].reset_index(drop=True),
        numbers[~wrong],
        pd.DataFrame(bad, columns=list(REJECTION_COLUMNS)),
    )


def _geometry_of_text(mapped: pd.DataFrame, crs: MetricCrs) -> np.ndarray:
    """Geometry of reference features written as text; None where the text says nothing usable."""
    if "wkt" in mapped:
        return np.asarray(
            shapely.from_wkt(mapped["wkt"].replace("", None).to_numpy(object), on_invalid="ignore"),
            dtype=object,
        )
    pair = ("longitude", "latitude") if {"longitude", "latitude"} <= set(mapped.columns) else ("easting", "northing")
    first, second = (_plain_numbers(mapped[name]) for name in pair)
    if pair[0] == "easting":
        first, second = crs.unproject(first, second)
    known = np.isfinite(first) & np.isfinite(second)
    points = np.full(len(mapped), None, dtype=object)
    points[known] = shapely.points(first[known], second[known])
    return points


def _plain_numbers(texts: pd.Series) -> np.ndarray:
    """Numbers of text; NaN elsewhere, which validation then rejects as ``no_coordinates``."""
    plain = texts.str.strip().str.fullmatch(r"[+-]?\d+\.?\d*([eE][+-]?\d{1,3})?").fillna(value=False)
    numbers: np.ndarray = texts.where(plain, "nan").astype(float).to_numpy()
    return numbers
