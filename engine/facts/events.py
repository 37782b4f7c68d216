"""What of the events may be seen as of a time: what the customer did before it, and the store knew by then."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, FromClause, or_

from engine.model import AsOf
from engine.store.tables import customer


def seen(event: FromClause, name: str, as_of: AsOf, *, within: timedelta | None = None) -> list[ColumnElement[bool]]:
    """The tests that leave the events of a name in [at − within, at) that were recorded by `known_at`.

    What a mail proxy or a link scanner did, the customer did not do.
    """
    tests = [
        event.c.name == name,
        event.c.occurred_at < as_of.at,
        event.c.recorded_at <= as_of.known_at,
        event.c.machine.is_(False),
    ]
    if within is not None:
        tests.append(event.c.occurred_at >= as_of.at - within)
    return tests


def of_customer(rows: FromClause) -> ColumnElement[Any]:
    """Ties rows to the customer of the statement around them."""
    return rows.c.customer_id == customer.c.id


def visible(as_of: AsOf) -> ColumnElement[bool]:
    """The customers who were there before `at` and known by `known_at`."""
    there = or_(customer.c.signed_up_at.is_(None), customer.c.signed_up_at < as_of.at)
    return there & (customer.c.recorded_at <= as_of.known_at)
