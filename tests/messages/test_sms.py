"""SMS segments, after 3GPP TS 23.038 and 23.040."""

from __future__ import annotations

import pytest

from engine.messages.sms import Segments, segments


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", Segments("GSM-7", 0, 1), id="empty"),
        pytest.param("a" * 160, Segments("GSM-7", 160, 1), id="full-single"),
        pytest.param("a" * 161, Segments("GSM-7", 161, 2), id="first-of-two"),
        pytest.param("a" * 306, Segments("GSM-7", 306, 2), id="full-two"),
        pytest.param("a" * 307, Segments("GSM-7", 307, 3), id="third"),
        pytest.param(
            "äöüßÄÖÜ§£¥éèàùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæÉ¿¡Ññ@$_\n", Segments("GSM-7", 42, 1), id="letters-beyond-ascii"
        ),
        pytest.param("€" * 80, Segments("GSM-7", 160, 1), id="extension-counts-twice"),
        pytest.param("a" * 152 + "€" + "a" * 10, Segments("GSM-7", 164, 2), id="extension-at-the-edge"),
        pytest.param("a" * 152 + "€" + "a" * 151, Segments("GSM-7", 305, 2), id="edge-leaves-a-septet-unused"),
        pytest.param("a" * 152 + "€" + "a" * 152, Segments("GSM-7", 306, 3), id="an-escape-is-never-split"),
        pytest.param("ç" * 70, Segments("UCS-2", 70, 1), id="small-c-cedilla-is-not-gsm"),
        pytest.param("ñ`" * 36, Segments("UCS-2", 72, 2), id="backtick"),
        pytest.param("こ" * 67 * 2, Segments("UCS-2", 134, 2), id="full-two-ucs2"),
        pytest.param("😀" * 35, Segments("UCS-2", 70, 1), id="emoji-counts-twice"),
        pytest.param("😀" * 36, Segments("UCS-2", 72, 2), id="emoji-over-one"),
        pytest.param("😀" * 67, Segments("UCS-2", 134, 3), id="a-surrogate-pair-is-never-split"),
    ],
)
def test_encoding_units_and_segments(text: str, expected: Segments) -> None:
    assert segments(text) == expected
