"""A generated shop: invented customers, their orders and visits, and what they do after a campaign.

Everything is a function of the seed, so that the same call writes the same bytes. Times are
drawn in days before `at`, because habits are easier to read that way.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.rehearse.catalogue import FIRST_NAMES, LAST_NAMES, PLACES, PRODUCTS, described

if TYPE_CHECKING:
    import polars as pl

HISTORY_DAYS = 400
_SECONDS_A_DAY = 86_400
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_SHOES = np.array([product.category == "shoes" for product in PRODUCTS])

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Files:
    """The three files of a population, as `campaign import` takes them."""

    customers: Path
    orders: Path
    events: Path


@dataclass(frozen=True, kw_only=True)
class Habit:
    """How one kind of customer behaves."""

    share: float
    """0–1 of all customers."""
    orders_a_year: float
    quiet_days: tuple[float, float]
    """The last order lies between so many days back."""
    comes_back_weekly: float
    """Chance a week of ordering again all the same."""
    views: float
    """Products viewed in the last 45 days, on average."""
    likes_shoes: float
    """Share of views and orders that are shoes."""


HABITS = (
    Habit(share=0.26, orders_a_year=0.8, quiet_days=(0, 400), comes_back_weekly=0, views=0.4, likes_shoes=0.2),
    Habit(share=0.10, orders_a_year=9.0, quiet_days=(0, 25), comes_back_weekly=0, views=4.0, likes_shoes=0.4),
    Habit(share=0.64, orders_a_year=6.5, quiet_days=(60, 170), comes_back_weekly=0.03, views=3.5, likes_shoes=0.8),
)
"""Occasional buyers, active regulars, and regulars who went quiet but still look around."""


def generate(folder: Path, *, customers: int, seed: int, at: datetime) -> Files:
    """Write customers.csv, orders.csv and events.csv with all that happened before `at`.

    Args:
        customers: how many; 20,000 take about a second.
        seed: the same seed gives the same bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    habit = rng.choice(len(HABITS), size=customers, p=[habit.share for habit in HABITS])
    signed_up = rng.uniform(250, 1200, customers)
    files = Files(customers=folder / "customers.csv", orders=folder / "orders.csv", events=folder / "events.csv")
    _customers(rng, signed_up, at).write_csv(files.customers)
    _orders(rng, habit, signed_up, at).write_csv(files.orders)
    _events(rng, habit, at).write_csv(files.events)
    return files


def customer_ids(numbers: Ints) -> list[str]:
    return [f"C{number:07}" for number in numbers.tolist()]


# --- customers ---------------------------------------------------------------------------------------


def _customers(rng: np.random.Generator, signed_up: Floats, at: datetime) -> pl.DataFrame:
    import polars as pl

    size = len(signed_up)
    homes = [PLACES[index] for index in rng.choice(len(PLACES), size=size, p=[place.share for place in PLACES])]
    first, last = rng.integers(len(FIRST_NAMES), size=size), rng.integers(len(LAST_NAMES), size=size)
    city = rng.integers(1_000, size=size)
    return pl.DataFrame(
        {
            "customer_id": customer_ids(np.arange(size)),
            "email": _addresses(rng, first, last),
            "first_name": _some(rng, [FIRST_NAMES[index] for index in first], missing=0.03),
            "last_name": [LAST_NAMES[index] for index in last],
            "country": [home.country for home in homes],
            "city": [home.cities[number % len(home.cities)] for home, number in zip(homes, city, strict=True)],
            "language": [home.language for home in homes],
            "timezone": _some(rng, [home.timezone for home in homes], missing=0.05),
            "signed_up_at": _days_before(at, signed_up),
            "email_consent": rng.random(size) < 0.93,
            "email_consent_at": _days_before(at, signed_up),
            "email_consent_source": np.where(rng.random(size) < 0.7, "checkout", "newsletter form").tolist(),
            "shoe_size": rng.normal(41, 2.5, size).round().astype(int),
        }
    )


def _addresses(rng: np.random.Generator, first: Ints, last: Ints) -> list[str | None]:
    """Invented addresses under names reserved for examples; a few are missing, shared, or an employee's."""
    size = len(first)
    kind = rng.random(size)
    own = [
        f"{_plain(FIRST_NAMES[a])}.{_plain(LAST_NAMES[b])}.{number}@example.{'com' if chance < 0.005 else 'net'}"
        for number, (a, b, chance) in enumerate(zip(first, last, kind, strict=True))
    ]
    shared = [own[max(0, number - 1)] if 0.005 <= kind[number] < 0.01 else own[number] for number in range(size)]
    return [None if kind[number] > 0.98 else shared[number] for number in range(size)]


def _plain(name: str) -> str:
    """The name as it may stand in an address: ASCII letters, lower case."""
    decomposed = unicodedata.normalize("NFKD", name)
    return "".join(letter for letter in decomposed if letter.isascii() and letter.isalpha()).lower()


def _some(rng: np.random.Generator, values: list[str], *, missing: float) -> list[str | None]:
    absent = rng.random(len(values)) < missing
    return [None if gone else value for value, gone in zip(values, absent, strict=True)]


# --- orders ------------------------------------------------------------------------------------------


def _orders(rng: np.random.Generator, habit: Ints, signed_up: Floats, at: datetime) -> pl.DataFrame:
    buyer, days = _order_times(rng, habit, signed_up)
    oldest_first = np.argsort(-days, kind="stable")
    buyer, days = buyer[oldest_first], days[oldest_first]
    order = np.repeat(np.arange(len(buyer)), 1 + rng.poisson(0.2, len(buyer)))
    product = _products(rng, np.array([kind.likes_shoes for kind in HABITS])[habit[buyer[order]]])
    quantity = 1 + rng.poisson(0.15, len(order))
    lines = _lines(rng, [f"O{number:08}" for number in order.tolist()], product, quantity)
    lines = lines.with_columns(customer_id=_series(customer_ids(buyer[order])), days=_series(days[order]))
    return _dated(_with_returns(rng, lines), at, "ordered_at").select(_ORDER_COLUMNS)


_ORDER_COLUMNS = (
    "order_id", "customer_id", "ordered_at", "product_id", "product_name", "category", "brand",
    "quantity", "amount", "margin", "currency",
)  # fmt: skip


def _order_times(rng: np.random.Generator, habit: Ints, signed_up: Floats) -> tuple[Ints, Floats]:
    """Who ordered, and how many days back: regular orders, the last one, and those who came back."""
    quiet_from, quiet_to = (np.array([kind.quiet_days[end] for kind in HABITS])[habit] for end in (0, 1))
    last = rng.uniform(quiet_from, quiet_to)
    first = np.maximum(np.minimum(signed_up, HISTORY_DAYS), last)
    yearly = np.array([kind.orders_a_year for kind in HABITS])[habit]
    regular = np.repeat(np.arange(len(habit)), rng.poisson(yearly * (first - last) / 365))
    weekly = np.array([kind.comes_back_weekly for kind in HABITS])[habit]
    back = np.repeat(np.arange(len(habit)), rng.poisson(weekly * 8))
    buyer = np.concatenate([regular, np.arange(len(habit)), back])
    days = np.concatenate([rng.uniform(last[regular], first[regular]), last, rng.uniform(0, 56, len(back))])
    return buyer, days


def _products(rng: np.random.Generator, likes_shoes: Floats) -> Ints:
    """An index into PRODUCTS for each line or view."""
    size = len(likes_shoes)
    shoes, others = np.flatnonzero(_SHOES), np.flatnonzero(~_SHOES)
    return np.where(rng.random(size) < likes_shoes, rng.choice(shoes, size), rng.choice(others, size))


def _lines(rng: np.random.Generator, order_ids: list[str], product: Ints, quantity: Ints) -> pl.DataFrame:
    import polars as pl

    price = np.array([article.price for article in PRODUCTS])[product]
    amount = (price * quantity * rng.choice([1.0, 1.0, 1.0, 0.9, 0.8], len(product))).round(2)
    return pl.DataFrame(
        {
            "order_id": order_ids,
            **described(product, "product_id", "product_name", "category", "brand"),
            "quantity": quantity,
            "amount": amount,
            "margin": (amount * rng.uniform(0.25, 0.5, len(product))).round(2),
            "currency": ["EUR"] * len(product),
        }
    )


def _with_returns(rng: np.random.Generator, lines: pl.DataFrame) -> pl.DataFrame:
    """One line in twenty-five comes back some days later, as a line of negative quantity."""
    import polars as pl

    returned = lines.filter(_series(rng.random(len(lines)) < 0.04))
    returned = returned.with_columns(
        -pl.col("quantity"), -pl.col("amount"), -pl.col("margin"),
        days=pl.col("days") - _series(rng.uniform(3, 20, len(returned))),
    )  # fmt: skip
    return pl.concat([lines, returned.filter(pl.col("days") > 0)])


# --- events ------------------------------------------------------------------------------------------


def _events(rng: np.random.Generator, habit: Ints, at: datetime) -> pl.DataFrame:
    import polars as pl

    seen = pl.concat([_views(rng, habit), _tickets(rng, len(habit))], how="diagonal")
    numbered = seen.with_columns(event_id=pl.format("E{}", pl.int_range(pl.len())))
    return _dated(numbered, at, "occurred_at").select(_EVENT_COLUMNS)


_EVENT_COLUMNS = ("event_id", "customer_id", "name", "occurred_at", "product_id", "product_name", "category", "url")


def _views(rng: np.random.Generator, habit: Ints) -> pl.DataFrame:
    import polars as pl

    viewer = np.repeat(np.arange(len(habit)), rng.poisson(np.array([kind.views for kind in HABITS])[habit]))
    product = _products(rng, np.array([kind.likes_shoes for kind in HABITS])[habit[viewer]])
    return pl.DataFrame(
        {
            "customer_id": customer_ids(viewer),
            "name": ["viewed_product"] * len(viewer),
            **described(product, "product_id", "product_name", "category", "url"),
            "days": rng.uniform(0, 45, len(viewer)),
        }
    )


def _tickets(rng: np.random.Generator, size: int) -> pl.DataFrame:
    """A few have asked for help lately; most of these were helped within three days."""
    import polars as pl

    opened = np.flatnonzero(rng.random(size) < 0.03)
    opened_days = rng.uniform(0, 30, len(opened))
    closed_days = opened_days - rng.uniform(0.1, 3, len(opened))
    closed = (closed_days > 0) & (rng.random(len(opened)) < 0.8)
    return pl.DataFrame(
        {
            "customer_id": customer_ids(np.concatenate([opened, opened[closed]])),
            "name": ["ticket_opened"] * len(opened) + ["ticket_closed"] * int(closed.sum()),
            "days": np.concatenate([opened_days, closed_days[closed]]),
        }
    )


# --- times -------------------------------------------------------------------------------------------


def _series(values: Any) -> pl.Series:
    import polars as pl

    return pl.Series(values)


def _dated(frame: pl.DataFrame, at: datetime, column: str) -> pl.DataFrame:
    """Turn `days` before `at` into instants, oldest first; never at or after `at`."""
    ordered = frame.sort("days", descending=True, maintain_order=True)
    return ordered.with_columns(_days_before(at, ordered["days"].to_numpy()).alias(column))


def _days_before(at: datetime, days: Floats) -> pl.Series:
    import polars as pl

    start = np.datetime64(at.astimezone(UTC).replace(tzinfo=None), "ms")
    seconds = np.maximum(np.ceil(days * _SECONDS_A_DAY), 1).astype("timedelta64[s]")
    return pl.Series(start - seconds).dt.strftime(_TIME)
