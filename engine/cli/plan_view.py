"""A plan as people read it and as tools do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import Any

from engine.cli.output import moment
from engine.cycle.plan import Draft
from engine.messages.compose import Rendered
from engine.model import REASON_TEXT, ArmRole

_PREVIEW_LINES = 12


def text(draft: Draft) -> str:
    """The plan for a terminal."""
    parts = (_claim, _funnel, _sample, _sends, _messages, _notes)
    return "\n".join(line for part in parts for line in part(draft))


def _claim(draft: Draft) -> Iterator[str]:
    campaign = draft.resolved.campaign
    yield f"{draft.campaign}, round {draft.round} ({campaign.purpose}, {_channel(draft)})"
    claim = campaign.hypothesis
    if claim is None:
        yield "  no hypothesis: it will be sent and described, never judged"
        return
    yield f"  because {claim.because}"
    if claim.we_believe:
        yield f"  we believe in {claim.we_believe}"
    yield (
        f"  it will {claim.will} {claim.metric} by at least {claim.minimum_effect} against {claim.compared_to} "
        f"({campaign.decide.method}, confidence {claim.confidence})"
    )


def _channel(draft: Draft) -> str:
    channel = draft.resolved.campaign.channel
    return channel if isinstance(channel, str) else ", ".join(channel)


def _funnel(draft: Draft) -> Iterator[str]:
    yield "\nAudience"
    yield _count("matched by the segment", draft.funnel.matched)
    for reason, count in draft.funnel.excluded:
        yield _count(f"− {REASON_TEXT[reason]}", -count)
    yield _count("assigned", draft.funnel.left)
    per_arm = draft.per_arm()
    for arm in draft.arms:
        role = f", {arm.role.value}" if arm.role.value != arm.name and arm.role is not ArmRole.HOLDOUT else ""
        yield _count(f"  about {100 * arm.share:.1f} % {arm.name}{role}", per_arm[arm.name])


def _count(label: str, count: int) -> str:
    return f"  {label:<52}{count:>12,}"


def _sample(draft: Draft) -> Iterator[str]:
    sizing = draft.sizing
    if sizing is None:
        return
    yield "\nSample"
    if sizing.baseline is not None:
        told = "measured in the segment's own history" if sizing.measured else "as declared"
        value = f"{sizing.baseline:,.2f} {sizing.money}" if sizing.money else f"{100 * sizing.baseline:.2f} %"
        yield f"  baseline {value} ({told}), planned for an effect of {sizing.shown(sizing.effect)}"
    if sizing.needed_per_arm is not None:
        yield _count("needed in the smaller compared arm", sizing.needed_per_arm)
    yield _count("available now", sizing.available_per_arm)
    if sizing.detectable is not None:
        yield f"  the available customers can detect {sizing.shown(sizing.detectable)} or more"


def _sends(draft: Draft) -> Iterator[str]:
    yield "\nNext sends"
    own = draft.resolved.campaign.schedule
    clock = " on each recipient's clock" if own is not None and own.clock == "recipient" else ""
    for at in draft.next_sends:
        yield f"  {at:%a %Y-%m-%d %H:%M} {at.tzinfo}{clock}   {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if draft.ends_about is not None:
        yield f"  a verdict about {draft.ends_about:%Y-%m-%d}, if the first wave suffices"
    if draft.cost is not None:
        currency = draft.resolved.campaign.currency or ""
        yield f"  a wave to this audience costs about {draft.cost:,.2f} {currency}".rstrip()


def _messages(draft: Draft) -> Iterator[str]:
    for variant, preview in draft.previews.items():
        yield f"\nMessage: {variant}"
        if isinstance(preview, str):
            yield f"  {preview}"
            continue
        if preview.subject is not None:
            yield f"  Subject: {preview.subject}"
        lines = [line for line in preview.text.splitlines() if line.strip()]
        yield from (f"  | {line}" for line in lines[:_PREVIEW_LINES])
        if len(lines) > _PREVIEW_LINES:
            yield f"  | … {len(lines) - _PREVIEW_LINES} more lines"


def _notes(draft: Draft) -> Iterator[str]:
    if draft.changes is not None:
        yield "\nChanges since the last plan"
        yield from (f"  {change}" for change in draft.changes or ("none",))
    if draft.warnings:
        yield "\nWarnings"
        yield from (f"  ! {warning}" for warning in draft.warnings)


def document(draft: Draft) -> dict[str, Any]:
    """The plan as JSON data."""
    sizing = draft.sizing
    per_arm = draft.per_arm()
    return {
        "schema_version": 1,
        "campaign": draft.campaign,
        "round": draft.round,
        "funnel": {
            "matched": draft.funnel.matched,
            "excluded": [{"reason": reason.value, "customers": count} for reason, count in draft.funnel.excluded],
            "assigned": draft.funnel.left,
        },
        "arms": [
            {"name": arm.name, "role": arm.role.value, "share": arm.share, "expected": per_arm[arm.name]}
            for arm in draft.arms
        ],
        "sample": None
        if sizing is None
        else {
            "metric": sizing.metric,
            "baseline": sizing.baseline,
            "measured": sizing.measured,
            "effect": sizing.effect,
            "needed_per_arm": sizing.needed_per_arm,
            "available_per_arm": sizing.available_per_arm,
            "detectable": sizing.detectable,
            "global_holdout_detectable": sizing.global_detectable,
        },
        "next_sends": [{"local": at.isoformat(), "utc": moment(at.astimezone(UTC))} for at in draft.next_sends],
        "ends_about": moment(draft.ends_about) or None,
        "messages": {name: _preview(preview) for name, preview in draft.previews.items()},
        "cost": _cost(draft),
        "caps": dict(draft.caps),
        "changes": None if draft.changes is None else list(draft.changes),
        "warnings": list(draft.warnings),
    }


def _cost(draft: Draft) -> dict[str, Any] | None:
    if draft.cost is None:
        return None
    return {"amount": float(draft.cost), "currency": draft.resolved.campaign.currency}


def _preview(preview: Rendered | str) -> dict[str, Any]:
    if isinstance(preview, str):
        return {"problem": preview}
    return {"subject": preview.subject, "text": preview.text, "html": preview.html}
