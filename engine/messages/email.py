"""From a rendered MJML or HTML template to what is mailed: HTML with inlined CSS and a plain-text part.

mrml, css_inline and inscriptis are imported where they are used; a path through a template needs them once.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from engine.channels.mime import build_mime
from engine.channels.skeleton import as_references
from engine.messages.views import MARK_EDGE, NotAllowed

if TYPE_CHECKING:
    from css_inline import CSSInliner

__all__ = ["build_mime", "compiled", "finished", "plain_text", "protected"]

_TAG = re.compile(r"<[A-Za-z][\w:-]*(?:\s+[\w:@.-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))+\s*/?>")
_ATTRIBUTE = re.compile(r"(=\s*)(?:\"([^\"]*)\"|'([^']*)')")
_TITLE = re.compile(r"(<mj-title>)(.*?)(</mj-title>)", re.DOTALL)
_BODY = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
_HIDDEN = "display:none;max-height:0;max-width:0;overflow:hidden;opacity:0;font-size:1px;line-height:1px;mso-hide:all"
_ROWS = frozenset(("table", "thead", "tbody", "tfoot", "tr", "center"))


def finished(source: str, *, mjml: bool, preheader: str) -> tuple[str, str]:
    """The HTML and plain-text parts of a mail.

    Args:
        source: what the template printed: MJML, or HTML.
        preheader: what inboxes show after the subject, as escaped HTML; empty for none.

    Raises:
        NotAllowed: it is no MJML; the text is mrml's.
    """
    html = compiled(source) if mjml else source
    if preheader.strip():
        html = _with_preheader(html, preheader)
    # A mark in an attribute that ends up in a comment for Outlook still is a character reference.
    html = _inliner().inline(html).replace(f"&#{ord(MARK_EDGE)};", MARK_EDGE)
    return html, plain_text(html)


def compiled(mjml: str) -> str:
    """MJML as HTML.

    Raises:
        NotAllowed: it is no MJML; the text is mrml's.
    """
    import mrml

    try:
        return str(mrml.to_html(protected(mjml)).content)
    except OSError as error:
        raise NotAllowed(f"what the template makes is no MJML: {error}") from None


def protected(mjml: str) -> str:
    r"""MJML whose attributes survive mrml.

    mrml 0.2 writes attributes as Rust's debugger would: `\n` for a line feed, `\u{a0}` for a hard space. As
    character references they come out as what they are; so does the title, which it copies into an attribute.
    """
    mjml = _TITLE.sub(lambda match: match[1] + as_references(match[2]) + match[3], mjml)
    return _TAG.sub(lambda tag: _ATTRIBUTE.sub(_protected_attribute, tag[0]), mjml)


def _protected_attribute(match: re.Match[str]) -> str:
    value = match[2] if match[2] is not None else match[3]
    return f'{match[1]}"{as_references(value)}"'


def _with_preheader(html: str, preheader: str) -> str:
    hidden = f'<div style="{_HIDDEN}">{preheader}</div>'
    body = _BODY.search(html)
    at = body.end() if body else 0
    return html[:at] + hidden + html[at:]


def _inliner() -> CSSInliner:
    import css_inline

    # What is in <style> stays there too: media queries cannot be inlined.
    return css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)


def plain_text(html: str) -> str:
    """The plain-text part of a mail: links written out, tables that only lay out taken apart.

    The result for a value does not depend on its length or content, so that a skeleton's text part can be shared.
    """
    from inscriptis.css_profiles import STRICT_CSS_PROFILE
    from inscriptis.html_engine import Inscriptis
    from inscriptis.model.config import ParserConfig
    from lxml import html as lxml_html  # type: ignore[import-untyped]  # lxml ships no types

    tree = lxml_html.document_fromstring(html)
    elements = list(tree.iter())
    for element in elements:
        element.text = _once_unescaped(element.text) if isinstance(element.tag, str) else element.text
        element.tail = _once_unescaped(element.tail)
    for element in elements:
        if isinstance(element.tag, str):
            _simplify(element)
    return str(Inscriptis(tree, ParserConfig(css=STRICT_CSS_PROFILE)).get_text()).strip() + "\n"


def _simplify(element: Any) -> None:
    """Keep of an element what a reader of plain text needs."""
    hidden = "display:none" in element.attrib.get("style", "").replace(" ", "")
    href, alt = element.attrib.get("href"), element.attrib.get("alt")
    element.attrib.clear()
    if hidden:
        element.attrib["style"] = "display:none"
    if element.tag == "a" and href:
        _append(element, f" <{_once_unescaped(href)}>")
    elif element.tag == "img" and alt:
        element.text = _once_unescaped(alt)
    elif element.tag in _ROWS:
        element.tag = "div"
    elif element.tag in ("td", "th"):
        _take_out_of_table(element)


def _take_out_of_table(cell: Any) -> None:
    """A lone cell is a paragraph; cells side by side are words on one line."""
    beside = cell.getnext() is not None or cell.getprevious() is not None
    cell.tag = "span" if beside else "p"
    if beside:
        cell.tail = " " + (cell.tail or "")


def _append(element: Any, text: str) -> None:
    if len(element):
        element[-1].tail = (element[-1].tail or "") + text
    else:
        element.text = (element.text or "") + text


def _once_unescaped(text: str | None) -> str:
    """inscriptis resolves entities a second time; this takes that back."""
    return (text or "").replace("&", "&amp;")
