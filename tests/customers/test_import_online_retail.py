"""The real shop of ../shared/data: 541,909 lines as they are, prepared as docs/importing.md says."""

from __future__ import annotations

import gzip
import importlib.util
from itertools import islice
from pathlib import Path
from types import ModuleType

import pytest
from import_cases import bring, contents, customers
from reference import SHARED
from sqlalchemy import func, select

from engine.store.database import Database
from engine.store.tables import customer, event, order_line

FILE = SHARED / "data" / "online_retail.csv.gz"
NAMES = {
    "order_id": "InvoiceNo", "customer_id": "CustomerID", "ordered_at": "InvoiceDate", "amount": "Amount",
    "quantity": "Quantity", "product_id": "StockCode", "product_name": "Description",
}  # fmt: skip

pytestmark = pytest.mark.skipif(not FILE.exists(), reason="needs ../shared")


@pytest.fixture
def preparation() -> ModuleType:
    path = Path(__file__).parents[2] / "docs" / "examples" / "online_retail.py"
    spec = importlib.util.spec_from_file_location("online_retail", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_its_first_days(database: Database, preparation: ModuleType) -> None:
    with gzip.open(FILE, "rt") as whole:
        Path("days.csv").write_text("".join(islice(whole, 8_001)))
    people, orders = preparation.prepare(Path("days.csv"), Path("prepared"))
    bring(database, "customers", people)
    report = bring(database, "orders", orders, mapping=NAMES)
    assert (report.rejected, report.conflicts, report.unknown_customers) == (0, 0, 0)
    assert customers(database)["17850"] == {
        "country": "GB",
        "email": "customer-17850@example.com",
        "email_consent": True,
    }
    first = next(row for row in contents(database)["event"] if row[1] == "536365")
    assert (first[2], first[4], first[7]) == ("17850", "purchase", 139.12)
    assert first[8] == {"lines": 7, "currency": "GBP"}


@pytest.mark.long
def test_all_of_it(database: Database, preparation: ModuleType) -> None:
    people, orders = preparation.prepare(FILE, Path("prepared"))
    bring(database, "customers", people)
    report = bring(database, "orders", orders, mapping=NAMES)
    assert (report.rows, report.rejected, report.conflicts, report.unknown_customers) == (406_829, 0, 0, 0)
    with database.read() as connection:
        counts = connection.execute(
            select(event.c.name, func.count(event.c.event_id), func.count(event.c.customer_id.distinct()))
            .group_by(event.c.name)
            .order_by(event.c.name)
        ).all()
        people_count = connection.execute(select(func.count()).select_from(customer)).scalar_one()
        line_count, amount = connection.execute(select(func.count(), func.sum(order_line.c.amount))).one()
    assert (people_count, line_count) == (4_372, 406_829)
    assert [tuple(row) for row in counts] == [("purchase", 18_536, 4_339), ("returned", 3_655, 1_589)]
    assert round(amount, 2) == 8_300_065.81
    again = bring(database, "orders", _shuffled(orders), mapping=NAMES)
    assert (again.new, again.changed, again.unchanged) == (0, 0, 406_829)


def _shuffled(orders: Path) -> Path:
    """The same orders in another order of invoices, their lines as they stood."""
    import polars as pl

    frame = pl.read_csv(orders, infer_schema=False)
    path = orders.with_name("shuffled.csv")
    frame.sort(pl.col("InvoiceNo").hash(), maintain_order=True).write_csv(path)
    return path
