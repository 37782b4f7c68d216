"""The tables, as SQLAlchemy Core declarations: one place that says what is stored.

Instants are integers (microseconds since 1970, UTC), so that the same arithmetic runs
on SQLite and PostgreSQL. Text keys collate by code point on both stores, because
tie-breaks by key would differ otherwise.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def to_micros(at: datetime) -> int:
    """Microseconds since 1970 of an aware instant."""
    return (at - EPOCH) // MICROSECOND


def from_micros(micros: int) -> datetime:
    """The aware UTC instant of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=micros)


class Instant(TypeDecorator[datetime]):
    """An aware instant in Python, an integer of microseconds in the store."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | int | None, _: Dialect) -> int | None:
        return to_micros(value) if isinstance(value, datetime) else value

    def process_result_value(self, value: int | None, _: Dialect) -> datetime | None:
        return None if value is None else from_micros(value)


Key = String().with_variant(Text(collation="C"), "postgresql")
Id = BigInteger().with_variant(Integer, "sqlite")
# SQLite gives out row ids only for a column declared INTEGER.
Properties = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> Column[Any]:
    return Column("id", Id, primary_key=True, autoincrement=True)


# --- people and what happened to them --------------------------------------------------------------

customer = Table(
    "customer",
    metadata,
    _id(),
    Column("customer_id", Key, nullable=False, unique=True),
    Column("email", Text),
    Column("phone", Text),
    Column("email_hash", LargeBinary),
    Column("phone_hash", LargeBinary),
    Column("first_name", Text),
    Column("last_name", Text),
    Column("gender", Text),
    Column("birth_date", Text),
    Column("country", Text),
    Column("region", Text),
    Column("city", Text),
    Column("postal_code", Text),
    Column("language", Text),
    Column("timezone", Text),
    Column("signed_up_at", Instant),
    Column("email_consent", Boolean),
    Column("sms_consent", Boolean),
    Column("attributes", Properties, nullable=False),
    Column("person_salt", LargeBinary),
    Column("recorded_at", Instant, nullable=False),
    Index(None, "email_hash"),
    Index(None, "phone_hash"),
)
"""`customer_id` is the marketer's own key; `id` is ours and what other tables refer to.
`*_consent` is the current state, `consent` its history. Country is ISO 3166 alpha-2,
birth_date ISO 8601, phone E.164, email lower-case in its domain. `*_hash` is
`consent.address_hash` of the normalised address, null without one."""

consent = Table(
    "consent",
    metadata,
    _id(),
    Column("customer_id", Id, ForeignKey("customer.id"), nullable=False, index=True),
    Column("channel", Key, nullable=False),
    Column("given", Boolean, nullable=False),
    Column("at", Instant, nullable=False),
    Column("source", Text),
    UniqueConstraint("customer_id", "channel", "at"),
)

suppression = Table(
    "suppression",
    metadata,
    Column("channel", Key, primary_key=True),
    Column("address_hash", LargeBinary, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("at", Instant, nullable=False),
)

event = Table(
    "event",
    metadata,
    _id(),
    Column("source", Key, nullable=False),
    Column("event_id", Key, nullable=False),
    Column("customer_id", Id, nullable=False),
    Column("message_id", Id),
    Column("name", Key, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("value", Float),
    Column("properties", Properties),
    Column("machine", Boolean, nullable=False, server_default="0"),
    UniqueConstraint("source", "event_id"),
    Index("ix_event_of_customer", "name", "customer_id", "occurred_at", "value", "recorded_at", "machine"),
)
"""`value` is a purchase's amount (net of its lines at import), or what the file says;
other numbers, such as `margin`, are properties. The index covers what conditions ask of an event."""

order_line = Table(
    "order_line",
    metadata,
    Column("order_id", Key, primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("customer_id", Id, nullable=False, index=True),
    Column("ordered_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("amount", Float, nullable=False),
    Column("quantity", Float, nullable=False),
    Column("currency", Text),
    Column("margin", Float),
    Column("product_id", Text),
    Column("product_name", Text),
    Column("category", Text),
    Column("taste", Text),
    Column("brand", Text),
)

import_file = Table(
    "import_file",
    metadata,
    Column("sha256", Key, primary_key=True),
    Column("kind", Key, nullable=False),
    Column("name", Text, nullable=False),
    Column("source", Key, nullable=False),
    Column("state", Key, nullable=False),
    Column("cursor", Id, nullable=False),
    Column("rows", Id, nullable=False),
    Column("rejected", Id, nullable=False),
    Column("report", Properties, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant),
)
"""`sha256` is of the file and of how it was read; `state` is applying or complete; `cursor` is how
many of the staged `rows` are applied; `report` is `quality.ImportReport`, without personal data."""

source = Table(
    "source",
    metadata,
    Column("source", Key, primary_key=True),
    Column("event", Key, primary_key=True),
    Column("through", Instant, nullable=False),
)
"""Up to when a source's data of an event are complete: the high-water mark."""

# --- campaigns in motion ----------------------------------------------------------------------------

global_holdout = Table(
    "global_holdout",
    metadata,
    Column("period", Key, primary_key=True),
    Column("customer_id", Id, primary_key=True),
)

blob = Table(
    "blob",
    metadata,
    Column("sha256", Key, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)
"""Sealed bytes (canonical JSON) by their hash."""

draft = Table(
    "draft",
    metadata,
    Column("campaign", Key, primary_key=True),
    Column("sha256", Key, ForeignKey("blob.sha256"), nullable=False),
    Column("planned_at", Instant, nullable=False),
)
"""The last plan shown for a campaign, so that the next one can say what changed."""

round_ = Table(
    "round",
    metadata,
    _id(),
    Column("campaign", Key, nullable=False),
    Column("number", Integer, nullable=False),
    Column("state", Key, nullable=False),
    Column("paused", Boolean, nullable=False, server_default="0"),
    Column("plan", Key, ForeignKey("blob.sha256"), nullable=False),
    Column("salt", Key, nullable=False),
    Column("launched_by", Text, nullable=False),
    Column("launched_at", Instant, nullable=False),
    Column("settles_at", Instant),
    Column("decided_at", Instant),
    Column("decision", Key),
    Column("winner", Key),
    UniqueConstraint("campaign", "number"),
    Index("one_running_round", "campaign", unique=True,
          sqlite_where=Column("state", Key).in_(["awaiting_approval", "open", "settling"]),
          postgresql_where=Column("state", Key).in_(["awaiting_approval", "open", "settling"])),
)  # fmt: skip
"""`settles_at` is set when the last wave is done: the end of the last window and one day."""

approval = Table(
    "approval",
    metadata,
    Column("round_id", Id, ForeignKey("round.id"), primary_key=True),
    Column("person", Key, primary_key=True),
    Column("at", Instant, nullable=False),
)

proposal = Table(
    "proposal",
    metadata,
    Column("round_id", Id, ForeignKey("round.id"), primary_key=True),
    Column("kind", Key, nullable=False),
    Column("base", Key, nullable=False),
    Column("diff", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("state", Key, nullable=False),
    Column("at", Instant, nullable=False),
)
"""The next round as a diff of the YAML; `base` is the hash of the file it applies to, `text` the file after it;
`state` is open (it waits for a person), automatic (for the engine), accepted or none."""

wave = Table(
    "wave",
    metadata,
    _id(),
    Column("round_id", Id, ForeignKey("round.id"), nullable=False),
    Column("slot", Key, nullable=False),
    Column("channel", Key, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("state", Key, nullable=False),
    Column("audience", Key, ForeignKey("blob.sha256")),
    UniqueConstraint("round_id", "slot"),
)
"""`slot` is the campaign's local time, so that a clock that folds still gives one wave;
`due_at` is when it is frozen: the slot itself or, on the recipients' clocks, the slot in
the earliest zone; `audience` are the sealed funnel, counts per arm and digest."""

entry = Table(
    "entry",
    metadata,
    Column("round_id", Id, ForeignKey("round.id"), primary_key=True),
    Column("customer_id", Id, primary_key=True),
    Column("wave_id", Id, nullable=False, index=True),
    Column("arm", Key, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("entered_at", Instant, nullable=False),
    Column("commitment", LargeBinary),
    Index(None, "customer_id"),
)
"""Everybody assigned, the holdout too. `position` is the hash order inside the wave; `entered_at`
is when the message would be due, known before the arm is."""

exclusion = Table(
    "exclusion",
    metadata,
    Column("wave_id", Id, ForeignKey("wave.id"), primary_key=True),
    Column("customer_id", Id, primary_key=True),
    Column("reason", Key, nullable=False),
)
"""Matched customers who were not assigned, with the first reason that held."""

message = Table(
    "message",
    metadata,
    _id(),
    Column("wave_id", Id, ForeignKey("wave.id"), nullable=False),
    Column("customer_id", Id, nullable=False),
    Column("batch_id", Id),
    Column("state", Key, nullable=False),
    Column("reason", Key),
    Column("call_id", Id, index=True),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("due_at", Instant, nullable=False),
    Column("not_before", Instant, nullable=False),
    Column("provider_id", Text),
    Column("fate", Key),
    Column("skeleton_id", Id),
    Column("values", Text),
    UniqueConstraint("wave_id", "customer_id"),
    Index(None, "customer_id"),
    Index(None, "batch_id"),
)
"""`due_at` never changes (missed and expired are counted from it); `not_before` moves on while
quiet hours or a provider's Retry-After make it wait."""

batch = Table(
    "batch",
    metadata,
    _id(),
    Column("wave_id", Id, ForeignKey("wave.id"), nullable=False, index=True),
    Column("size", Integer, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("state", Key, nullable=False),
    Column("lease_until", Instant),
    Column("token", Key),
    Index(None, "state", "due_at"),
)

call = Table(
    "call",
    metadata,
    _id(),
    Column("batch_id", Id, ForeignKey("batch.id"), nullable=False, index=True),
    Column("provider", Key, nullable=False),
    Column("token", Key, nullable=False),
    Column("size", Integer, nullable=False),
    Column("sent_at", Instant, nullable=False),
    Column("answered_at", Instant),
    Column("answer", Text),
)

skeleton = Table(
    "skeleton",
    metadata,
    _id(),
    Column("sha256", Key, nullable=False, unique=True),
    Column("body", Text, nullable=False),
)

lane = Table(
    "lane",
    metadata,
    Column("campaign", Key, primary_key=True),
    Column("per_second", Float, nullable=False),
    Column("next_at", Instant, nullable=False),
)
"""When the next lease of a campaign with a `max_rate` may begin."""

look = Table(
    "look",
    metadata,
    Column("round_id", Id, ForeignKey("round.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("data_through", Instant),
    Column("final", Boolean, nullable=False),
    Column("evidence", Key, ForeignKey("blob.sha256"), nullable=False),
    Column("verdict", Key, ForeignKey("blob.sha256"), nullable=False),
)
"""`evidence` are the sufficient statistics that the look saw, `verdict` what was concluded."""

# --- the record ------------------------------------------------------------------------------------

audit = Table(
    "audit",
    metadata,
    Column("seq", Id, primary_key=True, autoincrement=False),
    Column("prev", Key, nullable=False),
    Column("sha256", Key, nullable=False),
    Column("kind", Key, nullable=False),
    Column("actor", Text, nullable=False),
    Column("subject", Key),
    Column("payload", Text, nullable=False),
    Column("at", Instant, nullable=False),
    CheckConstraint("seq > 0", name="positive"),
)
"""Append-only; each entry hashes the one before. `subject` is a campaign's name or null.
No personal data."""

meta = Table("meta", metadata, Column("key", Key, primary_key=True), Column("value", Text, nullable=False))
"""store_id, clock (latest pretended instant), epoch."""
