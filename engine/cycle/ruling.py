"""The decision table (design §7): what follows from how one treatment stands.

It is read from the top; the first row that fits decides. Validity comes before guardrails,
guardrails before effect.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from engine.cycle.results import Result
from engine.model import Decision


@dataclass(frozen=True, kw_only=True)
class Guarded:
    """How one guardrail stands for one treatment."""

    metric: str
    state: Literal["safe", "undecided", "breached"]
    on_breach: Literal["stop", "pause"] = "stop"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What the decision table reads about one treatment. Effects are turned so that + is hoped for."""

    valid: bool
    final: bool
    crossed: bool = False
    """The test passes its critical value, at a look where it is made."""
    estimate: float = 0.0
    low: float = -math.inf
    high: float = math.inf
    """The difference and its interval."""
    low_in_unit: float = -math.inf
    high_in_unit: float = math.inf
    """Interval in the minimum effect's unit: of the difference, or of the lift where it is relative."""
    judged: bool = True
    """False where the numbers allow no test."""
    guardrails: tuple[Guarded, ...] = ()

    @property
    def breached(self) -> tuple[Guarded, ...]:
        return tuple(guardrail for guardrail in self.guardrails if guardrail.state == "breached")

    @property
    def undecided(self) -> bool:
        return any(guardrail.state == "undecided" for guardrail in self.guardrails)


class Row(StrEnum):
    """Rows of the decision table, top first."""

    INVALID = "invalid"
    BREACHED = "breached"
    PAUSED = "paused"
    PAUSED_TO_THE_END = "paused_to_the_end"
    HARMFUL = "harmful"
    SHIP = "ship"
    SHIP_WARNED = "ship_warned"
    GUARDRAIL_OPEN = "guardrail_open"
    GUARDRAIL_NEVER_SAFE = "guardrail_never_safe"
    NOT_FINAL = "not_final"
    REFUTED = "refuted"
    UNJUDGED = "unjudged"
    UNSETTLED = "unsettled"

    @property
    def decision(self) -> Decision:
        return _DECISIONS[self]


_DECISIONS = {
    Row.INVALID: Decision.INVALID,
    Row.BREACHED: Decision.HARMFUL,
    Row.PAUSED: Decision.KEEP_RUNNING,
    # `keep_running` exists before the end only; a breach that nobody resolved proves nothing either way.
    Row.PAUSED_TO_THE_END: Decision.INCONCLUSIVE,
    Row.HARMFUL: Decision.HARMFUL,
    Row.SHIP: Decision.SHIP,
    Row.SHIP_WARNED: Decision.SHIP,
    Row.GUARDRAIL_OPEN: Decision.KEEP_RUNNING,
    Row.GUARDRAIL_NEVER_SAFE: Decision.INCONCLUSIVE,
    Row.NOT_FINAL: Decision.KEEP_RUNNING,
    Row.REFUTED: Decision.KEEP_CONTROL,
    Row.UNJUDGED: Decision.INCONCLUSIVE,
    Row.UNSETTLED: Decision.INCONCLUSIVE,
}


def decide(
    standing: Standing,
    *,
    minimum: float,
    ship_if: Literal["significant", "at_least_minimum_effect"] = "significant",
    undecided_guardrail: Literal["block", "warn"] = "block",
) -> Row:
    """The first row of the decision table that fits one treatment.

    Args:
        minimum: the smallest effect worth having, in the unit of `low_in_unit`.
    """
    if not standing.valid:
        return Row.INVALID
    if standing.breached:
        return _breached(standing)
    if standing.crossed and standing.high < 0:
        return Row.HARMFUL
    enough = standing.low_in_unit >= minimum if ship_if == "at_least_minimum_effect" else standing.low > 0
    if standing.crossed and enough:
        return _guarded(standing, undecided_guardrail)
    return _without_proof(standing, minimum) if standing.final else Row.NOT_FINAL


def _without_proof(standing: Standing, minimum: float) -> Row:
    if not standing.judged:
        return Row.UNJUDGED
    return Row.REFUTED if standing.high_in_unit < minimum else Row.UNSETTLED


def _breached(standing: Standing) -> Row:
    if any(guardrail.on_breach == "stop" for guardrail in standing.breached):
        return Row.BREACHED
    return Row.PAUSED_TO_THE_END if standing.final else Row.PAUSED


def _guarded(standing: Standing, undecided_guardrail: Literal["block", "warn"]) -> Row:
    if not standing.undecided:
        return Row.SHIP
    if undecided_guardrail == "warn":
        return Row.SHIP_WARNED
    return Row.GUARDRAIL_NEVER_SAFE if standing.final else Row.GUARDRAIL_OPEN


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """What the table says about one treatment."""

    treatment: str
    row: Row
    standing: Standing
    result: Result

    @property
    def decision(self) -> Decision:
        return self.row.decision
