"""What comes first in every report: the decision in a sentence, what it means in numbers, what to do now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from engine.model import ArmRole, Decision, RoundState
from engine.report.document import Interval, Result
from engine.report.figures import Figures, Unit, half_width
from engine.report.report import Report
from engine.report.sealed import Claim
from engine.report.waiting import waiting
from engine.report.words import check_name, comparison, decisive, did


class Tone(StrEnum):
    """How a headline is set; a reader who sees no colour has its mark and label."""

    GOOD = "good"
    BAD = "bad"
    OPEN = "open"
    PLAIN = "plain"


@dataclass(frozen=True, kw_only=True)
class Headline:
    """The beginning of a report. Commands stand between backticks."""

    tone: Tone
    mark: str
    label: str
    sentence: str
    meaning: tuple[str, ...] = ()
    """The sentence in numbers."""
    advice: tuple[str, ...] = ()
    """What to do now."""


def headline(report: Report) -> Headline:
    """The decision in one sentence, and what follows from it."""
    if report.plan.claim is None:
        return _described(report)
    decision = report.judged.verdict.decision
    if decision in _TOLD:
        return _TOLD[decision](report, report.plan.claim)
    return _stopped(report) if report.state is RoundState.STOPPED else _undecided(report)


def _ship(report: Report, claim: Claim) -> Headline:
    winner = report.judged.verdict.winner
    proposed = report.proposal and report.proposal_state == "open"
    start = f"The next round is proposed below; `campaign approve {report.campaign}` starts it."
    return Headline(
        tone=Tone.GOOD,
        mark="✓",
        label="Ship",
        sentence=f"Ship “{winner}”: it did better than {comparison(report)}.",
        meaning=_in_numbers(report, claim),
        advice=(start if proposed else f"Send “{winner}” from now on.",),
    )


def _keep_control(report: Report, claim: Claim) -> Headline:
    return Headline(
        tone=Tone.PLAIN,
        mark="=",
        label="Keep control",
        sentence=f"Keep {comparison(report)}: {_treatments(report)} did not bring what was claimed.",
        meaning=(
            *_in_numbers(report, claim),
            f"An effect worth having ({claim.minimum_effect} or more) does not fit these data: the claim is refuted.",
        ),
        advice=("Try another idea or a bolder difference; the same test again would most likely end the same way.",),
    )


def _inconclusive(report: Report, claim: Claim) -> Headline:
    result = report.judged.primary
    interval = decisive(result, claim) if result else None
    tested = interval is not None and interval.estimate is not None
    return Headline(
        tone=Tone.OPEN,
        mark="?",
        label="Inconclusive",
        sentence=f"No clear answer: the data do not settle whether {_treatments(report)} should replace "
        f"{comparison(report)}.",
        meaning=(*_in_numbers(report, claim), _open_between(interval, claim) if tested else "No test was possible."),
        advice=(
            "Do not ship on the estimate alone, and do not call it a failure either.",
            _MORE if tested else _OTHER,
            "Until then keep what you have: nothing here shows that changing it helps.",
        ),
    )


_MORE = (
    "To settle it, run again with more customers or over more waves (the reasons below say how many), "
    "or test a bolder difference."
)
_OTHER = "To settle it, run again with more customers, a longer window, or a metric that more customers count in."


def _open_between(interval: Interval | None, claim: Claim) -> str:
    low, high = (interval.low, interval.high) if interval else (None, None)
    if (low is None or low <= 0) and (high is None or high >= 0):
        return f"The interval holds both no difference at all and one worth having ({claim.minimum_effect})."
    return "The interval leaves out zero, but not everything that shipping requires was shown; see the reasons."


def _harmful(report: Report, claim: Claim) -> Headline:
    return Headline(
        tone=Tone.BAD,
        mark="✕",
        label="Harmful",
        sentence=f"Do not send {_treatments(report)}: it does harm compared with {comparison(report)}.",
        meaning=_in_numbers(report, claim),
        advice=(
            f"Go on with {comparison(report)}; {_treatments(report)} should reach nobody any more.",
            "Find out what hurt before the next hypothesis; the reasons below name it.",
        ),
    )


def _invalid(report: Report, _: Claim) -> Headline:
    failed = [check for check in report.judged.health if check.status == "fail"]
    return Headline(
        tone=Tone.BAD,
        mark="!",
        label="Invalid",
        sentence="No decision: these data cannot be trusted.",
        meaning=tuple(f"{check_name(check.check)}: {check.detail}." for check in failed),
        advice=(
            "Do not use the numbers below, in either direction: a broken comparison can show any effect.",
            "Look for customers lost or added after arms were assigned: an import that drops rows, "
            "an arm with a filter of its own, two systems sending at once.",
            "Put the cause right and start a new round; this one cannot be mended.",
        ),
    )


_TOLD: dict[Decision | None, Callable[[Report, Claim], Headline]] = {
    Decision.SHIP: _ship,
    Decision.KEEP_CONTROL: _keep_control,
    Decision.INCONCLUSIVE: _inconclusive,
    Decision.HARMFUL: _harmful,
    Decision.INVALID: _invalid,
}


def _undecided(report: Report) -> Headline:
    return Headline(
        tone=Tone.OPEN,
        mark="…",
        label="Keep running",
        sentence="Too early to say: the round is not finished.",
        advice=(
            "Do not act on numbers yet: who stops at a lucky moment finds effects that are not there.",
            *(f"It waits for {thing}." for thing in waiting(report)),
        ),
    )


def _stopped(report: Report) -> Headline:
    return Headline(
        tone=Tone.PLAIN,
        mark="■",
        label="Stopped",
        sentence="Stopped before it could be judged.",
        advice=(
            "What was sent is shown below; nothing is concluded from it.",
            f"A new round starts afresh: `campaign plan {report.campaign}`, then `campaign launch {report.campaign}`.",
        ),
    )


def _described(report: Report) -> Headline:
    messaged = report.figures.count(sum(arm.accepted for arm in report.judged.arms))
    return Headline(
        tone=Tone.PLAIN,
        mark="i",
        label="Described, never judged",
        sentence=f"{messaged} customers were messaged; nothing was claimed, so nothing is judged.",
        advice=(
            *(f"It waits for {thing}." for thing in waiting(report)),
            "To learn whether it does any good, add a `hypothesis` with a comparison: a second variant or a `holdout`.",
        ),
    )


def _treatments(report: Report) -> str:
    """The treatments that the decision is about."""
    verdict = report.judged.verdict
    names = [arm.name for arm in report.judged.arms if arm.role is ArmRole.TREATMENT]
    alike = [name for name in names if verdict.treatments.get(name) == verdict.decision]
    return " and ".join(f"“{name}”" for name in alike or names) or "the treatment"


def _in_numbers(report: Report, claim: Claim) -> tuple[str, ...]:
    result = report.judged.primary
    interval = result.difference if result else None
    if result is None or interval is None or interval.estimate is None:
        return ()
    side_by_side = _side_by_side(report, claim, result, interval)
    among = _among(report, result, interval)
    return (side_by_side, among) if among else (side_by_side,)


def _side_by_side(report: Report, claim: Claim, result: Result, interval: Interval) -> str:
    figures, unit, spread = report.figures, report.unit(result), half_width(interval)
    treated, compared = (
        figures.value(value, unit, spread=spread) for value in (result.treatment_value, result.control_value)
    )
    what = did(report.plan.metric(result.metric)) if result.kind == "conversion" else f"of {result.metric}"
    told, told_in = interval, unit
    if not claim.minimum_effect.absolute and result.lift and result.lift.estimate is not None:
        told, told_in = result.lift, Unit.LIFT
    change = figures.change(told.estimate, told_in, spread=half_width(told))
    confidence = f"{figures.share(claim.confidence.value)} interval {figures.interval(told, told_in)}"
    return f"{treated} {what} with “{result.treatment}”, {compared} with “{result.control}”: {change} ({confidence})."


_AUDIENCES = (1_000, 10_000, 100_000)


def _among(report: Report, result: Result, interval: Interval) -> str | None:
    """The difference counted in customers or in money, for an audience large enough to see it."""
    figures, unit = report.figures, report.unit(result)
    if unit is Unit.NUMBER or interval.estimate is None or interval.low is None or interval.high is None:
        return None
    audience = _audience(unit, half_width(interval) or 0.0)
    low, estimate, high = (
        _more(figures, end * audience, unit) for end in (interval.low, interval.estimate, interval.high)
    )
    among = f"Among {figures.count(audience)} customers that is"
    who = f" who {did(report.plan.metric(result.metric))}" if unit is Unit.SHARE else ""
    if interval.low <= 0 <= interval.high:
        return f"{among} anything from {low} to {high}{who}."
    return f"{among} about {estimate}{who}; anything from {low} to {high} is plausible."


def _audience(unit: Unit, spread: float) -> int:
    """So many customers that a share's difference is counted in whole people."""
    if unit is not Unit.SHARE:
        return _AUDIENCES[0]
    return next((size for size in _AUDIENCES if size * spread >= 3), _AUDIENCES[-1])


def _more(figures: Figures, number: float, unit: Unit) -> str:
    if unit is Unit.MONEY:
        return f"{figures.value(abs(number), unit, spread=100.0)} {'less' if number < 0 else 'more'}"
    return f"{figures.count(abs(number))} {'fewer' if number < 0 else 'more'}"
