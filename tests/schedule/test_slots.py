"""When a schedule sends: cron as cron reads it, each local time once, bounds exclusive at the end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.declare.spec import Schedule
from engine.schedule.scheduler import cron_trigger, slots

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [
    pytest.param("Europe/Berlin", date(2026, 3, 29), date(2026, 10, 25), id="berlin"),
    pytest.param("America/New_York", date(2026, 3, 8), date(2026, 11, 1), id="new-york"),
    pytest.param("Australia/Sydney", date(2026, 10, 4), date(2026, 4, 5), id="sydney"),
    pytest.param("America/Santiago", date(2026, 9, 6), date(2026, 4, 5), id="santiago-at-midnight"),
    pytest.param("Australia/Lord_Howe", date(2026, 10, 4), date(2026, 4, 5), id="lord-howe-by-half-an-hour"),
]
"""Zones with the days of 2026 on which their clocks go forward and back."""


def schedule(**given: Any) -> Schedule:
    return Schedule.model_validate(given)


def local(*found: datetime) -> list[str]:
    return [slot.replace(tzinfo=None).isoformat(" ", "minutes") for slot in found]


def in_berlin(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=BERLIN)


def days(expression: str, first: str = "2026-06-01", end: str = "2026-06-15") -> list[str]:
    found = slots(schedule(cron=expression), BERLIN, after=in_berlin(first), before=in_berlin(end))
    return [f"{slot:%a} {slot.day}" for slot in found]


@pytest.mark.parametrize(
    ("weekday", "expected"),
    [
        pytest.param("0", ["Sun 7", "Sun 14"], id="sunday-is-0"),
        pytest.param("7", ["Sun 7", "Sun 14"], id="and-7"),
        pytest.param("1", ["Mon 1", "Mon 8"], id="monday-is-1"),
        pytest.param("SAT", ["Sat 6", "Sat 13"], id="names"),
        pytest.param("tue,Thu", ["Tue 2", "Thu 4", "Tue 9", "Thu 11"], id="list-of-names-in-any-case"),
        pytest.param("5-7", ["Fri 5", "Sat 6", "Sun 7", "Fri 12", "Sat 13", "Sun 14"], id="range-up-to-7"),
        pytest.param("fri-mon", ["Mon 1", "Fri 5", "Sat 6", "Sun 7", "Mon 8", "Fri 12", "Sat 13", "Sun 14"],
                     id="range-over-the-weekend"),
        pytest.param("1-5/2", ["Mon 1", "Wed 3", "Fri 5", "Mon 8", "Wed 10", "Fri 12"], id="step-in-a-range"),
        pytest.param("*/3", ["Wed 3", "Sat 6", "Sun 7", "Wed 10", "Sat 13", "Sun 14"], id="step-from-sunday"),
    ],
)  # fmt: skip
def test_weekdays_are_crons_weekdays(weekday: str, expected: list[str]) -> None:
    assert days(f"0 10 * * {weekday}") == expected


def test_day_of_month_or_weekday_suffices() -> None:
    assert days("0 10 5,13 * MON") == ["Mon 1", "Fri 5", "Mon 8", "Sat 13"]


def test_day_of_month_alone_is_not_widened() -> None:
    assert days("0 10 5 * *") == ["Fri 5"]


@pytest.mark.parametrize(
    "expression",
    [
        pytest.param("0 10 * *", id="four-fields"),
        pytest.param("0 10 * * 8", id="weekday-8"),
        pytest.param("0 10 * * monday", id="long-name"),
        pytest.param("0 10 * * mon#1", id="first-monday-of-other-crons"),
        pytest.param("61 10 * * *", id="minute-61"),
    ],
)
def test_what_is_no_cron_expression_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        cron_trigger(expression)


# --- clock changes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("zone", "forward", "back"), ZONES)
@pytest.mark.parametrize(
    "when", [pytest.param({"cron": "M H * * *"}, id="cron"), pytest.param({"every": "1 day"}, id="every")]
)
def test_a_daily_time_comes_once_on_every_day_of_the_year(
    zone: str, forward: date, back: date, when: dict[str, str]
) -> None:
    """Also on the days on which clocks skip it or repeat it."""
    own = ZoneInfo(zone)
    for day in (forward, back):
        for at in (time(0, 30), time(1, 45), time(2, 15), time(2, 30)):
            own_when = {key: text.replace("M H", f"{at.minute} {at.hour}") for key, text in when.items()}
            first = datetime.combine(day - timedelta(days=2), at, own)
            found = slots(schedule(**own_when), own, after=first, before=first + timedelta(days=5))
            assert [slot.date() for slot in found] == [day + timedelta(days=offset) for offset in range(-2, 3)]
            assert {slot.time() for slot in found} == {at}
            instants = [slot.astimezone(UTC) for slot in found]
            steps = {later - earlier for earlier, later in pairwise(instants)}
            assert all(timedelta(hours=22) < step < timedelta(hours=26) for step in steps)


def test_half_past_two_on_the_night_the_clocks_go_back_is_the_first_of_both() -> None:
    found = slots(schedule(cron="30 2 * * *"), BERLIN, after=in_berlin("2026-10-25"), before=in_berlin("2026-10-26"))
    assert [slot.astimezone(UTC) for slot in found] == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC)]


def test_half_past_two_on_the_night_the_clocks_go_forward_moves_on_by_the_hour() -> None:
    found = slots(schedule(cron="30 2 * * *"), BERLIN, after=in_berlin("2026-03-29"), before=in_berlin("2026-03-30"))
    assert [slot.astimezone(UTC) for slot in found] == [datetime(2026, 3, 29, 1, 30, tzinfo=UTC)]


# --- bounds ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "when", [pytest.param({"cron": "0 0 * * *"}, id="cron"), pytest.param({"every": "24 hours"}, id="every-day"),
             pytest.param({"every": "12 hours"}, id="every-half-day")]
)  # fmt: skip
def test_the_first_day_is_included_and_the_day_of_ends_is_not(when: dict[str, str]) -> None:
    bounded = schedule(**when, starts="2026-06-03", ends="2026-06-05")
    found = slots(bounded, BERLIN, after=in_berlin("2026-06-01"), before=in_berlin("2026-06-30"))
    assert local(*found)[0] == "2026-06-03 00:00"
    assert {slot.date().isoformat() for slot in found} == {"2026-06-03", "2026-06-04"}


def test_one_send_at_a_local_time() -> None:
    once = schedule(at="2026-06-03 10:00")
    found = slots(once, BERLIN, after=in_berlin("2026-06-01"), before=in_berlin("2027-06-01"))
    assert [slot.astimezone(UTC) for slot in found] == [datetime(2026, 6, 3, 8, tzinfo=UTC)]
    assert slots(once, BERLIN, after=in_berlin("2026-06-04"), before=in_berlin("2027-06-01")) == []


def test_a_slot_at_the_start_is_in_and_one_at_the_end_is_out() -> None:
    daily = schedule(cron="0 10 * * *")
    start = in_berlin("2026-06-03 10:00")
    assert local(*slots(daily, BERLIN, after=start, before=start + timedelta(days=1))) == ["2026-06-03 10:00"]


def test_without_a_schedule_it_sends_at_once_and_never_again() -> None:
    start = in_berlin("2026-06-03 10:00")
    assert slots(None, BERLIN, after=start, before=start + timedelta(days=9)) == [start]


@pytest.mark.parametrize("every", ["1 day", "3 days", "90 minutes"])
def test_every_counts_from_the_launch_whenever_it_is_asked(every: str) -> None:
    """The first send is the launch itself, although clocks have microseconds and slots have none."""
    launched = datetime(2026, 6, 3, 8, 17, 5, 678_901, tzinfo=UTC)
    ask = {"schedule": schedule(every=every), "zone": BERLIN, "before": launched + timedelta(days=20)}
    whole = slots(after=launched, launched=launched, **ask)
    assert whole[0].astimezone(UTC) == launched.replace(microsecond=0)
    for later in (timedelta(hours=5), timedelta(days=1), timedelta(days=7, minutes=3)):
        after = (launched + later).replace(microsecond=0)
        assert slots(after=after, launched=launched, **ask) == [slot for slot in whole if slot >= after]


def test_whole_days_keep_the_local_time_and_hours_count_elapsed_time() -> None:
    start = in_berlin("2026-03-28 10:00")
    bounds = {"after": start, "before": start + timedelta(days=3)}
    assert local(*slots(schedule(every="1 day"), BERLIN, **bounds))[:2] == ["2026-03-28 10:00", "2026-03-29 10:00"]
    assert local(*slots(schedule(every="36 hours"), BERLIN, **bounds)) == ["2026-03-28 10:00", "2026-03-29 23:00"]


def test_as_many_as_suffice() -> None:
    found = slots(
        schedule(cron="* * * * *"), BERLIN, after=in_berlin("2026-06-01"), before=in_berlin("2030-01-01"), most=3
    )
    assert local(*found) == ["2026-06-01 00:00", "2026-06-01 00:01", "2026-06-01 00:02"]


# --- against a reading of cron by brute force ------------------------------------------------------------------


def _values(field: str, low: int, high: int) -> set[int]:
    found: set[int] = set()
    for item in field.split(","):
        span, _, step = item.partition("/")
        first, _, last = span.partition("-")
        start = low if span == "*" else int(first)
        end = high if span == "*" else int(last) if last else high if step else start
        found |= set(range(start, end + 1, int(step or 1)))
    return found


def _minutes(expression: str, first: date, count: int) -> Iterator[datetime]:
    """The local minutes at which cron fires, by looking at every one."""
    minute, hour, day, month, weekday = expression.split()
    minutes, hours, months = _values(minute, 0, 59), _values(hour, 0, 23), _values(month, 1, 12)
    month_days, weekdays = _values(day, 1, 31), {value % 7 for value in _values(weekday, 0, 7)}
    for offset in range(count):
        today = first + timedelta(days=offset)
        by_day, by_weekday = today.day in month_days, today.isoweekday() % 7 in weekdays
        chosen = by_day or by_weekday if "*" not in (day, weekday) else by_day and by_weekday
        if today.month in months and chosen:
            yield from (datetime.combine(today, time(h, m)) for h in sorted(hours) for m in sorted(minutes))


def _field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    span = st.tuples(number, number).map(lambda ends: f"{min(ends)}-{max(ends)}")
    step = st.integers(1, 9).map(lambda by: f"*/{by}")
    return st.one_of(st.just("*"), number.map(str), span, step, st.lists(number, min_size=2, max_size=3).map(
        lambda numbers: ",".join(map(str, numbers))))  # fmt: skip


CRONS = st.tuples(
    st.integers(0, 59).map(str), _field(0, 23), _field(1, 31), st.just("*") | _field(1, 12), _field(0, 7)
).map(" ".join)


@settings(max_examples=150, deadline=None)
@example(expression="0 0 * * *", zone="Europe/Berlin", first=date(2026, 3, 27))
@example(expression="15 2,3 * * *", zone="Europe/Berlin", first=date(2026, 3, 27))
@example(expression="0,30 * * * *", zone="Australia/Lord_Howe", first=date(2026, 10, 1))
@example(expression="30 */2 1-15 * 1", zone="America/Santiago", first=date(2026, 9, 1))
@given(
    expression=CRONS,
    zone=st.sampled_from([param.values[0] for param in ZONES]),
    first=st.dates(date(2026, 1, 1), date(2026, 12, 20)),
)
def test_slots_are_those_that_cron_names(expression: str, zone: str, first: date) -> None:
    """Each local time comes once and in order; where a change of clocks lays two on one instant, the first comes."""
    own = ZoneInfo(zone)
    start, end = (datetime.combine(first + timedelta(days=days), time.min, own) for days in (0, 12))
    found = slots(schedule(cron=expression), own, after=start, before=end)
    expected: dict[datetime, datetime] = {}
    for at in _minutes(expression, first, 12):
        expected.setdefault(at.replace(tzinfo=own).astimezone(UTC), at)
    assert {slot.astimezone(UTC): slot.replace(tzinfo=None) for slot in found} == expected
    instants = [slot.astimezone(UTC) for slot in found]
    assert instants == sorted(set(instants))
    assert len({slot.replace(tzinfo=None) for slot in found}) == len(found)
