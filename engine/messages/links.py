"""Links of a message: derived from its id by a keyed hash, so that none has to be stored.

One token a message: the id in as few bytes as it needs, then 48 bits of a keyed BLAKE2b, in URL-safe base64.
Twelve characters for the first 16 million messages, so that a link fits into an SMS.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

_MAC_BYTES = 6
_LEAST_ID_BYTES = 3
_PERSON = b"campaign-link"


@dataclass(frozen=True, slots=True)
class MessageLinks:
    """The links of one message."""

    public_url: str
    token: str

    def address(self, ref: str) -> str:
        """The address of a link: `c0`, `c1` … are clicks, `u` unsubscribes, `p` shows preferences."""
        if ref[0] == "c":
            return f"{self.public_url}/c/{self.token}/{ref[1:]}"
        return f"{self.public_url}/{ref}/{self.token}"

    def click(self, number: int) -> str:
        """Where the message's n-th tracked link (from 0) is counted and sent on."""
        return self.address(f"c{number}")

    @property
    def unsubscribe(self) -> str:
        return self.address("u")

    @property
    def preferences(self) -> str:
        return self.address("p")


class Links:
    """Makes and verifies the links of messages.

    Args:
        public_url: where the public web pages answer, such as https://mail.example.com.
        keys: secret keys, the newest first: it signs, and the older ones still verify.

    Raises:
        ValueError: the address has a query or is none, or there is no key.
    """

    def __init__(self, public_url: str, keys: Sequence[str]) -> None:
        self._public_url = _checked(public_url)
        if not keys or not all(keys):
            raise ValueError("links need a secret key; set CAMPAIGN_SECRET_KEYS")
        self._signers = [hashlib.blake2b(digest_size=_MAC_BYTES, key=_fitting(key), person=_PERSON) for key in keys]

    def for_message(self, message_id: int) -> MessageLinks:
        """The links of a message."""
        identity = _identity(message_id)
        token = base64.urlsafe_b64encode(identity + _mac(self._signers[0], identity))
        return MessageLinks(self._public_url, token.rstrip(b"=").decode())

    def verify(self, token: str) -> int | None:
        """The message that a token belongs to, or None where no key of ours made it."""
        raw = _decoded(token)
        if raw is None or len(raw) < _LEAST_ID_BYTES + _MAC_BYTES:
            return None
        identity, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        message_id = int.from_bytes(identity, "big")
        # Compare with every key, so that time does not tell which one fits.
        genuine = [hmac.compare_digest(_mac(signer, identity), mac) for signer in self._signers]
        return message_id if any(genuine) and _identity(message_id) == identity else None


def _mac(signer: hashlib.blake2b, identity: bytes) -> bytes:
    mac = signer.copy()
    mac.update(identity)
    return mac.digest()


def _identity(message_id: int) -> bytes:
    return message_id.to_bytes(max(_LEAST_ID_BYTES, (message_id.bit_length() + 7) // 8), "big")


def _fitting(key: str) -> bytes:
    """A key of any length as one that BLAKE2b takes."""
    return hashlib.blake2b(key.encode(), digest_size=32).digest()


def _decoded(token: str) -> bytes | None:
    try:
        raw = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
    # Several texts decode to the same bytes; only the one that we write counts.
    return raw if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() == token else None


def _checked(public_url: str) -> str:
    parts = urlsplit(public_url)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ValueError(f"CAMPAIGN_PUBLIC_URL {public_url!r} must be an address such as https://mail.example.com")
    if not public_url.isascii() or not public_url.isprintable() or set(public_url) & set(" \"'<>&"):
        raise ValueError(f"CAMPAIGN_PUBLIC_URL {public_url!r} holds characters that addresses cannot have")
    return public_url.rstrip("/")
