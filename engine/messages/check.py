"""Templates checked without a customer: syntax, names, filters, files, MJML tags. Every problem with its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from jinja2 import TemplateSyntaxError, nodes

from engine.declare import walk
from engine.declare.declared import Declared
from engine.declare.grammar import Trail
from engine.declare.near import nearest, suggestion
from engine.declare.spec import Campaign, Variant
from engine.errors import FixYourYaml, Problem
from engine.messages import names as known
from engine.messages import templates
from engine.messages.filters import FILTER_NAMES, TEST_NAMES
from engine.messages.guard import guarded, refuse_marks
from engine.messages.mjml import mjml_problems, unquoted_values
from engine.messages.reasons import label
from engine.messages.sandbox import LOOP_ATTRIBUTES

_ALWAYS = known.TOP_LEVEL | known.FUNCTIONS | {"loop", "self", "super", "caller", "varargs", "kwargs"}
_TEXT_FIELDS = ("subject", "preheader", "text")
_LANGUAGE = "{language}"


def check_templates(declared: Declared) -> list[Problem]:
    """Everything wrong inside the templates and texts of all campaigns, all at once.

    That a variant's template exists is checked with the declaration.
    """
    try:
        sources = templates.read_sources(declared.root / "templates")
    except FixYourYaml as error:
        return error.problems
    problems: list[Problem] = []
    roots: dict[str, frozenset[str]] = {}
    for name, campaign in declared.project.campaigns.items():
        channels = _channels(campaign)
        for trail, variant in walk.variants(name, campaign):
            problems += _in_texts(declared, trail, variant, channels)
            if variant.template is not None and not variant.template.endswith(templates.SUFFIXES):
                problems.append(declared.problem((*trail, "template"), "a template's name ends in .mjml or .html"))
            for file in template_files(variant.template or "", sources):
                roots[file] = roots.get(file, frozenset()) | channels
    for file, channels in sorted(roots.items()):
        problems += _in_files(file, sources, channels)
    return list(dict.fromkeys(problems))


def unsupported_in_templates(declared: Declared, campaign: str) -> list[Problem]:
    """What a campaign's templates, already checked, use of later releases: `trigger`, `recommended` …"""
    sources = templates.read_sources(declared.root / "templates")
    problems: list[Problem] = []
    for trail, variant in walk.variants(campaign, declared.project.campaigns[campaign]):
        for field, text in _texts(variant):
            problems += [declared.problem((*trail, *field), f"not supported yet: {name}") for name in _later(text)]
        files = template_files(variant.template or "", sources)
        for file in templates.closure(files, sources):
            findings = (
                _Finding(f"not supported yet: {name}", line, name) for name, line in _later(sources[file]).items()
            )
            problems += [finding.in_file(file, sources[file]) for finding in findings]
    return list(dict.fromkeys(problems))


def template_files(template: str, sources: Mapping[str, str]) -> list[str]:
    """The files that a variant's template stands for: one, or with `{language}` those of all languages."""
    if _LANGUAGE not in template:
        return [template] if template in sources else []
    before, _, after = template.partition(_LANGUAGE)
    return [name for name in sources if _is_between(name, before, after)]


def _is_between(name: str, before: str, after: str) -> bool:
    language = name[len(before) : len(name) - len(after)]
    return name == f"{before}{language}{after}" and language != "" and "/" not in language


def _channels(campaign: Campaign) -> frozenset[str]:
    return frozenset([campaign.channel] if isinstance(campaign.channel, str) else campaign.channel)


def _texts(variant: Variant) -> Iterator[tuple[Trail, str]]:
    """A variant's own texts with the rest of their trails, in every language."""
    for field in _TEXT_FIELDS:
        value = getattr(variant, field)
        if isinstance(value, str):
            yield (field,), value
        for language, text in value.items() if isinstance(value, dict) else ():
            yield (field, language), text


@dataclass(frozen=True)
class _Finding:
    """A problem inside a template, not yet placed in a file."""

    message: str
    line: int
    word: str | None = None
    """What the caret points at; it is looked up in the line, because Jinja knows lines only."""
    hint: str | None = None
    severity: str = "error"

    def in_file(self, name: str, source: str) -> Problem:
        lines = source.splitlines()
        text = lines[self.line - 1] if 0 < self.line <= len(lines) else None
        column, width = _marked(text, self.word) if text is not None else (None, 1)
        return Problem(
            message=self.message,
            file=label(name),
            line=self.line,
            column=column,
            source=text,
            width=width,
            hint=self.hint,
            severity=self.severity,
        )


def _marked(line: str, word: str | None) -> tuple[int, int]:
    """Column and width of a word in a line, or of all that the line says."""
    at = line.find(word) if word else -1
    if word and at >= 0:
        return at + 1, len(word)
    said = line.strip()
    return line.find(said) + 1, max(1, len(said))


def _in_texts(declared: Declared, trail: Trail, variant: Variant, channels: frozenset[str]) -> list[Problem]:
    return [
        declared.problem((*trail, *field), finding.message, hint=finding.hint, severity=finding.severity)
        for field, text in _texts(variant)
        for finding in _in_source(text, ":text", channels, {})
    ]


def _in_files(root: str, sources: Mapping[str, str], channels: frozenset[str]) -> list[Problem]:
    """Problems of a template and of everything that it includes."""
    problems: list[Problem] = []
    waiting, seen, stored = [root], set[str](), set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            tree = templates.parsed(sources[name], name)
        except TemplateSyntaxError:
            continue
        stored |= _stored(tree)
        waiting += [other for other, _ in templates.included_names(tree) if other in sources]
    for name in sorted(seen):
        found = _in_source(sources[name], name, channels, sources, stored)
        problems += [finding.in_file(name, sources[name]) for finding in found]
        problems += unquoted_values(name, sources[name])
    if problems or not root.endswith(".mjml"):
        return problems
    return mjml_problems(root, sources, sorted(seen))


def _in_source(
    source: str, name: str, channels: frozenset[str], sources: Mapping[str, str], stored: Iterable[str] = ()
) -> list[_Finding]:
    """Problems of one template by itself.

    Args:
        stored: names that templates around it set.
    """
    try:
        refuse_marks(source, name)
        tree = templates.parsed(source, name)
        guarded(templates.parsed(source, name), name, set_blocks=frozenset(), fixed_texts={})
    except TemplateSyntaxError as error:
        return [_of_syntax(error)]
    allowed = _ALWAYS | _stored(tree) | set(stored)
    return [
        *_unknown_filters(tree),
        *_unknown_files(tree, sources),
        *_unknown_names(tree, allowed),
        *_unknown_attributes(tree, channels),
        *_methods(tree),
        *_untrackable(tree),
    ]


def _of_syntax(error: TemplateSyntaxError) -> _Finding:
    message = (error.message or "this is no template").rstrip(".")
    quoted = message.split("'")[1] if message.count("'") > 1 else None
    return _Finding(f"{message[0].lower()}{message[1:]}", error.lineno, quoted)


def _stored(tree: nodes.Template) -> set[str]:
    """Names that a template sets: variables, loop targets, arguments, macros, imports."""
    stored = {node.name for node in tree.find_all(nodes.Name) if node.ctx != "load"}
    stored |= {node.name for node in tree.find_all(nodes.Macro)}
    stored |= {node.target for node in tree.find_all(nodes.Import)}
    imported = (name for node in tree.find_all(nodes.FromImport) for name in node.names)
    return stored | {name if isinstance(name, str) else name[1] for name in imported}


def _unknown_filters(tree: nodes.Template) -> Iterator[_Finding]:
    for node in tree.find_all((nodes.Filter, nodes.Test)):
        kind, words = ("filter", FILTER_NAMES) if isinstance(node, nodes.Filter) else ("test", TEST_NAMES)
        if node.name not in words:
            hint = suggestion(node.name, sorted(word for word in words if word.isalpha()))
            yield _Finding(f'there is no {kind} "{node.name}"', node.lineno, node.name, hint)


def _unknown_files(tree: nodes.Template, sources: Mapping[str, str]) -> Iterator[_Finding]:
    for name, node in templates.included_names(tree):
        if name not in sources and not getattr(node, "ignore_missing", False):
            yield _Finding(f"there is no template templates/{name}", node.lineno, name, suggestion(name, sources))


def _unknown_names(tree: nodes.Template, allowed: frozenset[str] | set[str]) -> Iterator[_Finding]:
    for node in tree.find_all(nodes.Name):
        if node.ctx == "load" and node.name not in allowed:
            dotted = {column: f"customer.{column}" for column in known.CUSTOMER_COLUMNS | known.CUSTOMER_FACTS}
            near = dotted.get(node.name) or nearest(node.name, sorted(allowed))
            hint = (
                f'did you mean "{near}"?'
                if near
                else f"known here: {', '.join(sorted(known.TOP_LEVEL - known.NOT_YET))}"
            )
            yield _Finding(f'there is no name "{node.name}" in templates', node.lineno, node.name, hint)


def _unknown_attributes(tree: nodes.Template, channels: frozenset[str]) -> Iterator[_Finding]:
    """Attributes of `campaign`, `variant` and `sender` are few; a customer may have any, but hardly `frist_name`."""
    of_sender = frozenset().union(*(known.OF_SENDER.get(channel, frozenset()) for channel in channels))
    attributes = {
        "campaign": known.OF_CAMPAIGN,
        "variant": known.OF_VARIANT,
        "sender": of_sender,
        "loop": LOOP_ATTRIBUTES,
    }
    of_customer = known.CUSTOMER_COLUMNS | known.CUSTOMER_FACTS | known.CUSTOMER_NOT_YET
    for node in tree.find_all(nodes.Getattr):
        owner = node.node.name if isinstance(node.node, nodes.Name) else None
        shown = f"{owner}.{node.attr}"
        if owner in attributes and node.attr not in attributes[owner]:
            hint = suggestion(shown, sorted(f"{owner}.{name}" for name in attributes[owner]))
            yield _Finding(f'there is no "{shown}"', node.lineno, shown, hint)
        if owner == "customer" and node.attr not in of_customer:
            near = get_close_matches(node.attr, sorted(of_customer), n=1, cutoff=0.8)
            if near:
                message = f'"{shown}" is empty unless customers have an attribute "{node.attr}"'
                yield _Finding(message, node.lineno, shown, f'did you mean "customer.{near[0]}"?', "warning")


def _methods(tree: nodes.Template) -> Iterator[_Finding]:
    """Calls such as `customer.first_name.upper()`: values have no methods here."""
    modules = {"self", "super", "caller"} | {node.target for node in tree.find_all(nodes.Import)}
    for node in tree.find_all(nodes.Call):
        called = node.node
        if isinstance(called, nodes.Getattr) and not (
            isinstance(called.node, nodes.Name) and called.node.name in modules
        ):
            hint = f"write | {called.attr} instead" if called.attr in FILTER_NAMES else "use a filter instead"
            yield _Finding(
                f'".{called.attr}()" is not available: values have no methods', node.lineno, called.attr, hint
            )


def _untrackable(tree: nodes.Template) -> Iterator[_Finding]:
    for node in tree.find_all(nodes.Call):
        if not (isinstance(node.node, nodes.Name) and node.node.name == "track"):
            continue
        given: Any = node.args[0] if len(node.args) == 1 else nodes.Const(None)
        if isinstance(given, nodes.Const) and not str(given.value).startswith(("https://", "http://")):
            message = "track(…) takes one address that begins with https:// or http://"
            yield _Finding(message, node.lineno, "track")


def _later(source: str) -> dict[str, int]:
    """Names of later releases that a template reads, with their lines."""
    try:
        tree = templates.parsed(source)
    except TemplateSyntaxError:
        return {}
    found = {node.name: node.lineno for node in tree.find_all(nodes.Name) if node.name in known.NOT_YET}
    for node in tree.find_all(nodes.Getattr):
        if isinstance(node.node, nodes.Name) and node.node.name == "customer" and node.attr in known.CUSTOMER_NOT_YET:
            found[f"customer.{node.attr}"] = node.lineno
    return found
