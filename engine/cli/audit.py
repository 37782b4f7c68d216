"""`audit`, `rejudge`: the sealed record, checked and computed again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.output import Format, FormatOption, echo_json, moment, table

if TYPE_CHECKING:
    from engine.cli.session import Session

_PAYLOAD = 80


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    group = typer.Typer(no_args_is_help=True, help="The sealed record")
    group.command("verify")(verify)
    group.command("show")(show)
    app.add_typer(group, name="audit")
    app.command("rejudge")(rejudge)


def verify(ctx: typer.Context) -> None:
    """Check the chain, every sealed document and every wave's digest; name the first that is wrong."""
    from engine.cycle.record import first_fault
    from engine.store import audit

    session: Session = ctx.obj
    with session.open().read() as connection:
        fault = first_fault(connection)
        seq, sha256 = audit.head(connection)
    if fault is not None:
        typer.echo(f"the record is broken: {fault}")
        raise typer.Exit(1)
    typer.echo(f"the record is whole: {seq} entries, head {sha256}")


def show(
    ctx: typer.Context,
    number: Annotated[int | None, typer.Argument(metavar="SEQ", help="One entry, whole")] = None,
    campaign: Annotated[str | None, typer.Option("--campaign", help="Only of this campaign")] = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """List the audit entries, or show one with what it seals."""
    from engine.cycle.record import entries
    from engine.cycle.record import entry as whole

    session: Session = ctx.obj
    with session.open().read() as connection:
        if number is not None:
            echo_json(whole(connection, number))
            return
        found = entries(connection, campaign)
    if format_ is Format.JSON:
        echo_json(found)
        return
    rows = [
        (entry["seq"], moment(entry["at"]), entry["actor"], entry["subject"], entry["kind"], _short(entry["payload"]))
        for entry in found
    ]
    typer.echo(table(rows, ("seq", "at", "actor", "campaign", "kind", "payload"), right=frozenset({0})))


def _short(payload: dict[str, Any]) -> str:
    text = json.dumps(payload, ensure_ascii=False)
    return text if len(text) <= _PAYLOAD else f"{text[:_PAYLOAD]}…"


def rejudge(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The campaign")],
    number: Annotated[int | None, typer.Option("--round", help="The round; default the last one")] = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Compute a past verdict again from its sealed statistics and compare it byte by byte."""
    from engine.cycle.look import rejudge as again

    session: Session = ctx.obj
    with session.open().read() as connection:
        done = again(connection, name, number)
    if format_ is Format.JSON:
        echo_json(
            {"campaign": done.campaign, "round": done.round, "look": done.look, "equal": done.equal,
             "sealed": done.sealed, "again": done.again}
        )  # fmt: skip
    else:
        decision = done.again["verdict"]["decision"]
        told = "equal, byte for byte" if done.equal else "NOT EQUAL to what was sealed"
        typer.echo(f"{done.campaign} round {done.round}, look {done.look}: {decision or 'described'}; {told}")
    if not done.equal:
        raise typer.Exit(1)
