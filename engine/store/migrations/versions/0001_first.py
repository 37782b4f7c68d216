"""The first schema."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

KEY = sa.String().with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.BigInteger()
PROPERTIES = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", ID, autoincrement=False, nullable=False),
        sa.Column("prev", KEY, nullable=False),
        sa.Column("sha256", KEY, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("subject", KEY, nullable=True),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.CheckConstraint("seq > 0", name=op.f("ck_audit_positive")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
    )
    op.create_table(
        "blob",
        sa.Column("sha256", KEY, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_blob")),
    )
    op.create_table(
        "customer",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("customer_id", KEY, nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("email_hash", sa.LargeBinary(), nullable=True),
        sa.Column("phone_hash", sa.LargeBinary(), nullable=True),
        sa.Column("first_name", sa.Text(), nullable=True),
        sa.Column("last_name", sa.Text(), nullable=True),
        sa.Column("gender", sa.Text(), nullable=True),
        sa.Column("birth_date", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("postal_code", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("timezone", sa.Text(), nullable=True),
        sa.Column("signed_up_at", INSTANT, nullable=True),
        sa.Column("email_consent", sa.Boolean(), nullable=True),
        sa.Column("sms_consent", sa.Boolean(), nullable=True),
        sa.Column("attributes", PROPERTIES, nullable=False),
        sa.Column("person_salt", sa.LargeBinary(), nullable=True),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer")),
        sa.UniqueConstraint("customer_id", name=op.f("uq_customer_customer_id")),
    )
    op.create_index(op.f("ix_customer_email_hash"), "customer", ["email_hash"], unique=False)
    op.create_index(op.f("ix_customer_phone_hash"), "customer", ["phone_hash"], unique=False)
    op.create_table(
        "event",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("source", KEY, nullable=False),
        sa.Column("event_id", KEY, nullable=False),
        sa.Column("customer_id", ID, nullable=False),
        sa.Column("message_id", ID, nullable=True),
        sa.Column("name", KEY, nullable=False),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("properties", PROPERTIES, nullable=True),
        sa.Column("machine", sa.Boolean(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("source", "event_id", name=op.f("uq_event_source_event_id")),
    )
    op.create_index(
        op.f("ix_event_of_customer"),
        "event",
        ["name", "customer_id", "occurred_at", "value", "recorded_at", "machine"],
        unique=False,
    )
    op.create_table(
        "global_holdout",
        sa.Column("period", KEY, nullable=False),
        sa.Column("customer_id", ID, nullable=False),
        sa.PrimaryKeyConstraint("period", "customer_id", name=op.f("pk_global_holdout")),
    )
    op.create_table(
        "import_file",
        sa.Column("sha256", KEY, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("source", KEY, nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("cursor", ID, nullable=False),
        sa.Column("rows", ID, nullable=False),
        sa.Column("rejected", ID, nullable=False),
        sa.Column("report", PROPERTIES, nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("finished_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_import_file")),
    )
    op.create_table(
        "lane",
        sa.Column("campaign", KEY, nullable=False),
        sa.Column("per_second", sa.Float(), nullable=False),
        sa.Column("next_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("campaign", name=op.f("pk_lane")),
    )
    op.create_table(
        "meta",
        sa.Column("key", KEY, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_meta")),
    )
    op.create_table(
        "order_line",
        sa.Column("order_id", KEY, nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("customer_id", ID, nullable=False),
        sa.Column("ordered_at", INSTANT, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("amount", sa.Float(), nullable=False),
        sa.Column("quantity", sa.Float(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("margin", sa.Float(), nullable=True),
        sa.Column("product_id", sa.Text(), nullable=True),
        sa.Column("product_name", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("taste", sa.Text(), nullable=True),
        sa.Column("brand", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("order_id", "line", name=op.f("pk_order_line")),
    )
    op.create_index(op.f("ix_order_line_customer_id"), "order_line", ["customer_id"], unique=False)
    op.create_table(
        "skeleton",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("sha256", KEY, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_skeleton")),
        sa.UniqueConstraint("sha256", name=op.f("uq_skeleton_sha256")),
    )
    op.create_table(
        "source",
        sa.Column("source", KEY, nullable=False),
        sa.Column("event", KEY, nullable=False),
        sa.Column("through", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("source", "event", name=op.f("pk_source")),
    )
    op.create_table(
        "suppression",
        sa.Column("channel", KEY, nullable=False),
        sa.Column("address_hash", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("channel", "address_hash", name=op.f("pk_suppression")),
    )
    op.create_table(
        "consent",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("customer_id", ID, nullable=False),
        sa.Column("channel", KEY, nullable=False),
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_consent_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
        sa.UniqueConstraint("customer_id", "channel", "at", name=op.f("uq_consent_customer_id_channel_at")),
    )
    op.create_index(op.f("ix_consent_customer_id"), "consent", ["customer_id"], unique=False)
    op.create_table(
        "draft",
        sa.Column("campaign", KEY, nullable=False),
        sa.Column("sha256", KEY, nullable=False),
        sa.Column("planned_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["sha256"], ["blob.sha256"], name=op.f("fk_draft_sha256")),
        sa.PrimaryKeyConstraint("campaign", name=op.f("pk_draft")),
    )
    op.create_table(
        "round",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("campaign", KEY, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("paused", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("plan", KEY, nullable=False),
        sa.Column("salt", KEY, nullable=False),
        sa.Column("launched_by", sa.Text(), nullable=False),
        sa.Column("launched_at", INSTANT, nullable=False),
        sa.Column("settles_at", INSTANT, nullable=True),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("decision", KEY, nullable=True),
        sa.Column("winner", KEY, nullable=True),
        sa.ForeignKeyConstraint(["plan"], ["blob.sha256"], name=op.f("fk_round_plan")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_round")),
        sa.UniqueConstraint("campaign", "number", name=op.f("uq_round_campaign_number")),
    )
    op.create_index(
        "one_running_round",
        "round",
        ["campaign"],
        unique=True,
        sqlite_where=sa.text("state IN ('awaiting_approval', 'open', 'settling')"),
        postgresql_where=sa.text("state IN ('awaiting_approval', 'open', 'settling')"),
    )
    op.create_table(
        "approval",
        sa.Column("round_id", ID, nullable=False),
        sa.Column("person", KEY, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("fk_approval_round_id")),
        sa.PrimaryKeyConstraint("round_id", "person", name=op.f("pk_approval")),
    )
    op.create_table(
        "entry",
        sa.Column("round_id", ID, nullable=False),
        sa.Column("customer_id", ID, nullable=False),
        sa.Column("wave_id", ID, nullable=False),
        sa.Column("arm", KEY, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("entered_at", INSTANT, nullable=False),
        sa.Column("commitment", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("fk_entry_round_id")),
        sa.PrimaryKeyConstraint("round_id", "customer_id", name=op.f("pk_entry")),
    )
    op.create_index(op.f("ix_entry_customer_id"), "entry", ["customer_id"], unique=False)
    op.create_index(op.f("ix_entry_wave_id"), "entry", ["wave_id"], unique=False)
    op.create_table(
        "look",
        sa.Column("round_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("data_through", INSTANT, nullable=True),
        sa.Column("final", sa.Boolean(), nullable=False),
        sa.Column("evidence", KEY, nullable=False),
        sa.Column("verdict", KEY, nullable=False),
        sa.ForeignKeyConstraint(["evidence"], ["blob.sha256"], name=op.f("fk_look_evidence")),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("fk_look_round_id")),
        sa.ForeignKeyConstraint(["verdict"], ["blob.sha256"], name=op.f("fk_look_verdict")),
        sa.PrimaryKeyConstraint("round_id", "number", name=op.f("pk_look")),
    )
    op.create_table(
        "proposal",
        sa.Column("round_id", ID, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("base", KEY, nullable=False),
        sa.Column("diff", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("fk_proposal_round_id")),
        sa.PrimaryKeyConstraint("round_id", name=op.f("pk_proposal")),
    )
    op.create_table(
        "wave",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("round_id", ID, nullable=False),
        sa.Column("slot", KEY, nullable=False),
        sa.Column("channel", KEY, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("audience", KEY, nullable=True),
        sa.ForeignKeyConstraint(["audience"], ["blob.sha256"], name=op.f("fk_wave_audience")),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("fk_wave_round_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wave")),
        sa.UniqueConstraint("round_id", "slot", name=op.f("uq_wave_round_id_slot")),
    )
    op.create_table(
        "batch",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("wave_id", ID, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("lease_until", INSTANT, nullable=True),
        sa.Column("token", KEY, nullable=True),
        sa.ForeignKeyConstraint(["wave_id"], ["wave.id"], name=op.f("fk_batch_wave_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch")),
    )
    op.create_index(op.f("ix_batch_state_due_at"), "batch", ["state", "due_at"], unique=False)
    op.create_index(op.f("ix_batch_wave_id"), "batch", ["wave_id"], unique=False)
    op.create_table(
        "exclusion",
        sa.Column("wave_id", ID, nullable=False),
        sa.Column("customer_id", ID, nullable=False),
        sa.Column("reason", KEY, nullable=False),
        sa.ForeignKeyConstraint(["wave_id"], ["wave.id"], name=op.f("fk_exclusion_wave_id")),
        sa.PrimaryKeyConstraint("wave_id", "customer_id", name=op.f("pk_exclusion")),
    )
    op.create_table(
        "message",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("wave_id", ID, nullable=False),
        sa.Column("customer_id", ID, nullable=False),
        sa.Column("batch_id", ID, nullable=True),
        sa.Column("state", KEY, nullable=False),
        sa.Column("reason", KEY, nullable=True),
        sa.Column("call_id", ID, nullable=True),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("not_before", INSTANT, nullable=False),
        sa.Column("provider_id", sa.Text(), nullable=True),
        sa.Column("fate", KEY, nullable=True),
        sa.Column("skeleton_id", ID, nullable=True),
        sa.Column("values", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["wave_id"], ["wave.id"], name=op.f("fk_message_wave_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("wave_id", "customer_id", name=op.f("uq_message_wave_id_customer_id")),
    )
    op.create_index(op.f("ix_message_batch_id"), "message", ["batch_id"], unique=False)
    op.create_index(op.f("ix_message_call_id"), "message", ["call_id"], unique=False)
    op.create_index(op.f("ix_message_customer_id"), "message", ["customer_id"], unique=False)
    op.create_table(
        "call",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("batch_id", ID, nullable=False),
        sa.Column("provider", KEY, nullable=False),
        sa.Column("token", KEY, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sent_at", INSTANT, nullable=False),
        sa.Column("answered_at", INSTANT, nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_call_batch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call")),
    )
    op.create_index(op.f("ix_call_batch_id"), "call", ["batch_id"], unique=False)
