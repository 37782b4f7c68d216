"""Prepare the UCI "Online Retail" file (doi 10.24432/C5BW33) for `campaign import`.

Writes customers.csv and orders.csv into a folder:

    python docs/examples/online_retail.py online_retail.csv.gz prepared/
    campaign import customers prepared/customers.csv
    campaign import orders prepared/orders.csv --map order_id=InvoiceNo --map customer_id=CustomerID \
        --map ordered_at=InvoiceDate --map quantity=Quantity --map amount=Amount \
        --map product_id=StockCode --map product_name=Description

Lines without a customer cannot be assigned to anybody and are left out. The file gives the price of one
piece; an order line's amount is that of the whole line. Times are the shop's, in London. Addresses and
consent are invented: the file has none.
"""

from __future__ import annotations

import csv
import gzip
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

SHOP = ZoneInfo("Europe/London")
ORDER_COLUMNS = ("InvoiceNo", "CustomerID", "InvoiceDate", "Quantity", "Amount", "StockCode", "Description")
CUSTOMER_COLUMNS = ("customer_id", "email", "country_of_residence", "email_consent", "email_consent_source")


def prepare(source: Path, folder: Path) -> tuple[Path, Path]:
    """Write both files and return where they are."""
    folder.mkdir(parents=True, exist_ok=True)
    customers, orders = folder / "customers.csv", folder / "orders.csv"
    countries: dict[str, str] = {}
    with orders.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(ORDER_COLUMNS)
        for line in lines(source):
            countries.setdefault(line["CustomerID"], line["Country"])
            writer.writerow([line[column] for column in ORDER_COLUMNS])
    with customers.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(CUSTOMER_COLUMNS)
        for key, country in countries.items():
            writer.writerow([key, f"customer{key}@example.org", country, "yes", "invented"])
    return customers, orders


def lines(source: Path) -> Iterator[dict[str, str]]:
    """The order lines of known customers, completed."""
    with gzip.open(source, "rt", encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            if not line["CustomerID"]:
                continue
            line["CustomerID"] = line["CustomerID"].removesuffix(".0")
            line["Amount"] = f"{int(line['Quantity']) * float(line['UnitPrice']):.2f}"
            at = datetime.fromisoformat(line["InvoiceDate"]).replace(tzinfo=SHOP)
            line["InvoiceDate"] = at.isoformat()
            yield line


if __name__ == "__main__":
    for written in prepare(Path(sys.argv[1]), Path(sys.argv[2])):
        print(written)
