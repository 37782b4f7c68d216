"""Customers: one row each, in one form; what a later file names overrides, what it leaves empty stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from import_cases import NOW, bring, customers, rejected, rows, written
from sqlalchemy import select

from engine.customers.consent import address_hash
from engine.store.database import Database
from engine.store.tables import consent, customer


def test_columns_are_taken_and_others_become_attributes(database: Database) -> None:
    bring(
        database,
        "customers",
        "customer_id,email,first_name,birth_date,country,city,signed_up_at,shoe_size,favourite,code\n"
        "c1,Anna@Example.COM,Anna,1980-05-17,Germany,Köln,2024-03-01T10:00:00+01:00,38.5,red shoes,01067\n",
    )
    assert customers(database) == {
        "c1": {
            "email": "Anna@example.com",
            "first_name": "Anna",
            "birth_date": "1980-05-17",
            "country": "DE",
            "city": "Köln",
            "signed_up_at": datetime(2024, 3, 1, 9, tzinfo=UTC),
            "attributes": {"shoe_size": 38.5, "favourite": "red shoes", "code": "01067"},
        }
    }


def test_a_later_file_overrides_what_it_names_and_leaves_the_rest(database: Database) -> None:
    bring(database, "customers", "customer_id,email,city,size,colour\nc1,a@example.com,Berlin,1,red\n")
    report = bring(database, "customers", "customer_id,email,city,size\nc1,b@example.com,,2\n")
    assert customers(database)["c1"] == {
        "email": "b@example.com",
        "city": "Berlin",
        "attributes": {"size": 2, "colour": "red"},
    }
    assert (report.new, report.changed, report.unchanged) == (0, 1, 0)


def test_attributes_that_are_objects_are_replaced_and_not_mixed(database: Database) -> None:
    bring(database, "customers", written('{"customer_id": "c1", "a": {"x": 1}, "b": [1]}\n', "1.jsonl"))
    bring(database, "customers", written('{"customer_id": "c1", "a": {"y": 2}, "n": null}\n', "2.jsonl"))
    assert customers(database)["c1"]["attributes"] == {"a": {"y": 2}, "b": [1]}


def test_a_customer_that_says_nothing_new_is_unchanged(database: Database) -> None:
    bring(database, "customers", "customer_id,city,size\nc1,Berlin,1\nc2,Bonn,2\n")
    report = bring(database, "customers", "customer_id,size,city\nc2,2,Bonn\nc1,1,\n")
    assert (report.new, report.changed, report.unchanged) == (0, 0, 2)


def test_the_last_row_of_a_customer_counts(database: Database) -> None:
    report = bring(database, "customers", "customer_id,city\nc1,Berlin\nc2,Bonn\nc1,Hamburg\n")
    assert customers(database)["c1"] == {"city": "Hamburg"}
    assert (report.rows, report.duplicates, report.new) == (3, 1, 2)


@pytest.mark.parametrize(
    ("column", "text", "kept"),
    [
        pytest.param("email", "not an address", None, id="email-that-is-none"),
        pytest.param("email", "a@b@c.de", None, id="email-with-two-signs"),
        pytest.param("email", "müller@example.com", "müller@example.com", id="international-email"),
        pytest.param("phone", "+49 (0)171 1234567", "+491711234567", id="phone-with-spaces"),
        pytest.param("phone", "12", None, id="phone-that-is-none"),
        pytest.param("phone", "0171 1234567", None, id="phone-without-any-country"),
        pytest.param("country", "deu", "DE", id="country-of-three-letters"),
        pytest.param("country", "United Kingdom", "GB", id="country-by-name"),
        pytest.param("country", "Atlantis", None, id="country-that-is-none"),
        pytest.param("timezone", "Europe/Berlin", "Europe/Berlin", id="zone"),
        pytest.param("timezone", "Berlin", None, id="zone-that-is-none"),
        pytest.param("language", "pt_br", "pt-BR", id="language-with-region"),
        pytest.param("language", "German!", None, id="language-that-is-none"),
        pytest.param("email_consent", "maybe", None, id="consent-that-is-unclear"),
    ],
)
def test_what_cannot_be_used_is_noted_and_costs_no_customer(
    database: Database, column: str, text: str, kept: str | None
) -> None:
    report = bring(database, "customers", f"customer_id,{column}\nc1,{text}\n")
    assert customers(database)["c1"].get(column) == kept
    noted = [(note.split()[0], entry) for note, entry in report.notes.items()]
    assert noted == ([] if kept else [(column, {"count": 1, "lines": [2]})])
    assert report.rejected == 0


def test_a_number_without_country_code_is_of_the_customers_country(database: Database) -> None:
    bring(database, "customers", "customer_id,phone,country\nc1,0171 1234567,Germany\nc2,0171 1234567,AT\n")
    assert {key: row["phone"] for key, row in customers(database).items()} == {
        "c1": "+491711234567",
        "c2": "+431711234567",
    }


def test_addresses_have_the_hash_that_suppression_goes_by(database: Database) -> None:
    bring(database, "customers", "customer_id,email,phone\nc1,ANNA@Example.com,+4915550000000\nc2,,\n")
    assert rows(database, customer, "customer_id", "email_hash", "phone_hash") == [
        ("c1", address_hash("email", "anna@example.com"), address_hash("sms", "+49 1555 0000000")),
        ("c2", None, None),
    ]


@pytest.mark.parametrize(
    ("column", "text", "reason"),
    [
        ("birth_date", "17.05.1980", "birth_date is no day that can be read; write for example 1980-05-17"),
        ("birth_date", "2030-01-01", "birth_date lies in the future"),
        ("birth_date", "0001-01-01", "birth_date lies before 1900"),
        (
            "signed_up_at",
            "yesterday",
            "signed_up_at is no time that can be read; write for example 2026-01-31T10:00:00Z",
        ),
        ("signed_up_at", "2026-01-17T00:00:00Z", "signed_up_at lies in the future"),
        (
            "email_consent_at",
            "2025-01-01 10:00:00",
            "email_consent_at has no time zone; write for example 2026-01-31T10:00:00Z, "
            "or say --timezone Europe/Berlin",
        ),
        ("customer_id", "", "customer_id is missing"),
        ("customer_id", "x" * 201, "customer_id is longer than 200 characters"),
        ("city", "x" * 100_001, "city is longer than 100,000 characters"),
        ("hobby", "x" * 100_001, "other columns are together longer than 100,000 characters"),
    ],
)
def test_a_row_that_cannot_be_right_is_rejected(database: Database, column: str, text: str, reason: str) -> None:
    names = ["customer_id"] if column == "customer_id" else ["customer_id", column]
    values = [text] if column == "customer_id" else ["bad", text]
    good = ["good", *[""] * (len(names) - 1)]
    file = "\n".join(",".join(row) for row in (["x", *names], ["1", *values], ["2", *good])) + "\n"
    bring(database, "customers", file, max_rejects=0.5)
    assert set(customers(database)) == {"good"}
    assert [(line, why) for line, why, _ in rejected()] == [(2, reason)]


def test_a_time_up_to_a_day_ahead_is_taken(database: Database) -> None:
    bring(database, "customers", "customer_id,signed_up_at\nc1,2026-01-16T11:00:00Z\n")
    assert "c1" in customers(database)


def test_consent_has_a_history_and_its_newest_entry_counts(database: Database) -> None:
    head = "customer_id,email_consent,email_consent_at,email_consent_source\n"
    bring(database, "customers", head + "c1,TRUE,2024-01-01T00:00:00Z,checkout\n")
    bring(database, "customers", head + "c1,no,2025-01-01T00:00:00Z,letter\n")
    bring(database, "customers", head + "c1,1,2024-06-01T00:00:00Z,form\n")
    assert rows(database, consent, "at", "given", "source", "channel") == [
        (datetime(2024, 1, 1, tzinfo=UTC), True, "checkout", "email"),
        (datetime(2024, 6, 1, tzinfo=UTC), True, "form", "email"),
        (datetime(2025, 1, 1, tzinfo=UTC), False, "letter", "email"),
    ]
    assert customers(database)["c1"]["email_consent"] is False


def test_consent_without_a_time_begins_with_the_import_that_changed_it(database: Database) -> None:
    later = NOW + timedelta(days=1)
    bring(database, "customers", "customer_id,sms_consent\nc1,yes\nc2,\n")
    report = bring(database, "customers", "customer_id,sms_consent,x\nc1,true,\n", now=later)
    assert report.consents == 0
    bring(database, "customers", "customer_id,sms_consent,y\nc1,false,\n", now=later)
    assert rows(database, consent, "at", "given", "source") == [(NOW, True, "customers"), (later, False, "customers")]
    with database.read() as connection:
        kept = dict(connection.execute(select(customer.c.customer_id, customer.c.sms_consent)).all())
    assert kept == {"c1": False, "c2": None}


def test_a_consent_withdrawn_at_the_time_it_was_given_is_withdrawn(database: Database) -> None:
    head = "customer_id,email_consent,email_consent_at\n"
    bring(database, "customers", head + "c1,TRUE,2024-01-01T00:00:00Z\n")
    bring(database, "customers", head + "c1,FALSE,2024-01-01T00:00:00Z\n")
    assert customers(database)["c1"]["email_consent"] is False


def test_everybody_has_a_salt_of_their_own(database: Database) -> None:
    bring(database, "customers", "customer_id\nc1\nc2\n")
    salts = {bytes(salt) for (salt,) in rows(database, customer, "person_salt")}
    assert [len(salt) for salt in salts] == [16, 16]


def test_a_customer_keeps_the_time_at_which_it_was_first_known(database: Database) -> None:
    bring(database, "customers", "customer_id\nc1\n")
    bring(database, "customers", "customer_id,city\nc1,Bonn\n", now=NOW + timedelta(days=2))
    assert rows(database, customer, "recorded_at") == [(NOW,)]


def test_customers_have_no_time_to_be_complete_through(database: Database, tmp_path: Path) -> None:
    from engine.errors import FixYourData

    with pytest.raises(FixYourData, match="customers have no such time"):
        bring(database, "customers", "customer_id\nc1\n", through=NOW)
