"""`segments`: who a rule means, in words and in numbers."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from engine.declare.spec import Segment
    from engine.model import AsOf
    from engine.segments.explain import Line


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"


Name = Annotated[str, typer.Argument(help="Name of a segment in campaigns.yaml", show_default=False)]
Written = Annotated[Format, typer.Option("--format", help="How the answer is written")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    group = typer.Typer(no_args_is_help=True, help="Who a rule means, in words and in numbers")
    group.command("list")(list_)
    group.command("show")(show)
    group.command("size")(size)
    group.command("sample")(sample)
    app.add_typer(group, name="segments")


def list_(ctx: typer.Context, format_: Written = Format.TEXT) -> None:
    """The segments that are declared."""
    segments = _declared(ctx)
    if format_ is Format.JSON:
        _dump([{"name": name, "description": segment.description} for name, segment in segments.items()])
        return
    width = max((len(name) for name in segments), default=0)
    for name, segment in segments.items():
        typer.echo(f"{name:<{width}}  {segment.description or ''}".rstrip())


def show(ctx: typer.Context, name: Name, format_: Written = Format.TEXT) -> None:
    """The rule in words, with how many customers each condition holds for on its own."""
    from engine.segments.explain import explain

    segment, segments, as_of = _segment(ctx, name), _declared(ctx), ctx.obj.as_of()
    with ctx.obj.open().read() as connection:
        lines = explain(connection, segment.where, segments, as_of)
        if format_ is Format.JSON:
            rule = [{"depth": line.depth, "words": line.words, "customers": line.customers} for line in lines]
            _dump({"name": name, "description": segment.description, "as_of": _iso(as_of), "rule": rule})
            return
        typer.echo(f"{name}: {segment.description}" if segment.description else name)
        for line in lines:
            typer.echo(_text(line))


def size(ctx: typer.Context, name: Name, format_: Written = Format.TEXT) -> None:
    """How many customers are in the segment."""
    from engine.declare.spec import InSegment
    from engine.segments.explain import size as count

    _segment(ctx, name)
    as_of = ctx.obj.as_of()
    with _waiting(), ctx.obj.open().read() as connection:
        customers = count(connection, InSegment(in_segment=name), _declared(ctx), as_of)
    if format_ is Format.JSON:
        _dump({"name": name, "as_of": _iso(as_of), "customers": customers})
    else:
        typer.echo(customers)


def sample(
    ctx: typer.Context,
    name: Name,
    customers: Annotated[int, typer.Option("--customers", "-n", min=1, help="How many at most")] = 10,
    format_: Written = Format.TEXT,
) -> None:
    """Some customers of the segment, always the same ones: the first by customer_id."""
    from engine.segments.explain import first

    _segment(ctx, name)
    as_of = ctx.obj.as_of()
    with _waiting(), ctx.obj.open().read() as connection:
        found = first(connection, name, _declared(ctx), as_of, customers)
    if format_ is Format.JSON:
        _dump({"name": name, "as_of": _iso(as_of), "customer_ids": found})
        return
    for customer_id in found:
        typer.echo(customer_id)


def _declared(ctx: typer.Context) -> dict[str, Segment]:
    segments: dict[str, Segment] = ctx.obj.declared().project.segments
    return segments


def _segment(ctx: typer.Context, name: str) -> Segment:
    from engine.declare.near import suggestion
    from engine.errors import NotFound

    segments = _declared(ctx)
    if name not in segments:
        hint = suggestion(name, segments, otherwise="campaigns.yaml declares none")
        raise NotFound(f'there is no segment "{name}"; {hint}')
    return segments[name]


def _waiting() -> Any:
    from rich.console import Console

    return Console(stderr=True).status("counting")


def _text(line: Line) -> str:
    counted = "not yet" if line.customers is None else f"{line.customers:,}"
    return f"{counted:>11}  {'  ' * line.depth}{line.words}"


def _iso(as_of: AsOf) -> str:
    return as_of.at.isoformat().replace("+00:00", "Z")


def _dump(document: Any) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2))
