"""The service: one leader advances rounds, sending processes empty the batches.

`run_once` does everything that is due and returns; `serve` does the same again and again until it
is told to stop. Any number of both may run on one store: a lock leaves one of them advancing.
"""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import text

from engine.cycle.advance import advance_all
from engine.cycle.execute import never
from engine.schedule.scheduler import run_every
from engine.schedule.worker import Project, send_due
from engine.store.database import Database

_TICK_SECONDS = 1.0
_LEADER_KEY = 727_002


@contextmanager
def leadership(database: Database) -> Iterator[bool]:
    """Whether this process is the one that advances rounds: a file lock, or PostgreSQL's advisory lock."""
    if database.path is not None:
        with Path(f"{database.path}-leader").open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True
        return
    with database.engine.connect() as connection:
        held = connection.execute(text(f"SELECT pg_try_advisory_lock({_LEADER_KEY})")).scalar_one()
        connection.commit()
        try:
            yield bool(held)
        finally:
            if held:
                connection.execute(text(f"SELECT pg_advisory_unlock({_LEADER_KEY})"))
                connection.commit()


def run_once(
    project: Project,
    *,
    processes: int = 2,
    on_progress: Callable[[int], None] | None = None,
    stopped: Callable[[], bool] = never,
) -> None:
    """Do everything that is due, then return. Calling it again changes nothing.

    Args:
        stopped: asked before every claim; once it holds, what is under way is finished and nothing more begun.
    """
    _advance(project)
    send_due(project, processes=processes, on_progress=on_progress, stopped=stopped)
    _advance(project)


def _advance(project: Project) -> None:
    engine = project.engine()
    with leadership(engine.database) as leads:
        if leads and not engine.halt_file.exists():
            advance_all(engine, project.clock().now())
    engine.database.close()


def serve(project: Project, *, processes: int, stop: threading.Event, on_error: Callable[[Exception], None]) -> None:
    """Run as a service until `stop` is set; a fault of one turn is told and the next turn tries again.

    Rounds advance beside the sending: a send that takes hours holds up no other campaign's wave.
    """

    def told(work: Callable[[], None]) -> Callable[[], None]:
        def turn() -> None:
            try:
                work()
            except Exception as error:  # the service outlives a fault; whoever runs it is told
                on_error(error)

        return turn

    advancing = run_every(_TICK_SECONDS, told(lambda: _advance(project)))
    sending = run_every(_TICK_SECONDS, told(lambda: send_due(project, processes=processes, stopped=stop.is_set)))
    with suppress(KeyboardInterrupt):
        stop.wait()
    stop.set()
    for scheduler in (advancing, sending):
        scheduler.shutdown(wait=True)
