"""An interval is drawn where its numbers are, and says in words what it shows."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.report.document import Interval
from engine.report.intervals import Axis, Bar, forest, scale_of, share_bar, sketch, strip

numbers = st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: round(x, 6))


def bar(interval: Interval, label: str = "deadline") -> Bar:
    return Bar(label=label, interval=interval, estimate="+1.0 pp", low="+0.3", high="+1.7")


def axis(interval: Interval, minimum: float | None = 0.01) -> Axis:
    marks = (0.0,) if minimum is None else (0.0, minimum)
    return Axis(
        scale=scale_of([interval], marks=marks),
        ticks=[(0.0, "0 pp")],
        minimum=minimum,
        minimum_label="worth having: +1.0 pp",
        zero_label="no difference",
        left="worse",
        right="better",
    )


def drawn(*shown: Interval, minimum: float | None = 0.01) -> Element:
    bars = [bar(interval) for interval in shown]
    return fromstring(forest(bars, axis(shown[0], minimum), name="p", title="A < B", description="from 0.3 to 1.7"))


def at(svg: Element, kind: str, attribute: str = "x1") -> list[float]:
    """Positions of all marks of a kind, in per cent."""
    found = [element for element in svg.iter() if element.get("class") == kind]
    return [float((element.get(attribute) or "").removesuffix("%")) for element in found]


def point(svg: Element) -> float:
    """Where the estimate's diamond is."""
    (holder,) = [element for element in svg.iter("svg") if any(path.get("class") == "point" for path in element)]
    return float((holder.get("x") or "").removesuffix("%"))


@given(st.tuples(numbers, numbers, numbers).map(sorted), numbers)
def test_what_is_larger_is_never_drawn_further_left(ends: list[float], minimum: float) -> None:
    low, estimate, high = ends
    scale = scale_of([Interval(low=low, estimate=estimate, high=high)], marks=(0.0, minimum))
    places = [scale.x(value) for value in sorted([low, estimate, high, 0.0, minimum])]
    assert places == sorted(places)
    assert min(places) >= 0
    assert max(places) <= 100


def test_low_estimate_high_zero_and_minimum_are_where_they_belong() -> None:
    interval = Interval(low=0.003, estimate=0.0102, high=0.017)
    svg = drawn(interval)
    low, high = at(svg, "cap")
    assert at(svg, "zero")[0] < low < point(svg) < high
    assert low < at(svg, "minimum")[0] < point(svg)
    assert at(svg, "interval") == [low]
    assert at(svg, "interval", "x2") == [high]


def test_zero_lies_inside_an_interval_that_holds_it() -> None:
    svg = drawn(Interval(low=-0.002, estimate=0.0049, high=0.0119))
    low, high = at(svg, "cap")
    assert low < at(svg, "zero")[0] < point(svg) < high


@pytest.mark.parametrize(
    ("minimum", "start", "end"),
    [pytest.param(0.01, "edge", 100.0, id="more-hoped-for"), pytest.param(-0.01, 0.0, "edge", id="less-hoped-for")],
)
def test_the_side_worth_having_is_tinted(minimum: float, start: object, end: object) -> None:
    svg = drawn(Interval(low=-0.02, estimate=0.0, high=0.02), minimum=minimum)
    edge = at(svg, "minimum")[0]
    (left,), (width,) = at(svg, "worth", "x"), at(svg, "worth", "width")
    assert left == (edge if start == "edge" else start)
    assert left + width == pytest.approx(edge if end == "edge" else end, abs=0.01)


@pytest.mark.parametrize(
    ("low", "high", "caps", "arrows"),
    [
        pytest.param(-0.1, None, 1, ["100%"], id="no-upper-end"),
        pytest.param(None, 0.4, 1, ["0%"], id="no-lower-end"),
        pytest.param(None, None, 0, ["0%", "100%"], id="no-end"),
    ],
)
def test_an_end_that_is_not_there_is_an_arrow_at_the_edge(
    low: float | None, high: float | None, caps: int, arrows: list[str]
) -> None:
    svg = drawn(Interval(low=low, estimate=0.3, high=high, unbounded=True))
    assert len(at(svg, "cap")) == caps
    holders = [element for element in svg.iter("svg") if any(path.get("class") == "arrow" for path in element)]
    assert [holder.get("x") for holder in holders] == arrows


def test_a_drawing_tells_who_does_not_see_it() -> None:
    svg = drawn(Interval(low=0.003, estimate=0.01, high=0.017))
    assert svg.get("role") == "img"
    assert svg.get("aria-labelledby") == "p-title p-desc"
    assert svg.findtext("title") == "A < B"
    assert svg.findtext("desc") == "from 0.3 to 1.7"
    texts = [element.text for element in svg.iter("text")]
    assert {"no difference", "worth having: +1.0 pp", "← worse", "better →", "+0.3", "+1.0 pp", "+1.7"} <= set(texts)


def test_a_hostile_or_endless_label_stays_text_and_inside() -> None:
    interval = Interval(low=0.0, estimate=0.01, high=0.02)
    written = forest(
        [bar(interval, "<script>" + "x" * 500)], axis(interval), name="p", title="<b>", description='"><script>'
    )
    assert "<script>" not in written
    assert "<b>" not in written
    (label,) = [element.text or "" for element in fromstring(written).iter("text") if element.get("class") == "label"]
    assert len(label) == 34
    assert label.endswith("…")


@pytest.mark.parametrize("width", [0.0, 1e-9, 0.013, 7.0, 1e6])
def test_ticks_are_few_and_round_whatever_the_scale(width: float) -> None:
    scale = scale_of([Interval(low=-width, estimate=0.0, high=width)])
    ticks = scale.ticks()
    assert 2 <= len(ticks) <= 6
    assert all(scale.low <= tick <= scale.high for tick in ticks)
    assert 0.0 in ticks


def test_a_small_drawing_shows_the_same_as_a_large_one() -> None:
    svg = fromstring(strip(Interval(low=-1.0, estimate=1.0, high=3.0), name="s", title="t", description="d"))
    low, high = at(svg, "cap")
    assert low < at(svg, "zero")[0] < point(svg) < high


@pytest.mark.parametrize(("share", "width"), [(0.0, 0.0), (0.986, 98.6), (1.0, 100.0), (1.2, 100.0)])
def test_a_share_is_filled_as_far_as_it_goes(share: float, width: float) -> None:
    svg = fromstring(share_bar(share, name="a", title="t"))
    assert at(svg, "part", "width") == [width]


@pytest.mark.parametrize(
    ("interval", "shown"),
    [
        pytest.param({"low": -1.0, "estimate": 1.0, "high": 3.0}, "[o]", id="bounded"),
        pytest.param({"low": None, "estimate": 1.0, "high": 3.0}, "<o]", id="no-lower-end"),
        pytest.param({"low": -1.0, "estimate": 1.0, "high": None}, "[o>", id="no-upper-end"),
    ],
)
def test_a_terminal_shows_an_interval_in_order(interval: dict[str, Any], shown: str) -> None:
    bars, ruler = sketch(Interval(**interval), minimum=2.0, width=60)
    assert bars.strip().replace("-", "") == shown
    assert ruler.strip().replace(" ", "") == "0m"
    assert bars.index(shown[1]) > ruler.index("0")
    assert bars.index(shown[1]) < ruler.index("m")
    assert len(bars) <= 60
