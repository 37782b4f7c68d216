"""Reading templates and following what they use."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import FixYourYaml
from engine.messages.templates import read_sources, with_included

SOURCES = {
    "mail.mjml": "{% extends 'base.mjml' %}{% block a %}{% include 'parts/footer.html' ignore missing %}{% endblock %}",
    "base.mjml": "{% import 'macros.mjml' as m %}{% block a %}{% endblock %}{% include 'gone.mjml' ignore missing %}",
    "macros.mjml": "{% from 'mail.mjml' import x %}",
    "parts/footer.html": "x",
    "other.mjml": "y",
}


def test_a_plan_seals_a_template_with_all_it_uses_and_nothing_else() -> None:
    used = with_included(["mail.mjml"], SOURCES)
    assert list(used) == ["base.mjml", "macros.mjml", "mail.mjml", "parts/footer.html"]
    assert used["parts/footer.html"] == "x"


def test_sources_are_all_templates_below_a_folder(tmp_path: Path) -> None:
    for name in ("a.mjml", "deep/er/b.html", "picture.png", "notes.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{name} é")
    assert read_sources(tmp_path) == {"a.mjml": "a.mjml é", "deep/er/b.html": "deep/er/b.html é"}
    assert read_sources(tmp_path / "nothing") == {}


def test_files_in_another_encoding_are_named_all_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.mjml").write_bytes(b"caf\xe9")
    (tmp_path / "b.html").write_bytes(b"\xff")
    with pytest.raises(FixYourYaml) as refused:
        read_sources(tmp_path)
    assert str(refused.value) == (
        "templates/a.mjml: byte 3 is not UTF-8; save the file in this encoding\n"
        "templates/b.html: byte 0 is not UTF-8; save the file in this encoding"
    )
