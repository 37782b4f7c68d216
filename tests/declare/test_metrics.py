"""Metrics that lack what their kind is made of."""

from __future__ import annotations

from pathlib import Path

import pytest
from declare_project import changed, problems

MISTAKES = [
    pytest.param(
        [("{kind: conversion, event: purchase,", "{kind: conversion,")],
        """\
campaigns.yaml:11:3: a metric of kind conversion needs event:
    purchase_rate: {kind: conversion, within: 7 days}
    ^^^^^^^^^^^^^
  add for example event: purchase
""",
        id="conversion-without-event",
    ),
    pytest.param(
        [("{kind: conversion, event: purchase,", "{kind: conversion, event: purchase, value: amount,")],
        """\
campaigns.yaml:11:54: a metric of kind conversion has no value:
    purchase_rate: {kind: conversion, event: purchase, value: amount, within: 7 days}
                                                       ^^^^^
  write kind: mean to add up a value
""",
        id="conversion-with-value",
    ),
    pytest.param(
        [("value: amount, ", "")],
        """\
campaigns.yaml:12:3: a metric of kind mean needs value:
    revenue: {kind: mean, event: purchase, within: 7 days}
    ^^^^^^^
  add for example value: amount
""",
        id="mean-without-value",
    ),
    pytest.param(
        [("{kind: mean, event: purchase, value: amount,", "{kind: ratio,")],
        """\
campaigns.yaml:12:3: a metric of kind ratio needs numerator:
    revenue: {kind: ratio, within: 7 days}
    ^^^^^^^
  add for example numerator: {event: purchase, value: margin}
campaigns.yaml:12:3: a metric of kind ratio needs denominator:
    revenue: {kind: ratio, within: 7 days}
    ^^^^^^^
  add for example denominator: {event: purchase, value: amount}
""",
        id="ratio-without-parts",
    ),
    pytest.param(
        [
            (
                "{kind: mean, event: purchase, value: amount,",
                "{kind: quantile, quantile: 90, event: purchase, value: amount,",
            )
        ],
        """\
campaigns.yaml:12:39: "90.0" is outside 0 to 1
    revenue: {kind: quantile, quantile: 90, event: purchase, value: amount, within: 7 days}
                                        ^^
  write for example 0.9
""",
        id="quantile-outside",
    ),
    pytest.param(
        [("value: amount, within: 7 days", "value: amount")],
        """\
campaigns.yaml:12:3: the metric says no window
    revenue: {kind: mean, event: purchase, value: amount}
    ^^^^^^^
  add for example within: 7 days
""",
        id="metric-without-window",
    ),
    pytest.param(
        [("value: amount, within: 7 days", "value: amount, within: 7 days, between: [1 days, 2 days]")],
        """\
campaigns.yaml:12:73: the metric has two windows, within: and between:
    revenue: {kind: mean, event: purchase, value: amount, within: 7 days, between: [1 days, 2 days]}
                                                                          ^^^^^^^
  remove one of them
""",
        id="metric-with-two-windows",
    ),
    pytest.param(
        [("value: amount, within: 7 days", "value: amount, between: [9 days, 2 days]")],
        """\
campaigns.yaml:12:66: the window ends before it begins
    revenue: {kind: mean, event: purchase, value: amount, between: [9 days, 2 days]}
                                                                   ^^^^^^^^^^^^^^^^
  write the shorter time first
""",
        id="window-backwards",
    ),
]


@pytest.mark.parametrize(("changes", "told"), MISTAKES)
def test_a_mistake_of_metrics_is_told_with_its_place(tmp_path: Path, changes: list[tuple[str, str]], told: str) -> None:
    """The whole text: place, words, line, caret, hint."""
    assert problems(tmp_path, changed(*changes)) == told
