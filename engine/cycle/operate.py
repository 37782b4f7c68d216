"""Acts of an operator on running rounds: pause, resume, stop, halt everything."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, func, select, update
from sqlalchemy.exc import SQLAlchemyError

from engine.cycle.engine import Engine
from engine.cycle.launch import RUNNING
from engine.cycle.waves import cancel_open
from engine.errors import NotFound, Refused
from engine.model import RoundState
from engine.store import audit
from engine.store.database import open_database
from engine.store.tables import message, round_

HALT = Path(".campaign") / "halt"


def halt(root: Path) -> None:
    """Write the halt file, which every process looks for before every claim; needs no store."""
    path = root / HALT
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        os.fsync(file.fileno())


def unhalt(engine: Engine, *, actor: str, now: datetime) -> None:
    """Take the halt back.

    Raises:
        Refused: there is none.
    """
    if not engine.halt_file.exists():
        raise Refused("nothing is halted")
    with engine.database.write() as connection:
        audit.append(connection, "halt_taken_back", {}, actor=actor, subject=None, at=now)
    engine.halt_file.unlink()


def settled_after_halt(url: str) -> dict[str, int]:
    """Messages by state, as far as the store can be read; empty where it cannot."""
    try:
        database = open_database(url)
        with database.read() as connection:
            rows = connection.execute(select(message.c.state, func.count()).group_by(message.c.state)).all()
    except SQLAlchemyError:
        return {}
    return dict(rows)


def pause(engine: Engine, campaign: str, *, actor: str, now: datetime) -> None:
    """Let a round rest; it can go on.

    Raises:
        NotFound: no round of this campaign runs.
        Refused: it rests already.
    """
    _set_paused(engine, campaign, paused=True, actor=actor, now=now)


def resume(engine: Engine, campaign: str, *, actor: str, now: datetime) -> None:
    """Let a paused round go on.

    Raises:
        NotFound: no round of this campaign runs.
        Refused: it is not paused.
    """
    _set_paused(engine, campaign, paused=False, actor=actor, now=now)


def _set_paused(engine: Engine, campaign: str, *, paused: bool, actor: str, now: datetime) -> None:
    with engine.database.write() as connection:
        row = running_round(connection, campaign)
        if bool(row.paused) is paused:
            raise Refused(f"{campaign} is {'paused already' if paused else 'not paused'}")
        connection.execute(update(round_).where(round_.c.id == row.id).values(paused=paused))
        kind = "paused" if paused else "resumed"
        audit.append(connection, kind, {"round": row.number}, actor=actor, subject=campaign, at=now)


def stop(engine: Engine, campaign: str, *, actor: str, now: datetime) -> int:
    """End a round for good, undecided; what was not sent never will be.

    Returns:
        How many planned messages are skipped.

    Raises:
        NotFound: no round of this campaign runs.
    """
    with engine.database.write() as connection:
        row = running_round(connection, campaign)
        connection.execute(update(round_).where(round_.c.id == row.id).values(state=RoundState.STOPPED, paused=False))
        skipped = cancel_open(connection, row.id)
        payload = {"round": row.number, "skipped": skipped}
        audit.append(connection, "stopped", payload, actor=actor, subject=campaign, at=now)
    return skipped


def running_round(connection: Connection, campaign: str) -> Row[Any]:
    """The campaign's running round.

    Raises:
        NotFound: there is none.
    """
    row = connection.execute(select(round_).where(round_.c.campaign == campaign, round_.c.state.in_(RUNNING))).first()
    if row is None:
        raise NotFound(f"no round of {campaign} is running; `campaign status` shows what is")
    return row
