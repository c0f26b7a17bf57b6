"""What is wrong with a row, and what of it may be kept."""

import json
from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.guard import ALL_RULES, Rule, scan
from geo.guard_screen import first_rules
from geo.model import REJECTION_COLUMNS

MAX_TEXT: Final = 200
MAX_NOTES: Final = 5_000
REMOVED: Final = "[removed:"
# Whatever they hold, these never reach the disk through quarantine.
NEVER_QUARANTINED: Final = frozenset({"registration", "vehicle_id"})
# A date in a date's own column is no birthday, however old.
DATE_FIELDS: Final = frozenset({"date", "time", "from", "to", "reported", "vintage"})


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
    UNKNOWN_WORD = "unknown_word"
    PERSONAL_DATA = "personal_data"
    REPEATED_KEY = "repeated_key"
    PURGED = "purged"


# Their details quote nothing of the row.
_SAYS_NOTHING_OF_IT: Final = frozenset({Reason.PERSONAL_DATA, Reason.TOO_LONG})


class Problems:
    """First problem of each row, vectorised: later checks see only rows still good."""

    def __init__(self, count: int) -> None:
        self.good = np.ones(count, bool)
        self.found: dict[int, tuple[str, str, str]] = {}

    def add(self, rows: NDArray[np.bool_], field: str, reason: str, detail: str) -> None:
        """Note one problem of several rows."""
        for row in np.flatnonzero(rows & self.good):
            self.found[int(row)] = (field, reason, detail)
        self.good &= ~rows

    def add_each(self, details: Mapping[int, str], field: str, reason: str) -> None:
        """Note a problem of each row in its own words."""
        for row, detail in details.items():
            if self.good[row]:
                self.found[row] = (field, reason, detail)
                self.good[row] = False


def rejections(
    rows: pd.DataFrame, row_numbers: NDArray[np.int64], problems: Problems, *, this_year: int
) -> pd.DataFrame:
    """Rejected rows as they may be kept: vehicles and what the guard knows are replaced by ``[removed: rule]``.

    Returns
    -------
    DataFrame
        ``REJECTION_COLUMNS``, in order of position.
    """
    at = sorted(problems.found)
    given = {str(name): _as_text(rows[name].to_numpy(object)[at]) for name in rows.columns}
    kept = {name: _keepables(name, texts, this_year=this_year) for name, texts in given.items()}
    entries = []
    for i, row in enumerate(at):
        field, reason, detail = problems.found[row]
        row_kept = {name: texts[i] for name, texts in kept.items() if given[name][i]}
        if field in row_kept and row_kept[field] != given[field][i] and reason not in _SAYS_NOTHING_OF_IT:
            detail = f"{field} could not be used as it is; what it said was removed"
        entries.append((int(row_numbers[row]), field, reason, detail, json.dumps(row_kept, ensure_ascii=False)))
    return pd.DataFrame(entries, columns=list(REJECTION_COLUMNS))


def _as_text(values: NDArray[np.object_]) -> NDArray[np.object_]:
    return np.array([str(value) if value else "" for value in values], dtype=object)


def _keepables(field: str, texts: NDArray[np.object_], *, this_year: int) -> NDArray[np.object_]:
    """Texts of a field as quarantine may hold them; each distinct one is looked at once."""
    codes, distinct = pd.factorize(texts)
    found = {} if field in NEVER_QUARANTINED else first_rules(distinct, this_year=this_year, rules=_rules(field))
    kept = np.array([_kept(field, text, found.get(i)) for i, text in enumerate(distinct)], dtype=object)
    return kept[codes]


def keepable(field: str, text: str, *, this_year: int) -> str:
    """Text of a field as quarantine may hold it.

    Examples
    --------
    >>> keepable("kind", "Mrs Khan", this_year=2026), keepable("registration", "AB12CDE", this_year=2026)
    ('[removed: person_name]', '[removed: registration]')
    """
    found = () if field in NEVER_QUARANTINED else scan(text, this_year=this_year, rules=_rules(field))
    return _kept(field, text, found[0].rule if found else None)


def _rules(field: str) -> frozenset[Rule]:
    return ALL_RULES - {Rule.DATE_OF_BIRTH} if field in DATE_FIELDS else ALL_RULES


def _kept(field: str, text: str, found: Rule | None) -> str:
    if field in NEVER_QUARANTINED:
        return f"{REMOVED} {field}]"
    if found:
        return f"{REMOVED} {found}]"
    if len(text) > MAX_TEXT and field != "notes":  # free text in the wrong column
        return f"{REMOVED} too long]"
    return text
