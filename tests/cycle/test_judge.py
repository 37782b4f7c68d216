"""The verdict: the decision table, the round's rule, reasons in words, and judging again from the seal."""

from __future__ import annotations

import json
import math
import warnings
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.cycle.judge import (
    Evidence,
    Guarded,
    Minimum,
    Reach,
    Row,
    Rule,
    Standing,
    decide,
    describe,
    judge,
    rounded,
    rule_for,
)
from engine.declare.spec import Campaign, Metric
from engine.errors import CannotBeJudged, NotSupportedYet
from engine.model import Arm, ArmRole, Decision
from engine.stats.means import Sums
from engine.store.audit import canonical

PATIENT = settings(deadline=None)
NOW = datetime(2026, 12, 30, tzinfo=UTC)
ONE_POINT = Minimum(value=0.01, relative=False, text="1.0 pp")
TEN_PERCENT = Minimum(value=0.1, relative=True, text="10 %")
FIVE_EURO = Minimum(value=5.0, relative=False, text="5 EUR")


def rule(treatments=("deadline",), holdout=0.0, **changes):
    share = (1 - holdout) / (len(treatments) + 1)
    arms = [Arm(name="control", share=share, role=ArmRole.CONTROL)]
    arms += [Arm(name=name, share=share, role=ArmRole.TREATMENT) for name in treatments]
    arms += [Arm(name="holdout", share=holdout, role=ArmRole.HOLDOUT)] if holdout else []
    given_ = {
        "method": "fixed", "metric": "purchase_rate", "kinds": {"purchase_rate": "conversion"}, "arms": tuple(arms),
        "compared_to": "control", "will": "increase", "minimum": ONE_POINT,
    }  # fmt: skip
    return Rule(**(given_ | changes))


def successes(count, n):
    return Sums(n=n, total=float(count), squares=float(count), nonzero=count)


def spread(mean, sd, n):
    return Sums(n=n, total=mean * n, squares=sd**2 * (n - 1) + n * mean**2, nonzero=n)


def evidence(metrics, *, final=True, assigned=None, **changes):
    """Evidence of metrics by name and arm; as many are assigned as are mature unless said otherwise."""
    sizes = assigned or {arm: sums.n for by in metrics.values() for arm, sums in by.items()}
    given_ = {
        "as_of": NOW, "final": final, "data_through": {"purchase": NOW},
        "arms": {arm: Reach(assigned=n, accepted=n, delivered=n) for arm, n in sizes.items()}, "metrics": metrics,
    }  # fmt: skip
    return Evidence(**(given_ | changes))


def rates(treatment, control, n=6726, **changes):
    return evidence(
        {"purchase_rate": {"deadline": successes(treatment, n), "control": successes(control, n)}}, **changes
    )


SAFE = Guarded(metric="unsubscribe_rate", state="safe")
OPEN = Guarded(metric="unsubscribe_rate", state="undecided")
STOP = Guarded(metric="unsubscribe_rate", state="breached", on_breach="stop")
PAUSE = Guarded(metric="margin_share", state="breached", on_breach="pause")
UP = {"crossed": True, "low": 0.002, "high": 0.02, "low_in_unit": 0.002, "high_in_unit": 0.02}
FAR_UP = {"crossed": True, "low": 0.012, "high": 0.02, "low_in_unit": 0.012, "high_in_unit": 0.02}
DOWN = {"crossed": True, "low": -0.02, "high": -0.002, "low_in_unit": -0.02, "high_in_unit": -0.002}
SMALL = {"low": -0.004, "high": 0.006, "low_in_unit": -0.004, "high_in_unit": 0.006}
WIDE = {"low": -0.004, "high": 0.016, "low_in_unit": -0.004, "high_in_unit": 0.016}


@pytest.mark.parametrize(
    ("standing", "options", "row", "decision"),
    [
        pytest.param({"valid": False, **UP, "guardrails": (STOP,)}, {}, Row.INVALID, "invalid", id="validity-first"),
        pytest.param({**UP, "guardrails": (STOP,)}, {}, Row.BREACHED, "harmful", id="breach-beats-effect"),
        pytest.param(
            {**UP, "guardrails": (STOP,), "final": False}, {}, Row.BREACHED, "harmful", id="breach-at-any-look"
        ),
        pytest.param(
            {**UP, "guardrails": (PAUSE,), "final": False}, {}, Row.PAUSED, "keep_running", id="breach-that-pauses"
        ),
        pytest.param({**UP, "guardrails": (PAUSE, STOP)}, {}, Row.BREACHED, "harmful", id="stop-beats-pause"),
        pytest.param(
            {**UP, "guardrails": (PAUSE,)}, {}, Row.PAUSED_TO_THE_END, "inconclusive", id="breach-paused-to-the-end"
        ),
        pytest.param(DOWN, {}, Row.HARMFUL, "harmful", id="proven-against-the-claim"),
        pytest.param({**DOWN, "final": False}, {}, Row.HARMFUL, "harmful", id="harm-crossed-before-the-end"),
        pytest.param({**DOWN, "guardrails": (OPEN,)}, {}, Row.HARMFUL, "harmful", id="harm-beats-an-open-guardrail"),
        pytest.param(UP, {}, Row.SHIP, "ship", id="proven"),
        pytest.param({**UP, "guardrails": (SAFE,)}, {}, Row.SHIP, "ship", id="proven-and-safe"),
        pytest.param({**UP, "final": False}, {}, Row.SHIP, "ship", id="crossed-before-the-end"),
        pytest.param({**UP, "crossed": False}, {}, Row.UNSETTLED, "inconclusive", id="above-zero-but-not-crossed"),
        pytest.param(
            {**UP, "guardrails": (SAFE, OPEN), "final": False}, {}, Row.GUARDRAIL_OPEN, "keep_running",
            id="proven-guardrail-open",
        ),
        pytest.param(
            {**UP, "guardrails": (OPEN,)}, {}, Row.GUARDRAIL_NEVER_SAFE, "inconclusive", id="guardrail-open-at-the-end"
        ),
        pytest.param(
            {**UP, "guardrails": (OPEN,)}, {"undecided_guardrail": "warn"}, Row.SHIP_WARNED, "ship",
            id="guardrail-open-only-warns",
        ),
        pytest.param(
            UP, {"ship_if": "at_least_minimum_effect"}, Row.UNSETTLED, "inconclusive", id="proven-but-maybe-too-small"
        ),
        pytest.param(FAR_UP, {"ship_if": "at_least_minimum_effect"}, Row.SHIP, "ship", id="proven-large-enough"),
        pytest.param({**SMALL, "final": False}, {}, Row.NOT_FINAL, "keep_running", id="refuted-only-at-the-end"),
        pytest.param(SMALL, {}, Row.REFUTED, "keep_control", id="refuted"),
        pytest.param(
            {**SMALL, "crossed": True, "low": 0.001}, {"ship_if": "at_least_minimum_effect"}, Row.REFUTED,
            "keep_control", id="proven-and-proven-too-small",
        ),
        pytest.param(WIDE, {}, Row.UNSETTLED, "inconclusive", id="neither-proven-nor-refuted"),
        pytest.param({"judged": False, "final": False}, {}, Row.NOT_FINAL, "keep_running", id="no-numbers-yet"),
        pytest.param({"judged": False}, {}, Row.UNJUDGED, "inconclusive", id="no-numbers-at-the-end"),
    ],
)  # fmt: skip
def test_the_first_row_of_the_table_that_fits_decides(standing, options, row, decision):
    found = decide(Standing(**({"valid": True, "final": True} | standing)), minimum=0.01, **options)
    assert (found, found.decision) == (row, decision)


@pytest.mark.parametrize(
    ("treatment", "control", "decision"),
    [
        pytest.param(336, 269, "ship", id="more"),
        pytest.param(200, 269, "harmful", id="fewer"),
        pytest.param(272, 269, "keep_control", id="alike"),
        pytest.param(310, 269, "inconclusive", id="in-between"),
    ],
)
def test_a_round_is_judged_at_its_end(treatment, control, decision):
    found = judge(rule(), rates(treatment, control))
    assert found.decision == decision
    assert found.winner == ("deadline" if decision == "ship" else None)


@pytest.mark.parametrize("treatment", [336, 200, 272])
def test_under_the_fixed_rule_nothing_is_decided_before_the_end(treatment):
    found = judge(rule(), rates(treatment, 269, final=False, assigned={"deadline": 9000, "control": 9000}))
    assert found.decision == Decision.KEEP_RUNNING
    assert found.because == (
        "The rule “fixed” tests once, when every window has closed; this look is earlier.",
        "13,452 of 18,000 customers have finished the window of purchase_rate.",
    )
    assert found.estimate_note is not None


def test_a_ship_that_may_be_below_the_minimum_says_so():
    assert judge(rule(), rates(336, 269)).estimate_note == "The effect may be below the minimum of 1.0 pp."
    assert judge(rule(), rates(500, 269)).estimate_note is None


@pytest.mark.parametrize(
    ("found", "because"),
    [
        pytest.param(
            judge(rule(), rates(336, 269)),
            (
                "purchase_rate was 5.0 % in “deadline” and 4.0 % in “control”: +1.0 pp "
                "(95 % interval +0.3 pp to +1.7 pp; p = 0.0053).",
                "All of the interval lies on the side that was hoped for.",
            ),
            id="ship",
        ),
        pytest.param(
            judge(rule(), rates(200, 269)),
            (
                "purchase_rate was 3.0 % in “deadline” and 4.0 % in “control”: −1.0 pp "
                "(95 % interval −1.7 pp to −0.4 pp; p = 0.0012).",
                "All of the interval lies on the wrong side of zero: “deadline” does the opposite of the claim.",
            ),
            id="harmful",
        ),
        pytest.param(
            judge(rule(), rates(272, 269)),
            (
                "purchase_rate was 4.0 % in “deadline” and 4.0 % in “control”: 0.0 pp "
                "(95 % interval −0.6 pp to +0.7 pp; p = 0.8953).",
                "Even the most hopeful end of the interval is below the minimum of 1.0 pp: the claim is refuted.",
            ),
            id="keep-control",
        ),
        pytest.param(
            judge(rule(), rates(310, 269)),
            (
                "purchase_rate was 4.6 % in “deadline” and 4.0 % in “control”: +0.6 pp "
                "(95 % interval −0.1 pp to +1.3 pp; p = 0.0815).",
                "The data fit no effect as well as one of 1.0 pp or more.",
                "If the effect stays as measured, about 18,000 customers in “deadline” and 18,000 in “control” "
                "would settle it (now 6,726 and 6,726).",
            ),
            id="inconclusive",
        ),
        pytest.param(
            judge(rule(minimum=TEN_PERCENT), rates(336, 269)),
            (
                "purchase_rate was 5.0 % in “deadline” and 4.0 % in “control”: +1.0 pp (95 % interval +0.3 pp "
                "to +1.7 pp; a lift of +24.9 %, +6.9 % to +46.4 %; p = 0.0053).",
                "All of the interval lies on the side that was hoped for.",
            ),
            id="relative-minimum",
        ),
        pytest.param(
            judge(rule(ship_if="at_least_minimum_effect"), rates(500, 269)),
            (
                "purchase_rate was 7.4 % in “deadline” and 4.0 % in “control”: +3.4 pp "
                "(95 % interval +2.7 pp to +4.2 pp; p < 0.0001).",
                "All of the interval lies at or beyond 1.0 pp.",
            ),
            id="at-least-the-minimum",
        ),
        pytest.param(
            judge(rule(ship_if="at_least_minimum_effect"), rates(336, 269)),
            (
                "purchase_rate was 5.0 % in “deadline” and 4.0 % in “control”: +1.0 pp "
                "(95 % interval +0.3 pp to +1.7 pp; p = 0.0053).",
                "There is an effect, but whether it reaches the minimum of 1.0 pp is open.",
                "No number of customers within reach would settle it: the effect lies where the decision turns.",
            ),
            id="proven-but-maybe-too-small",
        ),
        pytest.param(
            judge(rule(), rates(0, 0)),
            (
                "purchase_rate of “deadline” cannot be judged because "
                "nobody in “deadline” and “control” counts in purchase_rate.",
            ),
            id="nobody-converted",
        ),
    ],
)  # fmt: skip
def test_reasons_are_sentences_with_the_numbers_that_decided(found, because):
    assert found.because == because


def test_the_sample_named_would_have_settled_it():
    """The same rates in arms as large as the sentence says are decided."""
    assert judge(rule(), rates(830, 720, n=18_000)).decision == "ship"


def test_arms_of_the_wrong_size_make_a_round_invalid_whatever_the_effect():
    seen = rates(600, 269, assigned={"deadline": 6100, "control": 6726})
    found = judge(rule(), seen)
    check = next(check for check in found.health if check.check == "srm")
    assert (found.decision, check.status) == (Decision.INVALID, "fail")
    assert check.p_value < 0.001
    assert found.because == (
        "The data cannot be trusted, so no effect is judged.",
        "The arms differ in size by more than chance allows: "
        "“control” 6,726 (expected 6,413), “deadline” 6,100 (expected 6,413).",
    )


def test_invalid_data_are_said_before_the_end_too():
    seen = rates(600, 269, final=False, assigned={"deadline": 6000, "control": 6726})
    assert judge(rule(), seen).decision == Decision.INVALID


@pytest.mark.parametrize(
    ("deadline", "status"),
    [
        pytest.param(6726, "ok", id="even"),
        pytest.param(6230, "warn", id="uneven"),
        pytest.param(6000, "fail", id="off"),
    ],
)
def test_arm_sizes_warn_before_they_fail(deadline, status):
    found = judge(rule(), rates(336, 269, assigned={"deadline": deadline, "control": 6726}))
    assert found.health[0].status == status


def test_acceptance_comes_after_treatment_so_it_only_warns():
    seen = rates(336, 269)
    arms = {"control": seen.arms["control"], "deadline": Reach(assigned=6726, accepted=5000, delivered=4900)}
    found = judge(rule(), replace(seen, arms=arms))
    statuses = {check.check: check.status for check in found.health}
    assert (statuses["srm"], statuses["srm_accepted"], statuses["srm_delivered"]) == ("ok", "warn", "warn")
    assert found.decision == Decision.SHIP


def test_health_says_what_is_uncertain_unfinished_and_unknown():
    seen = rates(336, 269, assigned={"deadline": 7000, "control": 7000}, data_through={"purchase": None})
    arms = {
        "control": Reach(assigned=7000, accepted=6900, uncertain=100),
        "deadline": Reach(assigned=7000, accepted=7000),
    }
    details = {check.check: (check.status, check.detail) for check in judge(rule(), replace(seen, arms=arms)).health}
    assert details["uncertain"][0] == "ok"
    assert details["uncertain"][1].startswith("100 messages (0.71%)")
    assert details["finished_windows"] == (
        "warn", "13,452 of 14,000 customers have finished the window of purchase_rate"
    )  # fmt: skip
    assert details["data_through"][0] == "warn"


def test_a_mean_between_very_unequal_shares_is_warned_of():
    arms = (
        Arm(name="control", share=0.1, role=ArmRole.CONTROL),
        Arm(name="deadline", share=0.9, role=ArmRole.TREATMENT),
    )
    unequal = rule(metric="revenue", kinds={"revenue": "mean"}, arms=arms, minimum=FIVE_EURO)
    seen = evidence({"revenue": {"control": spread(20, 30, 1000), "deadline": spread(22, 30, 9000)}})
    assert "unequal_shares" in {check.check for check in judge(unequal, seen).health}
    even = rule(metric="revenue", kinds={"revenue": "mean"}, minimum=FIVE_EURO)
    assert "unequal_shares" not in {check.check for check in judge(even, seen).health}


def test_the_direction_hoped_for_is_mirrored():
    lower = rule(will="decrease")
    assert judge(lower, rates(200, 269)).decision == "ship"
    assert judge(lower, rates(336, 269)).decision == "harmful"
    assert judge(lower, rates(272, 269)).decision == "keep_control"


@PATIENT
@given(st.integers(0, 700), st.integers(0, 700), st.booleans())
def test_swapping_arms_and_direction_changes_nothing(first, second, final):
    up = judge(rule(), rates(first, second, final=final))
    down = judge(rule(will="decrease"), rates(second, first, final=final))
    assert up.decision == down.decision
    assert up.results[0].adjusted_p_value == down.results[0].adjusted_p_value


@settings(max_examples=60, deadline=None)
@given(st.integers(200, 400), st.integers(0, 300))
def test_more_successes_never_make_a_verdict_worse(base, more):
    order = ["harmful", "keep_control", "inconclusive", "ship"]
    less, better = (judge(rule(), rates(count, 300)).decision for count in (base, base + more))
    assert order.index(less) <= order.index(better)


@pytest.mark.parametrize(
    ("treatment", "control", "decision"),
    [
        pytest.param(1005, 1000, "keep_control", id="ten-percent-more-is-refuted"),
        pytest.param(1060, 1000, "inconclusive", id="ten-percent-more-is-open"),
        pytest.param(1150, 1000, "ship", id="any-more-is-proven"),
    ],
)
def test_a_relative_minimum_is_judged_by_the_interval_of_the_lift(treatment, control, decision):
    assert judge(rule(minimum=TEN_PERCENT), rates(treatment, control, n=50_000)).decision == decision


def test_a_relative_minimum_never_goes_through_the_baseline():
    """A control at 1 % where 4 % was expected: 10 % is a tenth of what it is."""
    found = judge(rule(minimum=TEN_PERCENT), rates(1005, 1000, n=100_000))
    assert found.results[0].comparison.lift.high < 0.1
    assert found.decision == "keep_control"


def test_an_unbounded_lift_refutes_nothing():
    found = judge(rule(minimum=TEN_PERCENT), rates(1, 2, n=4000))
    assert found.results[0].comparison.lift.unbounded
    assert found.decision == "inconclusive"
    assert '"unbounded": true' in json.dumps(found.to_json())


def test_a_minimum_in_money_is_judged_by_the_interval_of_the_difference():
    money = rule(metric="revenue", kinds={"revenue": "mean"}, minimum=FIVE_EURO)

    def seen(mean):
        return evidence({"revenue": {"control": spread(20, 60, 6000), "deadline": spread(mean, 60, 6000)}})

    assert [judge(money, seen(mean)).decision for mean in (20.5, 22.0, 24.0, 10.0)] == [
        "keep_control", "keep_control", "ship", "harmful",
    ]  # fmt: skip
    assert judge(money, seen(24.0)).results[0].comparison.method == "welch_guarded/1"


def test_sparse_cells_are_decided_by_the_exact_test():
    """No one of 1,000 against five: z rejects (p = .025), Fisher's test does not (p = .062)."""
    found = judge(
        rule(will="decrease", minimum=Minimum(value=0.004, relative=False, text="0.4 pp")), rates(0, 5, n=1000)
    )
    result = found.results[0].comparison
    assert (result.method, round(result.p_value, 4)) == ("fisher+mn/1", 0.0622)
    assert result.difference.high < 0
    assert found.decision == "inconclusive"
    assert "exact test decides" in found.because[1]


def test_no_exact_test_is_made_before_the_end():
    assert judge(rule(), rates(0, 5, n=1000, final=False)).results[0].comparison.method == "z_pooled+mn/1"


# --- several treatments and metrics ----------------------------------------------------------------------


def several(counts, control=269, n=6726, **changes):
    by = {name: successes(count, n) for name, count in counts.items()}
    return evidence({"purchase_rate": {**by, "control": successes(control, n)}}, **changes)


ABC = ("a", "b", "c")


def test_several_treatments_are_tested_at_dunnetts_level():
    found = judge(rule(treatments=ABC), several({"a": 336, "b": 269, "c": 269}))
    first = found.results[0]
    assert first.comparison.p_value == pytest.approx(0.0053, abs=1e-4)
    assert first.comparison.p_value < first.adjusted_p_value < 3 * first.comparison.p_value
    alone = judge(rule(), rates(336, 269)).results[0].comparison.difference
    assert first.comparison.difference.low < alone.low
    assert "p = 0.0148, allowing for 3 treatments" in found.because[0]


def test_what_is_significant_alone_may_not_be_among_several():
    assert judge(rule(), rates(320, 269)).decision == "ship"
    assert judge(rule(treatments=ABC), several({"a": 320, "b": 269, "c": 269})).decision == "inconclusive"


@pytest.mark.parametrize(
    ("counts", "decision", "winner"),
    [
        pytest.param({"a": 370, "b": 400, "c": 269}, "ship", "b", id="the-largest-of-two-winners"),
        pytest.param({"a": 150, "b": 400, "c": 160}, "ship", "b", id="a-winner-among-harmful-ones"),
        pytest.param({"a": 150, "b": 170, "c": 160}, "harmful", None, id="all-harmful"),
        pytest.param({"a": 150, "b": 269, "c": 160}, "keep_control", None, id="harmful-and-refuted"),
        pytest.param({"a": 150, "b": 310, "c": 269}, "inconclusive", None, id="one-inconclusive"),
        pytest.param({"a": 269, "b": 268, "c": 270}, "keep_control", None, id="all-refuted"),
    ],
)
def test_the_rounds_verdict_follows_from_its_treatments(counts, decision, winner):
    found = judge(rule(treatments=ABC), several(counts))
    assert (found.decision, found.winner) == (decision, winner)


def test_a_winner_is_not_called_better_than_the_other_winners():
    found = judge(rule(treatments=ABC), several({"a": 380, "b": 400, "c": 269}))
    assert found.because[-1] == "“b” has the largest estimate; it is not proven better than the other winners: “a”."
    assert found.because[0].startswith("purchase_rate was 5.9 % in “b”")


def test_harmful_treatments_are_named():
    assert judge(rule(treatments=ABC), several({"a": 150, "b": 400, "c": 269})).harmful == ("a",)


def test_the_holdout_may_be_the_comparison_and_is_never_shipped():
    arms = (
        Arm(name="deadline", share=0.8, role=ArmRole.TREATMENT),
        Arm(name="holdout", share=0.2, role=ArmRole.HOLDOUT),
    )
    by = {"deadline": successes(500, 8000), "holdout": successes(60, 2000)}
    found = judge(rule(arms=arms, compared_to="holdout"), evidence({"purchase_rate": by}))
    assert (found.decision, found.winner, found.results[0].control) == ("ship", "deadline", "holdout")


def test_a_holdout_that_is_no_comparison_is_counted_and_not_compared():
    by = {"deadline": successes(336, 6726), "control": successes(269, 6726), "holdout": successes(40, 1495)}
    found = judge(rule(holdout=0.1), evidence({"purchase_rate": by}))
    assert [result.treatment for result in found.results] == ["deadline"]
    assert [arm["name"] for arm in found.to_json()["arms"]] == ["control", "deadline", "holdout"]


def test_secondary_metrics_are_adjusted_by_holm_and_never_decide():
    kinds = {"purchase_rate": "conversion", "revenue": "mean", "orders": "mean"}
    n = 6726
    seen = evidence({
        "purchase_rate": {"deadline": successes(272, n), "control": successes(269, n)},
        "revenue": {"deadline": spread(23, 30, n), "control": spread(20, 30, n)},
        "orders": {"deadline": spread(1.03, 1, n), "control": spread(1, 1, n)},
    }, uncapped={"revenue": {"deadline": 25.0 * n, "control": 20.5 * n}})  # fmt: skip
    found = judge(rule(secondary=("revenue", "orders"), kinds=kinds), seen)
    _, revenue, orders = found.results
    assert found.decision == "keep_control"
    assert (revenue.role, orders.role) == ("secondary", "secondary")
    assert revenue.adjusted_p_value == pytest.approx(2 * revenue.comparison.p_value)
    assert orders.adjusted_p_value == pytest.approx(orders.comparison.p_value)
    assert revenue.to_json()["uncapped"] == {"treatment_value": 25.0, "control_value": 20.5}


def test_a_metric_that_cannot_be_judged_leaves_the_others_alone():
    kinds = {"purchase_rate": "conversion", "revenue": "mean", "orders": "mean"}
    n = 6726
    seen = evidence({
        "purchase_rate": {"deadline": successes(336, n), "control": successes(269, n)},
        "revenue": {"deadline": Sums(n=n, total=0.0, squares=0.0), "control": Sums(n=n, total=0.0, squares=0.0)},
        "orders": {"deadline": spread(1.03, 1, n), "control": spread(1, 1, n)},
    })  # fmt: skip
    found = judge(rule(secondary=("revenue", "orders"), kinds=kinds), seen)
    _, revenue, orders = found.results
    assert (revenue.comparison, revenue.adjusted_p_value) == (None, None)
    assert revenue.unjudged == "every customer of an arm has the same value"
    assert orders.adjusted_p_value == orders.comparison.p_value
    assert found.decision == "ship"


@pytest.mark.parametrize(
    ("by", "reason"),
    [
        pytest.param({}, "nobody in “deadline” has finished the window of purchase_rate yet", id="nothing-measured"),
        pytest.param(
            {"deadline": successes(5, 50), "control": successes(0, 0)},
            "nobody in “control” has finished the window of purchase_rate yet", id="empty-control",
        ),
        pytest.param(
            {"deadline": successes(50, 50), "control": successes(60, 60)},
            "everybody in “deadline” and “control” counts in purchase_rate", id="everybody-converted",
        ),
        pytest.param(
            {"deadline": Sums(n=50, total=70.0, squares=70.0), "control": successes(6, 60)},
            "an arm has 70 successes among 50 customers", id="more-successes-than-customers",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_judged_is_inconclusive_with_the_reason(by, reason):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = judge(rule(), evidence({"purchase_rate": by}))
    assert found.decision == Decision.INCONCLUSIVE
    assert found.because == (f"purchase_rate of “deadline” cannot be judged because {reason}.",)
    assert "NaN" not in json.dumps(found.to_json(), allow_nan=False)


@pytest.mark.parametrize("method", ["group_sequential", "always_valid", "bandit"])
def test_rules_of_later_releases_are_refused(method):
    with pytest.raises(NotSupportedYet, match="not supported yet"):
        judge(rule(method=method), rates(336, 269))


def test_without_hypothesis_a_campaign_is_described():
    arms = rule().arms
    found = describe(arms=arms, kinds={"purchase_rate": "conversion"}, evidence=rates(336, 269)).to_json()
    assert found["verdict"]["decision"] is None
    assert [(row["treatment"], row["treatment_value"], row["control"], row["p_value"]) for row in found["results"]] == [
        ("control", pytest.approx(269 / 6726), None, None),
        ("deadline", pytest.approx(336 / 6726), None, None),
    ]
    assert found["arms"][0]["assigned"] == 6726


# --- the seal --------------------------------------------------------------------------------------------


@st.composite
def looks(draw):
    n = draw(st.integers(0, 5000))
    spend = [draw(st.floats(0, 1e5) | st.floats(0, 1e-300) | st.floats(-1e20, 1e20)) for _ in range(2)]
    by = {
        "purchase_rate": {arm: successes(draw(st.integers(0, n)), n) for arm in ("deadline", "control")},
        "revenue": {
            arm: Sums(n=n, total=total * n, squares=total**2 * n * draw(st.floats(1, 50)), nonzero=n)
            for arm, total in zip(("deadline", "control"), spend, strict=True)
        },
    }
    return evidence(by, final=draw(st.booleans()), assigned={"deadline": n, "control": draw(st.integers(0, 6000))})


@settings(max_examples=60, deadline=None)
@given(looks())
def test_judging_again_from_the_seal_gives_the_same_bytes(seen):
    by = rule(secondary=("revenue",), kinds={"purchase_rate": "conversion", "revenue": "mean"}, minimum=TEN_PERCENT)
    first = canonical(rounded(judge(by, seen).to_json()))
    kept = canonical(by.to_json()), canonical(rounded(seen.to_json()))
    again = judge(Rule.from_json(json.loads(kept[0])), Evidence.from_json(json.loads(kept[1])))
    assert canonical(rounded(again.to_json())) == first


def test_sums_that_differ_by_the_order_of_rows_are_judged_alike():
    by = rule(metric="revenue", kinds={"revenue": "mean"}, minimum=FIVE_EURO)

    def seen(noise):
        return evidence({
            "revenue": {
                "deadline": Sums(n=3000, total=61_234.567 + noise, squares=4e6 + 1000 * noise),
                "control": Sums(n=3000, total=60_000.25, squares=4e6),
            }
        })  # fmt: skip

    assert canonical(judge(by, seen(0.0)).to_json()) == canonical(judge(by, seen(3e-8)).to_json())


def test_a_rule_comes_back_from_its_seal_as_it_was():
    given_ = rule(treatments=ABC, holdout=0.1, minimum=TEN_PERCENT, ship_if="at_least_minimum_effect")
    assert Rule.from_json(json.loads(canonical(given_.to_json()))) == given_


def test_evidence_comes_back_from_its_seal_as_it_was():
    given_ = rates(336, 269, uncapped={"purchase_rate": {"control": 1 / 3}})
    sealed = Evidence.from_json(json.loads(canonical(given_.rounded().to_json())))
    assert sealed == given_.rounded() == sealed.rounded()
    assert sealed.uncapped["purchase_rate"]["control"] == 0.3333333333


@pytest.mark.parametrize("kind", [Rule, Evidence])
def test_an_altered_document_is_refused(kind):
    document = (rule() if kind is Rule else rates(1, 2)).to_json()
    with pytest.raises(ValueError, match="surprise"):
        kind.from_json(document | {"surprise": 1})


def test_impossible_evidence_is_refused():
    document = rates(1, 2).to_json()
    document["metrics"]["purchase_rate"]["control"]["total"] = math.inf
    with pytest.raises(CannotBeJudged, match="not finite"):
        Evidence.from_json(document)


def test_rounding_leaves_counts_and_words_alone():
    assert rounded({"a": [1 / 3, 12345678901234, True, None, "1.00000000001"]}) == {
        "a": [0.3333333333, 12345678901234, True, None, "1.00000000001"]
    }


def test_the_judged_part_of_a_report_has_the_contracts_keys():
    found = judge(rule(), rates(336, 269)).to_json()
    assert list(found) == ["health", "arms", "results", "segments", "verdict"]
    assert {"check", "status", "p_value", "detail"} == found["health"][0].keys()
    assert {"name", "role", "share", "assigned", "accepted", "delivered", "uncertain"} == found["arms"][0].keys()
    assert {
        "metric", "role", "kind", "treatment", "control", "treatment_n", "control_n", "treatment_value",
        "control_value", "difference", "lift", "p_value", "adjusted_p_value", "method", "chance_to_beat",
        "expected_loss",
    } <= found["results"][0].keys()  # fmt: skip
    assert {"estimate", "low", "high"} == found["results"][0]["difference"].keys()
    assert {"decision", "winner", "because", "estimate_note"} <= found["verdict"].keys()


def declared(**changes):
    claim = {
        "because": "x", "will": "increase", "metric": "purchase_rate", "compared_to": "control",
        "minimum_effect": "10 %", "confidence": "90 %", "power": "85 %",
    }  # fmt: skip
    given_ = {
        "owner": "a@example.com", "purpose": "marketing", "channel": "email", "hypothesis": claim,
        "secondary": ["revenue", "purchase_rate"],
        "decide": {"method": "fixed"},
    }  # fmt: skip
    return Campaign.model_validate(given_ | changes)


METRICS = {
    "purchase_rate": Metric.model_validate({"kind": "conversion", "event": "purchase", "within": "7 days"}),
    "revenue": Metric.model_validate({"kind": "mean", "event": "purchase", "value": "amount", "within": "7 days"}),
}


def test_the_rule_is_what_the_campaign_declares():
    found = rule_for(declared(), arms=rule().arms, metrics=METRICS)
    assert found == rule(
        secondary=("revenue",), kinds={"purchase_rate": "conversion", "revenue": "mean"}, minimum=TEN_PERCENT,
        alpha=0.1, power=0.85,
    )  # fmt: skip


def test_without_hypothesis_there_is_no_rule():
    assert rule_for(declared(hypothesis=None), arms=rule().arms, metrics=METRICS) is None


@pytest.mark.parametrize(
    "treatments", [pytest.param(("deadline",), id="one-treatment"), pytest.param(ABC, id="three-treatments")]
)
def test_rounds_without_effect_are_decided_as_rarely_as_promised(treatments):
    """600 seeded A/A rounds through the whole of judging: ship or harm in at most .05 + 3 standard errors."""
    random, runs, n = np.random.default_rng(12), 600, 3000
    by = rule(treatments=treatments)
    decided = 0
    for row in random.binomial(n, 0.04, (runs, len(treatments) + 1)):
        seen = several(dict(zip(treatments, map(int, row[1:]), strict=True)), control=int(row[0]), n=n)
        found = judge(by, seen)
        decided += any(ruling.decision in (Decision.SHIP, Decision.HARMFUL) for ruling in found.rulings)
    assert decided / runs <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)
