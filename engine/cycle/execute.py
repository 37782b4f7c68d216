"""Execute: lease a batch, render it, claim it, hand it over, settle the answer.

What is sent comes from the sealed plan alone. A message's content is stored with its claim, so
that it can be shown again exactly.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, select

from engine.channels.base import Channel, Outgoing, Receipt
from engine.cycle.engine import Clock, Engine
from engine.cycle.sealed_plan import SealedPlan, plan_of
from engine.cycle.sending import content_of, names_of, sender_of
from engine.cycle.timing import Timetable
from engine.declare.spec import Campaign
from engine.errors import FateUnknown, NeverRetry, TryAgainLater
from engine.facts.profile import profiles
from engine.messages.compose import Composed, Composer, RenderingFailed
from engine.messages.links import Links
from engine.model import Reason
from engine.segments.audience import may_reach
from engine.store import ledger
from engine.store.ledger import Lease, LeaseLost, Ready
from engine.store.tables import wave

LEASE = timedelta(seconds=60)
_SHORTEST_WAIT = timedelta(seconds=1)
"""A provider that asks for no wait is not called in a loop."""


def never() -> bool:
    """Of a process that nobody asks to end."""
    return False


@dataclass
class Desk:
    """What one sending process keeps of the waves it works on: compiled templates and open channels."""

    engine: Engine
    channels: Mapping[str, Channel]
    """Open channels by provider name."""
    stopped: Callable[[], bool] = never
    """Asked before every claim: whether this process is to end."""
    _names: dict[tuple[int, str], dict[str, Any]] = field(default_factory=dict)
    _plans: dict[int, SealedPlan] = field(default_factory=dict)
    _composers: dict[tuple[int, str], Composer] = field(default_factory=dict)
    _timetables: dict[int, Timetable] = field(default_factory=dict)
    _skeletons: dict[str, int] = field(default_factory=dict)
    _links: Links | None = None

    def rests(self) -> bool:
        """Whether nothing may be claimed: everything is halted, or this process is to end."""
        return self.engine.halt_file.exists() or self.stopped()

    def plan(self, round_id: int) -> SealedPlan:
        """A round's sealed plan."""
        if round_id not in self._plans:
            with self.engine.database.read() as connection:
                self._plans[round_id] = plan_of(connection, round_id)
        return self._plans[round_id]

    def composer(self, round_id: int, arm: str) -> Composer:
        """An arm's compiled templates."""
        key = (round_id, arm)
        if key not in self._composers:
            plan = self.plan(round_id)
            self._composers[key] = Composer(content_of(plan.resolved, arm), plan.templates, plan.nonce)
        return self._composers[key]

    def names(self, round_id: int, arm: str) -> dict[str, Any]:
        """What an arm's templates may name besides the customer."""
        key = (round_id, arm)
        if key not in self._names:
            self._names[key] = names_of(self.plan(round_id).resolved, arm)
        return self._names[key]

    def timetable(self, held: Lease) -> Timetable:
        """The due times of a batch's wave."""
        if held.wave_id not in self._timetables:
            plan = self.plan(held.round_id)
            with self.engine.database.read() as connection:
                slot = connection.execute(select(wave.c.slot).where(wave.c.id == held.wave_id)).scalar_one()
            self._timetables[held.wave_id] = Timetable(plan.resolved.campaign, slot, plan.zone)
        return self._timetables[held.wave_id]

    def channel(self, held: Lease) -> Channel:
        """The channel that the sealed plan names."""
        providers = self.plan(held.round_id).resolved.campaign.providers
        return self.channels[getattr(providers, held.channel) if providers else "outbox"]

    def links(self) -> Links:
        """The maker of signed links."""
        if self._links is None:
            settings = self.engine.settings
            self._links = Links(settings.public_url, settings.signing_keys(self.engine.root))
        return self._links

    def skeleton_id(self, body: str) -> int:
        """The id of a skeleton, stored once."""
        if body not in self._skeletons:
            sha256 = hashlib.sha256(body.encode()).hexdigest()
            with self.engine.database.write() as connection:
                self._skeletons[body] = ledger.skeleton_id(connection, sha256, body)
        return self._skeletons[body]


def send_next(desk: Desk, *, token: str, clock: Clock) -> bool:
    """Send the next due batch; False when nothing is due, or nothing may be claimed."""
    if desk.rests():
        return False
    with desk.engine.database.write() as connection:
        held = ledger.lease(connection, now=clock.now(), wall=clock.wall(), length=LEASE, token=token)
    if held is None:
        return False
    try:
        while not desk.rests() and _send_call(desk, held, clock):
            pass
    except LeaseLost:
        pass  # whoever ended the lease has also settled what becomes of its rows
    with desk.engine.database.write() as connection:
        ledger.release(connection, held)
    return True


def _send_call(desk: Desk, held: Lease, clock: Clock) -> bool:
    """Render, claim, call and settle one provider call; False when the batch has no more rows for now."""
    channel, now = desk.channel(held), clock.now()
    with desk.engine.database.read() as connection:
        rows = ledger.planned_rows(connection, held, now=now, limit=channel.claim_unit)
    if not rows:
        return False
    composed = _compose(desk, held, rows, now)
    ready = [
        Ready(message_id=id_, skeleton_id=desk.skeleton_id(message.skeleton), values=message.values)
        for id_, message in composed.items()
    ]
    failed = [row.id for row in rows if row.id not in composed]
    with desk.engine.database.write() as connection:
        ledger.skip(connection, failed, Reason.RENDERING_FAILED)
        call_id, claimed = ledger.claim(
            connection, held, ready, provider=channel.name, check=_last_check(desk, held, now), now=now,
            wall=clock.wall(), length=LEASE,
        )  # fmt: skip
    if desk.engine.halt_file.exists() and call_id is not None:
        with desk.engine.database.write() as connection:
            ledger.settle_not_accepted(connection, call_id, "halted before the call", retry_at=now, now=now)
    elif call_id is not None:
        outgoing = _outgoing(desk, held, [row for row in rows if row.id in claimed], composed)
        _call(desk, channel, call_id, outgoing, now)
    return True


def _compose(desk: Desk, held: Lease, rows: Sequence[Row[*tuple[Any, ...]]], now: datetime) -> dict[int, Composed]:
    """The messages of some rows; one that cannot be rendered is missing."""
    arms = {row.arm for row in rows}
    composers = {arm: desk.composer(held.round_id, arm) for arm in arms}
    needs = frozenset[str]().union(*(composer.needs for composer in composers.values()))
    seen = desk.engine.as_of(now)
    with desk.engine.database.read() as connection:
        people = profiles(connection, [row.customer_id for row in rows], seen, needs)
    names = {arm: dict(desk.names(held.round_id, arm)) for arm in arms}
    composed = {}
    for id_, customer_id, arm, _, _ in rows:
        if customer_id not in people:
            continue
        names[arm]["customer"] = people[customer_id]
        try:
            composed[id_] = composers[arm].compose(names[arm])
        except RenderingFailed:
            continue
    return composed


def _last_check(desk: Desk, held: Lease, now: datetime) -> Any:
    """What is checked once more inside the claim's transaction."""
    timetable, campaign = desk.timetable(held), desk.plan(held.round_id).resolved.campaign

    def check(row: Row[*tuple[Any, ...]]) -> ledger.Verdict:
        return _refused(campaign, row) or _late(timetable, row, now) or _quiet(timetable, row, now)

    return check


def _refused(campaign: Campaign, row: Row[*tuple[Any, ...]]) -> Reason | None:
    if row.address is None:
        return Reason.NO_ADDRESS
    if not may_reach(campaign.only_to, row.address):
        return Reason.NOT_ALLOWED_HERE
    if row.suppressed:
        return Reason.SUPPRESSED
    return Reason.NO_CONSENT if campaign.purpose == "marketing" and not row.consent else None


def _late(timetable: Timetable, row: Row[*tuple[Any, ...]], now: datetime) -> Reason | None:
    if timetable.is_expired(row.due_at, now):
        return Reason.EXPIRED
    # From not_before: whoever waited for quiet hours or for the provider was not missed.
    return Reason.MISSED if timetable.is_missed(row.not_before, now) else None


def _quiet(timetable: Timetable, row: Row[*tuple[Any, ...]], now: datetime) -> ledger.Verdict:
    until = timetable.quiet(now, row.timezone)
    return Reason.QUIET_HOURS if until is not None and timetable.may_skip else until


def _outgoing(
    desk: Desk, held: Lease, rows: Sequence[Row[*tuple[Any, ...]]], composed: Mapping[int, Composed]
) -> list[Outgoing]:
    resolved, links = desk.plan(held.round_id).resolved, desk.links()
    senders = {arm: sender_of(resolved, arm) for arm in {row.arm for row in rows}}
    marketing, by_mail = resolved.campaign.purpose == "marketing", held.channel == "email"
    return [
        Outgoing(
            message_id=id_,
            channel=held.channel,
            campaign=held.campaign,
            to=email if by_mail else phone,
            sender=senders[arm],
            skeleton=composed[id_].skeleton,
            values=composed[id_].values,
            links=links.for_message(id_),
            unsubscribable=marketing,
        )
        for id_, _, arm, email, phone in rows
    ]


def _call(desk: Desk, channel: Channel, call_id: int, outgoing: Sequence[Outgoing], now: datetime) -> None:
    """Make one provider call and settle its rows by what is proven."""
    database = desk.engine.database
    try:
        receipts = channel.send(outgoing, call_id=call_id, now=now)
    except TryAgainLater as error:
        with database.write() as connection:
            retry_at = now + max(error.wait, _SHORTEST_WAIT)
            ledger.settle_not_accepted(connection, call_id, str(error), retry_at=retry_at, now=now)
    except NeverRetry as error:
        with database.write() as connection:
            ledger.settle_rejected(connection, call_id, {item.message_id: str(error) for item in outgoing}, now)
    except FateUnknown as error:
        with database.write() as connection:
            ledger.settle_unknown(connection, call_id, str(error), now)
    else:
        with database.write() as connection:
            _settle(connection, call_id, receipts, now)
            if len(receipts) < len(outgoing):
                ledger.settle_unknown(connection, call_id, "the provider did not name every message", now)


def _settle(connection: Any, call_id: int, receipts: Sequence[Receipt], now: datetime) -> None:
    """Settle what the receipts say; of a message that none of them names nobody knows the fate."""
    refused = {receipt.message_id: receipt.reason or "refused" for receipt in receipts if not receipt.accepted}
    accepted = {receipt.message_id: receipt.provider_id for receipt in receipts if receipt.accepted}
    if refused:
        ledger.settle_rejected(connection, call_id, refused, now)
    if accepted:
        ledger.settle_accepted(connection, call_id, accepted, now)
