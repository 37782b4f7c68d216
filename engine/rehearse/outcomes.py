"""What generated customers do once they have entered a round: the planted truth at work.

Each customer's luck is a function of the seed and the customer's key alone, so that neither the
order of entrants nor further entrants change what somebody does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.model import Arm, ArmRole
from engine.rehearse.catalogue import PRODUCTS, described

if TYPE_CHECKING:
    import polars as pl

WINDOW = timedelta(days=7)
_DRAWS = 8
_PLANTED = {ArmRole.HOLDOUT: 0.03, ArmRole.CONTROL: 0.04, ArmRole.TREATMENT: 0.07}


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What is planted, and what a verdict should find."""

    purchase_rate: Mapping[str, float]
    """By arm: the chance of ordering within seven days of entry."""
    unsubscribe_rate: float = 0.003
    """Of those who are messaged."""
    unmessaged: frozenset[str] = frozenset()
    """Arms that are messaged nothing."""


@dataclass(frozen=True, kw_only=True)
class Entrant:
    """Somebody who entered a round."""

    customer_id: str
    arm: str
    entered_at: datetime


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """Orders and events after entry, in the form of the import files, each with its instant in `at`."""

    orders: pl.DataFrame
    events: pl.DataFrame

    def between(self, start: datetime, end: datetime) -> Outcomes:
        """What happened at or after `start` and before `end`."""
        import polars as pl

        inside = (pl.col("at") >= start) & (pl.col("at") < end)
        return Outcomes(orders=self.orders.filter(inside), events=self.events.filter(inside))

    def first_after(self, start: datetime) -> datetime | None:
        """When the next thing happens at or after an instant."""
        import polars as pl

        moments = pl.concat([self.orders["at"], self.events["at"]])
        found = moments.filter(moments >= start).min()
        return found if isinstance(found, datetime) else None

    def write(self, folder: Path, suffix: str) -> tuple[Path, Path]:
        """Write an orders file and an events file; return their paths."""
        folder.mkdir(parents=True, exist_ok=True)
        orders, events = folder / f"orders-{suffix}.csv", folder / f"events-{suffix}.csv"
        _told(self.orders, "ordered_at").write_csv(orders)
        _told(self.events, "occurred_at").write_csv(events)
        return orders, events


def plant(arms: Sequence[Arm]) -> Truth:
    """The truth of a rehearsal: the control sells a little, treatments more, the holdout less."""
    return Truth(
        purchase_rate={arm.name: _PLANTED[arm.role] for arm in arms},
        unmessaged=frozenset(arm.name for arm in arms if not arm.messaged),
    )


def outcomes(entrants: Sequence[Entrant], *, truth: Truth, seed: int | str) -> Outcomes:
    """What the entrants do within seven days of their entry.

    Raises:
        KeyError: an entrant's arm has no planted rate.
    """
    import polars as pl

    luck = _luck(seed, [entrant.customer_id for entrant in entrants])
    rate = np.array([truth.purchase_rate[entrant.arm] for entrant in entrants])
    messaged = np.array([entrant.arm not in truth.unmessaged for entrant in entrants], dtype=bool)
    buys, leaves = luck[:, 0] < rate, (luck[:, 7] < truth.unsubscribe_rate) & messaged
    people = _people(entrants)
    views = _events(people.filter(pl.Series(buys)), luck[buys, 1] * luck[buys, 6], "viewed_product")
    seen = views.with_columns(_products(luck[buys], "product_id", "product_name", "category", "url"))
    left = _events(people.filter(pl.Series(leaves)), luck[leaves, 6], "unsubscribed")
    return Outcomes(
        orders=_orders(people.filter(pl.Series(buys)), luck[buys]),
        events=pl.concat([seen, left], how="diagonal").sort("at"),
    )


def _people(entrants: Sequence[Entrant]) -> pl.DataFrame:
    import polars as pl

    entered = pl.Series([entrant.entered_at for entrant in entrants], dtype=pl.Datetime("us", "UTC"))
    keys = pl.Series([entrant.customer_id for entrant in entrants], dtype=pl.String)
    return pl.DataFrame({"customer_id": keys, "entered_at": entered})


def _luck(seed: int | str, customer_ids: Sequence[str]) -> NDArray[np.float64]:
    """Uniform draws on [0, 1), one row a customer."""
    digests = b"".join(hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=64).digest() for name in customer_ids)
    return (np.frombuffer(digests, dtype="<u8") >> 11).reshape(-1, _DRAWS) / 2.0**53


def _orders(buyers: pl.DataFrame, luck: NDArray[np.float64]) -> pl.DataFrame:
    import polars as pl

    quantity = 1 + (luck[:, 3] < 0.15).astype(int)
    amount = (np.array([article.price for article in PRODUCTS])[_product(luck)] * quantity).round(2)
    return buyers.select(
        _key("order").alias("order_id"),
        "customer_id",
        *_products(luck, "product_id", "product_name", "category", "brand"),
        pl.Series("quantity", quantity),
        pl.Series("amount", amount),
        pl.Series("margin", (amount * (0.25 + 0.25 * luck[:, 4])).round(2)),
        pl.lit("EUR").alias("currency"),
        _after(luck[:, 1]),
    ).sort("at")


def _product(luck: NDArray[np.float64]) -> NDArray[np.int64]:
    """The product that somebody views and orders, as a place in PRODUCTS."""
    return (luck[:, 2] * len(PRODUCTS)).astype(np.int64)


def _products(luck: NDArray[np.float64], *fields: str) -> list[pl.Series]:
    import polars as pl

    return [pl.Series(field, texts, dtype=pl.String) for field, texts in described(_product(luck), *fields).items()]


def _events(people: pl.DataFrame, moment: NDArray[np.float64], name: str) -> pl.DataFrame:
    import polars as pl

    return people.select(_key(name).alias("event_id"), "customer_id", pl.lit(name).alias("name"), _after(moment))


def _key(kind: str) -> pl.Expr:
    """One order, and one event of a kind, for each entry."""
    import polars as pl

    return pl.format("{}-{}-{}", pl.lit(kind), pl.col("entered_at").dt.strftime("%Y%m%d"), pl.col("customer_id"))


def _after(moment: NDArray[np.float64]) -> pl.Expr:
    """The instant at this part (0–1) of the window, to the second."""
    import polars as pl

    later = pl.Series((np.maximum(moment * WINDOW.total_seconds(), 1) * 1_000).astype("timedelta64[ms]"))
    return (pl.col("entered_at") + later).dt.truncate("1s").alias("at")


def _told(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    import polars as pl

    return frame.select(pl.exclude("at"), pl.col("at").dt.strftime("%Y-%m-%dT%H:%M:%SZ").alias(column))
