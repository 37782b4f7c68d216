"""Improve: the verdict opens the next round as a proposal, a diff of the YAML that a person accepts.

The text is edited where the campaign stands and nowhere else, so that comments and layout stay.
"""

from __future__ import annotations

import difflib
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node

from engine.cycle.sealed_plan import SealedPlan
from engine.model import HOLDOUT, Decision


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What the next round should be."""

    kind: str
    """promote, keep_control, retire or none."""
    base: str
    """Hash of the file that the diff applies to."""
    diff: str
    """Unified diff; empty where there is nothing to change, or nothing that could be edited."""
    text: str
    """The file after the change."""


def propose(plan: SealedPlan, decision: Decision, winner: str | None, file: Path) -> Proposal:
    """Turn a verdict into the next round's declaration.

    Args:
        file: the YAML file in which the campaign stands.
    """
    kind, kept = _next(plan, decision, winner)
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    base = hashlib.sha256(before.encode()).hexdigest()
    campaign = _campaign(before, plan.campaign)
    if kept is None or campaign is None or plan.round >= plan.resolved.campaign.improve.max_rounds:
        return Proposal(kind="none" if kept is None or campaign is None else "retire", base=base, diff="", text=before)
    after = _edited(before, campaign, plan, kept, _lesson(plan, decision, winner))
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{file.name}", f"b/{file.name}"
    )
    return Proposal(kind=kind, base=base, diff="".join(lines), text=after)


def _next(plan: SealedPlan, decision: Decision, winner: str | None) -> tuple[str, str | None]:
    """The kind of the next round and the variant that goes on; None where none does."""
    improve = plan.resolved.campaign.improve
    kind = improve.on_ship if decision is Decision.SHIP else improve.otherwise
    if kind == "retire" or plan.rule is None:
        return "retire", None
    if kind == "promote":
        return kind, winner
    return kind, None if plan.rule.compared_to == HOLDOUT else plan.rule.compared_to


def _lesson(plan: SealedPlan, decision: Decision, winner: str | None) -> str:
    assert plan.rule is not None
    told = decision.value.replace("_", " ") + (f" {winner}" if winner else "")
    return f"# Round {plan.round}: {told} ({plan.rule.metric} against {plan.rule.compared_to}). Next claim here:"


# --- editing the text ------------------------------------------------------------------------------------


def _campaign(text: str, name: str) -> MappingNode | None:
    try:
        root = YAML().compose(text)
    except YAMLError:
        return None
    campaigns = _value(root, "campaigns")
    found = None if campaigns is None else _value(campaigns, name)
    return found if isinstance(found, MappingNode) else None


def _value(node: Any, key: str) -> Node | None:
    pairs = node.value if isinstance(node, MappingNode) else []
    return next((value for written, value in pairs if written.value == key), None)


def _edited(text: str, campaign: MappingNode, plan: SealedPlan, kept: str, lesson: str) -> str:
    """The text with one variant left and the claim turned against the holdout, or taken out."""
    cuts: list[tuple[int, int, str]] = []
    variants = _value(campaign, "variants")
    if isinstance(variants, MappingNode):
        cuts += [(*_span(text, variants, key.value), "") for key, _ in variants.value if key.value != kept]
    claim, compared = _value(campaign, "hypothesis"), None
    if claim is not None:
        compared = _value(claim, "compared_to")
    if plan.resolved.campaign.holdout is not None and compared is not None:
        cuts.append((compared.start_mark.index, compared.end_mark.index, HOLDOUT))
    elif claim is not None:
        start, end = _span(text, campaign, "hypothesis")
        indent = " " * (start - text.rfind("\n", 0, start) - 1) or _indent(text, start)
        cuts.append((start, end, "" if campaign.flow_style else f"{indent}{lesson}\n"))
    for start, end, new in sorted(cuts, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _indent(text: str, start: int) -> str:
    line = text[start : text.find("\n", start)]
    return line[: len(line) - len(line.lstrip())]


def _span(text: str, mapping: MappingNode, name: str) -> tuple[int, int]:
    """From where to where a key and its value stand: whole lines in block style, up to the comma in flow style."""
    names = [key.value for key, _ in mapping.value]
    at = names.index(name)
    key, value = mapping.value[at]
    if mapping.flow_style:
        if at + 1 < len(names):
            return key.start_mark.index, mapping.value[at + 1][0].start_mark.index
        if at > 0:
            return mapping.value[at - 1][1].end_mark.index, value.end_mark.index
        return key.start_mark.index, value.end_mark.index
    return text.rfind("\n", 0, key.start_mark.index) + 1, _end_of_value(text, value)


def _end_of_value(text: str, value: Node) -> int:
    """The end of the last line that belongs to a value; blank lines and comments after it stay."""
    end = len(text[: value.end_mark.index].rstrip())
    newline = text.find("\n", end)
    return len(text) if newline < 0 else newline + 1
