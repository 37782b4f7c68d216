"""What the text of a literal is taken for."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from engine.declare.quantities import Duration
from engine.segments import literals


@pytest.mark.parametrize(
    ("at", "length", "expected"),
    [
        pytest.param((2026, 3, 31), "1 month", (2026, 2, 28), id="the-last-day-of-a-shorter-month"),
        pytest.param((2028, 2, 29), "18 years", (2010, 2, 28), id="the-leap-day-in-a-common-year"),
        pytest.param((2026, 1, 15), "1 month", (2025, 12, 15), id="over-the-new-year"),
        pytest.param((2026, 12, 31), "12 months", (2025, 12, 31), id="twelve-months-are-a-year"),
        pytest.param((2026, 3, 31), "2 weeks", (2026, 3, 17), id="weeks-are-exact"),
        pytest.param((2026, 3, 31), "18years", (2008, 3, 31), id="without-a-space"),
    ],
)
def test_ages_go_by_the_calendar(at: tuple[int, int, int], length: str, expected: tuple[int, int, int]) -> None:
    """Months and years end on the same day of the month, or on its last."""
    ago = literals.ago(datetime(*at, 12, tzinfo=UTC), Duration.parse(length))
    assert ago == datetime(*expected, 12, tzinfo=UTC)


def test_parts_of_a_year_are_lengths_of_time() -> None:
    """Half a year has no day of the month to go by."""
    at = datetime(2026, 3, 31, tzinfo=UTC)
    assert at - literals.ago(at, Duration.parse("0.5 years")) == Duration.parse("0.5 years").delta


def test_the_form_says_the_kind() -> None:
    """Numbers, codes, days, times and lengths are told apart by how they are written."""
    assert literals.number("19.90") == literals.figure("19.90") == Decimal("19.9")
    assert (literals.number("01067"), literals.figure("01067")) == (None, Decimal(1067))
    assert [literals.figure(text) for text in ("1e5", "+5", "5.", ".5", "١٢", "9" * 31, "")] == [None] * 7
    assert literals.day("2026-02-28") == date(2026, 2, 28)
    assert [literals.day(text) for text in ("2026-02-30", "20260228", "2026-02-28 10:00")] == [None] * 3
    assert literals.moment("2026-02-28 10:00") == datetime(2026, 2, 28, 10, tzinfo=UTC)
    assert literals.moment("2026-02-28T10:00+02:00") == datetime(2026, 2, 28, 8, tzinfo=UTC)
    assert [literals.moment(text) for text in ("2026-02-28", "2026-02-28 25:00", "10:00")] == [None] * 3
    assert literals.duration("3 apples") is None
