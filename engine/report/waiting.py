"""What a round that is not decided waits for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from engine.model import ArmRole, MessageState, RoundState
from engine.report.report import Report

_LATE_DATA = timedelta(days=1)
# A round settles a day after its last window has closed.
_TOLD_BY_CHANNELS = ("delivered", "bounced", "opened", "clicked", "unsubscribed", "complained", "replied")


def waiting(report: Report) -> tuple[str, ...]:
    """What must happen before the round can be judged, each to follow “It waits for”; nothing once it is over."""
    if not report.running:
        return ()
    return (*_people(report), *_waves(report), *_customers(report), *_time(report), *_data(report))


def _people(report: Report) -> Iterator[str]:
    if report.state in (RoundState.DRAFT, RoundState.AWAITING_APPROVAL):
        yield f"an approval by another person: `campaign approve {report.campaign}`"
    if report.paused:
        yield f"somebody to let it go on: `campaign resume {report.campaign}`"
    uncertain = sum(wave.messages[MessageState.UNCERTAIN] for wave in report.waves)
    if uncertain:
        yield f"word on {report.figures.count(uncertain)} messages of unknown fate: `campaign uncertain list`"


def _waves(report: Report) -> Iterator[str]:
    ahead = [wave for wave in report.waves if wave.ahead]
    if ahead:
        yield f"the wave of {report.figures.slot(ahead[0].slot)}" + (f" and {len(ahead) - 1} more" if ahead[1:] else "")
    elif report.state is RoundState.OPEN:
        yield "its next wave"


def _customers(report: Report) -> Iterator[str]:
    count, needed, claim = report.figures.count, report.plan.expected_per_arm or 0, report.plan.claim
    sides = [
        arm for arm in report.judged.arms if arm.role is ArmRole.TREATMENT or (claim and arm.name == claim.compared_to)
    ]
    short = [f"“{arm.name}” has {count(arm.assigned)}" for arm in sides if arm.assigned < needed]
    if short and report.state is RoundState.OPEN:
        yield f"{count(needed)} customers per arm, as planned; {' and '.join(short)}"


def _time(report: Report) -> Iterator[str]:
    if report.state is RoundState.SETTLING and report.settles_at and report.settles_at > report.as_of:
        yield f"windows to close and late data to arrive, until {report.figures.at(report.settles_at)}"


def _data(report: Report) -> Iterator[str]:
    """Data of the primary metric that must be complete up to the end of the last window."""
    if report.settles_at is None:
        return
    needed = report.settles_at - _LATE_DATA
    for event, through in report.data_through.items():
        told_by_channels = through is None and event in _TOLD_BY_CHANNELS
        if not told_by_channels and (through is None or through < needed):
            so_far = f"so far up to {report.figures.at(through)}" if through else "none so far"
            yield f"data on “{event}” up to {report.figures.at(needed)} ({so_far}): `campaign import`"
