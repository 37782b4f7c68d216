"""Schedules that can never fire, or of which nobody could say when they do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from engine.declare import cron
from engine.declare.declared import Declared
from engine.declare.finding import Finding
from engine.declare.grammar import Trail
from engine.declare.near import listing
from engine.declare.spec import Campaign, Ramp, Schedule, Trigger

_WHEN = ("at", "cron", "every", "trigger")
_TRIGGERS = ("event", "anniversary", "enters_segment")
_BELONGS = {
    "where": "event",
    "quiet_for": "event",
    "after": "event",
    "before": "anniversary",
    "at": "anniversary",
    "leap_day": "anniversary",
}
_SOME_DAY = date(2024, 1, 1)
"""Where a search without a start begins; it goes over every calendar date."""


def findings(declared: Declared) -> Iterator[Finding]:
    """What is wrong with each campaign's schedule, ramp and round."""
    for name, campaign in declared.project.campaigns.items():
        own: Trail = ("campaigns", name)
        if campaign.schedule is None:
            yield from _absent((*own, "schedule"), campaign)
        else:
            yield from _schedule((*own, "schedule"), campaign.schedule)
        if campaign.round is not None and campaign.round.at_most is not None and not campaign.round.at_most.delta:
            yield _no_length((*own, "round", "at_most"))
        if campaign.test is not None and not campaign.test.decide_after.delta:
            yield _no_length((*own, "test", "decide_after"))


def _absent(trail: Trail, campaign: Campaign) -> Iterator[Finding]:
    if campaign.channel != "onsite":
        hint = 'write for example schedule: {at: "2026-12-01 10:00"}'
        yield Finding(trail=trail, message="the campaign has no schedule, so it never sends", hint=hint)


def _schedule(trail: Trail, schedule: Schedule) -> Iterator[Finding]:
    given = [key for key in _WHEN if getattr(schedule, key) is not None]
    if len(given) != 1:
        said = f"says {listing(given)} at once" if given else "does not say when"
        message = f"the schedule {said}; write one of {listing(_WHEN, 'or')}"
        yield Finding(trail=trail, message=message, key=True)
    yield from _period(trail, schedule)
    if schedule.at is not None:
        yield from _at(trail, schedule.at, schedule)
    if schedule.cron is not None:
        yield from _cron(trail, schedule.cron, schedule)
    for key in ("every", "expires", "again_after"):
        length = getattr(schedule, key)
        if length is not None and not length.delta:
            yield _no_length((*trail, key))
    if schedule.ramp is not None:
        yield from _ramp((*trail, "ramp"), schedule.ramp)
    if schedule.trigger is not None:
        yield from _trigger((*trail, "trigger"), schedule.trigger)
    for key in ("unless", "again_after"):
        if schedule.trigger is None and getattr(schedule, key) is not None:
            yield Finding(trail=(*trail, key), message=f"{key}: goes with trigger: only", key=True)


def _no_length(trail: Trail) -> Finding:
    return Finding(trail=trail, message="a time of no length cannot be meant here", hint="write for example 3 days")


def _period(trail: Trail, schedule: Schedule) -> Iterator[Finding]:
    if schedule.starts is None or schedule.ends is None or schedule.starts < schedule.ends:
        return
    if schedule.starts == schedule.ends:
        message, hint = (
            "the campaign ends on the day it starts; on the day of ends nothing is sent",
            "write a later day",
        )
    else:
        message, hint = f"the campaign ends before it starts on {schedule.starts}", None
    yield Finding(trail=(*trail, "ends"), message=message, hint=hint, also=((*trail, "starts"),))


def _at(trail: Trail, at: str, schedule: Schedule) -> Iterator[Finding]:
    day = datetime.fromisoformat(at).date()
    if schedule.starts is not None and day < schedule.starts:
        yield Finding(trail=(*trail, "at"), message=f"this is before the campaign starts on {schedule.starts}")
    elif schedule.ends is not None and day >= schedule.ends:
        yield Finding(
            trail=(*trail, "at"), message=f"this is after the campaign ends; from {schedule.ends} nothing is sent"
        )


def _cron(trail: Trail, text: str, schedule: Schedule) -> Iterator[Finding]:
    try:
        expression = cron.parse(text)
    except ValueError as error:
        yield Finding(trail=(*trail, "cron"), message=str(error))
        return
    if not expression.fires_between(_SOME_DAY, None):
        yield Finding(trail=(*trail, "cron"), message="no such day exists, so the campaign never sends")
        return
    starts, ends = schedule.starts, schedule.ends
    if starts is not None and ends is not None and starts < ends and not expression.fires_between(starts, ends):
        message = f"no such day lies from {starts} until {ends - timedelta(days=1)}, so the campaign never sends"
        yield Finding(trail=(*trail, "cron"), message=message)


def _ramp(trail: Trail, ramp: Ramp) -> Iterator[Finding]:
    shares = [step.value for step in ramp.steps]
    if not shares:
        yield Finding(
            trail=(*trail, "steps"), message="the ramp has no steps", hint="write for example [5 %, 25 %, 100 %]"
        )
        return
    for index, (low, high) in enumerate(zip([0.0, *shares], shares, strict=False)):
        if high <= low:
            place = (*trail, "steps", index)
            yield Finding(trail=place, message="each step of a ramp has to be larger than the one before")
    if shares[-1] != 1:
        place = (*trail, "steps", len(shares) - 1)
        yield Finding(trail=place, message="the last step of a ramp has to be 100 %, or the rest is never sent to")
    if not ramp.hold.delta and len(shares) > 1:
        yield _no_length((*trail, "hold"))


def _trigger(trail: Trail, trigger: Trigger) -> Iterator[Finding]:
    given = [key for key in _TRIGGERS if getattr(trigger, key) is not None]
    if len(given) != 1:
        said = f"names {listing(given)} at once" if given else "names nothing that happens"
        message = f"the trigger {said}; write one of {listing(_TRIGGERS, 'or')}"
        yield Finding(trail=trail, message=message, key=True)
    for key, owner in _BELONGS.items():
        if given and getattr(trigger, key) is not None and getattr(trigger, owner) is None:
            yield Finding(
                trail=(*trail, key), message=f"{key}: goes with {owner}: only", key=True, also=((*trail, owner),)
            )
    if trigger.leap_day is not None and not _is_month_day(trigger.leap_day):
        yield Finding(trail=(*trail, "leap_day"), message='write a month and a day, such as "02-28"')


def _is_month_day(text: str) -> bool:
    try:
        return len(text) == 5 and date.fromisoformat(f"2024-{text}") is not None
    except ValueError:
        return False
