"""What templates may know of a customer, as of a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert
from sqlalchemy import event as sqlalchemy_event

from engine.facts.profile import COLUMNS, NAMES, profiles
from engine.model import AsOf
from engine.store.database import Database
from engine.store.tables import customer, event, order_line

AT = datetime(2026, 6, 15, 12, tzinfo=UTC)
DAY = timedelta(days=1)
AS_OF = AsOf(at=AT, known_at=AT + DAY)
BOTH = frozenset({"last_viewed", "last_order"})


def _add_customer(connection: Connection, id_: int, **columns: Any) -> None:
    row = {"id": id_, "customer_id": f"C{id_}", "attributes": {}, "recorded_at": AT - DAY} | columns
    connection.execute(insert(customer).values(**row))


def _add_event(connection: Connection, name: str, event_id: str, at: datetime, **columns: Any) -> None:
    row = {"source": "shop", "event_id": event_id, "customer_id": 1, "name": name, "occurred_at": at, "recorded_at": AT}
    connection.execute(insert(event).values(**row | columns))


def _add_line(connection: Connection, order_id: str, line: int, **columns: Any) -> None:
    row = {"order_id": order_id, "line": line, "customer_id": 1, "ordered_at": AT - DAY, "recorded_at": AT}
    connection.execute(insert(order_line).values(**row | {"amount": 10.0, "quantity": 1.0} | columns))


def _profile(database: Database, needs: frozenset[str] = BOTH, as_of: AsOf = AS_OF) -> dict[str, Any]:
    with database.read() as connection:
        return profiles(connection, [1], as_of, needs)[1]


def test_columns_and_attributes_are_flat(database: Database) -> None:
    """Every column is there, None where missing; attributes stand beside them; a column wins over its namesake."""
    with database.write() as connection:
        attributes = {"shoe_size": 41, "tags": ["vip"], "email": "other@example.com", "naïve": None}
        _add_customer(connection, 1, first_name="Zoë", signed_up_at=AT, email_consent=True, attributes=attributes)
    profile = _profile(database, frozenset())
    assert set(profile) == {*COLUMNS, "shoe_size", "tags", "naïve"}
    assert profile["customer_id"] == "C1"
    assert profile["first_name"] == "Zoë"
    assert profile["signed_up_at"] == AT
    assert profile["email_consent"] is True
    assert profile["sms_consent"] is None
    assert profile["email"] is None
    assert profile["shoe_size"] == 41
    assert profile["tags"] == ["vip"]


def test_facts_are_worked_out_only_where_needed(database: Database) -> None:
    """Without a need there is one statement and no fact; with one there is that fact, None without an event."""
    with database.write() as connection:
        _add_customer(connection, 1)
    statements: list[str] = []
    sqlalchemy_event.listen(
        database.engine, "before_cursor_execute", lambda c, cursor, sql, *rest: statements.append(sql)
    )
    assert not BOTH & set(_profile(database, frozenset({"first_name"})))
    assert sum("FROM" in sql for sql in statements) == 1
    assert _profile(database, frozenset({"last_viewed"}))["last_viewed"] is None
    assert _profile(database)["last_order"] is None


def test_last_viewed_is_the_last_view_before_the_time(database: Database) -> None:
    """A view at the time itself, a later import, a scanner's view and another event are not seen."""
    with database.write() as connection:
        _add_customer(connection, 1)
        _add_event(connection, "viewed_product", "1", AT - 2 * DAY, properties={"product_name": "Old"})
        _add_event(connection, "viewed_product", "2", AT - DAY, properties={"product_name": "Boot", "price": 9.5})
        _add_event(connection, "viewed_product", "3", AT, properties={"product_name": "At the time"})
        _add_event(connection, "viewed_product", "4", AT - DAY / 2, recorded_at=AT + 2 * DAY)
        _add_event(connection, "viewed_product", "5", AT - DAY / 2, machine=True)
        _add_event(connection, "added_to_cart", "6", AT - DAY / 2)
    assert _profile(database)["last_viewed"] == {
        "name": "Boot", "product_name": "Boot", "category": None, "product_id": None, "url": None, "price": 9.5,
        "at": AT - DAY,
    }  # fmt: skip
    earlier = AsOf(at=AT - DAY, known_at=AT + DAY)
    assert _profile(database, as_of=earlier)["last_viewed"]["name"] == "Old"


def test_a_property_called_name_is_the_products_name(database: Database) -> None:
    """`name` of the event's own properties goes before `product_name`; no properties at all are fine."""
    with database.write() as connection:
        _add_customer(connection, 1)
        _add_event(connection, "viewed_product", "1", AT - 2 * DAY)
        _add_event(connection, "viewed_product", "2", AT - DAY, properties={"product_name": "Long", "name": "Short"})
    assert _profile(database)["last_viewed"]["name"] == "Short"
    bare = _profile(database, as_of=AsOf(at=AT - DAY, known_at=AT))["last_viewed"]
    assert bare == {"name": None, "category": None, "product_id": None, "url": None, "at": AT - 2 * DAY}


def test_of_two_views_at_one_instant_the_last_imported_counts(database: Database) -> None:
    """The answer is the same each time."""
    with database.write() as connection:
        _add_customer(connection, 1)
        for number in ("b", "c", "a"):
            _add_event(connection, "viewed_product", number, AT - DAY, properties={"name": number})
    assert _profile(database)["last_viewed"]["name"] == "a"


def test_last_order_has_its_items(database: Database) -> None:
    """The lines of the last order, in their order, without returns, later imports and other orders' lines."""
    with database.write() as connection:
        _add_customer(connection, 1)
        _add_event(connection, "purchase", "O1", AT - 2 * DAY, value=5.0)
        _add_event(connection, "purchase", "O2", AT - DAY, value=30.0, properties={"currency": "EUR"})
        _add_line(connection, "O1", 1)
        _add_line(connection, "O2", 2, product_id="P2", product_name="Sock", quantity=2.0)
        _add_line(connection, "O2", 1, product_id="P1", product_name="Boot", category="shoes", brand="B", amount=20.0)
        _add_line(connection, "O2", 3, quantity=-1.0)
        _add_line(connection, "O2", 4, recorded_at=AT + 2 * DAY)
    order = _profile(database)["last_order"]
    assert {key: order[key] for key in ("order_id", "at", "amount", "currency")} == {
        "order_id": "O2", "at": AT - DAY, "amount": 30.0, "currency": "EUR",
    }  # fmt: skip
    assert [item["name"] for item in order["items"]] == ["Boot", "Sock"]
    assert order["items"][0] == {
        "name": "Boot", "product_id": "P1", "category": "shoes", "brand": "B", "taste": None, "quantity": 1.0,
        "amount": 20.0,
    }  # fmt: skip


def test_an_order_without_lines_has_no_items(database: Database) -> None:
    """A purchase from an events source has no lines."""
    with database.write() as connection:
        _add_customer(connection, 1)
        _add_event(connection, "purchase", "O1", AT - DAY)
    order = {"order_id": "O1", "at": AT - DAY, "amount": None, "currency": None, "items": []}
    assert _profile(database)["last_order"] == order


@pytest.mark.parametrize("size", [0, 1, 10_000])
def test_a_chunk_of_any_size_is_a_few_statements(database: Database, size: int) -> None:
    """Up to ten thousand ids at once; an unknown one is left out."""
    with database.write() as connection:
        rows = [
            {"id": id_, "customer_id": str(id_), "attributes": {"n": id_}, "recorded_at": AT} for id_ in range(size)
        ]
        if rows:
            connection.execute(insert(customer), rows)
    with database.read() as connection:
        found = profiles(connection, range(size + 5), AS_OF, BOTH)
    assert {id_: profile["n"] for id_, profile in found.items()} == {id_: id_ for id_ in range(size)}


def test_the_names_are_columns_and_facts() -> None:
    """What checks of templates go by: nothing of the engine's own is among them."""
    assert {"customer_id", "first_name", "signed_up_at", "last_viewed", "last_order"} <= NAMES
    assert not {"id", "person_salt", "email_hash", "attributes", "recorded_at"} & NAMES
