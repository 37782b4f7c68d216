"""How many segments an SMS takes: GSM 03.38 (7 bits a character) or UCS-2 (16 bits)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")
"""Each takes two units: an escape and the character."""
_SINGLE = {"GSM-7": 160, "UCS-2": 70}
_EACH_OF_SEVERAL = {"GSM-7": 153, "UCS-2": 67}
_BEYOND_ONE_UNIT = 0xFFFF


@dataclass(frozen=True, slots=True)
class Segments:
    """The size of an SMS.

    `units` are septets of GSM-7 or 16-bit units of UCS-2; `count` is what is paid for.
    """

    encoding: Literal["GSM-7", "UCS-2"]
    units: int
    count: int


def segments(text: str) -> Segments:
    """Encoding, units and number of segments of an SMS (3GPP TS 23.038, 23.040 concatenation)."""
    encoding: Literal["GSM-7", "UCS-2"] = "GSM-7" if set(text) <= _BASIC | _EXTENDED else "UCS-2"
    widths = list(_widths(text, encoding))
    units = sum(widths)
    if units <= _SINGLE[encoding]:
        return Segments(encoding, units, 1)
    return Segments(encoding, units, _filled(widths, _EACH_OF_SEVERAL[encoding]))


def _widths(text: str, encoding: str) -> Iterator[int]:
    if encoding == "GSM-7":
        return (2 if character in _EXTENDED else 1 for character in text)
    return (2 if ord(character) > _BEYOND_ONE_UNIT else 1 for character in text)


def _filled(widths: list[int], room: int) -> int:
    """How many segments hold the characters; none is split between two."""
    count, free = 1, room
    for width in widths:
        if width > free:
            count, free = count + 1, room
        free -= width
    return count
