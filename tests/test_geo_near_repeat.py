"""The near-repeat table against pairs counted one by one, all permutations of few records, and pointpats."""

from datetime import UTC, datetime
from importlib.resources import files
from itertools import combinations, pairwise, permutations

import geopandas as gpd
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pointpats import Knox
from scipy.stats import binom, poisson

import geo.near_repeat
from geo.errors import InvalidParameter
from geo.near_repeat import band_labels, knox_table, knox_test, pairs_at_least

DAY_US = 86_400_000_000
BASE_US = 1_700_000_000_000_000
ROWS = st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14), st.integers(0, 12)), max_size=30)
SPACE_BANDS_M = st.sampled_from([(0, 5), (0, 1, 5, 10), (5, 10, 13)])
TIME_BANDS_DAYS = st.sampled_from([(0, 1), (0, 1, 3, 7), (2, 4)])


def _columns(rows):
    x_m, y_m, day = np.array(rows, float).reshape(-1, 3).T
    return x_m, y_m, BASE_US + day.astype(np.int64) * DAY_US


def _table(rows, space_bands_m, time_bands_days, *, permutations=19, seed=7):
    return knox_table(
        *_columns(rows),
        space_bands_m=space_bands_m,
        time_bands_days=time_bands_days,
        permutations=permutations,
        seed=seed,
    )


def _by_pairs(rows, space_bands_m, time_bands_days):
    """Observed and expected pairs, one pair after the other."""
    observed = np.zeros((len(space_bands_m) - 1, len(time_bands_days) - 1))
    in_space, in_time, pairs = np.zeros(observed.shape[0]), np.zeros(observed.shape[1]), 0
    for a, b in combinations(rows, 2):
        square, gap = (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2, abs(a[2] - b[2])
        near = np.array([low**2 <= square < high**2 for low, high in pairwise(space_bands_m)])
        soon = np.array([low <= gap < high for low, high in pairwise(time_bands_days)])
        in_space, in_time, pairs = in_space + near, in_time + soon, pairs + 1
        observed += np.outer(near, soon)
    return observed, np.outer(in_space, in_time) / max(pairs, 1)


def _bytes(table):
    return [
        getattr(table, name).tobytes() for name in ("observed", "expected", "simulated", "ratio", "p_value", "tested")
    ]


@pytest.fixture(scope="module")
def burkitt():
    """Burkitt's lymphoma in the West Nile district, 188 cases (Williams and others 1978), as libpysal ships it."""
    cases = gpd.read_file(files("libpysal").joinpath("examples/burkitt/burkitt.shp"))
    return cases["X"].to_numpy(), cases["Y"].to_numpy(), (cases["T"].to_numpy() * DAY_US).astype(np.int64)


@settings(max_examples=200, deadline=None)
@given(ROWS, SPACE_BANDS_M, TIME_BANDS_DAYS)
def test_counts_and_margins_are_those_of_the_pairs(rows, space_bands_m, time_bands_days):
    table = _table(rows, space_bands_m, time_bands_days)
    observed, expected = _by_pairs(rows, space_bands_m, time_bands_days)
    assert table.observed.tolist() == observed.tolist()
    assert table.expected == pytest.approx(expected)
    assert table.tested.tolist() == (expected > 0).tolist()
    assert (table.ratio * table.expected) == pytest.approx(observed)
    assert (table.ratio[~table.tested] == 0).all()
    assert (table.p_value[~table.tested] == 1).all()
    assert ((table.p_value >= 1 / 20) & (table.p_value <= 1)).all()


@settings(max_examples=80, deadline=None)
@given(ROWS, SPACE_BANDS_M, TIME_BANDS_DAYS, st.randoms(use_true_random=False), st.integers(0, 2**32))
def test_neither_row_order_nor_a_second_run_changes_a_bit(rows, space_bands_m, time_bands_days, random, seed):
    shuffled = list(rows)
    random.shuffle(shuffled)
    table = _table(rows, space_bands_m, time_bands_days, seed=seed)
    assert _bytes(_table(rows, space_bands_m, time_bands_days, seed=seed)) == _bytes(table)
    assert _bytes(_table(shuffled, space_bands_m, time_bands_days, seed=seed)) == _bytes(table)


def test_p_values_and_means_tend_to_those_of_all_permutations():
    rows = [(0, 0, 0), (1, 0, 1), (4, 0, 5), (9, 0, 2), (9, 1, 4), (20, 0, 11)]
    bands = (0, 2, 6), (0, 2, 4)
    observed, expected = _by_pairs(rows, *bands)
    every = np.array(
        [
            _by_pairs([(x, y, day) for (x, y, _), day in zip(rows, days, strict=True)], *bands)[0]
            for days in permutations([day for *_, day in rows])
        ]
    )
    assert every.mean(axis=0) == pytest.approx(expected)
    draws = 4000
    table = _table(rows, *bands, permutations=draws)
    exact = (every >= observed).mean(axis=0)
    assert (np.abs(table.p_value - exact) < 4 * np.sqrt(exact * (1 - exact) / draws) + 2 / draws).all()
    assert (np.abs(table.simulated - expected) < 4 * every.std(axis=0) / np.sqrt(draws)).all()
    assert len(np.unique(exact)) > 2


@settings(max_examples=100, deadline=None)
@given(ROWS, st.sampled_from([1.0, 5.0, 7.3, 1_000.0]))
def test_pairs_that_share_a_square_are_pairs_within_reach(rows, reach_m):
    x_m, y_m, _ = _columns(rows)
    apart = np.hypot(x_m[:, None] - x_m, y_m[:, None] - y_m)
    within = (int((apart <= reach_m).sum()) - len(x_m)) // 2
    assert pairs_at_least(x_m, y_m, reach_m) <= within
    assert pairs_at_least(np.repeat(x_m[:1], 9), np.repeat(y_m[:1], 9), reach_m) == 36 * min(len(x_m), 1)


def test_other_seeds_give_other_simulations():
    rows = [(i % 5, i % 3, i * 7 % 11) for i in range(25)]
    assert _bytes(_table(rows, (0, 3), (0, 2), seed=1)) != _bytes(_table(rows, (0, 3), (0, 2), seed=2))


def test_planted_near_repeats_are_found_in_their_own_band():
    rng = np.random.default_rng(20260101)
    x_m, y_m = rng.uniform(0, 5000, (2, 300))
    at_us = BASE_US + rng.integers(0, 365 * DAY_US, 300)
    again = np.arange(60)
    found = knox_table(
        np.concatenate([x_m, x_m[again] + 30]), np.concatenate([y_m, y_m[again]]),
        np.concatenate([at_us, at_us[again] + 3 * DAY_US]),
        space_bands_m=[0, 100, 400], time_bands_days=[0, 7, 28], permutations=199, seed=3,
    )  # fmt: skip
    assert found.observed[0, 0] >= 60
    assert found.ratio[0, 0] > 10
    assert found.p_value[0, 0] == 1 / 200
    assert found.p_value[0, 1] > 1 / 200


def test_scattered_records_are_called_near_repeats_no_more_often_than_stated():
    rng = np.random.default_rng(20260101)
    runs, called = 300, 0
    for seed in range(runs):
        x_m, y_m = rng.uniform(0, 1000, (2, 40))
        at_us = BASE_US + rng.integers(0, 100 * DAY_US, 40)
        table = knox_table(x_m, y_m, at_us, space_bands_m=[0, 200], time_bands_days=[0, 10], permutations=39, seed=seed)
        called += table.p_value[0, 0] <= 0.05
    assert called <= binom.ppf(0.9999, runs, 0.05)


def test_bands_are_half_open_to_the_microsecond():
    x_m, y_m = np.array([0, 3.0]), np.array([0, 4.0])  # exactly 5 m apart
    for gap_us, cell in ((7 * DAY_US, (1, 1)), (7 * DAY_US - 1, (1, 0)), (0, (1, 0)), (-14 * DAY_US, None)):
        table = knox_table(
            x_m, y_m, BASE_US + np.array([0, gap_us]), space_bands_m=(0, 5, 10), time_bands_days=(0, 7, 14),
            permutations=9, seed=1,
        )  # fmt: skip
        assert [tuple(where) for where in np.argwhere(table.observed)] == ([cell] if cell else [])
    assert table.space_labels == ("0 to under 5 m", "5 to under 10 m")
    assert table.time_labels == ("0 to under 7 days", "7 to under 14 days")
    last = _table([(0, 0, 0), (3, 4, 0)], (0, 5), (0, 7))
    assert (last.observed.tolist(), last.p_value.tolist()) == ([[0]], [[1]])


def test_labels_are_plain_numbers():
    assert band_labels([0, 0.5, 1500, 2_000_000], "m") == (
        "0 to under 0.5 m",
        "0.5 to under 1500 m",
        "1500 to under 2000000 m",
    )


@pytest.mark.parametrize(
    ("rows", "observed", "expected"),
    [([], 0, 0), ([(1, 1, 1)], 0, 0), ([(1, 1, 1)] * 4, 6, 6), ([(0, 0, 0), (99, 0, 0)], 0, 0)],
    ids=["nothing", "one", "all identical", "no near pair"],
)
def test_degenerate_records_end_in_a_stated_result(rows, observed, expected):
    table = _table(rows, (0, 10), (0, 7))
    assert (table.observed.tolist(), table.expected.tolist(), table.simulated.tolist()) == (
        [[observed]],
        [[expected]],
        [[observed]],
    )
    assert (table.ratio.tolist(), table.p_value.tolist()) == ([[1.0 if expected else 0.0]], [[1.0]])
    found = knox_test(*_columns(rows), delta_m=10, tau_days=7)
    assert (found.observed, found.expected) == (observed, expected)
    assert found.p_value == (pytest.approx(poisson.sf(5, 6)) if expected else 1.0)
    assert found.p_above == (pytest.approx(poisson.sf(6, 6)) if expected else 1.0)


def test_the_burkitt_lymphoma_data_give_the_published_figures(burkitt):
    assert len(burkitt[0]) == 188
    found = knox_test(*burkitt, delta_m=20, tau_days=5)
    assert found.observed == 13
    assert found.expected == pytest.approx(10.1438161, abs=5e-8)
    assert found.p_above == pytest.approx(0.146245582, abs=5e-10)
    assert found.p_value == pytest.approx(poisson.sf(12, found.expected))  # 13 pairs or more, not more than 13


def test_the_burkitt_lymphoma_data_agree_with_pointpats(burkitt):
    x_m, y_m, at_us = burkitt
    days = (at_us // DAY_US).reshape(-1, 1)
    np.random.seed(100)  # noqa: NPY002 -- pointpats draws from the global generator
    theirs = Knox(np.column_stack([x_m, y_m]), days, 20, 5, permutations=199)
    # Distances squared are whole numbers here, so "at most 20" and "under the next number" are the same pairs.
    ours = knox_table(
        x_m, y_m, at_us, space_bands_m=(0, np.sqrt(400.5)), time_bands_days=(0, 5.5), permutations=1999, seed=1
    )
    assert ours.observed[0, 0] == theirs.statistic_ == 13
    assert ours.expected[0, 0] == pytest.approx(theirs.expected[0, 0])
    assert abs(ours.p_value[0, 0] - theirs.p_sim) < 4 * np.sqrt(0.25 * (1 / 199 + 1 / 1999))


@settings(max_examples=60, deadline=None)
@given(ROWS.filter(lambda rows: len(rows) > 1), st.sampled_from([1, 5, 10]), st.sampled_from([0.5, 1, 3]))
def test_inclusive_thresholds_agree_with_pointpats(rows, delta_m, tau_days):
    points = np.array(rows, float)
    theirs = Knox(points[:, :2], points[:, 2:], delta_m, tau_days, permutations=0)
    ours = knox_test(*_columns(rows), delta_m=delta_m, tau_days=tau_days)
    assert ours.observed == theirs.statistic_
    assert ours.expected == pytest.approx(theirs.expected[0, 0])
    assert ours.p_value == pytest.approx(poisson.sf(ours.observed - 1, ours.expected), abs=1e-12)
    if ours.expected:
        assert ours.p_above == pytest.approx(theirs.p_poisson, abs=1e-12)


def test_real_coordinates_meet_an_inclusive_threshold():
    east = np.array([375041.622, 375191.622])  # 150 m apart
    at_us = np.full(2, int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000)
    assert knox_test(east, np.full(2, 164611.882), at_us, delta_m=150, tau_days=0).observed == 1
    assert knox_test(east, np.full(2, 164611.882), at_us, delta_m=149.99, tau_days=0).observed == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"space_bands_m": [0]},
        {"space_bands_m": [0, 100, 100]},
        {"space_bands_m": [-1, 100]},
        {"time_bands_days": [0, float("nan")]},
        {"time_bands_days": [7, 0]},
        {"time_bands_days": [0, 1e-13]},
        {"permutations": 0},
    ],
)
def test_parameters_outside_their_meaning_are_refused(wrong):
    kwargs = {"space_bands_m": [0, 100], "time_bands_days": [0, 7], "permutations": 9, "seed": 1} | wrong
    with pytest.raises(InvalidParameter, match=next(iter(wrong))):
        knox_table(*_columns([(0, 0, 0), (1, 1, 1)]), **kwargs)
    with pytest.raises(InvalidParameter, match="0 or more"):
        knox_test(*_columns([(0, 0, 0)]), delta_m=-1, tau_days=1)


def test_too_many_pairs_are_refused_before_they_are_made(monkeypatch):
    monkeypatch.setattr(geo.near_repeat, "MAX_PAIRS", 5)
    with pytest.raises(InvalidParameter, match="6 pairs of records lie within 10 m and 5 can be compared"):
        _table([(1, 1, 1)] * 4, (0, 10), (0, 7))


def test_arguments_are_not_changed():
    x_m, y_m, at_us = _columns([(5, 1, 9), (3, 2, 8), (4, 0, 7)])
    knox_table(x_m, y_m, at_us, space_bands_m=[0, 9], time_bands_days=[0, 9], permutations=9, seed=1)
    assert (x_m.tolist(), y_m.tolist()) == ([5, 3, 4], [1, 2, 0])
    assert ((at_us - BASE_US) // DAY_US).tolist() == [9, 8, 7]
