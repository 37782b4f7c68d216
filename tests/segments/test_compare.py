"""What each test of a value means, said with examples that hold on both stores."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert, select

from engine.declare.spec import Attribute, Did, Group
from engine.model import AsOf
from engine.segments.compile import predicate
from engine.store.database import Database
from engine.store.tables import customer, event

AS_OF = AsOf.live(datetime(2026, 6, 15, 12, tzinfo=UTC))
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def _is_found(database: Database, condition: Any, **columns: Any) -> bool:
    row = {"customer_id": "c", "attributes": {}, "recorded_at": NOON} | columns
    with database.write() as connection:
        connection.execute(insert(customer).values(**row))
    with database.read() as connection:
        inside = predicate(condition, {}, AS_OF, connection.dialect.name)
        return bool(connection.execute(select(customer.c.id).where(inside)).all())


CASES = [
    # text and number
    pytest.param("01067", {"is": "01067"}, True, id="a-text-equals-what-was-written"),
    pytest.param(1067, {"is": "01067"}, False, id="a-leading-zero-makes-a-code-that-equals-no-number"),
    pytest.param(1067, {"is": "1067"}, True, id="a-number-equals-the-same-number"),
    pytest.param(1067, {"is": "1067.0"}, True, id="a-number-equals-however-its-decimals-are-written"),
    pytest.param("1067", {"is": "1067.0"}, False, id="a-text-of-digits-equals-as-text"),
    pytest.param("Gold", {"is": "gold"}, False, id="case-counts"),
    pytest.param(True, {"is": "true"}, True, id="a-boolean-reads-as-true"),
    pytest.param(True, {"is": "1"}, False, id="a-boolean-is-no-number"),
    pytest.param(1, {"is": "true"}, False, id="a-number-is-no-boolean"),
    pytest.param(False, {"exists": "true"}, True, id="false-is-a-value"),
    pytest.param("", {"exists": "true"}, True, id="an-empty-text-is-a-value"),
    pytest.param(["gold"], {"is": "gold"}, False, id="a-list-equals-nothing"),
    pytest.param(7, {"in": ["gold", "7"]}, True, id="in-finds-numbers-among-texts"),
    pytest.param(7, {"in": []}, False, id="nothing-is-in-an-empty-list"),
    # order
    pytest.param("12.50", {"at_least": "9"}, True, id="a-text-of-digits-is-ordered-as-a-number"),
    pytest.param("abc", {"at_least": "9"}, False, id="other-text-is-not-more-than-a-number"),
    pytest.param("abc", {"at_most": "9"}, False, id="nor-less-than-a-number"),
    pytest.param("1e5", {"at_least": "9"}, False, id="an-exponent-is-not-read-as-a-number"),
    pytest.param("5-", {"at_most": "9"}, False, id="digits-with-a-sign-behind-are-no-number"),
    pytest.param("5-5", {"at_most": "9"}, False, id="digits-with-a-sign-inside-are-no-number"),
    pytest.param("1.2.3", {"at_most": "9"}, False, id="a-version-is-no-number"),
    pytest.param("01067", {"between": ["1000", "2000"]}, True, id="postal-codes-order-as-numbers"),
    pytest.param(True, {"at_most": "9"}, False, id="a-boolean-is-not-ordered-with-numbers"),
    pytest.param(10**400, {"at_least": "9"}, True, id="a-number-too-large-for-a-float-is-large"),
    pytest.param(5, {"between": ["5", "5"]}, True, id="between-takes-in-both-ends"),
    pytest.param(5, {"at_least": "abc"}, False, id="a-number-is-not-ordered-with-text"),
    pytest.param("b", {"at_least": "a"}, True, id="texts-are-ordered-with-texts"),
    pytest.param("Z", {"at_least": "a"}, False, id="by-code-point-so-capitals-come-first"),
    # dates and ages
    pytest.param("2026-06-01T23:59:00Z", {"at_most": "2026-06-01"}, True, id="a-date-as-a-bound-takes-in-its-day"),
    pytest.param("soon", {"at_least": "2026-06-01"}, False, id="a-text-that-is-no-date-is-not-later-than-one"),
    pytest.param("2026-05-17", {"at_most": "30 days"}, True, id="a-date-has-an-age"),
    pytest.param("2026-05-15", {"at_most": "30 days"}, False, id="an-age-above-the-bound"),
    pytest.param("2026-06-16", {"at_most": "30 days"}, False, id="what-lies-ahead-has-no-age"),
    pytest.param("2024-02-29", {"at_least": "2 years"}, True, id="years-go-by-the-calendar"),
    # parts of texts and lists
    pytest.param("50% off", {"contains": "0% o"}, True, id="contains-takes-every-sign-as-it-is"),
    pytest.param("abc", {"contains": "A"}, False, id="contains-counts-case"),
    pytest.param(["gold", "vip"], {"contains": "vip"}, True, id="a-list-contains-its-elements"),
    pytest.param(["gold", "vip"], {"contains": "vi"}, False, id="and-not-parts-of-them"),
    pytest.param([["vip"]], {"contains": "vip"}, False, id="nor-elements-of-elements"),
    pytest.param(1067, {"contains": "06"}, False, id="a-number-contains-nothing"),
    pytest.param("anna@shop.example", {"matches": "*@*.example"}, True, id="a-star-stands-for-any-text"),
    pytest.param("anna@shop.example", {"matches": "anna"}, False, id="the-whole-text-must-fit"),
    pytest.param("a", {"matches": "[a]"}, False, id="brackets-mean-brackets"),
    pytest.param("[a]", {"matches": "[a*"}, True, id="brackets-match-brackets"),
    pytest.param("ab", {"matches": "a?"}, False, id="a-question-mark-means-itself"),
    pytest.param("ab", {"matches": "a_"}, False, id="an-underscore-means-itself"),
    pytest.param("ab", {"matches": "a%"}, False, id="a-per-cent-sign-means-itself"),
    pytest.param("a\\b", {"matches": "a\\*"}, True, id="a-backslash-means-itself"),
    pytest.param("two\nlines", {"matches": "two*lines"}, True, id="a-star-crosses-lines"),
    # nothing there
    pytest.param(None, {"is": ""}, False, id="missing-is-not-empty"),
    pytest.param(None, {"is_not": "gold"}, True, id="missing-is-not-gold"),
    pytest.param(None, {"not_in": ["gold"]}, True, id="missing-is-none-of-these"),
    pytest.param(None, {"exists": "false"}, True, id="null-is-missing"),
    pytest.param(None, {"at_most": "5"}, False, id="missing-has-no-size"),
    pytest.param("x", {}, True, id="a-condition-without-test-asks-for-a-value"),
    pytest.param(None, {}, False, id="and-finds-none"),
]


@pytest.mark.parametrize(("value", "test", "expected"), CASES)
def test_an_attribute_is_tested(database: Database, value: Any, test: dict[str, Any], expected: bool) -> None:
    """The attribute passes or fails, and its negation does the opposite."""
    condition = Attribute.model_validate({"attribute": "a", **test})
    assert _is_found(database, condition, attributes={"a": value}) is expected
    assert _is_found(database, Group(none=[condition]), customer_id="d", attributes={"a": value}) is not expected


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        pytest.param({"is": "2026-06-01"}, True, id="is-on-a-day"),
        pytest.param({"is": "2026-06-01 12:00"}, True, id="is-at-a-time-in-utc"),
        pytest.param({"is": "2026-06-01T14:00:00+02:00"}, True, id="is-at-a-time-with-an-offset"),
        pytest.param({"in": ["2026-05-31", "2026-06-01"]}, True, id="is-on-one-of-the-days"),
        pytest.param({"at_most": "2026-06-01"}, True, id="an-upper-bound-takes-in-its-day"),
        pytest.param({"at_most": "2026-05-31"}, False, id="and-not-the-next-one"),
        pytest.param({"at_least": "2026-06-01T12:00:01Z"}, False, id="a-time-is-exact"),
        pytest.param({"at_most": "9999-12-31"}, True, id="the-last-day-there-is"),
        pytest.param({"at_least": "14 days"}, True, id="at-least-so-old"),
        pytest.param({"at_least": "15 days"}, False, id="not-so-old"),
        pytest.param({"between": ["1 day", "14 days"]}, True, id="an-age-between"),
        pytest.param({"at_least": "abc"}, False, id="a-word-is-no-time"),
        pytest.param({"at_least": "5"}, False, id="a-number-is-no-time"),
        pytest.param({"contains": "2026"}, False, id="an-instant-contains-nothing"),
        pytest.param({"matches": "*"}, False, id="and-matches-nothing"),
    ],
)
def test_an_instant_is_tested(database: Database, test: dict[str, Any], expected: bool) -> None:
    """`signed_up_at` is compared as a time, by day, by instant or by age."""
    condition = Attribute.model_validate({"attribute": "signed_up_at", **test})
    assert _is_found(database, condition, signed_up_at=NOON) is expected


@pytest.mark.parametrize(
    ("email", "expected"),
    [
        pytest.param("anna@example.com", True, id="after-the-at-sign"),
        pytest.param('"a@b"@example.com', True, id="after-the-last-one"),
        pytest.param("anna@mail.example.com", False, id="a-subdomain-is-another-domain"),
        pytest.param(None, False, id="no-address"),
    ],
)
def test_the_domain_of_the_address_is_an_attribute(database: Database, email: str | None, expected: bool) -> None:
    """`email_domain` is what follows the address's last @."""
    condition = Attribute(attribute="email_domain", is_="example.com")
    assert _is_found(database, condition, email=email) is expected


def test_what_the_engine_keeps_for_itself_has_no_name(database: Database) -> None:
    """`person_salt` or `id` as an attribute is the marketer's own, not a column of ours."""
    assert not _is_found(database, Attribute(attribute="person_salt", exists=True), person_salt=b"secret")
    assert _is_found(database, Attribute(attribute="id", is_="mine"), customer_id="d", attributes={"id": "mine"})


def test_a_list_of_any_length_is_one_parameter(database: Database) -> None:
    """Fifty thousand customer ids or numbers pass, although a statement takes only some thousand parameters."""
    ids = [f"C{number}" for number in range(50_000)]
    assert _is_found(database, Attribute(attribute="customer_id", in_=ids), customer_id="C49999")
    numbers = [str(number) for number in range(50_000)]
    assert _is_found(database, Attribute(attribute="n", in_=numbers), customer_id="d", attributes={"n": 49_999})


@pytest.mark.parametrize(
    ("value", "properties", "expected"),
    [
        pytest.param(60.0, None, True, id="the-event's-value"),
        pytest.param(None, {"amount": 60}, True, id="the-property-where-there-is-no-value"),
        pytest.param(10.0, {"amount": 60}, False, id="the-value-goes-first"),
        pytest.param(None, None, False, id="neither"),
    ],
)
def test_amount_is_the_value_of_the_event(
    database: Database, value: float | None, properties: dict[str, Any] | None, expected: bool
) -> None:
    """`where: {amount: …}` reads the value column, and a property of that name where there is none."""
    with database.write() as connection:
        row = {"source": "s", "event_id": "e", "customer_id": 1, "name": "bought", "occurred_at": NOON}
        connection.execute(insert(event).values(recorded_at=NOON, value=value, properties=properties, **row))
    condition = Did.model_validate({"did": "bought", "where": {"amount": {"at_least": "50"}}})
    assert _is_found(database, condition, id=1) is expected
