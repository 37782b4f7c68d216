"""What is kept of a file: its text, its places, its own words for every value."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path

import pytest
from declare_project import BASE, changed, prepare, problems, put
from reference import SHARED

from engine.declare.check import check
from engine.declare.load import load
from engine.declare.spec import Attribute, Did, Overridable, Project, Spec, Threshold


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with the example's templates."""
    monkeypatch.chdir(tmp_path)
    return prepare(tmp_path)


CORE = Path(__file__).parent / "core" / "campaigns.yaml"
GRAMMAR = Path(__file__).parent / "grammar" / "campaigns.yaml"


@pytest.mark.parametrize("path", [CORE, GRAMMAR], ids=["core-of-the-design", "whole-grammar"])
def test_a_correct_project_has_no_problems(tmp_path, path: Path) -> None:
    """Neither errors nor warnings."""
    assert check(load(path)) == []


def test_the_shared_grammar_has_no_problems_but_its_missing_templates(tmp_path: Path) -> None:
    """Every construct of the reference file is understood; with its templates there, it is clean."""
    shared = SHARED / "campaigns.full.yaml"
    if not shared.exists():
        pytest.skip("the shared reference data are not here")
    put(tmp_path, {"campaigns.yaml": shared.read_bytes()})
    for problem in check(load(tmp_path / "campaigns.yaml")):
        assert problem.message.startswith('there is no template "templates/')
        put(tmp_path, {problem.message.split('"')[1].replace("{language}", "ja"): "<mjml></mjml>"})
    assert check(load(tmp_path / "campaigns.yaml")) == []


def test_the_shipped_example_has_no_problems(
    tmp_path,
) -> None:
    """What `init` gives a newcomer."""
    assert check(load(Path(__file__).parents[2] / "campaigns.yaml")) == []


@pytest.mark.parametrize(
    "written", ["no", "10:30", "010", "01067", "1.50", "0x1F", "2026-12-01", "1e3", "true", "Yes", "+49", "1_000"]
)
def test_a_text_stays_what_was_written(folder: Path, written: str) -> None:
    """Plain YAML readers make numbers, booleans and dates of these."""
    put(folder, {"campaigns.yaml": changed(("{attribute: country, in: [DE, AT]}", f"{{attribute: x, is: {written}}}"))})
    group = load(folder / "campaigns.yaml").project.segments["lapsing"].where
    assert group.all[1] == Attribute(attribute="x", is_=written)  # type: ignore[union-attr,index]


def test_country_codes_and_keys_stay_text(folder: Path) -> None:
    """NO is Norway, also as a key."""
    text = changed(("  costs: {email: 0.002 EUR per message}", "  costs: {sms: {NO: 0.07 EUR per segment}}"))
    put(folder, {"campaigns.yaml": text})
    declared = load(folder / "campaigns.yaml")
    assert declared.project.defaults.costs is not None
    assert list(declared.project.defaults.costs["sms"]) == ["NO"]
    assert check(declared) == []


@pytest.mark.parametrize("nothing", ["", "~", "null", "Null", "NULL"])
def test_nothing_is_nothing_and_quoted_null_is_a_text(folder: Path, nothing: str) -> None:
    """A setting can be left open or switched off; a text can still be the word."""
    text = changed(("    topic: offers\n", f"    topic: {nothing}\n"), ("because: They wait", 'because: "null"\n#'))
    put(folder, {"campaigns.yaml": text})
    campaign = load(folder / "campaigns.yaml").project.campaigns["winback"]
    assert campaign.topic is None
    assert campaign.hypothesis is not None
    assert campaign.hypothesis.because == "null"


def test_an_empty_section_is_an_absent_one(tmp_path: Path) -> None:
    """Everything below it may be commented out."""
    assert problems(tmp_path, changed(("campaigns:\n", "coupons:\nsurveys:\nloyalty:\ncampaigns:\n"))) == ""


def test_aliases_stand_for_what_they_name(folder: Path) -> None:
    """Anchors are part of YAML; only merging is not."""
    text = changed(
        ("control: {subject", "control: &plain {subject"),
        ("deadline: {subject: Until Sunday, template: deadline.mjml}", "deadline: *plain"),
    )
    put(folder, {"campaigns.yaml": text})
    variants = load(folder / "campaigns.yaml").project.campaigns["winback"].variants
    assert variants["control"] == variants["deadline"]


def test_values_are_parsed_once_into_their_types(folder: Path) -> None:
    """What is used later needs no second reading."""
    text = changed(
        ("  currency: EUR\n", '  currency: EUR\n  quiet_hours: {from: "21:00", to: "08:00"}\n'),
        ("{in_segment: staff}", "{did: purchase, at_least: 2, within: 7 days, where: {category: shoes}}"),
    )
    put(folder, {"campaigns.yaml": text})
    project = load(folder / "campaigns.yaml").project
    assert project.defaults.quiet_hours is not None
    assert project.defaults.quiet_hours.from_ == time(21)
    schedule = project.campaigns["winback"].schedule
    assert schedule is not None
    assert schedule.starts == date(2026, 12, 1)
    did = project.segments["lapsing"].where.none[0]  # type: ignore[union-attr,index]
    assert isinstance(did, Did)
    assert did.at_least == 2
    assert did.within is not None
    assert did.within.delta.days == 7


@pytest.mark.parametrize("path", [CORE, GRAMMAR], ids=["core-of-the-design", "whole-grammar"])
def test_a_project_survives_json(path: Path) -> None:
    """What is sealed gives the same specs again, quantities as they were written."""
    project = load(path).project
    again = Project.model_validate_json(project.model_dump_json(by_alias=True, exclude_none=True))
    assert again == project


def test_a_place_is_the_value_the_key_or_the_nearest_above(folder: Path) -> None:
    """Other rooms point into the file by keys and indexes."""
    put(folder, {"campaigns.yaml": BASE})
    declared = load(folder / "campaigns.yaml")
    own = ("campaigns", "winback")
    value = declared.problem((*own, "segment"), "x")
    assert (value.line, value.column, value.width) == (27, 14, len("lapsing"))
    key = declared.problem((*own, "segment"), "x", key=True)
    assert (key.line, key.column, key.width) == (27, 5, len("segment"))
    item = declared.problem((*own, "secondary", 0), "x")
    assert (item.line, item.column) == (36, 17)
    absent = declared.problem((*own, "improve", "approval"), "x", severity="warning", rule="r", hint="h")
    assert (absent.line, absent.column, absent.width) == (23, 3, len("winback"))
    assert (absent.severity, absent.rule, absent.hint) == ("warning", "r", "h")
    nowhere = declared.problem(("surveys", "nps"), "x")
    assert (nowhere.line, nowhere.column, nowhere.file) == (1, 1, "campaigns.yaml")


def test_a_setting_comes_from_the_campaign_or_the_defaults(folder: Path) -> None:
    """A problem with a setting points to where it is written."""
    put(folder, {"campaigns.yaml": changed(("    topic: offers\n", "    topic: offers\n    currency: EUR\n"))})
    declared = load(folder / "campaigns.yaml")
    assert declared.origin("winback", "currency") == ("campaigns", "winback", "currency")
    assert declared.origin("winback", "timezone") == ("defaults", "timezone")
    assert declared.origin("winback", "keep") == ("campaigns", "winback", "keep")


def _used(model: Spec) -> set[tuple[str, str]]:
    found = {(type(model).__name__, field) for field in model.model_fields_set}
    for value in (getattr(model, field) for field in model.model_fields_set):
        found |= _used_below(value)
    return found


def _used_below(value: object) -> set[tuple[str, str]]:
    if isinstance(value, Spec):
        return _used(value)
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return set().union(*(_used_below(item) for item in items))


def _models(model: type[Spec]) -> set[type[Spec]]:
    return {model}.union(*(_models(below) for below in model.__subclasses__()))


def test_the_grammar_fixture_uses_every_key() -> None:
    """A key that is added to the models has to be added there, and so is parsed and checked once at least."""
    known = {
        (model.__name__, field)
        for model in _models(Spec)
        if model.__module__ == Spec.__module__ and model not in (Spec, Overridable, Threshold)
        for field in model.model_fields
    }
    shared = {("Campaign", field) for field in Overridable.model_fields} | {("Defaults", "sender")}
    bounds = {(model.__name__, field) for model in _models(Threshold) for field in Threshold.model_fields}
    assert known - _used(load(GRAMMAR).project) - shared - bounds == set()
