"""What the forms for one record ask for, kind by kind, in the words of the vocabulary."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from geo.model import RecordKind
from geo.vocabulary import (
    AGE_BANDS,
    COUNT_BANDS,
    HANDLING_CODES,
    INDICATORS,
    INFORMATION_GRADES,
    SHARING,
    SOURCE_GRADES,
    STRENGTHS,
    YES_NO,
    SourceType,
)


@dataclass(frozen=True)
class Field:
    """One question: ``options`` (value and words) make it a choice, ``several`` one with several answers."""

    name: str
    label: str
    hint: str = ""
    input_type: str = "text"
    options: Sequence[tuple[str, str]] = field(default_factory=tuple)
    several: bool = False
    width: str = "20"


def _plain(words: Sequence[str]) -> tuple[tuple[str, str], ...]:
    return tuple((word, word.capitalize()) for word in words)


def _coded(codes: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((code, f"{code}: {words}") for code, words in codes.items())


_WHEN: Final = (
    Field("day", "Date", input_type="date", width="10"),
    Field("start", "Time", "Leave it out if it is not known.", input_type="time", width="5"),
)
_WHERE: Final = (
    Field("place", "Where", "A park, premises or road by its name."),
    Field("grid_ref", "Grid reference", "If you have it, such as ST 750 646."),
)
_NOTES: Final = Field(
    "notes", "Notes", "No names, telephone numbers, dates of birth or addresses.", input_type="textarea"
)
_GRADES: Final = (
    Field("source_grade", "Source", options=_coded(SOURCE_GRADES)),
    Field("information_grade", "Information", options=_coded(INFORMATION_GRADES)),
    Field("handling", "Handling", options=_coded(HANDLING_CODES)),
)

FIELDS: Final[Mapping[str, tuple[Field, ...]]] = {
    RecordKind.EFFORT: (
        Field("area", "Where", "A park, street or area by its name."),
        Field("day", "Date", input_type="date", width="10"),
        Field("start", "From", input_type="time", width="5"),
        Field("end", "To", input_type="time", width="5"),
        Field("workers", "Workers", input_type="number", width="2"),
    ),
    RecordKind.OBSERVATIONS: (
        *_WHERE,
        *_WHEN,
        Field("count_band", "How many young people", options=_plain(COUNT_BANDS)),
        Field("age_band", "About how old", options=_plain(AGE_BANDS)),
        Field("indicators", "What was seen", options=_plain(INDICATORS), several=True),
        Field("strengths", "What makes it safer", options=_plain(STRENGTHS), several=True),
        Field("referral_made", "Was a referral made?", options=_plain(YES_NO)),
        Field("share", "May be shared with", options=_plain(SHARING)),
        _NOTES,
    ),
    RecordKind.INCIDENTS: (
        Field("kind", "What happened", "Its type, in the words of your own system."),
        *_WHERE,
        *_WHEN,
        Field("agency", "Agency"),
        Field("urn", "Reference", "Of the source's own system."),
        Field("source_type", "How it came to light", options=_plain([str(one) for one in SourceType])),
        *_GRADES,
        _NOTES,
    ),
}
ENTERED: Final = tuple(FIELDS)
TITLES: Final = {
    RecordKind.EFFORT: "An outreach session",
    RecordKind.OBSERVATIONS: "An observation",
    RecordKind.INCIDENTS: "An incident",
}


def told(kind: str, form: Mapping[str, str], several: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Fields of a record as a form says them: day and times become what a file would say."""
    found = {one.name: form.get(one.name, "").strip() for one in FIELDS[RecordKind(kind)] if not one.several}
    found |= {one.name: "; ".join(several.get(one.name, ())) for one in FIELDS[RecordKind(kind)] if one.several}
    day, start, end = found.pop("day", ""), found.pop("start", ""), found.pop("end", "")
    if start and end:
        found |= {"from": f"{day}T{start}", "to": f"{_next_day(day) if end <= start else day}T{end}"}
    else:
        found["date"] = f"{day}T{start}" if start else day
    return found


def _next_day(day: str) -> str:
    try:
        return (date.fromisoformat(day) + timedelta(days=1)).isoformat()
    except ValueError:
        return day


def shown(kind: str, fields: Mapping[str, str]) -> dict[str, str]:
    """Fields of a record as a form shows them: the opposite of :func:`told`."""
    found = {name: text for name, text in fields.items() if name not in {"from", "to", "date"}}
    begin = fields.get("from") or fields.get("date", "")
    if len(begin) >= len("2026-01-01"):
        found["day"] = begin[:10]
    elif begin:
        found["month"] = begin
    if "T" in begin:
        found["start"] = datetime.fromisoformat(begin).strftime("%H:%M")
    if "T" in fields.get("to", ""):
        found["end"] = datetime.fromisoformat(fields["to"]).strftime("%H:%M")
    if kind == RecordKind.EFFORT and "area" not in found and "place" in found:
        found["area"] = found["place"]
    return found


# Where the checks find fault with a field that the form asks for under another name.
_ASKED_AS: Final = {
    "date": "day",
    "from": "start",
    "to": "end",
    "time": "start",
    "longitude": "grid_ref",
    "grade": "source_grade",
}


def faults(kind: str, problems: Mapping[str, str]) -> dict[str, str]:
    """Problems under the names of the form's fields."""
    names = {one.name for one in FIELDS[RecordKind(kind)]}
    found = {}
    for name, words in problems.items():
        asked = name if name in names else _ASKED_AS.get(name, name)
        found[asked if asked in names else next(iter(FIELDS[RecordKind(kind)])).name] = words
    return found
