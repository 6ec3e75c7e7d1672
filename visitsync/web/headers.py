"""The headers that every answer carries, also 404, 405 and 500."""

from __future__ import annotations

from typing import Final

from aiohttp import web

REQUEST_ID: Final = web.RequestKey("request_id", str)

ALWAYS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "Server": "visitsync",
    "Strict-Transport-Security": "max-age=31536000",
    "Vary": "Accept-Language, Cookie",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Browsers heed the transport rule only where the page itself came over TLS (RFC 6797, 8.1)."""

NO_STORE: Final = "no-store"


SANDBOX: Final = "sandbox; default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
"""For files that others made: wherever one is opened all the same, it runs nothing."""
_ATTACHED: Final = "attachment"


async def add(request: web.Request, response: web.StreamResponse) -> None:
    """Complete `response` before it leaves; the shape is aiohttp's ``on_response_prepare``."""
    response.headers.update(ALWAYS)
    if response.headers.get("Content-Disposition", "").startswith(_ATTACHED):
        response.headers["Content-Security-Policy"] = SANDBOX
    response.headers.setdefault("Cache-Control", NO_STORE)
    if (request_id := request.get(REQUEST_ID)) is not None:
        response.headers["X-Request-Id"] = request_id
