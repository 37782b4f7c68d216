"""From MJML to HTML with inlined CSS and a plain-text part."""

from __future__ import annotations

import pytest
from message_material import SHIPPED, both, composer

from engine.messages.email import compiled, finished, plain_text
from engine.messages.views import NotAllowed

MJML = "<mjml><mj-body><mj-section><mj-column>{}</mj-column></mj-section></mj-body></mjml>"


@pytest.mark.parametrize(
    "text",
    ["Café\u0301", "a\u00a0b", "👩\u200d👧", "back\\slash", "two\nlines", 'say "hi"', "日本語", "a\tb"],
    ids=["combining", "hard-space", "joined-emoji", "backslash", "line-feed", "quotes", "japanese", "tab"],
)
def test_attributes_survive_mrml(text: str) -> None:
    from lxml import html

    quoted = text.replace('"', "&quot;")
    for attribute in (f'"{quoted}"', f"'{text}'"):
        mail, _ = finished(MJML.format(f'<mj-image src="a.png" alt={attribute} />'), mjml=True, preheader="")
        assert html.document_fromstring(mail).xpath("//img/@alt") == [text]


def test_a_title_survives_being_copied_into_an_attribute() -> None:
    mjml = MJML.replace("<mj-body>", '<mj-head><mj-title>Say "hi"\\ é</mj-title></mj-head><mj-body>')
    assert 'aria-label="Say &quot;hi&quot;\\ é"' in finished(mjml.format(""), mjml=True, preheader="")[0]


def test_styles_are_inlined_and_media_queries_kept() -> None:
    style = "<mj-head><mj-style>.a { color: red } @media (max-width: 9px) { .a { color: blue } }</mj-style></mj-head>"
    mjml = MJML.format('<mj-text><b class="a">x</b></mj-text>').replace("<mj-body>", f"{style}<mj-body>")
    html, _ = finished(mjml, mjml=True, preheader="")
    assert '<b class="a" style="color: red;">x</b>' in html
    assert "@media (max-width: 9px)" in html


@pytest.mark.parametrize(
    ("html", "text"),
    [
        pytest.param("<p>a</p><p>b</p>", "a\n\nb\n", id="paragraphs"),
        pytest.param(
            '<p>see <a href="https://a.example/?x=1&amp;y=2">this</a>.</p>',
            "see this <https://a.example/?x=1&y=2>.\n",
            id="link",
        ),
        pytest.param(
            '<a href="https://a.example"><img src="b.png" alt="Our shop &amp; co"></a>',
            "Our shop & co <https://a.example>\n",
            id="linked-image",
        ),
        pytest.param('<p>a<img src="x.png" alt=""></p>', "a\n", id="decorative-image"),
        pytest.param(
            "<table><tr><td><table><tr><td>a</td></tr><tr><td>b</td></tr></table></td></tr></table>",
            "a\n\nb\n",
            id="layout-table",
        ),
        pytest.param(
            "<table><tr><td>Shoe</td><td>20 EUR</td></tr><tr><td>A longer name</td><td>5 EUR</td></tr></table>",
            "Shoe 20 EUR\nA longer name 5 EUR\n",
            id="data-table",
        ),
        pytest.param("<p>a &lt;b&gt; &amp;amp; c</p>", "a <b> &amp; c\n", id="entities-once"),
        pytest.param(
            '<div style="display: none">hidden</div><p style="padding: 40px; display:block">b</p>', "b\n", id="hidden"
        ),
        pytest.param("<ul><li>a</li><li>b</li></ul>", "* a\n  * b\n", id="list"),
        pytest.param("<style>p{}</style><!-- note --><p>a</p><script>x</script>", "a\n", id="nothing-but-text"),
        pytest.param("", "\n", id="empty"),
    ],
)
def test_the_plain_text_part(html: str, text: str) -> None:
    assert plain_text(f"<html><body>{html}</body></html>") == text


def test_what_is_no_mjml_says_so() -> None:
    with pytest.raises(NotAllowed, match="what the template makes is no MJML: unexpected end of stream"):
        compiled("<mjml><mj-body>")


@pytest.mark.parametrize("variant", ["plain", "deadline"])
def test_the_shipped_templates_have_what_a_mail_needs(variant: str) -> None:
    made = composer(SHIPPED[f"winback/{variant}.mjml"], name=f"winback/{variant}.mjml")
    facts = {"first_name": "Anna", "city": "Berlin", "last_viewed": {"name": "Red Runner"}}
    rendered, _, shared = both(made, facts)
    html = rendered.html or ""
    assert shared
    assert html.count('target="_blank"') == 1, "one button"
    assert html.index("display:none") < html.index("Hello Anna"), "a preheader"
    assert "1 Street, Berlin" in html
    assert "1 Street, Berlin" in rendered.text
    assert "Unsubscribe <https://mail.example.com/u/" in rendered.text
    assert "Red Runner" in rendered.text or variant == "plain"


def test_the_shipped_templates_serve_customers_of_whom_little_is_known() -> None:
    for variant in ("plain", "deadline"):
        made = composer(SHIPPED[f"winback/{variant}.mjml"], name=f"winback/{variant}.mjml")
        rendered, plain, shared = both(made, {"last_viewed": None})
        assert rendered == plain
        assert shared
        assert rendered.text.startswith("Hello there,\n")
