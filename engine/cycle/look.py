"""A look: measure, judge by the sealed rule, and seal both what was seen and what was concluded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from engine.customers.sources import data_through
from engine.cycle.engine import Engine
from engine.cycle.evidence import Evidence, rounded
from engine.cycle.judge import Judgement, describe, judge
from engine.cycle.measure import events_of, measure, window_of
from engine.cycle.rule import Rule
from engine.cycle.sealed_plan import SealedPlan, plan_of
from engine.errors import NotFound
from engine.model import RoundState
from engine.store import audit
from engine.store.tables import entry, look, round_

OWN_EVENTS = frozenset(("delivered", "bounced", "opened", "clicked", "unsubscribed", "complained", "replied"))
"""What the engine's own channels report; without a source of their own they are complete up to now."""


def completeness(connection: Connection, plan: SealedPlan, now: datetime) -> dict[str, datetime | None]:
    """By event that the round's metrics need: up to when its data are complete."""
    events = {event for metric in plan.resolved.metrics.values() for event in events_of(metric)}
    return {
        event: data_through(connection, event) or (now if event in OWN_EVENTS else None) for event in sorted(events)
    }


def last_window_end(connection: Connection, plan: SealedPlan, round_id: int) -> datetime | None:
    """When the last customer's primary window closes; None where nobody entered."""
    entered: datetime | None = connection.execute(
        select(func.max(entry.c.entered_at)).where(entry.c.round_id == round_id)
    ).scalar()
    if entered is None or plan.primary is None:
        return entered
    return entered + window_of(plan.resolved.metrics[plan.primary])[1]


def waits_for(connection: Connection, plan: SealedPlan, round_id: int, now: datetime) -> list[str]:
    """What the final look still waits for, in plain words; empty when it can be taken."""
    end = last_window_end(connection, plan, round_id)
    if plan.primary is None or end is None:
        return []
    known = completeness(connection, plan, now)
    return [
        f"{event} data complete to {end:%Y-%m-%d %H:%M} UTC (now {_until(known[event])})"
        for event in events_of(plan.resolved.metrics[plan.primary])[:1]
        if (through := known[event]) is None or through < end
    ]


def _until(through: datetime | None) -> str:
    return "none" if through is None else f"to {through:%Y-%m-%d %H:%M} UTC"


def take(engine: Engine, plan: SealedPlan, of: Row[Any], now: datetime) -> tuple[Evidence, Judgement]:
    """Take the last look of a round: what is seen, and what follows by the sealed rule. Nothing is stored."""
    with engine.database.read() as connection:
        evidence = measure(
            connection,
            round_id=of.id,
            arms=plan.arms,
            metrics=plan.resolved.metrics,
            caps=plan.caps,
            as_of=engine.as_of(now),
            data_through=completeness(connection, plan, now),
            final=True,
        )
    return evidence, _concluded(plan.rule, plan, evidence)


def _concluded(rule: Rule | None, plan: SealedPlan, evidence: Evidence) -> Judgement:
    if rule is not None:
        return judge(rule, evidence)
    kinds = {name: metric.kind for name, metric in plan.resolved.metrics.items()}
    return describe(arms=plan.arms, kinds=kinds, evidence=evidence)


def store(
    connection: Connection, plan: SealedPlan, of: Row[Any], evidence: Evidence, judgement: Judgement, now: datetime
) -> bool:
    """Seal a round's last look and decide the round by it; False where the round was ended meanwhile."""
    decided = connection.execute(
        update(round_)
        .where(round_.c.id == of.id, round_.c.state == RoundState.SETTLING)
        .values(state=RoundState.DECIDED, decided_at=now, decision=judgement.decision, winner=judgement.winner)
    )
    if decided.rowcount != 1:
        return False
    last = connection.execute(select(func.max(look.c.number)).where(look.c.round_id == of.id)).scalar()
    number = (last or 0) + 1
    seen = audit.seal(connection, evidence.to_json())
    concluded = audit.seal(connection, rounded(judgement.to_json()))
    connection.execute(
        insert(look).values(
            round_id=of.id, number=number, at=now, data_through=_oldest(evidence.data_through), final=evidence.final,
            evidence=seen, verdict=concluded,
        )
    )  # fmt: skip
    payload = {
        "round": plan.round, "look": number, "evidence": seen, "verdict": concluded, "decision": judgement.decision,
    }  # fmt: skip
    audit.append(connection, "look_taken", payload, actor="engine", subject=plan.campaign, at=now)
    return True


def _oldest(through: Mapping[str, datetime | None]) -> datetime | None:
    known = [moment for moment in through.values() if moment is not None]
    return min(known, default=None)


@dataclass(frozen=True, kw_only=True)
class Rejudged:
    """An old verdict, computed again from its sealed statistics."""

    campaign: str
    round: int
    look: int
    equal: bool
    """Whether the bytes are the same."""
    sealed: dict[str, Any]
    again: dict[str, Any]


def rejudge(connection: Connection, campaign: str, number: int | None = None) -> Rejudged:
    """Judge a round's last look again, from its sealed plan and statistics alone.

    Raises:
        NotFound: there is no such round, or it has no look yet.
    """
    found = connection.execute(
        select(round_.c.id, round_.c.number, look.c.number.label("look"), look.c.evidence, look.c.verdict)
        .select_from(round_.join(look, look.c.round_id == round_.c.id))
        .where(round_.c.campaign == campaign, *([round_.c.number == number] if number else []))
        .order_by(round_.c.number.desc(), look.c.number.desc())
        .limit(1)
    ).first()
    if found is None:
        which = f"round {number} of {campaign}" if number else campaign
        raise NotFound(f"{which} has no look to judge again; `campaign status` shows where it stands")
    plan = plan_of(connection, found.id)
    evidence = Evidence.from_json(json.loads(audit.sealed(connection, found.evidence)))
    again = audit.canonical(rounded(_concluded(plan.rule, plan, evidence).to_json()))
    before = audit.sealed(connection, found.verdict)
    return Rejudged(
        campaign=campaign,
        round=found.number,
        look=found.look,
        equal=again == before,
        sealed=json.loads(before),
        again=json.loads(again),
    )
