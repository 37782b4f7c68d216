"""Texts that are no YAML, or more YAML than is taken."""

from __future__ import annotations

from pathlib import Path

import pytest
from declare_project import problems

MISTAKES = [
    pytest.param(
        "version: 1\ntopics: [a]\nversion: 1\n",
        """\
campaigns.yaml:3:1: "version" is written twice, here and at campaigns.yaml:1:1
  version: 1
  ^^^^^^^
  rename or remove one of them
""",
        id="duplicate-key",
    ),
    pytest.param(
        "version: 1\ntopics:\n\t- offers\n",
        """\
campaigns.yaml:3:1: a tab stands here
   - offers
  ^
  indent with spaces; YAML does not take tabs
""",
        id="tab",
    ),
    pytest.param(
        "version: 1\ncampaigns:\n  a: {owner: b}\n  c: d: e\n",
        """\
campaigns.yaml:4:7: a colon too many
    c: d: e
        ^
  put a text that holds ": " into quotes, or check how far the line is indented
""",
        id="colon-in-a-text",
    ),
    pytest.param(
        "version: 1\ntopics:\n  - a\n - b\n",
        """\
campaigns.yaml:4:2: this does not go on from what stands before it
   - b
   ^
  check how far the line is indented, and its quotes
""",
        id="wrong-indentation",
    ),
    pytest.param(
        'version: 1\ntopics: ["a]\nmetrics: {}\n',
        """\
campaigns.yaml:2:10: the quote that opens here is never closed (noticed in line 4)
  topics: ["a]
           ^
  close it; a quote inside '…' is written ''
""",
        id="open-quote",
    ),
    pytest.param(
        "version: 1\ntopics: [a, b\nmetrics: {}\n",
        """\
campaigns.yaml:2:9: the bracket that opens here is not closed, or a comma is missing in it (noticed in line 3)
  topics: [a, b
          ^
  close every { and [
""",
        id="open-bracket",
    ),
    pytest.param(
        "version: 1\ntopics: {{ customer.first_name }}\n",
        """\
campaigns.yaml:2:10: a key has to be a plain word
  topics: {{ customer.first_name }}
           ^^^^^^^^^^^^^^^^^^^^^^^
  text with {{ … }} has to be in quotes: "{{ customer.first_name }}"
""",
        id="bare-braces",
    ),
    pytest.param(
        "version: 1\ntopics: {{ customer.first_name }}, hello\n",
        """\
campaigns.yaml:2:34: this does not go on from what stands before it
  topics: {{ customer.first_name }}, hello
                                   ^
  text with {{ … }} has to be in quotes: "{{ customer.first_name }}"
""",
        id="bare-braces-and-text",
    ),
    pytest.param(
        "version: 1\ndefaults:\n  only_to: [*@example.com]\n",
        """\
campaigns.yaml:3:13: "*@example.com" refers to nothing above it
    only_to: [*@example.com]
              ^^^^^^^^^^^^^
  text that begins with * has to be in quotes
""",
        id="text-begins-with-a-star",
    ),
    pytest.param(
        "version: 1\ntopics: @anna\n",
        """\
campaigns.yaml:2:9: a text cannot begin with this character
  topics: @anna
          ^
  put the text into quotes, such as "…"
""",
        id="text-begins-with-at",
    ),
    pytest.param(
        "version: 1\ntopics: *shop\n",
        """\
campaigns.yaml:2:9: "*shop" refers to nothing above it
  topics: *shop
          ^^^^^
  text that begins with * has to be in quotes
""",
        id="unknown-alias",
    ),
    pytest.param(
        "version: 1\ntopics: &a [*a]\n",
        """\
campaigns.yaml:2:13: "*a" refers to itself
  topics: &a [*a]
              ^^
  write the values out
""",
        id="alias-of-itself",
    ),
    pytest.param(
        "version: 1\ntopics: !!python/object/apply:os.system [ls]\n",
        """\
campaigns.yaml:2:9: tags such as "!!python/object/apply:os.system" are not taken
  topics: !!python/object/apply:os.system [ls]
          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  remove the tag; values are read as written
""",
        id="python-object",
    ),
    pytest.param(
        "version: 1\nkpis: &a {}\ncoupons:\n  <<: *a\n",
        """\
campaigns.yaml:4:3: merging with << is not part of YAML 1.2
    <<: *a
    ^^
  write the keys out, or put them under defaults
""",
        id="merge-key",
    ),
    pytest.param(
        "version: 1\n---\nversion: 1\n",
        """\
campaigns.yaml:2:1: a second document begins here
  ---
  ^^^
  keep one document in a file; remove the ---
""",
        id="second-document",
    ),
    pytest.param(
        "version: 1\n[a, b]: c\n",
        """\
campaigns.yaml:2:1: a key has to be a plain word
  [a, b]: c
  ^^^^^^
  write key: value
""",
        id="key-of-several-values",
    ),
    pytest.param(
        "version: 1\n: c\n",
        """\
campaigns.yaml:2:1: a key is missing before the colon
  : c
  ^
  write a name before it
""",
        id="key-of-nothing",
    ),
    pytest.param(
        "version: 1\ntopics: a\x07b\n",
        """\
campaigns.yaml:2:10: the character U+0007 cannot stand in a YAML file
  topics: a b
           ^
""",
        id="control-character",
    ),
    pytest.param(
        'version: 1\ntopics: "a\\0b"\n',
        """\
campaigns.yaml:2:9: this text holds a character that cannot be stored
  topics: "a\\0b"
          ^^^^^^
campaigns.yaml:2:9: expected a list here, found the text "ab"
  topics: "a\\0b"
          ^^^^^^
  write [ab]
""",
        id="nul-in-a-text",
    ),
    pytest.param(
        "- version: 1\n",
        """\
campaigns.yaml:1:1: expected keys here, such as version: and campaigns:
  - version: 1
  ^^^^^^^^^^^^
""",
        id="list-instead-of-keys",
    ),
    pytest.param(
        "hello\n",
        """\
campaigns.yaml:1:1: expected keys here, such as version: and campaigns:
  hello
  ^^^^^
""",
        id="text-instead-of-keys",
    ),
    pytest.param(
        "",
        """\
campaigns.yaml: this file is empty
  `campaign init` writes a working example
""",
        id="empty",
    ),
    pytest.param(
        "# nothing\n",
        """\
campaigns.yaml: this file is empty
  `campaign init` writes a working example
""",
        id="only-comments",
    ),
]


@pytest.mark.parametrize(("text", "told"), MISTAKES)
def test_what_is_no_yaml_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    """The whole text: place, words, line, caret, hint."""
    assert problems(tmp_path, text) == told
