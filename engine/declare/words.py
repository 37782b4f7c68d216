"""pydantic's findings → mistakes in plain words, each with the place it is about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from engine.declare.grammar import Trail, bare, choices, fields, trail_of
from engine.declare.near import listing, nearest, suggestion
from engine.declare.quantities import quoted
from engine.declare.spec import CONDITION_KEYS, STEP_KEYS, Group, Overridable, SendStep, Spec

_GROUPS = ("all", "any", "none")


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """One wrong place: what to say of it, and what type belongs there."""

    trail: Trail
    message: str
    hint: str | None = None
    key: bool = False
    """The key is wrong, not the value."""
    annotation: Any = None
    kind: str = "value"
    """`unknown` key, `missing` key or wrong `value`."""


def mistakes(model: type[Spec], error: ValidationError) -> list[Mistake]:
    """Every mistake once, in pydantic's order."""
    found = [_mistake(model, details) for details in error.errors(include_url=False)]
    return list(_without_echoes(found))


def _without_echoes(found: list[Mistake]) -> Iterator[Mistake]:
    """A mistyped key is also missing under its right name, and hides what its neighbours belong to: say it once."""
    unknown = [mistake for mistake in found if mistake.kind == "unknown"]
    meant = {(*m.trail[:-1], nearest(str(m.trail[-1]), _known(m.annotation))) for m in unknown}
    misread = {mistake.trail[:-1] for mistake in unknown if mistake.annotation in (Group, SendStep)}
    for mistake in found:
        echo = mistake.kind == "missing" and (mistake.trail in meant or mistake.trail[:-1] in misread)
        neighbour = mistake.kind == "unknown" and mistake.trail[:-1] in misread and not _tells_most(mistake, unknown)
        if not echo and not neighbour:
            yield mistake


def _tells_most(mistake: Mistake, unknown: list[Mistake]) -> bool:
    """Of the unknown keys of one condition or step, the one that looks like a known kind, else the first."""
    rivals = [other for other in unknown if other.trail[:-1] == mistake.trail[:-1]]
    known = _known(mistake.annotation)
    return mistake == next((rival for rival in rivals if nearest(str(rival.trail[-1]), known)), rivals[0])


def _known(owner: Any) -> tuple[str, ...]:
    if owner is Group:
        return (*CONDITION_KEYS, *_GROUPS)
    if owner is SendStep:
        return STEP_KEYS
    return tuple(sorted(fields(owner), key=lambda key: key in Overridable.model_fields))


def _mistake(model: type[Spec], details: ErrorDetails) -> Mistake:
    trail, annotation = trail_of(model, details["loc"])
    match details["type"]:
        case "extra_forbidden":
            return _unknown_key(trail, trail_of(model, details["loc"][:-1])[1])
        case "missing" if isinstance(trail[-1], int):
            return Mistake(
                trail=trail[:-1], message="expected two values here, found one", hint="such as [first, last]"
            )
        case "missing":
            return _missing(trail, trail_of(model, details["loc"][:-1])[1], annotation)
        case _:
            message, hint = _value_words(details, annotation)
            key = details["loc"][-1:] == ("[key]",)
            return Mistake(trail=trail, message=message, hint=hint, key=key, annotation=annotation)


def _unknown_key(trail: Trail, owner: Any) -> Mistake:
    owner = bare(owner)
    key, known = str(trail[-1]), _known(owner)
    what = {Group: "condition", SendStep: "step"}.get(owner, "key")
    message, hint = f"unknown {what} {quoted(key)}", suggestion(key, known)
    if owner is not Group and key in (*CONDITION_KEYS, *_GROUPS) and not set(known).isdisjoint(CONDITION_KEYS):
        message, hint = f"{quoted(key)} is a second condition", "give each condition its own item under all:"
    return Mistake(trail=trail, message=message, hint=hint, key=True, annotation=owner, kind="unknown")


def _missing(trail: Trail, owner: Any, annotation: Any) -> Mistake:
    info = fields(owner).get(str(trail[-1]))
    what = f": {_in_sentence(info.description)}" if info is not None and info.description else ""
    return Mistake(
        trail=trail, message=f"{quoted(str(trail[-1]))} is missing{what}", annotation=annotation, kind="missing"
    )


def _in_sentence(description: str) -> str:
    return description[0].lower() + description[1:] if description[1:2].islower() else description


def _value_words(details: ErrorDetails, annotation: Any) -> tuple[str, str | None]:
    value, kind = details["input"], details["type"]
    if kind == "value_error":
        return str(details["ctx"]["error"]), None
    if kind == "too_long":
        return f"expected two values here, found {len(value)}", "such as [first, last]"
    if kind == "literal_error":
        return _choice_words(value, choices(annotation))
    expected, hint = {
        "string_type": ("a text", None),
        "model_type": ("keys", _keys_hint(annotation)),
        "dict_type": ("keys", _keys_hint(annotation)),
        "list_type": ("a list", f"write [{value}]" if isinstance(value, str) else None),
        "tuple_type": ("two values", "such as [first, last]"),
    }.get(kind, (None, None))
    return (f"expected {expected} here, found {_shape(value)}", hint) if expected else (details["msg"], None)


def _choice_words(value: Any, words: tuple[str, ...]) -> tuple[str, str | None]:
    if not isinstance(value, str):
        return f"expected {listing(words, 'or')} here, found {_shape(value)}", None
    near = nearest(value, words)
    message = f"{quoted(value)} is not known here; write {listing(words, 'or')}"
    return message, None if near is None else f'did you mean "{near}"?'


def _keys_hint(annotation: Any) -> str | None:
    known = _known(annotation)
    return f"such as {', '.join(f'{key}:' for key in known[:4])}" if known else None


def _shape(value: Any) -> str:
    if value is None:
        return "nothing"
    return (
        "a list" if isinstance(value, list) else "keys" if isinstance(value, dict) else f"the text {quoted(str(value))}"
    )
