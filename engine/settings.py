"""What the environment or `.env` says: where the store is, which keys sign links."""

from __future__ import annotations

import secrets
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

KEY_FILE = Path(".campaign") / "secret_keys"


class Settings(BaseSettings):
    """Read once at the entry point and handed down."""

    model_config = SettingsConfigDict(env_prefix="CAMPAIGN_", env_file=".env", extra="ignore", frozen=True)

    database_url: str = Field("sqlite:///campaign.db", description="Where the store is")
    secret_keys: str = Field("", description="Comma-separated; the newest signs, older ones still verify")
    public_url: str = Field("http://localhost:8000", description="Where links in messages lead")
    outbox: Path = Field(Path("outbox"), description="Folder that the outbox channel writes to")

    def signing_keys(self, folder: Path) -> list[str]:
        """The keys, newest first; without any, one is made and kept beside the YAML for this machine."""
        keys = [key.strip() for key in self.secret_keys.split(",") if key.strip()]
        return keys or [_own_key(folder / KEY_FILE)]


def _own_key(path: Path) -> str:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(32) + "\n")
        fresh.rename(path)
    return path.read_text().strip()
