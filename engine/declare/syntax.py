"""What ruamel's complaints mean, in words that help to mend the file."""

from __future__ import annotations

import re
from dataclasses import dataclass

BRACES = 'text with {{ … }} has to be in quotes: "{{ customer.first_name }}"'
QUOTE_IT = 'put the text into quotes, such as "…"'


@dataclass(frozen=True)
class Words:
    """What to say of a syntax error."""

    message: str
    hint: str
    at_beginning: bool = False
    """Point to where the broken thing began, not to where that was noticed."""


def has_bare_braces(line: str) -> bool:
    """Whether a line holds a template expression as a value that lacks its quotes."""
    return re.search(r"(^|[:\-,\[{])\s*\{\{", line) is not None


def words(problem: str, context: str) -> Words:
    """The words for a complaint of ruamel's, given as its `problem` and `context`."""
    complaint = f"{problem} / {context}"
    return next((found for pattern, found in _WORDS if re.search(pattern, complaint)), _UNKNOWN)


_UNKNOWN = Words("this cannot be read as YAML", "check the indentation, the quotes and the brackets up to here")
_WORDS: tuple[tuple[str, Words], ...] = (
    (r"found character '\\t'", Words("a tab stands here", "indent with spaces; YAML does not take tabs")),
    (r"found character .* that cannot start", Words("a text cannot begin with this character", QUOTE_IT)),
    (
        r"mapping values are not allowed",
        Words("a colon too many", 'put a text that holds ": " into quotes, or check how far the line is indented'),
    ),
    (r"could not find expected ':'", Words("a key without its colon", "write key: value; longer texts go into quotes")),
    (
        r"scanning a quoted scalar|unexpected end of stream",
        Words("the quote that opens here is never closed", "close it; a quote inside '…' is written ''", True),
    ),
    (
        r"expected <block end>, but found '-'",
        Words("this list item is not indented like its list", "indent it like the items above it"),
    ),
    (
        r"expected <block end>",
        Words("this does not go on from what stands before it", "check how far the line is indented, and its quotes"),
    ),
    (
        r"expected ',' or '[\]}]'",
        Words("the bracket that opens here is not closed, or a comma is missing in it", "close every { and [", True),
    ),
    (r"sequence entries are not allowed", Words("a list item cannot begin here", "begin it on its own line")),
    (r"unknown escape character", Words("this escape is not known", r"write \\ for a backslash, or use '…'")),
    (r"expected the node content", Words("a value is missing before this", "write the value, or close the bracket")),
    (r"block scalar", Words("after | or > the text begins on the next line", QUOTE_IT)),
    (r"tag", Words("a text cannot begin with !", QUOTE_IT)),
    (r"directive|<document start>", Words("a line cannot begin with %", QUOTE_IT)),
    (r"alias|anchor", Words("a text cannot begin with * or &", QUOTE_IT)),
)
