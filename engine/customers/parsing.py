"""Texts as values: times, days, numbers, codes. What cannot be read is null; the caller says what that means."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, tzinfo
from functools import cache, lru_cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import polars as pl

from engine.store.tables import to_micros

NO_ZONE = -(2**63)
"""Stands for a time of day without a zone where no zone was given for such times."""
LARGEST = 1e15
CURRENCY = re.compile(r"[A-Z]{3}")

_SHAPES = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "%Y-%m-%dT%H:%M:%SZ"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ"), "%Y-%m-%d %H:%M:%SZ"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z"), "%Y-%m-%dT%H:%M:%S%.fZ"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d"), "%Y-%m-%dT%H:%M:%S%:z"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d"), "%Y-%m-%d %H:%M:%S%:z"),
)
_LOCAL_SHAPES = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"), "%Y-%m-%dT%H:%M:%S"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"), "%Y-%m-%d %H:%M:%S"),
)


def instants(texts: pl.Series, zone: str | None) -> pl.Series:
    """ISO 8601 times as microseconds since 1970; NO_ZONE for a time of day that has no zone and gets none.

    A day without a time of day is its midnight, in `zone` or else UTC.
    """
    values = _uniform(texts, zone)
    odd = values.is_null() & texts.is_not_null()
    if odd.any():
        read = [_instant(text, zone) for text in texts.filter(odd)]
        values = values.scatter(odd.arg_true(), pl.Series(read, dtype=pl.Int64))
    return values


def _uniform(texts: pl.Series, zone: str | None) -> pl.Series:
    """The times that have the form of the first, all at once; the others null."""
    first = next(iter(texts.drop_nulls().head(1)), "")
    for pattern, form in _SHAPES:
        if pattern.fullmatch(first):
            return texts.str.to_datetime(form, time_zone="UTC", time_unit="us", strict=False).dt.epoch("us")
    for pattern, form in _LOCAL_SHAPES if zone else ():
        if pattern.fullmatch(first):
            local = texts.str.to_datetime(form, time_unit="us", strict=False)
            return local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.epoch("us")
    return pl.Series([None] * len(texts), dtype=pl.Int64)


@lru_cache(100_000)
def _instant(text: str, zone: str | None) -> int | None:
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        return None
    if value.tzinfo is None and zone is None and not _is_day(text):
        return NO_ZONE
    try:
        return to_micros(value) if value.tzinfo else _in_zone(value, ZoneInfo(zone) if zone else UTC)
    except OverflowError:
        return None


def _in_zone(local: datetime, zone: tzinfo) -> int | None:
    """The earlier instant of a local time; None where the clocks went forward over it."""
    value = local.replace(tzinfo=zone)
    back = value.astimezone(UTC).astimezone(zone)
    return to_micros(value) if back.replace(tzinfo=None) == local else None


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


@lru_cache(100_000)
def day(text: str) -> str | None:
    """An ISO 8601 day, or the day of a time."""
    try:
        return datetime.fromisoformat(text).date().isoformat()
    except ValueError:
        return None


def numbers(texts: pl.Series) -> pl.Series:
    """Finite decimal numbers of at most LARGEST in size; the others null."""
    values = texts.cast(pl.Float64, strict=False)
    fine = values.is_finite() & (values.abs() <= LARGEST)
    return values.to_frame("value").select(pl.when(fine).then(pl.col("value"))).to_series()


def each(texts: pl.Series, convert: Callable[[str], Any], dtype: pl.DataType | type[pl.DataType]) -> pl.Series:
    """Convert every different text once; null stays null."""
    different = texts.drop_nulls().unique()
    converted = pl.Series([convert(text) for text in different], dtype=dtype)
    if not len(different):
        return pl.Series([None] * len(texts), dtype=dtype)
    return texts.replace_strict(different, converted, default=None, return_dtype=dtype)


_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def truth(text: str) -> bool | None:
    """true, 1, yes, false, 0, no, in any case."""
    return _TRUTH.get(text.lower())


_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|\d{3}))?")


def language(text: str) -> str | None:
    """A language code such as de or pt-BR."""
    match = _LANGUAGE.fullmatch(text)
    if match is None:
        return None
    tongue, script, region = match.groups()
    return "-".join([tongue.lower(), *([script.title()] if script else []), *([region.upper()] if region else [])])


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def timezone(text: str) -> str | None:
    """An IANA time zone such as Europe/Berlin."""
    return text if text in _zones() else None


@cache
def _countries() -> dict[str, str]:
    """Codes and English names, in lower case → ISO 3166 alpha-2."""
    from babel import Locale
    from babel.core import get_global

    names = {str(code): str(name) for code, name in Locale("en").territories.items()}
    codes = {code for code in names if re.fullmatch(r"[A-Z]{2}", code)} - {"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"}
    aliases = {str(alias): str(targets[0]) for alias, targets in get_global("territory_aliases").items()}
    found = {alias.lower(): code for alias, code in aliases.items() if code in codes and alias.isalpha()}
    found |= {_letters(names[code]): code for code in codes}
    return found | _OTHER_NAMES | {code.lower(): code for code in codes}


_OTHER_NAMES = {
    "czech republic": "CZ", "eire": "IE", "great britain": "GB", "holland": "NL", "hong kong": "HK", "korea": "KR",
    "macau": "MO", "republic of ireland": "IE", "rsa": "ZA", "turkey": "TR", "united states of america": "US",
}  # fmt: skip
"""English names in use that Unicode's list does not have."""


def _letters(name: str) -> str:
    """A name without the signs that people write or leave out."""
    return re.sub(r"[\s.,'’()-]+", " ", name.lower().replace("&", " and ")).strip()


def country(text: str) -> str | None:
    """ISO 3166 alpha-2 of a code or an English name."""
    return _countries().get(_letters(text))
