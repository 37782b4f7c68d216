"""Composing messages: templates and facts in, skeleton and values out.

A template is rendered with marks in place of values. What is left, its path, is shared by all customers who
take the same one, and only a new path goes through MJML, CSS inlining and the plain-text conversion. That it
may is proved for each path by sending probes through: they must come out where the marks did.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from jinja2 import Template, TemplateSyntaxError
from jinja2.exceptions import TemplateNotFound
from markupsafe import escape

from engine.channels.skeleton import WHOLE, Rendered, expand, link_target
from engine.errors import FixYourYaml, Problem
from engine.messages import templates
from engine.messages.align import (
    HTML_FORMS,
    LINE_FORMS,
    LINE_PROBE,
    PROBE,
    SAMPLE_LINKS,
    TEXT_FORMS,
    aligned,
    packed,
    packed_values,
)
from engine.messages.email import finished
from engine.messages.guard import TRACK_CONSTANT
from engine.messages.links import MessageLinks
from engine.messages.marks import Capture
from engine.messages.reasons import label, reason_of
from engine.messages.sandbox import MOST_CHARACTERS, Sandbox, allowance_for
from engine.messages.views import Customer, Link, NotAllowed, Settled, shown

__all__ = ["Composed", "Composer", "Content", "Rendered", "RenderingFailed", "expand", "link_target"]

MOST_VALUE_BYTES = 10_000
"""A provider's limit for one recipient's values; above it the message is composed whole."""
_MOST_PATHS = 500
_LONGEST_SUBJECT = 998
_SUBJECT, _PREHEADER, _TEXT = ":subject", ":preheader", ":text"


@dataclass(frozen=True, kw_only=True)
class Content:
    """What a variant says, in one language.

    `template` is a path below templates/; `text` is an SMS, or a mail that has no template.
    """

    channel: Literal["email", "sms"]
    subject: str | None = None
    preheader: str | None = None
    template: str | None = None
    text: str | None = None


class Composed(NamedTuple):
    """A message for the ledger: `expand(skeleton, values, links)` gives it back."""

    skeleton: str
    values: str


class RenderingFailed(ValueError):
    """The template cannot be rendered for this customer; the text says where and why, and holds none of their data."""


class _Pieces(NamedTuple):
    """What the templates printed, with marks or without."""

    subject: str
    preheader: str
    body: str
    links: tuple[str | int, ...]


class Composer:
    """Composes one variant's messages. Compiled once a process; not to be shared between threads.

    Args:
        sources: template files by their path below templates/; includes are resolved from here only.
        nonce: of the round; part of every mark.

    Raises:
        FixYourYaml: a template has a syntax error or names what does not exist.
    """

    def __init__(self, content: Content, sources: Mapping[str, str], nonce: str) -> None:
        self._content = content
        self._sources = dict(sources) | _own_texts(content)
        with _errors_as_problems(self._sources):
            roots = [name for name in (_SUBJECT, _PREHEADER, _TEXT, content.template or "") if name in self._sources]
            by_name = templates.closure(roots, self._sources)
            trees = by_name.values()
            self.needs: frozenset[str] = templates.customer_facts(trees)
            self._compared = templates.must_be_compared(trees)
            self._never_shared = templates.is_never_shared(trees)
            self._set_up(nonce, set_blocks=templates.set_blocks(trees), fixed_texts=templates.fixed_texts(by_name))
        self._paths: dict[_Pieces, str | None] = {}

    def _set_up(self, nonce: str, **known: Any) -> None:
        self._allowance, self._steps = allowance_for(self._sources)
        self._capture = Capture(nonce, self._allowance)
        links = {
            "track": self._capture.track,
            TRACK_CONSTANT: self._capture.track_constant,
            "unsubscribe_url": Link("u"),
            "preferences_url": Link("p"),
        }
        shared: dict[str, Any] = {"allowance": self._allowance, "names": links, **known}
        line = Sandbox(self._sources, printed=self._capture.in_line, **shared)
        body = Sandbox(self._sources, printed=self._capture.in_html, **shared)
        self._subject = _template(line, _SUBJECT, self._sources)
        self._preheader = _template(body, _PREHEADER, self._sources)
        self._body = _template(line, _TEXT, self._sources) or _template(body, self._content.template, self._sources)
        if self._body is None:
            raise TemplateNotFound(self._content.template or "", f"there is no templates/{self._content.template}")

    def compose(self, names: Mapping[str, Any]) -> Composed:
        """One customer's message.

        Args:
            names: `customer`, and what is the same for the round: `campaign`, `variant`, `sender`.

        Raises:
            RenderingFailed: a fact is missing that the template does not guard, or a limit is exceeded.
        """
        scope = _scope(names)
        try:
            return self._shared(scope) or self._whole(scope)
        except Exception as error:  # whatever a template does, it fails for its customer only
            raise self._failed(error) from error

    def plain(self, names: Mapping[str, Any], links: MessageLinks) -> Rendered:
        """The message without skeletons: the whole way for this customer alone.

        Raises:
            RenderingFailed: as `compose`.
        """
        try:
            subject, html, text = self._finished(self._printed(_scope(names), marking=False, addresses=links))
        except Exception as error:
            raise self._failed(error) from error
        return Rendered(subject, html, text)

    def _shared(self, scope: dict[str, Any]) -> Composed | None:
        """The message by a skeleton; None where it must be composed whole."""
        if self._never_shared:
            return None
        marked = self._printed(scope, marking=True)
        values = self._capture.values
        if self._capture.mixed or (self._compared and not self._gives_back(marked, values, scope)):
            return None
        own = packed_values(values)
        if len(own) > _LONGEST_SUBJECT // 2:
            _check_subject(self._put_in(marked.subject, values, str))
        if len(own) > MOST_VALUE_BYTES // 4 and len(own.encode()) > MOST_VALUE_BYTES:
            return None
        skeleton = self._paths.get(marked)
        if skeleton is None and marked not in self._paths:
            skeleton = self._learned(marked)
        return None if skeleton is None else Composed(skeleton, own)

    def _whole(self, scope: dict[str, Any]) -> Composed:
        """The message as a document of its own, in which only the links are left open."""
        printed = self._printed(scope, marking=False)
        subject, html, text = (
            None if part is None else self._capture.pattern.split(part) for part in self._finished(printed)
        )
        document = {"subject": subject, "html": html, "text": text, "links": list(printed.links)}
        return Composed(WHOLE, packed({key: value for key, value in document.items() if value is not None}))

    def _printed(self, scope: dict[str, Any], *, marking: bool, addresses: MessageLinks | None = None) -> _Pieces:
        self._capture.start(marking=marking, addresses=addresses)
        self._allowance.renew(self._steps)
        subject = " ".join(_run(self._subject, scope).split())
        if not marking:
            _check_subject(subject)
        preheader, body = _run(self._preheader, scope), _run(self._body, scope)
        return _Pieces(subject, preheader, body, tuple(self._capture.links))

    def _gives_back(self, marked: _Pieces, values: list[str], scope: dict[str, Any]) -> bool:
        """Whether the marked rendering with its values put in is the plain rendering."""
        plain = self._printed(scope, marking=False)
        body = str if self._content.template is None else _escaped
        return (
            self._put_in(marked.subject, values, str) == plain.subject
            and self._put_in(marked.preheader, values, _escaped) == plain.preheader
            and self._put_in(marked.body, values, body) == plain.body
        )

    def _put_in(self, text: str, values: list[str], form: Any) -> str:
        return self._capture.pattern.sub(
            lambda mark: form(values[int(mark[1][1:])]) if mark[1][0] == "v" else mark[0], text
        )

    def _learned(self, marked: _Pieces) -> str | None:
        """The skeleton of a path that is met for the first time, or None if values change more than their places."""
        if len(self._paths) >= _MOST_PATHS:
            del self._paths[next(iter(self._paths))]
        skeleton = self._paths[marked] = self._skeleton(marked)
        return skeleton

    def _skeleton(self, marked: _Pieces) -> str | None:
        probed = self._finished(self._probed(marked))
        kinds = ((LINE_PROBE, LINE_FORMS), (PROBE, HTML_FORMS), (self._text_probe, TEXT_FORMS))
        document: dict[str, Any] = {"links": list(marked.links)}
        for name, shown_as, seen, (probe, forms) in zip(
            ("subject", "html", "text"), self._finished(marked), probed, kinds, strict=True
        ):
            if shown_as is None or seen is None:
                continue
            parts = aligned(shown_as, seen, pattern=self._capture.pattern, probe=probe, forms=forms)
            if parts is None:
                return None
            document[name] = parts
        return packed(document)

    @property
    def _text_probe(self) -> str:
        return LINE_PROBE if self._content.template is None else PROBE

    def _probed(self, marked: _Pieces) -> _Pieces:
        """The path with probes in place of its marks."""

        def probes(text: str, probe: str, form: Any) -> str:
            def landed(mark: Any) -> str:
                ref = mark[1]
                return form(probe.format(number=ref[1:])) if ref[0] == "v" else SAMPLE_LINKS.address(ref)

            return self._capture.pattern.sub(landed, text)

        body = str if self._content.template is None else _escaped
        return _Pieces(
            probes(marked.subject, LINE_PROBE, str),
            probes(marked.preheader, PROBE, _escaped),
            probes(marked.body, self._text_probe, body),
            marked.links,
        )

    def _finished(self, pieces: _Pieces) -> tuple[str | None, str | None, str]:
        """Subject, HTML and text as they are mailed."""
        if len(pieces.body) > MOST_CHARACTERS:
            raise NotAllowed(f"the message would be larger than {MOST_CHARACTERS:,} characters; shorten what it prints")
        subject = pieces.subject if self._content.channel == "email" else None
        if self._content.template is None:
            return subject, None, pieces.body
        html, text = finished(pieces.body, mjml=self._content.template.endswith(".mjml"), preheader=pieces.preheader)
        return subject, html, text

    def _failed(self, error: Exception) -> RenderingFailed:
        if isinstance(error, RenderingFailed):
            return error
        return RenderingFailed(reason_of(error, self._sources, self._content.template))


def _check_subject(subject: str) -> None:
    if len(subject) > _LONGEST_SUBJECT:
        raise NotAllowed(f"the subject would be longer than {_LONGEST_SUBJECT} characters; shorten what it prints")


@contextmanager
def _errors_as_problems(sources: Mapping[str, str]) -> Iterator[None]:
    """Turns Jinja's errors about templates into problems with file, line and source."""
    try:
        yield
    except TemplateSyntaxError as error:
        raise FixYourYaml([problem_of(error, sources)]) from error
    except TemplateNotFound as error:
        raise FixYourYaml([Problem(message=error.message or f"there is no templates/{error.name}")]) from error


def problem_of(error: TemplateSyntaxError, sources: Mapping[str, str]) -> Problem:
    """A syntax error as a problem with its template's file and line."""
    name = error.name or ""
    lines = sources.get(name, "").splitlines()
    source = lines[error.lineno - 1] if 0 < error.lineno <= len(lines) else None
    return Problem(message=error.message or "syntax error", file=label(name), line=error.lineno, source=source)


def _own_texts(content: Content) -> dict[str, str]:
    """The texts of campaigns.yaml as templates, under names that no file can have."""
    given = {_SUBJECT: content.subject, _PREHEADER: content.preheader}
    if content.channel == "sms" or content.template is None:
        given[_TEXT] = content.text
    return {name: text for name, text in given.items() if text is not None}


def _template(environment: Sandbox, name: str | None, sources: Mapping[str, str]) -> Template | None:
    return environment.get_template(name) if name is not None and name in sources else None


def _run(template: Template | None, scope: dict[str, Any]) -> str:
    if template is None:
        return ""
    return "".join(template.root_render_func(template.new_context(scope)))


_VIEWS = {"customer": Customer, "campaign": Settled, "variant": Settled, "sender": Settled}


def _scope(names: Mapping[str, Any]) -> dict[str, Any]:
    """The names as templates see them."""
    return {name: _VIEWS.get(name, shown)(value) for name, value in names.items()}


def _escaped(value: str) -> str:
    return str(escape(value))
