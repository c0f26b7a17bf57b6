"""The guard over columns finds exactly what it finds text by text."""

import hashlib
import re
import string
import unicodedata
import uuid

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from stdnum.gb import nhs, upn

from geo import guard_patterns, guard_screen
from geo.guard import Rule, scan
from geo.guard_reading import DASH, read
from geo.guard_screen import FEW, first_rules, may_identify
from geo.names import find_names
from geo.names_screen import BEGUN_WORD, BLANKS
from geo.wordlists import (
    ALSO_WORDS,
    FIRST_NAMES,
    MEETING_WORDS,
    PERSON_VERBS,
    PERSON_WORDS,
    PLACE_LEADS,
    PLACE_WORDS,
)
from tests.corpus import clean_texts, planted_texts
from tests.test_geo_guard import CLEAN, FOUND, NOT_FOUND

YEAR = 2026
PADDING = ["R0000001"] * (FEW + 1)  # fewer texts are not screened at all

PATTERNS = {
    name: getattr(guard_patterns, name)
    for name in [
        "EMAIL",
        "AT_HANDLE",
        "PHONE",
        "TEN_DIGITS",
        "PUPIL",
        "NI",
        "BIRTH_CUE",
        "FULL_DATE",
        "POSTCODE",
        "MARK",
        "OLD_MARK",
        "TOLD_HANDLE",
        "TITLED",
    ]
}

# Dashes of a pattern where it looks ahead, which its screen does not.
DASHES_AHEAD = {"EMAIL": 1}

# Halves of identifiers, words that make names or places of each other, and every odd blank, digit and letter.
WORDS = [
    *["Chloe", "Smith", "Victoria", "Park", "Maria", "Rose", "Mark", "May", "Will", "Jordan", "St", "st.", "Royal", "King", "Lord", "girl", "lad", "called", "with", "met", "saw", "told"],
    *["said", "went", "was", "Street", "Cafe", "O'Brien", "Kayleigh-Ann", "Ann-Marie", "off-licence", "snap", "insta", "Snapchat", "username", "handle", "kayz_09"],
    *["kay.xo", "Mr", "Mrs", "DR", "PC", "Uncle", "and", "&", "Khan", "the", "removed", "dob", "born", "b.", "GIR", "0AA", "ba12ab", "BA1", "2AB", "AB12", "CDE", "ab12cde", "R482", "KTW"],
    *["AB123456C", "9434765919", "A123456789012", "07700", "900123", "07700900123", "+44", "14/03/2009", "2010-03-14", "2026-03-14", "3rd", "May", "2010"],
    *["a@example.com", "@kayz_09", "@", "1st", "bs16", "12", "1", "0"], "f" * 31 + "1", "0A" * 16, "e\u0301", "Chlo\u00eb", "\u212aay",
    "Chloe\u0301", "Ch\u200bloe", "07700\u2011900\u2011123", "07700\u2013900\u2212123", "0770\u00ad0900123", "\uff10\uff17\uff17\uff10\uff10900123", "14\u201303\u20132009",
    "\u017fam", "\u0130", "\u0131", "\u0662", "\uff10\uff17\uff17\uff10\uff10", "\u00b2", "\u00bd", "\ud800", "Jos\u00e9", "\u041c\u0430\u0440\u043a",
]  # fmt: skip
GAPS = [
    *[" "] * 8, "", ",", ", ", ". ", ".", "-", "'s ", "'s", "'S ", "' ", "\u2019s ", "\u2019", "_", "9", " - ", ": ", "(", ")", "/", "@", "+", "|", "#",
    "\n", "\t", "\r", "\x0b", "\x1c", "\x1f ", "\x85", "\u00a0", "\u2003", "\u2013", "\u00a3",
    "\u200b", "\u00ad", "\u202e", "\u0301", "\ufe0f", "\u2011", "\u2014", "\u2212", " \u2013 ", "\u202f", "~", "\u2028",
]  # fmt: skip
CASES = [str, str, str.lower, str.upper, str.capitalize, str.swapcase]
PIECES = st.tuples(st.sampled_from(WORDS), st.sampled_from(CASES), st.sampled_from(GAPS)).map(
    lambda one: one[1](one[0]) + one[2]
)
TEXTS = st.lists(PIECES, max_size=7).map("".join) | st.text(max_size=60)


def _text_by_text(texts, *, bare_names=True, rules=frozenset(Rule), this_year=YEAR):
    found = {i: scan(text, this_year=this_year, rules=rules, bare_names=bare_names) for i, text in enumerate(texts)}
    return {i: findings[0].rule for i, findings in found.items() if findings}


def _column(texts):
    return np.array([*texts, *PADDING], dtype=object)


def _screened(texts, **options):
    return may_identify(_column(texts), this_year=YEAR, **options)[: len(texts)].tolist()


def _same(texts, **options):
    options = {"this_year": YEAR} | options
    assert first_rules(_column(texts), **options) == _text_by_text(texts, **options)


@settings(max_examples=150, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=25), st.booleans(), st.sampled_from([1903, 2012, 2026, 2150]))
@example(["St. Chloe"], True, YEAR)
@example(["Maria's Jann Park with Chloe"], True, YEAR)
@example(["ab12" * 8 + "+44 7700 900123"], True, YEAR)
@example(["Victoria Park-keeper", "x-Victoria Park", "Victoria Park Chloe"], True, YEAR)
def test_a_column_is_found_what_its_texts_are(texts, bare_names, this_year):
    _same(texts, bare_names=bare_names, this_year=this_year)


@pytest.mark.parametrize("seed", range(1, 6))
def test_the_corpora_are_found_the_same(seed):
    planted = [one.text for one in planted_texts(200, seed)]
    clean = clean_texts(200, seed)
    _same(planted + clean)
    _same(planted + clean, bare_names=False)
    _same([text.upper() for text in planted] + [text.lower() for text in planted])
    _same([text.replace(" ", "\u00a0").replace("'", "\u2019") for text in planted])
    _same([unicodedata.normalize("NFD", text) for text in planted], rules=frozenset(Rule) - {Rule.DATE_OF_BIRTH})


@pytest.mark.parametrize(
    "before", ["", " ", "x", "9", "_", "-", ".", "(", "'", "\n", "\x1c", "\u2019", "\u00e9", "St "]
)
@pytest.mark.parametrize("after", ["", "x", "0", "_", "-a", "'s x", ".", "\n", "\u2019s Cafe", " Park"])
def test_every_known_look_is_found_whatever_stands_beside_it(before, after):
    known = [text for _, text, _ in FOUND] + [value for _, _, value in FOUND] + [text for _, text in NOT_FOUND] + CLEAN
    _same([before + text + after for text in known])


def test_every_given_name_is_found_in_every_place_that_makes_it_one():
    frames = [
        "{}",
        "{} Park",
        "St {}",
        "{}'s Cafe",
        "{}'s",
        "a girl called {}",
        "met {} there",
        "{} said",
        "{} Smith",
        "{}, gone",
        "{}-Ann",
        "9{}",
        "in {}",
    ]
    cases = (str, str.lower, str.upper, str.capitalize)
    texts = [
        frame.format(case(name)) for name in sorted(FIRST_NAMES | ALSO_WORDS) for frame in frames for case in cases
    ]
    suspect = _screened(texts)
    missed = [text for text, looked_at in zip(texts, suspect, strict=True) if not looked_at and list(find_names(text))]
    assert missed == []
    assert sum(suspect) < len(texts)


@pytest.mark.parametrize("words", [PLACE_WORDS, PLACE_LEADS, PERSON_WORDS, MEETING_WORDS, PERSON_VERBS])
def test_every_word_that_makes_or_unmakes_a_name_does_so_in_a_column(words):
    texts = [
        f"{gap.join(pair)}{end}"
        for word in sorted(words)
        for name in ("Chloe", "Rose", "rose", "VICTORIA")
        for pair in ((name, word), (word, name), (word.capitalize(), name), (name, word.upper()), (word, "a", name))
        for gap in (" ", ". ", "\n")
        for end in ("", "'s", "-x", ".")
    ]
    _same(texts)


@pytest.mark.parametrize("name", PATTERNS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_what_a_rule_matches_its_screen_matches(name, data):
    pattern = PATTERNS[name]
    ascii_only = st.characters(codec="ascii")
    text = data.draw(st.from_regex(pattern, alphabet=ascii_only))
    assert pc.match_substring_regex(pa.array([text]), guard_screen._widened(pattern)).to_pylist() == [True]


@settings(max_examples=200, deadline=None)
@given(st.from_regex(guard_patterns.MARKED_HANDLE, alphabet=st.characters(codec="ascii")))
def test_a_marked_handle_with_a_sign_is_screened_by_its_sign(text):
    signed = any(guard_patterns.HANDLE_SIGNS.search(one[1]) for one in guard_patterns.MARKED_HANDLE.finditer(text))
    pattern = guard_screen._widened(guard_patterns.SIGNED_HANDLE)
    assert pc.match_substring_regex(pa.array([text]), pattern).to_pylist()[0] >= signed


def test_nothing_of_a_screen_looks_ahead_or_behind():
    for pattern in PATTERNS.values():
        assert not re.search(r"\(\?<?[=!]|\\s|\\u", guard_screen._widened(pattern))


def test_python_and_the_automaton_take_the_same_ascii_for_blanks_digits_and_words():
    every = [chr(i) for i in range(128)]
    for python, automaton in ((r"\s", f"[{BLANKS}]"), (r"\d", r"\d"), (r"\w", r"\w")):
        found = pc.match_substring_regex(pa.array(every), automaton).to_pylist()
        assert found == [bool(re.match(python, one)) for one in every]
    assert [one for one in every if one.isspace()] == [one for one in every if re.match(f"[{BLANKS}]", one)]


def test_a_mark_that_is_taken_for_a_plain_character_is_no_letter_digit_or_blank():
    for mark in set(map(chr, guard_screen._PLAIN)) - {DASH}:
        assert not re.match(r"[\w\s]", mark)
        assert unicodedata.normalize("NFD", mark) == mark
        written = (mark, f"\\u{ord(mark):04x}")
        named = [name for name, pattern in PATTERNS.items() if any(one in pattern.pattern for one in written)]
        assert named == ([] if mark != "\u2019" else ["TITLED"])
    assert all("|" not in one for pattern in PATTERNS.values() for one in re.findall(r"\[[^\]]*\]", pattern.pattern))


@pytest.mark.parametrize("dash", ["\u2012", "\u2013", "\u2014", "\u2015", "\u2212"])
def test_a_dash_is_to_the_screen_what_it_is_to_the_guard(dash):
    sign = guard_screen._plainer(np.array([dash], dtype=object), np.array([False])).to_pylist()[0]
    assert sign == guard_screen._PLAIN[ord(read(dash)[0])]
    for name, pattern in PATTERNS.items():
        assert sign not in pattern.pattern
        assert guard_screen._widened(pattern).count(sign) == pattern.pattern.count("\\u2013") - DASHES_AHEAD.get(
            name, 0
        )
    known = [text for _, text, _ in FOUND] + [text for _, text in NOT_FOUND] + CLEAN
    _same([text.replace("-", dash) for text in known])
    _same([text.replace(" ", dash) for text in known])
    _same([dash + text + dash + text for text in known])
    assert _screened([f"14{dash}03{dash}2009", f"seen{dash}14/03/2009", f"Rose Garden {dash} gate"]) == [
        True,
        True,
        False,
    ]


def test_no_break_blanks_other_digits_and_hidden_characters_are_screened_as_they_read():
    texts = ["Victoria\u00a0Park", "Rose\u00ad Garden", "\u202eunit 4", "\uff11\uff12", "half\u2011term", "x\ufe0f"]
    assert not any(_screened(texts))
    assert all(_screened(["Chlo\u200be", "BS1\u00a04DJ", "\uff107700 900123", "07700\u2011900\u2011123", "e\u0301t"]))


def test_the_words_of_the_screen_for_names_are_what_it_takes_them_for():
    names = FIRST_NAMES | ALSO_WORDS
    assert all(set(name) <= set(string.ascii_lowercase) and len(name) >= 2 for name in names)
    assert all(re.search(BEGUN_WORD, name) for name in names)


def test_plain_columns_are_left_out():
    ids = [f"R{i:07d}" for i in range(300)] + [f"AV-2026-{i:05d}" for i in range(300)] + [str(i) for i in range(300)]
    hashes = [hashlib.sha256(str(i).encode()).hexdigest() for i in range(300)]
    uuids = [str(uuid.UUID(bytes=hashlib.md5(str(i).encode()).digest())) for i in range(300)]
    kinds = ["drugs", "anti-social behaviour", "theft from the person", "", "51.38112345", "-2.35904321"] * 50
    places = [
        "Victoria Park",
        "St James's Square",
        "Maria\u2019s Cafe",
        "Rose Garden \u2013 gate",
        "Mark on the wall. May half-term",
    ] * 50
    assert not any(_screened(ids + kinds + places))
    assert sum(_screened(hashes + uuids)) < 30


@settings(max_examples=50, deadline=None)
@given(st.lists(st.from_regex(r"[0-9]{10}", fullmatch=True), min_size=1, max_size=50))
@example(["9434765919", "9434765918", "0117496012"])
def test_ten_digits_are_looked_at_only_where_their_check_holds(digits):
    screened = _screened(digits)
    assert screened == [one[0] == "0" or nhs.is_valid(one) for one in digits]
    _same(digits)


@settings(max_examples=50, deadline=None)
@given(
    st.from_regex(r"[0-9]{12}", fullmatch=True),
    st.sampled_from(["", " ", "(", "seen "]),
    st.sampled_from(["", ".", " a"]),
)
def test_a_pupil_number_is_found_in_a_column(digits, before, after):
    digits = "801" + digits[3:]  # a local authority that there is
    text = f"{before}{upn.calc_check_digit('?' + digits)}{digits}{after}"
    assert first_rules(_column([text]), this_year=YEAR) == {0: Rule.PUPIL_NUMBER}


def test_a_column_with_half_a_character_is_looked_at_whole():
    assert all(may_identify(_column(["\ud800 Chloe", "R1"]), this_year=YEAR))
    assert first_rules(_column(["\ud800 Chloe", "R1"]), this_year=YEAR) == {0: Rule.PERSON_NAME}


@pytest.mark.parametrize("count", [0, 1, FEW, FEW + 1])
def test_a_column_may_be_of_any_length(count):
    texts = np.array(["Mrs Khan", *["R0000001"] * (FEW + 1)][:count], dtype=object)
    assert first_rules(texts, this_year=YEAR) == ({0: Rule.PERSON_NAME} if count else {})
