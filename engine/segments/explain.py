"""A segment's rule in plain words, with how many customers each condition holds for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

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
    Where,
)
from engine.errors import NotSupportedYet
from engine.facts.events import visible
from engine.model import AsOf
from engine.segments import literals
from engine.segments.compile import kind_of, predicate, segment_query
from engine.store.tables import customer


@dataclass(frozen=True, kw_only=True)
class Clause:
    """One condition of a rule, before it is counted."""

    depth: int
    words: str
    condition: Condition


@dataclass(frozen=True, kw_only=True)
class Line:
    """One condition of a rule."""

    depth: int
    """How deeply it is nested; the outermost is 0."""
    words: str
    customers: int | None
    """For how many customers it holds, taken alone; None where this release cannot say."""


def explain(
    connection: Connection, condition: Condition, segments: Mapping[str, Segment], as_of: AsOf
) -> Iterator[Line]:
    """Every condition of a rule in words, outermost first, each counted on its own when it is its turn.

    Raises:
        FixYourYaml: a condition names a segment that does not exist, or a bound of the wrong kind.
    """
    for clause in clauses(condition):
        found = _count(connection, clause.condition, segments, as_of)
        yield Line(depth=clause.depth, words=clause.words, customers=found)


def size(connection: Connection, condition: Condition, segments: Mapping[str, Segment], as_of: AsOf) -> int:
    """How many customers fulfil a condition."""
    inside = predicate(condition, segments, as_of, connection.dialect.name)
    counted = select(func.count()).select_from(customer).where(visible(as_of), inside)
    return int(connection.execute(counted).scalar_one())


def first(connection: Connection, name: str, segments: Mapping[str, Segment], as_of: AsOf, customers: int) -> list[str]:
    """The first customer_ids of a segment, by code point."""
    inside = segment_query(name, segments, as_of, connection.dialect.name).with_only_columns(customer.c.customer_id)
    return list(connection.execute(inside.order_by(customer.c.customer_id).limit(customers)).scalars())


def _count(connection: Connection, condition: Condition, segments: Mapping[str, Segment], as_of: AsOf) -> int | None:
    try:
        return size(connection, condition, segments, as_of)
    except NotSupportedYet:
        return None


def clauses(condition: Condition, depth: int = 0) -> Iterator[Clause]:
    """Every condition of a rule in words, outermost first."""
    if not isinstance(condition, Group):
        yield Clause(depth=depth, words=_words(condition), condition=condition)
        return
    for heading, part, members in _parts(condition):
        yield Clause(depth=depth, words=heading, condition=part)
        for member in members:
            yield from clauses(member, depth + 1)


def _parts(group: Group) -> Iterator[tuple[str, Group, list[Condition]]]:
    if group.all is not None:
        yield "all of these hold:", Group(all=group.all), group.all
    if group.any is not None:
        yield "at least one of these holds:", Group(any=group.any), group.any
    if group.none is not None:
        yield "none of these holds:", Group(none=group.none), group.none


def _words(condition: Condition) -> str:
    match condition:
        case Attribute():
            return f"{condition.attribute} {_tests(condition)}"
        case Did() | DidNot():
            return _event(condition)
        case Rfm():
            return _rfm(condition)
        case InSegment():
            return f"is in the segment {condition.in_segment}"
        case InCampaign():
            return _campaign(condition)
        case _:
            return _plainly(condition)


def _plainly(condition: Any) -> str:
    """A condition of a later release, as it is written."""
    kind = kind_of(condition)
    written = condition.model_dump(mode="json", by_alias=True, exclude_none=True)
    rest = "".join(f", {key.replace('_', ' ')} {value}" for key, value in written.items() if key != kind)
    return f"{kind} {written[kind]}{rest}"


# --- tests of values ---------------------------------------------------------------------------------


def _tests(test: PropertyTest) -> str:
    said = [
        (test.is_, "is {}"),
        (test.is_not, "is not {}"),
        (_listed(test.in_), "is one of {}"),
        (_listed(test.not_in), "is none of {}"),
        (test.contains, "contains {}"),
        (test.matches, "matches {}"),
    ]
    words = [phrase.format(value) for value, phrase in said if value is not None]
    words += _bounds(test.at_least, test.at_most, test.between)
    if test.exists is not None or not words:
        words.append("is missing" if test.exists is False else "has a value")
    return " and ".join(words)


def _listed(values: list[str] | None) -> str | None:
    return None if values is None else ", ".join(values) or "nothing"


def _bounds(at_least: str | None, at_most: str | None, between: tuple[str, str] | None) -> list[str]:
    words = [f"is at least {_aged(at_least)}"] if at_least is not None else []
    if at_most is not None:
        words.append(f"is at most {_aged(at_most)}")
    if between is not None:
        words.append(f"is between {between[0]} and {_aged(between[1])}")
    return words


def _aged(text: str) -> str:
    return f"{text} ago" if literals.duration(text) else text


# --- events and purchases ----------------------------------------------------------------------------


def _event(condition: Did | DidNot) -> str:
    within = f" in the last {condition.within}" if condition.within else ""
    if isinstance(condition, DidNot):
        return f"did not do {condition.did_not}{within}{_where(condition.where)}"
    said = f"{_often(condition)}{within}{_where(condition.where)}"
    if condition.after_gap:
        said += f", after at least {condition.after_gap} without"
    if condition.followed_by:
        said += f", and then {condition.followed_by}"
    if condition.not_followed_by:
        said += f", and no {condition.not_followed_by} since"
    return said


def _often(condition: Did) -> str:
    low, high = condition.at_least, condition.at_most
    if high is None:
        return f"did {condition.did}" + (f" {low} times or more" if low is not None and low != 1 else "")
    if high == 0 and not low:
        return f"did not do {condition.did}"
    return f"did {condition.did} {1 if low is None else low} to {high} times"


def _where(where: Where | None) -> str:
    tests = [
        f"{name} {f'is {test}' if isinstance(test, str) else _tests(test)}" for name, test in (where or {}).items()
    ]
    return f" where {' and '.join(tests)}" if tests else ""


_RFM = {
    "recency": "the last purchase",
    "frequency": "the number of purchases",
    "monetary": "the sum of purchases, net of returns,",
    "recency_score": "the recency score (1 to 5)",
    "frequency_score": "the frequency score (1 to 5)",
    "monetary_score": "the monetary score (1 to 5)",
    "score": "the RFM score (3 to 15)",
}


def _rfm(condition: Rfm) -> str:
    within = f" in the last {condition.within}" if condition.within else ""
    bounds = _bounds(condition.at_least, condition.at_most, condition.between) or ["is known"]
    return f"{_RFM[condition.rfm]}{within} {' and '.join(bounds)}"


def _campaign(condition: InCampaign) -> str:
    said = f"entered the campaign {condition.in_campaign}"
    said += f" in the last {condition.within}" if condition.within else ""
    said += f", arm {condition.arm}" if condition.arm else ""
    said += f", in a round judged {condition.verdict}" if condition.verdict else ""
    return said + (f", with the message {condition.state}" if condition.state else "")
