"""What the columns of a file may be, and which of ours each of its columns is."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.errors import FixYourData


@dataclass(frozen=True, kw_only=True)
class Layout:
    """One kind of file: the columns that we know, and what becomes of the others."""

    kind: str
    fields: tuple[str, ...]
    required: tuple[str, ...]
    others: str | None
    """`attributes` or `properties`; None: other columns are not kept."""
    nouns: str
    """What a row is, in the plural."""


CUSTOMERS = Layout(
    kind="customers",
    fields=(
        "customer_id", "email", "phone", "first_name", "last_name", "gender", "birth_date", "country", "region", "city",
        "postal_code", "language", "timezone", "signed_up_at", "email_consent", "email_consent_at",
        "email_consent_source", "sms_consent", "sms_consent_at", "sms_consent_source",
    ),
    required=("customer_id",),
    others="attributes",
    nouns="customers",
)  # fmt: skip
ORDERS = Layout(
    kind="orders",
    fields=(
        "order_id", "customer_id", "ordered_at", "amount", "quantity", "currency", "margin", "product_id",
        "product_name", "category", "taste", "brand",
    ),
    required=("order_id", "customer_id", "ordered_at", "amount"),
    others=None,
    nouns="order lines",
)  # fmt: skip
EVENTS = Layout(
    kind="events",
    fields=("event_id", "customer_id", "name", "occurred_at", "value"),
    required=("customer_id", "name", "occurred_at"),
    others="properties",
    nouns="events",
)
LAYOUTS = {layout.kind: layout for layout in (CUSTOMERS, ORDERS, EVENTS)}


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of the file under our name."""

    ours: str
    theirs: str
    index: int


def columns_of(header: Sequence[str], layout: Layout, mapping: Mapping[str, str]) -> tuple[Column, ...]:
    """Our names of a file's columns; a column without a name is left out.

    Args:
        mapping: ours → theirs, where the names differ.

    Raises:
        FixYourData: a column stands twice, a mapped or a required one is missing.
    """
    _refuse_twice(header)
    _refuse_unknown(header, mapping)
    places = {theirs: index for index, theirs in enumerate(header) if theirs}
    renamed = set(mapping.values())
    columns = [Column(ours=ours, theirs=theirs, index=places[theirs]) for ours, theirs in mapping.items()]
    columns += [
        Column(ours=theirs, theirs=theirs, index=index) for theirs, index in places.items() if theirs not in renamed
    ]
    _refuse_two_for_one(columns)
    _refuse_missing(columns, header, layout)
    return tuple(columns)


def _refuse_twice(header: Sequence[str]) -> None:
    for index, name in enumerate(header):
        if name and name in header[:index]:
            raise FixYourData(
                f"the column {name!r} stands twice in the header (columns {header.index(name) + 1} and {index + 1}); "
                "rename or remove one of them"
            )


def _refuse_unknown(header: Sequence[str], mapping: Mapping[str, str]) -> None:
    for ours, theirs in mapping.items():
        if theirs not in header:
            raise FixYourData(f"--map {ours}={theirs}: the file has no column {theirs!r}. {_it_has(header, theirs)}")


def _refuse_two_for_one(columns: Sequence[Column]) -> None:
    theirs_of: dict[str, str] = {}
    for column in columns:
        if column.ours in theirs_of:
            raise FixYourData(
                f"the columns {theirs_of[column.ours]!r} and {column.theirs!r} would both be {column.ours!r}; "
                f"give one of them another name, for example --map other_{column.ours}={column.theirs}"
            )
        theirs_of[column.ours] = column.theirs


def _refuse_missing(columns: Sequence[Column], header: Sequence[str], layout: Layout) -> None:
    present = {column.ours for column in columns}
    missing = [name for name in layout.required if name not in present]
    if missing:
        names = " and ".join(repr(name) for name in missing)
        raise FixYourData(
            f"{layout.kind} need the column{'s' if len(missing) > 1 else ''} {names}; "
            f"write --map {missing[0]}=THEIRS with the file's own name. {_it_has(header, missing[0])}"
        )


def _it_has(header: Sequence[str], wanted: str) -> str:
    near = difflib.get_close_matches(wanted.lower(), [name.lower() for name in header], n=1)
    meant = next((name for name in header if near and name.lower() == near[0]), None)
    shown = ", ".join(name or "(no name)" for name in header[:30]) + (", …" if len(header) > 30 else "")
    return f"Did you mean {meant!r}? It has: {shown}" if meant else f"It has: {shown}"
