"""Texts of rows, a column at a time: cleaned, guarded and kept in quarantine as they were row by row."""

import json
import unicodedata

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from geo.guard import Rule, redact, scan
from geo.guard_screen import FEW
from geo.model import RecordKind
from geo.problems import MAX_NOTES, MAX_TEXT, REMOVED, Problems, Reason, keepable, rejections
from geo.validate_texts import clean, guard, refuse_long
from geo.validate_words import read_words
from geo.vocabulary import DETAIL_FIELDS, BadWord, detail_json, detail_value, parse_grade, parse_grade_parts
from tests.test_geo_guard_screen import TEXTS

YEAR = 2026
# Enough distinct texts for a column to be screened.
MANY = [f"R{i:07d}" for i in range(FEW + 1)]
BLANKS = st.sampled_from(
    ["", " ", "\t", "\n", "\x0b", "\x1c", "\x1f", "\x85", "\u00a0", "\u2003", "\u200b", "\x00", "\x7f"]
)
CELLS = st.one_of(
    st.none(),
    st.just(float("nan")),
    st.tuples(BLANKS, st.sampled_from(["", "drugs", REMOVED, f"{REMOVED} phone]", "[x]", "\u00e9t\u00e9", "e\u0301te\u0301", "e\u200d\u0301", "a\u00adb", "\u2028", "~", "!"]), BLANKS).map("".join),
    TEXTS,
)  # fmt: skip


def _cleaned_by_pandas(column):
    seen = ["".join(one for one in text if unicodedata.category(one) != "Cf") for text in column.fillna("").tolist()]
    plain = pd.Series([unicodedata.normalize("NFC", text) for text in seen], dtype=object).str.strip()
    return plain.mask(plain.str.startswith(REMOVED), "").tolist()


@settings(max_examples=100, deadline=None)
@given(st.lists(CELLS, max_size=30))
@example([])
@example(["", None])
@example([" a", "b\u00a0", "\ud800 "])
def test_a_column_is_cleaned_as_pandas_strips_it(cells):
    column = pd.Series(cells, dtype=object)
    before = column.tolist()
    assert clean(column).tolist() == _cleaned_by_pandas(column)
    assert repr(column.tolist()) == repr(before)


@pytest.mark.parametrize("dtype", [object, "str"])
def test_a_column_that_needs_no_cleaning_comes_back_as_it_is(dtype):
    cells = ["drugs", "", "theft from the person", "-2.3"]
    assert clean(pd.Series(cells, dtype=dtype)).tolist() == cells
    assert clean(pd.Series([*cells, None, " x "], dtype=dtype)).tolist() == [*cells, "", "x"]


def test_one_text_has_one_form_whoever_typed_it():
    cells = [
        "Caf\u00e9",
        "Cafe\u0301",
        "\ufeffCaf\u00e9",
        "Ca\u00adfe\u200b\u0301 ",
        "\u212aay",
        "\u200b",
        None,
        "07700\u2011900\u2011123",
    ]
    cleaned = ["Caf\u00e9"] * 4 + ["Kay", "", "", "07700\u2011900\u2011123"]
    assert clean(pd.Series(cells, dtype=object)).tolist() == cleaned
    assert clean(pd.Series(cells, dtype="str")).tolist() == cleaned


def test_a_column_of_plain_ascii_is_not_even_copied():
    column = pd.Series(["drugs", "", "theft from the person"] * 3, dtype=object)
    assert np.shares_memory(clean(column), column.to_numpy(object))


def _guarded_row_by_row(name, texts, *, redacts):
    """What becomes of each text of a field, looked at by itself."""
    bare_names = name not in {"source", "agency", "area", "place", "road", "make"}
    found = [scan(text, this_year=YEAR, bare_names=bare_names) if text else () for text in texts]
    rules = [one[0].rule if one else None for one in found]
    if name in {"id", "urn"}:
        plain = {text for text in texts if text.isdecimal() and len(text) == 10}
        passing = {t for t, rule in zip(texts, rules, strict=True) if rule == Rule.NHS_NUMBER and t.isdecimal()}
        if len(plain) >= 3 and len(passing) * 2 < len(plain):
            rules = [None if text in passing else rule for text, rule in zip(texts, rules, strict=True)]
    safe = [
        redact(text, this_year=YEAR, bare_names=bare_names)[0] if rule and redacts else text
        for text, rule in zip(texts, rules, strict=True)
    ]
    return [rule is not None for rule in rules], safe


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["id", "urn", "notes", "kind", "agency", "place", "make", "colour"]),
    st.lists(TEXTS | st.from_regex(r"[0-9]{10}", fullmatch=True), max_size=20),
    st.booleans(),
    st.booleans(),
)
@example("id", [f"943476591{i}" for i in range(10)], False, False)
@example("id", ["9434765919"], True, True)
def test_a_column_is_guarded_as_its_texts_are(name, some, many, redacts):
    texts = [*some, *some[:3], *(MANY if many else [])]
    held = {name: np.array(texts, dtype=object)}
    given_column, problems = held[name], Problems(len(texts))
    redacted = guard(held, problems, kind=RecordKind.INCIDENTS, this_year=YEAR, redacts=redacts)
    hit, safe = _guarded_row_by_row(name, texts, redacts=redacts)
    assert held[name].tolist() == safe
    assert given_column.tolist() == texts
    assert redacted.tolist() == (hit if redacts else [False] * len(texts))
    assert sorted(problems.found) == ([] if redacts else [i for i, one in enumerate(hit) if one])
    assert all(field == name and reason == Reason.PERSONAL_DATA for field, reason, _ in problems.found.values())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=15), st.booleans())
@example([("x" * (MAX_TEXT + 1), "14/03/2009", "AB12CDE")], False)
def test_quarantine_holds_of_each_row_what_may_be_kept_of_each_text(cells, many):
    fields = ("kind", "date", "registration")
    cells = [tuple(text.replace("\ud800", "") for text in one) for one in cells]  # no store takes half a character
    cells += [(one, one, one) for one in MANY] if many else []
    rows = pd.DataFrame(cells, columns=list(fields), dtype=object)
    problems = Problems(len(rows))
    problems.add(np.ones(len(rows), bool), "kind", Reason.UNKNOWN_WORD, "what was wrong")
    kept = rejections(rows, np.arange(len(rows)), problems, this_year=YEAR)
    for texts, row, detail in zip(cells, kept["row"], kept["detail"], strict=True):
        wanted = {f: keepable(f, t, this_year=YEAR) for f, t in zip(fields, texts, strict=True) if t}
        assert json.loads(row) == wanted
        assert (detail == "what was wrong") == (wanted.get("kind", texts[0]) == texts[0])


def test_texts_are_refused_by_their_characters_and_not_their_bytes():
    texts = {
        "kind": np.array(["\u00e9" * MAX_TEXT, "e" * (MAX_TEXT + 1), ""], dtype=object),
        "notes": np.array(["\u00e9" * MAX_NOTES, "", "e" * (MAX_NOTES + 1)], dtype=object),
    }
    problems = Problems(3)
    refuse_long(texts, problems)
    assert {row: (field, reason) for row, (field, reason, _) in problems.found.items()} == {
        1: ("kind", Reason.TOO_LONG),
        2: ("notes", Reason.TOO_LONG),
    }


OBSERVED = st.fixed_dictionaries(
    {
        "count_band": st.sampled_from(["", "1-2", "3\u20135", "6+", "many"]),
        "indicators": st.sampled_from(["", ";", "alcohol", "Gifts; alcohol", "gifts;alcohol", "rain"]),
        "referral_made": st.sampled_from(["", "yes", "TRUE", "n", "perhaps"]),
        "area": st.sampled_from(["", "north  side", "south"]),
        "grade": st.sampled_from(["", "1AP", "b24", "9ZZ"]),
        "source_grade": st.sampled_from(["", "1", "B", "x"]),
        "information_grade": st.sampled_from(["", "A", "2"]),
    }
)


def _read(reader, *texts):
    """Value and whether the text is of its words."""
    try:
        return (reader(*texts), True) if any(texts) else ("", True)
    except BadWord:
        return "", False


@settings(max_examples=60, deadline=None)
@given(st.lists(OBSERVED, min_size=1, max_size=30))
def test_words_are_read_as_each_row_says_them(rows):
    texts = {name: np.array([row[name] for row in rows], dtype=object) for name in rows[0]}
    problems = Problems(len(rows))
    found = read_words(texts, problems, RecordKind.OBSERVATIONS)
    columns = {name: np.broadcast_to(np.asarray(values, dtype=object), len(rows)) for name, values in found.items()}
    details = [name for name in DETAIL_FIELDS[RecordKind.OBSERVATIONS] if name in texts]
    for i, row in enumerate(rows):
        read = {name: _read(lambda text, name=name: detail_value(name, text), row[name]) for name in details}
        whole, whole_good = _read(parse_grade, row["grade"])
        parts, parts_good = _read(parse_grade_parts, row["source_grade"], row["information_grade"], "")
        assert columns["detail"][i] == detail_json({n: v for n, (v, _) in read.items() if v not in ("", [])})
        graded = [columns[f"grade_{name}"][i] for name in ("scheme", "source", "information", "handling")]
        assert graded == list(whole or parts or ("", "", "", ""))
        assert problems.good[i] == (whole_good and parts_good and all(good for _, good in read.values()))
