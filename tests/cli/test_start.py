"""`init` and `demo` as they are typed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
import typer
from typer.testing import CliRunner, Result

from engine.cli import start
from engine.cli.session import Session
from engine.customers.importing import import_file
from engine.errors import Refused
from engine.store import migrations
from engine.store.database import open_database

AT = datetime(2026, 11, 18, 15, tzinfo=UTC)
SHORT_ROUND = "until: 50 per arm, at_most: 60 days"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, and an environment that names no store."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(start, "_SAMPLE", 1_000)
    monkeypatch.setenv("CAMPAIGN_DATABASE_URL", "sqlite:///elsewhere.db")
    return tmp_path


def _typed(*words: str) -> Result:
    app = typer.Typer()
    start.register(app)
    session = Session(file=Path("campaigns.yaml"), database=None, at=AT, acting=None)
    return CliRunner().invoke(app, list(words), obj=session, catch_exceptions=False)


def test_init_makes_a_project_and_says_what_comes_next(here: Path) -> None:
    """From an empty folder to the next commands to type, which name files that are there."""
    result = _typed("init", "shop")
    assert result.exit_code == 0
    assert (here / "shop" / "campaigns.yaml").exists()
    commands = [line.split()[-1] for line in result.stdout.splitlines() if " import " in line]
    assert commands == ["data/customers.csv", "data/orders.csv", "data/events.csv"]
    assert all((here / "shop" / name).exists() for name in commands)


def test_init_without_a_folder_uses_this_one(here: Path) -> None:
    """`campaign init` alone makes a project here, and no command begins with `cd`."""
    result = _typed("init")
    assert (here / "campaigns.yaml").exists()
    assert "cd " not in result.stdout


def test_the_sample_data_can_be_imported_whole(here: Path) -> None:
    """No row of the sample data is rejected by the importer."""
    _typed("init")
    database = open_database(f"sqlite:///{here / 'campaign.db'}")
    migrations.prepare(database)
    for kind in ("customers", "orders", "events"):
        path = here / "data" / f"{kind}.csv"
        report = import_file(
            database, kind, path, mapping={}, source=None, through=None, max_rejects=0.0,
            rejects=here / f"{kind}.rejects.csv", now=AT,
        )  # fmt: skip
        assert report.rejected == 0
        assert report.rows == len(pl.read_csv(path, infer_schema=False))


def test_demo_plays_the_project_that_is_here(here: Path) -> None:
    """The demo of an own project plays its own campaigns.yaml, and prints funnel, verdict, truth and files."""
    _typed("init")
    file = here / "campaigns.yaml"
    file.write_text(file.read_text().replace("at_most: 60 days", SHORT_ROUND).replace("  winback:", "  come_back:"))
    result = _typed("demo", "--customers", "1000")
    assert result.exit_code == 0
    assert "launched round 1 of come_back" in result.stderr
    assert "launched round 1" not in result.stdout
    assert "matched by the segment" in result.stdout
    assert "come_back, round 1: decided" in result.stdout
    assert "control 4 %, deadline 7 %" in " ".join(result.stdout.split())
    assert "Report: campaign-demo/reports/come_back-1.html" in result.stdout
    assert (here / "campaign-demo" / "reports" / "come_back-1.html").exists()
    assert not list(here.rglob("elsewhere.db"))


def test_a_refused_demo_leaves_nothing_behind(here: Path) -> None:
    """A folder that is in use stays as it is, and no other file appears."""
    (here / "campaign-demo").mkdir()
    (here / "campaign-demo" / "notes.txt").touch()
    with pytest.raises(Refused, match="campaign-demo is not empty"):
        _typed("demo", "--customers", "100")
    assert [path.name for path in here.rglob("*") if path.is_file()] == ["notes.txt"]
