"""The two null models: exact on small cases, calibrated on independent data, and deaf to the order of rows."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import link_test
from geo.errors import InvalidParameter
from geo.link_test import shared_times, shared_vehicles

DAY_US = 86_400_000_000
WINDOW_US = 3 * DAY_US
VISITS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5), st.integers(0, 9)), max_size=30)


def _visits(rows):
    place, actor, day = np.array(rows, np.int64).reshape(-1, 3).T
    return place, actor, day * DAY_US


def _as_dict(found):
    return dict(zip(zip(found.a.tolist(), found.b.tolist(), strict=True), found.count.tolist(), strict=True))


@settings(max_examples=80, deadline=None)
@given(VISITS)
def test_vehicle_counts_follow_the_written_rule(rows):
    expected = {}
    for a, b in combinations(range(5), 2):
        shared = {v for p, v, t in rows for q, u, s in rows if (p, q, u) == (a, b, v) and abs(t - s) <= 3}
        if shared:
            expected[a, b] = len(shared)
    found = shared_vehicles(*_visits(rows), window_us=WINDOW_US, min_count=1, draws=5, seed=1)
    assert _as_dict(found) == expected
    assert ((found.q_value >= found.smallest_q) & (found.q_value <= 1) & (found.p_value >= 1 / 6)).all()


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 60)), max_size=30))
def test_report_counts_follow_the_written_rule(rows):
    place, day = np.array(rows, np.int64).reshape(-1, 2).T
    found = shared_times(place, day * DAY_US, window_us=WINDOW_US, min_count=1, draws=9, seed=1)
    spread = day.max(initial=0) - day.min(initial=60)
    expected = {}
    for a, b in combinations(range(4), 2):
        near = (np.abs(day[place == a][:, None] - day[place == b]) <= 3).sum()
        if near:
            expected[a, b] = near
    assert _as_dict(found) == (expected if spread + 3 >= 14 else {})  # under three weeks there is nothing to shift


def _shifted_counts(place, at_us, weeks, shift):
    moved = (at_us - at_us.min() + np.array(shift)[place] * link_test.WEEK_US) % (weeks * link_test.WEEK_US)
    gap = np.abs(moved[place == 0][:, None] - moved[place == 1])
    return (np.minimum(gap, weeks * link_test.WEEK_US - gap) <= WINDOW_US).sum()


def test_the_table_of_shifts_is_what_shifting_the_reports_gives():
    rng = np.random.default_rng(3)
    place, at_us = rng.integers(0, 2, 60), rng.integers(0, 70 * DAY_US, 60)
    table = link_test._shift_table(place, at_us, WINDOW_US, 11)
    assert table.tolist() == [[_shifted_counts(place, at_us, 11, (0, s)) for s in range(11)]]


@settings(max_examples=50, deadline=None)
@given(VISITS.filter(len), st.integers(0, 99))
def test_a_walk_keeps_what_every_vehicle_and_place_has_in_each_block(rows, seed):
    place, actor, at_us = _visits(rows)
    label, slots, _ = link_test._slots(place, actor, at_us * 20, WINDOW_US)
    walked = link_test._walk(np.tile(label, (7, 1)), slots, np.random.default_rng(seed))
    block = slots.block[slots.unit]
    for row in walked:
        assert np.unique(block * 5 + row, return_counts=True)[1].tolist() == (
            np.unique(block * 5 + label, return_counts=True)[1].tolist()
        )
        assert len(set(zip(slots.unit.tolist(), row.tolist(), strict=True))) == len(row)


def test_walks_end_in_every_table_equally_often():
    # Two places for vehicle 0 and one for each of 1 and 2; place 0 has two vehicles, 1 and 2 have one: 5 tables.
    unit, label = np.array([0, 0, 1, 2]), np.array([0, 1, 0, 2])
    slots = link_test._Slots(unit, unit, np.zeros(3, int))
    ends = link_test._walk(np.tile(label, (6000, 1)), slots, np.random.default_rng(1))
    ends[:, :2].sort(axis=1)
    _, count = np.unique(ends, axis=0, return_counts=True)
    assert len(count) == 5
    assert np.abs(count - 1200).max() < 4 * np.sqrt(6000 * 0.2 * 0.8)


def test_places_watched_in_the_same_months_only_are_not_linked():
    rng = np.random.default_rng(2)
    place, actor = rng.integers(0, 20, 400), np.arange(400) // 4
    half = actor >= 50  # places 10 to 19 are watched a year later, and see other vehicles
    place = np.where(half, 10 + place % 10, place % 10)
    found = shared_vehicles(place, actor, half * 365 * DAY_US, window_us=WINDOW_US, min_count=3, draws=99, seed=1)
    assert (found.q_value > 0.05).all()
    assert found.expected.mean() == pytest.approx(found.count.mean(), rel=0.1)


@settings(max_examples=30, deadline=None)
@given(VISITS, st.randoms(use_true_random=False))
def test_order_of_rows_and_names_of_vehicles_do_not_matter(rows, random):
    shuffled = random.sample(rows, len(rows))
    one = shared_vehicles(*_visits(rows), window_us=WINDOW_US, min_count=2, draws=19, seed=4)
    two = shared_vehicles(*_visits(shuffled), window_us=WINDOW_US, min_count=2, draws=19, seed=4)
    assert [k.tolist() for k in (one.a, one.q_value, one.expected)] == [
        k.tolist() for k in (two.a, two.q_value, two.expected)
    ]
    place, _, at_us = _visits(rows)
    one, two = (
        shared_times(place[k], at_us[k] * 9, window_us=WINDOW_US, min_count=2, draws=19, seed=4)
        for k in (np.arange(len(rows)), np.array(random.sample(range(len(rows)), len(rows)), int))
    )
    assert (one.q_value.tolist(), one.p_value.tolist()) == (two.q_value.tolist(), two.p_value.tolist())


def test_new_hashes_give_the_same_answer():
    rng = np.random.default_rng(8)
    place, actor, at_us = rng.integers(0, 8, 90), rng.integers(0, 30, 90), rng.integers(0, 200 * DAY_US, 90)
    one = shared_vehicles(place, actor, at_us, window_us=WINDOW_US * 9, min_count=2, draws=49, seed=4)
    two = shared_vehicles(
        place, rng.permutation(30)[actor], at_us, window_us=WINDOW_US * 9, min_count=2, draws=49, seed=4
    )
    assert (one.q_value.tolist(), one.expected.tolist()) == (two.q_value.tolist(), two.expected.tolist())


def test_a_busy_pair_is_not_a_link_and_a_quiet_pair_with_the_same_count_is():
    rng = np.random.default_rng(5)
    busy = np.column_stack([np.tile([0, 1], 30), np.repeat(np.arange(30), 2)])  # everyone goes to both
    others = np.column_stack([rng.integers(4, 20, 120), np.repeat(np.arange(30, 90), 2)])
    quiet = np.column_stack([np.tile([2, 3], 5), np.repeat(np.arange(90, 95), 2)])
    place, actor = np.concatenate([busy[:60], others, quiet]).T
    found = shared_vehicles(place, actor, np.zeros(len(place), int), window_us=1, min_count=3, draws=199, seed=1)
    q_value = dict(zip(zip(found.a.tolist(), found.b.tolist(), strict=True), found.q_value, strict=True))
    assert q_value[2, 3] == pytest.approx(1 / 200)
    everywhere = np.tile(np.arange(4), 20)  # with every place full no other table exists
    full = shared_vehicles(
        everywhere, np.repeat(np.arange(20), 4), np.zeros(80, int), window_us=1, min_count=3, draws=99, seed=1
    )
    assert full.q_value.tolist() == full.p_value.tolist() == [1.0] * 6
    assert full.expected.tolist() == [20.0] * 6


def test_independent_data_are_rarely_called_linked():
    rng = np.random.default_rng(11)
    by_vehicle = by_time = 0
    for run in range(40):
        weight = rng.dirichlet(np.ones(20))
        actor = np.repeat(np.arange(100), rng.integers(1, 6, 100))
        start = rng.integers(0, 700, 100)[actor] + rng.integers(0, 5, len(actor))
        place = rng.choice(20, len(actor), p=weight)
        found = shared_vehicles(place, actor, start * DAY_US, window_us=WINDOW_US, min_count=3, draws=99, seed=run)
        by_vehicle += (found.q_value <= 0.05).any()
        burst_week = rng.integers(0, 104, (20, 3))[np.arange(20)[:, None], rng.integers(0, 3, (20, 15))]
        week = np.where(rng.random((20, 15)) < 0.5, burst_week, rng.integers(0, 104, (20, 15)))
        day = np.where(rng.random((20, 15)) < 0.6, rng.integers(0, 7, (20, 1)), rng.integers(0, 7, (20, 15)))
        at_us = (week * 7 + day).ravel() * DAY_US
        found = shared_times(np.repeat(np.arange(20), 15), at_us, window_us=WINDOW_US, min_count=3, draws=99, seed=run)
        by_time += (found.q_value <= 0.05).any()
    assert max(by_vehicle, by_time) <= 6  # binomial(40, 0.05) exceeds 6 with probability 0.3 %


def test_what_cannot_be_meant_is_refused(monkeypatch):
    place, actor, at_us = _visits([(0, 0, 0), (1, 0, 0), (0, 1, 0), (1, 1, 20)])
    with pytest.raises(InvalidParameter, match="draws is 0"):
        shared_vehicles(place, actor, at_us, window_us=1, min_count=1, draws=0, seed=1)
    with pytest.raises(InvalidParameter, match="less than half a week"):
        shared_times(place, at_us, window_us=WINDOW_US + DAY_US, min_count=1, draws=9, seed=1)
    monkeypatch.setattr(link_test, "MAX_VISIT_PAIRS", 0)
    with pytest.raises(InvalidParameter, match="1 pairs of visits"):
        shared_vehicles(place, actor, at_us, window_us=1, min_count=1, draws=9, seed=1)
    monkeypatch.setattr(link_test, "MAX_SHIFT_TABLE", 1)
    with pytest.raises(InvalidParameter, match="too many to compare"):
        shared_times(place, at_us, window_us=1, min_count=1, draws=9, seed=1)
