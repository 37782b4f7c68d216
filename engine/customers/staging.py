"""The staging file: a file's checked rows, beside the store, until the whole of it is accepted.

While it is filled it ends with `.part`; what bears the plain name is complete. Rows are
stored in the order of the store's indexes, because rows that arrive in random order make
every write touch every page of them: customers and orders by their keys, events in runs.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import polars as pl

from engine.customers.checking import HASH
from engine.customers.chunks import EXTRA, LINE
from engine.customers.layout import CUSTOMERS, EVENTS, ORDERS, Layout
from engine.customers.source_file import Reject

NUMBER = "n"
"""Name of the first column that `rows` gives: it rises with the staged rows."""
_RUN = 200_000
_SLICE = 20_000
_TYPES = {
    "signed_up_at": "INTEGER", "email_consent": "INTEGER", "email_consent_at": "INTEGER", "sms_consent": "INTEGER",
    "sms_consent_at": "INTEGER", "email_hash": "BLOB", "phone_hash": "BLOB", "ordered_at": "INTEGER",
    "occurred_at": "INTEGER", "amount": "REAL", "quantity": "REAL", "margin": "REAL", "value": "REAL",
    LINE: "INTEGER", HASH: "INTEGER",
}  # fmt: skip
"""SQLite's types of the columns that are not text."""
_COLUMNS = {
    CUSTOMERS.kind: (*CUSTOMERS.fields, "email_hash", "phone_hash", EXTRA),
    ORDERS.kind: ORDERS.fields,
    EVENTS.kind: (*EVENTS.fields, EXTRA),
}
_KEYS = {CUSTOMERS.kind: (), ORDERS.kind: (), EVENTS.kind: (HASH,)}


@dataclass(frozen=True)
class Staging:
    """An open staging file."""

    path: Path
    layout: Layout
    connection: sqlite3.Connection
    _run: list[pl.DataFrame] = field(default_factory=list)
    """Chunks of events that wait to be sorted together."""

    @classmethod
    def begin(cls, path: Path, layout: Layout) -> Self:
        """Make an empty staging file; `finish` gives it its name."""
        part = _part(path)
        part.unlink(missing_ok=True)
        staging = cls(path, layout, _connect(part))
        columns = ", ".join(f'"{name}" {_TYPES.get(name, "TEXT")}' for name in staging._checked)
        staging._execute(f"CREATE TABLE checked ({columns})")
        staging._execute("CREATE TABLE reject (line INTEGER, reason TEXT, text TEXT)")
        staging._execute("CREATE TABLE late (line INTEGER PRIMARY KEY, reason TEXT)")
        staging._execute("BEGIN")
        return staging

    @classmethod
    def open(cls, path: Path, layout: Layout) -> Self:
        """Open a complete staging file."""
        return cls(path, layout, _connect(path))

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that `rows` gives after NUMBER."""
        return _COLUMNS[self.layout.kind]

    @property
    def _checked(self) -> tuple[str, ...]:
        return (*self.columns, *_KEYS[self.layout.kind], LINE)

    def add(self, rows: pl.DataFrame, rejects: Sequence[Reject]) -> None:
        """Take a chunk's rows and rejects."""
        self.reject(rejects)
        if self.layout is not EVENTS:
            self._insert(rows)
            return
        self._run.append(rows)
        if sum(map(len, self._run)) >= _RUN:
            self._insert_run()

    def _insert_run(self) -> None:
        if self._run:
            order = ("name", "customer_id", "occurred_at", LINE)
            self._insert(pl.concat(self._run).sort(*order))
            self._run.clear()

    def _insert(self, rows: pl.DataFrame) -> None:
        marks = ", ".join("?" * len(self._checked))
        for part in rows.select(self._checked).iter_slices(_SLICE):
            self.connection.executemany(f"INSERT INTO checked VALUES ({marks})", part.rows())

    def reject(self, rejects: Sequence[Reject]) -> None:
        values = [(reject.line, reject.reason, reject.text) for reject in rejects]
        self.connection.executemany("INSERT INTO reject VALUES (?, ?, ?)", values)

    def rejects(self) -> Iterator[Reject]:
        """All rejects in the order of the file."""
        for line, reason, shown in self._execute("SELECT * FROM reject ORDER BY line, rowid"):
            yield Reject(line=line, reason=reason, text=shown)

    def settle(self) -> int:
        """Put the rows in order, keep one of each, and find what contradicts itself inside the file.

        Returns:
            How many rows repeat another one. Rows that are to be rejected after all are `late`.
        """
        match self.layout.kind:
            case CUSTOMERS.kind:
                return self._settle_customers()
            case ORDERS.kind:
                return self._settle_orders()
            case _:
                return self._settle_events()

    def late(self, first: int, last: int) -> dict[int, str]:
        """Line → why its row is rejected after all, for these lines and all between them."""
        return dict(self._execute("SELECT line, reason FROM late WHERE line BETWEEN ? AND ?", first, last).fetchall())

    @property
    def has_late(self) -> bool:
        return self._execute("SELECT 1 FROM late LIMIT 1").fetchone() is not None

    def _settle_customers(self) -> int:
        """The last row of a customer counts."""
        self._execute(
            f"CREATE TABLE staged AS SELECT {self._names} FROM (SELECT *, row_number() OVER "
            "(PARTITION BY customer_id ORDER BY rowid DESC) AS nth FROM checked) WHERE nth = 1 ORDER BY customer_id"
        )
        return self._number("SELECT (SELECT count(*) FROM checked) - (SELECT count(*) FROM staged)")

    def _settle_orders(self) -> int:
        """An order has one customer and one currency: those of its first line."""
        first = "first_value({0}) OVER (PARTITION BY order_id ORDER BY rowid)"
        self._execute(
            f"CREATE TABLE placed AS SELECT *, {first.format('customer_id')} AS owner, "
            f"{first.format('currency')} AS money FROM checked ORDER BY order_id, rowid"
        )
        self._execute(
            f"INSERT INTO late SELECT {LINE}, CASE WHEN customer_id <> owner THEN 'an earlier line of this order names "
            "another customer' ELSE 'an earlier line of this order has another currency' END "
            "FROM placed WHERE customer_id <> owner OR currency IS NOT money"
        )
        self._execute(
            f"CREATE TABLE staged AS SELECT {self._names} FROM placed "
            "WHERE customer_id = owner AND currency IS money ORDER BY rowid"
        )
        return 0

    def _settle_events(self) -> int:
        """An event id stands for one event; the same again is skipped, another one rejected."""
        self._insert_run()
        self._execute(
            f"CREATE TABLE twin AS SELECT rowid AS place, * FROM checked WHERE {HASH} IN "
            f"(SELECT {HASH} FROM checked GROUP BY {HASH} HAVING count(*) > 1)"
        )
        self._execute(f"CREATE INDEX twins ON twin (event_id, {LINE})")
        content = f"customer_id, name, occurred_at, value, {EXTRA}"
        self._execute(
            f"CREATE TABLE again AS SELECT place, {LINE}, ({content}) IS (SELECT {content} FROM twin first "
            f"WHERE first.event_id = twin.event_id ORDER BY first.{LINE} LIMIT 1) AS same FROM twin "
            f"WHERE {LINE} > (SELECT min({LINE}) FROM twin first WHERE first.event_id = twin.event_id)"
        )
        self._execute(
            f"INSERT INTO late SELECT {LINE}, 'an earlier row has this event_id for another event' "
            "FROM again WHERE NOT same"
        )
        self._execute("DELETE FROM checked WHERE rowid IN (SELECT place FROM again)")
        self._execute("ALTER TABLE checked RENAME TO staged")
        return self._number("SELECT count(*) FROM again WHERE same")

    @property
    def _names(self) -> str:
        return ", ".join(f'"{name}"' for name in self.columns)

    def _execute(self, statement: str, *values: object) -> sqlite3.Cursor:
        return self.connection.execute(statement, values)

    def _number(self, statement: str) -> int:
        return int(self._execute(statement).fetchone()[0])

    @property
    def size(self) -> int:
        """How many rows are staged."""
        return self._number("SELECT count(*) FROM staged")

    @property
    def last(self) -> int:
        """Number of the last staged row; numbers rise and may have gaps."""
        return self._number("SELECT coalesce(max(rowid), 0) FROM staged")

    def rows(self, after: int, upto: int) -> list[tuple[Any, ...]]:
        """The staged rows with a number above `after`, up to `upto`."""
        statement = f"SELECT rowid, {self._names} FROM staged WHERE rowid > ? AND rowid <= ? ORDER BY rowid"
        return self._execute(statement, after, upto).fetchall()

    def whole(self, upto: int) -> int:
        """The least number from `upto` on at which no order is cut."""
        if self.layout is not ORDERS:
            return min(upto, self.last)
        following = self._execute(
            "SELECT rowid FROM staged WHERE rowid > ?1 AND order_id <> (SELECT order_id FROM staged WHERE rowid = ?1) "
            "ORDER BY rowid LIMIT 1",
            upto,
        ).fetchone()
        return int(following[0]) - 1 if following else self.last

    def finish(self) -> None:
        """Make the file complete: on disk, and under its name."""
        self._execute("COMMIT")
        self.connection.close()
        part = _part(self.path)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(self.path)

    def discard(self) -> None:
        """Remove the file, complete or not."""
        self.connection.close()
        _part(self.path).unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)


def _part(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    # Until it is complete the file is worth nothing, and nobody else reads it.
    connection.execute("PRAGMA journal_mode=OFF")
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA cache_size=-32768")
    connection.execute("PRAGMA locking_mode=EXCLUSIVE")
    return connection
