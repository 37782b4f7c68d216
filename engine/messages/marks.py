"""Capturing what a template prints: each value becomes a mark, so that what is left is shared by many customers."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from jinja2.runtime import Undefined
from markupsafe import Markup, escape

from engine.messages.filters import Allowance
from engine.messages.guard import Made
from engine.messages.links import MessageLinks
from engine.messages.views import MARK_EDGE, Fixed, Link, NotAllowed, Record, Rows

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_ADDRESS = re.compile(r"https?://[^\s<>\"\\]+")
_REPLACEMENT = "\ufffd"
_PRINTABLE = (int, float, Decimal, date, Undefined, Record, Rows)
"""The last three say themselves why they cannot be printed."""

_Text = Callable[[str], str]


class Capture:
    """What one rendering printed: its values in order, its links, and whether marks got mixed up with data.

    While `marking`, a value is replaced by a mark; otherwise it is printed, and the result is the plain rendering.
    One capture serves one composer and one rendering at a time.
    """

    def __init__(self, nonce: str, allowance: Allowance) -> None:
        self._edge = f"{MARK_EDGE}{nonce}"
        self._allowance = allowance
        self._value_marks: list[str] = []
        self._link_marks: dict[str, str] = {}
        self._fixed_forms: dict[tuple[str, _Text], str] = {}
        self.pattern = re.compile(f"{re.escape(self._edge)}([vcup]\\d*){MARK_EDGE}")
        self.start(marking=False)

    def start(self, *, marking: bool, addresses: MessageLinks | None = None) -> None:
        """Begin a rendering.

        Args:
            addresses: a message's links, to be printed instead of their marks.
        """
        self.marking = marking
        self.mixed = False
        self.values: list[str] = []
        self.links: list[str | int] = []
        """Where each tracked link leads: an address, or the number of the value that holds it."""
        self._addresses = addresses

    def in_html(self, value: Any) -> str:
        """What a template for a body prints for a value: a mark, or the value escaped."""
        return self._printed(value, _tidy, _escaped)

    def in_line(self, value: Any) -> str:
        """What a template for a subject or an SMS prints for a value: a mark, or the value on one line."""
        return self._printed(value, _one_line, str)

    def _printed(self, value: Any, tidy: _Text, escaped: _Text) -> str:
        kind = type(value)
        if kind is str:
            return self._text(value, tidy, escaped)
        if value is None:
            return ""
        if kind is Link:
            return self._address(value)
        if kind is Fixed:
            return self._fixed(value, escaped)
        if isinstance(value, Markup):
            self._allowance.charge(len(value))
            self.mixed = self.mixed or kind is not Made
            return value
        return self._text(_text_of(value), tidy, escaped)

    def _fixed(self, value: str, escaped: _Text) -> str:
        """What is the same for the whole round is prepared once."""
        self._allowance.charge(len(value))
        known = self._fixed_forms.get((value, escaped))
        if known is None:
            known = self._fixed_forms[(value, escaped)] = escaped(_one_line(value))
        return known

    def _text(self, text: str, tidy: _Text, escaped: _Text) -> str:
        if text.isprintable():
            inner = text.strip(" ")
            if len(inner) == len(text) and text:
                return self._mark(tidy(text) if "  " in text else text, escaped)
        return self._surrounded(text, tidy, escaped)

    def _surrounded(self, text: str, tidy: _Text, escaped: _Text) -> str:
        """White space around a value counts as one space, and belongs to the skeleton: lines break at it."""
        if MARK_EDGE in text:
            self.mixed = True
        clean = tidy(text)
        inner = clean.strip()
        if not inner:
            return " " if clean else ""
        return " " * clean[0].isspace() + self._mark(inner, escaped) + " " * clean[-1].isspace()

    def _mark(self, text: str, escaped: _Text) -> str:
        self._allowance.charge(len(text))
        if not self.marking:
            return escaped(text)
        number = len(self.values)
        self.values.append(text)
        if number == len(self._value_marks):
            self._value_marks.append(f"{self._edge}v{number}{MARK_EDGE}")
        return self._value_marks[number]

    def _address(self, link: Link) -> str:
        if self._addresses is not None:
            return self._addresses.address(link.ref)
        if link.ref not in self._link_marks:
            self._link_marks[link.ref] = f"{self._edge}{link.ref}{MARK_EDGE}"
        return self._link_marks[link.ref]

    def track(self, url: Any) -> Link:
        """A link that counts its clicks; where it leads is a value of the customer's."""
        target = _target(url)
        if self.marking and not isinstance(url, Fixed):
            self.values.append(target)
            return self._next_link(len(self.values) - 1)
        return self._next_link(target)

    def track_constant(self, url: Any) -> Link:
        """A link that counts its clicks; where it leads stands in the template."""
        return self._next_link(_target(url))

    def _next_link(self, target: str | int) -> Link:
        self.links.append(target)
        return Link(f"c{len(self.links) - 1}")


def _target(url: Any) -> str:
    if isinstance(url, Undefined):
        str(url)  # says what is missing
    text = url.strip() if isinstance(url, str) else ""
    if _ADDRESS.fullmatch(text) is None or not text.isprintable():
        raise NotAllowed("track(…) takes an address that begins with https:// or http://; this customer has none")
    return str(text)


def _text_of(value: Any) -> str:
    if isinstance(value, _PRINTABLE):
        return str(value)
    raise NotAllowed("this is neither a text nor a number and cannot be printed")


def _tidy(text: str) -> str:
    """Text as a mail's body can hold it: control characters replaced, lines ended by a line feed."""
    return _UNPRINTABLE.sub(_REPLACEMENT, text.replace("\r\n", "\n").replace("\r", "\n"))


def _escaped(text: str) -> str:
    return str(escape(text))


def _one_line(text: str) -> str:
    """Text on one line, with single spaces; white space around it stays as one space."""
    words = " ".join(text.split())
    if not words:
        return " " if text else ""
    return _UNPRINTABLE.sub(_REPLACEMENT, " " * text[0].isspace() + words + " " * text[-1].isspace())
