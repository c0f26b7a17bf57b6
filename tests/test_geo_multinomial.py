import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from geo.multinomial import multinomial


@given(
    st.lists(st.sampled_from([0.0, 1e-12, 0.3, 1.0, 40.0]), min_size=1, max_size=12),
    st.integers(0, 3000),
    st.integers(0, 2**32),
)
@settings(max_examples=150, deadline=None)
def test_every_draw_has_all_the_records_and_none_where_nothing_is_exposed(weights, total, seed):
    share = np.array([*weights, 1.0, 0.0])
    drawn = multinomial(np.random.default_rng(seed), total, share, 5)
    assert drawn.shape == (len(share), 5)
    assert drawn.min() >= 0
    assert (drawn.sum(axis=0) == total).all()
    assert not drawn[share == 0].any()


def _p_value(observed: np.ndarray, of_count: stats.rv_discrete) -> float:
    """Of the chi-squared test that counts are drawn from a distribution, in bins of at least 20 expected."""
    low, high = of_count.ppf([20 / len(observed), 1 - 20 / len(observed)]).astype(int)
    edges = np.unique(np.linspace(low, high, min(30, high + 1 - low)).astype(int))
    expected = np.diff(np.concatenate([[0.0], of_count.cdf(edges), [1.0]])) * len(observed)
    found = np.bincount(np.searchsorted(edges, observed), minlength=len(expected))
    possible = expected > 1e-6
    assert not found[~possible].any()
    return stats.chisquare(found[possible], expected[possible]).pvalue


@pytest.mark.parametrize(
    ("total", "weights"),
    [
        (3, [1, 2, 3, 4]),
        (60, [1, 2, 3, 4]),
        (60, [1] * 300),
        (5_000, [0.02, 1, 2, 97]),
        (2_000_000, [1e-6, 0.01, 1, 30]),
    ],
)
@pytest.mark.parametrize("slack", [6.0, 0.5])
def test_counts_of_a_cell_are_binomial_and_those_of_two_cells_too(monkeypatch, total, weights, slack):
    """With little slack every third draw has too many and is made again, which must not show."""
    monkeypatch.setattr("geo.multinomial._SLACK", slack)
    share = np.array(weights, float)
    drawn = multinomial(np.random.default_rng(17), total, share, 20_000)
    share /= share.sum()
    p_values = [_p_value(drawn[i], stats.binom(total, share[i])) for i in range(min(4, len(share)))]
    p_values.append(
        _p_value(drawn[0] + drawn[2], stats.binom(total, share[0] + share[2]))
    )  # wrong where cells go together
    assert min(p_values) > 1e-4


def test_cells_go_against_each_other_as_they_do_in_numpy():
    share = np.random.default_rng(1).dirichlet(np.ones(6))
    ours = np.cov(multinomial(np.random.default_rng(2), 900, share, 40_000))
    exact = 900 * (np.diag(share) - np.outer(share, share))
    assert ours == pytest.approx(exact, abs=0.03 * exact.max())


def test_a_seed_draws_the_same_again():
    share = np.arange(1.0, 400.0)
    first, again, other = (multinomial(np.random.default_rng(seed), 5000, share, 9) for seed in (4, 4, 5))
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


def test_a_whole_country_on_one_spot_is_drawn_too():
    drawn = multinomial(np.random.default_rng(0), 60_000_000, np.array([0.0, 1.0, 1e-9]), 3)
    assert drawn[1].min() > 59_999_900
    assert drawn.sum(axis=0).tolist() == [60_000_000] * 3
