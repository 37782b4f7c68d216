"""The data-quality report: what a file was like, for people and for tools; and the command that prints it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from click.testing import Result
from import_cases import NOW, bring, customers, rows, written
from typer.testing import CliRunner

from engine.cli import imports
from engine.customers.quality import ImportReport
from engine.errors import FixYourData
from engine.store.database import Database
from engine.store.tables import import_file, order_line

FILE = (
    "customer_id,email,country,birth_date\n"
    "c1,a@example.com,DE,1980-01-01\n"
    "c2,nonsense,Atlantis,\n"
    "c3,also nonsense,,\n"
    "c1,b@example.com,,\n"
    "c4,,,80\n"
    "c5\n"
)


def test_the_report_as_people_read_it(database: Database) -> None:
    report = bring(database, "customers", FILE, max_rejects=0.5)
    assert report.to_text() == (
        "file.csv: customers from customers\n"
        "  rows      6\n"
        "  taken     3 (new 3, changed 0, unchanged 0)\n"
        "  rejected  2 (33.33%), see rejects.csv\n"
        "           1  birth_date is no day that can be read; write for example 1980-05-17\n"
        "           1  the row has 1 fields where the header has 4\n"
        "  noticed\n"
        "           1  rows repeat another row of the file\n"
        "           2  email is no usable address (line 3, 4)\n"
        "           1  country is no country that we know by code or English name (line 3)\n"
        "  filled\n"
        "    100.0%  customer_id\n"
        "     50.0%  email\n"
        "     25.0%  birth_date\n"
        "     25.0%  country\n"
    )


def test_the_report_as_tools_read_it(database: Database) -> None:
    report = bring(database, "events", "customer_id,name,occurred_at\nc1,visit,2025-06-01T00:00:00Z\n")
    document = json.loads(json.dumps(report.to_json()))
    assert document["schema_version"] == 1
    assert (document["rows"], document["accepted"], document["new"], document["rejected"]) == (1, 1, 1, 0)
    assert document["first_at"] == document["last_at"] == document["through"] == "2025-06-01T00:00:00Z"
    assert document["filled"] == {"event_id": 1, "customer_id": 1, "name": 1, "occurred_at": 1, "value": 0}
    assert document["unknown_customers"] == 1
    assert ImportReport.from_json(document) == report


def test_the_report_is_kept_with_the_import(database: Database) -> None:
    report = bring(database, "customers", FILE, max_rejects=0.5)
    ((kept, name, count, rejected),) = rows(database, import_file, "report", "name", "rows", "rejected")
    assert ImportReport.from_json(kept) == report
    assert (name, count, rejected) == ("file.csv", 3, 2)


# --- the command -------------------------------------------------------------------------------------------------

Run = Callable[..., Result]


@pytest.fixture
def run(database: Database) -> Run:
    session = SimpleNamespace(open=lambda: database, now=lambda: NOW)
    app = typer.Typer()
    app.callback()(lambda: None)
    imports.register(app)
    return lambda *arguments: CliRunner().invoke(app, arguments, obj=session)


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(("--map", "customer_id=Nr", "--map", "city=Ort"), id="an-option-each"),
        pytest.param(("--map", "customer_id=Nr", "city=Ort"), id="one-option-for-all"),
    ],
)
def test_names_are_mapped(run: Run, database: Database, names: tuple[str, ...]) -> None:
    result = run("import", "customers", str(written("Nr;Ort\nc1;Bonn\n")), *names)
    assert result.exit_code == 0
    assert result.stdout.startswith("file.csv: customers from customers\n  rows      1\n")
    assert customers(database) == {"c1": {"city": "Bonn"}}


def test_options_reach_the_import(run: Run, database: Database) -> None:
    file = written("order_id,customer_id,ordered_at,amount\nA,c1,2025-06-01 10:00:00,1\nB,c1,never,1\n")
    result = run(
        "import", "orders", str(file), "--through", "2025-07-01T00:00:00Z", "--max-rejects", "50 %", "--source", "till",
        "--currency", "EUR", "--timezone", "Europe/Berlin", "--rejects", "bad.jsonl", "--format", "json",
    )  # fmt: skip
    document = json.loads(result.stdout)
    assert (document["source"], document["through"], document["rejects_file"]) == (
        "till",
        "2025-07-01T00:00:00Z",
        "bad.jsonl",
    )
    assert rows(database, order_line, "order_id", "currency") == [("A", "EUR")]


def test_rejects_go_to_a_file_of_that_name_in_the_present_folder(run: Run) -> None:
    Path("data").mkdir()
    run("import", "customers", str(written("customer_id,a\nc1\n", "data/x.csv")), "--max-rejects", "100 %")
    assert Path("x.csv.rejects.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--map", "customer_id"), "'customer_id' is not OURS=THEIRS, for example customer_id=CustomerNo"),
        (("--map", "a=b", "a=c"), "'a' is given twice"),
        (("--through", "yesterday"), "Invalid isoformat string"),
        (("--through", "2025-06-01"), "has no time zone"),
        (("--max-rejects", "5"), "has no unit"),
        (("--format", "xml"), "xml"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(run: Run, arguments: tuple[str, ...], message: str) -> None:
    result = run("import", "customers", str(written("customer_id\nc1\n")), *arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.output.replace("│", " ").split())


def test_a_file_that_is_refused_is_the_users_to_mend(run: Run) -> None:
    result = run("import", "customers", "missing.csv")
    assert isinstance(result.exception, FixYourData)


def test_the_command_line_starts_without_polars() -> None:
    program = "import sys, engine.cli.imports, engine.customers.importing; sys.exit('polars' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
