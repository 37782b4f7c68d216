"""campaigns.yaml → specs, or every problem in it at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from engine.declare import files
from engine.declare.declared import Declared, find
from engine.declare.grammar import Trail, fields, stand_in, trail_of
from engine.declare.source import Node
from engine.declare.spec import Project
from engine.declare.words import Mistake, mistakes
from engine.errors import FixYourYaml, Problem

__all__ = ["Declared", "examine", "load"]

_MENDINGS = 20
"""Rounds of putting stand-ins for mistakes; each goes at least one level down."""


def load(path: Path) -> Declared:
    """Read a project that is to be used.

    Raises:
        FixYourYaml: something in it is wrong; every problem of every file is listed,
            those of `check` among them.
    """
    declared, problems = examine(path)
    if problems:
        from engine.declare.check import check

        raise FixYourYaml(in_order(declared, problems + check(declared)))
    return declared


def examine(path: Path) -> tuple[Declared, list[Problem]]:
    """Read a project as far as it goes, with the problems of its form; wrong values are replaced by stand-ins.

    Raises:
        FixYourYaml: the main file cannot be read at all.
    """
    tree, reading = files.read(path)
    project, broken, found = _parse(tree)
    declared = Declared(
        project=project,
        root=reading.root,
        files=tuple(reading.files),
        sha256=reading.sha256(),
        tree=tree,
        broken=broken,
        incomplete=reading.incomplete,
    )
    told = [_problem(declared, mistake) for mistake in found if not _is_echo(declared, mistake)]
    return declared, in_order(declared, reading.problems + told)


def in_order(declared: Declared, problems: list[Problem]) -> list[Problem]:
    """By file, line and column."""
    order = {files.shown(file): number for number, file in enumerate(declared.files)}
    return sorted(
        problems, key=lambda p: (order.get(p.file or "", len(order)), p.file or "", p.line or 0, p.column or 0)
    )


def _is_echo(declared: Declared, mistake: Mistake) -> bool:
    """Whether a value is wrong only because a part of it was no key, which is reported already."""
    if mistake.kind == "unknown":
        return False
    place = mistake.trail[:-1] if mistake.kind == "missing" else mistake.trail
    node = find(declared.tree, place)
    return node is not None and node.flawed


def _problem(declared: Declared, mistake: Mistake) -> Problem:
    if mistake.kind == "missing":
        return declared.problem(mistake.trail[:-1], mistake.message, hint=mistake.hint, key=True)
    return declared.problem(mistake.trail, mistake.message, hint=mistake.hint, key=mistake.key)


def _parse(tree: Node) -> tuple[Project, frozenset[Trail], list[Mistake]]:
    """The project, the places that hold stand-ins, and the mistakes."""
    data = {key: value for key, value in tree.plain().items() if value is not None}
    found: list[Mistake] = []
    broken: set[Trail] = set()
    for mending in range(_MENDINGS):
        try:
            return Project.model_validate(data, by_alias=True, by_name=False), frozenset(broken), found
        except ValidationError as error:
            if mending == 0:
                found = mistakes(Project, error)
            broken |= _mend(data, error)
    raise AssertionError("a stand-in does not fit its place")


def _mend(data: dict[str, Any], error: ValidationError) -> set[Trail]:
    """Drop what is unknown or optional, put stand-ins for what is required; the places touched."""
    mended = set()
    for details in error.errors(include_url=False):
        trail, annotation = trail_of(Project, details["loc"])
        owner = trail_of(Project, details["loc"][:-1])[1]
        if details["type"] == "missing" and isinstance(trail[-1], int):
            trail, annotation = trail[:-1], owner
        info = fields(owner).get(str(trail[-1]))
        unwanted = details["type"] == "extra_forbidden" or details["loc"][-1] == "[key]"
        if unwanted or (info is not None and not info.is_required()):
            _holder(data, trail).pop(trail[-1])
        else:
            _holder(data, trail)[trail[-1]] = stand_in(annotation)
        mended.add(trail)
    return mended


def _holder(data: Any, trail: Trail) -> Any:
    for step in trail[:-1]:
        data = data[step]
    return data
