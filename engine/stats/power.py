"""How many customers a test needs, and what a given number can detect.

The critical value is an argument (`multiplicity.dunnett_critical` or `effect.critical_value`), so that
one formula serves one treatment, several treatments and any level.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from engine.errors import CannotBeJudged
from engine.stats.effect import level

_CERTAIN = 9.0
_MOST = 1e12
"""More customers than this are no answer."""


@dataclass(frozen=True, kw_only=True)
class Required:
    """Customers needed, as the formula gives them; the properties round up."""

    exact_control: float
    exact_treatment: float

    @property
    def control(self) -> int:
        return _up(self.exact_control)

    @property
    def treatment(self) -> int:
        return _up(self.exact_treatment)


def _up(customers: float) -> int:
    """The next whole customer; 3841.0000000001 is 3841."""
    return math.ceil(customers * (1 - 1e-12))


def required(
    *,
    baseline: float,
    effect: float,
    critical: float,
    power: float = 0.8,
    ratio: float = 1.0,
    sd: float | None = None,
) -> Required:
    """Customers a two-sided test needs to find an effect.

    Rates: the pooled z test without continuity correction (Fleiss, Levin & Paik 2003, Statistical
    Methods for Rates and Proportions, §4). Means: the t test with equal standard deviations.

    Args:
        baseline: the control's rate (0–1), or its mean.
        effect: treatment − control in the same unit; negative for a hoped-for decrease.
        critical: standard errors of the test, such as 1.96.
        power: chance to find the effect.
        ratio: customers in the treatment over customers in the control.
        sd: standard deviation of the metric among customers; None for a rate.

    Raises:
        CannotBeJudged: there is no such effect, or no number of customers would find it.
    """
    _check(baseline, effect, power, ratio, sd)
    if sd is None:
        control = _required_rates(baseline, effect, critical, _quantile(power), ratio)
    elif sd == 0:
        raise CannotBeJudged("the metric has the same value for every customer, so no sample can be computed")
    else:
        control = _required_means(abs(effect) / sd, critical, power, ratio)
    return Required(exact_control=control, exact_treatment=control * ratio)


def detectable(
    *,
    baseline: float,
    control: int,
    treatment: int,
    critical: float,
    power: float = 0.8,
    sd: float | None = None,
    decrease: bool = False,
) -> float | None:
    """The smallest effect that a given number of customers finds with the given power.

    Args:
        baseline: the control's rate (0–1), or its mean.
        control, treatment: customers of both arms.
        critical, power, sd: as in `required`.
        decrease: look below the baseline; the effect is then negative.

    Returns:
        Treatment − control in the metric's unit; None where even the largest possible effect would be missed.

    Raises:
        CannotBeJudged: an arm has no customers, or the baseline is no rate.
    """
    if min(control, treatment) <= 0:
        raise CannotBeJudged("an arm has no customers")
    sign = -1.0 if decrease else 1.0
    _check(baseline, 0.0, power, treatment / control, sd)
    if sd is None:
        quantile = _quantile(power)

        def spare(step: float) -> float:
            equal, apart = _errors(baseline, baseline + sign * step, control, treatment)
            return step - critical * equal - quantile * apart

        size = _rising_root(spare, baseline if decrease else 1 - baseline)
        return None if size is None else sign * size
    size = _rising_root(lambda step: _power_means(step, critical, control, treatment) - power, _MOST)
    return None if size is None else sign * size * sd


def growth(*, reach: float, distance: float, critical: float, power: float) -> float:
    """By which factor all arms must grow until an interval ends before a value that it now holds.

    Args:
        reach: from the estimate to the interval's end on the value's side.
        distance: from the estimate to the value; infinite growth is needed for none.
        critical: standard errors that the interval reaches.
        power: chance that the grown interval ends before the value, were the estimate the truth.
    """
    if distance <= 0:
        return math.inf
    return (reach / distance * (1 + _quantile(power) / critical)) ** 2


def _check(baseline: float, effect: float, power: float, ratio: float, sd: float | None) -> None:
    numbers = [baseline, effect, power, ratio, *([] if sd is None else [sd])]
    if not all(map(math.isfinite, numbers)) or ratio <= 0 or not 0 < power < 1 or (sd is not None and sd < 0):
        raise CannotBeJudged("a sample needs a finite baseline and effect, shares above zero and a power inside 0 to 1")
    if sd is None and not (0 <= baseline <= 1 and 0 <= baseline + effect <= 1):
        raise CannotBeJudged(f"a rate of {baseline:.4g} cannot change by {effect:+.4g}: rates lie inside 0 to 1")


def _quantile(power: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(power))


def _required_rates(baseline: float, effect: float, critical: float, quantile: float, ratio: float) -> float:
    if effect == 0:
        raise CannotBeJudged("an effect of zero cannot be found")
    equal, apart = _errors(baseline, baseline + effect, 1.0, ratio)
    return ((critical * equal + quantile * apart) / effect) ** 2


def _errors(baseline: float, raised: float, control: float, treatment: float) -> tuple[float, float]:
    """Standard errors of the difference of two rates: pooled as if they were equal, and as they are."""
    pooled = (control * baseline + treatment * raised) / (control + treatment)
    equal = pooled * (1 - pooled) * (1 / control + 1 / treatment)
    apart = baseline * (1 - baseline) / control + raised * (1 - raised) / treatment
    return math.sqrt(equal), math.sqrt(max(0.0, apart))


def _required_means(size: float, critical: float, power: float, ratio: float) -> float:
    if size == 0:
        raise CannotBeJudged("an effect of zero cannot be found")
    from scipy.optimize import brentq

    def gap(log_control: float) -> float:
        control = math.exp(log_control)
        return _power_means(size, critical, control, control * ratio) - power

    low, high = math.log(2 * max(1.0, 1 / ratio)), math.log(_MOST)
    if gap(low) >= 0:
        return math.exp(low)
    if gap(high) < 0:
        raise CannotBeJudged("no number of customers would find so small an effect")
    return math.exp(float(brentq(gap, low, high, xtol=1e-12)))


def _power_means(size: float, critical: float, control: float, treatment: float) -> float:
    """Chance that the t test with equal variances finds `size` standard deviations, on their own side of zero."""
    from scipy.special import nctdtr, stdtrit

    freedom = control + treatment - 2
    if freedom <= 0:
        return 0.0
    quantile = -float(stdtrit(freedom, level(critical) / 2))
    shift = size / math.sqrt(1 / control + 1 / treatment)
    # scipy's noncentral t gives NaN far out, where the power is 1 to the last digit.
    return 1.0 if shift > quantile + _CERTAIN else 1 - float(nctdtr(freedom, shift, quantile))


def _rising_root(gap: Callable[[float], float], high: float) -> float | None:
    """Where a gap that is below zero at 0 is closed; None if it is not by `high`."""
    from scipy.optimize import brentq

    return float(brentq(gap, 0.0, high, xtol=1e-14, rtol=1e-12)) if gap(high) >= 0 else None
