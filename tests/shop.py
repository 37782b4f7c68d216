"""A small shop for tests: a project folder, its store, and customers written straight into it."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from engine.customers.consent import address_hash
from engine.cycle.engine import Engine
from engine.cycle.launch import Launched, launch
from engine.cycle.plan import Draft, plan
from engine.cycle.validate import checked
from engine.schedule.service import run_once
from engine.schedule.worker import Project
from engine.settings import Settings
from engine.store.database import Database, insert_many
from engine.store.tables import customer, event, source, to_micros

LAUNCH = datetime(2026, 3, 2, 8, tzinfo=UTC)
"""A Monday morning."""

YAML = """\
version: 1
defaults:
  timezone: Europe/Berlin
  currency: EUR
  sender:
    email: {{from: "Shop <hello@mail.example.com>", postal_address: "Example Shop, Berlin"}}
    sms: {{from: "+4915550000000"}}
{defaults}
metrics:
  purchase_rate: {{kind: conversion, event: purchase, within: 7 days}}
  revenue: {{kind: mean, event: purchase, value: amount, within: 7 days}}
campaigns:
  spring:
    owner: anna@example.com
    purpose: marketing
    channel: email
    hypothesis:
      because: People like spring
      will: increase
      metric: purchase_rate
      compared_to: control
      minimum_effect: 1.0 pp
      baseline: 5.0 %
    secondary: [revenue]
    variants:
      control: {{subject: "Hello {{{{ customer.first_name | default('there', true) }}}}", template: plain.html}}
      offer: {{subject: "An offer", template: offer.html}}
    schedule: {{at: "2026-03-03 10:00"}}
    decide: {{method: fixed}}
{campaign}
"""

TEMPLATES = {
    "plain.html": "<p>Hello {{ customer.first_name }}</p>{% include 'footer.html' %}",
    "offer.html": "<p>{{ customer.first_name }}: <a href=\"{{ track('https://shop.example/o') }}\">look</a></p>"
    "{% include 'footer.html' %}",
    "footer.html": '<p>{{ sender.postal_address }} <a href="{{ unsubscribe_url }}">unsubscribe</a></p>',
}


@dataclass(frozen=True)
class Shop:
    """A project with its store."""

    folder: Path
    database: Database

    @property
    def file(self) -> Path:
        return self.folder / "campaigns.yaml"

    def declare(self, *, defaults: str = "", campaign: str = "", text: str = YAML) -> None:
        """Write campaigns.yaml and its templates."""
        self.file.write_text(text.format(defaults=_indented(defaults, 2), campaign=_indented(campaign, 4)))
        for name, body in TEMPLATES.items():
            path = self.folder / "templates" / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(body)

    def project(self, at: datetime) -> Project:
        settings = Settings(database_url=self.database.url, secret_keys="test-key", outbox=Path("outbox"))
        return Project(file=self.file, settings=settings, at=at)

    def engine(self, at: datetime = LAUNCH) -> Engine:
        return self.project(at).engine()

    def plan(self, name: str = "spring", *, at: datetime = LAUNCH) -> Draft:
        return plan(self.engine(at), checked(self.file), name, at)

    def launch(self, name: str = "spring", *, at: datetime = LAUNCH, actor: str = "anna@example.com") -> Launched:
        return launch(self.engine(at), self.plan(name, at=at), actor=actor, now=at)

    def run(self, at: datetime, *, processes: int = 1) -> None:
        run_once(self.project(at), processes=processes)

    def customers(self, count: int, *, first: int = 0, **columns: Any) -> list[int]:
        """Write customers c000000 …; a column may be a value or a function of the number."""
        numbers = range(first, first + count)
        rows = [_customer(number, columns) for number in numbers]
        names = list(rows[0])
        with self.database.write() as connection:
            insert_many(connection, customer, names, [list(row.values()) for row in rows])
        with self.database.read() as connection:
            found = connection.execute(customer.select().order_by(customer.c.customer_id)).all()
        return [row.id for row in found][first : first + count]

    def events(self, rows: Iterable[tuple[int, str, datetime, float | None]], *, origin: str = "orders") -> None:
        """Write events of (customer, name, time, value)."""
        recorded_at = to_micros(LAUNCH - timedelta(days=900))
        written = [
            (origin, secrets.token_hex(6), id_, name, to_micros(at), recorded_at, value, False)
            for id_, name, at, value in rows
        ]
        names = ["source", "event_id", "customer_id", "name", "occurred_at", "recorded_at", "value", "machine"]
        with self.database.write() as connection:
            insert_many(connection, event, names, written)

    def complete(self, name: str, through: datetime, *, origin: str = "orders") -> None:
        """Say up to when a source's events of a name are complete."""
        with self.database.write() as connection:
            connection.execute(source.delete().where(source.c.source == origin, source.c.event == name))
            connection.execute(source.insert().values(source=origin, event=name, through=through))


def _indented(text: str, by: int) -> str:
    return "\n".join(" " * by + line for line in text.splitlines())


def _customer(number: int, columns: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "customer_id": f"c{number:06}",
        "email": f"c{number:06}@example.org",
        "first_name": f"Name{number}",
        "email_consent": True,
        "attributes": "{}",
        "person_salt": number.to_bytes(16, "big"),
        "recorded_at": to_micros(LAUNCH - timedelta(days=900)),
    }
    row |= {key: value(number) if callable(value) else value for key, value in columns.items()}
    row["email_hash"] = address_hash("email", row["email"]) if row["email"] else None
    row["phone_hash"] = address_hash("sms", row["phone"]) if row.get("phone") else None
    return row
