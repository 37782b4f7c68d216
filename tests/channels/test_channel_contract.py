"""What every channel promises its caller, whoever the provider is."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from channel_material import CHANNELS, NOW, mail, sms

from engine.channels.base import Channel, open_channel
from engine.declare.spec import Providers
from engine.errors import NotSupportedYet


@pytest.fixture(params=CHANNELS)
def channel(request: pytest.FixtureRequest, tmp_path: Path) -> Channel:
    """Each channel of this release."""
    return CHANNELS[request.param](tmp_path / "channel")


def test_it_is_opened_by_the_name_that_the_yaml_uses(channel: Channel, tmp_path: Path) -> None:
    opened = open_channel(channel.name, folder=tmp_path)
    assert type(opened) is type(channel)
    assert opened.name == channel.name


def test_every_message_gets_one_receipt_in_order(channel: Channel) -> None:
    receipts = channel.send([mail(3), sms(1), mail(2)], call_id=1, now=NOW)
    assert [receipt.message_id for receipt in receipts] == [3, 1, 2]
    assert all(receipt.accepted for receipt in receipts)


def test_a_full_call_is_taken_and_a_larger_one_refused_before_anything_is_sent(channel: Channel) -> None:
    many = [mail(number) for number in range(channel.claim_unit + 1)]
    with pytest.raises(ValueError, match=f"{channel.name} takes at most {channel.claim_unit} messages a call"):
        channel.send(many, call_id=1, now=NOW)
    assert len(channel.send(many[:-1], call_id=2, now=NOW)) == channel.claim_unit


def test_an_empty_call_is_answered_with_nothing(channel: Channel) -> None:
    assert channel.send([], call_id=1, now=NOW) == []


def test_one_address_may_stand_in_a_call_twice(channel: Channel) -> None:
    assert len(channel.send([mail(1), mail(2)], call_id=1, now=NOW)) == 2


HOSTILE = [
    "a@b.example\r\nBcc: c@d.example",
    "a@b.example, c@d.example",
    "nobody here",
    "",
    "ü@b.example",
    "a@..",
    "\ud800@b.example",
]


@pytest.mark.parametrize("to", HOSTILE, ids=range(len(HOSTILE)))
def test_an_address_that_cannot_be_used_fails_alone_and_is_not_quoted(channel: Channel, to: str) -> None:
    receipts = channel.send([mail(1), mail(2, to=to), mail(3)], call_id=1, now=NOW)
    assert [receipt.accepted for receipt in receipts if receipt.message_id != 2] == [True, True]
    refused = [receipt for receipt in receipts if not receipt.accepted]
    assert all(receipt.reason and (not to or to not in receipt.reason) for receipt in refused)


def test_two_channels_of_one_provider_do_not_disturb_each_other(channel: Channel, tmp_path: Path) -> None:
    other = CHANNELS[channel.name](tmp_path / "channel")
    assert channel.send([mail(1)], call_id=1, now=NOW)[0].accepted
    assert other.send([mail(2)], call_id=2, now=NOW)[0].accepted


def test_what_can_be_declared_is_there_or_refused_as_not_supported_yet(tmp_path: Path) -> None:
    declared = {name for field in Providers.model_fields.values() for name in get_args(field.annotation)}
    assert set(CHANNELS) <= declared
    for name in declared - set(CHANNELS):
        with pytest.raises(NotSupportedYet) as refused:
            open_channel(name, folder=tmp_path)
        assert str(refused.value) == f"not supported yet: the provider {name}\n  use outbox or discard"
