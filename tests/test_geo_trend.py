import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.periods import months_present
from geo.trend import TrendClass, classify_trends

PERIODS = 24
TOTALS = np.full(PERIODS, 200)
ALL = np.ones(PERIODS, bool)
QUIET, HOT = 2, 25


def _history(*hot_periods, level=HOT):
    row = np.full(PERIODS, QUIET)
    row[list(hot_periods)] = level
    return row


HISTORIES = {
    TrendClass.EMERGING: _history(22, 23),
    TrendClass.PERSISTENT: _history(*range(PERIODS)),
    TrendClass.INTENSIFYING: np.where(np.arange(PERIODS) < 12, 22, 60),
    TrendClass.DIMINISHING: np.where(np.arange(PERIODS) < 12, 60, 22),
    TrendClass.SPORADIC: _history(3, 10, 23),
    TrendClass.HISTORIC: _history(*range(15)),
    TrendClass.NONE: _history(),
}


def _classes(rows, present=ALL, totals=TOTALS):
    observed = np.stack(rows)
    return classify_trends(observed, totals, np.full(len(rows), 0.01), present).classes.tolist()


def test_every_planted_history_has_its_class():
    assert _classes(list(HISTORIES.values())) == list(HISTORIES)


def test_hot_in_nine_periods_of_ten_is_always_and_in_fewer_is_not():
    nine, eight = np.ones((2, 20), int) * HOT
    nine[[3, 14]], eight[[3, 9, 14]] = QUIET, QUIET
    classes = classify_trends(np.stack([nine, eight]), np.full(20, 200), np.full(2, 0.01), np.ones(20, bool)).classes
    assert classes.tolist() == [TrendClass.PERSISTENT, TrendClass.SPORADIC]


def test_hot_four_periods_ago_is_no_news():
    assert _classes([_history(20, 23), _history(21, 23)]) == [TrendClass.SPORADIC, TrendClass.EMERGING]


def test_a_change_needs_the_two_sided_test():
    late = np.arange(PERIODS) >= 12
    rows = [np.where(late, 30, 26), np.where(late, 33, 23)]  # one-sided p 0.06 and below 0.001
    assert _classes(rows) == [TrendClass.PERSISTENT, TrendClass.INTENSIFYING]


def test_growth_of_the_whole_area_is_no_growth_of_the_cell():
    growing = np.where(np.arange(PERIODS) < 12, 200, 600)
    row = np.where(np.arange(PERIODS) < 12, 25, 75)
    assert _classes([row], totals=growing) == [TrendClass.PERSISTENT]


def test_a_missing_month_is_left_out_and_a_quiet_one_is_not():
    present = ALL.copy()
    present[[4, 9, 23]] = False
    rows = [row.copy() for row in HISTORIES.values()]
    for row in rows:
        row[~present] = 0
    kept = np.stack(rows)[:, present]
    expected = classify_trends(kept, TOTALS[present], np.full(len(rows), 0.01), np.ones(kept.shape[1], bool))
    assert _classes(rows, present) == expected.classes.tolist()
    gaps = _history(*range(PERIODS))
    gaps[-3:] = 0
    assert _classes([gaps]) == [TrendClass.HISTORIC]  # three quiet months
    known = np.arange(PERIODS) < PERIODS - 3
    assert _classes([gaps], known) == [TrendClass.PERSISTENT]  # three missing ones


def test_nine_known_months_are_no_history():
    present = np.arange(PERIODS) < 9
    assert set(_classes(list(HISTORIES.values()), present)) == {TrendClass.INSUFFICIENT_HISTORY}
    assert (
        classify_trends(np.zeros((0, 0), int), np.zeros(0, int), np.zeros(0), np.zeros(0, bool)).classes.tolist() == []
    )


def test_months_without_records_and_cells_without_exposure_are_not_tested():
    nothing = classify_trends(np.zeros((3, 12), int), np.zeros(12, int), np.array([0.1, 0.0, 1.0]), np.ones(12, bool))
    assert nothing.classes.tolist() == [TrendClass.NONE] * 3
    unexposed = classify_trends(np.full((1, 12), 5), np.full(12, 50), np.array([0.0]), np.ones(12, bool))
    assert unexposed.classes.tolist() == [TrendClass.NONE]


def test_a_share_that_rounding_takes_above_one_hides_no_other_cell():
    observed = np.stack([HISTORIES[TrendClass.PERSISTENT], TOTALS])
    classes = [
        classify_trends(observed, TOTALS, np.array([0.01, share]), ALL).classes.tolist()
        for share in (1.0, np.nextafter(1.0, 2.0))
    ]
    assert classes == [[TrendClass.PERSISTENT, TrendClass.NONE]] * 2


def test_chance_alone_rarely_has_a_history():
    rng = np.random.default_rng(20260101)
    alarms = 0
    for _ in range(200):
        observed = rng.multinomial(40, np.full(300, 1 / 300), size=12).T
        classes = classify_trends(observed, np.full(12, 40), np.full(300, 1 / 300), np.ones(12, bool)).classes
        alarms += (classes != TrendClass.NONE).any()
    assert alarms <= 18  # 5 % of 200 and two standard errors


@given(st.permutations(range(len(HISTORIES))))
def test_the_order_of_cells_changes_nothing(order):
    rows = list(HISTORIES.values())
    assert _classes([rows[i] for i in order]) == [list(HISTORIES)[i] for i in order]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30).map(np.array), st.data())
def test_a_month_with_records_is_always_known(counts, data):
    first = data.draw(st.integers(0, len(counts) - 1))
    last = data.draw(st.integers(first, len(counts) - 1))
    present = months_present(counts, np.array([[first, last]]), np.array([counts[first : last + 1].sum()]))
    assert present[counts > 0].all()
    outside = np.r_[0:first, last + 1 : len(counts)]
    assert (present[outside] == (counts[outside] > 0)).all()


def test_files_of_other_times_make_no_month_known():
    counts = np.array([5, 0, 0, 5])
    alone = months_present(counts, np.empty((0, 2), int), np.empty(0, int)).tolist()
    assert months_present(counts, np.array([[-10, -3], [7, 9]]), np.array([4, 4])).tolist() == alone


@pytest.mark.parametrize(("records", "known"), [(4, True), (400, False)])
def test_an_empty_month_of_a_full_file_is_missing(records, known):
    counts = np.array([records // 2, 0, records // 2])
    assert months_present(counts, np.array([[0, 2]]), np.array([records]))[1] == known
