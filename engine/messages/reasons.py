"""Why a rendering failed, in plain words and without the customer's data."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType

from jinja2 import Template, UndefinedError
from jinja2.exceptions import SecurityError, TemplateNotFound, TemplateRuntimeError, TemplateSyntaxError

from engine.messages.views import NotAllowed

_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (TemplateNotFound, "this names a template that does not exist"),
    (SecurityError, "this cannot be called or changed from templates"),
    (TemplateRuntimeError, "only the fields of a namespace() can be set"),
    (ZeroDivisionError, "this divides by zero"),
    (RecursionError, "this includes or calls itself without end"),
    (OverflowError, "this number is too large"),
    (TypeError, "this mixes things that do not go together, such as text and numbers, or lacks something"),
    (ValueError, "this is not a value that can be used here"),
)
_LONGEST_LINE = 120


def label(name: str) -> str:
    """A template's name as the user knows it; a name with a colon is a text of campaigns.yaml itself."""
    return name[1:] if name.startswith(":") else f"templates/{name}"


def reason_of(error: Exception, sources: Mapping[str, str], template: str | None) -> str:
    """`templates/winback/plain.mjml:12: …`, with the line itself; the template's name alone where no line is known."""
    name, line = _place(error.__traceback__)
    if isinstance(error, TemplateSyntaxError):
        name, line = error.name, error.lineno
    what = _what(error)
    if name is None or name not in sources:
        return f"{label(template)}: {what}" if template else what
    return f"{label(name)}:{line}: {what}{_source_line(sources[name], line)}"


def _what(error: Exception) -> str:
    # Other errors' own texts may quote what the customer's data hold.
    if isinstance(error, NotAllowed | UndefinedError | TemplateSyntaxError):
        return str(error.message if isinstance(error, TemplateSyntaxError) else error)
    return next((words for kind, words in _WORDS if isinstance(error, kind)), f"this fails ({type(error).__name__})")


def _place(traceback: TracebackType | None) -> tuple[str | None, int]:
    """Template and line of the innermost frame that a template's code made."""
    place: tuple[str | None, int] = (None, 0)
    while traceback is not None:
        template = traceback.tb_frame.f_globals.get("__jinja_template__")
        if isinstance(template, Template):
            place = template.name, template.get_corresponding_lineno(traceback.tb_lineno)
        traceback = traceback.tb_next
    return place


def _source_line(source: str, line: int) -> str:
    lines = source.splitlines()
    return f"\n  {lines[line - 1].strip()[:_LONGEST_LINE]}" if 0 < line <= len(lines) else ""
