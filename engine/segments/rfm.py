"""Conditions on recency, frequency, monetary value and their scores.

A customer without a purchase in the window has no such value, so none of these tests holds.
Recency is the time since the last purchase; frequency counts purchases; monetary sums them
net of returns, in the store's currency.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, and_, select

from engine.declare.spec import Rfm
from engine.facts import rfm
from engine.facts.stored import is_true
from engine.segments.compare import Bool, Comparison
from engine.segments.happened import times
from engine.segments.literals import age_of, amount_of, count_of
from engine.store.tables import customer

T = TypeVar("T")


def holds(condition: Rfm, comparison: Comparison) -> Bool:
    """True where the value lies in the bounds.

    Raises:
        FixYourYaml: a bound is of the wrong kind, such as a bare number for recency.
    """
    within = condition.within.delta if condition.within is not None else None
    match condition.rfm:
        case "recency":
            return _recency(condition, within, comparison)
        case "frequency":
            return _frequency(condition, within, comparison)
        case "monetary":
            return _monetary(condition, within, comparison)
        case _:
            return _score(condition, within, comparison)


def bounds(condition: Rfm, read: Callable[[str, str], T]) -> tuple[list[T], list[T]]:
    """The lower and the upper bounds of a condition, read as what it is about."""
    low, high = condition.between or (None, None)
    place = f"rfm {condition.rfm}"
    lows = [read(text, place) for text in (condition.at_least, low) if text is not None]
    highs = [read(text, place) for text in (condition.at_most, high) if text is not None]
    return lows, highs


def _recency(condition: Rfm, within: timedelta | None, comparison: Comparison) -> Bool:
    lows, highs = bounds(condition, age_of)
    at, last = comparison.as_of.at, rfm.last_purchase_at(comparison.as_of, within)
    # A longer time is an earlier instant: at least 60 days is at or before at − 60 days.
    return _lies_in(last, [at - high for high in highs], [at - low for low in lows])


def _frequency(condition: Rfm, within: timedelta | None, comparison: Comparison) -> Bool:
    lows, highs = bounds(condition, count_of)
    found = rfm.purchases(comparison.as_of, within)
    return times(found, at_least=max([1, *lows]), at_most=min(highs, default=None))


def _monetary(condition: Rfm, within: timedelta | None, comparison: Comparison) -> Bool:
    lows, highs = bounds(condition, amount_of)
    number = comparison.dialect.number
    amount = rfm.monetary(comparison.as_of, within, comparison.dialect)
    return _lies_in(amount, [number(max(lows))] if lows else [], [number(min(highs))] if highs else [])


def _lies_in(value: ColumnElement[Any], lows: list[Any], highs: list[Any]) -> Bool:
    """Tests a value that is null without a purchase; by one BETWEEN where it can, as its subquery runs each time."""
    pairs = list(zip(lows, highs, strict=False))
    tests = [value.between(low, high) for low, high in pairs]
    tests += [value >= low for low in lows[len(pairs) :]] + [value <= high for high in highs[len(pairs) :]]
    return is_true(and_(*tests)) if tests else value.is_not(None)


def _score(condition: Rfm, within: timedelta | None, comparison: Comparison) -> Bool:
    measures = rfm.MEASURES if condition.rfm == "score" else (_MEASURE[condition.rfm],)
    lows, highs = bounds(condition, count_of)
    scored = rfm.scores(measures, comparison.as_of, within, comparison.dialect).subquery()
    score: ColumnElement[Any] = scored.c.score
    fits = and_(*(score >= low for low in lows), *(score <= high for high in highs), score > 0)
    return comparison.dialect.one_of(customer.c.id, select(scored.c.id).where(fits))


_MEASURE: dict[str, rfm.Measure] = {
    "recency_score": "recency",
    "frequency_score": "frequency",
    "monetary_score": "monetary",
}
