"""A chunk of events into the store: an event that is there already stays as it is."""

from __future__ import annotations

from engine.customers import consent
from engine.customers.batch import Batch
from engine.customers.chunks import EXTRA

_MATCHED = "chunk s JOIN customer c ON c.customer_id = s.customer_id"


def apply(batch: Batch) -> dict[str, int]:
    """Insert the events that are not there, and heed what they say of consent; returns what to count."""
    rows = batch.count("SELECT count(*) FROM chunk")
    unknown = batch.add_unknown_customers()
    new = batch.run(
        "INSERT INTO event (source, event_id, customer_id, name, occurred_at, recorded_at, value, properties) "
        f"SELECT :source, s.event_id, c.id, s.name, s.occurred_at, :at, s.value, s.{EXTRA} FROM {_MATCHED} "
        "WHERE true ORDER BY s.n ON CONFLICT (source, event_id) DO NOTHING"
    )
    conflicts = 0 if new == rows else _conflicts(batch)
    if batch.count(f"SELECT count(*) FROM (SELECT 1 FROM chunk WHERE name IN {consent.HEEDED} LIMIT 1) s"):
        happened = f"SELECT c.id AS customer_id, s.name, s.occurred_at, s.{EXTRA} AS properties FROM {_MATCHED}"
        consent.heed(batch.connection, happened, source=batch.source)
    return {"new": new, "unchanged": rows - new - conflicts, "conflicts": conflicts, "unknown_customers": unknown}


def _conflicts(batch: Batch) -> int:
    return batch.count(
        f"SELECT count(*) FROM {_MATCHED} JOIN event e ON e.source = :source AND e.event_id = s.event_id "
        f"WHERE (c.id, s.name, s.occurred_at, s.value, s.{EXTRA}) {batch.words.differs} "
        "(e.customer_id, e.name, e.occurred_at, e.value, e.properties)"
    )
