"""The report for a terminal: the decision first, readable at 80 columns."""

from __future__ import annotations

from typing import Any

import pytest
import report_cases as cases

from engine.report import text

EVERY = [pytest.param(make, id=make.__name__) for make in cases.ALL]


@pytest.mark.parametrize("make", EVERY)
def test_lines_fit_a_terminal_and_cannot_steer_it(make: Any) -> None:
    written = text.render(cases.report_of(make()))
    assert all(sign.isprintable() or sign == "\n" for sign in written)
    assert make is cases.hostile or [line for line in written.splitlines() if len(line) > 80] == []


def test_the_decision_is_the_first_line() -> None:
    lines = text.render(cases.report_of(cases.ship())).splitlines()
    assert lines[0] == "✓ Ship “deadline”: it did better than “control”."
    assert "winback, round 1: decided, as of 9 Dec 2026, 11:00" in lines


def test_parts_come_in_the_order_of_their_weight() -> None:
    written = text.render(cases.report_of(cases.guarded()), notes=["planted: +1.2 pp"])
    heads = ["Note", "Claim", "Health", "Arms", "Results", "Why", "Waves", "Sealed"]
    places = [written.index(f"\n{head}\n") for head in heads]
    assert places == sorted(places)


def test_each_metric_comes_with_its_interval() -> None:
    written = text.render(cases.report_of(cases.ship()))
    assert "purchase_rate (primary): deadline 5.02 %, control 4.00 %\n" in written
    assert "+1.02 pp (+0.32 to +1.72 pp), p 0.004\n" in written
    assert "+€0.46 (−€0.09 to +€1.01), p 0.103\n" in written
    assert "0 no difference, m worth having (+1.0 pp)" in written


def test_results_of_an_invalid_round_are_marked() -> None:
    assert "\nResults, not to be used\n" in text.render(cases.report_of(cases.invalid()))


def test_a_round_without_claim_has_no_claim_and_no_results() -> None:
    written = text.render(cases.report_of(cases.described()))
    assert "i 5,900 customers were messaged; nothing was claimed, so nothing is judged." in written
    assert "\nClaim\n" not in written
    assert "\nResults\n" not in written


def test_columns_are_aligned() -> None:
    assert text.table(("arm", "n"), [("control", "7"), ("b", "1,234")], left=1) == [
        "arm          n",
        "control      7",
        "b        1,234",
    ]
