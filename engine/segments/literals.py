"""What a literal of a condition means: its text is what was written, and its form says how it compares."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from engine.declare.quantities import Duration, Money, quoted
from engine.errors import FixYourYaml, Problem

_FIGURE = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,29})(\.[0-9]{1,30})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CALENDAR = re.compile(r"([0-9]+) ?(month|year)")
_MONTHS = {"month": 1, "year": 12}


def figure(text: str) -> Decimal | None:
    """The number of a literal that is one, in order: `19.90`, and `01067` too."""
    return Decimal(text) if _FIGURE.fullmatch(text) else None


def number(text: str) -> Decimal | None:
    """The number that a literal equals; a leading zero makes it a code, which equals no number."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def day(text: str) -> date | None:
    """The day of an ISO date such as `2026-12-01`."""
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def moment(text: str) -> datetime | None:
    """The instant of an ISO time; UTC where no offset is written. A date is a day, not an instant."""
    if day(text) is not None or not _DAY.match(text):
        return None
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        return None
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def duration(text: str) -> Duration | None:
    """The duration of a literal such as `30 days`."""
    try:
        return Duration.parse(text)
    except ValueError:
        return None


def ago(at: datetime, length: Duration) -> datetime:
    """So long before an instant; whole months and years go by the calendar, as ages do."""
    calendar = _CALENDAR.match(length.text)
    return _months_before(at, int(calendar[1]) * _MONTHS[calendar[2]]) if calendar else at - length.delta


def _months_before(at: datetime, months: int) -> datetime:
    year, month = divmod(at.year * 12 + at.month - 1 - months, 12)
    return at.replace(year=year, month=month + 1, day=min(at.day, monthrange(year, month + 1)[1]))


def age_of(text: str, place: str) -> timedelta:
    """The duration that a condition needs here.

    Raises:
        FixYourYaml: it is none.
    """
    length = duration(text)
    if length is None:
        raise _wrong(place, text, Duration.example)
    return length.delta


def count_of(text: str, place: str) -> int:
    """The whole number that a condition needs here.

    Raises:
        FixYourYaml: it is none.
    """
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise _wrong(place, text, "3")
    return int(text)


def amount_of(text: str, place: str) -> Decimal:
    """The amount that a condition needs here: a number, with its currency or without.

    Raises:
        FixYourYaml: it is none.
    """
    value = figure(text)
    if value is not None:
        return value
    try:
        return Money.parse(text).amount
    except ValueError:
        raise _wrong(place, text, Money.example) from None


def _wrong(place: str, text: str, example: str) -> FixYourYaml:
    message = f"{place}: {quoted(text)} is not understood here; write for example {quoted(example)}"
    return FixYourYaml([Problem(message=message)])
