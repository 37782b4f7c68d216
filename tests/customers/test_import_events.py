"""Events: one row for each id of a source, whatever files it came in."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from import_cases import NOW, bring, contents, customers, rejected, rows, written

from engine.errors import FixYourData
from engine.store.database import Database
from engine.store.tables import event

HEAD = "event_id,customer_id,name,occurred_at,value,page\n"
AT = "2025-06-01T10:00:00Z"
T = datetime(2025, 6, 1, 10, tzinfo=UTC)


def test_columns_are_taken_and_others_become_properties(database: Database) -> None:
    report = bring(
        database,
        "events",
        "event_id,customer_id,name,occurred_at,value,category,product_id,stars,code,empty\n"
        f"e1,c1,viewed_product,{AT},9.5,shoes,42,4.5,007,\ne2,c1,visit,{AT},,,,,,\n",
        source="shop",
    )
    assert rows(database, event, "event_id", "name", "occurred_at", "value", "properties", "source", "recorded_at") == [
        (
            "e1",
            "viewed_product",
            T,
            9.5,
            {"category": "shoes", "product_id": 42, "stars": 4.5, "code": "007"},
            "shop",
            NOW,
        ),
        ("e2", "visit", T, None, None, "shop", NOW),
    ]
    assert (report.new, report.unknown_customers, report.names) == (2, 1, ("viewed_product", "visit"))
    assert customers(database) == {"c1": {}}


def test_json_lines_keep_the_form_of_their_properties(database: Database) -> None:
    file = written(
        '{"event_id": 7, "customer_id": "c1", "name": "visit", "occurred_at": "2025-06-01T12:00:00+02:00", "value": 3, '
        '"tags": ["a", 1], "cart": {"n": 2}, "vip": true, "code": "007", "none": null, "text": "5"}\n',
        "e.jsonl",
    )
    bring(database, "events", file)
    assert rows(database, event, "event_id", "occurred_at", "value", "properties") == [
        ("7", T, 3, {"tags": ["a", 1], "cart": {"n": 2}, "vip": True, "code": "007", "text": "5"})
    ]


def test_the_same_event_again_is_skipped(database: Database) -> None:
    report = bring(database, "events", HEAD + f"e1,c1,visit,{AT},1,a\ne1,c1,visit,{AT},1,a\n")
    assert (report.rows, report.duplicates, report.new, report.rejected) == (2, 1, 1, 0)
    report = bring(database, "events", HEAD + f"e2,c1,visit,{AT},1,a\ne1,c1,visit,{AT},1,a\n")
    assert (report.new, report.unchanged, report.conflicts) == (1, 1, 0)


def test_another_event_under_an_id_of_the_file_is_rejected(database: Database) -> None:
    lines = [f"e1,c1,visit,{AT},1,a", f"e2,c1,visit,{AT},1,a", f"e1,c2,visit,{AT},1,a", f"e1,c1,visit,{AT},1,b"]
    bring(database, "events", HEAD + "\n".join(lines) + "\n", max_rejects=0.5)
    reason = "an earlier row has this event_id for another event"
    assert rejected() == [(4, reason, lines[2]), (5, reason, lines[3])]
    assert rows(database, event, "event_id", "properties") == [("e1", {"page": "a"}), ("e2", {"page": "a"})]


def test_another_event_under_an_id_of_the_store_is_left_out_and_counted(database: Database) -> None:
    bring(database, "events", HEAD + f"e1,c1,visit,{AT},1,a\n")
    report = bring(database, "events", HEAD + f"e1,c1,visit,{AT},2,a\ne2,c1,visit,{AT},,\n")
    assert (report.new, report.unchanged, report.conflicts) == (1, 0, 1)
    assert rows(database, event, "event_id", "value") == [("e1", 1), ("e2", None)]


def test_ids_of_two_sources_do_not_meet(database: Database) -> None:
    for name in ("shop", "app"):
        bring(database, "events", HEAD + f"e1,c1,visit,{AT},1,a\n", source=name)
    assert rows(database, event, "source", "event_id") == [("app", "e1"), ("shop", "e1")]


def test_an_event_without_an_id_is_known_by_its_content(database: Database) -> None:
    first = bring(database, "events", f"customer_id,name,occurred_at,b,a\nc1,visit,{AT},1,x\nc2,visit,{AT},1,x\n")
    second = bring(
        database,
        "events",
        f"a,b,occurred_at,name,customer_id\nx,1,2025-06-01T12:00:00+02:00,visit,c1\ny,1,{AT},visit,c1\n",
    )
    assert (first.new, second.new, second.unchanged) == (2, 1, 1)
    assert list(first.notes) == ["event_id is missing; the event's content stands in for it"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (f"e,,visit,{AT},1,", "customer_id is missing"),
        (f"e,c1,,{AT},1,", "name is missing"),
        ("e,c1,visit,,1,", "occurred_at is missing"),
        (
            "e,c1,visit,2025-02-30T10:00:00Z,1,",
            "occurred_at is no time that can be read; write for example 2026-01-31T10:00:00Z",
        ),
        ("e,c1,visit,2026-01-16T12:00:01Z,1,", "occurred_at lies in the future"),
        ("e,c1,visit,2099-01-01,1,", "occurred_at lies in the future"),
        ("e,c1,visit,0001-01-01T00:00:00Z,1,", "occurred_at lies before 1900"),
        (
            "e,c1,visit,2025-06-01 10:00,1,",
            "occurred_at has no time zone; write for example 2026-01-31T10:00:00Z, or say --timezone Europe/Berlin",
        ),
        (f'e,c1,visit,{AT},"1,5",', "value is no number; write for example 1234.56"),
        (f"e,c1,visit,{AT},inf,", "value is no number; write for example 1234.56"),
        (f"{'e' * 201},c1,visit,{AT},1,", "event_id is longer than 200 characters"),
        (f"e,c1,{'v' * 201},{AT},1,", "name is longer than 200 characters"),
    ],
)
def test_a_row_that_cannot_be_right_is_rejected(database: Database, line: str, reason: str) -> None:
    bring(database, "events", HEAD + f"good,c1,visit,{AT},1,\n{line}\n", max_rejects=0.5)
    assert rows(database, event, "event_id") == [("good",)]
    assert rejected() == [(3, reason, line)]


def test_the_name_of_the_orders_source_is_taken(database: Database) -> None:
    with pytest.raises(FixYourData, match="the source 'orders' is kept for imported orders"):
        bring(database, "events", HEAD, source="orders")


@pytest.mark.parametrize(
    "text", ["2025-06-01 12:00:00", "2025-06-01T12:00:00", "2025-06-01T12:00", "2025-06-01T10:00Z"]
)
def test_a_zone_can_be_given_for_times_without_one(database: Database, text: str) -> None:
    bring(database, "events", f"customer_id,name,occurred_at\nc1,visit,{text}\n", timezone="Europe/Berlin")
    assert rows(database, event, "occurred_at") == [(T,)]


def test_a_time_that_the_clocks_left_out_is_rejected(database: Database) -> None:
    file = "customer_id,name,occurred_at\nc1,visit,2025-03-30 02:30:00\nc1,visit,2025-03-30 03:30:00\n"
    bring(database, "events", file, timezone="Europe/Berlin", max_rejects=0.5)
    assert rows(database, event, "occurred_at") == [(datetime(2025, 3, 30, 1, 30, tzinfo=UTC),)]


def test_a_day_without_a_time_is_its_midnight(database: Database) -> None:
    bring(database, "events", "customer_id,name,occurred_at\nc1,visit,2025-06-01\nc2,visit,20250602\n")
    assert rows(database, event, "occurred_at") == [
        (datetime(2025, 6, 1, tzinfo=UTC),),
        (datetime(2025, 6, 2, tzinfo=UTC),),
    ]


def test_many_events_in_any_order_arrive_as_they_are(database: Database) -> None:
    lines = [f"e{n},c{n * 7919 % 501},{'abc'[n % 3]},{AT},{n % 17},p{n % 5}" for n in range(30_000)]
    report = bring(database, "events", HEAD + "\n".join(lines) + "\n")
    assert (report.new, report.unknown_customers) == (30_000, 501)
    stored = contents(database)["event"]
    found = sorted(f"{row[1]},{row[2]},{row[4]},{AT},{row[7]:g},{row[8]['page']}" for row in stored)
    assert found == sorted(lines)
