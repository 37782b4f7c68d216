"""What templates see: read-only views whose attributes are the data and nothing else.

In plain Jinja `customer.items` would find the dictionary's method, and `customer.__class__` the way out of
the sandbox. A view has no attributes of its own that a template could reach; the sandbox asks it for a fact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from jinja2.exceptions import SecurityError

MARK_EDGE = "\x7f"
"""Begins and ends a mark. No value and no template can hold it, so nothing else looks like a mark."""


class NotAllowed(SecurityError):
    """The template did what templates may not; the text says what to write instead."""


class Record:
    """A mapping of which only the keys can be read."""

    __slots__ = ("data",)

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data

    def __bool__(self) -> bool:
        return bool(self.data)

    def __str__(self) -> str:
        raise NotAllowed("this has several parts and cannot be printed whole; name one of its parts after a dot")

    __html__ = __str__


class Customer(Record):
    """A customer; a fact that is missing is None, so that `| default('there', true)` and `{% if %}` work."""

    __slots__ = ()


class Settled(Record):
    """What is the same for every message of a round: its texts belong to the skeleton."""

    __slots__ = ()


class Fixed(str):
    """A text that is the same for every message of a round."""

    __slots__ = ()


class Rows(Sequence[Any]):
    """A list whose elements are views too, wrapped when they are looked at."""

    __slots__ = ("data",)

    def __init__(self, data: Sequence[Any]) -> None:
        self.data = data

    def __len__(self) -> int:
        return len(self.data)

    def __iter__(self) -> Iterator[Any]:
        return map(shown, self.data)

    def __getitem__(self, index: Any) -> Any:
        return shown(self.data[index])

    def __str__(self) -> str:
        raise NotAllowed("this is a list and cannot be printed whole; write | join(', ') or loop over it")

    __html__ = __str__


def shown(value: Any) -> Any:
    """A value as templates may see it."""
    kind = type(value)
    if kind is dict:
        return Record(value)
    if kind is list or kind is tuple:
        return Rows(value)
    return value


class Link:
    """An address that is made for each message: `c0`, `c1` … are clicks, `u` unsubscribes, `p` shows preferences.

    It stands alone in `{{ }}`: a filter would work on its mark, not on the address.
    """

    __slots__ = ("ref",)

    def __init__(self, ref: str) -> None:
        self.ref = ref

    def __str__(self) -> str:
        raise NotAllowed("track(…), unsubscribe_url and preferences_url stand alone in {{ }}, without filters or ~")

    __html__ = __str__
