"""Stops against the written rule done fix by fix, planted stops, and places that several vehicles share."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import InvalidParameter
from geo.stops import SHARED_COLUMNS, STOP_COLUMNS, find_stops, shared_stops


def _fixes(rows):
    fixes = pd.DataFrame(rows, columns=["vehicle", "seconds", "x_m", "y_m", "precision_m"])
    return fixes.assign(at_us=(fixes["seconds"] * 1_000_000).astype(np.int64)).drop(columns="seconds")


def _track(vehicle, stops, *, every_s=20, noise_m=4.0, seed=0):
    """Drive at 10 m/s along x, standing at each (x_m, seconds) of ``stops``."""
    seconds, x_m = [0.0], [0.0]
    for at_m, stood_s in [*stops, (stops[-1][0] + 1500 if stops else 3000, 0)]:
        seconds += [seconds[-1] + (at_m - x_m[-1]) / 10]
        x_m += [at_m]
        seconds, x_m = [*seconds, seconds[-1] + stood_s], [*x_m, at_m]
    at_s = np.arange(0, seconds[-1], every_s)
    noise = np.random.default_rng(seed).normal(0, noise_m, (2, len(at_s)))
    x_m = np.interp(at_s, seconds, x_m) + noise[0]
    return _fixes(np.column_stack([np.full(len(at_s), vehicle), at_s, x_m, noise[1], np.full(len(at_s), 10.0)]))


def _by_rule(fixes, radius_m, min_s):
    """Stops as the rule is written, one fix after the other."""
    stops = []
    for vehicle, track in fixes.groupby("vehicle"):
        rows = track.sort_values(["at_us", "x_m", "y_m", "precision_m"]).to_dict("records")
        i = 0
        while i < len(rows):
            j = i + 1
            while j < len(rows) and np.hypot(
                rows[j]["x_m"] - rows[i]["x_m"], rows[j]["y_m"] - rows[i]["y_m"]
            ) <= radius_m + max(rows[i]["precision_m"], rows[j]["precision_m"]):
                j += 1
            stood = rows[j - 1]["at_us"] - rows[i]["at_us"] >= min_s * 1e6
            if stood:
                stops.append((vehicle, rows[i]["at_us"], rows[j - 1]["at_us"], j - i))
            i = j if stood else i + 1
    return stops


ROWS = st.lists(
    st.tuples(
        st.integers(1, 3), st.integers(0, 40), st.integers(0, 9), st.integers(0, 2), st.sampled_from([1.0, 10.0])
    ),
    max_size=50,
)


@settings(max_examples=150, deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_stops_follow_the_written_rule_whatever_the_order_of_rows(rows, random):
    fixes = _fixes([(v, 30 * s, 15.0 * x, 15.0 * y, p) for v, s, x, y, p in rows])
    random.shuffle(rows)
    found = find_stops(fixes)
    assert tuple(found.columns) == STOP_COLUMNS
    told = list(zip(found["vehicle"], found["from_us"], found["to_us"], found["fixes"], strict=True))
    assert told == _by_rule(fixes, 30.0, 180.0)
    shuffled = find_stops(_fixes([(v, 30 * s, 15.0 * x, 15.0 * y, p) for v, s, x, y, p in rows]))
    pd.testing.assert_frame_equal(shuffled, found)


def test_planted_stops_are_found_with_place_and_time():
    found = find_stops(_track(7, [(600, 400), (2000, 900), (2600, 60)]))
    assert found["vehicle"].tolist() == [7, 7]
    np.testing.assert_allclose(found["x_m"], [600, 2000], atol=6)
    np.testing.assert_allclose(found["y_m"], 0, atol=6)
    stood_s = (found["to_us"] - found["from_us"]) / 1e6
    assert (np.abs(stood_s - [400, 900]) <= 40).all()
    np.testing.assert_allclose(found["from_us"] / 1e6, [60, 600], atol=40)


def test_exactly_the_radius_and_the_time_is_a_stop_and_less_is_not():
    rows = [(1, 0, 0.0, 0.0, 5.0), (1, 180, 35.0, 0.0, 5.0), (1, 240, 999.0, 0.0, 5.0)]
    assert len(find_stops(_fixes(rows))) == 1
    assert len(find_stops(_fixes(rows), radius_m=29.9)) == 0
    assert len(find_stops(_fixes(rows), min_seconds=180.1)) == 0


def test_the_surer_fix_weighs_more():
    found = find_stops(_fixes([(1, 0, 0.0, 0.0, 10.0), (1, 200, 10.0, 0.0, 20.0)]))
    assert found["x_m"].tolist() == [2.0]
    assert found["precision_m"].tolist() == [15.0]


def test_neighbours_in_the_table_are_not_one_vehicle():
    assert find_stops(_fixes([(1, 0, 0.0, 0.0, 5.0), (2, 500, 0.0, 0.0, 5.0)])).empty
    assert find_stops(_fixes([])).columns.tolist() == list(STOP_COLUMNS)


def test_shared_stops_count_vehicles_and_not_stops():
    tracks = [_track(v, [(600, 400), (1500 + 300 * v, 400)], seed=v) for v in range(4)]
    often = pd.concat(
        [_track(9, [(5000, 300)], seed=n).assign(at_us=lambda f, n=n: f["at_us"] + n * 10**10) for n in range(5)]
    )
    stops = find_stops(pd.concat([*tracks, often], ignore_index=True))
    assert (stops["vehicle"] == 9).sum() == 5
    shared = shared_stops(stops)
    assert tuple(shared.columns) == SHARED_COLUMNS
    assert shared[["place", "vehicles", "stops"]].to_numpy().tolist() == [[0, 4, 4]]
    assert shared["x_m"][0] == pytest.approx(600, abs=6)
    assert shared["seconds"][0] == pytest.approx(1600, abs=160)
    assert shared_stops(stops, k=5).empty
    assert shared_stops(stops.iloc[:0]).empty


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 30)), max_size=40), st.integers(2, 4))
def test_no_shared_stop_has_fewer_than_k_vehicles(rows, k):
    vehicle, x_m = np.array(rows, np.int64).reshape(-1, 2).T
    stops = pd.DataFrame({"vehicle": vehicle, "x_m": 20.0 * x_m, "y_m": 0.0, "from_us": 0, "to_us": 10**9})
    shared = shared_stops(stops, k=k)
    assert (shared["vehicles"] >= k).all()
    assert (shared["stops"] >= shared["vehicles"]).all()


def test_parameters_outside_their_meaning():
    stops = find_stops(_track(1, [(600, 400)]))
    for wrong in ({"radius_m": 0.0}, {"min_seconds": -1.0}):
        with pytest.raises(InvalidParameter):
            find_stops(_track(1, []), **wrong)
    with pytest.raises(InvalidParameter, match="finite"):
        find_stops(_fixes([(1, 0, np.nan, 0.0, 5.0)]))
    for wrong in ({"k": 1}, {"eps_m": 0.0}):
        with pytest.raises(InvalidParameter):
            shared_stops(stops, **wrong)
