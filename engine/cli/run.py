"""`run`, `status`, `pause`, `resume`, `stop`: operate what is launched."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.output import Format, FormatOption, echo_json, moment, table
from engine.errors import FixYourYaml

if TYPE_CHECKING:
    from engine.cli.session import Session
    from engine.declare.load import Declared

Name = Annotated[str, typer.Argument(help="The campaign")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("run")(run)
    app.command("status")(status)
    app.command("pause")(pause)
    app.command("resume")(resume)
    app.command("stop")(stop)


def run(
    ctx: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="Do everything that is due, then exit")] = False,
    processes: Annotated[int, typer.Option("--processes", min=1, help="Sending processes")] = 2,
) -> None:
    """Run launched plans: open waves, send, measure, judge."""
    from engine.cycle.operate import HALT
    from engine.schedule.service import run_once, serve

    session: Session = ctx.obj
    project = session.project(moves=True)
    if (session.file.resolve().parent / HALT).exists():
        typer.echo("halted: nothing is sent until `campaign resume --all`", err=True)
    if session.at is not None and not once:
        raise typer.BadParameter("--at goes with `run --once`; a service has only the real clock")
    with _asked_to_stop() as asked:
        if not once:
            typer.echo("running; stop with Ctrl-C", err=True)
            serve(project, processes=processes, stop=asked, on_error=_tell)
            return
        with _progress() as tell:
            run_once(project, processes=processes, on_progress=tell, stopped=asked.is_set)
    if asked.is_set():
        typer.echo("stopped; `campaign run` goes on with the rest", err=True)
        raise typer.Exit(1)


@contextmanager
def _asked_to_stop() -> Iterator[threading.Event]:
    """What the first Ctrl-C or SIGTERM sets, so that the call under way is finished; a second one kills."""
    asked = threading.Event()

    def ask(number: int, _: Any) -> None:
        asked.set()
        signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell(error: Exception) -> None:
    typer.echo(f"this turn failed and will be tried again: {error}", err=True)


@contextmanager
def _progress() -> Iterator[Callable[[int], None]]:
    """A bar on anything over a second; none when nobody watches."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f} messages"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("sending", total=None)
        yield lambda count: bar.update(task, completed=count)


def status(ctx: typer.Context, format_: FormatOption = Format.TEXT) -> None:
    """Where every campaign stands, and what a round waits for."""
    from engine.cycle.overview import overview

    session: Session = ctx.obj
    engine = session.engine()
    lines = overview(engine, _declared(session), session.now())
    if format_ is Format.JSON:
        echo_json([_status_document(line) for line in lines])
        return
    if engine.halt_file.exists():
        typer.echo("HALTED: nothing is sent until `campaign resume --all`\n")
    rows = [(line.campaign, line.round or "", line.stage, line.messages(), "; ".join(line.waits_for)) for line in lines]
    typer.echo(table(rows, ("campaign", "round", "state", "messages", "waits for")))


def _declared(session: Session) -> Declared | None:
    """The declared campaigns; None with a word where they cannot be read, since rounds run without them."""
    try:
        return session.declared()
    except FixYourYaml as error:
        typer.echo(f"{error}\nso only what was launched is shown; it runs from its sealed plan\n", err=True)
        return None


def _status_document(line: Any) -> dict[str, Any]:
    return {
        "campaign": line.campaign,
        "round": line.round,
        "state": line.state,
        "paused": line.paused,
        "changed": line.changed,
        "messages": line.counts,
        "waits_for": list(line.waits_for),
        "settles_at": moment(line.settles_at) or None,
    }


def pause(ctx: typer.Context, name: Name) -> None:
    """Let a round's waves and sends rest; windows and data go on."""
    from engine.cycle.operate import pause as act

    session: Session = ctx.obj
    act(session.engine(moves=True), name, actor=session.actor, now=session.now())
    typer.echo(f"{name} is paused; `campaign resume {name}` goes on")


def resume(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(help="The campaign")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Take the halt of `stop --all` back")] = False,
) -> None:
    """Go on with a paused round, or with everything after `stop --all`."""
    from engine.cycle import operate

    session: Session = ctx.obj
    engine = session.engine(moves=True)
    if everything:
        operate.unhalt(engine, actor=session.actor, now=session.now())
        typer.echo("the halt is taken back; `campaign run` sends again")
        return
    operate.resume(engine, _named(name), actor=session.actor, now=session.now())
    typer.echo(f"{name} goes on")


def stop(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(help="The campaign")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Halt every send, even with the store locked")] = False,
) -> None:
    """End a round for good, or halt everything at once."""
    from engine.cycle import operate

    session: Session = ctx.obj
    if everything:
        # The halt file comes first: it works while the store is locked or broken.
        operate.halt(session.file.resolve().parent)
        typer.echo("halted: no process claims another message (checked before every claim)")
        for state, count in operate.settled_after_halt(session.settings.database_url).items():
            typer.echo(f"  {state:<10}{count:>10,}")
        typer.echo("`campaign resume --all` takes the halt back")
        return
    campaign = _named(name)
    skipped = operate.stop(session.engine(moves=True), campaign, actor=session.actor, now=session.now())
    typer.echo(f"{campaign} is stopped; {skipped:,} planned messages will not be sent")


def _named(name: str | None) -> str:
    if name is None:
        raise typer.BadParameter("name a campaign, or write --all")
    return name
