"""Two rates: against published tables, scipy, the likelihood itself and the reference cases."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from engine.errors import CannotBeJudged
from engine.stats.effect import critical_value, level
from engine.stats.proportions import (
    Proportion,
    compare,
    exact_p,
    is_sparse,
    miettinen_nurminen,
    pooled_z,
    restricted_rate,
)

Z = critical_value(0.05)


def of(successes, n):
    return Proportion(successes=successes, n=n)


def arms(inputs):
    return of(inputs["x_treat"], inputs["n_treat"]), of(inputs["x_control"], inputs["n_control"])


@st.composite
def proportion(draw, most=400):
    n = draw(st.integers(1, most))
    return of(draw(st.integers(0, n)), n)


def test_the_pooled_z_test_gives_the_reference_statistic(cases, assert_case):
    treatment, control = arms(cases["two_prop_z_pooled"]["inputs"])
    z = pooled_z(treatment, control)
    assert_case("two_prop_z_pooled", z=z, p_two_sided=level(z), diff=treatment.rate - control.rate)


@given(proportion(), proportion())
def test_the_squared_z_is_pearsons_chi_square(treatment, control):
    table = np.array([[arm.successes, arm.n - arm.successes] for arm in (treatment, control)])
    if (table.sum(axis=0) == 0).any():
        assert pooled_z(treatment, control) == 0
        return
    expected = stats.chi2_contingency(table, correction=False)
    assert pooled_z(treatment, control) ** 2 == pytest.approx(expected.statistic, abs=1e-9)
    assert level(pooled_z(treatment, control)) == pytest.approx(expected.pvalue, abs=1e-9)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("miettinen_nurminen_56_70_vs_48_80", id="ordinary-cells"),
        pytest.param("miettinen_nurminen_5_56_vs_0_29", id="one-empty-cell"),
        pytest.param("miettinen_nurminen_0_10_vs_0_10", id="no-success-at-all"),
        pytest.param("miettinen_nurminen_10_10_vs_0_10", id="all-against-none"),
    ],
)
def test_the_miettinen_nurminen_interval_equals_two_other_implementations(name, cases, assert_case):
    assert_case(name, ci95=list(miettinen_nurminen(*arms(cases[name]["inputs"]), critical=Z)))


def test_the_miettinen_nurminen_interval_of_large_arms_equals_the_reference(cases, assert_case):
    treatment, control = arms(cases["two_prop_intervals_large"]["inputs"])
    assert_case("two_prop_intervals_large", miettinen_nurminen=list(miettinen_nurminen(treatment, control, critical=Z)))


@pytest.mark.parametrize(
    ("treatment", "control", "published"),
    [
        pytest.param((56, 70), (48, 80), (0.0528, 0.3382), id="a"),
        pytest.param((9, 10), (3, 10), (0.1700, 0.8406), id="b"),
        pytest.param((5, 56), (0, 29), (-0.0326, 0.1933), id="e"),
    ],
)
def test_the_interval_equals_the_published_table(treatment, control, published):
    """Newcombe 1998, Stat Med 17:873, table II, the Miettinen-Nurminen column, to the 4 digits printed there."""
    assert miettinen_nurminen(of(*treatment), of(*control), critical=Z) == pytest.approx(published, abs=6e-5)


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.floats(0.5, 4))
def test_without_any_success_the_interval_has_a_closed_form(n_treatment, n_control, critical):
    """The likeliest rates are then δ and 0, so δ² = c² · δ(1 − δ)/n · N/(N−1) gives the bound."""
    n = n_treatment + n_control
    square = critical**2 * n / (n - 1)
    expected = -square / (n_control + square), square / (n_treatment + square)
    assert miettinen_nurminen(of(0, n_treatment), of(0, n_control), critical=critical) == pytest.approx(expected)


@given(proportion(), proportion(), st.floats(0.5, 4))
def test_the_interval_is_what_the_score_test_does_not_reject(treatment, control, critical):
    """Outside the bounds the likelihood, maximised numerically under the difference, rejects; inside it does not."""
    low, high = miettinen_nurminen(treatment, control, critical=critical)
    estimate = treatment.rate - control.rate
    assert -1 <= low <= estimate + 1e-12
    assert estimate - 1e-12 <= high <= 1
    for bound, sign in ((low, -1), (high, 1)):
        if abs(bound) < 1 - 1e-6 and abs(bound - estimate) > 1e-6:
            assert _score(treatment, control, bound - sign * 1e-6 * abs(bound - estimate)) < critical + 1e-4
            assert _score(treatment, control, bound + sign * 1e-4 * abs(bound - estimate)) > critical - 1e-4


def _score(treatment, control, delta):
    base = _likeliest(treatment, control, delta)
    raised, n = base + delta, treatment.n + control.n
    variance = (raised * (1 - raised) / treatment.n + base * (1 - base) / control.n) * n / (n - 1)
    return abs(treatment.rate - control.rate - delta) / math.sqrt(variance) if variance > 0 else math.inf


def _likeliest(treatment, control, delta):
    """The control's likeliest rate by bisection of the slope of the log-likelihood."""
    low, high = max(0.0, -delta), min(1.0, 1 - delta)

    def slope(base):
        total = 0.0
        for rate, arm in ((base + delta, treatment), (base, control)):
            total += arm.successes / rate if arm.successes else 0.0
            total -= (arm.n - arm.successes) / (1 - rate) if arm.n > arm.successes else 0.0
        return total

    for _ in range(200):
        middle = (low + high) / 2
        try:
            up = slope(middle) > 0
        except ZeroDivisionError:
            break
        low, high = (middle, high) if up else (low, middle)
    return (low + high) / 2


@pytest.mark.parametrize(
    ("treatment", "control", "delta"),
    [
        pytest.param((50, 1_000_000), (40, 1_000_000), 1e-5, id="rates-of-a-few-in-a-million"),
        pytest.param((3, 2_000_000), (0, 1_000), -2e-6, id="shares-2000-to-1"),
        pytest.param((999_990, 1_000_000), (999_980, 1_000_000), 2e-5, id="rates-near-one"),
    ],
)
def test_the_likeliest_rates_stay_exact_at_the_edges(treatment, control, delta):
    found = restricted_rate(of(*treatment), of(*control), delta)
    assert found == pytest.approx(_likeliest(of(*treatment), of(*control), delta), rel=1e-9)


@given(proportion(), proportion())
def test_swapping_the_arms_mirrors_the_interval(treatment, control):
    low, high = miettinen_nurminen(treatment, control, critical=Z)
    assert miettinen_nurminen(control, treatment, critical=Z) == pytest.approx((-high, -low), abs=1e-9)


@given(proportion(), proportion(), st.floats(0.5, 3), st.floats(0.1, 1))
def test_a_higher_critical_value_widens_the_interval(treatment, control, critical, more):
    low, high = miettinen_nurminen(treatment, control, critical=critical)
    lower, higher = miettinen_nurminen(treatment, control, critical=critical + more)
    assert lower <= low + 1e-12
    assert higher >= high - 1e-12


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("relative_lift_proportions", id="large"),
        pytest.param("relative_lift_small_30_200_vs_20_200", id="small"),
    ],
)
def test_the_lift_and_its_fieller_interval_equal_the_reference(name, cases, assert_case):
    lift = compare(*arms(cases[name]["inputs"]), critical=Z).lift
    assert_case(name, rel_lift=lift.estimate, fieller_ci95=[lift.low, lift.high])


def test_the_lift_is_unbounded_where_the_control_may_be_zero():
    lift = compare(of(8, 100), of(1, 100), critical=Z).lift
    assert (lift.estimate, lift.low, lift.high, lift.unbounded) == (pytest.approx(7), None, None, True)


def test_the_lift_of_an_arm_without_success_is_no_point():
    lift = compare(of(0, 300), of(60, 300), critical=Z).lift
    assert lift.estimate == -1
    assert lift.high > -1


@pytest.mark.parametrize(
    ("name", "boschloo"),
    [
        pytest.param("exact_3_3_vs_0_3", True, id="tiny-arms-by-boschloo"),
        pytest.param("exact_0_1000_vs_5_1000", False, id="no-success-in-a-large-arm-by-fisher"),
        pytest.param("exact_12_500_vs_2_500", False, id="few-in-500-by-fisher"),
    ],
)
def test_exact_tests_give_the_reference_p_values(name, boschloo, cases, assert_case):
    p_value, test = exact_p(*arms(cases[name]["inputs"]))
    assert test == ("boschloo" if boschloo else "fisher")
    assert_case(name, **{f"p_{test}": p_value})


@pytest.mark.parametrize(
    ("treatment", "control", "method"),
    [
        pytest.param((40, 1000), (25, 1000), "z_pooled+mn/1", id="enough-of-both-by-z"),
        pytest.param((40, 1000), (15, 1000), "fisher+mn/1", id="few-expected-by-fisher"),
        pytest.param((8, 150), (2, 150), "boschloo+mn/1", id="few-expected-in-small-arms-by-boschloo"),
        pytest.param((995, 1000), (980, 1000), "fisher+mn/1", id="few-failures-by-fisher"),
    ],
)
def test_sparse_cells_are_tested_exactly(treatment, control, method):
    assert compare(of(*treatment), of(*control), critical=Z).method == method
    assert compare(of(*treatment), of(*control), critical=Z, exact_if_sparse=False).method == "z_pooled+mn/1"


def test_cells_are_sparse_below_thirty_expected_in_the_smaller_arm():
    assert is_sparse(of(29, 100), of(290, 1000))
    assert not is_sparse(of(30, 100), of(300, 1000))


@pytest.mark.parametrize("metric", ["retention_1", "retention_7"])
def test_cookie_cats_retention_is_judged_as_published(metric, cookie_cats):
    expected = cookie_cats[f"gate_40 vs gate_30 {metric}"]
    found = compare(
        of(expected["treat_successes"], expected["treat_n"]),
        of(expected["control_successes"], expected["control_n"]),
        critical=Z,
    )
    assert found.p_value == pytest.approx(expected["p_pooled"], rel=1e-9)
    assert [found.difference.low, found.difference.high] == pytest.approx(expected["ci95_miettinen_nurminen"], abs=1e-9)
    assert found.difference.estimate == pytest.approx(expected["lift_abs"])
    assert found.lift.estimate == pytest.approx(expected["lift_rel"])


@pytest.mark.parametrize(
    ("rate", "n_treatment", "n_control"),
    [
        pytest.param(0.04, 5000, 5000, id="equal-shares"),
        pytest.param(0.01, 9000, 9000, id="one-percent"),
        pytest.param(0.05, 1000, 9000, id="shares-1-to-9"),
        pytest.param(0.05, 9000, 1000, id="shares-9-to-1"),
    ],
)
def test_equal_rates_are_significant_no_more_often_than_promised(rate, n_treatment, n_control):
    """20,000 seeded experiments: at most .05 + 3 standard errors, with both directions taking part."""
    random, runs = np.random.default_rng(7), 20_000
    first, second = random.binomial(n_treatment, rate, runs), random.binomial(n_control, rate, runs)
    outcomes, back = np.unique(np.stack([first, second]), axis=1, return_inverse=True)
    z = np.array([pooled_z(of(int(x), n_treatment), of(int(y), n_control)) for x, y in outcomes.T])[back.ravel()]
    assert (abs(z) > Z).mean() <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)
    assert min((z > Z).mean(), (z < -Z).mean()) > 0.015


def test_sparse_equal_rates_are_significant_no_more_often_than_promised():
    """Every likely table of 20 against 20 customers at 20 %, weighted by its chance."""
    n, rate = 20, 0.2
    chance = stats.binom.pmf(range(n + 1), n, rate)
    significant = sum(
        chance[x] * chance[y]
        for x in range(12)
        for y in range(12)
        if abs(x - y) > 3 and chance[x] * chance[y] > 1e-5 and compare(of(x, n), of(y, n), critical=Z).p_value <= 0.05
    )
    assert 0 < significant <= 0.05


def test_fixed_intervals_cover_the_true_difference():
    random = np.random.default_rng(11)
    runs, covered = 2000, 0
    for first, second in zip(random.binomial(900, 0.06, runs), random.binomial(2100, 0.05, runs), strict=True):
        low, high = miettinen_nurminen(of(int(first), 900), of(int(second), 2100), critical=Z)
        covered += low <= 0.01 <= high
    assert covered / runs == pytest.approx(0.95, abs=3 * math.sqrt(0.05 * 0.95 / runs))


@pytest.mark.parametrize(
    ("successes", "n", "text"),
    [
        pytest.param(0, 0, "no customers", id="empty-arm"),
        pytest.param(-1, 10, "-1 successes among 10", id="negative-count"),
        pytest.param(11, 10, "11 successes among 10", id="more-successes-than-customers"),
    ],
)
def test_impossible_counts_are_refused(successes, n, text):
    with pytest.raises(CannotBeJudged, match=text):
        of(successes, n)
