"""The sealed plan: all that a round executes and is judged from, as canonical bytes."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, select

from engine.cycle.rule import Rule
from engine.declare.resolve import Resolved
from engine.model import Arm
from engine.store import audit
from engine.store.tables import round_


class SealedPlan(BaseModel):
    """A plan as it is sealed at launch. It names no customer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = 1
    campaign: str
    round: int
    resolved: Resolved
    """The declaration with its defaults, metrics and segments' rules."""
    arms: tuple[Arm, ...]
    rule: Rule | None = None
    """How it will be judged; None without a hypothesis."""
    caps: dict[str, float]
    """By metric: what a larger sum per customer counts as, in the metric's unit."""
    baseline: float | None = None
    """The comparison's expected value of the primary metric."""
    expected_per_arm: int | None = None
    """Customers needed in the smaller arm of the primary comparison."""
    approvals_needed: int
    """People besides the launcher who must approve before anything is sent."""
    funnel: tuple[tuple[str, int], ...]
    """Customers matched, and how many each exclusion took, at planning."""
    templates: dict[str, str]
    """Every template used, with all that it includes."""
    salt: str
    """Decides arms and order of sending."""
    nonce: str
    """Marks values in skeletons, so that no value looks like a mark."""
    yaml_sha256: str
    git_commit: str | None = None
    software: str
    launched_by: str
    launched_at: str

    def document(self) -> dict[str, Any]:
        """The plan as plain JSON data, as it is sealed."""
        document: dict[str, Any] = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return document

    @property
    def zone(self) -> str:
        return self.resolved.campaign.timezone or "UTC"

    @property
    def primary(self) -> str | None:
        return self.rule.metric if self.rule else None


def plan_of(connection: Connection, round_id: int) -> SealedPlan:
    """The sealed plan of a round.

    Raises:
        NotFound: its bytes are gone or were altered.
    """
    sha256 = connection.execute(select(round_.c.plan).where(round_.c.id == round_id)).scalar_one()
    return SealedPlan.model_validate_json(audit.sealed(connection, sha256))
