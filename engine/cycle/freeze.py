"""Freezing a wave: everybody assigned gets an entry, everybody to be messaged a message, before the first send.

The rows are written in the order of sending, in chunks. A freeze that was killed is undone and
done again: nothing of a wave is sent before the whole of it is sealed.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    MetaData,
    Row,
    Table,
    Text,
    bindparam,
    delete,
    insert,
    select,
    text,
    tuple_,
    update,
)

from engine.assign import assigner
from engine.cycle.engine import Engine
from engine.cycle.holdout import GlobalHoldout
from engine.cycle.sealed_plan import SealedPlan
from engine.cycle.timing import Timetable
from engine.model import BatchState, MessageState, Reason, WaveState
from engine.segments.audience import audience
from engine.store import audit
from engine.store.database import Database, insert_many
from engine.store.ledger import lot
from engine.store.tables import (
    MICROSECOND,
    Key,
    batch,
    customer,
    entry,
    exclusion,
    from_micros,
    lane,
    message,
    round_,
    to_micros,
    wave,
)

_CHUNK = 10_000
_BATCH = 1_000
_TOGETHER = timedelta(seconds=1)
"""A message that is due so much later than the one before begins another batch."""
_LATE = timedelta(minutes=1) // MICROSECOND
"""A wave that is frozen so soon after its slot is on time."""

_temporary = MetaData()
_assigned = Table(
    "assigned",
    _temporary,
    Column("id", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("arm", Key, nullable=False),
    Column("entered", Boolean, nullable=False),
    Column("timezone", Text),
    prefixes=["TEMPORARY"],
)
_BY_DUE = text("CREATE INDEX assigned_by_due ON assigned (due_at, position, id)")
# Made when all rows are there: keeping it up row by row costs more.


@dataclass(frozen=True, kw_only=True)
class Freezing:
    """One wave that is being frozen."""

    engine: Engine
    plan: SealedPlan
    wave: Row[Any]
    timetable: Timetable
    excluded: Counter[str] = field(default_factory=Counter)
    arms: Counter[str] = field(default_factory=Counter)
    digest: Any = field(default_factory=hashlib.sha256)

    @property
    def database(self) -> Database:
        return self.engine.database


def freeze(engine: Engine, plan: SealedPlan, due: Row[Any], now: datetime) -> None:
    """Freeze and seal the audience of a due wave. A wave that was left half frozen is begun anew, and one that was
    frozen, stopped or cancelled meanwhile is left alone."""
    freezing = Freezing(
        engine=engine, plan=plan, wave=due, timetable=Timetable(plan.resolved.campaign, due.slot, plan.zone)
    )
    if not _begin(freezing):
        return
    with audience(engine.database, plan.resolved, engine.as_of(now), round_id=due.round_id) as matched:
        with matched.connection.begin():
            _assigned.create(matched.connection)
        funnel = matched.funnel()
        missed_before = _missed_before(freezing, funnel.get(None, 0), now)
        for chunk in matched.chunks(_CHUNK):
            _assign(freezing, matched.connection, chunk, missed_before)
        paces = _Paces(planned=_Pace.of(freezing), real=_Pace.of(freezing), frozen_at=to_micros(now))
        for rows in _in_order(matched.connection):
            _write(freezing, paces, rows)
    if not _seal(freezing, sum(funnel.values()), now):
        _take_back(freezing)


def _begin(freezing: Freezing) -> bool:
    """Mark the wave and take back what a killed freeze left; False where the wave is not to be frozen any more."""
    with freezing.database.write() as connection:
        if not _move(connection, freezing, (WaveState.DUE, WaveState.FREEZING), state=WaveState.FREEZING):
            return False
    _take_back(freezing)
    return True


def _move(connection: Connection, freezing: Freezing, before: Sequence[WaveState], **values: Any) -> bool:
    """Change the wave; False where it has left these states, since a stop may come at any time."""
    own = update(wave).where(wave.c.id == freezing.wave.id, wave.c.state.in_(before))
    return connection.execute(own.values(**values)).rowcount == 1


def _take_back(freezing: Freezing) -> None:
    for table in (message, batch, entry, exclusion):
        _take_back_rows(freezing.database, table, freezing.wave.id)


def _take_back_rows(database: Database, table: Table, wave_id: int) -> None:
    keys = list(table.primary_key.columns)
    some = select(*keys).where(table.c.wave_id == wave_id).limit(_CHUNK)
    while True:
        with database.write() as connection:
            if connection.execute(delete(table).where(tuple_(*keys).in_(some))).rowcount < _CHUNK:
                return


def _missed_before(freezing: Freezing, left: int, now: datetime) -> int:
    """Whoever was due before this would get nothing any more, and so does not enter.

    Under a rate the last one is due so much later; who of the others is too late is decided at the claim.
    """
    limit = freezing.timetable.missed_before(now)
    return -1 if limit is None else to_micros(limit) - round(left * _Pace.of(freezing).gap)


def _assign(freezing: Freezing, scratch: Connection, rows: Sequence[Row[*tuple[Any, ...]]], missed_before: int) -> None:
    """Give everybody who is left an arm, a place in the order and a due time; store why others are left out."""
    timetable = freezing.timetable
    excluded = [(id_, reason) for _, id_, _, _, _, _, reason in rows if reason is not None]
    left = [row for row in rows if row[-1] is None]
    held = _held_out(freezing, left)
    excluded += [(id_, Reason.GLOBAL_HOLDOUT.value) for id_ in held]
    salts = _with_salts(freezing.database, left)
    arm_of = assigner(freezing.plan.arms, freezing.plan.salt)
    named = {arm.name: _named(freezing, arm.name) for arm in freezing.plan.arms}
    assigned, commitments = [], []
    for _, id_, key, zone_name, salt, entered, _ in left:
        if id_ in held:
            continue
        arm, position = arm_of(key)
        step = timetable.step(position)
        if timetable.may_skip and timetable.skips_quiet(zone_name, step):
            excluded.append((id_, Reason.QUIET_HOURS.value))
            continue
        due_at = timetable.due_micros(zone_name, step)
        if due_at < missed_before:
            excluded.append((id_, Reason.MISSED.value))
            continue
        assigned.append((id_, due_at, position, arm, entered, zone_name))
        if not entered:
            commitments.append(_committed(salts.get(id_) or salt, named[arm]))
    freezing.excluded.update(reason for _, reason in excluded)
    freezing.arms.update(arm for _, _, _, arm, entered, _ in assigned if not entered)
    freezing.digest.update(b"".join(commitments))
    with scratch.begin():
        insert_many(scratch, _assigned, ["id", "due_at", "position", "arm", "entered", "timezone"], assigned)
    with freezing.database.write() as connection:
        reasons = [(freezing.wave.id, id_, reason) for id_, reason in excluded]
        insert_many(connection, exclusion, ["wave_id", "customer_id", "reason"], reasons)


def commitment(person_salt: bytes, round_salt: str, slot: str, arm: str) -> bytes:
    """What the wave's digest covers of one entry; without the person's salt it tells nothing of the person."""
    return _committed(person_salt, f"{round_salt}\n{slot}\n{arm}".encode())


def _named(freezing: Freezing, arm: str) -> bytes:
    return f"{freezing.plan.salt}\n{freezing.wave.slot}\n{arm}".encode()


def _committed(person_salt: bytes, named: bytes) -> bytes:
    return hashlib.blake2b(named, key=person_salt, digest_size=16).digest()


def _held_out(freezing: Freezing, rows: Sequence[Row[*tuple[Any, ...]]]) -> frozenset[int]:
    """Members of the global holdout among these; whoever has entered the round stays when a new period begins."""
    holdout = GlobalHoldout.of(freezing.plan.resolved, freezing.timetable.base(None))
    new = [(id_, key) for _, id_, key, _, _, entered, _ in rows if not entered]
    if holdout is None or not new:
        return frozenset()
    with freezing.database.write() as connection:
        holdout.keep(connection, new)
        return holdout.among(connection, new)


def _with_salts(database: Database, rows: Sequence[Row[*tuple[Any, ...]]]) -> dict[int, bytes]:
    """Salts for customers who have none yet."""
    fresh = {id_: secrets.token_bytes(16) for _, id_, _, _, salt, _, _ in rows if salt is None}
    if fresh:
        with database.write() as connection:
            connection.execute(
                update(customer)
                .where(customer.c.id == bindparam("customer"), customer.c.person_salt.is_(None))
                .values(person_salt=bindparam("salt")),
                [{"customer": key, "salt": salt} for key, salt in fresh.items()],
            )
    return fresh


def _in_order(scratch: Connection) -> Iterator[Sequence[Row[*tuple[Any, ...]]]]:
    """All assigned customers in the order of sending, some thousand at a time."""
    with scratch.begin():
        scratch.execute(_BY_DUE)
    key = (-1, -1, -1)
    while True:
        with scratch.begin():
            rows = scratch.execute(_after(key)).all()
        if not rows:
            return
        yield rows
        key = (rows[-1].due_at, rows[-1].position, rows[-1].id)


def _after(key: tuple[int, int, int]) -> Any:
    columns = (_assigned.c.due_at, _assigned.c.position, _assigned.c.id)
    return select(_assigned).where(tuple_(*columns) > key).order_by(*columns).limit(_CHUNK)


@dataclass
class _Pace:
    """Rate slots: each customer comes a little later than the one before, or when due."""

    gap: float
    """Microseconds between two customers, those who are messaged nothing counted too."""
    batch: int
    """Messages in a batch: what the rate lets go at once."""
    start: int = -1
    count: int = 0

    @classmethod
    def of(cls, freezing: Freezing) -> _Pace:
        per_second = freezing.timetable.per_second
        if per_second is None:
            return cls(gap=0, batch=_BATCH)
        size, rest = lot(per_second)
        messaged = sum(arm.share for arm in freezing.plan.arms if arm.messaged)
        return cls(gap=rest / MICROSECOND * messaged / size, batch=size)

    def next(self, due_at: int) -> int:
        """The slot of the next customer in the order of due times."""
        slot = self.start + round(self.count * self.gap)
        if due_at > slot:
            self.start, self.count, slot = due_at, 0, due_at
        self.count += 1
        return slot


@dataclass(frozen=True, kw_only=True)
class _Paces:
    """When messages are due, and when customers enter: the same unless the wave is frozen late."""

    planned: _Pace
    real: _Pace
    frozen_at: int
    known: dict[tuple[int, str | None], int] = field(default_factory=dict)

    def moments(self, timetable: Timetable, due_at: int, zone_name: str | None) -> tuple[int, int]:
        """When a message is due, and when its customer enters; nobody enters long before the audience is known."""
        possible = due_at if due_at >= self.frozen_at - _LATE else self.frozen_at
        if self.planned.gap:
            due = _awake(timetable, self.planned.next(due_at), zone_name)
            return due, _awake(timetable, self.real.next(possible), zone_name)
        if possible == due_at:
            return due_at, due_at
        key = (possible, zone_name)
        if key not in self.known:
            self.known[key] = _awake(timetable, possible, zone_name)
        return due_at, self.known[key]


def _awake(timetable: Timetable, slot: int, zone_name: str | None) -> int:
    """A slot may fall into quiet hours again; then the message waits for their end."""
    return to_micros(timetable.awake(from_micros(slot), zone_name))


def _write(freezing: Freezing, paces: _Paces, rows: Sequence[Row[*tuple[Any, ...]]]) -> None:
    """Write the entries, batches and messages of some customers in one transaction."""
    messaged = {arm.name for arm in freezing.plan.arms if arm.messaged}
    wave_id, round_id, planned_state = freezing.wave.id, freezing.wave.round_id, MessageState.PLANNED.value
    fresh, due = [], []
    for id_, due_at, position, arm, entered, zone_name in rows:
        moment, enters = paces.moments(freezing.timetable, due_at, zone_name)
        if not entered:
            fresh.append((round_id, id_, wave_id, arm, position, enters))
        if arm in messaged:
            due.append((moment, id_))
    groups = list(_grouped(due, paces.planned.batch))
    with freezing.database.write() as connection:
        insert_many(connection, entry, ["round_id", "customer_id", "wave_id", "arm", "position", "entered_at"], fresh)
        ids = _batches(connection, wave_id, groups)
        planned = [
            (wave_id, id_, batch_id, planned_state, moment, moment)
            for batch_id, group in zip(ids, groups, strict=True)
            for moment, id_ in group
        ]
        insert_many(
            connection, message, ["wave_id", "customer_id", "batch_id", "state", "due_at", "not_before"], planned
        )


def _grouped(due: Sequence[tuple[int, int]], most: int) -> Iterator[list[tuple[int, int]]]:
    together = _TOGETHER // MICROSECOND
    group: list[tuple[int, int]] = []
    for moment, id_ in due:
        if group and (len(group) == most or not 0 <= moment - group[-1][0] <= together):
            yield group
            group = []
        group.append((moment, id_))
    if group:
        yield group


def _batches(connection: Connection, wave_id: int, groups: Sequence[list[tuple[int, int]]]) -> Sequence[int]:
    if not groups:
        return []
    rows = [
        {"wave_id": wave_id, "size": len(group), "due_at": from_micros(group[-1][0]), "state": BatchState.OPEN.value}
        for group in groups
    ]
    statement = insert(batch).returning(batch.c.id, sort_by_parameter_order=True)
    return connection.execute(statement, rows).scalars().all()


def _seal(freezing: Freezing, matched: int, now: datetime) -> bool:
    """Seal the audience and let sending begin; False where the round was stopped meanwhile."""
    document = {
        "round": freezing.plan.round,
        "slot": freezing.wave.slot,
        "matched": matched,
        "excluded": dict(sorted(freezing.excluded.items())),
        "arms": {arm.name: freezing.arms[arm.name] for arm in freezing.plan.arms},
        "digest": freezing.digest.hexdigest(),
    }
    campaign, per_second = freezing.plan.campaign, freezing.timetable.per_second
    with freezing.database.write() as connection:
        sha256 = audit.seal(connection, document)
        if not _move(connection, freezing, (WaveState.FREEZING,), state=WaveState.FROZEN, audience=sha256):
            return False
        audit.append(
            connection,
            "wave_frozen",
            {"round": freezing.plan.round, "slot": freezing.wave.slot, "audience": sha256},
            actor="engine",
            subject=campaign,
            at=now,
        )
        _open_lane(connection, campaign, per_second, now)
    return True


def _open_lane(connection: Connection, campaign: str, per_second: float | None, now: datetime) -> None:
    """A lane that is already in use keeps its place in time."""
    own = lane.c.campaign == campaign
    if per_second is None:
        connection.execute(delete(lane).where(own))
    elif connection.execute(update(lane).where(own).values(per_second=per_second)).rowcount == 0:
        connection.execute(insert(lane).values(campaign=campaign, per_second=per_second, next_at=now))


def recomputed_digest(connection: Connection, wave_id: int) -> str:
    """A wave's digest from its entries as they stand; an erased person's commitment is stored."""
    rows = connection.execute(
        select(entry.c.arm, entry.c.commitment, customer.c.person_salt, round_.c.plan, wave.c.slot)
        .select_from(
            entry.join(wave, wave.c.id == entry.c.wave_id)
            .join(round_, round_.c.id == entry.c.round_id)
            .outerjoin(customer, customer.c.id == entry.c.customer_id)
        )
        .where(entry.c.wave_id == wave_id)
        .order_by(entry.c.customer_id),
        execution_options={"yield_per": _CHUNK},
    )
    digest = hashlib.sha256()
    salt: str | None = None
    for row in rows:
        if salt is None:
            salt = json.loads(audit.sealed(connection, row.plan))["salt"]
        digest.update(row.commitment or commitment(row.person_salt, salt, row.slot, row.arm))
    return digest.hexdigest()
