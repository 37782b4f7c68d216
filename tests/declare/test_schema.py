"""The JSON Schema: what editors and other tools accept is what the engine accepts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from declare_project import BASE, changed
from jsonschema import Draft202012Validator
from reference import SHARED
from ruamel.yaml import YAML

from engine.declare import reference, schema

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
SCHEMA = schema.json_schema()


def as_an_editor_reads(text: str) -> Any:
    """Plain YAML: numbers, booleans and dates where they look like them."""
    return json.loads(json.dumps(YAML(typ="safe", pure=True).load(text), default=str))


def complaints(text: str) -> list[str]:
    return [error.json_path for error in Draft202012Validator(SCHEMA).iter_errors(as_an_editor_reads(text))]


def fields(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, dict):
        for name, field in node.get("properties", {}).items():
            yield f"{path}.{name}", field
        for key, below in node.items():
            yield from fields(below, f"{path}/{key}")


def test_the_schema_is_one() -> None:
    """Draft 2020-12, checked against its own rules."""
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(SCHEMA)


def test_every_field_has_a_description() -> None:
    """It is what a marketer sees in the editor."""
    every = dict(fields(SCHEMA))
    assert len(every) > 200
    assert [name for name, field in every.items() if len(field.get("description", "")) < 5] == []


@pytest.mark.parametrize(
    "path",
    [
        ROOT / "campaigns.yaml",
        HERE / "core" / "campaigns.yaml",
        SHARED / "campaigns.full.yaml",
        HERE / "grammar" / "campaigns.yaml",
    ],
    ids=["shipped", "core", "shared", "own"],
)
def test_the_examples_are_accepted(path: Path) -> None:
    """Read as any editor reads them."""
    if not path.exists():
        pytest.skip("the shared reference data are not here")
    assert complaints(path.read_text()) == []


@pytest.mark.parametrize("part", ["metrics", "segments", "campaigns"])
def test_the_parts_of_the_whole_grammar_are_accepted(part: str) -> None:
    """An included file lacks the version, and nothing else."""
    text = (HERE / "grammar" / "parts" / f"{part}.yaml").read_text()
    assert complaints(f"version: 1\n{text}") == []


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(("because: They wait for a reason", "because: 2026"), id="number-for-a-text"),
        pytest.param(("because: They wait for a reason", "because: no"), id="word-that-old-yaml-takes-for-false"),
        pytest.param(
            ("{attribute: country, in: [DE, AT]}", "{attribute: plz, in: [010, 1.5, true]}"), id="numbers-in-a-list"
        ),
        pytest.param(("{subject: Until Sunday,", '{weight: "2", subject: Until Sunday,'), id="quoted-number"),
        pytest.param(("    topic: offers\n", "    topic: ~\n"), id="nothing"),
        pytest.param(("campaigns:\n", "surveys:\ncampaigns:\n"), id="empty-section"),
        pytest.param(("version: 1", 'version: "1"'), id="quoted-version"),
    ],
)
def test_what_is_read_as_text_may_look_like_something_else(change: tuple[str, str]) -> None:
    """The engine keeps the text; an editor must not complain."""
    assert complaints(changed(change)) == []


@pytest.mark.parametrize(
    ("change", "place"),
    [
        pytest.param(("    segment: lapsing", "    segmant: lapsing"), "$.campaigns", id="unknown-key"),
        pytest.param(("topics:", "topic:"), "$", id="unknown-section"),
        pytest.param(("    owner: anna@example.com\n", ""), "$.campaigns", id="missing-key"),
        pytest.param(("minimum_effect: 1.0 pp", "minimum_effect: 1"), "$.campaigns", id="bare-number-for-an-effect"),
        pytest.param(("holdout: 10 %", "holdout: 0.1"), "$.campaigns", id="bare-number-for-a-share"),
        pytest.param(("amount, within: 7 days", "amount, within: 7"), "$.metrics", id="bare-number-for-a-time"),
        pytest.param(("amount, within: 7 days", "amount, within: 7 dais"), "$.metrics", id="unknown-unit"),
        pytest.param(("    channel: email", "    channel: emial"), "$.campaigns", id="unknown-word"),
        pytest.param(("secondary: [revenue]", "secondary: revenue"), "$.campaigns", id="text-for-a-list"),
        pytest.param(("{rfm: recency,", "{rfm: recency, did: x,"), "$.segments", id="two-conditions"),
        pytest.param(("{rfm: recency,", "{rfn: recency,"), "$.segments", id="unknown-condition"),
        pytest.param(("between: [60 days, 180 days]", "between: [60 days]"), "$.segments", id="one-of-two-values"),
        pytest.param(
            ("{subject: Until Sunday,", "{weight: -1, subject: Until Sunday,"), "$.campaigns", id="below-zero"
        ),
        pytest.param(("  staff: {where", "  our staff: {where"), "$.segments", id="no-name"),
        pytest.param(("version: 1", "version: 2"), "$.version", id="unknown-version"),
    ],
)
def test_mistakes_are_refused(change: tuple[str, str], place: str) -> None:
    """Where they stand."""
    found = complaints(changed(change))
    assert found
    assert all(path.startswith(place) for path in found)


def test_the_schema_is_written_where_the_first_line_points(tmp_path: Path) -> None:
    """`# yaml-language-server: $schema=./.campaign/schema.json`."""
    written = schema.write(tmp_path)
    assert written == tmp_path / ".campaign" / "schema.json"
    assert json.loads(written.read_text()) == SCHEMA
    assert (ROOT / "campaigns.yaml").read_text().startswith("# yaml-language-server: $schema=./.campaign/schema.json\n")


def test_the_example_of_these_tests_is_accepted() -> None:
    """Or the refusals above would mean nothing."""
    assert complaints(BASE) == []


def test_the_reference_is_up_to_date() -> None:
    """`python -m engine.declare.reference > docs/reference.md` was run after the last change of the models."""
    assert (ROOT / "docs" / "reference.md").read_text() == reference.reference()


def test_the_reference_links_lead_somewhere() -> None:
    """Every key leads to what may stand below it."""
    text = reference.reference()
    headings = {line[3:].lower().replace(" ", "-") for line in text.splitlines() if line.startswith("## ")}
    links = {part.split(")")[0] for part in text.split("](#")[1:]}
    assert links <= headings
