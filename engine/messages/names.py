"""Names that templates may use, and the values of those that are the same for a whole round."""

from __future__ import annotations

from engine.channels.mime import name_and_address
from engine.declare.spec import EmailSender, SmsSender

TOP_LEVEL = frozenset((
    "customer", "campaign", "variant", "sender", "unsubscribe_url", "preferences_url", "track",
    "trigger", "recommended",
))  # fmt: skip
FUNCTIONS = frozenset(("range", "namespace"))
OF_CAMPAIGN = frozenset(("name", "purpose", "topic"))
OF_VARIANT = frozenset(("name",))
OF_SENDER = {
    "email": frozenset(("from", "name", "address", "reply_to", "postal_address")),
    "sms": frozenset(("from",)),
}
CUSTOMER_COLUMNS = frozenset((
    "customer_id", "email", "phone", "first_name", "last_name", "gender", "birth_date", "country", "region", "city",
    "postal_code", "language", "timezone", "signed_up_at", "email_consent", "sms_consent",
))  # fmt: skip
CUSTOMER_FACTS = frozenset(("last_viewed", "last_order"))
NOT_YET = frozenset(("trigger", "recommended"))
"""Names of later releases; a template that uses one is refused at `plan`."""
CUSTOMER_NOT_YET = frozenset(("coupon", "points"))


def settled_names(
    *, campaign: str, purpose: str, topic: str | None, variant: str, sender: EmailSender | SmsSender
) -> dict[str, dict[str, str]]:
    """`campaign`, `variant` and `sender` as templates see them; what is not declared is empty."""
    return {
        "campaign": {"name": campaign, "purpose": purpose, "topic": topic or purpose},
        "variant": {"name": variant},
        "sender": _sender(sender),
    }


def _sender(sender: EmailSender | SmsSender) -> dict[str, str]:
    if isinstance(sender, SmsSender):
        return {"from": sender.from_}
    name, address = name_and_address(sender.from_)
    return {
        "from": sender.from_,
        "name": name,
        "address": address,
        "reply_to": sender.reply_to or address,
        "postal_address": sender.postal_address or "",
    }
