"""Plain values of the grammar: whole numbers, days, times and names, read from their source text.

The loader hands over text only, and pydantic alone would take `36000` for a time of day
or a Unix time for a date; these types read what a person writes and nothing else. JSON
(a sealed plan) brings real numbers and booleans, which are taken too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

from engine.declare.quantities import Quantity, not_text, quoted

_WHOLE = r"[0-9]{1,9}"
_DECIMAL = r"[0-9]{1,9}(\.[0-9]{1,9})?"
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"[0-9]{2}:[0-9]{2}(:[0-9]{2})?"
_NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"


def _reader(
    what: str, pattern: str, example: str, *, ready: tuple[type, ...] = (), read: Callable[[str], Any]
) -> Callable[[Any], Any]:
    """A reader of texts of one form; a value that already is of a `ready` type passes."""

    def check(value: Any) -> Any:
        if isinstance(value, ready) and not isinstance(value, bool):
            return value
        if not isinstance(value, str):
            raise ValueError(not_text(value, example))
        if re.fullmatch(pattern, value) is None:
            raise ValueError(f"{quoted(value)} is no {what}; write for example {example}")
        return _read(read, value, what)

    return check


def _read(read: Callable[[str], Any], text: str, what: str) -> Any:
    try:
        return read(text)
    except ValueError as error:
        raise ValueError(f"{quoted(text)} is a {what} that does not exist") from error


def _local_time(text: str) -> str:
    datetime.fromisoformat(text)
    return text


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return str(value).lower() == "true"
    raise ValueError(f"{quoted(str(value))} is neither true nor false")


def _name(text: str) -> str:
    if re.fullmatch(_NAME, text) is None:
        raise ValueError(
            f"{quoted(text)} is no name: use up to 64 letters a-z, digits, _ and -, for example spring_launch"
        )
    return text


def _number(pattern: str, kind: str) -> WithJsonSchema:
    return WithJsonSchema({"type": [kind, "string"], "minimum": 0, "pattern": f"^{pattern}$"})


def _text(pattern: str, example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern}$", "examples": [example]})


_AT = rf"{_DAY}[ T]{_TIME}"

_count = _reader("whole number", _WHOLE, "3", ready=(int,), read=int)
_decimal = _reader("number", _DECIMAL, "1.5", ready=(int, float), read=float)
_day = _reader("date", _DAY, "2026-12-01", ready=(date,), read=date.fromisoformat)
_time = _reader("time of day", _TIME, '"21:00"', ready=(time,), read=time.fromisoformat)
_moment = _reader("date with a time", _AT, "2026-12-01 10:00", read=_local_time)

Count = Annotated[int, BeforeValidator(_count), _number(_WHOLE, "integer")]
"""A whole number, zero or more."""
Number = Annotated[float, BeforeValidator(_decimal), _number(_DECIMAL, "number")]
"""A number, zero or more."""
Flag = Annotated[bool, BeforeValidator(_flag), WithJsonSchema({"enum": [True, False, "true", "false"]})]
Day = Annotated[date, BeforeValidator(_day), _text(_DAY, "2026-12-01")]
TimeOfDay = Annotated[time, BeforeValidator(_time), _text(_TIME, "21:00")]
LocalTime = Annotated[str, BeforeValidator(_moment), _text(_AT, "2026-12-01 10:00")]
"""A day and a time without an offset, as written; `datetime.fromisoformat` reads it."""
Name = Annotated[str, AfterValidator(_name), WithJsonSchema({"type": ["string", "integer"], "pattern": f"^{_NAME}$"})]
"""What a marketer calls something; it ends up in file names, links and reports."""


@dataclass(frozen=True)
class Either:
    """Annotates a field that takes one of several quantities or fixed words."""

    quantities: tuple[type[Quantity], ...]
    words: tuple[str, ...] = ()

    def read(self, value: Any) -> Any:
        """The quantity whose form the text has, or the word.

        Raises:
            ValueError: it has none of the forms, or its form but an impossible value.
        """
        if isinstance(value, self.quantities) or value in self.words:
            return value
        if not isinstance(value, str):
            raise ValueError(not_text(value, self.quantities[0].example))
        for quantity in self.quantities:
            if re.fullmatch(quantity.pattern, value.strip()):
                return quantity.parse(value)
        raise ValueError(self._complaint(value.strip()))

    def _complaint(self, text: str) -> str:
        examples = [quoted(quantity.example) for quantity in self.quantities] + list(self.words)
        trouble = "has no unit" if re.fullmatch(_DECIMAL, text) else "is not understood here"
        return f"{quoted(text)} {trouble}; write for example {', '.join(examples[:-1])} or {examples[-1]}"

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.read, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        forms = [f"^{quantity.pattern}$" for quantity in self.quantities] + [f"^{word}$" for word in self.words]
        examples = [quantity.example for quantity in self.quantities] + list(self.words)
        return {"type": "string", "anyOf": [{"pattern": form} for form in forms], "examples": examples}
