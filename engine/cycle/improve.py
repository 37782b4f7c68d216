"""Improve: the verdict opens the next round as a proposal, a diff of the YAML that a person accepts.

The text is edited where the campaign stands and nowhere else, so that comments and layout stay.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node

from engine.cycle.sealed_plan import SealedPlan
from engine.errors import CampaignError
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
    before = read(file) if file.exists() else ""
    campaign = _campaign(before, plan.campaign)
    if kept is None or campaign is None:
        return Proposal(kind="retire" if kind == "retire" else "none", base=hash_of(before), diff="", text=before)
    if plan.round >= plan.resolved.campaign.improve.max_rounds:
        return Proposal(kind="retire", base=hash_of(before), diff="", text=before)
    after = _edited(before, campaign, plan, kept, _lesson(plan, decision, winner))
    if _campaign(after, plan.campaign) is None:
        return Proposal(kind="none", base=hash_of(before), diff="", text=before)  # such as an alias of what was cut
    return Proposal(kind=kind, base=hash_of(before), diff=_diff(before, after, file.name), text=after)


def declaring_file(main: Path, campaign: str) -> Path:
    """The YAML file in which a campaign stands; the main one where that cannot be told."""
    from engine.declare.load import load

    try:
        place = load(main).problem(("campaigns", campaign), "", key=True).file
    except CampaignError:
        return main
    found = Path(place) if place else main
    return found if found.exists() else main


def read(file: Path) -> str:
    """A file's text with its line ends as they are."""
    return file.read_bytes().decode()


def write(file: Path, text: str) -> None:
    """Write a text with its line ends as they are, whole or not at all."""
    fresh = file.with_name(f".{file.name}.new")
    fresh.write_bytes(text.encode())
    fresh.replace(file)


def hash_of(text: str) -> str:
    """The hash that a proposal's base is compared by."""
    return hashlib.sha256(text.encode()).hexdigest()


def _diff(before: str, after: str, name: str) -> str:
    lines = difflib.unified_diff(_lines(before), _lines(after), f"a/{name}", f"b/{name}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> list[str]:
    """As `patch` counts them: only a line feed ends one."""
    return [line for line in re.split(r"(?<=\n)", text) if line]


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
    cuts = _others(text, _value(campaign, "variants"), kept)
    claim = _value(campaign, "hypothesis")
    compared = None if claim is None else _value(claim, "compared_to")
    if plan.resolved.campaign.holdout is not None and compared is not None:
        cuts.append((compared.start_mark.index, compared.end_mark.index, HOLDOUT))
    elif claim is not None:
        start, end = _span(text, campaign, "hypothesis")
        end_of_line = "\r\n" if "\r\n" in text else "\n"
        cuts.append((start, end, "" if campaign.flow_style else f"{_indent(text, start)}{lesson}{end_of_line}"))
    for start, end, new in sorted(cuts, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _others(text: str, variants: Node | None, kept: str) -> list[tuple[int, int, str]]:
    """What to cut so that one variant is left."""
    if not isinstance(variants, MappingNode):
        return []
    if not variants.flow_style:
        return [(*_span(text, variants, key.value), "") for key, _ in variants.value if key.value != kept]
    key, value = next(pair for pair in variants.value if pair[0].value == kept)
    first, last = variants.value[0][0], variants.value[-1][1]
    around = [(first.start_mark.index, key.start_mark.index), (value.end_mark.index, last.end_mark.index)]
    return [(start, end, "") for start, end in around if start < end]


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
    start = key.start_mark.index
    newline = text.find("\n", len(text[: max(key.end_mark.index, _end(value, start))].rstrip()))
    return text.rfind("\n", 0, start) + 1, len(text) if newline < 0 else newline + 1


def _end(node: Node, start: int) -> int:
    """Where the last thing ends that a node holds; blank lines and comments after it are not its own.

    Args:
        start: what begins before is an alias of something elsewhere.
    """
    if node.start_mark.index < start:
        return start
    if isinstance(node, CollectionNode) and node.value and not node.flow_style:
        inner = [part for item in node.value for part in (item if isinstance(item, tuple) else (item,))]
        return max(_end(part, start) for part in inner)
    return int(node.end_mark.index)
