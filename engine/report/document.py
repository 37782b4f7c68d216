"""The object that tools rely on (design §6), as frozen models.

A look seals what was concluded in this form; a report adds to it which round it is about.
Absent numbers are null, and an interval without an end says `unbounded`.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from engine.model import ArmRole, Decision


class Part(BaseModel):
    """Base: frozen; a key that is not known is passed over, so that what another release sealed still opens."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Interval(Part):
    """An estimate with its confidence interval, in the metric's own unit or as a ratio."""

    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    unbounded: bool = False
    """True where an end that is null is infinite; the data set no limit there."""

    @model_serializer(mode="wrap")
    def _say_unbounded_only_if_so(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        shown: dict[str, Any] = handler(self)
        if not self.unbounded:
            del shown["unbounded"]
        return shown


class Check(Part):
    """One check of whether the data can be trusted."""

    check: str
    status: Literal["ok", "warn", "fail"]
    p_value: float | None = None
    detail: str = ""


class ArmCount(Part):
    """How many customers of an arm came how far."""

    name: str
    role: ArmRole
    share: float
    assigned: int
    accepted: int = 0
    delivered: int = 0
    uncertain: int = 0


class Uncapped(Part):
    """A capped metric's values without the cap."""

    treatment_value: float | None = None
    control_value: float | None = None


class Result(Part):
    """One metric of one treatment against its comparison."""

    metric: str
    role: str
    """primary, secondary, guardrail, diagnostic, or described where nothing is claimed."""
    kind: str
    treatment: str
    control: str | None = None
    treatment_n: int | None = None
    control_n: int | None = None
    treatment_value: float | None = None
    control_value: float | None = None
    difference: Interval | None = None
    """Treatment less control."""
    lift: Interval | None = None
    """The difference as a part of the control's value."""
    p_value: float | None = None
    adjusted_p_value: float | None = None
    method: str | None = None
    chance_to_beat: float | None = None
    expected_loss: float | None = None
    unjudged: str | None = Field(default=None, exclude=True)
    """Why there is no test."""
    uncapped: Uncapped | None = Field(default=None, exclude=True)


class SegmentRow(Part):
    """One value of a dimension."""

    value: str
    difference: Interval = Interval()


class Segmented(Part):
    """One metric by the values of a dimension."""

    by: str
    metric: str
    treatment: str
    heterogeneity_p_value: float | None = None
    rows: tuple[SegmentRow, ...] = ()


class Verdict(Part):
    """What was decided, and why; without a hypothesis nothing is."""

    decision: Decision | None = None
    winner: str | None = None
    because: tuple[str, ...] = ()
    estimate_note: str | None = None
    treatments: dict[str, Decision] = Field(default={}, exclude=True)
    """What the decision table said of each treatment."""


class Judged(Part):
    """What a look concluded."""

    health: tuple[Check, ...] = ()
    arms: tuple[ArmCount, ...] = ()
    results: tuple[Result, ...] = ()
    segments: tuple[Segmented, ...] = ()
    verdict: Verdict = Verdict()

    def of_role(self, role: str) -> tuple[Result, ...]:
        return tuple(result for result in self.results if result.role == role)

    @property
    def primary(self) -> Result | None:
        """The result that the decision turns on: the winner's, else the first with the round's own decision."""
        primaries, verdict = self.of_role("primary"), self.verdict
        winners = [result for result in primaries if result.treatment == verdict.winner]
        alike = [result for result in primaries if verdict.treatments.get(result.treatment) == verdict.decision]
        return next(iter([*winners, *alike, *primaries]), None)
