"""What this release cannot do is refused with its place, never ignored."""

from __future__ import annotations

from pathlib import Path

import pytest
from declare_project import HYPOTHESIS, VARIANTS, changed, prepare, put

from engine.declare.check import check
from engine.declare.load import load
from engine.declare.support import unsupported

CORE = Path(__file__).parent / "core" / "campaigns.yaml"
GRAMMAR = Path(__file__).parent / "grammar" / "campaigns.yaml"
ONE = "    variants:\n      only: {subject: Hello, template: plain.mjml}\n"
SMS = "    variants:\n      control: {text: Hello}\n      deadline: {text: Hurry}\n"


def refused(folder: Path, *changes: tuple[str, str]) -> list[str]:
    put(prepare(folder), {"campaigns.yaml": changed(*changes)})
    declared = load(folder / "campaigns.yaml")
    assert [problem for problem in check(declared) if problem.severity == "error"] == []
    return [f"{p.line}:{p.column}: {p.message}" for p in unsupported(declared, "winback")]


BUILT = [
    pytest.param([], id="the-example"),
    pytest.param([("    channel: email", "    channel: sms"), (VARIANTS, SMS)], id="sms"),
    pytest.param([("  currency: EUR\n", "  currency: EUR\n  providers: {email: discard}\n")], id="discard"),
    pytest.param(
        [("  currency: EUR\n", "  currency: EUR\n  providers: {sms: twilio}\n")], id="provider-of-no-use-here"
    ),
    pytest.param([("metric: purchase_rate", "metric: revenue"), ("1.0 pp", "1 EUR"), ("4.0 %", "4 EUR")], id="mean"),
    pytest.param([("compared_to: control", "compared_to: holdout")], id="several-treatments"),
    pytest.param([('cron: "0 10 * * TUE"', "at: 2027-01-01 10:00\n      clock: recipient")], id="at"),
    pytest.param([('cron: "0 10 * * TUE"', "every: 3 days\n      expires: 1 day")], id="every"),
    pytest.param(
        [
            (
                "      starts:",
                "      ramp: {steps: [5 %, 100 %], hold: 1 day}\n      max_rate: 5 per second\n      starts:",
            )
        ],
        id="ramp-and-rate",
    ),
    pytest.param([("    decide:", "    round: {until: 500 per arm, at_most: 9 days}\n    decide:")], id="round"),
    pytest.param([(HYPOTHESIS, ""), (VARIANTS, ONE), ("    decide: {method: fixed}\n", "")], id="no-hypothesis"),
    pytest.param([("  currency: EUR\n", "  currency: EUR\n  opt_in: {default: single}\n")], id="single-opt-in"),
    pytest.param([("{in_segment: staff}", "{any: [{did: a, not_followed_by: b}, {in_campaign: x}]}")], id="conditions"),
    pytest.param([("{in_segment: staff}", "{rfm: recency_score, at_most: 2}")], id="rfm-scores"),
    pytest.param(
        [("campaigns:\n", "kpis: {repeat_rate: {target: 5 %}}\nlifecycle: {gone: {did_not: purchase}}\ncampaigns:\n")],
        id="declared-but-not-used",
    ),
]


@pytest.mark.parametrize("changes", BUILT)
def test_what_is_built_is_not_refused(tmp_path: Path, changes: list[tuple[str, str]]) -> None:
    """Nothing of it."""
    assert refused(tmp_path, *changes) == []


EUR = "  currency: EUR\n"
ONSITE = "    variants: {control: {content: a}, b: {content: b}}\n"
_GUARDRAIL = "    guardrails: [{metric: revenue, must_not_fall_by: 5 %}]\n    holdout"
_LANGUAGES = ("  currency: EUR\n", "  currency: EUR\n  languages: {default: en}\n")
_COUPON = ("campaigns:\n", "coupons: {ten: {codes: a.csv, benefit: 10 %}}\ncampaigns:\n")
_SURVEY = ("campaigns:\n", "surveys: {nps: {kind: nps, question: Why?}}\ncampaigns:\n")
MISSING = [
    pytest.param([("    holdout", _GUARDRAIL)], ["37:5: guardrails"], id="guardrails"),
    pytest.param([("    holdout", "    choose_by: revenue\n    holdout")], ["37:5: choose_by"], id="choose-by"),
    pytest.param([("    decide:", "    test: {on: 9 %, decide_after: 1 day}\n    decide:")], ["45:5: test"], id="test"),
    pytest.param([("    decide:", "    report: {to: [a@b.de]}\n    decide:")], ["45:5: report"], id="report"),
    pytest.param(
        [("    decide:", "    improve: {programme_confidence: 90 %}\n    decide:")],
        ["45:15: programme_confidence"],
        id="programme-confidence",
    ),
    pytest.param(
        [(VARIANTS, "    steps: [{wait: 2 days}]\n"), ("compared_to: control", "compared_to: holdout")],
        ["38:5: steps"],
        id="steps",
    ),
    pytest.param(
        [('cron: "0 10 * * TUE"', "trigger: {event: cart}\n      again_after: 3 days\n      unless: {did: purchase}")],
        ["42:7: triggers", "44:7: unless", "43:7: again_after"],
        id="triggers",
    ),
    pytest.param(
        [("    channel: email", "    channel: [email]")], ["28:14: a list of channels"], id="list-of-channels"
    ),
    pytest.param(
        [("    channel: email", "    channel: onsite"), (VARIANTS, ONSITE)],
        ["28:14: the channel onsite"],
        id="other-channel",
    ),
    pytest.param(
        [(EUR, f"{EUR}  providers: {{email: smtp}}\n")],
        ["5:22: the provider smtp"],
        id="other-provider",
    ),
    pytest.param(
        [(EUR, f"{EUR}  exchange: {{to: EUR, rates: r.csv}}\n")], ["5:3: exchange"], id="exchange"
    ),
    pytest.param([(EUR, f"{EUR}  keep: {{events: 2 years}}\n")], ["5:3: keep"], id="keep"),
    pytest.param(
        [(EUR, f"{EUR}  opt_in: {{DE: double}}\n")], ["5:16: opt_in: double"], id="double-opt-in"
    ),
    pytest.param(
        [_LANGUAGES, ("subject: Until Sunday", "subject: {en: Hi}")],
        ["5:3: languages", "41:27: texts by language"],
        id="languages",
    ),
    pytest.param(
        [("    decide: {method: fixed}\n", "")],
        ["23:3: the method group_sequential, which is the default"],
        id="default-method",
    ),
    pytest.param(
        [("decide: {method: fixed}", "decide: {looks: weekly}")],
        ["45:5: the method group_sequential, which is the default"],
        id="default-method-beside-others",
    ),
    pytest.param([("method: fixed", "method: bandit")], ["45:22: the method bandit"], id="other-method"),
    pytest.param(
        [("value: amount, ", "value: amount, less: message_cost, ")],
        ["12:57: less: message_cost in a metric"],
        id="less-in-a-metric",
    ),
    pytest.param(
        [("{kind: mean,", "{kind: quantile, quantile: 0.5,")], ["12:19: a metric of kind quantile"], id="other-metric"
    ),
    pytest.param(
        [("{in_segment: staff}", "{any: [{sample: 5 %}]}")], ["20:19: the condition sample"], id="other-condition"
    ),
    pytest.param([_COUPON, ("{subject: Until", "{coupon: ten, subject: Until")], ["41:18: coupons"], id="coupons"),
    pytest.param([_SURVEY, ("{subject: Until", "{survey: nps, subject: Until")], ["41:18: surveys"], id="surveys"),
    pytest.param(
        [("campaigns:\n", "exclusive_groups: {g: [winback, other]}\ncampaigns:\n  other: {owner: a, purpose: marketing,"
          " channel: onsite, variants: {a: {content: a}}}\n")],
        ["22:24: exclusive_groups"],
        id="exclusive-groups",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "places"), MISSING)
def test_what_is_not_built_is_refused(tmp_path: Path, changes: list[tuple[str, str]], places: list[str]) -> None:
    """By its name, where it is written."""
    told = [place.replace(": ", ": not supported yet: ", 1) for place in places]
    assert refused(tmp_path, *changes) == told


def test_the_default_method_comes_with_what_to_write(tmp_path: Path) -> None:
    """The example of the design says no method."""
    put(prepare(tmp_path), {"campaigns.yaml": changed(("    decide: {method: fixed}\n", ""))})
    problem = unsupported(load(tmp_path / "campaigns.yaml"), "winback")[0]
    assert problem.hint == "write decide: {method: fixed}"


@pytest.mark.parametrize("name", ["winback", "cart", "birthday", "welcome", "calls", "banner", "journey"])
def test_every_campaign_of_the_whole_grammar_is_refused(name: str) -> None:
    """Each uses something that is not built; none slips through."""
    assert unsupported(load(GRAMMAR), name) != []


def test_the_core_example_is_refused_for_what_later_issues_bring() -> None:
    """And for nothing else."""
    assert [problem.message for problem in unsupported(load(CORE), "winback_2026q4")] == [
        "not supported yet: guardrails",
        "not supported yet: report",
        "not supported yet: the method group_sequential",
        "not supported yet: a metric of kind ratio",
    ]
