"""Kinds of place: what a reference feature stands for, and how often records speak of each kind."""

import re
from collections.abc import Mapping
from typing import Final

from geo.model import UNATTRIBUTED, FeatureKind

PARK: Final = "park"
STREET: Final = "street"
HOUSE: Final = "house"
BUILDING: Final = "building"
CARE_HOME: Final = "care_home"
# Of all records, how many speak of a place of each kind: an assumption until local decisions teach better. What is
# not imported cannot be named, and its share stays unattributed. Houses and unlabelled buildings share one entry.
PRIOR: Final[Mapping[str, float]] = {
    PARK: 0.22,
    "takeaway": 0.07,
    "hotel": 0.06,
    "shop": 0.06,
    "station": 0.06,
    "licensed": 0.05,
    "car_park": 0.05,
    "school": 0.04,
    "premises": 0.04,
    "taxi_rank": 0.02,
    HOUSE: 0.13,
    STREET: 0.10,
    UNATTRIBUTED: 0.10,
}


def prior_group(kind: str) -> str:
    """Entry of ``PRIOR`` that a kind of place falls under: a building may be a home, and a home of care is one.

    Examples
    --------
    >>> prior_group("building"), prior_group("park")
    ('house', 'park')
    """
    return HOUSE if is_residential(kind) else kind


_RESIDENTIAL: Final = (
    "house",
    "flat",
    "residential",
    "detached",
    "terrace",
    "semidetached",
    "maisonette",
    "bedsit",
    "hmo",
    "apartments",
    "bungalow",
    "dwelling",
)
# Houses that nobody lives in for good.
_NO_HOME: Final = re.compile(r"\b(public|guest|boarding|school|ware|club|coffee|boat|green)[ -]?house\b")
# Businesses are called houses too (Curry House, House of worship), so premises are a home only where every word is of these.
_HOME: Final = frozenset({*_RESIDENTIAL, "apartment", "cottage", "home", "residence"})
_HOME_BESIDE: Final = frozenset({
    "and", "attached", "basement", "bed", "bedroom", "block", "building", "built", "contained", "converted", "end", "family", "first",
    "floor", "ground", "in", "lower", "mid", "mobile", "multi", "multiple", "occupancy", "occupation", "occupied", "of", "or", "private",
    "property", "purpose", "second", "self", "semi", "shared", "single", "storey", "student", "terraced", "third", "three", "top", "two",
    "unit", "upper",
})  # fmt: skip
# Homes that care for those who live there, children among them; of such a text only the words are left.
_CARE: Final = re.compile(
    r"\b((care|nursing|residential|retirement|rest|group|foster|elderly|old age|boys|girls|childrens?|peoples) (residential )?homes?"
    r"|homes? for (the )?(aged|boys|children|disabled|elderly|girls|old|young)|residential (child )?care|childrens residential"
    r"|(assisted|supported) (living|accommodation|housing)|residential institutions?|communal residences?"
    r"|medical care accommodation)\b"
)
_PREMISES_WORDS: Final = {
    "takeaway": ("takeaway", "fast food", "kebab", "chicken"),
    "hotel": ("hotel", "guest", "guest house", "guesthouse", "boarding house", "hostel", "motel", "b&b"),
    "licensed": (
        "pub",
        "bar",
        "public house",
        "nightclub",
        "night club",
        "social club",
        "off licence",
        "off-licence",
        "licensed",
    ),
    "station": ("station", "transport", "bus station", "rail", "railway"),
    "car_park": ("car park", "parking"),
    "school": ("school", "college", "education"),
    "taxi_rank": ("taxi",),
    "shop": ("shop", "retail", "store", "supermarket", "convenience"),
}


def place_kind(feature_kind: str, subtype: str) -> str:
    """Kind of place that a reference feature stands for.

    Examples
    --------
    >>> (
    ...     place_kind("premises", "Fast food"),
    ...     place_kind("roads", "Local Road"),
    ...     place_kind("buildings", "house"),
    ... )
    ('takeaway', 'street', 'house')
    """
    plain = subtype.lower().replace("_", " ")
    if feature_kind == FeatureKind.PARKS:
        return PARK
    if feature_kind == FeatureKind.ROADS:
        return STREET
    alone = re.findall(r"[^\W_]+", re.sub("['\u2019]", "", plain))
    if _CARE.search(" ".join(alone)):
        return CARE_HOME
    if feature_kind == FeatureKind.BUILDINGS:
        home = _mentions(_NO_HOME.sub("", plain), _RESIDENTIAL)
        return HOUSE if home else _business(plain) or BUILDING
    return _business(plain) or (HOUSE if _only_says_home(alone) else "premises")


def _business(text: str) -> str | None:
    """First kind of premises that the text speaks of."""
    return next((kind for kind, words in _PREMISES_WORDS.items() if _mentions(text, words)), None)


def _only_says_home(words: list[str]) -> bool:
    """Whether the words are those of a home, with its number and floor and nothing else."""
    nouns = {word for word in words if word in _HOME or word.removesuffix("s") in _HOME}
    rest = (word for word in words if word not in nouns)
    return bool(nouns) and all(word in _HOME_BESIDE or word.isdigit() or len(word) == 1 for word in rest)


def _mentions(text: str, words: tuple[str, ...]) -> bool:
    """Whether one of the words stands in the text as a word of its own, singular or plural."""
    return any(re.search(rf"(?<!\w){re.escape(word)}s?(?!\w)", text) for word in words)


def is_residential(kind: str) -> bool:
    """Whether a place of this kind may be somebody's home: an unlabelled building may be."""
    return kind in {HOUSE, BUILDING, CARE_HOME}


def may_be_named(kind: str) -> bool:
    """Whether a place of this kind may be named at all: children may live in a home of care.

    Examples
    --------
    >>> may_be_named("house"), may_be_named("care_home")
    (True, False)
    """
    return kind != CARE_HOME


# What a person may call a place that they name themselves.
PLACE_KINDS: Final = (
    "park", "street", "house", "hotel", "takeaway", "shop", "licensed", "car_park", "station", "school", "taxi_rank", "premises",
    "building", "route", "other",
)  # fmt: skip
# Places of business are called after persons; parks, streets and homes that are would name somebody.
BUSINESS: Final = frozenset({"hotel", "takeaway", "shop", "licensed", "car_park", "station", "taxi_rank", "premises"})
