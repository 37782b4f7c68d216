"""A chunk of customers into the store: what the file names overrides, what it leaves empty stays."""

from __future__ import annotations

import json
from typing import Any

from engine.customers import consent
from engine.customers.batch import Batch
from engine.customers.chunks import EXTRA

_COLUMNS = (
    "email", "phone", "email_hash", "phone_hash", "first_name", "last_name", "gender", "birth_date", "country",
    "region", "city", "postal_code", "language", "timezone", "signed_up_at",
)  # fmt: skip
_PEOPLE = "SELECT c.id FROM chunk s CROSS JOIN customer c WHERE c.customer_id = s.customer_id"


def apply(batch: Batch) -> dict[str, int]:
    """Insert new customers, update known ones, add to the history of consent; returns what to count."""
    rows = batch.count("SELECT count(*) FROM chunk")
    new = batch.count(
        "SELECT count(*) FROM chunk s WHERE NOT EXISTS (SELECT 1 FROM customer c WHERE c.customer_id = s.customer_id)"
    )
    changed = _upsert(batch) - new
    consents = sum(_consents(batch, channel) for channel in ("email", "sms"))
    consent.keep_suppressed(batch.connection, _PEOPLE)
    return {"new": new, "changed": changed, "unchanged": rows - new - changed, "consents": consents}


def _upsert(batch: Batch) -> int:
    names = ", ".join(_COLUMNS)
    kept = [f"coalesce(excluded.{name}, customer.{name})" for name in _COLUMNS]
    merged = _merged(batch)
    stored = ", ".join(f"customer.{name}" for name in (*_COLUMNS, "attributes"))
    settings = ", ".join(f"{name} = {value}" for name, value in zip(_COLUMNS, kept, strict=True))
    return batch.run(
        f"INSERT INTO customer (customer_id, {names}, attributes, person_salt, recorded_at) "
        f"SELECT customer_id, {names}, coalesce({EXTRA}, '{{}}'), {batch.words.salt}, :at FROM chunk "
        f"WHERE true ORDER BY n ON CONFLICT (customer_id) DO UPDATE SET {settings}, attributes = {merged} "
        f"WHERE ({', '.join(kept)}, {merged}) {batch.words.differs} ({stored})"
    )


def _merged(batch: Batch) -> str:
    """The customer's attributes with those of the file laid over them, one by one."""
    if batch.connection.dialect.name == "postgresql":
        return "customer.attributes || excluded.attributes"
    # SQLite's json_patch would merge inside nested objects too.
    driver: Any = batch.connection.connection.driver_connection
    driver.create_function("laid_over", 2, _laid_over, deterministic=True)
    return "laid_over(customer.attributes, excluded.attributes)"


def _laid_over(stored: str, given: str) -> str:
    if given in ("{}", stored):
        return stored
    before = json.loads(stored)
    after = {**before, **json.loads(given)}
    return stored if after == before else json.dumps(after, ensure_ascii=False, separators=(",", ":"))


def _consents(batch: Batch, channel: str) -> int:
    """Add to the history, and set the column to its newest entry.

    Where the file gives no time, a consent that differs from the present one begins with the import.
    """
    column = f"{channel}_consent"
    if not batch.count(f"SELECT count(*) FROM (SELECT 1 FROM chunk WHERE {column} IS NOT NULL LIMIT 1) s"):
        return 0
    added = batch.run(
        "INSERT INTO consent (customer_id, channel, given, at, source) "
        f"SELECT c.id, '{channel}', s.{column}, coalesce(s.{column}_at, :at), coalesce(s.{column}_source, :source) "
        f"FROM chunk s JOIN customer c ON c.customer_id = s.customer_id WHERE s.{column} IS NOT NULL "
        f"AND (s.{column}_at IS NOT NULL OR c.{column} IS NULL OR c.{column} <> s.{column}) ORDER BY s.n "
        "ON CONFLICT (customer_id, channel, at) DO UPDATE SET given = excluded.given, source = excluded.source "
        "WHERE consent.given <> excluded.given"
    )
    consent.restate(batch.connection, channel, f"{_PEOPLE} AND s.{column} IS NOT NULL")
    return added
