"""Keys and values that the grammar does not know."""

from __future__ import annotations

from pathlib import Path

import pytest
from declare_project import SCHEDULE, VARIANTS, changed, problems

MISTAKES = [
    pytest.param(
        [("sms: {from: ", "sms: {from_: ")],
        """\
campaigns.yaml:7:11: unknown key "from_"
      sms: {from_: "+4915550000000"}
            ^^^^^
  did you mean "from"?
""",
        id="name-that-only-python-knows",
    ),
    pytest.param(
        [("    segment: lapsing\n", "    segmant: lapsing\n")],
        """\
campaigns.yaml:27:5: unknown key "segmant"
      segmant: lapsing
      ^^^^^^^
  did you mean "segment"?
""",
        id="unknown-key",
    ),
    pytest.param(
        [("    segment: lapsing\n", "    segment: lapsing\n    zzz: 1\n")],
        """\
campaigns.yaml:28:5: unknown key "zzz"
      zzz: 1
      ^^^
  known here: owner, purpose, topic, labels, segment, channel, hypothesis, secondary, guardrails, choose_by …
""",
        id="unknown-key-like-nothing",
    ),
    pytest.param(
        [("topics: [offers, service]", "topics: [offers, service]\nsegmnets: {}")],
        """\
campaigns.yaml:10:1: unknown key "segmnets"
  segmnets: {}
  ^^^^^^^^
  did you mean "segments"?
""",
        id="unknown-section",
    ),
    pytest.param(
        [("    owner: anna@example.com\n", "")],
        """\
campaigns.yaml:23:3: "owner" is missing: who answers for the campaign
    winback:
    ^^^^^^^
""",
        id="required-key-missing",
    ),
    pytest.param(
        [("      metric: purchase_rate\n", "      metrik: purchase_rate\n")],
        """\
campaigns.yaml:32:7: unknown key "metrik"
        metrik: purchase_rate
        ^^^^^^
  did you mean "metric"?
""",
        id="mistyped-required-key-said-once",
    ),
    pytest.param(
        [("    channel: email\n", "    channel: emial\n")],
        """\
campaigns.yaml:28:14: "emial" is not known here; write email, sms, export or onsite
      channel: emial
               ^^^^^
  did you mean "email"?
""",
        id="word-not-in-list",
    ),
    pytest.param(
        [("will: increase", "will: 5")],
        """\
campaigns.yaml:31:13: "5" is not known here; write increase or decrease
        will: 5
              ^
""",
        id="word-like-nothing",
    ),
    pytest.param(
        [("minimum_effect: 1.0 pp", "minimum_effect: 1")],
        """\
campaigns.yaml:34:23: "1" has no unit; write "1 pp" (percentage points), "1 %" (relative) or an amount such as "1 EUR"
        minimum_effect: 1
                        ^
""",
        id="bare-number-for-an-effect",
    ),
    pytest.param(
        [("holdout: 10 %", "holdout: 0.1")],
        """\
campaigns.yaml:37:14: "0.1" has no unit; write for example "10 %"
      holdout: 0.1
               ^^^
""",
        id="bare-number-for-a-share",
    ),
    pytest.param(
        [("baseline: 4.0 %", "baseline: 4")],
        """\
campaigns.yaml:35:17: "4" has no unit; write for example "10 %", "20 EUR" or measured
        baseline: 4
                  ^
""",
        id="bare-number-for-a-baseline",
    ),
    pytest.param(
        [("amount, within: 7 days", "amount, within: 7")],
        """\
campaigns.yaml:12:65: "7" has no unit; write for example "7 days"
    revenue: {kind: mean, event: purchase, value: amount, within: 7}
                                                                  ^
""",
        id="bare-number-for-a-time",
    ),
    pytest.param(
        [("holdout: 10 %", "holdout: -10 %")],
        """\
campaigns.yaml:37:14: "-10 %" is below zero; write for example "10 %"
      holdout: -10 %
               ^^^^^
""",
        id="negative-share",
    ),
    pytest.param(
        [("holdout: 10 %", "holdout: 110 %")],
        """\
campaigns.yaml:37:14: "110 %" is outside 0 % to 100 %
      holdout: 110 %
               ^^^^^
""",
        id="share-above-one",
    ),
    pytest.param(
        [("minimum_effect: 1.0 pp", "minimum_effect: 1,5 pp")],
        """\
campaigns.yaml:34:23: "1,5 pp" has a comma; write "1.5 pp"
        minimum_effect: 1,5 pp
                        ^^^^^^
""",
        id="decimal-comma",
    ),
    pytest.param(
        [("minimum_effect: 1.0 pp", "minimum_effect: 0 pp")],
        """\
campaigns.yaml:34:23: "0 pp" must be above zero; the direction is said by `will`
        minimum_effect: 0 pp
                        ^^^^
""",
        id="effect-of-zero",
    ),
    pytest.param(
        [("amount, within: 7 days", "amount, within: 7 dais")],
        """\
campaigns.yaml:12:65: "7 dais" is not understood here; write for example "7 days"
    revenue: {kind: mean, event: purchase, value: amount, within: 7 dais}
                                                                  ^^^^^^
""",
        id="unknown-unit",
    ),
    pytest.param(
        [("amount, within: 7 days", "amount, within: 999999 weeks")],
        """\
campaigns.yaml:12:65: "999999 weeks" is longer than a century
    revenue: {kind: mean, event: purchase, value: amount, within: 999999 weeks}
                                                                  ^^^^^^^^^^^^
""",
        id="time-beyond-a-century",
    ),
    pytest.param(
        [("0.002 EUR per message", "0.002")],
        """\
campaigns.yaml:8:18: "0.002" has no unit; write for example "0.2 EUR per message"
    costs: {email: 0.002}
                   ^^^^^
""",
        id="cost-without-unit",
    ),
    pytest.param(
        [(SCHEDULE, "    schedule: tuesdays\n")],
        """\
campaigns.yaml:41:15: expected keys here, found the text "tuesdays"
      schedule: tuesdays
                ^^^^^^^^
  such as at:, cron:, every:, trigger:
""",
        id="text-where-keys-belong",
    ),
    pytest.param(
        [("secondary: [revenue]", "secondary: revenue")],
        """\
campaigns.yaml:36:16: expected a list here, found the text "revenue"
      secondary: revenue
                 ^^^^^^^
  write [revenue]
""",
        id="text-where-a-list-belongs",
    ),
    pytest.param(
        [("owner: anna@example.com", "owner: [anna, bert]")],
        """\
campaigns.yaml:24:12: expected a text here, found a list
      owner: [anna, bert]
             ^^^^^^^^^^^^
""",
        id="list-where-a-text-belongs",
    ),
    pytest.param(
        [("owner: anna@example.com", "owner:")],
        """\
campaigns.yaml:24:5: expected a text here, found nothing
      owner:
      ^^^^^
""",
        id="nothing-where-a-text-belongs",
    ),
    pytest.param(
        [("holdout: 10 %", "holdout: {share: 10 %}")],
        """\
campaigns.yaml:37:14: expected a text such as "10 %" here, found keys
      holdout: {share: 10 %}
               ^^^^^^^^^^^^^
""",
        id="keys-where-a-quantity-belongs",
    ),
    pytest.param(
        [("between: [60 days, 180 days]", "between: [60 days]")],
        """\
campaigns.yaml:17:35: expected two values here, found one
          - {rfm: recency, between: [60 days]}
                                    ^^^^^^^^^
  such as [first, last]
""",
        id="one-value-where-two-belong",
    ),
    pytest.param(
        [("between: [60 days, 180 days]", "between: [1 days, 2 days, 3 days]")],
        """\
campaigns.yaml:17:35: expected two values here, found 3
          - {rfm: recency, between: [1 days, 2 days, 3 days]}
                                    ^^^^^^^^^^^^^^^^^^^^^^^^
  such as [first, last]
""",
        id="three-values-where-two-belong",
    ),
    pytest.param(
        [("{attribute: country, in: [DE, AT]}", "{atribute: country, in: [DE, AT]}")],
        """\
campaigns.yaml:18:12: unknown condition "atribute"
          - {atribute: country, in: [DE, AT]}
             ^^^^^^^^
  did you mean "attribute"?
""",
        id="unknown-condition",
    ),
    pytest.param(
        [("{attribute: country, in: [DE, AT]}", "{attribute: country, in: [DE, AT], did: purchase}")],
        """\
campaigns.yaml:18:46: "did" is a second condition
          - {attribute: country, in: [DE, AT], did: purchase}
                                               ^^^
  give each condition its own item under all:
""",
        id="two-conditions-in-one",
    ),
    pytest.param(
        [("starts: 2026-12-01", "starts: 2026-02-30")],
        """\
campaigns.yaml:43:15: "2026-02-30" is a date that does not exist
        starts: 2026-02-30
                ^^^^^^^^^^
""",
        id="impossible-date",
    ),
    pytest.param(
        [("starts: 2026-12-01", "starts: 1 December")],
        """\
campaigns.yaml:43:15: "1 December" is no date; write for example 2026-12-01
        starts: 1 December
                ^^^^^^^^^^
""",
        id="date-in-words",
    ),
    pytest.param(
        [('cron: "0 10 * * TUE"', "at: 2026-12-01")],
        """\
campaigns.yaml:42:11: "2026-12-01" is no date with a time; write for example 2026-12-01 10:00
        at: 2026-12-01
            ^^^^^^^^^^
""",
        id="at-without-a-time",
    ),
    pytest.param(
        [('cron: "0 10 * * TUE"', "at: 2026-12-01 25:00")],
        """\
campaigns.yaml:42:11: "2026-12-01 25:00" is a date with a time that does not exist
        at: 2026-12-01 25:00
            ^^^^^^^^^^^^^^^^
""",
        id="time-that-does-not-exist",
    ),
    pytest.param(
        [("{rfm: recency, between: [60 days, 180 days]}", "{did: purchase, at_least: 2.5}")],
        """\
campaigns.yaml:17:37: "2.5" is no whole number; write for example 3
          - {did: purchase, at_least: 2.5}
                                      ^^^
""",
        id="fraction-for-a-count",
    ),
    pytest.param(
        [("{attribute: country, in: [DE, AT]}", "{attribute: country, exists: maybe}")],
        """\
campaigns.yaml:18:40: "maybe" is neither true nor false
          - {attribute: country, exists: maybe}
                                         ^^^^^
""",
        id="neither-true-nor-false",
    ),
    pytest.param(
        [("  staff: {where", "  our staff: {where"), ("in_segment: staff", "in_segment: our staff")],
        """\
campaigns.yaml:21:3: "our staff" is no name: use up to 64 letters a-z, digits, _ and -, for example spring_launch
    our staff: {where: {attribute: email, matches: "*@example.com"}}
    ^^^^^^^^^
""",
        id="name-with-a-space",
    ),
    pytest.param(
        [
            (VARIANTS, "    steps: [{snd: {subject: Hello, template: plain.mjml}}]\n"),
            ("compared_to: control", "compared_to: holdout"),
        ],
        """\
campaigns.yaml:38:14: unknown step "snd"
      steps: [{snd: {subject: Hello, template: plain.mjml}}]
               ^^^
  did you mean "send"?
""",
        id="unknown-step",
    ),
    pytest.param(
        [("owner: anna@example.com", "owner: {{ anna }}")],
        """\
campaigns.yaml:24:13: a key has to be a plain word
      owner: {{ anna }}
              ^^^^^^^^
  text with {{ … }} has to be in quotes: "{{ customer.first_name }}"
""",
        id="braces-in-a-required-text",
    ),
    pytest.param(
        [("version: 1\n", "version: 2\n")],
        """\
campaigns.yaml:1:10: "2" is not known here; write 1
  version: 2
           ^
""",
        id="unknown-version",
    ),
    pytest.param(
        [("version: 1\n", "")],
        """\
campaigns.yaml:1:1: "version" is missing: version of the grammar; this release reads version 1
  defaults:
  ^^^^^^^^^
""",
        id="no-version",
    ),
    pytest.param(
        [("amount, within: 7 days", "amount, within: 7 days, cap_at: 99.9")],
        """\
campaigns.yaml:12:81: "99.9" has no unit; write for example "99.9th percentile" or "20 EUR"
    revenue: {kind: mean, event: purchase, value: amount, within: 7 days, cap_at: 99.9}
                                                                                  ^^^^
""",
        id="percentile-without-ordinal",
    ),
    pytest.param(
        [("      starts: 2026-12-01\n", "      starts: 2026-12-01\n      if_missed: after 2 hours\n")],
        """\
campaigns.yaml:44:18: "after 2 hours" is not understood here; write for example "skip after 2 hours"
        if_missed: after 2 hours
                   ^^^^^^^^^^^^^
""",
        id="misfire-in-other-words",
    ),
    pytest.param(
        [("    decide: {", "    round: {until: 6700}\n    decide: {")],
        """\
campaigns.yaml:45:20: "6700" has no unit; write for example "6700 per arm"
      round: {until: 6700}
                     ^^^^
""",
        id="sample-without-per-arm",
    ),
    pytest.param(
        [("      starts: 2026-12-01\n", "      starts: 2026-12-01\n      max_rate: 0 per second\n")],
        """\
campaigns.yaml:44:17: "0 per second" would never send anything; write for example "50 per second"
        max_rate: 0 per second
                  ^^^^^^^^^^^^
""",
        id="rate-of-zero",
    ),
]


@pytest.mark.parametrize(("changes", "told"), MISTAKES)
def test_a_mistake_of_form_is_told_with_its_place(tmp_path: Path, changes: list[tuple[str, str]], told: str) -> None:
    """The whole text: place, words, line, caret, hint."""
    assert problems(tmp_path, changed(*changes)) == told
