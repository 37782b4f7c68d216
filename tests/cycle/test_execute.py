"""Sending: at most once, nobody forgotten, and nothing to whom it must not go any more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from cycle_reading import (
    DAY,
    HOUR,
    SEND,
    declare,
    entered,
    excluded,
    freeze,
    numbers,
    rows,
    skipped,
    states,
    utc,
    wave_states,
)
from post_office import Act, Post, Provider, accept, fail
from shop import Shop
from sqlalchemy import insert, update

from engine.channels.base import Outgoing, Receipt
from engine.customers.consent import address_hash
from engine.cycle import execute, operate
from engine.cycle.advance import advance_all
from engine.cycle.execute import LEASE, send_next
from engine.cycle.listing import uncertain
from engine.cycle.timeline import message_content
from engine.errors import FateUnknown, NeverRetry, TryAgainLater
from engine.messages.links import Links
from engine.schedule.worker import is_dead, new_token
from engine.store import ledger
from engine.store.ledger import LeaseLost
from engine.store.tables import batch, call, customer, lane, message, suppression


def post(shop: Shop, *acts: Act, unit: int = 10, at: datetime = SEND) -> Post:
    return Post(shop, Provider(iter(acts), claim_unit=unit), now=at, wall=at)


def launched(shop: Shop, customers: int = 20, **said: str) -> None:
    declare(shop, **said)  # type: ignore[arg-type]
    shop.customers(customers)
    shop.launch()
    freeze(shop)


def alter(shop: Shop, *numbered: int, **values: object) -> None:
    with shop.database.write() as connection:
        for number in numbered:
            connection.execute(update(customer).where(customer.c.customer_id == f"c{number:06}").values(**values))


def suppress(shop: Shop, number: int) -> None:
    hashed = address_hash("email", f"c{number:06}@example.org")
    with shop.database.write() as connection:
        connection.execute(insert(suppression).values(channel="email", address_hash=hashed, reason="asked", at=SEND))


def skipped_numbers(shop: Shop) -> dict[str, list[int]]:
    known, found = numbers(shop), dict[str, list[int]]()
    for row in rows(shop, message):
        if row.state == "skipped":
            found.setdefault(row.reason, []).append(known[row.customer_id])
    return {reason: sorted(ids) for reason, ids in found.items()}


# --- once ---------------------------------------------------------------------------------------------------


def test_every_message_is_handed_over_once(shop: Shop) -> None:
    launched(shop, 25)
    sender = post(shop)
    sender.send()
    sender.send()
    assert sorted(sender.provider.handed) == [row.id for row in rows(shop, message)]
    assert states(shop) == {"accepted": 25}
    assert [row.size for row in rows(shop, call)] == [10, 10, 5]
    assert {row.provider_id for row in rows(shop, message)} == {f"p{row.id}" for row in rows(shop, message)}


def test_two_senders_share_the_batches_and_no_message(shop: Shop) -> None:
    launched(shop, 2_050)
    one, other = post(shop, unit=1_000), post(shop, unit=1_000)
    turns = 0
    while send_next(one.desk, token=one.token, clock=one.clock) | send_next(
        other.desk, token=other.token, clock=other.clock
    ):
        turns += 1
    assert turns == 2
    assert sorted(one.provider.handed + other.provider.handed) == [row.id for row in rows(shop, message)]


def test_what_was_sent_can_be_shown_again(shop: Shop) -> None:
    """Whatever becomes of the template and the customer later."""
    launched(shop, 3)
    post(shop).send()
    alter(shop, 0, 1, 2, first_name="Somebody")
    (shop.folder / "templates" / "plain.html").unlink()
    with shop.database.read() as connection:
        links = Links("https://shop.example", ["key"])
        shown = [message_content(connection, row.id, links.for_message(row.id)) for row in rows(shop, message)]
    assert sorted(each.text.split(":")[0].split("\n")[0].removeprefix("Hello ") for each in shown if each) == [
        "Name0", "Name1", "Name2",
    ]  # fmt: skip


# --- the last check -----------------------------------------------------------------------------------------


def test_what_changed_between_freeze_and_claim_is_seen(shop: Shop) -> None:
    launched(shop, 6, campaign='only_to: ["*@example.org"]')
    suppress(shop, 1)
    alter(shop, 2, email_consent=False)
    alter(shop, 3, email_consent=None)
    alter(shop, 4, email=None, email_hash=None)
    alter(shop, 5, email="x@elsewhere.example", email_hash=b"x")
    sender = post(shop)
    sender.send()
    assert skipped_numbers(shop) == {
        "suppressed": [1], "no_consent": [2, 3], "no_address": [4], "not_allowed_here": [5],
    }  # fmt: skip
    assert len(sender.provider.handed) == 1


def test_a_transactional_message_needs_no_consent_at_the_claim_either(shop: Shop) -> None:
    launched(shop, 2, purpose="transactional")
    alter(shop, 0, 1, email_consent=False)
    post(shop).send()
    assert states(shop) == {"accepted": 2}


@pytest.mark.parametrize("act", ["pause", "stop"])
def test_nothing_is_claimed_once_the_round_is_paused_or_stopped(shop: Shop, act: str) -> None:
    """Also under a lease that was given before."""
    launched(shop, 20)

    def act_then_accept(outgoing: Sequence[Outgoing]) -> list[Receipt]:
        getattr(operate, act)(shop.engine(), "spring", actor="anna@example.com", now=SEND)
        return accept(outgoing)

    sender = post(shop, act_then_accept)
    sender.send()
    assert len(sender.provider.handed) == 10, "the call that was under way is settled"
    rest = {"planned": 10} if act == "pause" else {"skipped": 10}
    assert states(shop) == {"accepted": 10, **rest}
    assert sender.send() == 0
    if act == "pause":
        operate.resume(shop.engine(), "spring", actor="anna@example.com", now=SEND)
        sender.send()
        assert states(shop) == {"accepted": 20}


def test_a_claim_after_a_pause_is_refused(shop: Shop) -> None:
    launched(shop, 2)
    with shop.database.write() as connection:
        held = ledger.lease(connection, now=SEND, wall=SEND, length=LEASE, token="me/1/x")
    assert held is not None
    operate.pause(shop.engine(), "spring", actor="anna@example.com", now=SEND)
    with pytest.raises(LeaseLost), shop.database.write() as connection:
        ledger.claim(connection, held, [], provider="outbox", check=lambda _: None, now=SEND, wall=SEND, length=LEASE)


def test_the_halt_file_stops_before_the_next_claim(shop: Shop) -> None:
    launched(shop, 20)

    def halt_then_accept(outgoing: Sequence[Outgoing]) -> list[Receipt]:
        operate.halt(shop.folder)
        return accept(outgoing)

    sender = post(shop, halt_then_accept)
    assert sender.send() == 1
    assert states(shop) == {"accepted": 10, "planned": 10}
    assert sender.send() == 0
    shop.run(SEND)
    assert states(shop) == {"accepted": 10, "planned": 10}
    operate.unhalt(shop.engine(), actor="anna@example.com", now=SEND)
    sender.send()
    assert states(shop) == {"accepted": 20}


def test_a_halt_between_claim_and_call_gives_the_rows_back(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    launched(shop, 5)
    original = ledger.claim

    def claim_then_halt(*given: object, **named: object) -> object:
        claimed = original(*given, **named)  # type: ignore[arg-type]
        operate.halt(shop.folder)
        return claimed

    monkeypatch.setattr(execute.ledger, "claim", claim_then_halt)
    sender = post(shop)
    sender.send()
    assert sender.provider.handed == []
    assert states(shop) == {"planned": 5}


# --- late ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("late", "schedule", "expected"),
    [
        pytest.param(2 * HOUR, "if_missed: skip after 2 hours", {}, id="not-yet-missed"),
        pytest.param(3 * HOUR, "if_missed: skip after 2 hours", {"missed": 4}, id="missed"),
        pytest.param(3 * DAY, "expires: 3 days", {}, id="not-yet-expired"),
        pytest.param(4 * DAY, "expires: 3 days", {"expired": 4}, id="expired"),
    ],
)
def test_a_message_that_comes_too_late_is_skipped(
    shop: Shop, late: timedelta, schedule: str, expected: dict[str, int]
) -> None:
    launched(shop, 4, schedule=f'{{at: "2026-03-03 10:00", {schedule}}}')
    sender = post(shop, at=SEND + late)
    sender.send()
    assert skipped(shop) == expected
    assert len(sender.provider.handed) == 4 - sum(expected.values())


def test_a_whole_wave_that_was_missed_is_never_frozen(shop: Shop) -> None:
    declare(shop, schedule='{at: "2026-03-03 10:00", if_missed: skip after 2 hours}')
    shop.customers(3)
    shop.launch()
    shop.run(SEND + 2 * HOUR + timedelta(seconds=1))
    assert wave_states(shop) == [("2026-03-03T10:00:00", "missed")]
    assert states(shop) == {}


def test_a_wave_at_the_very_end_of_its_grace_is_sent(shop: Shop) -> None:
    declare(shop, schedule='{at: "2026-03-03 10:00", if_missed: skip after 2 hours}')
    shop.customers(3)
    shop.launch()
    shop.run(SEND + 2 * HOUR)
    assert states(shop) == {"accepted": 3}


def test_a_wave_on_the_recipients_clocks_misses_only_those_whose_hour_has_passed(shop: Shop) -> None:
    """They do not enter, so that a later wave can have them."""
    declare(shop, schedule='{at: "2026-03-03 10:00", if_missed: skip after 2 hours, clock: recipient}')
    shop.customers(3, timezone=lambda number: ["Asia/Tokyo", "Europe/Berlin", "America/New_York"][number])
    shop.launch(at=SEND - 2 * DAY)
    shop.run(SEND + HOUR)
    assert excluded(shop) == {"missed": [0]}
    assert states(shop) == {"accepted": 1, "planned": 1}


def test_a_ramp_misses_only_the_steps_that_have_passed(shop: Shop) -> None:
    ramp = "ramp: {steps: [50 %, 100 %], hold: 24 hours}"
    declare(shop, schedule=f'{{at: "2026-03-03 10:00", if_missed: skip after 2 hours, {ramp}}}')
    shop.customers(40)
    shop.launch()
    freeze(shop, SEND + 5 * HOUR)
    assert 8 <= len(excluded(shop)["missed"]) <= 32
    assert {row.entered_at for row in entered(shop).values()} == {SEND + DAY}


def test_a_rate_misses_what_is_too_late_and_goes_on_with_the_rest(shop: Shop) -> None:
    declare(shop, schedule='{at: "2026-03-03 10:00", if_missed: skip after 2 hours, max_rate: 1 per minute}')
    shop.customers(240)
    shop.launch()
    freeze(shop, SEND + 3 * HOUR)
    sender = post(shop, unit=1_000, at=SEND + 3 * HOUR)
    for _ in range(62):
        sender.send()
        sender.now += timedelta(minutes=1)
    assert skipped(shop) == {"missed": 60}, "what was skipped takes no time of the others"
    assert states(shop)["accepted"] == 62


def test_a_rate_long_after_its_slot_enters_nobody(shop: Shop) -> None:
    declare(shop, schedule='{at: "2026-03-03 10:00", if_missed: skip after 2 hours, max_rate: 1 per second}')
    shop.customers(60)
    shop.launch()
    freeze(shop, SEND + 3 * HOUR)
    assert excluded(shop) == {"missed": list(range(60))}


def test_waiting_for_quiet_hours_is_not_missing(shop: Shop) -> None:
    """A wave at 23:00 is due at 08:00, whenever in the night it is frozen."""
    quiet = 'quiet_hours: {from: "21:00", to: "08:00"}'
    declare(shop, schedule='{at: "2026-03-03 23:00", if_missed: skip after 2 hours}', campaign=quiet)
    shop.customers(3)
    shop.launch()
    freeze(shop, utc("2026-03-04T04:00"))
    post(shop, at=utc("2026-03-04T07:00")).send()
    assert states(shop) == {"accepted": 3}


def test_a_claim_in_quiet_hours_waits_for_their_end_and_goes_on(shop: Shop) -> None:
    launched(
        shop, 3, schedule='{at: "2026-03-03 10:00", if_missed: skip after 12 hours}',
        campaign='quiet_hours: {from: "21:00", to: "08:00"}',
    )  # fmt: skip
    sender = post(shop, at=utc("2026-03-03T20:30"))
    assert sender.send() == 1
    assert sender.provider.handed == []
    morning = utc("2026-03-04T07:00")
    assert {row.not_before for row in rows(shop, message)} == {morning}
    assert {row.due_at for row in rows(shop, message)} == {SEND}
    sender.now = morning - timedelta(seconds=1)
    assert sender.send() == 0
    sender.now = morning
    sender.send()
    assert states(shop) == {"accepted": 3}, "and is not missed, though ten hours have passed"


def test_a_claim_in_quiet_hours_that_skip_is_skipped(shop: Shop) -> None:
    launched(shop, 3, campaign='quiet_hours: {from: "21:00", to: "08:00", then: skip}')
    post(shop, at=utc("2026-03-03T20:30")).send()
    assert skipped(shop) == {"quiet_hours": 3}


def test_quiet_hours_at_the_claim_are_the_recipients(shop: Shop) -> None:
    declare(shop, campaign='quiet_hours: {from: "21:00", to: "08:00", clock: recipient}')
    shop.customers(2, timezone=lambda number: ["Europe/Berlin", "Pacific/Auckland"][number])
    shop.launch()
    freeze(shop)
    sender = post(shop, at=SEND)
    sender.send()
    assert states(shop) == {"accepted": 1, "planned": 1}
    sender.now = utc("2026-03-03T19:00")
    sender.send()
    assert states(shop) == {"accepted": 2}


# --- what cannot be rendered --------------------------------------------------------------------------------


def test_one_message_that_cannot_be_rendered_touches_no_other(shop: Shop) -> None:
    declare(shop)
    shop.customers(12, first_name=lambda number: "x" * 5_000_000 if number == 7 else f"Name{number}")
    shop.launch()
    freeze(shop)
    sender = post(shop)
    sender.send()
    assert skipped_numbers(shop) == {"rendering_failed": [7]}
    assert len(sender.provider.handed) == 11


# --- answers ------------------------------------------------------------------------------------------------


def test_a_provider_that_says_later_gets_the_same_rows_later(shop: Shop) -> None:
    launched(shop, 5)
    sender = post(shop, fail(TryAgainLater("429", wait=timedelta(minutes=5))))
    sender.send()
    assert states(shop) == {"planned": 5}
    sender.now = SEND + timedelta(minutes=5, microseconds=-1)
    assert sender.send() == 0
    sender.now = SEND + timedelta(minutes=5)
    sender.send()
    assert states(shop) == {"accepted": 5}
    assert {row.attempt for row in rows(shop, message)} == {2}
    assert [row.answer for row in rows(shop, call)] == ["not accepted: 429", "accepted"]


def test_a_provider_that_asks_for_no_wait_is_not_called_in_a_loop(shop: Shop) -> None:
    launched(shop, 5)
    sender = post(shop, *[fail(TryAgainLater("429", wait=timedelta(0)))] * 50)
    sender.send()
    assert len(rows(shop, call)) == 1


def test_a_refusal_for_good_is_kept_with_its_reason(shop: Shop) -> None:
    launched(shop, 15)
    sender = post(shop, fail(NeverRetry("the account is closed")))
    sender.send()
    assert states(shop) == {"rejected": 10, "accepted": 5}
    assert {row.reason for row in rows(shop, message) if row.state == "rejected"} == {"the account is closed"}
    assert sender.send() == 0


def test_receipts_settle_each_message_by_itself(shop: Shop) -> None:
    launched(shop, 4)

    def some(outgoing: Sequence[Outgoing]) -> list[Receipt]:
        bad = outgoing[1]
        return [
            Receipt(bad.message_id, accepted=False, reason="no such mailbox"),
            *accept([outgoing[0], *outgoing[2:]]),
        ]

    post(shop, some).send()
    assert states(shop) == {"accepted": 3, "rejected": 1}


def test_a_message_that_no_receipt_names_is_uncertain(shop: Shop) -> None:
    launched(shop, 4)
    post(shop, lambda outgoing: accept(outgoing[:3])).send()
    assert states(shop) == {"accepted": 3, "uncertain": 1}


def test_an_unknown_fate_is_never_sent_again_and_is_listed(shop: Shop) -> None:
    launched(shop, 5)
    sender = post(shop, fail(FateUnknown("timeout")))
    sender.send()
    assert states(shop) == {"uncertain": 5}
    sender.now = sender.wall = SEND + DAY
    advance_all(shop.engine(sender.now), sender.now)
    assert sender.send() == 0
    with shop.database.read() as connection:
        listed = list(uncertain(connection))
    assert [row.message_id for row in listed] == [row.id for row in rows(shop, message)]
    assert {(row.campaign, row.round, row.state) for row in listed} == {("spring", 1, "uncertain")}


@pytest.mark.parametrize("answer", ["accepted", "rejected"])
def test_a_late_answer_of_the_same_call_settles_what_was_uncertain(shop: Shop, answer: str) -> None:
    launched(shop, 5)
    post(shop, fail(FateUnknown("timeout"))).send()
    (made,) = rows(shop, call)
    ids = [row.id for row in rows(shop, message)]
    with shop.database.write() as connection:
        if answer == "accepted":
            ledger.settle_accepted(connection, made.id, dict.fromkeys(ids, "late"), SEND)
        else:
            ledger.settle_rejected(connection, made.id, dict.fromkeys(ids, "late"), SEND)
    assert states(shop) == {answer: 5}


def test_an_answer_of_another_call_settles_nothing(shop: Shop) -> None:
    launched(shop, 5)
    post(shop, fail(FateUnknown("timeout"))).send()
    ids = [row.id for row in rows(shop, message)]
    with shop.database.write() as connection:
        ledger.settle_accepted(connection, 999, dict.fromkeys(ids, "x"), SEND)
        ledger.settle_accepted(connection, 999, dict.fromkeys(ids, None), SEND)
    assert states(shop) == {"uncertain": 5}


def test_what_is_settled_stays_settled(shop: Shop) -> None:
    launched(shop, 5)
    post(shop).send()
    (made,) = rows(shop, call)
    ids = [row.id for row in rows(shop, message)]
    with shop.database.write() as connection:
        ledger.settle_rejected(connection, made.id, dict.fromkeys(ids, "late"), SEND)
        ledger.settle_unknown(connection, made.id, "late", SEND)
        ledger.settle_not_accepted(connection, made.id, "late", retry_at=SEND, now=SEND)
    assert states(shop) == {"accepted": 5}


# --- leases -------------------------------------------------------------------------------------------------


class Died(BaseException):
    pass


def die(_: Sequence[Outgoing]) -> list[Receipt]:
    raise Died


def end_leases(shop: Shop, wall: datetime, dead: Callable[[str], bool] = lambda _: False) -> int:
    with shop.database.write() as connection:
        return ledger.expire(connection, wall=wall, is_dead=dead)


def test_a_lease_that_ran_out_leaves_the_claimed_uncertain_and_frees_the_rest(shop: Shop) -> None:
    launched(shop, 25)
    with pytest.raises(Died):
        post(shop, accept, die).send()
    assert states(shop) == {"accepted": 10, "claimed": 10, "planned": 5}
    assert end_leases(shop, SEND + LEASE - timedelta(microseconds=1)) == 0
    assert end_leases(shop, SEND + LEASE) == 10
    assert states(shop) == {"accepted": 10, "uncertain": 10, "planned": 5}
    post(shop).send()
    assert states(shop) == {"accepted": 15, "uncertain": 10}


def test_the_lease_of_a_dead_process_ends_at_once(shop: Shop) -> None:
    launched(shop, 15)
    with pytest.raises(Died):
        post(shop, die).send()
    assert end_leases(shop, SEND, lambda token: True) == 10
    assert states(shop) == {"uncertain": 10, "planned": 5}


def test_whose_lease_ended_claims_nothing_more_and_still_settles_its_call(shop: Shop) -> None:
    launched(shop, 25)

    def slow(outgoing: Sequence[Outgoing]) -> list[Receipt]:
        end_leases(shop, SEND + 2 * LEASE)
        other.send()
        return accept(outgoing)

    other, sender = post(shop), post(shop, slow)
    sender.send()
    assert len(sender.provider.handed) == 10
    assert len(other.provider.handed) == 15
    assert states(shop) == {"accepted": 25}
    assert {row.state for row in rows(shop, batch)} == {"done"}


def test_a_lease_is_held_on_by_each_claim(shop: Shop) -> None:
    launched(shop, 30)
    sender = post(shop)

    def slow(outgoing: Sequence[Outgoing]) -> list[Receipt]:
        sender.wall += LEASE * 0.6
        assert end_leases(shop, sender.wall) == 0
        return accept(outgoing)

    sender.provider.acts = iter([slow, slow, slow])
    sender.send()
    assert states(shop) == {"accepted": 30}


def test_a_leased_batch_is_given_to_nobody_else(shop: Shop) -> None:
    launched(shop, 5)
    with shop.database.write() as connection:
        assert ledger.lease(connection, now=SEND, wall=SEND, length=LEASE, token="one") is not None
        assert ledger.lease(connection, now=SEND, wall=SEND, length=LEASE, token="two") is None


def test_a_process_is_known_by_its_token_while_it_lives() -> None:
    own = new_token()
    assert not is_dead(own)
    host, _, _ = own.rsplit("/", 2)
    assert is_dead(f"{host}/999999999/x")
    assert not is_dead("elsewhere/999999999/x"), "of another machine only the lease's end can tell"


# --- the rate -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rate", "per_second", "customers", "step"),
    [
        pytest.param("7 per second", 7, 60, timedelta(milliseconds=50), id="slow"),
        pytest.param("50 per second", 50, 330, timedelta(milliseconds=100), id="fast"),
        pytest.param("30 per minute", 1, 8, timedelta(milliseconds=500), id="by-the-minute"),
    ],
)
def test_no_second_ever_sees_more_than_the_rate(
    shop: Shop, rate: str, per_second: int, customers: int, step: timedelta
) -> None:
    """Neither on time nor after an outage, wherever the second begins; and the rate is made use of."""
    launched(shop, customers, schedule=f'{{at: "2026-03-03 10:00", max_rate: {rate}}}', campaign="holdout: 20 %")
    sender = post(shop, unit=1_000)
    sent: list[datetime] = []
    outage = SEND + 2 * timedelta(seconds=1), SEND + 5 * timedelta(seconds=1)
    while states(shop).get("planned"):
        if not outage[0] <= sender.now < outage[1]:
            before = len(sender.provider.handed)
            sender.send()
            sent += [sender.now] * (len(sender.provider.handed) - before)
        sender.now += step
    second = timedelta(seconds=1)
    assert max(sum(at <= other < at + second for other in sent) for at in sent) <= per_second
    if rate.endswith("second"):
        needed = len(sent) / per_second
        assert (sent[-1] - SEND).total_seconds() <= needed * 1.25 + 3 + 1
    else:
        gaps = [later - earlier for earlier, later in pairwise(sent)]
        assert min(gaps) >= timedelta(seconds=2)


@pytest.mark.parametrize("per_second", [0.01, 0.5, 1, 2.5, 19.9, 20, 33.3, 999, 1_000, 1_001, 1_999, 50_000])
def test_lots_add_up_to_the_rate_and_never_to_more(per_second: float) -> None:
    size, rest = ledger.lot(per_second)
    real = size / rest.total_seconds()
    assert per_second * 0.95 <= real <= per_second * 1.000001
    assert size <= max(1, min(1_000, per_second))


def test_a_lane_keeps_its_place_when_another_wave_is_frozen(shop: Shop) -> None:
    schedule = '{cron: "0,1 10 * * *", starts: 2026-03-03, ends: 2026-03-04, max_rate: 1 per minute}'
    declare(shop, schedule=schedule, campaign="enter: each_wave")
    shop.customers(3)
    shop.launch()
    freeze(shop)
    post(shop).send()
    (before,) = rows(shop, lane)
    assert before.next_at == SEND + timedelta(minutes=1)
    later = SEND + timedelta(minutes=1)
    freeze(shop, later)
    assert len(wave_states(shop)) == 2
    assert rows(shop, lane) == [before]
    assert post(shop, at=later).send() == 1
