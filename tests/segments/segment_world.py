"""A small world of generated customers, with every awkward value that a shop's files may bring."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import insert

from engine.model import AsOf
from engine.store.database import Database, insert_many
from engine.store.tables import blob, round_, to_micros, wave

AT = datetime(2026, 6, 15, 12, tzinfo=UTC)
KNOWN_AT = datetime(2026, 6, 20, tzinfo=UTC)
AS_OF = AsOf(at=AT, known_at=KNOWN_AT)
DAY = timedelta(days=1)
MIDNIGHT = datetime(2026, 5, 16, tzinfo=UTC)

KEYS = ["tier", "points", 'a.b"]', "it's", "%s", "ключ", "", "$", "a\\b", "naïve", "emoji😀", "new\nline", "[0]", ":x"]
TEXTS = [
    "gold", "Gold", "", "true", "false", "null", "01067", "1067", "1067.0", "12.50", "-3", "--3", "5.", ".5", "1.2.3",
    "1e5", " 5", "5 ", "x" * 40, "1" * 40, "2026-05-16", "2026-05-16T10:00:00Z", "2026-13-99", "9999-12-31",
    "2026-06-15", "2008-06-15", "2008-06-16", "é", "e\u0301", "😀", "\uffff", "%", "_", "*", "?", "[a]", "]", "^", "\\",
    "a.b\"]", "'; drop table customer; --", "new\nline", "١٢", "30 days",
]  # fmt: skip
VALUES: list[Any] = [
    *TEXTS, None, True, False, 0, 1067, -3, 12.5, 0.1, 1e20, 10**400, -0.0, 5, ["gold", "5"], [], [1067], [["gold"]],
    {"gold": 1}, {},
]  # fmt: skip
NAMES = ["purchase", "returned", "viewed_product", "ticket_opened", "ticket_closed"]
CAMPAIGNS = ["spring", "autumn"]
ARMS = ["control", "deadline", "holdout"]
STATES = ["planned", "accepted", "skipped"]


@dataclass
class Event:
    name: str
    occurred_at: datetime
    recorded_at: datetime
    value: float | None
    properties: dict[str, Any] | None
    machine: bool


@dataclass
class Entry:
    campaign: str
    arm: str
    entered_at: datetime
    decision: str | None
    decided_at: datetime | None
    state: str | None


@dataclass
class Person:
    id: int
    customer_id: str
    columns: dict[str, Any]
    attributes: dict[str, Any]
    recorded_at: datetime
    events: list[Event] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)


def people(seed: int, size: int) -> list[Person]:
    """The same people for the same seed."""
    rng = np.random.default_rng(seed)
    keys = rng.permutation([f"{name}{number:04}" for number in range(size) for name in ("Ä", "a", "Z")])[:size]
    return [_person(rng, id_ + 1, str(keys[id_])) for id_ in range(size)]


def _pick(rng: np.random.Generator, values: list[Any]) -> Any:
    return values[rng.integers(len(values))]


def _person(rng: np.random.Generator, id_: int, customer_id: str) -> Person:
    day = int(rng.integers(-3, 900))
    columns = {
        "email": _pick(rng, [None, f"p{id_}@example.com", f'"a@b"{id_}@shop.example.net', f"x{id_}@EXAMPLE.org"]),
        "first_name": _pick(rng, [None, *TEXTS]),
        "country": _pick(rng, ["DE", "AT", "FI", None, ""]),
        "postal_code": _pick(rng, ["01067", "10115", "1067", "SW1A 1AA", None]),
        "birth_date": _pick(rng, ["2008-06-15", "2008-06-16", "1990-02-28", "unknown", None]),
        "signed_up_at": _pick(rng, [None, AT, AT - day * DAY, AT - 30 * DAY, AT + DAY, MIDNIGHT]),
        "email_consent": _pick(rng, [True, False, None]),
    }  # fmt: skip
    attributes = {key: _pick(rng, VALUES) for key in KEYS if rng.random() < 0.6}
    person = Person(id_, customer_id, columns, attributes, _pick(rng, [AT, KNOWN_AT, KNOWN_AT + DAY]))
    person.events = [_event(rng) for _ in range(rng.poisson(6))] if rng.random() < 0.85 else []
    person.entries = [_entry(rng, campaign) for campaign in CAMPAIGNS if rng.random() < 0.5]
    return person


def _event(rng: np.random.Generator) -> Event:
    back = _pick(rng, [0, 1, 1, 2, 5, 7, 7, 10, 14, 29, 30, 31, 60, 180, 365, 400, -1, -2])
    properties = _pick(rng, [None, {}, {key: _pick(rng, VALUES) for key in [*KEYS, "amount", "category"]}])
    return Event(
        name=_pick(rng, NAMES),
        occurred_at=AT - back * DAY + timedelta(microseconds=int(_pick(rng, [0, 0, 0, 1, -1]))),
        recorded_at=_pick(rng, [AT, AT, KNOWN_AT, KNOWN_AT + timedelta(microseconds=1)]),
        value=_pick(rng, [None, 10.0, 19.9, 0.1, 0.2, round(float(rng.uniform(1, 99)), 2)]),
        properties=properties,
        machine=bool(rng.random() < 0.1),
    )


def _entry(rng: np.random.Generator, campaign: str) -> Entry:
    decision = _pick(rng, ["ship", "keep_control"]) if campaign == "spring" else None
    return Entry(
        campaign=campaign,
        arm=_pick(rng, ARMS),
        entered_at=AT - int(_pick(rng, [0, 1, 7, 14, 60, -1])) * DAY,
        decision=decision,
        decided_at=_pick(rng, [AT, AT - DAY]) if decision else None,
        state=_pick(rng, [None, *STATES]),
    )


def store(database: Database, population: list[Person]) -> None:
    """Put the people with all that happened to them into an empty store."""
    rounds = _rounds(database, population)
    with database.write() as connection:
        insert_many(connection, _table("customer"), _CUSTOMER, [_customer_row(person) for person in population])
        insert_many(connection, _table("event"), _EVENT, _event_rows(population))
        entries = [(person, entry, rounds[_round_key(entry)]) for person in population for entry in person.entries]
        insert_many(
            connection,
            _table("entry"),
            ["round_id", "wave_id", "customer_id", "arm", "position", "entered_at"],
            [(at, at, person.id, entry.arm, 0, to_micros(entry.entered_at)) for person, entry, at in entries],
        )
        insert_many(
            connection,
            _table("message"),
            ["wave_id", "customer_id", "state", "due_at", "not_before"],
            [(at, person.id, entry.state, 0, 0) for person, entry, at in entries if entry.state],
        )


_CUSTOMER = ["id", "customer_id", "email", "first_name", "country", "postal_code", "birth_date", "signed_up_at",
             "email_consent", "attributes", "recorded_at"]  # fmt: skip
_EVENT = ["source", "event_id", "customer_id", "name", "occurred_at", "recorded_at", "value", "properties", "machine"]


def _table(name: str) -> Any:
    return blob.metadata.tables[name]


def _customer_row(person: Person) -> tuple[Any, ...]:
    columns = person.columns
    signed_up_at = columns["signed_up_at"] and to_micros(columns["signed_up_at"])
    plain = [columns[name] for name in ("email", "first_name", "country", "postal_code", "birth_date")]
    written = (signed_up_at, columns["email_consent"], json.dumps(person.attributes), to_micros(person.recorded_at))
    return (person.id, person.customer_id, *plain, *written)


def _event_rows(population: list[Person]) -> list[tuple[Any, ...]]:
    return [
        (
            "shop", f"{person.id}-{number}", person.id, event.name, to_micros(event.occurred_at),
            to_micros(event.recorded_at), event.value,
            None if event.properties is None else json.dumps(event.properties), event.machine,
        )
        for person in population
        for number, event in enumerate(person.events)
    ]  # fmt: skip


def _round_key(entry: Entry) -> tuple[Any, ...]:
    return entry.campaign, entry.decision, entry.decided_at


def _rounds(database: Database, population: list[Person]) -> dict[tuple[Any, ...], int]:
    """One decided round for each combination that occurs, with one wave of the same id."""
    keys = sorted({_round_key(entry) for person in population for entry in person.entries}, key=str)
    with database.write() as connection:
        connection.execute(insert(blob).values(sha256="0", body=b"{}"))
        for number, (campaign, decision, decided_at) in enumerate(keys, start=1):
            connection.execute(
                insert(round_).values(
                    id=number, campaign=campaign, number=number, state="decided", plan="0", salt="s", launched_by="a",
                    launched_at=AT - 90 * DAY, decision=decision, decided_at=decided_at,
                )
            )  # fmt: skip
            connection.execute(
                insert(wave).values(id=number, round_id=number, slot="s", channel="email", due_at=AT, state="done")
            )
    return {key: number for number, key in enumerate(keys, start=1)}
