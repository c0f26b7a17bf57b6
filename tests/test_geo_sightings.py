"""Origin-destination pairs: what two sightings say, what they do not, and every sighting accounted for."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import InvalidParameter
from geo.sightings import od_pairs

MINUTE_US = 60_000_000
ROWS = st.lists(
    st.tuples(st.sampled_from(["", "a", "b", "c"]), st.integers(0, 200), st.integers(0, 30), st.integers(0, 9)),
    max_size=25,
)


def _seen(*rows, precision_m=10.0):
    """Sightings from (vehicle, minute, x_m, y_m)."""
    vehicle, minute, x_m, y_m = zip(*rows, strict=True)
    at_us = (np.array(minute, float) * MINUTE_US).astype(np.int64)
    return pd.DataFrame(
        {"vehicle_hash": vehicle, "from_us": at_us, "to_us": at_us, "x_m": np.array(x_m, float), "y_m": np.array(y_m, float), "precision_m": precision_m}
    )  # fmt: skip


def test_a_pair_says_how_far_which_way_and_how_long():
    found = od_pairs(_seen(("a", 10, 300, 0), ("a", 0, 0, 400), ("b", 5, 9, 9)))
    pair = found.pairs.iloc[0]
    assert len(found.pairs) == 1
    assert (pair["origin"], pair["destination"], pair["seconds"], pair["distance_m"]) == (1, 0, 600, 500)
    assert pair["bearing_deg"] == pytest.approx(180 - np.degrees(np.arctan2(300, 400)))
    assert pair["sigma_m"] == pytest.approx(10 / 2.448)
    assert pair["possible"]


def test_a_gap_ends_a_trip():
    found = od_pairs(_seen(("a", 0, 0, 0), ("a", 5, 500, 0), ("a", 70, 0, 0), ("a", 75, 500, 0), ("a", 80, 900, 0)))
    assert found.pairs["trip"].tolist() == [0, 1, 1]
    assert found.counts["gap"] == 1


def test_a_stay_is_no_pair_and_no_gap():
    found = od_pairs(_seen(("a", 0, 0, 0), ("a", 5, 500, 0), ("a", 6, 540, 0), ("a", 9, 900, 0)))
    assert found.pairs["trip"].tolist() == [0, 0]
    assert found.counts["near"] == 1


def test_what_cannot_be_driven_is_kept_and_said():
    found = od_pairs(_seen(("a", 0, 0, 0), ("a", 1, 1898, 0), ("b", 0, 0, 0), ("b", 1, 1899, 0)))
    assert found.pairs["possible"].tolist() == [True, False]  # 31.3 m/s for 60 s and 10 m at each end: 1,898 m
    assert found.counts["impossible"] == 1


def test_unusable_sightings_are_counted_by_reason():
    seen = _seen(("a", 0, 0, 0), ("a", 5, 500, 0), ("a", 8, 900, 0), ("", 9, 0, 0), ("a", 9, np.nan, 0))
    seen.loc[1, "to_us"] += 15 * MINUTE_US + 1
    found = od_pairs(seen)
    assert {name: found.counts[name] for name in ("no_vehicle", "long_interval", "no_position")} == {
        "no_vehicle": 1, "long_interval": 1, "no_position": 1}  # fmt: skip
    assert found.pairs[["origin", "destination"]].to_numpy().tolist() == [[0, 2]]


@settings(max_examples=100, deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_every_sighting_is_accounted_for_whatever_the_order(rows, random):
    seen = _seen(*((v, m, 100 * x, 100 * y) for v, m, x, y in rows)) if rows else _seen(("", 0, 0, 0))
    found = od_pairs(seen)
    known = seen[seen["vehicle_hash"] != ""]
    steps = len(known) - known["vehicle_hash"].nunique()
    assert len(found.pairs) + found.counts["gap"] + found.counts["near"] == steps
    order = random.sample(range(len(seen)), len(seen))
    again = od_pairs(seen.iloc[order].reset_index(drop=True)).pairs
    columns = [name for name in again.columns if name not in {"origin", "destination"}]
    pd.testing.assert_frame_equal(again[columns], found.pairs[columns])


def test_limits_without_meaning_are_refused():
    with pytest.raises(InvalidParameter):
        od_pairs(_seen(("a", 0, 0, 0)), window_s=0)
