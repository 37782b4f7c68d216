"""The generated shop: the same for the same seed, invented throughout, and with the habits that it claims."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from engine.rehearse.catalogue import PLACES, PRODUCTS
from engine.rehearse.population import HABITS, Files, generate

AT = datetime(2026, 11, 30, 12, tzinfo=UTC)
CUSTOMERS = 4_000


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return generate(tmp_path_factory.mktemp("shop"), customers=CUSTOMERS, seed=1, at=AT)


@pytest.fixture(scope="module")
def customers(files: Files) -> pl.DataFrame:
    return pl.read_csv(files.customers)


@pytest.fixture(scope="module")
def orders(files: Files) -> pl.DataFrame:
    return pl.read_csv(files.orders, try_parse_dates=True)


@pytest.fixture(scope="module")
def events(files: Files) -> pl.DataFrame:
    return pl.read_csv(files.events, try_parse_dates=True)


def test_the_same_seed_writes_the_same_bytes(files: Files, tmp_path: Path) -> None:
    """A rehearsal can be repeated exactly."""
    again = generate(tmp_path, customers=CUSTOMERS, seed=1, at=AT)
    assert again.orders.read_bytes() == files.orders.read_bytes()
    assert again.customers.read_bytes() == files.customers.read_bytes()
    assert again.events.read_bytes() == files.events.read_bytes()


def test_another_seed_gives_other_people(files: Files, tmp_path: Path) -> None:
    """The seed is what people and orders depend on."""
    other = generate(tmp_path, customers=CUSTOMERS, seed=2, at=AT)
    assert other.customers.read_bytes() != files.customers.read_bytes()


def test_addresses_are_reserved_for_examples(customers: pl.DataFrame) -> None:
    """No mail to a generated customer can reach anybody."""
    domains = customers["email"].drop_nulls().str.split("@").list.last().unique().to_list()
    assert sorted(domains) == ["example.com", "example.net"]
    assert customers["email"].drop_nulls().str.contains(r"^[a-z.]+\d+@").all()


def test_some_customers_share_an_address_and_some_have_none(customers: pl.DataFrame) -> None:
    """A rehearsal meets what real lists contain."""
    assert customers["email"].drop_nulls().is_duplicated().any()
    assert customers["email"].null_count() > 0
    assert 0.85 < customers["email_consent"].mean() < 0.97


def test_everything_happened_before_the_given_instant(orders: pl.DataFrame, events: pl.DataFrame) -> None:
    """Nothing lies in the future of the rehearsal."""
    assert orders["ordered_at"].max() < AT
    assert events["occurred_at"].max() < AT
    assert orders["ordered_at"].is_sorted()


def test_orders_refer_to_customers_and_products_of_the_shop(customers: pl.DataFrame, orders: pl.DataFrame) -> None:
    """Keys hold across the files."""
    assert set(orders["customer_id"].unique()) <= set(customers["customer_id"])
    assert set(orders["product_id"].unique()) == {product.product_id for product in PRODUCTS}


def test_returned_lines_are_negative_and_follow_their_order(orders: pl.DataFrame) -> None:
    """A return is a later line of the same order with a negative quantity, amount and margin."""
    returned = orders.filter(pl.col("quantity") < 0)
    bought = orders.filter(pl.col("quantity") > 0)
    assert 0.02 < len(returned) / len(bought) < 0.06
    assert (returned["amount"] < 0).all()
    assert (returned["margin"] < 0).all()
    both = returned.join(bought, on=["order_id", "product_id"], suffix="_bought")
    assert (both["ordered_at"] > both["ordered_at_bought"]).all()


def test_a_quarter_of_the_customers_are_lapsing_regulars(orders: pl.DataFrame, events: pl.DataFrame) -> None:
    """The shipped segment finds enough people to test its claim on."""
    bought = orders.filter(pl.col("quantity") > 0)
    habits = bought.group_by("customer_id").agg(last=pl.col("ordered_at").max(), orders=pl.col("order_id").n_unique())
    quiet = pl.col("last").is_between(AT - timedelta(days=180), AT - timedelta(days=60))
    saw_shoes = (pl.col("name") == "viewed_product") & (pl.col("category") == "shoes")
    recent = events.filter(saw_shoes, pl.col("occurred_at") >= AT - timedelta(days=30))["customer_id"].unique()
    lapsing = habits.filter(quiet, pl.col("orders") >= 3, pl.col("customer_id").is_in(recent.to_list()))
    assert 0.25 * CUSTOMERS < len(lapsing) < 0.5 * CUSTOMERS


def test_tickets_are_mostly_closed_after_they_were_opened(events: pl.DataFrame) -> None:
    """Who still waits for help can be told from who does not."""
    opened = events.filter(pl.col("name") == "ticket_opened")
    closed = events.filter(pl.col("name") == "ticket_closed").join(opened, on="customer_id", suffix="_opened")
    assert (closed["occurred_at"] > closed["occurred_at_opened"]).all()
    assert 0.6 < len(closed) / len(opened) < 0.9


def test_shares_of_habits_and_places_add_up() -> None:
    """Everybody lives somewhere and behaves somehow."""
    assert sum(habit.share for habit in HABITS) == pytest.approx(1)
    assert sum(place.share for place in PLACES) == pytest.approx(1)
