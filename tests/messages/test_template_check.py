"""Templates checked at `validate`: each mistake with its file, line, caret and a way out."""

from __future__ import annotations

from pathlib import Path

import pytest
from message_material import ROOT

from engine.declare.load import load
from engine.messages.check import check_templates, template_files, unsupported_in_templates

YAML = """\
version: 1
defaults:
  timezone: Europe/Berlin
  sender:
    email: {from: "Shop <hello@example.com>", postal_address: "1 Street, Berlin"}
campaigns:
  winback:
    owner: anna@example.com
    purpose: marketing
    channel: email
    variants:
      only: {subject: "Hello", template: mail.mjml}
    schedule: {at: "2026-12-01 10:00"}
"""
MAIL = """\
<mjml><mj-body><mj-section><mj-column>
  <mj-text>Hello</mj-text>
</mj-column></mj-section></mj-body></mjml>
"""


@pytest.fixture(autouse=True)
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are named as seen from where the user stands."""
    monkeypatch.chdir(tmp_path)


def check(folder: Path, files: dict[str, str], yaml: str = YAML) -> str:
    """What is wrong with templates, as a person reads it."""
    (folder / "campaigns.yaml").write_text(yaml)
    for name, body in {"mail.mjml": MAIL, **files}.items():
        path = folder / "templates" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body)
    return "".join(f"{problem}\n" for problem in check_templates(load(folder / "campaigns.yaml")))


def line(number: int, column: int, message: str, source: str, width: int, hint: str = "") -> str:
    place = f"templates/mail.mjml:{number}:{column}: {message}\n  {source}\n  {' ' * (column - 1)}{'^' * width}\n"
    return place + (f"  {hint}\n" if hint else "")


NAMES = "known here: campaign, customer, preferences_url, sender, track, unsubscribe_url, variant"
IN_TEXT = {
    "name": ("{{ costumer.x }}", 15, 'there is no name "costumer" in templates', 8, 'did you mean "customer"?'),
    "column-without-customer": (
        "{{ first_name }}",
        15,
        'there is no name "first_name" in templates',
        10,
        'did you mean "customer.first_name"?',
    ),
    "name-like-nothing": ("{{ lipsum() }}", 15, 'there is no name "lipsum" in templates', 6, NAMES),
    "sender": ("{{ sender.postal }}", 15, 'there is no "sender.postal"', 13, 'did you mean "sender.postal_address"?'),
    "campaign": ("{{ campaign.nam }}", 15, 'there is no "campaign.nam"', 12, 'did you mean "campaign.name"?'),
    "loop": (
        "{% for i in [1] %}{{ loop.idx }}{% endfor %}",
        33,
        'there is no "loop.idx"',
        8,
        'did you mean "loop.index"?',
    ),
    "filter": ("{{ customer.x | uper }}", 28, 'there is no filter "uper"', 4, 'did you mean "upper"?'),
    "test": ("{{ customer.x is evn }}", 29, 'there is no test "evn"', 3, 'did you mean "even"?'),
    "method": (
        "{{ customer.x.upper() }}",
        26,
        '".upper()" is not available: values have no methods',
        5,
        "write | upper instead",
    ),
    "include": (
        "{% include 'partz.mjml' %}",
        24,
        "there is no template templates/partz.mjml",
        10,
        'did you mean "part.mjml"?',
    ),
    "track": (
        "{{ track('shop.example') }}",
        15,
        "track(…) takes one address that begins with https:// or http://",
        5,
        "",
    ),
    "unknown-block": ("{% fo x in y %}", 15, "encountered unknown tag 'fo'", 2, ""),
    "open-tag": ("<b>x", 16, "</mj-text> stands where <b> of line 2 is still open", 10, "write </b> before it"),
    "stray-bracket": ("1 < 2", 14, 'a "<" stands here by itself', 1, "write &lt;"),
    "unquoted": ("<b title=x>y</b>", 12, 'the value of "title" stands without quotes', 11, ""),
    "mj-include": (
        "<mj-include path='x' />",
        13,
        "<mj-include> is no MJML tag",
        10,
        'write {% include "file.mjml" %}, so that the sealed plan knows the file',
    ),
    "misspelt-tag": ("<mj-buton />", 13, "<mj-buton> is no MJML tag", 8, 'did you mean "<mj-button>"?'),
}


@pytest.mark.parametrize(("body", "column", "message", "width", "hint"), IN_TEXT.values(), ids=IN_TEXT.keys())
def test_a_mistake_in_a_template(tmp_path: Path, body: str, column: int, message: str, width: int, hint: str) -> None:
    mail = MAIL.replace("Hello", body)
    found = check(tmp_path, {"mail.mjml": mail, "part.mjml": "<b>x</b>"})
    assert found == line(2, column, message, mail.splitlines()[1], width, hint)


WHOLE_LINE = {
    "dynamic-include": (
        "{% include customer.x %}",
        "the file must be named in quotes, so that the sealed plan knows it",
    ),
    "autoescape": (
        "{% autoescape false %}{% endautoescape %}",
        "{% autoescape %} is not available: values are always escaped where they land",
    ),
    "recursive-loop": ("{% for i in [] recursive %}{% endfor %}", "recursive loops are not available"),
    "condition": ("{% if %}", "expected an expression, got 'end of statement block'"),
    "control-character": ("a\x7fb", "a control character (DEL) stands in this line; delete it"),
}


@pytest.mark.parametrize(("body", "message"), WHOLE_LINE.values(), ids=WHOLE_LINE.keys())
def test_a_mistake_of_which_only_the_line_is_known(tmp_path: Path, body: str, message: str) -> None:
    found = check(tmp_path, {"mail.mjml": MAIL.replace("Hello", body)})
    assert found.splitlines()[0] == f"templates/mail.mjml:2:3: {message}"
    assert found.splitlines()[2] == "  " + "  " + "^" * (len(found.splitlines()[1]) - 4)


def test_mistakes_of_all_files_are_told_at_once_and_once(tmp_path: Path) -> None:
    yaml = YAML.replace("    schedule", '      other: {subject: "{{ x }}", template: second.mjml}\n    schedule')
    both = {
        "mail.mjml": MAIL.replace("Hello", "{% include 'part.mjml' %}"),
        "second.mjml": MAIL.replace("Hello", "{% include 'part.mjml' %}{{ y }}"),
    }
    found = check(tmp_path, {**both, "part.mjml": "\n{{ nme }}\n{{ z }}"}, yaml)
    assert [problem for problem in found.splitlines() if "there is no name" in problem] == [
        'campaigns.yaml:13:24: there is no name "x" in templates',
        'templates/part.mjml:2:4: there is no name "nme" in templates',
        'templates/part.mjml:3:4: there is no name "z" in templates',
        'templates/second.mjml:2:40: there is no name "y" in templates',
    ]


def test_a_mistake_in_a_subject_is_shown_in_the_yaml(tmp_path: Path) -> None:
    found = check(tmp_path, {}, YAML.replace('"Hello"', '"{{ custmer.x }}"'))
    assert found == (
        'campaigns.yaml:12:23: there is no name "custmer" in templates\n'
        '        only: {subject: "{{ custmer.x }}", template: mail.mjml}\n'
        "                        ^^^^^^^^^^^^^^^^^\n"
        '  did you mean "customer"?\n'
    )


def test_an_attribute_that_looks_like_a_misspelt_column_is_a_warning(tmp_path: Path) -> None:
    found = check(tmp_path, {"mail.mjml": MAIL.replace("Hello", "{{ customer.frist_name }} {{ customer.shoe_size }}")})
    source = "  <mj-text>{{ customer.frist_name }} {{ customer.shoe_size }}</mj-text>"
    message = '"customer.frist_name" is empty unless customers have an attribute "frist_name"'
    assert found == line(2, 15, message, source, 19, 'did you mean "customer.first_name"?')
    assert [p.severity for p in check_templates(load(tmp_path / "campaigns.yaml"))] == ["warning"]


def test_a_value_without_quotes_in_html_is_an_error(tmp_path: Path) -> None:
    yaml = YAML.replace("mail.mjml", "mail.html")
    found = check(tmp_path, {"mail.html": "<p>\n<a title={{ customer.x }}>x</a>"}, yaml)
    assert found.startswith('templates/mail.html:2:4: the value of "title" stands without quotes\n')


@pytest.mark.parametrize(
    ("mail", "message"),
    [
        (
            MAIL.replace("<mjml>", "").replace("</mjml>", ""),
            "an MJML template stands between <mjml> and </mjml>; one of plain HTML is named .html",
        ),
        (
            MAIL.replace("<mj-body>", "<p></p><mj-body>"),
            "what the template makes is no MJML: unexpected element in root template at position 6:8",
        ),
    ],
    ids=["no-mjml", "element-out-of-place"],
)
def test_what_mrml_refuses_is_told(tmp_path: Path, mail: str, message: str) -> None:
    assert check(tmp_path, {"mail.mjml": mail}) == f"templates/mail.mjml:1: {message}\n"


CORRECT = {
    "set-and-macro": "{% set a = 1 %}{{ a }}{% macro m(q) %}{{ q }}{{ caller() }}{% endmacro %}"
    "{% call m(1) %}x{% endcall %}",
    "loop": "{% for i in customer.items %}{{ loop.index }}{{ i.name }}{% else %}none{% endfor %}",
    "import": "{% import 'part.mjml' as p %}{{ p.m() }}{% from 'part.mjml' import m as n %}{{ n() }}",
    "set-around-an-include": "{% set greeting = 'x' %}{% include 'uses.mjml' %}",
    "every-top-level-name": "{{ customer.x }}{{ campaign.topic }}{{ variant.name }}{{ sender.name }}"
    "{{ unsubscribe_url }}{{ preferences_url }}",
    "branches-that-open-differently": "{% if customer.x %}<b>{% else %}<b title='x'>{% endif %}x</b>",
    "tracked-value": "<a href='{{ track(customer.url) }}'>x</a>",
    "comment-with-a-tag": "{# <mj-txt> #}<!-- <mj-txt> -->",
    "numbers": "{{ customer.points | int + 1 }} {{ customer.last_order.amount | number }}",
}


@pytest.mark.parametrize("body", CORRECT.values(), ids=CORRECT.keys())
def test_what_is_correct_is_not_complained_about(tmp_path: Path, body: str) -> None:
    files = {"part.mjml": "{% macro m() %}x{% endmacro %}", "uses.mjml": "{{ greeting }}"}
    assert check(tmp_path, {**files, "mail.mjml": MAIL.replace("Hello", body)}) == ""


def test_the_shipped_example_is_correct() -> None:
    declared = load(ROOT / "campaigns.yaml")
    assert check_templates(declared) == []
    assert unsupported_in_templates(declared, "winback") == []


def test_names_of_later_releases_are_refused_with_their_place(tmp_path: Path) -> None:
    body = "{{ recommended[0].name }} {{ customer.coupon }}"
    yaml = YAML.replace('"Hello"', '"{{ trigger.name }}"')
    assert check(tmp_path, {"mail.mjml": MAIL.replace("Hello", body)}, yaml) == ""
    problems = unsupported_in_templates(load(tmp_path / "campaigns.yaml"), "winback")
    assert [str(problem).splitlines()[0] for problem in problems] == [
        "campaigns.yaml:12:23: not supported yet: trigger",
        "templates/mail.mjml:2:15: not supported yet: recommended",
        "templates/mail.mjml:2:41: not supported yet: customer.coupon",
    ]


def test_a_language_stands_for_the_files_that_exist() -> None:
    sources = dict.fromkeys(
        ["a/mail.de.mjml", "a/mail.en-GB.mjml", "a/mail.mjml", "a/mail.x/y.mjml", "mail.de.mjml"], ""
    )
    assert template_files("a/mail.{language}.mjml", sources) == ["a/mail.de.mjml", "a/mail.en-GB.mjml"]
    assert template_files("a/mail.mjml", sources) == ["a/mail.mjml"]
