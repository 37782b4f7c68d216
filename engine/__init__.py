"""campaign-engine: experimentation as code for CRM marketing.

A marketer writes a campaign in YAML: a claim, who gets it, what differs, how and when. The engine runs
the cycle hypothesis → plan → execute → measure → improve. It seals the plan before any data, assigns
arms by hash, sends every message at most once, judges the result by the sealed rule and proposes the next
round; an auditor recomputes any verdict from its sealed record.

Where to begin reading: the cycle in order (`cycle/advance.py`), what can be declared (`declare/spec.py`),
where chance is made (`assign.py`), where the decision is made (`cycle/judge.py`), what a word means
(`model.py`).

The functions below can be used without the command line. They are imported when they are first named,
so that `import engine` stays light.
"""

from importlib import import_module
from typing import Any

_PUBLIC = {
    "load": "engine.declare.load",
    "validate": "engine.cycle.validate",
    "plan": "engine.cycle.plan",
    "launch": "engine.cycle.launch",
    "run_once": "engine.schedule.service",
    "judge": "engine.cycle.judge",
    "rejudge": "engine.cycle.look",
    "arm_of": "engine.assign",
}

__all__ = sorted(_PUBLIC)  # noqa: PLE0605 - the names are those of the table above


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'engine' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)
