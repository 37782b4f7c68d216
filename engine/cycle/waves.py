"""Waves: a row for every slot that is due, frozen once, closed when its last batch is done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, exists, func, insert, select, update

from engine.customers.sources import data_through
from engine.cycle.engine import Engine
from engine.cycle.freeze import freeze
from engine.cycle.sealed_plan import SealedPlan
from engine.cycle.timing import Timetable, freeze_at, slot_name, zone
from engine.declare.quantities import Duration
from engine.model import BatchState, MessageState, Reason, WaveState
from engine.segments.audience import channel_of, events_used
from engine.store import audit
from engine.store.tables import batch, entry, message, wave

_EAST = timedelta(hours=15)
"""A slot on the recipients' clocks is frozen up to so long before it comes in the campaign's zone."""
_HORIZON = timedelta(days=400)
_MOST_AT_ONCE = 1_000
_REPEATED = 61
"""The last slot and, where clocks go back, an hour of minutes come again."""
_WAITING = (WaveState.DUE, WaveState.FREEZING)
_UNDER_WAY = (WaveState.FROZEN, WaveState.SENDING)


def open_due(engine: Engine, plan: SealedPlan, round_: Row[Any], now: datetime) -> None:
    """Insert a row for every slot whose time has come; the unique key makes a repeat harmless."""
    for slot in _unopened(engine, plan, round_, before=min(now + _EAST, _end(plan, round_, now))):
        if freeze_at(plan.resolved.campaign, slot) <= now:
            _open(engine, plan, round_, slot, now)


def is_over(engine: Engine, plan: SealedPlan, round_: Row[Any], now: datetime) -> bool:
    """Whether the schedule has no slot left to open."""
    return not _unopened(engine, plan, round_, before=_end(plan, round_, now), most=1)


def _unopened(
    engine: Engine, plan: SealedPlan, round_: Row[Any], *, before: datetime, most: int = _MOST_AT_ONCE
) -> list[datetime]:
    """The slots after the last one opened: those before it need not be counted up again."""
    schedule, clock = plan.resolved.campaign.schedule, zone(None, plan.zone)
    with engine.database.read() as connection:
        known = set(connection.execute(select(wave.c.slot).where(wave.c.round_id == round_.id)).scalars())
    if schedule is None and known:
        return []
    opened = [datetime.fromisoformat(slot).replace(tzinfo=clock).astimezone(UTC) for slot in known]
    last = max([round_.launched_at, *opened])
    slots = engine.calendar(
        schedule, clock, after=last, before=before, launched=round_.launched_at, most=most + _REPEATED
    )
    return [slot for slot in slots if slot_name(slot) not in known][:most]


def _end(plan: SealedPlan, round_: Row[Any], now: datetime) -> datetime:
    """No wave starts after the round's longest duration, and none is looked for further ahead than this."""
    limit = plan.resolved.campaign.round
    if limit is None or limit.at_most is None:
        return now + _HORIZON
    launched: datetime = round_.launched_at
    return launched + limit.at_most.delta


def _open(engine: Engine, plan: SealedPlan, round_: Row[Any], slot: datetime, now: datetime) -> None:
    timetable = Timetable(plan.resolved.campaign, slot_name(slot), plan.zone)
    missed = timetable.is_missed_whole(now)
    due_at = freeze_at(plan.resolved.campaign, slot)
    same = exists(select(wave.c.id).where(wave.c.round_id == round_.id, wave.c.slot == slot_name(slot)))
    with engine.database.write() as connection:
        if connection.execute(select(same)).scalar():
            return
        connection.execute(
            insert(wave).values(
                round_id=round_.id,
                slot=slot_name(slot),
                channel=channel_of(plan.resolved),
                due_at=due_at,
                state=WaveState.MISSED if missed else WaveState.DUE,
            )
        )
        if missed:
            payload = {"round": plan.round, "slot": slot_name(slot)}
            audit.append(connection, "wave_missed", payload, actor="engine", subject=plan.campaign, at=now)


def freeze_due(engine: Engine, plan: SealedPlan, round_: Row[Any], now: datetime) -> None:
    """Freeze every wave whose data are fresh enough; one that was left half frozen first."""
    with engine.database.read() as connection:
        due = connection.execute(
            select(wave).where(wave.c.round_id == round_.id, wave.c.state.in_(_WAITING)).order_by(wave.c.due_at)
        ).all()
        stale = stale_data(connection, plan, events_used(plan.resolved), now)
    if stale:
        return
    for row in due:
        freeze(engine, plan, row, now)


def stale_data(connection: Connection, plan: SealedPlan, events: frozenset[str], now: datetime) -> list[str]:
    """What a wave or a look must wait for: `needs_data`, in plain words; empty when nothing."""
    needs = plan.resolved.campaign.needs_data or {}
    if needs.get("otherwise") == "go":
        return []
    waits = []
    for event in sorted(events):
        oldest = needs.get(event)
        if not isinstance(oldest, Duration):
            continue
        through = data_through(connection, event)
        if through is None or through < now - oldest.delta:
            seen = "none yet" if through is None else f"complete to {through:%Y-%m-%d %H:%M} UTC"
            waits.append(f"{event} data of the last {oldest} ({seen})")
    return waits


def close_done(engine: Engine, round_: Row[Any], now: datetime) -> None:
    """A wave is done when none of its batches is left and its last moment has passed."""
    left = exists(select(batch.c.id).where(batch.c.wave_id == wave.c.id, batch.c.state != BatchState.DONE))
    last = select(func.max(entry.c.entered_at)).where(entry.c.wave_id == wave.c.id).scalar_subquery()
    with engine.database.write() as connection:
        connection.execute(
            update(wave)
            .where(
                wave.c.round_id == round_.id,
                wave.c.state.in_(_UNDER_WAY),
                ~left,
                func.coalesce(last, 0) <= now,
            )
            .values(state=WaveState.DONE)
        )


def cancel_open(connection: Connection, round_id: int) -> int:
    """A stopped round sends nothing more: its waves are cancelled and planned messages skipped.

    Returns:
        How many messages will not be sent.
    """
    waves = select(wave.c.id).where(wave.c.round_id == round_id)
    skipped = connection.execute(
        update(message)
        .where(message.c.wave_id.in_(waves), message.c.state == MessageState.PLANNED)
        .values(state=MessageState.SKIPPED, reason=Reason.STOPPED)
    ).rowcount
    connection.execute(
        update(wave)
        .where(wave.c.round_id == round_id, wave.c.state.in_([*_WAITING, *_UNDER_WAY]))
        .values(state=WaveState.CANCELLED)
    )
    return skipped


def waves_of(connection: Connection, round_id: int) -> Sequence[Row[Any]]:
    """A round's waves in order."""
    return connection.execute(select(wave).where(wave.c.round_id == round_id).order_by(wave.c.due_at)).all()
