"""What is compared as numbers says the same as text by text."""

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.membership import among
from geo.same_event_rules import _REFERENCE, _is_reference, _numbered, _plain

TEXTS = st.one_of(
    st.text(max_size=12),
    st.text(st.sampled_from("aZ 019-/_.\t\n\x0b\x1c\x1f\x85\xa0İß\u017f²٣Ⅻ"), max_size=12),
    st.from_regex(r"[A-Z]{0,2}[0-9/ ]{0,10}", fullmatch=True),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=8), st.sampled_from(["", " "]), st.sampled_from(["str", "object"]))
def test_plain_texts_are_those_that_python_makes(texts, space, dtype):
    column = pd.Series([*texts, *texts[:2]], dtype=dtype, index=range(5, 5 + len(texts) + len(texts[:2])))
    expected = [space.join(text.split()).casefold() for text in [*texts, *texts[:2]]]
    found = _plain(column, space)
    assert found.tolist() == expected
    assert found.index.tolist() == column.index.tolist()
    told = _is_reference(_plain(column, ""))
    assert told.tolist() == [_REFERENCE.match("".join(text.split()).casefold()) is not None for text in column]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(*[st.sampled_from(["", "a", "b", "c"])] * 3), max_size=20))
def test_combinations_are_numbered_as_they_come(rows):
    columns = [pd.Series([row[i] for row in rows], dtype=object) for i in range(3)]
    seen = list(dict.fromkeys(rows))
    assert _numbered(columns).tolist() == [seen.index(row) for row in rows]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=2), max_size=20), st.lists(st.binary(max_size=2), max_size=8))
def test_keys_are_found_to_the_last_zero(keys, wanted):
    assert among(pd.Series(keys, dtype=object), wanted).tolist() == [key in wanted for key in keys]
