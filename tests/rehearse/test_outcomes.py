"""What entrants do after entry follows the planted truth, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from engine.model import Arm, ArmRole
from engine.rehearse.outcomes import WINDOW, Entrant, Truth, outcomes, plant

ENTERED = datetime(2026, 12, 1, 9, tzinfo=UTC)
ARMS = (
    Arm(name="control", share=0.45, role=ArmRole.CONTROL),
    Arm(name="deadline", share=0.45, role=ArmRole.TREATMENT),
    Arm(name="holdout", share=0.10, role=ArmRole.HOLDOUT),
)
TRUTH = plant(ARMS)


def _entrants(count: int, arm: str = "control") -> list[Entrant]:
    return [
        Entrant(customer_id=f"C{number:07}", arm=arm, entered_at=ENTERED + timedelta(seconds=number))
        for number in range(count)
    ]


@pytest.mark.parametrize("arm", [arm.name for arm in ARMS])
def test_each_arm_buys_at_its_planted_rate(arm: str) -> None:
    """Over 20,000 customers the share of buyers lies within four standard errors of the truth."""
    rate = TRUTH.purchase_rate[arm]
    bought = outcomes(_entrants(20_000, arm), truth=TRUTH, seed=3).orders["customer_id"].n_unique() / 20_000
    assert bought == pytest.approx(rate, abs=4 * (rate * (1 - rate) / 20_000) ** 0.5)


def test_roles_are_planted_in_the_order_of_hope() -> None:
    """The holdout buys least and the treatment most, so that a right verdict is to ship."""
    assert TRUTH.purchase_rate["holdout"] < TRUTH.purchase_rate["control"] < TRUTH.purchase_rate["deadline"]


def test_luck_is_a_function_of_the_name() -> None:
    """Further entrants, and another order of them, change nobody's orders."""
    few = outcomes(_entrants(500), truth=TRUTH, seed=3).orders
    many = outcomes(_entrants(2_000)[::-1], truth=TRUTH, seed=3).orders
    kept = many.filter(pl.col("customer_id").is_in([entrant.customer_id for entrant in _entrants(500)]))
    assert len(few) > 0
    assert few.sort("customer_id").equals(kept.sort("customer_id"))


def test_another_seed_is_other_luck() -> None:
    """Repeated rehearsals differ."""
    one, two = (outcomes(_entrants(2_000), truth=TRUTH, seed=seed).orders for seed in (1, 2))
    assert set(one["customer_id"]) != set(two["customer_id"])


def test_everything_happens_inside_the_window_of_its_entrant() -> None:
    """Nobody acts before entry, and nothing counts that comes after seven days."""
    happened = outcomes(_entrants(5_000), truth=TRUTH, seed=3)
    for frame in (happened.orders, happened.events):
        entered = frame["customer_id"].str.slice(1).cast(pl.Int64) * 1_000_000
        since = (frame["at"] - ENTERED).dt.total_microseconds() - entered
        assert since.min() >= 0
        assert since.max() < WINDOW / timedelta(microseconds=1)


def test_who_is_messaged_nothing_does_not_unsubscribe() -> None:
    """An unsubscription follows a message."""
    truth = Truth(purchase_rate={"holdout": 0.0}, unsubscribe_rate=1.0, unmessaged=frozenset({"holdout"}))
    assert len(outcomes(_entrants(50, "holdout"), truth=truth, seed=3).events) == 0
    messaged = Truth(purchase_rate={"control": 0.0}, unsubscribe_rate=1.0)
    assert len(outcomes(_entrants(50), truth=messaged, seed=3).events) == 50


def test_a_day_is_cut_out_once(tmp_path: Path) -> None:
    """Days put together again are the whole, each row once."""
    whole = outcomes(_entrants(3_000), truth=TRUTH, seed=3)
    days = [whole.between(ENTERED + timedelta(days=day), ENTERED + timedelta(days=day + 1)) for day in range(8)]
    assert sum(len(day.orders) for day in days) == len(whole.orders)
    assert sum(len(day.events) for day in days) == len(whole.events)


def test_files_have_the_columns_of_an_import(tmp_path: Path) -> None:
    """Even a day on which nothing happened is a file that can be imported."""
    happened = outcomes(_entrants(100), truth=TRUTH, seed=3).between(ENTERED, ENTERED)
    orders, events = happened.write(tmp_path, "2026-12-01")
    assert orders.name == "orders-2026-12-01.csv"
    assert {"order_id", "customer_id", "ordered_at", "amount", "quantity"} <= set(pl.read_csv(orders).columns)
    assert {"event_id", "customer_id", "name", "occurred_at", "product_name"} <= set(pl.read_csv(events).columns)
