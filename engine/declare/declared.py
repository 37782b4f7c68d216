"""What `load` gives: the parsed project, and where each piece of it is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.declare.grammar import Trail
from engine.declare.source import Node, Span
from engine.declare.spec import Project
from engine.errors import Problem


@dataclass(frozen=True, kw_only=True, eq=False)
class Declared:
    """A project as it was declared, over all its files."""

    project: Project
    root: Path
    """The folder of the main file."""
    files: tuple[Path, ...]
    """The main file first, then what it includes, in that order."""
    sha256: str
    """Over the names and bytes of all files."""
    tree: Node
    broken: frozenset[Trail] = frozenset()
    """Places that were wrong and hold stand-ins; only there while problems are collected."""
    incomplete: bool = False
    """A file could not be read, so that a name that is not there may stand in it."""

    def names(self, section: str) -> list[str]:
        """What a section declares, broken or not."""
        node = find(self.tree, (section,))
        if node is None:
            return []
        if isinstance(node.value, dict):
            return list(node.value)
        items = node.value if isinstance(node.value, list) else []
        return [item.value for item in items if isinstance(item.value, str)]

    def written(self, trail: Trail) -> bool:
        """Whether the YAML says anything at this place."""
        return find(self.tree, trail) is not None

    def origin(self, campaign: str, *setting: str | int) -> Trail:
        """Where a setting of a campaign is written: in the campaign, or among the defaults."""
        own: Trail = ("campaigns", campaign, *setting)
        inherited: Trail = ("defaults", *setting)
        return inherited if not self.written(own[:3]) and self.written(inherited[:2]) else own

    def span(self, trail: Trail, *, key: bool = False) -> Span:
        """The characters of a value, or of its key; of what is not written, the key of the nearest that is."""
        node, parent = find(self.tree, trail), find(self.tree, trail[:-1])
        if node is None:
            return self.span(trail[:-1], key=True) if trail else Span(self.tree.span.source, 0, 1)
        named = parent.keys.get(str(trail[-1])) if parent is not None and trail else None
        return named if named is not None and (key or node.value is None) else node.span

    def problem(
        self,
        trail: Trail,
        message: str,
        *,
        hint: str | None = None,
        rule: str | None = None,
        severity: str = "error",
        key: bool = False,
    ) -> Problem:
        """A problem with the value at a place, or with its key."""
        return self.span(trail, key=key).problem(message, hint=hint, rule=rule, severity=severity)


def find(tree: Node, trail: Trail) -> Node | None:
    """The node at a place."""
    node: Node | None = tree
    for step in trail:
        node = _child(node, step) if node is not None else None
    return node


def _child(node: Node, step: str | int) -> Node | None:
    if isinstance(node.value, dict):
        return node.value.get(str(step))
    if isinstance(node.value, list) and isinstance(step, int) and 0 <= step < len(node.value):
        return node.value[step]
    return None
