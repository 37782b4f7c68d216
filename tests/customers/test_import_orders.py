"""Orders: lines that come again are the same lines, and every order is one purchase whatever files it came in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from import_cases import NOW, bring, contents, customers, rejected, rows

from engine.errors import FixYourData, Refused
from engine.store.database import Database
from engine.store.tables import event, order_line

HEAD = "order_id,customer_id,ordered_at,amount,quantity,currency,margin,product_id,category\n"
AT = "2025-06-01T10:00:00Z"
T = datetime(2025, 6, 1, 10, tzinfo=UTC)


def purchases(database: Database) -> list[tuple[Any, ...]]:
    return rows(database, event, "event_id", "name", "occurred_at", "value", "properties")


def test_an_order_is_one_purchase_with_the_sums_of_its_lines(database: Database) -> None:
    report = bring(
        database,
        "orders",
        HEAD + f"A,c1,2025-06-01T10:05:00Z,20,1,EUR,8.1,p2,shoes\nA,c1,{AT},10.1,2,EUR,4.2,p1,socks\n",
    )
    assert (report.new, report.unknown_customers) == (2, 1)
    assert purchases(database) == [
        ("A", "purchase", T, 30.1, {"lines": 2, "margin": 12.3, "currency": "EUR", "category": "shoes"})
    ]
    assert rows(database, event, "source", "recorded_at") == [("orders", NOW)]
    assert rows(database, order_line, "order_id", "line", "amount", "quantity") == [("A", 1, 20, 1), ("A", 2, 10.1, 2)]


def test_lines_of_an_order_may_be_far_apart_in_the_file(database: Database) -> None:
    others = "".join(f"o{n},c2,{AT},1,1,,,,\n" for n in range(12_000))
    bring(database, "orders", HEAD + f"A,c1,{AT},5,1,,,p1,\n" + others + f"A,c1,{AT},7,1,,,p2,\n")
    assert [row for row in purchases(database) if row[0] == "A"] == [("A", "purchase", T, 12, {"lines": 2})]


@pytest.mark.parametrize(
    ("second", "value", "counts"),
    [
        pytest.param(f"A,c1,{AT},10,1,,,p1,\n", 10, (0, 0, 1), id="the-same-line-again"),
        pytest.param(f"A,c1,{AT},5,1,,,p2,\n", 15, (1, 0, 0), id="another-product"),
        pytest.param(f"A,c1,{AT},12,1,,,p1,\n", 12, (0, 1, 0), id="a-corrected-amount"),
        pytest.param("A,c1,2025-06-02T10:00:00Z,10,1,,,p1,\n", 20, (1, 0, 0), id="the-product-once-more-later"),
        pytest.param(
            f"A,c1,{AT},10,1,,,p1,\nA,c1,{AT},10,1,,,p1,\n", 20, (1, 0, 1), id="the-whole-order-with-one-more"
        ),
    ],
)
def test_a_later_file_adds_to_an_order(
    database: Database, second: str, value: float, counts: tuple[int, int, int]
) -> None:
    bring(database, "orders", HEAD + f"A,c1,{AT},10,1,,,p1,\n")
    report = bring(database, "orders", HEAD + second)
    assert [row[3] for row in purchases(database)] == [value]
    assert (report.new, report.changed, report.unchanged) == counts


def test_lines_without_a_product_are_told_apart_by_their_amount(database: Database) -> None:
    head = "order_id,customer_id,ordered_at,amount\n"
    bring(database, "orders", head + f"A,c1,{AT},10\nA,c1,{AT},10\n")
    report = bring(database, "orders", head + f"A,c1,{AT},5\nA,c1,{AT},10\n")
    assert [row[3] for row in purchases(database)] == [25]
    assert (report.new, report.unchanged) == (1, 1)


def test_whatever_files_the_lines_come_in_the_store_is_the_same(database: Database) -> None:
    lines = [f"o{n % 7},c{n % 7},{AT},{n + 1},{1 if n % 3 else -1},EUR,{n / 8},p{n},c{n % 2}\n" for n in range(40)]
    lines = [line.replace(f",{n + 1},-1,", f",-{n + 1},-1,") for n, line in enumerate(lines)]
    for part in (lines[:15], lines[10:25], lines[20:]):
        bring(database, "orders", HEAD + "".join(part))
    parts = contents(database)
    assert len(parts["order_line"]) == 40
    report = bring(database, "orders", HEAD + "".join(lines))
    assert report.unchanged == 40
    assert contents(database) == parts


def test_a_return_is_an_event_of_its_own_at_each_time_something_went_back(database: Database) -> None:
    bring(
        database,
        "orders",
        HEAD + f"A,c1,{AT},30,3,EUR,9,p1,shoes\n"
        "A,c1,2025-06-05T10:00:00Z,-10,-1,EUR,-3,p1,shoes\n"
        "A,c1,2025-06-09T10:00:00Z,10,-1,EUR,3,p1,shoes\n",
    )
    later = [(T + timedelta(days=days), 10, 3) for days in (4, 8)]
    returned = [row for row in purchases(database) if row[1] == "returned"]
    assert [(at, value, properties["margin"]) for _, _, at, value, properties in returned] == later
    assert [value for _, name, _, value, _ in purchases(database) if name == "purchase"] == [30]


def test_a_return_is_the_same_with_its_price_above_or_below_zero(database: Database) -> None:
    bring(database, "orders", HEAD + f"A,c1,{AT},-10,-1,EUR,,p1,\nA,c1,{AT},5,-1,EUR,,p2,\n")
    assert [row[1:4] for row in purchases(database)] == [("returned", T, 15)]


def test_an_order_that_only_goes_back_is_no_purchase(database: Database) -> None:
    bring(database, "orders", HEAD + f"C1,c1,{AT},-10,-1,,,p1,\n")
    assert [row[1:4] for row in purchases(database)] == [("returned", T, 10)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (f",c1,{AT},1,1,,,,", "order_id is missing"),
        (f"A,,{AT},1,1,,,,", "customer_id is missing"),
        ("A,c1,,1,1,,,,", "ordered_at is missing"),
        (f"A,c1,{AT},,1,,,,", "amount is missing"),
        (f"A,c1,{AT},12 EUR,1,,,,", "amount is no number; write for example 1234.56"),
        (f"A,c1,{AT},NaN,1,,,,", "amount is no number; write for example 1234.56"),
        (f"A,c1,{AT},-inf,1,,,,", "amount is no number; write for example 1234.56"),
        (f"A,c1,{AT},1e300,1,,,,", "amount is no number; write for example 1234.56"),
        (f"A,c1,{AT},-1,1,,,,", "amount is negative and quantity is not; a return has both negative"),
        (f"A,c1,{AT},-1,,,,,", "amount is negative and quantity is not; a return has both negative"),
        (f"A,c1,{AT},1,0,,,,", "quantity is 0"),
        (f"A,c1,{AT},1,1,Euro,,,", "currency is no code of three letters such as EUR (ISO 4217)"),
        (f"A,c1,{AT},1,1,,x,,", "margin is no number; write for example 1234.56"),
        (f"A,c1,{AT},1", "the row has 4 fields where the header has 9"),
        (f"A,c1,{AT},1,1,,,,,", "the row has 10 fields where the header has 9"),
    ],
)
def test_a_line_that_cannot_be_right_is_rejected(database: Database, line: str, reason: str) -> None:
    bring(database, "orders", HEAD + f"good,c1,{AT},1,1,,,,\n{line}\n", max_rejects=0.5)
    assert [row[0] for row in purchases(database)] == ["good"]
    assert rejected() == [(3, reason, line)]


def test_a_line_of_another_customer_or_currency_is_rejected(database: Database) -> None:
    lines = [f"A,c1,{AT},1,1,EUR,,p1,", f"A,c2,{AT},2,1,EUR,,p2,", f"A,c1,{AT},3,1,USD,,p3,", f"A,c1,{AT},4,1,EUR,,p4,"]
    report = bring(database, "orders", HEAD + "\n".join(lines) + "\n", max_rejects=0.5)
    assert rejected() == [
        (3, "an earlier line of this order names another customer", lines[1]),
        (4, "an earlier line of this order has another currency", lines[2]),
    ]
    assert [row[3] for row in purchases(database)] == [5]
    assert (report.rows, report.accepted, report.rejected) == (4, 2, 2)


def test_an_order_stays_with_its_customer(database: Database) -> None:
    bring(database, "orders", HEAD + f"A,c1,{AT},1,1,,,p1,\n")
    before = contents(database)
    report = bring(database, "orders", HEAD + f"A,c2,{AT},9,1,,,p1,\n")
    assert report.conflicts == 1
    assert contents(database)["order_line"] == before["order_line"]
    assert contents(database)["event"] == before["event"]


def test_a_currency_can_be_given_for_lines_that_name_none(database: Database) -> None:
    bring(database, "orders", HEAD + f"A,c1,{AT},1,1,,,,\nB,c1,{AT},1,1,usd,,,\n", currency="EUR")
    assert rows(database, order_line, "order_id", "currency") == [("A", "EUR"), ("B", "USD")]


def test_columns_without_a_place_are_named(database: Database) -> None:
    report = bring(database, "orders", f"order_id,customer_id,ordered_at,amount,Country\nA,c1,{AT},1,UK\n")
    assert report.dropped == ("Country",)


def test_a_customer_known_by_orders_only_keeps_a_row(database: Database) -> None:
    bring(database, "orders", HEAD + f"A,c1,{AT},1,1,,,,\n")
    assert customers(database) == {"c1": {}}
    report = bring(database, "customers", "customer_id,city\nc1,Bonn\n")
    assert (report.new, report.changed) == (0, 1)
    assert customers(database) == {"c1": {"city": "Bonn"}}


def test_purchases_come_from_orders_or_from_events_but_not_from_both(database: Database) -> None:
    bring(database, "events", f"customer_id,name,occurred_at,value\nc1,purchase,{AT},5\n", source="shop")
    with pytest.raises(Refused, match=r"purchases were imported as events \(file.csv\)"):
        bring(database, "orders", HEAD + f"A,c1,{AT},1,1,,,,\n")


def test_a_purchase_in_an_events_file_is_rejected_once_orders_are_imported(database: Database) -> None:
    bring(database, "orders", HEAD + f"A,c1,{AT},1,1,,,,\n")
    visit, purchase = f"c1,visit,{AT}", f"c1,purchase,{AT}"
    bring(database, "events", f"customer_id,name,occurred_at\n{visit}\n{purchase}\n", max_rejects=0.5)
    assert rejected() == [(3, "purchases come from the imported orders; here they would count twice", purchase)]
    assert [row[1] for row in purchases(database)] == ["purchase", "visit"]
    with pytest.raises(FixYourData, match=r"2 of 2 rows \(100.0%\) are not usable"):
        bring(database, "events", f"customer_id,name,occurred_at\n{purchase}\n{purchase}\n")
