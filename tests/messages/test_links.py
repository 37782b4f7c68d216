"""Links: derived from the message's id, verified by any key that is still known."""

from __future__ import annotations

import pytest

from engine.messages.links import Links

OLD, NEW = "an older key", "the newest key"
ADDRESS = "https://m.example"


@pytest.mark.parametrize("message_id", [0, 1, 2**24 - 1, 2**24, 2**40, 2**63 - 1])
def test_a_token_verifies_to_its_message(message_id: int) -> None:
    links = Links(ADDRESS, [NEW])
    assert links.verify(links.for_message(message_id).token) == message_id


def test_addresses_have_the_promised_form_and_fit_into_an_sms() -> None:
    message = Links(ADDRESS + "/", [NEW]).for_message(16_000_000)
    assert message.click(3) == f"https://m.example/c/{message.token}/3"
    assert message.unsubscribe == f"https://m.example/u/{message.token}"
    assert message.preferences == f"https://m.example/p/{message.token}"
    assert len(message.token) == 12


def test_tokens_are_the_same_on_every_machine_and_in_every_release() -> None:
    assert Links(ADDRESS, ["k"]).for_message(4711).token == "ABJnw52D7vK4", "links in old mails would die"


def test_links_in_old_mails_live_on_after_a_new_key() -> None:
    old_token = Links(ADDRESS, [OLD]).for_message(5).token
    rotated = Links(ADDRESS, [NEW, OLD])
    assert rotated.verify(old_token) == 5
    assert rotated.for_message(5).token == Links(ADDRESS, [NEW]).for_message(5).token != old_token
    assert Links(ADDRESS, [NEW]).verify(old_token) is None


@pytest.mark.parametrize("message_id", [5, 2**24, 2**32], ids=["nine-bytes", "ten-bytes", "eleven-bytes"])
def test_no_altered_token_verifies(message_id: int) -> None:
    links = Links(ADDRESS, [NEW])
    token = links.for_message(message_id).token
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    altered = [
        token[:at] + other + token[at + 1 :] for at in range(len(token)) for other in alphabet if other != token[at]
    ]
    assert all(links.verify(wrong) is None for wrong in altered)


@pytest.mark.parametrize(
    "token", ["", "A", "é" * 12, "A" * 12, "A" * 10_000, "AAAF/+AAAAAA", "AAAF AAAAAAA", "AAAA====", "\x00"]
)
def test_what_is_no_token_is_refused_without_an_error(token: str) -> None:
    assert Links(ADDRESS, [NEW]).verify(token) is None


def test_a_longer_writing_of_the_same_id_is_no_token() -> None:
    from engine.messages import links as module

    links = Links(ADDRESS, [NEW])
    identity = (5).to_bytes(5, "big")
    forged = module.base64.urlsafe_b64encode(identity + module._mac(links._signers[0], identity)).rstrip(b"=").decode()
    assert links.verify(forged) is None


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("m.example", "CAMPAIGN_PUBLIC_URL 'm.example' must be an address such as https://mail.example.com"),
        (
            "https://m.example/?a=1",
            "CAMPAIGN_PUBLIC_URL 'https://m.example/?a=1' must be an address such as https://mail.example.com",
        ),
        (
            'https://m.example/"',
            "CAMPAIGN_PUBLIC_URL 'https://m.example/\"' holds characters that addresses cannot have",
        ),
    ],
    ids=["no-scheme", "query", "quote"],
)
def test_a_wrong_public_address_is_refused(address: str, message: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the whole text is compared
        Links(address, [NEW])
    assert str(refused.value) == message


def test_there_must_be_a_key() -> None:
    with pytest.raises(ValueError, match="CAMPAIGN_SECRET_KEYS"):
        Links(ADDRESS, [])
