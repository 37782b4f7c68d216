"""Addresses have one form and one hash; who unsubscribed is not messaged again, whatever is imported when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from import_cases import NOW, bring, customers, rows

from engine.customers.consent import address_hash, normalise_email, normalise_phone, suppress
from engine.store.database import Database
from engine.store.tables import consent, suppression

AT = "2025-06-01T10:00:00Z"
T = datetime(2025, 6, 1, 10, tzinfo=UTC)
PEOPLE = "customer_id,email,phone,email_consent,sms_consent\nc1,a@example.com,+4915550000001,true,true\n"


def events(*lines: str) -> str:
    return "customer_id,name,occurred_at,channel,type\n" + "".join(line + "\n" for line in lines)


def suppressed(database: Database) -> list[tuple[Any, ...]]:
    return rows(database, suppression, "channel", "address_hash", "reason", "at")


EMAIL, PHONE = address_hash("email", "a@example.com"), address_hash("sms", "+4915550000001")


@pytest.mark.parametrize(
    ("address", "normalised"),
    [
        ("Anna.B+c@Example.COM", "Anna.B+c@example.com"),
        (" a@mail.example.co.uk ", "a@mail.example.co.uk"),
        ("o'neil@example.com", "o'neil@example.com"),
        ("müller@exämple.com", "müller@exämple.com"),
        ("a@xn--exmple-cua.com", "a@xn--exmple-cua.com"),
    ],
)
def test_an_email_address_has_one_form(address: str, normalised: str) -> None:
    assert normalise_email(address) == normalised


@pytest.mark.parametrize(
    "address",
    ["", "a", "a@", "@b.com", "a b@c.com", "a@b", "a@b..com", "a..b@c.com", ".a@b.com", "a@-b.com", "a@b.c0m-",
     "a@b.com\n", "x" * 65 + "@b.com", "a@" + "b" * 64 + ".com", "a@1.2.3.4", "A <a@b.com>"],
)  # fmt: skip
def test_what_is_no_email_address_is_refused(address: str) -> None:
    if address == "a@b.com\n":
        assert normalise_email(address) == "a@b.com"
        return
    with pytest.raises(ValueError, match="is no email address"):
        normalise_email(address)


@pytest.mark.parametrize(
    ("number", "country", "normalised"),
    [
        ("+49 171 1234567", None, "+491711234567"),
        ("+491711234567", "AT", "+491711234567"),
        ("0171/1234567", "DE", "+491711234567"),
        ("0049 171 1234567", "DE", "+491711234567"),
        ("(020) 7946 0018", "GB", "+442079460018"),
    ],
)
def test_a_phone_number_has_one_form(number: str, country: str | None, normalised: str) -> None:
    assert normalise_phone(number, country) == normalised


@pytest.mark.parametrize(
    ("number", "country", "message"),
    [
        ("0171 1234567", None, "has no country code, and the customer no country; write it as"),
        ("+49", None, "is no phone number"),
        ("+999123456789", None, "is no phone number"),
        ("call me", "DE", "is no phone number"),
        ("+1234567890123", None, "is no phone number"),
    ],
)
def test_what_is_no_phone_number_is_refused(number: str, country: str | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        normalise_phone(number, country)


def test_every_spelling_of_an_address_has_the_same_hash_of_16_bytes() -> None:
    assert address_hash("email", " A@Example.com") == EMAIL
    assert address_hash("sms", "+49 1555 0000001") == PHONE
    assert len(EMAIL) == len(PHONE) == 16


def test_a_channel_without_addresses_has_no_hashes() -> None:
    with pytest.raises(ValueError, match="'onsite' has no addresses; it is one of email, sms"):
        address_hash("onsite", "x")


def test_suppressing_twice_keeps_the_first_reason(database: Database) -> None:
    with database.write() as connection:
        suppress(connection, "email", "A@example.com", "asked by phone", T)
        suppress(connection, "email", "a@example.com", "again", NOW)
    assert suppressed(database) == [("email", EMAIL, "asked by phone", T)]


@pytest.mark.parametrize(
    ("line", "consents", "listed"),
    [
        pytest.param("unsubscribed,{},,", (False, True), [("email", EMAIL, "unsubscribed", T)], id="unsubscribed"),
        pytest.param("unsubscribed,{},sms,", (True, False), [("sms", PHONE, "unsubscribed", T)], id="by-sms"),
        pytest.param("complained,{},,", (False, True), [("email", EMAIL, "complained", T)], id="complained"),
        pytest.param("bounced,{},,hard", (True, True), [("email", EMAIL, "bounced", T)], id="hard-bounce"),
        pytest.param("bounced,{},sms,permanent", (True, True), [("sms", PHONE, "bounced", T)], id="dead-number"),
        pytest.param("bounced,{},,soft", (True, True), [], id="soft-bounce"),
        pytest.param("bounced,{},,", (True, True), [], id="bounce-of-unknown-kind"),
        pytest.param("opened,{},,", (True, True), [], id="anything-else"),
    ],
)
def test_an_imported_event_is_heeded_at_once(
    database: Database, line: str, consents: tuple[bool, bool], listed: list[tuple[Any, ...]]
) -> None:
    bring(database, "customers", PEOPLE, now=T - timedelta(days=1))
    bring(database, "events", events("c1," + line.format(AT)))
    row = customers(database)["c1"]
    assert (row["email_consent"], row["sms_consent"]) == consents
    assert suppressed(database) == listed


def test_the_history_says_when_and_by_whom_consent_was_withdrawn(database: Database) -> None:
    bring(database, "events", events(f"c1,unsubscribed,{AT},,"), source="old_tool")
    assert rows(database, consent, "channel", "given", "at", "source") == [("email", False, T, "old_tool")]


def test_an_unsubscription_before_the_customer_was_known_is_heeded_too(database: Database) -> None:
    bring(database, "events", events(f"c1,unsubscribed,{AT},,"))
    assert suppressed(database) == []
    bring(database, "customers", PEOPLE)
    assert suppressed(database) == [("email", EMAIL, "unsubscribed", T)]


def test_a_new_address_of_who_unsubscribed_is_suppressed_too(database: Database) -> None:
    bring(database, "customers", PEOPLE)
    bring(database, "events", events(f"c1,complained,{AT},,"))
    bring(database, "customers", "customer_id,email\nc1,new@example.com\n")
    assert [row[1] for row in suppressed(database)] == sorted([EMAIL, address_hash("email", "new@example.com")])


def test_a_hard_bounce_does_not_follow_the_customer_to_a_new_address(database: Database) -> None:
    bring(database, "customers", PEOPLE)
    bring(database, "events", events(f"c1,bounced,{AT},,hard"))
    bring(database, "customers", "customer_id,email\nc1,new@example.com\n")
    assert [row[1] for row in suppressed(database)] == [EMAIL]


def test_an_old_unsubscription_does_not_outweigh_a_newer_consent_but_suppresses(database: Database) -> None:
    head = "customer_id,email,email_consent,email_consent_at\n"
    bring(database, "customers", head + "c1,a@example.com,true,2025-07-01T00:00:00Z\n")
    bring(database, "events", events(f"c1,unsubscribed,{AT},,"))
    assert customers(database)["c1"]["email_consent"] is True
    assert [row[2] for row in suppressed(database)] == ["unsubscribed"]
