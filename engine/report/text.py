"""The report for a terminal: plain text, at home in 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from engine.model import Decision
from engine.report import intervals, rows, words
from engine.report.document import Result
from engine.report.figures import NONE
from engine.report.headline import headline
from engine.report.report import Report

_SKETCH = 60


def render(report: Report, *, notes: Sequence[str] = (), width: int = 80) -> str:
    """The report's text.

    Args:
        notes: sentences shown beside the verdict, such as the planted truth of a rehearsal.
        width: columns to fill; hashes and names longer than that are never broken.
    """
    parts = (
        _verdict(report, width),
        _listed("Note", notes, width),
        _pairs("Claim", words.claim_lines(report), width),
        _health(report, width),
        _arms(report),
        _results(report, width),
        _listed("Why", report.judged.verdict.because, width),
        _waves(report),
        _next(report),
        _pairs("Sealed", rows.seals(report), width),
    )
    return printable("\n".join("\n".join(lines) + "\n" for lines in parts if lines))


def printable(text: str) -> str:
    """The text without control characters, so that a name cannot steer the terminal; every space is a plain one."""
    return "".join(_safe(sign) for sign in text)


def _safe(sign: str) -> str:
    if sign == "\n" or sign.isprintable():
        return sign
    return " " if sign.isspace() else "�"


def table(heads: Sequence[str], lines: Sequence[Sequence[str]], *, left: int) -> list[str]:
    """Aligned columns: the first `left` to the left, the rest to the right."""
    widths = [max(len(line[i]) for line in (heads, *lines)) for i in range(len(heads))]
    return [
        "  ".join(
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in (heads, *lines)
    ]


def _verdict(report: Report, width: int) -> list[str]:
    told = headline(report)
    state = report.state.value.replace("_", " ") + (", paused" if report.paused else "")
    about = f"{report.campaign}, round {report.number}: {state}, as of {report.figures.at(report.as_of)}"
    lines = _wrapped(f"{told.mark} {told.sentence}", width)
    lines += [line for sentence in told.meaning for line in _item("-", sentence, width)]
    lines += [line for sentence in told.advice for line in _item("→", sentence, width)]
    return [*lines, "", *_wrapped(about, width)]


def _health(report: Report, width: int) -> list[str]:
    lines = []
    for check in report.judged.health:
        p = "" if check.p_value is None else f" (p {report.figures.p_value(check.p_value)})"
        lines += _item(f"{check.status:<4}", f"{words.check_name(check.check)}{p}: {check.detail}", width)
    return _titled("Health", lines)


def _arms(report: Report) -> list[str]:
    lines = [
        (arm.name, arm.role.value, report.figures.share(arm.share), *(
            NONE if number is None else report.figures.count(number)
            for number in (arm.assigned, arm.accepted, rows.delivered(report, arm), arm.uncertain)
        ))
        for arm in report.judged.arms
    ]  # fmt: skip
    heads = ("arm", "role", "share", "assigned", "accepted", "delivered", "uncertain")
    return _titled("Arms", _indented(table(heads, lines, left=2))) if lines else []


def _results(report: Report, width: int) -> list[str]:
    lines = [line for result in report.judged.results for line in _result(report, result, width)]
    return _titled(_RESULTS.get(report.judged.verdict.decision, "Results"), lines)


_RESULTS: dict[Decision | None, str] = {
    Decision.INVALID: "Results, not to be used",
    Decision.KEEP_RUNNING: "Results so far, not final",
}


def _result(report: Report, result: Result, width: int) -> list[str]:
    row = rows.compared(report, result)
    sides = f"{row.treatment} {row.treatment_value}" + (f", {row.control} {row.control_value}" if row.control else "")
    lines = _item(" ", f"{row.metric} ({row.role}): {sides}" + (f"; {row.ruling}" if row.ruling else ""), width)
    details = [f"not judged: {row.unjudged}"] if row.unjudged else []
    if result.difference is not None:
        details.append(f"{row.change} ({row.interval}), {'adjusted ' if row.adjusted else ''}p {row.p_value}")
    if row.lift:
        details.append(f"{row.lift} relative ({row.lift_interval})")
    if row.uncapped:
        details.append(f"uncapped {row.uncapped}")
    return lines + [line for detail in details for line in _item("   ", detail, width)] + _sketch(report, result)


def _sketch(report: Report, result: Result) -> list[str]:
    """The interval against zero; the primary metric's also against the effect worth having."""
    claim, interval, minimum, legend = report.plan.claim, result.difference, None, ""
    if claim and result.role == "primary":
        interval, minimum = words.decisive(result, claim), claim.minimum
        legend = f"0 no difference, m worth having ({report.figures.effect(claim.minimum_effect, sign=claim.sign)})"
    if interval is None or interval.estimate is None:
        return []
    drawn = intervals.sketch(interval, minimum=minimum, width=_SKETCH)
    return [f"      {line}" for line in (*drawn, legend) if line]


def _waves(report: Report) -> list[str]:
    count = report.figures.count
    lines = [
        (row.due, row.state, row.entered, row.accepted, count(sum(wave.unsent.values())))
        for wave, row in ((wave, rows.wave_row(report, wave)) for wave in report.waves)
    ]
    heads = ("due", "state", "entered", "accepted", "not sent")
    return _titled("Waves", _indented(table(heads, lines, left=2))) if lines else []


def _next(report: Report) -> list[str]:
    return _titled("Next", _indented(report.proposal.rstrip("\n").split("\n"))) if report.proposal else []


def _listed(title: str, sentences: Iterable[str], width: int) -> list[str]:
    return _titled(title, [line for sentence in sentences for line in _item("-", sentence, width)])


def _pairs(title: str, pairs: Sequence[tuple[str, str]], width: int) -> list[str]:
    room = max((len(label) for label, _ in pairs), default=0)
    return _titled(title, [line for label, text in pairs for line in _item(label.ljust(room), text, width)])


def _titled(title: str, lines: Sequence[str]) -> list[str]:
    return [title, *lines] if lines else []


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _item(mark: str, sentence: str, width: int) -> list[str]:
    return _wrapped(sentence, width, first=f"  {mark} ", rest=" " * (len(mark) + 3))


def _wrapped(sentence: str, width: int, *, first: str = "", rest: str = "") -> list[str]:
    return textwrap.wrap(
        sentence,
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
