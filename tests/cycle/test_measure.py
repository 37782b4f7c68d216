"""Measuring: the store's sums against plain Python, on both stores, and what counts as mature."""

from __future__ import annotations

import json
import math
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select

from engine.cycle.evidence import Reach, significant
from engine.cycle.measure import baseline, before_window, events_of, history_cap, measure
from engine.declare.spec import Metric
from engine.errors import CannotBeJudged
from engine.model import Arm, ArmRole, AsOf, Fate, MessageState
from engine.stats.means import Sums
from engine.store.database import insert_many
from engine.store.tables import blob, customer, entry, event, message, round_, to_micros, wave

START = datetime(2026, 12, 1, 10, tzinfo=UTC)
NOW = datetime(2026, 12, 20, tzinfo=UTC)
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
ARMS = (
    Arm(name="control", share=0.45, role=ArmRole.CONTROL),
    Arm(name="deadline", share=0.45, role=ArmRole.TREATMENT),
    Arm(name="holdout", share=0.1, role=ArmRole.HOLDOUT),
)


def metric(**given):
    return Metric.model_validate({"kind": "conversion", "event": "purchase", "within": "7 days"} | given)


RATE = metric()
REVENUE = metric(kind="mean", value="amount")


@dataclass(frozen=True, kw_only=True)
class Happened:
    """One event of the small world."""

    who: int
    at: datetime
    name: str = "purchase"
    value: float | None = 10.0
    properties: dict = field(default_factory=dict)
    recorded_at: datetime = START
    machine: bool = False


def lay_out(database, entries, happened=()):
    """Write a round with its entries (customer → arm, entered_at) and events."""
    with database.write() as connection:
        connection.execute(insert(blob).values(sha256="plan", body=b"{}"))
        for number in (1, 2):
            connection.execute(
                insert(round_).values(
                    campaign="winback", number=number, state="decided", plan="plan", salt="s", launched_by="a",
                    launched_at=START,
                )
            )  # fmt: skip
            connection.execute(
                insert(wave).values(round_id=number, slot="s", channel="email", due_at=START, state="done")
            )
        insert_many(
            connection,
            entry,
            ["round_id", "customer_id", "wave_id", "arm", "position", "entered_at"],
            [(1, who, 1, arm, who, to_micros(at)) for who, (arm, at) in entries.items()],
        )
        insert_many(
            connection,
            event,
            ["source", "event_id", "customer_id", "name", "occurred_at", "recorded_at", "value", "properties",
             "machine"],
            [
                ("orders", str(i), one.who, one.name, to_micros(one.at), to_micros(one.recorded_at), one.value,
                 json.dumps(one.properties), one.machine)
                for i, one in enumerate(happened)
            ],
        )  # fmt: skip


def take(database, metrics, *, caps=None, through=NOW, at=NOW, known_at=NOW, returns=None, final=True):
    with database.read() as connection:
        return measure(
            connection,
            round_id=1,
            arms=ARMS,
            metrics=metrics,
            caps=caps or {},
            as_of=AsOf(at=at, known_at=known_at),
            data_through={"purchase": through, "returned": returns},
            final=final,
        )


def nobody(n=0):
    return Sums(n=n, total=0.0, squares=0.0, nonzero=0)


def of(values):
    """What ten digits keep of the exact sums."""
    exact = Sums.of(values)
    return Sums(n=exact.n, total=significant(exact.total), squares=significant(exact.squares), nonzero=exact.nonzero)


# --- against plain Python -------------------------------------------------------------------------------


def crowd(seed):
    """400 customers in three arms over ten days, 4,000 events around their windows, some exactly on an edge."""
    chance = random.Random(seed)
    entries = {
        who: (chance.choice(["control", "deadline", "holdout"]), START + chance.random() * 10 * DAY)
        for who in range(1, 401)
    }
    edges = [timedelta(0), -TICK, 7 * DAY, 7 * DAY - TICK, 3 * DAY, 3 * DAY - TICK]
    happened = []
    for _ in range(4000):
        who = chance.randrange(1, 451)
        entered = entries.get(who, ("", START))[1]
        offset = chance.choice(edges) if chance.random() < 0.2 else (chance.random() * 14 - 4) * DAY
        margin = chance.choice([None, 3, 2.5, -1, "4.25", "much", True])
        happened.append(
            Happened(
                who=who,
                at=entered + offset,
                name=chance.choices(["purchase", "returned", "viewed_product"], [6, 1, 3])[0],
                value=None if chance.random() < 0.1 else round(chance.lognormvariate(3, 1), 2),
                properties={
                    "category": chance.choice(["shoes", "hats"]),
                    **({} if margin is None else {"margin": margin}),
                    **({"amount": 7} if chance.random() < 0.1 else {}),
                },
                recorded_at=NOW + TICK if chance.random() < 0.05 else NOW,
                machine=chance.random() < 0.05,
            )
        )
    return entries, happened


def number(value):
    """What a property counts as: a number, or a text that spells one."""
    if isinstance(value, bool) or value is None:
        return 0.0
    try:
        return float(value)
    except ValueError:
        return 0.0


def amount(one, name):
    if name == "amount" and one.value is not None:
        return one.value
    return number(one.properties.get(name))


def by_hand(entries, happened, given, *, through, cap=math.inf):
    """A metric's values by arm, customer by customer."""
    start, end = given.between or (None, None)
    start, end = (start.delta, end.delta) if start else (timedelta(0), given.within.delta)
    names = events_of(given)
    found = {arm.name: [] for arm in ARMS}
    for who, (arm, entered) in entries.items():
        if entered + end > through:
            continue
        seen = [
            one for one in happened
            if one.who == who and one.name in names and entered + start <= one.at < entered + end
            and one.recorded_at <= NOW and not one.machine
            and (given.where is None or one.properties.get("category") == given.where["category"])
        ]  # fmt: skip
        if given.kind == "conversion":
            found[arm].append(float(bool(seen)))
        elif given.value is None:
            found[arm].append(float(len(seen)))
        else:
            signed = [(-1 if one.name == "returned" else 1) * amount(one, given.value) for one in seen]
            found[arm].append(min(cap, math.fsum(signed)))
    return found


METRICS = {
    "rate": RATE,
    "later": metric(within=None, between=["3 days", "7 days"]),
    "shoes": metric(where={"category": "shoes"}),
    "orders": metric(kind="mean"),
    "revenue": REVENUE,
    "margin": metric(kind="mean", value="margin"),
    "hats_revenue": metric(kind="mean", value="amount", where={"category": "hats"}),
    "views": metric(kind="mean", event="viewed_product", value="amount"),
}


@pytest.mark.parametrize("seed", [1, 2])
def test_the_stores_sums_are_those_of_plain_python(database, seed):
    entries, happened = crowd(seed)
    lay_out(database, entries, happened)
    through = START + 13 * DAY
    with database.read() as connection:
        seen = measure(
            connection, round_id=1, arms=ARMS, metrics=METRICS, caps={"revenue": 60.0}, as_of=AsOf.live(NOW),
            data_through={"purchase": through, "viewed_product": through}, final=True,
        )  # fmt: skip
    for name, given in METRICS.items():
        expected = by_hand(entries, happened, given, through=through, cap=60.0 if name == "revenue" else math.inf)
        for arm, values in expected.items():
            assert seen.metrics[name][arm] == of(values), (name, arm)
    uncapped = by_hand(entries, happened, REVENUE, through=through)
    assert seen.uncapped["revenue"] == {arm: significant(math.fsum(values)) for arm, values in uncapped.items()}
    assert sum(sums.n for sums in seen.metrics["rate"].values()) < len(entries)


# --- the window and who is mature ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offset", "counted"),
    [
        pytest.param(timedelta(0), True, id="at-entry"),
        pytest.param(-TICK, False, id="just-before-entry"),
        pytest.param(7 * DAY - TICK, True, id="just-before-the-end"),
        pytest.param(7 * DAY, False, id="exactly-at-the-end"),
    ],
)
def test_the_window_holds_its_start_and_not_its_end(database, offset, counted):
    lay_out(database, {1: ("deadline", START)}, [Happened(who=1, at=START + offset)])
    assert take(database, {"rate": RATE}).metrics["rate"]["deadline"] == of([float(counted)])


@pytest.mark.parametrize(
    ("through", "n"),
    [pytest.param(START + 7 * DAY, 1, id="complete"), pytest.param(START + 7 * DAY - TICK, 0, id="a-moment-short")],
)
def test_a_customer_is_mature_when_the_data_reach_the_windows_end(database, through, n):
    lay_out(database, {1: ("deadline", START)}, [Happened(who=1, at=START + DAY)])
    assert take(database, {"rate": RATE}, through=through).metrics["rate"]["deadline"].n == n


def test_nobody_is_mature_in_the_future_whatever_the_data_say(database):
    lay_out(database, {1: ("deadline", START)}, [Happened(who=1, at=START + DAY)])
    assert take(database, {"rate": RATE}, at=START + 6 * DAY).metrics["rate"]["deadline"] == nobody()


def test_without_word_on_completeness_nobody_is_mature(database):
    lay_out(database, {1: ("deadline", START)}, [Happened(who=1, at=START + DAY)])
    seen = take(database, {"rate": RATE}, through=None)
    assert seen.metrics["rate"]["deadline"] == nobody()
    assert seen.data_through == {"purchase": None}


def test_mature_customers_without_any_event_count_as_zero(database):
    lay_out(
        database, {1: ("deadline", START), 2: ("deadline", START), 3: ("holdout", START)}, [Happened(who=1, at=START)]
    )
    seen = take(database, {"revenue": REVENUE}).metrics["revenue"]
    assert seen == {"control": nobody(), "deadline": of([10.0, 0.0]), "holdout": nobody(1)}


def test_an_import_recorded_later_moves_no_earlier_look(database):
    late = Happened(who=1, at=START + DAY, recorded_at=NOW)
    lay_out(database, {1: ("deadline", START)}, [late])
    assert take(database, {"rate": RATE}, known_at=NOW - TICK).metrics["rate"]["deadline"] == nobody(1)
    assert take(database, {"rate": RATE}).metrics["rate"]["deadline"] == of([1.0])


def test_what_a_machine_did_the_customer_did_not_do(database):
    lay_out(database, {1: ("deadline", START)}, [Happened(who=1, at=START + DAY, machine=True)])
    assert take(database, {"rate": RATE}).metrics["rate"]["deadline"] == nobody(1)


# --- money ----------------------------------------------------------------------------------------------


def test_returns_inside_the_window_reduce_revenue_and_never_the_rate(database):
    happened = [
        Happened(who=1, at=START + DAY, value=50.0),
        Happened(who=1, at=START + 2 * DAY, value=20.0, name="returned"),
        Happened(who=1, at=START + 8 * DAY, value=30.0, name="returned"),
    ]
    lay_out(database, {1: ("deadline", START)}, happened)
    seen = take(database, {"revenue": REVENUE, "rate": RATE}).metrics
    assert (seen["revenue"]["deadline"], seen["rate"]["deadline"]) == (of([30.0]), of([1.0]))


def test_money_waits_for_the_returns_where_they_are_known_to_lag(database):
    lay_out(database, {1: ("deadline", START)}, [Happened(who=1, at=START + DAY)])
    seen = take(database, {"revenue": REVENUE, "rate": RATE}, returns=START + 5 * DAY)
    assert (seen.metrics["revenue"]["deadline"].n, seen.metrics["rate"]["deadline"].n) == (0, 1)
    assert take(database, {"revenue": REVENUE}, returns=None).metrics["revenue"]["deadline"].n == 1


def test_a_cap_holds_the_customers_sum_and_not_each_order(database):
    happened = [Happened(who=1, at=START + DAY, value=40.0), Happened(who=1, at=START + 2 * DAY, value=40.0)]
    lay_out(database, {1: ("deadline", START)}, happened)
    seen = take(database, {"revenue": REVENUE}, caps={"revenue": 50.0})
    assert seen.metrics["revenue"]["deadline"] == of([50.0])
    assert seen.uncapped == {"revenue": {"control": 0.0, "deadline": 80.0, "holdout": 0.0}}


def test_the_evidence_is_at_the_digits_that_are_sealed(database):
    happened = [Happened(who=1, at=START + DAY, value=value) for value in (0.1, 0.2, 1e6 / 3)]
    lay_out(database, {1: ("deadline", START)}, happened)
    seen = take(database, {"revenue": REVENUE})
    assert seen.metrics["revenue"]["deadline"].total == 333333.6333
    assert seen == seen.rounded()


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"kind": "ratio"}, id="ratio"),
        pytest.param({"kind": "quantile", "value": "amount", "quantile": 0.9}, id="quantile"),
        pytest.param({"kind": "mean", "value": "margin", "less": "message_cost"}, id="less-message-cost"),
    ],
)  # fmt: skip
def test_metrics_of_later_releases_are_refused(database, given):
    lay_out(database, {1: ("deadline", START)})
    with pytest.raises(CannotBeJudged, match="not supported yet"):
        take(database, {"x": metric(**given)})


# --- counts ---------------------------------------------------------------------------------------------


def test_every_arm_is_counted_by_how_far_its_messages_came(database):
    lay_out(database, {who: ("deadline" if who < 7 else "control", START) for who in range(1, 9)})
    states = [
        (1, MessageState.ACCEPTED, None), (2, MessageState.ACCEPTED, Fate.DELIVERED),
        (3, MessageState.ACCEPTED, Fate.COMPLAINED), (4, MessageState.ACCEPTED, Fate.BOUNCED),
        (5, MessageState.UNCERTAIN, None), (6, MessageState.SKIPPED, None), (7, MessageState.ACCEPTED, Fate.DELIVERED),
    ]  # fmt: skip
    with database.write() as connection:
        for who, state, fate in states:
            row = {"wave_id": 1, "customer_id": who, "state": state, "fate": fate, "due_at": START, "not_before": START}
            connection.execute(insert(message).values(**row))
        later = {"wave_id": 2, "customer_id": 8, "state": MessageState.ACCEPTED, "due_at": START, "not_before": START}
        connection.execute(insert(message).values(**later))
    assert take(database, {}).arms == {
        "control": Reach(assigned=2, accepted=1, delivered=1, uncertain=0),
        "deadline": Reach(assigned=6, accepted=4, delivered=2, uncertain=1),
        "holdout": Reach(assigned=0),
    }


# --- history --------------------------------------------------------------------------------------------


def people(database, count):
    with database.write() as connection:
        insert_many(
            connection, customer, ["id", "customer_id", "attributes", "recorded_at"],
            [(who, str(who), "{}", to_micros(START)) for who in range(1, count + 1)],
        )  # fmt: skip
    return select(customer.c.id)


def past(database, values, *, at=NOW - DAY):
    """One purchase by each of the first customers."""
    lay_out(database, {}, [Happened(who=who, at=at, value=value) for who, value in enumerate(values, 1)])


def test_the_cap_is_a_quantile_of_those_who_bought(database):
    """Six buyers among 1,000: the 99th percentile of everybody would be zero."""
    everybody = people(database, 1000)
    past(database, [10.0, 20.0, 30.0, 40.0, 50.0, 1000.0, *[0.0] * 50])
    capped = metric(kind="mean", value="amount", cap_at="90th percentile")
    with database.read() as connection:
        assert history_cap(connection, capped, everybody, AsOf.live(NOW)) == 525.0
        assert history_cap(connection, capped, everybody.where(customer.c.id > 6), AsOf.live(NOW)) is None
        assert history_cap(connection, capped, everybody.where(customer.c.id == 2), AsOf.live(NOW)) == 20.0
        assert history_cap(connection, REVENUE, everybody, AsOf.live(NOW)) is None
        assert history_cap(connection, metric(kind="mean", cap_at="250 EUR"), everybody, AsOf.live(NOW)) == 250.0


@pytest.mark.parametrize(
    ("at", "seen"),
    [
        pytest.param(NOW - TICK, True, id="just-now"),
        pytest.param(NOW, False, id="at-the-end"),
        pytest.param(NOW - 7 * DAY, True, id="at-the-start"),
        pytest.param(NOW - 7 * DAY - TICK, False, id="before-the-start"),
    ],
)
def test_history_is_the_metrics_last_whole_window(database, at, seen):
    everybody = people(database, 4)
    past(database, [30.0], at=at)
    with database.read() as connection:
        found = baseline(connection, RATE, everybody, AsOf.live(NOW))
    assert (found.mean, found.n) == (0.25 if seen else 0.0, 4)


def test_a_window_between_two_offsets_ends_now(database):
    """Entered 40 days ago, bought between day 31 and day 40."""
    kept = metric(within=None, between=["31 days", "40 days"])
    everybody = people(database, 2)
    past(database, [30.0], at=NOW - 8 * DAY)
    assert before_window(kept, AsOf.live(NOW)).at == NOW - 40 * DAY
    with database.read() as connection:
        assert baseline(connection, kept, everybody, AsOf.live(NOW)).mean == 0.5
        assert baseline(connection, kept, everybody, AsOf.live(NOW + 2 * DAY)).mean == 0.0


def test_the_baseline_has_the_spread_of_all_customers(database):
    everybody = people(database, 5)
    past(database, [10.0, 20.0, 90.0])
    with database.read() as connection:
        found = baseline(connection, REVENUE, everybody, AsOf.live(NOW))
        capped = baseline(connection, REVENUE, everybody, AsOf.live(NOW), cap=50.0)
        assert baseline(connection, REVENUE, everybody.where(customer.c.id > 99), AsOf.live(NOW)) is None
    values = [10.0, 20.0, 90.0, 0.0, 0.0]
    assert (found.mean, found.n) == (24.0, 5)
    assert found.sd == pytest.approx(math.sqrt(sum((value - 24) ** 2 for value in values) / 4), rel=1e-9)
    assert capped.mean == 16.0
