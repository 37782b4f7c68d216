"""A chunk of staged rows as a temporary table in the store, and the words in which the stores differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Connection, Float, LargeBinary, MetaData, Table, text
from sqlalchemy.types import TypeEngine

from engine.customers.chunks import EXTRA
from engine.customers.staging import NUMBER
from engine.store.database import insert_many
from engine.store.tables import Key, Properties

_TYPES: dict[str, TypeEngine[Any]] = {
    NUMBER: BigInteger(), EXTRA: Properties, "signed_up_at": BigInteger(), "ordered_at": BigInteger(),
    "occurred_at": BigInteger(), "email_consent_at": BigInteger(), "sms_consent_at": BigInteger(),
    "email_consent": Boolean(), "sms_consent": Boolean(), "email_hash": LargeBinary(), "phone_hash": LargeBinary(),
    "amount": Float(), "quantity": Float(), "margin": Float(), "value": Float(),
}  # fmt: skip
"""Types of the columns that are not text."""


@dataclass(frozen=True, kw_only=True)
class Words:
    """What is said differently."""

    differs: str
    salt: str
    """16 random bytes."""

    def rounded(self, number: str) -> str:
        """To six decimals: sums of floats differ in the last digits with the order of their rows."""
        return f"round({number}, 6)"

    def document(self, **members: str) -> str:
        """A JSON object without the members that are null."""
        pairs = ", ".join(f"'{name}', {value}" for name, value in members.items())
        return f"json_patch('{{}}', json_object({pairs}))"


class _PostgresWords(Words):
    def rounded(self, number: str) -> str:
        return f"CAST(round(CAST({number} AS numeric), 6) AS double precision)"

    def document(self, **members: str) -> str:
        pairs = ", ".join(f"'{name}', {value}" for name, value in members.items())
        return f"jsonb_strip_nulls(jsonb_build_object({pairs}))"


_SQLITE = Words(differs="IS NOT", salt="randomblob(16)")
_POSTGRES = _PostgresWords(differs="IS DISTINCT FROM", salt="uuid_send(gen_random_uuid())")


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What the statements for one chunk need; its rows are the temporary table `chunk`."""

    connection: Connection
    words: Words
    source: str
    at: int
    """When the rows count as recorded, microseconds since 1970."""

    def run(self, statement: str, **values: Any) -> int:
        """Execute a statement; how many rows it touched."""
        return self.connection.execute(text(statement), {"at": self.at, "source": self.source, **values}).rowcount

    def count(self, statement: str) -> int:
        """The number that a statement finds."""
        return int(self.connection.execute(text(statement), {"at": self.at, "source": self.source}).scalar() or 0)

    def add_unknown_customers(self) -> int:
        """Give every customer who is only named here a row, so that their history is not lost; how many."""
        return self.run(
            "INSERT INTO customer (customer_id, attributes, person_salt, recorded_at) "
            f"SELECT s.customer_id, '{{}}', {self.words.salt}, :at FROM (SELECT DISTINCT customer_id FROM chunk) s "
            "WHERE NOT EXISTS (SELECT 1 FROM customer c WHERE c.customer_id = s.customer_id) "
            "ON CONFLICT (customer_id) DO NOTHING"
        )


@contextmanager
def loaded(
    connection: Connection, columns: Sequence[str], rows: Sequence[Sequence[Any]], *, source: str, at: int
) -> Iterator[Batch]:
    """The rows as a temporary table `chunk` that lasts as long as the transaction."""
    names = (NUMBER, *columns)
    chunk = Table(
        "chunk",
        MetaData(),
        *(Column(name, _TYPES.get(name, Key)) for name in names),
        prefixes=["TEMPORARY"],
        postgresql_on_commit="DROP",
    )
    chunk.create(connection, checkfirst=False)
    insert_many(connection, chunk, names, rows)
    words = _SQLITE if connection.dialect.name == "sqlite" else _POSTGRES
    yield Batch(connection=connection, words=words, source=source, at=at)
    if words is _SQLITE:
        chunk.drop(connection, checkfirst=False)
