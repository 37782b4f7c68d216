"""Staged rows into the store: short writes, each with rows, counts and cursor in one transaction.

Whoever is killed between two of them loses nothing: the cursor says where to go on.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, Row, select, update

from engine.customers import customer_rows, event_rows, order_rows, sources
from engine.customers.batch import loaded
from engine.customers.layout import CUSTOMERS, EVENTS, ORDERS
from engine.customers.quality import ImportReport
from engine.customers.staging import Staging
from engine.customers.task import Progress
from engine.model import instant
from engine.store.database import Database
from engine.store.tables import import_file, to_micros

_APPLY = {CUSTOMERS.kind: customer_rows.apply, ORDERS.kind: order_rows.apply, EVENTS.kind: event_rows.apply}
_FIRST, _FEWEST, _MOST = 5_000, 500, 50_000
_SECONDS = 0.25
"""How long one write is meant to take; half a second is what others can bear."""


@dataclass
class Pace:
    """How many rows a write takes, learnt from the last one."""

    rows: int = field(default_factory=lambda: _FIRST)
    begun: float = field(default_factory=time.monotonic)

    def learn(self) -> None:
        took = max(time.monotonic() - self.begun, 1e-3)
        self.rows = int(min(_MOST, max(_FEWEST, self.rows * min(2.0, max(0.3, _SECONDS / took)))))


def apply(database: Database, staging: Staging, sha256: str, now: datetime, on_progress: Progress) -> ImportReport:
    """Apply what of a staged file is not applied yet, and complete the import."""
    pace, last = Pace(), staging.last
    while True:
        pace.begun = time.monotonic()
        with database.write() as connection:
            row = _import(connection, sha256)
            if row.cursor >= last:
                return _complete(connection, row, now)
            cursor = staging.whole(row.cursor + pace.rows)
            _advance(connection, staging, row, cursor)
        pace.learn()
        on_progress("importing", cursor / last)


def _import(connection: Connection, sha256: str) -> Row[tuple[object, ...]]:
    return connection.execute(select(import_file).where(import_file.c.sha256 == sha256).with_for_update()).one()


def _advance(connection: Connection, staging: Staging, row: Row[tuple[object, ...]], cursor: int) -> None:
    rows = staging.rows(row.cursor, cursor)
    with loaded(connection, staging.columns, rows, source=row.source, at=to_micros(row.started_at)) as batch:
        counts = _APPLY[row.kind](batch)
    report = ImportReport.from_json(row.report).counted(counts)
    _note(connection, row.sha256, cursor=cursor, report=report.to_json())


def _complete(connection: Connection, row: Row[tuple[object, ...]], now: datetime) -> ImportReport:
    report = ImportReport.from_json(row.report)
    if row.state == sources.APPLYING:
        if report.through is not None:
            sources.complete_through(connection, row.source, report.names, instant(report.through))
        _note(connection, row.sha256, state=sources.COMPLETE, finished_at=now)
    return report


def _note(connection: Connection, sha256: str, **values: object) -> None:
    connection.execute(update(import_file).where(import_file.c.sha256 == sha256).values(**values))
