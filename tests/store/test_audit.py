"""The chain shows every alteration and names the first."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, update

from engine.store import audit
from engine.store.database import Database
from engine.store.tables import audit as entries
from engine.store.tables import blob

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def chain(database: Database) -> Database:
    with database.write() as connection:
        audit.seal(connection, {"a": 1})
        for number in range(3):
            audit.append(connection, "launched", {"round": number}, actor="anna", subject="winback", at=AT)
    return database


def test_an_untouched_chain_verifies(chain: Database) -> None:
    with chain.read() as connection:
        assert audit.verify(connection) is None
        assert audit.head(connection)[0] == 3


@pytest.mark.parametrize(
    ("attack", "found"),
    [
        pytest.param(
            update(entries).where(entries.c.seq == 2).values(payload="{}"),
            "audit entry 2 (launched) was altered",
            id="edited",
        ),
        pytest.param(delete(entries).where(entries.c.seq == 2), "audit entry 2 is missing (found 3)", id="deleted"),
        pytest.param(update(blob).values(body=b"{}"), "was altered", id="sealed-document-edited"),
    ],
)
def test_an_attack_is_named(chain: Database, attack: object, found: str) -> None:
    with chain.write() as connection:
        connection.execute(attack)  # type: ignore[call-overload]
    with chain.read() as connection:
        assert found in (audit.verify(connection) or "")


def test_canonical_json_keeps_large_integers_as_text() -> None:
    assert audit.canonical({"b": 2**60, "a": 0.1}) == b'{"a":0.1,"b":"1152921504606846976"}'


def test_what_is_not_finite_cannot_be_sealed() -> None:
    with pytest.raises(ValueError, match="cannot be sealed"):
        audit.canonical({"a": float("nan")})
