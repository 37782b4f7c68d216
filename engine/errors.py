"""Errors, named by what the reader does next.

Every error that a user can cause derives from `CampaignError`; the command line
prints its text and ends with exit code 1. Anything else is a defect of the engine
and ends with exit code 2.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from unicodedata import east_asian_width

_LONGEST = 400
"""Characters of a line that are shown."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong in what the user gave, and what to write instead."""

    message: str
    file: str | None = None
    line: int | None = None
    """1-based."""
    column: int | None = None
    """1-based, in characters."""
    source: str | None = None
    """The offending line as it stands in the file."""
    width: int = 1
    """How many characters the caret underlines."""
    hint: str | None = None
    """What to write instead, such as `did you mean "lapsing"?`."""
    rule: str | None = None
    """The lint's name, where a lint found it."""
    severity: str = "error"
    """`error` or `warning`."""

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        text = f"{place}: {self.message}" if place else self.message
        if self.source is not None and self.column is not None:
            text += f"\n{_excerpt(self.source, self.column - 1, self.width)}"
        if self.hint:
            text += f"\n  {self.hint}"
        return text


def _excerpt(source: str, start: int, width: int) -> str:
    """The line with carets below the place, for a terminal: tabs and control characters made visible, and
    of a line that nobody could read whole the part around the place."""
    line = "".join(character if character.isprintable() else " " for character in source)
    before, marked = line[:start], line[start : start + width]
    if len(line) > _LONGEST:
        cut = max(0, start - _LONGEST // 4)
        before, marked = "…" * (cut > 0) + before[cut:], marked[: _LONGEST // 2]
        line = before + line[start : cut + _LONGEST] + "…"
    return f"  {line}\n  {' ' * _columns(before)}{'^' * max(1, _columns(marked))}"


def _columns(text: str) -> int:
    """How many columns of a terminal a text takes: Chinese, Japanese and Korean characters take two."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


class CampaignError(Exception):
    """Something that the person at the keyboard can put right."""


@dataclass
class FixYourYaml(CampaignError):
    """What was declared is wrong; every problem of every file is listed at once."""

    problems: list[Problem] = field(default_factory=list)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class NotSupportedYet(FixYourYaml):
    """The declaration is correct, but this release cannot do it."""


class FixYourData(CampaignError):
    """A file to import is not what it should be; nothing of it was taken."""


class FixYourSettings(CampaignError):
    """The environment or `.env` lacks something, or says something wrong."""


class Refused(CampaignError):
    """The state of a round, the store or a rule forbids what was asked; the text says what to do."""


class NotFound(CampaignError):
    """There is nothing of that name; the text lists near names."""


class CannotBeJudged(CampaignError):
    """The numbers do not allow a test; the text says why."""


class ChannelError(Exception):
    """What a provider's answer means for the rows of one call."""


class TryAgainLater(ChannelError):
    """Proven not accepted; the same rows may be sent after `wait`."""

    def __init__(self, reason: str, wait: timedelta) -> None:
        super().__init__(reason)
        self.wait = wait


class NeverRetry(ChannelError):
    """Proven refused for good; the rows are rejected with this reason."""


class FateUnknown(ChannelError):
    """Nobody can say whether the provider took the call; the rows become uncertain."""
