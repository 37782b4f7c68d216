"""Numbers are written with their unit, and with as many decimals as the data carry."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.report.document import Interval
from engine.report.figures import Figures, Unit, half_width, unit_of
from engine.report.sealed import Counted, PlannedMetric

EURO = Figures(currency="EUR", timezone="Europe/Berlin")


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("number", "unit", "spread", "written"),
    [
        pytest.param(0.01022, Unit.SHARE, 0.007, "+1.02 pp", id="points"),
        pytest.param(0.1022, Unit.SHARE, 0.07, "+10.2 pp", id="wide-interval-fewer-decimals"),
        pytest.param(-0.000123, Unit.SHARE, 0.00007, "−0.0123 pp", id="tiny"),
        pytest.param(-0.00004, Unit.SHARE, 0.01, "0.0 pp", id="rounds-to-zero-without-sign"),
        pytest.param(0.2555, Unit.LIFT, 0.19, "+26 %", id="lift"),
        pytest.param(0.459, Unit.MONEY, 0.55, "+€0.46", id="money"),
        pytest.param(-0.00459, Unit.MONEY, 0.0055, "−€0.0046", id="money-below-a-cent"),
        pytest.param(1234.5, Unit.MONEY, 300, "+€1,234", id="money-without-coins"),
        pytest.param(0.46, Unit.NUMBER, 0.55, "+0.46", id="number"),
        pytest.param(None, Unit.SHARE, None, "–", id="absent"),
        pytest.param(0.0, Unit.SHARE, 0.0, "0.0 pp", id="nothing-at-all"),
    ],
)
def test_differences(number: float | None, unit: Unit, spread: float | None, written: str) -> None:
    assert plain(EURO.change(number, unit, spread=spread)) == written


@pytest.mark.parametrize(
    ("number", "unit", "spread", "written"),
    [
        pytest.param(0.05022, Unit.SHARE, 0.007, "5.02 %", id="share"),
        pytest.param(3.871, Unit.MONEY, 0.55, "€3.87", id="money"),
        pytest.param(-3.871, Unit.MONEY, 0.55, "−€3.87", id="money-lost"),
        pytest.param(3.871, Unit.NUMBER, None, "3.9", id="number-alone"),
    ],
)
def test_values(number: float, unit: Unit, spread: float | None, written: str) -> None:
    assert plain(EURO.value(number, unit, spread=spread)) == written


def test_money_of_a_currency_without_coins_and_of_none() -> None:
    assert Figures(currency="JPY").change(3.4, Unit.MONEY, spread=2.0) == "+¥3.4"
    assert Figures(currency="JPY").value(480, Unit.MONEY) == "¥480"
    assert Figures().value(4.5, Unit.MONEY, spread=0.2) == "4.50"


@pytest.mark.parametrize(
    ("low", "high", "written"),
    [
        pytest.param(0.0032, 0.0172, "+0.32 to +1.72 pp", id="both-ends"),
        pytest.param(-0.0032, None, "−0.3 pp or more, no upper limit", id="no-upper-end"),
        pytest.param(None, 0.0172, "up to +1.72 pp, no lower limit", id="no-lower-end"),
        pytest.param(None, None, "no limit either way", id="no-end"),
    ],
)
def test_intervals(low: float | None, high: float | None, written: str) -> None:
    interval = Interval(estimate=0.01, low=low, high=high, unbounded=None in (low, high))
    assert plain(EURO.interval(interval, Unit.SHARE)) == written


def test_an_interval_that_is_absent_is_not_unbounded() -> None:
    assert EURO.interval(None, Unit.SHARE) == "–"
    assert EURO.interval(Interval(), Unit.SHARE) == "–"
    assert half_width(Interval()) is None


@pytest.mark.parametrize(
    ("metric", "kind", "unit"),
    [
        pytest.param(PlannedMetric(kind="conversion", event="purchase"), "conversion", Unit.SHARE, id="conversion"),
        pytest.param(PlannedMetric(kind="mean", event="purchase", value="amount"), "mean", Unit.MONEY, id="revenue"),
        pytest.param(PlannedMetric(kind="mean", event="purchase"), "mean", Unit.NUMBER, id="orders"),
        pytest.param(
            PlannedMetric(
                kind="ratio",
                numerator=Counted(event="purchase", value="margin"),
                denominator=Counted(event="purchase", value="amount"),
            ),
            "ratio",
            Unit.SHARE,
            id="margin-share",
        ),
        pytest.param(None, "mean", Unit.NUMBER, id="unknown"),
    ],
)
def test_the_unit_follows_from_what_is_counted(metric: PlannedMetric | None, kind: str, unit: Unit) -> None:
    assert unit_of(metric, kind) is unit


@pytest.mark.parametrize(("p", "written"), [(0.0004, "< 0.001"), (0.0432, "0.043"), (None, "–")])
def test_p_values(p: float | None, written: str) -> None:
    assert EURO.p_value(p) == written


def test_times_are_on_the_campaigns_clock() -> None:
    assert EURO.at(datetime(2026, 7, 1, 22, 30, tzinfo=UTC)) == "2 Jul 2026, 00:30"
    assert EURO.slot("2026-12-01T10:00:00") == "1 Dec 2026, 10:00"
    assert EURO.slot("step 2") == "step 2"
