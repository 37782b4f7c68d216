"""Templates rewritten before they are compiled, so that their loops end and what they made is known as such."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from jinja2 import TemplateSyntaxError, nodes
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

from engine.messages.filters import CONCATENATED, COUNTED
from engine.messages.views import MARK_EDGE

MADE = "_made"
"""What the results of macros and set blocks go through."""
TRACK_CONSTANT = "_track_constant"
"""What `track('https://…')` becomes: the address belongs to the skeleton."""


class Made(Markup):
    """Text made of template and marks only, such as a macro's result: it is printed as it is."""

    __slots__ = ()


def made(text: Any) -> Any:
    """Only what is marked up came out of a template; a text that a caller handed in is a value."""
    return Made(text) if isinstance(text, Markup) else text


class _Guard(NodeTransformer):
    """Rewrites a parsed template so that its loops and `~` are bounded and the results of macros known as such."""

    def __init__(self, name: str | None, set_blocks: frozenset[str], fixed_texts: Mapping[str, str]) -> None:
        self._name = name
        self._set_blocks = set_blocks
        self._fixed_texts = fixed_texts

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802 - Jinja dispatches on the node's name
        if node.recursive:
            self._refuse("recursive loops are not available", node)
        self.generic_visit(node)
        assert isinstance(node.iter, nodes.Expr)
        node.iter = _filtered(node.iter, COUNTED)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Expr:  # noqa: N802
        self.generic_visit(node)
        return _filtered(nodes.List(node.nodes, lineno=node.lineno), CONCATENATED)

    def visit_Output(self, node: nodes.Output) -> nodes.Output:  # noqa: N802
        self.generic_visit(node)
        node.nodes = [_filtered(child, MADE) if self._is_made(child) else child for child in node.nodes]
        return node

    def visit_Call(self, node: nodes.Call) -> nodes.Call:  # noqa: N802
        self.generic_visit(node)
        if is_constant_track(node):
            node.node = nodes.Name(TRACK_CONSTANT, "load", lineno=node.lineno)
        return node

    def visit_ScopedEvalContextModifier(self, node: nodes.Node) -> NoReturn:  # noqa: N802
        self._refuse("{% autoescape %} is not available: values are always escaped where they land", node)

    visit_EvalContextModifier = visit_ScopedEvalContextModifier  # noqa: N815

    def _named_in_quotes(self, node: nodes.Include | nodes.Import | nodes.Extends | nodes.FromImport) -> nodes.Node:
        if not isinstance(node.template, nodes.Const) or not isinstance(node.template.value, str):
            self._refuse("the file must be named in quotes, so that the sealed plan knows it", node)
        self.generic_visit(node)
        return node

    visit_Import = visit_Extends = visit_FromImport = _named_in_quotes  # noqa: N815

    def visit_Include(self, node: nodes.Include) -> nodes.Node:  # noqa: N802
        self._named_in_quotes(node)
        assert isinstance(node.template, nodes.Const)
        text = self._fixed_texts.get(node.template.value)
        # An include costs a context of its own each time; one without values can as well stand here.
        return node if text is None else nodes.Output([nodes.TemplateData(text)], lineno=node.lineno)

    def _is_made(self, node: nodes.Node) -> bool:
        """Only macros, blocks and callers give markup when they are called, and set blocks when they are named."""
        if isinstance(node, nodes.Name):
            return node.name in self._set_blocks
        return isinstance(node, nodes.Call)

    def _refuse(self, message: str, node: nodes.Node) -> NoReturn:
        raise TemplateSyntaxError(message, node.lineno, self._name)


def refuse_marks(source: str, name: str | None) -> None:
    """A template holds no character that begins a mark.

    Raises:
        TemplateSyntaxError: it does.
    """
    before, found, _ = source.partition(MARK_EDGE)
    if found:
        line = before.count("\n") + 1
        raise TemplateSyntaxError("a control character (DEL) stands in this line; delete it", line, name)


def is_constant_track(node: nodes.Call) -> bool:
    """Whether this is `track('https://…')`: the address then belongs to the skeleton."""
    known = isinstance(node.node, nodes.Name) and node.node.name == "track"
    return known and len(node.args) == 1 and isinstance(node.args[0], nodes.Const)


def guarded(
    tree: nodes.Template, name: str | None, *, set_blocks: frozenset[str], fixed_texts: Mapping[str, str]
) -> nodes.Template:
    """The template with its bounds built in.

    Args:
        set_blocks: names that hold nothing but what `{% set x %}…{% endset %}` made.
        fixed_texts: templates that hold no value, as what they print.

    Raises:
        TemplateSyntaxError: it uses what is not available here.
    """
    _Guard(name, set_blocks, fixed_texts).visit(tree)
    return tree


def _filtered(node: nodes.Expr, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno, environment=node.environment)
