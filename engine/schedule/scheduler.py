"""All that knows APScheduler: it decides *when*, and never carries the state of any work."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.calendarinterval import CalendarIntervalTrigger
from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from engine.declare.spec import Schedule

_DAY = timedelta(days=1)
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MOST_SLOTS = 10_000


def slots(schedule: Schedule | None, zone: ZoneInfo, *, after: datetime, before: datetime) -> list[datetime]:
    """The local times at which a schedule sends, with `after <= slot < before`.

    Without a schedule there is one slot: `after` itself. A time that a clock change skips
    moves forward; one that it repeats comes once, because a slot is a local time.

    Returns:
        Aware times in `zone`, ascending, without repetition.
    """
    if schedule is None:
        return [after.astimezone(zone)] if after < before else []
    found: dict[str, datetime] = {}
    for slot in _fire_times(_trigger(schedule, zone, after), max(after, _starts(schedule, zone, after))):
        if slot >= before or slot >= _ends(schedule, zone):
            break
        if slot < after:
            continue
        found.setdefault(slot.replace(tzinfo=None).isoformat(), slot.astimezone(zone))
        if len(found) >= _MOST_SLOTS:
            break
    return list(found.values())


def _fire_times(trigger: BaseTrigger, after: datetime) -> Iterator[datetime]:
    previous: datetime | None = None
    now = after
    while (fired := trigger.get_next_fire_time(previous, now)) is not None:
        yield fired
        # In UTC, because adding to a repeated local hour stays in its first pass for ever.
        previous, now = fired, fired.astimezone(UTC) + timedelta(microseconds=1)


def _starts(schedule: Schedule, zone: ZoneInfo, otherwise: datetime) -> datetime:
    return otherwise if schedule.starts is None else datetime.combine(schedule.starts, time.min, zone)


def _ends(schedule: Schedule, zone: ZoneInfo) -> datetime:
    if schedule.ends is None:
        return datetime.max.replace(tzinfo=UTC)
    return datetime.combine(schedule.ends, time.min, zone)


def _trigger(schedule: Schedule, zone: ZoneInfo, launched: datetime) -> BaseTrigger:
    if schedule.at is not None:
        return DateTrigger(datetime.fromisoformat(schedule.at), timezone=zone)
    if schedule.cron is not None:
        return cron_trigger(schedule.cron, zone)
    if schedule.every is not None:
        return _every(schedule.every.delta, _starts(schedule, zone, launched.astimezone(zone)), zone)
    raise ValueError("a schedule needs one of at, cron, every")


def _every(period: timedelta, start: datetime, zone: ZoneInfo) -> BaseTrigger:
    """Whole days keep the local time across clock changes; shorter periods count elapsed time."""
    if period % _DAY:
        return IntervalTrigger(seconds=int(period.total_seconds()), start_date=start, timezone=zone)
    return CalendarIntervalTrigger(
        days=period.days,
        start_date=start.date(),
        hour=start.hour,
        minute=start.minute,
        second=start.second,
        timezone=zone,
    )


def cron_trigger(expression: str, zone: ZoneInfo) -> BaseTrigger:
    """A cron expression as cron reads it.

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
        return CronTrigger(minute=minute, hour=hour, month=month, timezone=zone, **days)

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
    if text[:3] in _WEEKDAYS:
        return _WEEKDAYS.index(text[:3])
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
