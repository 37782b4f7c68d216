"""What a template may say of a customer: columns, attributes, and facts derived as of a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, ScalarSelect, and_, select

from engine.facts.events import of_customer, seen
from engine.facts.rfm import PURCHASE
from engine.facts.stored import dialect_of
from engine.model import AsOf
from engine.store.tables import customer, event, order_line

COLUMNS = (
    "customer_id", "email", "phone", "first_name", "last_name", "gender", "birth_date", "country", "region", "city",
    "postal_code", "language", "timezone", "signed_up_at", "email_consent", "sms_consent",
)  # fmt: skip
"""The customer's columns that conditions and templates may name."""

LAST_VIEWED = "last_viewed"
LAST_ORDER = "last_order"
NAMES: frozenset[str] = frozenset(COLUMNS) | {LAST_VIEWED, LAST_ORDER}
"""The names that exist for every customer; any other is an attribute."""

VIEWED = "viewed_product"
_PRODUCT = ("name", "category", "product_id", "url")
_LINE = ("product_id", "product_name", "category", "brand", "taste", "quantity", "amount")

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
    rows = connection.execute(
        select(customer.c.id, customer.c.attributes, *(customer.c[name] for name in COLUMNS)).where(
            dialect_of(connection.dialect.name).among(customer.c.id, ids)
        )
    )
    return {id_: {**(attributes or {}), **dict(zip(COLUMNS, values, strict=True))} for id_, attributes, *values in rows}


def _last(connection: Connection, name: str, ids: Sequence[int], as_of: AsOf) -> Iterable[Row[Any]]:
    last = event.alias()
    columns = (last.c.customer_id, last.c.event_id, last.c.occurred_at, last.c.value, last.c.properties)
    found = select(*columns).select_from(customer).join(last, last.c.id == _last_id(name, as_of))
    return connection.execute(found.where(dialect_of(connection.dialect.name).among(customer.c.id, ids)))


def _last_id(name: str, as_of: AsOf) -> ScalarSelect[Any]:
    row = event.alias()
    seen_last = select(row.c.id).where(of_customer(row), *seen(row, name, as_of))
    # The key decides between two events of one instant, so that both stores name the same.
    ordered = seen_last.order_by(row.c.occurred_at.desc(), row.c.event_id.desc(), row.c.source.desc())
    return ordered.limit(1).correlate(customer).scalar_subquery()


def _last_viewed(connection: Connection, ids: Sequence[int], as_of: AsOf) -> dict[int, Profile]:
    return {row.customer_id: _viewed(row) for row in _last(connection, VIEWED, ids, as_of)}


def _viewed(row: Row[Any]) -> Profile:
    properties = row.properties or {}
    named = {"name": properties.get("product_name"), **properties}
    return {**dict.fromkeys(_PRODUCT), **named, "at": row.occurred_at}


def _last_order(connection: Connection, ids: Sequence[int], as_of: AsOf) -> dict[int, Profile]:
    orders = {row.customer_id: _order(row) for row in _last(connection, PURCHASE, ids, as_of)}
    for line in _lines(connection, orders, as_of):
        order = orders[line.customer_id]
        if line.order_id == order["order_id"]:
            order["items"].append({"name": line.product_name, **_item(line)})
    return orders


def _order(row: Row[Any]) -> Profile:
    currency = (row.properties or {}).get("currency")
    return {
        "order_id": row.event_id, "at": row.occurred_at, "amount": row.value, "currency": currency, "items": [],
    }  # fmt: skip


def _item(line: Row[Any]) -> Profile:
    return {name: getattr(line, name) for name in _LINE if name != "product_name"}


def _lines(connection: Connection, orders: dict[int, Profile], as_of: AsOf) -> Iterable[Row[Any]]:
    among = dialect_of(connection.dialect.name).among
    keys = (order_line.c.order_id, order_line.c.line, order_line.c.customer_id)
    wanted = and_(
        among(order_line.c.order_id, [order["order_id"] for order in orders.values()]),
        among(order_line.c.customer_id, list(orders)),
        order_line.c.quantity > 0,
        order_line.c.recorded_at <= as_of.known_at,
    )
    columns = (order_line.c[name] for name in _LINE)
    return connection.execute(select(*keys, *columns).where(wanted).order_by(order_line.c.order_id, order_line.c.line))


_FACTS: dict[str, Callable[[Connection, Sequence[int], AsOf], dict[int, Profile]]] = {
    LAST_VIEWED: _last_viewed,
    LAST_ORDER: _last_order,
}
