"""All that knows APScheduler: it decides *when*, and never carries the state of any work."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from engine.cycle.timing import slot_name
from engine.declare.spec import Schedule
from engine.store.tables import MICROSECOND

_DAY = timedelta(days=1)
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MOST_SLOTS = 10_000


def slots(
    schedule: Schedule | None,
    zone: ZoneInfo,
    *,
    after: datetime,
    before: datetime,
    launched: datetime | None = None,
    most: int = _MOST_SLOTS,
) -> list[datetime]:
    """The local times at which a schedule sends, with `after <= slot < before`, in whole seconds.

    Without a schedule there is one slot: `after` itself. A time that a clock change skips
    moves forward; one that it repeats comes once, because a slot is a local time.

    Args:
        launched: what `every` counts from where the schedule has no `starts`; default `after`.
        most: how many slots suffice.

    Returns:
        Aware times in `zone`, ascending, without repetition.
    """
    after, begun = after.replace(microsecond=0), (launched or after).replace(microsecond=0)
    if schedule is None:
        return [after.astimezone(zone)] if after < before else []
    first, end = max(after, _starts(schedule, zone, after)), min(before, _ends(schedule, zone))
    found: dict[str, datetime] = {}
    instants = set[datetime]()
    for slot in _local_times(schedule, zone, first, begun.astimezone(zone)):
        at = slot.astimezone(UTC)
        if at >= end or len(found) >= most:
            break
        # Where a clock change skips an hour, two local times may fall on one instant, and in another order.
        if at >= first and at not in instants and slot_name(slot) not in found:
            found[slot_name(slot)] = slot
            instants.add(at)
    return sorted(found.values(), key=lambda slot: slot.astimezone(UTC))


def _local_times(schedule: Schedule, zone: ZoneInfo, first: datetime, launched: datetime) -> Iterator[datetime]:
    """A schedule's local times in order, some of them before `first`."""
    if schedule.at is not None:
        yield datetime.fromisoformat(schedule.at).replace(tzinfo=zone)
    elif schedule.every is not None and schedule.every.delta % _DAY:
        start = _starts(schedule, zone, launched)
        every = IntervalTrigger(seconds=int(schedule.every.delta.total_seconds()), start_date=start, timezone=UTC)
        yield from (at.astimezone(zone) for at in _fire_times(every, first))
    elif schedule.every is not None:
        yield from _every_days(schedule.every.delta, _starts(schedule, zone, launched), first)
    elif schedule.cron is not None:
        # In the zone itself APScheduler loses a time after midnight on the day after clocks went forward. The day
        # is for those that a change moves.
        clock = (first.astimezone(zone) - _DAY).replace(tzinfo=UTC)
        yield from (at.replace(tzinfo=zone) for at in _fire_times(cron_trigger(schedule.cron), clock))


def _fire_times(trigger: BaseTrigger, now: datetime) -> Iterator[datetime]:
    previous: datetime | None = None
    while (fired := trigger.get_next_fire_time(previous, now)) is not None:
        yield fired
        previous, now = fired, fired + MICROSECOND


def _every_days(period: timedelta, start: datetime, first: datetime) -> Iterator[datetime]:
    """Whole days keep the local time across clock changes."""
    slot = start + max(0, (first - start) // period - 1) * period
    while True:
        yield slot
        slot += period


def _starts(schedule: Schedule, zone: ZoneInfo, otherwise: datetime) -> datetime:
    return otherwise if schedule.starts is None else datetime.combine(schedule.starts, time.min, zone)


def _ends(schedule: Schedule, zone: ZoneInfo) -> datetime:
    if schedule.ends is None:
        return datetime.max.replace(tzinfo=UTC)
    return datetime.combine(schedule.ends, time.min, zone)


def cron_trigger(expression: str) -> BaseTrigger:
    """A cron expression as cron reads it, on a clock that never changes.

    APScheduler counts weekdays from Monday = 0 and refuses 7, and asks for day of month *and*
    weekday where cron asks for either; both are translated here.

    Raises:
        ValueError: the expression has not five fields, or a field is out of range.
    """
    fields = expression.split()
    if len(fields) != 5:
        raise ValueError(f"a cron expression has five fields, {expression!r} has {len(fields)}")
    minute, hour, day, month, weekday = fields
    weekday = _weekdays(weekday)

    def part(**days: str) -> CronTrigger:
        return CronTrigger(minute=minute, hour=hour, month=month, timezone=UTC, **days)

    if day != "*" and weekday != "*":
        return OrTrigger([part(day=day), part(day_of_week=weekday)])
    return part(day=day, day_of_week=weekday)


def _weekdays(field: str) -> str:
    """Cron's weekday field as a list of names, which mean the same everywhere."""
    if field == "*":
        return field
    days: list[int] = []
    for item in field.lower().split(","):
        span, _, step = item.partition("/")
        first, _, last = span.partition("-")
        low = 0 if span == "*" else _weekday(first)
        high = 6 if span == "*" else _weekday(last) if last else (6 if step else low)
        if last and high < low:
            high += 7
        days.extend(day % 7 for day in range(low, high + 1, int(step or 1)))
    return ",".join(_WEEKDAYS[day] for day in sorted(set(days)))


def _weekday(text: str) -> int:
    if re.fullmatch("[0-7]", text):
        return int(text)
    if text in _WEEKDAYS:
        return _WEEKDAYS.index(text)
    raise ValueError(f"{text!r} is no weekday; write 0 to 7 or mon, tue …")


def run_every(seconds: float, work: Callable[[], Any]) -> BackgroundScheduler:
    """Start calling `work` now and then every so often, never two at once, missed calls made up by one."""
    scheduler = BackgroundScheduler(timezone=UTC)
    scheduler.add_job(
        work,
        IntervalTrigger(seconds=seconds, timezone=UTC),
        coalesce=True,
        max_instances=1,
        misfire_grace_time=None,
        next_run_time=datetime.now(UTC),
    )
    scheduler.start()
    return scheduler
