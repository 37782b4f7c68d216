"""The verdict: a pure function of the sealed rule and of what a look saw.

Every treatment is compared with one arm, the decision table (`ruling.py`) says what follows for it,
and the round's verdict follows from those of its treatments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.cycle import because, health, results
from engine.cycle.evidence import Evidence, Reach, rounded
from engine.cycle.health import Check
from engine.cycle.results import Result
from engine.cycle.rule import MetricKind, Minimum, Rule, rule_for
from engine.cycle.ruling import Guarded, Row, Ruling, Standing, decide
from engine.errors import NotSupportedYet, Problem
from engine.model import Arm, Decision
from engine.stats.effect import level

__all__ = [
    "Evidence", "Guarded", "Judgement", "Minimum", "Reach", "Row", "Rule", "Ruling", "Standing",
    "decide", "describe", "judge", "rounded", "rule_for",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What a look concludes."""

    health: tuple[Check, ...]
    arms: tuple[tuple[Arm, Reach], ...]
    results: tuple[Result, ...]
    decision: Decision | None
    """None for a campaign without hypothesis: it is described, never judged."""
    winner: str | None = None
    because: tuple[str, ...] = ()
    estimate_note: str | None = None
    rulings: tuple[Ruling, ...] = ()

    @property
    def harmful(self) -> tuple[str, ...]:
        """Treatments that are no longer messaged; they stay in the analysis."""
        return tuple(ruling.treatment for ruling in self.rulings if ruling.decision is Decision.HARMFUL)

    @property
    def paused(self) -> tuple[str, ...]:
        """Treatments whose guardrail was breached and says `pause`."""
        return tuple(ruling.treatment for ruling in self.rulings if ruling.row is Row.PAUSED)

    def to_json(self) -> dict[str, Any]:
        """The part of a report (design §6) that a look decides; seal it through `rounded`."""
        return {
            "health": [check.to_json() for check in self.health],
            "arms": [_arm(arm, reach) for arm, reach in self.arms],
            "results": [result.to_json() for result in self.results],
            "segments": [],
            "verdict": {
                "decision": self.decision and self.decision.value,
                "winner": self.winner,
                "because": list(self.because),
                "estimate_note": self.estimate_note,
                "treatments": {ruling.treatment: ruling.decision.value for ruling in self.rulings},
            },
        }


def _arm(arm: Arm, reach: Reach) -> dict[str, Any]:
    return {
        "name": arm.name,
        "role": arm.role.value,
        "share": arm.share,
        "assigned": reach.assigned,
        "accepted": reach.accepted,
        "delivered": reach.delivered,
        "uncertain": reach.uncertain,
    }


def judge(rule: Rule, evidence: Evidence) -> Judgement:
    """Judge a look by the sealed rule. The evidence is taken at the digits that are sealed.

    Raises:
        NotSupportedYet: the rule's method is one of a later release.
    """
    if rule.method != "fixed":
        raise NotSupportedYet([Problem(message=f"not supported yet: decide by `method: {rule.method}`")])
    seen = evidence.rounded()
    checked = _checked(rule, seen)
    critical = results.critical_of(rule, seen)
    primary = results.primary(rule, seen, critical=critical)
    valid = all(check.status != "fail" for check in checked)
    rulings = tuple(_ruling(rule, result, valid=valid, final=seen.final, critical=critical) for result in primary)
    decision, winner = _conclude(rulings)
    told = _told(rule, seen, checked, rulings, critical)
    return Judgement(
        health=checked,
        arms=_arms(rule.arms, seen),
        results=(*primary, *results.secondary(rule, seen)),
        decision=decision,
        winner=winner,
        because=because.reasons(told, decision, winner),
        estimate_note=because.estimate_note(told, decision, winner),
        rulings=rulings,
    )


def _told(
    rule: Rule, seen: Evidence, checked: tuple[Check, ...], rulings: tuple[Ruling, ...], critical: float
) -> because.Told:
    return because.Told(
        rule=rule,
        critical=critical,
        health=checked,
        rulings=rulings,
        finished=sum(sums.n for sums in seen.metrics.get(rule.metric, {}).values()),
        assigned=sum(reach.assigned for reach in seen.arms.values()),
    )


def _checked(rule: Rule, seen: Evidence) -> tuple[Check, ...]:
    found = health.checks(seen, arms=rule.arms, invalid=rule.srm_invalid, warn=rule.srm_warn)
    return (*found, *health.unequal_shares(rule))


def _ruling(rule: Rule, result: Result, *, valid: bool, final: bool, critical: float) -> Ruling:
    standing = _standing(rule, result, valid=valid, final=final, critical=critical)
    row = decide(
        standing,
        minimum=rule.minimum.value,
        ship_if=rule.ship_if,
        undecided_guardrail=rule.undecided_guardrail,
    )
    return Ruling(treatment=result.treatment, row=row, standing=standing, result=result)


def _standing(rule: Rule, result: Result, *, valid: bool, final: bool, critical: float) -> Standing:
    """`fixed` tests once, at the end: before it no boundary is crossed, whatever the numbers are."""
    seen = result.comparison
    if seen is None:
        return Standing(valid=valid, final=final, judged=False)
    low, high = results.hoped(seen.difference, rule.sign)
    low_in_unit, high_in_unit = results.hoped(seen.lift if rule.minimum.relative else seen.difference, rule.sign)
    return Standing(
        valid=valid,
        final=final,
        crossed=final and seen.p_value <= level(critical),
        estimate=rule.sign * (seen.difference.estimate or 0.0),
        low=low,
        high=high,
        low_in_unit=low_in_unit,
        high_in_unit=high_in_unit,
    )


def _conclude(rulings: Sequence[Ruling]) -> tuple[Decision, str | None]:
    """The round's verdict from its treatments', and the winner."""
    decisions = [ruling.decision for ruling in rulings]
    if Decision.INVALID in decisions:
        return Decision.INVALID, None
    shippable = [ruling for ruling in rulings if ruling.decision is Decision.SHIP]
    if shippable:
        return Decision.SHIP, max(shippable, key=lambda ruling: ruling.standing.estimate).treatment
    if set(decisions) == {Decision.HARMFUL}:
        return Decision.HARMFUL, None
    for open_one in (Decision.KEEP_RUNNING, Decision.INCONCLUSIVE):
        if open_one in decisions:
            return open_one, None
    return Decision.KEEP_CONTROL, None


def describe(*, arms: Sequence[Arm], kinds: Mapping[str, MetricKind], evidence: Evidence) -> Judgement:
    """What happened in a campaign without hypothesis: counts and values per arm, and no verdict."""
    seen = evidence.rounded()
    return Judgement(
        health=health.checks(seen, arms=arms),
        arms=_arms(arms, seen),
        results=results.described(kinds, arms, seen),
        decision=None,
        because=("No hypothesis was declared, so this campaign is described and not judged.",),
    )


def _arms(arms: Sequence[Arm], seen: Evidence) -> tuple[tuple[Arm, Reach], ...]:
    return tuple((arm, seen.arms.get(arm.name, Reach(assigned=0))) for arm in arms)
