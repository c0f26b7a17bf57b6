"""Every check on an incoming record, in one place: rows go in as text, accepted and rejected rows come out.

Nothing is dropped: ``accepted`` and ``rejected`` together hold every row that went in.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.cells import index_points
from geo.crs import MetricCrs
from geo.guard import RULE_WORDS, Rule, redact, scan
from geo.model import H3_INDEX_RESOLUTION, LocationBasis, RecordKind
from geo.problems import MAX_TEXT, REMOVED, Problems, Reason, rejections
from geo.temporal import LONDON, from_micros
from geo.validate_positions import DEFAULT_PRECISION_M, POSITION_FIELDS, Positions, read_positions
from geo.validate_times import read_reported, read_times
from geo.vocabulary import (
    ALL_DETAIL_FIELDS,
    DETAIL_FIELDS,
    BadWord,
    Regime,
    SourceType,
    detail_json,
    detail_value,
    parse_grade,
    parse_grade_parts,
)

# What an unlocated row may say of its place in words; used to place it, then dropped.
HINT_FIELDS: Final = ("uprn", "postcode", "place", "road")
_GRADE_FIELDS: Final = ("grade", "source_grade", "information_grade", "handling")
# Fields a record file may carry. A column mapped to none of these is never kept, in quarantine neither.
RECORD_FIELDS: Final = (
    "id", "date", "time", "from", "to", "reported", *POSITION_FIELDS, "location_basis", "kind", "precision_m", "source", "agency", "urn",
    "registration", "vehicle_id", "notes", "source_type", *_GRADE_FIELDS, "handling_conditions", "regime", *HINT_FIELDS, *ALL_DETAIL_FIELDS,
)  # fmt: skip
MAX_NOTES: Final = 5_000
_MAY_BE_LONG: Final = frozenset({"notes", "wkt"})
# What the guard looks at. Where organisations and places are named, names without a title are theirs.
_GUARDED: Final = (
    "id", "kind", "urn", "notes", "handling_conditions", "session_id", "make", "colour", "source", "agency", "area", "place", "road",
)  # fmt: skip
_NAMES_THINGS: Final = frozenset({"source", "agency", "area", "place", "road", "make"})


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
    present = [name for name in RECORD_FIELDS if name in rows.columns]
    rows = rows[present].fillna("").apply(_clean) if len(rows) else rows[present]
    given = rows
    rows = rows.reindex(columns=list(RECORD_FIELDS), fill_value="").astype(object)
    problems = Problems(len(rows))
    redacted = _guard(rows, present, problems, rules)
    _refuse_long(rows, present, problems)
    from_us, to_us, basis = read_times(rows, problems, now_us=rules.now_us, zone=rules.zone)
    reported_us = read_reported(rows["reported"], from_us, problems, now_us=rules.now_us, zone=rules.zone)
    positions = read_positions(rows, problems, rules.crs, file_crs=rules.file_crs, precision_m=rules.precision_m)
    words = _words(rows, problems, rules)
    _require_vehicle(rows, problems, rules)
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
            **_located(rows, positions, problems, rules),
            "vehicle_hash": _vehicle(rows),
            "method": positions.method,
            **words,
            "reported_us": reported_us,
            "notes": rows["notes"],
        }
    )[list(_ROW_COLUMNS)]
    records.index = pd.Index(row_numbers, name="row_number")
    accepted = records[problems.good].copy()
    return Validated(
        accepted,
        rejections(given, row_numbers, problems, this_year=rules.this_year),
        _hints(rows, present, row_numbers, problems, positions),
        int((redacted & problems.good).sum()),
    )


_ROW_COLUMNS: Final = (
    "kind", "source", "agency", "urn", "category", "from_us", "to_us", "time_basis", "lon", "lat", "x_m", "y_m", "cell7", "location_basis",
    "precision_m", "vehicle_hash", "method", "source_type", "grade_scheme", "grade_source", "grade_information", "grade_handling",
    "handling_conditions", "regime", "reported_us", "notes", "detail",
)  # fmt: skip


def _clean(texts: pd.Series) -> pd.Series:
    """Text without surrounding space; a note of removal from a corrected file is no value."""
    plain = texts.astype(object).str.strip()
    return plain.mask(plain.str.startswith(REMOVED), "").astype(object)


def _guard(rows: pd.DataFrame, present: list[str], problems: Problems, rules: RecordRules) -> NDArray[np.bool_]:
    """Refuse or redact personal data; returns which rows were redacted. ``rows`` is changed in place."""
    redacted = np.zeros(len(rows), bool)
    for name in (field for field in present if field in _GUARDED):
        codes, texts = pd.factorize(rows[name])
        found = {
            i: hit[0].rule
            for i, text in enumerate(texts)
            if text and (hit := scan(text, this_year=rules.this_year, bare_names=name not in _NAMES_THINGS))
        }
        if name in {"id", "urn"}:
            found = _without_chance_numbers(found, texts)
        if not found:
            continue
        hit_rows = np.isin(codes, list(found))
        if rules.redacts:
            clean = {
                i: redact(str(texts[i]), this_year=rules.this_year, bare_names=name not in _NAMES_THINGS)[0]
                for i in found
            }
            at = np.flatnonzero(hit_rows)
            rows.iloc[at, rows.columns.get_loc(name)] = [clean[code] for code in codes[at]]
            redacted |= hit_rows
            continue
        details = {int(row): _refusal(name, found[int(codes[row])], rules) for row in np.flatnonzero(hit_rows)}
        problems.add_each(details, name, Reason.PERSONAL_DATA)
    return redacted


def _without_chance_numbers(found: dict[int, Rule], texts: NDArray[np.object_]) -> dict[int, Rule]:
    """Leave out references of ten digits that pass the NHS check by chance: one in eleven does, a column of them does not."""
    plain = [text for text in texts if text.isdecimal() and len(text) == 10]
    passing = sum(found.get(i) == Rule.NHS_NUMBER and text.isdecimal() for i, text in enumerate(texts))
    by_chance = len(plain) >= 3 and passing * 2 < len(plain)
    return {
        i: rule for i, rule in found.items() if not (by_chance and rule == Rule.NHS_NUMBER and texts[i].isdecimal())
    }


def _refusal(field: str, rule: Rule, rules: RecordRules) -> str:
    way_out = " or import with --redact to have it taken out" if rules.kind == RecordKind.INCIDENTS else ""
    return f"{field} seems to hold {RULE_WORDS[rule]}; take it out{way_out}"


def _refuse_long(rows: pd.DataFrame, present: list[str], problems: Problems) -> None:
    for name in present:
        limit = MAX_NOTES if name in _MAY_BE_LONG else MAX_TEXT
        too_long = (rows[name].str.len() > limit).to_numpy(bool)
        if too_long.any():
            detail = f"{name} is longer than {limit} characters; is this the right column?"
            problems.add(too_long, name, Reason.TOO_LONG, detail)


def _located(
    rows: pd.DataFrame, positions: Positions, problems: Problems, rules: RecordRules
) -> dict[str, NDArray[np.generic]]:
    located = np.isfinite(positions.lon)
    indexed = located & problems.good
    cell7 = np.zeros(len(rows), np.int64)
    cell7[indexed] = index_points(positions.lon[indexed], positions.lat[indexed], H3_INDEX_RESOLUTION)
    snapped = (rows["location_basis"].str.lower() == LocationBasis.SNAPPED).to_numpy(bool)
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


def _vehicle(rows: pd.DataFrame) -> pd.Series:
    marks = rows["registration"].where(rows["registration"] != "", rows["vehicle_id"])
    return marks.str.upper().str.replace(" ", "") if (marks != "").any() else marks


def _require_vehicle(rows: pd.DataFrame, problems: Problems, rules: RecordRules) -> None:
    if rules.kind == RecordKind.SIGHTINGS:
        without = ((rows["registration"] == "") & (rows["vehicle_id"] == "")).to_numpy(bool)
        detail = "a vehicle sighting needs a registration or vehicle_id"
        problems.add(without, "registration", Reason.MISSING_FIELD, detail)


def _words(rows: pd.DataFrame, problems: Problems, rules: RecordRules) -> dict[str, NDArray[np.object_]]:
    """Grades, source type, regime and the fields of the kind, each in the words of its vocabulary."""
    found = {
        "source_type": _each(rows, ("source_type",), problems, lambda word: SourceType(word.lower()).value),
        "regime": _each(rows, ("regime",), problems, lambda word: Regime(word.upper()).value),
        "handling_conditions": rows["handling_conditions"].to_numpy(object),
    }
    whole = _each(rows, ("grade",), problems, parse_grade)
    parts = _each(rows, _GRADE_FIELDS[1:], problems, parse_grade_parts)
    grades = [one or other or ("", "", "", "") for one, other in zip(whole, parts, strict=True)]
    names = ("grade_scheme", "grade_source", "grade_information", "grade_handling")
    found |= {name: np.asarray([grade[i] for grade in grades], dtype=object) for i, name in enumerate(names)}
    if DETAIL_FIELDS.get(rules.kind):
        found["detail"] = _details(rows, DETAIL_FIELDS[rules.kind], problems)
    else:
        found["detail"] = np.full(len(rows), "", dtype=object)
    return found


def _each(
    rows: pd.DataFrame, names: tuple[str, ...], problems: Problems, read: Callable[..., object]
) -> NDArray[np.object_]:
    """Read each distinct combination of some fields once; empty text where all are empty."""
    result = np.full(len(rows), "", dtype=object)
    given = (rows[list(names)] != "").any(axis=1).to_numpy(bool)
    if not given.any():
        return result
    at = np.flatnonzero(given)
    codes, uniques = pd.factorize(pd.MultiIndex.from_frame(rows.iloc[at][list(names)]))
    for code, texts in enumerate(uniques):
        mine = at[codes == code]
        try:
            value = read(*texts)
        except (BadWord, ValueError) as error:
            known = str(error) if isinstance(error, BadWord) else f"{names[0]} must be one of: {_choices(names[0])}"
            problems.add_each(dict.fromkeys(mine.tolist(), known), names[0], Reason.UNKNOWN_WORD)
            continue
        for row in mine:
            result[row] = value
    return result


def _choices(field: str) -> str:
    return ", ".join(SourceType if field == "source_type" else Regime)


def _details(rows: pd.DataFrame, names: tuple[str, ...], problems: Problems) -> NDArray[np.object_]:
    columns = {name: _each(rows, (name,), problems, _reader(name)) for name in names}
    told = {name: values for name, values in columns.items() if any(value != "" for value in values)}
    return np.asarray(
        [detail_json({n: v[i] for n, v in told.items() if v[i] != "" and v[i] != []}) for i in range(len(rows))], dtype=object
    )  # fmt: skip


def _reader(name: str) -> Callable[[str], object]:
    return lambda text: detail_value(name, text)


def _hints(
    rows: pd.DataFrame, present: list[str], row_numbers: NDArray[np.int64], problems: Problems, positions: Positions
) -> pd.DataFrame:
    names = [name for name in HINT_FIELDS if name in present]
    hints = rows[names].set_axis(pd.Index(row_numbers, name="row_number"))
    wanted = problems.good & ~np.isfinite(positions.lon) & (rows[names] != "").any(axis=1).to_numpy(bool)
    return hints[wanted]
