"""Rounds as documents: the sealed plan and conclusion of each kind of outcome, and their way into a store."""

from __future__ import annotations

import copy
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert

from engine.model import RoundState, WaveState
from engine.report.counts import WaveCount
from engine.report.document import Judged, Verdict
from engine.report.report import Look, Report
from engine.report.sealed import SealedPlan
from engine.store import audit, tables

LAUNCHED = datetime(2026, 11, 30, 9, tzinfo=UTC)
DUE = datetime(2026, 12, 1, 9, tzinfo=UTC)
SETTLES = datetime(2026, 12, 9, 9, tzinfo=UTC)
DECIDED = datetime(2026, 12, 9, 10, tzinfo=UTC)
HOSTILE = '<script>alert(\'x\')</script>" onload="x" {{ 7*7 }} & \x1b[2J'

PROPOSAL = """--- campaigns.yaml
+++ campaigns.yaml
@@ -40,4 +40,4 @@
-      compared_to: control
+      compared_to: deadline
"""

PLAN: dict[str, Any] = {
    "campaign": "winback",
    "round": 1,
    "resolved": {
        "name": "winback",
        "campaign": {
            "owner": "anna@example.com",
            "purpose": "marketing",
            "channel": "email",
            "segment": "lapsing_regulars",
            "labels": ["winback", "email"],
            "timezone": "Europe/Berlin",
            "currency": "EUR",
            "hypothesis": {
                "because": "Lapsing regulars still browse but wait for a reason to buy",
                "we_believe": "naming the product they viewed, with a deadline",
                "will": "increase",
                "metric": "purchase_rate",
                "compared_to": "control",
                "minimum_effect": "1.0 pp",
                "confidence": "95 %",
                "power": "80 %",
            },
            "secondary": ["revenue"],
            "variants": {"control": {"subject": "We miss you"}, "deadline": {"subject": "Yours until Sunday"}},
        },
        "metrics": {
            "purchase_rate": {"kind": "conversion", "event": "purchase", "within": "7 days"},
            "revenue": {
                "kind": "mean",
                "event": "purchase",
                "value": "amount",
                "within": "7 days",
                "cap_at": "480 EUR",
            },
        },
        "segments": {
            "lapsing_regulars": {"description": "Bought often, quiet for two to six months", "where": {"all": []}}
        },
    },
    "arms": [
        {"name": "control", "share": 0.45, "role": "control"},
        {"name": "deadline", "share": 0.45, "role": "treatment"},
        {"name": "holdout", "share": 0.1, "role": "holdout"},
    ],
    "rule": {"method": "fixed", "alpha": 0.05, "ship_if": "significant", "looks": 1},
    "funnel": [
        {"reason": "matched", "customers": 16102},
        {"reason": "no_consent", "customers": 1013},
        {"reason": "global_holdout", "customers": 142},
        {"reason": "assigned", "customers": 14947},
    ],
    "expected_per_arm": 6700,
    "launched_by": "anna@example.com",
    "launched_at": "2026-11-30T09:00:00Z",
    "git_commit": "9b1f417",
    "software": "campaign-engine 0.1.0",
}

JUDGED: dict[str, Any] = {
    "health": [
        {"check": "srm", "status": "ok", "p_value": 0.41, "detail": "arms are as large as their shares say"},
        {"check": "delivery", "status": "ok", "p_value": None, "detail": "99.2 % of messages were delivered"},
    ],
    "arms": [
        {"name": name, "role": role, "share": share, "assigned": assigned, "accepted": accepted, "delivered": delivered,
         "uncertain": uncertain}
        for name, role, share, assigned, accepted, delivered, uncertain in (
            ("control", "control", 0.45, 6726, 6709, 6651, 0),
            ("deadline", "treatment", 0.45, 6731, 6701, 6650, 3),
            ("holdout", "holdout", 0.1, 1490, 0, 0, 0),
        )
    ],
    "results": [
        {
            "metric": "purchase_rate", "role": "primary", "kind": "conversion", "treatment": "deadline",
            "control": "control",
            "treatment_n": 6731, "control_n": 6726, "treatment_value": 0.05022, "control_value": 0.04,
            "difference": {"estimate": 0.01022, "low": 0.00322, "high": 0.01724},
            "lift": {"estimate": 0.2555, "low": 0.0723, "high": 0.4701},
            "p_value": 0.0043, "adjusted_p_value": 0.0043, "method": "pooled-z/1 mn/1",
            "chance_to_beat": 0.9978, "expected_loss": 0.00001,
        },
        {
            "metric": "revenue", "role": "secondary", "kind": "mean", "treatment": "deadline", "control": "control",
            "treatment_n": 6731, "control_n": 6726, "treatment_value": 3.871, "control_value": 3.412,
            "difference": {"estimate": 0.459, "low": -0.093, "high": 1.011},
            "lift": {"estimate": 0.1345, "low": -0.027, "high": 0.31},
            "p_value": 0.103, "adjusted_p_value": 0.103, "method": "welch/1",
            "chance_to_beat": None, "expected_loss": None,
        },
    ],
    "segments": [],
    "verdict": {
        "decision": "ship", "winner": "deadline",
        "because": ["the interval of the difference lies above zero (0.32 pp to 1.72 pp)",
                    "it may be below the minimum effect of 1.0 pp"],
        "estimate_note": None,
    },
}  # fmt: skip


@dataclass
class Case:
    """One round: its documents and its row."""

    campaign: str = "winback"
    number: int = 1
    state: RoundState = RoundState.DECIDED
    paused: bool = False
    plan: dict[str, Any] = field(default_factory=lambda: copy.deepcopy(PLAN))
    judged: dict[str, Any] | None = field(default_factory=lambda: copy.deepcopy(JUDGED))
    proposal: str | None = None
    wave_state: WaveState = WaveState.DONE
    launched_at: datetime = LAUNCHED
    settles_at: datetime | None = SETTLES

    @property
    def claim(self) -> dict[str, Any]:
        claim: dict[str, Any] = self.plan["resolved"]["campaign"]["hypothesis"]
        return claim

    @property
    def primary(self) -> dict[str, Any]:
        assert self.judged is not None
        result: dict[str, Any] = self.judged["results"][0]
        return result

    def decided(self, decision: str | None, *because: str, winner: str | None = None) -> Case:
        assert self.judged is not None
        self.judged["verdict"] = {
            "decision": decision, "winner": winner, "because": list(because), "estimate_note": None,
        }  # fmt: skip
        return self

    def seen(self, low: float | None, estimate: float, high: float | None, *, control: float = 0.04) -> Case:
        """The primary metric with this difference."""
        self.primary["difference"] = {"estimate": estimate, "low": low, "high": high}
        self.primary.update(treatment_value=control + estimate, control_value=control)
        ends = [None if end is None else end / control for end in (estimate, low, high)]
        self.primary["lift"] = dict(zip(("estimate", "low", "high"), ends, strict=True))
        return self


def ship() -> Case:
    return Case(proposal=PROPOSAL)


def inconclusive() -> Case:
    return Case().seen(-0.0021, 0.0049, 0.0119).decided(
        "inconclusive", "the interval holds zero and the minimum effect", "13,900 customers per arm would settle it"
    )  # fmt: skip


def keep_control() -> Case:
    return Case().seen(-0.0071, -0.0008, 0.0055).decided("keep_control", "the interval ends below 1.0 pp")


def harmful() -> Case:
    return Case().seen(-0.0181, -0.0112, -0.0043).decided("harmful", "the interval lies wholly below zero")


def invalid() -> Case:
    case = Case().decided("invalid", "arms differ in size more than chance allows")
    assert case.judged is not None
    case.judged["health"][0] = {
        "check": "srm", "status": "fail", "p_value": 0.00000031,
        "detail": "6,731 and 6,214 customers were assigned where 6,480 each were expected",
    }  # fmt: skip
    return case


def keep_running() -> Case:
    """Settling: everything is sent, windows mature, no look yet."""
    return Case(state=RoundState.SETTLING, judged=None)


def open_round() -> Case:
    return Case(state=RoundState.OPEN, judged=None, wave_state=WaveState.SENDING, settles_at=None)


def draft() -> Case:
    return Case(state=RoundState.AWAITING_APPROVAL, judged=None, settles_at=None)


def stopped() -> Case:
    return Case(state=RoundState.STOPPED, judged=None)


def described() -> Case:
    case = Case(judged=None, campaign="newsletter")
    del case.plan["resolved"]["campaign"]["hypothesis"]
    case.plan["arms"] = [{"name": "letter", "share": 1.0, "role": "treatment"}]
    return case


def unbounded() -> Case:
    """A relative minimum effect whose lift the data do not bound from above."""
    case = inconclusive()
    case.claim["minimum_effect"] = "10 %"
    case.primary["lift"] = {"estimate": 0.31, "low": -0.12, "high": None, "unbounded": True}
    return case


def decrease() -> Case:
    """Less is hoped for, and less it is."""
    case = Case()
    case.claim.update(will="decrease", metric="unsubscribe_rate", minimum_effect="0.5 pp")
    case.plan["resolved"]["metrics"]["unsubscribe_rate"] = {
        "kind": "conversion", "event": "unsubscribed", "within": "7 days",
    }  # fmt: skip
    case.primary["metric"] = "unsubscribe_rate"
    return case.seen(-0.0142, -0.0088, -0.0034, control=0.021).decided(
        "ship", "the interval lies wholly on the side hoped for", winner="deadline"
    )


def two_treatments() -> Case:
    case = Case()
    assert case.judged is not None
    second = copy.deepcopy(case.primary) | {"treatment": "picks", "treatment_value": 0.0455, "p_value": 0.11,
                                            "adjusted_p_value": 0.22}  # fmt: skip
    second["difference"] = {"estimate": 0.0055, "low": -0.0026, "high": 0.0136}
    case.judged["results"].insert(1, second)
    case.judged["arms"].append(case.judged["arms"][1] | {"name": "picks"})
    case.plan["arms"].append({"name": "picks", "share": 0.45, "role": "treatment"})
    return case


def guarded() -> Case:
    """All kinds of results and checks that a look may hold, also with what is absent."""
    case = two_treatments()
    assert case.judged is not None
    case.judged["health"].append(
        {
            "check": "guardrail_unsubscribe_rate",
            "status": "warn",
            "p_value": None,
            "detail": "undecided: at most 0.62 %",
        }
    )
    absent = dict.fromkeys(("treatment_value", "control_value", "difference", "lift", "p_value", "adjusted_p_value"))
    case.judged["results"].append(
        case.primary | absent | {"metric": "unsubscribe_rate", "role": "guardrail", "control": None}
    )
    case.judged["segments"].append(
        {
            "by": "country", "metric": "purchase_rate", "treatment": "deadline", "heterogeneity_p_value": 0.3,
            "rows": [{"value": "DE", "difference": {"estimate": 0.011, "low": 0.002, "high": 0.02}},
                     {"value": "AT", "difference": {"estimate": None, "low": None, "high": None, "unbounded": True}}],
        }
    )  # fmt: skip
    return case


def hostile() -> Case:
    """Every text that somebody may write is an attack."""
    case = two_treatments()
    case.campaign, case.proposal = HOSTILE, HOSTILE
    replaced: dict[str, Any] = _replaced({"plan": case.plan, "judged": case.judged})
    case.plan, case.judged = replaced["plan"], replaced["judged"]
    case.claim["compared_to"] = HOSTILE
    return case


_KEPT = {
    "kind", "role", "will", "minimum_effect", "confidence", "power", "timezone", "currency", "decision", "status",
    "name", "treatment", "winner", "within", "cap_at",
}  # fmt: skip


def _replaced(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _replaced(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, key) for item in value]
    if key in ("name", "treatment", "winner") and isinstance(value, str):
        return f"{value} {HOSTILE}"
    return HOSTILE if isinstance(value, str) and key not in _KEPT else value


ALL = (
    ship, inconclusive, keep_control, harmful, invalid, keep_running, open_round, draft, stopped, described, unbounded,
    decrease, two_treatments, guarded, hostile,
)  # fmt: skip


def store(connection: Connection, case: Case) -> int:
    """Put a round into a store as the cycle would, and return its id."""
    plan = audit.seal(connection, case.plan)
    verdict = (case.judged or {}).get("verdict", {})
    decided = case.state is RoundState.DECIDED
    row = insert(tables.round_).values(
        campaign=case.campaign, number=case.number, state=case.state.value, paused=case.paused, plan=plan, salt="s",
        launched_by="anna@example.com", launched_at=case.launched_at, settles_at=case.settles_at,
        decided_at=DECIDED if decided else None, decision=verdict.get("decision") if decided else None,
        winner=verdict.get("winner"),
    )  # fmt: skip
    round_id = int(connection.execute(row).inserted_primary_key[0])  # type: ignore[index]
    if case.judged is not None:
        connection.execute(
            insert(tables.look).values(
                round_id=round_id, number=1, at=DECIDED, data_through=SETTLES, final=True,
                evidence=audit.seal(connection, {"n": 1}), verdict=audit.seal(connection, case.judged),
            )
        )  # fmt: skip
    if case.proposal is not None:
        connection.execute(
            insert(tables.proposal).values(
                round_id=round_id, kind="promote", base="0", diff=case.proposal, text="", state="open", at=DECIDED
            )
        )
    return round_id


def report_of(case: Case) -> Report:
    """The report of a case, without a store."""
    plan = SealedPlan.model_validate(case.plan)
    judged = Judged.model_validate(case.judged) if case.judged is not None else _live(case, plan)
    sent = (
        Counter(accepted=13410, skipped=44, uncertain=3) if case.wave_state is WaveState.DONE else Counter(planned=100)
    )
    wave = WaveCount(
        slot="2026-12-01T10:00:00",
        channel="email", due_at=DUE, state=case.wave_state, audience="c" * 64, entered=14947, messages=sent,
        unsent=Counter(frequency_cap=32, expired=12) if case.wave_state is WaveState.DONE else Counter(),
    )  # fmt: skip
    later = WaveCount(
        slot="2026-12-08T10:00:00",
        channel="email", due_at=DUE + timedelta(days=7), state=WaveState.DUE, audience=None, entered=0,
        messages=Counter(), unsent=Counter(),
    )  # fmt: skip
    look = Look(number=1, at=DECIDED, data_through=SETTLES, final=True, evidence="e" * 64, verdict="d" * 64)
    return Report(
        campaign=case.campaign, number=case.number, state=case.state, paused=case.paused, as_of=DECIDED, judged=judged,
        proposal=case.proposal, proposal_state="open" if case.proposal else None, plan=plan, plan_sha256="a" * 64,
        launched_at=case.launched_at, settles_at=case.settles_at, decided_at=DECIDED,
        look=look if case.judged is not None else None,
        waves=(wave,) if case.wave_state is WaveState.DONE else (wave, later),
        data_through={"purchase": datetime(2026, 12, 3, tzinfo=UTC)},
    )  # fmt: skip


def _live(case: Case, plan: SealedPlan) -> Judged:
    from engine.model import Decision
    from engine.report.document import ArmCount

    arms = tuple(
        ArmCount(
            name=arm.name,
            role=arm.role,
            share=arm.share,
            assigned=round(6000 * arm.share),
            accepted=round(5900 * arm.share),
        )
        for arm in plan.arms
    )
    running = plan.claim is not None and case.state in (RoundState.OPEN, RoundState.SETTLING)
    return Judged(arms=arms, verdict=Verdict(decision=Decision.KEEP_RUNNING if running else None))
