"""Sending processes are killed again and again: nothing is sent twice, nobody is forgotten, what is unknown is listed.

The real command line sends to the real outbox. Under a rate each call of it sends one small lot, so that every kill
falls on another place: start, freeze, lease, claim, the outbox's files, its index, the settling of the answer.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from shop import LAUNCH, YAML, Shop
from sqlalchemy import select

from engine.channels.outbox import read_index
from engine.cycle.record import first_fault
from engine.store.tables import entry, message

REPOSITORY = Path(__file__).resolve().parent.parent.parent
SEND = LAUNCH + timedelta(days=1, hours=1)
SECOND = timedelta(seconds=1)
SETTLED = {"accepted", "uncertain", "rejected", "skipped"}


@dataclass
class Killer:
    """Runs `campaign run --once` and kills it."""

    shop: Shop
    chance: random.Random
    at: datetime = SEND
    whole: float = 3.0
    """Seconds that an undisturbed run takes, as far as is known."""
    kills: int = 0
    places: Counter[str] = field(default_factory=Counter)

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        environment = os.environ | {
            "PYTHONPATH": str(REPOSITORY),
            "CAMPAIGN_DATABASE_URL": self.shop.database.url,
            "CAMPAIGN_SECRET_KEYS": "test-key",
        }
        command = [sys.executable, "-m", "engine.cli.main", "--at", self.at.isoformat(), *words]
        return subprocess.Popen(
            command, cwd=self.shop.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True,
        )  # fmt: skip

    def run_and_kill(self) -> None:
        """One more run, a second later than the last, killed at a chance moment unless it ends before."""
        self.at += SECOND
        began = time.monotonic()
        process = self.start("run", "--once")
        place = self._wait(process, began)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            self.kills += 1
            self.places[place] += 1
            process.wait()
        else:
            self.whole = 0.8 * self.whole + 0.2 * (time.monotonic() - began)
            assert process.returncode == 0, process.stderr and process.stderr.read().decode()

    def _wait(self, process: subprocess.Popen[bytes], began: float) -> str:
        """Wait for any moment of a run, or for one just after the outbox or the store is written."""
        watched = self.chance.choice([None, *self._watched()])
        delay = self.chance.random() * (self.whole * 1.1 if watched is None else 0.03)
        before = watched and _trace(watched)
        while watched and process.poll() is None and _trace(watched) == before:
            if time.monotonic() - began > 30:
                break
            time.sleep(0.0005)
        time.sleep(delay)
        return watched.name if watched else "any"

    def _watched(self) -> list[Path]:
        outbox = self.shop.folder / "outbox"
        store = self.shop.database.path
        return [outbox, outbox / "index.jsonl", outbox / "spring", *([Path(f"{store}-wal")] if store else [])]


def _trace(path: Path) -> tuple[int, int]:
    try:
        seen = path.stat()
    except OSError:
        return 0, 0
    return seen.st_mtime_ns, seen.st_size


def messages(shop: Shop) -> dict[int, str]:
    with shop.database.read() as connection:
        return dict(connection.execute(select(message.c.id, message.c.state)).all())


def unsettled(shop: Shop) -> bool:
    found = messages(shop)
    return not found or not set(found.values()) <= SETTLED


@pytest.fixture
def killer(shop: Shop) -> Killer:
    shop.declare(text=YAML.replace('"2026-03-03 10:00"', '"2026-03-03 10:00", max_rate: 50 per second'))
    return Killer(shop, random.Random(20260303))


def send_under_kills(killer: Killer, *, customers: int, kills: int) -> None:
    """Until so many kills have happened and everything is settled."""
    shop = killer.shop
    shop.customers(customers)
    shop.launch()
    while killer.kills < kills and (killer.kills == 0 or unsettled(shop)):
        killer.run_and_kill()
    while unsettled(shop):
        killer.at += SECOND
        shop.run(killer.at)


def check(killer: Killer, *, customers: int) -> None:
    shop = killer.shop
    sent = Counter(line["message_id"] for line in read_index(shop.folder / "outbox"))
    found = messages(shop)
    assert [id_ for id_, times in sent.items() if times > 1] == [], "sent twice"
    with shop.database.read() as connection:
        entered = connection.execute(select(entry.c.customer_id)).scalars().all()
        assert first_fault(connection) is None
    assert len(entered) == len(found) == customers, "forgotten"
    assert set(found.values()) <= SETTLED, "forgotten"
    accepted = {id_ for id_, state in found.items() if state == "accepted"}
    assert accepted <= set(sent), "accepted and never sent"
    done = killer.start("uncertain", "list", "--format", "json")
    listed = {row["message_id"] for row in json.loads(done.communicate()[0])}
    assert listed == {id_ for id_, state in found.items() if state == "uncertain"}
    assert set(sent) - accepted <= listed, "sent, and not listed as unknown"


def test_a_few_kills_send_nothing_twice_and_forget_nobody(killer: Killer) -> None:
    send_under_kills(killer, customers=600, kills=10)
    assert killer.kills >= 5
    check(killer, customers=600)


@pytest.mark.long
def test_a_hundred_kills_send_nothing_twice_and_forget_nobody(killer: Killer) -> None:
    send_under_kills(killer, customers=5_000, kills=100)
    print(killer.kills, dict(killer.places), Counter(messages(killer.shop).values()))
    assert killer.kills == 100
    check(killer, customers=5_000)
