"""Notes as youth workers, police and council officers write them: some with personal data planted, some clean.

Nothing planted belongs to anybody: telephone numbers come from Ofcom's ranges for drama, NHS numbers begin with 9,
which is not issued, and e-mail addresses stand on reserved domains. A value is the identifying part as written ("Khan",
not "Mr Khan"), is at least four characters long, occurs once in its text and in no clean text, so that a search for its
bytes in a store means something.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from string import Formatter, ascii_uppercase
from typing import NamedTuple

from stdnum.gb import nhs

from tests.corpus_words import (
    CARRIERS,
    CLEAN,
    COUPLES,
    DOMAINS,
    FIRST_NAMES,
    HANDLES,
    MONTHS,
    OUTWARD,
    PHONES,
    POOLS,
    STEMS,
    SURNAMES,
    TITLES,
)

ENDINGS = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd"}
Pair = tuple[str, str]  # as written, and the identifying part of it


@dataclass(frozen=True)
class Planted:
    """A note with personal data in it: each value and its rule, in order of appearance."""

    text: str
    rules: tuple[str, ...]
    values: tuple[str, ...]

    @property
    def rule(self) -> str:
        return self.rules[0]


def planted_texts(count: int = 200, seed: int = 1) -> list[Planted]:
    """Notes with one or two identifiers each, in fixed proportions of the rules."""
    random = Random(seed)
    kinds = [kind for kind, one in KINDS.items() for _ in range(one.share)]
    kinds = (kinds * (count // len(kinds) + 1))[:count]
    random.shuffle(kinds)
    return [_plant(random, kind) for kind in kinds]


def clean_texts(count: int = 200, seed: int = 1) -> list[str]:
    """Notes without personal data, full of places, brands and figures that look like it."""
    random = Random(f"clean {seed}")
    texts: dict[str, None] = {}
    while len(texts) < count:
        frames = random.sample(CLEAN, random.choice((1, 2, 2, 3)))
        texts[_as_typed(random, [_fill(random, frame)[0] for frame in frames], lower=True)[0]] = None
    return list(texts)


def _plant(random: Random, kind: str) -> Planted:
    """Put one identifier, or two, somewhere among clean sentences."""
    while True:
        frames, chance = [random.choice(CARRIERS[kind])], random.random()
        if chance < 0.1:
            frames = [random.choice(COUPLES)]
        elif chance < 0.2:
            other = random.choice([one for one in KINDS if KINDS[one].rule != KINDS[kind].rule])
            frames.append(random.choice(CARRIERS[other]))
        around = random.sample(CLEAN, random.choice((0, 1, 1, 2)))
        before = random.randint(0, len(around))
        filled = [_fill(random, frame) for frame in (*around[:before], *frames, *around[before:])]
        found = [one for _, planted in filled for one in planted]
        rules = tuple(rule for rule, _ in found)
        # A name without its capitals is a word among words; nobody promises to find it.
        text, case = _as_typed(random, [text for text, _ in filled], lower="person_name" not in rules)
        values = tuple(case(value) for _, value in found)
        if all(text.count(value) == 1 for value in values):
            return Planted(text, rules, values)


def _as_typed(random: Random, sentences: list[str], *, lower: bool) -> tuple[str, Callable[[str], str]]:
    """Join the sentences as a hurried person would; a few notes are wholly in capitals or wholly without."""
    stopped = [one if one[-1] in ".,:;" else f"{one}." for one in sentences[:-1]]
    text = random.choice((" ", " ", " ", "\n", " - ")).join([*stopped, sentences[-1]])
    if random.random() < 0.25:
        text = text.removesuffix(".")
    chance = random.random()
    case: Callable[[str], str] = str.upper if chance < 0.04 else str.lower if lower and chance < 0.1 else str
    return case(text), case


def _fill(random: Random, frame: str) -> tuple[str, list[Pair]]:
    """Return the sentence with its gaps filled, and what was planted in it as (rule, value)."""
    text, planted = "", []
    for literal, gap, _, _ in Formatter().parse(frame):
        text += literal
        if gap in KINDS:
            written, value = KINDS[gap].make(random)
            text += written
            planted.append((KINDS[gap].rule, value))
        elif gap:
            text += _plain(random, gap)
    return text, planted


def _plain(random: Random, gap: str) -> str:
    """Pick from a pool, each # a digit; ten digits that happen to be an NHS number would not be clean."""
    while True:
        word = _digits(random, random.choice(POOLS[gap]))
        if not nhs.is_valid(re.sub(r"\D", "", word)):
            return word


def _digits(random: Random, pattern: str) -> str:
    return re.sub("#", lambda _: str(random.randrange(10)), pattern)


def _letters(random: Random, count: int, without: str) -> str:
    return "".join(random.choices([letter for letter in ascii_uppercase if letter not in without], k=count))


def _phone(random: Random) -> Pair:
    number = _digits(random, random.choice(PHONES))
    return number, number


def _email(random: Random) -> Pair:
    first, last = random.choice(FIRST_NAMES).lower(), random.choice(("smith", "khan", "obrien", "nowak"))
    local = random.choice((f"{first}.{last}", f"{first}{last}##", f"{first[0]}_{last}#", f"{first}-{last}+work"))
    address = _digits(random, local).replace("é", "e") + "@" + random.choice(DOMAINS)
    return random.choice(("{}", "{}", "<{}>", "e-mail: {}")).format(address), address


def _nhs_number(random: Random) -> Pair:
    digits = ""
    while not nhs.is_valid(digits):
        digits = _digits(random, "9#########")
    number = random.choice((" ", " ", "", "-")).join((digits[:3], digits[3:6], digits[6:]))
    return random.choice(("NHS no ", "NHS no. ", "NHS number: ", "NHS ", "nhs num ", "NHS No.", "")) + number, number


def _ni_number(random: Random) -> Pair:
    prefix = "GB"
    while prefix in {"BG", "GB", "NK", "KN", "TN", "NT", "ZZ"}:
        prefix = _letters(random, 1, "DFIQUV") + _letters(random, 1, "DFIOQUV")
    pattern = random.choice(("{} ## ## ## {}", "{} ## ## ## {}", "{}######{}", "{} ###### {}", "{}-##-##-##-{}"))
    number = _digits(random, pattern.format(prefix, random.choice("ABCD")))
    number = random.choice((number, number, number.lower()))
    return random.choice(("NI no ", "NI number ", "NINO ", "NI: ", "National Insurance number ", "")) + number, number


def _date_of_birth(random: Random) -> Pair:
    year = random.choice((random.randint(2006, 2017), random.randint(2006, 2017), random.randint(1968, 2005)))
    day, month = random.randint(1, 28), random.randrange(12)
    ordinal = f"{day}{ENDINGS.get(day, 'th')}"
    name = MONTHS[month]
    numeric = random.choice(
        (
            f"{day:02}/{month + 1:02}/{year}",
            f"{day:02}/{month + 1:02}/{year}",
            f"{day}/{month + 1}/{year % 100:02}",
            f"{day:02}-{month + 1:02}-{year}",
            f"{day}.{month + 1}.{year % 100:02}",
            f"{day:02}.{month + 1:02}.{year}",
            f"{year}-{month + 1:02}-{day:02}",
        )
    )
    worded = random.choice(
        (f"{ordinal} {name} {year}", f"{day} {name} {year}", f"{day} {name[:3]} {year}", f"{ordinal} of {name} {year}")
    )
    label = random.choice(("DOB {}", "DOB: {}", "dob {}", "d.o.b. {}", "D.O.B {}", "DoB - {}", "date of birth {}"))
    before = random.choice(("born {}", "born on {}", "b. {}", "Date of Birth: {}"))
    value = random.choice((numeric, numeric, worded))
    return random.choice((label, label, before)).format(value), value


def _postcode(random: Random) -> Pair:
    outward = _digits(random, random.choice(OUTWARD))
    inward = _digits(random, "#") + _letters(random, 2, "CIKMOV")
    code = random.choice((" ", " ", "")).join((outward, inward))
    return (random.choice((code, code, code.lower())),) * 2


def _social_handle(random: Random) -> Pair:
    stem = random.choice(STEMS)
    written = random.choice((stem + "_##", stem + "##", stem + ".x#", "its_" + stem, stem + "xo_", "real." + stem))
    handle = _digits(random, written)
    return random.choice(HANDLES).format(handle), handle


def _titled(random: Random) -> Pair:
    last = random.choice(SURNAMES)
    first = random.choice(FIRST_NAMES)
    name = random.choice((last, last, last, last, f"{first[0]}. {last}", f"{first[0]} {last}", f"{first} {last}"))
    written = _digits(random, random.choice(TITLES)) + " " + name
    return (written.upper(), name.upper()) if random.random() < 0.06 else (written, name)


def _full_name(random: Random) -> Pair:
    first, last = random.choice(FIRST_NAMES), random.choice(SURNAMES)
    forms = [f"{first} {last}"] * 7
    forms += [f"{first} {last}-{random.choice(SURNAMES)}", f"{first} {last.upper()}", f"{last.upper()}, {first}"]
    return (random.choice(forms),) * 2


def _first_name(random: Random) -> Pair:
    return (random.choice(FIRST_NAMES),) * 2


def _registration(random: Random) -> Pair:
    age = random.choice([*range(2, 27), *range(51, 76)])
    current = f"{_letters(random, 2, 'IJQTUXZ')}{age:02} {_letters(random, 3, 'IQ')}"
    prefix = (
        _letters(random, 1, "IOQUZ") + _digits(random, f"{random.randint(1, 9)}##") + f" {_letters(random, 3, 'IQ')}"
    )
    mark = random.choice((current, current, current, prefix))
    mark = random.choice((mark, mark, mark.replace(" ", "")))
    return (random.choice((mark, mark, mark.lower())),) * 2


class Kind(NamedTuple):
    """A way to plant: the rule that should find it, how many among 46 notes, and its maker."""

    rule: str
    share: int
    make: Callable[[Random], Pair]


KINDS = {
    "phone": Kind("phone", 6, _phone),
    "email": Kind("email", 3, _email),
    "nhs_number": Kind("nhs_number", 3, _nhs_number),
    "ni_number": Kind("ni_number", 3, _ni_number),
    "date_of_birth": Kind("date_of_birth", 5, _date_of_birth),
    "postcode": Kind("postcode", 5, _postcode),
    "social_handle": Kind("social_handle", 5, _social_handle),
    "titled": Kind("person_name", 4, _titled),
    "full_name": Kind("person_name", 4, _full_name),
    "first_name": Kind("person_name", 4, _first_name),
    "registration": Kind("registration", 4, _registration),
}
