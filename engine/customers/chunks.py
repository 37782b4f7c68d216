"""A chunk of rows on its way in: text columns under our names, whatever the file was."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from engine.customers.layout import Column, Layout
from engine.customers.source_file import Reject

LINE = "_line"
TEXT = "_text"
EXTRA = "_extra"
"""Names of the number, the text and the other columns of a row; no column of ours begins so."""

_NUMBER = r"^-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,9})?$"
# 01067 is a code and not a number, and a number of more than 15 digits would not survive as one.


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Some rows of a file.

    `frame` has LINE, TEXT (the row as it stands in the file), every column of the layout as
    text (null where empty or absent), and EXTRA (the other columns as a JSON object, or null).
    """

    frame: pl.DataFrame
    rejects: Sequence[Reject]
    share_read: float
    """0–1: how much of the file has been read."""
    dropped: tuple[str, ...] = ()
    """Columns that the layout has no place for."""


def from_texts(
    lines: pl.Series,
    texts: pl.Series,
    columns: Mapping[Column, pl.Series],
    layout: Layout,
    rejects: Sequence[Reject],
    share_read: float,
) -> Chunk:
    """Bring columns of text into the form of a chunk: trimmed, empty ones null, the others as JSON."""
    frame = pl.DataFrame({f"c{column.index}": values for column, values in columns.items()})
    frame = frame.select(pl.all().str.strip_chars()).select(pl.when(pl.all().str.len_bytes() > 0).then(pl.all()))
    place = {column.ours: f"c{column.index}" for column in columns}
    known = [
        pl.col(place[name]).alias(name) if name in place else pl.lit(None, dtype=pl.String).alias(name)
        for name in layout.fields
    ]
    others = tuple(sorted(name for name in place if name not in layout.fields))
    extra = as_json({name: pl.col(place[name]) for name in others} if layout.others else {})
    frame = frame.select(*known, extra.alias(EXTRA)) if len(lines) else _empty(layout)
    frame = frame.with_columns(lines.alias(LINE), texts.alias(TEXT))
    return Chunk(frame=frame, rejects=rejects, share_read=share_read, dropped=() if layout.others else others)


def _empty(layout: Layout) -> pl.DataFrame:
    return pl.DataFrame(schema=dict.fromkeys((*layout.fields, EXTRA), pl.String))


def as_json(columns: Mapping[str, pl.Expr]) -> pl.Expr:
    """A JSON object of text columns without the empty ones; what is written as a number becomes one."""
    if not columns:
        return pl.lit(None, dtype=pl.String)
    members = pl.concat_str([_member(name, text) for name, text in columns.items()], separator=",", ignore_nulls=True)
    return pl.when(members.str.len_bytes() > 0).then(pl.concat_str(pl.lit("{"), members, pl.lit("}")))


def _member(name: str, text: pl.Expr) -> pl.Expr:
    key = json.dumps(name, ensure_ascii=False)
    quoted = pl.struct(text.alias(name)).struct.json_encode().str.slice(1).str.strip_suffix("}")
    number = pl.concat_str(pl.lit(f"{key}:"), text)
    return pl.when(text.str.contains(_NUMBER)).then(number).when(text.is_not_null()).then(quoted)
