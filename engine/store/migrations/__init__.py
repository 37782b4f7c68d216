"""The store's schema, brought up to date by Alembic."""

from __future__ import annotations

from pathlib import Path

from engine.errors import Refused
from engine.store.database import Database

_HERE = Path(__file__).parent


def prepare(database: Database) -> None:
    """Make the tables, or bring an older store up to date; on a current store change nothing.

    Raises:
        Refused: the store was written by a newer release.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    script = ScriptDirectory.from_config(config)
    with database.read() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    if current == script.get_current_head():
        return
    if current is not None and current not in {revision.revision for revision in script.walk_revisions()}:
        raise Refused(
            f"this store was written by a newer release (schema {current}); "
            "install that release of campaign-engine, or restore a backup"
        )
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
