"""What every channel does: it takes messages, a call at a time, and says what became of each.

A provider is one file beside this one, and one line in `PROVIDERS`. Its own words stop there: it answers in
receipts, or with one of three errors that mean the same for the whole call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from engine.channels.skeleton import Addresses, Rendered, expand
from engine.declare.spec import EmailSender, SmsSender
from engine.errors import NotSupportedYet, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message to hand over: its content as skeleton and values, and where it goes."""

    message_id: int
    channel: Literal["email", "sms"]
    campaign: str
    to: str
    """The address: a mail address, or a number in international form."""
    sender: EmailSender | SmsSender
    skeleton: str
    values: str
    links: Addresses
    unsubscribable: bool = True
    """Whether the mail's headers offer to unsubscribe; transactional mail does not."""

    def rendered(self) -> Rendered:
        """The content as the recipient gets it."""
        return expand(self.skeleton, self.values, self.links)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one message."""

    message_id: int
    accepted: bool
    provider_id: str | None = None
    """The provider's own name for the message."""
    reason: str | None = None
    """Why it was refused, in plain words and without the address."""


class Channel(Protocol):
    """A way to send. One object serves one process."""

    name: str
    """The provider, as campaigns.yaml names it."""
    claim_unit: int
    """The most messages that one call may hand over."""

    def send(self, outgoing: Sequence[Outgoing], *, call_id: int, now: datetime) -> list[Receipt]:
        """Hand messages over and say what became of each, in their order.

        Raises:
            TryAgainLater: nothing of the call was accepted; the same messages may be sent again.
            NeverRetry: nothing of the call was accepted, and nothing of it ever will be.
            FateUnknown: nobody can say what was accepted.
            ValueError: there are more messages than `claim_unit`.
        """
        ...


def open_channel(provider: str, *, folder: Path) -> Channel:
    """Open a provider's channel.

    Args:
        folder: where channels that write files write them.

    Raises:
        NotSupportedYet: the provider can be declared, and a later release sends through it.
    """
    if provider not in PROVIDERS:
        ready = " or ".join(PROVIDERS)
        raise NotSupportedYet([Problem(message=f"not supported yet: the provider {provider}", hint=f"use {ready}")])
    return PROVIDERS[provider](folder)


def check_size(channel: Channel, outgoing: Sequence[Outgoing]) -> None:
    """A call that is larger than was claimed for would send what nobody claimed."""
    if len(outgoing) > channel.claim_unit:
        raise ValueError(f"{channel.name} takes at most {channel.claim_unit} messages a call, not {len(outgoing)}")


def _outbox(folder: Path) -> Channel:
    from engine.channels.outbox import Outbox

    return Outbox(folder)


def _discard(_: Path) -> Channel:
    from engine.channels.discard import Discard

    return Discard()


PROVIDERS: dict[str, Callable[[Path], Channel]] = {"outbox": _outbox, "discard": _discard}
