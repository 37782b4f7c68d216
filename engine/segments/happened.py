"""Conditions on events: what a customer did, how often, in which order, before a time.

A condition sees the events in [at − within, at) (all before `at` where nothing is said) that
were recorded by `known_at`. One of the same instant counts as following, as data of whole
days cannot say more, unless it has the same name.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, not_, select, true

from engine.declare.quantities import Duration
from engine.declare.spec import Did, DidNot, Where
from engine.facts.events import of_customer, seen
from engine.segments.compare import Bool, Comparison
from engine.segments.values import properties_hold
from engine.store.tables import MICROSECOND, customer, event


def holds(condition: Did | DidNot, comparison: Comparison) -> Bool:
    """True where the customer did it so often, or did not do it at all."""
    return _did(condition, comparison) if isinstance(condition, Did) else _did_not(condition, comparison)


def _did(condition: Did, comparison: Comparison) -> Bool:
    """At least `at_least` (default 1, or 0 with `at_most: 0`) and at most `at_most` such events.

    `not_followed_by` and `followed_by` leave the events after which no, or some, such event was seen.
    `after_gap` leaves those before which nothing of their kind happened for so long, though
    something did before that: the first one of a return.
    """
    row = event.alias()
    filters = [_shape(row, condition.did, condition.within, condition.where, comparison)]
    if condition.not_followed_by is not None:
        filters.append(not_(_follows(row, condition.did, condition.not_followed_by, comparison)))
    if condition.followed_by is not None:
        filters.append(_follows(row, condition.did, condition.followed_by, comparison))
    if condition.after_gap is not None:
        filters.append(_after_gap(row, condition, condition.after_gap, comparison))
    found = select(row.c.id).where(of_customer(row), *filters).correlate(customer)
    at_least = condition.at_least if condition.at_least is not None else 0 if condition.at_most == 0 else 1
    return times(found, at_least=at_least, at_most=condition.at_most)


def _did_not(condition: DidNot, comparison: Comparison) -> Bool:
    """No such event."""
    row = event.alias()
    shape = _shape(row, condition.did_not, condition.within, condition.where, comparison)
    return not_(select(row.c.id).where(of_customer(row), shape).correlate(customer).exists())


def times(found: Select[Any], *, at_least: int, at_most: int | None) -> Bool:
    """True where a select that is correlated with the customer finds so many rows; it reads no more than it must."""
    parts = [_reaches(found, at_least)] if at_least > 0 else []
    if at_most is not None:
        parts.append(not_(_reaches(found, at_most + 1)))
    return and_(true(), *parts)


def _reaches(found: Select[Any], n: int) -> Bool:
    if n == 1:
        return found.exists()
    return found.limit(1).offset(n - 1).scalar_subquery().is_not(None)


def _shape(
    row: FromClause, name: str, within: Duration | None, where: Where | None, comparison: Comparison
) -> ColumnElement[bool]:
    window = within.delta if within is not None else None
    return and_(*seen(row, name, comparison.as_of, within=window), *properties_hold(where, row, comparison))


def _follows(row: FromClause, name: str, follower: str, comparison: Comparison) -> Bool:
    # A condition's `within` needs no test here: what it lets in happened so shortly before `at`
    # that anything seen since lies within it too.
    later = event.alias()
    since = later.c.occurred_at > row.c.occurred_at if follower == name else later.c.occurred_at >= row.c.occurred_at
    found = select(later.c.id).where(of_customer(later), *seen(later, follower, comparison.as_of), since)
    return found.correlate(customer, row).exists()


def _after_gap(row: FromClause, condition: Did, gap: Duration, comparison: Comparison) -> Bool:
    before, between = event.alias(), event.alias()
    length = gap.delta // MICROSECOND
    quiet_since = row.c.occurred_at - length
    earlier, recent = (
        select(other.c.id)
        .where(of_customer(other), _shape(other, condition.did, None, condition.where, comparison), bounds)
        .correlate(customer, row)
        .exists()
        for other, bounds in (
            (before, before.c.occurred_at <= quiet_since),
            (between, and_(between.c.occurred_at > quiet_since, between.c.occurred_at < row.c.occurred_at)),
        )
    )
    return and_(earlier, not_(recent))
