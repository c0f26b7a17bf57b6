"""What is wrong with a row, and what of it may be kept."""

import json
from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.guard import ALL_RULES, Rule, scan
from geo.model import REJECTION_COLUMNS

MAX_TEXT: Final = 200
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
    names = [str(name) for name in rows.columns]
    at = sorted(problems.found)
    content = rows.iloc[at].to_numpy(object)
    entries = []
    for row, values in zip(at, content, strict=True):
        field, reason, detail = problems.found[row]
        given = {name: str(value) for name, value in zip(names, values, strict=True) if value}
        kept = {name: keepable(name, value, this_year=this_year) for name, value in given.items()}
        if field in given and kept[field] != given[field] and reason not in _SAYS_NOTHING_OF_IT:
            detail = f"{field} could not be used as it is; what it said was removed"
        entries.append((int(row_numbers[row]), field, reason, detail, json.dumps(kept, ensure_ascii=False)))
    return pd.DataFrame(entries, columns=list(REJECTION_COLUMNS))


def keepable(field: str, text: str, *, this_year: int) -> str:
    """Text of a field as quarantine may hold it.

    Examples
    --------
    >>> keepable("kind", "Mrs Khan", this_year=2026), keepable("registration", "AB12CDE", this_year=2026)
    ('[removed: person_name]', '[removed: registration]')
    """
    if field in NEVER_QUARANTINED:
        return f"{REMOVED} {field}]"
    rules = ALL_RULES - {Rule.DATE_OF_BIRTH} if field in DATE_FIELDS else ALL_RULES
    if found := scan(text, this_year=this_year, rules=rules):
        return f"{REMOVED} {found[0].rule}]"
    if len(text) > MAX_TEXT and field != "notes":  # free text in the wrong column
        return f"{REMOVED} too long]"
    return text
