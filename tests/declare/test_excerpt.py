"""The line and the caret below it, as a terminal shows them."""

from __future__ import annotations

import pytest

from engine.errors import Problem


@pytest.mark.parametrize(
    ("source", "column", "width", "shown"),
    [
        pytest.param("a: bc", 4, 2, "  a: bc\n     ^^", id="plain"),
        pytest.param(
            "a: {ja: お茶, x: 1}", 13, 1, "  a: {ja: お茶, x: 1}\n                ^", id="after-wide-characters"
        ),
        pytest.param("a: お茶", 4, 2, "  a: お茶\n     ^^^^", id="below-wide-characters"),
        pytest.param("\ta: 1", 1, 1, "   a: 1\n  ^", id="tab"),
        pytest.param(
            "a: \x1b[31mred", 4, 1, "  a:  [31mred\n     ^", id="control-characters-do-not-reach-the-terminal"
        ),
        pytest.param("a:", 3, 1, "  a:\n    ^", id="just-past-the-end"),
    ],
)
def test_the_caret_stands_under_the_place(source: str, column: int, width: int, shown: str) -> None:
    """Whatever the characters before it."""
    problem = Problem(message="m", file="f", line=1, column=column, source=source, width=width)
    assert str(problem) == f"f:1:{column}: m\n{shown}"


def test_of_a_long_line_the_part_around_the_place_is_shown() -> None:
    """A whole file on one line does not fill the screen."""
    source = "x" * 5_000 + "HERE" + "y" * 5_000
    line, caret = str(Problem(message="m", file="f", line=1, column=5_001, source=source, width=4)).splitlines()[1:]
    assert len(line) < 420
    assert line[caret.index("^") : caret.rindex("^") + 1] == "HERE"
