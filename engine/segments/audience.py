"""The audience of a wave: a segment after every exclusion, as of a time.

It is built in temporary tables, so that a million customers neither pass through memory
nor hold the store's lock. Every exclusion is decided before, and without, assignment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    Table,
    Text,
    and_,
    case,
    exists,
    false,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    true,
    update,
)

from engine.declare.resolve import Resolved
from engine.declare.spec import FrequencyCap
from engine.facts.events import visible
from engine.facts.rfm import PURCHASE
from engine.model import AsOf, MessageState, Reason
from engine.segments.compile import predicate
from engine.store.database import Database
from engine.store.tables import Key, call, customer, entry, message, round_, suppression, wave

_temporary = MetaData()

candidate = Table(
    "candidate",
    _temporary,
    Column("n", Integer, primary_key=True, autoincrement=True),
    Column("id", BigInteger, nullable=False),
    Column("customer_id", Key, nullable=False),
    Column("timezone", Text),
    Column("person_salt", LargeBinary),
    Column("address_hash", LargeBinary),
    Column("entered", Boolean, nullable=False),
    Column("reason", Key),
    prefixes=["TEMPORARY"],
)
"""Matched customers; `reason` is the first exclusion that held, `entered` an entry in this round."""

_CHUNK_COLUMNS = ("n", "id", "customer_id", "timezone", "person_salt", "entered", "reason")
_PENDING = (MessageState.PLANNED, MessageState.CLAIMED, MessageState.ACCEPTED, MessageState.UNCERTAIN)


@dataclass(frozen=True)
class Audience:
    """Matched customers in a temporary table of one connection."""

    connection: Connection

    def funnel(self) -> dict[Reason | None, int]:
        """How many matched customers each exclusion took; None counts those who are left."""
        with self.connection.begin():
            rows = self.connection.execute(select(candidate.c.reason, func.count()).group_by(candidate.c.reason)).all()
        return {Reason(reason) if reason else None: count for reason, count in rows}

    def chunks(self, size: int) -> Iterator[Sequence[Row[*tuple[Any, ...]]]]:
        """All matched customers in the order of their ids, `size` at a time.

        Yields:
            Rows of (n, id, customer_id, timezone, person_salt, entered, reason).
        """
        columns = [candidate.c[name] for name in _CHUNK_COLUMNS]
        return self._pages(select(*columns), size)

    def left(self, size: int) -> Iterator[list[tuple[int, str]]]:
        """(id, customer_id) of those whom no exclusion took, `size` at a time."""
        query = select(candidate.c.n, candidate.c.id, candidate.c.customer_id).where(candidate.c.reason.is_(None))
        for rows in self._pages(query, size):
            yield [(id_, key) for _, id_, key in rows]

    def _pages(self, query: Any, size: int) -> Iterator[Sequence[Row[*tuple[Any, ...]]]]:
        last = 0
        while True:
            page = query.where(candidate.c.n > last).order_by(candidate.c.n).limit(size)
            with self.connection.begin():
                rows = self.connection.execute(page).all()
            if not rows:
                return
            yield rows
            last = rows[-1].n


@contextmanager
def audience(database: Database, resolved: Resolved, as_of: AsOf, *, round_id: int | None = None) -> Iterator[Audience]:
    """Match a campaign's segment and exclude, in the order of the funnel.

    Args:
        round_id: the running round; None while planning the first or the next one.
    """
    with database.scratch() as connection:
        with connection.begin():
            candidate.create(connection)
            earlier = _earlier(connection, resolved, round_id)
            connection.execute(_matched(resolved, as_of, round_id, earlier, connection.dialect.name))
            _exclude_same_address(connection)
            _exclude_capped(connection, resolved, as_of)
        yield Audience(connection)


def matching(resolved: Resolved, as_of: AsOf, dialect: str) -> ColumnElement[bool]:
    """The campaign's segment as a predicate over `customer`; everybody where none is named."""
    name = resolved.campaign.segment
    if name is None:
        return visible(as_of)
    return and_(visible(as_of), predicate(resolved.segments[name].where, resolved.segments, as_of, dialect))


def channel_of(resolved: Resolved) -> str:
    """The campaign's one channel."""
    channel = resolved.campaign.channel
    return channel if isinstance(channel, str) else channel[0]


def _earlier(connection: Connection, resolved: Resolved, round_id: int | None) -> ColumnElement[bool]:
    """The entries of the rounds over which a customer may enter once; false where there are none to look through."""
    if resolved.campaign.enter == "once":
        among: ColumnElement[bool] = entry.c.round_id.in_(select(round_.c.id).where(round_.c.campaign == resolved.name))
    else:
        among = false() if round_id is None else entry.c.round_id == round_id
    return among if connection.execute(select(exists(select(entry.c.arm).where(among)))).scalar() else false()


def _matched(resolved: Resolved, as_of: AsOf, round_id: int | None, earlier: ColumnElement[bool], dialect: str) -> Any:
    channel = channel_of(resolved)
    address = customer.c.email if channel == "email" else customer.c.phone
    address_hash = customer.c.email_hash if channel == "email" else customer.c.phone_hash
    in_round = exists(select(entry.c.arm).where(entry.c.round_id == round_id, entry.c.customer_id == customer.c.id))
    entered = in_round if round_id is not None else false()
    reasons: list[tuple[ColumnElement[bool], Reason]] = [
        (address_hash.is_(None), Reason.NO_ADDRESS),
        (_suppressed(channel, address_hash), Reason.SUPPRESSED),
        (not_(_allowed(resolved.campaign.only_to, address)), Reason.NOT_ALLOWED_HERE),
        (_entered_before(resolved, earlier), Reason.ENTERED_BEFORE),
        (_inbox_taken(earlier, address_hash), Reason.SAME_ADDRESS),
    ]
    if resolved.campaign.purpose == "marketing":
        reasons.insert(1, (customer.c[f"{channel}_consent"].is_distinct_from(True), Reason.NO_CONSENT))
    reason = case(*[(holds, literal(why.value)) for holds, why in reasons], else_=None)
    found = (
        select(
            customer.c.id,
            customer.c.customer_id,
            customer.c.timezone,
            customer.c.person_salt,
            address_hash,
            entered,
            reason,
        )
        .where(matching(resolved, as_of, dialect))
        .order_by(customer.c.id)
    )
    columns = ["id", "customer_id", "timezone", "person_salt", "address_hash", "entered", "reason"]
    return insert(candidate).from_select(columns, found)


def _allowed(patterns: list[str] | None, address: ColumnElement[Any]) -> ColumnElement[bool]:
    if patterns is None:
        return true()
    return or_(false(), *[func.lower(address).like(_like(pattern), escape="\\") for pattern in patterns])


def _like(pattern: str) -> str:
    escaped = pattern.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return escaped.replace("*", "%")


def may_reach(patterns: Sequence[str] | None, address: str) -> bool:
    """Whether `only_to` lets an address be messaged, as the audience decides it."""
    if patterns is None:
        return True
    spelt = [re.escape(pattern.lower()).replace(r"\*", ".*") for pattern in patterns]
    return any(re.fullmatch(pattern, address.lower(), re.DOTALL) for pattern in spelt)


def _suppressed(channel: str, address_hash: ColumnElement[Any]) -> ColumnElement[bool]:
    return exists(
        select(suppression.c.channel).where(
            suppression.c.channel == channel, suppression.c.address_hash == address_hash
        )
    )


def _entered_before(resolved: Resolved, earlier: ColumnElement[bool]) -> ColumnElement[bool]:
    if resolved.campaign.enter == "each_wave":
        return false()
    return exists(select(entry.c.arm).where(entry.c.customer_id == customer.c.id, earlier))


def _inbox_taken(earlier: ColumnElement[bool], address_hash: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether another customer has entered with the same address: it stays with that one."""
    other = customer.alias()
    same = and_(other.c[address_hash.name] == address_hash, other.c.id != customer.c.id)
    return exists(select(entry.c.arm).join(other, other.c.id == entry.c.customer_id).where(same, earlier))


def _exclude_same_address(connection: Connection) -> None:
    """Of several customers with one address the first by `customer_id` is taken."""
    first = candidate.alias()
    shared = (
        select(candidate.c.address_hash)
        .where(candidate.c.reason.is_(None))
        .group_by(candidate.c.address_hash)
        .having(func.count() > 1)
    )
    firsts = (
        select(func.min(first.c.customer_id).label("customer_id"), first.c.address_hash)
        .where(first.c.reason.is_(None), first.c.address_hash.in_(shared))
        .group_by(first.c.address_hash)
        .subquery()
    )
    later = select(candidate.c.n).join(firsts, firsts.c.address_hash == candidate.c.address_hash)
    later = later.where(candidate.c.reason.is_(None), candidate.c.customer_id != firsts.c.customer_id)
    connection.execute(update(candidate).where(candidate.c.n.in_(later)).values(reason=Reason.SAME_ADDRESS.value))


def _exclude_capped(connection: Connection, resolved: Resolved, as_of: AsOf) -> None:
    channel = channel_of(resolved)
    caps = [cap for cap in resolved.campaign.frequency_cap or [] if cap.channel in (None, channel)]
    if caps:
        reached = or_(*[_messages_within(cap, as_of) >= cap.at_most for cap in caps])
        connection.execute(
            update(candidate).where(candidate.c.reason.is_(None), reached).values(reason=Reason.FREQUENCY_CAP.value)
        )


def _messages_within(cap: FrequencyCap, as_of: AsOf) -> ColumnElement[int]:
    sent = (
        select(func.count())
        .select_from(message.join(wave, wave.c.id == message.c.wave_id).outerjoin(call, call.c.id == message.c.call_id))
        .where(
            message.c.customer_id == candidate.c.id,
            message.c.state.in_(_PENDING),
            func.coalesce(call.c.sent_at, message.c.not_before) > as_of.at - cap.per.delta,
        )
    )
    if cap.channel is not None:
        sent = sent.where(wave.c.channel == cap.channel)
    return sent.scalar_subquery()


def events_used(resolved: Resolved) -> frozenset[str]:
    """Names of the events that decide who is in the campaign's segment."""
    from engine.declare import walk
    from engine.declare.spec import Did, DidNot, Rfm

    used: set[str] = set()
    for segment in resolved.segments.values():
        for _, condition in walk.conditions(segment.where, ()):
            match condition:
                case Did():
                    used.update(filter(None, (condition.did, condition.followed_by, condition.not_followed_by)))
                case DidNot():
                    used.add(condition.did_not)
                case Rfm():
                    used.add(PURCHASE)
                case _:
                    pass
    return frozenset(used)
