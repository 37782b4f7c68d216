"""A round from launch to verdict, on both stores."""

from __future__ import annotations

import json
from datetime import timedelta

from shop import LAUNCH, Shop
from sqlalchemy import func, select

from engine.cycle.look import rejudge
from engine.cycle.record import first_fault
from engine.store.tables import entry, message, round_, wave

SEND = LAUNCH + timedelta(days=1, hours=1)
"""2026-03-03 10:00 in Berlin."""


def states(shop: Shop) -> dict[str, int]:
    with shop.database.read() as connection:
        return dict(connection.execute(select(message.c.state, func.count()).group_by(message.c.state)).all())


def test_a_round_goes_from_launch_to_a_sealed_verdict(shop: Shop) -> None:
    shop.declare()
    ids = shop.customers(3_000)
    shop.launch()
    shop.run(SEND - timedelta(minutes=1))
    assert states(shop) == {}, "nothing is sent before the slot"
    shop.run(SEND)
    assert states(shop) == {"accepted": 3_000}
    with shop.database.read() as connection:
        arms = dict(connection.execute(select(entry.c.customer_id, entry.c.arm)).all())
    buyers = [id_ for number, id_ in enumerate(ids) if number % (20 if arms[id_] == "control" else 8) == 0]
    shop.events((id_, "purchase", SEND + timedelta(days=2), 20.0) for id_ in buyers)
    shop.complete("purchase", SEND + timedelta(days=20))
    shop.run(SEND + timedelta(days=1))
    shop.run(SEND + timedelta(days=9))
    with shop.database.read() as connection:
        row = connection.execute(select(round_)).one()
        assert (row.state, row.decision, row.winner) == ("decided", "ship", "offer")
        assert rejudge(connection, "spring").equal
        assert first_fault(connection) is None
    index = (shop.folder / "outbox" / "index.jsonl").read_text().splitlines()
    assert len({json.loads(line)["message_id"] for line in index}) == len(index) == 3_000


def test_running_again_changes_nothing(shop: Shop) -> None:
    shop.declare()
    shop.customers(50)
    shop.launch()
    for _ in range(3):
        shop.run(SEND)
    with shop.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(wave)).scalar() == 1
    assert states(shop) == {"accepted": 50}
