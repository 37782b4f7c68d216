"""The cycle in order: hypothesis → plan → execute → measure → improve.

A person plans and launches (`plan.py`, `launch.py`). From there a round moves by itself, one step
at a time; calling a step again changes nothing:

1. execute: waves are opened when they are due, their audience is frozen and sealed (`waves.py`,
   `freeze.py`), and the sending processes take their batches (`execute.py`);
2. when no wave is left to come, the round settles: windows mature, then one day for late data;
3. measure and judge: the last look is taken, judged by the sealed rule and sealed (`look.py`);
4. improve: the verdict becomes the next round's proposal (`improve.py`), which a person accepts, or the
   engine where the YAML says `approval: automatic` (`accept.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from engine.cycle import look, waves
from engine.cycle.accept import take_up_automatic
from engine.cycle.engine import Engine
from engine.cycle.improve import Proposal, declaring_file, propose
from engine.cycle.launch import RUNNING
from engine.cycle.measure import window_of
from engine.cycle.sealed_plan import SealedPlan, plan_of
from engine.model import RoundState, WaveState
from engine.segments.audience import events_used
from engine.store import audit
from engine.store.tables import entry, proposal, round_, wave

LATE_DATA = timedelta(days=1)
_OPEN_WAVES = (WaveState.DUE, WaveState.FREEZING, WaveState.FROZEN, WaveState.SENDING)


def advance_all(engine: Engine, now: datetime) -> None:
    """Move every running round by what is due; a fault of one holds up no other.

    Raises:
        Exception: the first fault, after all rounds had their turn.
    """
    with engine.database.read() as connection:
        running = connection.execute(select(round_).where(round_.c.state.in_(RUNNING)).order_by(round_.c.id)).all()
    faults = []
    for row in running:
        try:
            advance(engine, row, now)
        except Exception as fault:  # told below
            faults.append(fault)
    take_up_automatic(engine, now)
    if faults:
        raise faults[0]


def advance(engine: Engine, of: Row[Any], now: datetime) -> None:
    """Move one round by one step. Calling it again changes nothing."""
    if of.paused:
        return
    with engine.database.read() as connection:
        plan = plan_of(connection, of.id)
    match of.state:
        case RoundState.OPEN:
            _execute(engine, plan, of, now)
        case RoundState.SETTLING:
            _conclude(engine, plan, of, now)
        case _:
            pass  # it waits for approvals


def _execute(engine: Engine, plan: SealedPlan, of: Row[Any], now: datetime) -> None:
    complete = _is_complete(engine, plan, of, now)
    if not complete:
        waves.open_due(engine, plan, of, now)
    waves.freeze_due(engine, plan, of, now)
    waves.close_done(engine, of, now)
    if complete or _is_complete(engine, plan, of, now):
        _settle(engine, plan, of, now)


def _is_complete(engine: Engine, plan: SealedPlan, of: Row[Any], now: datetime) -> bool:
    """Whether no wave is to come: the sample is reached, or the schedule is over."""
    with engine.database.read() as connection:
        if _sample_reached(connection, plan, of.id):
            return True
    return waves.is_over(engine, plan, of, now)


def _sample_reached(connection: Connection, plan: SealedPlan, round_id: int) -> bool:
    """Whether every compared arm has the planned sample; a single send is not cut short by it."""
    if plan.rule is None or plan.expected_per_arm is None:
        return False
    counted = select(entry.c.arm, func.count()).where(entry.c.round_id == round_id).group_by(entry.c.arm)
    entered: dict[str, int] = dict(connection.execute(counted).all())
    compared = (plan.rule.compared_to, *plan.rule.treatments)
    return min(entered.get(arm, 0) for arm in compared) >= plan.expected_per_arm


def _settle(engine: Engine, plan: SealedPlan, of: Row[Any], now: datetime) -> None:
    """No more waves: once the last message is sent, wait for every window and a day for late data."""
    with engine.database.write() as connection:
        still_open = connection.execute(
            select(func.count()).where(wave.c.round_id == of.id, wave.c.state.in_(_OPEN_WAVES))
        ).scalar_one()
        if still_open:
            return
        last = connection.execute(select(func.max(entry.c.entered_at)).where(entry.c.round_id == of.id)).scalar()
        longest = max((window_of(metric)[1] for metric in plan.resolved.metrics.values()), default=timedelta(0))
        settles_at = (last or now) + longest + LATE_DATA
        settling = connection.execute(
            update(round_)
            .where(round_.c.id == of.id, round_.c.state == RoundState.OPEN)
            .values(state=RoundState.SETTLING, settles_at=settles_at)
        )
        if settling.rowcount != 1:
            return  # stopped meanwhile
        payload = {"round": plan.round, "settles_at": settles_at.isoformat()}
        audit.append(connection, "settling", payload, actor="engine", subject=plan.campaign, at=now)


def _conclude(engine: Engine, plan: SealedPlan, of: Row[Any], now: datetime) -> None:
    """The last look, and what follows from it."""
    if of.settles_at is None or now < of.settles_at:
        return
    with engine.database.read() as connection:
        if look.waits_for(connection, plan, of.id, now):
            return
    evidence, judgement = look.take(engine, plan, of, now)
    proposed = None
    if judgement.decision is not None:
        file = declaring_file(engine.file, plan.campaign)
        proposed = propose(plan, judgement.decision, judgement.winner, file)
    # Together, so that no verdict is left without what follows from it.
    with engine.database.write() as connection:
        if look.store(connection, plan, of, evidence, judgement, now) and proposed is not None:
            _store_proposal(connection, plan, of, proposed, now)


def _store_proposal(connection: Connection, plan: SealedPlan, of: Row[Any], proposed: Proposal, now: datetime) -> None:
    by_itself = plan.resolved.campaign.improve.approval == "automatic"
    state = ("automatic" if by_itself else "open") if proposed.diff else "none"
    connection.execute(
        insert(proposal).values(
            round_id=of.id, kind=proposed.kind, base=proposed.base, diff=proposed.diff, text=proposed.text,
            state=state, at=now,
        )
    )  # fmt: skip
    payload = {"round": plan.round, "kind": proposed.kind, "diff": proposed.diff}
    audit.append(connection, "proposed", payload, actor="engine", subject=plan.campaign, at=now)


def waiting_for(engine: Engine, of: Row[Any], now: datetime) -> Sequence[str]:
    """What a running round waits for, in plain words."""
    with engine.database.read() as connection:
        plan = plan_of(connection, of.id)
        match of.state:
            case RoundState.AWAITING_APPROVAL:
                return [f"approval: `campaign approve {of.campaign}` by somebody other than {of.launched_by}"]
            case RoundState.OPEN:
                return waves.stale_data(connection, plan, events_used(plan.resolved), now)
            case RoundState.SETTLING:
                settles = f"windows to close and late data until {of.settles_at:%Y-%m-%d %H:%M} UTC"
                early = [settles] if of.settles_at and now < of.settles_at else []
                return early + look.waits_for(connection, plan, of.id, now)
            case _:
                return []
