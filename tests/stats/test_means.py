"""Two means: against scipy, the reference cases, and simulated heavy tails."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from engine.errors import CannotBeJudged
from engine.stats.effect import critical_value
from engine.stats.means import Sums, welch, welch_guarded

Z = critical_value(0.05)
VALUES = st.lists(st.floats(-1e4, 1e4).map(lambda value: round(value, 2)), min_size=3, max_size=40)


def summary(mean, sd, n):
    return Sums(n=n, total=mean * n, squares=sd**2 * (n - 1) + n * mean**2)


def test_welchs_test_gives_the_reference_result(cases, assert_case):
    given_ = cases["welch_unequal_n"]["inputs"]
    found = welch(Sums.of(given_["treat"]), Sums.of(given_["control"]), critical=Z)
    assert_case(
        "welch_unequal_n",
        diff=found.difference.estimate,
        p=found.p_value,
        ci95=[found.difference.low, found.difference.high],
    )


def test_welchs_test_from_a_summary_gives_the_reference_p_value(cases, assert_case):
    given_ = cases["welch_from_summary"]["inputs"]
    treatment, control = (
        summary(given_[f"mean_{arm}"], given_[f"sd_{arm}"], given_[f"n_{arm}"]) for arm in ("treat", "control")
    )
    assert_case("welch_from_summary", p=welch(treatment, control, critical=Z).p_value)


def test_the_lift_of_means_and_its_fieller_interval_equal_the_reference(cases, assert_case):
    given_ = cases["relative_lift_means"]["inputs"]
    lift = welch(Sums.of(given_["treat"]), Sums.of(given_["control"]), critical=Z).lift
    assert_case("relative_lift_means", rel_lift=lift.estimate, fieller_ci95=[lift.low, lift.high])


def test_cookie_cats_rounds_are_judged_as_published(cookie_cats):
    """The guard does not bind here: Welch's standard error is the larger one."""
    given_ = cookie_cats["gate_40 vs gate_30 sum_gamerounds"]
    treatment, control = (
        summary(given_[f"{arm}_mean"], given_[f"{arm}_sd"], given_[f"{arm}_n"]) for arm in ("treat", "control")
    )
    found = welch_guarded(treatment, control, critical=Z)
    assert found.p_value == pytest.approx(given_["p_welch"], rel=1e-9)
    assert [found.difference.low, found.difference.high] == pytest.approx(given_["ci95_welch"], rel=1e-9)
    assert [found.lift.low, found.lift.high] == pytest.approx(given_["rel_ci95_fieller_t"], rel=1e-9)


@given(VALUES, VALUES)
def test_the_guarded_error_is_the_larger_of_welchs_and_the_pooled(treatment, control):
    first, second = Sums.of(treatment), Sums.of(control)
    if first.variance + second.variance == 0:
        return
    own = stats.ttest_ind(treatment, control, equal_var=False)
    pooled = math.sqrt(
        ((len(treatment) - 1) * np.var(treatment, ddof=1) + (len(control) - 1) * np.var(control, ddof=1))
        / (len(treatment) + len(control) - 2)
        * (1 / len(treatment) + 1 / len(control))
    )
    welchs = math.sqrt(np.var(treatment, ddof=1) / len(treatment) + np.var(control, ddof=1) / len(control))
    reach = max(welchs, pooled) * stats.t.ppf(0.975, own.df)
    found = welch_guarded(first, second, critical=Z)
    low, high = (np.mean(treatment) - np.mean(control) + sign * reach for sign in (-1, 1))
    assert (found.difference.low, found.difference.high) == pytest.approx((low, high), rel=1e-6, abs=1e-6)
    assert found.p_value >= welch(first, second, critical=Z).p_value * (1 - 1e-9)


@given(VALUES, VALUES)
def test_interval_lift_and_p_value_agree_on_zero(treatment, control):
    first, second = Sums.of(treatment), Sums.of(control)
    if first.variance + second.variance == 0:
        return
    found = welch_guarded(first, second, critical=Z)
    if abs(found.p_value - 0.05) < 1e-6:
        return
    significant = found.p_value < 0.05
    assert significant == (found.difference.low > 0 or found.difference.high < 0)
    if found.lift.low is not None:
        assert significant == (found.lift.low > 0 or found.lift.high < 0)


@given(VALUES, VALUES, st.floats(0.5, 100))
def test_another_currency_changes_the_difference_and_not_the_lift(treatment, control, rate):
    first, second = Sums.of(treatment), Sums.of(control)
    if first.variance + second.variance == 0:
        return
    plain = welch_guarded(first, second, critical=Z)
    scaled = welch_guarded(
        Sums.of([rate * value for value in treatment]), Sums.of([rate * value for value in control]), critical=Z
    )
    assert scaled.difference.estimate == pytest.approx(rate * plain.difference.estimate, rel=1e-6, abs=1e-6)
    assert scaled.p_value == pytest.approx(plain.p_value, abs=1e-6)


@pytest.mark.parametrize("unit", [1e-150, 1e-20, 1.0, 1e20])
def test_results_do_not_depend_on_the_size_of_the_unit(unit):
    plain, scaled = (
        welch_guarded(Sums.of([3 * u, 4 * u, 8 * u]), Sums.of([1 * u, 2 * u, 2 * u, 1 * u]), critical=1.0)
        for u in (1.0, unit)
    )
    assert scaled.p_value == pytest.approx(plain.p_value)
    assert (scaled.lift.low, scaled.lift.high) == pytest.approx((plain.lift.low, plain.lift.high))


def test_a_control_next_to_nothing_leaves_the_lift_open():
    found = welch(Sums.of([1.0, 2.0, 3.0]), Sums(n=3, total=1e-323, squares=0.0), critical=Z)
    assert (found.lift.estimate, found.lift.unbounded) == (None, True)


def test_the_lift_says_nothing_over_a_control_that_is_not_above_zero():
    found = welch(Sums.of([1, 2, 3]), Sums.of([-3, -1, 1]), critical=Z)
    assert (found.lift.estimate, found.lift.unbounded) == (None, True)


def _spend(random, runs, n, buyers):
    """Lognormal spend of the few who buy."""
    return random.lognormal(3, 1.6, (runs, n)) * (random.random((runs, n)) < buyers)


def test_heavy_tails_at_shares_of_nine_to_one_need_the_guard():
    """4,000 seeded experiments without effect: guarded at most .05 + 3 standard errors, Welch far more."""
    random, runs = np.random.default_rng(5), 4000
    plain = guarded = 0
    for _ in range(runs // 500):
        small, large = _spend(random, 500, 100, 0.2), _spend(random, 500, 900, 0.2)
        for treatment, control in zip(small, large, strict=True):
            first, second = (
                Sums(n=len(x), total=float(x.sum()), squares=float((x * x).sum())) for x in (treatment, control)
            )
            plain += welch(first, second, critical=Z).p_value < 0.05
            guarded += welch_guarded(first, second, critical=Z).p_value < 0.05
    limit = 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)
    assert guarded / runs <= limit
    assert plain / runs > limit


def test_sums_come_from_values_exactly():
    found = Sums.of([0.1] * 10 + [0.0])
    assert (found.n, found.total, found.nonzero) == (11, 1.0, 10)
    assert found.squares == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        pytest.param([1.0, math.inf], "infinite or no number", id="infinite-spend"),
        pytest.param([1.0, math.nan], "infinite or no number", id="nan"),
    ],
)
def test_values_that_are_no_numbers_are_refused(values, text):
    with pytest.raises(CannotBeJudged, match=text):
        Sums.of(values)


@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param({"n": -1, "total": 0.0, "squares": 0.0}, id="negative-n"),
        pytest.param({"n": 2, "total": 0.0, "squares": -1.0}, id="negative-squares"),
        pytest.param({"n": 2, "total": 3.0, "squares": 5.0, "nonzero": 3}, id="more-nonzero-than-customers"),
        pytest.param({"n": 2, "total": math.inf, "squares": 5.0}, id="infinite-total"),
        pytest.param({"n": 2, "total": 1e60, "squares": 1e120}, id="beyond-all-money"),
    ],
)
def test_sums_that_cannot_be_are_refused(numbers):
    with pytest.raises(CannotBeJudged):
        Sums(**numbers)


@pytest.mark.parametrize(
    ("treatment", "control", "text"),
    [
        pytest.param([1.0], [1.0, 2.0], "fewer than two customers", id="one-customer"),
        pytest.param([], [1.0, 2.0], "fewer than two customers", id="empty-arm"),
        pytest.param([0.1] * 30, [0.1] * 50, "the same value", id="constant-metric"),
        pytest.param([0.0] * 30, [0.0] * 50, "the same value", id="nothing-but-zeros"),
    ],
)
def test_what_cannot_be_tested_is_said_in_words(treatment, control, text):
    with pytest.raises(CannotBeJudged, match=text):
        welch_guarded(Sums.of(treatment), Sums.of(control), critical=Z)
