"""What a condition's name refers to: a customer's column or attribute, or a property of an event."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, Column, ColumnElement, FromClause, and_, case, func, not_, or_

from engine.declare.spec import PropertyTest, Where
from engine.facts.profile import COLUMNS
from engine.facts.stored import Dialect, Stored
from engine.segments.compare import Bool, Comparison
from engine.store.tables import Instant, customer

EMAIL_DOMAIN = "email_domain"
"""A derived attribute: what follows the @ of the email address."""
AMOUNTS = frozenset({"value", "amount"})
"""Names of an event's own value; where an event has none, the property of that name."""


def customer_value(name: str, dialect: Dialect) -> Stored:
    """The column of this name, else the attribute. Columns that the engine keeps for itself have no name here."""
    if name == EMAIL_DOMAIN:
        return _text(_domain(), dialect)
    if name in COLUMNS:
        return _column(customer.c[name], dialect)
    return dialect.key(customer.c.attributes, name)


def _column(column: Column[Any], dialect: Dialect) -> Stored:
    if isinstance(column.type, Instant):
        return Stored(present=column.is_not(None), at=column)
    if isinstance(column.type, Boolean):
        truth = case((column.is_(True), "true"), (column.is_(False), "false"))
        return Stored(present=column.is_not(None), text=truth)
    return _text(column, dialect)


def _text(text: ColumnElement[str], dialect: Dialect) -> Stored:
    return Stored(present=text.is_not(None), text=text, figure=dialect.figure(text), day=dialect.day(text))


def _domain() -> ColumnElement[str]:
    email = customer.c.email
    upto_at = func.rtrim(email, func.replace(email, "@", ""))
    return case((email.contains("@"), func.substr(email, func.length(upto_at) + 1)))


def properties_hold(where: Where | None, event: FromClause, comparison: Comparison) -> list[Bool]:
    """A test of the event for each property; a plain text asks for being equal."""
    tests = {name: PropertyTest(is_=test) if isinstance(test, str) else test for name, test in (where or {}).items()}
    return [_property_holds(name, test, event, comparison) for name, test in tests.items()]


def _property_holds(name: str, test: PropertyTest, event: FromClause, comparison: Comparison) -> Bool:
    written = comparison.holds(comparison.dialect.key(event.c.properties, name), test)
    if name not in AMOUNTS:
        return written
    value, valued = event.c.value, event.c.value.is_not(None)
    own = comparison.holds(Stored(present=valued, number=value, figure=value), test)
    return or_(and_(valued, own), and_(not_(valued), written))
