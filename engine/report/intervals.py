"""Intervals drawn: as SVG for a page, as characters for a terminal.

Positions are per cent of the drawing's width and sizes are pixels, so that a drawing
fits a phone and a printed page without its letters shrinking. Colours come from the
page's style; every mark also differs in shape and has its words.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, tostring

from engine.report.document import Interval

_ROOM = 0.2
# At either end, for the numbers beside an interval's caps on a phone.
_TICKS = 5
# At most: a step is rounded up.
_TOP, _ROW, _BOTTOM = 46, 58, 44
_LANE = 13
# Half the height of the tinted lane behind a bar.
_LONGEST_LABEL = 34


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Maps values to per cent of the width, left to right."""

    low: float
    high: float

    def x(self, value: float) -> float:
        """The position of a value, 0–100; a value outside is drawn at the edge."""
        part = (value - self.low) / (self.high - self.low)
        return round(100 * min(1.0, max(0.0, part)), 3)

    @property
    def step(self) -> float:
        """The distance of ticks: a round number."""
        raw = (self.high - self.low) / _TICKS
        power = 10.0 ** math.floor(math.log10(raw))
        return next(size * power for size in (1, 2, 5, 10) if size * power >= raw)

    def ticks(self) -> tuple[float, ...]:
        """Round values to write below the axis."""
        first, last = math.ceil(self.low / self.step), math.floor(self.high / self.step)
        return tuple(number * self.step for number in range(first, last + 1))


def scale_of(intervals: Iterable[Interval], *, marks: Iterable[float] = (0.0,)) -> Scale:
    """A scale on which every finite end and every mark has its place, with room for numbers beside them."""
    ends = [end for interval in intervals for end in (interval.low, interval.estimate, interval.high)]
    values = [value for value in (*ends, *marks) if value is not None] or [0.0]
    low, high = min(values), max(values)
    room = _ROOM * (high - low) or abs(high) or 1.0
    return Scale(low=low - room, high=high + room)


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One interval to draw, with its numbers as text."""

    label: str
    interval: Interval
    estimate: str
    low: str
    high: str


@dataclass(frozen=True, kw_only=True)
class Axis:
    """What the bars of a drawing are read against."""

    scale: Scale
    ticks: Sequence[tuple[float, str]]
    minimum: float | None
    """The effect worth having, with the sign hoped for."""
    minimum_label: str
    zero_label: str
    left: str
    """What lies to the left of zero, such as `worse`."""
    right: str


def forest(bars: Sequence[Bar], axis: Axis, *, name: str, title: str, description: str) -> str:
    """Intervals below one another against zero and the minimum effect, as an `<svg>` element.

    Args:
        name: unique on the page; the ids of title and description begin with it.
    """
    height = _TOP + _ROW * len(bars) + _BOTTOM
    svg = _drawing(name=name, title=title, description=description, height=height, kind="forest")
    floor = height - _BOTTOM + 6
    for index in range(len(bars)):
        _worth_having(svg, axis, _middle(index))
    for value, text in axis.ticks:
        _line(svg, axis.scale.x(value), (floor, floor + 5), "tick")
        _text(svg, axis.scale.x(value), floor + 18, text, "tick-label", anchor="middle")
    _line(svg, axis.scale.x(0.0), (22, floor), "zero")
    _text(svg, axis.scale.x(0.0), 16, axis.zero_label, "zero-label")
    if axis.minimum is not None:
        _line(svg, axis.scale.x(axis.minimum), (40, floor), "minimum")
        _text(svg, axis.scale.x(axis.minimum), 34, axis.minimum_label, "minimum-label")
    _text(svg, 0, height - 5, f"← {axis.left}", "side", anchor="start")
    _text(svg, 100, height - 5, f"{axis.right} →", "side", anchor="end")
    for index, bar in enumerate(bars):
        _bar(svg, axis.scale, bar, _middle(index))
    return _written(svg)


def strip(interval: Interval, *, name: str, title: str, description: str, minimum: float | None = None) -> str:
    """One small interval against zero, for a table's cell."""
    scale = scale_of([interval], marks=(0.0,) if minimum is None else (0.0, minimum))
    svg = _drawing(name=name, title=title, description=description, height=24, kind="strip")
    if minimum is not None:
        _line(svg, scale.x(minimum), (2, 22), "minimum")
    _line(svg, scale.x(0.0), (1, 23), "zero")
    _whiskers(svg, scale, interval, 12)
    return _written(svg)


def share_bar(share: float, *, name: str, title: str) -> str:
    """A part of a whole as a filled bar."""
    svg = _drawing(name=name, title=title, description="", height=8, kind="share")
    SubElement(svg, "rect", {"class": "whole", "x": "0", "y": "0", "width": "100%", "height": "8", "rx": "4"})
    width = f"{_number(100 * min(1.0, max(0.0, share)))}%"
    SubElement(svg, "rect", {"class": "part", "x": "0", "y": "0", "width": width, "height": "8", "rx": "4"})
    return _written(svg)


def sketch(interval: Interval, *, minimum: float | None, width: int) -> tuple[str, str]:
    """An interval in characters, and below it where zero (`0`) and the minimum effect (`m`) are."""
    scale = scale_of([interval], marks=(0.0,) if minimum is None else (0.0, minimum))

    def column(value: float) -> int:
        return round(scale.x(value) / 100 * (width - 1))

    start = 0 if interval.low is None else column(interval.low)
    end = width - 1 if interval.high is None else column(interval.high)
    bar, ruler = [" "] * width, [" "] * width
    bar[start : end + 1] = "-" * (end + 1 - start)
    if interval.estimate is not None:
        bar[column(interval.estimate)] = "o"
    bar[start], bar[end] = "<" if interval.low is None else "[", ">" if interval.high is None else "]"
    for value, sign in ((0.0, "0"), (minimum, "m")):
        if value is not None:
            ruler[column(value)] = sign
    return "".join(bar).rstrip(), "".join(ruler).rstrip()


def _middle(index: int) -> int:
    """The height of a bar."""
    return _TOP + _ROW * index + 36


def _worth_having(svg: Element, axis: Axis, middle: int) -> None:
    """Tints a bar's lane on the side where an effect is worth having."""
    if axis.minimum is None:
        return
    edge = axis.scale.x(axis.minimum)
    start, width = (edge, 100 - edge) if axis.minimum > 0 else (0.0, edge)
    place = {"x": _percent(start), "y": str(middle - _LANE), "width": _percent(width), "height": str(2 * _LANE)}
    SubElement(svg, "rect", {"class": "worth", **place})


def _bar(svg: Element, scale: Scale, bar: Bar, middle: int) -> None:
    label = bar.label if len(bar.label) <= _LONGEST_LABEL else bar.label[: _LONGEST_LABEL - 1] + "…"
    _text(svg, 0, middle - 24, label, "label", anchor="start")
    low, high = _whiskers(svg, scale, bar.interval, middle)
    if bar.interval.estimate is not None:
        _text(svg, scale.x(bar.interval.estimate), middle - 17, bar.estimate, "estimate", anchor="middle")
    if bar.interval.low is not None:
        _text(svg, low, middle + 5, bar.low, "end", anchor="end", dx=-8)
    if bar.interval.high is not None:
        _text(svg, high, middle + 5, bar.high, "end", anchor="start", dx=8)


def _whiskers(svg: Element, scale: Scale, interval: Interval, y: int) -> tuple[float, float]:
    """The line from end to end with caps (an arrow where there is no end) and a diamond at the estimate."""
    low = 0.0 if interval.low is None else scale.x(interval.low)
    high = 100.0 if interval.high is None else scale.x(interval.high)
    span = {"class": "interval", "x1": _percent(low), "x2": _percent(high), "y1": str(y), "y2": str(y)}
    SubElement(svg, "line", span)
    for x, end, arrow in ((low, interval.low, "M8,-6 L0,0 L8,6"), (high, interval.high, "M-8,-6 L0,0 L-8,6")):
        if end is None:
            _shape(svg, x, y, arrow, "arrow")
        else:
            _line(svg, x, (y - 7, y + 7), "cap")
    if interval.estimate is not None:
        _shape(svg, scale.x(interval.estimate), y, "M0,-7 L7,0 L0,7 L-7,0 Z", "point")
    return low, high


def _drawing(*, name: str, title: str, description: str, height: int, kind: str) -> Element:
    """An empty drawing with its title and description for who does not see it."""
    labels = f"{name}-title {name}-desc" if description else f"{name}-title"
    size = {"width": "100%", "height": str(height)}
    svg = Element("svg", {"class": kind, "role": "img", "aria-labelledby": labels, **size})
    SubElement(svg, "title", {"id": f"{name}-title"}).text = title
    if description:
        SubElement(svg, "desc", {"id": f"{name}-desc"}).text = description
    return svg


def _line(svg: Element, x: float, y: tuple[int, int], kind: str) -> None:
    at = _percent(x)
    SubElement(svg, "line", {"class": kind, "x1": at, "x2": at, "y1": str(y[0]), "y2": str(y[1])})


def _shape(svg: Element, x: float, y: int, path: str, kind: str) -> None:
    """A shape in pixels around a point given in per cent."""
    place = SubElement(svg, "svg", {"x": _percent(x), "y": str(y), "overflow": "visible"})
    SubElement(place, "path", {"class": kind, "d": path})


def _text(svg: Element, x: float, y: int, text: str, kind: str, *, anchor: str | None = None, dx: int = 0) -> None:
    at = {"class": kind, "x": _percent(x), "y": str(y), "text-anchor": anchor or _anchor(x)}
    SubElement(svg, "text", {**at, "dx": str(dx)} if dx else at).text = text


def _anchor(x: float) -> str:
    """Keeps a long label inside the drawing."""
    return "start" if x < 35 else "end" if x > 65 else "middle"


def _percent(x: float) -> str:
    return f"{_number(x)}%"


def _number(x: float) -> str:
    return f"{x:.3f}".rstrip("0").rstrip(".")


def _written(svg: Element) -> str:
    return tostring(svg, encoding="unicode", short_empty_elements=False)
