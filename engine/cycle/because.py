"""Why a round was decided so: sentences with the numbers that decided."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.cycle.health import Check
from engine.cycle.results import Result, value_of
from engine.cycle.rule import Rule
from engine.cycle.ruling import Row, Ruling
from engine.model import Decision
from engine.stats.power import growth
from engine.stats.proportions import SPARSE

_TOO_MANY = 1e8
"""More customers an arm than this are no advice."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the sentences are about."""

    rule: Rule
    critical: float
    health: tuple[Check, ...]
    rulings: tuple[Ruling, ...]
    finished: int
    """Customers whose window of the primary metric has closed …"""
    assigned: int
    """… and all customers of the round."""


def reasons(told: Told, decision: Decision, winner: str | None) -> tuple[str, ...]:
    """Why the round got this verdict, the winner first."""
    if decision is Decision.INVALID:
        failed = [check.detail for check in told.health if check.status == "fail"]
        return ("The data cannot be trusted, so no effect is judged.", *map(_sentence, failed))
    first = [ruling for ruling in told.rulings if ruling.treatment == winner]
    rest = [ruling for ruling in told.rulings if ruling.treatment != winner]
    lines = [line for ruling in (*first, *rest) for line in _of(told, ruling)]
    if decision is Decision.KEEP_RUNNING:
        return (*_waiting(told), *lines)
    return (*lines, *_other_winners(rest, winner))


def _waiting(told: Told) -> Iterator[str]:
    yield f"The rule “{told.rule.method}” tests once, when every window has closed; this look is earlier."
    yield f"{told.finished:,} of {told.assigned:,} customers have finished the window of {told.rule.metric}."


def estimate_note(told: Told, decision: Decision, winner: str | None) -> str | None:
    """What a reader of the estimates must know."""
    if decision is Decision.KEEP_RUNNING:
        return "Numbers before the final look decide nothing; acting on them finds effects that are not there."
    ruling = next((ruling for ruling in told.rulings if ruling.treatment == winner), None)
    if ruling and ruling.standing.low_in_unit < told.rule.minimum.value:
        return f"The effect may be below the minimum of {told.rule.minimum.text}."
    return None


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _other_winners(rest: Sequence[Ruling], winner: str | None) -> Iterator[str]:
    others = ", ".join(f"“{ruling.treatment}”" for ruling in rest if ruling.decision is Decision.SHIP)
    if winner and others:
        yield f"“{winner}” has the largest estimate; it is not proven better than the other winners: {others}."


def _of(told: Told, ruling: Ruling) -> Iterator[str]:
    """One treatment: what was measured, and what follows by which row of the table."""
    if ruling.row is Row.NOT_FINAL:
        return
    yield _measured(told, ruling.result)
    if ruling.row is Row.UNSETTLED:
        yield from _unsettled(told, ruling)
    elif ruling.row in _FOLLOWS:
        reached = told.rule.ship_if == "at_least_minimum_effect"
        yield _FOLLOWS[ruling.row].format(
            treatment=ruling.treatment,
            minimum=told.rule.minimum.text,
            side=f"at or beyond {told.rule.minimum.text}" if reached else "on the side that was hoped for",
            breached=_guardrails(ruling, "breached"),
            undecided=_guardrails(ruling, "undecided"),
        )


_FOLLOWS = {
    Row.BREACHED: "“{treatment}” breached a guardrail ({breached}): it is harmful, whatever else it brings.",
    Row.PAUSED: "“{treatment}” breached a guardrail ({breached}): it is paused until a person decides.",
    Row.PAUSED_TO_THE_END: "“{treatment}” breached a guardrail ({breached}) and nobody resolved it.",
    Row.HARMFUL: "All of the interval lies on the wrong side of zero: “{treatment}” does the opposite of the claim.",
    Row.SHIP: "All of the interval lies {side}.",
    Row.SHIP_WARNED: "All of the interval lies {side}. Not shown to be safe, which the rule lets pass: {undecided}.",
    Row.GUARDRAIL_OPEN: "The effect is proven, but not yet that it is safe for {undecided}.",
    Row.GUARDRAIL_NEVER_SAFE: "The effect is proven, but not that it is safe for {undecided}, so it is not shipped.",
    Row.REFUTED: "Even the most hopeful end of the interval is below the minimum of {minimum}: the claim is refuted.",
}


def _guardrails(ruling: Ruling, state: str) -> str:
    return ", ".join(guardrail.metric for guardrail in ruling.standing.guardrails if guardrail.state == state)


def _measured(told: Told, result: Result) -> str:
    if result.comparison is None:
        return f"{result.metric} of “{result.treatment}” cannot be judged because {result.unjudged}."
    treated, compared = value_of(result.treated), value_of(result.compared)
    assert treated is not None
    assert compared is not None
    numbers = _Numbers.of(result)
    return (
        f"{result.metric} was {numbers.value(treated)} in “{result.treatment}” and {numbers.value(compared)} "
        f"in “{result.control}”: {_effect(told, result, numbers)}."
    )


def _effect(told: Told, result: Result, numbers: _Numbers) -> str:
    assert result.comparison is not None
    difference, lift = result.comparison.difference, result.comparison.lift
    assert difference.estimate is not None
    parts = [f"{100 * (1 - told.rule.alpha):.4g} % interval {numbers.span(difference.low, difference.high)}"]
    if told.rule.minimum.relative and lift.estimate is not None:
        bounds = "unbounded" if lift.unbounded else _percent_span(lift.low, lift.high)
        parts.append(f"a lift of {_signed(lift.estimate * 100, 1)} %, {bounds}")
    parts.append(_probability(told, result))
    return f"{numbers.change(difference.estimate)} ({'; '.join(parts)})"


def _percent_span(low: float | None, high: float | None) -> str:
    return f"{_signed(100 * (low or 0.0), 1)} % to {_signed(100 * (high or 0.0), 1)} %"


def _probability(told: Told, result: Result) -> str:
    p_value = 1.0 if result.adjusted_p_value is None else result.adjusted_p_value
    text = "p < 0.0001" if p_value < 0.0001 else f"p = {p_value:.4f}"
    several = len(told.rulings)
    return f"{text}, allowing for {several} treatments" if several > 1 else text


def _unsettled(told: Told, ruling: Ruling) -> Iterator[str]:
    standing, minimum = ruling.standing, told.rule.minimum.text
    proven = standing.crossed and standing.low > 0
    if proven:
        yield f"There is an effect, but whether it reaches the minimum of {minimum} is open."
    elif standing.low > 0:
        yield "The interval leaves out zero, but with so few in an arm the exact test decides, and it finds no proof."
    else:
        yield f"The data fit no effect as well as one of {minimum} or more."
    yield _sample(told, ruling)


def _sample(told: Told, ruling: Ruling) -> str:
    """How many customers would settle it."""
    result, factor = ruling.result, _growth(told, ruling)
    if result.treated.n * factor > _TOO_MANY:
        return "No number of customers within reach would settle it: the effect lies where the decision turns."
    treated, compared = (_about(sums.n * factor) for sums in (result.treated, result.compared))
    return (
        f"If the effect stays as measured, about {treated:,} customers in “{result.treatment}” and {compared:,} "
        f"in “{result.control}” would settle it (now {result.treated.n:,} and {result.compared.n:,})."
    )


def _growth(told: Told, ruling: Ruling) -> float:
    """The smaller of what it takes to prove an effect and to refute the minimum; for advice only."""
    rule, standing = told.rule, ruling.standing
    minimum = rule.minimum.value * (abs(value_of(ruling.result.compared) or 0.0) if rule.minimum.relative else 1.0)
    target = minimum if rule.ship_if == "at_least_minimum_effect" else 0.0
    prove = growth(
        reach=standing.estimate - standing.low,
        distance=standing.estimate - target,
        critical=told.critical,
        power=rule.power,
    )
    refute = growth(
        reach=standing.high - standing.estimate,
        distance=minimum - standing.estimate,
        critical=told.critical,
        power=rule.power,
    )
    return max(min(prove, refute), SPARSE / ruling.result.expected)


def _about(customers: float) -> int:
    """Rounded up to two digits: a plan, not a measurement."""
    step = int(10 ** max(0, math.floor(math.log10(max(1.0, customers))) - 1))
    return math.ceil(customers / step) * step


@dataclass(frozen=True, kw_only=True)
class _Numbers:
    """Writes a metric's values with as many digits as its interval deserves."""

    rate: bool
    decimals: int

    @classmethod
    def of(cls, result: Result) -> _Numbers:
        rate = result.kind == "conversion"
        assert result.comparison is not None
        difference = result.comparison.difference
        width = ((difference.high or 0.0) - (difference.low or 0.0)) * (100 if rate else 1)
        decimals = 1 - math.floor(math.log10(width)) if width > 0 else 2
        return cls(rate=rate, decimals=min(8, max(0, decimals)))

    def value(self, value: float) -> str:
        return f"{value * 100:,.{self.decimals}f} %" if self.rate else f"{value:,.{self.decimals}f}"

    def change(self, change: float) -> str:
        return f"{_signed(change * 100, self.decimals)} pp" if self.rate else _signed(change, self.decimals)

    def span(self, low: float | None, high: float | None) -> str:
        return f"{self.change(low or 0.0)} to {self.change(high or 0.0)}"


def _signed(value: float, decimals: int) -> str:
    """With its sign; what rounds to zero has none."""
    text = f"{value:+,.{decimals}f}"
    return text[1:] if float(text.replace(",", "")) == 0 else text.replace("-", "−")
