"""Schedules that can never fire."""

from __future__ import annotations

from pathlib import Path

import pytest
from declare_project import SCHEDULE, changed, problems

MISTAKES = [
    pytest.param(
        [(SCHEDULE, "")],
        """\
campaigns.yaml:23:3: the campaign has no schedule, so it never sends
    winback:
    ^^^^^^^
  write for example schedule: {at: "2026-12-01 10:00"}
""",
        id="no-schedule",
    ),
    pytest.param(
        [('      cron: "0 10 * * TUE"\n', "")],
        """\
campaigns.yaml:41:5: the schedule does not say when; write one of at, cron, every or trigger
      schedule:
      ^^^^^^^^
""",
        id="schedule-says-nothing",
    ),
    pytest.param(
        [('      cron: "0 10 * * TUE"\n', '      cron: "0 10 * * TUE"\n      every: 3 days\n')],
        """\
campaigns.yaml:41:5: the schedule says cron and every at once; write one of at, cron, every or trigger
      schedule:
      ^^^^^^^^
""",
        id="schedule-says-two-things",
    ),
    pytest.param(
        [("ends: 2027-06-01", "ends: 2026-06-01")],
        """\
campaigns.yaml:44:13: the campaign ends before it starts on 2026-12-01
        ends: 2026-06-01
              ^^^^^^^^^^
""",
        id="ends-before-it-starts",
    ),
    pytest.param(
        [("ends: 2027-06-01", "ends: 2026-12-01")],
        """\
campaigns.yaml:44:13: the campaign ends on the day it starts; on the day of ends nothing is sent
        ends: 2026-12-01
              ^^^^^^^^^^
  write a later day
""",
        id="ends-the-day-it-starts",
    ),
    pytest.param(
        [('cron: "0 10 * * TUE"', "at: 2026-11-30 10:00")],
        """\
campaigns.yaml:42:11: this is before the campaign starts on 2026-12-01
        at: 2026-11-30 10:00
            ^^^^^^^^^^^^^^^^
""",
        id="at-before-the-start",
    ),
    pytest.param(
        [('cron: "0 10 * * TUE"', "at: 2027-06-01 10:00")],
        """\
campaigns.yaml:42:11: this is after the campaign ends; from 2027-06-01 nothing is sent
        at: 2027-06-01 10:00
            ^^^^^^^^^^^^^^^^
""",
        id="at-after-the-end",
    ),
    pytest.param(
        [("0 10 * * TUE", "0 10 * *")],
        """\
campaigns.yaml:42:13: a cron expression has five fields (minute hour day month weekday); this has 4
        cron: "0 10 * *"
              ^^^^^^^^^^
""",
        id="cron-with-four-fields",
    ),
    pytest.param(
        [("0 10 * * TUE", "0 0 10 * * TUE")],
        """\
campaigns.yaml:42:13: a cron expression has five fields (minute hour day month weekday); this has 6
        cron: "0 0 10 * * TUE"
              ^^^^^^^^^^^^^^^^
""",
        id="cron-with-seconds",
    ),
    pytest.param(
        [("0 10 * * TUE", "@daily")],
        """\
campaigns.yaml:42:13: "@daily" is not taken; write five fields, such as 0 10 * * TUE for Tuesdays at 10:00
        cron: "@daily"
              ^^^^^^^^
""",
        id="cron-macro",
    ),
    pytest.param(
        [("0 10 * * TUE", "0 10 * * 8")],
        """\
campaigns.yaml:42:13: "8" is no weekday; write 0 to 7 (0 and 7 are Sunday) or SUN to SAT
        cron: "0 10 * * 8"
              ^^^^^^^^^^^^
""",
        id="cron-weekday-eight",
    ),
    pytest.param(
        [("0 10 * * TUE", "0 10 * * DIE")],
        """\
campaigns.yaml:42:13: "die" is no weekday; write 0 to 7 (0 and 7 are Sunday) or SUN to SAT
        cron: "0 10 * * DIE"
              ^^^^^^^^^^^^^^
""",
        id="cron-unknown-weekday",
    ),
    pytest.param(
        [("0 10 * * TUE", "0 25 * * TUE")],
        """\
campaigns.yaml:42:13: "25" is no hour; write 0 to 23
        cron: "0 25 * * TUE"
              ^^^^^^^^^^^^^^
""",
        id="cron-hour-of-another-planet",
    ),
    pytest.param(
        [("0 10 * * TUE", "0 18-9 * * TUE")],
        """\
campaigns.yaml:42:13: the hour "18-9" runs backwards
        cron: "0 18-9 * * TUE"
              ^^^^^^^^^^^^^^^^
""",
        id="cron-backwards",
    ),
    pytest.param(
        [("0 10 * * TUE", "0 10 31 2 *")],
        """\
campaigns.yaml:42:13: no such day exists, so the campaign never sends
        cron: "0 10 31 2 *"
              ^^^^^^^^^^^^^
""",
        id="cron-day-that-never-comes",
    ),
    pytest.param(
        [("ends: 2027-06-01", "ends: 2026-12-07"), ("0 10 * * TUE", "0 10 * * MON")],
        """\
campaigns.yaml:42:13: no such day lies from 2026-12-01 until 2026-12-06, so the campaign never sends
        cron: "0 10 * * MON"
              ^^^^^^^^^^^^^^
""",
        id="cron-outside-the-period",
    ),
    pytest.param(
        [('cron: "0 10 * * TUE"', "every: 0 days")],
        """\
campaigns.yaml:42:14: a time of no length cannot be meant here
        every: 0 days
               ^^^^^^
  write for example 3 days
""",
        id="every-nothing",
    ),
    pytest.param(
        [("      starts: 2026", "      ramp: {steps: [25 %, 5 %, 100 %], hold: 1 day}\n      starts: 2026")],
        """\
campaigns.yaml:43:28: each step of a ramp has to be larger than the one before
        ramp: {steps: [25 %, 5 %, 100 %], hold: 1 day}
                             ^^^
""",
        id="ramp-falls",
    ),
    pytest.param(
        [("      starts: 2026", "      ramp: {steps: [5 %, 25 %], hold: 1 day}\n      starts: 2026")],
        """\
campaigns.yaml:43:27: the last step of a ramp has to be 100 %, or the rest is never sent to
        ramp: {steps: [5 %, 25 %], hold: 1 day}
                            ^^^^
""",
        id="ramp-ends-early",
    ),
    pytest.param(
        [('cron: "0 10 * * TUE"', "trigger: {after: 1 day}")],
        """\
campaigns.yaml:42:7: the trigger names nothing that happens; write one of event, anniversary or enters_segment
        trigger: {after: 1 day}
        ^^^^^^^
""",
        id="trigger-without-occasion",
    ),
    pytest.param(
        [("      starts: 2026", "      unless: {did: purchase}\n      starts: 2026")],
        """\
campaigns.yaml:43:7: unless: goes with trigger: only
        unless: {did: purchase}
        ^^^^^^
""",
        id="unless-without-trigger",
    ),
    pytest.param(
        [("      starts: 2026", "      ramp: {steps: [], hold: 1 day}\n      starts: 2026")],
        """\
campaigns.yaml:43:21: the ramp has no steps
        ramp: {steps: [], hold: 1 day}
                      ^^
  write for example [5 %, 25 %, 100 %]
""",
        id="ramp-without-steps",
    ),
    pytest.param(
        [('cron: "0 10 * * TUE"', 'trigger: {anniversary: birth_date, leap_day: "end of February"}')],
        """\
campaigns.yaml:42:52: write a month and a day, such as "02-28"
        trigger: {anniversary: birth_date, leap_day: "end of February"}
                                                     ^^^^^^^^^^^^^^^^^
""",
        id="leap-day-in-words",
    ),
    pytest.param(
        [('cron: "0 10 * * TUE"', "trigger: {event: cart, before: 2 days}")],
        """\
campaigns.yaml:42:30: before: goes with anniversary: only
        trigger: {event: cart, before: 2 days}
                               ^^^^^^
""",
        id="date-options-for-an-event",
    ),
    pytest.param(
        [("      starts: 2026", "      expires: 0 hours\n      starts: 2026")],
        """\
campaigns.yaml:43:16: a time of no length cannot be meant here
        expires: 0 hours
                 ^^^^^^^
  write for example 3 days
""",
        id="expires-at-once",
    ),
    pytest.param(
        [("    decide: {", "    round: {at_most: 0 days}\n    decide: {")],
        """\
campaigns.yaml:45:22: a time of no length cannot be meant here
      round: {at_most: 0 days}
                       ^^^^^^
  write for example 3 days
""",
        id="round-of-no-length",
    ),
    pytest.param(
        [("0 10 * * TUE", "*/0 10 * * TUE")],
        """\
campaigns.yaml:42:13: "*/0" is no minute; write 0 to 59
        cron: "*/0 10 * * TUE"
              ^^^^^^^^^^^^^^^^
""",
        id="cron-unknown-step",
    ),
    pytest.param(
        [("0 10 * * TUE", "0 10 ? * TUE")],
        """\
campaigns.yaml:42:13: "?" is no day of month; write 1 to 31
        cron: "0 10 ? * TUE"
              ^^^^^^^^^^^^^^
""",
        id="cron-quartz",
    ),
]


@pytest.mark.parametrize(("changes", "told"), MISTAKES)
def test_a_mistake_of_schedules_is_told_with_its_place(
    tmp_path: Path, changes: list[tuple[str, str]], told: str
) -> None:
    """The whole text: place, words, line, caret, hint."""
    assert problems(tmp_path, changed(*changes)) == told
