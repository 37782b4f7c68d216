"""What only shows across fields: names, schedules, comparisons, metrics, contents, settings."""

from __future__ import annotations

from collections.abc import Iterator

from engine.declare import claims, conditions, contents, metrics, names, schedules, sending
from engine.declare.declared import Declared
from engine.declare.finding import Finding
from engine.declare.load import in_order
from engine.errors import Problem


def check(declared: Declared) -> list[Problem]:
    """Every problem that a project has beyond its form, by file and line; warnings among them."""
    standing = dict.fromkeys(finding for finding in _findings(declared) if finding.stands(declared.broken))
    return in_order(declared, [_problem(declared, finding) for finding in standing])


def _findings(declared: Declared) -> Iterator[Finding]:
    for part in (names, sending, metrics, conditions, claims, contents, schedules):
        yield from part.findings(declared)


def _problem(declared: Declared, finding: Finding) -> Problem:
    return declared.problem(
        finding.trail,
        finding.message,
        hint=finding.hint,
        rule=finding.rule,
        severity=finding.severity,
        key=finding.key,
    )
