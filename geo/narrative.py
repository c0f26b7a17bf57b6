"""Plain sentences about places, for people who have a minute."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from geo.evidence import busiest_days, busiest_hours
from geo.model import AREA, UNATTRIBUTED
from geo.place_kinds import is_residential, may_be_named

TIMES_NOT_KNOWN = "times not known"
# Below this the PHIA yardstick's word is "highly unlikely" or less, and no heading says more than the sentence under it.
LEAST_NEAR: Final = 0.225

_KIND_WORDS: Mapping[str, str] = {
    "park": "a park or green space",
    "street": "a street",
    "route": "a stretch of road",
    "other": "another kind of place",
    "house": "a home",
    "care_home": "a care home",
    "hotel": "a hotel or guest house",
    "takeaway": "a takeaway",
    "shop": "a shop",
    "licensed": "licensed premises",
    "car_park": "a car park",
    "station": "a station",
    "school": "a school",
    "taxi_rank": "a taxi rank",
    "premises": "premises",
    "building": "a building",
    AREA: "an area too wide to be one place",
    UNATTRIBUTED: "a spot that no one known place explains",
}


_UNNAMED: Mapping[str, str] = {
    AREA: "Wide area",
    UNATTRIBUTED: "Unnamed spot",
    "house": "A home",
    "street": "Unnamed street",
    "park": "Unnamed park",
}


_KINDS_WORDS: Mapping[str, str] = {
    "park": "Parks and green spaces",
    "hotel": "Hotels and guest houses",
    "takeaway": "Takeaways",
    "shop": "Shops",
    "licensed": "Licensed premises",
    "car_park": "Car parks",
    "station": "Stations",
    "school": "Schools",
    "taxi_rank": "Taxi ranks",
    "premises": "Other premises",
}


def kinds_words(kind: str) -> str:
    """Return several places of a kind in words, to stand at the head of a list.

    Examples
    --------
    >>> kinds_words("taxi_rank")
    'Taxi ranks'
    """
    return _KINDS_WORDS.get(kind, kind.replace("_", " ").capitalize())


def kind_words(kind: str) -> str:
    """Return a kind of place in words."""
    return _KIND_WORDS.get(kind, kind)


def place_title(kind: str, name: str | None, alternatives: Sequence[Mapping[str, Any]] = ()) -> str:
    """Return a name for headings: the place's own, else the likeliest near it if that stands out, else its kind.

    A spot is called near nothing less likely than ``LEAST_NEAR`` or as likely as the next (to the whole per cent that is told),
    and near nobody's home; a home of care is not named.

    Examples
    --------
    >>> mill_lane = {"kind": "street", "name": "Mill Lane", "probability": 0.3}
    >>> place_title("unattributed", None, [mill_lane]), place_title("unattributed", None, [mill_lane, mill_lane])
    ('Spot near Mill Lane', 'Unnamed spot')
    """
    if kind == UNATTRIBUTED and not name and (near := _near(alternatives)):
        return f"Spot near {near}"
    if kind in _UNNAMED:
        return name or _UNNAMED[kind]
    own = name if may_be_named(kind) else None
    return own or kind_words(kind).removeprefix("a ").removeprefix("an ").capitalize()


def _near(alternatives: Sequence[Mapping[str, Any]]) -> str | None:
    """Name of the likeliest candidate where it stands out and is nobody's home."""
    if not alternatives or is_residential(alternatives[0]["kind"]) or alternatives[0]["probability"] < LEAST_NEAR:
        return None
    first, *others = (round(one["probability"], 2) for one in alternatives)
    return alternatives[0]["name"] if first > max(others, default=0.0) else None


def plural(count: int, word: str) -> str:
    """Return a count with its noun.

    Examples
    --------
    >>> plural(1, "record"), plural(3, "agency")
    ('1 record', '3 agencies')
    """
    if count == 1:
        return f"1 {word}"
    return f"{count:,} {word[:-1]}ies" if word.endswith("y") and word[-2] not in "aeiou" else f"{count:,} {word}s"


def day_words(iso: str) -> str:
    """Return a date as people write it."""
    day = date.fromisoformat(iso)
    return f"{day.day} {day:%B %Y}"


def month_words(iso: str) -> str:
    """Return a month as people write it."""
    return f"{date.fromisoformat(iso + '-01'):%B %Y}"


def span_words(evidence: Mapping[str, Any]) -> str:
    """Return the first and last day of the records, or their months where no day is known."""
    if evidence["first_day"]:
        first, last = day_words(evidence["first_day"]), day_words(evidence["last_day"])
    else:
        first, last = month_words(evidence["first_month"]), month_words(evidence["last_month"])
    return first if first == last else f"{first} to {last}"


def lower_bound(evidence: Mapping[str, Any], records: int) -> str:
    """Say why a place is listed to an audience outside operations: a lower bound, and nothing finer."""
    more = "one source only" if evidence["sources"] == 1 else "more than one source"
    return f"At least {records:,} records from {more}."


def when_and_doubt(evidence: Mapping[str, Any]) -> str:
    """Say in one or two sentences between which days the records lie, and what is not known of them."""
    span = span_words(evidence)
    if evidence["month_only"] == evidence["records"]:
        told = f"{span}, dated by month only."
    elif evidence["month_only"]:
        told = f"{span}, {evidence['month_only']:,} of them dated by month only."
    else:
        told = f"{span}."
    if evidence["snapped"] * 2 > evidence["records"]:
        told += " Most positions were moved to fixed map points, so the exact spot is not known."
    return told


def usual_weekdays(evidence: Mapping[str, Any]) -> str:
    """Return the days on which most records fall, or that times are not known."""
    return ", ".join(busiest_days(evidence["weekdays"])) or TIMES_NOT_KNOWN


def usual_hours(evidence: Mapping[str, Any]) -> str:
    """Return the hours in which most records fall, or that times are not known."""
    window = busiest_hours(evidence["hours"])
    return f"{window[0]:02d}:00 to {window[1]:02d}:00" if window else TIMES_NOT_KNOWN
