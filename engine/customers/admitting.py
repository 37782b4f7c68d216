"""Whether a file is taken: every row is checked into a staging file, and then the whole is decided."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from engine.customers.checking import check
from engine.customers.chunks import LINE, TEXT
from engine.customers.layout import CUSTOMERS, ORDERS
from engine.customers.quality import ImportReport, Tally, reject_limit, written
from engine.customers.reading import chunks
from engine.customers.sieve import Clock
from engine.customers.source_file import SHOWN, Reject
from engine.customers.staging import Staging
from engine.customers.task import Task
from engine.errors import FixYourData
from engine.store.tables import from_micros


def admit(task: Task, path: Path) -> tuple[Staging, ImportReport]:
    """Stage a file's rows at `path`; the reject file is written where any were bad.

    Raises:
        FixYourData: it cannot be read, or too many of its rows are bad; nothing is left behind.
    """
    staging = Staging.begin(path, task.layout)
    try:
        tally = _check_rows(task, staging)
        checked = tally.rows - tally.rejected
        tally.duplicates = staging.settle()
        if staging.has_late:
            _reject_late(task, staging, tally)
        if tally.rejected:
            _write(task.rejects, staging.rejects())
        reject_limit(tally, task.max_rejects, str(task.rejects))
        report = _report(task, tally, checked=checked, accepted=staging.size)
        staging.finish()
    except BaseException:
        staging.discard()
        raise
    return Staging.open(path, task.layout), report


def _check_rows(task: Task, staging: Staging) -> Tally:
    tally, clock = Tally(), Clock(now=task.now, zone=task.timezone)
    for chunk in chunks(task.path, task.layout, task.mapping, staging.path.parent):
        rows, rejects = check(chunk, task.layout, tally, clock, currency=task.currency, orders_known=task.orders_known)
        staging.add(rows, rejects)
        task.on_progress("checking", chunk.share_read)
    return tally


def _reject_late(task: Task, staging: Staging, tally: Tally) -> None:
    """Read the file again for the text of the rows that only the whole of it proved bad."""
    for chunk in chunks(task.path, task.layout, task.mapping, staging.path.parent):
        if len(chunk.frame) == 0:
            continue
        lines = chunk.frame[LINE]
        reasons = staging.late(int(lines[0]), int(lines[-1]))
        bad = chunk.frame.filter(pl.col(LINE).is_in(list(reasons))).select(LINE, pl.col(TEXT).str.head(SHOWN))
        rejects = [Reject(line=line, reason=reasons[line], text=shown) for line, shown in bad.rows()]
        staging.reject(rejects)
        tally.reasons.update(reject.reason for reject in rejects)


def _report(task: Task, tally: Tally, *, checked: int, accepted: int) -> ImportReport:
    last = None if tally.last is None else from_micros(tally.last)
    through = task.through or (min(last, task.now) if last else None)
    names = ("purchase", "returned") if task.layout is ORDERS else tuple(sorted(tally.names))
    return ImportReport(
        kind=task.layout.kind,
        file=task.path.name,
        source=task.source,
        rows=tally.rows,
        checked=checked,
        accepted=accepted,
        rejected=tally.rejected,
        reasons=dict(tally.reasons),
        rejects_file=str(task.rejects) if tally.rejected else None,
        duplicates=tally.duplicates,
        filled=dict(tally.filled),
        notes={text: {"count": note.count, "lines": note.lines} for text, note in tally.notes.items()},
        dropped=tuple(sorted(tally.dropped)),
        names=names,
        first_at=None if tally.first is None else written(from_micros(tally.first)),
        last_at=None if last is None else written(last),
        through=written(through) if through and task.layout is not CUSTOMERS else None,
    ).in_order()


def _write(path: Path, rejects: Iterator[Reject]) -> None:
    """Write the reject file: JSON lines where its name ends so, else CSV."""
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            if path.suffix.lower() in (".jsonl", ".ndjson"):
                file.writelines(
                    json.dumps({"line": reject.line, "reason": reject.reason, "row": reject.text}, ensure_ascii=False)
                    + "\n"
                    for reject in rejects
                )
            else:
                table = csv.writer(file)
                table.writerow(("line", "reason", "row"))
                table.writerows((reject.line, reject.reason, reject.text) for reject in rejects)
        part.replace(path)
    except OSError as error:
        raise FixYourData(
            f"the reject file {path} cannot be written: {error.strerror}; say another --rejects"
        ) from None
