"""One campaign made complete."""

from __future__ import annotations

from pathlib import Path

import pytest
from declare_project import BASE, HYPOTHESIS, VARIANTS, changed, prepare, put

from engine.declare.load import load
from engine.declare.resolve import Resolved, resolve
from engine.errors import NotFound
from engine.model import Arm, ArmRole

GRAMMAR = Path(__file__).parent / "grammar" / "campaigns.yaml"


def resolved(folder: Path, *changes: tuple[str, str]) -> Resolved:
    put(prepare(folder), {"campaigns.yaml": changed(*changes)})
    return resolve(load(folder / "campaigns.yaml").project, "winback")


def test_settings_are_the_campaigns_own_else_the_defaults_else_nothing(tmp_path: Path) -> None:
    """Filled in once, so that nobody else looks in two places."""
    campaign = resolved(tmp_path, ("    topic: offers\n", "    topic: offers\n    timezone: Asia/Tokyo\n")).campaign
    assert campaign.timezone == "Asia/Tokyo"
    assert campaign.currency == "EUR"
    assert campaign.keep is None


def test_a_setting_of_the_defaults_can_be_switched_off(tmp_path: Path) -> None:
    """`~` in a campaign means none here."""
    assert resolved(tmp_path, ("    topic: offers\n", "    topic: offers\n    costs: ~\n")).campaign.costs is None


def test_a_setting_replaces_the_default_as_a_whole(tmp_path: Path) -> None:
    """Half of one and half of the other would be what nobody wrote."""
    own = "    sender: {email: {from: a@example.com}}\n"
    sender = resolved(tmp_path, ("    topic: offers\n", f"    topic: offers\n{own}")).sender("control")
    assert sender is not None
    assert sender.email is not None
    assert sender.email.postal_address is None
    assert sender.sms is None


def test_only_what_the_campaign_mentions_comes_along(tmp_path: Path) -> None:
    """Its metrics, its segment, and the segments that this one refers to."""
    extra = "  vips: {where: {rfm: score, at_least: 14}}\n"
    mine = resolved(tmp_path, ("  staff: {where", f"{extra}  staff: {{where"))
    assert list(mine.metrics) == ["purchase_rate", "revenue"]
    assert list(mine.segments) == ["lapsing", "staff"]
    assert mine.topics == ["offers", "service"]
    assert mine.topic == "offers"


def test_without_topics_the_purpose_is_one(tmp_path: Path) -> None:
    """What a customer can unsubscribe from is never nothing."""
    mine = resolved(tmp_path, ("topics: [offers, service]\n", ""), ("    topic: offers\n", ""))
    assert (mine.topics, mine.topic) == (["marketing"], "marketing")


def test_the_holdout_comes_off_the_top_and_weights_share_the_rest(tmp_path: Path) -> None:
    """The variant compared to is the control, the other one a treatment."""
    arms = resolved(tmp_path, ("{subject: Until", "{weight: 3, subject: Until")).arms()
    assert arms == (
        Arm(name="control", share=pytest.approx(0.225), role=ArmRole.CONTROL),
        Arm(name="deadline", share=pytest.approx(0.675), role=ArmRole.TREATMENT),
        Arm(name="holdout", share=pytest.approx(0.1), role=ArmRole.HOLDOUT),
    )


def test_compared_to_the_holdout_every_variant_is_a_treatment(tmp_path: Path) -> None:
    """The holdout takes part in the verdict only as the comparison."""
    roles = [arm.role for arm in resolved(tmp_path, ("compared_to: control", "compared_to: holdout")).arms()]
    assert roles == [ArmRole.TREATMENT, ArmRole.TREATMENT, ArmRole.HOLDOUT]


def test_without_hypothesis_and_holdout_the_one_variant_gets_everybody(tmp_path: Path) -> None:
    """A campaign that is described, never judged."""
    one = "    variants:\n      only: {subject: Hello, template: plain.mjml}\n"
    mine = resolved(tmp_path, (HYPOTHESIS, ""), ("    holdout: 10 %\n", ""), (VARIANTS, one))
    assert mine.arms() == (Arm(name="only", share=1.0, role=ArmRole.TREATMENT),)


def test_a_variant_may_have_its_own_sender() -> None:
    """By its name among the senders."""
    project = load(GRAMMAR).project
    mine = resolve(project, "winback")
    assert project.defaults.senders is not None
    assert mine.sender("new") == project.defaults.senders["cafe"]
    assert mine.sender("old") == project.defaults.senders["main"]


@pytest.mark.parametrize("name", ["winback", "cart", "birthday", "welcome", "calls", "banner", "journey"])
def test_a_resolved_campaign_survives_json(name: str) -> None:
    """A running round executes from its sealed bytes."""
    mine = resolve(load(GRAMMAR).project, name)
    assert Resolved.model_validate_json(mine.model_dump_json(by_alias=True, exclude_none=True)) == mine


def test_segments_of_triggers_and_steps_come_along() -> None:
    """Not only the campaign's own."""
    assert list(resolve(load(GRAMMAR).project, "welcome").segments) == ["behaviour"]
    assert set(resolve(load(GRAMMAR).project, "calls").segments) == {"facts", "behaviour"}


def test_an_unknown_campaign_is_not_found(tmp_path: Path) -> None:
    """With what was perhaps meant."""
    put(prepare(tmp_path), {"campaigns.yaml": BASE})
    with pytest.raises(NotFound, match='there is no campaign "winbak"; did you mean "winback"'):
        resolve(load(tmp_path / "campaigns.yaml").project, "winbak")
