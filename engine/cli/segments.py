"""`segments`: who a rule means, in words and in numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.output import Format, FormatOption, echo_json

if TYPE_CHECKING:
    from engine.declare.spec import Segment
    from engine.segments.explain import Line


Name = Annotated[str, typer.Argument(help="Name of a segment in campaigns.yaml", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    group = typer.Typer(no_args_is_help=True, help="Who a rule means, in words and in numbers")
    group.command("list")(list_)
    group.command("show")(show)
    group.command("size")(size)
    group.command("sample")(sample)
    app.add_typer(group, name="segments")


def list_(ctx: typer.Context, format_: FormatOption = Format.TEXT) -> None:
    """The segments that are declared."""
    segments = _declared(ctx)
    if format_ is Format.JSON:
        echo_json([{"name": name, "description": segment.description} for name, segment in segments.items()])
        return
    width = max((len(name) for name in segments), default=0)
    for name, segment in segments.items():
        typer.echo(f"{name:<{width}}  {segment.description or ''}".rstrip())


def show(ctx: typer.Context, name: Name, format_: FormatOption = Format.TEXT) -> None:
    """The rule in words, with how many customers each condition holds for on its own."""
    from engine.segments.explain import explain

    segments, as_of = _with(ctx, name), ctx.obj.as_of()
    segment = segments[name]
    with ctx.obj.open().read() as connection:
        lines = explain(connection, segment.where, segments, as_of)
        if format_ is Format.JSON:
            rule = [{"depth": line.depth, "words": line.words, "customers": line.customers} for line in lines]
            echo_json({"name": name, "description": segment.description, "as_of": as_of.at, "rule": rule})
            return
        typer.echo(f"{name}: {segment.description}" if segment.description else name)
        for line in lines:
            typer.echo(_text(line))


def size(ctx: typer.Context, name: Name, format_: FormatOption = Format.TEXT) -> None:
    """How many customers are in the segment."""
    from engine.declare.spec import InSegment
    from engine.segments.explain import size as count

    segments, as_of = _with(ctx, name), ctx.obj.as_of()
    with _waiting(), ctx.obj.open().read() as connection:
        customers = count(connection, InSegment(in_segment=name), segments, as_of)
    if format_ is Format.JSON:
        echo_json({"name": name, "as_of": as_of.at, "customers": customers})
    else:
        typer.echo(customers)


def sample(
    ctx: typer.Context,
    name: Name,
    customers: Annotated[int, typer.Option("--customers", "-n", min=1, help="How many at most")] = 10,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Some customers of the segment, always the same ones: the first by customer_id."""
    from engine.segments.explain import first

    segments, as_of = _with(ctx, name), ctx.obj.as_of()
    with _waiting(), ctx.obj.open().read() as connection:
        found = first(connection, name, segments, as_of, customers)
    if format_ is Format.JSON:
        echo_json({"name": name, "as_of": as_of.at, "customer_ids": found})
        return
    for customer_id in found:
        typer.echo(customer_id)


def _declared(ctx: typer.Context) -> dict[str, Segment]:
    segments: dict[str, Segment] = ctx.obj.declared().project.segments
    return segments


def _with(ctx: typer.Context, name: str) -> dict[str, Segment]:
    """The declared segments, the named one among them."""
    from engine.declare.near import suggestion
    from engine.errors import NotFound

    segments = _declared(ctx)
    if name not in segments:
        hint = suggestion(name, segments, otherwise="campaigns.yaml declares none")
        raise NotFound(f'there is no segment "{name}"; {hint}')
    return segments


def _waiting() -> Any:
    from rich.console import Console

    return Console(stderr=True).status("counting")


def _text(line: Line) -> str:
    counted = "not yet" if line.customers is None else f"{line.customers:,}"
    return f"{counted:>11}  {'  ' * line.depth}{line.words}"
