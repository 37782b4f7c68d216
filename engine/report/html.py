"""The report as one self-contained HTML page: no script, no network, any screen, and paper.

Every name comes from a file that somebody wrote, so the templates escape all of them;
only the drawings, which are built element by element, are passed as markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from engine.model import Decision
from engine.report import intervals, rows, words
from engine.report.document import Interval, Result, Segmented
from engine.report.figures import Unit, half_width, unit_of
from engine.report.headline import headline
from engine.report.intervals import Axis, Bar
from engine.report.report import Report
from engine.report.sealed import Claim

if TYPE_CHECKING:
    from jinja2 import Environment


def render(report: Report, *, notes: Sequence[str] = ()) -> str:
    """The page.

    Args:
        notes: sentences shown beside the verdict, such as the planted truth of a rehearsal.
    """
    primaries = report.judged.of_role("primary")
    others = [result for result in report.judged.results if result not in primaries]
    return _environment().get_template("report.html").render(
        report=report,
        headline=headline(report),
        notes=notes,
        claim=words.claim_lines(report),
        caution=_CAUTIONS.get(report.judged.verdict.decision),
        primary=_primary(report, primaries),
        primaries=[(rows.compared(report, result), None) for result in primaries],
        others=[(rows.compared(report, result), _strip(report, result, f"m{i}")) for i, result in enumerate(others)],
        arms=[_arm(rows.arm_row(report, arm), f"a{i}") for i, arm in enumerate(report.judged.arms)],
        health=[(words.check_name(check.check), check) for check in report.judged.health],
        segments=[_segmented(report, one, f"s{i}") for i, one in enumerate(report.judged.segments)],
        funnel=[(words.reason_text(step.reason), report.figures.count(step.customers)) for step in report.plan.funnel],
        waves=[rows.wave_row(report, wave) for wave in report.waves],
        method=rows.method(report),
        seals=rows.seals(report),
        as_of=report.figures.at(report.as_of),
    )  # fmt: skip


_CAUTIONS: dict[Decision | None, tuple[str, str]] = {
    Decision.INVALID: ("Not to be used.", "Shown only to help find what went wrong."),
    Decision.KEEP_RUNNING: ("Not final.", "Acting on these numbers finds effects that are not there."),
}


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("engine.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["commands"] = _commands
    return environment


def _commands(sentence: str) -> Markup:
    """A sentence whose `commands` are set as code; everything in it is escaped."""
    parts = enumerate(sentence.split("`"))
    return Markup().join(Markup("<code>{}</code>").format(part) if odd % 2 else escape(part) for odd, part in parts)


def _drawing(svg: str) -> Markup:
    return Markup(svg)  # noqa: S704  built element by element, its texts escaped


def _primary(report: Report, primaries: Iterable[Result]) -> Markup | None:
    """The primary metric's intervals against zero and the minimum effect."""
    claim = report.plan.claim
    drawn = [(r.treatment, words.decisive(r, claim), report.unit(r)) for r in primaries] if claim else []
    shown = [(name, interval, unit) for name, interval, unit in drawn if interval and interval.estimate is not None]
    if claim is None or not shown:
        return None
    unit = shown[0][2] if claim.minimum_effect.absolute else Unit.LIFT
    bars = [_bar(report, name, interval, unit) for name, interval, _ in shown]
    described = "; ".join(f"{bar.label}: {bar.estimate}, interval from {bar.low} to {bar.high}" for bar in bars)
    return _drawing(
        intervals.forest(
            bars,
            _axis(report, claim, [bar.interval for bar in bars], unit),
            name="primary",
            title=f"{claim.metric}: difference from {claim.compared_to}",
            description=f"{described}. Zero is no difference; {claim.minimum_effect} or more is worth having.",
        )
    )


def _bar(report: Report, label: str, interval: Interval, unit: Unit) -> Bar:
    figures, spread = report.figures, half_width(interval)
    low, high = (figures.change(end, unit, spread=spread, bare=True) for end in (interval.low, interval.high))
    return Bar(
        label=label,
        interval=interval,
        estimate=figures.change(interval.estimate, unit, spread=spread),
        low="no limit" if interval.low is None else low,
        high="no limit" if interval.high is None else high,
    )


def _axis(report: Report, claim: Claim, shown: Iterable[Interval], unit: Unit) -> Axis:
    scale = intervals.scale_of(shown, marks=(0.0, claim.minimum))
    left, right = ("worse", "better") if claim.sign > 0 else ("better", "worse")
    return Axis(
        scale=scale,
        ticks=[(tick, report.figures.tick(tick, unit, step=scale.step)) for tick in scale.ticks()],
        minimum=claim.minimum,
        minimum_label=f"worth having: {report.figures.effect(claim.minimum_effect, sign=claim.sign)}",
        zero_label="no difference",
        left=left,
        right=right,
    )


def _strip(report: Report, result: Result, name: str) -> Markup:
    written = report.figures.interval(result.difference, report.unit(result))
    return _small(result.difference, name, f"{result.metric}, {result.treatment}: {written}")


def _small(interval: Interval | None, name: str, description: str) -> Markup:
    if interval is None or interval.estimate is None:
        return Markup()
    return _drawing(intervals.strip(interval, name=name, title="Difference against zero", description=description))


def _arm(row: rows.ArmRow, name: str) -> tuple[rows.ArmRow, list[tuple[rows.Stage, Markup]]]:
    """An arm with each of its stages drawn."""
    return row, [(stage, _filled(stage, row.name, f"{name}{stage.name}")) for stage in row.stages]


def _filled(stage: rows.Stage, arm: str, name: str) -> Markup:
    if stage.part is None:
        return Markup()
    title = f"{arm}: {stage.share} of assigned {stage.name}"
    return _drawing(intervals.share_bar(stage.part, name=name, title=title))


def _segmented(report: Report, one: Segmented, name: str) -> dict[str, Any]:
    figures, metric = report.figures, report.plan.metric(one.metric)
    unit = unit_of(metric, metric.kind if metric else "")
    groups = [(row.value, row.difference, figures.interval(row.difference, unit)) for row in one.rows]
    return {
        "one": one,
        "p_value": figures.p_value(one.heterogeneity_p_value),
        "groups": [
            (value, figures.change(seen.estimate, unit, spread=half_width(seen)), written, _small(
                seen, f"{name}r{i}", f"{value}: {written}"
            ))
            for i, (value, seen, written) in enumerate(groups)
        ],
    }  # fmt: skip
