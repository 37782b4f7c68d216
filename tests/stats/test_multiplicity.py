"""Several treatments and several metrics: Dunnett against tables, scipy and the multivariate normal; Holm."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from engine.errors import CannotBeJudged
from engine.stats.effect import critical_value
from engine.stats.multiplicity import dunnett_critical, dunnett_p, holm

SIZES = st.lists(st.floats(0.05, 20), min_size=1, max_size=5)


def test_holms_adjustment_gives_the_reference_values(cases, assert_case):
    assert_case("multiplicity_4_pvalues", holm=holm(cases["multiplicity_4_pvalues"]["inputs"]["p"]))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holms_adjustment_is_bonferroni_over_every_set_of_metrics(p_values):
    """The closed test that defines it: a metric is claimed only if every set that holds it is rejected."""
    indices = range(len(p_values))
    sets = [chosen for size in indices for chosen in combinations(indices, size + 1)]
    expected = [
        max(min(1.0, len(chosen) * min(p_values[i] for i in chosen)) for chosen in sets if index in chosen)
        for index in indices
    ]
    assert holm(p_values) == pytest.approx(expected, abs=1e-12)


def test_nothing_to_adjust_is_nothing():
    assert holm([]) == []


def test_dunnetts_critical_values_equal_the_published_table(cases, assert_case):
    """Dunnett 1964, Biometrics 20:482, two-sided .05, infinite degrees of freedom."""
    counts = cases["dunnett_z_critical_equal_n"]["inputs"]["k_treatments"]
    found = [dunnett_critical(0.05, treatments=[1] * count, control=1) for count in counts]
    assert_case("dunnett_z_critical_equal_n", critical=found)
    assert [round(value, 2) for value in found] == [1.96, 2.21, 2.35, 2.44, 2.51]


@pytest.mark.parametrize(
    ("freedom", "published"),
    [
        pytest.param(10, [2.57, 2.76, 2.89], id="10"),
        pytest.param(20, [2.38, 2.54, 2.65], id="20"),
        pytest.param(60, [2.27, 2.41, 2.51], id="60"),
    ],
)
def test_dunnetts_t_equals_the_published_table(freedom, published):
    """Dunnett 1964, two-sided .05, for 2, 3 and 4 treatments of equal size."""
    for count, critical in zip((2, 3, 4), published, strict=True):
        p_value = dunnett_p(critical, treatments=[1] * count, control=1, freedom=freedom)
        assert p_value == pytest.approx(0.05, abs=0.0008)


def test_dunnetts_p_values_equal_the_reference(cases, assert_case):
    given_ = cases["dunnett_4_arms"]["inputs"]
    control, arms = np.array(given_["control"]), [np.array(arm) for arm in given_["arms"]]
    everyone = [control, *arms]
    freedom = sum(map(len, everyone)) - len(everyone)
    spread = math.sqrt(sum(((arm - arm.mean()) ** 2).sum() for arm in everyone) / freedom)
    t = [(arm.mean() - control.mean()) / spread / math.sqrt(1 / len(arm) + 1 / len(control)) for arm in arms]
    sizes = [len(arm) for arm in arms]
    found = [dunnett_p(value, treatments=sizes, control=len(control), freedom=freedom) for value in t]
    assert_case("dunnett_4_arms", p_dunnett=found)
    assert found == pytest.approx(stats.dunnett(*arms, control=control, rng=1).pvalue, abs=1e-3)


@pytest.mark.parametrize(
    ("treatments", "control"),
    [
        pytest.param([1, 2, 3], 1, id="unequal-treatments"),
        pytest.param([1, 1], 20, id="large-control"),
        pytest.param([9, 9, 9], 1, id="small-control"),
        pytest.param([10_000, 1], 1, id="nearly-perfect-correlation"),
    ],
)
@pytest.mark.parametrize("statistic", [0.5, 2.3, 4.0])
def test_dunnetts_p_value_equals_the_multivariate_normal(treatments, control, statistic):
    loadings = np.sqrt(np.array(treatments) / (np.array(treatments) + control))
    correlation = np.outer(loadings, loadings)
    np.fill_diagonal(correlation, 1)
    box = np.full(len(treatments), statistic)
    inside = stats.multivariate_normal.cdf(
        box, cov=correlation, lower_limit=-box, abseps=1e-8, releps=1e-8, maxpts=500_000
    )
    assert dunnett_p(statistic, treatments=treatments, control=control) == pytest.approx(1 - inside, abs=2e-6)


@given(SIZES, st.floats(0.05, 20), st.floats(0, 9))
def test_the_p_value_lies_between_unadjusted_and_bonferroni(treatments, control, statistic):
    single = 2 * stats.norm.sf(statistic)
    found = dunnett_p(statistic, treatments=treatments, control=control)
    assert single * (1 - 1e-9) <= found <= min(1, len(treatments) * single) * (1 + 1e-9)


@given(SIZES, st.floats(0.05, 20), st.floats(0.001, 0.2))
def test_the_critical_value_has_exactly_its_level(treatments, control, alpha):
    critical = dunnett_critical(alpha, treatments=treatments, control=control)
    assert dunnett_p(critical, treatments=treatments, control=control) == pytest.approx(alpha, rel=1e-7)


def test_one_treatment_needs_no_adjustment():
    assert dunnett_critical(0.05, treatments=[3], control=1) == critical_value(0.05)
    assert dunnett_p(1.5, treatments=[3], control=1) == pytest.approx(2 * stats.norm.sf(1.5), rel=1e-12)


def test_an_infinite_statistic_has_no_chance():
    assert dunnett_p(math.inf, treatments=[1, 1], control=1) == 0


def test_with_equal_arms_any_treatment_is_significant_as_often_as_promised():
    """200,000 seeded draws of three treatments of unequal size against one control."""
    random, sizes, control = np.random.default_rng(8), np.array([500, 1000, 4000]), 2000
    means = random.normal(size=(200_000, 3)) / np.sqrt(sizes)
    shared = random.normal(size=(200_000, 1)) / math.sqrt(control)
    z = (means - shared) / np.sqrt(1 / sizes + 1 / control)
    critical = dunnett_critical(0.05, treatments=sizes.tolist(), control=control)
    assert (abs(z).max(axis=1) > critical).mean() == pytest.approx(0.05, abs=4 * math.sqrt(0.05 * 0.95 / 200_000))


@pytest.mark.parametrize(
    ("treatments", "control"),
    [
        pytest.param([], 1, id="no-treatment"),
        pytest.param([1, 0], 1, id="empty-treatment"),
        pytest.param([1, 1], 0, id="empty-control"),
    ],
)
def test_arms_without_customers_are_refused(treatments, control):
    with pytest.raises(CannotBeJudged):
        dunnett_critical(0.05, treatments=treatments, control=control)
