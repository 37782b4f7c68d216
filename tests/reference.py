"""Reference data that is not part of the repository; a test that needs it skips where it is missing."""

from __future__ import annotations

from pathlib import Path

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"
