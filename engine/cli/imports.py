"""`import`: customers, orders and events from a file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.output import Format, FormatOption, echo_json

if TYPE_CHECKING:
    from datetime import datetime

    from engine.customers.task import Progress


class Kind(StrEnum):
    CUSTOMERS = "customers"
    ORDERS = "orders"
    EVENTS = "events"


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("import")(import_)


def import_(
    ctx: typer.Context,
    kind: Annotated[Kind, typer.Argument(help="What the file holds", show_default=False)],
    file: Annotated[Path, typer.Argument(help="CSV, Parquet or JSON lines; gzip too", show_default=False)],
    more: Annotated[
        list[str] | None,
        typer.Argument(metavar="OURS=THEIRS", help="More names, as with --map", show_default=False),
    ] = None,
    map_: Annotated[
        list[str] | None, typer.Option("--map", metavar="OURS=THEIRS", help="Our name of a column, and the file's")
    ] = None,
    through: Annotated[
        str | None, typer.Option(help="Up to when the file is complete (ISO 8601); default: the latest time in it")
    ] = None,
    max_rejects: Annotated[str, typer.Option(help="With more bad rows than this, nothing is imported")] = "5 %",
    source: Annotated[str | None, typer.Option(help="Who gives these data; default: the kind of file")] = None,
    rejects: Annotated[
        Path | None, typer.Option(help="Where bad rows go (.jsonl or .csv); default: FILE.rejects.csv here")
    ] = None,
    currency: Annotated[str | None, typer.Option(help="Currency of orders that name none, such as EUR")] = None,
    timezone: Annotated[str | None, typer.Option(help="Zone of times without one, such as Europe/Berlin")] = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Import customers, orders or events; the same file twice changes nothing."""
    from engine.customers.importing import import_file

    mapping = _mapping([*(map_ or []), *(more or [])])
    with _bar(file) as progress:
        report = import_file(
            ctx.obj.open(),
            kind.value,
            file,
            mapping=mapping,
            source=source,
            through=_time(through),
            max_rejects=_share(max_rejects),
            rejects=rejects or Path(f"{file.name}.rejects.csv"),
            now=ctx.obj.now(),
            currency=currency,
            timezone=timezone,
            on_progress=progress,
        )
    if format_ is Format.JSON:
        echo_json(report.to_json())
    else:
        sys.stdout.write(report.to_text())


def _mapping(pairs: list[str]) -> dict[str, str]:
    mapping: dict[str, str] = {}
    for pair in pairs:
        ours, equals, theirs = pair.partition("=")
        if not (equals and ours.strip() and theirs.strip()):
            raise typer.BadParameter(
                f"{pair!r} is not OURS=THEIRS, for example customer_id=CustomerNo", param_hint="--map"
            )
        if ours.strip() in mapping:
            raise typer.BadParameter(f"{ours.strip()!r} is given twice", param_hint="--map")
        mapping[ours.strip()] = theirs.strip()
    return mapping


def _time(text: str | None) -> datetime | None:
    from engine.model import instant

    try:
        return None if text is None else instant(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--through") from None


def _share(text: str) -> float:
    from engine.declare.quantities import Share

    try:
        return Share.parse(text).value
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--max-rejects") from None


@contextmanager
def _bar(file: Path) -> Iterator[Progress | None]:
    """A bar on stderr where somebody looks at it."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(file.name, total=1.0)
        yield lambda doing, share: bar.update(task, description=f"{file.name}: {doing}", completed=share)
