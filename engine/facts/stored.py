"""How a stored value is read: the one place where SQLite and PostgreSQL say it differently.

A value comes apart into its kinds (text, number, instant, list), so that a comparison asks
for the kind that it means and never lets a store convert one into another. Keys, literals
and lists are bound parameters; no name that a person chose becomes SQL.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Float,
    Numeric,
    Select,
    String,
    Text,
    and_,
    any_,
    case,
    cast,
    collate,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import TypeEngine

_LONGEST: ColumnElement[int] = literal_column("30")
"""Longer digits in a text are a code, not an amount."""
_DECIMALS: ColumnElement[int] = literal_column("6")
_INTEGER_LIMIT = 2**63

Bool = ColumnElement[bool]
Values = Sequence[str] | Sequence[int] | Sequence[Decimal]
Settle = Callable[[Bool], Bool]


def is_true(test: Bool) -> Bool:
    """A test of which unknown is false: SQL's third value ends here."""
    return test.is_(True)


@dataclass(frozen=True, kw_only=True)
class Stored:
    """One stored value by kind. A kind that it can never be is None; one that it is not, null in SQL."""

    present: Bool
    """Neither missing nor null."""
    settle: Settle = is_true
    """Closes a test of the parts into true or false; the parts mean nothing outside."""
    text: ColumnElement[str] | None = None
    """A text; a boolean reads as `true` or `false`."""
    number: ColumnElement[Any] | None = None
    """A number that was stored as one."""
    figure: ColumnElement[Any] | None = None
    """A number, or a text of digits such as `19.90`, as a number."""
    day: ColumnElement[str] | None = None
    """The first ten characters of a text that begins with an ISO date."""
    at: ColumnElement[Any] | None = None
    """An instant."""
    holds: Callable[[str], Bool] | None = None
    """Whether it is a list with this text in it."""


class Dialect(Protocol):
    """What the two stores say differently."""

    def key(self, document: ColumnElement[Any], key: str) -> Stored:
        """The value under a key of a JSON object."""
        ...

    def figure(self, text: ColumnElement[str]) -> ColumnElement[Any]:
        """The number that a text spells, else null."""
        ...

    def day(self, text: ColumnElement[str]) -> ColumnElement[str]:
        """The ISO date that a text begins with, else null."""
        ...

    def number(self, value: Decimal) -> ColumnElement[Any]:
        """A number as a bound parameter that compares with stored ones."""
        ...

    def ordered(self, text: ColumnElement[str]) -> ColumnElement[str]:
        """A text that compares by code point."""
        ...

    def contains(self, text: ColumnElement[str], part: str) -> Bool:
        """Whether a text has the part in it; case counts."""
        ...

    def matches(self, text: ColumnElement[str], pattern: str) -> Bool:
        """Whether a whole text fits the pattern, in which `*` stands for any text; case counts."""
        ...

    def among(self, expression: ColumnElement[Any], values: Values) -> Bool:
        """Whether a text, id or number is one of the values, however many: they are one parameter."""
        ...

    def one_of(self, id_: ColumnElement[Any], ids: Select[Any]) -> Bool:
        """Whether an id is in a set that is computed once, wherever in a statement this stands."""
        ...

    def money(self, amount: ColumnElement[Any]) -> ColumnElement[Any]:
        """An amount without the noise of the order in which it was summed."""
        ...


def _plain(value: Decimal) -> int | float:
    exact = value == value.to_integral_value() and abs(value) < _INTEGER_LIMIT
    return int(value) if exact else float(value)


_ELEMENT: dict[type, TypeEngine[Any]] = {str: Text(), int: BigInteger(), Decimal: Numeric()}


def _sql(constant: str) -> ColumnElement[Any]:
    """A constant of ours, written out: it reads better than a parameter."""
    return literal_column(constant)


def _is(kind: ColumnElement[str], *names: str) -> Bool:
    return or_(*(kind == _sql(f"'{name}'") for name in names))


def _spelled(text: ColumnElement[str], operator: str, pattern: str) -> Bool:
    return text.op(operator, is_comparison=True)(_sql(f"'{pattern}'"))


class Sqlite:
    """JSON is read by `json_each`: its keys are plain text, while a path cannot spell every key."""

    def key(self, document: ColumnElement[Any], key: str) -> Stored:
        each = func.json_each(document).table_valued("key", "value", "type")
        kind, value = each.c.type, each.c.value

        def inside(test: Bool) -> Bool:
            return select(_sql("1")).select_from(each).where(each.c.key == key, test).correlate_except(each).exists()

        number = _is(kind, "integer", "real")
        return Stored(
            present=kind != _sql("'null'"),
            settle=inside,
            text=case((_is(kind, "text"), value), (_is(kind, "true", "false"), kind)),
            number=case((number, value)),
            figure=case((number, value), (_is(kind, "text"), self.figure(value))),
            day=case((_is(kind, "text"), self.day(value))),
            holds=lambda item: and_(_is(kind, "array"), self._listed(value, item)),
        )

    def _listed(self, array: ColumnElement[Any], item: str) -> Bool:
        each = func.json_each(array).table_valued("value", "type")
        found = select(_sql("1")).select_from(each).where(each.c.type == _sql("'text'"), each.c.value == item)
        return found.correlate_except(each).exists()

    def figure(self, text: ColumnElement[str]) -> ColumnElement[Any]:
        starts = or_(_spelled(text, "GLOB", "[0-9]*"), _spelled(text, "GLOB", "-[0-9]*"))
        strange = [~_spelled(text, "GLOB", pattern) for pattern in ("*[^-0-9.]*", "?*-*", "*.*.*")]
        spelled = and_(func.length(text) <= _LONGEST, starts, _spelled(text, "GLOB", "*[0-9]"), *strange)
        return case((spelled, cast(text, Numeric)))

    def day(self, text: ColumnElement[str]) -> ColumnElement[str]:
        dated = _spelled(text, "GLOB", "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*")
        return case((dated, func.substr(text, _sql("1"), _sql("10"))))

    def number(self, value: Decimal) -> ColumnElement[Any]:
        plain = _plain(value)
        return literal(plain, BigInteger if isinstance(plain, int) else Float)

    def ordered(self, text: ColumnElement[str]) -> ColumnElement[str]:
        return text

    def contains(self, text: ColumnElement[str], part: str) -> Bool:
        return func.instr(text, part) > _sql("0")

    def matches(self, text: ColumnElement[str], pattern: str) -> Bool:
        escaped = "".join(f"[{sign}]" if sign in "?[" else sign for sign in pattern)
        return text.op("GLOB", is_comparison=True)(escaped)

    def among(self, expression: ColumnElement[Any], values: Values) -> Bool:
        plain = [_plain(value) if isinstance(value, Decimal) else value for value in values]
        if len(plain) == 1:
            return expression == plain[0]
        each = func.json_each(json.dumps(plain)).table_valued("value")
        return expression.in_(select(each.c.value))

    def one_of(self, id_: ColumnElement[Any], ids: Select[Any]) -> Bool:
        return id_.in_(ids)

    def money(self, amount: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.round(amount, _DECIMALS)


class Postgres:
    """Numbers compare as `numeric`, in which no stored JSON number overflows."""

    def key(self, document: ColumnElement[Any], key: str) -> Stored:
        value = document.op("->", return_type=JSONB())(literal(key, Text))
        plain = document.op("->>", return_type=Text())(literal(key, Text))
        kind = func.jsonb_typeof(value, type_=String)
        number = (_is(kind, "number"), cast(plain, Numeric))
        return Stored(
            present=kind != _sql("'null'"),
            text=case((_is(kind, "string", "boolean"), plain)),
            number=case(number),
            figure=case(number, (_is(kind, "string"), self.figure(plain))),
            day=case((_is(kind, "string"), self.day(plain))),
            holds=lambda item: and_(_is(kind, "array"), self._listed(value, item)),
        )

    def _listed(self, array: ColumnElement[Any], item: str) -> Bool:
        return array.op("@>", is_comparison=True)(func.to_jsonb(literal(item, Text)))

    def figure(self, text: ColumnElement[str]) -> ColumnElement[Any]:
        spelled = and_(func.length(text) <= _LONGEST, _spelled(text, "~", "^-?[0-9]+([.][0-9]+)?$"))
        return case((spelled, cast(text, Numeric)))

    def day(self, text: ColumnElement[str]) -> ColumnElement[str]:
        dated = _spelled(text, "~", "^[0-9]{4}-[0-9]{2}-[0-9]{2}")
        return case((dated, self.ordered(func.substr(text, _sql("1"), _sql("10")))))

    def number(self, value: Decimal) -> ColumnElement[Any]:
        return literal(value, Numeric)

    def ordered(self, text: ColumnElement[str]) -> ColumnElement[str]:
        return collate(text, "C")

    def contains(self, text: ColumnElement[str], part: str) -> Bool:
        return func.strpos(text, part) > _sql("0")

    def matches(self, text: ColumnElement[str], pattern: str) -> Bool:
        escaped = "".join(f"\\{sign}" if sign in "%_\\" else sign for sign in pattern)
        return text.like(escaped.replace("*", "%"))

    def among(self, expression: ColumnElement[Any], values: Values) -> Bool:
        if not values:
            return false()
        kind = _ELEMENT[type(values[0])]
        if len(values) == 1:
            return expression == literal(values[0], kind)
        return expression == any_(literal(list(values), ARRAY(kind)))

    def one_of(self, id_: ColumnElement[Any], ids: Select[Any]) -> Bool:
        # Under NOT or OR a large set would be searched from its start for every customer, as it is
        # thought not to fit into work_mem; an array's length is not guessed, so it is always hashed.
        return id_.in_(select(func.unnest(func.array(ids.scalar_subquery()), type_=BigInteger)))

    def money(self, amount: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.round(cast(amount, Numeric), _DECIMALS)


def dialect_of(name: str) -> Dialect:
    """The store's way of speaking, by SQLAlchemy's name of it (`sqlite` or `postgresql`)."""
    return Sqlite() if name == "sqlite" else Postgres()
