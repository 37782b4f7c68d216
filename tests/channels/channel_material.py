"""Messages for tests of channels, and every channel of this release."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.channels.base import Channel, Outgoing
from engine.channels.discard import Discard
from engine.channels.outbox import Outbox
from engine.declare.spec import EmailSender, SmsSender

NOW = datetime(2026, 3, 3, 10, 0, tzinfo=UTC)
EMAIL = EmailSender.model_validate({"from": "Bücher & Co <hello@mail.example.com>", "reply_to": "care@example.com"})
SMS = SmsSender.model_validate({"from": "+4915550000000"})
CHANNELS: dict[str, Callable[[Path], Channel]] = {"outbox": Outbox, "discard": lambda _: Discard()}
"""Every provider passes the contract in `test_channel_contract.py`; a new one is added here."""

MAIL = {
    "links": ["https://shop.example"],
    "subject": ["Hello ", "r0", "!"],
    "html": ["<p>Hello ", "t0", ' <a href="', "c0", '">look</a></p>'],
    "text": ["Hello ", "s0", "\n\nlook <", "c0", ">\n"],
}
TEXT = {"links": [], "text": ["Hello ", "r0", ": ", "u"]}


class Addresses:
    """The links of one message."""

    def __init__(self, message_id: int) -> None:
        self._message_id = message_id

    def address(self, ref: str) -> str:
        return f"https://mail.example.com/{ref}/{self._message_id}"


def mail(message_id: int, *, to: str = "ann@example.org", name: str = "Ann", **fields: Any) -> Outgoing:
    """A mail; `fields` replace those of the message."""
    return Outgoing(
        **{
            "message_id": message_id,
            "channel": "email",
            "campaign": "winback",
            "to": to,
            "sender": EMAIL,
            "skeleton": json.dumps(MAIL),
            "values": json.dumps([name]),
            "links": Addresses(message_id),
        }
        | fields
    )


def sms(message_id: int, *, to: str = "+4915112345678", name: str = "Ann") -> Outgoing:
    """An SMS."""
    return mail(message_id, to=to, name=name, channel="sms", sender=SMS, skeleton=json.dumps(TEXT))
