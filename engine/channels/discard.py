"""A channel that takes everything and keeps nothing: for measuring, and for dry runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from engine.channels.base import Outgoing, Receipt, check_size


class Discard:
    """Accepts every message without looking at it."""

    name = "discard"
    claim_unit = 1_000

    def send(  # every channel is called alike
        self,
        outgoing: Sequence[Outgoing],
        *,
        call_id: int,  # noqa: ARG002 - nothing is kept of the call
        now: datetime,  # noqa: ARG002
    ) -> list[Receipt]:
        """See `Channel.send`."""
        check_size(self, outgoing)
        return [Receipt(item.message_id, accepted=True) for item in outgoing]
