"""Pretended time: a store that ever ran in it is marked, and never goes backwards."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from engine.errors import Refused
from engine.model import instant
from engine.store.tables import meta

_CLOCK = "clock"


def latest(connection: Connection) -> datetime | None:
    """The latest pretended instant of this store; None where it only knew the real clock."""
    written = connection.execute(select(meta.c.value).where(meta.c.key == _CLOCK)).scalar()
    return instant(written) if written else None


def move_to(connection: Connection, at: datetime) -> None:
    """Mark the store as one that pretends, and its clock as having reached `at`.

    Raises:
        Refused: the store has been later already.
    """
    known = latest(connection)
    if known is None:
        connection.execute(insert(meta).values(key=_CLOCK, value=at.isoformat()))
    elif at < known:
        raise Refused(
            f"this store has already been at {known.isoformat()} in pretended time and never goes back; "
            "write a later --at, or begin with a fresh store"
        )
    elif at > known:
        connection.execute(update(meta).where(meta.c.key == _CLOCK).values(value=at.isoformat()))
