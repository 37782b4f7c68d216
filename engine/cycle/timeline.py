"""One customer's timeline: every message, and for every wave without one the reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, select

from engine.errors import NotFound
from engine.messages.compose import expand
from engine.messages.links import MessageLinks
from engine.model import HOLDOUT, REASON_TEXT, Reason
from engine.store.tables import (
    call,
    consent,
    customer,
    entry,
    event,
    exclusion,
    message,
    round_,
    skeleton,
    suppression,
    wave,
)


@dataclass(frozen=True, kw_only=True)
class Happening:
    """Something at a time."""

    at: datetime
    what: str
    """message, not_sent, event, consent or suppression."""
    detail: str
    campaign: str | None = None
    round: int | None = None
    wave: str | None = None
    arm: str | None = None
    message_id: int | None = None
    state: str | None = None
    reason: str | None = None


def customer_row(connection: Connection, customer_id: str) -> Row[Any]:
    """A customer by the marketer's key.

    Raises:
        NotFound: there is none.
    """
    row = connection.execute(select(customer).where(customer.c.customer_id == customer_id)).first()
    if row is None:
        raise NotFound(f"there is no customer {customer_id!r}; `campaign segments sample` shows some that exist")
    return row


def timeline(connection: Connection, person: Row[Any]) -> list[Happening]:
    """All that is known to have happened with a customer, in order."""
    found = [*_waves(connection, person.id), *_events(connection, person.id), *_consents(connection, person)]
    return sorted(found, key=lambda happening: happening.at)


def _waves(connection: Connection, id_: int) -> Iterator[Happening]:
    """Every wave that is frozen, with the message or why there was none."""
    rows = connection.execute(
        select(
            wave.c.id, wave.c.slot, wave.c.due_at, round_.c.campaign, round_.c.number, entry.c.arm,
            entry.c.entered_at, entry.c.wave_id.label("entered_in"), exclusion.c.reason.label("excluded"),
            message.c.id.label("message_id"), message.c.state, message.c.reason, message.c.not_before, call.c.sent_at,
        )
        .select_from(
            wave.join(round_, round_.c.id == wave.c.round_id)
            .outerjoin(entry, and_(entry.c.round_id == round_.c.id, entry.c.customer_id == id_))
            .outerjoin(exclusion, and_(exclusion.c.wave_id == wave.c.id, exclusion.c.customer_id == id_))
            .outerjoin(message, and_(message.c.wave_id == wave.c.id, message.c.customer_id == id_))
            .outerjoin(call, call.c.id == message.c.call_id)
        )
        .where(wave.c.audience.is_not(None))
        .order_by(wave.c.due_at)
    )  # fmt: skip
    for row in rows:
        yield _of_wave(row)


def _of_wave(row: Row[*tuple[Any, ...]]) -> Happening:
    shared = {"campaign": row.campaign, "round": row.number, "wave": row.slot, "arm": row.arm}
    if row.message_id is not None:
        why = f": {_words(row.reason)}" if row.reason else ""
        return Happening(
            at=row.sent_at or row.not_before, what="message", detail=f"{row.state}{why}", message_id=row.message_id,
            state=row.state, reason=row.reason, **shared,
        )  # fmt: skip
    if row.excluded is not None:
        return _not_sent(row.due_at, row.excluded, _words(row.excluded), shared)
    if row.entered_in == row.id and row.arm == HOLDOUT:
        return _not_sent(row.entered_at, "holdout", "in the campaign's holdout", shared)
    return _not_sent(row.due_at, "not_in_segment", "not in the segment when the wave was frozen", shared)


def _not_sent(at: datetime, reason: str, words: str, shared: dict[str, Any]) -> Happening:
    return Happening(at=at, what="not_sent", detail=words, reason=reason, **shared)


def _words(reason: str) -> str:
    """A refusal by a provider is told in its own words."""
    return REASON_TEXT[Reason(reason)] if reason in set(Reason) else reason


def _events(connection: Connection, id_: int) -> Iterator[Happening]:
    rows = connection.execute(select(event).where(event.c.customer_id == id_))
    for row in rows:
        value = "" if row.value is None else f" {row.value:g}"
        machine = " (by a machine)" if row.machine else ""
        detail = f"{row.name}{value}{machine}"
        yield Happening(at=row.occurred_at, what="event", detail=detail, message_id=row.message_id)


def _consents(connection: Connection, person: Row[Any]) -> Iterator[Happening]:
    for row in connection.execute(select(consent).where(consent.c.customer_id == person.id)):
        given = "given" if row.given else "withdrawn"
        source = f" ({row.source})" if row.source else ""
        yield Happening(at=row.at, what="consent", detail=f"{row.channel} consent {given}{source}")
    hashes = [value for value in (person.email_hash, person.phone_hash) if value is not None]
    for row in connection.execute(select(suppression).where(suppression.c.address_hash.in_(hashes))):
        yield Happening(at=row.at, what="suppression", detail=f"{row.channel} suppressed: {row.reason}")


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A message as it was handed to the provider."""

    subject: str | None
    text: str
    html: str | None


def message_content(connection: Connection, message_id: int, links: MessageLinks) -> Shown | None:
    """A message that was claimed, exactly as it was composed; None for one that never was."""
    row = connection.execute(
        select(skeleton.c.body, message.c["values"])
        .select_from(message.join(skeleton, skeleton.c.id == message.c.skeleton_id))
        .where(message.c.id == message_id)
    ).first()
    if row is None:
        return None
    rendered = expand(row.body, row[1], links)
    return Shown(subject=rendered.subject, text=rendered.text, html=rendered.html)
