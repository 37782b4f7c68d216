"""The command line's entry: options before the verb, verbs by group, errors without tracebacks."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.session import Session
from engine.errors import CampaignError
from engine.model import instant

_GROUPS = ("start", "declare", "imports", "segments", "plan", "run", "people", "report", "audit")

app = typer.Typer(
    help="Experimentation as code for CRM marketing: hypothesis, plan, execute, measure, improve.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _instant(text: str) -> datetime:
    try:
        return instant(text)
    except ValueError as error:
        raise typer.BadParameter(f"{error}; write for example 2026-12-01T10:00:00Z") from None


@app.callback()
def options(
    ctx: typer.Context,
    file: Annotated[Path, typer.Option("--file", help="The declared campaigns")] = Path("campaigns.yaml"),
    database: Annotated[str | None, typer.Option("--database", help="The store's URL", show_default=False)] = None,
    at: Annotated[
        datetime | None,
        typer.Option("--at", parser=_instant, metavar="ISO-TIME", help="Pretend the time", show_default=False),
    ] = None,
    acting: Annotated[
        str | None, typer.Option("--as", help="Who acts; default the git identity", show_default=False)
    ] = None,
) -> None:
    """What stands before the verb."""
    ctx.obj = Session(file=file, database=database, at=at, acting=acting)


for _group in _GROUPS:
    import_module(f"engine.cli.{_group}").register(app)


def main() -> None:
    """Run the command line; exit 0 fine, 1 problems in what the user gave, 2 usage or internal failure."""
    try:
        app()
    except CampaignError as error:
        _fail(str(error), 1)
    except KeyboardInterrupt:
        _fail("stopped", 1)
    except BrokenPipeError:
        # The reader of a pipe has gone; there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:  # the last resort: say it in one line, and the rest to whoever asks for it
        if os.environ.get("CAMPAIGN_DEBUG"):
            raise
        _fail(f"internal failure: {type(error).__name__}: {error}\nset CAMPAIGN_DEBUG=1 to see where", 2)


def _fail(text: str, code: int) -> None:
    sys.stderr.write(text.rstrip() + "\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
