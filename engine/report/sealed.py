"""What a sealed plan says, as far as a reader is shown it.

Read leniently: a plan that an older release sealed must still open.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from engine.declare.quantities import Effect, Share
from engine.model import ArmRole
from engine.report.document import Part

_SAID_ELSEWHERE = ("metric", "compared_to", "will")


class Claim(Part):
    """The hypothesis."""

    because: str = ""
    we_believe: str | None = None
    will: Literal["increase", "decrease"] = "increase"
    metric: str
    compared_to: str
    minimum_effect: Effect
    confidence: Share = Share("95 %", 0.95)

    @property
    def sign(self) -> int:
        """+1 where more is hoped for, −1 where less is."""
        return 1 if self.will == "increase" else -1

    @property
    def minimum(self) -> float:
        """The minimum effect as a difference (or a lift) of the direction hoped for."""
        return self.sign * self.minimum_effect.value


class Counted(Part):
    """One side of a ratio."""

    event: str
    value: str | None = None


class PlannedMetric(Part):
    kind: str = "conversion"
    event: str | None = None
    value: str | None = None
    numerator: Counted | None = None
    denominator: Counted | None = None
    within: str | None = None
    between: tuple[str, str] | None = None
    cap_at: str | None = None

    @property
    def events(self) -> tuple[str, ...]:
        """The events that the metric is made of."""
        sides = (self.event, self.numerator and self.numerator.event, self.denominator and self.denominator.event)
        return tuple(dict.fromkeys(event for event in sides if event))


class PlannedSegment(Part):
    description: str | None = None


class PlannedVariant(Part):
    we_believe: str | None = None
    subject: str | dict[str, str] | None = None


class PlannedCampaign(Part):
    owner: str = ""
    purpose: str = "marketing"
    channel: str | list[str] = ""
    segment: str | None = None
    labels: tuple[str, ...] = ()
    timezone: str | None = None
    currency: str | None = None
    hypothesis: Claim | None = None
    variants: dict[str, PlannedVariant] = Field(default={})


class Resolved(Part):
    campaign: PlannedCampaign
    metrics: dict[str, PlannedMetric] = Field(default={})
    segments: dict[str, PlannedSegment] = Field(default={})


class PlannedArm(Part):
    name: str
    share: float
    role: ArmRole


class Step(Part):
    """One line of the audience funnel."""

    reason: str
    customers: int

    @model_validator(mode="before")
    @classmethod
    def _read_pair(cls, value: Any) -> Any:
        return dict(zip(("reason", "customers"), value, strict=True)) if isinstance(value, list | tuple) else value


class SealedPlan(Part):
    """The plan of one round."""

    resolved: Resolved
    arms: tuple[PlannedArm, ...] = ()
    rule: dict[str, Any] | None = None
    caps: dict[str, float] = Field(default={})
    """By metric: what a larger sum per customer counts as."""
    funnel: tuple[Step, ...] = ()
    expected_per_arm: int | None = None
    """Customers needed in the smaller arm of the primary comparison."""
    launched_by: str = ""
    git_commit: str | None = None
    software: str | None = None
    yaml_sha256: str | None = None

    @property
    def campaign(self) -> PlannedCampaign:
        return self.resolved.campaign

    @property
    def claim(self) -> Claim | None:
        return self.resolved.campaign.hypothesis

    def metric(self, name: str) -> PlannedMetric | None:
        return self.resolved.metrics.get(name)

    def settings(self) -> dict[str, str]:
        """The decision rule's settings that are not told by the claim."""
        plain = (str, int, float, bool)
        return {
            name: str(value)
            for name, value in (self.rule or {}).items()
            if isinstance(value, plain) and name not in _SAID_ELSEWHERE
        }

    def beliefs(self) -> tuple[tuple[str | None, str], ...]:
        """What is believed: of the campaign (under no name), and of each variant."""
        whole = self.claim.we_believe if self.claim else None
        each = [(name, variant.we_believe) for name, variant in self.campaign.variants.items()]
        return tuple((name, text) for name, text in [(None, whole), *each] if text)
