"""When a message is due: slot, recipient's clock, quiet hours, ramp step, rate slot; all without the arm."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cycle_reading import DAY, HOUR, SEND, declare, entered, excluded, freeze, only_round, rows, utc, wave_states
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from shop import Shop

from engine.assign import draw
from engine.cycle.timing import Timetable, freeze_at, period, quiet_until
from engine.declare.spec import Campaign, QuietHours
from engine.store.tables import message

BERLIN = ZoneInfo("Europe/Berlin")
SECOND = timedelta(seconds=1)
NIGHT = {"from": "21:00", "to": "08:00"}
FAR = ("Pacific/Kiritimati", "Asia/Tokyo", "Asia/Kolkata", "Europe/Berlin", "America/New_York", "Etc/GMT+12")


def campaign(**said: Any) -> Campaign:
    return Campaign.model_validate({"owner": "a", "purpose": "marketing", "channel": "email", **said})


def timetable(slot: str = "2026-03-03T10:00:00", *, schedule: dict[str, Any] | None = None, **said: Any) -> Timetable:
    declared = campaign(schedule={"at": "2026-03-03 10:00", **(schedule or {})}, **said)
    return Timetable(declared, slot, "Europe/Berlin")


# --- the recipient's clock --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        pytest.param("Pacific/Kiritimati", "2026-03-02T20:00", id="furthest-east"),
        pytest.param("Asia/Kolkata", "2026-03-03T04:30", id="half-hours"),
        pytest.param("America/New_York", "2026-03-03T15:00", id="west"),
        pytest.param(None, "2026-03-03T09:00", id="unknown-is-the-campaigns"),
        pytest.param("Mars/Olympus", "2026-03-03T09:00", id="no-zone-is-the-campaigns"),
    ],
)
def test_a_slot_comes_at_its_hour_on_each_recipients_clock(zone: str | None, expected: str) -> None:
    assert timetable(schedule={"clock": "recipient"}).due(zone, 0) == utc(expected)


def test_on_the_campaigns_clock_all_zones_are_due_at_once() -> None:
    assert {timetable().due(zone, 0) for zone in FAR} == {utc("2026-03-03T09:00")}


def test_a_wave_on_the_recipients_clocks_is_frozen_before_the_first_is_due() -> None:
    own = timetable(schedule={"clock": "recipient"})
    at = freeze_at(own.campaign, datetime(2026, 3, 3, 10, tzinfo=BERLIN))
    assert at == min(own.due(zone, 0) for zone in FAR)
    assert freeze_at(campaign(schedule={"at": "2026-03-03 10:00"}), datetime(2026, 3, 3, 10, tzinfo=BERLIN)) == utc(
        "2026-03-03T09:00"
    )


@pytest.mark.parametrize(
    ("zone", "skipped", "repeated"),
    [
        pytest.param("Europe/Berlin", date(2026, 3, 29), date(2026, 10, 25), id="berlin"),
        pytest.param("America/New_York", date(2026, 3, 8), date(2026, 11, 1), id="new-york"),
        pytest.param("Australia/Sydney", date(2026, 10, 4), date(2026, 4, 5), id="sydney"),
        pytest.param("America/Santiago", date(2026, 9, 6), date(2026, 4, 5), id="santiago"),
        pytest.param("Australia/Lord_Howe", date(2026, 10, 4), date(2026, 4, 5), id="lord-howe"),
    ],
)
def test_on_the_days_clocks_change_every_hour_is_due_once_and_in_order(
    zone: str, skipped: date, repeated: date
) -> None:
    """An hour that is skipped comes right after the change, one that is repeated the first time."""
    for day in (skipped, repeated):
        slots = [datetime.combine(day, time(hour)).isoformat() for hour in range(24)]
        due = [timetable(slot, schedule={"clock": "recipient"}).due(zone, 0) for slot in slots]
        assert due == sorted(due)
        local = [at.astimezone(ZoneInfo(zone)) for at in due]
        moved = [hour for hour, at in enumerate(local) if at.hour != hour]
        assert len(moved) <= (1 if day == skipped else 0)
        assert all(at.fold == 0 for at in local)


# --- quiet hours -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        pytest.param("2026-03-03T19:59:59", None, id="evening"),
        pytest.param("2026-03-03T20:00", "2026-03-04T07:00", id="from-is-quiet"),
        pytest.param("2026-03-04T02:00", "2026-03-04T07:00", id="after-midnight"),
        pytest.param("2026-03-04T06:59:59", "2026-03-04T07:00", id="until-the-last-second"),
        pytest.param("2026-03-04T07:00", None, id="to-is-not"),
    ],
)
def test_quiet_hours_over_night_end_in_the_morning(at: str, expected: str | None) -> None:
    found = quiet_until(QuietHours.model_validate(NIGHT), utc(at), BERLIN)
    assert found == (utc(expected) if expected else None)


def test_quiet_hours_within_a_day() -> None:
    noon = QuietHours.model_validate({"from": "12:00", "to": "14:00"})
    assert quiet_until(noon, utc("2026-07-01T10:30"), BERLIN) == utc("2026-07-01T12:00")
    assert quiet_until(noon, utc("2026-07-01T12:00"), BERLIN) is None
    assert quiet_until(noon, utc("2026-07-01T23:00"), BERLIN) is None


def test_hours_from_and_to_the_same_time_are_never_quiet() -> None:
    assert (
        quiet_until(QuietHours.model_validate({"from": "08:00", "to": "08:00"}), utc("2026-03-03T07:00"), BERLIN)
        is None
    )


@given(
    zone=st.sampled_from([*FAR[:5], "Australia/Lord_Howe", "America/Santiago", "Africa/Casablanca"]),
    start=st.times().map(lambda at: at.replace(microsecond=0, second=0)),
    end=st.times().map(lambda at: at.replace(microsecond=0, second=0)),
    minute=st.integers(0, 525_600),
)
def test_quiet_hours_end_ahead_within_a_day_and_not_in_quiet_hours_again(
    zone: str, start: time, end: time, minute: int
) -> None:
    quiet = QuietHours.model_validate({"from": start.isoformat("minutes"), "to": end.isoformat("minutes")})
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute, seconds=7)
    until = quiet_until(quiet, at, ZoneInfo(zone))
    if until is None:
        return
    assert timedelta(0) < until - at <= timedelta(hours=25)
    again = quiet_until(quiet, until, ZoneInfo(zone))
    # Where a change of clocks skips the end itself, or repeats it, quiet hours may go on for that hour.
    assert again is None or again - until <= timedelta(hours=1)


def test_a_message_waits_until_eight_in_the_recipients_own_zone() -> None:
    own = timetable(quiet_hours=NIGHT | {"clock": "recipient"})
    assert own.due("Europe/Berlin", 0) == utc("2026-03-03T09:00")
    assert own.due("America/New_York", 0) == utc("2026-03-03T13:00"), "04:00 there waits until 08:00"
    assert own.due("Pacific/Auckland", 0) == utc("2026-03-03T19:00"), "22:00 there waits until 08:00 tomorrow"


def test_quiet_hours_on_the_campaigns_clock_ask_no_recipient() -> None:
    own = timetable("2026-03-03T22:00:00", quiet_hours=NIGHT | {"clock": "campaign"})
    assert {own.due(zone, 0) for zone in FAR} == {utc("2026-03-04T07:00")}


def test_quiet_hours_that_skip_leave_out_the_steps_that_fall_into_them() -> None:
    ramp = {"ramp": {"steps": ["50 %", "100 %"], "hold": "12 hours"}}
    own = timetable(schedule=ramp, quiet_hours=NIGHT | {"then": "skip"})
    assert [own.skips_quiet("Europe/Berlin", step) for step in (0, 1)] == [False, True]
    assert [own.skips_quiet("America/New_York", step) for step in (0, 1)] == [True, False]
    waiting = timetable(schedule=ramp, quiet_hours=NIGHT)
    assert not any(waiting.skips_quiet(zone, step) for zone in FAR for step in (0, 1))


# --- ramp, lateness, periods -------------------------------------------------------------------------------------


def test_ramp_steps_take_their_shares_of_the_hash_order() -> None:
    own = timetable(schedule={"ramp": {"steps": ["5 %", "25 %", "100 %"], "hold": "24 hours"}})
    counted = Counter(own.step(draw("salt", f"c{number}")[1]) for number in range(10_000))
    assert stats.chisquare([counted[0], counted[1], counted[2]], [500, 2_000, 7_500]).pvalue > 0.001
    assert [own.due(None, step) for step in range(3)] == [SEND, SEND + DAY, SEND + 2 * DAY]
    assert own.step(2**63 - 1) == 2


@pytest.mark.parametrize(
    ("late", "missed", "expired"),
    [
        pytest.param(2 * HOUR, False, False, id="at-the-limit-it-still-goes"),
        pytest.param(2 * HOUR + SECOND, True, False, id="missed"),
        pytest.param(3 * DAY, True, False, id="not-yet-expired"),
        pytest.param(3 * DAY + SECOND, True, True, id="expired"),
    ],
)
def test_a_message_is_missed_and_expires_after_the_declared_time(late: timedelta, missed: bool, expired: bool) -> None:
    own = timetable(schedule={"if_missed": "skip after 2 hours", "expires": "3 days"})
    assert (own.is_missed(SEND, SEND + late), own.is_expired(SEND, SEND + late)) == (missed, expired)


@pytest.mark.parametrize(
    ("renew", "at", "expected"),
    [
        pytest.param("quarterly", "2026-03-31T21:59", "2026-Q1", id="last-minute-of-the-quarter"),
        pytest.param("quarterly", "2026-03-31T22:00", "2026-Q2", id="first-of-the-next-in-berlin"),
        pytest.param("monthly", "2026-12-31T23:00", "2027-01", id="month"),
        pytest.param("yearly", "2026-12-31T22:59", "2026", id="year"),
        pytest.param("never", "2026-12-31T22:59", "ever", id="never"),
    ],
)
def test_periods_of_the_global_holdout_turn_on_the_campaigns_clock(renew: str, at: str, expected: str) -> None:
    assert period(renew, utc(at), "Europe/Berlin") == expected


# --- as it is stored ------------------------------------------------------------------------------------------------


def test_holdout_and_treatments_enter_at_the_same_times_under_a_rate_and_a_ramp(shop: Shop) -> None:
    """The distributions of entered_at differ by chance alone, and each message is due when its customer enters."""
    schedule = '{at: "2026-03-03 10:00", max_rate: 60 per minute, ramp: {steps: [30 %, 100 %], hold: 24 hours}}'
    declare(shop, schedule=schedule, campaign="holdout: 30 %")
    shop.customers(3_000)
    shop.launch()
    freeze(shop)
    by_arm: dict[str, list[float]] = {}
    for row in entered(shop).values():
        by_arm.setdefault(row.arm, []).append((row.entered_at - SEND).total_seconds())
    for one, other in (("holdout", "offer"), ("holdout", "control"), ("offer", "control")):
        assert stats.ks_2samp(by_arm[one], by_arm[other]).pvalue > 0.001
    assert len(set(by_arm["holdout"])) == len(by_arm["holdout"]), "rate slots, not one instant"
    due = {row.customer_id: row.due_at for row in rows(shop, message)}
    assert all(due.get(row.customer_id, row.entered_at) == row.entered_at for row in entered(shop).values())


@pytest.mark.parametrize("per_second", [1, 7, 20, 60, 1_500])
def test_rate_slots_never_come_faster_than_the_rate(shop: Shop, per_second: int) -> None:
    declare(shop, schedule=f'{{at: "2026-03-03 10:00", max_rate: {per_second} per second}}', campaign="holdout: 20 %")
    shop.customers(400)
    shop.launch()
    freeze(shop)
    at = sorted(row.entered_at for row in entered(shop).values())
    whole = (at[-1] - at[0]).total_seconds()
    assert whole == pytest.approx(399 * 0.8 / per_second, rel=0.02, abs=1e-3)


def test_the_stored_times_follow_each_recipients_clock_and_quiet_hours(shop: Shop) -> None:
    declare(
        shop,
        schedule='{at: "2026-03-03 07:00", clock: recipient}',
        campaign='quiet_hours: {from: "21:00", to: "08:00", clock: recipient}\nholdout: 40 %',
    )
    shop.customers(60, timezone=lambda number: FAR[number % 6])
    shop.launch(at=utc("2026-03-02T10:00"))
    freeze(shop, utc("2026-03-02T17:00"))
    for number, row in entered(shop).items():
        local = row.entered_at.astimezone(ZoneInfo(FAR[number % 6]))
        assert f"{local:%Y-%m-%d %H:%M}" == "2026-03-03 08:00"


def test_quiet_hours_that_skip_leave_the_zones_out_before_assignment(shop: Shop) -> None:
    declare(shop, campaign='quiet_hours: {from: "21:00", to: "08:00", clock: recipient, then: skip}\nholdout: 40 %')
    shop.customers(12, timezone=lambda number: ["Europe/Berlin", "America/New_York"][number % 2])
    shop.launch()
    freeze(shop)
    assert excluded(shop) == {"quiet_hours": [1, 3, 5, 7, 9, 11]}
    assert sorted(entered(shop)) == [0, 2, 4, 6, 8, 10]


def test_nobody_enters_before_a_late_freeze_and_messages_keep_their_due_time(shop: Shop) -> None:
    """The segment was read hours after the slot, so no window may begin at the slot."""
    declare(shop, schedule='{at: "2026-03-03 10:00", max_rate: 1 per second}')
    shop.customers(5)
    shop.launch()
    late = SEND + 3 * HOUR
    freeze(shop, late)
    seconds = [timedelta(seconds=number) for number in range(5)]
    assert sorted(row.entered_at for row in entered(shop).values()) == [late + more for more in seconds]
    assert sorted(row.due_at for row in rows(shop, message)) == [SEND + more for more in seconds]


def test_a_late_freeze_in_quiet_hours_lets_everybody_enter_at_their_end(shop: Shop) -> None:
    declare(shop, schedule='{at: "2026-03-03 20:30"}', campaign='quiet_hours: {from: "21:00", to: "08:00"}')
    shop.customers(5)
    shop.launch()
    freeze(shop, utc("2026-03-03T22:00"))
    assert {row.entered_at for row in entered(shop).values()} == {utc("2026-03-04T07:00")}


def test_a_freeze_some_seconds_after_the_slot_is_on_time(shop: Shop) -> None:
    declare(shop)
    shop.customers(5)
    shop.launch()
    freeze(shop, SEND + timedelta(seconds=20))
    assert {row.entered_at for row in entered(shop).values()} == {SEND}


def test_a_wave_at_half_past_two_in_the_night_the_clocks_go_back_comes_once(shop: Shop) -> None:
    declare(shop, schedule='{cron: "30 2 * * *", starts: 2026-10-25, ends: 2026-10-26}', campaign="enter: each_wave")
    shop.customers(3)
    shop.launch(at=utc("2026-10-24T12:00"))
    for at in ("2026-10-25T00:29", "2026-10-25T00:30", "2026-10-25T01:29", "2026-10-25T01:30", "2026-10-25T02:30"):
        shop.run(utc(at))
    assert wave_states(shop) == [("2026-10-25T02:30:00", "done")]
    assert len(rows(shop, message)) == 3
    assert only_round(shop).state == "settling"
