"""The models seen as a grammar: which keys are known at a place, and what could stand there."""

from __future__ import annotations

import types
from datetime import date, time
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import Tag
from pydantic.fields import FieldInfo

from engine.declare.quantities import Quantity
from engine.declare.scalars import Either
from engine.declare.spec import Spec

Location = tuple[str | int, ...]
"""A pydantic error location: keys, indexes and the tags of unions."""
Trail = tuple[str | int, ...]
"""A place in campaigns.yaml: keys and indexes, such as ("campaigns", "winback", "segment")."""


def trail_of(model: type[Spec], location: Location) -> tuple[Trail, Any]:
    """The place that an error location means, and the type that belongs there (None for a key that is not known)."""
    here: Any = model
    trail: list[str | int] = []
    for step in location:
        if step == "[key]":
            break
        chosen = _tagged(here, step)
        if chosen is not None:
            here = chosen
            continue
        trail.append(step)
        here = _below(here, step)
    return tuple(trail), here


def fields(annotation: Any) -> dict[str, FieldInfo]:
    """The keys that are known at a place, as they are written; empty where any key may stand."""
    model = bare(annotation)
    if not (isinstance(model, type) and issubclass(model, Spec)):
        return {}
    return {info.alias or name: info for name, info in model.model_fields.items()}


def choices(annotation: Any) -> tuple[str, ...]:
    """The words that a place takes, where it takes fixed words only."""
    found = bare(annotation)
    return tuple(str(word) for word in get_args(found)) if get_origin(found) is Literal else ()


def stand_in(annotation: Any) -> Any:
    """A value that fits a place, to go on checking the rest of a file after a mistake."""
    either = _either(annotation)
    if either is not None:
        return either.quantities[0].example
    found = bare(annotation)
    origin = get_origin(found)
    if origin is Literal:
        return get_args(found)[0]
    if origin in (list, tuple):
        return [stand_in(item) for item in get_args(found)] if origin is tuple else []
    if _is_union(found):
        return stand_in(get_args(found)[-1])
    return _example(found)


def _example(kind: Any) -> Any:
    if isinstance(kind, type) and issubclass(kind, Quantity):
        return kind.example
    examples: dict[Any, Any] = {int: "1", float: "1", bool: "true", str: "x", date: "2000-01-01", time: "00:00"}
    return examples.get(kind, {})


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, types.UnionType)


def _either(annotation: Any) -> Either | None:
    while _is_union(annotation):
        annotation = get_args(annotation)[0]
    if get_origin(annotation) is not Annotated:
        return None
    return next((extra for extra in get_args(annotation)[1:] if isinstance(extra, Either)), None)


def bare(annotation: Any) -> Any:
    """Without `Annotated` and without the choice of nothing."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
            continue
        members = [member for member in get_args(annotation) if member is not type(None)]
        if _is_union(annotation) and len(members) == 1:
            annotation = members[0]
            continue
        return annotation


def _tagged(annotation: Any, step: str | int) -> Any:
    found = bare(annotation)
    if not _is_union(found):
        return None
    for member in get_args(found):
        if any(isinstance(extra, Tag) and extra.tag == step for extra in get_args(member)[1:]):
            return member
    return None


def _below(annotation: Any, step: str | int) -> Any:
    found = bare(annotation)
    info = fields(found).get(str(step))
    if info is not None:
        either = next((extra for extra in info.metadata if isinstance(extra, Either)), None)
        return info.annotation if either is None else Annotated[info.annotation, either]
    match get_origin(found):
        case kind if kind is dict:
            return get_args(found)[1]
        case kind if kind is list:
            return get_args(found)[0]
        case kind if kind is tuple and isinstance(step, int):
            items = get_args(found)
            return items[min(step, len(items) - 1)]
        case _:
            return None
