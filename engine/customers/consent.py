"""Who may be messaged where: addresses in one form, their hashes, consent over time, suppression.

An unsubscription or a complaint withdraws consent from its time on and suppresses the address;
a hard bounce suppresses it. A suppressed address stays so: the list is keyed by the address's
hash, so that it outlives the customer's data.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache
from hashlib import blake2b

from sqlalchemy import Connection, text

from engine.store.tables import to_micros

_PLAIN_EMAIL = re.compile(
    r"(?=.{1,254}$)(?=.{1,64}@)[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])",
    re.IGNORECASE,
)
_INTERNATIONAL = re.compile(r"\+[1-9][0-9]{6,14}")
_CHANNELS = ("email", "sms")
WITHDRAWALS = ("unsubscribed", "complained")
HEEDED = (*WITHDRAWALS, "bounced")
"""Events that change what may be sent."""


def normalise_email(address: str) -> str:
    """The address with its domain in lower case.

    Raises:
        ValueError: it is no email address.
    """
    address = address.strip()
    if _PLAIN_EMAIL.fullmatch(address):
        local, _, domain = address.rpartition("@")
        return f"{local}@{domain.lower()}"
    from email_validator import EmailNotValidError, validate_email

    try:
        return validate_email(address, check_deliverability=False, strict=True).normalized
    except EmailNotValidError as error:
        raise ValueError(f"{address!r} is no email address: {error}") from None


def normalise_phone(number: str, country: str | None) -> str:
    """The number as E.164, such as +4915550000000.

    Args:
        country: ISO 3166 alpha-2 of where a number without country code is dialled.

    Raises:
        ValueError: it is no phone number, or has no country code and no country is known.
    """
    number = number.strip()
    if _INTERNATIONAL.fullmatch(number) and _possible(number[:4], len(number)):
        return number
    import phonenumbers

    try:
        parsed = phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException:
        raise ValueError(_no_phone(number, country)) from None
    if not phonenumbers.is_possible_number(parsed):
        raise ValueError(_no_phone(number, country))
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


@cache
def _possible(start: str, length: int) -> bool:
    """Whether numbers that begin so may have this length; that hangs on the country code alone."""
    import phonenumbers

    try:
        return bool(phonenumbers.is_possible_number(phonenumbers.parse(start.ljust(length, "1"))))
    except phonenumbers.NumberParseException:
        return False


def _no_phone(number: str, country: str | None) -> str:
    if not number.startswith("+") and country is None:
        return f"{number!r} has no country code, and the customer no country; write it as +49…"
    return f"{number!r} is no phone number"


def address_hash(channel: str, address: str) -> bytes:
    """16 bytes that stand for an address on the suppression list; case does not count.

    Raises:
        ValueError: the address is none for this channel.
    """
    match channel:
        case "email":
            return hashed(normalise_email(address))
        case "sms":
            return hashed(normalise_phone(address, None))
    raise ValueError(f"{channel!r} has no addresses; it is one of {', '.join(_CHANNELS)}")


def hashed(normalised: str) -> bytes:
    """The hash of an address that is in its normal form already."""
    return blake2b(normalised.lower().encode(), digest_size=16).digest()


def suppress(connection: Connection, channel: str, address: str, reason: str, at: datetime) -> None:
    """Never message this address again; the first reason stays.

    Raises:
        ValueError: the address is none for this channel.
    """
    connection.execute(
        text("INSERT INTO suppression (channel, address_hash, reason, at) VALUES (:channel, :hash, :reason, :at) "
             "ON CONFLICT (channel, address_hash) DO NOTHING"),
        {"channel": channel, "hash": address_hash(channel, address), "reason": reason, "at": to_micros(at)},
    )  # fmt: skip


# --- what events mean for consent, as sets ---------------------------------------------------------------


def heed(connection: Connection, happened: str, *, source: str) -> None:
    """Draw the consequences of events: withdrawn consent, suppressed addresses.

    Args:
        happened: a subselect of events with the columns customer_id (the customer's row), name,
            occurred_at and properties. The property `channel` names the channel, else it is
            email; a bounce is hard where its property `type` is hard or permanent.
    """
    channel, kind = (_property(connection, key) for key in ("channel", "type"))
    events = (
        f"SELECT e.customer_id, e.name, e.occurred_at, CASE WHEN {channel} IN ('email', 'sms') THEN {channel} "
        f"ELSE 'email' END AS channel FROM ({happened}) e "
        f"WHERE e.name IN {WITHDRAWALS} OR (e.name = 'bounced' AND {kind} IN ('hard', 'permanent'))"
    )
    connection.execute(
        text(
            "INSERT INTO consent (customer_id, channel, given, at, source) "
            f"SELECT customer_id, channel, false, occurred_at, :source FROM ({events}) e "
            f"WHERE name IN {WITHDRAWALS} GROUP BY customer_id, channel, occurred_at "
            "ON CONFLICT (customer_id, channel, at) DO UPDATE SET given = false"
        ),
        {"source": source},
    )
    for name in _CHANNELS:
        restate(connection, name, f"SELECT customer_id FROM ({events}) e WHERE channel = '{name}'")
    _suppress_all(connection, events)


def keep_suppressed(connection: Connection, people: str) -> None:
    """Suppress the present addresses of customers who unsubscribed or complained under whatever address.

    Args:
        people: a subselect of the customers' rows with the column id.
    """
    channel = _property(connection, "channel")
    events = (
        f"SELECT e.customer_id, e.name, e.occurred_at, CASE WHEN {channel} IN ('email', 'sms') THEN {channel} "
        f"ELSE 'email' END AS channel FROM ({people}) p CROSS JOIN event e "
        f"WHERE e.customer_id = p.id AND e.name IN {WITHDRAWALS}"
    )
    _suppress_all(connection, events)


def _suppress_all(connection: Connection, events: str) -> None:
    connection.execute(
        text(
            "INSERT INTO suppression (channel, address_hash, reason, at) "
            "SELECT channel, address_hash, min(name), min(occurred_at) FROM ("
            "SELECT e.*, CASE e.channel WHEN 'sms' THEN c.phone_hash ELSE c.email_hash END AS address_hash "
            f"FROM ({events}) e JOIN customer c ON c.id = e.customer_id) hit "
            "WHERE address_hash IS NOT NULL GROUP BY channel, address_hash "
            "ON CONFLICT (channel, address_hash) DO NOTHING"
        )
    )


def restate(connection: Connection, channel: str, people: str) -> int:
    """Set the consent columns of customers to the newest entry of their history; how many changed.

    Args:
        channel: email or sms.
        people: a subselect of ids of customers' rows.
    """
    column = f"{channel}_consent"
    newest = (
        f"(SELECT k.given FROM consent k WHERE k.customer_id = customer.id AND k.channel = '{channel}' "
        "ORDER BY k.at DESC LIMIT 1)"
    )
    changed = connection.execute(
        text(
            f"UPDATE customer SET {column} = {newest} WHERE id IN ({people}) "
            f"AND ({column} IS NULL OR {column} <> {newest}) AND {newest} IS NOT NULL"
        )
    )
    return changed.rowcount


def _property(connection: Connection, key: str) -> str:
    if connection.dialect.name == "sqlite":
        return f"json_extract(e.properties, '$.{key}')"
    return f"(e.properties ->> '{key}')"
