"""Files to import, and what is in the store afterwards."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Table, select

from engine.customers.importing import import_file
from engine.customers.quality import ImportReport
from engine.store.database import Database
from engine.store.tables import consent, customer, event, order_line, source, suppression

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)


def written(text: str, name: str = "file.csv") -> Path:
    """A file with this text in the present folder."""
    path = Path(name)
    path.write_bytes(text.encode())
    return path


def bring(database: Database, kind: str, file: Path | str, **options: Any) -> ImportReport:
    """Import a file (or the text of one) with what the command line would say by default."""
    path = file if isinstance(file, Path) else written(file)
    given: dict[str, Any] = {
        "mapping": {}, "source": None, "through": None, "max_rejects": 0.05, "rejects": Path("rejects.csv"), "now": NOW,
    }  # fmt: skip
    return import_file(database, kind, path, **{**given, **options})


def rejected() -> list[tuple[int, str, str]]:
    """Line, reason and text of the reject file."""
    with Path("rejects.csv").open(newline="", encoding="utf-8") as file:
        return [(int(row["line"]), row["reason"], row["row"]) for row in csv.DictReader(file)]


def rows(database: Database, table: Table, *columns: str) -> list[tuple[Any, ...]]:
    """Some columns of a table, in their own order."""
    with database.read() as connection:
        found = connection.execute(select(*(table.c[name] for name in columns)))
        return sorted((tuple(row) for row in found), key=repr)


def customers(database: Database) -> dict[str, dict[str, Any]]:
    """Every customer by key, without what the engine keeps for itself."""
    with database.read() as connection:
        found = connection.execute(select(customer)).mappings()
        return {
            row["customer_id"]: {
                name: value
                for name, value in row.items()
                if name not in ("id", "customer_id", "person_salt", "recorded_at", "email_hash", "phone_hash")
                and value not in (None, {})
            }
            for row in found
        }


def contents(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """All that imports write, with customers by key and without ids and salts."""
    with database.read() as connection:
        keys = {row.id: row.customer_id for row in connection.execute(select(customer.c.id, customer.c.customer_id))}
        every: dict[str, list[tuple[Any, ...]]] = {}
        for table in (customer, consent, suppression, event, order_line, source):
            hidden = {"id", "person_salt"}
            found = connection.execute(select(table)).mappings()
            plain = [
                tuple(
                    keys[value] if name == "customer_id" and table is not customer else value
                    for name, value in row.items()
                    if name not in hidden
                )
                for row in found
            ]
            every[table.name] = sorted(plain, key=repr)
    return every
