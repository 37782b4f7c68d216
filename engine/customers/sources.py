"""Up to when the data are complete, and from when on they may be seen."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, func, select, text

from engine.store.tables import MICROSECOND, import_file, source, to_micros

APPLYING = "applying"
COMPLETE = "complete"


def known_at(connection: Connection, now: datetime) -> datetime:
    """The latest instant by which all that was recorded may be seen.

    Rows of an import are recorded at its start, so nothing of one that is still being applied,
    or was broken off, is seen.
    """
    earliest = connection.execute(
        select(func.min(import_file.c.started_at)).where(import_file.c.state == APPLYING)
    ).scalar()
    return now if earliest is None else min(now, earliest - MICROSECOND)


def unfinished(connection: Connection) -> list[str]:
    """Names of the files whose import was begun and not finished, oldest first."""
    query = select(import_file.c.name).where(import_file.c.state == APPLYING).order_by(import_file.c.started_at)
    return list(connection.execute(query).scalars())


def data_through(connection: Connection, event_name: str) -> datetime | None:
    """Up to when every source that ever gave this event is complete; None if none did."""
    return connection.execute(select(func.min(source.c.through)).where(source.c.event == event_name)).scalar()


def complete_through(connection: Connection, name: str, events: Iterable[str], through: datetime) -> None:
    """Raise the marks of a source for these events, and for all that it gave before; a mark never falls."""
    known = select(source.c.event).where(source.c.source == name)
    every = {*events, *connection.execute(known).scalars()}
    if not every:
        return
    connection.execute(
        text(
            "INSERT INTO source (source, event, through) VALUES (:source, :event, :through) "
            "ON CONFLICT (source, event) DO UPDATE SET through = excluded.through "
            "WHERE source.through < excluded.through"
        ),
        [{"source": name, "event": event, "through": to_micros(through)} for event in sorted(every)],
    )
