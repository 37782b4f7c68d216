"""The sealed record as auditors read it."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, Row, select

from engine.cycle.freeze import recomputed_digest
from engine.errors import NotFound
from engine.store import audit
from engine.store.tables import audit as chain
from engine.store.tables import blob, look, round_, wave

_SEALS = ("plan", "audience", "evidence", "verdict")
"""Fields of a payload that are hashes of sealed documents."""


def first_fault(connection: Connection) -> str | None:
    """The first thing in the record that is wrong, or None: chain, sealed documents, wave digests."""
    return audit.verify(connection) or _first_out_of_chain(connection) or _first_wrong_wave(connection)


def _first_out_of_chain(connection: Connection) -> str | None:
    """A document that rounds go by and that was sealed without an entry in the chain, as a forger would."""
    payloads = [json.loads(payload) for payload in connection.execute(select(chain.c.payload)).scalars()]
    chained = {payload[field] for payload in payloads for field in _SEALS if field in payload}
    columns = (round_.c.plan, wave.c.audience, look.c.evidence, look.c.verdict)
    for column in columns:
        for sha256 in connection.execute(select(column).where(column.is_not(None)).distinct()).scalars():
            if sha256 not in chained:
                return f"no audit entry tells of the {column.name} {sha256} that the store goes by"
    return None


def _first_wrong_wave(connection: Connection) -> str | None:
    waves = connection.execute(
        select(wave.c.id, wave.c.slot, wave.c.audience, round_.c.campaign, round_.c.number)
        .select_from(wave.join(round_, round_.c.id == wave.c.round_id))
        .where(wave.c.audience.is_not(None))
        .order_by(wave.c.id)
    ).all()
    for row in waves:
        sealed = json.loads(audit.sealed(connection, row.audience))["digest"]
        if recomputed_digest(connection, row.id) != sealed:
            return f"the entries of {row.campaign} round {row.number}, wave {row.slot}, are not those that were sealed"
    return None


def entries(connection: Connection, campaign: str | None = None) -> list[dict[str, Any]]:
    """Audit entries in order, their payloads parsed."""
    query = select(chain).order_by(chain.c.seq)
    if campaign is not None:
        query = query.where(chain.c.subject == campaign)
    return [_plain(row) for row in connection.execute(query)]


def entry(connection: Connection, number: int) -> dict[str, Any]:
    """One audit entry with the documents that it seals.

    Raises:
        NotFound: there is no such entry.
    """
    row = connection.execute(select(chain).where(chain.c.seq == number)).first()
    if row is None:
        raise NotFound(f"there is no audit entry {number}; the last is {audit.head(connection)[0]}")
    plain = _plain(row)
    sealed = [plain["payload"][field] for field in _SEALS if field in plain["payload"]]
    bodies = connection.execute(select(blob.c.sha256, blob.c.body).where(blob.c.sha256.in_(sealed))).all()
    return plain | {"sealed": {body.sha256: json.loads(body.body) for body in bodies}}


def _plain(row: Row[Any]) -> dict[str, Any]:
    return {**row._asdict(), "payload": json.loads(row.payload)}
