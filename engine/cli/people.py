"""`customer`, `messages`, `uncertain`: what was sent to whom, and why something was not."""

from __future__ import annotations

import csv
import sys
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.output import Format, FormatOption, echo_json, moment, table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.cli.session import Session
    from engine.cycle.timeline import Happening


class TableFormat(StrEnum):
    TEXT = "text"
    JSON = "json"
    CSV = "csv"


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("customer")(customer)
    app.command("messages")(messages)
    group = typer.Typer(no_args_is_help=True, help="Messages whose fate is unknown")
    group.command("list")(uncertain_list)
    app.add_typer(group, name="uncertain")


def customer(
    ctx: typer.Context,
    customer_id: Annotated[str, typer.Argument(metavar="ID", help="The customer's own key")],
    format_: FormatOption = Format.TEXT,
) -> None:
    """One person's timeline: every message, and the reason for every message not sent."""
    from engine.cycle.timeline import customer_row, timeline

    session: Session = ctx.obj
    with session.open().read() as connection:
        person = customer_row(connection, customer_id)
        happenings = timeline(connection, person)
    if format_ is Format.JSON:
        echo_json({"customer_id": customer_id, "timeline": [asdict(happening) for happening in happenings]})
        return
    rows = [(_minute(happening), happening.what.replace("_", " "), _told(happening)) for happening in happenings]
    typer.echo(table(rows, ("when (UTC)", "what", "")))


def _minute(happening: Happening) -> str:
    return f"{happening.at:%Y-%m-%d %H:%M}"


def _told(happening: Happening) -> str:
    if happening.campaign is None:
        return happening.detail
    arm = f", arm {happening.arm}" if happening.arm else ""
    number = f", message {happening.message_id}" if happening.message_id else ""
    place = f"{happening.campaign} round {happening.round}, wave {happening.wave}"
    return f"{happening.detail} ({place}{arm}{number})"


def messages(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The campaign")],
    wave: Annotated[int | None, typer.Option("--wave", help="Only the n-th wave")] = None,
    state: Annotated[str | None, typer.Option("--state", help="Only messages in this state")] = None,
    format_: Annotated[TableFormat, typer.Option("--format", help="text, json or csv")] = TableFormat.TEXT,
) -> None:
    """The ledger of a campaign's messages."""
    from engine.cycle.listing import messages_of

    session: Session = ctx.obj
    with session.open().read() as connection:
        _write(messages_of(connection, name, wave=wave, state=state), format_)


def uncertain_list(
    ctx: typer.Context,
    format_: Annotated[TableFormat, typer.Option("--format", help="text, json or csv")] = TableFormat.TEXT,
) -> None:
    """Messages that a provider may or may not have taken; they are never sent again by themselves."""
    from engine.cycle.listing import uncertain

    session: Session = ctx.obj
    with session.open().read() as connection:
        _write(uncertain(connection), format_)


COLUMNS = ("message_id", "campaign", "round", "wave", "customer_id", "arm", "state", "reason", "sent_at", "fate")


def _write(rows: Iterable[Any], format_: TableFormat) -> None:
    listed = ([_cell(getattr(row, column)) for column in COLUMNS] for row in rows)
    match format_:
        case TableFormat.JSON:
            echo_json([dict(zip(COLUMNS, row, strict=True)) for row in listed])
        case TableFormat.CSV:
            writer = csv.writer(sys.stdout)
            writer.writerow(COLUMNS)
            writer.writerows([_harmless(cell) for cell in row] for row in listed)
        case TableFormat.TEXT:
            typer.echo(table(list(listed), COLUMNS, right=frozenset({0, 2})))


def _cell(value: Any) -> Any:
    return moment(value) if hasattr(value, "isoformat") else value


def _harmless(cell: Any) -> Any:
    """A spreadsheet runs text that begins like a formula; a quote before it keeps it text."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
