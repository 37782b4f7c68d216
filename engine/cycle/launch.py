"""Launch: a person's act that seals a plan. Nothing is sent before it."""

from __future__ import annotations

import secrets
import subprocess
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from engine.cycle.engine import SOFTWARE, Engine
from engine.cycle.plan import Draft
from engine.cycle.sealed_plan import SealedPlan
from engine.errors import Refused
from engine.model import RoundState
from engine.store import audit
from engine.store.tables import approval, proposal, round_

RUNNING = (RoundState.AWAITING_APPROVAL, RoundState.OPEN, RoundState.SETTLING)

PROPOSED = ("open", "automatic")
"""States of a proposal that waits for a person, or for the engine."""


@dataclass(frozen=True, kw_only=True)
class Launched:
    """A sealed round."""

    round_id: int
    number: int
    sha256: str
    approvals_needed: int
    """How many other people must still approve before anything is sent."""


def launch(engine: Engine, draft: Draft, *, actor: str, now: datetime) -> Launched:
    """Seal a draft as the campaign's next round.

    Raises:
        Refused: a round is running, the campaign has had all its rounds, or nobody would be messaged.
    """
    needed = approvals_needed(draft)
    sealed = _sealed(engine, draft, actor, now)
    with engine.database.write() as connection:
        _refuse(connection, draft)
        sha256 = audit.seal(connection, sealed.document())
        round_id = connection.execute(
            insert(round_)
            .values(
                campaign=draft.campaign,
                number=draft.round,
                state=RoundState.AWAITING_APPROVAL if needed else RoundState.OPEN,
                plan=sha256,
                salt=sealed.salt,
                launched_by=actor,
                launched_at=now,
            )
            .returning(round_.c.id)
        ).scalar_one()
        connection.execute(
            update(proposal)
            .where(
                proposal.c.state.in_(PROPOSED),
                proposal.c.round_id.in_(select(round_.c.id).where(round_.c.campaign == draft.campaign)),
            )
            .values(state="accepted")
        )
        payload = {"round": draft.round, "plan": sha256, "git_commit": sealed.git_commit, "approvals_needed": needed}
        audit.append(connection, "launched", payload, actor=actor, subject=draft.campaign, at=now)
    return Launched(round_id=round_id, number=draft.round, sha256=sha256, approvals_needed=needed)


def _refuse(connection: Connection, draft: Draft) -> None:
    name = draft.campaign
    running = connection.execute(
        select(round_.c.number, round_.c.state).where(round_.c.campaign == name, round_.c.state.in_(RUNNING))
    ).first()
    if running is not None:
        raise Refused(
            f"round {running.number} of {name} is {running.state.replace('_', ' ')}; a change of the file takes effect "
            f"in the next round. Let it end, or `campaign stop {name}` first"
        )
    last = connection.execute(select(func.max(round_.c.number)).where(round_.c.campaign == name)).scalar() or 0
    if last + 1 != draft.round:
        raise Refused(f"somebody else launched {name} meanwhile; run `campaign plan {name}` again")
    if not draft.next_sends:
        raise Refused(f"the schedule of {name} has no send ahead, so nobody would be messaged; write a later time")
    if last >= draft.resolved.campaign.improve.max_rounds:
        raise Refused(
            f"{name} has had its {last} rounds (improve: max_rounds); raise the number if another one is meant"
        )


def approvals_needed(draft: Draft) -> int:
    """How many people besides the launcher must approve."""
    rule = draft.resolved.campaign.approval
    if rule is None:
        return 0
    large = rule.above is not None and draft.funnel.left > rule.above.customers
    return max(rule.launch, rule.people) if large else rule.launch


def _sealed(engine: Engine, draft: Draft, actor: str, now: datetime) -> SealedPlan:
    planned = draft.sizing
    return SealedPlan(
        campaign=draft.campaign,
        round=draft.round,
        resolved=draft.resolved,
        arms=draft.arms,
        rule=draft.rule,
        caps=dict(draft.caps),
        baseline=planned.baseline if planned else None,
        expected_per_arm=planned.needed_per_arm if planned else None,
        approvals_needed=approvals_needed(draft),
        funnel=draft.funnel.rows(),
        templates=dict(draft.templates),
        salt=secrets.token_hex(16),
        nonce=secrets.token_hex(6),
        yaml_sha256=draft.yaml_sha256,
        git_commit=git_commit(engine.root),
        software=SOFTWARE,
        launched_by=actor,
        launched_at=now.isoformat(),
    )


def git_commit(folder: Path) -> str | None:
    """The commit that the folder's files come from, marked where files differ from it; None outside of git."""
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        return f"{commit} with uncommitted changes" if _git(folder, "status", "--porcelain", ".") else commit
    except (OSError, subprocess.SubprocessError):
        return None


def _git(folder: Path, *words: str) -> str:
    command = ["git", "-C", str(folder), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)  # noqa: S603 - fixed words
    return done.stdout.strip()


def approve(connection: Connection, waiting: Row[Any], needed: int, *, actor: str, now: datetime) -> int:
    """Approve a launch; the last approval opens the round.

    Returns:
        How many approvals are still missing.

    Raises:
        Refused: it is one's own launch, or one has approved already.
    """
    if actor == waiting.launched_by:
        raise Refused(f"{actor} launched {waiting.campaign} and cannot approve it too; somebody else must")
    people = set(connection.execute(select(approval.c.person).where(approval.c.round_id == waiting.id)).scalars())
    if actor in people:
        raise Refused(f"{actor} has approved round {waiting.number} of {waiting.campaign} already")
    connection.execute(insert(approval).values(round_id=waiting.id, person=actor, at=now))
    missing = max(0, needed - len(people) - 1)
    if missing == 0:
        connection.execute(update(round_).where(round_.c.id == waiting.id).values(state=RoundState.OPEN))
    payload = {"round": waiting.number, "missing": missing}
    audit.append(connection, "approved", payload, actor=actor, subject=waiting.campaign, at=now)
    return missing
