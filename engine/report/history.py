"""All past experiments, decided or not: what was claimed and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from engine.errors import NotFound
from engine.model import Decision, RoundState
from engine.report.document import Interval, Judged, Verdict
from engine.report.figures import NONE, Figures, Unit, half_width, unit_of
from engine.report.report import stamp
from engine.report.sealed import SealedPlan
from engine.report.text import printable, table
from engine.report.words import decisive
from engine.store.tables import blob, look, round_

SCHEMA_VERSION = 1
_LEAST_CLAIM = 12


@dataclass(frozen=True, kw_only=True)
class Past:
    """One round in the history."""

    campaign: str
    number: int
    state: RoundState
    plan: SealedPlan
    verdict: Verdict
    interval: Interval | None
    """Of the primary metric, of the kind that its minimum effect is: a difference, or a lift."""
    unit: Unit
    launched_at: datetime
    decided_at: datetime | None

    @property
    def claim(self) -> str:
        """The claim in one line."""
        claim = self.plan.claim
        if claim is None:
            return "nothing claimed"
        beliefs = "; ".join(text for _, text in self.plan.beliefs())
        return beliefs or claim.because

    @property
    def outcome(self) -> str:
        """The decision, or how far the round has come."""
        if self.verdict.decision in (None, Decision.KEEP_RUNNING):
            return self.state.value
        return str(self.verdict.decision)

    def to_json(self) -> dict[str, Any]:
        claim = self.plan.claim
        return {
            "campaign": self.campaign,
            "round": self.number,
            "state": self.state.value,
            "because": claim.because if claim else None,
            "we_believe": [text for _, text in self.plan.beliefs()],
            "metric": claim.metric if claim else None,
            "will": claim.will if claim else None,
            "minimum_effect": claim.minimum_effect.text if claim else None,
            "decision": self.verdict.decision,
            "winner": self.verdict.winner,
            "effect": self.interval.model_dump(mode="json") if self.interval else None,
            "effect_is": "lift" if self.unit is Unit.LIFT else "difference",
            "learnt": list(self.verdict.because),
            "segment": self.plan.campaign.segment,
            "channel": self.plan.campaign.channel,
            "labels": list(self.plan.campaign.labels),
            "launched_at": stamp(self.launched_at),
            "decided_at": stamp(self.decided_at) if self.decided_at else None,
        }

    def words(self) -> str:
        """All that a search looks through."""
        plan, claim = self.plan, self.plan.claim
        parts = [self.campaign, self.outcome, plan.campaign.segment or "", *plan.campaign.labels]
        parts += [*plan.campaign.variants, *(text for _, text in plan.beliefs())]
        parts += [claim.because, claim.metric, claim.compared_to] if claim else []
        return " ".join([*parts, *self.verdict.because]).casefold()


def past(connection: Connection, *, search: str | None = None, metric: str | None = None) -> tuple[Past, ...]:
    """The rounds of all campaigns, the latest launch first.

    Args:
        search: words that must all occur in the claim, its reason, labels, campaign, segment, metric or reasons.
        metric: only rounds that claim something of this metric.

    Raises:
        NotFound: a sealed plan or conclusion cannot be read.
    """
    sought = (search or "").casefold().split()
    found = (_past(row) for row in connection.execute(_query()))
    return tuple(
        one
        for one in found
        if (metric is None or (one.plan.claim is not None and one.plan.claim.metric == metric))
        and all(word in one.words() for word in sought)
    )


def _query() -> Any:
    last = select(look.c.round_id, func.max(look.c.number).label("number")).group_by(look.c.round_id).subquery()
    plan, verdict = blob.alias("plan_blob"), blob.alias("verdict_blob")
    return (
        select(round_, plan.c.body.label("plan_body"), verdict.c.body.label("verdict_body"))
        .join(plan, plan.c.sha256 == round_.c.plan)
        .outerjoin(last, last.c.round_id == round_.c.id)
        .outerjoin(look, (look.c.round_id == last.c.round_id) & (look.c.number == last.c.number))
        .outerjoin(verdict, verdict.c.sha256 == look.c.verdict)
        .order_by(round_.c.launched_at.desc(), round_.c.id.desc())
    )


def _past(row: Row[Any]) -> Past:
    try:
        plan = SealedPlan.model_validate_json(bytes(row.plan_body))
        judged = Judged.model_validate_json(bytes(row.verdict_body)) if row.verdict_body is not None else None
    except ValueError:
        raise NotFound(
            f"the sealed record of {row.campaign}, round {row.number} cannot be read; run `campaign audit verify`"
        ) from None
    primary = judged.primary if judged else None
    relative = plan.claim is not None and not plan.claim.minimum_effect.absolute
    return Past(
        campaign=row.campaign,
        number=row.number,
        state=RoundState(row.state),
        plan=plan,
        verdict=judged.verdict if judged else Verdict(decision=row.decision, winner=row.winner),
        interval=decisive(primary, plan.claim) if primary and plan.claim else None,
        unit=Unit.LIFT if relative or not primary else unit_of(plan.metric(primary.metric), primary.kind),
        launched_at=row.launched_at,
        decided_at=row.decided_at,
    )


def to_json(rounds: Sequence[Past]) -> dict[str, Any]:
    """The history for tools."""
    return {"schema_version": SCHEMA_VERSION, "rounds": [one.to_json() for one in rounds]}


def to_text(rounds: Sequence[Past], *, width: int) -> str:
    """The history for a terminal, one line each; the claim gets the columns that are left."""
    if not rounds:
        return "no experiment matches\n"
    heads = ("when", "campaign", "decision", "metric", "effect", "claim")
    rows = [_line(one) for one in rounds]
    lines = table(heads, rows, left=len(heads))
    return printable("\n".join(_cut(line, max(width, lines[0].index("claim") + _LEAST_CLAIM)) for line in lines)) + "\n"


def _line(one: Past) -> tuple[str, ...]:
    metric = one.plan.claim.metric if one.plan.claim else NONE
    when = (one.decided_at or one.launched_at).date().isoformat()
    return (when, f"{one.campaign}/{one.number}", one.outcome, metric, _effect(one), one.claim)


def _effect(one: Past) -> str:
    if one.interval is None or one.interval.estimate is None:
        return NONE
    figures = Figures(currency=one.plan.campaign.currency)
    estimate = figures.change(one.interval.estimate, one.unit, spread=half_width(one.interval))
    return f"{estimate} ({figures.interval(one.interval, one.unit)})"


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else line[: width - 1] + "…"
