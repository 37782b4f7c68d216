"""How many customers a round needs, how many there are, and what that can and cannot detect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, select

from engine.customers.sources import data_through
from engine.cycle.measure import Baseline, baseline, before_window, events_of, history_cap
from engine.cycle.rule import Rule
from engine.declare.quantities import Money, Share
from engine.declare.resolve import Resolved
from engine.declare.spec import Hypothesis, Metric
from engine.errors import CannotBeJudged
from engine.model import AsOf
from engine.segments.audience import matching
from engine.store.tables import customer


@dataclass(frozen=True, kw_only=True)
class Sizing:
    """The sample of the primary comparison."""

    metric: str
    money: str | None
    """The metric's currency where it is money; None for a rate."""
    baseline: float | None
    """The comparison's expected value; None where there is no history."""
    measured: bool
    """Whether the baseline comes from the segment's own history."""
    effect: float | None
    """The effect planned for, in the metric's unit."""
    minimum: float | None
    """The smallest effect worth having, in the metric's unit."""
    needed_per_arm: int | None
    """Customers the test needs in each compared arm (the smaller one, where shares differ)."""
    available_per_arm: int
    """Customers that the audience has now for the smaller compared arm."""
    detectable: float | None
    """The smallest effect that the available customers would find at the declared power."""
    global_share: float
    global_detectable: float | None
    """The smallest effect of the whole programme that the global holdout would show."""
    global_customers: int
    reason: str | None = None
    """Why no sample could be computed."""

    @property
    def suffices(self) -> bool | None:
        """Whether the audience of today is large enough for one wave to do."""
        return None if self.needed_per_arm is None else self.available_per_arm >= self.needed_per_arm

    def shown(self, value: float | None) -> str:
        """An effect or a value of the metric in its unit."""
        if value is None:
            return "unknown"
        return f"{value:,.2f} {self.money}" if self.money else f"{100 * value:.2f} pp"

    def warnings(self) -> list[str]:
        """What the sample cannot do, with choices."""
        warnings = [self.reason] if self.reason else []
        if self.suffices is False:
            warnings.append(self._too_small())
        if self.global_detectable is not None and (self.minimum is None or self.global_detectable > self.minimum):
            warnings.append(self._weak_global_holdout())
        return warnings

    def _too_small(self) -> str:
        best = f"at best {self.shown(self.detectable)}" if self.detectable is not None else "no effect at all"
        return (
            f"the audience has {self.available_per_arm:,} customers for the smaller compared arm and the test needs "
            f"{self.needed_per_arm:,}: now it could detect {best}, not {self.shown(self.effect)}. "
            "Choices: let more waves add up (enter: once with a repeating schedule), widen the segment, "
            "use fewer variants or a smaller holdout, or claim a larger minimum_effect"
        )

    def _weak_global_holdout(self) -> str:
        return (
            f"the global holdout of {100 * self.global_share:g} % keeps {self.global_customers:,} of these customers: "
            f"it can show an effect of all campaigns together from {self.shown(self.global_detectable)} on, not a "
            "smaller one. Choices: a larger share, a longer period (renew: yearly), "
            "or read it as a check against large harm only"
        )


def sizing(
    connection: Connection, resolved: Resolved, rule: Rule | None, left: int, as_of: AsOf
) -> tuple[Sizing | None, dict[str, float]]:
    """The sample a round needs, and the caps that its metrics are sealed with.

    Args:
        left: customers who would be assigned.
    """
    caps = {}
    for name, metric in resolved.metrics.items():
        cap = history_cap(connection, metric, *_past(connection, resolved, metric, as_of))
        if cap is not None:
            caps[name] = cap
    claim = resolved.campaign.hypothesis
    if rule is None or claim is None:
        return None, caps
    metric = resolved.metrics[rule.metric]
    seen = baseline(connection, metric, *_past(connection, resolved, metric, as_of), cap=caps.get(rule.metric))
    return _sized(resolved, rule, claim, _expected(claim, seen), left), caps


def _past(connection: Connection, resolved: Resolved, metric: Metric, as_of: AsOf) -> tuple[Select[Any], AsOf]:
    """Who was in the segment one window before the data end, and that end."""
    through = data_through(connection, events_of(metric)[0])
    end = AsOf(at=min(as_of.at, through or as_of.at), known_at=as_of.known_at)
    earlier = before_window(metric, end)
    return select(customer.c.id).where(matching(resolved, earlier, connection.dialect.name)), end


@dataclass(frozen=True, kw_only=True)
class _Expected:
    """What the comparison is expected to do."""

    value: float | None
    sd: float | None
    measured: bool


def _expected(claim: Hypothesis, seen: Baseline | None) -> _Expected:
    """What was declared, else what the segment did in its last window; the spread is always measured."""
    sd = seen.sd if seen is not None else None
    match claim.baseline:
        case Share():
            return _Expected(value=claim.baseline.value, sd=sd, measured=False)
        case Money():
            return _Expected(value=float(claim.baseline.amount), sd=sd, measured=False)
        case _:
            return _Expected(value=seen.mean if seen is not None else None, sd=sd, measured=True)


def _sized(resolved: Resolved, rule: Rule, claim: Hypothesis, found: _Expected, left: int) -> Sizing:
    from engine.stats.multiplicity import dunnett_critical
    from engine.stats.power import required

    is_rate = rule.kinds[rule.metric] == "conversion"
    shares = {arm.name: arm.share for arm in rule.arms}
    control = shares[rule.compared_to]
    treatment = min(shares[name] for name in rule.treatments)
    critical = dunnett_critical(rule.alpha, treatments=[shares[name] for name in rule.treatments], control=control)
    smaller = min(control, treatment)
    effect, minimum = (_in_unit(claim, found, planned=planned) for planned in (True, False))
    sd = None if is_rate else found.sd
    common: dict[str, Any] = {"baseline": found.value, "critical": critical, "power": rule.power, "sd": sd}
    needed = best = programme = None
    reason = _unplannable(rule, found, is_rate)
    held = resolved.campaign.global_holdout if resolved.campaign.purpose == "marketing" else None
    share = held.share.value if held else 0.0
    kept = round(left * share / (1 - share)) if share < 1 else 0
    if reason is None and effect is not None:
        try:
            need = required(effect=rule.sign * effect, ratio=treatment / control, **common)
            needed = min(need.control, need.treatment)
        except CannotBeJudged as error:
            reason = str(error)
    if reason is None:
        best = _smallest(round(left * control), round(left * treatment), rule, common)
        programme = _smallest(kept, left, rule, common) if share else None
    return Sizing(
        metric=rule.metric,
        money=None if is_rate else resolved.campaign.currency or "",
        baseline=found.value,
        measured=found.measured,
        effect=effect,
        minimum=minimum,
        needed_per_arm=_declared(resolved) or needed,
        available_per_arm=int(left * smaller),
        detectable=best,
        global_share=share,
        global_detectable=programme,
        global_customers=kept,
        reason=reason,
    )


def _declared(resolved: Resolved) -> int | None:
    """`round: {until: 6700 per arm}` is the marketer's own answer."""
    limit = resolved.campaign.round
    return limit.until.per_arm if limit is not None and limit.until is not None else None


def _in_unit(claim: Hypothesis, found: _Expected, *, planned: bool) -> float | None:
    """The planned or the minimum effect in the metric's unit; a relative one needs a baseline."""
    effect = claim.expected_effect or claim.minimum_effect if planned else claim.minimum_effect
    if effect.absolute:
        return effect.value
    return None if found.value is None else effect.value * found.value


def _unplannable(rule: Rule, found: _Expected, is_rate: bool) -> str | None:
    if found.value is None:
        return (
            f"baseline: measured found no history of {rule.metric} for this segment, so no sample can be computed. "
            "Choices: import the history, or write the baseline that you expect, such as 4.0 %"
        )
    if is_rate and not 0 < found.value < 1:
        return (
            f"the segment's own {rule.metric} was {100 * found.value:g} % in its last window, so no sample can be "
            "computed. Write the baseline that you expect, such as 4.0 %"
        )
    if not is_rate and not found.sd:
        return f"the spread of {rule.metric} is not known from this segment's history, so no sample can be computed"
    return None


def _smallest(control: int, treatment: int, rule: Rule, common: Mapping[str, Any]) -> float | None:
    from engine.stats.power import detectable

    if min(control, treatment) <= 0:
        return None
    effect = detectable(control=control, treatment=treatment, decrease=rule.sign < 0, **common)
    return None if effect is None else abs(effect)
