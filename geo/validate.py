"""Every check on an incoming record, in one place: rows go in as text, accepted and rejected rows come out.

Nothing is dropped: ``accepted`` and ``rejected`` together hold every row that went in.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.cells import index_points
from geo.crs import MetricCrs
from geo.gridref import BadGridReference, parse_grid_reference
from geo.model import H3_INDEX_RESOLUTION, REJECTION_COLUMNS, LocationBasis, RecordKind
from geo.temporal import micros, parse_times

# Fields a record file may carry. A column mapped to none of these is never kept, in quarantine neither.
RECORD_FIELDS: Final = (
    "id", "date", "time", "from", "to", "longitude", "latitude", "easting", "northing", "grid_ref", "location_basis",
    "kind", "precision_m", "source", "agency", "urn", "registration", "vehicle_id",
)  # fmt: skip
# Free text and vehicles never reach the disk through quarantine.
NEVER_QUARANTINED: Final = frozenset({"registration", "vehicle_id", "notes"})
DEFAULT_PRECISION_M: Final = 10.0
MAX_PRECISION_M: Final = 50_000.0
MAX_TEXT: Final = 200
_EARLIEST_US: Final = micros(datetime(1900, 1, 1, tzinfo=UTC))
REMOVED: Final = "[removed:"


class Reason:
    """Reason codes of rejected rows."""

    OUT_OF_RANGE = "out_of_range"
    BAD_NUMBER = "bad_number"
    BAD_DATE = "bad_date"
    FUTURE_DATE = "future_date"
    MISSING_FIELD = "missing_field"
    BAD_GEOMETRY = "bad_geometry"
    NO_COORDINATES = "no_coordinates"
    WRONG_COLUMN_COUNT = "wrong_column_count"
    TOO_LONG = "too_long"


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
    """

    kind: str
    source: str
    crs: MetricCrs
    now_us: int
    location_basis: LocationBasis = LocationBasis.EXACT
    precision_m: float = DEFAULT_PRECISION_M


class _Problems:
    """First problem of each row, vectorised: later checks see only rows still good."""

    def __init__(self, count: int) -> None:
        self.good = np.ones(count, bool)
        self.found: dict[int, tuple[str, str, str]] = {}

    def add(self, rows: NDArray[np.bool_], field: str, reason: str, detail: str) -> None:
        for row in np.flatnonzero(rows & self.good):
            self.found[int(row)] = (field, reason, detail)
        self.good &= ~rows

    def add_each(self, details: dict[int, str], field: str, reason: str) -> None:
        for row, detail in details.items():
            if self.good[row]:
                self.found[row] = (field, reason, detail)
                self.good[row] = False


def validate_records(
    rows: pd.DataFrame, row_numbers: NDArray[np.int64], rules: RecordRules
) -> tuple[pd.DataFrame, pd.DataFrame]:
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
    accepted : DataFrame
        ``RECORD_COLUMNS`` except ``event_id``, with the row number as index. ``vehicle_hash`` still holds the plain
        registration: the caller replaces it by a keyed hash before anything is stored.
    rejected : DataFrame
        ``REJECTION_COLUMNS``.

    Notes
    -----
    A dated record without any coordinate is accepted as unlocated (``location_basis = none``): it happened, and
    every run says how many such records it could not place.
    """
    rows = rows.reindex(columns=list(RECORD_FIELDS), fill_value="").fillna("")
    rows = rows.map(_clean) if len(rows) else rows
    problems = _Problems(len(rows))
    for name in ("id", "kind", "source", "agency", "urn", "registration", "vehicle_id"):
        problems.add(
            (rows[name].str.len() > MAX_TEXT).to_numpy(bool), name, Reason.TOO_LONG,
            f"{name} is longer than {MAX_TEXT} characters; is this the right column?",
        )  # fmt: skip
    from_us, to_us, basis = _times(rows, problems, rules)
    rows = _expand_grid_references(rows, problems)
    lon, lat, x_m, y_m = _positions(rows, problems, rules.crs)
    precision_m = _precision(rows, problems, rules)
    snapped = (rows["location_basis"].str.lower() == LocationBasis.SNAPPED).to_numpy(bool)
    basis_here = np.where(snapped, LocationBasis.SNAPPED.value, rules.location_basis.value)
    if rules.kind == RecordKind.SIGHTINGS:
        no_vehicle = ((rows["registration"] == "") & (rows["vehicle_id"] == "")).to_numpy(bool)
        problems.add(
            no_vehicle,
            "registration",
            Reason.MISSING_FIELD,
            "a vehicle sighting needs a registration or vehicle_id",
        )

    located = np.isfinite(lon)
    cell7 = np.zeros(len(rows), np.int64)
    indexed = located & problems.good
    cell7[indexed] = index_points(lon[indexed], lat[indexed], H3_INDEX_RESOLUTION)
    records = pd.DataFrame(
        {
            "kind": rules.kind,
            "source": rows["source"].where(rows["source"] != "", rules.source),
            "agency": rows["agency"],
            "urn": rows["urn"].where(rows["urn"] != "", rows["id"]),
            "category": rows["kind"],
            "from_us": from_us,
            "to_us": to_us,
            "time_basis": basis,
            "lon": lon,
            "lat": lat,
            "x_m": x_m,
            "y_m": y_m,
            "cell7": cell7,
            "location_basis": np.where(located, basis_here, LocationBasis.NONE.value),
            "precision_m": np.where(located, precision_m, np.nan),
            "vehicle_hash": rows["registration"]
            .where(rows["registration"] != "", rows["vehicle_id"])
            .str.upper()
            .str.replace(" ", ""),
        }
    )
    records.index = pd.Index(row_numbers, name="row_number")
    return records[problems.good].copy(), _rejections(rows, row_numbers, problems)


def _clean(text: str) -> str:
    """Text without surrounding space; a note of removal from a corrected file is no value."""
    text = text.strip()
    return "" if text.startswith(REMOVED) else text


def _times(
    rows: pd.DataFrame, problems: _Problems, rules: RecordRules
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.object_]]:
    joined = (rows["date"] + "T" + rows["time"]).where(
        (rows["date"] != "") & (rows["time"] != ""), rows["date"] + rows["time"]
    )
    start_text = rows["from"].where(rows["from"] != "", joined).to_numpy(object)
    end_text = rows["to"].to_numpy(object)
    undated = start_text == ""
    begins_at = (rows["from"] != "").to_numpy(bool)
    problems.add(undated, "date", Reason.MISSING_FIELD, "the row has no date; map one with --map date=COLUMN")
    from_us, to_us, basis, bad = parse_times(np.where(undated, "1970-01-01", start_text).tolist())
    problems.add_each({row: detail for row, detail in bad.items() if begins_at[row]}, "from", Reason.BAD_DATE)
    problems.add_each(bad, "date", Reason.BAD_DATE)
    ending = (end_text != "") & problems.good
    if ending.any():
        at = np.flatnonzero(ending)
        last_from_us, last_us, last_basis, bad = parse_times(end_text[at].tolist())
        problems.add_each({int(at[i]): detail for i, detail in bad.items()}, "to", Reason.BAD_DATE)
        to_us = to_us.copy()
        to_us[at] = last_us
        basis = basis.copy()
        same_month = (basis[at] == "month") & (last_basis == "month") & (from_us[at] == last_from_us)
        basis[at] = np.where(same_month, "month", "interval")
        ends_later = np.zeros(len(rows), bool)
        ends_later[at] = last_from_us > rules.now_us
        problems.add(ends_later, "to", Reason.FUTURE_DATE, "the row ends in the future")
        problems.add(ending & (to_us <= from_us), "to", Reason.BAD_DATE, "the row ends before it begins")
    problems.add(from_us < _EARLIEST_US, "date", Reason.BAD_DATE, "the year is before 1900; is it right?")
    problems.add(from_us > rules.now_us, "date", Reason.FUTURE_DATE, "the row lies in the future")
    return from_us, to_us, basis


def _expand_grid_references(rows: pd.DataFrame, problems: _Problems) -> pd.DataFrame:
    """Fill easting, northing and precision from ``grid_ref`` where no coordinate is given."""
    bare = (rows[["longitude", "latitude", "easting", "northing"]] == "").all(axis=1) & (rows["grid_ref"] != "")
    if not bare.any():
        return rows
    rows = rows.copy()
    for row in np.flatnonzero(bare):
        try:
            easting, northing, radius_m = parse_grid_reference(rows["grid_ref"].iat[row])
        except BadGridReference as error:
            problems.add_each({int(row): str(error)}, "grid_ref", Reason.BAD_NUMBER)
            continue
        rows.iloc[row, rows.columns.get_loc("easting")] = str(easting)
        rows.iloc[row, rows.columns.get_loc("northing")] = str(northing)
        if rows["precision_m"].iat[row] == "":
            rows.iloc[row, rows.columns.get_loc("precision_m")] = str(max(radius_m, DEFAULT_PRECISION_M))
    return rows


def _numbers(texts: pd.Series, field: str, problems: _Problems) -> NDArray[np.float64]:
    """Numbers of text; empty is NaN, anything else that is not a finite number is a problem of its row."""
    given = (texts != "").to_numpy(bool)
    plain = texts.str.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?").to_numpy(bool)
    problems.add(given & ~plain, field, Reason.BAD_NUMBER, f"{field} is not a number")
    numbers: NDArray[np.float64] = texts.where(given & plain, "nan").astype(float).to_numpy()
    problems.add(given & plain & ~np.isfinite(numbers), field, Reason.BAD_NUMBER, f"{field} is too large a number")
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _positions(
    rows: pd.DataFrame, problems: _Problems, crs: MetricCrs
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    lon, lat = (_numbers(rows[name], name, problems) for name in ("longitude", "latitude"))
    east, north = (_numbers(rows[name], name, problems) for name in ("easting", "northing"))
    problems.add(np.isfinite(lon) & ~np.isfinite(lat), "latitude", Reason.MISSING_FIELD, "longitude without latitude")
    problems.add(np.isfinite(lat) & ~np.isfinite(lon), "longitude", Reason.MISSING_FIELD, "latitude without longitude")
    problems.add(
        np.isfinite(east) != np.isfinite(north),
        "northing",
        Reason.MISSING_FIELD,
        "easting and northing come in pairs",
    )

    from_grid = np.isfinite(east) & np.isfinite(north) & ~np.isfinite(lon) & problems.good
    if from_grid.any():
        lon, lat = lon.copy(), lat.copy()
        lon[from_grid], lat[from_grid] = crs.unproject(east[from_grid], north[from_grid])
        problems.add(
            from_grid & ~np.isfinite(lon),
            "easting",
            Reason.OUT_OF_RANGE,
            f"easting and northing lie outside {crs.name}",
        )
    _explain_range(lon, lat, problems, crs)
    x_m, y_m = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    placed = np.isfinite(lon) & problems.good
    x_m[placed], y_m[placed] = crs.project(lon[placed], lat[placed])
    x_m[from_grid & placed], y_m[from_grid & placed] = (
        east[from_grid & placed].round(3),
        north[from_grid & placed].round(3),
    )
    problems.add(placed & ~np.isfinite(x_m), "longitude", Reason.OUT_OF_RANGE, f"the position lies outside {crs.name}")
    return lon.round(7), lat.round(7), x_m, y_m


def _explain_range(lon: NDArray[np.float64], lat: NDArray[np.float64], problems: _Problems, crs: MetricCrs) -> None:
    with np.errstate(invalid="ignore"):
        metres = (np.abs(lon) > 180) | (np.abs(lat) > 90)
        outside = np.isfinite(lon) & ~crs.covers(lon, lat)
        zero = (np.abs(lon) < 1e-6) & (np.abs(lat) < 1e-6)
        swapped = outside & crs.covers(lat, lon)
    problems.add(
        metres, "longitude", Reason.OUT_OF_RANGE,
        "not degrees; these look like metres: map them with --map easting=COLUMN --map northing=COLUMN",
    )  # fmt: skip
    problems.add(
        zero,
        "longitude",
        Reason.OUT_OF_RANGE,
        "0,0 is a placeholder, not a place; leave both empty when unknown",
    )
    problems.add(
        swapped,
        "longitude",
        Reason.OUT_OF_RANGE,
        "longitude and latitude look swapped; map the columns the other way round",
    )
    problems.add(outside, "longitude", Reason.OUT_OF_RANGE, f"the position lies outside {crs.name}, this store's area")


def _precision(rows: pd.DataFrame, problems: _Problems, rules: RecordRules) -> NDArray[np.float64]:
    stated = _numbers(rows["precision_m"], "precision_m", problems)
    with np.errstate(invalid="ignore"):
        wrong = (stated <= 0) | (stated > MAX_PRECISION_M)
    problems.add(
        wrong,
        "precision_m",
        Reason.OUT_OF_RANGE,
        f"precision_m must lie between 0 and {MAX_PRECISION_M:g} metres",
    )
    return np.where(np.isfinite(stated), stated, rules.precision_m)


def _kept(text: str) -> str:
    """Text for quarantine; what is too long for any field is free text in the wrong column, and is not kept."""
    return text if len(text) <= MAX_TEXT else f"{REMOVED} too long]"


def _rejections(rows: pd.DataFrame, row_numbers: NDArray[np.int64], problems: _Problems) -> pd.DataFrame:
    kept = [name for name in rows.columns if name not in NEVER_QUARANTINED]
    removed = [name for name in rows.columns if name in NEVER_QUARANTINED]
    entries = []
    for row in sorted(problems.found):
        field, reason, detail = problems.found[row]
        content = {name: _kept(str(rows[name].iat[row])) for name in kept if rows[name].iat[row] != ""}
        content |= {name: f"{REMOVED} {name}]" for name in removed if rows[name].iat[row] != ""}
        entries.append((int(row_numbers[row]), field, reason, detail, json.dumps(content, ensure_ascii=False)))
    return pd.DataFrame(entries, columns=list(REJECTION_COLUMNS))


KEY_FIELDS: Final = (
    "kind",
    "source",
    "agency",
    "urn",
    "category",
    "from_us",
    "to_us",
    "time_basis",
    "lon",
    "lat",
    "precision_m",
    "vehicle_hash",
)


def record_keys(records: pd.DataFrame) -> list[bytes]:
    """Key of each record: SHA-256 of its source, normalised row and ordinal among equal rows of its file.

    Whole-row repeats inside one file are separate events and get ordinals 0, 1, 2...; the same file again, or another
    file that overlaps it, gives the same keys, so stored counts are the maximum over files and never their sum.
    """
    columns = [records[name].tolist() for name in KEY_FIELDS]
    seen: dict[str, int] = {}
    keys = []
    for row in zip(*columns, strict=True):
        text = "\x1f".join(map(str, row))
        ordinal = seen[text] = seen.get(text, -1) + 1
        keys.append(hashlib.sha256(f"{text}\x1f{ordinal}".encode()).digest())
    return keys
