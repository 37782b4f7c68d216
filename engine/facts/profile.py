"""What a template may say of a customer: columns, attributes, and facts derived as of a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, ScalarSelect, Text, and_, cast, select, type_coerce

from engine.facts.events import of_customer, seen
from engine.facts.rfm import PURCHASE
from engine.facts.stored import dialect_of
from engine.model import AsOf
from engine.store.tables import customer, event, from_micros, order_line

COLUMNS = (
    "customer_id", "email", "phone", "first_name", "last_name", "gender", "birth_date", "country", "region", "city",
    "postal_code", "language", "timezone", "signed_up_at", "email_consent", "sms_consent",
)  # fmt: skip
"""The customer's columns that conditions and templates may name."""
_SINCE = "signed_up_at"

LAST_VIEWED = "last_viewed"
LAST_ORDER = "last_order"
NAMES: frozenset[str] = frozenset(COLUMNS) | {LAST_VIEWED, LAST_ORDER}
"""The names that exist for every customer; any other is an attribute."""

VIEWED = "viewed_product"
_NO_PRODUCT: dict[str, Any] = dict.fromkeys(("name", "category", "product_id", "url"))
_LINE = {
    "name": "product_name", "product_id": "product_id", "category": "category", "brand": "brand", "taste": "taste",
    "quantity": "quantity", "amount": "amount",
}  # fmt: skip
"""What an item of an order is called, and its column."""

Profile = dict[str, Any]


def profiles(connection: Connection, ids: Sequence[int], as_of: AsOf, needs: frozenset[str]) -> dict[int, Profile]:
    """What templates may know of some customers, as plain data by our id.

    Every column is there (None where missing; `signed_up_at` an aware instant), and every
    attribute; a column or a fact wins over an attribute of its name. Facts are worked out only where
    `needs` names them, see nothing at or after `as_of.at`, and are None without an event:

    - `last_viewed`: the properties of the last `viewed_product`, with `at`, and always
      `name`, `category`, `product_id` and `url` (`name` also from a property `product_name`).
    - `last_order`: `order_id`, `at`, `amount`, `currency`, and `items`, of which each has
      `name`, `product_id`, `category`, `brand`, `taste`, `quantity` and `amount`. What was sent back
      is no item.

    Args:
        ids: our ids of up to some thousand customers; an unknown one is left out.
    """
    found = _people(connection, ids)
    for name, facts in _FACTS.items():
        if name in needs:
            known = facts(connection, list(found), as_of)
            for id_, profile in found.items():
                profile[name] = known.get(id_)
    return found


def _people(connection: Connection, ids: Sequence[int]) -> dict[int, Profile]:
    columns = [type_coerce(customer.c[name], BigInteger) if name == _SINCE else customer.c[name] for name in COLUMNS]
    found = select(customer.c.id, cast(customer.c.attributes, Text), *columns)
    rows = connection.execute(found.where(dialect_of(connection.dialect.name).among(customer.c.id, ids))).all()
    people = {}
    for row, profile in zip(rows, _documents(row[1] for row in rows), strict=True):
        profile.update(zip(COLUMNS, row[2:], strict=True))
        # Converted here: a column's own conversion costs as much as all the rest of a row.
        profile[_SINCE] = None if profile[_SINCE] is None else from_micros(profile[_SINCE])
        people[row[0]] = profile
    return people


def _documents(texts: Iterable[str | None]) -> list[dict[str, Any]]:
    """JSON objects, read as one document: a thousand small ones take three times as long."""
    documents: list[dict[str, Any]] = json.loads(f"[{','.join(text or '{}' for text in texts)}]")
    return documents


class _Event(NamedTuple):
    """The last event of a name that a customer did."""

    properties: dict[str, Any]
    event_id: str
    at: datetime
    value: float | None


def _last(connection: Connection, name: str, ids: Sequence[int], as_of: AsOf) -> dict[int, _Event]:
    last = event.alias()
    columns = (last.c.customer_id, cast(last.c.properties, Text), last.c.event_id, last.c.occurred_at, last.c.value)
    found = select(*columns).select_from(customer).join(last, last.c.id == _last_id(name, as_of))
    rows = connection.execute(found.where(dialect_of(connection.dialect.name).among(customer.c.id, ids))).all()
    known = zip(rows, _documents(row[1] for row in rows), strict=True)
    return {row[0]: _Event(properties, row[2], row[3], row[4]) for row, properties in known}


def _last_id(name: str, as_of: AsOf) -> ScalarSelect[Any]:
    row = event.alias()
    seen_last = select(row.c.id).where(of_customer(row), *seen(row, name, as_of))
    # In the order of the index, so that one row is read; of one instant the last one imported.
    ordered = seen_last.order_by(row.c.occurred_at.desc(), row.c.value.desc(), row.c.id.desc())
    return ordered.limit(1).correlate(customer).scalar_subquery()


def _last_viewed(connection: Connection, ids: Sequence[int], as_of: AsOf) -> dict[int, Profile]:
    return {id_: _viewed(last) for id_, last in _last(connection, VIEWED, ids, as_of).items()}


def _viewed(last: _Event) -> Profile:
    named = {"name": last.properties.get("product_name"), **last.properties}
    return {**_NO_PRODUCT, **named, "at": last.at}


def _last_order(connection: Connection, ids: Sequence[int], as_of: AsOf) -> dict[int, Profile]:
    orders = {id_: _order(last) for id_, last in _last(connection, PURCHASE, ids, as_of).items()}
    for line in _lines(connection, orders, as_of):
        order = orders[line[0]]
        if order["order_id"] == line[1]:
            order["items"].append(dict(zip(_LINE, line[2:], strict=True)))
    return orders


def _order(last: _Event) -> Profile:
    currency = last.properties.get("currency")
    return {"order_id": last.event_id, "at": last.at, "amount": last.value, "currency": currency, "items": []}


def _lines(connection: Connection, orders: dict[int, Profile], as_of: AsOf) -> Sequence[Any]:
    among = dialect_of(connection.dialect.name).among
    wanted = and_(
        among(order_line.c.order_id, [order["order_id"] for order in orders.values()]),
        among(order_line.c.customer_id, list(orders)),
        order_line.c.quantity > 0,
        order_line.c.recorded_at <= as_of.known_at,
    )
    columns = (order_line.c.customer_id, order_line.c.order_id, *(order_line.c[name] for name in _LINE.values()))
    return connection.execute(select(*columns).where(wanted).order_by(order_line.c.order_id, order_line.c.line)).all()


_FACTS: dict[str, Callable[[Connection, Sequence[int], AsOf], dict[int, Profile]]] = {
    LAST_VIEWED: _last_viewed,
    LAST_ORDER: _last_order,
}
