"""Conditions that nobody could meet, or that say nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from engine.declare import walk
from engine.declare.declared import Declared
from engine.declare.finding import Finding
from engine.declare.grammar import Trail
from engine.declare.quantities import Duration, Money, quoted
from engine.declare.spec import (
    Attribute,
    Condition,
    Decile,
    Did,
    Group,
    InCampaign,
    Metric,
    PropertyTest,
    Rfm,
    Threshold,
    Where,
)

_BOUNDS = ("is_", "is_not", "in_", "not_in", "at_least", "at_most", "between", "exists", "contains", "matches")
_SCORES = {"score": (3, 15), "recency_score": (1, 5), "frequency_score": (1, 5), "monetary_score": (1, 5)}


def findings(declared: Declared) -> Iterator[Finding]:
    """Empty groups, missing and impossible bounds, in segments, campaigns and metrics."""
    for trail, condition in walk.project_conditions(declared.project):
        yield from _condition(trail, condition)
    for name, metric in declared.project.metrics.items():
        yield from _metric(("metrics", name), metric)
    for name, campaign in declared.project.campaigns.items():
        trigger = campaign.schedule.trigger if campaign.schedule is not None else None
        if trigger is not None:
            yield from _where(("campaigns", name, "schedule", "trigger", "where"), trigger.where)


def _metric(trail: Trail, metric: Metric) -> Iterator[Finding]:
    yield from _where((*trail, "where"), metric.where)
    for part in ("numerator", "denominator"):
        value = getattr(metric, part)
        if value is not None:
            yield from _where((*trail, part, "where"), value.where)


def _condition(trail: Trail, condition: Condition) -> Iterator[Finding]:
    match condition:
        case Group():
            yield from _group(trail, condition)
        case Did():
            yield from _did(trail, condition)
        case Rfm():
            yield from _rfm(trail, condition)
        case Attribute():
            yield from _test(trail, condition)
        case Threshold():
            yield from _threshold(trail, condition)
    if isinstance(condition, Did | Rfm | Threshold | InCampaign):
        yield from _not_nothing((*trail, "within"), condition.within)
    yield from _where((*trail, "where"), getattr(condition, "where", None))


def _group(trail: Trail, group: Group) -> Iterator[Finding]:
    if group.all is None and group.any is None and group.none is None:
        yield Finding(trail=trail, message="this condition says nothing", hint="write all:, any: or none: with a list")
    for key in ("all", "any", "none"):
        if getattr(group, key) == []:
            yield Finding(
                trail=(*trail, key), message=f"the list under {key}: is empty", hint="add a condition or remove it"
            )


def _did(trail: Trail, did: Did) -> Iterator[Finding]:
    if did.at_least is not None and did.at_most is not None and did.at_least > did.at_most:
        yield Finding(trail=(*trail, "at_most"), message=f"{did.at_most} is less than at_least, so nobody can match")
    if did.at_least == 0:
        hint = "write did_not: for those without the event"
        yield Finding(trail=(*trail, "at_least"), message="at_least: 0 holds for everybody", hint=hint)
    if did.at_most == 0 and did.at_least is None:
        hint = f"write did_not: {did.did}"
        yield Finding(
            trail=(*trail, "at_most"), message="at most 0 times and at least once cannot both hold", hint=hint
        )


def _rfm(trail: Trail, rfm: Rfm) -> Iterator[Finding]:
    if rfm.at_least is None and rfm.at_most is None and rfm.between is None:
        hint = "add at_least:, at_most: or between:"
        yield Finding(trail=trail, message="this condition has no bound", hint=hint)
    bounds: dict[Trail, float] = {}
    for place, text in _written(trail, rfm):
        value, trouble = _rfm_value(rfm.rfm, text)
        if trouble:
            yield Finding(trail=place, message=trouble)
        else:
            bounds[place] = value
    yield from _rising(trail, bounds)


def _written(trail: Trail, condition: Rfm | Threshold | PropertyTest) -> Iterator[tuple[Trail, str]]:
    if condition.at_least is not None:
        yield (*trail, "at_least"), condition.at_least
    if condition.at_most is not None:
        yield (*trail, "at_most"), condition.at_most
    for index, text in enumerate(condition.between or ()):
        yield (*trail, "between", index), text


def _numbers(trail: Trail, condition: Threshold | PropertyTest) -> dict[Trail, float]:
    """The bounds that are numbers; others, such as dates, are left to the comparison itself."""
    read = {place: _number(text) for place, text in _written(trail, condition)}
    return {place: number for place, number in read.items() if number is not None}


def _rising(trail: Trail, bounds: dict[Trail, float]) -> Iterator[Finding]:
    pairs = (("at_least",), ("at_most",)), (("between", 0), ("between", 1))
    for low, high in pairs:
        first, last = bounds.get((*trail, *low)), bounds.get((*trail, *high))
        if first is not None and last is not None and last < first:
            yield Finding(trail=(*trail, *high), message="the upper bound is below the lower one, so nobody can match")


def _rfm_value(kind: str, text: str) -> tuple[float, str | None]:
    """The bound as a number, and what is wrong with it."""
    if kind == "recency":
        try:
            return Duration.parse(text).delta.total_seconds(), None
        except ValueError as error:
            return 0.0, str(error)
    number = _amount(text) if kind == "monetary" else _number(text)
    if number is None:
        example = {"monetary": '"100 EUR"', "frequency": "3"}.get(kind, "4")
        return 0.0, f"{quoted(text)} is no number; write for example {example}"
    low, high = _SCORES.get(kind, (0, float("inf")))
    if not low <= number <= high:
        return (
            0.0,
            f"a {kind.replace('_', ' ')} lies between {low} and {high}" if kind in _SCORES else "this is below zero",
        )
    return number, None


def _number(text: str) -> float | None:
    try:
        number = float(Decimal(text))
    except InvalidOperation:
        return None
    return number if math.isfinite(number) else None


def _amount(text: str) -> float | None:
    try:
        return float(Money.parse(text).amount)
    except ValueError:
        return _number(text)


def _threshold(trail: Trail, condition: Threshold) -> Iterator[Finding]:
    bounds = [condition.is_, condition.in_, condition.at_least, condition.at_most, condition.between]
    if all(bound is None for bound in bounds):
        hint = "add is:, in:, at_least:, at_most: or between:"
        yield Finding(trail=trail, message="this condition has no bound", hint=hint)
    numbers = _numbers(trail, condition)
    yield from _rising(trail, numbers)
    for place, _ in _written(trail, condition) if isinstance(condition, Decile) else ():
        if not 1 <= numbers.get(place, 0) <= 10:
            yield Finding(trail=place, message="a decile lies between 1 and 10")


def _where(trail: Trail, where: Where | None) -> Iterator[Finding]:
    for name, test in (where or {}).items():
        if isinstance(test, PropertyTest):
            yield from _test((*trail, name), test)


def _test(trail: Trail, test: PropertyTest) -> Iterator[Finding]:
    if all(getattr(test, bound) is None for bound in _BOUNDS):
        hint = "add a test, such as is:, in:, at_least: or exists:"
        yield Finding(trail=trail, message="this says nothing about the value", hint=hint)
    for key, listed in (("in", test.in_), ("not_in", test.not_in)):
        if listed == []:
            yield Finding(trail=(*trail, key), message=f"the list under {key}: is empty")
    yield from _rising(trail, _numbers(trail, test))


def _not_nothing(trail: Trail, duration: Duration | None) -> Iterator[Finding]:
    if duration is not None and not duration.delta:
        yield Finding(trail=trail, message="a window of no length holds nothing", hint="write for example 30 days")
