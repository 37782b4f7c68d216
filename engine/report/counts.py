"""How far the customers and messages of a round have come, counted in the store."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, case, func, select

from engine.model import Fate, MessageState, WaveState
from engine.report.document import ArmCount
from engine.report.sealed import PlannedArm
from engine.store.tables import entry, message, wave

_ARRIVED = (Fate.DELIVERED, Fate.COMPLAINED)
# Whoever complains about a message has received it.
_UNSENT = (MessageState.SKIPPED, MessageState.REJECTED)


@dataclass(frozen=True, kw_only=True)
class WaveCount:
    """One wave: when it was due, who entered in it and what became of its messages."""

    slot: str
    """Its local time, as ISO 8601 without an offset."""
    channel: str
    due_at: datetime
    """When its audience is frozen."""
    state: WaveState
    audience: str | None
    """Hash of the sealed audience."""
    entered: int
    messages: Counter[str]
    """Messages by state."""
    unsent: Counter[str]
    """Messages skipped or rejected, by reason."""

    @property
    def total(self) -> int:
        return sum(self.messages.values())

    @property
    def ahead(self) -> bool:
        """Whether it has still to be sent, wholly or in part."""
        return self.state in (WaveState.DUE, WaveState.FREEZING, WaveState.FROZEN, WaveState.SENDING)


def arms(connection: Connection, round_id: int, planned: Sequence[PlannedArm]) -> tuple[ArmCount, ...]:
    """The arms with their customers as they stand now, each customer at first entry."""
    joined = entry.outerjoin(
        message, and_(message.c.wave_id == entry.c.wave_id, message.c.customer_id == entry.c.customer_id)
    )

    def number_with(condition: object, name: str) -> object:
        return func.coalesce(func.sum(case((condition, 1), else_=0)), 0).label(name)  # type: ignore[arg-type]

    query = (
        select(
            entry.c.arm,
            func.count().label("assigned"),
            number_with(message.c.state == MessageState.ACCEPTED, "accepted"),  # type: ignore[call-overload]
            number_with(message.c.fate.in_(_ARRIVED), "delivered"),
            number_with(message.c.state == MessageState.UNCERTAIN, "uncertain"),
        )
        .select_from(joined)
        .where(entry.c.round_id == round_id)
        .group_by(entry.c.arm)
    )
    found = {row.arm: row for row in connection.execute(query)}
    return tuple(_arm(arm, found.get(arm.name)) for arm in planned)


def _arm(planned: PlannedArm, row: object) -> ArmCount:
    counts = {name: int(getattr(row, name, 0)) for name in ("assigned", "accepted", "delivered", "uncertain")}
    return ArmCount(name=planned.name, role=planned.role, share=planned.share, **counts)


def waves(connection: Connection, round_id: int) -> tuple[WaveCount, ...]:
    """The waves of a round in the order in which they are due."""
    rows = connection.execute(select(wave).where(wave.c.round_id == round_id).order_by(wave.c.due_at, wave.c.id)).all()
    entered = _entered(connection, [row.id for row in rows])
    messages, unsent = _messages(connection, round_id)
    return tuple(
        WaveCount(
            slot=row.slot,
            channel=row.channel,
            due_at=row.due_at,
            state=WaveState(row.state),
            audience=row.audience,
            entered=entered.get(row.id, 0),
            messages=messages[row.id],
            unsent=unsent[row.id],
        )
        for row in rows
    )


def _entered(connection: Connection, wave_ids: Sequence[int]) -> dict[int, int]:
    query = select(entry.c.wave_id, func.count().label("n")).group_by(entry.c.wave_id)
    return {row.wave_id: row.n for row in connection.execute(query.where(entry.c.wave_id.in_(wave_ids)))}


def _messages(connection: Connection, round_id: int) -> tuple[dict[int, Counter[str]], dict[int, Counter[str]]]:
    """Messages by state, and by reason those not sent; each by wave."""
    query = (
        select(message.c.wave_id, message.c.state, message.c.reason, func.count().label("n"))
        .join(wave, wave.c.id == message.c.wave_id)
        .where(wave.c.round_id == round_id)
        .group_by(message.c.wave_id, message.c.state, message.c.reason)
    )
    states: dict[int, Counter[str]] = defaultdict(Counter)
    reasons: dict[int, Counter[str]] = defaultdict(Counter)
    for row in connection.execute(query):
        states[row.wave_id][row.state] += row.n
        if row.state in _UNSENT:
            reasons[row.wave_id][row.reason or row.state] += row.n
    return states, reasons
