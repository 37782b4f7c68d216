"""Cron expressions: on which days they fire."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from engine.declare.cron import parse

MONDAY = date(2026, 6, 1)


@pytest.mark.parametrize(
    ("expression", "days"),
    [
        pytest.param("0 10 * * *", "MTWTFSS", id="every-day"),
        pytest.param("0 10 * * TUE", "-T-----", id="name"),
        pytest.param("0 10 * * tue,Fri", "-T--F--", id="names-in-any-case"),
        pytest.param("0 10 * * 0", "------S", id="0-is-sunday"),
        pytest.param("0 10 * * 7", "------S", id="7-is-sunday"),
        pytest.param("0 10 * * 1-5", "MTWTF--", id="span"),
        pytest.param("0 10 * * MON-FRI", "MTWTF--", id="span-of-names"),
        pytest.param("0 10 * * 5-7", "----FSS", id="span-to-7"),
        pytest.param("0 10 * * FRI-MON", "M---FSS", id="span-over-the-weekend"),
        pytest.param("0 10 * * */2", "-T-T-SS", id="steps-from-sunday"),
        pytest.param("0 10 * * 1-5/2", "M-W-F--", id="steps-in-a-span"),
        pytest.param("0 10 2 * *", "-T-----", id="day-of-month"),
        pytest.param("0 10 1-3 6 *", "MTW----", id="span-of-days"),
        pytest.param("0 10 * JUL *", "-------", id="another-month"),
        pytest.param("0 10 2 * SUN", "-T----S", id="day-or-weekday"),
        pytest.param("0 10 */3 * *", "M--T--S", id="every-third-day"),
    ],
)
def test_it_fires_on_these_days_of_a_week(expression: str, days: str) -> None:
    """The week that begins with Monday, 1 June 2026."""
    cron = parse(expression)
    fired = [cron.fires_on(MONDAY + timedelta(days=offset)) for offset in range(7)]
    assert "".join(letter if fires else "-" for letter, fires in zip("MTWTFSS", fired, strict=True)) == days


@pytest.mark.parametrize(
    ("expression", "first", "end", "fires"),
    [
        pytest.param("0 0 29 2 *", date(2024, 1, 1), None, True, id="leap-day-comes-some-year"),
        pytest.param("0 0 30 2 *", date(2024, 1, 1), None, False, id="30-february-never"),
        pytest.param("0 0 31 4,6,9,11 *", date(2024, 1, 1), None, False, id="31st-of-short-months"),
        pytest.param("0 0 29 2 *", date(2026, 1, 1), date(2028, 2, 29), False, id="the-end-is-exclusive"),
        pytest.param("0 0 29 2 *", date(2026, 1, 1), date(2028, 3, 1), True, id="the-last-day-counts"),
    ],
)
def test_it_fires_in_a_period(expression: str, first: date, end: date | None, fires: bool) -> None:
    """Or never."""
    assert parse(expression).fires_between(first, end) is fires
