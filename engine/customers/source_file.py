"""The bytes of a file to import: plain or gzipped, told by content, read in blocks of whole lines."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from gzip import BadGzipFile, GzipFile
from pathlib import Path
from typing import IO

from engine.errors import FixYourData

BLOCK = 4 * 1024 * 1024
"""Bytes read at once; a line longer than this is rejected unread."""
SHOWN = 1_000
"""Characters of an over-long row that the reject file shows."""
BROKEN = "\0"
"""Stands for a line that is no text."""
_HEAD = 64 * 1024
_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, kw_only=True)
class Reject:
    """A row that was not taken."""

    line: int
    """1-based: the line of a text file, the row of a Parquet file."""
    reason: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Block:
    """Some whole lines of the file."""

    first: int
    """Number of the first line."""
    data: bytes
    rejects: Sequence[Reject] = ()
    """Lines before this block that were too long to be read."""


@dataclass
class SourceFile:
    """An open file whose content begins with `head`, unzipped where it was zipped."""

    path: Path
    size: int
    raw: IO[bytes]
    content: IO[bytes] | GzipFile
    head: bytes = b""
    _unread: bytes = field(default=b"", init=False)

    def __post_init__(self) -> None:
        self.head = self._unread = self._from_content(_HEAD)

    def read(self, size: int = BLOCK, /) -> bytes:
        """Up to `size` bytes; none at the end.

        Raises:
            FixYourData: the gzip file is damaged or was cut.
        """
        if self._unread:
            data, self._unread = self._unread[:size], self._unread[size:]
            return data
        return self._from_content(size)

    def _from_content(self, size: int) -> bytes:
        try:
            return self.content.read(size)
        except (EOFError, BadGzipFile, zlib.error) as error:
            raise FixYourData(f"the gzip file is damaged ({error}); fetch it again") from None

    @property
    def share_read(self) -> float:
        """0–1: how much of the file has been read."""
        return min(1.0, self.raw.tell() / self.size) if self.size else 1.0

    def skip_bom(self) -> None:
        self._unread = self._unread.removeprefix(_BOM)


@contextmanager
def opened(path: Path) -> Iterator[SourceFile]:
    """Open a file and unzip it on the way where its content is gzip.

    Raises:
        FixYourData: it cannot be read.
    """
    try:
        size = path.stat().st_size
        raw = path.open("rb")
    except OSError as error:
        raise FixYourData(f"it cannot be read: {error.strerror}") from None
    with raw:
        zipped = raw.read(2) == _GZIP
        raw.seek(0)
        yield SourceFile(path, size, raw, GzipFile(fileobj=raw, mode="rb") if zipped else raw)


def fingerprint(path: Path) -> str:
    """SHA-256 of the file's bytes.

    Raises:
        FixYourData: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise FixYourData(f"it cannot be read: {error.strerror}") from None


def blocks(source: SourceFile) -> Iterator[Block]:
    """The file as blocks of whole lines; memory holds two of them at most."""
    rest, line = b"", 1
    while True:
        data = source.read(BLOCK)
        rest += data
        cut = rest.rfind(b"\n") + 1 if data else len(rest)
        if cut:
            yield Block(first=line, data=rest[:cut])
            line += rest.count(b"\n", 0, cut)
            rest = rest[cut:]
        elif len(rest) > BLOCK:
            start, rest = rest[:SHOWN], _after_line(source)
            yield Block(first=line, data=b"", rejects=(_too_long(line, start),))
            line += 1
        if not data and not rest:
            return


def _after_line(source: SourceFile) -> bytes:
    """Read on to the end of an over-long line; what follows it."""
    while data := source.read(BLOCK):
        end = data.find(b"\n")
        if end >= 0:
            return data[end + 1 :]
    return b""


def _too_long(line: int, start: bytes) -> Reject:
    reason = f"the row is longer than {BLOCK // 1024 // 1024} MB"
    return Reject(line=line, reason=reason, text=shown(start) + "…")


def shown(data: bytes) -> str:
    """Bytes as text for the reject file, whatever they are."""
    return data.decode("utf-8", errors="backslashreplace").replace("\0", "\\x00").rstrip("\r\n")


def clean_lines(block: Block) -> tuple[list[str], list[Reject]]:
    """The block's lines as text, without their ends; a line that is no text is rejected, and BROKEN."""
    try:
        text = block.data.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" not in text:
        return _split(text.replace("\r\n", "\n")), list(block.rejects)
    rejects = list(block.rejects)
    lines: list[str] = []
    for number, data in enumerate(_split_bytes(block.data), start=block.first):
        reason = _unfit(data)
        if reason is not None:
            rejects.append(Reject(line=number, reason=reason, text=shown(data)))
        lines.append(BROKEN if reason else data.decode("utf-8").removesuffix("\r"))
    return lines, rejects


def _split(text: str) -> list[str]:
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return lines


def _split_bytes(data: bytes) -> list[bytes]:
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return lines


def _unfit(data: bytes) -> str | None:
    if b"\0" in data:
        return "the row has a NUL byte in it"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "the row is not UTF-8; save the file as UTF-8"
    return None
