"""The starter project: the shipped example made into a folder of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from engine.errors import Refused
from engine.rehearse.population import Files, generate

YAML = "campaigns.yaml"
TEMPLATES = "templates"
_IGNORED = "campaign.db*\noutbox/\nreports/\ndata/\n.campaign/\n.env\n"


def shipped() -> Path:
    """The folder with the shipped campaigns.yaml and templates/.

    A wheel carries them inside the package; an editable install reads the repository's own.
    """
    package = Path(__file__).resolve().parent.parent
    inside = package / "starter"
    return inside if inside.is_dir() else package.parent


def make_project(folder: Path, *, customers: int, seed: int, at: datetime) -> Files:
    """Make a working project: campaigns.yaml, templates, the schema for editors, and sample data.

    Args:
        customers: how many the sample data has.
        at: the sample data end here.

    Raises:
        Refused: the folder is a project already, or is a file.
    """
    if (folder / YAML).exists():
        raise Refused(f"{folder / YAML} exists; nothing was changed. Name another folder: campaign init DIR")
    copy_project(shipped(), folder, [Path(YAML)])
    return generate(folder / "data", customers=customers, seed=seed, at=at)


def copy_project(source: Path, folder: Path, declared: Iterable[Path]) -> None:
    """Copy what is declared and the templates, and write the schema beside them.

    Args:
        declared: the YAML files, below `source`.

    Raises:
        Refused: the folder is a file.
    """
    from engine.declare import schema

    if folder.exists() and not folder.is_dir():
        raise Refused(f"{folder} is a file; name a folder")
    folder.mkdir(parents=True, exist_ok=True)
    for file in declared:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / file, folder / file)
    if (source / TEMPLATES).is_dir():
        shutil.copytree(source / TEMPLATES, folder / TEMPLATES, dirs_exist_ok=True)
    schema.write(folder)
    ignored = folder / ".gitignore"
    if not ignored.exists():
        ignored.write_text(_IGNORED)
