"""Accepting: a person approves a launch, or takes up a proposal and so starts the next round."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from engine.cycle.advance import declaring_file
from engine.cycle.engine import Engine
from engine.cycle.launch import Launched, approve, launch
from engine.cycle.plan import plan
from engine.cycle.sealed_plan import plan_of
from engine.cycle.validate import checked
from engine.errors import NotFound, Refused
from engine.model import RoundState
from engine.store.tables import proposal, round_


@dataclass(frozen=True, kw_only=True)
class Approved:
    """A launch that was approved."""

    round: int
    missing: int
    """Approvals still needed before anything is sent."""


def accept(engine: Engine, campaign: str, *, actor: str, now: datetime) -> Approved | Launched:
    """Approve the campaign's waiting launch, or else start its proposed next round.

    Raises:
        NotFound: nothing of this campaign waits for a person.
        Refused: one's own launch, or the file has changed since the proposal.
    """
    with engine.database.write() as connection:
        waiting = connection.execute(
            select(round_).where(round_.c.campaign == campaign, round_.c.state == RoundState.AWAITING_APPROVAL)
        ).first()
        if waiting is not None:
            needed = plan_of(connection, waiting.id).approvals_needed
            missing = approve(connection, waiting, needed, actor=actor, now=now)
            return Approved(round=waiting.number, missing=missing)
        proposed = _open_proposal(connection, campaign)
    if proposed is None:
        raise NotFound(f"nothing of {campaign} waits for a person; `campaign status` shows where it stands")
    return _take_up(engine, campaign, proposed, actor, now)


def _open_proposal(connection: Connection, campaign: str) -> Row[Any] | None:
    return connection.execute(
        select(proposal)
        .join(round_, round_.c.id == proposal.c.round_id)
        .where(round_.c.campaign == campaign, proposal.c.state == "open")
        .order_by(proposal.c.round_id.desc())
    ).first()


def _take_up(engine: Engine, campaign: str, proposed: Row[Any], actor: str, now: datetime) -> Launched:
    """Write the proposed text and launch it; where the launch is refused, the file is as it was."""
    file = declaring_file(engine, campaign)
    before = file.read_text(encoding="utf-8")
    if hashlib.sha256(before.encode()).hexdigest() != proposed.base:
        raise Refused(
            f"{file.name} has changed since the proposal was made; put the change in by hand "
            f"(`campaign report {campaign}` shows it) and `campaign launch {campaign}`"
        )
    file.write_text(proposed.text, encoding="utf-8")
    try:
        return launch(engine, plan(engine, checked(engine.file), campaign, now), actor=actor, now=now)
    except BaseException:
        file.write_text(before, encoding="utf-8")
        raise
