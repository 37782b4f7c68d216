"""YAML text → nodes that keep what was written and where.

ruamel's parser (YAML 1.2) gives events; they are composed here and not by ruamel, so that
every scalar keeps its source text, every key and value its place, and a hostile file is
refused while it is read: aliases are counted as often as they are used, nesting is bounded,
and nothing recurses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    ScalarEvent,
)
from ruamel.yaml.reader import ReaderError

from engine.declare import syntax
from engine.declare.quantities import quoted
from engine.errors import FixYourYaml, Problem

MOST_VALUES = 100_000
"""Values in a file, each use of an alias counted; a campaign has about fifty."""
DEEPEST = 40
_NOTHING = ("", "~", "null", "Null", "NULL")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_PLAIN_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "map", "seq"))


@dataclass(frozen=True)
class Source:
    """A file's text and the name it is shown by."""

    shown: str
    text: str


@dataclass(frozen=True)
class Span:
    """A piece of a source, in characters from its beginning."""

    source: Source
    start: int
    end: int

    def line(self) -> int:
        """The line it begins on, counted from 1."""
        return self.source.text.count("\n", 0, self.start) + 1

    def line_text(self) -> str:
        """The whole line that it begins on."""
        end = self.source.text.find("\n", self._line_start())
        return self.source.text[self._line_start() : None if end < 0 else end]

    def _line_start(self) -> int:
        return self.source.text.rfind("\n", 0, self.start) + 1

    def problem(self, message: str, **more: Any) -> Problem:
        """A problem that points here; `more` as in `Problem`."""
        begin, line = self._line_start(), self.line_text()
        return Problem(
            message=message,
            file=self.source.shown,
            line=self.line(),
            column=self.start - begin + 1,
            source=line,
            width=max(1, min(self.end, begin + len(line)) - self.start),
            **more,
        )


@dataclass(slots=True)
class Node:
    """A value with its place: a text (None for nothing), keys with nodes, or a list of nodes."""

    span: Span
    value: str | dict[str, Node] | list[Node] | None
    keys: dict[str, Span] = field(default_factory=dict)
    size: int = 1
    """How many values it stands for, aliases expanded."""
    depth: int = 1
    flawed: bool = False
    """Something was left out of it that could not be a key."""

    def plain(self) -> Any:
        """The value as dicts, lists, texts and None."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value


def compose(source: Source) -> tuple[Node | None, list[Problem]]:
    """Read a whole text; a file without any value gives None.

    Raises:
        FixYourYaml: the text is no YAML, or is too deep or too large to read.
    """
    composer = _Composer(source)
    for event in _events(source):
        composer.take(event)
    return composer.root, composer.problems


def _events(source: Source) -> Iterator[Event]:
    place = 0
    try:
        for event in YAML(typ="safe", pure=True).parse(source.text):
            place = event.end_mark.index
            yield event
    except FixYourYaml:
        raise
    except MarkedYAMLError as error:
        raise FixYourYaml([_syntax_problem(source, error)]) from error
    except ReaderError as error:
        span = Span(source, error.position, error.position + 1)
        raise FixYourYaml(
            [span.problem(f"the character U+{error.character:04X} cannot stand in a YAML file")]
        ) from error
    except Exception as error:
        # ruamel lets ValueError, IndexError and others out on some broken texts.
        raise FixYourYaml([Span(source, place, place).problem("this cannot be read as YAML from here on")]) from error


@dataclass
class _Open:
    """A mapping or list whose end has not come yet."""

    node: Node
    anchor: str | None
    key: Node | None = None


class _Composer:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self._open: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._documents = 0

    def take(self, event: Event) -> None:
        match event:
            case ScalarEvent():
                self._scalar(event)
            case AliasEvent():
                self._alias(event)
            case CollectionStartEvent():
                self._begin(event)
            case CollectionEndEvent():
                self._end(event)
            case DocumentStartEvent():
                self._document(event)

    def _span(self, event: Event) -> Span:
        return Span(self.source, event.start_mark.index, event.end_mark.index)

    def _refuse(self, span: Span, message: str, hint: str | None = None) -> None:
        raise FixYourYaml([*self.problems, span.problem(message, hint=hint)])

    def _report(self, span: Span, message: str, hint: str | None = None) -> None:
        self.problems.append(span.problem(message, hint=hint))

    def _document(self, event: Event) -> None:
        self._documents += 1
        if self._documents > 1:
            self._refuse(
                self._span(event), "a second document begins here", "keep one document in a file; remove the ---"
            )

    def _scalar(self, event: ScalarEvent) -> None:
        span, text = self._span(event), str(event.value)
        self._check_tag(event, span)
        if _UNSTORABLE.search(text):
            self._report(span, "this text holds a character that cannot be stored")
            text = _UNSTORABLE.sub("", text)
        nothing = event.style is None and text in _NOTHING
        self._add(Node(span, None if nothing else text), event.anchor, span)

    def _alias(self, event: AliasEvent) -> None:
        node = self._anchors.get(event.anchor)
        if node is None:
            text = quoted(f"*{event.anchor}")
            if any(opened.anchor == event.anchor for opened in self._open):
                self._refuse(self._span(event), f"{text} refers to itself", "write the values out")
            self._refuse(
                self._span(event), f"{text} refers to nothing above it", "text that begins with * has to be in quotes"
            )
        else:
            self._add(node, None, self._span(event))

    def _begin(self, event: CollectionStartEvent) -> None:
        span = self._span(event)
        self._check_tag(event, span)
        if len(self._open) >= DEEPEST:
            self._refuse(span, f"nested more than {DEEPEST} levels deep")
        self._open.append(_Open(Node(span, {} if isinstance(event, MappingStartEvent) else []), event.anchor))

    def _end(self, event: CollectionEndEvent) -> None:
        done = self._open.pop()
        node = done.node
        node.span = Span(self.source, node.span.start, max(node.span.end, event.end_mark.index))
        self._add(node, done.anchor, node.span)

    def _add(self, node: Node, anchor: str | None, written: Span) -> None:
        if anchor is not None:
            self._anchors[anchor] = node
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        if isinstance(parent.node.value, list):
            parent.node.value.append(node)
        elif parent.key is None:
            parent.key = node
        else:
            self._set(parent.node, parent.key, node)
            parent.key = None
        parent.node.size += node.size
        parent.node.depth = max(parent.node.depth, node.depth + 1)
        self._bound(written)

    def _bound(self, span: Span) -> None:
        if sum(opened.node.size for opened in self._open) > MOST_VALUES:
            self._refuse(span, f"more than {MOST_VALUES:,} values up to here", "split the file, and use fewer aliases")
        if self._open and len(self._open) + self._open[-1].node.depth - 1 > DEEPEST:
            self._refuse(span, f"nested more than {DEEPEST} levels deep")

    def _set(self, mapping: Node, key: Node, value: Node) -> None:
        assert isinstance(mapping.value, dict)
        if not isinstance(key.value, str):
            mapping.flawed = True
            self._report(key.span, *_bad_key(key))
        elif key.value == "<<":
            mapping.flawed = True
            self._report(
                key.span, "merging with << is not part of YAML 1.2", "write the keys out, or put them under defaults"
            )
        elif key.value in mapping.value:
            first = mapping.keys[key.value].problem("")
            self._report(
                key.span,
                f"{quoted(key.value)} is written twice, here and at {first.file}:{first.line}:{first.column}",
                "rename or remove one of them",
            )
        else:
            mapping.value[key.value] = value
            mapping.keys[key.value] = key.span

    def _check_tag(self, event: ScalarEvent | CollectionStartEvent, span: Span) -> None:
        tag = None if event.tag is None else str(event.tag)
        if tag is not None and tag != "!" and tag not in _PLAIN_TAGS:
            shown = tag.replace("tag:yaml.org,2002:", "!!")
            self._report(
                span, f"tags such as {quoted(shown)} are not taken", "remove the tag; values are read as written"
            )


def _bad_key(key: Node) -> tuple[str, str]:
    if key.value is None:
        return "a key is missing before the colon", "write a name before it"
    braces = key.span.source.text.startswith("{", key.span.start) and isinstance(key.value, dict)
    return "a key has to be a plain word", syntax.BRACES if braces else "write key: value"


def _syntax_problem(source: Source, error: MarkedYAMLError) -> Problem:
    words = syntax.words(str(error.problem or ""), str(error.context or ""))
    began, noticed = _place(source, error.context_mark), _place(source, error.problem_mark)
    span = (began if words.at_beginning else noticed) or began or Span(source, 0, 0)
    message = words.message
    if noticed is not None and noticed.line() != span.line():
        message += f" (noticed in line {noticed.line()})"
    return span.problem(message, hint=syntax.BRACES if syntax.has_bare_braces(span.line_text()) else words.hint)


def _place(source: Source, mark: Any) -> Span | None:
    return None if mark is None else Span(source, mark.index, mark.index + 1)
