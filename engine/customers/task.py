"""What is to be imported, and how it is to be read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from engine.customers.layout import Layout

Progress = Callable[[str, float], None]
"""Is told what is being done, and the share (0–1) of it that is done."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One file, with everything that was said about it."""

    layout: Layout
    path: Path
    mapping: Mapping[str, str]
    """Our names of columns → the file's."""
    source: str
    through: datetime | None
    max_rejects: float
    """0–1."""
    rejects: Path
    now: datetime
    currency: str | None
    timezone: str | None
    on_progress: Progress
    orders_known: bool = False
    """Orders were imported, so that a purchase event would count twice."""

    def key(self, fingerprint: str) -> str:
        """Hash of the file and of all that decides what its rows become."""
        reading = [self.layout.kind, self.source, sorted(self.mapping.items()), self.currency, self.timezone]
        return hashlib.sha256(json.dumps([fingerprint, *reading]).encode()).hexdigest()
