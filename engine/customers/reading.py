"""Any file as chunks of rows under our names: CSV, JSON lines or Parquet, gzipped or not, told by its content."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from engine.customers import csv_file, json_lines, parquet
from engine.customers.chunks import Chunk
from engine.customers.layout import Layout
from engine.customers.source_file import SourceFile, opened
from engine.errors import FixYourData

_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_ZIP = b"PK\x03\x04"


def chunks(path: Path, layout: Layout, mapping: Mapping[str, str], scratch: Path) -> Iterator[Chunk]:
    """The file's rows, chunk by chunk; memory does not grow with the file.

    Args:
        mapping: ours → theirs, where the names of columns differ.
        scratch: folder for what must be unzipped first.

    Raises:
        FixYourData: the file as a whole is not what it should be.
    """
    with opened(path) as source:
        yield from _by_content(source, layout, mapping, scratch)


def _by_content(source: SourceFile, layout: Layout, mapping: Mapping[str, str], scratch: Path) -> Iterator[Chunk]:
    start = source.head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if source.head.startswith(parquet.MAGIC):
        return parquet.chunks(source, layout, mapping, scratch)
    if source.head.startswith(_UTF16):
        raise FixYourData("the file is UTF-16; save it as UTF-8")
    if source.head.startswith(_ZIP):
        raise FixYourData("the file is a spreadsheet or a zip archive; save it as CSV")
    if start == b"[":
        raise FixYourData("the file is a JSON array; write one object a line (JSON lines) instead")
    if start == b"{":
        return json_lines.chunks(source, layout, mapping)
    return csv_file.chunks(source, layout, mapping)
