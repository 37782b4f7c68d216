"""Templates and customers for tests of composing."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.channels.skeleton import WHOLE
from engine.declare.spec import EmailSender
from engine.messages.compose import Composer, Content, Rendered, expand
from engine.messages.links import Links
from engine.messages.names import settled_names
from engine.messages.templates import read_sources

ROOT = Path(__file__).resolve().parent.parent.parent
SHIPPED = read_sources(ROOT / "templates")
NONCE = "5f3a9c1e"
LINKS = Links("https://mail.example.com", ["a secret"])
SENDER = EmailSender.model_validate(
    {"from": "Example Shop <hello@mail.example.com>", "postal_address": "Example Shop & Sons, 1 Street, Berlin"}
)
SETTLED = settled_names(
    campaign="winback & more", purpose="marketing", topic="offers", variant="deadline", sender=SENDER
)
SUBJECT = "{{ customer.last_viewed.name }}: yours until Sunday"

EVERYWHERE = """\
<mjml>
  <mj-head>
    <mj-title>{{ customer.x }}</mj-title>
    <mj-preview>{{ customer.x }}</mj-preview>
    <mj-style>a { color: #1f5f5b } .note { color: red } @media (max-width: 400px) { .note { color: blue } }</mj-style>
  </mj-head>
  <mj-body>
    <mj-section css-class="note"><mj-column>
      <mj-text>Hello {{ customer.x }}, <b>{{customer.x}}</b>{{ customer.x }}! {# no customer sees this #}
        <a href="https://shop.example/{{ customer.x }}" title="{{ customer.x }}">{{ customer.x }}</a></mj-text>
      <mj-image src="https://img.example/{{ customer.x }}.png" alt="{{ customer.x }}" />
      <mj-button href="{{ unsubscribe_url }}">{{ customer.x }}</mj-button>
      <mj-table><tr><td>{{ customer.x }}</td><td>right</td></tr>
        <tr><td>left</td><td>{{ customer.x }}</td></tr></mj-table>
      <mj-text><ul><li>{{ customer.x }}</li></ul><pre>{{ customer.x }}  |</pre></mj-text>
      <mj-raw><!--[if mso]><i title="{{ customer.x }}">{{ customer.x }}</i><![endif]--></mj-raw>
    </mj-column></mj-section>
  </mj-body>
</mjml>
"""
"""A value in every kind of place that a mail has."""

HOSTILE = {
    "jinja": "{{7*7}}",
    "jinja-block": "{% raw %}",
    "script": "<script>alert(1)</script>",
    "line-breaks": "Ann\r\nBcc: victim@example.com",
    "mark": f"\x7f{NONCE}v0\x7f",
    "link-mark": f"\x7f{NONCE}c0\x7f",
    "nonce": f"{NONCE}v0",
    "reference": '","t0","',
    "right-to-left": "\u202eevil\u202c \u200fshalom",
    "joined-emoji": "👩\u200d👩\u200d👧 e\u0301",
    "control": "a\x00b\x1bc\x85d",
    "lone-surrogate": "a\ud800b",
    "noncharacter": "a\uffffb",
    "entities": "&amp;lt; &#64; &nbsp;",
    "quotes": "\"double\" 'single' `back` \\slash\\",
    "ends-comment": "--><b>",
    "ends-title": "</title></style>",
    "spaces": "  two  spaces  ",
    "hard-space": "\xa0hard\xa0space\xa0",
    "line-separator": "a\u2028b\u2029c",
    "only-spaces": "   ",
    "empty": "",
    "number": 0,
    "fraction": 19.9,
    "truth": True,
    "nothing": None,
    "long": "x" * 9_000,
    "too-long": "ü" * 11_000,
}


def composer(
    body: str | None = None, *, subject: str = "A subject", name: str = "mail.mjml",
    files: Mapping[str, str] = SHIPPED, preheader: str | None = None,
) -> Composer:  # fmt: skip
    """A composer of a mail whose template is given; without one, of the shipped treatment."""
    if body is None:
        return Composer(Content(channel="email", subject=SUBJECT, template="winback/deadline.mjml"), SHIPPED, NONCE)
    content = Content(channel="email", subject=subject, preheader=preheader, template=name)
    return Composer(content, {**files, name: body}, NONCE)


def sms(text: str) -> Composer:
    return Composer(Content(channel="sms", text=text), {}, NONCE)


def names(**customer: Any) -> dict[str, Any]:
    """The names of one message."""
    return {**SETTLED, "customer": customer}


def both(made: Composer, customer: Mapping[str, Any], message_id: int = 7) -> tuple[Rendered, Rendered, bool]:
    """A message by skeleton and values, and by the whole way alone; whether it shares its skeleton."""
    given, links = {**SETTLED, "customer": dict(customer)}, LINKS.for_message(message_id)
    composed = made.compose(given)
    return expand(composed.skeleton, composed.values, links), made.plain(given, links), composed.skeleton != WHOLE


def population(count: int, seed: int = 1) -> list[dict[str, Any]]:
    """Invented customers, some of whom lack facts and some of whom are called strange things."""
    random_ = random.Random(seed)
    first = ["Anna", "Ömer", "Zoë", "José", "李雷", "Nguyễn", "O'Neil", "Jean-Luc", None, "", " Kim "]
    product = ["Red Runner", "Trail & Co", 'Boot 8" high', "Sandale »Süd«", "<b>Clog</b>", None]
    hostile = [value for value in HOSTILE.values() if value is None or len(str(value)) < 1_000]

    def customer(number: int) -> dict[str, Any]:
        odd = random_.random() < 0.01
        viewed = random_.choice(product)
        return {
            "customer_id": f"c{number}",
            "first_name": random_.choice(hostile) if odd else random_.choice(first),
            "city": random_.choice(["Berlin", "São Paulo", None]),
            "last_viewed": {"name": viewed and f"{viewed} {random_.randrange(1_000)}"},
        }

    return [customer(number) for number in range(count)]
