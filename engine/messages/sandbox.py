"""The sandbox that templates run in: plain data, listed filters, and an end to everything.

Jinja's own sandbox keeps templates from the interpreter's insides; it does not stop `'x' * 10**9`, `center`,
nested loops or `lipsum`. Here data have no methods, only listed filters and functions exist, loops and calls
are counted, and whatever makes text is charged before it is made.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import DictLoader, StrictUndefined, Template, nodes
from jinja2.compiler import CodeGenerator
from jinja2.runtime import BlockReference, Context, LoopContext, Macro, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace, missing

from engine.messages.filters import Allowance, filters, tests
from engine.messages.guard import MADE, guarded, made, refuse_marks
from engine.messages.views import Customer, Fixed, Record, Rows, Settled, shown

MOST_CHARACTERS = 1_000_000
"""Of one message, and of all text made on the way to it."""
MOST_STEPS = 10_000
_MOST_TEXT_IN_LOOPS = 20_000_000
_MOST_RANGE = 1_000
_LARGEST = 10.0**30
_JINJAS_OWN = frozenset(("_loop_vars", "_block_vars"))
LOOP_ATTRIBUTES = frozenset(
    ("index", "index0", "revindex", "revindex0", "first", "last", "length", "previtem", "nextitem")
)


class Absent(StrictUndefined):
    """What does not exist; using it says so in plain words."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        name, owner = self._undefined_name, self._undefined_obj
        if self._undefined_hint:
            return str(self._undefined_hint)
        if owner is None:
            return f'".{name}" has nothing to be read from: what stands before the dot is missing for this customer'
        if isinstance(owner, Record):
            return f'there is no ".{name}" here for this customer'
        if isinstance(owner, str | int | float):
            return f'texts and numbers have no ".{name}"; use a filter, such as | upper'
        return f'there is no "{name}"'


class _Template(Template):
    """A template whose contexts are cheap: ours are made once a message, not once a page."""

    def new_context(
        self, vars: dict[str, Any] | None = None, shared: bool = False, locals: Mapping[str, Any] | None = None
    ) -> Context:
        scope = vars if shared and vars is not None else {**self.environment.globals, **(vars or {})}
        if locals:
            scope = {**scope, **{name: value for name, value in locals.items() if value is not missing}}
        return Context(self.environment, scope, self.name, self.blocks)


class _Generator(CodeGenerator):
    """Compiles `{{ x }}` to one call that both captures and escapes; Jinja would escape what that returns again."""

    def _output_child_to_const(self, node: nodes.Expr, *_: Any) -> str:
        if not isinstance(node, nodes.TemplateData):
            raise nodes.Impossible
        return node.data

    def _output_child_pre(self, *_: Any) -> None:
        self.write("environment.printed(")

    def _output_child_post(self, *_: Any) -> None:
        self.write(")")


class Sandbox(ImmutableSandboxedEnvironment):
    """A Jinja environment for one composer; not to be shared between threads.

    Args:
        printed: what becomes of each `{{ }}`: gets the value, returns the text, escaped where it must be.
        names: functions and values that every template knows.
        set_blocks: names that hold nothing but what `{% set x %}…{% endset %}` made.
        fixed_texts: templates that hold no value, as what they print.
    """

    intercepted_binops = frozenset({"+", "*", "**", "%"})
    template_class = _Template
    code_generator_class = _Generator

    def __init__(
        self,
        sources: Mapping[str, str],
        *,
        printed: Callable[[Any], str],
        names: Mapping[str, Any],
        set_blocks: frozenset[str],
        fixed_texts: Mapping[str, str],
        allowance: Allowance,
    ) -> None:
        super().__init__(loader=DictLoader(sources), autoescape=True, undefined=Absent, auto_reload=False)
        self.printed = printed
        self.allowance = allowance
        self.filters = {**filters(allowance), MADE: made}
        self.tests = dict(tests())
        self.globals = {**names, "range": bounded_range, "namespace": Namespace}
        self._callable = {id(known) for known in self.globals.values()}
        self._set_blocks = set_blocks
        self._fixed_texts = fixed_texts
        self._ready: dict[str, Template] = {}

    def get_template(self, name: Any, parent: str | None = None, globals: Any = None) -> Template:
        if name not in self._ready:
            self._ready[name] = super().get_template(name, parent, globals)
        return self._ready[name]

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        refuse_marks(source, name)
        tree = super()._parse(source, name, filename)
        return guarded(tree, name, set_blocks=self._set_blocks, fixed_texts=self._fixed_texts)

    def getattr(self, obj: Any, attribute: str) -> Any:
        kind = type(obj)
        if kind is Customer:
            return shown(obj.data.get(attribute))
        if kind is Record:
            return shown(obj.data[attribute]) if attribute in obj.data else Absent(obj=obj, name=attribute)
        if kind is Settled:
            return _settled(obj, attribute)
        return self._attribute(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(argument, str):
            return self.getattr(obj, argument)
        if isinstance(obj, str | Rows | list | tuple) and isinstance(argument, int | slice):
            try:
                return obj[argument]
            except (IndexError, ValueError):
                return Absent("the list is shorter than that for this customer")
        if isinstance(obj, dict):
            return obj.get(argument, Absent(obj=obj, name=str(argument)))
        return Absent(obj=obj, name="[…]")

    def _attribute(self, obj: Any, attribute: str) -> Any:
        """An attribute of something that is not data: of a loop, a namespace, an imported file, a literal."""
        if isinstance(obj, Undefined):
            raise obj._undefined_exception(obj._undefined_message)
        if attribute.startswith("_"):
            return Absent(obj=obj, name=attribute)
        if isinstance(obj, dict):
            return obj.get(attribute, Absent(obj=obj, name=attribute))
        if isinstance(obj, LoopContext):
            return getattr(obj, attribute) if attribute in LOOP_ATTRIBUTES else Absent(obj=obj, name=attribute)
        if isinstance(obj, Namespace) or type(obj).__name__ in ("TemplateModule", "TemplateReference"):
            return _of_module(obj, attribute)
        return Absent(obj=obj, name=attribute)

    def is_safe_callable(self, obj: Any) -> bool:
        return isinstance(obj, Macro | BlockReference)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 - so named by Jinja: no argument of a template collides
        __self.allowance.step()
        if id(__obj) in __self._callable and "caller" not in kwargs:
            # Inside loops and blocks Jinja hands its own variables on, which only templates' functions take.
            return __obj(*args, **{key: value for key, value in kwargs.items() if key not in _JINJAS_OWN})
        if isinstance(__obj, Undefined):
            raise __obj._undefined_exception(__obj._undefined_message)
        return super().call(__context, __obj, *args, **kwargs)

    def call_binop(self, _context: Context, sign: str, /, left: Any, right: Any) -> Any:
        if sign == "+" and isinstance(left, str) and isinstance(right, str):
            self.allowance.charge(len(left) + len(right))
            return left + right
        return _calculated(sign, left, right)


def allowance_for(sources: Mapping[str, str]) -> tuple[Allowance, int]:
    """The allowance of templates of this size and the steps that each rendering gets.

    A step prints at most the whole template once, so longer templates get fewer steps.
    """
    size = max(1, sum(map(len, sources.values())))
    steps = max(100, min(MOST_STEPS, _MOST_TEXT_IN_LOOPS // size))
    return Allowance(steps=steps, characters=MOST_CHARACTERS), steps


def bounded_range(*bounds: int) -> range:
    """`range` of at most a thousand numbers."""
    numbers = range(*bounds)
    if len(numbers) > _MOST_RANGE:
        raise OverflowError
    return numbers


def _settled(record: Settled, name: str) -> Any:
    value = record.data.get(name, record)
    if value is record:
        return Absent(obj=record, name=name)
    return Fixed(value) if isinstance(value, str) else shown(value)


def _of_module(obj: Any, attribute: str) -> Any:
    try:
        return obj[attribute] if type(obj).__name__ == "TemplateReference" else getattr(obj, attribute)
    except (AttributeError, KeyError):
        return Absent(obj=obj, name=attribute)


_OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "*": operator.mul, "**": operator.pow, "%": operator.mod,
}  # fmt: skip


def _calculated(sign: str, left: Any, right: Any) -> Any:
    """Arithmetic on numbers of a sane size; `'x' * 10**9` and `'%0500000000d' % 1` are none."""
    if not (isinstance(left, int | float) and isinstance(right, int | float)):
        raise TypeError
    if max(abs(left), abs(right)) > _LARGEST or (sign == "**" and abs(right) > 100):
        raise OverflowError
    return _OPERATIONS[sign](left, right)
