"""The starter project is the shipped example, complete and somebody's own."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.cycle.validate import validate
from engine.declare.load import load
from engine.declare.support import unsupported
from engine.errors import Refused
from engine.rehearse import starter
from engine.rehearse.starter import YAML, make_project, shipped

AT = datetime(2026, 11, 18, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("starter") / "shop"
    make_project(folder, customers=200, seed=1, at=AT)
    return folder


def test_the_shipped_example_has_nothing_to_complain_about(project: Path) -> None:
    """A newcomer's first `validate` is clean."""
    assert [str(problem) for problem in validate(project / YAML) if problem.severity == "error"] == []


def test_the_shipped_example_uses_only_what_this_release_can_do() -> None:
    """Nothing in it is refused at `plan`."""
    declared = load(shipped() / YAML)
    assert [str(problem) for name in declared.project.campaigns for problem in unsupported(declared, name)] == []


def test_the_schema_is_where_the_first_line_points(project: Path) -> None:
    """Editors find the schema without being told."""
    first = (project / YAML).read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=./.campaign/schema.json"
    assert (project / ".campaign" / "schema.json").exists()


def test_the_files_are_the_shipped_ones(project: Path) -> None:
    """What is tested here is what a newcomer edits."""
    assert (project / YAML).read_bytes() == (shipped() / YAML).read_bytes()
    for template in (shipped() / "templates").rglob("*.mjml"):
        assert (project / template.relative_to(shipped())).read_bytes() == template.read_bytes()


def test_a_project_is_never_overwritten(project: Path) -> None:
    """A second `init` in the same folder changes nothing."""
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    with pytest.raises(Refused, match=r"campaigns\.yaml exists; nothing was changed"):
        make_project(project, customers=100, seed=2, at=AT)
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    """The folder's name may be taken by a file."""
    (tmp_path / "shop").write_text("a list")
    with pytest.raises(Refused, match="shop is a file; name a folder"):
        make_project(tmp_path / "shop", customers=100, seed=1, at=AT)


def test_an_own_gitignore_is_kept(tmp_path: Path) -> None:
    """`init` in an existing repository leaves its ignore list alone."""
    (tmp_path / ".gitignore").write_text("mine\n")
    make_project(tmp_path, customers=100, seed=1, at=AT)
    assert (tmp_path / ".gitignore").read_text() == "mine\n"


def test_a_wheel_carries_the_starter() -> None:
    """What an editable install reads from the repository is packed where a wheel looks for it."""
    root = Path(starter.__file__).resolve().parent.parent.parent
    build = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert build["force-include"] == {
        "campaigns.yaml": "engine/starter/campaigns.yaml",
        "templates": "engine/starter/templates",
    }
    assert all((root / source).exists() for source in build["force-include"])


def test_a_wheel_finds_its_starter_inside_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the package has a starter, it is used and not the folder around the package."""
    inside = tmp_path / "engine" / "starter"
    inside.mkdir(parents=True)
    monkeypatch.setattr(starter, "__file__", str(tmp_path / "engine" / "rehearse" / "starter.py"))
    assert shipped() == inside
    inside.rmdir()
    assert shipped() == tmp_path
