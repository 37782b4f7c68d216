"""Files: what is refused before it is read, and how one project is made of several."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from declare_project import BASE, changed, prepare, problems, put

from engine.declare import files
from engine.declare.load import examine, load
from engine.errors import FixYourYaml

INCLUDING = changed(("version: 1\n", "version: 1\ninclude: [parts/*.yaml]\n"))
METRIC = "{kind: conversion, event: returned, within: 7 days}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with the example's templates."""
    monkeypatch.chdir(tmp_path)
    return prepare(tmp_path)


def refused(path: Path) -> str:
    with pytest.raises(FixYourYaml) as error:
        load(path)
    return str(error.value)


def test_a_file_of_50_mb_is_refused_at_once(folder: Path) -> None:
    """Its size is looked at, not its content."""
    with (folder / "campaigns.yaml").open("wb") as file:
        file.truncate(50_000_000)
    began = time.perf_counter()
    told = refused(folder / "campaigns.yaml")
    assert time.perf_counter() - began < 0.2
    assert told == "campaigns.yaml: the file is larger than 1 MB\n  split it with include: [campaigns/*.yaml]"


def test_files_that_are_too_large_together_are_refused(folder: Path) -> None:
    """Many files are no way round the bound."""
    put(folder, {"campaigns.yaml": INCLUDING, **{f"parts/{number}.yaml": b"x" * 900_000 for number in range(6)}})
    began = time.perf_counter()
    told = refused(folder / "campaigns.yaml")
    assert time.perf_counter() - began < 2
    assert told.splitlines()[0] == "campaigns.yaml:2:11: all files together are larger than 5 MB"


def test_files_that_grow_too_large_by_including_others_are_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bound holds for what included files include as well."""
    monkeypatch.setattr(files, "MOST_BYTES_TOGETHER", 2_000)
    parts = {"parts/a.yaml": "include: [deep/b.yaml]\n", "parts/deep/b.yaml": "# " + "x" * 900}
    put(folder, {"campaigns.yaml": INCLUDING, **parts})
    assert refused(folder / "campaigns.yaml").startswith("parts/a.yaml:1:11: all files together are larger than")


def test_an_alias_bomb_is_refused_where_it_goes_off(tmp_path: Path) -> None:
    """Each use of an alias counts, so that twelve short lines cannot fill the memory."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    began = time.perf_counter()
    told = problems(tmp_path, "\n".join(lines))
    assert time.perf_counter() - began < 2
    assert told.splitlines()[0] == "campaigns.yaml:5:45: more than 100,000 values up to here"


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    """Brackets cannot overflow the stack."""
    told = problems(tmp_path, "a: " + "[" * 100_000)
    assert told.splitlines()[0] == "campaigns.yaml:1:43: nested more than 40 levels deep"


def test_nesting_by_aliases_is_refused(tmp_path: Path) -> None:
    """Nor can lists that hold each other through aliases."""
    told = problems(tmp_path, "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 60)))
    assert "nested more than 40 levels deep" in told.splitlines()[0]


def test_bytes_that_are_not_utf8_are_told_with_their_place(tmp_path: Path) -> None:
    """Old Windows programs save ö as one byte."""
    told = problems(tmp_path, "version: 1\r\ntopics: [ö, ".encode() + "ö]".encode("latin-1"))
    assert told.splitlines()[0] == "campaigns.yaml:2:13: the byte 0xf6 is not UTF-8"
    assert told.splitlines()[-1] == "  save the file with the encoding UTF-8"


def test_a_byte_order_mark_and_windows_line_ends_are_taken(tmp_path: Path) -> None:
    """What Windows editors write is read, and columns do not shift."""
    assert problems(tmp_path, b"\xef\xbb\xbf" + BASE.replace("\n", "\r\n").encode()) == ""
    broken = BASE.replace("version: 1", "version: 2").replace("\n", "\r\n")
    assert problems(tmp_path, b"\xef\xbb\xbf" + broken.encode()).startswith("campaigns.yaml:1:10: ")


def test_a_missing_file_is_told(folder: Path) -> None:
    """With what to do about it."""
    assert refused(folder / "campaigns.yaml") == (
        "campaigns.yaml: there is no such file\n  `campaign init` writes a working example; --file names another"
    )


def test_a_folder_is_no_file(folder: Path) -> None:
    """A common slip with --file."""
    assert refused(folder / "templates") == "templates: this is a folder, not a file"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_told(folder: Path) -> None:
    """The system's own reason is given."""
    put(folder, {"campaigns.yaml": BASE})
    (folder / "campaigns.yaml").chmod(0)
    assert refused(folder / "campaigns.yaml") == "campaigns.yaml: the file cannot be read (Permission denied)"


# --- include ---------------------------------------------------------------------------------------------


def test_included_files_are_one_project(folder: Path) -> None:
    """Sections are joined name by name, lists are joined, and the hash covers every file."""
    parts = {
        "parts/a.yaml": f"metrics:\n  returns: {METRIC}\ntopics: [surveys]\n",
        "parts/b.yaml": "segments:\n  vips: {where: {rfm: monetary_score, at_least: 5}}\n",
    }
    put(folder, {"campaigns.yaml": INCLUDING, **parts})
    declared = load(folder / "campaigns.yaml")
    assert list(declared.project.metrics) == ["purchase_rate", "revenue", "returns"]
    assert "vips" in declared.project.segments
    assert declared.project.topics == ["offers", "service", "surveys"]
    assert [file.name for file in declared.files] == ["campaigns.yaml", "a.yaml", "b.yaml"]
    before = declared.sha256
    put(folder, {"parts/b.yaml": parts["parts/b.yaml"] + "# changed\n"})
    assert load(folder / "campaigns.yaml").sha256 != before


def test_an_included_file_may_include_others_relative_to_itself(folder: Path) -> None:
    """A file that two include is read once."""
    put(
        folder,
        {
            "campaigns.yaml": INCLUDING,
            "parts/a.yaml": "include: [deep/c.yaml]\n",
            "parts/b.yaml": "include: [deep/c.yaml]\n",
            "parts/deep/c.yaml": f"metrics: {{returns: {METRIC}}}\n",
        },
    )
    assert "returns" in load(folder / "campaigns.yaml").project.metrics


def test_a_pattern_may_match_nothing_but_a_name_may_not(tmp_path: Path) -> None:
    """The first campaign of a folder is not written yet; a name is meant."""
    assert problems(tmp_path, INCLUDING) == ""
    assert (
        problems(tmp_path, BASE.replace("version: 1\n", "version: 1\ninclude: [part.yaml]\n"))
        == """\
campaigns.yaml:2:11: there is no file "part.yaml"
  include: [part.yaml]
            ^^^^^^^^^
  a pattern such as campaigns/*.yaml may match nothing, a name may not
"""
    )


def test_a_name_in_two_files_is_told_with_both_places(tmp_path: Path) -> None:
    """Neither silently wins."""
    parts: dict[str, str | bytes] = {"parts/a.yaml": f"metrics:\n  revenue: {METRIC}\ndefaults: {{}}\n"}
    assert (
        problems(tmp_path, INCLUDING, parts)
        == """\
parts/a.yaml:2:3: "revenue" is written twice, here and at campaigns.yaml:13:3
    revenue: {kind: conversion, event: returned, within: 7 days}
    ^^^^^^^
  rename or remove one of them
parts/a.yaml:3:1: "defaults" is written twice, here and at campaigns.yaml:3:1
  defaults: {}
  ^^^^^^^^
  rename or remove one of them
"""
    )


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        pytest.param("../outside.yaml", "outside.yaml", id="parent"),
        pytest.param("../*.yaml", "outside.yaml", id="pattern-in-the-parent"),
        pytest.param("/etc/hostname", "/etc/hostname", id="absolute"),
        pytest.param("link.yaml", "link.yaml", id="link-that-leads-out"),
    ],
)
def test_a_file_outside_the_project_is_refused(folder: Path, pattern: str, told: str) -> None:
    """A project holds all that it says, so that its hash means something."""
    project = folder / "project"
    put(folder, {"outside.yaml": "metrics: {}\n", "project/campaigns.yaml": f'version: 1\ninclude: ["{pattern}"]\n'})
    (project / "link.yaml").symlink_to(folder / "outside.yaml")
    words = refused(project / "campaigns.yaml")
    assert f'{told}" lies outside the folder of campaigns.yaml' in words
    assert words.startswith("project/campaigns.yaml:2:11: ")


def test_files_that_include_each_other_are_refused(folder: Path) -> None:
    """The way round is shown."""
    put(
        folder,
        {
            "campaigns.yaml": BASE.replace("version: 1\n", "version: 1\ninclude: [a.yaml]\n"),
            "a.yaml": "include: [b.yaml]\n",
            "b.yaml": "include: [a.yaml]\n",
        },
    )
    assert (
        refused(folder / "campaigns.yaml")
        == """\
b.yaml:1:11: files include each other in a circle: campaigns.yaml → a.yaml → b.yaml → a.yaml
  include: [a.yaml]
            ^^^^^^"""
    )


def test_a_pattern_does_not_include_its_own_file(tmp_path: Path) -> None:
    """`*.yaml` beside campaigns.yaml means the others."""
    assert problems(tmp_path, BASE.replace("version: 1\n", 'version: 1\ninclude: ["*.yaml"]\n')) == ""


@pytest.mark.parametrize("pattern", ["", "**x", "a\\0b"], ids=["empty", "stars-in-a-word", "nul"])
def test_what_is_no_pattern_is_told(tmp_path: Path, pattern: str) -> None:
    """Whatever a person may write there."""
    assert "campaigns.yaml:2:11: " in problems(tmp_path, f'version: 1\ninclude: ["{pattern}"]\n')


def test_all_problems_of_all_files_come_at_once(tmp_path: Path) -> None:
    """Syntax in one file hides neither form nor names in another; names that may stand in it are not called unknown."""
    text = changed(
        ("version: 1\n", "version: 1\ninclude: [parts/*.yaml]\n"),
        ("minimum_effect: 1.0 pp", "minimum_effect: 1"),
        ("compared_to: control", "compared_to: contrl"),
        ("    segment: lapsing\n", "    segment: vips\n"),
        ("Europe/Berlin", "Europe/Berln"),
    )
    parts: dict[str, str | bytes] = {
        "parts/a.yaml": "segments:\n  vips: [\n",
        "parts/b.yaml": "metrics:\n  returns: {kind: mean, event: returned, within: 7 days}\n  x: {kind: men}\n",
    }
    places = [line.split(": ")[0] for line in problems(tmp_path, text, parts).splitlines() if line[0] != " "]
    assert places == [
        "campaigns.yaml:4:13",
        "campaigns.yaml:34:20",
        "campaigns.yaml:35:23",
        "parts/a.yaml:3:1",
        "parts/b.yaml:2:3",
        "parts/b.yaml:3:3",
        "parts/b.yaml:3:13",
    ]


def test_one_broken_campaign_does_not_hide_another(tmp_path: Path) -> None:
    """Nor do a wrong quantity and an unknown name in one campaign hide each other."""
    text = changed(
        ("minimum_effect: 1.0 pp", "minimum_effect: 1"),
        ("metric: purchase_rate", "metric: purchase_rat"),
        ("template: deadline.mjml", "template: dedline.mjml"),
        ("    decide: {method: fixed}\n", "    decide: {method: fixed}\n  other: {owner: a, channel: smoke}\n"),
    )
    told = [line for line in problems(tmp_path, text).splitlines() if line.startswith("campaigns.yaml")]
    assert told == [
        'campaigns.yaml:32:15: there is no metric "purchase_rat"',
        'campaigns.yaml:34:23: "1" has no unit; write "1 pp" (percentage points), "1 %" (relative) '
        'or an amount such as "1 EUR"',
        'campaigns.yaml:40:51: there is no template "templates/dedline.mjml"',
        'campaigns.yaml:46:3: "purpose" is missing: transactional messages need no marketing consent',
        "campaigns.yaml:46:3: the campaign has no variants, so there is nothing to send",
        "campaigns.yaml:46:3: the campaign has no schedule, so it never sends",
        'campaigns.yaml:46:30: "smoke" is not known here; write email, sms, export or onsite',
    ]


def test_load_tells_problems_of_form_and_of_names_together(folder: Path) -> None:
    """Who only calls `load` gets the whole list too."""
    put(folder, {"campaigns.yaml": changed(("1.0 pp", "1"), ("    segment: lapsing", "    segment: lapsng"))})
    assert len(refused(folder / "campaigns.yaml").split("campaigns.yaml:")) == 3


def test_names_outside_the_current_folder_are_absolute(folder: Path) -> None:
    """A path that a person can open from where they are."""
    away = folder / "elsewhere"
    away.mkdir()
    put(folder, {"campaigns.yaml": BASE.replace("version: 1", "version: 2")})
    os.chdir(away)
    _, found = examine(folder / "campaigns.yaml")
    assert found[0].file == str(folder / "campaigns.yaml")
