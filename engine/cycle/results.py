"""How large the effects are: every metric of every treatment against the arm it is compared with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from engine.cycle.evidence import NOBODY, Evidence
from engine.cycle.rule import MetricKind, Rule
from engine.errors import CannotBeJudged
from engine.model import Arm
from engine.stats import means, multiplicity, proportions
from engine.stats.effect import Comparison, Interval, critical_value, equivalent_z
from engine.stats.means import Sums
from engine.stats.proportions import Proportion


@dataclass(frozen=True, kw_only=True)
class Result:
    """One metric of one treatment against the arm it is compared with; alone where nothing is compared."""

    metric: str
    role: Literal["primary", "secondary", "described"]
    kind: MetricKind
    treatment: str
    control: str | None
    treated: Sums
    compared: Sums = NOBODY
    comparison: Comparison | None = None
    """None where it cannot be judged, or nothing is compared."""
    adjusted_p_value: float | None = None
    """Over all treatments (primary) or all secondary metrics and treatments."""
    unjudged: str | None = None
    """Why it cannot be judged."""
    uncapped: tuple[float, float] | None = None
    """Values of treatment and control without the cap, for display."""

    @property
    def expected(self) -> float:
        """Rarer outcomes that equal rates let expect in the smaller arm; infinite for other metrics."""
        if self.kind != "conversion" or not (self.treated.n and self.compared.n):
            return float("inf")
        return proportions.expected_in_smaller_arm(_proportion(self.treated), _proportion(self.compared))

    def to_json(self) -> dict[str, Any]:
        seen = self.comparison
        return {
            "metric": self.metric,
            "role": self.role,
            "kind": self.kind,
            "treatment": self.treatment,
            "control": self.control,
            "treatment_n": self.treated.n,
            "control_n": self.compared.n if self.control else None,
            "treatment_value": value_of(self.treated),
            "control_value": value_of(self.compared),
            "difference": _plain(seen.difference) if seen else None,
            "lift": _plain(seen.lift) if seen else None,
            "p_value": seen.p_value if seen else None,
            "adjusted_p_value": self.adjusted_p_value,
            "method": seen.method if seen else None,
            "chance_to_beat": None,
            "expected_loss": None,
            "unjudged": self.unjudged,
            **_plain_uncapped(self.uncapped),
        }


def _plain(interval: Interval) -> dict[str, Any]:
    plain: dict[str, Any] = {"estimate": interval.estimate, "low": interval.low, "high": interval.high}
    return plain | {"unbounded": True} if interval.unbounded else plain


def _plain_uncapped(uncapped: tuple[float, float] | None) -> dict[str, Any]:
    return {} if uncapped is None else {"uncapped": {"treatment_value": uncapped[0], "control_value": uncapped[1]}}


def hoped(interval: Interval, sign: int) -> tuple[float, float]:
    """Lower and upper end, turned so that + is hoped for; infinite where there is none."""
    low = -math.inf if interval.low is None else interval.low
    high = math.inf if interval.high is None else interval.high
    return (low, high) if sign > 0 else (-high, -low)


def value_of(sums: Sums) -> float | None:
    """An arm's rate or mean; None without customers."""
    return sums.mean if sums.n else None


def critical_of(rule: Rule, evidence: Evidence) -> float:
    """Standard errors that the primary metric's test must pass: Dunnett's over all treatments."""
    sizes = {arm.name: max(1, evidence.sums(rule.metric, arm.name).n) for arm in rule.arms}
    return multiplicity.dunnett_critical(
        rule.alpha, treatments=[sizes[name] for name in rule.treatments], control=sizes[rule.compared_to]
    )


def primary(rule: Rule, evidence: Evidence, *, critical: float) -> tuple[Result, ...]:
    """The primary metric of every treatment, p-values adjusted for there being several."""
    results = tuple(_result(rule, evidence, rule.metric, name, critical=critical) for name in rule.treatments)
    sizes = [max(1, result.treated.n) for result in results]
    control = max(1, evidence.sums(rule.metric, rule.compared_to).n)
    return tuple(_dunnett(result, sizes, control) for result in results)


def _dunnett(result: Result, treatments: Sequence[int], control: int) -> Result:
    if result.comparison is None:
        return result
    p_value = result.comparison.p_value
    if len(treatments) > 1:
        p_value = multiplicity.dunnett_p(equivalent_z(p_value), treatments=treatments, control=control)
    return replace(result, adjusted_p_value=p_value)


def secondary(rule: Rule, evidence: Evidence) -> tuple[Result, ...]:
    """Every secondary metric of every treatment, p-values adjusted by Holm over all of them."""
    critical = critical_value(rule.alpha)
    results = [
        _result(rule, evidence, metric, name, critical=critical)
        for metric in rule.secondary
        for name in rule.treatments
    ]
    judged = [index for index, result in enumerate(results) if result.comparison]
    adjusted = multiplicity.holm([seen.p_value for result in results if (seen := result.comparison)])
    for index, p_value in zip(judged, adjusted, strict=True):
        results[index] = replace(results[index], adjusted_p_value=p_value)
    return tuple(results)


def _result(rule: Rule, evidence: Evidence, metric: str, treatment: str, *, critical: float) -> Result:
    result = Result(
        metric=metric,
        role="primary" if metric == rule.metric else "secondary",
        kind=rule.kinds[metric],
        treatment=treatment,
        control=rule.compared_to,
        treated=evidence.sums(metric, treatment),
        compared=evidence.sums(metric, rule.compared_to),
        uncapped=_uncapped(evidence, metric, treatment, rule.compared_to),
    )
    try:
        return replace(result, comparison=_compare(result, critical=critical, final=evidence.final))
    except CannotBeJudged as reason:
        return replace(result, unjudged=str(reason))


def _compare(result: Result, *, critical: float, final: bool) -> Comparison:
    for name, sums in ((result.treatment, result.treated), (result.control, result.compared)):
        if sums.n == 0:
            raise CannotBeJudged(f"nobody in “{name}” has finished the window of {result.metric} yet")
    if result.kind == "conversion":
        return _compare_rates(result, critical=critical, final=final)
    if result.kind == "mean":
        return means.welch_guarded(result.treated, result.compared, critical=critical)
    raise CannotBeJudged(f"metrics of kind {result.kind} are not supported yet")


def _compare_rates(result: Result, *, critical: float, final: bool) -> Comparison:
    treated, compared = _proportion(result.treated), _proportion(result.compared)
    successes, n = treated.successes + compared.successes, treated.n + compared.n
    if successes in (0, n):
        who = "nobody" if successes == 0 else "everybody"
        raise CannotBeJudged(f"{who} in “{result.treatment}” and “{result.control}” counts in {result.metric}")
    return proportions.compare(treated, compared, critical=critical, exact_if_sparse=final)


def _proportion(sums: Sums) -> Proportion:
    return Proportion(successes=round(sums.total), n=sums.n)


def _uncapped(evidence: Evidence, metric: str, treatment: str, control: str) -> tuple[float, float] | None:
    totals = evidence.uncapped.get(metric, {})
    sizes = [evidence.sums(metric, name).n for name in (treatment, control)]
    if not all(sizes) or not {treatment, control} <= totals.keys():
        return None
    return totals[treatment] / sizes[0], totals[control] / sizes[1]


def described(kinds: Mapping[str, MetricKind], arms: Sequence[Arm], evidence: Evidence) -> tuple[Result, ...]:
    """Every metric of every arm, compared with nothing."""
    return tuple(
        Result(metric=metric, role="described", kind=kind, treatment=arm.name, control=None, treated=sums)
        for metric, kind in kinds.items()
        for arm in arms
        if (sums := evidence.sums(metric, arm.name)).n
    )
