"""A chunk of whole orders into the store: their lines, one purchase each, and their returns.

A line that comes again is the same line: it has the order, time and product (or, without a
product, the amount) of a stored one, and it is the first, second … of those in its file. So a
file that repeats an order changes nothing, one that corrects an amount corrects the line, and
one that brings further lines adds them.
"""

from __future__ import annotations

from engine.customers.batch import Batch

SOURCE = "orders"
"""Source of the events that orders give."""

_DETAILS = ("amount", "quantity", "currency", "margin", "product_id", "product_name", "category", "taste", "brand")
_ORDERS = "(SELECT order_id FROM chunk)"


def apply(batch: Batch) -> dict[str, int]:
    """Add or correct lines, then restate the events of their orders; returns what to count."""
    rows = batch.count("SELECT count(*) FROM chunk")
    unknown = batch.add_unknown_customers()
    before = batch.count(f"SELECT count(*) FROM order_line WHERE order_id IN {_ORDERS}")
    conflicts = _conflicts(batch) if before else 0
    touched = _lines(batch, _placed_lines() if before else _new_lines())
    new = batch.count(f"SELECT count(*) FROM order_line WHERE order_id IN {_ORDERS}") - before
    if touched:
        _purchases(batch)
        _returns(batch)
    return {
        "new": new,
        "changed": touched - new,
        "unchanged": rows - touched - conflicts,
        "conflicts": conflicts,
        "unknown_customers": unknown,
    }


_OF_ANOTHER = "EXISTS (SELECT 1 FROM order_line o WHERE o.order_id = s.order_id AND o.customer_id <> c.id)"
_MATCHED = "chunk s JOIN customer c ON c.customer_id = s.customer_id"


def _conflicts(batch: Batch) -> int:
    """Lines of an order that is stored as another customer's."""
    return batch.count(f"SELECT count(*) FROM {_MATCHED} WHERE {_OF_ANOTHER}")


def _slot(row: str) -> tuple[str, ...]:
    """What the same line has in common in every file."""
    unnamed = f"{row}.product_id IS NULL AND {row}.product_name IS NULL"
    return (
        f"{row}.order_id",
        f"{row}.ordered_at",
        f"coalesce({row}.product_id, {row}.product_name, '')",
        f"{row}.quantity < 0",
        f"CASE WHEN {unnamed} THEN {row}.amount ELSE 0 END",
    )


def _numbered(row: str, order: str) -> str:
    """The row's columns, its slot, and which of the rows of that slot it is."""
    slot = _slot(row)
    columns = ", ".join(f"{row}.{name}" for name in ("order_id", "ordered_at", *_DETAILS))
    names = ", ".join(f"{value} AS slot_{index}" for index, value in enumerate(slot))
    return f"{columns}, {names}, row_number() OVER (PARTITION BY {', '.join(slot)} ORDER BY {order}) AS nth"


def _lines(batch: Batch, placed: str) -> int:
    details = ", ".join(_DETAILS)
    given = ", ".join(f"excluded.{name}" for name in _DETAILS)
    stored = ", ".join(f"order_line.{name}" for name in _DETAILS)
    return batch.run(
        f"INSERT INTO order_line (order_id, line, customer_id, ordered_at, recorded_at, {details}) "
        f"SELECT order_id, place, person, ordered_at, :at, {details} FROM ({placed}) p WHERE true "
        f"ON CONFLICT (order_id, line) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _DETAILS)} "
        f"WHERE ({given}) {batch.words.differs} ({stored})"
    )


def _new_lines() -> str:
    """The lines of orders of which nothing is stored, numbered as they stand."""
    return (
        f"SELECT s.*, c.id AS person, row_number() OVER (PARTITION BY s.order_id ORDER BY s.n) AS place FROM {_MATCHED}"
    )


def _placed_lines() -> str:
    """Every line with the number of the stored line that it repeats, or the next free one of its order."""
    slot = ", ".join(f"slot_{index}" for index in range(len(_slot("s"))))
    # Sorted together instead of joined, because SQLite would scan a joined subselect once for every row.
    every = (
        f"SELECT o.line, NULL AS n, o.customer_id AS person, {_numbered('o', 'o.line')} "
        f"FROM order_line o WHERE o.order_id IN {_ORDERS} "
        f"UNION ALL SELECT NULL, s.n, c.id, {_numbered('s', 's.n')} FROM {_MATCHED} WHERE NOT {_OF_ANOTHER}"
    )
    paired = (
        f"SELECT *, max(line) OVER (PARTITION BY {slot}, nth) AS known, max(line) OVER (PARTITION BY order_id) AS last "
        f"FROM ({every}) every"
    )
    return (
        "SELECT *, coalesce(known, coalesce(last, 0) + row_number() OVER "
        f"(PARTITION BY order_id, known IS NULL ORDER BY n)) AS place FROM ({paired}) paired WHERE n IS NOT NULL"
    )


def _purchases(batch: Batch) -> None:
    """One purchase an order: what its lines that are no returns sum up to."""
    _events(
        batch,
        "SELECT order_id, min(customer_id) AS customer_id, min(ordered_at) AS at, min(line) AS line, "
        "count(*) AS lines, sum(amount) AS amount, sum(margin) AS margin FROM order_line "
        f"WHERE order_id IN {_ORDERS} AND quantity > 0 GROUP BY order_id",
        name="purchase",
        event_id="t.order_id",
    )


def _returns(batch: Batch) -> None:
    """One return for each time at which lines of an order went back; value and margin are what is lost by it."""
    _events(
        batch,
        "SELECT order_id, min(customer_id) AS customer_id, ordered_at AS at, min(line) AS line, count(*) AS lines, "
        "-sum(amount) AS amount, -sum(margin) AS margin FROM order_line "
        f"WHERE order_id IN {_ORDERS} AND quantity < 0 GROUP BY order_id, ordered_at",
        name="returned",
        event_id="t.order_id || ':return:' || t.at",
    )


def _events(batch: Batch, totals: str, *, name: str, event_id: str) -> None:
    words = batch.words
    properties = words.document(
        lines="t.lines", margin=words.rounded("t.margin"), currency="f.currency", category="f.category",
        brand="f.brand", taste="f.taste",
    )  # fmt: skip
    batch.run(
        "INSERT INTO event (source, event_id, customer_id, name, occurred_at, recorded_at, value, properties) "
        f"SELECT '{SOURCE}', {event_id}, t.customer_id, '{name}', t.at, :at, {words.rounded('t.amount')}, {properties} "
        f"FROM ({totals}) t JOIN order_line f ON f.order_id = t.order_id AND f.line = t.line WHERE true "
        "ON CONFLICT (source, event_id) DO UPDATE SET occurred_at = excluded.occurred_at, value = excluded.value, "
        "properties = excluded.properties WHERE (event.occurred_at, event.value, event.properties) "
        f"{words.differs} (excluded.occurred_at, excluded.value, excluded.properties)"
    )
