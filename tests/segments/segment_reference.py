"""What conditions mean, in plain Python: one customer, one condition, no SQL.

Written from the words of `engine.segments`, to be compared with what the stores answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from segment_world import Event, Person

from engine.declare.spec import (
    Attribute,
    Condition,
    Did,
    DidNot,
    Group,
    InCampaign,
    InSegment,
    PropertyTest,
    Rfm,
    Segment,
)
from engine.model import AsOf

ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class Reference:
    """Answers for one population, one set of segments, one time."""

    def __init__(self, population: list[Person], segments: Mapping[str, Segment], as_of: AsOf) -> None:
        self.population, self.segments, self.as_of = population, segments, as_of
        self.ranked: dict[tuple[str, str], dict[int, int]] = {}

    def holds(self, person: Person, condition: Condition) -> bool:
        match condition:
            case Group():
                return (
                    all(self.holds(person, c) for c in condition.all or [])
                    and (condition.any is None or any(self.holds(person, c) for c in condition.any))
                    and not any(self.holds(person, c) for c in condition.none or [])
                )
            case Attribute():
                return self.passes(self.value(person, condition.attribute), condition)
            case Did():
                return self.did(person, condition)
            case DidNot():
                return not self.happened(person, condition.did_not, condition.within, condition.where)
            case Rfm():
                return self.rfm(person, condition)
            case InSegment():
                return self.holds(person, self.segments[condition.in_segment].where)
            case InCampaign():
                return self.entered(person, condition)
        raise NotImplementedError(condition)

    # --- values ---

    def value(self, person: Person, name: str) -> Any:
        if name == "email_domain":
            return person.columns["email"] and person.columns["email"].split("@")[-1]
        if name == "customer_id":
            return person.customer_id
        return person.columns[name] if name in person.columns else person.attributes.get(name)

    def passes(self, value: Any, test: PropertyTest) -> bool:
        low, high = test.between or (None, None)
        wanted = [
            test.is_ is None or equals(value, test.is_),
            test.in_ is None or any(equals(value, text) for text in test.in_),
            test.is_not is None or not equals(value, test.is_not),
            test.not_in is None or not any(equals(value, text) for text in test.not_in),
            *(text is None or self.at_least(value, text) for text in (test.at_least, low)),
            *(text is None or self.at_most(value, text) for text in (test.at_most, high)),
            test.contains is None or contains(value, test.contains),
            test.matches is None or (is_text(value) and fits(text_of(value), test.matches)),
            test.exists is None or (value is not None) is test.exists,
        ]
        untested = test.model_dump(exclude_none=True, exclude={"attribute"}) == {}
        return value is not None if untested else all(wanted)

    def at_least(self, value: Any, text: str) -> bool:
        if number(text) is not None:
            return figure(value) is not None and figure(value) >= number(text)
        if iso_day(text):
            return day_of(value) is not None and day_of(value) >= text
        if age := years_or_days(text):
            limit = before(self.as_of.at, *age)
            return value <= limit if isinstance(value, datetime) else not_after(value, limit)
        if isinstance(value, datetime):
            return moment(text) is not None and value >= moment(text)
        return is_text(value) and text_of(value) >= text

    def at_most(self, value: Any, text: str) -> bool:
        if number(text) is not None:
            return figure(value) is not None and figure(value) <= number(text)
        if iso_day(text):
            return day_of(value) is not None and day_of(value) <= text
        if age := years_or_days(text):
            limit = before(self.as_of.at, *age)
            if isinstance(value, datetime):
                return limit <= value <= self.as_of.at
            return not_after(value, self.as_of.at) and day_of(value) >= limit.date().isoformat()
        if isinstance(value, datetime):
            return moment(text) is not None and value <= moment(text)
        return is_text(value) and text_of(value) <= text

    # --- events ---

    def seen(self, person: Person, name: str, within: Any = None) -> list[Event]:
        return [
            event
            for event in person.events
            if event.name == name
            and event.occurred_at < self.as_of.at
            and event.recorded_at <= self.as_of.known_at
            and not event.machine
            and (within is None or event.occurred_at >= self.as_of.at - within.delta)
        ]

    def happened(self, person: Person, name: str, within: Any, where: Any) -> list[Event]:
        return [event for event in self.seen(person, name, within) if self.fitting(event, where)]

    def fitting(self, event: Event, where: Any) -> bool:
        for name, wanted in (where or {}).items():
            value = (event.properties or {}).get(name)
            if name in ("value", "amount") and event.value is not None:
                value = event.value
            if not self.passes(value, PropertyTest(is_=wanted) if isinstance(wanted, str) else wanted):
                return False
        return True

    def did(self, person: Person, condition: Did) -> bool:
        def counts(event: Event) -> bool:
            if condition.not_followed_by and self.follows(person, event, condition.not_followed_by):
                return False
            if condition.followed_by and not self.follows(person, event, condition.followed_by):
                return False
            return condition.after_gap is None or returned(event, condition.after_gap.delta)

        def returned(event: Event, gap: timedelta) -> bool:
            alike = self.happened(person, condition.did, None, condition.where)
            before = [other.occurred_at for other in alike if other.occurred_at < event.occurred_at]
            return bool(before) and max(before) <= event.occurred_at - gap

        found = [e for e in self.happened(person, condition.did, condition.within, condition.where) if counts(e)]
        low = condition.at_least if condition.at_least is not None else (0 if condition.at_most == 0 else 1)
        return low <= len(found) and (condition.at_most is None or len(found) <= condition.at_most)

    def follows(self, person: Person, event: Event, name: str) -> bool:
        later = self.seen(person, name)
        if name == event.name:
            return any(other.occurred_at > event.occurred_at for other in later)
        return any(other.occurred_at >= event.occurred_at for other in later)

    # --- purchases ---

    def purchases(self, person: Person, within: Any) -> dict[str, Any] | None:
        bought, back = self.seen(person, "purchase", within), self.seen(person, "returned", within)
        if not bought:
            return None
        spent = sum(Decimal(str(e.value or 0)) for e in bought) - sum(Decimal(str(e.value or 0)) for e in back)
        return {"recency": max(e.occurred_at for e in bought), "frequency": len(bought), "monetary": spent}

    def rfm(self, person: Person, condition: Rfm) -> bool:
        known = self.purchases(person, condition.within)
        if known is None:
            return False
        low, high = condition.between or (None, None)
        lows = [text for text in (condition.at_least, low) if text is not None]
        highs = [text for text in (condition.at_most, high) if text is not None]
        if condition.rfm == "recency":
            age = self.as_of.at - known["recency"]
            return all(age >= days(t) for t in lows) and all(age <= days(t) for t in highs)
        value = known[condition.rfm] if condition.rfm in known else self.score(person, condition)
        return all(value >= Decimal(t.split(" ")[0]) for t in lows) and all(
            value <= Decimal(t.split(" ")[0]) for t in highs
        )

    def score(self, person: Person, condition: Rfm) -> int:
        measures = ["recency", "frequency", "monetary"]
        wanted = measures if condition.rfm == "score" else [condition.rfm.removesuffix("_score")]
        return sum(self.tiles(measure, condition.within)[person.id] for measure in wanted)

    def tiles(self, measure: str, within: Any) -> dict[int, int]:
        """Buyers in five groups, the first ones larger where they do not divide; remembered, as everybody asks."""
        key = measure, str(within)
        if key not in self.ranked:
            known = [(self.purchases(person, within), person) for person in self.population]
            ranked = sorted((bought[measure], p.customer_id, p.id) for bought, p in known if bought is not None)
            sizes = [len(ranked) // 5 + (tile < len(ranked) % 5) for tile in range(5)]
            tiles = [tile for tile, size in enumerate(sizes, start=1) for _ in range(size)]
            self.ranked[key] = {id_: tile for (_, _, id_), tile in zip(ranked, tiles, strict=True)}
        return self.ranked[key]

    # --- campaigns ---

    def entered(self, person: Person, condition: InCampaign) -> bool:
        at = self.as_of.at
        return any(
            entry.campaign == condition.in_campaign
            and entry.entered_at < at
            and (condition.within is None or entry.entered_at >= at - condition.within.delta)
            and condition.arm in (None, entry.arm)
            and (condition.verdict is None or (entry.decision == condition.verdict and entry.decided_at < at))
            and condition.state in (None, entry.state)
            for entry in person.entries
        )


def is_text(value: Any) -> bool:
    return isinstance(value, str | bool)


def text_of(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def equals(value: Any, text: str) -> bool:
    if isinstance(value, datetime):
        return value.date().isoformat() == text or value == moment(text)
    if is_number(value):
        return bool(re.fullmatch(r"-?(0|[1-9]\d{0,29})(\.\d+)?", text, re.ASCII)) and Decimal(str(value)) == Decimal(
            text
        )
    return is_text(value) and text_of(value) == text


def contains(value: Any, part: str) -> bool:
    return part in value if isinstance(value, list) else is_text(value) and part in text_of(value)


def fits(text: str, pattern: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None


def number(text: str) -> Decimal | None:
    return Decimal(text) if re.fullmatch(r"-?\d{1,30}(\.\d{1,30})?", text, re.ASCII) else None


def figure(value: Any) -> Decimal | None:
    if is_number(value):
        return Decimal(str(value))
    return number(value) if isinstance(value, str) and len(value) <= 30 else None


def iso_day(text: str) -> bool:
    try:
        return bool(ISO_DAY.fullmatch(text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


def day_of(value: Any) -> str | None:
    if isinstance(value, datetime):
        return value.date().isoformat()
    return value[:10] if isinstance(value, str) and ISO_DAY.match(value) else None


def moment(text: str) -> datetime | None:
    if not ISO_DAY.match(text) or iso_day(text):
        return None
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def years_or_days(text: str) -> tuple[int, str] | None:
    match = re.fullmatch(r"(\d+) (year|month|day|hour)s?", text, re.ASCII)
    return (int(match[1]), match[2]) if match else None


def days(text: str) -> timedelta:
    count, unit = years_or_days(text) or (0, "day")
    return timedelta(**{f"{unit}s": count})


def before(at: datetime, count: int, unit: str) -> datetime:
    if unit in ("day", "hour"):
        return at - timedelta(**{f"{unit}s": count})
    months = count * (12 if unit == "year" else 1)
    year, month = at.year - (months - at.month + 12) // 12, (at.month - months - 1) % 12 + 1
    for day in range(at.day, 0, -1):
        try:
            return at.replace(year=year, month=month, day=day)
        except ValueError:
            continue
    raise AssertionError


def not_after(value: Any, limit: datetime) -> bool:
    return day_of(value) is not None and day_of(value) <= limit.date().isoformat()
