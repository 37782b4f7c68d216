"""The verdict as a diff of the YAML: it applies cleanly, keeps what people wrote, and declares what it says."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from engine.cycle.improve import Proposal, propose
from engine.cycle.rule import rule_for
from engine.cycle.sealed_plan import SealedPlan
from engine.declare.load import load
from engine.declare.resolve import resolve
from engine.declare.spec import Campaign
from engine.model import Decision

HEAD = """\
version: 1
# Everybody here is fond of this comment.
metrics:
  purchase_rate: {kind: conversion, event: purchase, within: 7 days}

campaigns:
  other:                                # stays as it is
    owner: anna@example.com
    purpose: marketing
    channel: email
    variants: {control: {subject: "A"}, deadline: {subject: "B"}}
    schedule: {at: "2026-03-03 10:00"}
"""

CLAIM = """\
    hypothesis:                         # the claim
      because: They browse              # as the insights say
      will: increase
      metric: purchase_rate
      compared_to: control              # plain mail
      minimum_effect: 1.0 pp
"""

BLOCK = """\
    variants:
      # Plain as ever.
      control:
        subject: Plain                  # no name
        text: |
          Hello,
            we miss you.

      # The deadline works on some.
      deadline:
        subject: >-
          Until
          Sunday
        text: Hurry
      # The last one.
      naming: {subject: "For you", text: "Hi"}   # short
    # How it is judged.
    decide: {method: fixed}
"""

REST = """\
    schedule: {at: "2026-03-03 10:00"}
"""

OWN = """\
  winback:
    owner: anna@example.com
    purpose: marketing
    channel: email
"""


def text_of(*parts: str, more: str = "") -> str:
    return HEAD + OWN + "".join(parts) + more + REST


def proposed(
    folder: Path,
    text: str,
    decision: Decision,
    winner: str | None = None,
    *,
    round_: int = 1,
    name: str = "campaigns.yaml",
) -> Proposal:
    """The proposal for a campaign named winback, and the proof that its diff gives its text."""
    file = folder / name
    file.write_bytes(text.encode())
    project = load(file).project
    resolved = resolve(project, "winback")
    arms = resolved.arms()
    plan = SealedPlan(
        campaign="winback", round=round_, resolved=resolved, arms=arms, caps={}, approvals_needed=0, funnel=(),
        rule=rule_for(resolved.campaign, arms=arms, metrics=resolved.metrics), templates={}, salt="s", nonce="n",
        yaml_sha256="", software="", launched_by="", launched_at="",
    )  # fmt: skip
    found = propose(plan, decision, winner, file)
    assert patched(folder, file, found.diff) == found.text.encode()
    return found


def patched(folder: Path, file: Path, diff: str) -> bytes:
    """What git makes of a file and a diff."""
    if not diff:
        return file.read_bytes()
    target = folder / "applied"
    target.mkdir(exist_ok=True)
    shutil.copy(file, target / file.name)
    command = ["git", "apply", "--unsafe-paths", "--whitespace=nowarn", f"--directory={target}", "-"]
    done = subprocess.run(command, input=diff.encode(), capture_output=True, check=False, cwd=target)
    assert done.returncode == 0, done.stderr.decode()
    return (target / file.name).read_bytes()


def next_campaign(folder: Path, found: Proposal) -> Campaign:
    """The campaign as the proposed text declares it."""
    file = folder / "next.yaml"
    file.write_text(found.text)
    return load(file).project.campaigns["winback"]


@pytest.mark.parametrize("kept", ["control", "deadline", "naming"])
def test_promoting_keeps_the_winner_and_every_comment_about_it(tmp_path: Path, kept: str) -> None:
    found = proposed(tmp_path, text_of(CLAIM, BLOCK, more="    holdout: 10 %\n"), Decision.SHIP, kept)
    before = load(tmp_path / "campaigns.yaml").project.campaigns["winback"]
    after = next_campaign(tmp_path, found)
    assert found.kind == "promote"
    assert after.variants == {kept: before.variants[kept]}
    assert after.hypothesis is not None
    assert after.hypothesis.compared_to == "holdout"
    about = {"control": "# no name", "deadline": "# The deadline works on some.", "naming": "# short"}
    for comment in ("# Everybody here", "# stays as it is", "# the claim", "# plain mail", "# How it is judged.",
                    "# The last one.", about[kept]):  # fmt: skip
        assert comment in found.text
    assert (
        load(tmp_path / "next.yaml").project.campaigns["other"]
        == load(tmp_path / "campaigns.yaml").project.campaigns["other"]
    )


@pytest.mark.parametrize("decision", [Decision.KEEP_CONTROL, Decision.INCONCLUSIVE, Decision.HARMFUL, Decision.INVALID])
def test_anything_but_a_ship_keeps_the_control(tmp_path: Path, decision: Decision) -> None:
    found = proposed(tmp_path, text_of(CLAIM, BLOCK, more="    holdout: 10 %\n"), decision)
    assert found.kind == "keep_control"
    assert list(next_campaign(tmp_path, found).variants) == ["control"]


def test_without_a_holdout_the_claim_gives_way_to_what_was_learnt(tmp_path: Path) -> None:
    found = proposed(tmp_path, text_of(CLAIM, BLOCK), Decision.SHIP, "deadline")
    assert next_campaign(tmp_path, found).hypothesis is None
    assert "    # Round 1: ship deadline (purchase_rate against control). Next claim here:\n" in found.text
    assert "because: They browse" not in found.text


FLOW = "    variants: {control: {subject: A}, deadline: {subject: B}, naming: {subject: C}, last: {subject: D}}\n"
LINES = """\
    variants: {
      control: {subject: "A, B"},       # the first
      deadline: {subject: "}"},         # the second
      naming: {subject: C},
      last: {subject: D},               # the end
    }
"""


@pytest.mark.parametrize("variants", [pytest.param(FLOW, id="one-line"), pytest.param(LINES, id="lines")])
@pytest.mark.parametrize("kept", ["control", "deadline", "naming", "last"])
def test_variants_in_braces_are_cut_out_wherever_the_winner_stands(tmp_path: Path, variants: str, kept: str) -> None:
    found = proposed(tmp_path, text_of(CLAIM, variants), Decision.SHIP, kept)
    before = load(tmp_path / "campaigns.yaml").project.campaigns["winback"]
    assert next_campaign(tmp_path, found).variants == {kept: before.variants[kept]}


def test_a_campaign_in_braces_is_edited_too(tmp_path: Path) -> None:
    claim = (
        "hypothesis: {because: x, will: increase, metric: purchase_rate, compared_to: control, minimum_effect: 1.0 pp}"
    )
    text = HEAD + (
        f"  winback: {{owner: a, purpose: marketing, channel: email, {claim}, "
        'variants: {control: {subject: A}, b: {subject: B}}, schedule: {at: "2026-03-03 10:00"}}\n'
    )
    found = proposed(tmp_path, text, Decision.SHIP, "b")
    after = next_campaign(tmp_path, found)
    assert (after.hypothesis, list(after.variants)) == (None, ["b"])


@pytest.mark.parametrize("decision", [Decision.SHIP, Decision.INCONCLUSIVE])
def test_against_the_holdout_a_winner_goes_on_and_nothing_else_is_proposed(tmp_path: Path, decision: Decision) -> None:
    claim = CLAIM.replace("compared_to: control", "compared_to: holdout")
    winner = "naming" if decision is Decision.SHIP else None
    found = proposed(tmp_path, text_of(claim, BLOCK, more="    holdout: 10 %\n"), decision, winner)
    if winner:
        assert (found.kind, list(next_campaign(tmp_path, found).variants)) == ("promote", ["naming"])
    else:
        assert (found.kind, found.diff) == ("none", "")


@pytest.mark.parametrize(
    ("improve", "decision", "round_", "kind"),
    [
        pytest.param("{on_ship: retire}", Decision.SHIP, 1, "retire", id="on-ship-retire"),
        pytest.param("{on_ship: keep_control}", Decision.SHIP, 1, "keep_control", id="on-ship-keep-control"),
        pytest.param("{otherwise: retire}", Decision.HARMFUL, 1, "retire", id="otherwise-retire"),
        pytest.param("{max_rounds: 2}", Decision.SHIP, 1, "promote", id="rounds-left"),
        pytest.param("{max_rounds: 2}", Decision.SHIP, 2, "retire", id="rounds-used-up"),
    ],
)
def test_what_follows_is_as_declared(tmp_path: Path, improve: str, decision: Decision, round_: int, kind: str) -> None:
    winner = "deadline" if decision is Decision.SHIP else None
    text = text_of(CLAIM, BLOCK, more=f"    improve: {improve}\n")
    found = proposed(tmp_path, text, decision, winner, round_=round_)
    assert found.kind == kind
    assert (found.diff == "") == (kind == "retire")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(text_of(CLAIM, BLOCK).replace("\n", "\r\n"), id="windows-line-ends"),
        pytest.param((HEAD + OWN + REST + CLAIM + BLOCK).rstrip("\n"), id="no-newline-at-the-end"),
        pytest.param((HEAD + OWN + REST + BLOCK + CLAIM).rstrip("\n"), id="the-claim-at-the-very-end"),
        pytest.param("\ufeff" + text_of(CLAIM, BLOCK), id="byte-order-mark"),
        pytest.param(text_of(CLAIM, BLOCK).replace("We miss", "Wir müssen 😀"), id="beyond-ascii"),
    ],
)
def test_the_diff_applies_whatever_the_file_is_like(tmp_path: Path, text: str) -> None:
    found = proposed(tmp_path, text, Decision.SHIP, "naming")
    assert found.diff
    assert list(next_campaign(tmp_path, found).variants) == ["naming"]
    assert ("\r\n" in text) == ("\r\n" in found.text)
    assert found.text.count("\r\n") in (0, found.text.count("\n"))


def test_what_cannot_be_edited_is_left_to_a_person(tmp_path: Path) -> None:
    """Here the winner repeats what the loser says, so the loser cannot be cut."""
    variants = "    variants:\n      control: &plain {subject: A}\n      offer: *plain\n"
    found = proposed(tmp_path, text_of(CLAIM, variants), Decision.SHIP, "offer")
    assert (found.kind, found.diff) == ("none", "")
    assert found.text == (tmp_path / "campaigns.yaml").read_text()


def test_a_variant_that_repeats_another_is_cut_alone(tmp_path: Path) -> None:
    variants = "    variants:\n      control: &plain {subject: A}\n      offer: *plain\n"
    found = proposed(tmp_path, text_of(CLAIM, variants, more="    labels: [x]\n"), Decision.KEEP_CONTROL)
    assert next_campaign(tmp_path, found).labels == ["x"]
    assert list(next_campaign(tmp_path, found).variants) == ["control"]


def test_a_campaign_that_is_declared_no_more_gets_no_proposal(tmp_path: Path) -> None:
    text = text_of(CLAIM, BLOCK)
    found = proposed(tmp_path, text, Decision.SHIP, "naming")
    assert found.diff
    (tmp_path / "campaigns.yaml").write_text(HEAD)
    resolved = resolve(load(_written(tmp_path / "again.yaml", text)).project, "winback")
    plan = SealedPlan(
        campaign="winback", round=1, resolved=resolved, arms=resolved.arms(), caps={}, approvals_needed=0, funnel=(),
        rule=rule_for(resolved.campaign, arms=resolved.arms(), metrics=resolved.metrics), templates={}, salt="s",
        nonce="n", yaml_sha256="", software="", launched_by="", launched_at="",
    )  # fmt: skip
    for file in (tmp_path / "campaigns.yaml", tmp_path / "gone.yaml"):
        assert propose(plan, Decision.SHIP, "naming", file).diff == ""


def _written(file: Path, text: str) -> Path:
    file.write_text(text)
    return file
