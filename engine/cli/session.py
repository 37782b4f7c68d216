"""What every verb is handed: the options before the verb, and the ways to open things."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import FixYourSettings, Refused

if TYPE_CHECKING:
    from engine.cycle.engine import Engine
    from engine.declare.load import Declared
    from engine.model import AsOf
    from engine.schedule.worker import Project
    from engine.settings import Settings
    from engine.store.database import Database


@dataclass
class Session:
    """One call of the command line."""

    file: Path
    database: str | None
    at: datetime | None
    """The pretended instant, or None for the clock."""
    acting: str | None

    @cached_property
    def settings(self) -> Settings:
        """Settings from the environment and `.env`, with the options before the verb on top."""
        from pydantic import ValidationError

        from engine.settings import Settings

        try:
            settings = Settings()
        except ValidationError as error:
            lines = [f"CAMPAIGN_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors()]
            raise FixYourSettings("\n".join(lines)) from None
        url = self.database or settings.database_url
        return settings.model_copy(update={"database_url": _beside(url, self.file)})

    @property
    def database_url(self) -> str:
        return self.settings.database_url

    def now(self) -> datetime:
        """The pretended instant, else where a store that pretends has got to, else the clock."""
        return self.at or self._reached() or datetime.now(UTC)

    def _reached(self) -> datetime | None:
        """The clock of a store in pretended time, where that is ahead of the real one."""
        from engine.store import pretended

        prefix, _, path = self.settings.database_url.partition(":///")
        if prefix == "sqlite" and not Path(path).exists():
            return None  # asking the time makes no store
        with self.open().read() as connection:
            reached = pretended.latest(connection)
        return reached if reached is not None and reached > datetime.now(UTC) else None

    def as_of(self) -> AsOf:
        """What may be seen now."""
        from engine.customers.sources import known_at
        from engine.model import AsOf

        now = self.now()
        with self.open().read() as connection:
            return AsOf(at=now, known_at=known_at(connection, max(now, datetime.now(UTC))))

    def declared(self) -> Declared:
        """The declared campaigns, checked."""
        from engine.cycle.validate import checked

        return checked(self.file)

    @cached_property
    def _store(self) -> Database:
        from engine.store import migrations
        from engine.store.database import open_database

        database = open_database(self.settings.database_url)
        migrations.prepare(database)
        return database

    def open(self) -> Database:
        """The store, made where it is missing."""
        return self._store

    def project(self, *, moves: bool = False) -> Project:
        """What sending processes are started with.

        Args:
            moves: the verb changes the store; pretended time is then marked in it.
        """
        from engine.schedule.worker import Project
        from engine.store import pretended

        database = self.open()
        if moves and self.at is not None:
            with database.write() as connection:
                pretended.move_to(connection, self.at)
        elif moves and (reached := self._reached()) is not None:
            raise Refused(
                f"this store has got to {reached:%Y-%m-%dT%H:%M:%SZ} in pretended time; "
                "go on with --at and that time or a later one"
            )
        return Project(file=self.file.resolve(), settings=self.settings, at=self.at)

    def engine(self, *, moves: bool = False) -> Engine:
        """The engine of this project."""
        return self.project(moves=moves).engine()

    @property
    def actor(self) -> str:
        """Who acts: `--as`, else the git identity."""
        return self.acting or _git_identity() or "unknown"


def _beside(url: str, file: Path) -> str:
    """A relative SQLite file stands beside the YAML, wherever the command is called from."""
    prefix = "sqlite:///"
    path = url.removeprefix(prefix)
    if not url.startswith(prefix) or path.startswith("/") or path in ("", ":memory:"):
        return url
    return f"{prefix}{file.resolve().parent / path}"


def _git_identity() -> str | None:
    try:
        done = subprocess.run(
            ["git", "config", "user.email"],  # noqa: S607 - git is found as the person's shell finds it
            capture_output=True, text=True, check=False, timeout=10,
        )  # fmt: skip
    except OSError:
        return None
    return done.stdout.strip() or None
