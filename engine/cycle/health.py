"""Whether a round's data can be trusted, before any effect is looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from engine.cycle.evidence import Evidence, Reach
from engine.cycle.rule import Rule
from engine.model import Arm
from engine.stats import srm

_UNCERTAIN_WARN = 0.01
_UNEQUAL = 3.0
"""Shares further apart than this make a mean's test depend on the tail of the smaller arm."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check of whether the data can be trusted."""

    check: str
    status: Literal["ok", "warn", "fail"]
    detail: str
    p_value: float | None = None

    def to_json(self) -> dict[str, Any]:
        return {"check": self.check, "status": self.status, "p_value": self.p_value, "detail": self.detail}


def checks(
    evidence: Evidence, *, arms: Sequence[Arm], invalid: float = Rule.srm_invalid, warn: float = Rule.srm_warn
) -> tuple[Check, ...]:
    """Every check of a look; one that fails makes the round invalid.

    Args:
        arms: the round's arms with their planned shares.
        invalid, warn: p-values below which the arms' sizes fail, or are worth a look.
    """
    return (
        *_assigned_sizes(evidence, arms, invalid, warn),
        *_messaged_sizes(evidence, arms, warn),
        *_uncertain(evidence),
        *(_complete_through(event, through) for event, through in evidence.data_through.items()),
        *_finished(evidence),
    )


def _assigned_sizes(evidence: Evidence, arms: Sequence[Arm], invalid: float, warn: float) -> Iterator[Check]:
    if len(arms) < 2:
        return
    counts = [_reach(evidence, arm).assigned for arm in arms]
    p_value = srm.sequential_p(counts, [arm.share for arm in arms])
    detail = _sizes(arms, counts)
    if p_value < invalid:
        yield Check(check="srm", status="fail", p_value=p_value, detail=f"{_MISMATCH} {detail}")
    elif p_value < warn:
        yield Check(check="srm", status="warn", p_value=p_value, detail=f"arm sizes are unusual: {detail}")
    else:
        yield Check(check="srm", status="ok", p_value=p_value, detail=detail)


_MISMATCH = "the arms differ in size by more than chance allows:"


def _messaged_sizes(evidence: Evidence, arms: Sequence[Arm], warn: float) -> Iterator[Check]:
    """Acceptance and delivery come after treatment, so a difference may be an effect: a warning only."""
    messaged = [arm for arm in arms if arm.messaged]
    for stage in ("accepted", "delivered"):
        counts = [getattr(_reach(evidence, arm), stage) for arm in messaged]
        if len(messaged) < 2 or sum(counts) == 0:
            continue
        p_value = srm.sequential_p(counts, [arm.share for arm in messaged])
        detail = _sizes(messaged, counts)
        if p_value < warn:
            detail = f"messages were {stage} more often in one arm than chance allows: {detail}"
        yield Check(check=f"srm_{stage}", status="warn" if p_value < warn else "ok", p_value=p_value, detail=detail)


def _sizes(arms: Sequence[Arm], counts: Sequence[int]) -> str:
    whole = sum(arm.share for arm in arms)
    total = sum(counts)
    return ", ".join(
        f"“{arm.name}” {count:,} (expected {total * arm.share / whole:,.0f})"
        for arm, count in zip(arms, counts, strict=True)
    )


def _uncertain(evidence: Evidence) -> Iterator[Check]:
    unknown = sum(reach.uncertain for reach in evidence.arms.values())
    known = sum(reach.accepted for reach in evidence.arms.values())
    if unknown == 0:
        return
    share = unknown / (unknown + known)
    detail = f"{unknown:,} messages ({share:.2%}) have an unknown fate; see `campaign uncertain list`"
    yield Check(check="uncertain", status="warn" if share > _UNCERTAIN_WARN else "ok", detail=detail)


def _complete_through(event: str, through: datetime | None) -> Check:
    if through is None:
        detail = f"no import has said up to when its {event} data are complete, so nobody's window counts as finished"
        return Check(check="data_through", status="warn", detail=detail)
    return Check(
        check="data_through", status="ok", detail=f"{event} data are complete up to {through:%Y-%m-%d %H:%M} UTC"
    )


def _finished(evidence: Evidence) -> Iterator[Check]:
    assigned = sum(reach.assigned for reach in evidence.arms.values())
    for metric, arms in evidence.metrics.items():
        finished = sum(sums.n for sums in arms.values())
        if finished < assigned:
            detail = f"{finished:,} of {assigned:,} customers have finished the window of {metric}"
            yield Check(check="finished_windows", status="warn" if evidence.final else "ok", detail=detail)


def unequal_shares(rule: Rule) -> tuple[Check, ...]:
    """A warning where a mean is judged between arms of very unequal shares."""
    shares = [arm.share for arm in rule.arms if arm.name in (*rule.treatments, rule.compared_to)]
    names = [name for name, kind in rule.kinds.items() if kind == "mean"]
    if not names or max(shares) <= _UNEQUAL * min(shares):
        return ()
    detail = f"shares further apart than 3:1 make the test of {', '.join(names)} depend on few large values"
    return (Check(check="unequal_shares", status="warn", detail=detail),)


def _reach(evidence: Evidence, arm: Arm) -> Reach:
    return evidence.arms.get(arm.name, Reach(assigned=0))
