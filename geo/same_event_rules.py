"""What of a record is compared with other records, and how near is near enough to report one event."""

import math
import operator
import re
from collections.abc import Collection
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geo.errors import InvalidParameter
from geo.membership import among
from geo.model import LocationBasis, RecordKind, TimeBasis
from geo.temporal import KNOWN_HOUR_US

Ints = NDArray[np.int64]

COMPARED: Final = ("from_us", "to_us", "x_m", "y_m", "precision_m", "like", "brief", "ref", "who")
MINUTE_US: Final = 60_000_000
# "unknown", "n/a" and the row numbers that spreadsheets put in a column "id" are no references: two agencies' files
# of a year, in order of time, have the same row number in the same week.
_REFERENCE: Final = re.compile(r"(?=.*[1-9])(?:.*[^\W\d_]|(?:.*?\d){7})")
_REFERENCE_DIGITS: Final = 7
# What str.split() takes for a space among ASCII characters.
_SPACE: Final = r"[\x09-\x0d\x1c-\x20]"
_NEEDED: Final = (
    "record_key", "kind", "source", "agency", "urn", "category", "from_us", "to_us", "time_basis", "x_m", "y_m",
    "location_basis", "precision_m", "urn_is_key",
)  # fmt: skip


class MatchReason(StrEnum):
    """Why a record is taken to report an event that another record reports already; the surest first."""

    SAME_REFERENCE = "same_reference"
    OTHER_AGENCY = "other_agency"
    REPEATED_BY_SOURCE = "repeated_by_source"


REASONS: Final = tuple(MatchReason)
NO_MATCH: Final = len(REASONS)


@dataclass(frozen=True, kw_only=True)
class SameEventRules:
    """How near two records must be to report one event.

    Parameters
    ----------
    max_distance_m, max_gap_minutes : float
        Between like records of two agencies; the distance widens to what their positions' precision explains.
    max_precision_m : float
        A position known no better is only matched by reference, and no precision widens a distance beyond it.
    repeat_distance_m, repeat_gap_minutes : float
        Between like records of one agency, each of a time that is known at least as well as the gap.
    reference_distance_m, reference_gap_days : float
        Records of one reference that are further apart contradict each other.

    Raises
    ------
    InvalidParameter
        Naming every measure that is not a positive number.
    """

    max_distance_m: float = 50.0
    max_gap_minutes: float = 60.0
    max_precision_m: float = 150.0
    repeat_distance_m: float = 25.0
    repeat_gap_minutes: float = 15.0
    reference_distance_m: float = 1000.0
    reference_gap_days: float = 7.0

    def __post_init__(self) -> None:
        """Gather every problem before refusing."""
        problems = [f"{name} {value:g}" for name, value in asdict(self).items() if not 0 < value < math.inf]
        if problems:
            raise InvalidParameter(f"{', '.join(problems)} must be positive and finite.")

    @property
    def reach_m(self) -> float:
        """Distance beyond which no likeness matches."""
        return max(self.max_distance_m, self.max_precision_m)


@dataclass(frozen=True)
class Reports:
    """Records in the order in which they would represent an event, with what is compared as numbers.

    Parameters
    ----------
    table : DataFrame, shape (n, 11)
        ``record_key, urn`` and ``COMPARED``; ``like`` and ``ref`` are -1 where there is nothing to compare, ``brief``
        says whether a time is known well enough to tell a repeat from a second event.
    rules : SameEventRules
    apart : ndarray of int64, shape (s, 2)
        Pairs of rows that a person has separated, the smaller row first.
    """

    table: pd.DataFrame
    rules: SameEventRules
    apart: Ints


def order_reports(records: pd.DataFrame, *, rules: SameEventRules, splits: Collection[tuple[bytes, bytes]]) -> Reports:
    """Sort the records and number what is compared.

    Raises
    ------
    InvalidParameter
        When a ``record_key`` occurs twice.
    """
    by_key = _in_key_order(records)
    located = by_key[["x_m", "y_m"]].notna().all(axis=1)
    precision_m = by_key["precision_m"].where(located)
    order = np.lexsort((by_key["from_us"], precision_m))  # NaN last; equal rows stay in the order of their keys
    needed = [*_NEEDED, "vehicle_hash"] if "vehicle_hash" in by_key else list(_NEEDED)
    table = by_key[needed].assign(precision_m=precision_m).iloc[order].reset_index(drop=True)

    vehicle = table["vehicle_hash"] if "vehicle_hash" in table else pd.Series("", index=table.index)
    category, reference = _plain(table["category"], " "), _plain(table["urn"], "")
    alike = (category != "") & _comparable(table, rules)
    table["like"] = _numbered([table["kind"], vehicle, category]).where(alike, -1)
    table["brief"] = table["to_us"] - table["from_us"] <= rules.repeat_gap_minutes * MINUTE_US
    seen = vehicle.where(table["kind"] == RecordKind.SIGHTINGS, "")  # elsewhere one event may have several vehicles
    # A reference of one record alone is that of no other: most are, and nobody needs to ask what they are.
    several = table["urn_is_key"].astype(bool) & (reference != "") & reference.duplicated(keep=False)
    several[several] = _is_reference(reference[several])
    table["ref"] = -1
    table.loc[several, "ref"] = _numbered([one[several] for one in (table["kind"], seen, reference)])
    agency = _plain(table["agency"], " ")
    table["who"] = pd.factorize(agency.where(agency != "", _plain(table["source"], " ")))[0]

    split = pd.Series([key for pair in splits for key in pair], dtype=object)
    there = np.append(np.flatnonzero(among(table["record_key"], split)), -1)  # the last stands for what is not here
    pairs = there[pd.Index(table["record_key"].iloc[there[:-1]]).get_indexer(split)].reshape(-1, 2)
    known = np.sort(pairs[(pairs >= 0).all(axis=1)], axis=1).astype(np.int64)
    return Reports(table[["record_key", "urn", *COMPARED]], rules, known[known[:, 0] < known[:, 1]])


def _comparable(table: pd.DataFrame, rules: SameEventRules) -> pd.Series:
    """Whether a record's place and time are known well enough to be compared with those of others."""
    place = table[["x_m", "y_m"]].notna().all(axis=1) & (table["location_basis"] == LocationBasis.EXACT)
    place &= ~(table["precision_m"] > rules.max_precision_m)
    timed = table["time_basis"].isin([TimeBasis.INSTANT, TimeBasis.INTERVAL])
    return place & timed & (table["to_us"] - table["from_us"] <= KNOWN_HOUR_US) & (table["kind"] != RecordKind.EFFORT)


def _in_key_order(records: pd.DataFrame) -> pd.DataFrame:
    keys = records["record_key"].tolist()
    if all(map(operator.lt, keys, keys[1:])):  # a store gives them so
        return records.reset_index(drop=True)
    if records["record_key"].duplicated().any():
        raise InvalidParameter("A record_key occurs twice; hand in each record once.")
    return records.sort_values("record_key", ignore_index=True)


def _plain(column: pd.Series, space: str) -> pd.Series:
    """Text without its case and with nothing but ``space`` where it had spaces; each distinct text is changed once.

    Of plain letters without a space only the case is changed, which pyarrow does for all at once.
    """
    codes, uniques = pd.factorize(column)
    texts = pa.array(uniques, pa.large_string())
    usual = pc.and_(pc.string_is_ascii(texts), pc.invert(pc.match_substring_regex(texts, _SPACE)))
    plain = np.append(pc.ascii_lower(texts).to_numpy(zero_copy_only=False).astype(object), "")
    for i in np.flatnonzero(~usual.to_numpy(zero_copy_only=False).astype(bool)):
        plain[i] = space.join(uniques[i].split()).casefold()
    return pd.Series(plain[codes], column.index, object)  # code -1, a missing text, is the last


def _is_reference(reference: pd.Series) -> pd.Series:
    """Whether each plain text can be a reference, as ``_REFERENCE`` says."""
    codes, uniques = pd.factorize(reference)
    texts = pa.array(uniques, pa.large_string())
    digits = pc.greater_equal(pc.count_substring_regex(texts, "[0-9]"), _REFERENCE_DIGITS)
    told = pc.and_(pc.match_substring_regex(texts, "[1-9]"), pc.or_(pc.match_substring_regex(texts, "[a-z]"), digits))
    found = np.array(told.to_numpy(zero_copy_only=False), bool)
    for i in np.flatnonzero(~np.array(pc.string_is_ascii(texts).to_numpy(zero_copy_only=False), bool)):
        found[i] = _REFERENCE.match(uniques[i]) is not None
    return pd.Series(found[codes], reference.index)


def _numbered(columns: list[pd.Series]) -> pd.Series:
    """Number of each distinct combination, in the order in which they come."""
    number = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        codes, uniques = pd.factorize(column)
        number = pd.factorize(number * (len(uniques) + 1) + codes)[0]
    return pd.Series(number, columns[0].index)
