"""Writing an answer as JSON."""

from __future__ import annotations

from typing import Final

import msgspec
from aiohttp import web

from visitsync.web.language import Language

_ENCODER: Final = msgspec.json.Encoder()


def answer(value: object, language: Language | None = None, *, status: int = 200) -> web.Response:
    """`value` as a JSON response; `language` where it holds text for people."""
    return web.Response(
        status=status,
        body=_ENCODER.encode(value),
        content_type="application/json",
        headers={"Content-Language": language} if language else None,
    )
