"""The step before all others: is what was declared correct? Reads files only, never the store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.declare.check import check
from engine.declare.declared import Declared
from engine.declare.load import examine, in_order
from engine.errors import FixYourYaml, Problem


@dataclass(frozen=True, kw_only=True)
class Validation:
    """What a look at the files gave."""

    problems: list[Problem]
    summary: str
    """Such as `3 campaigns, 4 segments, 5 metrics`; empty where the main file could not be read."""

    @property
    def errors(self) -> int:
        return sum(problem.severity == "error" for problem in self.problems)

    @property
    def warnings(self) -> int:
        return len(self.problems) - self.errors


def validate(path: Path) -> list[Problem]:
    """Every problem of a project's YAML and templates at once; without errors it can be planned."""
    return inspect(path).problems


def inspect(path: Path) -> Validation:
    """The same, with what there is in the project."""
    try:
        declared, problems = examine(path)
    except FixYourYaml as error:
        return Validation(problems=error.problems, summary="")
    problems = problems + check(declared) + _template_problems(declared)
    return Validation(problems=in_order(declared, problems), summary=_summary(declared))


def checked(path: Path) -> Declared:
    """A project that can be planned.

    Raises:
        FixYourYaml: something in it is wrong; every problem is named.
    """
    errors = [problem for problem in validate(path) if problem.severity == "error"]
    if errors:
        raise FixYourYaml(errors)
    return examine(path)[0]


def _template_problems(declared: Declared) -> list[Problem]:
    from engine.messages.check import check_templates

    return check_templates(declared)


def _summary(declared: Declared) -> str:
    return ", ".join(_count(len(declared.names(section)), section) for section in ("campaigns", "segments", "metrics"))


def _count(number: int, section: str) -> str:
    return f"{number} {section if number != 1 else section.removesuffix('s')}"
