"""Numbers and times as a reader expects them: as many decimals as the data carry, and their unit."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum

from engine.declare.quantities import Effect
from engine.report.document import Interval
from engine.report.sealed import PlannedMetric

MINUS = "−"
NONE = "–"
_JOIN = "\u00a0"
# A number and its unit stay on one line.
_MONEY = ("amount", "margin")
_SIGNIFICANT = 2
_MOST_DECIMALS = 5


class Unit(StrEnum):
    """What a metric's number is counted in."""

    SHARE = "share"
    """0–1, shown in per cent; its differences in percentage points."""
    MONEY = "money"
    NUMBER = "number"
    LIFT = "lift"
    """A relative difference, shown in per cent."""


def unit_of(metric: PlannedMetric | None, kind: str) -> Unit:
    """The unit of a metric's values.

    Args:
        kind: the metric's kind, for a metric whose definition the plan does not have.
    """
    if kind == "conversion":
        return Unit.SHARE
    if metric is None:
        return Unit.NUMBER
    if metric.numerator and metric.denominator:
        above, below = metric.numerator.value in _MONEY, metric.denominator.value in _MONEY
        return Unit.SHARE if above and below else Unit.MONEY if above else Unit.NUMBER
    return Unit.MONEY if metric.value in _MONEY else Unit.NUMBER


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Writes numbers and times for one campaign's readers."""

    currency: str | None = None
    timezone: str = "UTC"
    locale: str = "en"

    def count(self, number: float) -> str:
        return self._decimal(number, 0)

    def share(self, part: float) -> str:
        """A part of a whole, to a tenth of a per cent at most."""
        return self._decimal(100 * part, 0 if abs(part * 100 - round(part * 100)) < 0.05 else 1) + f"{_JOIN}%"

    def value(self, number: float | None, unit: Unit, *, spread: float | None = None) -> str:
        """A metric's value.

        Args:
            spread: half the width of the interval of its difference, which says how many decimals mean anything.
        """
        if number is None:
            return NONE
        return self._written(number, unit, _decimals(number if spread is None else spread, unit))

    def change(self, number: float | None, unit: Unit, *, spread: float | None = None, bare: bool = False) -> str:
        """A difference with its sign; `bare` leaves the unit out."""
        if number is None:
            return NONE
        digits = _decimals(number if spread is None else spread, unit)
        written = self._decimal(abs(_shown(number, unit)), digits) if bare else self._size(abs(number), unit, digits)
        return _sign(number, unit, digits) + written

    def tick(self, number: float, unit: Unit, *, step: float) -> str:
        """A value below an axis, with no more decimals than its steps need."""
        digits = max(0, -math.floor(math.log10(_shown(step, unit)) + 1e-9))
        return _sign(number, unit, digits) + self._size(abs(number), unit, digits)

    def interval(self, interval: Interval | None, unit: Unit) -> str:
        """Both ends of an interval: `+0.34 to +1.70 pp`; an end that is missing says so."""
        if interval is None or (interval.low is None and interval.high is None):
            return "no limit either way" if interval and interval.unbounded else NONE
        spread = half_width(interval)
        low = self.change(interval.low, unit, spread=spread, bare=unit is not Unit.MONEY)
        high = self.change(interval.high, unit, spread=spread)
        if interval.low is None:
            return f"up to {high}, no lower limit"
        if interval.high is None:
            return f"{self.change(interval.low, unit, spread=spread)} or more, no upper limit"
        return f"{low} to {high}"

    def effect(self, effect: Effect, *, sign: int = 1) -> str:
        """A declared effect with its sign: `+1 pp`."""
        return ("+" if sign > 0 else MINUS) + effect.text.replace(" ", _JOIN)

    def p_value(self, p: float | None) -> str:
        if p is None:
            return NONE
        return "< 0.001" if p < 0.001 else self._decimal(p, 3)

    def at(self, moment: datetime | None) -> str:
        """Date and time on the campaign's clock: `1 Dec 2026, 10:00`."""
        from babel.dates import format_datetime, get_timezone

        if moment is None:
            return NONE
        return format_datetime(moment, "d MMM yyyy, HH:mm", tzinfo=get_timezone(self.timezone), locale=self.locale)

    def slot(self, name: str) -> str:
        """A wave's slot, which is a local time on whichever clock the campaign goes by."""
        from babel.dates import format_datetime

        try:
            local = datetime.fromisoformat(name)
        except ValueError:
            return name
        return format_datetime(local.replace(tzinfo=None), "d MMM yyyy, HH:mm", locale=self.locale)

    def _written(self, number: float, unit: Unit, digits: int) -> str:
        """A value: a share is per cent of a whole, not percentage points."""
        size = self._size(abs(number), Unit.LIFT if unit is Unit.SHARE else unit, digits)
        return (MINUS if number < 0 and not _rounds_to_zero(number, unit, digits) else "") + size

    def _size(self, size: float, unit: Unit, digits: int) -> str:
        match unit:
            case Unit.SHARE:
                return f"{self._decimal(100 * size, digits)}{_JOIN}pp"
            case Unit.LIFT:
                return f"{self._decimal(100 * size, digits)}{_JOIN}%"
            case Unit.MONEY if self.currency:
                return self._money(size, digits)
            case _:
                return self._decimal(size, digits)

    def _money(self, amount: float, digits: int) -> str:
        from babel import Locale
        from babel.numbers import format_currency, get_currency_precision

        assert self.currency is not None
        # "€0.5" looks like a mistake: either whole units, or at least as many decimals as coins have.
        digits = max(digits, get_currency_precision(self.currency)) if digits else 0
        pattern = Locale.parse(self.locale).currency_formats["standard"].pattern
        pattern = re.sub(r"0\.0+", _pattern(digits), pattern)
        return format_currency(
            _rounded(amount, digits), self.currency, format=pattern, locale=self.locale, currency_digits=False
        )

    def _decimal(self, number: float, digits: int) -> str:
        from babel.numbers import format_decimal

        return format_decimal(_rounded(number, digits), format=f"#,##{_pattern(digits)}", locale=self.locale)


def half_width(interval: Interval) -> float | None:
    """Half of an interval's width; of one without an end, the distance of its estimate to the other end."""
    ends = [end for end in (interval.low, interval.high) if end is not None]
    if len(ends) == 2:
        return abs(ends[1] - ends[0]) / 2
    if ends and interval.estimate is not None:
        return abs(ends[0] - interval.estimate)
    return None


def _shown(number: float, unit: Unit) -> float:
    return 100 * number if unit in (Unit.SHARE, Unit.LIFT) else number


def _decimals(scale: float, unit: Unit) -> int:
    """Decimals that leave two significant digits of something of this size."""
    size = abs(_shown(scale, unit))
    if size < 10**-_MOST_DECIMALS:
        return 1
    return min(_MOST_DECIMALS, max(0, _SIGNIFICANT - 1 - math.floor(math.log10(size))))


def _pattern(digits: int) -> str:
    return "0." + "0" * digits if digits else "0"


def _rounded(number: float, digits: int) -> Decimal:
    return Decimal(repr(float(number))).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN)


def _rounds_to_zero(number: float, unit: Unit, digits: int) -> bool:
    return _rounded(_shown(number, unit), digits) == 0


def _sign(number: float, unit: Unit, digits: int) -> str:
    if _rounds_to_zero(number, unit, digits):
        return ""
    return "+" if number > 0 else MINUS
