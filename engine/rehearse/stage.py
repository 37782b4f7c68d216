"""A launched round played in pretended time, on customers whose behaviour is planted.

Time stands still while something is done and then moves to the next instant at which something is
due: a night's import, a wave, a batch, the end of the last window. All mail goes to the outbox,
whatever provider is declared.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from sqlalchemy import func, select

from engine.channels.base import open_channel
from engine.customers.importing import import_file
from engine.cycle.advance import advance_all
from engine.cycle.engine import Clock, Engine
from engine.cycle.execute import Desk, send_next
from engine.cycle.launch import RUNNING
from engine.cycle.sealed_plan import plan_of
from engine.cycle.timing import freeze_at, zone
from engine.declare.spec import Campaign
from engine.model import BatchState, MessageState
from engine.rehearse.outcomes import Entrant, Outcomes, Truth, outcomes
from engine.schedule.scheduler import slots
from engine.schedule.worker import new_token, wall
from engine.store import pretended
from engine.store.tables import batch, customer, entry, lane, message, round_

_DAY = timedelta(days=1)
_HORIZON = timedelta(days=400)
_MAX_REJECTS = 0.05

Tell = Callable[[datetime, str], None]
"""Told what happened, and at which pretended instant."""


@dataclass(kw_only=True)
class Stage:
    """A round being played: the engine, the pretended clock, and what the customers do."""

    engine: Engine
    round_id: int
    truth: Truth
    seed: str
    """Of the customers' luck."""
    now: datetime
    """The pretended instant."""
    tell: Tell
    _entered: int = field(default=0, init=False)
    _outcomes: Outcomes | None = field(default=None, init=False)

    def run(self, *, imported_to: datetime) -> None:
        """Play the round to its verdict.

        Args:
            imported_to: a midnight up to which the data of the customers are complete.
        """
        while self._running():
            advance_all(self.engine, self.now)
            self._tell_entered()
            night, step = self._next_night(imported_to), self._next_step()
            event = night if step is None else min(night, step)
            self._send(before=event)
            self._move(event)
            if event == night:
                self._take_in_days(imported_to, night)
                imported_to = night

    @cached_property
    def _desk(self) -> Desk:
        outbox = open_channel("outbox", folder=self.engine.root / self.engine.settings.outbox)
        return Desk(self.engine, defaultdict(lambda: outbox))

    @cached_property
    def _campaign(self) -> Campaign:
        with self.engine.database.read() as connection:
            return plan_of(connection, self.round_id).resolved.campaign

    def _running(self) -> bool:
        with self.engine.database.read() as connection:
            state = connection.execute(select(round_.c.state).where(round_.c.id == self.round_id)).scalar_one()
        return state in RUNNING

    def _move(self, to: datetime) -> None:
        self.now = to
        with self.engine.database.write() as connection:
            pretended.move_to(connection, to)

    # --- what is due next --------------------------------------------------------------------------

    def _next_step(self) -> datetime | None:
        """When the round itself has something to do: freeze a wave, or conclude."""
        with self.engine.database.read() as connection:
            settles = connection.execute(select(round_.c.settles_at).where(round_.c.id == self.round_id)).scalar()
        coming = [settles, next(freezes(self._campaign, self.now), None)]
        return min((at for at in coming if at is not None and at > self.now), default=None)

    def _next_night(self, imported_to: datetime) -> datetime:
        """The next midnight with something to import, at the latest the one before the round's next step."""
        step, happens = self._next_step(), self._happened().first_after(imported_to)
        nights = [midnight(step)] if step is not None else []
        nights += [midnight(happens) + _DAY] if happens is not None else []
        return max(imported_to + _DAY, min(nights, default=imported_to + _DAY))

    def _send(self, *, before: datetime) -> None:
        """Send every batch that comes due before an instant, each when it is due."""
        clock, token, first = Clock(now=lambda: self.now, wall=wall), new_token(), self._accepted()
        while True:
            if send_next(self._desk, token=token, clock=clock):
                continue
            due = self._next_batch()
            if due is None or due >= before:
                break
            self.now = due
        if sent := self._accepted() - first:
            self.tell(self.now, f"sent {counted(sent, 'message')} to the outbox")

    def _next_batch(self) -> datetime | None:
        """When the next batch may be leased: when it is due and the rate allows it."""
        with self.engine.database.read() as connection:
            due = connection.execute(select(func.min(batch.c.due_at)).where(batch.c.state == BatchState.OPEN)).scalar()
            free = connection.execute(select(func.max(lane.c.next_at))).scalar()
        ready = [at for at in (due, free) if at is not None]
        return max(ready) if due is not None and max(ready) > self.now else None

    def _accepted(self) -> int:
        accepted = select(func.count()).where(message.c.state == MessageState.ACCEPTED)
        with self.engine.database.read() as connection:
            return int(connection.execute(accepted).scalar_one())

    # --- what the customers do ----------------------------------------------------------------------

    def _tell_entered(self) -> None:
        with self.engine.database.read() as connection:
            entered = connection.execute(select(func.count()).where(entry.c.round_id == self.round_id)).scalar_one()
        if entered != self._entered:
            self.tell(self.now, f"froze a wave: {counted(entered - self._entered, 'customer')} entered")
            self._entered, self._outcomes = entered, None

    def _take_in_days(self, start: datetime, end: datetime) -> None:
        """Import what the customers did between two nights."""
        happened = self._happened().between(start, end)
        orders, events = happened.write(self.engine.root / "data", f"{start:%Y-%m-%d}")
        take_in(self.engine, "orders", orders, end)
        take_in(self.engine, "events", events, end)
        if len(happened.orders):
            self.tell(end, f"imported {counted(len(happened.orders), 'order')} of these customers")

    def _happened(self) -> Outcomes:
        if self._outcomes is None:
            self._outcomes = outcomes(self._entrants(), truth=self.truth, seed=self.seed)
        return self._outcomes

    def _entrants(self) -> list[Entrant]:
        entered = (
            select(customer.c.customer_id, entry.c.arm, entry.c.entered_at)
            .join(entry, entry.c.customer_id == customer.c.id)
            .where(entry.c.round_id == self.round_id)
            .order_by(customer.c.customer_id)
        )
        with self.engine.database.read() as connection:
            return [Entrant(customer_id=key, arm=arm, entered_at=at) for key, arm, at in connection.execute(entered)]


def counted(number: int, noun: str) -> str:
    """A number with its noun: 1 order, 2 orders."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def midnight(at: datetime) -> datetime:
    """The beginning of an instant's day, in UTC."""
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def freezes(campaign: Campaign, after: datetime) -> Iterator[datetime]:
    """When a campaign's audiences are frozen after a time, in order."""
    clock = zone(None, campaign.timezone or "UTC")
    for slot in slots(campaign.schedule, clock, after=after, before=after + _HORIZON):
        at = freeze_at(campaign, slot)
        if at > after:
            yield at


def take_in(engine: Engine, kind: str, path: Path, through: datetime) -> int:
    """Import a file that is complete up to an instant; return how many rows were taken."""
    report = import_file(
        engine.database, kind, path, mapping={}, source=None, through=None if kind == "customers" else through,
        max_rejects=_MAX_REJECTS, rejects=path.with_suffix(".rejects.csv"), now=through,
    )  # fmt: skip
    return report.accepted
