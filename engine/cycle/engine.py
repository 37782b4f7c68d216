"""What the steps of the cycle are handed: the store, the settings and the calendar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from engine.customers.sources import known_at
from engine.declare.spec import Schedule
from engine.model import AsOf
from engine.settings import Settings
from engine.store.database import Database

SOFTWARE = "0.1.0"


class Calendar(Protocol):
    """Says when a schedule sends; `schedule.scheduler.slots` is the real one."""

    def __call__(
        self,
        schedule: Schedule | None,
        zone: ZoneInfo,
        *,
        after: datetime,
        before: datetime,
        launched: datetime | None = None,
        most: int = ...,
    ) -> list[datetime]: ...


@dataclass(frozen=True, kw_only=True)
class Clock:
    """The entry point's clock, handed down."""

    now: Callable[[], datetime]
    """The round's time; it may be pretended, and then stands still."""
    wall: Callable[[], datetime]
    """The machine's time, on which leases run."""


@dataclass(frozen=True, kw_only=True)
class Engine:
    """One project's engine. Cheap to hand around; it holds no state of any round."""

    database: Database
    settings: Settings
    calendar: Calendar
    file: Path
    """campaigns.yaml."""
    pretended: bool = False
    """Whether `now` is pretended; what is known then is what the store knows at the real time."""
    real_now: datetime | None = None
    """The clock in pretended time."""

    def as_of(self, now: datetime) -> AsOf:
        """What may be seen at a time; an unfinished import is not."""
        latest = max(now, self.real_now) if self.pretended and self.real_now else now
        with self.database.read() as connection:
            return AsOf(at=now, known_at=known_at(connection, latest))

    @property
    def root(self) -> Path:
        """The project's folder: templates, outbox, halt file and keys are there."""
        return self.file.parent

    @property
    def halt_file(self) -> Path:
        """While this file exists nothing is claimed."""
        return self.root / ".campaign" / "halt"
