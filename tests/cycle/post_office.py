"""A sending process at a pretended time, and a provider that does what it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from cycle_reading import SEND
from shop import Shop

from engine.channels.base import Outgoing, Receipt
from engine.cycle.engine import Clock
from engine.cycle.execute import Desk, send_next
from engine.errors import NeverRetry, TryAgainLater
from engine.schedule.worker import new_token

Act = Callable[[Sequence[Outgoing]], list[Receipt]]


def accept(outgoing: Sequence[Outgoing]) -> list[Receipt]:
    return [Receipt(item.message_id, accepted=True, provider_id=f"p{item.message_id}") for item in outgoing]


def fail(error: Exception) -> Act:
    def act(_: Sequence[Outgoing]) -> list[Receipt]:
        raise error

    return act


@dataclass
class Provider:
    """A channel that does what it is told, call by call, and remembers whom it was handed."""

    acts: Iterator[Act]
    name: str = "outbox"
    claim_unit: int = 10
    handed: list[int] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)
    """Messages that were or may have been sent: not those of a call that was provably refused."""

    def send(self, outgoing: Sequence[Outgoing], *, call_id: int, now: datetime) -> list[Receipt]:
        assert len(outgoing) <= self.claim_unit
        self.handed += [item.message_id for item in outgoing]
        try:
            receipts = next(self.acts, accept)(outgoing)
        except (TryAgainLater, NeverRetry):
            raise
        except BaseException:
            self.taken += [item.message_id for item in outgoing]
            raise
        self.taken += [receipt.message_id for receipt in receipts if receipt.accepted]
        return receipts


@dataclass
class Post:
    """A sending process at a pretended time."""

    shop: Shop
    provider: Provider
    now: datetime = SEND
    wall: datetime = SEND
    token: str = field(default_factory=new_token)

    def __post_init__(self) -> None:
        self.desk = Desk(self.shop.engine(self.now), {"outbox": self.provider})
        self.clock = Clock(now=lambda: self.now, wall=lambda: self.wall)

    def send(self) -> int:
        """Send all that is due; how many batches were leased."""
        return next(times for times in count() if not send_next(self.desk, token=self.token, clock=self.clock))
