"""The stores answer every condition as plain Python does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from segment_reference import Reference
from segment_world import ARMS, AS_OF, CAMPAIGNS, KEYS, NAMES, STATES, TEXTS, people, store
from sqlalchemy import select

from engine.declare.quantities import Duration
from engine.declare.spec import (
    Attribute,
    Condition,
    Did,
    DidNot,
    Group,
    InCampaign,
    InSegment,
    PropertyTest,
    Rfm,
    Segment,
)
from engine.segments.compile import predicate, segment_query
from engine.store.database import Database
from engine.store.tables import customer

COLUMNS = ["customer_id", "email", "email_domain", "first_name", "country", "postal_code", "birth_date", "signed_up_at",
           "email_consent", "region"]  # fmt: skip
LITERALS = [
    *TEXTS, "0", "5", "10", "19.9", "0.1", "100000000000000000000", "DE", "example.com", "18 years", "1 month",
    "7 days", "2026-05-16 10:00", "2026-05-16T12:00:00+02:00", "2026-06-14T12:00:00Z", "Z0001",
]  # fmt: skip

text = st.sampled_from(LITERALS)
window = st.sampled_from(["1 day", "7 days", "30 days", "31 days", "365 days"]).map(Duration.parse)
names = st.sampled_from(NAMES)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


_PATTERNS = ["*", "a", "gold", "?", "[a]", "%", "_", "\\", "é", "@"]
_TESTS = {
    "is_": text,
    "is_not": text,
    "in_": st.lists(text, max_size=4),
    "not_in": st.lists(text, max_size=4),
    "at_least": text,
    "at_most": text,
    "between": st.tuples(text, text),
    "exists": st.booleans(),
    "contains": text,
    "matches": text | st.lists(st.sampled_from(_PATTERNS), max_size=3).map("".join),
}  # fmt: skip


@st.composite
def value_tests(draw: st.DrawFn) -> dict[str, Any]:
    kinds = draw(st.lists(st.sampled_from(sorted(_TESTS)), max_size=2, unique=True))
    return {kind: draw(_TESTS[kind]) for kind in kinds}


attributes = st.builds(
    lambda name, tests: Attribute(attribute=name, **tests), st.sampled_from(COLUMNS + KEYS), value_tests()
)
wheres = st.dictionaries(
    st.sampled_from([*KEYS, "amount", "value", "category"]),
    text | value_tests().map(lambda tests: PropertyTest(**tests)),
    max_size=2,
)
dids = st.builds(
    Did,
    did=names,
    at_least=maybe(st.integers(0, 4)),
    at_most=maybe(st.integers(0, 4)),
    within=maybe(window),
    where=maybe(wheres),
    not_followed_by=maybe(names),
    followed_by=maybe(names),
    after_gap=maybe(window),
)
did_nots = st.builds(DidNot, did_not=names, within=maybe(window), where=maybe(wheres))


@st.composite
def rfms(draw: st.DrawFn) -> Rfm:
    kind = draw(st.sampled_from(["recency", "frequency", "monetary", "score", "recency_score", "monetary_score"]))
    numbers = {
        "recency": ["0 days", "7 days", "30 days", "60 days", "31 days"],
        "monetary": ["0", "10", "19.9", "60 EUR"],
    }
    bound = st.sampled_from(numbers.get(kind, ["0", "1", "2", "3", "4", "9"]))
    return Rfm(
        rfm=kind,
        at_least=draw(maybe(bound)),
        at_most=draw(maybe(bound)),
        between=draw(maybe(st.tuples(bound, bound))),
        within=draw(maybe(window)),
    )


in_campaigns = st.builds(
    InCampaign,
    in_campaign=st.sampled_from([*CAMPAIGNS, "summer"]),
    arm=maybe(st.sampled_from(ARMS)),
    verdict=maybe(st.sampled_from(["ship", "keep_control"])),
    state=maybe(st.sampled_from(STATES)),
    within=maybe(window),
)
SEGMENTS = {
    "adults": Segment(where=Attribute(attribute="birth_date", at_least="18 years")),
    "hurt": Segment(where=Group(all=[InSegment(in_segment="adults"), DidNot(did_not="ticket_closed")])),
}
leaves = (
    attributes
    | dids
    | did_nots
    | rfms()
    | in_campaigns
    | st.sampled_from(sorted(SEGMENTS)).map(lambda name: InSegment(in_segment=name))
)
conditions = st.recursive(
    leaves,
    lambda inner: st.builds(
        Group,
        all=maybe(st.lists(inner, max_size=2)),
        any=maybe(st.lists(inner, max_size=2)),
        none=maybe(st.lists(inner, max_size=2)),
    ),
    max_leaves=4,
)

_health = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
_some = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=_health)
_many = settings(max_examples=500, deadline=None, suppress_health_check=_health)


class Checker:
    """One population, in a store and in memory."""

    def __init__(self, database: Database, *, seed: int, size: int) -> None:
        self.database, self.people = database, people(seed, size)
        self.reference = Reference(self.people, SEGMENTS, AS_OF)
        store(database, self.people)

    def found(self, condition: Condition) -> set[int]:
        inside = predicate(condition, SEGMENTS, AS_OF, self.database.engine.dialect.name)
        with self.database.read() as connection:
            return set(connection.execute(select(customer.c.id).where(inside)).scalars())

    def same(self, condition: Condition) -> None:
        expected = {person.id for person in self.people if self.reference.holds(person, condition)}
        assert self.found(condition) == expected, condition.model_dump(exclude_none=True, by_alias=True)


_KINDS = [
    pytest.param(attributes, id="attribute"),
    pytest.param(dids | did_nots, id="did"),
    pytest.param(rfms(), id="rfm"),
    pytest.param(in_campaigns, id="in_campaign"),
    pytest.param(conditions, id="nested"),
]


def _agree(checker: Checker, strategy: st.SearchStrategy[Any], how: settings) -> None:
    @how
    @given(strategy)
    def agree(condition: Condition) -> None:
        checker.same(condition)

    agree()


@pytest.mark.parametrize("strategy", _KINDS)
def test_the_store_and_plain_python_agree(database: Database, strategy: st.SearchStrategy[Any]) -> None:
    """Generated conditions of each kind find the same customers in SQL as in memory."""
    _agree(Checker(database, seed=1, size=150), strategy, _some)


@pytest.mark.long
@pytest.mark.parametrize("strategy", _KINDS)
def test_many_conditions_agree(database: Database, strategy: st.SearchStrategy[Any]) -> None:
    """The same for a larger population and conditions that were never tried before."""
    _agree(Checker(database, seed=2, size=300), strategy, _many)


def test_every_awkward_key_is_read_as_it_is_written(database: Database) -> None:
    """An attribute's name reaches the store as data: quotes, wildcards and path signs mean nothing."""
    checker = Checker(database, seed=6, size=120)
    for key in KEYS:
        for test in ({"exists": True}, {"is_": "gold"}, {"in_": TEXTS}, {"at_least": "5"}, {"contains": "a"}):
            checker.same(Attribute(attribute=key, **test))


def test_a_condition_and_its_negation_split_all_customers(database: Database) -> None:
    """`none` is the exact opposite: nobody is lost to an unknown."""
    checker = Checker(database, seed=7, size=150)
    everybody = {person.id for person in checker.people}

    @_some
    @given(leaves)
    def split(condition: Condition) -> None:
        halves = [checker.found(condition), checker.found(Group(none=[condition]))]
        assert halves[0] | halves[1] == everybody
        assert not halves[0] & halves[1]

    split()


def test_a_segment_leaves_out_customers_of_a_later_time(database: Database) -> None:
    """Who signed up at or after `at`, or was recorded after `known_at`, is in no segment."""
    checker = Checker(database, seed=8, size=150)
    everybody = {"all": Segment(where=Group(all=[]))}
    with database.read() as connection:
        query = segment_query("all", everybody, AS_OF, connection.dialect.name)
        found = set(connection.execute(query).scalars())
    expected = {
        person.id
        for person in checker.people
        if person.recorded_at <= AS_OF.known_at
        and (person.columns["signed_up_at"] is None or person.columns["signed_up_at"] < AS_OF.at)
    }
    assert found == expected
    assert len(found) < len(checker.people)
