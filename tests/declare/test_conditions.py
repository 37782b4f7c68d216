"""Conditions that nobody could meet."""

from __future__ import annotations

from pathlib import Path

import pytest
from declare_project import changed, problems

MISTAKES = [
    pytest.param(
        [("between: [60 days, 180 days]", "between: [60, 180]")],
        """\
campaigns.yaml:17:36: "60" has no unit; write for example "7 days"
          - {rfm: recency, between: [60, 180]}
                                     ^^
campaigns.yaml:17:40: "180" has no unit; write for example "7 days"
          - {rfm: recency, between: [60, 180]}
                                         ^^^
""",
        id="recency-without-unit",
    ),
    pytest.param(
        [("between: [60 days, 180 days]", "between: [180 days, 60 days]")],
        """\
campaigns.yaml:17:46: the upper bound is below the lower one, so nobody can match
          - {rfm: recency, between: [180 days, 60 days]}
                                               ^^^^^^^
""",
        id="recency-backwards",
    ),
    pytest.param(
        [("{rfm: recency, between: [60 days, 180 days]}", "{rfm: monetary_score, at_least: 6}")],
        """\
campaigns.yaml:17:43: a monetary score lies between 1 and 5
          - {rfm: monetary_score, at_least: 6}
                                            ^
""",
        id="score-outside",
    ),
    pytest.param(
        [("{rfm: recency, between: [60 days, 180 days]}", "{rfm: recency}")],
        """\
campaigns.yaml:17:11: this condition has no bound
          - {rfm: recency}
            ^^^^^^^^^^^^^^
  add at_least:, at_most: or between:
""",
        id="no-bound",
    ),
    pytest.param(
        [("{attribute: country, in: [DE, AT]}", "{attribute: country}")],
        """\
campaigns.yaml:18:11: this says nothing about the value
          - {attribute: country}
            ^^^^^^^^^^^^^^^^^^^^
  add a test, such as is:, in:, at_least: or exists:
""",
        id="attribute-without-test",
    ),
    pytest.param(
        [('{attribute: email, matches: "*@example.com"}', "{}")],
        """\
campaigns.yaml:21:18: this condition says nothing
    staff: {where: {}}
                   ^^
  write all:, any: or none: with a list
""",
        id="empty-group",
    ),
    pytest.param(
        [('{attribute: email, matches: "*@example.com"}', "{all: []}")],
        """\
campaigns.yaml:21:24: the list under all: is empty
    staff: {where: {all: []}}
                         ^^
  add a condition or remove it
""",
        id="empty-list-of-conditions",
    ),
    pytest.param(
        [("{attribute: country, in: [DE, AT]}", "{did: purchase, at_least: 3, at_most: 2}")],
        """\
campaigns.yaml:18:49: 2 is less than at_least, so nobody can match
          - {did: purchase, at_least: 3, at_most: 2}
                                                  ^
""",
        id="at-most-below-at-least",
    ),
    pytest.param(
        [("{rfm: recency, between: [60 days, 180 days]}", "{decile: monetary, at_most: 11}")],
        """\
campaigns.yaml:17:39: a decile lies between 1 and 10
          - {decile: monetary, at_most: 11}
                                        ^^
""",
        id="decile-outside",
    ),
    pytest.param(
        [("{rfm: recency, between: [60 days, 180 days]}", "{did: purchase, within: 0 days}")],
        """\
campaigns.yaml:17:35: a window of no length holds nothing
          - {did: purchase, within: 0 days}
                                    ^^^^^^
  write for example 30 days
""",
        id="window-of-nothing",
    ),
    pytest.param(
        [("{rfm: recency, between: [60 days, 180 days]}", "{did: purchase, at_least: 0}")],
        """\
campaigns.yaml:17:37: at_least: 0 holds for everybody
          - {did: purchase, at_least: 0}
                                      ^
  write did_not: for those without the event
""",
        id="everybody",
    ),
    pytest.param(
        [("{rfm: recency, between: [60 days, 180 days]}", "{did: purchase, at_most: 0}")],
        """\
campaigns.yaml:17:36: at most 0 times and at least once cannot both hold
          - {did: purchase, at_most: 0}
                                     ^
  write did_not: purchase
""",
        id="never-and-once",
    ),
    pytest.param(
        [("{rfm: recency, between: [60 days, 180 days]}", "{did: purchase, where: {category: {}}}")],
        """\
campaigns.yaml:17:45: this says nothing about the value
          - {did: purchase, where: {category: {}}}
                                              ^^
  add a test, such as is:, in:, at_least: or exists:
""",
        id="property-without-test",
    ),
    pytest.param(
        [("{rfm: recency, between: [60 days, 180 days]}", "{rfm: frequency, at_least: often}")],
        """\
campaigns.yaml:17:38: "often" is no number; write for example 3
          - {rfm: frequency, at_least: often}
                                       ^^^^^
""",
        id="frequency-in-words",
    ),
    pytest.param(
        [("{attribute: country, in: [DE, AT]}", "{attribute: age, between: [40, 20]}")],
        """\
campaigns.yaml:18:42: the upper bound is below the lower one, so nobody can match
          - {attribute: age, between: [40, 20]}
                                           ^^
""",
        id="values-backwards",
    ),
]


@pytest.mark.parametrize(("changes", "told"), MISTAKES)
def test_a_mistake_of_conditions_is_told_with_its_place(
    tmp_path: Path, changes: list[tuple[str, str]], told: str
) -> None:
    """The whole text: place, words, line, caret, hint."""
    assert problems(tmp_path, changed(*changes)) == told
