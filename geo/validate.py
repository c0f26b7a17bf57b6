"""Every check on an incoming record, in one place: rows go in as text, accepted and rejected rows come out.

Nothing is dropped: ``accepted`` and ``rejected`` together hold every row that went in.
"""

from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.cells import index_points
from geo.crs import MetricCrs
from geo.model import H3_INDEX_RESOLUTION, LocationBasis, RecordKind
from geo.problems import Problems, Reason, rejections
from geo.temporal import LONDON, from_micros
from geo.validate_positions import DEFAULT_PRECISION_M, POSITION_FIELDS, Positions, read_positions
from geo.validate_texts import Texts, clean, guard, refuse_long
from geo.validate_times import read_reported, read_times
from geo.validate_words import GRADE_FIELDS, read_words
from geo.vocabulary import ALL_DETAIL_FIELDS

# What an unlocated row may say of its place in words; used to place it, then dropped.
HINT_FIELDS: Final = ("uprn", "postcode", "place", "road")
# Fields a record file may carry. A column mapped to none of these is never kept, in quarantine neither.
RECORD_FIELDS: Final = (
    "id", "date", "time", "from", "to", "reported", *POSITION_FIELDS, "location_basis", "kind", "precision_m", "source", "agency", "urn",
    "registration", "vehicle_id", "notes", "source_type", *GRADE_FIELDS, "handling_conditions", "regime", *HINT_FIELDS, *ALL_DETAIL_FIELDS,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class RecordRules:
    """What a record file is checked against.

    Parameters
    ----------
    kind : str
        Record kind.
    source : str
        Source name given to the whole file.
    crs : MetricCrs
        The store's metric CRS; positions outside it are out of range.
    now_us : int
        No record may lie in the future of this moment.
    location_basis : LocationBasis
        How positions in this file are known.
    precision_m : float
        Precision of rows that state none.
    file_crs : MetricCrs or None
        CRS of ``easting`` and ``northing`` where it is not the store's.
    zone : ZoneInfo
        Where times without an offset are local.
    redact : bool
        Take personal data out of the text of incidents and keep the row; otherwise, and always for what outreach
        workers write, such a row is rejected.
    """

    kind: str
    source: str
    crs: MetricCrs
    now_us: int
    location_basis: LocationBasis = LocationBasis.EXACT
    precision_m: float = DEFAULT_PRECISION_M
    file_crs: MetricCrs | None = None
    zone: ZoneInfo = LONDON
    redact: bool = False

    @property
    def redacts(self) -> bool:
        """Whether personal data is taken out rather than the row refused."""
        return self.redact and self.kind == RecordKind.INCIDENTS

    @property
    def this_year(self) -> int:
        """Year that dates of birth are told apart by."""
        return from_micros(self.now_us).year


@dataclass(frozen=True)
class Validated:
    """What became of the rows.

    Parameters
    ----------
    accepted : DataFrame
        Every column of ``RECORD_COLUMNS`` that a row alone decides, with the row number as index. ``vehicle_hash``
        still holds the plain registration: the caller replaces it by a keyed hash before anything is stored.
    rejected : DataFrame
        ``REJECTION_COLUMNS``.
    hints : DataFrame of str
        ``HINT_FIELDS`` of accepted rows without a position, where they have any, with the row number as index.
    redacted : int
        Accepted rows that personal data was taken out of.
    """

    accepted: pd.DataFrame
    rejected: pd.DataFrame
    hints: pd.DataFrame
    redacted: int


def validate_records(rows: pd.DataFrame, row_numbers: NDArray[np.int64], rules: RecordRules) -> Validated:
    """Split rows of text into accepted records and rejected rows.

    Parameters
    ----------
    rows : DataFrame of str
        One column for each mapped field (a subset of ``RECORD_FIELDS``); empty text means missing.
    row_numbers : ndarray of int64, shape (n,)
        Line or feature number of each row in its file.
    rules : RecordRules

    Returns
    -------
    Validated

    Notes
    -----
    A dated record without any coordinate is accepted as unlocated (``location_basis = none``): it happened, and
    every run says how many such records it could not place.
    """
    texts = {name: clean(rows[name]) for name in RECORD_FIELDS if name in rows.columns}
    given = pd.DataFrame(texts, index=pd.RangeIndex(len(rows)), dtype=object, copy=False)
    problems = Problems(len(rows))
    redacted = guard(texts, problems, kind=rules.kind, this_year=rules.this_year, redacts=rules.redacts)
    refuse_long(texts, problems)
    table = _every_field(texts, len(rows))
    from_us, to_us, basis = read_times(table, problems, now_us=rules.now_us, zone=rules.zone)
    reported_us = read_reported(table["reported"], from_us, problems, now_us=rules.now_us, zone=rules.zone)
    positions = read_positions(table, problems, rules.crs, file_crs=rules.file_crs, precision_m=rules.precision_m)
    words = read_words(texts, problems, rules.kind)
    _require_vehicle(table, problems, rules)
    records = pd.DataFrame(
        {
            "kind": rules.kind,
            "source": _or(texts, "source", np.full(len(rows), rules.source, dtype=object)),
            "agency": table["agency"],
            "urn": _or(texts, "urn", table["id"].to_numpy(object)),
            "category": table["kind"],
            "from_us": from_us,
            "to_us": to_us,
            "time_basis": basis,
            **_located(texts, positions, problems, rules),
            "vehicle_hash": _vehicle(texts, len(rows)),
            "method": positions.method,
            **words,
            "reported_us": reported_us,
            "notes": table["notes"],
        }
    )[list(_ROW_COLUMNS)]
    records.index = pd.Index(row_numbers, name="row_number")
    return Validated(
        records if problems.good.all() else records[problems.good],
        rejections(given, row_numbers, problems, this_year=rules.this_year),
        _hints(texts, row_numbers, problems, positions),
        int((redacted & problems.good).sum()),
    )


_ROW_COLUMNS: Final = (
    "kind", "source", "agency", "urn", "category", "from_us", "to_us", "time_basis", "lon", "lat", "x_m", "y_m", "cell7", "location_basis",
    "precision_m", "vehicle_hash", "method", "source_type", "grade_scheme", "grade_source", "grade_information", "grade_handling",
    "handling_conditions", "regime", "reported_us", "notes", "detail",
)  # fmt: skip


def _every_field(texts: Texts, count: int) -> pd.DataFrame:
    """All of ``RECORD_FIELDS`` as columns of text; those that the file has not are one and the same empty column."""
    nothing = np.full(count, "", dtype=object)
    nothing.flags.writeable = False
    columns = {name: texts.get(name, nothing) for name in RECORD_FIELDS}
    return pd.DataFrame(columns, index=pd.RangeIndex(count), dtype=object, copy=False)


def _or(texts: Texts, name: str, otherwise: NDArray[np.object_]) -> pd.Series:
    """Text of a field, and where it is empty something else."""
    values = np.where(texts[name] != "", texts[name], otherwise) if name in texts else otherwise
    return pd.Series(values, dtype=object)


def _located(
    texts: Texts, positions: Positions, problems: Problems, rules: RecordRules
) -> dict[str, NDArray[np.generic]]:
    located = np.isfinite(positions.lon)
    indexed = located & problems.good
    cell7 = np.zeros(len(located), np.int64)
    cell7[indexed] = index_points(positions.lon[indexed], positions.lat[indexed], H3_INDEX_RESOLUTION)
    said = texts.get("location_basis", [""])
    snapped = np.array([text.lower() == LocationBasis.SNAPPED for text in said], bool)
    basis = np.where(snapped, LocationBasis.SNAPPED.value, rules.location_basis.value)
    return {
        "lon": positions.lon,
        "lat": positions.lat,
        "x_m": positions.x_m,
        "y_m": positions.y_m,
        "cell7": cell7,
        "location_basis": np.where(located, basis, LocationBasis.NONE.value),
        "precision_m": np.where(located, positions.precision_m, np.nan),
    }


def _vehicle(texts: Texts, count: int) -> pd.Series:
    marks = _or(texts, "registration", texts.get("vehicle_id", np.full(count, "", dtype=object)))
    return marks.str.upper().str.replace(" ", "") if {"registration", "vehicle_id"} & texts.keys() else marks


def _require_vehicle(rows: pd.DataFrame, problems: Problems, rules: RecordRules) -> None:
    if rules.kind == RecordKind.SIGHTINGS:
        without = ((rows["registration"] == "") & (rows["vehicle_id"] == "")).to_numpy(bool)
        detail = "a vehicle sighting needs a registration or vehicle_id"
        problems.add(without, "registration", Reason.MISSING_FIELD, detail)


def _hints(texts: Texts, row_numbers: NDArray[np.int64], problems: Problems, positions: Positions) -> pd.DataFrame:
    hints = {name: texts[name] for name in HINT_FIELDS if name in texts}
    told = np.any([column != "" for column in hints.values()], axis=0) if hints else np.zeros(len(row_numbers), bool)
    wanted = problems.good & ~np.isfinite(positions.lon) & told
    return pd.DataFrame(hints, index=pd.Index(row_numbers, name="row_number"), dtype=object, copy=False)[wanted]
