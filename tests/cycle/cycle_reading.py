"""What the tests of the cycle declare, and how they read the store."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from shop import LAUNCH, YAML, Shop
from sqlalchemy import Row, Table, select

from engine.cycle.advance import advance_all
from engine.store.audit import sealed
from engine.store.tables import customer, entry, exclusion, message, round_, wave

SEND = LAUNCH + timedelta(days=1, hours=1)
"""2026-03-03 10:00 in Berlin, the slot of the shop's campaign."""

AT = 'schedule: {{at: "2026-03-03 10:00"}}'
OFFER = '      offer: {{subject: "An offer", template: offer.html}}\n'
DAILY = '{cron: "0 10 * * *", starts: 2026-03-03, ends: 2026-04-01}'
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def declare(
    shop: Shop,
    *,
    schedule: str = '{at: "2026-03-03 10:00"}',
    hypothesis: bool = True,
    purpose: str = "marketing",
    defaults: str = "",
    campaign: str = "",
) -> None:
    """The shop's campaign with another schedule, purpose, or without its claim."""
    text = YAML.replace(AT, "schedule: " + schedule.replace("{", "{{").replace("}", "}}"))
    text = text.replace("purpose: marketing", f"purpose: {purpose}")
    if not hypothesis:
        start, end = text.index("    hypothesis:"), text.index("    secondary:")
        text = text[:start] + text[end:].replace(OFFER, "")
    shop.declare(text=text, defaults=defaults, campaign=campaign)


def rows(shop: Shop, table: Table) -> list[Row[Any]]:
    with shop.database.read() as connection:
        return list(connection.execute(select(table).order_by(*table.primary_key.columns)).all())


def states(shop: Shop) -> dict[str, int]:
    """Messages by state."""
    return dict(Counter(row.state for row in rows(shop, message)))


def skipped(shop: Shop) -> dict[str, int]:
    """Messages that were not sent, by reason."""
    return dict(Counter(row.reason for row in rows(shop, message) if row.state == "skipped"))


def excluded(shop: Shop) -> dict[str, list[int]]:
    """Numbers of the customers whom each reason left out, over all waves."""
    found: dict[str, list[int]] = {}
    for row in rows(shop, exclusion):
        found.setdefault(row.reason, []).append(numbers(shop)[row.customer_id])
    return {reason: sorted(ids) for reason, ids in found.items()}


def entered(shop: Shop) -> dict[int, Row[Any]]:
    """Entries by the customer's number."""
    known = numbers(shop)
    return {known[row.customer_id]: row for row in rows(shop, entry)}


def messaged(shop: Shop) -> list[int]:
    """Numbers of the customers with a message, once for each."""
    known = numbers(shop)
    return sorted(known[row.customer_id] for row in rows(shop, message))


def numbers(shop: Shop) -> dict[int, int]:
    """The n of customer c00000n by id."""
    return {row.id: int(row.customer_id[1:]) for row in rows(shop, customer)}


def wave_states(shop: Shop) -> list[tuple[str, str]]:
    return [(row.slot, row.state) for row in rows(shop, wave)]


def only_round(shop: Shop) -> Row[Any]:
    (row,) = rows(shop, round_)
    return row


def freeze(shop: Shop, at: datetime = SEND) -> None:
    """Advance without sending."""
    advance_all(shop.engine(at), at)


def audiences(shop: Shop) -> list[dict[str, Any]]:
    """The sealed audience of every frozen wave."""
    with shop.database.read() as connection:
        return [json.loads(sealed(connection, row.audience)) for row in rows(shop, wave) if row.audience]
