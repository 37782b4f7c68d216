"""Template files: reading them, following what they include, and what of a customer they need."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from jinja2 import Environment, nodes

from engine.errors import FixYourYaml, Problem

SUFFIXES = (".mjml", ".html")
_GRAMMAR = Environment(autoescape=True)
FileNode = nodes.Include | nodes.Import | nodes.FromImport | nodes.Extends
_COMPARED = (nodes.FilterBlock, nodes.AssignBlock, nodes.CallBlock, nodes.Macro, nodes.Import, nodes.FromImport)


def read_sources(folder: Path) -> dict[str, str]:
    """All template files below a folder, by their path in it.

    Raises:
        FixYourYaml: files cannot be read, or are not UTF-8; all of them are listed.
    """
    sources: dict[str, str] = {}
    problems: list[Problem] = []
    for path in sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES and path.is_file()):
        name = path.relative_to(folder).as_posix()
        try:
            sources[name] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            message = f"byte {error.start} is not UTF-8; save the file in this encoding"
            problems.append(Problem(message=message, file=f"templates/{name}"))
        except OSError as error:
            problems.append(Problem(message=f"cannot be read: {error.strerror}", file=f"templates/{name}"))
    if problems:
        raise FixYourYaml(problems)
    return sources


def parsed(source: str, name: str | None = None) -> nodes.Template:
    """The syntax tree of a template.

    Raises:
        TemplateSyntaxError: it is none.
    """
    return _GRAMMAR.parse(source, name)


def included_names(tree: nodes.Template) -> Iterator[tuple[str, FileNode]]:
    """Names of the files that a template includes, extends or imports, with the nodes that say so."""
    for node in tree.find_all(nodes.Stmt):
        given = node.template if isinstance(node, FileNode) else None
        for part in given.items if isinstance(given, nodes.List | nodes.Tuple) else [given]:
            if isinstance(node, FileNode) and isinstance(part, nodes.Const) and isinstance(part.value, str):
                yield part.value, node


def closure(names: Iterable[str], sources: Mapping[str, str]) -> dict[str, nodes.Template]:
    """The trees of these templates and of all that they include, by name; what does not exist is left out.

    Raises:
        TemplateSyntaxError: one of them is no template.
    """
    trees: dict[str, nodes.Template] = {}
    waiting = [name for name in names if name in sources]
    while waiting:
        name = waiting.pop()
        if name in trees:
            continue
        trees[name] = parsed(sources[name], name)
        waiting += [other for other, _ in included_names(trees[name]) if other in sources]
    return trees


def with_included(names: Iterable[str], sources: Mapping[str, str]) -> dict[str, str]:
    """Of all sources those that the named templates use; this is what a plan seals."""
    return {name: sources[name] for name in sorted(closure(names, sources))}


def customer_facts(trees: Collection[nodes.Template]) -> frozenset[str]:
    """Which facts of the customer the templates read.

    Where `customer` is handed on whole, every name behind a dot may be one of its facts.
    """
    reads = [read for tree in trees for read in _reads(tree)]
    facts = {name for owner, name in reads if _is_customer(owner)}
    mentions = sum(1 for tree in trees for node in tree.find_all(nodes.Name) if _is_customer(node))
    handed_on = mentions > sum(1 for owner, _ in reads if _is_customer(owner))
    return frozenset({name for _, name in reads} if handed_on else facts)


def _reads(tree: nodes.Template) -> Iterator[tuple[nodes.Node, str]]:
    """Everything of the form `owner.name` or `owner["name"]`."""
    for dotted in tree.find_all(nodes.Getattr):
        yield dotted.node, dotted.attr
    for keyed in tree.find_all(nodes.Getitem):
        if isinstance(keyed.arg, nodes.Const) and isinstance(keyed.arg.value, str):
            yield keyed.node, keyed.arg.value


def _is_customer(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) and node.name == "customer" and node.ctx == "load"


def set_blocks(trees: Iterable[nodes.Template]) -> frozenset[str]:
    """Names that only `{% set x %}…{% endset %}` sets, so that they hold nothing but text and marks."""
    made: list[str] = []
    stored: list[str] = []
    for tree in trees:
        blocks = [node for node in tree.find_all(nodes.AssignBlock) if node.filter is None]
        made += [block.target.name for block in blocks if isinstance(block.target, nodes.Name)]
        stored += [name.name for name in tree.find_all(nodes.Name) if name.ctx != "load"]
    return frozenset(name for name in made if made.count(name) == stored.count(name))


def fixed_texts(trees: Mapping[str, nodes.Template]) -> dict[str, str]:
    """What those templates print that hold no value and decide nothing, by name."""
    return {name: text for name, tree in trees.items() if (text := _fixed_text(tree)) is not None}


def _fixed_text(tree: nodes.Template) -> str | None:
    if not all(isinstance(node, nodes.Output) for node in tree.body):
        return None
    pieces = [piece for node in tree.find_all(nodes.Output) for piece in node.nodes]
    if not all(isinstance(piece, nodes.TemplateData) for piece in pieces):
        return None
    return "".join(piece.data for piece in pieces if isinstance(piece, nodes.TemplateData))


def must_be_compared(trees: Iterable[nodes.Template]) -> bool:
    """Whether something can look at what was printed, so that each message is compared with its plain rendering."""
    return any(_sees_marks(tree) for tree in trees)


def _sees_marks(tree: nodes.Template) -> bool:
    names = (node.name for node in tree.find_all(nodes.Name) if node.ctx == "load")
    return next(tree.find_all(_COMPARED), None) is not None or any(name in ("super", "self") for name in names)


def is_never_shared(trees: Iterable[nodes.Template]) -> bool:
    """Whether a filter block takes a value: it could bring a customer's data into a skeleton."""
    filters = (block.filter for tree in trees for block in tree.find_all(nodes.FilterBlock))
    return any(not isinstance(part, nodes.Const) for filter_ in filters for part in _arguments(filter_))


def _arguments(filter_: nodes.Filter) -> Iterator[nodes.Node]:
    """The arguments of a filter and of those before it in a chain."""
    link: nodes.Node | None = filter_
    while isinstance(link, nodes.Filter):
        yield from link.args
        yield from (keyword.value for keyword in link.kwargs)
        yield from (part for part in (link.dyn_args, link.dyn_kwargs) if part is not None)
        link = link.node
