"""A file into the store: checked as a whole beside it first, then applied in steps that a crash cannot harm.

The same file, read in the same way, is imported once: its hash is the key. What a killed
import left is finished by the next one, whichever file that is for.
"""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Row, insert, select

from engine.customers import sources
from engine.customers.layout import CUSTOMERS, EVENTS, LAYOUTS, ORDERS
from engine.customers.quality import ImportReport, written
from engine.customers.task import Progress, Task
from engine.errors import FixYourData, Refused
from engine.model import instant
from engine.store.database import Database
from engine.store.tables import import_file as imports

if TYPE_CHECKING:
    from engine.customers.staging import Staging

_SUFFIX = ".staged"


def import_file(
    database: Database,
    kind: str,
    path: Path,
    *,
    mapping: Mapping[str, str],
    source: str | None,
    through: datetime | None,
    max_rejects: float,
    rejects: Path,
    now: datetime,
    currency: str | None = None,
    timezone: str | None = None,
    on_progress: Progress | None = None,
) -> ImportReport:
    """Import a file of customers, orders or events; calling it again changes nothing.

    Args:
        kind: customers, orders or events.
        mapping: our names of columns → the file's.
        source: who gives these data; high-water marks are kept per source. Default: the kind.
        through: up to when the file is complete; default the latest time in it.
        max_rejects: 0–1; with a larger share of bad rows nothing is imported.
        rejects: where bad rows are written with line and reason (.jsonl: JSON lines, else CSV).
        now: the rows count as recorded at this instant; later times (by more than a day) are refused.
        currency: of order lines that name none.
        timezone: IANA zone of times that are written without one.
        on_progress: is told what is being done, and the share of it that is done.

    Raises:
        FixYourData: the file as a whole cannot be used; nothing of it was taken.
        Refused: what is in the store forbids it.
    """
    from engine.customers.source_file import fingerprint

    task = Task(
        layout=LAYOUTS[kind],
        path=path,
        mapping=mapping,
        source=source or kind,
        through=through,
        max_rejects=max_rejects,
        rejects=rejects,
        now=now,
        currency=currency,
        timezone=timezone,
        on_progress=on_progress or _say_nothing,
    )
    _refuse_nonsense(task)
    try:
        sha256 = task.key(fingerprint(path))
        with _one_at_a_time(database) as folder:
            _finish_leftovers(database, folder, task, but=sha256)
            return _import(database, folder, task, sha256)
    except FixYourData as error:
        raise FixYourData(f"{path}: {error}") from None


def _say_nothing(doing: str, share: float) -> None:
    pass


def _refuse_nonsense(task: Task) -> None:
    """What is wrong before the file is opened."""
    from engine.customers import parsing
    from engine.customers.sieve import AHEAD

    if task.layout is EVENTS and task.source == ORDERS.kind:
        raise FixYourData("the source 'orders' is kept for imported orders; give these events another --source")
    if task.rejects.resolve() == task.path.resolve():
        raise FixYourData(f"--rejects {task.rejects} is the file itself, which would be lost; say another one")
    if task.layout is CUSTOMERS and task.through is not None:
        raise FixYourData("--through says up to when orders or events are complete; customers have no such time")
    if task.through is not None and task.through > task.now + AHEAD:
        raise FixYourData(f"--through {task.through:%Y-%m-%d %H:%M} lies in the future; no file is complete up to then")
    if task.timezone is not None and parsing.timezone(task.timezone) is None:
        raise FixYourData(f"--timezone {task.timezone!r} is no IANA time zone; write for example Europe/Berlin")
    if task.currency is not None and not parsing.CURRENCY.fullmatch(task.currency):
        raise FixYourData(f"--currency {task.currency!r} is no code of three letters such as EUR (ISO 4217)")


# --- the folder of staging files ---------------------------------------------------------------------------


@contextmanager
def _one_at_a_time(database: Database) -> Iterator[Path]:
    """The folder of the store's staging files, held against other imports on this machine."""
    folder = _folder(database)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # it holds personal data
    with (folder / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def _folder(database: Database) -> Path:
    if database.path is not None:
        return Path(f"{database.path}-imports")
    return Path(".campaign") / f"imports-{hashlib.sha256(database.url.encode()).hexdigest()[:12]}"


def _finish_leftovers(database: Database, folder: Path, task: Task, *, but: str) -> None:
    """Finish what killed imports had begun to apply; remove what they had only begun to check.

    Args:
        but: the import that is wanted now, and goes on by itself.
    """
    from engine.customers.applying import apply
    from engine.customers.staging import Staging

    for scrap in (*folder.glob("*.part"), *folder.glob("*.unzipped")):
        scrap.unlink()
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        row = _row(database, path.stem)
        if row is None or row.state == sources.COMPLETE:
            path.unlink()
        elif path.stem != but:
            staging = Staging.open(path, LAYOUTS[row.kind])
            apply(database, staging, path.stem, task.now, task.on_progress)
            staging.discard()


def _row(database: Database, sha256: str) -> Row[tuple[object, ...]] | None:
    with database.read() as connection:
        return connection.execute(select(imports).where(imports.c.sha256 == sha256)).first()


# --- one import --------------------------------------------------------------------------------------------


def _import(database: Database, folder: Path, task: Task, sha256: str) -> ImportReport:
    from engine.customers.applying import apply

    row = _row(database, sha256)
    if row is not None and row.state == sources.COMPLETE:
        return _raise_marks(database, task, ImportReport.from_json(row.report).again())
    path = folder / f"{sha256}{_SUFFIX}"
    with database.read() as connection:
        task = replace(task, orders_known=_purchases_come_once(connection, task))
    staging = _begin(database, path, task, sha256) if row is None else _go_on(path, task, row)
    report = apply(database, staging, sha256, task.now, task.on_progress)
    staging.discard()
    return _raise_marks(database, task, replace(report, resumed=row is not None))


def _begin(database: Database, path: Path, task: Task, sha256: str) -> Staging:
    """Check the file, and write down that it is being applied."""
    from engine.customers.admitting import admit

    staging, report = admit(task, path)
    values = {
        "sha256": sha256, "kind": report.kind, "name": report.file, "source": report.source, "state": sources.APPLYING,
        "cursor": 0, "rows": report.accepted, "rejected": report.rejected, "report": report.to_json(),
        "started_at": task.now,
    }  # fmt: skip
    with database.write() as connection:
        connection.execute(insert(imports).values(**values))
    return staging


def _go_on(path: Path, task: Task, row: Row[tuple[object, ...]]) -> Staging:
    """The staging file of an import that was broken off; made again, as it was, if it is gone."""
    from engine.customers.admitting import admit
    from engine.customers.staging import Staging

    if path.exists():
        return Staging.open(path, task.layout)
    staging, _ = admit(replace(task, now=row.started_at, max_rejects=1.0), path)
    if staging.size != row.rows:
        staging.discard()
        raise Refused(
            f"the import of {row.name} was broken off and cannot go on, as its rows are judged otherwise now; "
            "import it with the release that began it"
        )
    return staging


def _purchases_come_once(connection: Connection, task: Task) -> bool:
    """Whether orders were imported.

    Raises:
        Refused: the file brings orders, and an events file brought purchases already.
    """
    if task.layout is ORDERS:
        events = connection.execute(select(imports.c.name, imports.c.report).where(imports.c.kind == EVENTS.kind))
        for name, report in events:
            if "purchase" in report["names"]:
                raise Refused(
                    f"purchases were imported as events ({name}); orders would count them a second time. "
                    "Go on importing purchases as events, or begin a new store with orders"
                )
    return connection.execute(select(imports.c.sha256).where(imports.c.kind == ORDERS.kind)).first() is not None


def _raise_marks(database: Database, task: Task, report: ImportReport) -> ImportReport:
    """A later `--through` for a file that was imported before still says that nothing is missing."""
    before = None if report.through is None else instant(report.through)
    if task.through is None or (before is not None and task.through <= before):
        return report
    with database.write() as connection:
        sources.complete_through(connection, report.source, report.names, task.through)
    return replace(report, through=written(task.through))
