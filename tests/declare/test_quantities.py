"""Quantities and plain values: what a text means, and that it can be written down again."""

from __future__ import annotations

import contextlib
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.declare.quantities import (
    AfterSend,
    Duration,
    Earning,
    Effect,
    Headcount,
    Misfire,
    Money,
    Percentile,
    Quantity,
    Rate,
    Sample,
    Share,
    UnitCost,
)

few = settings(max_examples=40, deadline=None)
KINDS = [AfterSend, Duration, Earning, Effect, Headcount, Misfire, Money, Percentile, Rate, Sample, Share, UnitCost]


@pytest.mark.parametrize(
    ("kind", "text", "field", "value"),
    [
        pytest.param(Duration, "7 days", "delta", timedelta(days=7), id="days"),
        pytest.param(Duration, "1 day", "delta", timedelta(days=1), id="one-day"),
        pytest.param(Duration, "1.5 hours", "delta", timedelta(minutes=90), id="fraction-of-hours"),
        pytest.param(Duration, "7days", "delta", timedelta(days=7), id="without-space"),
        pytest.param(Share, "10 %", "value", 0.1, id="share"),
        pytest.param(Share, "0.5%", "value", 0.005, id="share-without-space"),
        pytest.param(Rate, "50 per second", "per_second", 50.0, id="rate"),
        pytest.param(Rate, "1_000 per hour", "per_second", pytest.approx(1000 / 3600), id="rate-an-hour"),
        pytest.param(Money, "1 500.50 EUR", "amount", Decimal("1500.50"), id="money-in-groups"),
        pytest.param(Effect, "1.0 pp", "value", 0.01, id="points"),
        pytest.param(Effect, "10 %", "value", 0.1, id="relative"),
        pytest.param(Effect, "20 EUR", "value", 20.0, id="amount"),
        pytest.param(Effect, "10 %", "absolute", False, id="relative-is-not-absolute"),
        pytest.param(Percentile, "99.9th percentile", "value", 0.999, id="percentile"),
        pytest.param(Sample, "6700 per arm", "per_arm", 6700, id="sample"),
        pytest.param(Headcount, "50 000 customers", "customers", 50_000, id="customers"),
        pytest.param(Misfire, "skip after 2 hours", "grace", timedelta(hours=2), id="misfire"),
        pytest.param(AfterSend, "14 days after send", "delta", timedelta(days=14), id="after-send"),
        pytest.param(UnitCost, "9 JPY per segment", "unit", "segment", id="cost"),
        pytest.param(Earning, "1 per 100 JPY", "per", Decimal(100), id="earning-by-amount"),
        pytest.param(Earning, "50", "points", 50, id="earning"),
    ],
)
def test_a_text_means_this(kind: type[Quantity], text: str, field: str, value: Any) -> None:
    """The value in the unit that its name says, and the text as it was written."""
    read = kind.parse(text)
    assert getattr(read, field) == value
    assert str(read) == text


@pytest.mark.parametrize(
    ("kind", "text", "told"),
    [
        pytest.param(Duration, "7", '"7" has no unit; write for example "7 days"', id="no-unit"),
        pytest.param(Duration, "-7 days", '"-7 days" is below zero; write for example "7 days"', id="below-zero"),
        pytest.param(Share, "12,5 %", '"12,5 %" has a comma; write "12.5 %"', id="comma"),
        pytest.param(Share, "101 %", '"101 %" is outside 0 % to 100 %', id="over-everything"),
        pytest.param(Share, "١٠ %", '"١٠ %" is not understood here; write for example "10 %"', id="other-digits"),
        pytest.param(Effect, "100 pp", '"100 pp" is more than a share can change', id="all-points"),
        pytest.param(Percentile, "100th percentile", '"100th percentile" is outside 0 to 100', id="last-percentile"),
        pytest.param(
            Sample, "1 per arm", '"1 per arm" is too few to compare; write for example "6700 per arm"', id="one-an-arm"
        ),
        pytest.param(
            Duration,
            "9999999 years",
            '"9999999 years" is not understood here; write for example "7 days"',
            id="too-many-digits",
        ),
        pytest.param(Duration, "900000 years", '"900000 years" is longer than a century', id="too-long"),
        pytest.param(
            Money,
            "x" * 99,
            f'"{"x" * 57}…" is not understood here; write for example "20 EUR"',
            id="long-texts-are-cut",
        ),
    ],
)
def test_what_is_none_is_told(kind: type[Quantity], text: str, told: str) -> None:
    """And what to write instead."""
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        kind.parse(text)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@few
@given(text=st.text(max_size=40))
def test_any_other_text_is_refused_and_nothing_worse(kind: type[Quantity], text: str) -> None:
    """A quantity or a ValueError; what is read reads the same again."""
    with contextlib.suppress(ValueError):
        read = kind.parse(text)
        assert kind.parse(str(read)) == read


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@few
@given(data=st.data())
def test_texts_of_the_right_form_are_read_or_refused(kind: type[Quantity], data: st.DataObject) -> None:
    """However large the numbers in them."""
    text = data.draw(st.from_regex(f"^(?:{kind.pattern})$", fullmatch=True))
    with contextlib.suppress(ValueError):
        assert kind.parse(text).text == text.strip()
