"""What a look sees: counts and sufficient statistics per arm. It is sealed, and judged from the seal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, ClassVar

from pydantic import ConfigDict, TypeAdapter

from engine.stats.means import Sums

DIGITS = 10
"""Significant digits kept: sums of floats differ beyond with the order of rows."""


def significant(value: float) -> float:
    """A number at the digits that are sealed."""
    return float(f"{value:.{DIGITS}g}")


def rounded(document: Any) -> Any:
    """A JSON document with every float at the digits that are sealed; whole numbers stay exact."""
    match document:
        case float():
            return significant(document)
        case dict():
            return {key: rounded(value) for key, value in document.items()}
        case list() | tuple():
            return [rounded(value) for value in document]
        case _:
            return document


@dataclass(frozen=True, kw_only=True)
class Reach:
    """How many customers of an arm came how far. A customer with several messages counts once in each."""

    assigned: int
    accepted: int = 0
    delivered: int = 0
    uncertain: int = 0
    """Nobody can say whether the provider took the message."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All that a look may be judged by."""

    as_of: datetime
    final: bool
    """Whether this is the round's last look: every window has closed and late data have had their day."""
    data_through: Mapping[str, datetime | None]
    """By event: up to when its data are complete; None where no source has said so."""
    arms: Mapping[str, Reach]
    """By arm, the holdout too."""
    metrics: Mapping[str, Mapping[str, Sums]]
    """By metric and arm: mature customers only, all of them, messaged or not, capped where a cap was sealed."""
    uncapped: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """By metric and arm: the sum before the cap, for display."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    def sums(self, metric: str, arm: str) -> Sums:
        """An arm's statistics; of nobody where there are none."""
        return self.metrics.get(metric, {}).get(arm, NOBODY)

    def rounded(self) -> Evidence:
        """The evidence at the digits that are sealed: judging before and after sealing gives the same."""
        return Evidence.from_json(rounded(self.to_json()))

    def to_json(self) -> dict[str, Any]:
        """The evidence as plain JSON data."""
        plain: dict[str, Any] = _adapter().dump_python(self, mode="json")
        return plain

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Evidence:
        """Read evidence back.

        Raises:
            ValueError: the document is none of ours.
            CannotBeJudged: a sum is not finite, or the sums contradict each other.
        """
        return _adapter().validate_python(document)


NOBODY = Sums(n=0, total=0.0, squares=0.0)


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[Evidence]:
    return TypeAdapter(Evidence)
