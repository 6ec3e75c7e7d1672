"""Base64 in its one canonical form (RFC 4648, sections 3.5 and 4), so that no bit is idle."""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error


def to_base64(data: bytes) -> str:
    """Standard alphabet, padded, in one line."""
    return b64encode(data).decode("ascii")


def from_base64(text: str | bytes) -> bytes | None:
    """What `to_base64` would write as `text`, or None if it would write no such thing."""
    given = text.encode() if isinstance(text, str) else text
    try:
        data = b64decode(given, validate=True)
    except Error:
        return None
    return data if b64encode(data) == given else None
