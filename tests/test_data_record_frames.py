"""Records read in bulk are those of the plain query in the order of their keys, whatever their texts hold."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import record_frames
from data.record_frames import MARK, in_key_order, unpacked
from geo.model import Scope
from tests.files import load, row, write_csv

SCOPE = Scope(actor="test")

KEYS = st.one_of(
    st.lists(st.binary(min_size=32, max_size=32), unique=True, max_size=20),
    st.lists(st.binary(min_size=1, max_size=2).map(lambda one: (one * 32)[:32]), unique=True, max_size=20),
    st.lists(st.tuples(st.sampled_from([b"a" * 8, b"b" * 8]), st.binary(min_size=24, max_size=24)).map(b"".join), unique=True),
    st.lists(st.binary(max_size=5), unique=True, max_size=20),
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(KEYS)
def test_rows_come_in_the_order_of_their_keys(keys):
    frame = pd.DataFrame({"record_key": np.array([*keys, None], object)[:-1], "row": np.arange(len(keys))})
    found = in_key_order(frame)
    assert found["record_key"].tolist() == sorted(keys)
    assert [keys[row] for row in found["row"]] == sorted(keys)
    assert found.index.tolist() == list(range(len(keys)))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.text(max_size=3), min_size=10, max_size=10), max_size=12))
def test_texts_are_told_apart_or_refused(rows):
    packed = pd.DataFrame(
        {name: [0] * len(rows) for name in record_frames._COLUMNS if name not in record_frames._TEXTS}
    )
    packed["texts"] = pd.Series([MARK.join(row) for row in rows], dtype="str")
    found = unpacked(packed)
    if any(MARK in text for row in rows for text in row):
        assert found is None
    else:
        assert found[list(record_frames._TEXTS)].to_numpy().tolist() == rows
        assert found.columns.tolist() == list(record_frames._COLUMNS)


@pytest.mark.parametrize("said", ["fight", f"fi{MARK}ght", ""])
def test_what_is_read_is_what_the_plain_query_says(lapwing, tmp_path, monkeypatch, said):
    load(lapwing, write_csv(tmp_path / "a.csv", [row(n) for n in range(30)] + [row(30, kind="theft")]))
    database = lapwing.store.database
    database.script(f"UPDATE record SET category = '{said}' WHERE category = 'theft';")
    kinds = ["incidents", "observations"]
    found = lapwing.store.evidence.records(SCOPE, kinds)
    monkeypatch.setattr("data.evidence.unpacked", lambda _: None)
    plain = lapwing.store.evidence.records(SCOPE, kinds)
    assert len(found) == 31
    assert said in set(found["category"])
    assert found["record_key"].is_monotonic_increasing
    pd.testing.assert_frame_equal(found, plain)
    assert lapwing.store.evidence.records(SCOPE, ["sightings"]).columns.tolist() == found.columns.tolist()
