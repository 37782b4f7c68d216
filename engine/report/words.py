"""What things are called for a reader: the claim, metrics, checks, arms and reasons in plain words."""

from __future__ import annotations

from engine.model import HOLDOUT, REASON_TEXT, ArmRole, Reason
from engine.report.document import Interval, Result
from engine.report.figures import unit_of
from engine.report.report import Report
from engine.report.sealed import Claim, PlannedMetric

_DID = {
    "purchase": "bought",
    "clicked": "clicked",
    "opened": "opened",
    "replied": "replied",
    "unsubscribed": "unsubscribed",
    "complained": "complained",
    "returned": "returned something",
}
_CHECKS = {
    "srm": "Sizes of the arms",
    "srm_accepted": "Messages accepted, by arm",
    "srm_delivered": "Messages delivered, by arm",
    "uncertain": "Messages of unknown fate",
    "data_through": "Complete data",
    "finished_windows": "Customers with a finished window",
    "unequal_shares": "Shares of the arms",
}
_ROLES = {ArmRole.CONTROL: "control", ArmRole.TREATMENT: "treatment", ArmRole.HOLDOUT: "holdout, messaged nothing"}


def claim_lines(report: Report) -> tuple[tuple[str, str], ...]:
    """The hypothesis as headings and texts; nothing without one."""
    claim = report.plan.claim
    if claim is None:
        return ()
    beliefs = "; ".join(f"{name}: {text}" if name else text for name, text in report.plan.beliefs())
    aim = f"{claim.will} {claim.metric} by at least {claim.minimum_effect}, compared with {comparison(report)}"
    lines = (
        ("Because", claim.because),
        ("We believe", beliefs),
        ("Will", aim),
        ("Measured as", measured(report, claim.metric)),
    )
    return tuple((label, text) for label, text in lines if text)


def comparison(report: Report) -> str:
    """What the treatments are compared with."""
    claim = report.plan.claim
    return f"“{claim.compared_to}”" if claim and claim.compared_to != HOLDOUT else "sending nothing"


def decisive(result: Result, claim: Claim) -> Interval | None:
    """The interval that the minimum effect is compared with: of the difference, or of the lift where it is relative."""
    return result.difference if claim.minimum_effect.absolute else result.lift


def measured(report: Report, name: str) -> str:
    """What a metric counts, in plain words; nothing for one that the plan does not define."""
    metric = report.plan.metric(name)
    if metric is None:
        return ""
    cap = report.plan.caps.get(name)
    unit = unit_of(metric, metric.kind)
    return _counted(metric) + ("" if cap is None else f"; more than {report.figures.value(cap, unit)} counts as that")


def _counted(metric: PlannedMetric) -> str:
    window = f" within {metric.within}" if metric.within else ""
    if metric.between:
        window = f" from {metric.between[0]} to {metric.between[1]} after entry"
    if metric.numerator and metric.denominator:
        above, below = (f"“{side.event}” {side.value or 'times'}" for side in (metric.numerator, metric.denominator))
        return f"{above} divided by {below}{window}"
    if metric.kind == "conversion":
        return f"share of customers with “{metric.event}”{window}"
    summed = f"sum of “{metric.event}” {metric.value}" if metric.value else f"number of “{metric.event}”"
    return f"{'average ' if metric.kind == 'mean' else metric.kind + ' of the '}{summed} per customer{window}"


def did(metric: PlannedMetric | None) -> str:
    """What customers did who count in a conversion."""
    event = metric.event if metric else None
    return _DID.get(event or "", f"did “{event}”" if event else "converted")


def check_name(check: str) -> str:
    """A health check's name."""
    words = check.replace("_", " ")
    return _CHECKS.get(check, words[:1].upper() + words[1:])


def role_name(role: ArmRole) -> str:
    """What an arm is for."""
    return _ROLES[role]


def reason_text(reason: str) -> str:
    """Why a customer was left out or a message was not sent."""
    known = REASON_TEXT.get(Reason(reason)) if reason in set(Reason) else None
    return known or reason.replace("_", " ")
