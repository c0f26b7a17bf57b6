"""One file in, whatever its format: rows under field names, ready for validation."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import shapely

from data.readers.columns import map_columns, unused_columns
from data.readers.json_rows import read_json, read_json_lines
from data.readers.sniff import MAX_FILE_BYTES, MAX_LINE_BYTES, VECTOR_FORMATS, FileFacts, inspect_file
from data.readers.source import FileSource
from data.readers.tables import RawChunk, nothing_malformed, slices
from data.readers.tabular import read_csv
from data.readers.vector import read_vector
from data.readers.workbook import read_workbook
from geo.crs import MetricCrs
from geo.errors import MappingError, UnreadableFile
from geo.model import REJECTION_COLUMNS, FeatureKind, LocationBasis, RecordKind
from geo.problems import NEVER_QUARANTINED, Reason
from geo.validate_positions import DEFAULT_PRECISION_M

POLICE_UK: Final = "police-uk"
POLICE_UK_STOPS: Final = "police-uk-stops"
# First columns of a file of rows needing attention.
ABOUT_CORRECTIONS: Final = ("batch", "file", "row_number", "field", "reason", "detail")
PLAIN_FORMATS: Final = ("csv", "xlsx", "json", "jsonl", "geojson", "gpkg", "shapefile", "kml", "gpx", "osm")
FORMATS: Final = ("auto", POLICE_UK, POLICE_UK_STOPS, *PLAIN_FORMATS)
# data.police.uk moves each crime to the nearest of a fixed list of points on streets; how far is not published.
# 100 m is our cautious reading: never finer than a street, near enough for the park beside it.
SNAPPED_PRECISION_M: Final = 100.0


@dataclass(frozen=True)
class Publisher:
    """A publisher's own format, known by its columns: which fields they are, and what its positions are worth."""

    columns: frozenset[str]
    fields: Mapping[str, str]
    words: str


PUBLISHERS: Final[Mapping[str, Publisher]] = {
    POLICE_UK: Publisher(
        frozenset({"Crime ID", "Month", "Reported by", "Falls within", "Longitude", "Latitude", "Location", "Crime type"}),
        {
            "date": "Month", "longitude": "Longitude", "latitude": "Latitude", "kind": "Crime type", "agency": "Reported by",
            "urn": "Crime ID",
        },
        "a data.police.uk street file",
    ),
    POLICE_UK_STOPS: Publisher(
        frozenset({"datetime", "type", "location.latitude", "location.longitude", "object_of_search"}),
        {"date": "datetime", "longitude": "location.longitude", "latitude": "location.latitude", "kind": "type"},
        "stop and search of the data.police.uk API",
    ),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the person who imports said about the form of a file; ``only_told`` leaves out columns not in the map."""

    format_name: str = "auto"
    column_map: Mapping[str, str] = field(default_factory=dict)
    only_told: bool = False
    layer: str | None = None
    max_line_bytes: int = MAX_LINE_BYTES
    max_file_bytes: int = MAX_FILE_BYTES


@dataclass(frozen=True)
class Chunk:
    """Some rows of a file under field names.

    ``corrects`` says, for a file of corrections, which row of which batch each row corrects (indexed like ``rows``).
    ``share`` is how much of the file has been read.
    """

    rows: pd.DataFrame
    row_numbers: np.ndarray
    malformed: pd.DataFrame
    geometry: np.ndarray | None = None
    corrects: pd.DataFrame | None = None
    share: float = 1.0


@dataclass(frozen=True)
class ReadFile:
    """A file as it was found to be. Its rows are read anew by each walk over ``chunks``."""

    facts: FileFacts
    format: str
    kind: str
    reading: Reading
    crs: MetricCrs
    columns: list[str]
    sample: list[list[str]]
    used: dict[str, str]
    unused: list[str]
    corrects: bool

    @property
    def publisher(self) -> bool:
        """Whether it is in a publisher's own format, with positions moved to fixed points."""
        return self.format in PUBLISHERS

    @property
    def location_basis(self) -> LocationBasis:
        """How its positions are known."""
        return LocationBasis.SNAPPED if self.publisher else LocationBasis.EXACT

    @property
    def precision_m(self) -> float:
        """Precision of rows that state none."""
        return SNAPPED_PRECISION_M if self.publisher else DEFAULT_PRECISION_M

    @property
    def default_source(self) -> str:
        """Source to name where nobody names one."""
        return "data.police.uk" if self.publisher else "unnamed"

    def chunks(self) -> Iterator[Chunk]:
        """Read the rows, piece by piece and in order."""
        for raw in _raw_chunks(self.facts, self.kind, self.reading):
            mapped, _ = _mapped(raw.rows, self.format, self.kind, self.reading, self.facts.name)
            yield _chunk(raw, mapped, self.kind, self.crs)

    def whole(self) -> Chunk:
        """Read all rows at once."""
        parts = list(self.chunks())
        if len(parts) == 1:
            return parts[0]
        geometry = [part.geometry for part in parts if part.geometry is not None]
        corrects = [part.corrects for part in parts if part.corrects is not None]
        return Chunk(
            pd.concat([part.rows for part in parts], ignore_index=True),
            np.concatenate([part.row_numbers for part in parts]),
            _together([part.malformed for part in parts]),
            np.concatenate(geometry) if geometry else None,
            pd.concat(corrects, ignore_index=True) if corrects else None,
        )


def read_file(
    file: Path | FileSource, kind: str, reading: Reading | None = None, *, crs: MetricCrs, complete: bool = True
) -> ReadFile:
    """Find out what a file is and which of its columns are which fields; its first rows are read, nothing is kept.

    ``complete`` refuses a file in which no column is known to say when, or where a feature is.

    Raises
    ------
    UnreadableFile, MappingError
        With one line that says what, where and what to do.
    """
    reading = reading or Reading()
    facts = inspect_file(file, max_line_bytes=reading.max_line_bytes, max_file_bytes=reading.max_file_bytes)
    first = next(_raw_chunks(facts, kind, reading))
    found = _format(facts, kind, first.rows, reading)
    mapped, used = _mapped(first.rows, found, kind, reading, facts.name)
    if first.geometry is None and complete:
        _require(mapped, kind, facts.name, first.rows)
    columns = [str(name) for name in first.rows.columns]
    return ReadFile(
        facts=facts,
        format=found,
        kind=kind,
        reading=reading,
        crs=crs,
        columns=columns,
        sample=first.rows.head(20).to_numpy(object).tolist(),
        used=used,
        unused=unused_columns(first.rows, used),
        corrects=set(ABOUT_CORRECTIONS) <= set(columns),
    )


def _raw_chunks(facts: FileFacts, kind: str, reading: Reading) -> Iterator[RawChunk]:
    if facts.format in VECTOR_FORMATS:
        return slices(read_vector(facts, kind, layer=reading.layer))
    if facts.format == "xlsx":
        return read_workbook(facts, sheet=reading.layer)
    if facts.format == "json":
        return read_json(facts)
    if facts.format == "jsonl":
        return read_json_lines(facts)
    if facts.format == "xml":
        raise UnreadableFile(f"{facts.name}: is XML of no known kind; KML, GPX and OpenStreetMap are read.")
    return read_csv(facts)


def _format(facts: FileFacts, kind: str, rows: pd.DataFrame, reading: Reading) -> str:
    """Name of the format, the publisher's own where its columns say so; refuses what was told otherwise."""
    told = reading.format_name
    found = next((name for name, one in PUBLISHERS.items() if set(rows.columns) >= one.columns), facts.format)
    if told in PUBLISHERS and found != told:
        raise MappingError(f"{facts.name}: has not the columns of {PUBLISHERS[told].words}; leave --format out.")
    if told in PLAIN_FORMATS and told != facts.format:
        raise MappingError(f"{facts.name}: is {facts.format}, not {told}; leave --format out.")
    if found in PUBLISHERS and kind != RecordKind.INCIDENTS:
        raise MappingError(f"{facts.name}: is {PUBLISHERS[found].words}, which holds incidents, not {kind}.")
    return facts.format if told in PLAIN_FORMATS else found


def _mapped(
    rows: pd.DataFrame, format_name: str, kind: str, reading: Reading, file_name: str
) -> tuple[pd.DataFrame, dict[str, str]]:
    told = dict(reading.column_map)
    if format_name not in PUBLISHERS:
        return map_columns(rows, kind, told, file_name, only_told=reading.only_told)
    return map_columns(rows, kind, dict(PUBLISHERS[format_name].fields) | told, file_name, only_told=True)


def _chunk(raw: RawChunk, mapped: pd.DataFrame, kind: str, crs: MetricCrs) -> Chunk:
    plain = Chunk(mapped, raw.row_numbers, raw.malformed, raw.geometry, _corrections(raw.rows), raw.share)
    if kind in set(FeatureKind):
        return plain if raw.geometry is not None else replace(plain, geometry=_geometry_of_text(mapped, crs))
    return plain if raw.geometry is None else _points_as_text(plain, raw.geometry)


def _corrections(rows: pd.DataFrame) -> pd.DataFrame | None:
    """Which row of which batch each row corrects, when this is a file that Lapwing wrote for correcting."""
    if not set(ABOUT_CORRECTIONS) <= set(rows.columns):
        return None
    whole = rows["row_number"].str.fullmatch(r"\d{1,15}").to_numpy(bool)
    numbers = rows["row_number"].where(whole, "-1").astype("int64")
    return pd.DataFrame({"batch": rows["batch"], "row_number": numbers})


def _together(frames: list[pd.DataFrame]) -> pd.DataFrame:
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else nothing_malformed()


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


def _points_as_text(chunk: Chunk, geometry: np.ndarray) -> Chunk:
    """Records in a vector file carry their position as geometry; only points are positions."""
    mapped = chunk.rows
    missing = shapely.is_missing(geometry) | shapely.is_empty(geometry)
    points = ~missing & (shapely.get_type_id(geometry) == 0)
    wrong = ~missing & ~points
    if points.any():
        mapped = mapped.drop(columns=["easting", "northing", "grid_ref", "wkt"], errors="ignore").assign(
            longitude=[repr(v) if ok else "" for v, ok in zip(shapely.get_x(geometry).tolist(), points, strict=True)],
            latitude=[repr(v) if ok else "" for v, ok in zip(shapely.get_y(geometry).tolist(), points, strict=True)],
        )
    kept = [name for name in mapped.columns if name not in NEVER_QUARANTINED | {"notes"}]
    bad = [
        (int(n), "geometry", Reason.BAD_GEOMETRY, "a record's position must be a point", json.dumps(row))
        for n, row in zip(chunk.row_numbers[wrong], mapped.loc[wrong, kept].to_dict("records"), strict=True)
    ]
    return replace(
        chunk,
        rows=mapped[~wrong].reset_index(drop=True),
        row_numbers=chunk.row_numbers[~wrong],
        malformed=_together([chunk.malformed, pd.DataFrame(bad, columns=list(REJECTION_COLUMNS))]),
        geometry=None,
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
