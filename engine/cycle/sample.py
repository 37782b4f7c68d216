"""How many customers a round needs, how many there are, and what that can and cannot detect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, and_, select

from engine.cycle.history import Baseline, baseline, history_cap
from engine.cycle.rule import Rule
from engine.declare.quantities import Money, Percentile, Share
from engine.declare.resolve import Resolved
from engine.declare.spec import Hypothesis
from engine.errors import CannotBeJudged
from engine.model import ArmRole, AsOf
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
    people = select(customer.c.id).where(matching(resolved, as_of, connection.dialect.name))
    caps = _caps(connection, resolved, people, as_of)
    claim = resolved.campaign.hypothesis
    if rule is None or claim is None:
        return None, caps
    measured = _baseline(connection, resolved, rule, claim, people, caps, as_of)
    return _sized(resolved, rule, claim, measured, left), caps


def _caps(connection: Connection, resolved: Resolved, people: object, as_of: AsOf) -> dict[str, float]:
    caps = {}
    for name, metric in resolved.metrics.items():
        match metric.cap_at:
            case Money():
                caps[name] = float(metric.cap_at.amount)
            case Percentile():
                cap = history_cap(connection, metric, people, as_of)
                if cap is not None:
                    caps[name] = cap
            case _:
                pass
    return caps


def _baseline(
    connection: Connection,
    resolved: Resolved,
    rule: Rule,
    claim: Hypothesis,
    people: object,
    caps: Mapping[str, float],
    as_of: AsOf,
) -> Baseline:
    """What was declared, else what the segment did in the last window; the spread is always measured."""
    seen = baseline(connection, resolved.metrics[rule.metric], people, as_of, cap=caps.get(rule.metric))
    match claim.baseline:
        case Share():
            return Baseline(value=claim.baseline.value, sd=seen.sd, customers=seen.customers, measured=False)
        case Money():
            return Baseline(value=float(claim.baseline.amount), sd=seen.sd, customers=seen.customers, measured=False)
        case _:
            return seen


def _sized(resolved: Resolved, rule: Rule, claim: Hypothesis, found: Baseline, left: int) -> Sizing:
    from engine.stats.multiplicity import dunnett_critical
    from engine.stats.power import detectable, required

    is_rate = rule.kinds[rule.metric] == "conversion"
    shares = {arm.name: arm.share for arm in rule.arms}
    control = shares[rule.compared_to]
    treatment = min(shares[name] for name in rule.treatments)
    critical = dunnett_critical(rule.alpha, treatments=[shares[name] for name in rule.treatments], control=control)
    smaller = min(control, treatment)
    effect, minimum = (_in_unit(claim, found, planned=planned) for planned in (True, False))
    sd = None if is_rate else found.sd
    common = {"baseline": found.value, "critical": critical, "power": rule.power, "sd": sd}
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
        best = _smallest(detectable, round(left * control), round(left * treatment), rule, common)
        programme = _smallest(detectable, kept, left, rule, common) if share else None
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


def _in_unit(claim: Hypothesis, found: Baseline, *, planned: bool) -> float | None:
    """The planned or the minimum effect in the metric's unit; a relative one needs a baseline."""
    effect = claim.expected_effect or claim.minimum_effect if planned else claim.minimum_effect
    if effect.absolute:
        return effect.value
    return None if found.value is None else effect.value * found.value


def _unplannable(rule: Rule, found: Baseline, is_rate: bool) -> str | None:
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


def _smallest(detectable: object, control: int, treatment: int, rule: Rule, common: Mapping[str, object]) -> float | None:
    if min(control, treatment) <= 0:
        return None
    effect = detectable(control=control, treatment=treatment, decrease=rule.sign < 0, **common)  # type: ignore[operator]
    return None if effect is None else abs(effect)
