"""Freezing a wave: everybody matched is either entered or left out for one reason, and the whole is sealed."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from cycle_reading import (
    DAILY,
    DAY,
    HOUR,
    SEND,
    audiences,
    declare,
    entered,
    excluded,
    freeze,
    messaged,
    only_round,
    rows,
    states,
    utc,
    wave_states,
)
from shop import LAUNCH, YAML, Shop
from sqlalchemy import delete, insert, update

from engine.assign import assigner
from engine.customers.consent import address_hash
from engine.cycle import freeze as freezing
from engine.cycle import operate, waves
from engine.cycle.advance import advance_all
from engine.cycle.record import first_fault
from engine.cycle.sealed_plan import plan_of
from engine.model import Arm, ArmRole
from engine.schedule.worker import send_due
from engine.store.audit import seal
from engine.store.tables import audit, batch, customer, entry, global_holdout, message, suppression, wave


def suppress(shop: Shop, *ids: int) -> None:
    with shop.database.write() as connection:
        for number in ids:
            hashed = address_hash("email", f"c{number:06}@example.org")
            connection.execute(
                insert(suppression).values(channel="email", address_hash=hashed, reason="asked", at=LAUNCH)
            )


def fault(shop: Shop) -> str | None:
    with shop.database.read() as connection:
        return first_fault(connection)


# --- who is left out ----------------------------------------------------------------------------------------


def test_everybody_matched_has_one_entry_or_one_reason(shop: Shop) -> None:
    declare(shop, campaign="holdout: 20 %\nglobal_holdout: {share: 10 %, renew: yearly}")
    shop.customers(
        300,
        email=lambda n: None if n % 10 == 0 else f"same{n % 4}@example.org" if n % 10 == 1 else f"c{n:06}@example.org",
        email_consent=lambda n: [True, True, None, False, True, True, True][n % 7],
    )
    suppress(shop, 2, 4, 5)
    shop.launch()
    freeze(shop)
    out = Counter(number for found in excluded(shop).values() for number in found)
    assert set(out.values()) == {1}
    assert set(out).isdisjoint(entered(shop))
    assert len(out) + len(entered(shop)) == 300
    (audience,) = audiences(shop)
    assert audience["matched"] == 300
    assert audience["excluded"] == {reason: len(found) for reason, found in sorted(excluded(shop).items())}
    assert set(audience["excluded"]) == {"no_address", "no_consent", "suppressed", "same_address", "global_holdout"}
    assert audience["arms"] == Counter(row.arm for row in entered(shop).values())


def test_without_an_address_nobody_is_entered(shop: Shop) -> None:
    declare(shop)
    shop.customers(4, email=lambda n: None if n == 2 else f"c{n}@example.org")
    shop.launch()
    freeze(shop)
    assert excluded(shop) == {"no_address": [2]}


@pytest.mark.parametrize(
    ("purpose", "expected"),
    [
        pytest.param("marketing", {"no_consent": [1, 2]}, id="marketing"),
        pytest.param("transactional", {}, id="transactional"),
    ],
)
def test_consent_is_asked_for_by_marketing_alone(shop: Shop, purpose: str, expected: dict[str, list[int]]) -> None:
    """Silence is no consent."""
    declare(shop, purpose=purpose)
    shop.customers(4, email_consent=lambda n: [True, False, None, True][n])
    shop.launch()
    freeze(shop)
    assert excluded(shop) == expected


def test_consent_to_one_channel_is_none_to_another(shop: Shop) -> None:
    declare(shop)
    shop.customers(2, email_consent=lambda n: n == 1, sms_consent=True)
    shop.launch()
    freeze(shop)
    assert excluded(shop) == {"no_consent": [0]}


@pytest.mark.parametrize("purpose", ["marketing", "transactional"])
def test_the_suppressed_are_left_out_of_everything(shop: Shop, purpose: str) -> None:
    declare(shop, purpose=purpose)
    shop.customers(4)
    suppress(shop, 1, 3)
    shop.launch()
    freeze(shop)
    assert excluded(shop) == {"suppressed": [1, 3]}


def test_only_to_names_who_may_be_messaged_at_all(shop: Shop) -> None:
    declare(shop, campaign='only_to: ["*@staff.example.com", "boss@example.org", "a_b@example.org"]')
    addresses = ["x@example.org", "Ann@Staff.example.com", "boss@example.org", "acb@example.org", "a_b@example.org"]
    shop.customers(5, email=lambda n: addresses[n])
    shop.launch()
    freeze(shop)
    assert excluded(shop) == {"not_allowed_here": [0, 3]}


# --- one inbox, one message ---------------------------------------------------------------------------------


def test_two_customers_with_one_address_get_one_message(shop: Shop) -> None:
    """The first by their key; what is written in other letters is still the same inbox."""
    declare(shop)
    addresses = {1: "both@example.org", 2: "both@EXAMPLE.org", 5: "other@example.org"}
    shop.customers(4, email=lambda n: addresses.get(n, f"c{n}@example.org"))
    shop.launch()
    freeze(shop)
    assert excluded(shop) == {"same_address": [2]}
    assert messaged(shop) == [0, 1, 3]


def test_one_who_cannot_be_messaged_does_not_keep_the_inbox_from_another(shop: Shop) -> None:
    declare(shop)
    shop.customers(2, email="both@example.org", email_consent=lambda n: n == 1)
    shop.launch()
    freeze(shop)
    assert excluded(shop) == {"no_consent": [0]}
    assert messaged(shop) == [1]


@pytest.mark.parametrize("enter", ["once", "each_round", "each_wave"])
def test_an_inbox_stays_with_its_first_customer_in_later_waves(shop: Shop, enter: str) -> None:
    """Also where a newcomer's key comes first."""
    declare(shop, schedule=DAILY, campaign=f"enter: {enter}")
    shop.customers(2, email=lambda n: f"inbox{n}@example.org")
    shop.launch()
    freeze(shop)
    shop.customers(1, first=2, email="inbox1@example.org", customer_id="a000002")
    freeze(shop, SEND + DAY)
    assert excluded(shop)["same_address"] == [2]
    assert messaged(shop) == ([0, 0, 1, 1] if enter == "each_wave" else [0, 1])


def test_once_means_once_an_inbox_over_all_rounds(shop: Shop) -> None:
    declare(shop)
    shop.customers(1, email="shared@example.org")
    shop.launch()
    shop.run(SEND)
    operate.stop(shop.engine(), "spring", actor="anna@example.com", now=SEND)
    declare(shop, schedule='{at: "2026-03-05 10:00"}')
    shop.customers(1, first=1, email="shared@example.org")
    shop.launch(at=SEND + HOUR)
    freeze(shop, SEND + 2 * DAY)
    assert excluded(shop) == {"entered_before": [0], "same_address": [1]}


# --- caps ---------------------------------------------------------------------------------------------------

TWO = """
  autumn:
    owner: anna@example.com
    purpose: marketing
    channel: CHANNEL
    variants:
      only: {CONTENT}
    schedule: {{at: "2026-03-05 10:00"}}
"""


def declare_two(shop: Shop, cap: str, *, channel: str = "email") -> None:
    content = 'text: "Hello"' if channel == "sms" else 'subject: "Hello", template: plain.html'
    second = TWO.replace("CHANNEL", channel).replace("{CONTENT}", "{{" + content + "}}")
    shop.declare(
        text=YAML + second, defaults=f"frequency_cap: [{cap}]", campaign='only_to: ["*0@example.org", "*1@example.org"]'
    )


@pytest.mark.parametrize(
    ("cap", "channel", "capped"),
    [
        pytest.param("{channel: email, at_most: 1, per: 7 days}", "email", [0, 1], id="reached"),
        pytest.param("{channel: email, at_most: 2, per: 7 days}", "email", [], id="not-reached"),
        pytest.param("{channel: email, at_most: 1, per: 2 days}", "email", [], id="just-over"),
        pytest.param("{channel: email, at_most: 1, per: 49 hours}", "email", [0, 1], id="just-within"),
        pytest.param("{channel: sms, at_most: 1, per: 7 days}", "email", [], id="of-another-channel"),
        pytest.param("{channel: email, at_most: 1, per: 7 days}", "sms", [], id="mail-does-not-count-for-sms"),
        pytest.param("{at_most: 1, per: 7 days}", "sms", [0, 1], id="over-all-channels"),
    ],
)
def test_a_cap_counts_the_messages_of_every_campaign(shop: Shop, cap: str, channel: str, capped: list[int]) -> None:
    declare_two(shop, cap, channel=channel)
    shop.customers(4, phone=lambda n: f"+49151000000{n}", sms_consent=True)
    shop.launch("spring")
    shop.launch("autumn")
    shop.run(SEND)
    freeze(shop, SEND + 2 * DAY)
    assert excluded(shop).get("frequency_cap", []) == capped
    assert excluded(shop)["not_allowed_here"] == [2, 3]


def test_a_cap_counts_what_will_be_sent_and_not_what_was_skipped(shop: Shop) -> None:
    declare_two(shop, "{channel: email, at_most: 1, per: 7 days}")
    shop.customers(2)
    shop.launch("spring")
    shop.launch("autumn")
    freeze(shop)
    with shop.database.write() as connection:
        connection.execute(update(message).where(message.c.customer_id == 1).values(state="skipped", reason="expired"))
    freeze(shop, SEND + 2 * DAY)
    assert excluded(shop)["frequency_cap"] == [1]


# --- the global holdout -------------------------------------------------------------------------------------

GLOBAL = "global_holdout: {share: SHARE, renew: RENEW}"


def held_out(shop: Shop) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for row in rows(shop, global_holdout):
        found.setdefault(row.period, []).append(row.customer_id)
    return found


def global_of(share: str, renew: str = "quarterly") -> str:
    return GLOBAL.replace("SHARE", share).replace("RENEW", renew)


def test_members_of_the_global_holdout_are_stored_for_the_period(shop: Shop) -> None:
    declare(shop, campaign=global_of("20 %"))
    ids = shop.customers(100)
    shop.launch()
    freeze(shop)
    out = excluded(shop)["global_holdout"]
    assert 8 <= len(out) <= 34
    assert held_out(shop) == {"2026-Q1": [ids[number] for number in out]}
    assert len(entered(shop)) == 100 - len(out)


def test_transactional_messages_know_no_global_holdout(shop: Shop) -> None:
    declare(shop, purpose="transactional", campaign=global_of("50 %"))
    shop.customers(20)
    shop.launch()
    freeze(shop)
    assert len(entered(shop)) == 20
    assert held_out(shop) == {}


def test_a_member_stays_held_out_though_the_share_shrinks_within_the_period(shop: Shop) -> None:
    """The plan counts the stored members too."""
    declare(shop, schedule='{at: "2026-03-05 10:00"}', campaign=global_of("1 %"))
    ids = shop.customers(20)
    with shop.database.write() as connection:
        connection.execute(insert(global_holdout), [{"period": "2026-Q1", "customer_id": ids[n]} for n in (3, 11)])
        connection.execute(insert(global_holdout), [{"period": "2025-Q4", "customer_id": ids[n]} for n in (5, 6)])
    assert dict(shop.plan().funnel.excluded)["global_holdout"] == 2
    shop.launch()
    freeze(shop, SEND + 2 * DAY)
    assert excluded(shop) == {"global_holdout": [3, 11]}


def test_a_period_that_turns_within_a_round_affects_new_entries_only(shop: Shop) -> None:
    schedule = '{cron: "0 10 * * *", starts: 2026-03-31, ends: 2026-04-02}'
    declare(shop, schedule=schedule, campaign="enter: each_wave\n" + global_of("40 %"))
    shop.customers(60)
    shop.launch()
    freeze(shop, utc("2026-03-31 08:00"))
    before = entered(shop)
    shop.customers(60, first=60)
    freeze(shop, utc("2026-04-01 08:00"))
    second = [row.customer_id for row in rows(shop, message) if row.wave_id == 2]
    assert {row.customer_id for row in before.values()} <= set(second), "whoever has entered stays in"
    third = set(entered(shop)) - set(before)
    assert not third & set(held_numbers(shop, "2026-Q2"))
    assert set(held_numbers(shop, "2026-Q2")) - set(before), "newcomers are held out by the new period"
    assert set(range(60)) - set(before) == set(held_numbers(shop, "2026-Q1")) & set(range(60))


def held_numbers(shop: Shop, period: str) -> list[int]:
    return [id_ - 1 for id_ in held_out(shop).get(period, [])]


# --- entering once or again ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("enter", "messages", "left_out"),
    [
        pytest.param("once", [1, 1, 1], [0, 0, 1, 1, 2], id="once"),
        pytest.param("each_round", [2, 2, 2], [0, 1], id="each-round"),
        pytest.param("each_wave", [3, 3, 2], [], id="each-wave"),
    ],
)
def test_a_customer_enters_as_often_as_declared(
    shop: Shop, enter: str, messages: list[int], left_out: list[int]
) -> None:
    """Two waves in a first round, customer 2 coming between them, and one wave in a second round."""
    declare(shop, schedule=DAILY, campaign=f"enter: {enter}")
    shop.customers(2)
    shop.launch()
    freeze(shop)
    shop.customers(1, first=2)
    freeze(shop, SEND + DAY)
    operate.stop(shop.engine(), "spring", actor="anna@example.com", now=SEND + DAY)
    shop.launch(at=SEND + DAY + HOUR)
    freeze(shop, SEND + 2 * DAY)
    assert [messaged(shop).count(number) for number in range(3)] == messages
    assert excluded(shop).get("entered_before", []) == left_out


def test_each_wave_messages_the_same_arm_and_counts_from_the_first_entry(shop: Shop) -> None:
    declare(shop, schedule=DAILY, campaign="enter: each_wave\nholdout: 30 %")
    shop.customers(40)
    shop.launch()
    freeze(shop)
    first = entered(shop)
    freeze(shop, SEND + DAY)
    assert entered(shop) == first
    assert all(row.entered_at == SEND for row in first.values())
    treated = [number for number, row in first.items() if row.arm != "holdout"]
    assert messaged(shop) == sorted(treated * 2)
    assert fault(shop) is None


# --- what is written ----------------------------------------------------------------------------------------


def test_the_holdout_has_entries_and_no_messages(shop: Shop) -> None:
    declare(shop, campaign="holdout: 30 %")
    shop.customers(100)
    shop.launch()
    freeze(shop)
    arms = Counter(row.arm for row in entered(shop).values())
    assert set(arms) == {"control", "offer", "holdout"}
    assert messaged(shop) == sorted(number for number, row in entered(shop).items() if row.arm != "holdout")


def test_the_stored_arm_is_what_the_salt_says(shop: Shop) -> None:
    declare(shop, campaign="holdout: 10 %")
    shop.customers(50)
    shop.launch()
    freeze(shop)
    arms = [Arm(name=name, share=share, role=ArmRole.TREATMENT) for name, share in
            (("control", 0.45), ("offer", 0.45), ("holdout", 0.1))]  # fmt: skip
    arm_of = assigner(arms, only_round(shop).salt)
    assert {number: row.arm for number, row in entered(shop).items()} == {
        number: arm_of(f"c{number:06}")[0] for number in range(50)
    }


def test_messages_leave_in_hash_order_with_arms_interleaved(shop: Shop) -> None:
    declare(shop)
    shop.customers(400)
    shop.launch()
    freeze(shop)
    by_id = {row.customer_id: row for row in entered(shop).values()}
    order = [by_id[row.customer_id] for row in rows(shop, message)]
    assert [row.position for row in order] == sorted(row.position for row in order)
    early = Counter(row.arm for row in order[:200])
    assert min(early["control"], early["offer"]) > 70


def test_nothing_is_written_before_the_slot(shop: Shop) -> None:
    declare(shop)
    shop.customers(5)
    shop.launch()
    freeze(shop, SEND - timedelta(microseconds=1))
    assert (rows(shop, wave), rows(shop, entry)) == ([], [])


def test_a_batch_holds_a_thousand_at_most_and_knows_its_size(shop: Shop) -> None:
    declare(shop)
    shop.customers(2_300)
    shop.launch()
    freeze(shop)
    in_batch = Counter(row.batch_id for row in rows(shop, message))
    assert {row.id: row.size for row in rows(shop, batch)} == in_batch
    assert sorted(in_batch.values()) == [300, 1_000, 1_000]


def test_whoever_has_no_salt_gets_one_with_the_entry(shop: Shop) -> None:
    declare(shop)
    shop.customers(4, person_salt=lambda n: None if n % 2 else n.to_bytes(16, "big"))
    shop.launch()
    freeze(shop)
    salts = [row.person_salt for row in rows(shop, customer)]
    assert len(set(salts)) == 4
    assert None not in salts
    assert fault(shop) is None


# --- a freeze that is killed, stopped, or repeated ----------------------------------------------------------


class Killed(Exception):
    pass


def everything(shop: Shop) -> tuple[object, ...]:
    """Entries, exclusions and messages, without the ids that a second attempt makes anew."""
    return (
        [(row.customer_id, row.arm, row.position, row.entered_at) for row in rows(shop, entry)],
        excluded(shop),
        sorted((row.customer_id, row.state, row.due_at) for row in rows(shop, message)),
    )


@pytest.mark.parametrize("step", ["_assign", "_write", "_seal"])
def test_a_freeze_that_is_killed_is_done_anew_with_the_same_result(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The same engine goes on, as in the service."""
    monkeypatch.setattr(freezing, "_CHUNK", 30)
    declare(shop, campaign="holdout: 20 %\n" + global_of("10 %"))
    shop.customers(100, email=lambda n: None if n % 20 == 0 else f"c{n:06}@example.org")
    shop.launch()
    engine, calls, original = shop.engine(SEND), [], getattr(freezing, step)

    def kill_the_second(*given: object) -> object:
        calls.append(step)
        if len(calls) == (1 if step == "_seal" else 2):
            raise Killed
        return original(*given)

    monkeypatch.setattr(freezing, step, kill_the_second)
    with pytest.raises(Killed):
        advance_all(engine, SEND)
    assert wave_states(shop) == [("2026-03-03T10:00:00", "freezing")]
    assert "accepted" not in states(shop)
    advance_all(engine, SEND)
    shop.run(SEND)
    assert states(shop).keys() == {"accepted"}
    done = everything(shop)
    assert fault(shop) is None
    assert audiences(shop)[0]["matched"] == 100
    assert len(entered(shop)) + sum(map(len, excluded(shop).values())) == 100
    undisturbed = [(id_, arm, position, at) for id_, arm, position, at in done[0]]  # type: ignore[attr-defined]
    assert len({id_ for id_, *_ in undisturbed}) == len(undisturbed)


def test_a_half_frozen_wave_sends_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(shop)
    shop.customers(50)
    shop.launch()
    monkeypatch.setattr(freezing, "_seal", lambda *_: (_ for _ in ()).throw(Killed))
    with pytest.raises(Killed):
        freeze(shop)
    send_due(shop.project(SEND), processes=1)
    assert states(shop) == {"planned": 50}


def test_a_round_that_is_stopped_while_a_wave_is_frozen_sends_nothing_of_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(shop)
    shop.customers(50)
    shop.launch()
    original = freezing._write

    def stop_then_write(*given: object) -> None:
        operate.stop(shop.engine(), "spring", actor="anna@example.com", now=SEND)
        original(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(freezing, "_write", stop_then_write)
    shop.run(SEND)
    assert wave_states(shop) == [("2026-03-03T10:00:00", "cancelled")]
    assert "planned" not in states(shop)
    assert len(entered(shop)) == len(messaged(shop))
    shop.run(SEND + DAY)
    assert "accepted" not in states(shop)


def test_a_frozen_wave_is_never_frozen_again(shop: Shop) -> None:
    """Whoever saw the wave due before another froze it leaves it alone."""
    declare(shop)
    shop.customers(20)
    shop.launch()
    engine = shop.engine(SEND)
    with engine.database.read() as connection:
        plan, of = plan_of(connection, only_round(shop).id), only_round(shop)
    waves.open_due(engine, plan, of, SEND)
    (due,) = rows(shop, wave)
    shop.run(SEND)
    freezing.freeze(engine, plan, due, SEND)
    assert states(shop) == {"accepted": 20}
    assert wave_states(shop) == [("2026-03-03T10:00:00", "done")]


# --- the seal -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tamper",
    [
        pytest.param(update(entry).where(entry.c.customer_id == 3).values(arm="offer2"), id="arm"),
        pytest.param(delete(entry).where(entry.c.customer_id == 3), id="entry-removed"),
        pytest.param(update(wave).values(slot="2026-03-03T11:00:00"), id="slot"),
        pytest.param(update(customer).where(customer.c.id == 3).values(person_salt=b"x" * 16), id="salt"),
    ],
)
def test_an_entry_that_was_tampered_with_is_found(shop: Shop, tamper: Any) -> None:
    declare(shop)
    shop.customers(10)
    shop.launch()
    freeze(shop)
    assert fault(shop) is None
    with shop.database.write() as connection:
        connection.execute(tamper)
    assert "are not those that were sealed" in str(fault(shop))


def test_an_audience_sealed_anew_over_changed_entries_is_found(shop: Shop) -> None:
    """The hash in the wave must be the one in the chain."""
    declare(shop)
    shop.customers(10)
    shop.launch()
    freeze(shop)
    with shop.database.write() as connection:
        connection.execute(update(entry).where(entry.c.customer_id == 3).values(arm="other"))
        (document,) = audiences(shop)
        forged = seal(connection, document | {"digest": freezing.recomputed_digest(connection, 1)})
        connection.execute(update(wave).values(audience=forged))
    assert fault(shop) is not None


def test_the_chain_tells_that_a_wave_was_frozen(shop: Shop) -> None:
    declare(shop)
    shop.customers(10)
    shop.launch()
    freeze(shop)
    last = rows(shop, audit)[-1]
    assert (last.kind, last.actor, last.subject) == ("wave_frozen", "engine", "spring")
    assert rows(shop, wave)[0].audience in last.payload
