"""Two means from sufficient statistics: Welch's test, and the same guarded against heavy tails."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from engine.errors import CannotBeJudged
from engine.stats.effect import Comparison, Interval, fieller, level

_LARGEST = 1e50
_CONSTANT = 1e-9
"""A variance below this part of the squared mean is what rounding of the sums leaves of zero."""


@dataclass(frozen=True, kw_only=True)
class Sums:
    """A metric's sufficient statistics in one arm.

    Raises:
        CannotBeJudged: a number is not finite, or cannot be a sum of squares or a count.
    """

    n: int
    """Customers."""
    total: float
    """Sum of the customers' values."""
    squares: float
    """Sum of the squared values."""
    nonzero: int = 0
    """Customers with another value than zero."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.total) and math.isfinite(self.squares)):
            raise CannotBeJudged("a sum is not finite: some customer's value is infinite or no number")
        if max(abs(self.total), math.sqrt(abs(self.squares))) > _LARGEST:
            raise CannotBeJudged("a sum is too large to be computed with")
        if self.n < 0 or self.squares < 0 or not 0 <= self.nonzero <= self.n:
            raise CannotBeJudged(f"the sums contradict each other: {self}")

    @classmethod
    def of(cls, values: Iterable[float]) -> Sums:
        """The statistics of customers' values.

        Raises:
            CannotBeJudged: a value is not finite.
        """
        given = [float(value) for value in values]
        if not all(map(math.isfinite, given)):
            raise CannotBeJudged("some customer's value is infinite or no number")
        return cls(
            n=len(given),
            total=math.fsum(given),
            squares=math.fsum(value * value for value in given),
            nonzero=sum(value != 0 for value in given),
        )

    @property
    def mean(self) -> float:
        return self.total / self.n

    @property
    def variance(self) -> float:
        """The sample's variance (n − 1)."""
        spread = (self.squares - self.total * self.mean) / (self.n - 1)
        return spread if spread > _CONSTANT * self.mean * self.mean else 0.0


@dataclass(frozen=True, kw_only=True)
class _Errors:
    """Variances of both means and the degrees of freedom of their difference."""

    treatment: float
    control: float
    freedom: float
    name: str

    @property
    def standard_error(self) -> float:
        return math.sqrt(self.treatment + self.control)


def welch(treatment: Sums, control: Sums, *, critical: float) -> Comparison:
    """Welch's t test of two means with its interval, and Fieller's of the lift.

    Args:
        treatment, control: independent arms.
        critical: standard errors of a normal test; the t quantile of the same level is used.

    Raises:
        CannotBeJudged: an arm has fewer than two customers, or all values are the same.
    """
    _check(treatment, control)
    return _compare(treatment, control, _welch_errors(treatment, control), critical)


def welch_guarded(treatment: Sums, control: Sums, *, critical: float) -> Comparison:
    """Welch's test with the larger of its own standard error and the null-pooled one.

    With unequal shares and heavy tails the smaller arm often misses the tail, and its own variance
    with it: Welch alone then rejects equal arms twice too often. Under equal arms the pooled variance
    estimates the same from more customers. Degrees of freedom stay Welch's, the fewer of the two.

    Args:
        treatment, control: independent arms.
        critical: standard errors of a normal test; the t quantile of the same level is used.

    Raises:
        CannotBeJudged: an arm has fewer than two customers, or all values are the same.
    """
    _check(treatment, control)
    own, pooled = _welch_errors(treatment, control), _pooled_errors(treatment, control)
    wider = max(own, pooled, key=lambda errors: errors.standard_error)
    errors = _Errors(treatment=wider.treatment, control=wider.control, freedom=own.freedom, name="welch_guarded/1")
    return _compare(treatment, control, errors, critical)


def _check(treatment: Sums, control: Sums) -> None:
    if min(treatment.n, control.n) < 2:
        raise CannotBeJudged("an arm has fewer than two customers")
    if treatment.variance + control.variance <= 0:
        raise CannotBeJudged("every customer of an arm has the same value")


def _welch_errors(treatment: Sums, control: Sums) -> _Errors:
    first, second = treatment.variance / treatment.n, control.variance / control.n
    part = first / (first + second)
    freedom = 1 / (part**2 / (treatment.n - 1) + (1 - part) ** 2 / (control.n - 1))
    return _Errors(treatment=first, control=second, freedom=freedom, name="welch/1")


def _pooled_errors(treatment: Sums, control: Sums) -> _Errors:
    freedom = treatment.n + control.n - 2
    variance = ((treatment.n - 1) * treatment.variance + (control.n - 1) * control.variance) / freedom
    return _Errors(treatment=variance / treatment.n, control=variance / control.n, freedom=freedom, name="pooled/1")


def _compare(treatment: Sums, control: Sums, errors: _Errors, critical: float) -> Comparison:
    from scipy.special import stdtr, stdtrit

    quantile = -float(stdtrit(errors.freedom, level(critical) / 2))
    difference = treatment.mean - control.mean
    reach = quantile * errors.standard_error
    return Comparison(
        difference=Interval(estimate=difference, low=difference - reach, high=difference + reach),
        lift=fieller(
            treatment.mean,
            control.mean,
            treatment_variance=errors.treatment,
            control_variance=errors.control,
            critical=quantile,
        ),
        p_value=2 * float(stdtr(errors.freedom, -abs(difference) / errors.standard_error)),
        method=errors.name,
    )
