"""The guard over free text: what names, numbers and addresses of people look like, and how they are taken out.

It finds what it knows the look of. It is the second line of defence: the first is that no column asks for a person.

Sources: libphonenumber's metadata (``phonenumbers``); check digits of NHS numbers and of unique pupil numbers
(``python-stdnum``); HMRC, *National Insurance Manual*, NIM39110 (prefixes); BS 7666 (postcodes); DVLA, *INF104* (marks).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from geo.names import find_names
from geo.wordlists import NOT_SURNAMES, SHORT_WORDS


class Rule(StrEnum):
    """What a finding is."""

    PHONE = "phone"
    EMAIL = "email"
    NHS_NUMBER = "nhs_number"
    PUPIL_NUMBER = "pupil_number"
    NI_NUMBER = "ni_number"
    DATE_OF_BIRTH = "date_of_birth"
    POSTCODE = "postcode"
    SOCIAL_HANDLE = "social_handle"
    PERSON_NAME = "person_name"
    REGISTRATION = "registration"


RULE_WORDS: Final = {
    Rule.PHONE: "a telephone number",
    Rule.EMAIL: "an e-mail address",
    Rule.NHS_NUMBER: "an NHS number",
    Rule.PUPIL_NUMBER: "a pupil number",
    Rule.NI_NUMBER: "a National Insurance number",
    Rule.DATE_OF_BIRTH: "a date of birth",
    Rule.POSTCODE: "a full postcode",
    Rule.SOCIAL_HANDLE: "a social media name",
    Rule.PERSON_NAME: "a person's name",
    Rule.REGISTRATION: "a vehicle registration",
}
ALL_RULES: Final = frozenset(Rule)


@dataclass(frozen=True, order=True)
class Finding:
    """A stretch of text that identifies somebody: ``text[start:end]``."""

    start: int
    end: int
    rule: Rule


# A full date this many years old in a note is somebody's birthday rather than an event.
BIRTHDAY_AGE_YEARS: Final = 5

_EMAIL: Final = re.compile(
    r"[A-Za-z0-9._%+'-]+(?:@| @ ?|@ )(?=[A-Za-z0-9-]*[A-Za-z])[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}"
)
_PHONE: Final = re.compile(
    r"(?<![A-Za-z0-9.])(?:\(?(?:\+|00)[\s.-]?44[\s.-]?(?:\(0\)[\s.-]?)?|\(?0(?!0))(?:[\s().-]{0,2}\d){9,10}(?!\d)"
)
_DECIMAL: Final = re.compile(r"\d*\.\d+")
_SPACE: Final = re.compile(r"\s")
# Hashes as references, such as a data.police.uk Crime ID: one in ten thousand begins like a telephone number.
_HASH: Final = re.compile(r"(?<![A-Za-z0-9])(?=\d*[A-Fa-f])(?:[0-9a-f]{32,}|[0-9A-F]{32,})(?![A-Za-z0-9])")
_TEN_DIGITS: Final = re.compile(r"(?<![A-Za-z0-9+])(?<!\d\.)\d{3}[ -]?\d{3}[ -]?\d{4}(?![A-Za-z0-9]|\.\d)")
_PUPIL: Final = re.compile(r"(?<![A-Za-z0-9])[A-Z]\d{11}[0-9A-Z](?![A-Za-z0-9])")
_NI: Final = re.compile(
    r"(?<![A-Za-z0-9])(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?:[ -]?\d\d){3}[ -]?[A-D](?![A-Za-z0-9])", re.IGNORECASE
)  # fmt: skip
_MONTHS: Final = "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
_DATE: Final = (
    rf"(?:\d{{1,2}}[/.\- ]\d{{1,2}}[/.\- ](?:\d{{4}}|\d{{2}})|\d{{4}}[/.-]\d{{1,2}}[/.-]\d{{1,2}}"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?(?:\s+of)?[\s-]+(?:{_MONTHS})[,\s-]+(?:\d{{4}}|\d{{2}})|(?:{_MONTHS})\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+\d{{4}})"
)
_BIRTH_CUE: Final = re.compile(
    rf"(?:\bd\.?\s?o\.?\s?b\b\.?|\bdate\s+of\s+birth\b|\bbirth\s?(?:day|date)\b|\bborn\b|(?<!\w)b\.)"
    rf"(?:\s+(?:is|was|on|in|the))*\s*[:=,-]?\s*({_DATE})(?!\d)", re.IGNORECASE
)  # fmt: skip
_FULL_DATE: Final = re.compile(rf"(?<![\w/.-])({_DATE})(?![\w/])", re.IGNORECASE)
_YEAR: Final = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_POSTCODE: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:[A-PR-UWYZ](?:\d{1,2}|[A-HK-Y]\d{1,2}|\d[A-HJKPS-UW]|[A-HK-Y]\d[ABEHMNPRV-Y])\s{0,2}(\d[ABD-HJLNP-UW-Z]{2})|GIR\s?(0AA))"
    r"(?![A-Za-z0-9])", re.IGNORECASE
)  # fmt: skip
_ORDINAL: Final = re.compile(r"\d(?:st|nd|rd|th)", re.IGNORECASE)
_AT_HANDLE: Final = re.compile(r"(?<![\w.@/])@[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,28}[A-Za-z0-9_])?")
_NETWORKS: Final = r"(?:snap\s?chat|snap|insta\s?gram|insta|ig|sc|tik\s?tok|face\s?book|fb|whats\s?app|telegram|discord|twitter|kik|roblox|xbox|psn)"
_HANDLE: Final = r"(@?[A-Za-z0-9_](?:[A-Za-z0-9_.-]{1,28}[A-Za-z0-9_]))"
_TOLD_HANDLE: Final = re.compile(
    rf"\b{_NETWORKS}\b(?:\s+(?:account|profile|user))?(?:\s*[:=(]\s*|\s+-\s+|\s+(?:name|handle|username|id|tag|as|under)\s*(?:is|was|of)?\s*[:=]?\s*){_HANDLE}"
    rf"|\b(?:user\s?name|screen\s?name|gamer\s?tag|handle)\s*(?:is|was|of)?\s*[:=]?\s*{_HANDLE}", re.IGNORECASE
)  # fmt: skip
_MARKED_HANDLE: Final = re.compile(rf"\b{_NETWORKS}\b\s+(?:is\s+|was\s+|called\s+)?{_HANDLE}", re.IGNORECASE)
_HANDLE_SIGNS: Final = re.compile(r"[A-Za-z].*[\d_.]|[\d_.].*[A-Za-z]")
_MARK: Final = re.compile(
    r"(?<![A-Za-z0-9])[A-HJ-PR-Y][A-HJ-PR-Y]\d\d(\s?)([A-HJ-PR-Z]{3})(?![A-Za-z0-9])", re.IGNORECASE
)
_OLD_MARK: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:[A-HJ-NPR-TV-Y]\d{3}(\s?)([A-Z]{3})|[A-Z]{3}\s?\d{3}[A-HJ-NPR-TV-Y])(?![A-Za-z0-9])", re.IGNORECASE
)  # fmt: skip

_CAPITAL: Final = r"[A-Z\u00c0-\u00de][\w'\u2019-]*"
_TITLES: Final = (
    "Mr|Mrs|Ms|Miss|Mx|Dr|Doctor|Prof|Professor|Rev|PCSO|PC|DC|DS|DI|DCI|Det|Sgt|Sergeant|Insp|Inspector|Cllr|Councillor|Nurse"
    "|Uncle|Aunt|Auntie|Officer|Constable"
)
_ANY_TITLE: Final = f"(?:{_TITLES}|{_TITLES.upper()})"
_TITLED: Final = re.compile(
    rf"(?<![\w'\u2019])(?:{_ANY_TITLE}\b\.?\s+(?:and|AND|&)\s+)?{_ANY_TITLE}\b\.?\s+(?:\d{{2,6}}\s+)?"
    rf"((?:[A-Z]\.?\s+){{0,2}}{_CAPITAL}(?:\s+{_CAPITAL})?)|(?<![\w'\u2019])(?:mr|mrs|ms|dr)\.?\s+([a-z][\w'\u2019-]+)"
)  # fmt: skip
_TITLED_THINGS: Final = frozenset({"world", "martens", "pepper", "chippy", "whippy"})


def scan(
    text: str, *, this_year: int, rules: frozenset[Rule] = ALL_RULES, bare_names: bool = True
) -> tuple[Finding, ...]:
    """Find what identifies a person in a text.

    Parameters
    ----------
    text : str
    this_year : int
        A full date five or more years before it is taken for a date of birth.
    rules : frozenset of Rule
        What to look for.
    bare_names : bool
        Also names without a title. Off for names of agencies and places, which often hold a person's.

    Returns
    -------
    tuple of Finding
        Sorted, not overlapping; the earlier and longer wins.

    Examples
    --------
    >>> [str(one.rule) for one in scan("Ring Mrs Khan on 07700 900123 near Victoria Park", this_year=2026)]
    ['person_name', 'phone']
    """
    found = sorted(
        (one for one in _candidates(text, this_year, bare_names) if one.rule in rules),
        key=lambda one: (one.start, -one.end, one.rule),
    )
    kept: list[Finding] = []
    for one in found:
        if kept and one.start < kept[-1].end:
            if one.end > kept[-1].end:  # two that overlap are taken out as one
                kept[-1] = Finding(kept[-1].start, one.end, kept[-1].rule)
            continue
        kept.append(one)
    return tuple(kept)


def redact(text: str, *, this_year: int, bare_names: bool = True) -> tuple[str, tuple[str, ...]]:
    """Text with each finding replaced by ``[removed: rule]``, and the distinct rules found, sorted.

    What is left is looked through again until nothing is found: taking one thing out may bring two others together.

    Examples
    --------
    >>> redact("DOB 14/03/2010.", this_year=2026)
    ('DOB [removed: date_of_birth].', ('date_of_birth',))
    """
    rules: set[str] = set()
    while found := scan(text, this_year=this_year, bare_names=bare_names):
        rules |= {str(one.rule) for one in found}
        for one in reversed(found):
            text = f"{text[: one.start]}[removed: {one.rule}]{text[one.end :]}"
    return text, tuple(sorted(rules))


def _candidates(text: str, this_year: int, bare_names: bool) -> Iterator[Finding]:
    if _HASH.fullmatch(text):  # most texts of a street-level file are references like this one, each seen once
        return
    if any(character.isdigit() for character in text):
        yield from _numbers(text)
        yield from _birthdays(text, this_year)
        yield from _codes(text)
    yield from _handles(text)
    yield from _titled_names(text)
    if bare_names:
        for start, end in find_names(text):
            yield Finding(start, end, Rule.PERSON_NAME)


def _numbers(text: str) -> Iterator[Finding]:
    import phonenumbers
    from stdnum.gb import nhs, upn

    text = _HASH.sub(lambda match: "#" * len(match[0]), text)
    for match in _PHONE.finditer(text):
        if _DECIMAL.fullmatch(match[0]):
            continue
        number = phonenumbers.parse(_SPACE.sub(" ", match[0]), "GB")  # it takes no other blank between digits
        plain = str(number.national_number)
        if plain.startswith(("7", "1632")) or phonenumbers.is_valid_number(number):
            yield Finding(*match.span(), Rule.PHONE)
    for match in _TEN_DIGITS.finditer(text):
        if nhs.is_valid(match[0]):
            yield Finding(*match.span(), Rule.NHS_NUMBER)
    for match in _PUPIL.finditer(text):
        if upn.is_valid(match[0]):
            yield Finding(*match.span(), Rule.PUPIL_NUMBER)
    for match in _NI.finditer(text):
        yield Finding(*match.span(), Rule.NI_NUMBER)


def _birthdays(text: str, this_year: int) -> Iterator[Finding]:
    for match in _BIRTH_CUE.finditer(text):
        yield Finding(*match.span(1), Rule.DATE_OF_BIRTH)
    for match in _FULL_DATE.finditer(text):
        year = _YEAR.search(match[0])
        if year and int(year[0]) <= this_year - BIRTHDAY_AGE_YEARS:
            yield Finding(*match.span(1), Rule.DATE_OF_BIRTH)


def _codes(text: str) -> Iterator[Finding]:
    for match in _POSTCODE.finditer(text):
        if not _ORDINAL.fullmatch(match[1] or match[2]):
            yield Finding(*match.span(), Rule.POSTCODE)
    for match in (*_MARK.finditer(text), *_OLD_MARK.finditer(text)):
        if not (match[1] and match[2].lower() in SHORT_WORDS):  # "BS16 and" is a postal district in a sentence
            yield Finding(*match.span(), Rule.REGISTRATION)


def _handles(text: str) -> Iterator[Finding]:
    if "@" in text:
        for match in _EMAIL.finditer(text):
            yield Finding(*match.span(), Rule.EMAIL)
        for match in _AT_HANDLE.finditer(text):
            yield Finding(*match.span(), Rule.SOCIAL_HANDLE)
    for match in _TOLD_HANDLE.finditer(text):
        group = 1 if match[1] else 2
        if match[group].lower() not in NOT_SURNAMES | SHORT_WORDS:
            yield Finding(*match.span(group), Rule.SOCIAL_HANDLE)
    for match in _MARKED_HANDLE.finditer(text):
        if _HANDLE_SIGNS.search(match[1]):
            yield Finding(*match.span(1), Rule.SOCIAL_HANDLE)


def _titled_names(text: str) -> Iterator[Finding]:
    for match in _TITLED.finditer(text):
        words = [word.strip(".").lower() for word in (match[1] or match[2]).split()]
        first = next((word for word in words if len(word) > 1), words[0])
        if first not in _TITLED_THINGS | NOT_SURNAMES:
            yield Finding(*match.span(), Rule.PERSON_NAME)
