"""A report's numbers written out, one row a thing: what the page and the terminal show alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.model import ArmRole, MessageState, WaveState
from engine.report import words
from engine.report.counts import WaveCount
from engine.report.document import ArmCount, Interval, Result
from engine.report.figures import NONE, Unit, half_width
from engine.report.report import Report

_PER_CENT = 0.01
# Shares of an arm are told to a tenth of it.


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One metric of one treatment."""

    metric: str
    role: str
    measured: str
    """What the metric counts."""
    treatment: str
    ruling: str | None
    """What was decided of this treatment, where there are several."""
    treatment_value: str
    treatment_n: str
    control: str | None
    control_value: str
    control_n: str
    change: str
    interval: str
    unjudged: str | None
    """Why there is no test."""
    lift: str | None
    lift_interval: str
    p_value: str
    adjusted: bool
    """Whether the p-value allows for several tests."""
    uncapped: str | None
    """Both values without the cap, where it changed them."""


def compared(report: Report, result: Result) -> Compared:
    figures, unit = report.figures, report.unit(result)
    difference, lift = result.difference or Interval(), result.lift or Interval()
    spread = half_width(difference)
    adjusted = result.adjusted_p_value is not None and result.adjusted_p_value != result.p_value
    return Compared(
        metric=result.metric,
        role=result.role,
        measured=words.measured(report, result.metric) or result.kind,
        treatment=result.treatment,
        ruling=_ruling(report, result),
        treatment_value=figures.value(result.treatment_value, unit, spread=spread),
        treatment_n=_count(report, result.treatment_n),
        control=result.control,
        control_value=figures.value(result.control_value, unit, spread=spread),
        control_n=_count(report, result.control_n),
        change=figures.change(difference.estimate, unit, spread=spread),
        interval=figures.interval(difference, unit),
        unjudged=result.unjudged,
        lift=None if lift.estimate is None else figures.change(lift.estimate, Unit.LIFT, spread=half_width(lift)),
        lift_interval=figures.interval(lift, Unit.LIFT),
        p_value=figures.p_value(result.adjusted_p_value if adjusted else result.p_value),
        adjusted=adjusted,
        uncapped=_uncapped(report, result, unit, spread),
    )


def _count(report: Report, n: int | None) -> str:
    return NONE if n is None else report.figures.count(n)


def _ruling(report: Report, result: Result) -> str | None:
    rulings = report.judged.verdict.treatments
    if result.role != "primary" or len(rulings) < 2 or result.treatment not in rulings:
        return None
    return rulings[result.treatment].value.replace("_", " ")


def _uncapped(report: Report, result: Result, unit: Unit, spread: float | None) -> str | None:
    if result.uncapped is None:
        return None
    both = (result.uncapped.treatment_value, result.uncapped.control_value)
    if both == (result.treatment_value, result.control_value):
        return None
    return " vs ".join(report.figures.value(value, unit, spread=spread) for value in both)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """How many of an arm came how far."""

    name: str
    count: str
    part: float | None
    """Of those assigned, 0–1; None where nobody reports it."""
    share: str


@dataclass(frozen=True, kw_only=True)
class ArmRow:
    """One arm's way from assigned to delivered."""

    name: str
    role: str
    planned: str
    assigned: str
    messaged: bool
    stages: tuple[Stage, ...]
    uncertain: str | None


def arm_row(report: Report, arm: ArmCount) -> ArmRow:
    figures = report.figures
    return ArmRow(
        name=arm.name,
        role=words.role_name(arm.role),
        planned=figures.share(arm.share),
        assigned=figures.count(arm.assigned),
        messaged=arm.role is not ArmRole.HOLDOUT,
        stages=(
            _stage(report, arm, "accepted", arm.accepted),
            _stage(report, arm, "delivered", delivered(report, arm)),
        ),
        uncertain=figures.count(arm.uncertain) if arm.uncertain else None,
    )


def delivered(report: Report, arm: ArmCount) -> int | None:
    """Messages delivered; None where the channel reports no deliveries at all."""
    return arm.delivered if any(each.delivered for each in report.judged.arms) else None


def _stage(report: Report, arm: ArmCount, name: str, count: int | None) -> Stage:
    if count is None:
        return Stage(name=name, count="not reported", part=None, share="")
    part = count / arm.assigned if arm.assigned else 0.0
    share = report.figures.value(part, Unit.SHARE, spread=_PER_CENT)
    return Stage(name=name, count=report.figures.count(count), part=part, share=share)


@dataclass(frozen=True, kw_only=True)
class WaveRow:
    """One wave and what became of its messages."""

    due: str
    state: str
    entered: str
    accepted: str
    unsent: str


def wave_row(report: Report, wave: WaveCount) -> WaveRow:
    count = report.figures.count
    unsent = [f"{count(number)} {words.reason_text(reason)}" for reason, number in wave.unsent.most_common()]
    ahead = wave.messages[MessageState.PLANNED] + wave.messages[MessageState.CLAIMED]
    for number, what in ((ahead, "not yet sent"), (wave.messages[MessageState.UNCERTAIN], "of unknown fate")):
        if number:
            unsent.append(f"{count(number)} {what}")
    return WaveRow(
        due=report.figures.slot(wave.slot),
        state=wave.state.value,
        entered=NONE if wave.state is WaveState.DUE else count(wave.entered),
        accepted=count(wave.messages[MessageState.ACCEPTED]),
        unsent="; ".join(unsent) or NONE,
    )


def method(report: Report) -> list[tuple[str, str]]:
    """How the round was meant to run and was judged, as labels and texts."""
    plan, claim = report.plan, report.plan.claim
    channel = plan.campaign.channel
    needed = plan.expected_per_arm
    segment = plan.resolved.segments.get(plan.campaign.segment or "")
    lines = [
        ("Channel", channel if isinstance(channel, str) else ", ".join(channel)),
        ("Segment", plan.campaign.segment or "everybody reachable"),
        ("", segment.description or "" if segment else ""),
        ("Owner", plan.campaign.owner),
        ("Confidence", str(claim.confidence) if claim else ""),
        ("Analysed", "everybody as assigned, messaged or not, whose window has closed" if claim else ""),
        ("Planned", f"{report.figures.count(needed)} customers per arm" if needed else ""),
        *((f"Test of {result.metric}", result.method or "") for result in _once(report.judged.results)),
        *((f"Rule: {name.replace('_', ' ')}", value) for name, value in plan.settings().items()),
    ]
    return [(label, text) for label, text in lines if text]


def _once(results: Sequence[Result]) -> list[Result]:
    """The first result of each metric: its method is the same for every treatment."""
    return list({result.metric: result for result in reversed(results)}.values())[::-1]


def seals(report: Report) -> list[tuple[str, str]]:
    """Who launched what, and the hashes under which it is sealed, as labels and texts."""
    figures, plan, look = report.figures, report.plan, report.look
    lines = [
        ("Launched", f"{figures.at(report.launched_at)} by {plan.launched_by}"),
        ("Git commit", plan.git_commit or ""),
        ("Software", plan.software or ""),
        ("Declaration", plan.yaml_sha256 or ""),
        ("Plan", report.plan_sha256),
        *((f"Wave {number}", wave.audience or "") for number, wave in enumerate(report.waves, start=1)),
    ]
    if look:
        lines += [
            (f"Look {look.number}", f"{figures.at(look.at)}, data complete up to {figures.at(look.data_through)}"),
            ("Statistics", look.evidence),
            ("Conclusion", look.verdict),
        ]
    return [(label, text) for label, text in lines if text]
