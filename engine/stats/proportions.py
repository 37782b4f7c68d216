"""Two proportions: the pooled test, the Miettinen-Nurminen interval, exact tests for sparse cells."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from engine.errors import CannotBeJudged
from engine.stats.effect import Comparison, Interval, fieller, level

SPARSE = 30
"""Fewer expected successes (or failures) in an arm than this, and the normal test is not trusted."""
BOSCHLOO_MOST = 200
"""Customers an arm up to which Boschloo's test takes under a second; it takes minutes beyond."""


@dataclass(frozen=True, kw_only=True)
class Proportion:
    """Successes among customers.

    Raises:
        CannotBeJudged: nobody is counted, or the successes are negative or more than the customers.
    """

    successes: int
    n: int

    def __post_init__(self) -> None:
        if self.n <= 0:
            raise CannotBeJudged("an arm has no customers")
        if not 0 <= self.successes <= self.n:
            raise CannotBeJudged(f"an arm has {self.successes} successes among {self.n} customers")

    @property
    def rate(self) -> float:
        return self.successes / self.n

    @property
    def variance(self) -> float:
        """Variance of the rate. With no success, or only successes, it would be zero and an interval
        a point; then it is that of half a success more and half a failure more."""
        full = self.successes in (0, self.n)
        rate = (self.successes + 0.5) / (self.n + 1) if full else self.rate
        return rate * (1 - rate) / self.n


def pooled_z(treatment: Proportion, control: Proportion) -> float:
    """The z statistic of the difference with the variance pooled under equal rates.

    Its square is Pearson's chi-square without continuity correction. Zero where every customer of
    both arms has the same outcome: such data say nothing against equality.
    """
    rate = _pooled_rate(treatment, control)
    variance = rate * (1 - rate) * (1 / treatment.n + 1 / control.n)
    return (treatment.rate - control.rate) / math.sqrt(variance) if variance > 0 else 0.0


def _pooled_rate(treatment: Proportion, control: Proportion) -> float:
    return (treatment.successes + control.successes) / (treatment.n + control.n)


def expected_in_smaller_arm(treatment: Proportion, control: Proportion) -> float:
    """Successes or failures, whichever are rarer, that equal rates let expect in the smaller arm."""
    rate = _pooled_rate(treatment, control)
    return min(treatment.n, control.n) * min(rate, 1 - rate)


def is_sparse(treatment: Proportion, control: Proportion) -> bool:
    """Whether the cells are too thin for the normal test."""
    return expected_in_smaller_arm(treatment, control) < SPARSE


def miettinen_nurminen(treatment: Proportion, control: Proportion, *, critical: float) -> tuple[float, float]:
    """The score interval of the difference of two rates.

    It holds every difference δ that the score test with the variance restricted to δ does not reject,
    the variance enlarged by N/(N−1) (Miettinen & Nurminen 1985, Stat Med 4:213). Works with empty cells.

    Args:
        critical: standard errors, such as 1.96.

    Returns:
        Lower and upper bound of treatment − control, inside −1 to 1.
    """
    difference = treatment.rate - control.rate

    def reach(delta: float) -> float:
        return critical * math.sqrt(restricted_variance(treatment, control, delta))

    low = _end(lambda delta: difference - delta - reach(delta), difference, -1.0)
    high = _end(lambda delta: delta - difference - reach(delta), difference, 1.0)
    return low, high


def _end(excess: Callable[[float], float], estimate: float, limit: float) -> float:
    """Where, on the way from the estimate to the limit, a difference lies exactly at the reach.

    With empty cells the reach is zero at the estimate itself, so the search begins a step beside it.
    """
    from scipy.optimize import brentq

    beside = estimate + math.copysign(1e-14, limit)
    if abs(beside) >= 1 or excess(limit) <= 0:
        return limit
    if excess(beside) >= 0:
        return estimate
    return float(brentq(excess, beside, limit, xtol=1e-15, rtol=1e-14))


def restricted_variance(treatment: Proportion, control: Proportion, delta: float) -> float:
    """Variance of the difference at the likeliest rates that differ by exactly `delta`, times N/(N−1)."""
    n = treatment.n + control.n
    base = restricted_rate(treatment, control, delta)
    raised = min(1.0, max(0.0, base + delta))
    return (raised * (1 - raised) / treatment.n + base * (1 - base) / control.n) * n / (n - 1)


def restricted_rate(treatment: Proportion, control: Proportion, delta: float) -> float:
    """The control's likeliest rate if the treatment's is higher by exactly `delta`.

    The root of the likelihood's cubic in closed form (Miettinen & Nurminen 1985, appendix 1). The
    arc cosine loses half the digits at small rates, so two Newton steps follow.
    """
    n, successes = treatment.n + control.n, treatment.successes + control.successes
    c3 = float(n)
    c2 = (treatment.n + 2 * control.n) * delta - n - successes
    c1 = (control.n * delta - n - 2 * control.successes) * delta + successes
    c0 = control.successes * delta * (1 - delta)
    rate = _cubic_root(c3, c2, c1, c0)
    low, high = max(0.0, -delta), min(1.0, 1 - delta)
    for _ in range(2):
        slope = (3 * c3 * rate + 2 * c2) * rate + c1
        if slope != 0:
            rate -= (((c3 * rate + c2) * rate + c1) * rate + c0) / slope
        rate = min(high, max(low, rate))
    return rate


def _cubic_root(c3: float, c2: float, c1: float, c0: float) -> float:
    """The middle one of the cubic's three real roots."""
    third = c2 / (3 * c3)
    q = third**3 - c1 * c2 / (6 * c3**2) + c0 / (2 * c3)
    p = math.copysign(math.sqrt(max(0.0, third**2 - c1 / (3 * c3))), q)
    cosine = q / p**3 if p else 0.0
    angle = (math.pi + math.acos(min(1.0, max(-1.0, cosine)))) / 3
    return 2 * p * math.cos(angle) - third


def exact_p(treatment: Proportion, control: Proportion) -> tuple[float, str]:
    """The two-sided p-value of an exact test and the test's name.

    Boschloo's test (more powerful than Fisher's, equally exact) up to about 200 customers an arm,
    Fisher's beyond; both by scipy.
    """
    from scipy.stats import boschloo_exact, fisher_exact

    table = [
        [treatment.successes, control.successes],
        [treatment.n - treatment.successes, control.n - control.successes],
    ]
    if max(treatment.n, control.n) <= BOSCHLOO_MOST:
        return float(boschloo_exact(table).pvalue), "boschloo"
    return float(fisher_exact(table).pvalue), "fisher"


def compare(treatment: Proportion, control: Proportion, *, critical: float, exact_if_sparse: bool = True) -> Comparison:
    """Judge the difference of two rates.

    Args:
        critical: standard errors of the interval, such as 1.96; the p-value is compared with 2Φ(−critical).
        exact_if_sparse: use an exact test where the normal one is not to be trusted (final looks only).

    Returns:
        Pooled z (or the exact test's p-value), the Miettinen-Nurminen interval of the difference and
        Fieller's of the lift.
    """
    low, high = miettinen_nurminen(treatment, control, critical=critical)
    lift = fieller(
        treatment.rate,
        control.rate,
        treatment_variance=treatment.variance,
        control_variance=control.variance,
        critical=critical,
    )
    p_value, test = level(pooled_z(treatment, control)), "z_pooled"
    if exact_if_sparse and is_sparse(treatment, control):
        p_value, test = exact_p(treatment, control)
    return Comparison(
        difference=Interval(estimate=treatment.rate - control.rate, low=low, high=high),
        lift=lift,
        p_value=p_value,
        method=f"{test}+mn/1",
    )
