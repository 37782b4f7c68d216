"""Whatever happens in whatever order: nobody twice, nobody forgotten."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

from cycle_reading import HOUR, SEND, declare, entered, rows
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from post_office import Post, Provider, accept, fail
from shop import Shop
from sqlalchemy import insert, update

from engine.channels.base import Outgoing, Receipt
from engine.cycle import operate
from engine.cycle.advance import advance_all
from engine.cycle.record import first_fault
from engine.errors import FateUnknown, NeverRetry, TryAgainLater
from engine.schedule.worker import new_token
from engine.store import ledger, migrations
from engine.store.database import open_database
from engine.store.tables import customer, message, round_, suppression, wave

SCHEDULE = (
    '{cron: "0 */6 * * *", starts: 2026-03-03, ends: 2026-03-07, '
    "max_rate: 30 per second, if_missed: skip after 4 hours, expires: 1 day}"
)
CAMPAIGN = 'enter: each_wave\nholdout: 20 %\nquiet_hours: {from: "21:00", to: "06:00", clock: recipient}'
END = SEND + timedelta(days=5)
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Tokyo")
CUSTOMERS = 15
FINAL = {"accepted", "rejected", "skipped"}


class Died(BaseException):
    """A sending process that is gone."""


def die(_: Sequence[Outgoing]) -> list[Receipt]:
    raise Died


def die_after_sending(outgoing: Sequence[Outgoing]) -> list[Receipt]:
    accept(outgoing)
    raise Died


ACTS = {
    "accept": accept,
    "later": fail(TryAgainLater("429", wait=timedelta(minutes=5))),
    "never": fail(NeverRetry("closed")),
    "unknown": fail(FateUnknown("timeout")),
    "die": die,
    "die after sending": die_after_sending,
}


@lru_cache(maxsize=1)
def template() -> Path:
    path = Path(tempfile.mkdtemp()) / "template.db"
    database = open_database(f"sqlite:///{path}")
    migrations.prepare(database)
    database.close()
    return path


class AnyOrder(RuleBasedStateMachine):
    """A campaign with several waves, a holdout, quiet hours and a rate, and all that may befall it."""

    @initialize()
    def launch(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        shutil.copy(template(), self.folder / "campaign.db")
        self.shop = Shop(self.folder, open_database(f"sqlite:///{self.folder / 'campaign.db'}"))
        declare(self.shop, schedule=SCHEDULE, campaign=CAMPAIGN)
        self.shop.customers(CUSTOMERS, timezone=lambda number: ZONES[number % 3])
        self.shop.launch()
        self.post = Post(self.shop, Provider(iter(()), claim_unit=4), now=SEND, wall=SEND)
        self.finals: dict[int, str] = {}
        self.dead: set[str] = set()

    @property
    def engine(self):  # type: ignore[no-untyped-def]
        return self.post.desk.engine

    def running(self) -> bool:
        return rows(self.shop, round_)[0].state in ("open", "settling")

    @rule(minutes=st.sampled_from([1, 7, 60, 60, 150, 360, 360, 1_500]))
    def time_passes(self, minutes: int) -> None:
        self.post.now += timedelta(minutes=minutes)
        self.post.wall += timedelta(minutes=minutes)

    @rule()
    def the_leader_advances(self) -> None:
        advance_all(self.engine, self.post.now)

    @rule(acts=st.lists(st.sampled_from(sorted(ACTS)), max_size=4), seconds=st.integers(1, 5))
    def a_process_sends(self, acts: list[str], seconds: int) -> None:
        self.post.provider.acts = iter([ACTS[act] for act in acts])
        try:
            for _ in range(seconds):
                self.post.send()
                self.post.now += timedelta(seconds=1)
        except Died:
            self.dead.add(self.post.token)
            self.post.token = new_token()

    @rule()
    def leases_are_looked_after(self) -> None:
        with self.shop.database.write() as connection:
            ledger.expire(connection, wall=self.post.wall, is_dead=lambda token: token in self.dead)

    @rule(act=st.sampled_from(["pause", "resume"]))
    @precondition(lambda self: self.running())
    def somebody_pauses_or_resumes(self, act: str) -> None:
        if bool(rows(self.shop, round_)[0].paused) is (act == "resume"):
            getattr(operate, act)(self.engine, "spring", actor="anna@example.com", now=self.post.now)

    @rule(dice=st.integers(1, 12))
    @precondition(lambda self: self.running())
    def somebody_stops(self, dice: int) -> None:
        if dice == 1:
            operate.stop(self.engine, "spring", actor="anna@example.com", now=self.post.now)

    @rule(number=st.integers(0, CUSTOMERS - 1))
    def a_customer_withdraws(self, number: int) -> None:
        with self.shop.database.write() as connection:
            own = customer.c.customer_id == f"c{number:06}"
            connection.execute(update(customer).where(own).values(email_consent=False))

    @rule(number=st.integers(0, CUSTOMERS - 1))
    def an_address_is_suppressed(self, number: int) -> None:
        hashed = rows(self.shop, customer)[number].email_hash
        if any(row.address_hash == hashed for row in rows(self.shop, suppression)):
            return
        with self.shop.database.write() as connection:
            connection.execute(
                insert(suppression).values(channel="email", address_hash=hashed, reason="asked", at=self.post.now)
            )

    # --- what always holds ------------------------------------------------------------------------------------

    @invariant()
    def messaged_entries_are_messages(self) -> None:
        """Of every frozen wave; a customer who entered in an earlier one has the same arm."""
        if not hasattr(self, "shop"):
            return
        arms = {row.customer_id: row.arm for row in entered(self.shop).values()}
        frozen = {row.id for row in rows(self.shop, wave) if row.audience}
        sent = Counter((row.wave_id, row.customer_id) for row in rows(self.shop, message))
        assert set(sent.values()) <= {1}
        assert all(arms[customer_id] != "holdout" for _, customer_id in sent)
        first = {(row.wave_id, row.customer_id) for row in entered(self.shop).values() if row.arm != "holdout"}
        assert {key for key in first if key[0] in frozen} <= set(sent)

    @invariant()
    def nothing_is_sent_twice(self) -> None:
        """Nor handed over again unless the provider is proven not to have taken it."""
        if not hasattr(self, "shop"):
            return
        assert set(Counter(self.post.provider.taken).values()) <= {1}
        handed = Counter(self.post.provider.handed)
        for row in rows(self.shop, message):
            assert handed[row.id] == row.attempt
            if row.state in ("accepted", "rejected", "uncertain", "claimed"):
                assert row.call_id is not None

    @invariant()
    def what_is_final_stays_so(self) -> None:
        if not hasattr(self, "shop"):
            return
        states = {row.id: row.state for row in rows(self.shop, message)}
        assert all(states[id_] == state for id_, state in self.finals.items())
        self.finals = {id_: state for id_, state in states.items() if state in FINAL}

    def _planned(self) -> bool:
        return any(row.state in ("planned", "claimed") for row in rows(self.shop, message))

    def teardown(self) -> None:
        """In the end nothing is forgotten, and the record is whole."""
        if not hasattr(self, "shop"):
            return
        if rows(self.shop, round_)[0].paused:
            operate.resume(self.engine, "spring", actor="anna@example.com", now=self.post.now)
        self.post.provider.acts = iter(())
        while self.post.now < END or self._planned():
            self.post.now += 15 * HOUR
            self.post.wall += 15 * HOUR
            self.leases_are_looked_after()
            advance_all(self.engine, self.post.now)
            while self.post.send():
                self.post.now += timedelta(seconds=1)
        advance_all(self.engine, self.post.now)
        self.messaged_entries_are_messages()
        self.nothing_is_sent_twice()
        assert {row.state for row in rows(self.shop, message)} <= FINAL | {"uncertain"}
        assert {row.state for row in rows(self.shop, wave)} <= {"done", "missed", "cancelled"}
        with self.shop.database.read() as connection:
            assert first_fault(connection) is None
        self.shop.database.close()
        shutil.rmtree(self.folder)


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(
    max_examples=8, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
