"""Cron expressions read to see whether they can ever fire; the scheduler itself decides when.

Five fields: minute, hour, day of month, month, weekday (0 and 7 are Sunday). Where day and
weekday are both given, either suffices, as in cron.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from engine.declare.quantities import quoted

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_ITEM = re.compile(r"(?P<all>\*)|(?P<first>[0-9]{1,2}|[a-z]{3})(-(?P<last>[0-9]{1,2}|[a-z]{3}))?")
_CYCLE = 8 * 366
"""Days in which every calendar date comes by, 29 February included."""


@dataclass(frozen=True)
class _Field:
    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()
    about: str = ""


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, _MONTHS, " or JAN to DEC"),
    _Field("weekday", 0, 7, _DAYS, " (0 and 7 are Sunday) or SUN to SAT"),
)


@dataclass(frozen=True)
class Cron:
    """The days on which an expression fires; None where a field says *."""

    days: frozenset[int] | None
    months: frozenset[int] | None
    weekdays: frozenset[int] | None
    """0 is Sunday."""

    def fires_on(self, day: date) -> bool:
        """Whether it fires at all on a calendar day."""
        if self.months is not None and day.month not in self.months:
            return False
        chosen = [
            values is not None and value in values
            for values, value in ((self.days, day.day), (self.weekdays, day.isoweekday() % 7))
        ]
        return any(chosen) or (self.days is None and self.weekdays is None)

    def fires_between(self, first: date, end: date | None) -> bool:
        """Whether it fires on any day from `first` until before `end`."""
        span = _CYCLE if end is None else min(_CYCLE, (end - first).days)
        return any(self.fires_on(first + timedelta(days=offset)) for offset in range(span))


def parse(text: str) -> Cron:
    """Read an expression.

    Raises:
        ValueError: it is none; the text says which field is wrong and what may stand there.
    """
    fields = text.split()
    if len(fields) != 5:
        raise ValueError(_wrong_count(text, len(fields)))
    _, _, days, months, weekdays = (
        _values(field, written.lower()) for field, written in zip(_FIELDS, fields, strict=True)
    )
    return Cron(days, months, None if weekdays is None else frozenset(day % 7 for day in weekdays))


def _wrong_count(text: str, count: int) -> str:
    if text.startswith("@"):
        return f"{quoted(text)} is not taken; write five fields, such as 0 10 * * TUE for Tuesdays at 10:00"
    return f"a cron expression has five fields (minute hour day month weekday); this has {count}"


def _values(field: _Field, text: str) -> frozenset[int] | None:
    values: set[int] = set()
    for part in text.split(","):
        item, slash, step = part.partition("/")
        match = _ITEM.fullmatch(item)
        if match is None or (slash and not re.fullmatch("[1-9][0-9]?", step)):
            raise ValueError(_complaint(field, part))
        values.update(_span(field, match, part, bool(slash))[:: int(step or 1)])
    return None if text == "*" else frozenset(values)


def _span(field: _Field, match: re.Match[str], part: str, stepped: bool) -> range:
    if match["all"]:
        return range(field.low, min(field.high, 6) + 1 if field.words == _DAYS else field.high + 1)
    first = _number(field, match["first"], part)
    last = _number(field, match["last"], part) if match["last"] else field.high if stepped else first
    if last < first and field.words == _DAYS:
        last += 7
    if last < first:
        raise ValueError(f"the {field.name} {quoted(part)} runs backwards")
    return range(first, last + 1)


def _number(field: _Field, text: str, part: str) -> int:
    if text in field.words:
        return field.words.index(text) + (1 if field.words == _MONTHS else 0)
    if not text.isdigit() or not field.low <= int(text) <= field.high:
        raise ValueError(_complaint(field, part))
    return int(text)


def _complaint(field: _Field, part: str) -> str:
    return f"{quoted(part)} is no {field.name}; write {field.low} to {field.high}{field.about}"
