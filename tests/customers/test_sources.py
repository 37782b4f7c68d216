"""High-water marks: up to when each source is complete; they rise with every file and never fall."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from import_cases import NOW, bring, rows

from engine.customers.sources import data_through, known_at
from engine.store.database import Database
from engine.store.tables import source

HEAD = "customer_id,name,occurred_at\n"


def at(day: int) -> datetime:
    return datetime(2025, 6, day, tzinfo=UTC)


def line(name: str, day: int) -> str:
    return f"c1,{name},2025-06-{day:02}T00:00:00Z\n"


def marks(database: Database) -> list[tuple[str, str, datetime]]:
    return rows(database, source, "source", "event", "through")  # type: ignore[return-value]


def test_a_file_is_complete_through_its_latest_time(database: Database) -> None:
    bring(database, "events", HEAD + line("visit", 1) + line("opened", 3), source="app")
    assert marks(database) == [("app", "opened", at(3)), ("app", "visit", at(3))]


def test_through_says_it_better(database: Database) -> None:
    report = bring(database, "events", HEAD + line("visit", 1), through=at(20))
    assert marks(database) == [("events", "visit", at(20))]
    assert report.through == "2025-06-20T00:00:00Z"


def test_what_a_source_gave_before_rises_with_it(database: Database) -> None:
    bring(database, "events", HEAD + line("visit", 1) + line("opened", 1))
    bring(database, "events", HEAD + line("visit", 5))
    assert marks(database) == [("events", "opened", at(5)), ("events", "visit", at(5))]


def test_a_quiet_week_is_a_file_without_rows(database: Database) -> None:
    bring(database, "events", HEAD + line("visit", 1))
    report = bring(database, "events", HEAD, through=at(8))
    assert (report.rows, marks(database)) == (0, [("events", "visit", at(8))])


def test_a_file_without_rows_says_nothing_of_itself(database: Database) -> None:
    report = bring(database, "events", HEAD)
    assert (report.through, marks(database)) == (None, [])


def test_an_older_file_lowers_no_mark(database: Database) -> None:
    bring(database, "events", HEAD + line("visit", 9))
    bring(database, "events", HEAD + line("visit", 2))
    assert marks(database) == [("events", "visit", at(9))]


def test_the_same_file_with_a_later_through_raises_the_mark(database: Database) -> None:
    bring(database, "events", HEAD + line("visit", 1))
    report = bring(database, "events", HEAD + line("visit", 1), through=at(4))
    assert (report.repeated, report.through) == (True, "2025-06-04T00:00:00Z")
    assert marks(database) == [("events", "visit", at(4))]


def test_a_time_ahead_of_the_clock_makes_no_file_complete_ahead_of_it(database: Database) -> None:
    bring(database, "events", HEAD + f"c1,visit,{(NOW + timedelta(hours=5)).isoformat()}\n")
    assert marks(database) == [("events", "visit", NOW)]


def test_orders_give_purchases_and_returns(database: Database) -> None:
    orders = "order_id,customer_id,ordered_at,amount\nA,c1,2025-06-01,1\n"
    bring(database, "orders", orders, through=at(2), source="till")
    assert marks(database) == [("till", "purchase", at(2)), ("till", "returned", at(2))]


def test_an_event_is_complete_through_its_slowest_source(database: Database) -> None:
    bring(database, "events", HEAD + line("visit", 9), source="app")
    bring(database, "events", HEAD + line("visit", 4) + line("opened", 4), source="web")
    with database.read() as connection:
        assert data_through(connection, "visit") == at(4)
        assert data_through(connection, "opened") == at(4)
        assert data_through(connection, "purchase") is None


def test_without_an_import_under_way_all_is_known(database: Database) -> None:
    bring(database, "events", HEAD + line("visit", 9))
    with database.read() as connection:
        assert known_at(connection, NOW) == NOW


@pytest.mark.parametrize("kind", ["customers"])
def test_customers_have_no_marks(database: Database, kind: str) -> None:
    bring(database, kind, "customer_id\nc1\n")
    assert marks(database) == []
