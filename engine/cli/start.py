"""`init` and `demo`: from an empty folder to a working project, and to a judged round."""

from __future__ import annotations

import sys
import time
import webbrowser
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from engine.cli.session import Session
    from engine.cycle.plan import Draft

_SEED = 20
_DEMO = Path("campaign-demo")
_SAMPLE = 20_000


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("init")(init)
    app.command("demo")(demo)


def init(
    ctx: typer.Context, folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="The project's folder")] = Path()
) -> None:
    """Make a working starter project: YAML, templates, sample data, schema."""
    from engine.rehearse.starter import YAML, make_project

    session: Session = ctx.obj
    files = make_project(folder, customers=_SAMPLE, seed=_SEED, at=session.now())
    where = f"cd {folder} && " if folder != Path() else ""
    typer.echo(f"made {folder / YAML} with its templates, and sample data of {_SAMPLE:,} invented customers. Next:\n")
    for line in (
        f"{where}campaign import customers {files.customers.relative_to(folder)}",
        f"campaign import orders {files.orders.relative_to(folder)}",
        f"campaign import events {files.events.relative_to(folder)}",
        "campaign plan winback",
        "campaign demo          # plays a whole round of this project with invented customers",
    ):
        typer.echo(f"  {line}")


def demo(
    ctx: typer.Context,
    customers: Annotated[int, typer.Option("--customers", min=100, help="How many are invented")] = 20_000,
    open_: Annotated[bool, typer.Option("--open", help="Open the report in the browser")] = False,
) -> None:
    """Play the whole cycle with invented customers whose behaviour is known, and end with a report."""
    from engine.rehearse.demo import play
    from engine.report import text

    session: Session = ctx.obj
    began = time.monotonic()
    played = play(
        _DEMO, file=session.file, settings=session.settings, customers=customers, seed=_SEED, now=session.now(),
        tell=_tell,
    )  # fmt: skip
    sys.stdout.write("\n".join(["", *_funnel(played.draft), "", text.render(played.report, notes=played.notes())]))
    typer.echo(f"Report: {_beside(played.page)}")
    typer.echo(f"Mails:  {_beside(played.outbox)} (nobody was sent anything)")
    typer.echo(f"took {time.monotonic() - began:.0f} seconds", err=True)
    if open_:
        webbrowser.open(played.page.as_uri())


def _tell(at: datetime, what: str) -> None:
    typer.echo(f"{at:%a %Y-%m-%d %H:%M}  {what}", err=True)


def _funnel(draft: Draft) -> list[str]:
    """How the generated customers became an audience, as planned."""
    from engine.model import REASON_TEXT

    counts = [("matched by the segment", draft.funnel.matched)]
    counts += [(f"− {REASON_TEXT[reason]}", -count) for reason, count in draft.funnel.excluded]
    counts += [("assigned", draft.funnel.left)]
    counts += [(f"  {name}", count) for name, count in draft.per_arm().items()]
    return ["Audience", *(f"  {label:<52}{count:>12,}" for label, count in counts)]


def _beside(path: Path) -> Path:
    """The path as somebody in this folder would write it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
