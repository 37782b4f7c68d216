"""A win-back campaign on real orders: nobody was messaged, so every difference between arms is chance."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest
from reference import SHARED
from shop import Shop
from sqlalchemy import select, update

from engine.assign import assigner
from engine.customers.importing import import_file
from engine.customers.sources import data_through
from engine.cycle.judge import judge
from engine.cycle.measure import measure
from engine.cycle.sealed_plan import SealedPlan, plan_of
from engine.model import AsOf, Decision
from engine.segments.compile import predicate
from engine.stats import srm
from engine.store import migrations
from engine.store.database import open_database
from engine.store.tables import customer, entry, event, round_

FILE = SHARED / "data" / "online_retail.csv.gz"
LAUNCH = datetime(2011, 8, 1, 6, tzinfo=UTC)
END = LAUNCH + timedelta(days=30)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
MAPPING = {
    "order_id": "InvoiceNo",
    "customer_id": "CustomerID",
    "ordered_at": "InvoiceDate",
    "quantity": "Quantity",
    "amount": "Amount",
    "product_id": "StockCode",
    "product_name": "Description",
}
YAML = """\
version: 1
defaults:
  timezone: Europe/London
  currency: GBP
  sender: {{email: {{from: "Shop <hello@mail.example.com>", postal_address: "Shop, London"}}}}
metrics:
  purchase_rate: {{kind: conversion, event: purchase, within: 28 days}}
  revenue: {{kind: mean, event: purchase, value: amount, within: 28 days, cap_at: 99th percentile}}
segments:
  lapsing_regulars:
    where:
      all:
        - {{rfm: recency, between: [30 days, 200 days]}}
        - {{rfm: frequency, at_least: 2}}
campaigns:
  winback:
    owner: anna@example.com
    purpose: marketing
    segment: lapsing_regulars
    channel: email
    hypothesis:
      because: Regulars drift away
      will: increase
      metric: purchase_rate
      compared_to: control
      minimum_effect: 5 pp
    secondary: [revenue]
    variants:
      control: {{subject: "We miss you", template: plain.html}}
      offer: {{subject: "An offer", template: offer.html}}
    schedule: {{at: "2011-08-01 10:00"}}
    decide: {{method: fixed}}
"""

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not FILE.exists(), reason="the Online Retail file is not part of the repository"),
]


def preparation() -> ModuleType:
    """The documented preparation, as a reader would run it."""
    path = Path(__file__).resolve().parents[2] / "docs" / "examples" / "online_retail.py"
    spec = importlib.util.spec_from_file_location("online_retail", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def retail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The whole file imported, and the campaign run at 2011-08-01 and judged with the purchases that followed."""
    folder = tmp_path_factory.mktemp("retail")
    database = open_database(f"sqlite:///{folder}/campaign.db")
    migrations.prepare(database)
    customers, orders = preparation().prepare(FILE, folder / "prepared")
    for kind, path, mapping in (("customers", customers, {}), ("orders", orders, MAPPING)):
        import_file(
            database, kind, path, mapping=mapping, source=None, through=None, max_rejects=0.05,
            rejects=folder / f"{kind}.rejects.csv", now=NOW,
        )  # fmt: skip
    shop = Shop(folder, database)
    shop.declare(text=YAML)
    shop.launch("winback", at=LAUNCH)
    for day in range(31):
        shop.run(LAUNCH + timedelta(days=day, hours=6))
    yield shop
    database.close()


def test_the_round_is_judged_with_the_real_purchases(retail: Shop) -> None:
    with retail.database.read() as connection:
        row = connection.execute(select(round_)).one()
        entered = connection.execute(select(entry.c.customer_id)).scalars().all()
    assert row.state == "decided"
    assert row.decision in set(Decision) - {"invalid", "keep_running"}
    assert len(entered) > 500
    index = (retail.folder / "outbox" / "index.jsonl").read_text().splitlines()
    assert len(index) == len(entered)


def test_a_condition_sees_no_later_row(retail: Shop) -> None:
    """Deleting all that happened from 2011-08-01 on changes no segment as of that time."""
    from engine.cycle.validate import checked

    segments = checked(retail.file).project.segments
    as_of = AsOf(at=LAUNCH, known_at=NOW)

    def members() -> list[int]:
        with retail.database.read() as connection:
            rule = predicate(segments["lapsing_regulars"].where, segments, as_of, "sqlite")
            return list(connection.execute(select(customer.c.id).where(rule).order_by(customer.c.id)).scalars())

    before = members()
    later = event.c.occurred_at >= LAUNCH
    with retail.database.read() as connection:
        rows = connection.execute(select(event).where(later)).mappings().all()
    assert rows, "there are later rows to be seen"
    with retail.database.write() as connection:
        connection.execute(event.delete().where(later))
    try:
        assert members() == before
    finally:
        with retail.database.write() as connection:
            connection.execute(event.insert(), [dict(row) for row in rows])


def test_of_200_salts_chance_alone_finds_about_one_in_twenty(retail: Shop) -> None:
    with retail.database.read() as connection:
        round_id = connection.execute(select(round_.c.id)).scalar_one()
        plan = plan_of(connection, round_id)
    outcomes = [_judged(retail, plan, round_id, f"salt-{number}") for number in range(200)]
    significant = sum(p_value < 0.05 for p_value, _ in outcomes)
    misallocated = sum(srm_p < 0.01 for _, srm_p in outcomes)
    assert 4 <= significant <= 18
    assert misallocated <= 2


def _judged(retail: Shop, plan: SealedPlan, round_id: int, salt: str) -> tuple[float, float]:
    """The primary p-value and that of the arms' sizes, had the round had this salt."""
    arm_of = assigner(plan.arms, salt)
    with retail.database.write() as connection:
        people = connection.execute(
            select(customer.c.id, customer.c.customer_id).join(entry, entry.c.customer_id == customer.c.id)
        ).all()
        for arm in plan.arms:
            ids = [id_ for id_, key in people if arm_of(key)[0] == arm.name]
            connection.execute(update(entry).where(entry.c.customer_id.in_(ids)).values(arm=arm.name))
    with retail.database.read() as connection:
        through = {name: data_through(connection, name) for name in ("purchase", "returned")}
        evidence = measure(
            connection, round_id=round_id, arms=plan.arms, metrics=plan.resolved.metrics, caps=plan.caps,
            as_of=AsOf(at=END, known_at=NOW), data_through=through, final=True,
        )  # fmt: skip
    assert plan.rule is not None
    judged = judge(plan.rule, evidence).to_json()
    counts = [evidence.arms[arm.name].assigned for arm in plan.arms]
    return judged["results"][0]["p_value"], srm.sequential_p(counts, [arm.share for arm in plan.arms])
