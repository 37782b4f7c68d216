"""A metric needs what its kind is made of, and one window."""

from __future__ import annotations

from collections.abc import Iterator

from engine.declare.declared import Declared
from engine.declare.finding import Finding
from engine.declare.grammar import Trail
from engine.declare.quantities import quoted
from engine.declare.spec import Metric

_NEEDED = {
    "conversion": ("event",),
    "mean": ("event", "value"),
    "ratio": ("numerator", "denominator"),
    "quantile": ("event", "value", "quantile"),
}
_ALLOWED = {
    "conversion": ("where",),
    "mean": ("where", "less", "cap_at"),
    "ratio": (),
    "quantile": ("where", "less"),
}
_PARTS = ("event", "value", "where", "numerator", "denominator", "less", "quantile", "cap_at")
_EXAMPLES = {
    "event": "event: purchase",
    "value": "value: amount",
    "numerator": "numerator: {event: purchase, value: margin}",
    "denominator": "denominator: {event: purchase, value: amount}",
    "quantile": "quantile: 0.9",
}


def findings(declared: Declared) -> Iterator[Finding]:
    """Parts that are missing or do not belong, and windows that are none."""
    for name, metric in declared.project.metrics.items():
        yield from _shape(("metrics", name), metric)
        yield from _window(("metrics", name), metric)


def _shape(trail: Trail, metric: Metric) -> Iterator[Finding]:
    kind: tuple[Trail, ...] = ((*trail, "kind"),)
    for part in _NEEDED[metric.kind]:
        if getattr(metric, part) is None:
            message = f"a metric of kind {metric.kind} needs {part}:"
            yield Finding(trail=(*trail, part), message=message, hint=f"add for example {_EXAMPLES[part]}", also=kind)
    for part in _PARTS:
        if getattr(metric, part) is not None and part not in _NEEDED[metric.kind] + _ALLOWED[metric.kind]:
            message = f"a metric of kind {metric.kind} has no {part}:"
            hint = "write kind: mean to add up a value" if part == "value" and metric.kind == "conversion" else None
            yield Finding(trail=(*trail, part), message=message, hint=hint, key=True, also=kind)
    if metric.quantile is not None and not 0 < metric.quantile < 1:
        message = f"{quoted(str(metric.quantile))} is outside 0 to 1"
        yield Finding(trail=(*trail, "quantile"), message=message, hint="write for example 0.9")


def _window(trail: Trail, metric: Metric) -> Iterator[Finding]:
    if metric.within is None and metric.between is None:
        hint = "add for example within: 7 days"
        yield Finding(
            trail=(*trail, "within"), message="the metric says no window", hint=hint, also=((*trail, "between"),)
        )
    elif metric.within is not None and metric.between is not None:
        message = "the metric has two windows, within: and between:"
        yield Finding(trail=(*trail, "between"), message=message, hint="remove one of them", key=True)
    if metric.within is not None and not metric.within.delta:
        message = "a window of no length holds nothing"
        yield Finding(trail=(*trail, "within"), message=message, hint="write for example 7 days")
    if metric.between is not None and metric.between[0].delta >= metric.between[1].delta:
        message = "the window ends before it begins"
        yield Finding(trail=(*trail, "between"), message=message, hint="write the shorter time first")
