"""`plan`, `launch`, `approve`: what would happen, and the acts that let it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.output import Format, FormatOption, echo_json

if TYPE_CHECKING:
    from engine.cli.session import Session
    from engine.cycle.plan import Draft

Yes = Annotated[bool, typer.Option("--yes", help="Launch without asking")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("plan")(plan)
    app.command("launch")(launch)
    app.command("approve")(approve)


def plan(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(help="The campaign; all of them when absent")] = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Show what a launch would do: audience, sample, sends, messages, cost. Sends nothing."""
    from engine.cli import plan_view

    session: Session = ctx.obj
    names = [name] if name is not None else list(session.declared().project.campaigns)
    drafts = [_draft(session, each) for each in names]
    if format_ is Format.JSON:
        documents = [plan_view.document(draft) for draft in drafts]
        echo_json(documents[0] if name is not None else documents)
    else:
        typer.echo("\n\n".join(plan_view.text(draft) for draft in drafts))


def _draft(session: Session, name: str) -> Draft:
    from engine.cycle.plan import plan as work_out

    return work_out(session.engine(), session.declared(), name, session.now())


def launch(ctx: typer.Context, name: Annotated[str, typer.Argument(help="The campaign")], yes: Yes = False) -> None:
    """Show the plan, ask, and seal it. Nothing is sent before; `run` sends what is launched."""
    from engine.cli import plan_view
    from engine.cycle.launch import launch as seal

    session: Session = ctx.obj
    engine = session.engine(moves=True)
    draft = _draft(session, name)
    typer.echo(plan_view.text(draft), err=True)
    if not yes and not _agreed(f"\nLaunch round {draft.round} of {name} as {session.actor}?"):
        typer.echo("not launched", err=True)
        raise typer.Exit(1)
    launched = seal(engine, draft, actor=session.actor, now=session.now())
    typer.echo(f"launched round {launched.number} of {name}: sealed as {launched.sha256}")
    if launched.approvals_needed:
        people = "one other person" if launched.approvals_needed == 1 else f"{launched.approvals_needed} other people"
        typer.echo(f"waits for the approval of {people}: campaign --as PERSON approve {name}")


def _agreed(question: str) -> bool:
    if not sys.stdin.isatty():
        typer.echo(f"{question} Nobody is there to answer; add --yes.", err=True)
        return False
    return typer.confirm(question, err=True)


def approve(ctx: typer.Context, name: Annotated[str, typer.Argument(help="The campaign")]) -> None:
    """Approve a waiting launch, or start the next round that the last verdict proposed."""
    from engine.cycle.accept import Approved, accept

    session: Session = ctx.obj
    done = accept(session.engine(moves=True), name, actor=session.actor, now=session.now())
    if isinstance(done, Approved):
        left = f"{done.missing} more needed" if done.missing else "it is open now"
        typer.echo(f"approved round {done.round} of {name}: {left}")
    else:
        typer.echo(f"wrote the proposal into the YAML and launched round {done.number} of {name}")
        typer.echo(f"sealed as {done.sha256}")
