"""A skeleton and its values: what many customers' messages share, and what is each one's own.

A skeleton is JSON: for `subject`, `html` and `text` a list in which fixed text and references take turns, so
that nothing in a value can ever be read as a reference. A reference is a form's letter and a value's number
(`t0`), or a link (`c0`, `u`, `p`). `links` says where each tracked link leads, by address or by a value's number.
Values are a JSON list of texts.

A message that shares nothing has the skeleton `WHOLE`, and its values are such a document of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from markupsafe import escape

Parts = list[str]
"""Fixed text at even places, references at odd ones."""

WHOLE = '{"whole":true}'
"""The skeleton of messages that share nothing: their bodies stand in their values."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message as the recipient gets it; an SMS has a text only."""

    subject: str | None
    html: str | None
    text: str


class Addresses(Protocol):
    """The links of one message: `c0`, `c1` … are clicks, `u` unsubscribes, `p` shows preferences."""

    def address(self, ref: str) -> str: ...


def _in_text(value: str) -> str:
    return value.replace("&", "&amp;").replace("\xa0", "&nbsp;").replace("<", "&lt;").replace(">", "&gt;")


def _in_attribute(value: str) -> str:
    return value.replace("&", "&amp;").replace("\xa0", "&nbsp;").replace('"', "&quot;")


def _escaped(value: str) -> str:
    return str(escape(value))


_NOT_PLAIN = re.compile(r"[^\x20-\x7e]|[\\\"]")


def as_references(text: str) -> str:
    """What is not plain ASCII, quotes and backslashes as character references."""
    return _NOT_PLAIN.sub(lambda match: f"&#{ord(match[0])};", text)


def _in_comment(value: str) -> str:
    return as_references(_escaped(value))


def _in_plain_text(value: str) -> str:
    return " ".join(value.split())


FORMS: dict[str, Callable[[str], str]] = {
    "t": _in_text,
    "a": _in_attribute,
    "e": _escaped,
    "m": _in_comment,
    "s": _in_plain_text,
    "r": str,
}
"""How a value is written, by where it stands: in HTML text, in an attribute, where escapes stay as they were written,
in an attribute copied into a comment, in the plain-text part, as it is."""


def expand(skeleton: str, values: str, links: Addresses) -> Rendered:
    """The message that a skeleton, a customer's values and a message's links make: exactly what was or will be sent."""
    document, own = _document(skeleton, values)
    subject, html = document.get("subject"), document.get("html")
    return Rendered(
        subject=None if subject is None else _filled(subject, own, links),
        html=None if html is None else _filled(html, own, links),
        text=_filled(document["text"], own, links),
    )


def link_target(skeleton: str, values: str, number: int) -> str | None:
    """Where a message's n-th tracked link (from 0) leads, or None where it has no such link."""
    document, own = _document(skeleton, values)
    targets = document["links"]
    if not 0 <= number < len(targets):
        return None
    target = targets[number]
    return own[target] if isinstance(target, int) else str(target)


def _document(skeleton: str, values: str) -> tuple[dict[str, Any], Sequence[str]]:
    return (json.loads(values), ()) if skeleton == WHOLE else (_unpacked(skeleton), json.loads(values))


@lru_cache(maxsize=256)
def _unpacked(skeleton: str) -> dict[str, Any]:
    document = json.loads(skeleton)
    assert isinstance(document, dict)
    return document


def _filled(parts: Parts, values: Sequence[str], links: Addresses) -> str:
    if len(parts) == 1:
        return parts[0]
    whole = parts.copy()
    for place in range(1, len(parts), 2):
        ref = parts[place]
        form = FORMS.get(ref[0])
        whole[place] = links.address(ref) if form is None else form(values[int(ref[1:])])
    return "".join(whole)
