"""What a comparison of two arms yields, and Fieller's interval of the relative lift.

Every effect is treatment minus control in the metric's own unit; the lift is that difference
over the control's value. Critical values are given as `critical`, the number of standard errors
of a normal test, so that the same functions serve one look, several looks and several arms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Interval:
    """An estimate with its bounds; a bound is None where there is none."""

    estimate: float | None
    low: float | None
    high: float | None
    unbounded: bool = False
    """True where the data allow any value on at least one side."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One treatment against the control in one metric."""

    difference: Interval
    """Treatment minus control, in the metric's unit (0–1 for rates)."""
    lift: Interval
    """Difference over the control's value: .25 is 25 % more."""
    p_value: float
    """Two-sided, before any adjustment for several arms or metrics."""
    method: str
    """Which test and interval, with a version: an old verdict stays computable."""


NO_LIFT = Interval(estimate=None, low=None, high=None, unbounded=True)


def critical_value(alpha: float) -> float:
    """Standard errors that a normal statistic passes with probability `alpha`, both tails together."""
    from scipy.special import ndtri

    return -float(ndtri(alpha / 2))


def level(critical: float) -> float:
    """The two-sided probability of passing `critical` standard errors: 2Φ(−c)."""
    from scipy.special import ndtr

    return 2 * float(ndtr(-abs(critical)))


def equivalent_z(p_value: float) -> float:
    """The absolute normal statistic that has this two-sided p-value; infinite for 0."""
    return critical_value(p_value) if p_value > 0 else math.inf


def fieller(
    treatment: float, control: float, *, treatment_variance: float, control_variance: float, critical: float
) -> Interval:
    """The lift `treatment / control − 1` with Fieller's interval.

    The interval holds every ratio θ for which treatment − θ · control is within `critical` of its
    standard errors from zero (Fieller 1954, Some problems in interval estimation, JRSS B 16:175).

    Args:
        treatment, control: estimates of independent arms, in the same unit.
        treatment_variance, control_variance: variances of these estimates (squared standard errors).
        critical: standard errors, such as 1.96.

    Returns:
        The lift; unbounded where the control cannot be told apart from zero, and without an
        estimate where the control is not above zero, since a percentage then says nothing.
    """
    if control <= 0 or not math.isfinite(treatment / control):
        return NO_LIFT
    # Everything in units of the control, so that no square leaves the range of floats.
    ratio, square = treatment / control, critical * critical
    lead = 1 - square * control_variance / control / control
    unbounded = Interval(estimate=ratio - 1, low=None, high=None, unbounded=True)
    if not lead > 0:
        return unbounded
    rest = ratio * ratio - square * treatment_variance / control / control
    root = math.sqrt(max(0.0, ratio * ratio - lead * rest))
    low, high = (ratio - root) / lead - 1, (ratio + root) / lead - 1
    return Interval(estimate=ratio - 1, low=low, high=high) if math.isfinite(high - low) else unbounded
