"""MJML checked before anything is sent: mrml passes a mistyped tag on and says little of other mistakes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jinja2 import TemplateError
from markupsafe import escape

from engine.declare.near import nearest
from engine.errors import Problem
from engine.messages.email import compiled
from engine.messages.guard import TRACK_CONSTANT
from engine.messages.reasons import label
from engine.messages.sandbox import Sandbox, allowance_for
from engine.messages.templates import closure, set_blocks
from engine.messages.views import NotAllowed

TAGS = frozenset((
    "mjml", "mj-accordion", "mj-accordion-element", "mj-accordion-text", "mj-accordion-title", "mj-all",
    "mj-attributes", "mj-body", "mj-breakpoint", "mj-button", "mj-carousel", "mj-carousel-image", "mj-class",
    "mj-column", "mj-divider", "mj-font", "mj-group", "mj-head", "mj-hero", "mj-image", "mj-navbar",
    "mj-navbar-link", "mj-preview", "mj-raw", "mj-section", "mj-social", "mj-social-element", "mj-spacer",
    "mj-style", "mj-table", "mj-text", "mj-title", "mj-wrapper",
))  # fmt: skip
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
)
_JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<!--.*?-->", re.DOTALL)
_MJ_TAG = re.compile(r"</?(mj[\w-]*)")
_TAG = re.compile(r"<(/?)([A-Za-z][\w:-]*)((?:[^<>\"']|\"[^\"]*\"|'[^']*')*?)(/?)>")
_STRAY = re.compile(r"<(?![A-Za-z/!])")
_UNQUOTED_VALUE = re.compile(r"(?<=\s)([\w-]+)=\{\{")
_UNQUOTED = re.compile(r"\s([\w-]+)=(?![\"'])")


def mjml_problems(root: str, sources: Mapping[str, str], files: Iterable[str]) -> list[Problem]:
    """What is wrong with the MJML of a template and of the files that it uses."""
    mine = {name: sources[name] for name in files if name.endswith(".mjml")}
    problems = [problem for name, source in mine.items() for problem in _mistyped(name, source)]
    if problems:
        return problems
    complaint = _complaint(root, sources)
    if complaint is None:
        return []
    found = (problem for name in [root, *mine] for problem in _malformed(name, sources[name]))
    general = Problem(message=complaint, file=label(root), line=1)
    return [next(found, general)]


def unquoted_values(name: str, source: str) -> Iterator[Problem]:
    """Attributes of HTML whose value is printed without quotes around it: a blank in the value would begin another."""
    for match in _UNQUOTED_VALUE.finditer(re.sub(r"\{#.*?#\}", lambda m: " " * len(m[0]), source, flags=re.DOTALL)):
        message = f'the value of "{match[1]}" stands without quotes'
        yield _at(name, source, match.start(1), message, width=len(match[1]), hint=f'write {match[1]}="{{{{ … }}}}"')


def _blanked(source: str) -> str:
    """The source with Jinja and comments blanked, so that every place stays where it is."""
    return _JINJA.sub(lambda match: re.sub(r"[^\n]", "x" if match[0].startswith("{{") else " ", match[0]), source)


def _mistyped(name: str, source: str) -> Iterator[Problem]:
    for match in _MJ_TAG.finditer(_blanked(source)):
        tag = match[1]
        if tag not in TAGS:
            near = nearest(tag, TAGS)
            hint = f'did you mean "<{near}>"?' if near else None
            if tag == "mj-include":
                hint = 'write {% include "file.mjml" %}, so that the sealed plan knows the file'
            yield _at(name, source, match.start(1), f"<{tag}> is no MJML tag", width=len(tag), hint=hint)


def _malformed(name: str, source: str) -> Iterator[Problem]:
    """Stray `<`, attributes without quotes, tags that are not closed or not opened."""
    text = _blanked(source)
    for match in _STRAY.finditer(text):
        yield _at(name, source, match.start(), 'a "<" stands here by itself', width=1, hint="write &lt;")
    for match in _TAG.finditer(text):
        unquoted = _UNQUOTED.search(re.sub(r"\"[^\"]*\"|'[^']*'", '""', match[3]))
        if unquoted:
            message = f'the value of "{unquoted[1]}" stands without quotes'
            yield _at(name, source, match.start(), message, width=len(match[0]))
    yield from _unbalanced(name, source, text)


def _unbalanced(name: str, source: str, text: str) -> Iterator[Problem]:
    """The first tag that is not closed, or closed without being the last one opened."""
    opened: list[re.Match[str]] = []
    for match in _TAG.finditer(text):
        closing, tag, _, empty = match.groups()
        if empty or tag.lower() in _VOID:
            continue
        if not closing:
            opened.append(match)
        elif opened and opened[-1][2] == tag:
            opened.pop()
        else:
            yield _wrongly_closed(name, source, match, opened)
            return
    if opened:
        last = opened[-1]
        yield _at(name, source, last.start(), f"<{last[2]}> is never closed", width=len(last[0]))


def _wrongly_closed(name: str, source: str, match: re.Match[str], opened: list[re.Match[str]]) -> Problem:
    message, hint = f"{match[0]} closes what was never opened", None
    if opened:
        tag, line = opened[-1][2], source.count("\n", 0, opened[-1].start()) + 1
        message, hint = f"{match[0]} stands where <{tag}> of line {line} is still open", f"write </{tag}> before it"
    return _at(name, source, match.start(), message, width=len(match[0]), hint=hint)


def _at(name: str, source: str, place: int, message: str, *, width: int, hint: str | None = None) -> Problem:
    start = source.rfind("\n", 0, place) + 1
    line = source[start:].split("\n", 1)[0]
    return Problem(
        message=message,
        file=label(name),
        line=source.count("\n", 0, place) + 1,
        column=place - start + 1,
        source=line,
        width=min(width, len(line) - (place - start)),
        hint=hint,
    )


class _Anything(str):
    """Stands for whatever a template reads: a text, a number, a list of one, a record."""

    __slots__ = ()

    def __iter__(self) -> Iterator[str]:
        yield _Anything(self)


class _Permissive(Sandbox):
    """A sandbox in which every fact exists."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        return obj if type(obj) is _Anything else super().getattr(obj, attribute)


def _complaint(root: str, sources: Mapping[str, str]) -> str | None:
    """What mrml has against the template with sample facts; None if nothing, or if no sample facts fit."""
    allowance, steps = allowance_for(sources)
    allowance.renew(steps)
    sample = _Anything("1")
    facts = dict.fromkeys(("customer", "campaign", "variant", "sender", "trigger", "recommended"), sample)
    address = "https://links.example"
    links = dict.fromkeys(("unsubscribe_url", "preferences_url"), address)
    tracks = dict.fromkeys(("track", TRACK_CONSTANT), lambda _: address)
    environment = _Permissive(
        sources,
        printed=lambda value: str(escape("" if value is None else value)),
        names=links | tracks,
        set_blocks=set_blocks(closure([root], sources).values()),
        fixed_texts={},
        allowance=allowance,
    )
    try:
        text = environment.get_template(root).render(facts)
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, RecursionError):
        return None
    if "<mjml" not in text:
        return "an MJML template stands between <mjml> and </mjml>; one of plain HTML is named .html"
    try:
        compiled(text)
    except NotAllowed as error:
        return str(error)
    return None
