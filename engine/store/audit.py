"""The sealed record: canonical bytes by hash, and a chain in which each entry hashes the one before."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

import rfc8785
from sqlalchemy import Connection, insert, select, text

from engine.errors import NotFound
from engine.store.tables import audit, blob, to_micros

GENESIS = "0" * 64
_EXACT = 2**53


def canonical(document: Any) -> bytes:
    """Canonical JSON (RFC 8785); integers that a double cannot hold become text.

    Raises:
        ValueError: a number is not finite, or something is no JSON.
    """
    try:
        return rfc8785.dumps(_plain(document))
    except rfc8785.CanonicalizationError as error:
        raise ValueError(f"cannot be sealed: {error}") from error


def _plain(value: Any) -> Any:
    match value:
        case bool() | None | str() | float():
            return value
        case int():
            return value if -_EXACT <= value <= _EXACT else str(value)
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return str(value)


def seal(connection: Connection, document: Any) -> str:
    """Store a document's canonical bytes and return their SHA-256; the same document is stored once."""
    body = canonical(document)
    sha256 = hashlib.sha256(body).hexdigest()
    if connection.execute(select(blob.c.sha256).where(blob.c.sha256 == sha256)).first() is None:
        connection.execute(insert(blob).values(sha256=sha256, body=body))
    return sha256


def sealed(connection: Connection, sha256: str) -> bytes:
    """The sealed bytes of a hash.

    Raises:
        NotFound: nothing of that hash is stored, or its bytes were altered.
    """
    body = connection.execute(select(blob.c.body).where(blob.c.sha256 == sha256)).scalar()
    if body is None:
        raise NotFound(f"no sealed record {sha256}")
    if hashlib.sha256(body).hexdigest() != sha256:
        raise NotFound(f"the sealed record {sha256} was altered; run `campaign audit verify`")
    return bytes(body)


def append(
    connection: Connection, kind: str, payload: dict[str, Any], *, actor: str, subject: str | None, at: datetime
) -> str:
    """Append an entry to the chain in the caller's transaction and return its hash."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(727001)"))
    last = connection.execute(select(audit.c.seq, audit.c.sha256).order_by(audit.c.seq.desc()).limit(1)).first()
    seq, prev = (last.seq + 1, last.sha256) if last else (1, GENESIS)
    body = canonical(payload).decode()
    sha256 = _entry_hash(seq, prev, kind, actor, subject, body, to_micros(at))
    connection.execute(
        insert(audit).values(
            seq=seq, prev=prev, sha256=sha256, kind=kind, actor=actor, subject=subject, payload=body, at=at
        )
    )
    return sha256


def _entry_hash(seq: int, prev: str, kind: str, actor: str, subject: str | None, payload: str, at: int) -> str:
    fields = {
        "seq": seq, "prev": prev, "kind": kind, "actor": actor, "subject": subject, "payload": payload, "at": str(at),
    }  # fmt: skip
    return hashlib.sha256(canonical(fields)).hexdigest()


def verify(connection: Connection) -> str | None:
    """Check the whole chain and every sealed document; return the first thing that is wrong, or None."""
    prev, expected = GENESIS, 1
    entries = connection.execute(select(audit).order_by(audit.c.seq), execution_options={"yield_per": 1000})
    for row in entries:
        if row.seq != expected:
            return f"audit entry {expected} is missing (found {row.seq})"
        if row.prev != prev:
            return f"audit entry {row.seq} does not follow entry {row.seq - 1}"
        at = to_micros(row.at)
        if row.sha256 != _entry_hash(row.seq, row.prev, row.kind, row.actor, row.subject, row.payload, at):
            return f"audit entry {row.seq} ({row.kind}) was altered"
        prev, expected = row.sha256, expected + 1
    for row in connection.execute(select(blob.c.sha256, blob.c.body), execution_options={"yield_per": 100}):
        if hashlib.sha256(row.body).hexdigest() != row.sha256:
            return f"the sealed record {row.sha256} was altered"
    return None


def head(connection: Connection) -> tuple[int, str]:
    """Sequence number and hash of the last entry."""
    row = connection.execute(select(audit.c.seq, audit.c.sha256).order_by(audit.c.seq.desc()).limit(1)).first()
    return (row.seq, row.sha256) if row else (0, GENESIS)
