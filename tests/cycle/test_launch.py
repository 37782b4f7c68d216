"""Planning shows what a launch would do; launching seals it; nothing else starts a round."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from cycle_reading import HOUR, SEND, declare, freeze, only_round, rows, states, utc
from shop import LAUNCH, TEMPLATES, YAML, Shop
from sqlalchemy import insert

from engine.cli import plan_view
from engine.customers.consent import address_hash
from engine.cycle import operate
from engine.cycle.accept import Approved, accept
from engine.cycle.launch import launch
from engine.cycle.overview import Line, overview
from engine.cycle.plan import plan
from engine.cycle.sealed_plan import SealedPlan, plan_of
from engine.cycle.validate import checked
from engine.errors import NotFound, NotSupportedYet, Refused
from engine.messages.compose import Rendered
from engine.store.audit import sealed
from engine.store.tables import audit, entry, global_holdout, message, round_, suppression, wave


def sealed_plan(shop: Shop) -> SealedPlan:
    with shop.database.read() as connection:
        return plan_of(connection, only_round(shop).id)


def line(shop: Shop, at: datetime = LAUNCH) -> Line:
    (found,) = overview(shop.engine(at), checked(shop.file), at)
    return found


# --- the funnel ---------------------------------------------------------------------------------------------


def test_the_funnel_counts_every_exclusion_in_the_order_it_is_applied(shop: Shop) -> None:
    declare(
        shop,
        campaign='only_to: ["*@example.org"]\nholdout: 10 %\n'
        "frequency_cap: [{channel: email, at_most: 1, per: 7 days}]\nglobal_holdout: {share: 20 %, renew: yearly}",
    )
    shop.customers(
        100,
        email=lambda n: (
            [None, "x@elsewhere.example", "same@example.org"][n % 10] if n % 10 < 3 else f"c{n}@example.org"
        ),
        email_consent=lambda n: n % 10 != 3,
    )
    with shop.database.write() as connection:
        for number in (14, 24):
            hashed = address_hash("email", f"c{number}@example.org")
            connection.execute(insert(suppression).values(channel="email", address_hash=hashed, reason="x", at=LAUNCH))
    draft = shop.plan()
    counts = dict(draft.funnel.rows())
    held = counts.pop("global_holdout")
    assert list(dict(draft.funnel.rows())) == [
        "matched", "no_address", "no_consent", "suppressed", "not_allowed_here", "same_address", "global_holdout",
    ]  # fmt: skip
    assert counts == {
        "matched": 100, "no_address": 10, "not_allowed_here": 10, "no_consent": 10, "suppressed": 2, "same_address": 9,
    }  # fmt: skip
    assert draft.funnel.left == 100 - 41 - held
    assert 3 <= held <= 25
    assert sum(draft.per_arm().values()) == pytest.approx(draft.funnel.left, abs=1)
    assert rows(shop, global_holdout) == [], "planning stores no member"
    shop.launch()
    freeze(shop)
    assert len(rows(shop, entry)) == draft.funnel.left, "and the wave finds the same people"


def test_planning_sends_and_launches_nothing(shop: Shop) -> None:
    declare(shop)
    shop.customers(5)
    shop.plan()
    shop.run(SEND)
    assert (rows(shop, round_), rows(shop, wave), rows(shop, audit)) == ([], [], [])


def test_the_next_sends_stand_in_campaign_time_and_utc(shop: Shop) -> None:
    declare(shop, schedule='{cron: "30 9 * * TUE"}')
    shop.customers(5)
    draft = shop.plan(at=utc("2026-03-20T12:00"))
    assert [at.isoformat() for at in draft.next_sends] == [
        "2026-03-24T09:30:00+01:00", "2026-03-31T09:30:00+02:00", "2026-04-07T09:30:00+02:00",
    ]  # fmt: skip
    shown = plan_view.text(draft)
    assert "Tue 2026-03-24 09:30 Europe/Berlin   2026-03-24 08:30 UTC" in shown
    assert "Tue 2026-03-31 09:30 Europe/Berlin   2026-03-31 07:30 UTC" in shown


# --- warnings -----------------------------------------------------------------------------------------------


def test_a_small_audience_is_told_what_it_can_detect_and_what_to_do(shop: Shop) -> None:
    declare(shop)
    shop.customers(200)
    draft = shop.plan()
    (warning,) = [each for each in draft.warnings if "smaller compared arm" in each]
    assert draft.sizing is not None
    assert draft.sizing.needed_per_arm is not None
    assert f"the test needs {draft.sizing.needed_per_arm:,}" in warning
    assert "has 100 customers" in warning
    assert "Choices: " in warning
    assert f"  ! {warning}" in plan_view.text(draft)


def test_a_global_holdout_of_two_percent_is_told_what_it_cannot_detect(shop: Shop) -> None:
    declare(shop, campaign="global_holdout: {share: 2 %, renew: quarterly}")
    shop.customers(2_000)
    (warning,) = [each for each in shop.plan().warnings if "global holdout" in each]
    assert "the global holdout of 2 % keeps" in warning
    assert "it can show an effect of all campaigns together from" in warning
    assert "Choices: a larger share, a longer period" in warning


def test_a_schedule_in_the_past_is_told_and_cannot_be_launched(shop: Shop) -> None:
    declare(shop)
    shop.customers(5)
    late = SEND + HOUR
    assert any("no send ahead" in warning for warning in shop.plan(at=late).warnings)
    with pytest.raises(Refused, match="has no send ahead"):
        shop.launch(at=late)
    assert rows(shop, round_) == []


def test_an_empty_audience_is_told(shop: Shop) -> None:
    declare(shop)
    draft = shop.plan()
    assert draft.funnel.left == 0
    assert any("nobody is left in the audience" in warning for warning in draft.warnings)


# --- changes ------------------------------------------------------------------------------------------------


def test_changes_since_the_last_plan_are_told_in_plain_words(shop: Shop) -> None:
    declare(shop)
    shop.customers(5)
    assert shop.plan().changes is None
    assert shop.plan().changes == ()
    declare(shop, campaign="holdout: 10 %\nlabels: [x]")
    (shop.folder / "templates" / "footer.html").write_text(TEMPLATES["footer.html"] + " ")
    assert set(shop.plan().changes or ()) == {
        'labels: [] → ["x"]', "holdout: (absent) → 10 %", "templates.footer.html: changed",
    }  # fmt: skip


# --- what cannot be done yet --------------------------------------------------------------------------------


def test_what_is_not_supported_yet_is_refused_with_its_place(shop: Shop) -> None:
    guardrail = "guardrails:\n  - {metric: purchase_rate, must_not_exceed: 50 %}"
    declare(shop, campaign=guardrail)
    shop.customers(5)
    with pytest.raises(NotSupportedYet) as refused:
        shop.plan()
    line_number = shop.file.read_text().splitlines().index("    guardrails:") + 1
    assert f"campaigns.yaml:{line_number}:5: not supported yet: guardrails" in str(refused.value)


def test_a_campaign_that_does_not_exist_is_named(shop: Shop) -> None:
    declare(shop)
    with pytest.raises(NotFound, match=r'no campaign "sprng"; did you mean "spring"\?'):
        plan(shop.engine(), checked(shop.file), "sprng", LAUNCH)


# --- previews and cost --------------------------------------------------------------------------------------


def test_one_message_of_each_arm_is_shown_as_a_customer_would_get_it(shop: Shop) -> None:
    declare(shop)
    shop.customers(5)
    previews = shop.plan().previews
    assert isinstance(previews["control"], Rendered)
    assert previews["control"].subject == "Hello Name0"
    assert isinstance(previews["offer"], Rendered)
    assert "unsubscribe" in previews["offer"].text


def test_a_preview_falls_on_a_customer_who_can_be_rendered(shop: Shop) -> None:
    """Whoever is left out is not previewed either, and where nobody can be rendered the reason stands there."""
    declare(shop)
    shop.customers(3, first_name=lambda n: "x" * 5_000_000 if n == 1 else f"Name{n}", email_consent=lambda n: n > 0)
    previews = shop.plan().previews
    assert isinstance(previews["control"], Rendered)
    assert previews["control"].subject == "Hello Name2"


def test_where_nobody_can_be_previewed_the_plan_says_why(shop: Shop) -> None:
    declare(shop)
    assert set(shop.plan().previews.values()) == {"nobody is in the audience"}
    shop.customers(1, first_name="x" * 5_000_000)
    problem = shop.plan().previews["control"]
    assert isinstance(problem, str)
    assert "nobody" not in problem


def test_the_cost_is_that_of_the_messages_and_not_of_the_holdout(shop: Shop) -> None:
    declare(shop, defaults="costs: {email: 0.002 EUR per message}", campaign="holdout: 50 %")
    shop.customers(1_000)
    draft = shop.plan()
    assert draft.cost == Decimal("1.000")
    assert "costs about 1.00 EUR" in plan_view.text(draft)


def test_the_plan_as_json_says_what_the_text_says(shop: Shop) -> None:
    declare(shop)
    shop.customers(5)
    document = json.loads(json.dumps(plan_view.document(shop.plan())))
    assert document["funnel"] == {"matched": 5, "excluded": [], "assigned": 5}
    assert [arm["name"] for arm in document["arms"]] == ["control", "offer"]
    assert document["next_sends"] == [{"local": "2026-03-03T10:00:00+01:00", "utc": "2026-03-03T09:00:00Z"}]
    assert document["messages"]["control"]["subject"] == "Hello Name0"


# --- the launch ---------------------------------------------------------------------------------------------


def test_a_launch_seals_all_that_the_round_goes_by(shop: Shop) -> None:
    declare(shop, campaign="holdout: 10 %")
    shop.customers(5)
    launched = shop.launch()
    found = sealed_plan(shop)
    assert launched.sha256 == only_round(shop).plan
    assert set(found.templates) == {"plain.html", "offer.html", "footer.html"}
    assert found.rule is not None
    assert (found.rule.metric, found.rule.compared_to, found.rule.alpha) == ("purchase_rate", "control", 0.05)
    assert [(arm.name, arm.share) for arm in found.arms] == [("control", 0.45), ("offer", 0.45), ("holdout", 0.1)]
    assert (found.launched_by, found.launched_at) == ("anna@example.com", LAUNCH.isoformat())
    assert found.funnel[0] == ("matched", 5)
    (first,) = rows(shop, audit)
    assert (first.kind, first.actor) == ("launched", "anna@example.com")
    with shop.database.read() as connection:
        body = sealed(connection, launched.sha256).decode()
    assert "c000001" not in body
    assert "example.org" not in body, "no customer is named"


def test_no_two_rounds_share_a_salt_or_a_nonce(shop: Shop) -> None:
    declare(shop)
    shop.customers(5)
    shop.launch()
    first = sealed_plan(shop)
    operate.stop(shop.engine(), "spring", actor="anna@example.com", now=LAUNCH)
    shop.launch()
    with shop.database.read() as connection:
        second = plan_of(connection, rows(shop, round_)[1].id)
    assert (first.salt, first.nonce) != (second.salt, second.nonce)
    assert (first.round, second.round) == (1, 2)


def test_a_round_executes_from_its_sealed_bytes_whatever_becomes_of_the_files(shop: Shop) -> None:
    declare(shop)
    shop.customers(20)
    shop.launch()
    shop.file.write_text(shop.file.read_text().replace('"An offer"', '"Edited"').replace("2026-03-03", "2026-04-04"))
    (shop.folder / "templates" / "plain.html").write_text("<p>Edited</p>")
    assert line(shop).changed
    assert "changed, not launched" in line(shop).stage
    shop.file.unlink()
    for template in (shop.folder / "templates").iterdir():
        template.unlink()
    shop.run(SEND)
    assert states(shop) == {"accepted": 20}
    sent = [file.read_text() for file in (shop.folder / "outbox").rglob("*.eml")]
    assert len(sent) == 20
    assert not any("Edited" in mail for mail in sent)


def test_untouched_files_are_not_said_to_have_changed(shop: Shop) -> None:
    declare(shop)
    shop.customers(5)
    shop.launch()
    assert not line(shop).changed
    assert line(shop).stage == "open"


def test_a_launch_is_refused_while_a_round_runs(shop: Shop) -> None:
    declare(shop)
    shop.customers(5)
    shop.launch()
    with pytest.raises(Refused, match="round 1 of spring is open"):
        shop.launch()
    shop.run(SEND)
    shop.run(SEND)
    with pytest.raises(Refused, match="round 1 of spring is settling"):
        shop.launch(at=LAUNCH)


def test_two_people_cannot_launch_the_same_round(shop: Shop) -> None:
    declare(shop)
    shop.customers(5)
    first, second = shop.plan(), shop.plan()
    launch(shop.engine(), first, actor="anna@example.com", now=LAUNCH)
    with pytest.raises(Refused):
        launch(shop.engine(), second, actor="bea@example.com", now=LAUNCH)
    assert len(rows(shop, round_)) == 1


# --- approvals ----------------------------------------------------------------------------------------------


def approve(shop: Shop, actor: str) -> int:
    done = accept(shop.engine(), "spring", actor=actor, now=LAUNCH)
    assert isinstance(done, Approved)
    return done.missing


@pytest.mark.parametrize(
    ("rule", "needed"),
    [
        pytest.param(None, 0, id="the-launcher-suffices"),
        pytest.param("{launch: 1}", 1, id="one"),
        pytest.param("{launch: 1, above: 10 customers, people: 2}", 2, id="a-large-audience"),
        pytest.param("{launch: 1, above: 20 customers, people: 2}", 1, id="an-audience-just-not-large"),
        pytest.param("{launch: 0, above: 10 customers, people: 1}", 1, id="only-a-large-audience"),
    ],
)
def test_a_launch_waits_for_as_many_people_as_declared(shop: Shop, rule: str | None, needed: int) -> None:
    declare(shop, campaign=f"approval: {rule}" if rule else "")
    shop.customers(20)
    assert shop.launch().approvals_needed == needed
    for number in range(needed):
        shop.run(SEND)
        assert (only_round(shop).state, states(shop)) == ("awaiting_approval", {})
        assert line(shop).waits_for == ["approval: `campaign approve spring` by somebody other than anna@example.com"]
        assert approve(shop, f"person{number}@example.com") == needed - number - 1
    shop.run(SEND)
    assert states(shop) == {"accepted": 20}


def test_nobody_approves_a_launch_of_their_own_or_twice(shop: Shop) -> None:
    declare(shop, campaign="approval: {launch: 2}")
    shop.customers(5)
    shop.launch()
    with pytest.raises(Refused, match=r"anna@example.com launched spring and cannot approve it too"):
        approve(shop, "anna@example.com")
    assert approve(shop, "bea@example.com") == 1
    with pytest.raises(Refused, match=r"bea@example.com has approved round 1 of spring already"):
        approve(shop, "bea@example.com")
    assert only_round(shop).state == "awaiting_approval"


def test_a_launch_that_is_approved_after_its_slot_still_sends(shop: Shop) -> None:
    """What was due while it waited is late and not lost; `if_missed` says how late is too late."""
    declare(shop, campaign="approval: {launch: 1}")
    shop.customers(5)
    shop.launch()
    accept(shop.engine(), "spring", actor="bea@example.com", now=SEND + HOUR)
    shop.run(SEND + HOUR)
    assert states(shop) == {"accepted": 5}


# --- operating ----------------------------------------------------------------------------------------------


def test_acts_that_change_nothing_are_refused(shop: Shop) -> None:
    declare(shop)
    shop.customers(5)
    engine, named = shop.engine(), {"actor": "anna@example.com", "now": LAUNCH}
    with pytest.raises(NotFound, match="no round of spring is running"):
        operate.pause(engine, "spring", **named)  # type: ignore[arg-type]
    shop.launch()
    with pytest.raises(Refused, match="spring is not paused"):
        operate.resume(engine, "spring", **named)  # type: ignore[arg-type]
    operate.pause(engine, "spring", **named)  # type: ignore[arg-type]
    with pytest.raises(Refused, match="spring is paused already"):
        operate.pause(engine, "spring", **named)  # type: ignore[arg-type]
    assert line(shop).stage == "open, paused"
    with pytest.raises(Refused, match="nothing is halted"):
        operate.unhalt(engine, **named)  # type: ignore[arg-type]


def test_a_launch_that_waits_for_approval_can_be_stopped(shop: Shop) -> None:
    declare(shop, campaign="approval: {launch: 1}")
    shop.customers(5)
    shop.launch()
    operate.stop(shop.engine(), "spring", actor="anna@example.com", now=LAUNCH)
    assert only_round(shop).state == "stopped"
    with pytest.raises(NotFound):
        approve(shop, "bea@example.com")


def test_status_tells_what_every_campaign_waits_for(shop: Shop) -> None:
    declare(shop)
    shop.customers(5)
    assert line(shop).waits_for == ["launch: `campaign launch spring`"]
    assert line(shop).stage == "declared"
    shop.launch()
    shop.run(SEND)
    shop.run(SEND)
    settling = line(shop, SEND)
    assert settling.messages() == "5 accepted"
    assert settling.settles_at == SEND + timedelta(days=8)
    assert settling.waits_for[0] == "windows to close and late data until 2026-03-11 09:00 UTC"


def test_a_campaign_that_is_declared_no_more_still_stands_in_the_status(shop: Shop) -> None:
    declare(shop)
    shop.customers(5)
    shop.launch()
    shop.file.write_text(YAML.format(defaults="", campaign="").replace("  spring:", "  summer:"))
    lines = {each.campaign: each for each in overview(shop.engine(), checked(shop.file), LAUNCH)}
    assert (lines["summer"].stage, lines["spring"].stage) == ("declared", "open, changed, not launched")
    shop.run(SEND)
    assert len(rows(shop, message)) == 5
