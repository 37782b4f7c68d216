"""Recency, frequency and monetary value of a customer's purchases as of a time, and their quintile scores.

A customer without a purchase in the window has none of these values and no score.
Monetary is the sum of `purchase` values less the sum of `returned` values, rounded to
six decimals, because sums of floats differ with the order of rows.

Scores run from 1 to 5 (the best fifth: most recent, most often, most spent) over all
customers with a purchase in the window, as `NTILE(5)` cuts them; equal values go by
`customer_id`, by code point.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Integer, ScalarSelect, Select, Subquery, func, select

from engine.facts.events import of_customer, seen
from engine.facts.stored import Dialect
from engine.model import AsOf
from engine.store.tables import customer, event

PURCHASE = "purchase"
RETURNED = "returned"
QUINTILES = 5

Measure = Literal["recency", "frequency", "monetary"]
MEASURES: tuple[Measure, ...] = ("recency", "frequency", "monetary")


def purchases(as_of: AsOf, within: timedelta | None) -> Select[Any]:
    """The customer's purchases (their ids), correlated with `tables.customer`."""
    row = event.alias()
    return select(row.c.id).where(of_customer(row), *seen(row, PURCHASE, as_of, within=within)).correlate(customer)


def last_purchase_at(as_of: AsOf, within: timedelta | None) -> ScalarSelect[Any]:
    """When the customer bought last; null without a purchase. Correlated with `tables.customer`."""
    row = event.alias()
    latest = select(row.c.occurred_at).where(of_customer(row), *seen(row, PURCHASE, as_of, within=within))
    return latest.order_by(row.c.occurred_at.desc()).limit(1).correlate(customer).scalar_subquery()


def monetary(as_of: AsOf, within: timedelta | None, dialect: Dialect) -> ColumnElement[Any]:
    """What the customer spent, net of returns; null without a purchase. Correlated with `tables.customer`."""
    spent, returned = (_sum(name, customer.c.id, as_of, within) for name in (PURCHASE, RETURNED))
    return dialect.money(spent - func.coalesce(returned, 0.0))


def _sum(name: str, customer_id: ColumnElement[Any], as_of: AsOf, within: timedelta | None) -> ScalarSelect[Any]:
    row = event.alias()
    total = select(_total(row.c.value)).where(row.c.customer_id == customer_id, *seen(row, name, as_of, within=within))
    return total.correlate_except(row).scalar_subquery()


def _total(value: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.sum(func.coalesce(value, 0.0))


def scores(measures: tuple[Measure, ...], as_of: AsOf, within: timedelta | None, dialect: Dialect) -> Select[Any]:
    """Everybody with a purchase: columns `id` and `score`, the sum of the scores of the measures asked for.

    Correlated with nothing: the ranking is over all customers, whoever is asked about.
    """
    buyers = _buyers(measures, as_of, within, dialect)
    person = customer.alias()
    tiles = [
        func.ntile(QUINTILES, type_=Integer).over(order_by=[buyers.c[measure], person.c.customer_id])
        for measure in measures
    ]
    ranked = buyers.join(person, person.c.id == buyers.c.id)
    return select(buyers.c.id, sum(tiles[1:], start=tiles[0]).label("score")).select_from(ranked)


def _buyers(measures: tuple[Measure, ...], as_of: AsOf, within: timedelta | None, dialect: Dialect) -> Subquery:
    row = event.alias()
    facts = {
        "recency": func.max(row.c.occurred_at),
        "frequency": func.count(),
        "monetary": _total(row.c.value),
    }
    bought = (
        select(row.c.customer_id.label("id"), *(facts[measure].label(measure) for measure in measures))
        .where(*seen(row, PURCHASE, as_of, within=within))
        .group_by(row.c.customer_id)
        .subquery()
    )
    if "monetary" not in measures:
        return bought
    returned = func.coalesce(_sum(RETURNED, bought.c.id, as_of, within), 0.0)
    net = dialect.money(bought.c.monetary - returned).label("monetary")
    others = [column for column in bought.c if column.name != "monetary"]
    return select(*others, net).subquery()
