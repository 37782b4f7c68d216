"""All rounds, decided or not, with what was claimed and what came of it; searchable."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import report_cases as cases

from engine.report import history
from engine.store.database import Database


@pytest.fixture
def rounds(database: Database) -> Database:
    """Four rounds of three campaigns."""
    second = cases.ship()
    second.number, second.launched_at = 2, cases.LAUNCHED + timedelta(days=20)
    running = cases.open_round()
    running.campaign, running.launched_at = "spring", cases.LAUNCHED + timedelta(days=30)
    running.plan["resolved"]["campaign"] |= {"labels": ["subject-line"], "segment": "vips"}
    running.claim["because"] = "Short SUBJECT lines are read on phones"
    less = cases.decrease()
    less.campaign, less.launched_at = "frequency", cases.LAUNCHED - timedelta(days=30)
    with database.write() as connection:
        for case in (cases.inconclusive(), second, running, less):
            cases.store(connection, case)
    return database


def found(database: Database, **options: Any) -> list[str]:
    with database.read() as connection:
        return [f"{one.campaign}/{one.number}" for one in history.past(connection, **options)]


def test_all_rounds_come_the_latest_launch_first(rounds: Database) -> None:
    assert found(rounds) == ["spring/1", "winback/2", "winback/1", "frequency/1"]


@pytest.mark.parametrize(
    ("search", "names"),
    [
        pytest.param("subject", ["spring/1"], id="reason-in-any-case"),
        pytest.param("subject-line", ["spring/1"], id="label"),
        pytest.param("VIPS", ["spring/1"], id="segment"),
        pytest.param("unsubscribe_rate", ["frequency/1"], id="metric"),
        pytest.param("winback", ["winback/2", "winback/1", "frequency/1"], id="campaign-or-label"),
        pytest.param("deadline winback ship", ["winback/2", "frequency/1"], id="every-word-must-occur"),
        pytest.param("snowboard", [], id="nothing"),
    ],
)
def test_a_search_looks_through_what_was_said(rounds: Database, search: str, names: list[str]) -> None:
    assert found(rounds, search=search) == names


def test_a_metric_finds_the_claims_about_it(rounds: Database) -> None:
    assert found(rounds, metric="unsubscribe_rate") == ["frequency/1"]


def test_each_round_is_one_line_with_its_effect(rounds: Database) -> None:
    with rounds.read() as connection:
        lines = history.to_text(history.past(connection), width=300).splitlines()
    assert len(lines) == 5
    assert lines[1].split()[:4] == ["2026-12-30", "spring/1", "open", "purchase_rate"]
    assert "ship" in lines[2]
    assert "+1.02 pp (+0.32 to +1.72 pp)" in lines[2]
    assert "inconclusive" in lines[3]
    assert "naming the product they viewed" in lines[3]


def test_lines_are_cut_for_a_narrow_terminal(rounds: Database) -> None:
    with rounds.read() as connection:
        lines = history.to_text(history.past(connection), width=100).splitlines()
    assert max(map(len, lines)) <= 100
    assert any(line.endswith("…") for line in lines)


def test_the_json_has_what_the_lines_have_unrounded(rounds: Database) -> None:
    with rounds.read() as connection:
        document = history.to_json(history.past(connection, search="frequency"))
    assert document["schema_version"] == 1
    (one,) = document["rounds"]
    assert one["effect"] == {"estimate": -0.0088, "low": -0.0142, "high": -0.0034}
    assert (one["effect_is"], one["will"], one["minimum_effect"]) == ("difference", "decrease", "0.5 pp")
    assert (one["decision"], one["winner"], one["decided_at"]) == ("ship", "deadline", "2026-12-09T10:00:00Z")


def test_a_relative_claim_is_remembered_as_a_lift(database: Database) -> None:
    with database.write() as connection:
        cases.store(connection, cases.unbounded())
    with database.read() as connection:
        (one,) = history.past(connection)
    assert one.to_json()["effect_is"] == "lift"
    assert "+31 % (−12 % or more, no upper limit)" in history.to_text([one], width=300)


def test_a_campaign_without_claim_is_remembered_too(database: Database) -> None:
    with database.write() as connection:
        cases.store(connection, cases.described())
    with database.read() as connection:
        (one,) = history.past(connection)
    assert one.to_json()["metric"] is None
    assert "nothing claimed" in history.to_text([one], width=300)


def test_nothing_found_says_so(database: Database) -> None:
    with database.read() as connection:
        assert history.to_text(history.past(connection), width=80) == "no experiment matches\n"
