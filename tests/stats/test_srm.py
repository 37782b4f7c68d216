"""Sample ratio mismatch: reference cases, the Bayes factor's definition, and looking every day."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from engine.errors import CannotBeJudged
from engine.stats.srm import chi_square_p, log_bayes_factor, sequential_p


@pytest.mark.parametrize("name", ["srm_5000_5200", "srm_21306_21307_21387", "srm_44700_45489"])
def test_the_chi_square_test_gives_the_reference_p_value(name, cases, assert_case):
    given_ = cases[name]["inputs"]
    assert_case(name, p=chi_square_p(given_["counts"], given_["weights"]))


def test_cookie_cats_arm_sizes_are_worth_a_warning(cookie_cats):
    expected = cookie_cats["srm"]
    p_value = chi_square_p(expected["counts"], [1, 1])
    assert p_value == pytest.approx(expected["p"], rel=1e-9)
    assert 0.001 < p_value < 0.01


def test_the_sequential_test_gives_the_reference_values(cases, assert_case):
    given_ = cases["sequential_srm_5000_5200"]["inputs"]
    assert_case(
        "sequential_srm_5000_5200",
        log_bayes_factor=log_bayes_factor(given_["counts"], given_["theta0"]),
        p_always_valid=sequential_p(given_["counts"], given_["theta0"]),
    )


@given(st.lists(st.integers(0, 2000), min_size=2, max_size=4), st.data())
def test_the_bayes_factor_is_the_ratio_of_two_scipy_likelihoods(counts, data):
    shares = np.array(data.draw(st.lists(st.floats(0.05, 1), min_size=len(counts), max_size=len(counts))))
    shares /= shares.sum()
    mixture = stats.dirichlet_multinomial.logpmf(counts, 10_000 * shares, sum(counts))
    planned = stats.multinomial.logpmf(counts, sum(counts), shares)
    assert log_bayes_factor(counts, shares) == pytest.approx(mixture - planned, abs=1e-6)


def test_sound_rounds_looked_at_every_day_are_rarely_called_invalid():
    """2,000 seeded rounds of 60 days at shares 45:45:10; over all looks p < .01 in at most 1 %."""
    random, runs, shares = np.random.default_rng(3), 2000, [0.45, 0.45, 0.1]
    daily = random.multinomial(200, shares, (runs, 60)).cumsum(axis=1)
    fired = sum(any(sequential_p(day.tolist(), shares) < 0.01 for day in days) for days in daily)
    assert fired / runs <= 0.01 + 3 * math.sqrt(0.01 * 0.99 / runs)


def test_a_mismatch_of_51_to_49_is_found_at_100_000_customers():
    random = np.random.default_rng(4)
    found = [sequential_p([int(n), 100_000 - int(n)], [0.5, 0.5]) < 0.001 for n in random.binomial(100_000, 0.51, 300)]
    assert np.mean(found) >= 0.95


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_the_p_value_is_one_at_most_and_never_below_zero(first, second):
    assert 0 <= sequential_p([first, second], [0.5, 0.5]) <= 1


@given(st.integers(5000, 10**5), st.integers(0, 500), st.integers(1, 500))
def test_a_larger_mismatch_never_looks_better(half, gap, more):
    def p_value(difference):
        return sequential_p([half - difference, half + difference], [0.5, 0.5])

    assert p_value(gap + more) <= p_value(gap) + 1e-12


def test_nobody_assigned_yet_is_no_mismatch():
    assert sequential_p([0, 0], [0.5, 0.5]) == 1
    assert chi_square_p([0, 0], [0.5, 0.5]) == 1


@pytest.mark.parametrize(
    ("counts", "shares"),
    [
        pytest.param([10], [1.0], id="one-arm"),
        pytest.param([10, 10], [0.5, 0.3, 0.2], id="an-arm-without-count"),
        pytest.param([10, -1], [0.5, 0.5], id="negative-count"),
        pytest.param([10, 0], [1.0, 0.0], id="share-of-nothing"),
        pytest.param([10, 0], [math.nan, 0.5], id="nan-share"),
    ],
)
def test_counts_that_fit_no_shares_are_refused(counts, shares):
    for test in (sequential_p, chi_square_p):
        with pytest.raises(CannotBeJudged):
            test(counts, shares)
