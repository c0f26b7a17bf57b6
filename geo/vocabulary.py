"""The words that fields may hold: grades, source types, regimes, and what a session or an observation is described by.

Sources: College of Policing, *Intelligence report* (3x5x2); the fields of outreach observations are Lapwing's own.
"""

import json
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from geo.errors import LapwingError
from geo.model import RecordKind


class BadWord(LapwingError, ValueError):
    """A value that is not among the words of its field."""


class SourceType(StrEnum):
    """How evidence came to light: what we looked for ourselves says where we looked."""

    REPORTED = "reported"
    DISCOVERED = "discovered"
    OUTREACH = "outreach"


class Regime(StrEnum):
    """The law a record is held under; follows controller and purpose."""

    UK_GDPR = "UKGDPR"
    PART_3 = "DPA_P3"


class GradeScheme(StrEnum):
    """How intelligence was graded. The older scheme is kept as it was written, never converted."""

    CURRENT = "3x5x2"
    LEGACY = "5x5x5"


SOURCE_GRADES: Final[Mapping[str, str]] = {"1": "reliable", "2": "untested", "3": "not reliable"}
INFORMATION_GRADES: Final[Mapping[str, str]] = {
    "A": "known directly",
    "B": "known indirectly but corroborated",
    "C": "known indirectly",
    "D": "not known",
    "E": "suspected to be false",
}
HANDLING_CODES: Final[Mapping[str, str]] = {"P": "lawful sharing permitted", "C": "lawful sharing with conditions"}

# Fields of one kind of record, each with the words it may hold; () is a whole number, "list" several words.
COUNT_BANDS: Final = ("1-2", "3-5", "6+")
AGE_BANDS: Final = ("under 10", "10-12", "13-15", "16-17", "18+", "mixed", "not known")
INDICATORS: Final = (
    "adults approaching", "vehicle circling", "alcohol", "gifts", "drugs", "poor lighting", "hidden spot", "litter of use",
    "young people distressed", "feels unsafe",
)  # fmt: skip
STRENGTHS: Final = ("feels-safe asset", "guardian present", "good lighting", "staff helpful", "busy with families")
SHARING: Final = ("internal", "police")
YES_NO: Final = ("yes", "no")
MAX_WORKERS: Final = 50

WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "count_band": COUNT_BANDS,
    "age_band": AGE_BANDS,
    "indicators": INDICATORS,
    "strengths": STRENGTHS,
    "referral_made": YES_NO,
    "share": SHARING,
    "nothing_seen": YES_NO,
    "taxi_plate": YES_NO,
}
SEVERAL: Final = frozenset({"indicators", "strengths"})
SHORT_TEXTS: Final = frozenset({"area", "session_id", "make", "colour"})
DETAIL_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    RecordKind.INCIDENTS: (),
    RecordKind.OBSERVATIONS: (
        "session_id", "count_band", "age_band", "indicators", "strengths", "referral_made", "share",
    ),
    RecordKind.SIGHTINGS: ("make", "colour", "taxi_plate"),
    RecordKind.EFFORT: ("area", "session_id", "workers", "nothing_seen"),
}  # fmt: skip
ALL_DETAIL_FIELDS: Final = tuple(dict.fromkeys(name for names in DETAIL_FIELDS.values() for name in names))

_TRUE: Final = frozenset({"yes", "y", "true", "1"})
_FALSE: Final = frozenset({"no", "n", "false", "0"})
_CURRENT: Final = re.compile(r"^([1-3])[\s/x-]*([A-E])[\s/x-]*([PC])$")
_LEGACY: Final = re.compile(r"^([A-E])[\s/x-]*([1-5])[\s/x-]*([1-5])$")


def detail_value(field: str, text: str) -> str | int | list[str]:
    """Return one field's value in its own words.

    Raises
    ------
    BadWord
        Naming the words that the field may hold.

    Examples
    --------
    >>> detail_value("nothing_seen", "TRUE"), detail_value("workers", "2")
    ('yes', 2)
    >>> detail_value("indicators", "Alcohol; gifts")
    ['alcohol', 'gifts']
    """
    plain = " ".join(text.split())
    if field == "workers":
        if not plain.isdecimal() or not 0 < int(plain) <= MAX_WORKERS:
            raise BadWord(f"workers must be a whole number from 1 to {MAX_WORKERS}")
        return int(plain)
    if field in SHORT_TEXTS:
        return plain
    words = WORDS[field]
    if field in SEVERAL:
        return sorted({_word(field, one, words) for one in re.split(r"[;,|]", plain) if one.strip()})
    return _word(field, plain, words)


def _word(field: str, text: str, words: tuple[str, ...]) -> str:
    plain = text.strip().lower().replace("\u2013", "-")
    if words == YES_NO:
        plain = "yes" if plain in _TRUE else "no" if plain in _FALSE else plain
    if plain not in words:
        raise BadWord(f"{field} must be one of: {', '.join(words)}")
    return plain


def detail_json(values: Mapping[str, str | int | list[str]]) -> str:
    """Return the fields of one record as canonical JSON; empty text when it has none."""
    return json.dumps(dict(values), sort_keys=True, separators=(",", ":"), ensure_ascii=False) if values else ""


def parse_grade(text: str) -> tuple[str, str, str, str]:
    """Scheme, source, information and handling of a grade written as one: ``1AP``, ``2 C C`` or, legacy, ``B 2 4``.

    Raises
    ------
    BadWord

    Examples
    --------
    >>> parse_grade("1 A P"), parse_grade("b24")
    (('3x5x2', '1', 'A', 'P'), ('5x5x5', 'B', '2', '4'))
    """
    plain = text.strip().upper()
    for scheme, pattern in ((GradeScheme.CURRENT, _CURRENT), (GradeScheme.LEGACY, _LEGACY)):
        if match := pattern.match(plain):
            return str(scheme), match[1], match[2], match[3]
    raise BadWord("a grade is written as source, information and handling: 1AP to 3EC, or the older A11 to E55")


def parse_grade_parts(source: str, information: str, handling: str) -> tuple[str, str, str, str]:
    """Read a grade from three columns; information and handling may be missing, each is then empty.

    Raises
    ------
    BadWord
    """
    source, information, handling = (one.strip().upper() for one in (source, information, handling))
    if source in SOURCE_GRADES or (not source and (information in INFORMATION_GRADES or handling in HANDLING_CODES)):
        if information and information not in INFORMATION_GRADES:
            raise BadWord("information_grade must be A, B, C, D or E")
        if handling and handling not in HANDLING_CODES:
            raise BadWord("handling must be P or C")
        return str(GradeScheme.CURRENT), source, information, handling
    legacy = source in INFORMATION_GRADES and information in {*"12345", ""} and handling in {*"12345", ""}
    if not legacy:
        raise BadWord("source_grade must be 1, 2 or 3 (or the older A to E with information_grade 1 to 5)")
    return str(GradeScheme.LEGACY), source, information, handling
