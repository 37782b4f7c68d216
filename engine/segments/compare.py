"""Tests of one stored value, with one meaning on both stores.

A value is a text, a number, a boolean (which reads as the text `true` or `false`), a list
or an instant. **Missing** is what has no value: no such key, null, an empty column. Case
counts in every test.

- `is`, `in`: the text that was written. A stored number equals a literal that is the same
  number; `01067` is the text "01067" and not the number 1067. An instant is on a day
  (`2026-12-01`, in UTC) or at a time.
- `at_least`, `at_most`, `between` go by the literal's form:
  a number compares with numbers and with texts of digits; a date with instants and with texts
  that begin with an ISO date, day by day, so that `at_most: 2026-12-31` takes in that day;
  a time with instants; a duration such as `30 days` is the age of an instant or of a date
  (`birth_date` `at_least: 18 years`), and what lies ahead has no age; any other text compares
  with texts by code point. What is of another kind does not match.
- `contains`: the text has this part, or the list has this element. `matches`: the whole text
  fits a pattern in which `*` stands for any text. Numbers and instants do neither.
- `exists` asks whether there is a value; a condition with no test asks the same.
- `is_not` and `not_in` are exactly the opposite of `is` and `in`, so they hold for the
  missing. Every other test fails for the missing, except `exists: false`.

Every test is true or false and never unknown, so that `none` is exactly the opposite of `any`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import ColumnElement, and_, false, not_, or_

from engine.declare.spec import PropertyTest
from engine.facts.stored import Dialect, Stored
from engine.model import AsOf
from engine.segments import literals

Bool = ColumnElement[bool]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Compiles tests of values for one store and one time."""

    as_of: AsOf
    dialect: Dialect

    def holds(self, stored: Stored, test: PropertyTest) -> Bool:
        """True where every given test of the value holds."""
        wanted = [stored.settle(and_(*parts))] if (parts := self._wanted(stored, test)) else []
        refused = [not_(stored.settle(part)) for part in self._refused(stored, test)]
        return and_(*wanted, *refused) if wanted or refused else stored.settle(stored.present)

    def _wanted(self, stored: Stored, test: PropertyTest) -> list[Bool]:
        parts: list[Bool] = [stored.present] if test.exists else []
        if test.is_ is not None:
            parts.append(self._is_one_of(stored, [test.is_]))
        if test.in_ is not None:
            parts.append(self._is_one_of(stored, test.in_))
        low, high = test.between or (None, None)
        parts += [self._at_least(stored, text) for text in (test.at_least, low) if text is not None]
        parts += [self._at_most(stored, text) for text in (test.at_most, high) if text is not None]
        if test.contains is not None:
            parts.append(self._contains(stored, test.contains))
        if test.matches is not None:
            parts.append(self.dialect.matches(stored.text, test.matches) if stored.text is not None else false())
        return parts

    def _refused(self, stored: Stored, test: PropertyTest) -> list[Bool]:
        parts: list[Bool] = [stored.present] if test.exists is False else []
        if test.is_not is not None:
            parts.append(self._is_one_of(stored, [test.is_not]))
        if test.not_in is not None:
            parts.append(self._is_one_of(stored, test.not_in))
        return parts

    def _is_one_of(self, stored: Stored, texts: Sequence[str]) -> Bool:
        parts: list[Bool] = []
        if stored.text is not None:
            parts.append(self.dialect.among(stored.text, texts))
        if stored.number is not None:
            numbers = [value for text in texts if (value := literals.number(text)) is not None]
            parts += [self.dialect.among(stored.number, numbers)] if numbers else []
        if stored.at is not None:
            parts += [part for text in texts if (part := _falls_on(stored.at, text)) is not None]
        return or_(false(), *parts)

    def _at_least(self, stored: Stored, text: str) -> Bool:
        if (value := literals.figure(text)) is not None:
            return false() if stored.figure is None else stored.figure >= self.dialect.number(value)
        if (day := literals.day(text)) is not None:
            return self._since(stored, day)
        if (length := literals.duration(text)) is not None:
            return self._by(stored, literals.ago(self.as_of.at, length))
        if stored.at is not None:
            at = literals.moment(text)
            return false() if at is None else stored.at >= at
        return false() if stored.text is None else self.dialect.ordered(stored.text) >= text

    def _at_most(self, stored: Stored, text: str) -> Bool:
        if (value := literals.figure(text)) is not None:
            return false() if stored.figure is None else stored.figure <= self.dialect.number(value)
        if (day := literals.day(text)) is not None:
            return self._until(stored, day)
        if (length := literals.duration(text)) is not None:
            return and_(self._by(stored, self.as_of.at), self._from(stored, literals.ago(self.as_of.at, length)))
        if stored.at is not None:
            at = literals.moment(text)
            return false() if at is None else stored.at <= at
        return false() if stored.text is None else self.dialect.ordered(stored.text) <= text

    def _since(self, stored: Stored, day: date) -> Bool:
        if stored.at is not None:
            return stored.at >= _midnight(day)
        return false() if stored.day is None else stored.day >= day.isoformat()

    def _until(self, stored: Stored, day: date) -> Bool:
        if stored.at is not None:
            return stored.at <= _end(day)
        return false() if stored.day is None else stored.day <= day.isoformat()

    def _by(self, stored: Stored, at: datetime) -> Bool:
        return stored.at <= at if stored.at is not None else self._until(stored, at.date())

    def _from(self, stored: Stored, at: datetime) -> Bool:
        return stored.at >= at if stored.at is not None else self._since(stored, at.date())

    def _contains(self, stored: Stored, part: str) -> Bool:
        tests: list[Bool] = [] if stored.text is None else [self.dialect.contains(stored.text, part)]
        if stored.holds is not None:
            tests.append(stored.holds(part))
        return or_(false(), *tests)


def _falls_on(at: ColumnElement[Any], text: str) -> Bool | None:
    if (day := literals.day(text)) is not None:
        return at.between(_midnight(day), _end(day))
    moment = literals.moment(text)
    return None if moment is None else at == moment


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def _end(day: date) -> datetime:
    return datetime.combine(day, time.max, UTC)
