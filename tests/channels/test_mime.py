"""A mail as bytes: what a standard parser reads is what was meant, and nobody injects a header."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest

from engine.channels.mime import build_mime, sender_domain
from engine.messages import email as messages_email

FIELDS: dict[str, Any] = {
    "sender_from": "Shop <hello@mail.example.com>",
    "reply_to": None,
    "to": "ann@example.org",
    "message_id": 4711,
    "unsubscribe_url": "https://m.example/u/token",
    "sent_at": datetime(2026, 3, 3, 10, 0, tzinfo=UTC),
    "domain": "mail.example.com",
}


def built(subject: str = "Hello", html: str | None = "<p>Hello</p>", text: str = "Hello\n", **fields: Any) -> bytes:
    return build_mime(subject, html, text, **(FIELDS | fields))


def read(mail: bytes) -> EmailMessage:
    parsed = message_from_bytes(mail, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    assert not parsed.defects
    assert not any(part.defects for part in parsed.walk())
    return parsed


def body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def test_a_mail_has_the_headers_that_receivers_want() -> None:
    mail = read(built(reply_to="Care <care@example.com>"))
    assert mail["from"] == "Shop <hello@mail.example.com>"
    assert mail["reply-to"] == "Care <care@example.com>"
    assert mail["date"] == "Tue, 03 Mar 2026 10:00:00 +0000"
    assert mail["list-unsubscribe"] == "<https://m.example/u/token>"
    assert mail["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    assert mail["mime-version"] == "1.0"
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]


def test_the_message_id_is_the_same_on_every_attempt_and_differs_between_stores() -> None:
    first, later = built(), built(sent_at=datetime(2027, 1, 1, tzinfo=UTC))
    other_store = built(unsubscribe_url="https://m.example/u/other")
    ids = [read(mail)["message-id"] for mail in (first, later, other_store)]
    assert ids[0] == ids[1] != ids[2]
    assert ids[0].startswith("<4711.")
    assert ids[0].endswith("@mail.example.com>")


@pytest.mark.parametrize(
    "text",
    [
        "Plain ASCII",
        "Grüße aus Köln",
        "お久しぶりです" * 40,
        "👩\u200d👩\u200d👧 e\u0301",
        "a" * 2_000,
        "x = y =20 =?utf-8?q?no?=",
        "  leading and trailing  ",
        "From here\n.\n..dots\n--=_campaign\n--=_campaign--\n",
        "tab\there\n\n\nlines\n",
    ],
    ids=[
        "ascii",
        "latin",
        "japanese",
        "joined-emoji",
        "long-line",
        "looks-encoded",
        "spaces",
        "looks-like-mime",
        "white-space",
    ],
)
def test_both_parts_come_out_as_they_went_in(text: str) -> None:
    mail = built(html=f"<p>{text}</p>\n", text=f"{text}\n")
    parsed = read(mail)
    assert body(parsed, "plain") == f"{text}\n"
    assert body(parsed, "html") == f"<p>{text}</p>\n"
    assert max(map(len, mail.split(b"\r\n"))) <= 78
    assert mail.count(b"\n") == mail.count(b"\r") == mail.count(b"\r\n")
    assert mail.isascii()


@pytest.mark.parametrize(
    "subject", ["Hello", "Grüße", "ご無沙汰" * 30, "a" * 300, "=?utf-8?q?Hello?=", "100 % – “off”", ""]
)
def test_a_subject_comes_out_as_it_went_in(subject: str) -> None:
    assert read(built(subject))["subject"] == subject


def test_names_and_domains_beyond_ascii_are_encoded() -> None:
    mail = read(built(sender_from="Bücher, GmbH <post@bücher.example>", to="ann@straße.example"))
    sender = mail["from"].addresses[0]
    assert (sender.display_name, sender.addr_spec) == ("Bücher, GmbH", "post@xn--bcher-kva.example")
    assert mail["to"] == "ann@xn--strae-oqa.example"


@pytest.mark.parametrize(
    ("written", "name"),
    [("Shop, Inc.", "Shop, Inc."), ('"Shop, Inc."', "Shop, Inc."), ('"The \\"Shop\\""', 'The "Shop"'), ("", "")],
    ids=["comma", "quoted", "quotes-inside", "none"],
)
def test_a_senders_name_comes_out_as_it_was_meant(written: str, name: str) -> None:
    sender = read(built(sender_from=f"{written} <hello@mail.example.com>"))["from"].addresses[0]
    assert (sender.display_name, sender.addr_spec) == (name, "hello@mail.example.com")


def test_a_mail_without_html_is_plain_text() -> None:
    mail = read(built(html=None, text="Grüße\n"))
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().replace("\r\n", "\n") == "Grüße\n"


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("to", "a@b.example\r\nBcc: c@d.example", "the recipient holds a line break or control character"),
        ("to", "a@b.example,c@d.example", "the recipient is no address that a mail can go to"),
        ("to", "Ann <a@b.example>", "the recipient is no address that a mail can go to"),
        ("to", "a@b@c.example", "the recipient is no address that a mail can go to"),
        ("to", "", "the recipient is no address that a mail can go to"),
        ("to", "ü@b.example", "the recipient has letters before the @ that plain SMTP cannot carry"),
        ("to", f"a@{'ü' * 80}.example", "the recipient has a domain that cannot exist"),
        ("sender_from", "Shop <a@b.example>\nBcc: x@y.example", "the sender holds a line break or control character"),
        ("sender_from", "Shop", "the sender is no address that a mail can go to"),
        ("reply_to", "x\x00@y.example", "the reply_to holds a line break or control character"),
        (
            "unsubscribe_url",
            "https://m.example/\r\nBcc: x@y.example",
            "the unsubscribe address holds a line break or control character",
        ),
        ("domain", "m.example\r\nBcc: x@y.example", "the sender has a domain that cannot exist"),
        ("to", "a@b..example", "the recipient has a domain that cannot exist"),
        ("to", "a@b.example>", "the recipient has a domain that cannot exist"),
    ],
    ids=lambda value: value[:30].encode("ascii", "backslashreplace").decode() if isinstance(value, str) else None,
)
def test_no_header_can_be_injected(field: str, value: str, message: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the whole text is compared
        built(**{field: value})
    assert str(refused.value) == message


def test_a_subject_with_a_line_break_is_refused() -> None:
    with pytest.raises(ValueError, match="the subject holds a line break or control character"):
        built("Hello\r\nBcc: x@y.example")


def test_the_room_of_messages_offers_it_too() -> None:
    assert messages_email.build_mime is build_mime


@pytest.mark.parametrize(("sender", "domain"), [("Shop <a@m.example>", "m.example"), ("a@b.example", "b.example")])
def test_the_domain_of_a_sender(sender: str, domain: str) -> None:
    assert sender_domain(sender) == domain
