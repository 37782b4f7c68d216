"""`validate` and `schema`: is the file right, and how is it written?"""

from __future__ import annotations

import json
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from engine.cycle.validate import Validation
    from engine.errors import Problem


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("validate")(validate)
    app.command("schema")(schema)


def validate(
    ctx: typer.Context,
    format_: Annotated[
        Format, typer.Option("--format", help="text, json, or github for annotations in a pull request")
    ] = (Format.TEXT),
) -> None:
    """Check campaigns.yaml and its templates; sends nothing and opens no store."""
    from engine.cycle.validate import inspect

    file: Path = ctx.obj.file
    validation = inspect(file)
    typer.echo(_WRITERS[format_](validation, file), nl=False)
    if validation.errors:
        raise typer.Exit(1)


def schema(
    ctx: typer.Context,
    write: Annotated[bool, typer.Option("--write", help="Write .campaign/schema.json beside campaigns.yaml")] = False,
) -> None:
    """Print the JSON Schema of campaigns.yaml, or write it where editors look for it."""
    from engine.declare import schema as schemas

    if not write:
        typer.echo(schemas.text(), nl=False)
        return
    file: Path = ctx.obj.file
    typer.echo(schemas.write(file.parent))


def _text(validation: Validation, file: Path) -> str:
    lines = [_marked(problem) for problem in validation.problems]
    if validation.errors == 0:
        found = _count(validation.warnings, "warning") if validation.warnings else "no problems"
        lines.append(f"{file}: {validation.summary}: {found}")
    else:
        lines.append(f"{file}: {_counts(validation)}")
    return "\n".join(lines) + "\n"


def _marked(problem: Problem) -> str:
    """Errors read as design says; a warning says that it is one, and the lint that gave it."""
    if problem.severity == "error" or problem.file is None:
        return str(problem)
    place, colon, rest = str(problem).partition(": ")
    rule = f" [{problem.rule}]" if problem.rule else ""
    first, newline, others = rest.partition("\n")
    return f"{place}{colon}warning: {first}{rule}{newline}{others}"


def _counts(validation: Validation) -> str:
    warnings = f", {_count(validation.warnings, 'warning')}" if validation.warnings else ""
    return _count(validation.errors, "error") + warnings


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _json(validation: Validation, file: Path) -> str:
    document = {
        "schema_version": 1,
        "file": str(file),
        "errors": validation.errors,
        "warnings": validation.warnings,
        "problems": [asdict(problem) for problem in validation.problems],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _github(validation: Validation, file: Path) -> str:
    """Workflow commands, which show as annotations on the lines of a pull request."""
    return "".join(f"{_annotation(problem, file)}\n" for problem in validation.problems)


def _annotation(problem: Problem, file: Path) -> str:
    fields = {"file": problem.file or str(file), "line": problem.line, "col": problem.column, "title": problem.rule}
    properties = ",".join(f"{key}={_property(str(value))}" for key, value in fields.items() if value is not None)
    message = problem.message if problem.hint is None else f"{problem.message}\n{problem.hint}"
    return f"::{problem.severity} {properties}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


_WRITERS = {Format.TEXT: _text, Format.JSON: _json, Format.GITHUB: _github}
