"""The outbox: files and an index from which what was sent can be counted, whatever was killed when."""

from __future__ import annotations

import fcntl
import json
import multiprocessing
import os
import threading
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from channel_material import NOW, mail, sms

from engine.channels import outbox as module
from engine.channels.outbox import INDEX, Outbox, append, read_index
from engine.errors import FateUnknown, TryAgainLater


def test_a_mail_is_a_file_that_mail_programs_open(tmp_path: Path) -> None:
    receipt = Outbox(tmp_path).send([mail(4711, name="Zoë <b>")], call_id=17, now=NOW)[0]
    assert receipt.provider_id == "winback/call-000017/4711.eml"
    read = message_from_bytes((tmp_path / receipt.provider_id).read_bytes(), policy=policy.default)
    assert (read["to"], read["subject"]) == ("ann@example.org", "Hello Zoë <b>!")
    assert read["from"] == "Bücher & Co <hello@mail.example.com>"
    assert read["list-unsubscribe"] == "<https://mail.example.com/u/4711>"
    plain, html = read.get_body(("plain",)), read.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().splitlines() == ["Hello Zoë <b>", "", "look <https://mail.example.com/c0/4711>"]
    assert "<p>Hello Zoë &lt;b&gt; <a href=" in html.get_content()


def test_an_sms_is_a_json_file(tmp_path: Path) -> None:
    Outbox(tmp_path).send([sms(5, name="Zoë")], call_id=1, now=NOW)
    assert json.loads((tmp_path / "winback/call-000001/5.json").read_text()) == {
        "message_id": 5,
        "from": "+4915550000000",
        "to": "+4915112345678",
        "text": "Hello Zoë: https://mail.example.com/u/5",
    }


def test_the_index_has_a_line_for_each_message_accepted(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    outbox.send([mail(1), mail(2, to="nobody"), sms(3)], call_id=7, now=NOW)
    lines = list(read_index(tmp_path))
    assert [line["message_id"] for line in lines] == [1, 3]
    assert lines[0] == {
        "message_id": 1,
        "call_id": 7,
        "to": "ann@example.org",
        "channel": "email",
        "subject": "Hello Ann!",
        "path": "winback/call-000007/1.eml",
        "at": "2026-03-03T10:00:00+00:00",
    }
    assert all((tmp_path / line["path"]).is_file() for line in lines)


def test_a_message_that_is_sent_twice_is_there_twice(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    for call_id in (1, 2, 2):
        outbox.send([mail(9)], call_id=call_id, now=NOW)
    paths = [line["path"] for line in read_index(tmp_path)]
    assert paths == ["winback/call-000001/9.eml", "winback/call-000002/9.eml", "winback/call-000002-again-2/9.eml"]
    assert all((tmp_path / path).is_file() for path in paths)


def test_transactional_mail_offers_no_unsubscribing(tmp_path: Path) -> None:
    Outbox(tmp_path).send([mail(1, unsubscribable=False)], call_id=1, now=NOW)
    assert b"List-Unsubscribe" not in (tmp_path / "winback/call-000001/1.eml").read_bytes()


def test_a_campaigns_name_stays_inside_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "outbox"
    for number, campaign in enumerate(("../../evil", "..", "a/b", "/etc", "ünï ✓", "")):
        Outbox(folder).send([mail(number, campaign=campaign)], call_id=number, now=NOW)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 7
    assert all(path.is_relative_to(folder) for path in files)


def test_a_call_in_which_every_message_is_refused_leaves_no_trace(tmp_path: Path) -> None:
    receipts = Outbox(tmp_path).send([mail(1, to="nobody")], call_id=1, now=NOW)
    assert [(receipt.accepted, receipt.reason) for receipt in receipts] == [
        (False, "the recipient is no address that a mail can go to")
    ]
    assert list(read_index(tmp_path)) == []
    assert [path for path in tmp_path.rglob("*") if path.is_file() and path.name != INDEX] == []


def test_a_torn_last_line_is_left_out_and_the_next_begins_on_its_own(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    outbox.send([mail(1)], call_id=1, now=NOW)
    with (tmp_path / INDEX).open("ab") as index:
        index.write(b'{"message_id": 2, "call')
    outbox.send([mail(3)], call_id=3, now=NOW)
    assert [line["message_id"] for line in read_index(tmp_path)] == [1, 3]


def test_what_a_killed_process_had_not_finished_is_not_accepted(tmp_path: Path) -> None:
    left = tmp_path / ".call-000001"
    left.mkdir()
    (left / "99.eml").write_bytes(b"half a ma")
    Outbox(tmp_path).send([mail(1)], call_id=1, now=NOW)
    assert [path.name for path in tmp_path.rglob("*.eml")] == ["1.eml"]


def test_a_folder_that_cannot_be_written_means_try_again_later(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file where the folder should be")
    with pytest.raises(TryAgainLater, match="the outbox cannot be written"):
        Outbox(tmp_path / "outbox").send([mail(1)], call_id=1, now=NOW)


def test_an_index_that_cannot_be_written_means_fate_unknown(tmp_path: Path) -> None:
    (tmp_path / INDEX).mkdir()
    with pytest.raises(FateUnknown, match="the outbox's index cannot be written"):
        Outbox(tmp_path).send([mail(1)], call_id=1, now=NOW)


def test_the_index_is_on_disk_before_the_call_is_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(module.os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_size))
    Outbox(tmp_path).send([mail(1)], call_id=1, now=NOW)
    assert synced == [(tmp_path / INDEX).stat().st_size]


def test_an_index_is_added_to_in_turn(tmp_path: Path) -> None:
    index = tmp_path / INDEX
    with index.open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        waiting = threading.Thread(target=append, args=(index, b"{}\n"))
        waiting.start()
        waiting.join(timeout=0.2)
        assert index.read_bytes() == b"", "nobody looks for a torn line while another writes"
    waiting.join()
    assert index.read_bytes() == b"{}\n"


def _append_often(index: str, letter: str) -> None:
    for number in range(200):
        append(Path(index), f'{{"letter": "{letter}", "number": {number}}}\n'.encode() * 3)


def test_writers_at_the_same_time_do_not_mix_their_lines(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_append_often, args=(str(tmp_path / INDEX), letter)) for letter in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    lines = [(line["letter"], line["number"]) for line in read_index(tmp_path)]
    assert len(lines) == 1_200
    assert all(lines[at] == lines[at + 1] == lines[at + 2] for at in range(0, len(lines), 3))
