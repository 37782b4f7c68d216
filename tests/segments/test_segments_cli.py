"""`campaign segments …` in a terminal and for other programs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from segment_world import AS_OF, people, store
from typer.testing import CliRunner

from engine.cli import segments
from engine.declare.spec import Project
from engine.errors import NotFound
from engine.model import AsOf
from engine.store.database import Database

PROJECT = Project.model_validate(
    {
        "version": "1",
        "segments": {
            "german": {"description": "Those in Germany", "where": {"attribute": "country", "is": "DE"}},
            "later": {"where": {"any": [{"sample": "10 %"}, {"in_segment": "german"}]}},
        },
    }
)


@dataclass
class Desk:
    """What the command line hands to its verbs."""

    database: Database

    def declared(self) -> Any:
        return SimpleNamespace(project=PROJECT)

    def open(self) -> Database:
        return self.database

    def as_of(self) -> AsOf:
        return AS_OF


@pytest.fixture
def german(database: Database) -> list[str]:
    population = people(31, 60)
    store(database, population)
    return sorted(
        person.customer_id
        for person in population
        if person.columns["country"] == "DE"
        and person.recorded_at <= AS_OF.known_at
        and (person.columns["signed_up_at"] or AS_OF.at.min.replace(tzinfo=AS_OF.at.tzinfo)) < AS_OF.at
    )


def _run(database: Database, *words: str) -> str:
    app = typer.Typer()
    segments.register(app)
    result = CliRunner().invoke(app, ["segments", *words], obj=Desk(database), catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_list_names_what_is_declared(database: Database) -> None:
    """A line a segment, with its description."""
    assert _run(database, "list") == "german  Those in Germany\nlater\n"
    assert json.loads(_run(database, "list", "--format", "json")) == [
        {"name": "german", "description": "Those in Germany"},
        {"name": "later", "description": None},
    ]


def test_size_is_the_count(database: Database, german: list[str]) -> None:
    """A bare number, so that a script can use it."""
    assert _run(database, "size", "german") == f"{len(german)}\n"
    answer = json.loads(_run(database, "size", "german", "--format", "json"))
    assert answer == {"name": "german", "as_of": "2026-06-15T12:00:00Z", "customers": len(german)}


def test_show_says_the_rule_in_words(database: Database, german: list[str]) -> None:
    """Each condition with its count; what cannot be counted yet says so."""
    shown = _run(database, "show", "german").splitlines()
    assert shown == ["german: Those in Germany", f"{len(german):>11}  country is DE"]
    assert "    not yet    sample 10 %" in _run(database, "show", "later").splitlines()
    answer = json.loads(_run(database, "show", "later", "--format", "json"))
    assert answer["rule"][2] == {"depth": 1, "words": "is in the segment german", "customers": len(german)}
    assert answer["rule"][1]["customers"] is None


def test_sample_names_the_same_customers_each_time(database: Database, german: list[str]) -> None:
    """The first by customer_id, one a line."""
    assert _run(database, "sample", "german", "-n", "3").splitlines() == german[:3]
    answer = json.loads(_run(database, "sample", "german", "--format", "json"))
    assert answer["customer_ids"] == german[:10]


def test_an_unknown_name_gets_a_suggestion(database: Database) -> None:
    """The nearest declared segment is named."""
    with pytest.raises(NotFound, match=r'^there is no segment "germna"; did you mean "german"\?$'):
        _run(database, "size", "germna")
