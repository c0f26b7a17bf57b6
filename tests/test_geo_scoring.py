"""The listing order and its components."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.scoring import score

EVIDENCE = st.fixed_dictionaries(
    {"weight": st.integers(1, 10_000), "recency_days": st.integers(0, 3000), "sources": st.integers(1, 9)}
)


@given(EVIDENCE)
def test_the_score_is_the_product_of_its_components(evidence):
    parts = score(evidence)
    assert parts["score"] == pytest.approx(parts["weight"] * parts["recency"] * parts["corroboration"], rel=1e-5)
    assert parts["weight"] == evidence["weight"]


@given(EVIDENCE)
def test_more_recent_or_better_supported_is_never_lower(evidence):
    base = score(evidence)["score"]
    assert score(evidence | {"weight": evidence["weight"] + 1})["score"] >= base
    assert score(evidence | {"sources": evidence["sources"] + 1})["score"] >= base
    assert score(evidence | {"recency_days": evidence["recency_days"] + 1})["score"] <= base


def test_recency_halves_and_one_source_counts_half():
    assert score({"weight": 8, "recency_days": 180, "sources": 2})["score"] == 4
    assert score({"weight": 8, "recency_days": 360, "sources": 1})["score"] == 1
    assert score({"weight": 8, "recency_days": 0, "sources": 9})["score"] == 8
