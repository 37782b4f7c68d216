"""Quantities as typed text: `7 days`, `1.0 pp`, `10 %`, `50 per second`, `20 EUR`.

Each type parses its text once, refuses a bare number where a unit is meant, and
serialises back to the text that was written, so that a sealed plan reads like the YAML.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar, Literal, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

_WHOLE = r"[0-9]{1,12}(?:[_ ][0-9]{3}){0,3}"
_NUMBER = rf"{_WHOLE}(?:\.[0-9]{{1,12}})?"
_DECIMAL = r"[0-9]{1,6}(?:\.[0-9]{1,12})?"
_CENTURY = 36_525
"""Days; no length of time is longer, so that no date computed from one overflows."""
_SECONDS = {
    "second": 1,
    "minute": 60,
    "hour": 3_600,
    "day": 86_400,
    "week": 604_800,
    "month": 2_629_746,
    "year": 31_556_952,
}
# A month and a year are the Gregorian calendar's means: they serve retention and expiry only.
_UNITS = "|".join(_SECONDS)


@dataclass(frozen=True)
class Quantity:
    """Base of the typed texts; `text` is what was written."""

    text: str

    pattern: ClassVar[str] = ""
    """A regular expression of the whole text, for the JSON Schema and for parsing."""
    example: ClassVar[str] = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the quantity from its text.

        Raises:
            ValueError: the text is not of the form; the message shows the right one.
        """
        stripped = text.strip()
        match = re.fullmatch(cls.pattern, stripped)
        if match is None:
            raise ValueError(cls._complaint(stripped))
        return cls._build(stripped, match)

    @classmethod
    def _build(cls, text: str, match: re.Match[str]) -> Self:
        raise NotImplementedError

    @classmethod
    def _complaint(cls, text: str) -> str:
        if re.fullmatch(_NUMBER, text):
            return f"{quoted(text)} has no unit; write for example {quoted(cls.example)}"
        if text.startswith("-") and re.fullmatch(cls.pattern, text[1:]):
            return f"{quoted(text)} is below zero; write for example {quoted(cls.example)}"
        if "," in text and re.fullmatch(cls.pattern, text.replace(",", ".")):
            return f"{quoted(text)} has a comma; write {quoted(text.replace(',', '.'))}"
        return f"{quoted(text)} is not understood here; write for example {quoted(cls.example)}"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def read(value: Any) -> Any:
            if isinstance(value, cls):
                return value
            if not isinstance(value, str):
                raise ValueError(not_text(value, cls.example))
            return cls.parse(value)

        return core_schema.no_info_plain_validator_function(
            read, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{cls.pattern}$", "examples": [cls.example]}

    def __str__(self) -> str:
        return self.text


def quoted(text: str) -> str:
    """A piece of what was written, in quotes, on one line and not too long to read."""
    line = " ".join(text.split())
    return f'"{line if len(line) <= 60 else line[:57] + "…"}"'


def not_text(value: Any, example: str) -> str:
    """What to say of a value that is no text at all."""
    found = (
        "nothing"
        if value is None
        else "a list"
        if isinstance(value, list)
        else "keys"
        if isinstance(value, dict)
        else "a bare value"
    )
    return f"expected a text such as {quoted(example)} here, found {found}"


def _decimal(text: str) -> Decimal:
    return Decimal(text.replace(" ", "").replace("_", ""))


def _number(text: str) -> float:
    return float(_decimal(text))


def _hundredth(text: str) -> float:
    """Divided as written, because 99.9 / 100 is not .999 in binary."""
    return float(_decimal(text) / 100)


def _delta(text: str, amount: str, unit: str) -> timedelta:
    seconds = float(amount) * _SECONDS[unit]
    if seconds > _CENTURY * 86_400:
        raise ValueError(f"{quoted(text)} is longer than a century")
    return timedelta(seconds=seconds)


@dataclass(frozen=True)
class Duration(Quantity):
    """A length of time, such as `7 days`."""

    delta: timedelta = timedelta(0)

    pattern = rf"({_DECIMAL}) ?({_UNITS})s?"
    example = "7 days"

    @classmethod
    def _build(cls, text: str, match: re.Match[str]) -> Self:
        return cls(text, _delta(text, match[1], match[2]))


@dataclass(frozen=True)
class Share(Quantity):
    """A part of a whole, such as `10 %`; `value` is 0–1."""

    value: float = 0.0

    pattern = rf"({_NUMBER}) ?%"
    example = "10 %"

    @classmethod
    def _build(cls, text: str, match: re.Match[str]) -> Self:
        value = _hundredth(match[1])
        if value > 1:
            raise ValueError(f"{quoted(text)} is outside 0 % to 100 %")
        return cls(text, value)


@dataclass(frozen=True)
class Rate(Quantity):
    """Messages a second, such as `50 per second`."""

    per_second: float = 0.0

    pattern = rf"({_NUMBER}) per (second|minute|hour|day)"
    example = "50 per second"

    @classmethod
    def _build(cls, text: str, match: re.Match[str]) -> Self:
        value = _number(match[1])
        if value <= 0:
            raise ValueError(f"{quoted(text)} would never send anything; write for example {quoted(cls.example)}")
        return cls(text, value / _SECONDS[match[2]])


@dataclass(frozen=True)
class Money(Quantity):
    """An amount with its currency, such as `20 EUR`."""

    amount: Decimal = Decimal(0)
    currency: str = ""

    pattern = rf"({_NUMBER}) ([A-Z]{{3}})"
    example = "20 EUR"

    @classmethod
    def _build(cls, text: str, match: re.Match[str]) -> Self:
        return cls(text, _decimal(match[1]), match[2])


@dataclass(frozen=True)
class UnitCost(Quantity):
    """What one message or one SMS segment costs, such as `9 JPY per segment`."""

    amount: Decimal = Decimal(0)
    currency: str = ""
    unit: str = "message"
    """`message` or `segment`."""

    pattern = rf"({_NUMBER}) ([A-Z]{{3}}) per (message|segment)"
    example = "0.2 EUR per message"

    @classmethod
    def _build(cls, text: str, match: re.Match[str]) -> Self:
        return cls(text, _decimal(match[1]), match[2], match[3])


@dataclass(frozen=True)
class Effect(Quantity):
    """The size of an effect: percentage points or money (absolute), or per cent (relative).

    `value` is in the metric's own unit: .01 for `1.0 pp`, 20.0 for `20 EUR`, .1 for `10 %`.
    """

    value: float = 0.0
    kind: Literal["points", "money", "relative"] = "points"
    currency: str | None = None

    pattern = rf"({_NUMBER}) ?(pp|%|[A-Z]{{3}})"
    example = "1.0 pp"

    @classmethod
    def _build(cls, text: str, match: re.Match[str]) -> Self:
        value = _number(match[1])
        if value <= 0:
            raise ValueError(f"{quoted(text)} must be above zero; the direction is said by `will`")
        if match[2] == "pp" and value >= 100:
            raise ValueError(f"{quoted(text)} is more than a share can change")
        if match[2] == "pp":
            return cls(text, _hundredth(match[1]), "points")
        if match[2] == "%":
            return cls(text, _hundredth(match[1]), "relative")
        return cls(text, value, "money", match[2])

    @classmethod
    def _complaint(cls, text: str) -> str:
        if re.fullmatch(_NUMBER, text):
            return (
                f'{quoted(text)} has no unit; write "{text} pp" (percentage points), "{text} %" (relative) '
                f'or an amount such as "{text} EUR"'
            )
        return super()._complaint(text)

    @property
    def absolute(self) -> bool:
        return self.kind != "relative"


@dataclass(frozen=True)
class Percentile(Quantity):
    """A quantile, such as `99.9th percentile`; `value` is 0–1."""

    value: float = 0.0

    pattern = rf"({_DECIMAL})(?:st|nd|rd|th) percentile"
    example = "99.9th percentile"

    @classmethod
    def _build(cls, text: str, match: re.Match[str]) -> Self:
        value = _hundredth(match[1])
        if not 0 < value < 1:
            raise ValueError(f"{quoted(text)} is outside 0 to 100")
        return cls(text, value)


@dataclass(frozen=True)
class Sample(Quantity):
    """A planned sample, such as `6700 per arm`."""

    per_arm: int = 0

    pattern = rf"({_WHOLE}) per arm"
    example = "6700 per arm"

    @classmethod
    def _build(cls, text: str, match: re.Match[str]) -> Self:
        if _number(match[1]) < 2:
            raise ValueError(f"{quoted(text)} is too few to compare; write for example {quoted(cls.example)}")
        return cls(text, int(_number(match[1])))


@dataclass(frozen=True)
class Headcount(Quantity):
    """A number of customers, such as `50000 customers`."""

    customers: int = 0

    pattern = rf"({_WHOLE}) customers"
    example = "50000 customers"

    @classmethod
    def _build(cls, text: str, match: re.Match[str]) -> Self:
        return cls(text, int(_number(match[1])))


@dataclass(frozen=True)
class Misfire(Quantity):
    """What to do with a missed moment: `skip after 2 hours`."""

    grace: timedelta = timedelta(0)

    pattern = rf"skip after ({_DECIMAL}) ?({_UNITS})s?"
    example = "skip after 2 hours"

    @classmethod
    def _build(cls, text: str, match: re.Match[str]) -> Self:
        return cls(text, _delta(text, match[1], match[2]))


@dataclass(frozen=True)
class AfterSend(Quantity):
    """A length of time counted from the send: `14 days after send`."""

    delta: timedelta = timedelta(0)

    pattern = rf"({_DECIMAL}) ?({_UNITS})s? after send"
    example = "14 days after send"

    @classmethod
    def _build(cls, text: str, match: re.Match[str]) -> Self:
        return cls(text, _delta(text, match[1], match[2]))


@dataclass(frozen=True)
class Earning(Quantity):
    """How loyalty points are earned: `50`, or `1 per 100 JPY`."""

    points: int = 0
    per: Decimal | None = None
    currency: str | None = None

    pattern = rf"([0-9]{{1,9}})(?: per ({_NUMBER}) ([A-Z]{{3}}))?"
    example = "1 per 100 JPY"

    @classmethod
    def _build(cls, text: str, match: re.Match[str]) -> Self:
        per = _decimal(match[2]) if match[2] else None
        return cls(text, int(match[1]), per, match[3])

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**super().__get_pydantic_json_schema__(schema, handler), "type": ["string", "integer"]}
