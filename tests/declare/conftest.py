"""A project folder to make mistakes in."""

from __future__ import annotations

from pathlib import Path

import pytest
from declare_project import TEMPLATE, TEMPLATES, Problems, put

from engine.declare.check import check
from engine.declare.load import examine, in_order
from engine.errors import FixYourYaml


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with the example's templates."""
    put(tmp_path, {f"templates/{name}": TEMPLATE for name in TEMPLATES})
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def problems(folder: Path) -> Problems:
    """What is wrong with a text as campaigns.yaml, as a person reads it."""

    def told(text: str | bytes, files: dict[str, str | bytes] | None = None) -> str:
        put(folder, {"campaigns.yaml": text, **(files or {})})
        try:
            declared, found = examine(folder / "campaigns.yaml")
        except FixYourYaml as error:
            return f"{error}\n"
        return "".join(f"{problem}\n" for problem in in_order(declared, found + check(declared)))

    return told
