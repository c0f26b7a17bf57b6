import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from geo import cells as h3cells
from geo.exposure import Exposure, ExposureKind
from geo.significance import benjamini_hochberg, exact_test, upper_tail


def test_p_ratio_and_interval_are_those_of_scipys_exact_binomial_test():
    observed, share, total = np.array([0, 1, 6, 20, 60]), np.array([0.3, 0.001, 0.02, 0.25, 1.0]), 60
    found = exact_test(observed, share, total)
    for i, (count, part) in enumerate(zip(observed.tolist(), share.tolist(), strict=True)):
        oracle = stats.binomtest(count, total, part, alternative="greater")
        both = stats.binomtest(count, total, part).proportion_ci(0.95, "exact")
        assert found.p_value[i] == pytest.approx(oracle.pvalue, rel=1e-12)
        assert found.ratio_low[i] == pytest.approx(both.low / part, rel=1e-8)
        assert found.ratio_high[i] == pytest.approx(both.high / part, rel=1e-8)
        assert found.rate_ratio[i] == pytest.approx(count / total / part)


def test_a_window_without_exposure_is_compared_with_nothing():
    found = exact_test(np.array([3, 0]), np.array([0.0, 0.0]), 3)
    assert not found.tested.any()
    assert found.p_value.tolist() == found.q_value.tolist() == [1.0, 1.0]
    assert found.rate_ratio.tolist() == found.ratio_high.tolist() == [0.0, 0.0]


def test_untested_windows_do_not_dilute_the_others():
    share = np.array([0.01, 0.2, 0.0])
    with_it = exact_test(np.array([5, 4, 0]), share, 30).q_value[:2]
    without = exact_test(np.array([5, 4]), share[:2], 30).q_value
    assert with_it.tolist() == without.tolist()


def test_no_records_say_nothing():
    found = exact_test(np.zeros(4, int), np.full(4, 0.25), 0)
    assert found.p_value.tolist() == [1.0] * 4
    assert found.rate_ratio.tolist() == found.expected.tolist() == [0.0] * 4
    assert np.isfinite(found.ratio_high).all()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_benjamini_hochberg_is_scipys(p_values):
    assert np.allclose(benjamini_hochberg(np.array(p_values)), stats.false_discovery_control(p_values))


@given(st.integers(1, 50), st.floats(1e-6, 1 - 1e-6), st.data())
def test_the_tail_is_scipys_and_falls_as_more_is_observed(total, share, data):
    observed = data.draw(st.integers(0, total))
    tail = upper_tail(np.array([observed]), total, np.array([share]))[0]
    assert tail == pytest.approx(stats.binom.sf(observed - 1, total, share), rel=1e-9, abs=1e-300)
    if observed < total:
        assert upper_tail(np.array([observed + 1]), total, np.array([share]))[0] <= tail


@given(st.floats(1e-6, 1e6))
def test_scaling_exposure_changes_no_p_value(factor):
    rng = np.random.default_rng(4)
    study = h3cells.disks([h3cells.cell_number("89195c2a5b7ffff")], 3)
    lon, lat = h3cells.centres(rng.choice(study, 30))
    observed = rng.integers(0, 9, len(study))
    plain, scaled = (
        Exposure(ExposureKind.LAYER, lon=lon, lat=lat, weight=np.arange(1.0, 31.0) * each).shares(study)
        for each in (1.0, factor)
    )
    total = int(observed.sum())
    assert np.allclose(
        exact_test(observed, plain, total).p_value, exact_test(observed, scaled, total).p_value, rtol=1e-9
    )
