"""`report` and `history` on the command line: stdout is data, a file gets the format of its ending."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
import report_cases as cases
import typer
from click.testing import Result
from typer.testing import CliRunner

from engine.cli import report as verbs
from engine.cli.session import Session
from engine.model import AsOf
from engine.store import pretended
from engine.store.database import Database

Run = Callable[..., Result]


@pytest.fixture
def run(database: Database, tmp_path: Path) -> Run:
    """The verbs on a store with one round each of two campaigns; `winback` was launched last."""
    other = cases.described()
    other.launched_at = cases.LAUNCHED.replace(month=1)
    with database.write() as connection:
        cases.store(connection, cases.ship())
        cases.store(connection, other)
    session = SimpleNamespace(
        file=tmp_path / "campaigns.yaml",
        at=None,
        open=lambda: database,
        now=lambda: cases.DECIDED,
        as_of=lambda: AsOf.live(cases.DECIDED),
    )
    app = typer.Typer()
    app.callback()(lambda: None)
    verbs.register(app)
    return lambda *arguments: CliRunner().invoke(app, arguments, obj=session, catch_exceptions=False)


def test_without_a_name_the_last_launch_is_reported_as_text(run: Run) -> None:
    result = run("report")
    assert result.exit_code == 0
    assert result.stdout.startswith("✓ Ship “deadline”")


def test_json_goes_to_stdout_alone(run: Run) -> None:
    document = json.loads(run("report", "winback", "--round", "1", "--format", "json").stdout)
    assert document["verdict"]["winner"] == "deadline"


@pytest.mark.parametrize(("name", "start"), [("r.html", "<!doctype html>"), ("r.json", "{\n"), ("r.txt", "✓ Ship")])
def test_a_file_gets_the_format_of_its_ending(run: Run, tmp_path: Path, name: str, start: str) -> None:
    result = run("report", "winback", "-o", str(tmp_path / name))
    assert (tmp_path / name).read_text(encoding="utf-8").startswith(start)
    assert result.stdout == ""
    assert f"wrote {tmp_path / name}" in result.stderr


def test_open_writes_a_page_and_shows_it(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr("webbrowser.open", shown.append)
    run("report", "winback", "--open")
    assert shown == [(tmp_path / "reports" / "winback-1.html").as_uri()]
    assert (tmp_path / "reports" / "winback-1.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_rehearsed_round_is_shown_as_of_its_own_time(database: Database, tmp_path: Path) -> None:
    reached = datetime(2099, 1, 1, tzinfo=UTC)
    with database.write() as connection:
        pretended.move_to(connection, reached)
    session = Session(file=tmp_path / "campaigns.yaml", database=database.url, at=None, acting=None)
    assert session.as_of().at == reached


def test_history_lists_and_searches(run: Run) -> None:
    assert run("history").stdout.count("\n") == 3
    assert "winback/1" in run("history", "--search", "deadline").stdout
    assert json.loads(run("history", "--metric", "revenue", "--format", "json").stdout)["rounds"] == []
