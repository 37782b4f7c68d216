"""A chunk whose columns are typed one by one; the first reason against a row is the one that it is rejected for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import polars as pl

from engine.customers import parsing
from engine.customers.chunks import EXTRA, LINE, TEXT, Chunk
from engine.customers.quality import Tally
from engine.customers.source_file import SHOWN, Reject
from engine.store.tables import to_micros

LONGEST_KEY = 200
"""Characters; PostgreSQL cannot index a much longer text."""
LONGEST_FIELD = 100_000
_EARLIEST = to_micros(datetime(1900, 1, 1, tzinfo=UTC))
AHEAD = timedelta(days=1)
"""How far a time may lie in the future: clocks differ, and a day begins earlier elsewhere."""
_REASON = "_reason"
_PARSED = "_parsed"


@dataclass(frozen=True, kw_only=True)
class Clock:
    """What times are checked against."""

    now: datetime
    zone: str | None = None
    """IANA zone of times that are written without one."""

    @property
    def latest(self) -> int:
        return to_micros(self.now + AHEAD)


@dataclass
class Sieve:
    """Types the columns of one chunk in place. `rows` and `rejects` are the outcome."""

    chunk: Chunk
    tally: Tally
    clock: Clock
    frame: pl.DataFrame = field(init=False)

    def __post_init__(self) -> None:
        self.frame = self.chunk.frame.with_columns(pl.lit(None, dtype=pl.String).alias(_REASON))

    def refuse(self, wrong: pl.Expr, reason: str) -> None:
        """Reject the rows for which the expression is true, where nothing was wrong before."""
        first = pl.when(pl.col(_REASON).is_null() & wrong.fill_null(False)).then(pl.lit(reason)).otherwise(_REASON)
        self.frame = self.frame.with_columns(first.alias(_REASON))

    def key(self, name: str, *, required: bool = True) -> None:
        """A text by which rows are found."""
        if required:
            self.refuse(pl.col(name).is_null(), f"{name} is missing")
        self.refuse(pl.col(name).str.len_chars() > LONGEST_KEY, f"{name} is longer than {LONGEST_KEY} characters")

    def fields(self, *names: str) -> None:
        """Texts of bounded length."""
        for name in names:
            self.refuse(
                pl.col(name).str.len_bytes() > LONGEST_FIELD,
                f"{_called(name)} longer than {LONGEST_FIELD:,} characters",
            )

    def number(self, name: str, *, required: bool = False) -> None:
        """A finite number."""
        if required:
            self.refuse(pl.col(name).is_null(), f"{name} is missing")
        self._parse(name, parsing.numbers(self.frame[name]), f"{name} is no number; write for example 1234.56")

    def instant(self, name: str, *, required: bool = False) -> None:
        """A time that lies neither before 1900 nor in the future."""
        if required:
            self.refuse(pl.col(name).is_null(), f"{name} is missing")
        example = "2026-01-31T10:00:00Z"
        self._parse(
            name,
            parsing.instants(self.frame[name], self.clock.zone),
            f"{name} is no time that can be read; write for example {example}",
        )
        self.refuse(
            pl.col(name) == parsing.NO_ZONE,
            f"{name} has no time zone; write for example {example}, or say --timezone Europe/Berlin",
        )
        self.refuse(pl.col(name) < _EARLIEST, f"{name} lies before 1900")
        self.refuse(pl.col(name) > self.clock.latest, f"{name} lies in the future")

    def day(self, name: str) -> None:
        """A day, kept as ISO text."""
        values = parsing.each(self.frame[name], parsing.day, pl.String)
        self._parse(name, values, f"{name} is no day that can be read; write for example 1980-05-17")
        self.refuse(pl.col(name) < "1900", f"{name} lies before 1900")
        self.refuse(pl.col(name) > self.clock.now.date().isoformat(), f"{name} lies in the future")

    def _parse(self, name: str, values: pl.Series, reason: str) -> None:
        self.frame = self.frame.with_columns(values.alias(_PARSED))
        self.refuse(pl.col(name).is_not_null() & pl.col(_PARSED).is_null(), reason)
        self.frame = self.frame.with_columns(pl.col(_PARSED).alias(name)).drop(_PARSED)

    @property
    def accepted(self) -> pl.Series:
        """True for the rows that nothing is against so far."""
        return self.frame[_REASON].is_null()

    def replace(self, name: str, values: pl.Series, note: str) -> None:
        """Put other values in the place of a column's; what was lost by that is noted, and rejects nothing."""
        lost = self.frame[name].is_not_null() & values.is_null() & self.accepted
        self.tally.note(note, self.frame[LINE].filter(lost).to_list())
        self.frame = self.frame.with_columns(values.alias(name))

    def rows(self) -> pl.DataFrame:
        """The rows that nothing is against."""
        return self.frame.filter(pl.col(_REASON).is_null()).drop(_REASON, TEXT)

    def rejects(self) -> list[Reject]:
        """The others, and what the reader refused; in the order of the file."""
        against = self.frame.filter(pl.col(_REASON).is_not_null())
        found = [
            Reject(line=line, reason=reason, text=shown)
            for line, reason, shown in against.select(LINE, _REASON, pl.col(TEXT).str.head(SHOWN)).rows()
        ]
        return sorted([*self.chunk.rejects, *found], key=lambda reject: reject.line)


def _called(name: str) -> str:
    return "other columns are together" if name == EXTRA else f"{name} is"
