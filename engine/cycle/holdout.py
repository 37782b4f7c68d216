"""The global holdout: drawn by hash once a period, then stored and kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from engine.assign import held_out
from engine.cycle.timing import period
from engine.declare.resolve import Resolved
from engine.store.database import insert_many
from engine.store.tables import global_holdout


@dataclass(frozen=True, kw_only=True)
class GlobalHoldout:
    """Who is messaged nothing by any campaign during one period."""

    period: str
    """Such as 2026-Q4."""
    share: float

    @classmethod
    def of(cls, resolved: Resolved, at: datetime) -> GlobalHoldout | None:
        """The one that a campaign observes at a time; None where it declares none or is transactional."""
        rule = resolved.campaign.global_holdout
        if rule is None or resolved.campaign.purpose == "transactional":
            return None
        return cls(period=period(rule.renew, at, resolved.campaign.timezone or "UTC"), share=rule.share.value)

    def among(self, connection: Connection, customers: Sequence[tuple[int, str]]) -> frozenset[int]:
        """Ids of the members among customers, who are (id, customer_id) in the order of their ids."""
        return self._stored(connection, customers).union(self._drawn(customers))

    def keep(self, connection: Connection, customers: Sequence[tuple[int, str]]) -> None:
        """Store the members among customers, so that a change of the share releases nobody within the period."""
        fresh = set(self._drawn(customers)) - self._stored(connection, customers)
        insert_many(
            connection, global_holdout, ["period", "customer_id"], [(self.period, id_) for id_ in sorted(fresh)]
        )

    def _drawn(self, customers: Sequence[tuple[int, str]]) -> list[int]:
        is_held = held_out(self.share, self.period)
        return [id_ for id_, key in customers if is_held(key)]

    def _stored(self, connection: Connection, customers: Sequence[tuple[int, str]]) -> frozenset[int]:
        if not customers:
            return frozenset()
        ids = [id_ for id_, _ in customers]
        stored = select(global_holdout.c.customer_id).where(
            global_holdout.c.period == self.period, global_holdout.c.customer_id.between(ids[0], ids[-1])
        )
        return frozenset(connection.execute(stored).scalars()).intersection(ids)
