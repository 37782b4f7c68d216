"""Composing: a skeleton with values put in is exactly the plain rendering."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from message_material import (
    EVERYWHERE,
    HOSTILE,
    LINKS,
    NONCE,
    SHIPPED,
    both,
    composer,
    names,
    population,
    sms,
)

from engine.channels.skeleton import WHOLE
from engine.errors import FixYourYaml
from engine.messages.compose import Composer, Content, RenderingFailed, expand, link_target

EVERYWHERE_MADE = composer(EVERYWHERE, subject="{{ customer.x | truncate(300) }}", preheader="{{ customer.x }}")


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_value_comes_out_as_in_the_plain_rendering(value: Any) -> None:
    expanded, plain, _ = both(EVERYWHERE_MADE, {"x": value})
    assert expanded == plain


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(max_size=40))
def test_any_text_comes_out_as_in_the_plain_rendering(value: str) -> None:
    expanded, plain, _ = both(EVERYWHERE_MADE, {"x": value})
    assert expanded == plain


def test_an_ordinary_value_shares_its_skeleton_wherever_it_stands() -> None:
    one = EVERYWHERE_MADE.compose(names(x="Anna"))
    other = EVERYWHERE_MADE.compose(names(x='<O\'Neil> & "Sons"'))
    assert one.skeleton == other.skeleton != WHOLE
    assert set(json.loads(other.values)) == {'<O\'Neil> & "Sons"'}


def test_no_value_ends_up_in_a_skeleton() -> None:
    secret = "Xanthippe"
    for body in (*TEMPLATES.values(), EVERYWHERE):
        composed = composer(body, name="mail.html", files=FILES).compose(names(x=secret, items=[{"name": secret}]))
        assert secret not in composed.skeleton


def test_markup_in_a_value_is_escaped_in_html_and_literal_in_text_and_subject() -> None:
    made = composer("<p>{{ customer.x }}</p>", name="mail.html", subject="{{ customer.x }}")
    rendered, _, _ = both(made, {"x": "<b>{{7*7}}</b> & co"})
    assert "<p>&lt;b&gt;{{7*7}}&lt;/b&gt; &amp; co</p>" in (rendered.html or "")
    assert rendered.text == "<b>{{7*7}}</b> & co\n"
    assert rendered.subject == "<b>{{7*7}}</b> & co"


def test_a_subject_is_one_line_without_control_characters() -> None:
    made = composer("<p>x</p>", name="mail.html", subject="Hello\n  {{ customer.x }}!")
    rendered, _, _ = both(made, {"x": "Ann\r\nBcc: victim@example.com\x00\x7f"})
    assert rendered.subject == "Hello Ann Bcc: victim@example.com\ufffd\ufffd!"


def test_a_subject_is_bounded() -> None:
    made = composer("<p>x</p>", name="mail.html", subject="{% for i in range(30) %}{{ customer.x }}{% endfor %}")
    assert both(made, {"x": "x" * 33})[0].subject == "x" * 990
    for x in ("x" * 34, "x" * 400):
        with pytest.raises(RenderingFailed, match="the subject would be longer than 998 characters"):
            made.compose(names(x=x))


def test_what_is_the_same_for_a_round_stands_in_the_skeleton() -> None:
    composed = composer("<p>{{ sender.postal_address }} {{ campaign.name }}</p>", name="mail.html").compose(names())
    assert composed.values == "[]"
    assert "Example Shop &amp; Sons, 1 Street, Berlin winback &amp; more" in composed.skeleton


def test_the_preheader_is_hidden_at_the_top_of_the_body_and_not_in_the_text() -> None:
    made = composer("<body class=x><p>Hello</p></body>", name="mail.html", preheader="For {{ customer.x }} & you")
    rendered, plain, _ = both(made, {"x": "Ann & Bob"})
    body = (rendered.html or "").split('<body class="x">')[1]
    assert body.startswith('<div style="display:none;')
    assert body.index("For Ann &amp; Bob &amp; you</div>") < body.index("<p>Hello")
    assert rendered.text == "Hello\n"
    assert rendered == plain


FILES = {
    "base.html": "<html><body>{% block a %}base {{ customer.x }}{% endblock %}</body></html>",
    "part.html": "<i>part {{ customer.x }}</i>",
    "macros.html": "{% macro bold(a) %}<b>{{ a }}</b>{% endmacro %}",
}
TEMPLATES = {
    "loop": "{% for item in customer.items %}<p>{{ loop.index }} {{ item.name }}</p>{% endfor %}",
    "condition": "{% if customer.x %}<p>{{ customer.x }}</p>{% else %}<p>nobody</p>{% endif %}",
    "set": "{% set x = customer.x | upper %}<p>{{ x }} {{ x }}</p>",
    "concatenation": "<p>{{ customer.x ~ ' ' ~ customer.x }}</p>",
    "list": "<p>{{ customer.items | map(attribute='name') | join(', ') }}</p>",
    "include": "<p>{% include 'part.html' %} {{ customer.x }}</p>",
    "extends": "{% extends 'base.html' %}{% block a %}{{ super() }} mine {{ customer.x }}{% endblock %}",
    "block-twice": "{% block a %}<p>{{ customer.x }}</p>{% endblock %}{{ self.a() }}",
    "macro": "{% macro m(a) %}<b>{{ a }}</b>{% endmacro %}<p>{{ m(customer.x) }} {{ m('fixed') }}</p>",
    "macro-in-macro": "{% macro m(a) %}<b>{{ a }}</b>{% endmacro %}"
    "{% macro n(a) %}{{ m(a) }}!{% endmacro %}{{ n(customer.x) }}",
    "imported-macro": "{% from 'macros.html' import bold %}<p>{{ bold(customer.x) }}</p>",
    "imported-module": "{% import 'macros.html' as m %}<p>{{ m.bold(customer.x) }}</p>",
    "call-block": "{% macro m() %}<b>{{ caller() }}</b>{% endmacro %}{% call m() %}x {{ customer.x }}{% endcall %}",
    "set-block": "{% set g %}Hello {{ customer.x }}{% endset %}<p>{{ g }}, {{ g }}</p>",
    "filter-block-that-keeps": "<p>{% filter trim %}  {{ customer.x }} {% endfilter %}</p>",
    "single-quotes": "<a href='https://a.example/{{ customer.x }}'>x</a>",
    "tracked": "<a href=\"{{ track('https://a.example/x?a=1&b=2') }}\">x</a>",
    "tracked-in-a-loop": "{% for i in range(2) %}<a href=\"{{ track('https://a.example/') }}\">{{ i }}</a>{% endfor %}",
    "tracked-by-a-macro": "{% macro b(url) %}<a href='{{ url }}'>x</a>{% endmacro %}"
    "{{ b(track('https://a.example')) }}",
}
ALONE = {
    "macro-in-an-expression": "{% macro m(a) %}<b>{{ a }}</b>{% endmacro %}<p>{{ m(customer.x) ~ customer.x }}</p>",
    "macro-filtered": "{% macro m(a) %}<b>{{ a }}</b>{% endmacro %}<p>{{ m(customer.x) | upper }}</p>",
    "set-block-compared": "{% set g %}{{ customer.x }}{% endset %}{% if g == 'Anna' %}yes{% else %}no{% endif %}",
    "set-block-measured": "{% set g %}{{ customer.x }}{% endset %}<p>{{ g | length }}</p>",
    "filter-block-that-changes": "<p>{% filter upper %}Hello {{ customer.x }}{% endfilter %}</p>",
    "filter-block-with-a-value": "<p>{% filter replace('H', customer.x) %}Hello{% endfilter %}</p>",
    "class": '<p class="{{ customer.x }}">x</p><style>.Anna { color: red }</style>',
    "style": '<p style="color: {{ customer.x }}">x</p>',
    "selector-on-an-attribute": '<a href="{{ customer.x }}">x</a><style>a[href="Anna"] { color: red }</style>',
    "attribute-without-quotes": "<a href={{ customer.x }}>x</a>",
}


@pytest.mark.parametrize("body", TEMPLATES.values(), ids=TEMPLATES.keys())
@pytest.mark.parametrize("x", ["Anna", "a  & <b> \"c\" 'd'"], ids=["plain", "special"])
def test_every_construct_shares_its_skeleton(body: str, x: str) -> None:
    customer = {"x": x, "items": [{"name": "A<"}, {"name": "B"}]}
    expanded, plain, shared = both(composer(body, name="mail.html", files=FILES), customer)
    assert expanded == plain
    assert shared


@pytest.mark.parametrize("body", ALONE.values(), ids=ALONE.keys())
def test_what_looks_at_its_values_is_composed_whole(body: str) -> None:
    expanded, plain, shared = both(composer(body, name="mail.html", files=FILES), {"x": "Anna"})
    assert expanded == plain
    assert not shared


def test_values_over_ten_thousand_bytes_are_composed_whole() -> None:
    made = composer("<p>{{ customer.x }}</p>", name="mail.html")
    for x, shares in (("x" * 9_990, True), ("x" * 10_000, False), ("ü" * 5_010, False)):
        expanded, plain, shared = both(made, {"x": x})
        assert expanded == plain
        assert shared is shares


def test_a_whole_message_keeps_its_links_open() -> None:
    made = composer(
        "<a href=\"{{ track('https://a.example') }}\">{% filter upper %}{{ customer.x }}{% endfilter %}</a>",
        name="mail.html",
    )
    composed = made.compose(names(x="Anna"))
    assert composed.skeleton == WHOLE
    for message_id in (1, 2):
        links = LINKS.for_message(message_id)
        assert expand(composed.skeleton, composed.values, links).text == f"ANNA <{links.click(0)}>\n"
    assert link_target(composed.skeleton, composed.values, 0) == "https://a.example"


def test_links_are_derived_and_their_targets_found_again() -> None:
    body = (
        "<a href=\"{{ track('https://a.example/?x=1&y=2') }}\">a</a>"
        '<a href="{{ track(customer.url) }}">b</a><a href="{{ preferences_url }}">c</a>'
    )
    composed = composer(body, name="mail.html").compose(names(url='https://b.example/ü?q="1'[:20]))
    links = LINKS.for_message(99)
    text = expand(composed.skeleton, composed.values, links).text
    assert text == f"a <{links.click(0)}>b <{links.click(1)}>c <{links.preferences}>\n"
    targets = [link_target(composed.skeleton, composed.values, number) for number in range(3)]
    assert targets == ["https://a.example/?x=1&y=2", "https://b.example/ü?", None]


def test_two_links_at_one_place_lead_where_each_path_says() -> None:
    yes, no = "{{ track('https://yes.example') }}", "{{ track('https://no.example') }}"
    body = f'<a href="{{% if customer.x %}}{yes}{{% else %}}{no}{{% endif %}}">x</a>'
    made = composer(body, name="mail.html")
    for x, target in ((1, "https://yes.example"), (0, "https://no.example"), (1, "https://yes.example")):
        composed = made.compose(names(x=x))
        assert link_target(composed.skeleton, composed.values, 0) == target


def test_sms_is_text_only_with_values_on_one_line() -> None:
    made = sms("Hello {{ customer.x }},\nlook: {{ track('https://shop.example') }} & {{ customer.none }}")
    expanded, plain, shared = both(made, {"x": "<Ann>\r\n  & Bob"}, message_id=5)
    assert expanded == plain
    assert shared
    assert expanded.text == f"Hello <Ann> & Bob,\nlook: {LINKS.for_message(5).click(0)} & "
    assert (expanded.subject, expanded.html) == (None, None)


def test_a_mail_without_a_template_is_plain_text() -> None:
    content = Content(channel="email", subject="For {{ customer.x }}", text="Dear {{ customer.x }},\nhello & goodbye")
    expanded, plain, shared = both(Composer(content, {}, NONCE), {"x": "Ann & <Bob>"})
    assert expanded == plain
    assert shared
    assert (expanded.subject, expanded.html) == ("For Ann & <Bob>", None)
    assert expanded.text == "Dear Ann & <Bob>,\nhello & goodbye"


def test_needs_are_the_facts_that_the_templates_read() -> None:
    assert composer().needs == {"first_name", "last_viewed"}
    files = {"part.html": "{{ customer.city }} {{ customer['points'] }}"}
    assert composer("{% include 'part.html' %}", name="mail.html", files=files).needs == {"city", "points"}
    handed_on = "{% set c = customer %}{{ c.last_order.amount }}"
    assert composer(handed_on, name="mail.html").needs >= {"last_order"}


def test_a_missing_fact_is_empty_and_takes_defaults() -> None:
    made = sms("[{{ customer.name }}|{{ customer.name | default('there', true) }}|{{ customer.x.y | default('z') }}]")
    assert both(made, {})[0].text == "[|there|z]"


FAILURES = {
    "part-of-nothing": (
        "<p>Hello</p>\n<p>{{ customer.last_viewed.name }}</p>",
        'templates/mail.html:2: ".name" has nothing to be read from: what stands before the dot is missing for this '
        "customer\n  <p>{{ customer.last_viewed.name }}</p>",
    ),
    "unknown-name": ("{{ costumer.x }}", 'templates/mail.html:1: there is no "costumer"\n  {{ costumer.x }}'),
    "part-that-is-not-there": (
        "{{ customer.order.nr }}",
        'templates/mail.html:1: there is no ".nr" here for this customer\n  {{ customer.order.nr }}',
    ),
    "past-the-end": (
        "{{ customer.items[4].name }}",
        "templates/mail.html:1: the list is shorter than that for this customer\n  {{ customer.items[4].name }}",
    ),
    "whole-record": (
        "{{ customer.order }}",
        "templates/mail.html:1: this has several parts and cannot be printed whole; name one of its parts after a dot\n"
        "  {{ customer.order }}",
    ),
    "included-file": (
        "<p>{% include 'part.html' %}</p>",
        'templates/part.html:3: ".b" has nothing to be read from: what stands before the dot is missing for this '
        "customer\n  {{ customer.a.b }}",
    ),
    "no-address-to-track": (
        "<a href='{{ track(customer.x) }}'>x</a>",
        "templates/mail.html:1: track(…) takes an address that begins with https:// or http://; "
        "this customer has none\n"
        "  <a href='{{ track(customer.x) }}'>x</a>",
    ),
    "filtered-link": (
        "{{ unsubscribe_url | upper }}",
        "templates/mail.html:1: track(…), unsubscribe_url and preferences_url stand alone in {{ }}, "
        "without filters or ~\n"
        "  {{ unsubscribe_url | upper }}",
    ),
    "no-number": (
        "{{ customer.x | number }}",
        "templates/mail.html:1: this is not a value that can be used here\n  {{ customer.x | number }}",
    ),
}


@pytest.mark.parametrize(("body", "message"), FAILURES.values(), ids=FAILURES.keys())
def test_a_failure_says_where_and_why_without_the_customers_data(body: str, message: str) -> None:
    files = {"part.html": "\n\n{{ customer.a.b }}"}
    made = composer(body, name="mail.html", files=files)
    with pytest.raises(RenderingFailed) as failure:
        made.compose(names(x="Xanthippe", order={"id": 5}, items=[]))
    assert str(failure.value) == message


def test_a_failing_customer_does_not_affect_the_next() -> None:
    made = composer("<p>{{ customer.a.b }}</p>", name="mail.html")
    before = made.compose(names(a={"b": "x"}))
    with pytest.raises(RenderingFailed):
        made.compose(names())
    assert made.compose(names(a={"b": "x"})) == before


def test_broken_templates_are_refused_before_anything_is_composed() -> None:
    with pytest.raises(FixYourYaml) as refused:
        composer("<p>\n{% if %}</p>", name="mail.html")
    assert str(refused.value) == "templates/mail.html:2: Expected an expression, got 'end of statement block'"
    with pytest.raises(FixYourYaml, match=r"^there is no templates/gone\.mjml$"):
        Composer(Content(channel="email", subject="x", template="gone.mjml"), SHIPPED, NONCE)


def _check_population(count: int) -> tuple[int, float]:
    """Compose for a population; the number of skeletons and the stored bytes a customer."""
    made = composer()
    skeletons: set[str] = set()
    stored = 0
    for number, customer in enumerate(population(count)):
        given, links = names(**customer), LINKS.for_message(number)
        try:
            composed = made.compose(given)
        except RenderingFailed:
            continue
        assert expand(composed.skeleton, composed.values, links) == made.plain(given, links)
        skeletons.add(composed.skeleton)
        stored += len(composed.values.encode())
    return len(skeletons), stored / count


def test_a_population_shares_few_skeletons_and_stores_little() -> None:
    skeletons, stored = _check_population(250)
    assert skeletons <= 8
    assert stored < 150


@pytest.mark.long
def test_fifty_thousand_customers_get_exactly_the_plain_rendering() -> None:
    skeletons, stored = _check_population(50_000)
    print(f"{skeletons} skeletons, {stored:.0f} bytes a customer")
    assert skeletons <= 12
    assert stored < 150
