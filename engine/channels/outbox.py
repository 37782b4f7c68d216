"""The outbox: a folder of mails and SMS that nobody was sent, with an index of all that was accepted.

    outbox/index.jsonl                      a line for each message accepted, in order
    outbox/winback/call-000017/4711.eml     a mail; an SMS is 4711.json

Files are written first, into a folder that gets its name when all are there; then the index takes the whole
call in one write under a lock and is forced to disk, and only then is the call answered. What is in the index
was accepted. A message that is sent twice is there twice, with two files.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from engine.channels.base import Outgoing, Receipt, check_size
from engine.channels.mime import build_mime, sender_domain
from engine.channels.skeleton import Rendered
from engine.declare.spec import EmailSender
from engine.errors import FateUnknown, TryAgainLater

INDEX = "index.jsonl"
_WAIT = timedelta(minutes=1)
_NOT_IN_NAMES = re.compile(r"[^\w.-]|^\.")


class Outbox:
    """Writes messages into a folder."""

    name = "outbox"
    claim_unit = 1_000

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, outgoing: Sequence[Outgoing], *, call_id: int, now: datetime) -> list[Receipt]:
        """See `Channel.send`. A message that cannot be written as a mail is refused, and the rest accepted."""
        check_size(self, outgoing)
        if not outgoing:
            return []
        unfinished = self.folder / f".call-{call_id:06}"
        try:
            folder = self._call_folder(outgoing[0].campaign, call_id)
            receipts, lines = self._write_files(outgoing, unfinished, folder, call_id, now)
            _finish(unfinished, folder)
        except OSError as error:
            raise TryAgainLater(f"the outbox cannot be written: {error.strerror}", wait=_WAIT) from error
        try:
            append(self.folder / INDEX, "".join(lines).encode())
        except OSError as error:
            raise FateUnknown(f"the outbox's index cannot be written: {error.strerror}") from error
        return receipts

    def _write_files(
        self, outgoing: Sequence[Outgoing], unfinished: Path, folder: Path, call_id: int, now: datetime
    ) -> tuple[list[Receipt], list[str]]:
        """Write each message's file; the receipts, and the index lines of those that could be written."""
        shutil.rmtree(unfinished, ignore_errors=True)  # left by a killed process, and never accepted
        unfinished.mkdir(parents=True)
        receipts, lines = [], []
        for item in outgoing:
            try:
                rendered = item.rendered()
                name, body = _file_of(item, rendered, now)
            except ValueError as error:
                receipts.append(Receipt(item.message_id, accepted=False, reason=str(error)))
                continue
            with (unfinished / name).open("wb", buffering=0) as file:
                file.write(body)
            path = f"{folder.relative_to(self.folder).as_posix()}/{name}"
            lines.append(_index_line(item, rendered.subject, path, call_id, now))
            receipts.append(Receipt(item.message_id, accepted=True, provider_id=path))
        return receipts, lines

    def _call_folder(self, campaign: str, call_id: int) -> Path:
        """Where a call's files go: a call that is repeated gets a folder of its own, so that it can be seen."""
        campaigns = self.folder / _NOT_IN_NAMES.sub("_", campaign)
        campaigns.mkdir(parents=True, exist_ok=True)
        folder, again = campaigns / f"call-{call_id:06}", 1
        while folder.exists():
            again += 1
            folder = campaigns / f"call-{call_id:06}-again-{again}"
        return folder


def _finish(unfinished: Path, folder: Path) -> None:
    """Give the files their name; where every message was refused there are none."""
    if any(unfinished.iterdir()):
        unfinished.rename(folder)
    else:
        unfinished.rmdir()


def append(index: Path, lines: bytes) -> None:
    """Add whole lines to an index and force them to disk.

    A process that was killed while writing leaves a torn last line; the next one starts on a line of its own.
    """
    descriptor = os.open(index, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            lines = b"\n" + lines
        if os.write(descriptor, lines) != len(lines):
            raise OSError(errno.ENOSPC, "the disk is full")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_index(folder: Path) -> Iterator[dict[str, Any]]:
    """Every message accepted, in order; a line that a killed process tore is left out."""
    index = folder / INDEX
    if not index.exists():
        return
    with index.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                yield json.loads(line)
            except ValueError:
                continue


def _file_of(item: Outgoing, rendered: Rendered, now: datetime) -> tuple[str, bytes]:
    """A message's file name and bytes.

    Raises:
        ValueError: it cannot be written as a mail.
    """
    if not isinstance(item.sender, EmailSender):
        sms = {"message_id": item.message_id, "from": item.sender.from_, "to": item.to, "text": rendered.text}
        return f"{item.message_id}.json", json.dumps(sms, ensure_ascii=False, indent=1).encode()
    mail = build_mime(
        rendered.subject or "",
        rendered.html,
        rendered.text,
        sender_from=item.sender.from_,
        reply_to=item.sender.reply_to,
        to=item.to,
        message_id=item.message_id,
        unsubscribe_url=item.links.address("u") if item.unsubscribable else None,
        sent_at=now,
        domain=sender_domain(item.sender.from_),
    )
    return f"{item.message_id}.eml", mail


def _index_line(item: Outgoing, subject: str | None, path: str, call_id: int, now: datetime) -> str:
    line = {
        "message_id": item.message_id,
        "call_id": call_id,
        "to": item.to,
        "channel": item.channel,
        "subject": subject,
        "path": path,
        "at": now.isoformat(),
    }
    return json.dumps(line, ensure_ascii=False) + "\n"
