"""Names that must be declared somewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from declare_project import changed, problems

MISTAKES = [
    pytest.param(
        [("    segment: lapsing\n", "    segment: lapsng\n")],
        """\
campaigns.yaml:27:14: there is no segment "lapsng"
      segment: lapsng
               ^^^^^^
  did you mean "lapsing"?
""",
        id="unknown-segment",
    ),
    pytest.param(
        [("    segment: lapsing\n", "    segment: vips\n")],
        """\
campaigns.yaml:27:14: there is no segment "vips"
      segment: vips
               ^^^^
  known segments: lapsing and staff
""",
        id="unknown-segment-like-nothing",
    ),
    pytest.param(
        [("in_segment: staff", "in_segment: stuff")],
        """\
campaigns.yaml:20:24: there is no segment "stuff"
          - {in_segment: stuff}
                         ^^^^^
  did you mean "staff"?
""",
        id="unknown-segment-in-a-condition",
    ),
    pytest.param(
        [("metric: purchase_rate", "metric: purchase_rat")],
        """\
campaigns.yaml:32:15: there is no metric "purchase_rat"
        metric: purchase_rat
                ^^^^^^^^^^^^
  did you mean "purchase_rate"?
""",
        id="unknown-primary-metric",
    ),
    pytest.param(
        [("secondary: [revenue]", "secondary: [revenu]")],
        """\
campaigns.yaml:36:17: there is no metric "revenu"
      secondary: [revenu]
                  ^^^^^^
  did you mean "revenue"?
""",
        id="unknown-secondary-metric",
    ),
    pytest.param(
        [("topic: offers", "topic: offer")],
        """\
campaigns.yaml:26:12: there is no topic "offer"
      topic: offer
             ^^^^^
  did you mean "offers"?
""",
        id="unknown-topic",
    ),
    pytest.param(
        [("    topic: offers\n", "    topic: offers\n    sender: jp\n")],
        """\
campaigns.yaml:27:13: there is no sender "jp"
      sender: jp
              ^^
  no senders are declared
""",
        id="unknown-sender",
    ),
    pytest.param(
        [("subject: Until Sunday,", "subject: Until Sunday, coupon: ten,")],
        """\
campaigns.yaml:40:49: there is no coupon "ten"
        deadline: {subject: Until Sunday, coupon: ten, template: deadline.mjml}
                                                  ^^^
  no coupons are declared
""",
        id="unknown-coupon",
    ),
    pytest.param(
        [("subject: Until Sunday,", "subject: Until Sunday, survey: nps,")],
        """\
campaigns.yaml:40:49: there is no survey "nps"
        deadline: {subject: Until Sunday, survey: nps, template: deadline.mjml}
                                                  ^^^
  no surveys are declared
""",
        id="unknown-survey",
    ),
    pytest.param(
        [("campaigns:\n", "exclusive_groups: {price: [winback, winbak]}\ncampaigns:\n")],
        """\
campaigns.yaml:22:37: there is no campaign "winbak"
  exclusive_groups: {price: [winback, winbak]}
                                      ^^^^^^
  did you mean "winback"?
""",
        id="unknown-campaign-in-a-group",
    ),
    pytest.param(
        [("{in_segment: staff}", "{in_campaign: winbak}")],
        """\
campaigns.yaml:20:25: the campaign "winbak" is not declared here, so it means one that ran before
          - {in_campaign: winbak}
                          ^^^^^^
  did you mean "winback"?
""",
        id="campaign-perhaps-mistyped",
    ),
    pytest.param(
        [("{in_segment: staff}", "{in_campaign: winback, arm: contrl}")],
        """\
campaigns.yaml:20:39: there is no arm "contrl"
          - {in_campaign: winback, arm: contrl}
                                        ^^^^^^
  did you mean "control"?
""",
        id="unknown-arm",
    ),
    pytest.param(
        [("{in_segment: staff}", "{in_campaign: winback, verdict: shipped}")],
        """\
campaigns.yaml:20:43: there is no verdict "shipped"
          - {in_campaign: winback, verdict: shipped}
                                            ^^^^^^^
  did you mean "ship"?
""",
        id="unknown-verdict",
    ),
    pytest.param(
        [("{in_segment: staff}", "{loyalty: tier, in: [gold]}")],
        """\
campaigns.yaml:20:21: there is no loyalty programme
          - {loyalty: tier, in: [gold]}
                      ^^^^
  declare loyalty: with points: and tiers:
""",
        id="unknown-loyalty-tier",
    ),
    pytest.param(
        [("topics: [offers, service]", "topics: [offers, offers]")],
        """\
campaigns.yaml:9:18: "offers" stands in this list twice
  topics: [offers, offers]
                   ^^^^^^
""",
        id="name-listed-twice",
    ),
    pytest.param(
        [('staff: {where: {attribute: email, matches: "*@example.com"}}', "staff: {where: {in_segment: lapsing}}")],
        """\
campaigns.yaml:20:24: segments refer to each other in a circle: lapsing → staff → lapsing
          - {in_segment: staff}
                         ^^^^^
  take one of them out of the other
""",
        id="circle-of-segments",
    ),
    pytest.param(
        [("in_segment: staff", "in_segment: lapsing")],
        """\
campaigns.yaml:20:24: segments refer to each other in a circle: lapsing → lapsing
          - {in_segment: lapsing}
                         ^^^^^^^
  take one of them out of the other
""",
        id="segment-of-itself",
    ),
    pytest.param(
        [
            (
                "campaigns:\n",
                "loyalty: {points: [{for: purchase, earn: 10}], tiers: {silver: 10, gold: 50}}\ncampaigns:\n",
            ),
            ("{in_segment: staff}", "{loyalty: tier, in: [gld]}"),
        ],
        """\
campaigns.yaml:20:32: there is no loyalty tier "gld"
          - {loyalty: tier, in: [gld]}
                                 ^^^
  did you mean "gold"?
""",
        id="unknown-tier",
    ),
    pytest.param(
        [
            ("campaigns:\n", "lifecycle: {dormant: {did_not: purchase, within: 365 days}}\ncampaigns:\n"),
            ("{in_segment: staff}", "{lifecycle: stage, is: dorment}"),
        ],
        """\
campaigns.yaml:20:34: there is no lifecycle stage "dorment"
          - {lifecycle: stage, is: dorment}
                                   ^^^^^^^
  did you mean "dormant"?
""",
        id="unknown-lifecycle-stage",
    ),
    pytest.param(
        [("{in_segment: staff}", "{in_campaign: winback, state: acepted}")],
        """\
campaigns.yaml:20:41: there is no message state "acepted"
          - {in_campaign: winback, state: acepted}
                                          ^^^^^^^
  did you mean "accepted"?
""",
        id="unknown-message-state",
    ),
    pytest.param(
        [("{in_segment: staff}", "{lookalike: vips}")],
        """\
campaigns.yaml:20:23: there is no segment "vips"
          - {lookalike: vips}
                        ^^^^
  known segments: lapsing and staff
""",
        id="look-alike-of-no-segment",
    ),
    pytest.param(
        [('cron: "0 10 * * TUE"', "trigger: {enters_segment: lapsin}")],
        """\
campaigns.yaml:42:33: there is no segment "lapsin"
        trigger: {enters_segment: lapsin}
                                  ^^^^^^
  did you mean "lapsing"?
""",
        id="trigger-on-no-segment",
    ),
    pytest.param(
        [("{in_segment: staff}", "{answered: nps, at_most: 6}")],
        """\
campaigns.yaml:20:22: there is no survey "nps"
          - {answered: nps, at_most: 6}
                       ^^^
  no surveys are declared
""",
        id="answers-to-no-survey",
    ),
    pytest.param(
        [("subject: Until Sunday,", "subject: Until Sunday, sender: jp,")],
        """\
campaigns.yaml:40:49: there is no sender "jp"
        deadline: {subject: Until Sunday, sender: jp, template: deadline.mjml}
                                                  ^^
  no senders are declared
""",
        id="unknown-sender-of-a-variant",
    ),
    pytest.param(
        [("    holdout: 10 %", "    guardrails: [{metric: revenu, must_not_fall_by: 5 %}]\n    holdout: 10 %")],
        """\
campaigns.yaml:37:27: there is no metric "revenu"
      guardrails: [{metric: revenu, must_not_fall_by: 5 %}]
                            ^^^^^^
  did you mean "revenue"?
""",
        id="unknown-guardrail-metric",
    ),
    pytest.param(
        [("    holdout: 10 %", "    choose_by: margin\n    holdout: 10 %")],
        """\
campaigns.yaml:37:16: there is no metric "margin"
      choose_by: margin
                 ^^^^^^
  known metrics: purchase_rate and revenue
""",
        id="unknown-metric-to-choose-by",
    ),
]


@pytest.mark.parametrize(("changes", "told"), MISTAKES)
def test_a_mistake_of_names_is_told_with_its_place(tmp_path: Path, changes: list[tuple[str, str]], told: str) -> None:
    """The whole text: place, words, line, caret, hint."""
    assert problems(tmp_path, changed(*changes)) == told
