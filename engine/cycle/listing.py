"""The ledger as a list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, select

from engine.errors import NotFound, Refused
from engine.model import MessageState
from engine.store.tables import call, customer, entry, message, round_, wave

_FETCH = 1_000


def messages_of(
    connection: Connection, campaign: str, *, wave: int | None = None, state: str | None = None
) -> Iterator[Row[Any]]:
    """A campaign's messages in the order of the ledger.

    Args:
        wave: only the n-th wave over all rounds, from 1.
        state: only messages in this state.

    Raises:
        NotFound: the campaign was never launched, or has no such wave.
        Refused: there is no such state.
    """
    if state is not None and state not in set(MessageState):
        raise Refused(f"there is no state {state!r}; the states are {', '.join(MessageState)}")
    query = _messages().where(round_.c.campaign == campaign)
    waves = _waves(connection, campaign)
    if wave is not None:
        if not 1 <= wave <= len(waves):
            raise NotFound(f"{campaign} has {len(waves)} waves; --wave counts from 1")
        query = query.where(message.c.wave_id == waves[wave - 1])
    if state is not None:
        query = query.where(message.c.state == state)
    return iter(connection.execute(query, execution_options={"yield_per": _FETCH}))


def uncertain(connection: Connection) -> Iterator[Row[Any]]:
    """Every message whose fate is unknown."""
    query = _messages().where(message.c.state == MessageState.UNCERTAIN)
    return iter(connection.execute(query, execution_options={"yield_per": _FETCH}))


def _waves(connection: Connection, campaign: str) -> list[int]:
    rounds = connection.execute(select(round_.c.id).where(round_.c.campaign == campaign)).scalars().all()
    if not rounds:
        raise NotFound(f"{campaign} was never launched; `campaign status` shows what was")
    return list(
        connection.execute(
            select(wave.c.id).where(wave.c.round_id.in_(rounds)).order_by(wave.c.due_at, wave.c.id)
        ).scalars()
    )


def _messages() -> Select[Any]:
    return (
        select(
            message.c.id.label("message_id"),
            round_.c.campaign,
            round_.c.number.label("round"),
            wave.c.slot.label("wave"),
            customer.c.customer_id,
            entry.c.arm,
            message.c.state,
            message.c.reason,
            call.c.sent_at,
            message.c.fate,
        )
        .select_from(
            message.join(wave, wave.c.id == message.c.wave_id)
            .join(round_, round_.c.id == wave.c.round_id)
            .join(entry, and_(entry.c.round_id == round_.c.id, entry.c.customer_id == message.c.customer_id))
            .outerjoin(customer, customer.c.id == message.c.customer_id)
            .outerjoin(call, call.c.id == message.c.call_id)
        )
        .order_by(message.c.id)
    )
