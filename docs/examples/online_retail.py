"""Make orders.csv and customers.csv of the UCI "Online Retail" file, as `campaign import` takes them.

    python docs/examples/online_retail.py online_retail.csv.gz prepared

The file (Chen 2015, doi 10.24432/C5BW33) has one line for each product of an invoice of a
shop in the United Kingdom. What is missing for a campaign is made up here, and only that:
email addresses under example.com, and everybody's consent.
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

ZONE = "Europe/London"
"""The file's times are the shop's."""


def prepare(source: Path, folder: Path) -> tuple[Path, Path]:
    """Write the two files into a folder and return their paths, customers first."""
    lines = pl.scan_csv(source, infer_schema=False).filter(pl.col("CustomerID").is_not_null())
    lines = lines.with_columns(pl.col("CustomerID").str.strip_suffix(".0"))
    folder.mkdir(parents=True, exist_ok=True)
    customers, orders = folder / "customers.csv", folder / "orders.csv"
    _customers(lines).collect().write_csv(customers)
    _orders(lines).collect().write_csv(orders)
    return customers, orders


def _orders(lines: pl.LazyFrame) -> pl.LazyFrame:
    """The lines with an amount, and times in UTC; a cancellation has a quantity, and so an amount, below zero."""
    time = pl.col("InvoiceDate").str.to_datetime("%Y-%m-%d %H:%M:%S").dt.replace_time_zone(ZONE)
    amount = pl.col("Quantity").cast(pl.Int64) * pl.col("UnitPrice").cast(pl.Float64)
    return lines.select(
        "InvoiceNo", "CustomerID", "StockCode", "Description", "Quantity",
        InvoiceDate=time.dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
        Amount=amount.round(2),
        currency=pl.lit("GBP"),
    )  # fmt: skip


def _customers(lines: pl.LazyFrame) -> pl.LazyFrame:
    """One line a customer, in the country of the last order."""
    key = pl.col("CustomerID")
    return lines.group_by(key.alias("customer_id"), maintain_order=True).agg(
        country=pl.col("Country").last(),
        email=pl.format("customer-{}@example.com", key.first()),
        email_consent=pl.lit("true"),
    )


if __name__ == "__main__":
    for path in prepare(Path(sys.argv[1]), Path(sys.argv[2])):
        print(path)
