"""What a file was like: counted while it is read, said at the end, kept with the import."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from engine.customers.layout import LAYOUTS
from engine.errors import FixYourData

SHOWN_LINES = 3
"""Numbers of lines that a note names as examples."""


@dataclass
class Note:
    """Something worth knowing that cost no row."""

    count: int = 0
    lines: list[int] = field(default_factory=list)


@dataclass
class Tally:
    """The running count of a file."""

    rows: int = 0
    """Rows seen, the rejected ones too."""
    reasons: Counter[str] = field(default_factory=Counter)
    filled: Counter[str] = field(default_factory=Counter)
    notes: dict[str, Note] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    """Names of the events in the file."""
    first: int | None = None
    last: int | None = None
    """Earliest and latest time in the file, microseconds since 1970."""
    dropped: set[str] = field(default_factory=set)
    duplicates: int = 0

    def note(self, text: str, lines: list[int]) -> None:
        """Count rows under a note."""
        if lines:
            entry = self.notes.setdefault(text, Note())
            entry.count += len(lines)
            entry.lines += lines[: SHOWN_LINES - len(entry.lines)]

    def span(self, first: int | None, last: int | None) -> None:
        """Widen the time span."""
        self.first = min((value for value in (self.first, first) if value is not None), default=None)
        self.last = max((value for value in (self.last, last) if value is not None), default=None)

    @property
    def rejected(self) -> int:
        return self.reasons.total()


@dataclass(frozen=True, kw_only=True)
class ImportReport:
    """The data-quality report of one import. Instants are ISO 8601 texts in UTC."""

    kind: str
    file: str
    source: str
    rows: int
    """Rows of the file, without blank lines."""
    checked: int
    """Rows that passed one by one; `filled` counts these."""
    accepted: int
    """Rows that were staged: neither rejected nor repeated inside the file."""
    rejected: int
    reasons: Mapping[str, int]
    rejects_file: str | None
    duplicates: int
    """Rows that repeat another row of the file."""
    filled: Mapping[str, int]
    """Rows with a value, by column of ours."""
    notes: Mapping[str, Mapping[str, Any]]
    """What was noticed without rejecting a row: `count`, and some `lines`."""
    dropped: tuple[str, ...]
    """Columns that were not kept."""
    names: tuple[str, ...]
    """Names of the events that the file gives."""
    first_at: str | None
    last_at: str | None
    through: str | None
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    conflicts: int = 0
    """Rows that contradict what an earlier file said, and were left out."""
    unknown_customers: int = 0
    """Customers that no customers file has named; they have a row with their id only."""
    consents: int = 0
    """Entries added to the history of consent."""
    repeated: bool = False
    """The same file was imported before; nothing was changed."""
    resumed: bool = False
    """An import that had been broken off was finished."""

    def counted(self, counts: Mapping[str, int]) -> ImportReport:
        """The report with the counts of one more chunk."""
        sums = {name: getattr(self, name) + count for name, count in counts.items()}
        return replace(self, **sums)

    def again(self) -> ImportReport:
        """The report of importing the same file once more."""
        return replace(
            self,
            repeated=True,
            new=0,
            changed=0,
            unchanged=self.accepted - self.conflicts,
            unknown_customers=0,
            consents=0,
        )

    def to_json(self) -> dict[str, Any]:
        return {"schema_version": 1, **asdict(self), "reasons": dict(self.reasons), "filled": dict(self.filled)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> ImportReport:
        """The report that `to_json` wrote."""
        values = {name: value for name, value in document.items() if name != "schema_version"}
        return cls(**{**values, "dropped": tuple(values["dropped"]), "names": tuple(values["names"])}).in_order()

    def in_order(self) -> ImportReport:
        """The report with the most frequent things first; PostgreSQL keeps no order of JSON members."""
        return replace(
            self,
            reasons=dict(sorted(self.reasons.items(), key=lambda item: (-item[1], item[0]))),
            notes=dict(sorted(self.notes.items(), key=lambda item: (-item[1]["count"], item[0]))),
            filled={name: self.filled[name] for name in LAYOUTS[self.kind].fields if name in self.filled},
        )

    def to_text(self) -> str:
        """The report as a person reads it."""
        return "\n".join([self._title(), *self._counts(), *self._remarks(), *self._columns()]) + "\n"

    def _title(self) -> str:
        through = f", complete through {_short(self.through)}" if self.through else ""
        title = f"{self.file}: {self.kind} from {self.source}{through}"
        if self.repeated:
            return f"{title}\nThis file was imported before; nothing was changed."
        return title + ("\nAn import that had been broken off was finished." if self.resumed else "")

    def _counts(self) -> list[str]:
        rejected = f"{self.rejected:,}"
        if self.rejected:
            rejected += f" ({self.rejected / self.rows:.2%}), see {self.rejects_file}"
        lines = [
            f"  rows      {self.rows:,}",
            f"  taken     {self.accepted:,} (new {self.new:,}, changed {self.changed:,}, unchanged {self.unchanged:,})",
            f"  rejected  {rejected}",
        ]
        return lines + [f"    {count:>8,}  {reason}" for reason, count in self.reasons.items()]

    def _remarks(self) -> list[str]:
        remarks = [
            (self.duplicates, "rows repeat another row of the file"),
            (self.conflicts, "rows contradict what an earlier file said, and were left out"),
            (self.unknown_customers, "customers were not known; they now have a row with their id only"),
            (self.consents, "entries were added to the history of consent"),
        ]
        lines = [f"    {count:>8,}  {text}" for count, text in remarks if count]
        for text, note in self.notes.items():
            where = ", ".join(str(number) for number in note["lines"])
            lines.append(
                f"    {note['count']:>8,}  {text} (line {where}{' …' if note['count'] > len(note['lines']) else ''})"
            )
        if self.dropped:
            lines.append(f"    columns that are not kept: {', '.join(self.dropped)}")
        return ["  noticed", *lines] if lines else []

    def _columns(self) -> list[str]:
        if not self.accepted:
            return []
        lines = [f"    {count / self.checked:>6.1%}  {name}" for name, count in self.filled.items() if count]
        span = [f"  from      {_short(self.first_at)} to {_short(self.last_at)}"] if self.first_at else []
        return [*span, "  filled", *lines]


def written(at: datetime) -> str:
    """An instant as tools read it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _short(at: str | None) -> str:
    return at[:16].replace("T", " ") + " UTC" if at else ""


def reject_limit(tally: Tally, limit: float, where: str) -> None:
    """Refuse a file of which too much was rejected.

    Raises:
        FixYourData: more than `limit` (0–1) of the rows.
    """
    share = tally.rejected / max(1, tally.rows)
    if share > limit:
        reasons = "".join(f"\n  {count:>8,}  {reason}" for reason, count in tally.reasons.most_common(5))
        raise FixYourData(
            f"{tally.rejected:,} of {tally.rows:,} rows ({share:.1%}) are not usable, more than --max-rejects "
            f"allows ({limit:.1%}); nothing was imported. The rows are in {where}:{reasons}"
        )
