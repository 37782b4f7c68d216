"""A condition stays one expression: inside larger statements, on the index, refused in words where it must be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import TypeAdapter
from segment_world import AS_OF, AT, DAY, KNOWN_AT, Entry, Event, people, store
from sqlalchemy import ColumnElement, Connection, case, insert, or_, select, text

from engine.declare.spec import Condition, Segment
from engine.errors import FixYourYaml, NotSupportedYet
from engine.segments.compile import predicate, segment_query
from engine.store.database import Database, open_database
from engine.store.tables import customer, global_holdout

_PARSER: TypeAdapter[Condition] = TypeAdapter(Condition)

SEGMENTS = {
    "buyers": Segment.model_validate({"where": {"did": "purchase", "where": {"category": {"exists": "true"}}}}),
    "best": Segment.model_validate({"where": {"rfm": "monetary_score", "at_least": "4"}}),
    "both": Segment.model_validate({"where": {"all": [{"in_segment": "buyers"}, {"in_segment": "best"}]}}),
}
RULES: list[Any] = [
    {"in_segment": "both"},
    {"in_campaign": "spring", "state": "accepted"},
    {"did": "ticket_opened", "not_followed_by": "ticket_closed"},
    {"did": "purchase", "after_gap": "7 days"},
    {"rfm": "recency", "at_most": "7 days"},
    {"rfm": "score", "at_least": "12"},
    {"rfm": "monetary", "at_least": "20"},
    {"did_not": "viewed_product", "within": "30 days"},
    {"attribute": "tier", "is": "gold"},
]


def _compiled(written: Any, dialect: str) -> ColumnElement[bool]:
    return predicate(_PARSER.validate_python(written), SEGMENTS, AS_OF, dialect)


def _ids(connection: Connection, written: Any) -> set[int]:
    inside = _compiled(written, connection.dialect.name)
    return set(connection.execute(select(customer.c.id).where(inside)).scalars())


def _everything(database: Database) -> list[set[int]]:
    with database.read() as connection:
        return [_ids(connection, rule) for rule in RULES]


def test_many_conditions_stand_in_one_insert(database: Database) -> None:
    """All conditions, twice each, in one INSERT … SELECT: no name in it clashes with another's."""
    store(database, people(11, 80))
    dialect, found = database.engine.dialect.name, _everything(database)
    first = case(*[(_compiled(rule, dialect), str(number)) for number, rule in enumerate(RULES)])
    matched = select(first, customer.c.id).where(or_(*[_compiled(rule, dialect) for rule in RULES]))
    with database.write() as connection:
        connection.execute(insert(global_holdout).from_select(["period", "customer_id"], matched))
        rows = connection.execute(select(global_holdout.c.customer_id, global_holdout.c.period)).all()
    expected = {id_: str(number) for number in reversed(range(len(RULES))) for id_ in found[number]}
    assert {row.customer_id: row.period for row in rows} == expected
    assert all(found)


@pytest.mark.parametrize("rule", [rule for rule in RULES if "attribute" not in rule], ids=str)
def test_nothing_later_is_seen(database: Database, rule: Any) -> None:
    """Events at or after `at`, rows recorded after `known_at` and later entries change no answer."""
    before, after = people(12, 60), people(12, 60)
    store(database, before)
    with database.read() as connection:
        known = _ids(connection, rule)
    for person in after:
        person.events += [
            Event(name, occurred, recorded, 99.0, {"category": "gold"}, machine)
            for name in ("purchase", "returned", "viewed_product", "ticket_opened", "ticket_closed")
            for occurred, recorded, machine in (
                (AT, AT, False),
                (AT - DAY, KNOWN_AT + DAY, False),
                (AT - DAY, AT, True),
            )
        ]
        if not person.entries:
            person.entries.append(Entry("spring", "control", AT, None, None, "accepted"))
    with database.write() as connection:
        for table in ("event", "entry", "message", "wave", "round", "blob", "customer"):
            connection.execute(text(f'DELETE FROM "{table}"'))
    store(database, after)
    with database.read() as connection:
        assert _ids(connection, rule) == known


@pytest.mark.parametrize(
    "rule",
    [
        {"did": "purchase", "at_least": "3", "within": "30 days"},
        {"did_not": "purchase"},
        {"did": "ticket_opened", "not_followed_by": "ticket_closed"},
        {"did": "purchase", "after_gap": "30 days"},
        {"rfm": "recency", "at_most": "7 days"},
        {"rfm": "frequency", "at_least": "3"},
        {"rfm": "monetary", "at_least": "20"},
    ],
    ids=str,
)
def test_events_are_found_on_the_index(sqlite_template: Any, rule: Any) -> None:
    """Each subquery searches the one index of events by name and customer; none reads the table through."""
    database = open_database(f"sqlite:///{sqlite_template}")
    query = select(customer.c.id).where(_compiled(rule, "sqlite"))
    compiled = query.compile(dialect=database.engine.dialect, compile_kwargs={"literal_binds": True})
    with database.read() as connection:
        steps = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}")]
    on_events = [step for step in steps if step.startswith(("SEARCH event", "SCAN event"))]
    assert on_events
    assert all("INDEX ix_event_of_customer" in step and "(name=? AND customer_id=?" in step for step in on_events)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        pytest.param({"in_segment": "nobody"}, "there is no segment 'nobody'", id="unknown-segment"),
        pytest.param({"in_segment": "a"}, "segment 'a' contains itself: a → b → a", id="cycle"),
        pytest.param(
            {"rfm": "recency", "at_least": "30"},
            'rfm recency: "30" is not understood here; write for example "7 days"',
            id="recency-without-unit",
        ),
        pytest.param(
            {"rfm": "frequency", "at_least": "7 days"},
            'rfm frequency: "7 days" is not understood here; write for example "3"',
            id="frequency-with-unit",
        ),
        pytest.param(
            {"rfm": "monetary", "at_least": "much"},
            'rfm monetary: "much" is not understood here; write for example "20 EUR"',
            id="monetary-in-words",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(written: Any, message: str) -> None:
    """A rule that the checks let through all the same is refused in plain words."""
    segments = {
        "a": Segment.model_validate({"where": {"in_segment": "b"}}),
        "b": Segment.model_validate({"where": {"any": [{"in_segment": "a"}]}}),
    }
    with pytest.raises(FixYourYaml) as raised:
        predicate(_PARSER.validate_python(written), segments, AS_OF, "sqlite")
    assert str(raised.value) == message


@pytest.mark.parametrize(
    "written",
    [
        {"decile": "monetary", "at_most": "1"},
        {"lifecycle": "stage", "is": "dormant"},
        {"clv": "predicted", "at_least": "100 EUR"},
        {"engagement": "score", "at_least": "3"},
        {"affinity": "brand", "is": "x"},
        {"loyalty": "tier", "in": ["gold"]},
        {"answered": "nps", "at_most": "6"},
        {"lookalike": "buyers"},
        {"sample": "10 %"},
    ],
    ids=lambda written: next(iter(written)),
)
def test_conditions_of_later_releases_are_refused(written: Any) -> None:
    """What this release cannot do is said, never ignored."""
    kind = next(iter(written))
    with pytest.raises(NotSupportedYet, match=f"^not supported yet: the condition `{kind}`$"):
        predicate(_PARSER.validate_python(written), {}, AS_OF, "sqlite")


def test_a_segment_query_is_one_statement_about_customers(database: Database) -> None:
    """`segment_query` gives ids, and goes by the time that it was asked for."""
    population = people(13, 80)
    store(database, population)
    dialect = database.engine.dialect.name
    with database.read() as connection:
        now, early = (
            set(connection.execute(segment_query("buyers", SEGMENTS, as_of, dialect)).scalars())
            for as_of in (AS_OF, replace(AS_OF, at=AT - 3650 * DAY))
        )
    assert now
    assert not early
