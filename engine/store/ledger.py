"""The ledger: at most once, and nobody forgotten.

A worker *leases* a batch, which is no claim, then *claims* rows for one provider call and
commits before calling; afterwards the answer *settles* the rows. What was claimed and never
settled becomes uncertain and is never sent again by itself. Leases run on the wall clock
(`wall`), everything else on the round's time (`now`), which may be pretended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any, Literal

from sqlalchemy import Connection, Row, and_, bindparam, exists, func, insert, or_, select, update

from engine.model import BatchState, MessageState, Reason, RoundState, WaveState
from engine.store.database import execute_many
from engine.store.tables import batch, call, customer, entry, lane, message, round_, skeleton, suppression, wave

RUNNING = (RoundState.OPEN, RoundState.SETTLING)


_LARGEST = 1_000
"""Messages in a batch."""
_ONE_BY_ONE = 20
"""Below so many a second a lease for each message costs little, and whole numbers a second would miss the rate."""

_CLAIM = (
    "UPDATE message SET state = 'claimed', call_id = ?, attempt = attempt + 1, skeleton_id = ?, \"values\" = ? "
    "WHERE id = ? AND state = 'planned'"
)


class LeaseLost(Exception):
    """Another worker may hold the batch by now; nothing more may be claimed under this lease."""


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The right to claim rows of one batch for a while."""

    batch_id: int
    wave_id: int
    round_id: int
    campaign: str
    channel: Literal["email", "sms"]
    token: str
    at: datetime
    """The round's time."""
    lane: tuple[datetime, datetime] | None = None
    """From when to when the campaign's lane was moved on; None without a rate."""


@dataclass(frozen=True, kw_only=True)
class Ready:
    """A rendered message, ready to be claimed."""

    message_id: int
    skeleton_id: int
    values: str


Verdict = Reason | datetime | None
"""What a last check says of a row: skip it for a reason, let it wait until then, or send it."""


def lease(connection: Connection, *, now: datetime, wall: datetime, length: timedelta, token: str) -> Lease | None:
    """Lease the next due batch and move its lane on, or return None when nothing is due."""
    due = (
        select(
            batch.c.id,
            batch.c.size,
            batch.c.wave_id,
            wave.c.round_id,
            wave.c.channel,
            wave.c.state.label("wave_state"),
            round_.c.campaign,
            lane.c.per_second,
            lane.c.next_at,
        )
        .select_from(batch.join(wave).join(round_).outerjoin(lane, lane.c.campaign == round_.c.campaign))
        .where(
            batch.c.state == BatchState.OPEN,
            batch.c.due_at <= now,
            wave.c.state.in_([WaveState.FROZEN, WaveState.SENDING]),
            round_.c.state.in_(RUNNING),
            round_.c.paused.is_(False),
            or_(lane.c.next_at.is_(None), lane.c.next_at <= now),
        )
        .order_by(batch.c.due_at, batch.c.id)
        .limit(1)
        .with_for_update(of=batch, skip_locked=True)
    )
    row = connection.execute(due).first()
    if row is None:
        return None
    rested = _rested(row, now)
    if rested is not None and not _moved(connection, row.campaign, *rested):
        return lease(connection, now=now, wall=wall, length=length, token=token)  # another worker was faster
    connection.execute(
        update(batch)
        .where(batch.c.id == row.id)
        .values(state=BatchState.LEASED, lease_until=wall + length, token=token)
    )
    if row.wave_state == WaveState.FROZEN:
        connection.execute(update(wave).where(wave.c.id == row.wave_id).values(state=WaveState.SENDING))
    return Lease(
        batch_id=row.id,
        wave_id=row.wave_id,
        round_id=row.round_id,
        campaign=row.campaign,
        channel=row.channel,
        token=token,
        at=now,
        lane=rested,
    )


def lane_free_at(connection: Connection, *, now: datetime) -> datetime | None:
    """When the first lane that keeps a due batch back is free; None when no due batch waits for one."""
    free_at: datetime | None = connection.execute(
        select(func.min(lane.c.next_at))
        .select_from(batch.join(wave).join(round_).join(lane, lane.c.campaign == round_.c.campaign))
        .where(
            batch.c.state == BatchState.OPEN,
            batch.c.due_at <= now,
            wave.c.state.in_([WaveState.FROZEN, WaveState.SENDING]),
            round_.c.state.in_(RUNNING),
            round_.c.paused.is_(False),
        )
    ).scalar()
    return free_at


def lot(per_second: float) -> tuple[int, timedelta]:
    """How many messages a rate lets go at once, and how long the lane then rests.

    No second sees more than the rate, wherever it begins: under a slow rate they go one by one, under a fast one
    by whole seconds, or even parts of a second, and a smaller batch rests as long as a full one.
    """
    if per_second < _ONE_BY_ONE:
        return 1, _ceiled(1 / per_second)
    parts = ceil(per_second / _LARGEST)
    return int(per_second / parts), _ceiled(1 / parts)


def _ceiled(seconds: float) -> timedelta:
    return timedelta(microseconds=ceil(seconds * 1_000_000))


def _rested(row: Row[*tuple[Any, ...]], now: datetime) -> tuple[datetime, datetime] | None:
    """From when to when a lease moves its lane on."""
    if row.per_second is None:
        return None
    return row.next_at, max(now, row.next_at) + lot(row.per_second)[1]


def _moved(connection: Connection, campaign: str, before: datetime, after: datetime) -> bool:
    """Move a lane; False when it does not stand where it is thought to."""
    own = update(lane).where(lane.c.campaign == campaign, lane.c.next_at == before)
    return connection.execute(own.values(next_at=after)).rowcount == 1


def planned_rows(connection: Connection, held: Lease, *, now: datetime, limit: int) -> Sequence[Row[*tuple[Any, ...]]]:
    """The next rows of a leased batch that may be sent by now.

    Returns:
        Rows with id, customer_id, arm and the customer's address columns.
    """
    return connection.execute(
        select(message.c.id, message.c.customer_id, entry.c.arm, customer.c.email, customer.c.phone)
        .select_from(
            message.join(
                entry, and_(entry.c.customer_id == message.c.customer_id, entry.c.round_id == held.round_id)
            ).join(customer, customer.c.id == message.c.customer_id)
        )
        .where(
            message.c.batch_id == held.batch_id, message.c.state == MessageState.PLANNED, message.c.not_before <= now
        )
        .order_by(message.c.id)
        .limit(limit)
    ).all()


def claim(
    connection: Connection,
    held: Lease,
    ready: Sequence[Ready],
    *,
    provider: str,
    check: Callable[[Row[*tuple[Any, ...]]], Verdict],
    now: datetime,
    wall: datetime,
    length: timedelta,
) -> tuple[int | None, frozenset[int]]:
    """Claim rows for one provider call, after a last check of each; the caller commits, then calls.

    Args:
        check: decides from a row of (id, due_at, not_before, timezone, address, consent, suppressed).

    Returns:
        The call's id (None when no row is left to send) and the ids of the claimed messages.

    Raises:
        LeaseLost: the lease ran out, or the round was stopped or paused meanwhile.
    """
    _extend(connection, held, wall, length)
    verdicts = {row.id: check(row) for row in _recheck(connection, held, [item.message_id for item in ready])}
    sendable = [item for item in ready if item.message_id in verdicts and verdicts[item.message_id] is None]
    _skip(connection, {key: reason for key, reason in verdicts.items() if isinstance(reason, Reason)})
    _postpone(connection, {key: until for key, until in verdicts.items() if isinstance(until, datetime)})
    if not sendable:
        return None, frozenset()
    call_id = connection.execute(
        insert(call)
        .values(batch_id=held.batch_id, provider=provider, token=held.token, size=len(sendable), sent_at=now)
        .returning(call.c.id)
    ).scalar_one()
    execute_many(connection, _CLAIM, [(call_id, item.skeleton_id, item.values, item.message_id) for item in sendable])
    return call_id, frozenset(item.message_id for item in sendable)


def _extend(connection: Connection, held: Lease, wall: datetime, length: timedelta) -> None:
    """Prove that the lease is ours and the round still runs, and hold it for another while."""
    running = exists(
        select(round_.c.id).where(round_.c.id == held.round_id, round_.c.state.in_(RUNNING), round_.c.paused.is_(False))
    )
    extended = connection.execute(
        update(batch)
        .where(
            batch.c.id == held.batch_id,
            batch.c.state == BatchState.LEASED,
            batch.c.token == held.token,
            batch.c.lease_until > wall,
            running,
        )
        .values(lease_until=wall + length)
    )
    if extended.rowcount != 1:
        raise LeaseLost(f"batch {held.batch_id}")


def _recheck(connection: Connection, held: Lease, ids: Sequence[int]) -> Sequence[Row[*tuple[Any, ...]]]:
    """The rows that are still planned, locked, so that a stop which comes now waits for the claim."""
    address, hashed = ("email", "email_hash") if held.channel == "email" else ("phone", "phone_hash")
    suppressed = exists(
        select(suppression.c.channel).where(
            suppression.c.channel == held.channel, suppression.c.address_hash == customer.c[hashed]
        )
    )
    return connection.execute(
        select(
            message.c.id,
            message.c.due_at,
            message.c.not_before,
            customer.c.timezone,
            customer.c[address].label("address"),
            customer.c[f"{held.channel}_consent"].label("consent"),
            suppressed.label("suppressed"),
        )
        .select_from(message.join(customer, customer.c.id == message.c.customer_id))
        .where(message.c.id.in_(ids), message.c.state == MessageState.PLANNED)
        .with_for_update(of=message)
    ).all()


def _skip(connection: Connection, reasons: Mapping[int, Reason]) -> None:
    if reasons:
        connection.execute(
            update(message)
            .where(message.c.id == bindparam("message_id"), message.c.state == MessageState.PLANNED)
            .values(state=MessageState.SKIPPED, reason=bindparam("why")),
            [{"message_id": key, "why": reason} for key, reason in reasons.items()],
        )


def _postpone(connection: Connection, until: Mapping[int, datetime]) -> None:
    if until:
        connection.execute(
            update(message).where(message.c.id == bindparam("message_id")).values(not_before=bindparam("until")),
            [{"message_id": key, "until": moment} for key, moment in until.items()],
        )


def skip(connection: Connection, message_ids: Iterable[int], reason: Reason) -> None:
    """Skip planned rows, such as those that cannot be rendered."""
    _skip(connection, dict.fromkeys(message_ids, reason))


def skeleton_id(connection: Connection, sha256: str, body: str) -> int:
    """The id of a stored skeleton; it is stored when it is new."""
    known = select(skeleton.c.id).where(skeleton.c.sha256 == sha256)
    found = connection.execute(known).scalar()
    if found is not None:
        return int(found)
    dialect = connection.dialect.name
    if dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as upsert
    else:
        from sqlalchemy.dialects.sqlite import insert as upsert  # type: ignore[assignment]
    connection.execute(upsert(skeleton).values(sha256=sha256, body=body).on_conflict_do_nothing())
    return int(connection.execute(known).scalar_one())


# --- answers -------------------------------------------------------------------------------------------

_UNSETTLED = or_(message.c.state == MessageState.CLAIMED, message.c.state == MessageState.UNCERTAIN)


def settle_accepted(
    connection: Connection, call_id: int, provider_ids: Mapping[int, str | None], now: datetime
) -> None:
    """The provider took these rows; a late answer settles rows that had become uncertain."""
    unsettled = and_(message.c.call_id == call_id, _UNSETTLED)
    if any(provider_ids.values()):
        connection.execute(
            update(message)
            .where(message.c.id == bindparam("message_id"), unsettled)
            .values(state=MessageState.ACCEPTED, provider_id=bindparam("given")),
            [{"message_id": key, "given": given} for key, given in provider_ids.items()],
        )
    elif provider_ids:
        connection.execute(
            update(message).where(unsettled, message.c.id.in_(list(provider_ids))).values(state=MessageState.ACCEPTED)
        )
    _answer(connection, call_id, "accepted", now)


def settle_rejected(connection: Connection, call_id: int, reasons: Mapping[int, str], now: datetime) -> None:
    """The provider refused these rows for good."""
    if reasons:
        connection.execute(
            update(message)
            .where(
                message.c.id == bindparam("message_id"),
                message.c.call_id == call_id,
                _UNSETTLED,
            )
            .values(state=MessageState.REJECTED, reason=bindparam("why")),
            [{"message_id": key, "why": why} for key, why in reasons.items()],
        )
    _answer(connection, call_id, "rejected", now)


def settle_unknown(connection: Connection, call_id: int, why: str, now: datetime) -> None:
    """Nobody can say whether the provider took the call: its rows become uncertain."""
    connection.execute(
        update(message)
        .where(message.c.call_id == call_id, message.c.state == MessageState.CLAIMED)
        .values(state=MessageState.UNCERTAIN)
    )
    _answer(connection, call_id, f"unknown: {why}", now)


def settle_not_accepted(connection: Connection, call_id: int, why: str, *, retry_at: datetime, now: datetime) -> None:
    """Proven not accepted: the rows are planned again, for later."""
    connection.execute(
        update(message)
        .where(message.c.call_id == call_id, message.c.state == MessageState.CLAIMED)
        .values(state=MessageState.PLANNED, call_id=None, not_before=retry_at)
    )
    _answer(connection, call_id, f"not accepted: {why}", now)


def _answer(connection: Connection, call_id: int, text: str, now: datetime) -> None:
    connection.execute(update(call).where(call.c.id == call_id).values(answer=text, answered_at=now))


# --- ends of leases -----------------------------------------------------------------------------------


def release(connection: Connection, held: Lease) -> None:
    """Give a batch back: done, or open again for the rows that wait. A lease that sent nothing took no time."""
    _close(connection, and_(batch.c.id == held.batch_id, batch.c.token == held.token))
    if held.lane is not None and not _called(connection, held):
        before, after = held.lane
        _moved(connection, held.campaign, after, before)


def _called(connection: Connection, held: Lease) -> bool:
    made = exists(select(call.c.id).where(call.c.batch_id == held.batch_id, call.c.sent_at >= held.at))
    return bool(connection.execute(select(made)).scalar())


def expire(connection: Connection, *, wall: datetime, is_dead: Callable[[str], bool]) -> int:
    """End leases that ran out or whose worker died; what they had claimed becomes uncertain.

    Returns:
        How many messages became uncertain.
    """
    leased = connection.execute(
        select(batch.c.id, batch.c.token, batch.c.lease_until).where(batch.c.state == BatchState.LEASED)
    ).all()
    over = [row.id for row in leased if row.lease_until <= wall or is_dead(row.token)]
    if not over:
        return 0
    lost = connection.execute(
        update(message)
        .where(message.c.batch_id.in_(over), message.c.state == MessageState.CLAIMED)
        .values(state=MessageState.UNCERTAIN)
    )
    _close(connection, batch.c.id.in_(over))
    return lost.rowcount


def _close(connection: Connection, which: Any) -> None:
    next_due = (
        select(func.min(message.c.not_before))
        .where(message.c.batch_id == batch.c.id, message.c.state == MessageState.PLANNED)
        .scalar_subquery()
    )
    ended = and_(which, batch.c.state == BatchState.LEASED)
    connection.execute(
        update(batch)
        .where(ended, next_due.is_not(None))
        .values(state=BatchState.OPEN, due_at=next_due, token=None, lease_until=None)
    )
    connection.execute(update(batch).where(ended).values(state=BatchState.DONE, token=None, lease_until=None))
