"""Which part of a mail is shared: fixed text and references, proved by sending probes through.

MJML, CSS inlining and the plain-text conversion may do anything with a value. A path through a template goes
through them twice, once with marks and once with probes for marks; where both differ by the probes only, and
each probe comes out in a known form, any value can be put in afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from json.encoder import encode_basestring
from typing import Any

from engine.channels.skeleton import FORMS, Parts
from engine.messages.links import MessageLinks
from engine.store.audit import canonical

HTML_FORMS, TEXT_FORMS, LINE_FORMS = "taem", "sr", "r"

PROBE = "Q\"q'{number} &amp; <b>é  z\xa0\ny\\ {{{{ \u200d😀 a\u0301 \u202e%x"
"""A value that every form writes differently and that nothing else contains: where it lands intact, others do."""
LINE_PROBE = "Q\"q'{number} &amp; <b>é z\xa0y\\ {{{{ \u200d😀 a\u0301 \u202e%x"
SAMPLE_LINKS = MessageLinks("https://links.example", "AAAAAAAAAAAA")

_ATTRIBUTE = re.compile(r"([\w:-]+)=\"[^\"<>]*\Z")
_HARMLESS_ATTRIBUTES = frozenset(("href", "src", "alt", "title", "aria-label", "content", "background", "value"))
_VALUE_SELECTOR = re.compile(r"<style[^>]*>[^<]*\[\s*[\w-]+\s*[~|^$*]?=")


def aligned(marked: str, probed: str, *, pattern: re.Pattern[str], probe: str, forms: str) -> Parts | None:
    """Fixed text and references, if the same text with probes for marks differs by the probes only.

    None means that something between template and mail looked at the values, so that they cannot be put in later.
    """
    pieces = pattern.split(marked)
    if not probed.startswith(pieces[0]):
        return None
    parts, at = [pieces[0]], len(pieces[0])
    for ref, fixed in zip(pieces[1::2], pieces[2::2], strict=True):
        landed = next((c for c in _candidates(ref, probe, forms) if probed.startswith(c[1] + fixed, at)), None)
        if landed is None:
            return None
        parts += [landed[0], fixed]
        at += len(landed[1]) + len(fixed)
    return parts if at == len(probed) and not _matters_to_css(parts) else None


def _candidates(ref: str, probe: str, forms: str) -> Iterator[tuple[str, str]]:
    """References that a mark may become, each with what it would have put there."""
    if ref[0] != "v":
        yield ref, SAMPLE_LINKS.address(ref)
        return
    value = probe.format(number=ref[1:])
    yield from ((f"{form}{ref[1:]}", FORMS[form](value)) for form in forms)


def _matters_to_css(parts: Parts) -> bool:
    """Whether a value stands where CSS selectors could depend on it: in a class, an id, a style."""
    attributes = [
        match[1]
        for fixed, ref in zip(parts[::2], parts[1::2], strict=False)
        if ref[0] == "a" and (match := _ATTRIBUTE.search(fixed))
    ]
    if not _HARMLESS_ATTRIBUTES.issuperset(attributes):
        return True
    return bool(attributes) and any(_VALUE_SELECTOR.search(fixed) for fixed in parts[::2])


def packed(document: dict[str, Any]) -> str:
    """A skeleton's canonical JSON."""
    return canonical(document).decode()


def packed_values(values: Sequence[str]) -> str:
    """Values as compact JSON; texts are encoded one by one, because a list's encoder costs 5 µs to set up."""
    return f"[{','.join(map(encode_basestring, values))}]"
