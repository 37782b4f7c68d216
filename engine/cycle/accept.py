"""Accepting: a person approves a launch, or takes up a proposal and so starts the next round."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from engine.cycle.engine import Engine
from engine.cycle.improve import declaring_file, hash_of, read, write
from engine.cycle.launch import PROPOSED, Launched, approve, launch
from engine.cycle.plan import plan
from engine.cycle.sealed_plan import plan_of
from engine.cycle.validate import checked
from engine.errors import CampaignError, NotFound, Refused
from engine.model import RoundState
from engine.store import audit
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


def take_up_automatic(engine: Engine, now: datetime) -> None:
    """Start the rounds that verdicts proposed where the YAML leaves that to the engine (`approval: automatic`).

    What cannot be started by itself is left to a person, and the record says why.
    """
    with engine.database.read() as connection:
        waiting = connection.execute(
            select(proposal, round_.c.campaign, round_.c.number)
            .join(round_, round_.c.id == proposal.c.round_id)
            .where(proposal.c.state == "automatic")
            .order_by(proposal.c.round_id)
        ).all()
    for row in waiting:
        try:
            _take_up(engine, row.campaign, row, "engine", now)
        except CampaignError as error:
            _leave_to_a_person(engine, row, str(error), now)


def _leave_to_a_person(engine: Engine, row: Row[Any], why: str, now: datetime) -> None:
    with engine.database.write() as connection:
        connection.execute(update(proposal).where(proposal.c.round_id == row.round_id).values(state="open"))
        payload = {"round": row.number, "why": why}
        audit.append(connection, "not_taken_up", payload, actor="engine", subject=row.campaign, at=now)


def _open_proposal(connection: Connection, campaign: str) -> Row[Any] | None:
    return connection.execute(
        select(proposal)
        .join(round_, round_.c.id == proposal.c.round_id)
        .where(round_.c.campaign == campaign, proposal.c.state.in_(PROPOSED))
        .order_by(proposal.c.round_id.desc())
    ).first()


def _take_up(engine: Engine, campaign: str, proposed: Row[Any], actor: str, now: datetime) -> Launched:
    """Write the proposed text and launch it; where the launch is refused, the file is as it was."""
    file = declaring_file(engine.file, campaign)
    before = read(file)
    # The proposed text stands there already where an earlier attempt was killed before its launch.
    if before != proposed.text and hash_of(before) != proposed.base:
        raise Refused(
            f"{file.name} has changed since the proposal was made; put the change in by hand "
            f"(`campaign report {campaign}` shows it) and `campaign launch {campaign}`"
        )
    write(file, proposed.text)
    try:
        return launch(engine, plan(engine, checked(engine.file), campaign, now), actor=actor, now=now)
    except BaseException:
        write(file, before)
        raise
