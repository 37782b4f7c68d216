"""`campaign validate` and `campaign schema`: what is printed, how it ends, what it costs."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from declare_project import BASE, changed, prepare, put
from typer.testing import CliRunner, Result

from engine.cli.declare import register
from engine.cycle.validate import validate
from engine.declare.schema import json_schema

ROOT = Path(__file__).parents[2]
app = typer.Typer()


@app.callback()
def options(ctx: typer.Context, file: Path = Path("campaigns.yaml")) -> None:
    ctx.obj = SimpleNamespace(file=file)


register(app)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with the example in it."""
    monkeypatch.chdir(tmp_path)
    put(prepare(tmp_path), {"campaigns.yaml": BASE})
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_a_clean_project_says_what_is_in_it(folder: Path) -> None:
    """And ends with 0."""
    result = run("validate")
    assert result.stdout == "campaigns.yaml: 1 campaign, 2 segments, 2 metrics: no problems\n"
    assert result.exit_code == 0


def test_errors_are_printed_and_counted(folder: Path) -> None:
    """On stdout, because they are the answer; the exit code says the rest."""
    put(folder, {"campaigns.yaml": changed(("    segment: lapsing", "    segment: lapsng"))})
    result = run("validate")
    assert (
        result.stdout
        == """\
campaigns.yaml:27:14: there is no segment "lapsng"
      segment: lapsng
               ^^^^^^
  did you mean "lapsing"?
campaigns.yaml: 1 error
"""
    )
    assert (result.exit_code, result.stderr) == (1, "")


def test_a_warning_says_that_it_is_one_and_ends_well(folder: Path) -> None:
    """With the name of the lint."""
    put(folder, {"campaigns.yaml": changed((', postal_address: "1 Street, Berlin"', ""))})
    result = run("validate")
    assert (
        result.stdout
        == """\
campaigns.yaml:6:12: warning: marketing emails have to show a postal address in many countries [postal-address]
      email: {from: "Shop <hello@example.com>"}
             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  add postal_address: "Example Shop, 1 Street, Berlin" to the sender
campaigns.yaml: 1 campaign, 2 segments, 2 metrics: 1 warning
"""
    )
    assert result.exit_code == 0


def test_problems_as_json(folder: Path) -> None:
    """For tools: the same, in fields."""
    put(folder, {"campaigns.yaml": changed(("minimum_effect: 1.0 pp", "minimum_effect: 1"))})
    result = run("validate", "--format", "json")
    document = json.loads(result.stdout)
    assert (document["schema_version"], document["errors"], document["warnings"]) == (1, 1, 0)
    problem = document["problems"][0]
    assert (problem["file"], problem["line"], problem["column"]) == ("campaigns.yaml", 34, 23)
    assert problem["severity"] == "error"
    assert result.exit_code == 1


def test_a_clean_project_as_json(folder: Path) -> None:
    """An empty list, not nothing."""
    assert json.loads(run("validate", "--format", "json").stdout)["problems"] == []


def test_problems_as_annotations_of_a_pull_request(folder: Path) -> None:
    """Signs that GitHub's workflow commands use are escaped."""
    put(folder, {"campaigns.yaml": changed(("holdout: 10 %", "holdout: 10"))})
    result = run("validate", "--format", "github")
    assert result.stdout == (
        '::error file=campaigns.yaml,line=37,col=14::"10" has no unit; write for example "10 %25"\n'
    )
    put(folder, {"campaigns.yaml": changed((', postal_address: "1 Street, Berlin"', ""))})
    assert run("validate", "--format", "github").stdout.startswith(
        "::warning file=campaigns.yaml,line=6,col=12,title=postal-address::marketing emails"
    )


def test_the_file_may_be_named(folder: Path) -> None:
    """Another project, another folder."""
    put(folder, {"other/campaigns.yaml": BASE.replace("version: 1", "version: 9")})
    result = run("--file", "other/campaigns.yaml", "validate")
    assert result.stdout.startswith("other/campaigns.yaml:1:10: ")


def test_no_file_is_an_answer_too(folder: Path) -> None:
    """Not a traceback."""
    (folder / "campaigns.yaml").unlink()
    result = run("validate")
    assert result.stdout.startswith("campaigns.yaml: there is no such file\n")
    assert result.exit_code == 1


def test_names_in_templates_are_checked_beside_the_yaml(folder: Path) -> None:
    """A name that cannot exist is told with the template's line, and beside other problems."""
    put(folder, {"templates/plain.mjml": "<mjml><mj-body>\n{{ custmer.first_name }}</mj-body></mjml>"})
    put(folder, {"campaigns.yaml": changed(("minimum_effect: 1.0 pp", "minimum_effect: 1"))})
    places = [(problem.file, problem.line) for problem in validate(folder / "campaigns.yaml")]
    assert ("campaigns.yaml", 34) in places
    assert ("templates/plain.mjml", 2) in places


def test_a_missing_template_is_told_once(folder: Path) -> None:
    """By the declaration's check; the templates' check has nothing to add."""
    (folder / "templates" / "plain.mjml").unlink()
    assert [problem.message for problem in validate(folder / "campaigns.yaml")] == [
        'there is no template "templates/plain.mjml"'
    ]


def test_the_schema_is_printed_or_written(folder: Path) -> None:
    """For a tool, or where the editor looks for it."""
    assert json.loads(run("schema").stdout) == json_schema()
    assert run("schema", "--write").stdout == ".campaign/schema.json\n"
    assert json.loads((folder / ".campaign" / "schema.json").read_text()) == json_schema()


# --- cost ------------------------------------------------------------------------------------------------

HEAVY = ("scipy", "statsmodels", "polars", "numpy", "sqlalchemy", "fastapi", "uvicorn", "httpx", "apscheduler")


def test_validate_imports_nothing_heavy_and_opens_no_store(tmp_path: Path) -> None:
    """It runs on every save in an editor and on every commit."""
    look = (
        "import sys; from pathlib import Path; import engine.cli.declare; from engine.cycle.validate import validate\n"
        f"assert validate(Path({str(ROOT / 'campaigns.yaml')!r})) == []\n"
        f"print(*[name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", look], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
    assert list(tmp_path.iterdir()) == []


def _seconds(*arguments: str) -> float:
    """Processor time, because other tests run beside this one."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_validate_takes_at_most_twice_its_imports() -> None:
    """Twice the time to import what it rests on and to build the models; the better of two each."""
    imports = "import pydantic, ruamel.yaml, typer, jinja2, sqlalchemy, engine.declare.spec"
    floor = min(_seconds("-c", imports) for _ in range(2))
    assert min(_seconds("-m", "engine.cli.main", "validate") for _ in range(2)) <= 2 * floor
