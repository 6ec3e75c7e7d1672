"""How much a client may send, how long it may take, and how often it may ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MEBIBYTE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of the HTTP edge. All sizes in bytes, all times in seconds."""

    body_bytes: int = 32 * MEBIBYTE
    """A submission; a month of the largest office is well under 1 MiB."""
    small_body_bytes: int = 16 * 1024
    """Searches and forms."""
    evidence_body_bytes: int = 3 * MEBIBYTE
    """A directive with its evidence: 2 MiB, in base64."""
    body_seconds: float = 60.0
    """From the first to the last byte of a body."""
    bodies_at_once: int = 8
    """Submissions held in memory at one time, at most half of them one caller's; further ones are
    told to come again."""
    files: int = 32
    """Files handed in together."""
    header_bytes: int = 8 * 1024
    """One header, and the request line."""
    headers: int = 64
    """Header lines of one request."""
    keepalive_seconds: float = 5.0
    """Also the only bound on a client that sends its header slowly."""
    request_seconds: float = 55.0
    """Work on one request, its body aside."""
    requests_per_minute: int = 1200
    """Of one token, evenly; a burst of a tenth of it is let through."""
    failed_sign_ins_per_minute: int = 20
    """Of one address, before it has to wait."""
    session_idle_seconds: float = 15 * 60
    session_seconds: float = 10 * 60 * 60
    stop_seconds: float = 25.0
    """What is under way at SIGTERM may take this long to finish."""


USUAL: Final = Limits()
