"""What a variant says, and the names that its templates may use besides the customer."""

from __future__ import annotations

from typing import Any

from engine.declare.resolve import Resolved
from engine.declare.spec import EmailSender, Localised, SmsSender
from engine.errors import FixYourSettings
from engine.messages.compose import Content
from engine.messages.names import settled_names
from engine.segments.audience import channel_of


def content_of(resolved: Resolved, variant: str) -> Content:
    """A variant's subject, preheader, template or text."""
    said = resolved.campaign.variants[variant]
    if channel_of(resolved) == "sms":
        return Content(channel="sms", text=_text(said.text))
    return Content(
        channel="email",
        subject=_text(said.subject),
        preheader=_text(said.preheader),
        template=said.template,
        text=None if said.template else _text(said.text),
    )


def _text(localised: Localised | None) -> str | None:
    """Texts by language are refused at plan by this release."""
    return localised if isinstance(localised, str) else None


def names_of(resolved: Resolved, variant: str) -> dict[str, Any]:
    """`campaign`, `variant` and `sender` as templates see them: the same for everybody in an arm."""
    return settled_names(
        campaign=resolved.name,
        purpose=resolved.campaign.purpose,
        topic=resolved.campaign.topic,
        variant=variant,
        sender=sender_of(resolved, variant),
    )


def sender_of(resolved: Resolved, variant: str) -> EmailSender | SmsSender:
    """Who a variant's messages come from; `validate` has made sure that there is one."""
    sender = resolved.sender(variant)
    own = None if sender is None else sender.email if channel_of(resolved) == "email" else sender.sms
    if own is None:
        raise FixYourSettings(f"campaign {resolved.name} has no sender for its channel; add it under defaults: sender:")
    return own
