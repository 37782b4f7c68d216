"""A round moves by itself, one step at a time: waves, settling, the last look, the next round."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta

import pytest
from cycle_reading import DAILY, DAY, HOUR, SEND, declare, entered, only_round, rows, states, utc, wave_states
from shop import LAUNCH, YAML, Shop

from engine.cycle import advance, operate
from engine.cycle.accept import Approved, accept
from engine.cycle.advance import advance_all, waiting_for
from engine.cycle.look import rejudge
from engine.cycle.overview import overview
from engine.cycle.record import entries, first_fault
from engine.cycle.validate import checked
from engine.errors import NotFound, Refused
from engine.store.tables import look, proposal, round_

WINDOW = timedelta(days=7)
SETTLED = SEND + WINDOW + DAY


def buy(shop: Shop, *, control: int, offer: int) -> None:
    """Every so-manieth of an arm buys on the second day."""
    share = {"control": control, "offer": offer, "holdout": control}
    seen: Counter[str] = Counter()
    for row in sorted(entered(shop).values(), key=lambda row: row.customer_id):
        seen[row.arm] += 1
        if seen[row.arm] % share[row.arm] == 0:
            shop.events([(row.customer_id, "purchase", row.entered_at + 2 * DAY, 20.0)])


def play(shop: Shop, *, control: int = 20, offer: int = 5, customers: int = 1_200, **said: str) -> None:
    """A round up to its verdict; the offer wins unless told otherwise."""
    declare(shop, **said)  # type: ignore[arg-type]
    shop.customers(customers)
    shop.launch()
    shop.run(SEND)
    buy(shop, control=control, offer=offer)
    shop.complete("purchase", SETTLED)
    shop.run(SEND + DAY)
    shop.run(SETTLED)


def kinds(shop: Shop) -> list[str]:
    with shop.database.read() as connection:
        return [each["kind"] for each in entries(connection)]


def waits(shop: Shop, at: datetime) -> list[str]:
    return list(waiting_for(shop.engine(at), rows(shop, round_)[-1], at))


# --- waves and settling ---------------------------------------------------------------------------------------


def test_a_round_is_told_in_the_record_from_launch_to_proposal(shop: Shop) -> None:
    play(shop)
    assert kinds(shop) == ["launched", "wave_frozen", "settling", "look_taken", "proposed"]
    (of,) = rows(shop, round_)
    assert (of.state, of.decision, of.winner) == ("decided", "ship", "offer")
    with shop.database.read() as connection:
        assert first_fault(connection) is None
        assert rejudge(connection, "spring").equal


def test_a_round_settles_until_the_last_window_and_a_day_for_late_data(shop: Shop) -> None:
    declare(shop, schedule='{at: "2026-03-03 10:00", ramp: {steps: [50 %, 100 %], hold: 24 hours}}')
    shop.customers(40)
    shop.launch()
    shop.run(SEND)
    shop.run(SEND)
    assert only_round(shop).state == "open", "a ramp step is still to come"
    shop.run(SEND + DAY)
    assert (only_round(shop).state, only_round(shop).settles_at) == ("settling", SEND + DAY + WINDOW + DAY)
    assert wave_states(shop) == [("2026-03-03T10:00:00", "done")]


def test_a_wave_for_each_slot_until_the_schedule_ends(shop: Shop) -> None:
    declare(shop, schedule='{cron: "0 10 * * *", starts: 2026-03-03, ends: 2026-03-06}', campaign="enter: each_wave")
    shop.customers(4)
    shop.launch()
    for day in range(5):
        shop.run(SEND + day * DAY)
        shop.run(SEND + day * DAY + HOUR)
    assert [slot[:10] for slot, _ in wave_states(shop)] == ["2026-03-03", "2026-03-04", "2026-03-05"]
    assert states(shop) == {"accepted": 12}
    assert only_round(shop).state == "settling"


def test_slots_that_passed_while_nothing_ran_come_all_at_once(shop: Shop) -> None:
    declare(shop, schedule=DAILY, campaign="enter: each_wave")
    shop.customers(2)
    shop.launch()
    shop.run(SEND + 2 * DAY)
    assert [slot[:10] for slot, _ in wave_states(shop)] == ["2026-03-03", "2026-03-04", "2026-03-05"]


def test_a_sample_that_is_reached_ends_the_waves(shop: Shop) -> None:
    declare(shop, schedule=DAILY, campaign="round: {until: 8 per arm}")
    shop.customers(30)
    shop.launch()
    shop.run(SEND)
    shop.customers(10, first=30)
    for hours in (1, 24, 48):
        shop.run(SEND + hours * HOUR)
    assert len(wave_states(shop)) == 1
    assert only_round(shop).state == "settling"


def test_a_round_that_lacks_its_sample_goes_on_and_ends_after_its_longest_duration(shop: Shop) -> None:
    declare(shop, schedule=DAILY, campaign="round: {until: 500 per arm, at_most: 3 days}")
    shop.customers(30)
    shop.launch()
    for day in range(5):
        shop.run(SEND + day * DAY)
    assert [slot[:10] for slot, _ in wave_states(shop)] == ["2026-03-03", "2026-03-04"]
    assert only_round(shop).state == "settling"


def test_every_counts_from_the_launch_through_the_whole_round(shop: Shop) -> None:
    declare(shop, schedule="{every: 36 hours, ends: 2026-03-09}", campaign="enter: each_wave")
    shop.customers(2)
    launch = LAUNCH + timedelta(seconds=20, microseconds=5)
    shop.launch(at=launch)
    for hours in range(0, 8 * 24, 6):
        shop.run(launch + hours * HOUR)
    assert [slot for slot, _ in wave_states(shop)] == [
        "2026-03-02T09:00:20", "2026-03-03T21:00:20", "2026-03-05T09:00:20", "2026-03-06T21:00:20",
        "2026-03-08T09:00:20",
    ]  # fmt: skip
    assert only_round(shop).state == "settling"


def test_a_paused_round_opens_no_wave_and_makes_up_for_it(shop: Shop) -> None:
    declare(shop)
    shop.customers(3)
    shop.launch()
    operate.pause(shop.engine(), "spring", actor="anna@example.com", now=LAUNCH)
    shop.run(SEND)
    assert wave_states(shop) == []
    operate.resume(shop.engine(), "spring", actor="anna@example.com", now=SEND)
    shop.run(SEND + HOUR)
    assert states(shop) == {"accepted": 3}


def test_a_stopped_round_ends_for_good(shop: Shop) -> None:
    declare(shop, schedule='{at: "2026-03-03 10:00", ramp: {steps: [50 %, 100 %], hold: 24 hours}}')
    shop.customers(40)
    shop.launch()
    shop.run(SEND)
    sent = states(shop)["accepted"]
    assert operate.stop(shop.engine(), "spring", actor="anna@example.com", now=SEND) == 40 - sent
    shop.run(SETTLED + DAY)
    assert states(shop) == {"accepted": sent, "skipped": 40 - sent}
    assert {row.reason for row in rows(shop, advance.waves.message) if row.state == "skipped"} == {"stopped"}
    assert wave_states(shop) == [("2026-03-03T10:00:00", "cancelled")]
    assert (only_round(shop).state, rows(shop, look)) == ("stopped", [])


def test_a_fault_of_one_round_holds_up_no_other(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    second = (
        "  autumn:\n    owner: b\n    purpose: marketing\n    channel: email\n"
        '    variants: {{only: {{subject: "Hi", template: plain.html}}}}\n    schedule: {{at: "2026-03-03 10:00"}}\n'
    )
    shop.declare(text=YAML + second)
    shop.customers(3)
    shop.launch("spring")
    shop.launch("autumn")
    original = advance.advance

    def fail_for_spring(engine, of, now):  # type: ignore[no-untyped-def]
        if of.campaign == "spring":
            raise RuntimeError("its plan is broken")
        original(engine, of, now)

    monkeypatch.setattr(advance, "advance", fail_for_spring)
    with pytest.raises(RuntimeError, match="its plan is broken"):
        advance_all(shop.engine(SEND), SEND)
    assert len(rows(shop, advance.wave)) == 1


# --- waiting for data ------------------------------------------------------------------------------------------

SEGMENT = "segments:\n  buyers: {{where: {{did: purchase, at_least: 1}}}}\ncampaigns:"


def declare_buyers(shop: Shop, needs: str) -> None:
    text = YAML.replace("campaigns:", SEGMENT)
    shop.declare(text=text, defaults=f"needs_data: {needs}", campaign="segment: buyers")


def test_a_wave_waits_for_data_that_are_fresh_enough(shop: Shop) -> None:
    declare_buyers(shop, "{purchase: 24 hours, otherwise: hold}")
    ids = shop.customers(4)
    shop.events((id_, "purchase", LAUNCH - 9 * DAY, 10.0) for id_ in ids)
    shop.complete("purchase", LAUNCH - DAY)
    shop.launch()
    shop.run(SEND)
    assert wave_states(shop) == [("2026-03-03T10:00:00", "due")]
    assert waits(shop, SEND) == ["purchase data of the last 24 hours (complete to 2026-03-01 08:00 UTC)"]
    shop.complete("purchase", SEND - HOUR)
    shop.run(SEND + HOUR)
    assert states(shop) == {"accepted": 4}


@pytest.mark.parametrize(
    "needs",
    [pytest.param("{purchase: 24 hours, otherwise: go}", id="go"), pytest.param("{returned: 24 hours}", id="other")],
)
def test_a_wave_does_not_wait_for_data_that_nobody_asked_for(shop: Shop, needs: str) -> None:
    declare_buyers(shop, needs)
    ids = shop.customers(4)
    shop.events((id_, "purchase", LAUNCH - 9 * DAY, 10.0) for id_ in ids)
    shop.complete("purchase", LAUNCH - 5 * DAY)
    shop.launch()
    shop.run(SEND)
    assert states(shop) == {"accepted": 4}


def test_the_last_look_waits_until_the_data_reach_the_end_of_the_last_window(shop: Shop) -> None:
    declare(shop)
    shop.customers(40)
    shop.launch()
    shop.run(SEND)
    assert waits(shop, SEND) == [
        "windows to close and late data until 2026-03-11 09:00 UTC",
        "purchase data complete to 2026-03-10 09:00 UTC (now none)",
    ]
    shop.complete("purchase", SEND + WINDOW - timedelta(seconds=1))
    shop.run(SETTLED + 9 * DAY)
    assert (only_round(shop).state, rows(shop, look)) == ("settling", [])
    assert waits(shop, SETTLED) == ["purchase data complete to 2026-03-10 09:00 UTC (now to 2026-03-10 08:59 UTC)"]
    shop.complete("purchase", SEND + WINDOW)
    shop.run(SETTLED + 9 * DAY)
    assert only_round(shop).state == "decided"


def test_the_last_look_is_taken_once_and_not_before_it_is_time(shop: Shop) -> None:
    play(shop)
    assert len(rows(shop, look)) == 1
    before = rows(shop, look), kinds(shop)
    for more in (timedelta(0), DAY):
        shop.run(SETTLED + more)
    assert (rows(shop, look), kinds(shop)) == before


def test_no_look_is_taken_while_windows_are_open(shop: Shop) -> None:
    declare(shop)
    shop.customers(40)
    shop.launch()
    shop.run(SEND)
    shop.complete("purchase", SETTLED)
    shop.run(SETTLED - timedelta(seconds=1))
    assert rows(shop, look) == []


# --- without a claim ----------------------------------------------------------------------------------------------


def test_without_a_hypothesis_it_sends_and_is_described_and_never_judged(shop: Shop) -> None:
    play(shop, hypothesis=False)
    (of,) = rows(shop, round_)
    assert (of.state, of.decision, of.winner) == ("decided", None, None)
    assert states(shop) == {"accepted": 1_200}
    assert rows(shop, proposal) == []
    (seen,) = rows(shop, look)
    with shop.database.read() as connection:
        verdict = json.loads(advance.audit.sealed(connection, seen.verdict))
        assert rejudge(connection, "spring").equal
    assert verdict["verdict"]["decision"] is None
    assert {row["metric"] for row in verdict["results"]} == {"revenue"}


# --- the next round ------------------------------------------------------------------------------------------------


def test_a_ship_proposes_the_winner_and_acceptance_launches_it(shop: Shop) -> None:
    play(shop, schedule=DAILY.replace("2026-04-01", "2026-03-04"), campaign="holdout: 20 %")
    (proposed,) = rows(shop, proposal)
    assert (proposed.kind, proposed.state) == ("promote", "open")
    (line,) = overview(shop.engine(SETTLED), checked(shop.file), SETTLED)
    assert line.waits_for == ["a decision on the proposed next round: `campaign approve spring`"]
    shop.file.write_text(shop.file.read_text())
    with pytest.raises(Refused, match="has no send ahead"):
        accept(shop.engine(SETTLED), "spring", actor="anna@example.com", now=SETTLED)
    assert "compared_to: control" in shop.file.read_text(), "the file is as it was"


def test_an_accepted_proposal_is_the_next_round(shop: Shop) -> None:
    play(shop, schedule='{cron: "0 10 3 * *"}', campaign="holdout: 20 %\nround: {until: 300 per arm}")
    done = accept(shop.engine(SETTLED), "spring", actor="bea@example.com", now=SETTLED)
    assert not isinstance(done, Approved)
    assert done.number == 2
    first, second = rows(shop, round_)
    assert (second.state, second.launched_by) == ("open", "bea@example.com")
    assert [row.state for row in rows(shop, proposal)] == ["accepted"]
    resolved = checked(shop.file).project.campaigns["spring"]
    assert (list(resolved.variants), resolved.hypothesis and resolved.hypothesis.compared_to) == (["offer"], "holdout")
    shop.customers(50, first=5_000)
    shop.run(utc("2026-04-03 08:00"))
    arms = Counter(row.arm for row in rows(shop, advance.entry) if row.round_id == second.id)
    assert set(arms) == {"offer", "holdout"}
    assert first.salt != second.salt


def test_a_control_that_is_kept_is_proposed_too(shop: Shop) -> None:
    play(shop, control=5, offer=20, campaign="holdout: 20 %")
    (proposed,) = rows(shop, proposal)
    assert (only_round(shop).decision, proposed.kind) == ("harmful", "keep_control")
    assert "-      offer:" in proposed.diff


def test_a_file_that_changed_since_is_not_overwritten(shop: Shop) -> None:
    play(shop, schedule='{cron: "0 10 3 * *"}', campaign="round: {until: 300 per arm}")
    edited = shop.file.read_text() + "# a thought\n"
    shop.file.write_text(edited)
    with pytest.raises(Refused, match="has changed since the proposal was made"):
        accept(shop.engine(SETTLED), "spring", actor="anna@example.com", now=SETTLED)
    assert shop.file.read_text() == edited


def test_nothing_to_approve_is_said(shop: Shop) -> None:
    declare(shop)
    shop.customers(3)
    shop.launch()
    with pytest.raises(NotFound, match="nothing of spring waits for a person"):
        accept(shop.engine(), "spring", actor="anna@example.com", now=LAUNCH)


AUTOMATIC = "holdout: 20 %\nround: {until: 300 per arm}\nimprove: {approval: automatic, max_rounds: 2}"


def test_where_the_yaml_leaves_it_to_the_engine_the_next_round_starts_by_itself(shop: Shop) -> None:
    play(shop, schedule='{cron: "0 10 3 * *"}', campaign=AUTOMATIC)
    assert [(row.number, row.state, row.launched_by) for row in rows(shop, round_)] == [
        (1, "decided", "anna@example.com"), (2, "open", "engine"),
    ]  # fmt: skip
    assert kinds(shop)[-2:] == ["proposed", "launched"]
    assert "compared_to: holdout" in shop.file.read_text()
    shop.run(SETTLED + DAY)
    assert len(rows(shop, round_)) == 2


def test_what_the_engine_cannot_start_is_left_to_a_person_once(shop: Shop) -> None:
    """The one send lies in the past."""
    play(shop, campaign=AUTOMATIC)
    assert len(rows(shop, round_)) == 1
    assert [row.state for row in rows(shop, proposal)] == ["open"]
    assert "compared_to: control" in shop.file.read_text()
    for _ in range(2):
        shop.run(SETTLED + DAY)
    assert kinds(shop).count("not_taken_up") == 1


def test_an_automatic_round_still_needs_the_approvals_that_launches_need(shop: Shop) -> None:
    approval = "\napproval: {launch: 1}"
    declare(shop, schedule='{cron: "0 10 3 * *"}', campaign=AUTOMATIC + approval)
    shop.customers(1_200)
    shop.launch()
    accept(shop.engine(), "spring", actor="bea@example.com", now=LAUNCH)
    shop.run(SEND)
    buy(shop, control=20, offer=5)
    shop.complete("purchase", SETTLED)
    shop.run(SEND + DAY)
    shop.run(SETTLED)
    assert [row.state for row in rows(shop, round_)] == ["decided", "awaiting_approval"]


def test_the_last_round_proposes_none(shop: Shop) -> None:
    play(shop, campaign="improve: {max_rounds: 1}")
    (proposed,) = rows(shop, proposal)
    assert (proposed.kind, proposed.state, proposed.diff) == ("retire", "none", "")
    declare(shop, schedule='{at: "2026-05-01 10:00"}', campaign="improve: {max_rounds: 1}")
    with pytest.raises(Refused, match="has had its 1 rounds"):
        shop.launch(at=SETTLED)


def test_a_verdict_is_never_left_without_its_proposal(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between both, the look is taken again."""
    declare(shop)
    shop.customers(1_200)
    shop.launch()
    shop.run(SEND)
    buy(shop, control=20, offer=5)
    shop.complete("purchase", SETTLED)
    shop.run(SEND + DAY)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(advance, "_store_proposal", killed)
        with pytest.raises(KeyboardInterrupt):
            advance_all(shop.engine(SETTLED), SETTLED)
    shop.run(SETTLED)
    assert only_round(shop).state == "decided"
    assert (len(rows(shop, look)), len(rows(shop, proposal))) == (1, 1)


def test_an_acceptance_that_was_killed_before_its_launch_can_be_repeated(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(shop, schedule='{cron: "0 10 3 * *"}', campaign="holdout: 20 %\nround: {until: 300 per arm}")
    (proposed,) = rows(shop, proposal)
    shop.file.write_bytes(proposed.text.encode())
    accept(shop.engine(SETTLED), "spring", actor="bea@example.com", now=SETTLED)
    assert len(rows(shop, round_)) == 2


def test_a_stop_while_the_last_look_is_taken_wins(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(shop)
    shop.customers(40)
    shop.launch()
    shop.run(SEND)
    shop.complete("purchase", SETTLED)
    shop.run(SEND + DAY)
    original = advance.look.take

    def stop_then_take(*given):  # type: ignore[no-untyped-def]
        operate.stop(shop.engine(), "spring", actor="anna@example.com", now=SETTLED)
        return original(*given)

    monkeypatch.setattr(advance.look, "take", stop_then_take)
    shop.run(SETTLED)
    assert (only_round(shop).state, rows(shop, look), rows(shop, proposal)) == ("stopped", [], [])
