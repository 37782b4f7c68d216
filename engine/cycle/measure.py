"""Measuring: what happened to a round's customers, as sufficient statistics that the store adds up.

The unit is the customer, counted once a round from `entered_at` on, with one arm, whether messaged
or not. Only mature customers count: those whose whole window lies before what the data are complete
for. No row of a customer leaves the store.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    FromClause,
    Row,
    Select,
    Subquery,
    and_,
    case,
    cast,
    func,
    select,
)

from engine.cycle.evidence import Evidence, Reach, significant
from engine.declare.quantities import Percentile
from engine.declare.spec import Metric
from engine.errors import CannotBeJudged
from engine.facts.rfm import PURCHASE, RETURNED
from engine.facts.stored import dialect_of
from engine.model import Arm, AsOf, Fate, MessageState
from engine.segments.compare import Comparison
from engine.segments.values import AMOUNTS, properties_hold
from engine.stats.means import Sums
from engine.store.tables import MICROSECOND, entry, event, message

_ARRIVED = (Fate.DELIVERED, Fate.COMPLAINED)
# Whoever complains about a message has received it.


def measure(
    connection: Connection,
    *,
    round_id: int,
    arms: Sequence[Arm],
    metrics: Mapping[str, Metric],
    caps: Mapping[str, float],
    as_of: AsOf,
    data_through: Mapping[str, datetime | None],
    final: bool,
) -> Evidence:
    """Everything that a look may be judged by, at the digits that are sealed.

    Args:
        arms: the round's arms, the holdout too.
        metrics: the metrics to measure, of kind conversion or mean.
        caps: by metric, the sealed value above which a customer's sum counts as this much.
        data_through: by event (`events_of` names them), up to when its data are complete. Without one,
            nobody is mature, except that returns may be missing: a shop may have none.
        final: whether this is the round's last look.

    Raises:
        CannotBeJudged: a metric is of a kind that this release does not measure.
    """
    counted = {
        name: _count(connection, round_id, metric, cap=caps.get(name), as_of=as_of, data_through=data_through)
        for name, metric in metrics.items()
    }
    names = [arm.name for arm in arms]
    return Evidence(
        as_of=as_of.at,
        final=final,
        data_through={name: data_through.get(name) for metric in metrics.values() for name in events_of(metric)},
        arms=_reach(connection, round_id, names),
        metrics={name: {arm: by.get(arm, _NOBODY).sums for arm in names} for name, by in counted.items()},
        uncapped={
            name: {arm: by.get(arm, _NOBODY).uncapped for arm in names}
            for name, by in counted.items()
            if metrics[name].kind == "mean" and metrics[name].value is not None
        },
    ).rounded()


def events_of(metric: Metric) -> tuple[str, ...]:
    """The events that a metric needs; money spent needs the returns too."""
    assert metric.event is not None
    net = metric.kind == "mean" and metric.event == PURCHASE and metric.value is not None
    return (metric.event, RETURNED) if net else (metric.event,)


def window_of(metric: Metric) -> tuple[timedelta, timedelta]:
    """Start and end of a metric's window, counted from entry; the end is outside."""
    if metric.between is not None:
        return metric.between[0].delta, metric.between[1].delta
    assert metric.within is not None
    return timedelta(0), metric.within.delta


# --- one customer's value ---------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Value:
    """How one metric's value of a customer is read from events."""

    metric: Metric
    as_of: AsOf
    dialect: str

    def counts(self, row: FromClause) -> ColumnElement[bool]:
        """The events that count, wherever in time; what a mail proxy did, the customer did not do."""
        comparison = Comparison(as_of=self.as_of, dialect=dialect_of(self.dialect))
        return and_(
            row.c.name.in_(events_of(self.metric)),
            row.c.occurred_at < self.as_of.at,
            row.c.recorded_at <= self.as_of.known_at,
            row.c.machine.is_(False),
            *properties_hold(self.metric.where, row, comparison),
        )

    def of_rows(self, row: FromClause) -> ColumnElement[Any]:
        """The customer's value over a group of such events."""
        if self.metric.kind == "conversion":
            return cast(1, Float)
        if self.metric.value is None:
            return cast(func.count(), Float)
        amount = self._amount(row, self.metric.value)
        if len(events_of(self.metric)) > 1:
            amount = case((row.c.name == RETURNED, -amount), else_=amount)
        return func.coalesce(func.sum(amount), 0.0)

    def _amount(self, row: FromClause, name: str) -> ColumnElement[Any]:
        written = self._property(row, name)
        return func.coalesce(row.c.value, written) if name in AMOUNTS else written

    def _property(self, row: FromClause, name: str) -> ColumnElement[Any]:
        """The number of an event's property, or that its text spells; null where it is none."""
        dialect = dialect_of(self.dialect)
        if self.dialect != "sqlite":
            return cast(dialect.key(row.c.properties, name).figure, Float)
        each = func.json_each(row.c.properties).table_valued("key", "value", "type")
        figure = case(
            (each.c.type.in_(("integer", "real")), each.c.value), (each.c.type == "text", dialect.figure(each.c.value))
        )
        return cast(select(figure).where(each.c.key == name).correlate(row).scalar_subquery(), Float)


def _value_of(metric: Metric, as_of: AsOf, connection: Connection) -> _Value:
    if metric.kind not in ("conversion", "mean") or metric.less is not None:
        raise CannotBeJudged(f"not supported yet: metrics of kind {metric.kind}, or with `less`")
    return _Value(metric=metric, as_of=as_of, dialect=connection.dialect.name)


# --- a round's customers ----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Counted:
    sums: Sums
    uncapped: float


_NOBODY = _Counted(sums=Sums(n=0, total=0.0, squares=0.0), uncapped=0.0)


def _count(
    connection: Connection,
    round_id: int,
    metric: Metric,
    *,
    cap: float | None,
    as_of: AsOf,
    data_through: Mapping[str, datetime | None],
) -> dict[str, _Counted]:
    """One metric's statistics by arm, in one statement."""
    value = _value_of(metric, as_of, connection)
    through = _complete_through(metric, data_through)
    if through is None:
        return {}
    start, end = window_of(metric)
    latest = min(through, as_of.at)
    mature = and_(entry.c.round_id == round_id, entry.c.entered_at <= latest - end)
    first = select(func.min(entry.c.entered_at)).where(entry.c.round_id == round_id).scalar_subquery()
    row = event.alias()
    values = (
        select(entry.c.arm, value.of_rows(row).label("value"))
        .join_from(entry, row, row.c.customer_id == entry.c.customer_id)
        .where(mature, value.counts(row), row.c.occurred_at >= entry.c.entered_at + start // MICROSECOND)
        .where(row.c.occurred_at < entry.c.entered_at + end // MICROSECOND)
        # Says nothing new, but spares PostgreSQL the properties of years of events.
        .where(row.c.occurred_at >= first, row.c.occurred_at < latest)
        .group_by(entry.c.customer_id, entry.c.arm)
        .subquery()
    )
    sums = select(values.c.arm, *_added_up(values.c.value, cap)).group_by(values.c.arm).subquery()
    sizes = select(entry.c.arm, func.count().label("n")).where(mature).group_by(entry.c.arm).subquery()
    found = select(sizes.c.arm, sizes.c.n, sums).join_from(sizes, sums, sums.c.arm == sizes.c.arm, isouter=True)
    return {row.arm: _counted(row) for row in connection.execute(found)}


def _complete_through(metric: Metric, data_through: Mapping[str, datetime | None]) -> datetime | None:
    event_, *returns = events_of(metric)
    through = data_through.get(event_)
    known = [at for name in returns if (at := data_through.get(name)) is not None]
    return None if through is None else min([through, *known])


def _added_up(value: ColumnElement[Any], cap: float | None) -> list[ColumnElement[Any]]:
    """Sum, sum of squares and count of the non-zero; customers without any event add nothing to them."""
    capped = value if cap is None else case((value > cap, cap), else_=value)
    return [
        func.sum(capped).label("total"),
        func.sum(capped * capped).label("squares"),
        func.sum(case((value != 0, 1), else_=0)).label("nonzero"),
        func.sum(value).label("uncapped"),
    ]


def _counted(row: Row[Any]) -> _Counted:
    sums = Sums(n=row.n, total=row.total or 0.0, squares=row.squares or 0.0, nonzero=row.nonzero or 0)
    return _Counted(sums=sums, uncapped=row.uncapped or 0.0)


def _reach(connection: Connection, round_id: int, arms: Sequence[str]) -> dict[str, Reach]:
    """How many customers of every arm came how far, by the message of their first entry."""
    first = and_(message.c.wave_id == entry.c.wave_id, message.c.customer_id == entry.c.customer_id)
    query = (
        select(
            entry.c.arm,
            func.count().label("assigned"),
            _number(message.c.state == MessageState.ACCEPTED).label("accepted"),
            _number(message.c.fate.in_(_ARRIVED)).label("delivered"),
            _number(message.c.state == MessageState.UNCERTAIN).label("uncertain"),
        )
        .select_from(entry.outerjoin(message, first))
        .where(entry.c.round_id == round_id)
        .group_by(entry.c.arm)
    )
    found = {row.arm: row for row in connection.execute(query)}
    return {name: _reached(found.get(name)) for name in arms}


def _number(test: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((test, 1), else_=0))


def _reached(row: Row[Any] | None) -> Reach:
    if row is None:
        return Reach(assigned=0)
    return Reach(
        assigned=row.assigned, accepted=int(row.accepted), delivered=int(row.delivered), uncertain=int(row.uncertain)
    )


# --- what history says, for the plan ----------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """A metric of an audience in the past."""

    mean: float
    """The rate, or the mean per customer."""
    sd: float
    """Standard deviation among customers."""
    n: int
    """Customers of the audience."""


def before_window(metric: Metric, as_of: AsOf) -> AsOf:
    """The latest time whose audience has a whole window of the metric behind it at `as_of`.

    A segment such as "quiet for 60 days" says of its own members that they bought nothing lately. What
    to expect of them is what those who were in it then did since: compile the audience as of this
    time for `baseline` and `history_cap`.
    """
    return AsOf(at=as_of.at - window_of(metric)[1], known_at=as_of.known_at)


def baseline(
    connection: Connection, metric: Metric, audience: Select[Any], as_of: AsOf, *, cap: float | None = None
) -> Baseline | None:
    """What an audience did in the metric's last whole window; None for an empty audience.

    Args:
        audience: ids of customers, as of `before_window(metric, as_of)`.
        as_of: up to when the data are complete, at most now.
        cap: as sealed for the metric.

    Raises:
        CannotBeJudged: the metric is of a kind that this release does not measure.
    """
    values = _past_values(connection, metric, audience, as_of)
    sums = select(*_added_up(values.c.value, cap)).subquery()
    n = select(func.count()).select_from(audience.subquery()).scalar_subquery()
    counted = _counted(connection.execute(select(n.label("n"), sums)).one()).sums
    if counted.n == 0:
        return None
    sd = math.sqrt(counted.variance) if counted.n > 1 else 0.0
    return Baseline(mean=significant(counted.mean), sd=significant(sd), n=counted.n)


def history_cap(connection: Connection, metric: Metric, audience: Select[Any], as_of: AsOf) -> float | None:
    """The value to seal for `cap_at`: a quantile of the non-zero values of the audience's own history.

    Zeros are left out: where 0.6 % buy, the 99th percentile of everybody is zero.

    Args:
        audience: ids of customers, as of `before_window(metric, as_of)`.
        as_of: up to when the data are complete, at most now.

    Returns:
        The cap; an amount that the metric names itself; None without a cap, or without history.

    Raises:
        CannotBeJudged: the metric is of a kind that this release does not measure.
    """
    if metric.cap_at is None or not isinstance(metric.cap_at, Percentile):
        return None if metric.cap_at is None else float(metric.cap_at.amount)
    values = _past_values(connection, metric, audience, as_of)
    bought = select(values.c.value).where(values.c.value != 0)
    count = connection.execute(select(func.count()).select_from(bought.subquery())).scalar_one()
    if count == 0:
        return None
    place = metric.cap_at.value * (count - 1)
    below, *above = connection.execute(bought.order_by(values.c.value).offset(int(place)).limit(2)).scalars()
    return significant(below + (place - int(place)) * (above[0] - below) if above else below)


def _past_values(connection: Connection, metric: Metric, audience: Select[Any], as_of: AsOf) -> Subquery:
    """The metric of every customer of an audience with such events, in its last whole window."""
    value, row, people = _value_of(metric, as_of, connection), event.alias(), audience.subquery()
    start, end = window_of(metric)
    entered = as_of.at - end
    return (
        select(value.of_rows(row).label("value"))
        .join_from(people, row, row.c.customer_id == people.c[0])
        .where(value.counts(row), row.c.occurred_at >= entered + start, row.c.occurred_at < as_of.at)
        .group_by(people.c[0])
        .subquery()
    )
