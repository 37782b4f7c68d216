"""`report` and `history`: what came of it."""

from __future__ import annotations

import re
import shutil
import sys
import webbrowser
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from engine.cli.session import Session
    from engine.report.report import Report


class ReportFormat(StrEnum):
    HTML = "html"
    JSON = "json"
    TEXT = "text"


class HistoryFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("report")(report)
    app.command("history")(history)


def report(
    ctx: typer.Context,
    *,
    name: Annotated[str | None, typer.Argument(help="Campaign; without it the one launched last")] = None,
    round_: Annotated[int | None, typer.Option("--round", help="Round; without it the last one")] = None,
    format_: Annotated[
        ReportFormat | None, typer.Option("--format", help="Default: by the ending of the output file, else text")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file")] = None,
    open_: Annotated[bool, typer.Option("--open", help="Write the HTML page and open it in the browser")] = False,
) -> None:
    """What was claimed, what was seen, what was decided."""
    from engine.report.report import build, latest_campaign

    session: Session = ctx.obj
    with session.open().read() as connection:
        campaign = name or latest_campaign(connection)
        built = build(connection, campaign=campaign, number=round_, as_of=session.as_of())
    if open_ and output is None:
        output = _page(session, built)
    wanted = format_ or _format_of(output)
    written = _write(built, wanted)
    if output is None:
        sys.stdout.write(written)
        return
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(written, encoding="utf-8")
    typer.echo(f"wrote {output}", err=True)
    if open_:
        webbrowser.open(output.resolve().as_uri())


def _page(session: Session, built: Report) -> Path:
    """Where a page stands that nobody named: beside the demo's, in the project's folder."""
    name = re.sub(r"[^0-9A-Za-z_-]", "-", built.campaign)
    return session.file.parent / "reports" / f"{name}-{built.number}.html"


def _format_of(output: Path | None) -> ReportFormat:
    endings = {".html": ReportFormat.HTML, ".htm": ReportFormat.HTML, ".json": ReportFormat.JSON}
    return endings.get(output.suffix.lower(), ReportFormat.TEXT) if output else ReportFormat.TEXT


def _write(built: Report, wanted: ReportFormat) -> str:
    from engine.report import html, text
    from engine.report.report import dump

    match wanted:
        case ReportFormat.HTML:
            return html.render(built)
        case ReportFormat.JSON:
            return dump(built.to_json())
        case ReportFormat.TEXT:
            return text.render(built)


def history(
    ctx: typer.Context,
    search: Annotated[str | None, typer.Option(help="Words of the claim, reason, label, campaign, segment …")] = None,
    metric: Annotated[str | None, typer.Option(help="Only claims about this metric")] = None,
    format_: Annotated[HistoryFormat, typer.Option("--format")] = HistoryFormat.TEXT,
) -> None:
    """All experiments, decided or not, and what they taught."""
    from engine.report import history as rounds
    from engine.report.report import dump

    with ctx.obj.open().read() as connection:
        found = rounds.past(connection, search=search, metric=metric)
    if format_ is HistoryFormat.JSON:
        sys.stdout.write(dump(rounds.to_json(found)))
    else:
        sys.stdout.write(rounds.to_text(found, width=_width()))


def _width() -> int:
    """A terminal's columns; a file or a pipe gets lines as long as they are."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize
