"""What the pages say can be typed, opened and found."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from engine.cli.main import app

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_FENCE = re.compile(r"^```sh(?: \w+)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")


def _verbs() -> set[str]:
    command = get_command(app)
    assert isinstance(command, typer.core.TyperGroup)
    return set(command.commands)


def _typed(page: Path) -> set[str]:
    """The verbs of every `campaign …` on a page, in code blocks and between backticks."""
    text = page.read_text(encoding="utf-8")
    blocks = re.sub(r"#.*", "", "\n".join(_FENCE.findall(text)))
    code = "\n".join([blocks, *re.findall(r"`(campaign [^`]+)`", text)])
    after = re.findall(r"\bcampaign((?: --(?:at|as|file|database) \S+)*) ([a-z-]+)", code)
    return {verb for _, verb in after}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_verb_on_a_page_exists(page: Path) -> None:
    """Nobody types a command from the documentation that is not there."""
    assert _typed(page) <= _verbs()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    """Links inside the repository name files that are there."""
    targets = [target for target in _LINK.findall(page.read_text(encoding="utf-8")) if "://" not in target]
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("block", ["demo", "test"])
def test_the_first_screen_has_one_command_for(block: str) -> None:
    """README's two commands are one line each, and stand on the first screen."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"^```sh {block}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    assert len([line for line in found[1].splitlines() if line.strip() and not line.startswith("#")]) == 1
    assert text[: found.start()].count("\n") < 25


def test_files_and_folders_that_pages_name_exist() -> None:
    """A path below engine/, benchmarks/ or docs/ can be opened."""
    named = {
        path
        for page in PAGES
        for path in re.findall(r"((?:engine|benchmarks|docs)/[\w./-]*\w)", page.read_text(encoding="utf-8"))
    }
    assert named
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_the_lock_file_names_the_public_registry_only() -> None:
    """What is locked can be installed anywhere."""
    lock = (ROOT / "uv.lock").read_text(encoding="utf-8")
    assert set(re.findall(r'registry = "([^"]+)"', lock)) == {"https://pypi.org/simple"}
    assert "file://" not in lock


def test_the_rooms_on_the_front_page_are_the_rooms() -> None:
    """README's map of engine/ is complete."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rooms = {path.name for path in (ROOT / "engine").iterdir() if path.is_dir() and not path.name.startswith("__")}
    assert {room for room in rooms if f"`{room}/`" not in text} == set()
