"""Delimited text as chunks: whole blocks at once where nothing is quoted, record by record where something is.

A broken record costs its first line only: what a stray quotation mark swallowed is read again.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from engine.customers.chunks import Chunk, from_texts
from engine.customers.layout import Column, Layout, columns_of
from engine.customers.source_file import BROKEN, SHOWN, Reject, SourceFile, blocks, clean_lines
from engine.errors import FixYourData

DELIMITERS = ",;\t|^~:\x1f\x01"
_UNFINISHED = "unexpected end of data"


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How the file's records are cut, and what their fields are."""

    delimiter: str
    width: int
    columns: tuple[Column, ...]


@dataclass
class Records:
    """Records with the number and the text of the line that each begins on."""

    lines: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    fields: list[list[str]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    unfinished: int | None = None
    """Index of the line on which a record began that these lines do not end."""


def chunks(source: SourceFile, layout: Layout, mapping: Mapping[str, str]) -> Iterator[Chunk]:
    """The file's rows under our names.

    Raises:
        FixYourData: there is no usable header.
    """
    source.skip_bom()
    shape: Shape | None = None
    pending: list[str] = []  # lines of a record that the next block goes on with
    for block in blocks(source):
        lines, rejects = clean_lines(block)
        first = block.first - len(pending)
        if shape is None:
            shape, used = _read_header(lines, layout, mapping)
            first, lines = first + used, lines[used:]
        if block.rejects and pending:
            yield _recorded(_records(pending, first, shape, final=True), [], shape, layout, source)
            pending, first = [], block.first
        chunk, pending = _cut(pending + lines, first, rejects, shape, layout, source)
        yield chunk
    if shape is None:
        raise FixYourData("the file is empty; the first line must name the columns")
    if pending:
        last = block.first + block.data.count(b"\n") + (not block.data.endswith(b"\n"))
        yield _recorded(_records(pending, last - len(pending), shape, final=True), [], shape, layout, source)


def _cut(
    lines: list[str], first: int, rejects: list[Reject], shape: Shape, layout: Layout, source: SourceFile
) -> tuple[Chunk, list[str]]:
    """One block's chunk, and the lines that wait for the next block."""
    joined = "\n".join(lines)
    if '"' not in joined and "\r" not in joined:
        return _plain(lines, first, rejects, shape, layout, source), []
    records = _records(lines, first, shape, final=False)
    pending = [] if records.unfinished is None else lines[records.unfinished :]
    return _recorded(records, rejects, shape, layout, source), pending


# --- the header --------------------------------------------------------------------------------------


def _read_header(lines: Sequence[str], layout: Layout, mapping: Mapping[str, str]) -> tuple[Shape, int]:
    """The shape that the first line with something on it gives, and how many lines that took."""
    used = next((number for number, line in enumerate(lines, start=1) if line.strip()), None)
    if used is None:
        raise FixYourData("the file is empty; the first line must name the columns")
    line = lines[used - 1]
    if "\r" in line:
        raise FixYourData("the file's lines end with a bare CR; save it with the line ends LF or CRLF")
    delimiter = _sniffed(line, {*layout.fields, *mapping.values()})
    header = [name.strip() for name in _fields(line, delimiter)]
    return Shape(delimiter=delimiter, width=len(header), columns=columns_of(header, layout, mapping)), used


def _sniffed(line: str, known: set[str]) -> str:
    """The delimiter under which the header has the most names that we know, then the most names."""

    def merit(delimiter: str) -> tuple[int, int]:
        names = [name.strip() for name in _fields(line, delimiter)]
        return sum(name in known for name in names), len(names)

    return max(DELIMITERS, key=merit)


def _fields(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return [line]


# --- blocks without quotation marks -------------------------------------------------------------------


def _plain(
    lines: list[str], first: int, rejects: list[Reject], shape: Shape, layout: Layout, source: SourceFile
) -> Chunk:
    text = pl.col("text")
    numbers = pl.int_range(first, first + len(lines), eager=True)
    frame = pl.DataFrame({"line": numbers, "text": pl.Series(lines, dtype=pl.String)})
    frame = frame.filter(~text.is_in(["", BROKEN])).with_columns(
        width=text.str.count_matches(shape.delimiter, literal=True) + 1
    )
    for line, shown, width in frame.filter(pl.col("width") != shape.width).rows():
        rejects.append(Reject(line=line, reason=_wrong_width(width, shape), text=shown[:SHOWN]))
    frame = frame.filter(pl.col("width") == shape.width)
    parts = frame["text"].str.split_exact(shape.delimiter, shape.width - 1).struct.unnest()
    columns = {column: parts.to_series(column.index) for column in shape.columns}
    return from_texts(frame["line"], frame["text"], columns, layout, rejects, source.share_read)


def _wrong_width(width: int, shape: Shape) -> str:
    return f"the row has {width} fields where the header has {shape.width}"


# --- blocks with quotation marks ----------------------------------------------------------------------


def _recorded(records: Records, rejects: list[Reject], shape: Shape, layout: Layout, source: SourceFile) -> Chunk:
    values = list(zip(*records.fields, strict=True)) or [()] * shape.width
    columns = {column: pl.Series(values[column.index], dtype=pl.String) for column in shape.columns}
    lines, texts = pl.Series(records.lines, dtype=pl.Int64), pl.Series(records.texts, dtype=pl.String)
    return from_texts(lines, texts, columns, layout, rejects + records.rejects, source.share_read)


def _records(lines: Sequence[str], first: int, shape: Shape, *, final: bool) -> Records:
    """Cut lines into records; where one is broken, reject the line that it begins on and go on with the next."""
    found, start = Records(), 0
    while start < len(lines) and found.unfinished is None:
        start = _run(lines, start, first, shape, found, final=final)
    return found


def _run(lines: Sequence[str], start: int, first: int, shape: Shape, found: Records, *, final: bool) -> int:
    """Read records until one is broken; the index of the line to go on from."""
    begun = start
    rest = (line + "\n" for line in map(lines.__getitem__, range(begun, len(lines))))
    reader = csv.reader(rest, delimiter=shape.delimiter, strict=True)
    try:
        for record in reader:
            end = begun + reader.line_num
            if BROKEN in lines[start:end]:
                _leave_out(lines, start, end, first, found)
            elif record and len(record) != shape.width:
                found.rejects.append(_reject(lines, start, first, _wrong_width(len(record), shape)))
                if end - start > 1:  # perhaps a stray quotation mark swallowed good rows
                    return start + 1
            elif record:
                found.lines.append(first + start)
                found.texts.append("\n".join(lines[start:end]))
                found.fields.append(record)
            start = end
    except csv.Error as error:
        if str(error) == _UNFINISHED and not final:
            found.unfinished = start
            return start
        found.rejects.append(_reject(lines, start, first, _plain_words(error)))
        return start + 1
    return len(lines)


def _leave_out(lines: Sequence[str], start: int, end: int, first: int, found: Records) -> None:
    """A broken line is rejected already; the rest of a record that it is part of is not yet."""
    if end - start > 1:
        found.rejects.append(_reject(lines, start, first, "a line of the row is no text"))


def _reject(lines: Sequence[str], start: int, first: int, reason: str) -> Reject:
    return Reject(line=first + start, reason=reason, text=lines[start][:SHOWN])


def _plain_words(error: csv.Error) -> str:
    text = str(error)
    if "field limit" in text:
        return "a field is longer than 100,000 characters"
    if "new-line" in text:
        return "the row has a bare carriage return in it"
    return "the row's quotation marks do not match"
