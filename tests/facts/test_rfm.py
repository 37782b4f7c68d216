"""Quintile scores, with numbers that can be followed by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import insert

from engine.facts.rfm import Measure, scores
from engine.facts.stored import dialect_of
from engine.model import AsOf
from engine.store.database import Database
from engine.store.tables import customer, event

AT = datetime(2026, 6, 15, tzinfo=UTC)
DAY = timedelta(days=1)


def _buy(database: Database, bought: dict[str, list[tuple[str, int, float]]]) -> None:
    """Customers by key, with (event, days ago, value) each."""
    with database.write() as connection:
        for id_, (key, events) in enumerate(bought.items(), start=1):
            connection.execute(insert(customer).values(id=id_, customer_id=key, attributes={}, recorded_at=AT))
            for number, (name, days, value) in enumerate(events):
                row = {"source": "s", "event_id": f"{id_}-{number}", "customer_id": id_, "name": name, "value": value}
                connection.execute(insert(event).values(occurred_at=AT - days * DAY, recorded_at=AT, **row))


def _scores(database: Database, *measures: Measure, within: timedelta | None = None) -> dict[int, int]:
    with database.read() as connection:
        query = scores(measures, AsOf.live(AT), within, dialect_of(connection.dialect.name))
        return {row.id: row.score for row in connection.execute(query)}


def test_the_most_recent_fifth_scores_five(database: Database) -> None:
    """Seven buyers make groups of 2, 2, 1, 1, 1 from the longest ago to the latest."""
    _buy(database, {f"C{days}": [("purchase", days, 10.0)] for days in range(7, 0, -1)})
    assert list(_scores(database, "recency").items()) == [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (6, 4), (7, 5)]


def test_equal_values_go_by_customer_id(database: Database) -> None:
    """By code point: capitals, small letters, letters with accents."""
    _buy(database, {key: [("purchase", 1, 10.0)] for key in ("é", "a", "b", "Z", "A")})
    assert _scores(database, "monetary") == {5: 1, 4: 2, 2: 3, 3: 4, 1: 5}


def test_monetary_is_net_of_returns_and_of_rounding(database: Database) -> None:
    """Three dimes and thirty cents are the same amount, and a return lowers it."""
    dime = ("purchase", 1, 0.1)
    _buy(
        database,
        {
            "d": [dime, dime, dime],
            "e": [("purchase", 1, 0.3)],
            "c": [("purchase", 1, 5.0), ("returned", 1, 4.7)],
            "b": [("purchase", 1, 5.0), ("returned", 1, 4.0)],
            "a": [("purchase", 1, 5.0)],
        },
    )
    assert _scores(database, "monetary") == {3: 1, 1: 2, 2: 3, 4: 4, 5: 5}


def test_the_score_adds_up_the_three(database: Database) -> None:
    """Two buyers fill the two lowest groups; who bought nothing in the window has no score."""
    _buy(
        database,
        {
            "a": [("purchase", 1, 9.0), ("purchase", 5, 9.0)],
            "b": [("purchase", 9, 1.0)],
            "c": [("viewed_product", 1, 1.0)],
        },
    )
    assert _scores(database, "recency", "frequency", "monetary") == {1: 6, 2: 3}
    assert _scores(database, "recency", "frequency", "monetary", within=2 * DAY) == {1: 3}
