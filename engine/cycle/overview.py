"""Where every campaign stands: declared, launched, changed since, waiting for what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from engine.cycle.advance import waiting_for
from engine.cycle.engine import Engine
from engine.cycle.launch import RUNNING
from engine.cycle.plan import comparable, differences
from engine.cycle.sealed_plan import plan_of
from engine.declare.load import Declared
from engine.declare.resolve import resolve
from engine.messages.templates import read_sources, with_included
from engine.store.tables import message, proposal, round_, wave


@dataclass(frozen=True, kw_only=True)
class Line:
    """One campaign's state."""

    campaign: str
    round: int | None
    state: str
    """The last round's state, or `declared` before the first launch."""
    paused: bool
    changed: bool
    """Whether the files say something else than the running round's sealed plan."""
    counts: dict[str, int]
    """Messages of the round by state."""
    waits_for: Sequence[str]
    settles_at: datetime | None

    @property
    def stage(self) -> str:
        """The state in words."""
        words = [self.state.replace("_", " ")]
        words += ["paused"] if self.paused else []
        words += ["changed, not launched"] if self.changed else []
        return ", ".join(words)

    def messages(self) -> str:
        """Counts such as `120 accepted, 3 uncertain`."""
        return ", ".join(f"{count:,} {state}" for state, count in sorted(self.counts.items()))


def overview(engine: Engine, declared: Declared | None, now: datetime) -> list[Line]:
    """One line for every declared campaign, and for launched ones that are declared no more.

    Args:
        declared: None where the files cannot be read.
    """
    with engine.database.read() as connection:
        last = {row.campaign: row for row in connection.execute(select(round_).order_by(round_.c.number))}
    campaigns = declared.project.campaigns if declared is not None else {}
    names = [*campaigns, *(name for name in sorted(last) if name not in campaigns)]
    return [_line(engine, declared, name, last.get(name), now) for name in names]


def _line(engine: Engine, declared: Declared | None, name: str, row: Row[Any] | None, now: datetime) -> Line:
    if row is None:
        return Line(
            campaign=name, round=None, state="declared", paused=False, changed=False, counts={},
            waits_for=[f"launch: `campaign launch {name}`"], settles_at=None,
        )  # fmt: skip
    with engine.database.read() as connection:
        changed = row.state in RUNNING and _changed(connection, declared, row)
        counts = _counts(connection, row.id)
        proposed = _proposed(connection, row.id)
    waits = list(waiting_for(engine, row, now))
    if proposed:
        waits.append(f"a decision on the proposed next round: `campaign approve {name}`")
    return Line(
        campaign=name, round=row.number, state=row.state, paused=bool(row.paused), changed=changed, counts=counts,
        waits_for=waits, settles_at=row.settles_at,
    )  # fmt: skip


def _changed(connection: Connection, declared: Declared | None, row: Row[Any]) -> bool:
    if declared is None or row.campaign not in declared.project.campaigns:
        return True
    sealed = plan_of(connection, row.id)
    resolved = resolve(declared.project, row.campaign)
    used = [variant.template for variant in resolved.campaign.variants.values() if variant.template]
    templates = with_included(used, read_sources(declared.root / "templates"))
    return bool(differences(comparable(sealed.resolved, sealed.templates), comparable(resolved, templates)))


def _counts(connection: Connection, round_id: int) -> dict[str, int]:
    waves = select(wave.c.id).where(wave.c.round_id == round_id)
    rows = connection.execute(
        select(message.c.state, func.count()).where(message.c.wave_id.in_(waves)).group_by(message.c.state)
    )
    return dict(rows.all())


def _proposed(connection: Connection, round_id: int) -> bool:
    found = select(func.count()).where(proposal.c.round_id == round_id, proposal.c.state == "open")
    return bool(connection.execute(found).scalar())
