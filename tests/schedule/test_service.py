"""Running: one leader, any number of senders, a service that outlives faults and ends when it is asked to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from shop import LAUNCH, YAML, Shop
from sqlalchemy import func, select

from engine.channels.outbox import read_index
from engine.schedule import service, worker
from engine.schedule.service import leadership, run_once, serve
from engine.schedule.worker import Project
from engine.store.database import open_database
from engine.store.tables import message, wave

SEND = LAUNCH + timedelta(days=1, hours=1)
REPOSITORY = Path(__file__).resolve().parent.parent.parent
NOW = YAML.replace('    schedule: {{at: "2026-03-03 10:00"}}\n', "    schedule: {{every: 30 days}}\n")
"""The first send is the launch itself."""


def states(shop: Shop) -> dict[str, int]:
    with shop.database.read() as connection:
        return dict(connection.execute(select(message.c.state, func.count()).group_by(message.c.state)).all())


def wait_for(holds: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.05)


def test_one_of_two_processes_leads(shop: Shop) -> None:
    other = open_database(shop.database.url)
    with leadership(shop.database) as first:
        with leadership(other) as second:
            assert (first, second) == (True, False)
        with leadership(other) as again:
            assert not again, "having asked gives nothing up"
    with leadership(other) as now:
        assert now
    other.close()


def test_leadership_ends_with_a_fault(shop: Shop) -> None:
    with pytest.raises(RuntimeError), leadership(shop.database):
        raise RuntimeError
    with leadership(shop.database) as leads:
        assert leads


def test_who_does_not_lead_opens_no_wave_and_still_sends(shop: Shop) -> None:
    shop.declare()
    shop.customers(5)
    shop.launch()
    other = open_database(shop.database.url)
    with leadership(other):
        shop.run(SEND)
        assert states(shop) == {}
    service._advance(shop.project(SEND))
    with leadership(other):
        shop.run(SEND)
        assert states(shop) == {"accepted": 5}
    other.close()


def test_two_spawned_processes_send_everything_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_WORTH_PROCESSES", 1)
    shop.declare()
    shop.customers(4_000)
    shop.launch()
    told: list[int] = []
    run_once(shop.project(SEND), processes=2, on_progress=told.append)
    assert states(shop) == {"accepted": 4_000}
    sent = Counter(line["message_id"] for line in read_index(shop.folder / "outbox"))
    assert (len(sent), set(sent.values())) == (4_000, {1})
    assert told[-1:] in ([4_000], [0]), "all, or nothing where the wave is closed already"


def test_whoever_is_asked_to_stop_begins_nothing_more(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.channels.outbox.Outbox.claim_unit", 10)
    shop.declare()
    shop.customers(100)
    shop.launch()
    asked = iter([False] * 4)
    run_once(shop.project(SEND), processes=1, stopped=lambda: next(asked, True))
    assert 0 < states(shop)["accepted"] < 100
    assert set(states(shop)) == {"accepted", "planned"}
    shop.run(SEND)
    assert states(shop) == {"accepted": 100}


def real(shop: Shop) -> Project:
    """The shop's project on the real clock."""
    return Project(file=shop.file, settings=shop.project(LAUNCH).settings)


def test_the_service_sends_what_is_due_and_ends_when_asked(shop: Shop) -> None:
    shop.declare(text=NOW)
    shop.customers(20)
    shop.launch(at=datetime.now(UTC))
    stop, faults = threading.Event(), list[Exception]()
    running = threading.Thread(
        target=serve, args=(real(shop),), kwargs={"processes": 1, "stop": stop, "on_error": faults.append}
    )
    running.start()
    try:
        wait_for(lambda: states(shop) == {"accepted": 20})
    finally:
        stop.set()
        running.join(timeout=60)
    assert not running.is_alive()
    assert faults == []


def test_the_service_outlives_a_fault_and_goes_on_opening_waves_beside_a_long_send(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.declare(text=NOW)
    shop.customers(3)
    stop, faults, turns = threading.Event(), list[Exception](), list[float]()

    def hangs(*_: object, **__: object) -> None:
        turns.append(time.monotonic())
        if len(turns) == 1:
            raise RuntimeError("the provider is away")
        stop.wait(60)

    monkeypatch.setattr(service, "send_due", hangs)
    running = threading.Thread(
        target=serve, args=(real(shop),), kwargs={"processes": 1, "stop": stop, "on_error": faults.append}
    )
    running.start()
    try:
        wait_for(lambda: len(turns) == 2)
        shop.launch(at=datetime.now(UTC))
        wait_for(lambda: bool(waves(shop)))
    finally:
        stop.set()
        running.join(timeout=60)
    assert [str(fault) for fault in faults] == ["the provider is away"]


def waves(shop: Shop) -> list[str]:
    with shop.database.read() as connection:
        return list(connection.execute(select(wave.c.state)).scalars())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_command_without_leaving_a_message_in_doubt(shop: Shop, number: signal.Signals) -> None:
    """Though it was sending."""
    text = NOW.replace("every: 30 days", "every: 30 days, max_rate: 40 per second")
    shop.declare(text=text)
    shop.customers(400)
    shop.launch(at=datetime.now(UTC))
    environment = os.environ | {
        "PYTHONPATH": str(REPOSITORY),
        "CAMPAIGN_DATABASE_URL": shop.database.url,
        "CAMPAIGN_SECRET_KEYS": "test-key",
    }
    command = [sys.executable, "-m", "engine.cli.main", "run", "--once"]
    process = subprocess.Popen(command, cwd=shop.folder, env=environment, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: states(shop).get("accepted", 0) > 0 or process.poll() is not None)
    process.send_signal(number)
    _, told = process.communicate(timeout=30)
    assert (process.returncode, told) == (1, "stopped; `campaign run` goes on with the rest\n")
    assert set(states(shop)) == {"accepted", "planned"}
