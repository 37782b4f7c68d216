"""What each channel needs of a variant, and templates that are not there."""

from __future__ import annotations

from pathlib import Path

import pytest
from declare_project import SENDER, VARIANTS, changed, problems

MISTAKES = [
    pytest.param(
        [("template: deadline.mjml", "template: deadlin.mjml")],
        """\
campaigns.yaml:40:51: there is no template "templates/deadlin.mjml"
        deadline: {subject: Until Sunday, template: deadlin.mjml}
                                                    ^^^^^^^^^^^^
  did you mean "deadline.mjml"?
""",
        id="unknown-template",
    ),
    pytest.param(
        [("template: deadline.mjml", "template: ../secret.mjml")],
        """\
campaigns.yaml:40:51: "../secret.mjml" does not lie below templates/
        deadline: {subject: Until Sunday, template: ../secret.mjml}
                                                    ^^^^^^^^^^^^^^
  write the file's path below templates/
""",
        id="template-outside",
    ),
    pytest.param(
        [("{subject: Until Sunday, template", "{template")],
        """\
campaigns.yaml:40:7: an email needs subject:
        deadline: {template: deadline.mjml}
        ^^^^^^^^
  add for example subject: "We miss you"
""",
        id="email-without-subject",
    ),
    pytest.param(
        [("{subject: Until Sunday, template: deadline.mjml}", "{subject: Until Sunday}")],
        """\
campaigns.yaml:40:7: an email needs template:
        deadline: {subject: Until Sunday}
        ^^^^^^^^
  add for example template: winback/plain.mjml
""",
        id="email-without-template",
    ),
    pytest.param(
        [("{subject: Until Sunday,", "{subject: Until Sunday, text: Hello,")],
        """\
campaigns.yaml:40:41: text: does not go with the channel email
        deadline: {subject: Until Sunday, text: Hello, template: deadline.mjml}
                                          ^^^^
  remove it
""",
        id="text-in-an-email",
    ),
    pytest.param(
        [("    channel: email", "    channel: sms")],
        """\
campaigns.yaml:39:7: an SMS needs text:
        control: {subject: We miss you, template: plain.mjml}
        ^^^^^^^
  add for example text: "Back in stock {{ track(url) }}"
campaigns.yaml:39:17: subject: does not go with the channel sms
        control: {subject: We miss you, template: plain.mjml}
                  ^^^^^^^
  remove it
campaigns.yaml:39:39: template: does not go with the channel sms
        control: {subject: We miss you, template: plain.mjml}
                                        ^^^^^^^^
  remove it
campaigns.yaml:40:7: an SMS needs text:
        deadline: {subject: Until Sunday, template: deadline.mjml}
        ^^^^^^^^
  add for example text: "Back in stock {{ track(url) }}"
campaigns.yaml:40:18: subject: does not go with the channel sms
        deadline: {subject: Until Sunday, template: deadline.mjml}
                   ^^^^^^^
  remove it
campaigns.yaml:40:41: template: does not go with the channel sms
        deadline: {subject: Until Sunday, template: deadline.mjml}
                                          ^^^^^^^^
  remove it
""",
        id="sms-without-text",
    ),
    pytest.param(
        [('    email: {from: "Shop <hello@example.com>", postal_address: "1 Street, Berlin"}\n', "")],
        """\
campaigns.yaml:5:3: the campaign sends email, but its sender has none
    sender:
    ^^^^^^
  add to defaults for example sender: {email: {from: "Shop <hello@example.com>"}}
""",
        id="no-sender-for-the-channel",
    ),
    pytest.param(
        [(SENDER, "")],
        """\
campaigns.yaml:20:3: the campaign sends email, but no sender is declared
    winback:
    ^^^^^^^
  add to defaults for example sender: {email: {from: "Shop <hello@example.com>"}}
""",
        id="no-sender-at-all",
    ),
    pytest.param(
        [(', postal_address: "1 Street, Berlin"', "")],
        """\
campaigns.yaml:6:12: marketing emails have to show a postal address in many countries
      email: {from: "Shop <hello@example.com>"}
             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  add postal_address: "Example Shop, 1 Street, Berlin" to the sender
""",
        id="no-postal-address",
    ),
    pytest.param(
        [
            ("  currency: EUR\n", "  currency: EUR\n  languages: {default: en}\n"),
            ("subject: Until Sunday", "subject: {ja: hello}"),
        ],
        """\
campaigns.yaml:41:27: a customer whose language is not among these gets no text; add one in en
        deadline: {subject: {ja: hello}, template: deadline.mjml}
                            ^^^^^^^^^^^
""",
        id="text-in-no-language-of-the-project",
    ),
    pytest.param(
        [("subject: Until Sunday", "subject: {ja: hello}")],
        """\
campaigns.yaml:40:27: texts by language need languages:
        deadline: {subject: {ja: hello}, template: deadline.mjml}
                            ^^^^^^^^^^^
  add to defaults for example languages: {default: en}
""",
        id="texts-by-language-undeclared",
    ),
]


@pytest.mark.parametrize(("changes", "told"), MISTAKES)
def test_a_mistake_of_contents_is_told_with_its_place(
    tmp_path: Path, changes: list[tuple[str, str]], told: str
) -> None:
    """The whole text: place, words, line, caret, hint."""
    assert problems(tmp_path, changed(*changes)) == told


_NO_ADDRESS = (', postal_address: "1 Street, Berlin"', "")
_TEXTS = (VARIANTS, "    variants:\n      control: {text: Hello}\n      deadline: {text: Hurry}\n")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param([_NO_ADDRESS, _TEXTS, ("    channel: email", "    channel: sms")], id="sms"),
        pytest.param([_NO_ADDRESS, ("    purpose: marketing", "    purpose: transactional")], id="transactional"),
    ],
)
def test_only_marketing_emails_need_a_postal_address(tmp_path: Path, changes: list[tuple[str, str]]) -> None:
    """A footer that nobody sees is not asked for."""
    assert problems(tmp_path, changed(*changes)) == ""
