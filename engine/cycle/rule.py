"""The decision rule of a round: all that the verdict needs, sealed at launch before any data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, TypeAdapter

from engine.declare.spec import Campaign, Metric
from engine.model import Arm, ArmRole

MetricKind = Literal["conversion", "mean", "ratio", "quantile"]


@dataclass(frozen=True, kw_only=True)
class Minimum:
    """The smallest effect worth having."""

    value: float
    """In the metric's own unit (.01 for `1.0 pp`), or a share of the control's value where relative (.1 for `10 %`)."""
    relative: bool
    text: str
    """As it was declared."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """How a round is judged."""

    method: Literal["fixed", "group_sequential", "always_valid", "bandit"]
    metric: str
    """The primary metric; it alone decides."""
    secondary: tuple[str, ...] = ()
    kinds: Mapping[str, MetricKind]
    """Kind of the primary and of every secondary metric."""
    arms: tuple[Arm, ...]
    compared_to: str
    """Name of the arm that treatments are compared with; it may be the holdout."""
    will: Literal["increase", "decrease"]
    minimum: Minimum
    alpha: float = 0.05
    """Two-sided, over all treatments together."""
    power: float = 0.8
    ship_if: Literal["significant", "at_least_minimum_effect"] = "significant"
    undecided_guardrail: Literal["block", "warn"] = "block"
    srm_invalid: float = 0.001
    """Below this p-value of the sequential test the arms' sizes make the round invalid …"""
    srm_warn: float = 0.01
    """… and below this one they are worth a look."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    @property
    def treatments(self) -> tuple[str, ...]:
        return tuple(arm.name for arm in self.arms if arm.role is ArmRole.TREATMENT)

    @property
    def sign(self) -> int:
        """+1 where more is hoped for, −1 where less is."""
        return 1 if self.will == "increase" else -1

    def to_json(self) -> dict[str, Any]:
        """The rule as plain JSON data."""
        plain: dict[str, Any] = _adapter().dump_python(self, mode="json")
        return plain

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Rule:
        """Read a sealed rule.

        Raises:
            ValueError: the document is none of ours.
        """
        return _adapter().validate_python(document)


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[Rule]:
    return TypeAdapter(Rule)


def rule_for(campaign: Campaign, *, arms: Sequence[Arm], metrics: Mapping[str, Metric]) -> Rule | None:
    """The rule that a campaign declares; None without a hypothesis, since then nothing is judged.

    Args:
        arms: the round's arms, their shares adding up to 1.
        metrics: every metric that the campaign names.
    """
    claim = campaign.hypothesis
    if claim is None:
        return None
    effect = claim.minimum_effect
    secondary = tuple(name for name in dict.fromkeys(campaign.secondary) if name != claim.metric)
    return Rule(
        method=campaign.decide.method,
        metric=claim.metric,
        secondary=secondary,
        kinds={name: metrics[name].kind for name in (claim.metric, *secondary)},
        arms=tuple(arms),
        compared_to=claim.compared_to,
        will=claim.will,
        minimum=Minimum(value=effect.value, relative=not effect.absolute, text=effect.text),
        # 1 − .95 is not .05 in binary; the digits of a declared share are few.
        alpha=round(1 - claim.confidence.value, 12),
        power=claim.power.value,
        ship_if=campaign.decide.ship_if,
        undecided_guardrail=campaign.decide.undecided_guardrail,
    )
