"""Conditions compiled to SQL: each becomes one expression about `tables.customer`, as of a time.

The expression stands in any statement that selects from `tables.customer`, several of them
side by side, under `NOT` too: each is true or false and never unknown. A condition sees
only what occurred before `as_of.at` and was recorded by `as_of.known_at`. What a test of a value
means is said in `compare`, of events in `happened`, of purchases in `rfm`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, false, not_, or_, select, true

from engine.declare.spec import (
    CONDITION_KEYS,
    Attribute,
    Condition,
    Did,
    DidNot,
    Group,
    InCampaign,
    InSegment,
    Rfm,
    Segment,
)
from engine.errors import FixYourYaml, NotSupportedYet, Problem
from engine.facts.events import of_customer, visible
from engine.facts.stored import dialect_of
from engine.model import AsOf
from engine.segments import happened, rfm
from engine.segments.compare import Bool, Comparison
from engine.segments.values import customer_value
from engine.store.tables import customer, entry, message, round_


def predicate(condition: Condition, segments: Mapping[str, Segment], as_of: AsOf, dialect: str) -> ColumnElement[bool]:
    """The condition as a boolean expression correlated with `tables.customer`.

    It does not ask whether the customer was there at the time: that is `visible(as_of)`, which an
    audience adds once, so that a negated condition stays an exact negation.

    Args:
        segments: what `in_segment` may name.
        dialect: SQLAlchemy's name of the store, `sqlite` or `postgresql`.

    Raises:
        NotSupportedYet: a condition of a later release.
        FixYourYaml: a segment that does not exist or contains itself, or a bound of the wrong kind.
    """
    return _Compiler(Comparison(as_of=as_of, dialect=dialect_of(dialect)), segments).compile(condition)


def segment_query(name: str, segments: Mapping[str, Segment], as_of: AsOf, dialect: str) -> Select[Any]:
    """The ids of the customers in a segment, as one SELECT.

    Raises:
        NotSupportedYet, FixYourYaml: as `predicate`.
    """
    inside = predicate(InSegment(in_segment=name), segments, as_of, dialect)
    return select(customer.c.id).where(visible(as_of), inside)


@dataclass(frozen=True)
class _Compiler:
    comparison: Comparison
    segments: Mapping[str, Segment]
    inside: tuple[str, ...] = ()
    """Names of the segments that are being compiled, from the outermost in."""

    def compile(self, condition: Condition) -> Bool:
        match condition:
            case Group():
                return self._group(condition)
            case Attribute():
                return self.comparison.holds(customer_value(condition.attribute, self.comparison.dialect), condition)
            case Did() | DidNot():
                return happened.holds(condition, self.comparison)
            case Rfm():
                return rfm.holds(condition, self.comparison)
            case InSegment():
                return self._in_segment(condition.in_segment)
            case InCampaign():
                return _in_campaign(condition, self.comparison.as_of)
            case _:
                raise NotSupportedYet([Problem(message=f"not supported yet: the condition `{kind_of(condition)}`")])

    def _group(self, group: Group) -> Bool:
        parts = [self.compile(member) for member in group.all or ()]
        if group.any is not None:
            parts.append(or_(false(), *(self.compile(member) for member in group.any)))
        # One NOT each: PostgreSQL makes an anti-join of NOT EXISTS, but not of NOT (… OR …).
        parts += [not_(self.compile(member)) for member in group.none or ()]
        return and_(true(), *parts)

    def _in_segment(self, name: str) -> Bool:
        if name in self.inside:
            raise _wrong(f"segment {name!r} contains itself: {' → '.join((*self.inside, name))}")
        if name not in self.segments:
            raise _wrong(f"there is no segment {name!r}")
        return replace(self, inside=(*self.inside, name)).compile(self.segments[name].where)


def kind_of(condition: Condition) -> str:
    """The key that says which condition it is, such as `attribute`; `group` for `all`, `any` and `none`."""
    fields = type(condition).model_fields
    return next((key for key in CONDITION_KEYS if key in fields), "group")


def _wrong(message: str) -> FixYourYaml:
    return FixYourYaml([Problem(message=message)])


def _in_campaign(condition: InCampaign, as_of: AsOf) -> Bool:
    """Entered before `at`, in the holdout too; `verdict` is a decision taken before `at`, `state` the message's now."""
    entered, held = entry.alias(), round_.alias()
    tests = [of_customer(entered), held.c.campaign == condition.in_campaign, entered.c.entered_at < as_of.at]
    if condition.within is not None:
        tests.append(entered.c.entered_at >= as_of.at - condition.within.delta)
    if condition.arm is not None:
        tests.append(entered.c.arm == condition.arm)
    if condition.verdict is not None:
        tests += [held.c.decision == condition.verdict, held.c.decided_at < as_of.at]
    if condition.state is not None:
        tests.append(_messaged(entered, condition.state))
    joined = entered.join(held, held.c.id == entered.c.round_id)
    return select(entered.c.customer_id).select_from(joined).where(*tests).correlate(customer).exists()


def _messaged(entered: FromClause, state: str) -> Bool:
    row = message.alias()
    found = select(row.c.id).where(
        row.c.customer_id == entered.c.customer_id,
        row.c.wave_id == entered.c.wave_id,
        row.c.state == state,
    )
    return found.correlate(entered).exists()
