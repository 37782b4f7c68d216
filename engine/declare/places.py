"""Time zones, currencies, countries and languages that exist."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from babel import localedata
from babel.core import get_global

from engine.declare.near import nearest
from engine.declare.quantities import quoted
from engine.declare.spec import Overridable

Trouble = Callable[[str], tuple[str, str | None] | None]
"""What is wrong with a code, and what to write; nothing for one that exists."""


def timezone_trouble(name: str) -> tuple[str, str | None] | None:
    """What is wrong with a time zone's name and what was perhaps meant; None for one that exists."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = nearest(name, sorted(available_timezones()))
        hint = f'did you mean "{near}"?' if near else "write a name such as Europe/Berlin"
        return f"there is no time zone {quoted(name)}", hint
    return None


def currency_trouble(code: str) -> tuple[str, str | None] | None:
    """The same for a currency, which has to be in use today."""
    return _trouble("currency", code, currencies(), "EUR")


def currency_of(settings: Overridable) -> str | None:
    """The currency that amounts have to be in; None where none is declared, or none that exists."""
    return settings.currency if settings.currency in currencies() else None


def country_trouble(code: str) -> tuple[str, str | None] | None:
    """The same for a country's two letters."""
    return _trouble("country", code, countries(), "DE")


def language_trouble(code: str) -> tuple[str, str | None] | None:
    """The same for a language, such as `de` or `pt-BR`."""
    if re.fullmatch("[a-z]{2,3}([-_][A-Za-z]{2,4}){0,2}", code) and localedata.exists(re.split("[-_]", code)[0]):
        return None
    return f"there is no language {quoted(code)}", "write a code such as de, en or pt-BR"


def _trouble(what: str, code: str, known: frozenset[str], example: str) -> tuple[str, str | None] | None:
    if code in known:
        return None
    near = next(iter(get_global("territory_aliases").get(code, ())), None) or nearest(code, sorted(known))
    hint = f'did you mean "{near}"?' if near in known else f"write a code such as {example}"
    return f"there is no {what} {quoted(code)}", hint


@cache
def currencies() -> frozenset[str]:
    """ISO 4217 codes of the currencies that some country uses today."""
    used = get_global("territory_currencies").values()
    return frozenset(code for history in used for code, _, until, tender in history if until is None and tender)


@cache
def countries() -> frozenset[str]:
    """ISO 3166 codes of countries."""
    return frozenset(code for code in get_global("territory_currencies") if re.fullmatch("[A-Z]{2}", code))
