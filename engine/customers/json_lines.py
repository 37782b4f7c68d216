"""JSON lines as chunks: one object a line."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from engine.customers.chunks import EXTRA, LINE, TEXT, Chunk
from engine.customers.layout import Layout
from engine.customers.source_file import BROKEN, SHOWN, Reject, SourceFile, blocks, clean_lines

_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


@dataclass
class _Rows:
    """The rows of a block, column by column."""

    layout: Layout
    ours_of: Mapping[str, tuple[str, ...]]
    columns: dict[str, list[Any]]
    rejects: list[Reject] = field(default_factory=list)
    dropped: set[str] = field(default_factory=set)

    def take(self, number: int, line: str) -> None:
        """Add the line's object as a row, or reject it."""
        try:
            row = self._row(_object(line))
        except (ValueError, RecursionError) as error:
            self.rejects.append(Reject(line=number, reason=_plain_words(error), text=line[:SHOWN]))
            return
        row[LINE], row[TEXT] = number, line
        for name, values in self.columns.items():
            values.append(row.get(name))

    def _row(self, given: dict[str, Any]) -> dict[str, Any]:
        row: dict[str, Any] = {}
        others: dict[str, Any] = {}
        for theirs, value in given.items():
            for ours in self.ours_of.get(theirs, (theirs,)):
                if ours in row or ours in others:
                    raise ValueError(f"two members of the row would both be {ours}")
                if value is not None:
                    (row if ours in self.layout.fields else others)[ours] = value
        for name, value in row.items():
            row[name] = _text(name, value)
        if self.layout.others is None:
            self.dropped.update(others)
        elif others:
            row[EXTRA] = json.dumps(others, ensure_ascii=False, sort_keys=True, allow_nan=False, separators=(",", ":"))
            row[EXTRA].encode()  # half of a surrogate pair is no text
        return row


def chunks(source: SourceFile, layout: Layout, mapping: Mapping[str, str]) -> Iterator[Chunk]:
    """The file's rows under our names; what is no object, or not finite, is rejected."""
    source.skip_bom()
    ours_of = _ours_of(mapping)
    for block in blocks(source):
        lines, rejects = clean_lines(block)
        rows = _Rows(layout, ours_of, {name: [] for name in (*layout.fields, EXTRA, LINE, TEXT)}, rejects)
        for number, line in enumerate(lines, start=block.first):
            if line.strip() and line != BROKEN:
                rows.take(number, line)
        yield _chunk(rows, source)


def _ours_of(mapping: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    names: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
    for ours, theirs in mapping.items():
        names[theirs] += (ours,)
    return dict(names)


def _chunk(rows: _Rows, source: SourceFile) -> Chunk:
    schema = {name: pl.Int64 if name == LINE else pl.String for name in rows.columns}
    frame = pl.DataFrame(rows.columns, schema=schema)
    texts = pl.col(*rows.layout.fields).str.strip_chars()
    frame = frame.with_columns(texts).with_columns(
        pl.when(pl.col(name).str.len_bytes() > 0).then(pl.col(name)).alias(name) for name in rows.layout.fields
    )
    return Chunk(frame=frame, rejects=rows.rejects, share_read=source.share_read, dropped=tuple(sorted(rows.dropped)))


def _object(line: str) -> dict[str, Any]:
    given = json.loads(line, parse_constant=_refuse_constant)
    if not isinstance(given, dict):
        raise ValueError("the row is no JSON object")
    if _NUL.search(line):
        raise ValueError("the row has a NUL character in it")
    return given


def _refuse_constant(name: str) -> None:
    raise ValueError(f"the row has {name} in it, which is no number")


def _text(name: str, value: Any) -> str:
    """A value of one of our columns as the text that a CSV file would have."""
    match value:
        case str():
            value.encode()
            return value
        case bool() | int() | float():
            return json.dumps(value, allow_nan=False)
        case _:
            raise ValueError(f"{name} must be a text or a number")


def _plain_words(error: Exception) -> str:
    match error:
        case json.JSONDecodeError():
            return "the row is no JSON"
        case RecursionError():
            return "the row is nested too deeply"
        case UnicodeEncodeError():
            return "the row has half a character in it"
    text = str(error)
    if "not JSON compliant" in text or "Out of range float" in text:
        return "the row has a number that is not finite"
    if "integer string conversion" in text:
        return "the row has a number of too many digits"
    return text
