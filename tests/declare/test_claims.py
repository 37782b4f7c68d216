"""Comparisons, effects and odds that a hypothesis cannot have."""

from __future__ import annotations

from pathlib import Path

import pytest
from declare_project import HYPOTHESIS, VARIANTS, changed, problems

MISTAKES = [
    pytest.param(
        [("compared_to: control", "compared_to: contrl")],
        """\
campaigns.yaml:33:20: "contrl" is no arm of this campaign
        compared_to: contrl
                     ^^^^^^
  did you mean "control"?
""",
        id="comparison-is-no-arm",
    ),
    pytest.param(
        [("compared_to: control", "compared_to: nobody")],
        """\
campaigns.yaml:33:20: "nobody" is no arm of this campaign
        compared_to: nobody
                     ^^^^^^
  the arms are control, deadline and holdout
""",
        id="comparison-like-nothing",
    ),
    pytest.param(
        [("      deadline: {subject: Until Sunday, template: deadline.mjml}\n", "")],
        """\
campaigns.yaml:33:20: "control" is the only variant, so there is nothing to compare it with
        compared_to: control
                     ^^^^^^^
  add a variant, or write holdout: 10 % and compared_to: holdout
""",
        id="only-one-variant",
    ),
    pytest.param(
        [("compared_to: control", "compared_to: holdout"), ("    holdout: 10 %\n", "")],
        """\
campaigns.yaml:33:20: the comparison is the holdout, but the campaign holds nobody out
        compared_to: holdout
                     ^^^^^^^
  add holdout: 10 % to the campaign
""",
        id="holdout-compared-but-not-held-out",
    ),
    pytest.param(
        [("metric: purchase_rate", "metric: revenue"), ("      baseline: 4.0 %\n", "")],
        """\
campaigns.yaml:34:23: pp does not go with a metric of kind mean, which is an amount
        minimum_effect: 1.0 pp
                        ^^^^^^
  write for example 20 EUR or 5 %
""",
        id="points-for-an-amount",
    ),
    pytest.param(
        [("minimum_effect: 1.0 pp", "minimum_effect: 20 EUR")],
        """\
campaigns.yaml:34:23: an amount does not go with a metric of kind conversion, which is a share
        minimum_effect: 20 EUR
                        ^^^^^^
  write for example 1.0 pp or 10 %
""",
        id="money-for-a-share",
    ),
    pytest.param(
        [
            ("metric: purchase_rate", "metric: revenue"),
            ("      baseline: 4.0 %\n", ""),
            ("minimum_effect: 1.0 pp", "minimum_effect: 2 USD"),
        ],
        """\
campaigns.yaml:34:23: 2 USD is not in the campaign's currency, EUR
        minimum_effect: 2 USD
                        ^^^^^
""",
        id="money-in-another-currency",
    ),
    pytest.param(
        [("baseline: 4.0 %", "baseline: 4 EUR")],
        """\
campaigns.yaml:35:17: an amount does not go with a metric of kind conversion, which is a share
        baseline: 4 EUR
                  ^^^^^
  write for example 4.0 %
""",
        id="baseline-of-another-kind",
    ),
    pytest.param(
        [("baseline: 4.0 %", "baseline: 99.5 %")],
        """\
campaigns.yaml:35:17: from 99.5 % an increase of 1.0 pp leads above 100 %
        baseline: 99.5 %
                  ^^^^^^
""",
        id="effect-beyond-everybody",
    ),
    pytest.param(
        [("will: increase", "will: decrease"), ("baseline: 4.0 %", "baseline: 0.5 %")],
        """\
campaigns.yaml:35:17: from 0.5 % a decrease of 1.0 pp leads below 0 %
        baseline: 0.5 %
                  ^^^^^
""",
        id="effect-below-nobody",
    ),
    pytest.param(
        [("minimum_effect: 1.0 pp", "minimum_effect: 1.0 pp\n      expected_effect: 0.5 pp")],
        """\
campaigns.yaml:35:24: less than the minimum effect of 1.0 pp is expected, so it would not be worth having
        expected_effect: 0.5 pp
                         ^^^^^^
""",
        id="expected-below-minimum",
    ),
    pytest.param(
        [("minimum_effect: 1.0 pp", "minimum_effect: 1.0 pp\n      confidence: 5 %")],
        """\
campaigns.yaml:35:19: a confidence of 5 % cannot be used; it lies from 80 % to below 100 %
        confidence: 5 %
                    ^^^
  write for example 95 %
""",
        id="alpha-for-confidence",
    ),
    pytest.param(
        [("minimum_effect: 1.0 pp", "minimum_effect: 1.0 pp\n      confidence: 100 %")],
        """\
campaigns.yaml:35:19: a confidence of 100 % cannot be used; it lies from 80 % to below 100 %
        confidence: 100 %
                    ^^^^^
  write for example 95 %
""",
        id="confidence-of-everything",
    ),
    pytest.param(
        [("minimum_effect: 1.0 pp", "minimum_effect: 1.0 pp\n      power: 20 %")],
        """\
campaigns.yaml:35:14: a power of 20 % cannot be used; it lies from 50 % to below 100 %
        power: 20 %
               ^^^^
  write for example 80 %
""",
        id="power-too-low",
    ),
    pytest.param(
        [(HYPOTHESIS, "")],
        """\
campaigns.yaml:23:3: 2 variants, but no hypothesis to judge them by
    winback:
    ^^^^^^^
  add hypothesis:, or keep one variant
""",
        id="variants-without-hypothesis",
    ),
    pytest.param(
        [("deadline: {subject", "holdout: {subject")],
        """\
campaigns.yaml:40:7: "holdout" is the name of those who are messaged nothing; a variant cannot have it
        holdout: {subject: Until Sunday, template: deadline.mjml}
        ^^^^^^^
  rename the variant, or write holdout: 10 %
""",
        id="variant-called-holdout",
    ),
    pytest.param(
        [("{subject: Until Sunday,", "{weight: 0, subject: Until Sunday,")],
        """\
campaigns.yaml:40:26: a weight has to be above zero
        deadline: {weight: 0, subject: Until Sunday, template: deadline.mjml}
                           ^
  remove the variant to send it to nobody
""",
        id="weight-of-zero",
    ),
    pytest.param(
        [("holdout: 10 %", "holdout: 100 %")],
        """\
campaigns.yaml:37:14: a holdout of 100 % leaves nothing to compare
      holdout: 100 %
               ^^^^^
  write for example 10 %
""",
        id="holdout-of-everybody",
    ),
    pytest.param(
        [("    holdout: 10 %", "    guardrails: [{metric: purchase_rate}]\n    holdout: 10 %")],
        """\
campaigns.yaml:37:18: the guardrail has no bound
      guardrails: [{metric: purchase_rate}]
                   ^^^^^^^^^^^^^^^^^^^^^^^
  write one of must_not_exceed, must_not_fall_below, must_not_fall_by or must_not_rise_by
""",
        id="guardrail-without-bound",
    ),
    pytest.param(
        [
            (
                "secondary: [revenue]",
                "guardrails: [{metric: purchase_rate, must_not_exceed: 5 %, must_not_fall_by: 1 pp}]",
            )
        ],
        """\
campaigns.yaml:36:18: the guardrail has must_not_exceed and must_not_fall_by at once
      guardrails: [{metric: purchase_rate, must_not_exceed: 5 %, must_not_fall_by: 1 pp}]
                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  write a guardrail for each
""",
        id="guardrail-with-two-bounds",
    ),
    pytest.param(
        [("    holdout: 10 %", "    guardrails: [{metric: revenue, must_not_exceed: 5 %}]\n    holdout: 10 %")],
        """\
campaigns.yaml:37:53: % does not go with a metric of kind mean, which is an amount
      guardrails: [{metric: revenue, must_not_exceed: 5 %}]
                                                      ^^^
  write for example 20 EUR
""",
        id="guardrail-of-another-kind",
    ),
    pytest.param(
        [(VARIANTS, "")],
        """\
campaigns.yaml:23:3: the campaign has no variants, so there is nothing to send
    winback:
    ^^^^^^^
  add for example variants: {control: {…}, other: {…}}
""",
        id="no-variants",
    ),
    pytest.param(
        [("    decide: {", "    test: {on: 100 %, decide_after: 3 days}\n    decide: {")],
        """\
campaigns.yaml:45:16: the test needs a part of the audience and has to leave a rest
      test: {on: 100 %, decide_after: 3 days}
                 ^^^^^
  write for example 30 %
""",
        id="test-on-everybody",
    ),
    pytest.param(
        [("{kind: conversion, event: purchase,", "{kind: conversion, event: opened,")],
        """\
campaigns.yaml:32:15: opened mail is no sign of a reader: mail programs open it on their own
        metric: purchase_rate
                ^^^^^^^^^^^^^
  choose a metric of what people do, such as clicked or purchase
""",
        id="opens-as-the-primary-metric",
    ),
    pytest.param(
        [
            (VARIANTS, "    steps: [{split: {name: s, variants: {holdout: {subject: Hi, template: plain.mjml}}}}]\n"),
            ("compared_to: control", "compared_to: holdout"),
        ],
        """\
campaigns.yaml:38:42: "holdout" is the name of those who are messaged nothing; a variant cannot have it
      steps: [{split: {name: s, variants: {holdout: {subject: Hi, template: plain.mjml}}}}]
                                           ^^^^^^^
  rename the variant, or write holdout: 10 %
""",
        id="split-variant-called-holdout",
    ),
    pytest.param(
        [("    decide: {", "    improve: {max_rounds: 0}\n    decide: {")],
        """\
campaigns.yaml:45:27: a campaign has at least one round
      improve: {max_rounds: 0}
                            ^
""",
        id="no-rounds",
    ),
    pytest.param(
        [("    decide: {", "    steps: [{wait: 2 days}]\n    decide: {")],
        """\
campaigns.yaml:45:5: a campaign has either variants: or steps:, not both
      steps: [{wait: 2 days}]
      ^^^^^
  put the variants into a split: step
""",
        id="variants-and-steps",
    ),
]


@pytest.mark.parametrize(("changes", "told"), MISTAKES)
def test_a_mistake_of_claims_is_told_with_its_place(tmp_path: Path, changes: list[tuple[str, str]], told: str) -> None:
    """The whole text: place, words, line, caret, hint."""
    assert problems(tmp_path, changed(*changes)) == told
