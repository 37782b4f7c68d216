"""How verbs answer: text for people, JSON for tools."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"


FormatOption = Annotated[Format, typer.Option("--format", help="text for people, json for tools")]


def echo_json(document: Any) -> None:
    """Print a JSON document; instants in UTC with Z."""
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False, default=_plain))


def _plain(value: Any) -> str:
    return moment(value) if isinstance(value, datetime) else str(value)


def moment(at: datetime | None) -> str:
    """An instant as tools read it."""
    return "" if at is None else at.isoformat().replace("+00:00", "Z")


def table(rows: Sequence[Sequence[Any]], header: Sequence[str], *, right: frozenset[int] = frozenset()) -> str:
    """Columns in line.

    Args:
        right: numbers of the columns that are flush right.
    """
    cells = [list(header), *[["" if cell is None else str(cell) for cell in row] for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    )
