"""The guard over free text: what names, numbers and addresses of people look like, and how they are taken out.

It finds what it knows the look of, in texts as they read (`geo.guard_reading`). It is the second line of defence: the first
is that no column asks for a person.

Sources: libphonenumber's metadata (``phonenumbers``); check digits of NHS numbers and of unique pupil numbers
(``python-stdnum``); HMRC, *National Insurance Manual*, NIM39110 (prefixes); BS 7666 (postcodes); DVLA, *INF104* (marks).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from geo import guard_patterns as looks
from geo.guard_reading import DASH, read
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
    plain, starts = read(text)
    found = sorted(
        (one for one in _candidates(plain, this_year, bare_names) if one.rule in rules),
        key=lambda one: (one.start, -one.end, one.rule),
    )
    kept: list[Finding] = []
    for one in found:
        if kept and one.start < kept[-1].end:
            if one.end > kept[-1].end:  # two that overlap are taken out as one
                kept[-1] = Finding(kept[-1].start, one.end, kept[-1].rule)
            continue
        kept.append(one)
    return tuple(kept if starts is None else (Finding(starts[one.start], starts[one.end], one.rule) for one in kept))


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
    if looks.HASH.fullmatch(text):  # most texts of a street-level file are references like this one, each seen once
        return
    if any(character.isdigit() for character in text):
        yield from _numbers(text)
        yield from _birthdays(text, this_year)
        yield from _codes(text)
    yield from _handles(text)
    yield from _titled_names(text)
    if bare_names:
        for start, end in find_names(text):
            yield Finding(start, _name_end(text, end), Rule.PERSON_NAME)


def _name_end(text: str, end: int) -> int:
    on = looks.DASHED_ON.match(text, end)
    return on.end() if on else end


def _numbers(text: str) -> Iterator[Finding]:
    import phonenumbers
    from stdnum.gb import nhs, upn

    text = looks.HASH.sub(lambda match: "#" * len(match[0]), text)
    for match in looks.PHONE.finditer(text):
        if looks.DECIMAL.fullmatch(match[0]):
            continue
        plain_blanks = looks.SPACE.sub(" ", match[0])  # it takes no other between digits
        number = phonenumbers.parse(plain_blanks.replace(DASH, "-"), "GB")
        plain = str(number.national_number)
        if plain.startswith(("7", "1632")) or phonenumbers.is_valid_number(number):
            yield Finding(*match.span(), Rule.PHONE)
    for match in looks.TEN_DIGITS.finditer(text):
        if nhs.is_valid(match[0].replace(DASH, "-")):
            yield Finding(*match.span(), Rule.NHS_NUMBER)
    for match in looks.PUPIL.finditer(text):
        if upn.is_valid(match[0]):
            yield Finding(*match.span(), Rule.PUPIL_NUMBER)
    for match in looks.NI.finditer(text):
        yield Finding(*match.span(), Rule.NI_NUMBER)


def _birthdays(text: str, this_year: int) -> Iterator[Finding]:
    for match in looks.BIRTH_CUE.finditer(text):
        yield Finding(*match.span(1), Rule.DATE_OF_BIRTH)
    for match in looks.FULL_DATE.finditer(text):
        year = looks.YEAR.search(match[0])
        if year and int(year[0]) <= this_year - looks.BIRTHDAY_AGE_YEARS:
            yield Finding(*match.span(1), Rule.DATE_OF_BIRTH)


def _codes(text: str) -> Iterator[Finding]:
    for match in looks.POSTCODE.finditer(text):
        if not looks.ORDINAL.fullmatch(match[1] or match[2]):
            yield Finding(*match.span(), Rule.POSTCODE)
    for match in (*looks.MARK.finditer(text), *looks.OLD_MARK.finditer(text)):
        if not (match[1] and match[2].lower() in SHORT_WORDS):  # "BS16 and" is a postal district in a sentence
            yield Finding(*match.span(), Rule.REGISTRATION)


def _handles(text: str) -> Iterator[Finding]:
    if "@" in text:
        for match in looks.EMAIL.finditer(text):
            yield Finding(*match.span(), Rule.EMAIL)
        for match in looks.AT_HANDLE.finditer(text):
            yield Finding(*match.span(), Rule.SOCIAL_HANDLE)
    for match in looks.TOLD_HANDLE.finditer(text):
        group = 1 if match[1] else 2
        if match[group].lower() not in NOT_SURNAMES | SHORT_WORDS:
            yield Finding(*match.span(group), Rule.SOCIAL_HANDLE)
    for match in looks.MARKED_HANDLE.finditer(text):
        if looks.HANDLE_SIGNS.search(match[1]):
            yield Finding(*match.span(1), Rule.SOCIAL_HANDLE)


def _titled_names(text: str) -> Iterator[Finding]:
    for match in looks.TITLED.finditer(text):
        words = [word.strip(".").lower() for word in (match[1] or match[2]).split()]
        first = next((word for word in words if len(word) > 1), words[0])
        if first not in looks.TITLED_THINGS | NOT_SURNAMES:
            yield Finding(match.start(), _name_end(text, match.end()), Rule.PERSON_NAME)
