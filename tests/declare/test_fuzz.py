"""Whatever stands in the file: a project, or FixYourYaml with places that exist."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from declare_project import BASE, prepare
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from engine.declare.check import check
from engine.declare.load import examine
from engine.declare.support import unsupported
from engine.errors import FixYourYaml, Problem

GRAMMAR = Path(__file__).parent / "grammar"
WHOLE = "".join(
    (GRAMMAR / name).read_text() for name in ("campaigns.yaml", "parts/metrics.yaml", "parts/segments.yaml")
)
WHOLE = WHOLE.replace("include: [parts/*.yaml]\n", "") + (GRAMMAR / "parts/campaigns.yaml").read_text()
LINES = WHOLE.splitlines(keepends=True)

few = settings(
    max_examples=int(os.environ.get("CAMPAIGN_TEST_EXAMPLES", "25")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
nasty = st.sampled_from(
    ["~", "[]", "{}", "[[]]", "{a: 1}", "-1", "1e999", "nan", "'", '"', ":", "*a", "&a ", "!!x ", "\t", "- ", "? ", "|",
     "<<", "\x00", "\u2028", "\ufeff", "é", "9" * 400, "0 %", "100 %", "x" * 70, "{{ x }}", "holdout", "2026-02-30",
     "[1, 2, 3]", '"\\ud800"', "=text", "[key]", "..", "/", "{language}", "%", "@", "`", "#", "null"]
)  # fmt: skip


def survives(folder: Path, body: bytes) -> None:
    path = prepare(folder) / "campaigns.yaml"
    path.write_bytes(body)
    for problem in every_problem(path):
        is_readable(problem)


def every_problem(path: Path) -> list[Problem]:
    try:
        declared, found = examine(path)
    except FixYourYaml as error:
        return error.problems
    refused = [problem for name in declared.project.campaigns for problem in unsupported(declared, name)]
    return found + check(declared) + refused


def is_readable(problem: Problem) -> None:
    """It has words, a place in its line, and none of pydantic's or Python's own language."""
    assert problem.message
    assert str(problem)
    jargon = ("validat", "Input should", "str_", "NoneType", "Traceback", "pydantic", "<class")
    assert not any(word in problem.message for word in jargon), problem.message
    if problem.line is not None:
        assert problem.line >= 1
        assert problem.source is not None
        assert problem.column is not None
        assert 1 <= problem.column <= len(problem.source) + 1


@few
@given(body=st.binary(max_size=300))
@example(body=b"\xff\xfeb\x00")
def test_any_bytes(tmp_path: Path, body: bytes) -> None:
    """Other encodings, cut files, other files altogether."""
    survives(tmp_path, body)


@few
@given(text=st.text(alphabet=st.characters(codec="utf-8"), max_size=300))
@example(text='"\\UFFFFFFFF"')
@example(text="? ? ?")
@example(text="a: &a\n  b: *a\n")
def test_any_text(tmp_path: Path, text: str) -> None:
    """Most of it no YAML."""
    survives(tmp_path, text.encode())


@few
@given(text=st.text(alphabet="ab:-?[]{}&*!|>'\"%@`#,~<= \n\t01.", max_size=120))
def test_texts_of_what_yaml_is_made_of(tmp_path: Path, text: str) -> None:
    """Much of it YAML, none of it a project."""
    survives(tmp_path, text.encode())


@few
@given(data=st.data())
def test_a_whole_project_with_a_value_replaced(tmp_path: Path, data: st.DataObject) -> None:
    """A hostile value at any place where one stands."""
    place = data.draw(st.integers(0, len(WHOLE) - 1))
    length = data.draw(st.integers(0, 30))
    changed = WHOLE[:place] + data.draw(nasty) + WHOLE[place + length :]
    survives(tmp_path, changed.encode("utf-8", errors="replace"))


@few
@given(data=st.data())
def test_a_whole_project_with_lines_moved(tmp_path: Path, data: st.DataObject) -> None:
    """Lines lost, doubled, indented, in another order: keys stand where they do not belong."""
    lines = list(LINES)
    for _ in range(data.draw(st.integers(1, 6))):
        here, there = data.draw(st.integers(0, len(lines) - 1)), data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.sampled_from(["drop", "double", "swap", "indent", "dedent"])):
            case "drop":
                lines[here] = ""
            case "double":
                lines.insert(there, lines[here])
            case "swap":
                lines[here], lines[there] = lines[there], lines[here]
            case "indent":
                lines[here] = "  " + lines[here]
            case "dedent":
                lines[here] = lines[here].removeprefix("  ")
    survives(tmp_path, "".join(lines).encode())


@few
@given(data=st.data())
def test_any_value_at_any_key(tmp_path: Path, data: st.DataObject) -> None:
    """After a colon stands something else: text, list, keys, nothing."""
    colons = [place for place in range(len(BASE)) if BASE.startswith(": ", place)]
    place = data.draw(st.sampled_from(colons)) + 2
    end = min(found for sign in ",}\n" if (found := BASE.find(sign, place)) >= 0)
    survives(tmp_path, (BASE[:place] + data.draw(nasty) + BASE[end:]).encode("utf-8", errors="replace"))


@pytest.mark.parametrize("cut", range(0, len(BASE), 37))
def test_a_file_cut_off_anywhere(tmp_path: Path, cut: int) -> None:
    """A disk that was full."""
    survives(tmp_path, BASE[:cut].encode())
