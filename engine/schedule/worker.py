"""The sending processes: each leases batches until nothing is due, or a halt is called."""

from __future__ import annotations

import multiprocessing
import os
import secrets
import signal
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.synchronize import Event
from pathlib import Path

from sqlalchemy import func, select

from engine.channels.base import PROVIDERS, Channel, open_channel
from engine.cycle.engine import Clock, Engine
from engine.cycle.execute import Desk, never, send_next
from engine.model import BatchState, WaveState
from engine.schedule.scheduler import slots
from engine.settings import Settings
from engine.store import ledger
from engine.store.database import open_database
from engine.store.tables import batch, wave

_WORTH_PROCESSES = 5_000
"""From so many due messages on it pays to start a second process."""


@dataclass(frozen=True, kw_only=True)
class Project:
    """What a process needs to open the engine; small and plain, so that it can be handed to a spawned one."""

    file: Path
    settings: Settings
    at: datetime | None = None
    """The pretended instant, or None for the clock."""

    def engine(self) -> Engine:
        """Open the engine; its store must have been prepared."""
        return Engine(
            database=open_database(self.settings.database_url),
            settings=self.settings,
            calendar=slots,
            file=self.file,
            pretended=self.at is not None,
            real_now=wall(),
        )

    def clock(self) -> Clock:
        """The clock that everything below is handed."""
        at = self.at
        return Clock(now=(lambda: at) if at is not None else wall, wall=wall)


def wall() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


def open_channels(engine: Engine) -> Mapping[str, Channel]:
    """Every provider of this release, ready to send."""
    folder = engine.root / engine.settings.outbox
    return {provider: open_channel(provider, folder=folder) for provider in PROVIDERS}


# --- tokens: whose lease is it, and does its process still live? --------------------------------------


def new_token() -> str:
    """A lease token that names this process."""
    return f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"


def is_dead(token: str) -> bool:
    """Whether a lease's process on this machine has ended; of other machines only the lease's end can tell."""
    host, pid, _ = token.rsplit("/", 2)
    if host != socket.gethostname():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


# --- sending ---------------------------------------------------------------------------------------------


def send_due(
    project: Project,
    *,
    processes: int = 2,
    on_progress: Callable[[int], None] | None = None,
    stopped: Callable[[], bool] = never,
) -> None:
    """Send all that is due and return when nothing is left; large sends use several spawned processes.

    Args:
        stopped: asked before every claim; once it holds, what is under way is finished and nothing more begun.
    """
    engine, clock = project.engine(), project.clock()
    with engine.database.write() as connection:
        ledger.expire(connection, wall=clock.wall(), is_dead=is_dead)
    due = due_messages(engine, clock.now())
    if due >= _WORTH_PROCESSES and processes > 1:
        _send_with(project, processes, on_progress, stopped)
    elif due:
        _send_all(engine, clock, stopped)
    engine.database.close()


def due_messages(engine: Engine, now: datetime) -> int:
    """Messages in batches that are due."""
    with engine.database.read() as connection:
        return int(
            connection.execute(
                select(func.coalesce(func.sum(batch.c.size), 0)).where(
                    batch.c.state == BatchState.OPEN, batch.c.due_at <= now
                )
            ).scalar_one()
        )


def _send_all(engine: Engine, clock: Clock, stopped: Callable[[], bool]) -> None:
    desk = Desk(engine, open_channels(engine), stopped)
    token = new_token()
    while send_next(desk, token=token, clock=clock) or (not desk.rests() and _waited_for_lane(engine, clock)):
        pass


def _waited_for_lane(engine: Engine, clock: Clock) -> bool:
    """Wait a moment where only its rate keeps a due batch back; False when none is due.

    Pretended time stands still, so there the next call with a later time goes on.
    """
    if engine.pretended:
        return False
    with engine.database.read() as connection:
        free_at = ledger.lane_free_at(connection, now=clock.now())
    if free_at is None:
        return False
    time.sleep(min(1.0, max(0.0, (free_at - clock.now()).total_seconds())))
    return True


def _send_with(
    project: Project, processes: int, on_progress: Callable[[int], None] | None, stopped: Callable[[], bool]
) -> None:
    """Spawned, never forked: a forked process would share the store's connections."""
    spawn = multiprocessing.get_context("spawn")
    end = spawn.Event()
    started = [spawn.Process(target=_sender, args=(project, end), daemon=True) for _ in range(processes)]
    for process in started:
        process.start()
    engine = project.engine()
    for process in started:
        while process.is_alive():
            process.join(timeout=0.5)
            if stopped():
                end.set()
            if on_progress is not None:
                on_progress(sent(engine))
    engine.database.close()
    failed = [process.exitcode for process in started if process.exitcode]
    if failed:
        raise RuntimeError(f"a sending process ended with exit code {failed[0]}")


def _sender(project: Project, end: Event) -> None:
    # Ctrl-C reaches the whole group; the process that was started by a person hands it on.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    engine = project.engine()
    _send_all(engine, project.clock(), end.is_set)
    engine.database.close()


def sent(engine: Engine) -> int:
    """Messages in the finished batches of waves under way."""
    under_way = select(wave.c.id).where(wave.c.state == WaveState.SENDING)
    finished = select(func.coalesce(func.sum(batch.c.size), 0)).where(
        batch.c.state == BatchState.DONE, batch.c.wave_id.in_(under_way)
    )
    with engine.database.read() as connection:
        return int(connection.execute(finished).scalar_one())
