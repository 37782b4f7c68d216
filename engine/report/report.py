"""One round as a reader is shown it: what was claimed, what was seen, what was decided.

Everything judged comes from the last stored look; nothing is computed anew. A round
without a look is described as it stands.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from engine.customers.sources import data_through
from engine.declare.near import suggestion
from engine.errors import NotFound
from engine.model import AsOf, Decision, RoundState
from engine.report import counts
from engine.report.counts import WaveCount
from engine.report.document import Judged, Result, Verdict
from engine.report.figures import Figures, Unit, unit_of
from engine.report.sealed import SealedPlan
from engine.store import audit
from engine.store.tables import look, proposal, round_

SCHEMA_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Look:
    """The stored look that a report shows."""

    number: int
    at: datetime
    data_through: datetime | None
    """Up to when the data that it saw were complete."""
    final: bool
    evidence: str
    """Hash of the sealed statistics."""
    verdict: str
    """Hash of the sealed conclusion."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """A round's report. `to_json` is what tools rely on; text and HTML show the rest too."""

    campaign: str
    number: int
    state: RoundState
    paused: bool
    as_of: datetime
    """The moment that the numbers are of: the look's, or now where there is none."""
    judged: Judged
    proposal: str | None
    """The next round as a diff of the YAML."""
    proposal_state: str | None
    plan: SealedPlan
    plan_sha256: str
    launched_at: datetime
    settles_at: datetime | None
    decided_at: datetime | None
    look: Look | None
    waves: tuple[WaveCount, ...]
    data_through: dict[str, datetime | None]
    """Up to when each event of the primary metric is known completely."""

    def to_json(self) -> dict[str, Any]:
        """The object of design §6: floats unrounded, absent numbers null."""
        return {
            "schema_version": SCHEMA_VERSION,
            "campaign": self.campaign,
            "round": self.number,
            "state": self.state.value,
            "as_of": stamp(self.as_of),
            **self.judged.model_dump(mode="json"),
            "next": {"proposal": self.proposal},
        }

    @property
    def figures(self) -> Figures:
        """How numbers and times of this campaign are written."""
        campaign = self.plan.campaign
        return Figures(currency=campaign.currency, timezone=campaign.timezone or "UTC")

    @property
    def running(self) -> bool:
        return self.state not in (RoundState.DECIDED, RoundState.STOPPED)

    def unit(self, result: Result) -> Unit:
        """The unit of a result's values."""
        return unit_of(self.plan.metric(result.metric), result.kind)


def stamp(moment: datetime) -> str:
    """An instant as text, in UTC with a `Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def build(connection: Connection, *, campaign: str, number: int | None = None, as_of: AsOf) -> Report:
    """The report of a campaign's round, from the last look stored by then.

    Args:
        number: the round; the last one when absent.

    Raises:
        NotFound: the campaign has no such round.
    """
    row = _round(connection, campaign, number)
    plan = SealedPlan.model_validate_json(audit.sealed(connection, row.plan))
    seen = _last_look(connection, row.id, as_of.at)
    draft = connection.execute(select(proposal).where(proposal.c.round_id == row.id)).first()
    metric = plan.metric(plan.claim.metric) if plan.claim else None
    return Report(
        campaign=row.campaign,
        number=row.number,
        state=RoundState(row.state),
        paused=row.paused,
        as_of=seen.at if seen else as_of.at,
        judged=_judged(connection, row, plan, seen),
        proposal=draft.diff or None if draft else None,
        proposal_state=draft.state if draft else None,
        plan=plan,
        plan_sha256=row.plan,
        launched_at=row.launched_at,
        settles_at=row.settles_at,
        decided_at=row.decided_at,
        look=seen,
        waves=counts.waves(connection, row.id),
        data_through={event: data_through(connection, event) for event in (metric.events if metric else ())},
    )


def _judged(connection: Connection, row: Row[Any], plan: SealedPlan, seen: Look | None) -> Judged:
    if seen:
        return Judged.model_validate_json(audit.sealed(connection, seen.verdict))
    return Judged(arms=counts.arms(connection, row.id, plan.arms), verdict=_unseen(row, plan))


def _unseen(row: Row[Any], plan: SealedPlan) -> Verdict:
    """The verdict of a round that no look has judged."""
    if row.decision is not None:
        return Verdict(decision=Decision(row.decision), winner=row.winner)
    undecided = plan.claim is not None and row.state in (RoundState.OPEN, RoundState.SETTLING)
    return Verdict(decision=Decision.KEEP_RUNNING if undecided else None)


def _last_look(connection: Connection, round_id: int, at: datetime) -> Look | None:
    query = select(look).where(look.c.round_id == round_id, look.c.at <= at).order_by(look.c.number.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    return Look(**{name: value for name, value in row.items() if name != "round_id"}) if row else None


def latest_campaign(connection: Connection) -> str:
    """The campaign whose round was launched last.

    Raises:
        NotFound: nothing was launched.
    """
    query = select(round_.c.campaign).order_by(round_.c.launched_at.desc(), round_.c.id.desc()).limit(1)
    name: str | None = connection.execute(query).scalar()
    if name is None:
        raise NotFound("nothing was launched yet; `campaign plan` shows what would be sent, `campaign launch` sends it")
    return name


def _round(connection: Connection, campaign: str, number: int | None) -> Row[Any]:
    query = select(round_).where(round_.c.campaign == campaign).order_by(round_.c.number.desc())
    rows = connection.execute(query).all()
    if not rows:
        raise NotFound(_no_campaign(connection, campaign))
    found = next((row for row in rows if number in (None, row.number)), None)
    if found is None:
        known = ", ".join(str(row.number) for row in reversed(rows))
        raise NotFound(f"{campaign} has no round {number}; it has {known}")
    return found


def _no_campaign(connection: Connection, campaign: str) -> str:
    launched = connection.execute(select(round_.c.campaign).distinct().order_by(round_.c.campaign)).scalars().all()
    if not launched:
        return f'"{campaign}" was not launched; `campaign launch {campaign}` starts its first round'
    return f'no round of "{campaign}"; {suggestion(campaign, launched)}'


def dump(document: dict[str, Any]) -> str:
    """A document as JSON text for stdout or a file."""
    return json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
