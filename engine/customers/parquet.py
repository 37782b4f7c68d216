"""Parquet as chunks: a file's columns are typed, and become the text that a CSV file would have."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from engine.customers.chunks import EXTRA, LINE, TEXT, Chunk
from engine.customers.layout import Column, Layout, columns_of
from engine.customers.source_file import SourceFile
from engine.errors import FixYourData

MAGIC = b"PAR1"
_ROWS = 25_000
_INSTANT = "%Y-%m-%dT%H:%M:%S%.6f"


def chunks(source: SourceFile, layout: Layout, mapping: Mapping[str, str], scratch: Path) -> Iterator[Chunk]:
    """The file's rows under our names.

    Args:
        scratch: folder to unzip into, as Parquet is not read front to back.

    Raises:
        FixYourData: it is no Parquet that can be read, or lacks a column.
    """
    with _unzipped(source, scratch) as path, _readable():
        scan = pl.scan_parquet(path, glob=False)
        schema = scan.collect_schema()
        columns = columns_of(list(schema), layout, mapping)
        total = max(1, scan.select(pl.len()).collect().item())
        done = 0
        for frame in scan.collect_batches(chunk_size=_ROWS, maintain_order=True):
            for part in frame.iter_slices(_ROWS):
                yield _chunk(part, columns, layout, done, total)
                done += len(part)


@contextmanager
def _unzipped(source: SourceFile, scratch: Path) -> Iterator[Path]:
    if source.content is source.raw:
        yield source.path
        return
    path = scratch / "parquet.unzipped"
    with path.open("wb") as file:
        shutil.copyfileobj(source, file)
    try:
        yield path
    finally:
        path.unlink()


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FixYourData(f"this Parquet file cannot be read: {reason}") from None


def _chunk(part: pl.DataFrame, columns: tuple[Column, ...], layout: Layout, done: int, total: int) -> Chunk:
    place = {column.ours: column.theirs for column in columns}
    plain = part.select(_plain(name, dtype) for name, dtype in part.schema.items())
    known = [_as_text(plain, place.get(name)).alias(name) for name in layout.fields]
    others = tuple(sorted(name for name in place if name not in layout.fields))
    extra = _as_json(plain, {name: place[name] for name in others}) if layout.others else _nothing(len(part))
    text = plain.select(pl.struct(pl.all()).struct.json_encode()).to_series()
    numbers = pl.int_range(done + 1, done + len(part) + 1, eager=True)
    frame = pl.DataFrame([*known, extra.alias(EXTRA), numbers.alias(LINE), text.alias(TEXT)])
    return Chunk(
        frame=frame,
        rejects=(),
        share_read=(done + len(part)) / total,
        dropped=() if layout.others else others,
    )


def _plain(name: str, dtype: pl.DataType) -> pl.Expr:
    """The column with what JSON does not know as text: instants in UTC, days, exact decimals."""
    column = pl.col(name)
    match dtype:
        case pl.Binary():
            raise FixYourData(f"the column {name!r} holds bytes; leave it out of the file")
        case pl.Datetime() if dtype.time_zone:
            column = column.dt.convert_time_zone("UTC").dt.strftime(_INSTANT + "Z")
        case pl.Datetime():
            column = column.dt.strftime(_INSTANT)
        case pl.Decimal():
            column = column.cast(pl.Float64)
        case _ if not (dtype.is_numeric() or dtype.is_nested() or dtype == pl.Boolean):
            column = column.cast(pl.String)
    return column


def _as_text(plain: pl.DataFrame, theirs: str | None) -> pl.Series:
    if theirs is None:
        return _nothing(len(plain))
    column = plain[theirs]
    if column.dtype.is_nested():
        raise FixYourData(f"the column {theirs!r} holds lists or objects where a text or a number is needed")
    text = column.cast(pl.String).str.strip_chars()
    return text.to_frame("text").select(pl.when(pl.col("text").str.len_bytes() > 0).then(pl.col("text"))).to_series()


def _as_json(plain: pl.DataFrame, others: Mapping[str, str]) -> pl.Series:
    """The other columns as a JSON object without the empty ones."""
    members = [
        pl.when(pl.col(theirs).is_not_null() & ~_not_a_number(plain, theirs)).then(
            pl.struct(pl.col(theirs).alias(ours)).struct.json_encode().str.slice(1).str.strip_suffix("}")
        )
        for ours, theirs in others.items()
    ]
    if not members:
        return _nothing(len(plain))
    joined = pl.concat_str(members, separator=",", ignore_nulls=True)
    return plain.select(
        pl.when(joined.str.len_bytes() > 0).then(pl.concat_str(pl.lit("{"), joined, pl.lit("}")))
    ).to_series()


def _not_a_number(plain: pl.DataFrame, name: str) -> pl.Expr:
    return ~pl.col(name).is_finite() if plain.schema[name].is_float() else pl.lit(False)


def _nothing(size: int) -> pl.Series:
    return pl.Series([None] * size, dtype=pl.String)
