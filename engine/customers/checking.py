"""From text to typed rows: what each kind of file must hold, row by row."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b

import polars as pl

from engine.customers import parsing
from engine.customers.chunks import EXTRA, LINE, Chunk
from engine.customers.consent import hashed, normalise_email, normalise_phone
from engine.customers.layout import CUSTOMERS, EVENTS, ORDERS, Layout
from engine.customers.quality import Tally
from engine.customers.sieve import Clock, Sieve
from engine.customers.source_file import Reject

Checked = tuple[pl.DataFrame, list[Reject]]
HASH = "_hash"
"""A column of 64-bit hashes by which repeated event ids are found."""


def check(
    chunk: Chunk, layout: Layout, tally: Tally, clock: Clock, *, currency: str | None, orders_known: bool
) -> Checked:
    """The chunk's rows with typed columns, and its rejects; both are counted.

    Args:
        currency: of order lines that name none.
        orders_known: orders were imported, so that a purchase event would count twice.
    """
    sieve = Sieve(chunk, tally, clock)
    match layout.kind:
        case CUSTOMERS.kind:
            _customers(sieve)
        case ORDERS.kind:
            _orders(sieve, currency)
        case _:
            _events(sieve, orders_known=orders_known)
    rows, rejects = sieve.rows(), sieve.rejects()
    _count(tally, chunk, layout, rows, rejects)
    return rows, rejects


def _count(tally: Tally, chunk: Chunk, layout: Layout, rows: pl.DataFrame, rejects: list[Reject]) -> None:
    tally.rows += len(rows) + len(rejects)
    tally.reasons.update(reject.reason for reject in rejects)
    tally.dropped.update(chunk.dropped)
    filled = rows.select(pl.col(*layout.fields).is_not_null().sum()).row(0, named=True)
    tally.filled.update(filled)
    time = {ORDERS.kind: "ordered_at", EVENTS.kind: "occurred_at"}.get(layout.kind)
    if layout.kind == EVENTS.kind:
        tally.names.update(rows["name"].unique())
    if time is not None and len(rows):
        tally.span(*rows.select(pl.col(time).min(), pl.col(time).max().alias("last")).row(0))


# --- customers -----------------------------------------------------------------------------------------


def _customers(sieve: Sieve) -> None:
    sieve.key("customer_id")
    sieve.fields(*CUSTOMERS.fields, EXTRA)
    sieve.day("birth_date")
    for name in ("signed_up_at", "email_consent_at", "sms_consent_at"):
        sieve.instant(name)
    _codes(sieve)
    _addresses(sieve)


def _codes(sieve: Sieve) -> None:
    conversions: dict[str, tuple[Callable[[str], str | bool | None], str]] = {
        "country": (parsing.country, "no country that we know by code or English name"),
        "timezone": (parsing.timezone, "no IANA time zone such as Europe/Berlin"),
        "language": (parsing.language, "no language code such as de or pt-BR"),
        "email_consent": (parsing.truth, "neither true nor false, and counts as unknown"),
        "sms_consent": (parsing.truth, "neither true nor false, and counts as unknown"),
    }
    for name, (convert, complaint) in conversions.items():
        dtype = pl.Boolean if name.endswith("_consent") else pl.String
        values = parsing.each(sieve.frame[name], convert, dtype)
        sieve.replace(name, values, f"{name} is {complaint}")


def _addresses(sieve: Sieve) -> None:
    emails = [address and _email(address) for address in sieve.frame["email"]]
    sieve.replace("email", pl.Series(emails, dtype=pl.String), "email is no usable address")
    numbers = sieve.frame.select("phone", "country").rows()
    phones = [number and _phone(number, country) for number, country in numbers]
    sieve.replace("phone", pl.Series(phones, dtype=pl.String), "phone is no usable number")
    sieve.frame = sieve.frame.with_columns(
        pl.Series([email and hashed(email) for email in emails], dtype=pl.Binary).alias("email_hash"),
        pl.Series([phone and hashed(phone) for phone in phones], dtype=pl.Binary).alias("phone_hash"),
    )


def _email(address: str) -> str | None:
    try:
        return normalise_email(address)
    except ValueError:
        return None


def _phone(number: str, country: str | None) -> str | None:
    try:
        return normalise_phone(number, country)
    except ValueError:
        return None


# --- orders ----------------------------------------------------------------------------------------------


def _orders(sieve: Sieve, currency: str | None) -> None:
    sieve.key("order_id")
    sieve.key("customer_id")
    sieve.key("product_id", required=False)
    sieve.instant("ordered_at", required=True)
    sieve.number("amount", required=True)
    sieve.number("quantity")
    sieve.number("margin")
    sieve.fields("product_name", "category", "taste", "brand")
    sieve.frame = sieve.frame.with_columns(
        pl.col("quantity").fill_null(1.0), pl.col("currency").str.to_uppercase().fill_null(pl.lit(currency, pl.String))
    )
    amount, quantity = pl.col("amount"), pl.col("quantity")
    # Some shops write what went back with its price above zero.
    turned = (quantity < 0) & (amount > 0)
    sieve.frame = sieve.frame.with_columns(
        pl.when(turned).then(-pl.col(name)).otherwise(pl.col(name)).alias(name) for name in ("amount", "margin")
    )
    sieve.refuse(quantity == 0, "quantity is 0")
    sieve.refuse((quantity > 0) & (amount < 0), "amount is negative and quantity is not; a return has both negative")
    sieve.refuse(
        ~pl.col("currency").str.contains("^[A-Z]{3}$"), "currency is no code of three letters such as EUR (ISO 4217)"
    )


# --- events ----------------------------------------------------------------------------------------------


def _events(sieve: Sieve, *, orders_known: bool) -> None:
    sieve.key("customer_id")
    sieve.key("name")
    sieve.key("event_id", required=False)
    sieve.instant("occurred_at", required=True)
    sieve.number("value")
    sieve.fields(EXTRA)
    if orders_known:
        sieve.refuse(
            pl.col("name") == "purchase", "purchases come from the imported orders; here they would count twice"
        )
    _identify(sieve)


def _identify(sieve: Sieve) -> None:
    """An event without an id gets one from its content, so that the same event is the same row in every file."""
    nameless = sieve.frame["event_id"].is_null() & sieve.accepted
    if nameless.any():
        content = sieve.frame.filter(nameless).select("customer_id", "name", "occurred_at", "value", EXTRA)
        ids = pl.Series([content_id(row) for row in content.rows()], dtype=pl.String)
        sieve.frame = sieve.frame.with_columns(sieve.frame["event_id"].scatter(nameless.arg_true(), ids))
        sieve.tally.note("event_id is missing; the event's content stands in for it", _lines(sieve, nameless))
    sieve.frame = sieve.frame.with_columns(pl.col("event_id").hash().reinterpret(signed=True).alias(HASH))


def _lines(sieve: Sieve, rows: pl.Series) -> list[int]:
    return sieve.frame[LINE].filter(rows).to_list()


def content_id(content: tuple[object, ...]) -> str:
    """A stable id of an event: hash of customer, name, time, value and properties."""
    return "content-" + blake2b(repr(content).encode(), digest_size=16).hexdigest()
