"""The store: how it is opened, read and, in one way only, written.

Reads see a snapshot and are short. Writes go through `Database.write`: one at a time on
SQLite (a file lock taken in turn, then BEGIN IMMEDIATE), ordinary transactions on PostgreSQL.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from engine.errors import FixYourSettings

_BUSY_SECONDS = 30
_WAL_LIMIT = 64 * 1024 * 1024


@dataclass(frozen=True)
class Database:
    """One store. Cheap to hand around; open it with `open_database`."""

    url: str
    engine: Engine

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @property
    def path(self) -> Path | None:
        """The database's file on SQLite, else None."""
        return Path(self.engine.url.database) if self.is_sqlite and self.engine.url.database else None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A short transaction that reads one consistent snapshot."""
        with self.engine.connect() as opened:
            snapshot = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
            connection = opened.execution_options(**snapshot)
            with connection.begin():
                yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """The one way to write: hold it for half a second at most, and commit on leaving."""
        with self._turn(), self.engine.connect() as opened:
            connection = opened.execution_options(campaign_write=True)
            with connection.begin():
                yield connection

    @contextmanager
    def scratch(self) -> Iterator[Connection]:
        """A connection for temporary tables only; begin a short transaction for each step on it."""
        with self.engine.connect() as connection:
            try:
                yield connection
            finally:
                connection.invalidate()  # temporary tables go with the connection

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Writers on SQLite queue up: without it one of two senders was seen to starve for seconds.

        Whoever holds the gate is next; the kernel hands it on in order of arrival.
        """
        if self.path is None:
            yield
            return
        with Path(f"{self.path}-gate").open("ab") as gate, Path(f"{self.path}-turn").open("ab") as turn:
            fcntl.flock(gate, fcntl.LOCK_EX)
            fcntl.flock(turn, fcntl.LOCK_EX)
            fcntl.flock(gate, fcntl.LOCK_UN)
            try:
                yield
            finally:
                fcntl.flock(turn, fcntl.LOCK_UN)

    def close(self) -> None:
        self.engine.dispose()


def open_database(url: str) -> Database:
    """Open a store; its tables are made or checked by `migrations.prepare`.

    Raises:
        FixYourSettings: the URL is none, or names a database that we do not know.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise FixYourSettings(
            f"CAMPAIGN_DATABASE_URL {url!r} is no database URL; write sqlite:///campaign.db or postgresql+psycopg://…"
        ) from None
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "sqlite":
        return Database(url, _sqlite(parsed.render_as_string(hide_password=False)))
    if parsed.drivername == "postgresql+psycopg":
        return Database(url, create_engine(parsed, pool_pre_ping=True))
    raise FixYourSettings(f"CAMPAIGN_DATABASE_URL names {parsed.drivername!r}; SQLite and PostgreSQL are supported")


def _sqlite(url: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions on its own
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        # NORMAL forgets the last commits after a power cut, and a forgotten claim is sent again.
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute(f"PRAGMA journal_size_limit={_WAL_LIMIT}")
        cursor.execute("PRAGMA cache_size=-65536")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("campaign_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def execute_many(connection: Connection, statement: str, rows: Sequence[Sequence[Any]]) -> None:
    """Run one statement for many rows through the driver itself, which costs a tenth of doing it row by row.

    Args:
        statement: SQL with `?` for each value of a row. Instants are microseconds, JSON is text.
    """
    if not rows:
        return
    cursor = connection.connection.cursor()
    try:
        sqlite = connection.dialect.name == "sqlite"
        cursor.executemany(statement if sqlite else statement.replace("?", "%s"), rows)
    finally:
        cursor.close()


def insert_many(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows in bulk: `executemany` on SQLite, COPY on PostgreSQL.

    Args:
        columns: names of the columns, in the order of each row's values. Instants are microseconds, JSON is text.
    """
    if not rows:
        return
    names = ", ".join(f'"{name}"' for name in columns)
    raw = connection.connection.cursor()
    try:
        if connection.dialect.name == "sqlite":
            marks = ", ".join("?" * len(columns))
            raw.executemany(f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})', rows)
        else:
            with raw.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
                for row in rows:
                    copy.write_row(row)
    finally:
        raw.close()
