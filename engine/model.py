"""The vocabulary as frozen values and enums: one word, one meaning."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum


class RoundState(StrEnum):
    """`draft → awaiting_approval → open → settling → decided`; `open|settling → stopped`."""

    DRAFT = "draft"
    AWAITING_APPROVAL = "awaiting_approval"
    OPEN = "open"
    SETTLING = "settling"
    """No more waves; windows mature, then one day for late data."""
    DECIDED = "decided"
    STOPPED = "stopped"


class WaveState(StrEnum):
    """`due → freezing → frozen → sending → done`; `due → missed`; any before done `→ cancelled`."""

    DUE = "due"
    FREEZING = "freezing"
    FROZEN = "frozen"
    SENDING = "sending"
    DONE = "done"
    MISSED = "missed"
    CANCELLED = "cancelled"


class BatchState(StrEnum):
    """`open ⇄ leased → done`."""

    OPEN = "open"
    LEASED = "leased"
    DONE = "done"


class MessageState(StrEnum):
    """`planned → claimed → accepted | rejected | uncertain`; `planned → skipped`."""

    PLANNED = "planned"
    CLAIMED = "claimed"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNCERTAIN = "uncertain"
    SKIPPED = "skipped"


class Reason(StrEnum):
    """Why a matched customer was not assigned, or a planned message not sent; in the order in which it is asked."""

    NO_ADDRESS = "no_address"
    NO_CONSENT = "no_consent"
    SUPPRESSED = "suppressed"
    NOT_ALLOWED_HERE = "not_allowed_here"
    """`only_to` names who may be messaged at all."""
    ENTERED_BEFORE = "entered_before"
    """`enter: once` or `each_round`: already in the campaign or the round."""
    SAME_ADDRESS = "same_address"
    FREQUENCY_CAP = "frequency_cap"
    GLOBAL_HOLDOUT = "global_holdout"
    QUIET_HOURS = "quiet_hours"
    EXPIRED = "expired"
    MISSED = "missed"
    """`if_missed`: the moment passed while nothing ran."""
    STOPPED = "stopped"
    RENDERING_FAILED = "rendering_failed"


REASON_TEXT: dict[Reason, str] = {
    Reason.NO_ADDRESS: "no usable address for the channel",
    Reason.NO_CONSENT: "no consent for the channel",
    Reason.SUPPRESSED: "on the suppression list",
    Reason.NOT_ALLOWED_HERE: "not among only_to",
    Reason.SAME_ADDRESS: "another customer with the same address was taken",
    Reason.FREQUENCY_CAP: "frequency cap reached",
    Reason.GLOBAL_HOLDOUT: "in the global holdout",
    Reason.ENTERED_BEFORE: "entered earlier",
    Reason.QUIET_HOURS: "quiet hours",
    Reason.EXPIRED: "expired before it could be sent",
    Reason.MISSED: "its moment was missed",
    Reason.STOPPED: "the round was stopped",
    Reason.RENDERING_FAILED: "the template could not be rendered for this customer",
}


class Fate(StrEnum):
    """What became of an accepted message; it only rises, whatever order events come in."""

    DELIVERED = "delivered"
    BOUNCED = "bounced"
    COMPLAINED = "complained"


class ArmRole(StrEnum):
    """A holdout is messaged nothing; a treatment is a messaged arm that is not the comparison."""

    CONTROL = "control"
    TREATMENT = "treatment"
    HOLDOUT = "holdout"


class Decision(StrEnum):
    """How a round (or one treatment) is judged."""

    SHIP = "ship"
    KEEP_CONTROL = "keep_control"
    INCONCLUSIVE = "inconclusive"
    HARMFUL = "harmful"
    INVALID = "invalid"
    KEEP_RUNNING = "keep_running"


HOLDOUT = "holdout"
"""The reserved name of the arm that is messaged nothing."""


@dataclass(frozen=True, kw_only=True)
class Arm:
    """A variant with its share inside one round; the holdout is an arm too."""

    name: str
    share: float
    """0–1 of all assigned customers; a round's shares add up to 1."""
    role: ArmRole

    @property
    def messaged(self) -> bool:
        return self.role is not ArmRole.HOLDOUT


@dataclass(frozen=True, kw_only=True)
class AsOf:
    """What may be seen: what occurred before `at` and was recorded by `known_at`.

    Live, both are the clock. In pretended time `at` is the pretended instant and
    `known_at` stays the clock, because history is usually imported later than it happened.
    """

    at: datetime
    known_at: datetime

    @classmethod
    def live(cls, now: datetime) -> AsOf:
        return cls(at=now, known_at=now)


def instant(text: str) -> datetime:
    """Parse an ISO 8601 time with an offset (or `Z`) into an aware UTC instant.

    Raises:
        ValueError: the text is no time, or has no offset.
    """
    value = datetime.fromisoformat(text)
    if value.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone; write for example {text}Z")
    return value.astimezone(UTC)
