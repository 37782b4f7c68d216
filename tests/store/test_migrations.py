"""The schema that migrations make is the one that tables.py declares."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from engine.errors import Refused
from engine.store import migrations
from engine.store.database import Database
from engine.store.tables import metadata


def test_migrations_make_the_declared_tables(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": False})
        assert compare_metadata(context, metadata) == []


def test_text_keys_collate_by_code_point(database: Database) -> None:
    with database.write() as connection:
        insert = "INSERT INTO meta (key, value) VALUES ('a', ''), ('B', ''), ('Ä', ''), ('_', '')"
        connection.execute(text(insert))
        found = connection.execute(text("SELECT key FROM meta ORDER BY key")).scalars().all()
    assert found == ["B", "_", "a", "Ä"]


def test_a_campaign_has_one_running_round(database: Database) -> None:
    with database.read() as connection:
        indexes = {index["name"]: index for index in inspect(connection).get_indexes("round")}
    assert indexes["one_running_round"]["unique"]


def test_preparing_again_changes_nothing(database: Database) -> None:
    migrations.prepare(database)


def test_a_store_of_a_newer_release_is_refused(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Refused, match="newer release \\(schema 9999\\)"):
        migrations.prepare(database)
