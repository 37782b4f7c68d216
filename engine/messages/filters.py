"""The filters and tests that templates may use. Whatever makes text is charged, so that no chain of them explodes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any

from jinja2 import Environment, pass_environment
from jinja2.filters import FILTERS, do_truncate
from jinja2.tests import TESTS
from markupsafe import Markup, escape

from engine.messages.views import NotAllowed

_PLAIN_FILTERS = (
    "abs", "count", "d", "default", "first", "float", "int", "last", "length", "list", "map", "max", "min",
    "reject", "rejectattr", "reverse", "select", "selectattr", "sort", "sum", "unique", "wordcount",
)  # fmt: skip
_TEXT_FILTERS = ("capitalize", "lower", "string", "title", "trim", "upper", "urlencode")
_TESTS = (
    "boolean", "defined", "divisibleby", "eq", "equalto", "even", "false", "float", "ge", "greaterthan", "gt",
    "in", "integer", "iterable", "le", "lessthan", "lower", "lt", "ne", "none", "number", "odd", "sequence",
    "string", "true", "undefined", "upper", "==", "!=", ">", ">=", "<", "<=",
)  # fmt: skip
_DATE_PATTERN = re.compile(r"(?:[^%]|%-?[aAbBdHIjmMpSyY%])*")
_MOST_DIGITS = 10
_MOST_PATTERN = 100


class Allowance:
    """How much one rendering may do: steps (loop turns and calls) and characters of text that it makes.

    Counting instead of timing gives the same answer on every machine.
    """

    __slots__ = ("characters", "steps", "text")

    def __init__(self, *, steps: int, characters: int) -> None:
        self.characters = characters
        self.steps = steps
        self.text = characters

    def renew(self, steps: int) -> None:
        self.steps = steps
        self.text = self.characters

    def step(self) -> None:
        """Count one turn of a loop or one call."""
        self.steps -= 1
        if self.steps < 0:
            raise NotAllowed("the template loops or calls too often; shorten its loops")

    def charge(self, characters: int) -> None:
        """Count characters before they are made."""
        self.text -= characters
        if self.text < 0:
            raise NotAllowed(f"the message would be larger than {self.characters:,} characters; shorten what it prints")

    def counted(self, items: Iterable[Any]) -> Iterable[Any]:
        """The items, each counted as a step."""
        for item in items:
            self.step()
            yield item


def printed(value: Any) -> str:
    """A value as text: nothing where it is missing."""
    if isinstance(value, str):
        return value
    return "" if value is None else str(value)


def filters(allowance: Allowance) -> dict[str, Callable[..., Any]]:
    """The filters by name; those that make text charge the allowance."""
    known: Any = FILTERS
    table = {name: known[name] for name in _PLAIN_FILTERS}
    table |= {name: _charged(known[name], allowance) for name in _TEXT_FILTERS}
    # Escaping is not the template's business: it happens where the value lands.
    table |= {"e": printed, "escape": printed, "number": number, "date": date_text, "round": rounded}

    @pass_environment
    def join(environment: Environment, items: Iterable[Any], between: str = "", attribute: str | None = None) -> str:
        picked = items if attribute is None else (environment.getitem(item, attribute) for item in items)
        return _joined([printed(item) for item in picked], str(between), allowance)

    def replace(text: Any, old: str, new: str) -> str:
        before = printed(text)
        allowance.charge(len(before) + before.count(old) * len(new))
        return before.replace(old, new)

    @pass_environment
    def truncate(
        environment: Environment, text: Any, length: int = 255, killwords: bool = False, end: str = "…"
    ) -> str:
        return do_truncate(environment, printed(text), length, killwords, end, 0)

    def concatenated(items: Iterable[Any]) -> str:
        return _joined([printed(item) for item in items], "", allowance)

    return table | {
        "join": join, "replace": replace, "truncate": truncate, CONCATENATED: concatenated, COUNTED: allowance.counted,
    }  # fmt: skip


CONCATENATED = "_concatenated"
"""What `~` becomes: Jinja compiles it to something that nothing can bound."""
COUNTED = "_counted"
"""What every loop goes through."""
OWN_FILTERS = ("e", "escape", "number", "date", "round", "join", "replace", "truncate")
FILTER_NAMES = frozenset((*_PLAIN_FILTERS, *_TEXT_FILTERS, *OWN_FILTERS))
TEST_NAMES = frozenset(_TESTS)


def tests() -> Mapping[str, Callable[..., Any]]:
    """The tests (`is defined` …) by name."""
    known: Any = TESTS
    return {name: known[name] for name in _TESTS}


def _charged(filter_: Callable[..., Any], allowance: Allowance) -> Callable[..., Any]:
    def charged(text: Any, *args: Any) -> Any:
        made = filter_(text, *args)
        allowance.charge(len(made))
        return made

    return charged


def _joined(items: list[str], between: str, allowance: Allowance) -> str:
    allowance.charge(sum(map(len, items)) + len(between) * len(items))
    if any(isinstance(item, Markup) for item in items):
        return Markup(between).join(map(escape, items))  # noqa: S704 - joins what is escaped one by one
    return between.join(str(item) for item in items)


def number(value: Any, digits: int = 2, decimal: str = ".", thousands: str = "") -> str:
    """A number with so many decimals: `{{ 1234.5 | number(2, ',', '.') }}` is 1.234,50."""
    if not 0 <= digits <= _MOST_DIGITS:
        raise NotAllowed(f"number() takes 0 to {_MOST_DIGITS} decimals")
    text = f"{float(value):,.{digits}f}"
    return text.translate({ord(","): str(thousands)[:1], ord("."): str(decimal)[:1]})


def rounded(value: Any, digits: int = 0) -> float:
    """A number rounded to so many decimals."""
    if not 0 <= digits <= _MOST_DIGITS:
        raise NotAllowed(f"round() takes 0 to {_MOST_DIGITS} decimals")
    return round(float(value), digits)


def date_text(value: Any, pattern: str = "%Y-%m-%d") -> str:
    """A date or time by a pattern of day, month, year, hour and minute: `{{ … | date('%d.%m.%Y') }}`."""
    if len(pattern) > _MOST_PATTERN or _DATE_PATTERN.fullmatch(pattern) is None:
        raise NotAllowed("date() takes a pattern of %d %m %Y %y %H %M %b %B %a %A, such as '%d.%m.%Y'")
    moment = value if isinstance(value, date) else datetime.fromisoformat(str(value))
    return moment.strftime(pattern)
