"""Sample sizes and detectable effects: published values, closed forms, statsmodels, simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats import power as statsmodels_power

from engine.errors import CannotBeJudged
from engine.stats.effect import critical_value
from engine.stats.multiplicity import dunnett_critical
from engine.stats.power import detectable, growth, required

Z = critical_value(0.05)


def test_ten_against_twelve_percent_needs_the_published_sample(cases, assert_case):
    """R: power.prop.test(p1 = .1, p2 = .12, power = .8) gives n = 3840.847."""
    found = required(baseline=0.1, effect=0.02, critical=Z)
    assert_case("sample_size_p10_p12_equal", n_per_arm_pooled=found.exact_control, ceil_pooled=found.control)
    assert (found.control, found.treatment) == (3841, 3841)


@pytest.mark.parametrize("name", ["sample_size_unequal_ratio_0.2500", "sample_size_unequal_ratio_4.0000"])
def test_unequal_shares_need_the_reference_sample(name, cases, assert_case):
    ratio = cases[name]["inputs"]["ratio_treat_over_control"]
    found = required(baseline=0.1, effect=0.02, critical=Z, ratio=ratio)
    assert_case(name, n_control=found.exact_control, n_treat=found.exact_treatment)


def test_three_treatments_need_the_reference_sample(assert_case):
    dunnett = dunnett_critical(0.05, treatments=[1, 1, 1], control=1)
    bonferroni = critical_value(0.05 / 3)
    assert_case(
        "sample_size_4_arms",
        n_per_arm_dunnett=required(baseline=0.1, effect=0.02, critical=dunnett).exact_control,
        n_per_arm_bonferroni=required(baseline=0.1, effect=0.02, critical=bonferroni).exact_control,
    )


def test_a_twentieth_of_a_standard_deviation_needs_the_reference_sample(assert_case):
    found = required(baseline=0.0, effect=0.05, sd=1.0, critical=Z)
    mde = detectable(baseline=0.0, control=5000, treatment=5000, sd=1.0, critical=Z)
    assert_case("sample_size_mean_d05", n_per_arm=found.exact_control, mde_sd_units_at_n5000=mde)


@settings(max_examples=20)
@given(st.floats(0.03, 1), st.floats(0.1, 10))
def test_means_need_what_statsmodels_says(size, ratio):
    found = required(baseline=10.0, effect=size * 30, sd=30.0, critical=Z, ratio=ratio)
    expected = statsmodels_power.TTestIndPower().power(size, found.exact_control, 0.05, ratio=ratio)
    assert expected == pytest.approx(0.8, abs=1e-5)


def test_the_detectable_effect_equals_the_reference(assert_case):
    found = detectable(baseline=0.1, control=5000, treatment=5000, critical=Z)
    assert_case("mde_absolute_n5000_p10", mde_abs=found, mde_rel=found / 0.1)


@given(st.floats(0.005, 0.6), st.integers(200, 10**6), st.floats(0.1, 10), st.booleans())
def test_what_is_detectable_needs_just_the_customers_there_are(baseline, control, ratio, decrease):
    treatment = max(50, round(control * ratio))
    effect = detectable(baseline=baseline, control=control, treatment=treatment, critical=Z, decrease=decrease)
    if effect is None:
        return
    assert (effect < 0) == decrease
    back = required(baseline=baseline, effect=effect, critical=Z, ratio=treatment / control)
    assert back.exact_control == pytest.approx(control, rel=1e-6)


@given(st.floats(0.005, 0.5), st.floats(0.002, 0.2), st.floats(1.01, 2))
def test_a_larger_effect_needs_fewer_customers(baseline, effect, factor):
    larger = required(baseline=baseline, effect=effect * factor, critical=Z).exact_control
    assert larger <= required(baseline=baseline, effect=effect, critical=Z).exact_control


def test_too_few_customers_detect_nothing():
    assert detectable(baseline=0.01, control=50, treatment=5000, critical=Z, decrease=True) is None


def test_the_planned_sample_has_the_planned_power():
    """20,000 seeded experiments at 4 % against 5 % with the sample for 80 %."""
    need, random, runs = required(baseline=0.04, effect=0.01, critical=Z, ratio=2), np.random.default_rng(2), 20_000
    first, second = random.binomial(need.treatment, 0.05, runs), random.binomial(need.control, 0.04, runs)
    pooled = (first + second) / (need.treatment + need.control)
    error = np.sqrt(pooled * (1 - pooled) * (1 / need.treatment + 1 / need.control))
    found = ((first / need.treatment - second / need.control) / error > Z).mean()
    assert found == pytest.approx(0.8, abs=0.01)


def test_a_round_number_is_not_rounded_up():
    assert required(baseline=0.1, effect=0.02, critical=Z).control == math.ceil(3840.847)


def test_growing_the_arms_moves_the_interval_past_the_value():
    """An estimate one reach from zero: the reach must shrink to leave room for the power as well."""
    factor = growth(reach=1.96, distance=1.0, critical=1.96, power=0.8)
    assert factor == pytest.approx((1.96 + stats.norm.ppf(0.8)) ** 2, rel=1e-9)
    assert growth(reach=1.0, distance=0.0, critical=1.96, power=0.8) == math.inf


@pytest.mark.parametrize(
    ("given_", "text"),
    [
        pytest.param({"baseline": 0.98, "effect": 0.05}, "rates lie inside 0 to 1", id="rate-above-one"),
        pytest.param({"baseline": 0.02, "effect": -0.05}, "rates lie inside 0 to 1", id="rate-below-zero"),
        pytest.param({"baseline": 0.1, "effect": 0.0}, "effect of zero", id="no-effect"),
        pytest.param({"baseline": 5.0, "effect": 0.0, "sd": 2.0}, "effect of zero", id="no-effect-on-a-mean"),
        pytest.param({"baseline": 5.0, "effect": 1.0, "sd": 0.0}, "same value", id="constant-metric"),
        pytest.param({"baseline": 5.0, "effect": 1e-9, "sd": 2.0}, "no number of customers", id="effect-too-small"),
        pytest.param({"baseline": math.nan, "effect": 0.1}, "finite", id="nan"),
        pytest.param({"baseline": 0.1, "effect": 0.1, "power": 1.0}, "power inside", id="certainty"),
    ],
)
def test_samples_that_do_not_exist_are_refused(given_, text):
    with pytest.raises(CannotBeJudged, match=text):
        required(critical=Z, **given_)


def test_empty_arms_detect_nothing():
    with pytest.raises(CannotBeJudged, match="no customers"):
        detectable(baseline=0.1, control=0, treatment=10, critical=Z)
